"""Differences to a reference, with numbers worked out by hand."""

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.results.rows import TaskScore
from adaptstilts.results.transfer import (
    Scope,
    best_per_target,
    gains,
    intermediate_gains,
    methods_in_order,
    transfer_table,
    transfer_tables,
)
from adaptstilts.train.methods import METHODS


def score(method: str, source: str, target: str, *, seed: int = 1, notes: tuple[str, ...] = (), **languages: float):
    return TaskScore(method, METHODS[method].family, source, target, seed, tuple(languages.items()), notes)


STUDY = [
    score("direct", "", "xnli", en=80.0, de=60.0),
    score("direct", "", "tatoeba", de=30.0, sw=10.0, notes=("no training data",)),
    score("full", "mnli", "xnli", en=82.0, de=65.0),
    score("full", "mnli", "tatoeba", de=50.0, sw=14.0),
    score("full", "qqp", "xnli", en=79.0, de=56.0),
    score("full", "qqp", "tatoeba", de=29.0, sw=10.0),
    score("adapter", "", "xnli", en=78.0, de=61.0),
    score("adapter", "", "tatoeba", de=30.0, sw=10.0),
    score("stack", "mnli", "xnli", en=81.0, de=62.0),
    score("stack", "mnli", "tatoeba", de=37.0, sw=13.0),
]


def test_transfer_table_takes_differences_to_direct_when_all_is_there():
    table = transfer_table(STUDY, "full")
    assert (table.sources, table.targets, table.missing) == (("mnli", "qqp"), ("xnli", "tatoeba"), ())
    assert [(cell.source, cell.target, cell.score, cell.difference) for cell in table.cells] == [
        ("mnli", "xnli", 73.5, 3.5),
        ("mnli", "tatoeba", 32.0, 12.0),
        ("qqp", "xnli", 67.5, -2.5),
        ("qqp", "tatoeba", 19.5, -0.5),
    ]
    assert [(cell.target, cell.score) for cell in table.references] == [("xnli", 70.0), ("tatoeba", 20.0)]
    assert (table.row_mean("mnli"), table.row_mean("qqp")) == (7.75, -1.5)
    assert table.is_complete("mnli")


def test_transfer_table_leaves_english_out_when_scope_is_zero_shot():
    table = transfer_table(STUDY, "full", scope=Scope.ZERO_SHOT)
    cell = table.cell("mnli", "xnli")
    assert cell is not None
    assert (cell.score, cell.difference) == (65.0, 5.0)


def test_transfer_table_has_no_retrieval_cell_when_scope_is_english():
    table = transfer_table(STUDY, "full", scope=Scope.ENGLISH)
    assert table.cell("mnli", "tatoeba") is None
    assert table.missing == ("tatoeba",)
    assert (table.row_mean("mnli"), table.is_complete("mnli")) == (2.0, False)


def test_transfer_table_pairs_seeds_and_gives_their_spread_when_there_are_several():
    scores = [
        score("direct", "", "xnli", seed=1, en=50.0),
        score("direct", "", "xnli", seed=2, en=60.0),
        score("direct", "", "xnli", seed=3, en=70.0),
        score("full", "mnli", "xnli", seed=1, en=51.0),
        score("full", "mnli", "xnli", seed=2, en=65.0),
        score("full", "mnli", "xnli", seed=4, en=99.0),
    ]
    (cell,) = transfer_table(scores, "full").cells
    # Seeds 1 and 2 are common: differences 1 and 5, mean 3, sample deviation sqrt(8).
    assert (cell.seeds, cell.difference, cell.score) == ((1, 2), 3.0, 58.0)
    assert cell.spread == pytest.approx(8**0.5)
    (reference,) = transfer_table(scores, "full").references
    assert (reference.score, reference.spread, reference.seeds) == (60.0, 10.0, (1, 2, 3))


def test_transfer_table_says_so_when_no_seed_is_common():
    scores = [score("direct", "", "xnli", seed=1, en=50.0), score("full", "mnli", "xnli", seed=2, en=51.0)]
    (cell,) = transfer_table(scores, "full").cells
    assert (cell.score, cell.difference, cell.spread, cell.seeds) == (51.0, None, None, (2,))
    assert cell.notes == ("no seed or language in common with 'direct'", "over 1 of 2 seeds")


def test_transfer_table_compares_shared_languages_and_says_so_when_the_sets_differ():
    scores = [score("direct", "", "xnli", en=50.0, de=40.0), score("full", "mnli", "xnli", en=52.0, de=41.0, sw=90.0)]
    (cell,) = transfer_table(scores, "full").cells
    assert cell.difference == 1.5
    assert cell.score == 61.0
    assert cell.notes == ("compared over the 2 languages that 'direct' has too",)


def test_transfer_table_names_missing_targets_when_the_reference_was_not_scored():
    table = transfer_table([*STUDY, score("full", "mnli", "panx", en=60.0)], "full")
    assert table.targets == ("xnli", "tatoeba", "panx")
    assert table.missing == ("panx",)
    assert table.reference_of("panx") is None
    cell = table.cell("mnli", "panx")
    assert cell is not None
    assert (cell.score, cell.difference) == (60.0, None)
    assert table.cell("qqp", "panx") is None


def test_transfer_table_rejects_a_reference_that_has_sources():
    with pytest.raises(EvaluationError, match="'full' has several sources on 'xnli'"):
        transfer_table(STUDY, "stack", reference="full")


def test_transfer_tables_come_in_the_order_of_the_method_names():
    assert [table.method for table in transfer_tables(reversed(STUDY))] == ["full", "adapter", "stack"]
    assert methods_in_order(["later", "fuse", "direct", "fuse"]) == ("direct", "fuse", "later")


def test_best_per_target_finds_the_largest_difference_and_the_first_of_equals():
    scores = [*STUDY, score("fuse", "mnli+qqp", "xnli", en=82.0, de=65.0)]
    best = best_per_target(transfer_tables(scores))
    assert [(gain.target, gain.method, gain.source, gain.difference, gain.score) for gain in best] == [
        ("xnli", "full", "mnli", 3.5, 73.5),
        ("tatoeba", "full", "mnli", 12.0, 32.0),
    ]
    assert best_per_target([]) == ()


def test_gains_come_target_by_target():
    found = gains(transfer_tables(STUDY))
    assert [gain.target for gain in found] == ["xnli"] * 4 + ["tatoeba"] * 4


def test_intermediate_gains_compare_each_family_with_its_own_reference():
    found = {(gain.target, gain.method, gain.source): gain for gain in intermediate_gains(STUDY)}
    assert len(found) == 6
    assert (found["xnli", "full", "mnli"].reference, found["xnli", "full", "mnli"].difference) == ("direct", 3.5)
    assert (found["xnli", "stack", "mnli"].reference, found["xnli", "stack", "mnli"].difference) == ("adapter", 2.0)
    assert not any(gain.method == "adapter" for gain in found.values())


def test_intermediate_gains_fall_back_on_direct_when_adapter_was_not_run():
    (gain, _) = intermediate_gains([item for item in STUDY if item.method in {"direct", "stack"}])
    assert (gain.reference, gain.difference) == ("direct", 1.5)
