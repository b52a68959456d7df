import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import bucc_scores
from adaptstilts.evaluate.retrieval import (
    MINING,
    SEARCH,
    Neighbours,
    ScoredPair,
    Side,
    comparable,
    find_neighbours,
    find_neighbours_both_ways,
    fit_threshold,
    margins,
    match,
    mine_pairs,
    normalise,
    pairs_above,
    search,
)

TWO = replace(MINING, neighbours=2)


def directions(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def ranked(pairs: str) -> list[ScoredPair]:
    """`a1 a2 ...`: pairs with falling scores 10, 9, ...; their ids are the letter and the digit."""
    return [ScoredPair(pair[0], pair[1], 10.0 - rank) for rank, pair in enumerate(pairs.split())]


def test_normalise_gives_unit_vectors_and_leaves_zero_alone():
    vectors = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert normalise(vectors) == pytest.approx(np.array([[0.6, 0.8], [0, 0]]), abs=1e-7)
    assert vectors[0, 0] == 3.0


@pytest.mark.parametrize("shape", [(3,), (0, 4), (2, 0)])
def test_normalise_raises_naming_the_shape_when_there_is_nothing_to_search(shape: tuple[int, ...]):
    with pytest.raises(EvaluationError, match=r"vectors of shape \("):
        normalise(np.zeros(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_normalise_raises_naming_the_sentence_when_a_value_is_not_finite(value: float):
    with pytest.raises(EvaluationError, match=r"sentence 1 \(counted from 0\)"):
        normalise(np.array([[1.0, 0.0], [value, 0.0]]))


def test_neighbours_come_most_similar_first():
    found = find_neighbours(directions(0, 90), directions(80, 10, 45), k=2)
    assert found.indices.tolist() == [[1, 2], [0, 2]]
    assert found.similarities == pytest.approx(np.cos(np.radians([[10, 45], [10, 45]])), abs=1e-6)


def test_neighbours_of_equal_similarity_come_in_order_of_index():
    queries, rows = np.ones((3, 1), dtype=np.float32), np.array([[1], [2], [2], [0], [2]], dtype=np.float32)
    for block in (1, 2, 3, 1024):
        assert find_neighbours(queries, rows, k=4, block=block).indices.tolist() == [[1, 2, 4, 0]] * 3


def test_neighbours_are_as_many_as_rows_when_fewer_than_asked_for():
    forward, backward = find_neighbours_both_ways(directions(0, 1, 2), directions(5), k=4)
    assert forward.indices.tolist() == [[0], [0], [0]]
    assert backward.indices.tolist() == [[2, 1, 0]]


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_neighbours_in_blocks_equal_sorting_all_similarities(block: int):
    rng = np.random.default_rng(3)
    # Whole numbers, so that ties are many and sums exact.
    left = rng.integers(-2, 3, (90, 5)).astype(np.float32)
    right = rng.integers(-2, 3, (310, 5)).astype(np.float32)
    forward, backward = find_neighbours_both_ways(left, right, k=4, block=block)
    for found, table in ((forward, left @ right.T), (backward, right @ left.T)):
        expected = np.argsort(-table, axis=1, kind="stable")[:, :4]
        assert np.array_equal(found.indices, expected)
        assert np.array_equal(found.similarities, np.take_along_axis(table, expected, axis=1))


def test_neighbours_raise_naming_both_shapes_when_widths_differ():
    with pytest.raises(EvaluationError, match=r"\(2, 3\) and \(2, 4\) cannot be compared"):
        find_neighbours(np.zeros((2, 3)), np.zeros((2, 4)))


def test_neighbours_raise_when_a_side_is_empty():
    with pytest.raises(EvaluationError, match=r"\(2, 3\) and \(0, 3\).*at least one sentence"):
        find_neighbours_both_ways(np.zeros((2, 3)), np.zeros((0, 3)), k=4)


def test_neighbours_raise_when_none_is_asked_for():
    with pytest.raises(EvaluationError, match="0 neighbours"):
        find_neighbours(np.zeros((2, 3)), np.zeros((2, 3)), k=0)


@pytest.mark.parametrize(
    ("margin", "expected"),
    [("ratio", [0.9 / 0.8, 0.6 / 0.5]), ("distance", [0.9 - 0.8, 0.6 - 0.5]), ("none", [0.9, 0.6])],
)
def test_margins_set_a_similarity_against_the_mean_of_both_neighbourhoods(margin, expected):
    neighbours = Neighbours(np.array([[0.9, 0.6]]), np.array([[1, 0]]))
    found = margins(neighbours, np.array([0.75]), np.array([0.25, 0.85]), margin=margin)
    assert found == pytest.approx(np.array([expected]), abs=1e-12)


def test_comparable_scales_vectors_for_cosines_only():
    vectors = np.array([[3.0, 4.0]])
    assert comparable(vectors, "cosine") == pytest.approx(np.array([[0.6, 0.8]]), abs=1e-7)
    for similarity in ("dot", "l2"):
        assert comparable(vectors, similarity).tolist() == [[3.0, 4.0]]
        with pytest.raises(EvaluationError, match=r"sentence 0 \(counted from 0\)"):
            comparable(np.array([[np.nan]]), similarity)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_l2_is_one_over_one_plus_the_squared_distance(block: int):
    rng = np.random.default_rng(4)
    # Whole numbers, so that distances are exact.
    left, right = (rng.integers(-3, 4, (rows, 5)).astype(np.float32) for rows in (20, 50))
    table = 1 / (1 + ((left[:, None] - right[None]) ** 2).sum(axis=2))
    expected = np.argsort(-table, axis=1, kind="stable")[:, :3]
    found = find_neighbours(left, right, k=3, similarity="l2", block=block)
    assert np.array_equal(found.indices, expected)
    assert found.similarities == pytest.approx(np.take_along_axis(table, expected, axis=1), abs=1e-6)


def test_similarities_disagree_where_lengths_differ():
    queries, rows = np.array([[1.0, 0.0]]), np.array([[5.0, 5.0], [0.9, 0.3], [0.1, 0.0]])
    best = {
        name: int(find_neighbours(comparable(queries, name), comparable(rows, name), similarity=name).indices[0, 0])
        for name in ("cosine", "dot", "l2")
    }
    assert best == {"cosine": 2, "dot": 0, "l2": 1}


def test_match_prefers_the_pair_that_stands_out_over_the_closer_one():
    # Left 0 has cosine 0.9962 with right 0 and 0.9848 with right 1, but right 0 is close to left 1 as well.
    left, right = directions(0, 10), directions(5, -10)
    found = match(left, right, settings=TWO)
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [(1, 0), (0, 1)]
    cosine = np.cos(np.radians([[5.0, 10.0], [5.0, 20.0]]))
    expected = cosine / ((cosine.mean(axis=1)[:, None] + cosine.mean(axis=0)[None]) / 2)
    assert found.scores == pytest.approx([expected[1, 0], expected[0, 1]], abs=1e-6)


def test_match_uses_each_sentence_once_and_leaves_the_rest_over():
    found = match(directions(0, 2, 90), directions(1, 91), settings=TWO)
    assert len(set(found.left.tolist())) == len(set(found.right.tolist())) == len(found.left) == 2
    assert (found.left.tolist()[found.right.tolist().index(1)]) == 2


def test_match_takes_the_lowest_index_of_equal_candidates():
    found = match(directions(0, 0, 0), directions(0, 0), settings=TWO)
    assert (found.left[0], found.right[0]) == (0, 0)


def matched(rule: str, left: np.ndarray, right: np.ndarray, **changed: object) -> list[tuple[int, int]]:
    found = match(left, right, settings=replace(MINING, neighbours=2, candidates=rule, **changed))
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_candidate_rules_differ_in_who_proposes():
    # Nearest by cosine: left 0 and 1 choose right 0, left 2 right 1; right 0 chooses left 1, right 1 and 2 left 2.
    left, right = directions(0, 4, 60), directions(5, 61, 75)
    rules = ("max", "forward", "backward", "intersection")
    found = {rule: set(matched(rule, left, right, margin="none")) for rule in rules}
    assert found == {
        "max": {(1, 0), (2, 1)},
        "forward": {(0, 0), (1, 0), (2, 1)},
        "backward": {(1, 0), (2, 1), (2, 2)},
        "intersection": {(1, 0), (2, 1)},
    }


def test_max_takes_only_positive_margins_and_the_other_rules_all():
    left, right = directions(0, 1), directions(180, 181)
    assert matched("max", left, right, margin="none") == []
    assert (
        len(matched("forward", left, right, margin="none")) == len(matched("backward", left, right, margin="none")) == 2
    )


def test_max_gives_what_is_left_to_the_second_best():
    # Left 0 proposes right 0 too, but left 1 is better; right 1 proposes left 0.
    left, right = directions(0, 50), directions(40, 300)
    assert matched("max", left, right, margin="none") == [(1, 0), (0, 1)]


@pytest.mark.parametrize("rule", ["max", "forward", "backward", "intersection"])
@pytest.mark.parametrize("margin", ["ratio", "distance", "none"])
@pytest.mark.parametrize("similarity", ["cosine", "dot", "l2"])
def test_match_equals_a_plain_walk_over_the_whole_table(rule: str, margin: str, similarity: str):
    rng = np.random.default_rng(11)
    left, right = (comparable(rng.normal(size=(rows, 6)) + 1, similarity).astype(np.float64) for rows in (23, 31))
    products = left @ right.T
    table = 1 / (1 + ((left[:, None] - right[None]) ** 2).sum(2)) if similarity == "l2" else products
    means = [np.sort(side, axis=1)[:, -4:].mean(axis=1) for side in (table, table.T)]
    around = (means[0][:, None] + means[1][None]) / 2
    scores = {"ratio": table / around, "distance": table - around, "none": table}[margin]
    near = [np.argsort(-side, axis=1)[:, : 1 if margin == "none" else 4] for side in (table, table.T)]
    forward = {(row, max(near[0][row], key=lambda column: scores[row, column])) for row in range(23)}
    backward = {(max(near[1][column], key=lambda row: scores[row, column]), column) for column in range(31)}
    expected: set[tuple[int, int]] = {
        "forward": forward,
        "backward": backward,
        "intersection": forward & backward,
        "max": set(),
    }[rule]
    if rule == "max":
        for row, column in sorted(forward | backward, key=lambda pair: -scores[pair]):
            if scores[row, column] > 0 and not any(row == one or column == other for one, other in expected):
                expected.add((row, column))
    settings = replace(MINING, similarity=similarity, margin=margin, candidates=rule)
    if margin == "none":
        settings = replace(settings, neighbours=None)
    found = match(left.astype(np.float32), right.astype(np.float32), settings=settings)
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert len(pairs) == len(set(pairs)) > 0
    assert set(pairs) == {(int(row), int(column)) for row, column in expected}
    assert found.scores == pytest.approx([scores[pair] for pair in pairs], abs=1e-5)


def duplicated_sides() -> tuple[Side, Side]:
    foreign = Side(["f0", "f1", "f2"], ["same", "other", "same"], directions(170, 45, 0))
    english = Side(["e0", "e1", "e2"], ["x", "y", "y"], directions(0, 100, 45))
    return foreign, english


def test_mining_joins_equal_texts_with_the_vector_of_the_last_and_drops_their_pairs():
    foreign, english = duplicated_sides()
    assert mine_pairs(foreign, english) == []


def test_mining_expands_equal_texts_to_all_pairs_of_their_ids_when_asked_to():
    foreign, english = duplicated_sides()
    pairs = mine_pairs(foreign, english, settings=replace(MINING, duplicates="jiant"))
    assert {(pair.foreign, pair.english) for pair in pairs} == {("f0", "e0"), ("f2", "e0"), ("f1", "e1"), ("f1", "e2")}
    # Cosines 1 and 0.7071 everywhere: each margin is 1 over their mean.
    assert [pair.score for pair in pairs] == pytest.approx([1 / ((1 + np.sqrt(0.5)) / 2)] * 4, abs=1e-6)


def test_mining_raises_with_all_three_numbers_when_parts_of_a_side_differ():
    side = Side(["f0", "f1"], ["a"], directions(0, 1, 2))
    with pytest.raises(EvaluationError, match="2 ids, 1 sentence and 3 vectors"):
        mine_pairs(side, side)


def test_threshold_lies_midway_below_the_cut_with_the_best_f1():
    # F1 with 1, 2, 3, 4, 5 pairs kept: 2/4, 4/5, 4/6, 6/7, 6/8; best after the fourth, with scores 7 and 6.
    pairs = ranked("a1 b2 c9 d4 e9")
    gold = {("a", "1"), ("b", "2"), ("d", "4")}
    assert fit_threshold(pairs, gold) == 6.5
    kept = pairs_above(pairs, 6.5)
    assert kept == {("a", "1"), ("b", "2"), ("c", "9"), ("d", "4")}
    assert bucc_scores(kept, gold)["f1"] == pytest.approx(600 / 7, abs=1e-12)


def test_threshold_is_the_lowest_score_when_all_pairs_are_worth_keeping():
    pairs = ranked("a1 b9 c3")
    threshold = fit_threshold(pairs, {("a", "1"), ("c", "3")})
    assert threshold == 8.0
    assert len(pairs_above(pairs, threshold)) == 3


def test_threshold_keeps_pairs_of_equal_score_together():
    pairs = [ScoredPair("a", "1", 2.0), ScoredPair("b", "9", 2.0), ScoredPair("c", "9", 1.0)]
    assert fit_threshold(pairs, {("a", "1")}) == 1.5


def test_threshold_keeps_fewest_pairs_of_several_equal_cuts():
    # F1 is 2/3 with one pair and 4/6 with four.
    assert fit_threshold(ranked("a1 b9 c9 d4"), {("a", "1"), ("d", "4")}) == 9.5


@pytest.mark.parametrize("pairs", [[], ranked("a9 b9")])
def test_threshold_is_zero_when_no_candidate_is_right(pairs: list[ScoredPair]):
    assert fit_threshold(pairs, {("a", "1")}) == 0.0


def test_threshold_raises_without_gold():
    with pytest.raises(EvaluationError, match="without gold pairs"):
        fit_threshold(ranked("a1"), set())


def test_search_looks_for_the_foreign_sentence_of_each_english_one():
    foreign, english = 3 * directions(0, 50, 90), 7 * directions(60, 10, 20, 88)
    assert search(foreign, english).rows.tolist() == [1, 0, 0, 2]


def test_search_in_the_other_direction_looks_for_the_english_sentence_of_each_foreign_one():
    foreign, english = 3 * directions(0, 50, 90), 7 * directions(60, 10, 20, 88)
    found = search(foreign, english, settings=replace(SEARCH, direction="foreign_to_english"), keep=2)
    assert found.rows.tolist() == [1, 0, 3]
    assert found.nearest.indices.tolist() == [[1, 2], [0, 2], [3, 0]]


@pytest.mark.parametrize("margin", ["ratio", "distance"])
@pytest.mark.parametrize("keep", [1, 5])
def test_search_with_a_margin_takes_the_largest_margin_of_the_neighbours(margin: str, keep: int):
    rng = np.random.default_rng(5)
    foreign, english = rng.normal(size=(40, 4)) + 1, rng.normal(size=(30, 4)) + 1
    found = search(foreign, english, settings=replace(SEARCH, margin=margin, neighbours=3), keep=keep)
    table = normalise(english).astype(np.float64) @ normalise(foreign).astype(np.float64).T
    means = [np.sort(side, axis=1)[:, -3:].mean(axis=1) for side in (table, table.T)]
    around = (means[0][:, None] + means[1][None]) / 2
    scores = table / around if margin == "ratio" else table - around
    near = np.argsort(-table, axis=1)
    expected = [max(near[row, :3], key=lambda column: scores[row, column]) for row in range(30)]
    assert found.rows.tolist() == expected != near[:, 0].tolist()
    assert np.array_equal(found.nearest.indices, near[:, :keep])


def test_mining_and_search_equal_xtreme(shared_root: Path):
    expected = json.loads((shared_root / "parity" / "retrieval.json").read_text(encoding="utf-8"))
    vectors = np.load(shared_root / "parity" / "retrieval.npz")
    foreign = Side(expected["source_ids"], expected["source_sentences"], vectors["source"])
    english = Side(expected["target_ids"], expected["target_sentences"], vectors["target"])
    gold = {tuple(pair) for pair in expected["gold"]}
    assert (MINING.neighbours, MINING.margin) == (expected["neighbours"], expected["margin"])
    assert MINING.candidates == expected["retrieval"]
    pairs = mine_pairs(foreign, english)
    threshold = fit_threshold(pairs, gold)
    mined = pairs_above(pairs, threshold)
    mining = expected["expected"]
    assert mined == {tuple(pair) for pair in mining["pairs"]}
    # The last bit of the threshold depends on how the matrix product adds up.
    assert threshold == pytest.approx(mining["threshold"], abs=2e-7)
    assert bucc_scores(mined, gold) == {name: mining[name] for name in ("f1", "precision", "recall")}
    nearest = expected["tatoeba_nearest_source_of_each_target"]
    assert search(vectors["source"], vectors["target"]).rows.tolist()[: len(nearest)] == nearest


@pytest.mark.parametrize("space", ["", " ", "\u3000", "\r"])
def test_texts_that_differ_in_white_space_around_them_count_as_repeated(space):
    vectors = np.eye(3, dtype=np.float32)
    foreign = Side(["f0", "f1", "f2"], ["a", f"{space}a{space}", "c"], vectors)
    english = Side(["e0", "e1", "e2"], ["x", "y", "z"], vectors)
    assert {pair.foreign for pair in mine_pairs(foreign, english)} == {"f2"}


def test_mining_with_repeated_texts_expanded_adds_exactly_their_pairs_to_those_of_xtreme(shared_root: Path):
    """What jiant does after the same mining: every match becomes the product of the ids of its two texts."""
    expected = json.loads((shared_root / "parity" / "retrieval.json").read_text(encoding="utf-8"))
    vectors = np.load(shared_root / "parity" / "retrieval.npz")
    sides = [
        Side(expected[f"{name}_ids"], expected[f"{name}_sentences"], vectors[name]) for name in ("source", "target")
    ]
    dropped = mine_pairs(*sides)
    expanded = mine_pairs(*sides, settings=replace(MINING, duplicates="jiant"))
    ids: list[dict[str, list[str]]] = [{}, {}]
    for by_text, side in zip(ids, sides, strict=True):
        for name, text in zip(side.ids, side.texts, strict=True):
            by_text.setdefault(text, []).append(name)
    repeated = [{name for names in by_text.values() if len(names) > 1 for name in names} for by_text in ids]
    assert [len(names) for names in repeated] == [2, 2]
    added = [pair for pair in expanded if pair.foreign in repeated[0] or pair.english in repeated[1]]
    assert [pair for pair in expanded if pair not in added] == dropped
    by_score = [list(group) for _, group in itertools.groupby(added, key=lambda pair: pair.score)]
    assert by_score
    for group in by_score:
        products = {
            pair
            for one in ids[0].values()
            for other in ids[1].values()
            for pair in itertools.product(one, other)
            if group[0].foreign in one and group[0].english in other
        }
        assert {(pair.foreign, pair.english) for pair in group} == products
