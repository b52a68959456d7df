import json
from pathlib import Path

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.metrics import (
    MAJOR,
    SCORERS,
    accuracy,
    accuracy_f1,
    binary_f1,
    bucc_scores,
    chunk_scores,
    major,
    mean_average_precision,
    score_examples,
    token_accuracy,
)
from adaptstilts.tasks.spec import Metric


def test_accuracy_is_the_share_of_equal_labels_in_percent():
    assert accuracy(["yes", "no", "no"], ["yes", "yes", "no"]) == pytest.approx(200 / 3, abs=1e-12)


def test_binary_f1_weighs_precision_and_recall_of_the_positive_class():
    # Class 1: 2 right of 3 predicted and 4 gold, so P 2/3, R 1/2, F1 4/7.
    predictions, gold = [1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 1, 0]
    assert binary_f1(predictions, gold) == pytest.approx(400 / 7, abs=1e-12)
    others = [[1 - label for label in labels] for labels in (predictions, gold)]
    assert binary_f1(*others) == pytest.approx(40.0, abs=1e-12)
    assert accuracy_f1(predictions, gold) == pytest.approx({"accuracy": 50.0, "f1": 400 / 7}, abs=1e-12)


def test_binary_f1_is_zero_when_the_class_never_occurs():
    assert binary_f1([0, 0], [0, 0]) == 0.0


def test_token_accuracy_counts_words_not_sentences():
    assert token_accuracy([["A", "B", "C"], ["A"]], [["A", "B", "B"], ["B"]]) == 50.0


def test_chunk_scores_of_entities_match_a_count_by_hand():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "I-ORG"]]
    predicted = [["B-PER", "I-PER", "O", "B-ORG"], ["B-ORG", "B-ORG", "I-ORG"]]
    # Right: PER and ORG; predicted: PER, ORG, ORG, ORG; gold: PER, LOC, ORG.
    assert chunk_scores(predicted, gold) == pytest.approx(
        {"f1": 400 / 7, "precision": 50.0, "recall": 200 / 3, "token_accuracy": 500 / 7, "chunk_f1_seqeval1": 400 / 7},
        abs=1e-12,
    )


def test_chunk_scores_are_zero_without_any_chunk():
    assert chunk_scores([["O", "O"]], [["O", "O"]]) == {
        "f1": 0.0,
        "precision": 0.0,
        "recall": 0.0,
        "token_accuracy": 100.0,
        "chunk_f1_seqeval1": 0.0,
    }


def test_chunk_scores_of_bare_tags_differ_from_token_accuracy():
    # Gold chunks: NOUN(0-1), VERB; predicted: NOUN, VERB(1-2). None right, but 2 of 3 words.
    scores = chunk_scores([["NOUN", "VERB", "VERB"]], [["NOUN", "NOUN", "VERB"]])
    assert (scores["f1"], scores["precision"], scores["recall"]) == (0.0, 0.0, 0.0)
    assert scores["token_accuracy"] == pytest.approx(200 / 3, abs=1e-12)


def test_chunk_scores_give_both_rules_of_seqeval_where_they_differ():
    # CCONJ for SCONJ is wrong by the whole tag, right by what follows the first letter; NOUN is right by both.
    scores = chunk_scores([["CCONJ", "NOUN", "VERB"]], [["SCONJ", "NOUN", "AUX"]])
    assert scores["f1"] == pytest.approx(100 / 3, abs=1e-12)
    assert scores["chunk_f1_seqeval1"] == pytest.approx(200 / 3, abs=1e-12)


def test_average_precision_counts_hits_at_their_ranks_over_all_that_are_right():
    # Right at ranks 1 and 4 of 3: (1/1 + 2/4) / 3; right at rank 2 of 1: 1/2.
    predictions = {"q1": ["a", "x", "y", "b"], "q2": ["x", "c"]}
    gold = {"q1": ["a", "b", "z"], "q2": ["c"]}
    assert mean_average_precision(predictions, gold) == pytest.approx(100 * (1.5 / 3 + 1 / 2) / 2, abs=1e-12)


def test_average_precision_divides_by_no_more_than_the_candidates_that_count():
    # All of the first 3 right: (1 + 1 + 1) / 3; one of them, at rank 2: (1/2) / 3.
    gold = {"q": ["a", "b", "c", "d"]}
    assert mean_average_precision({"q": ["a", "b", "c", "d"]}, gold, top=3) == pytest.approx(100.0, abs=1e-12)
    assert mean_average_precision({"q": ["x", "b", "y", "a"]}, gold, top=3) == pytest.approx(100 / 6, abs=1e-12)


def test_average_precision_of_one_right_candidate_is_its_reciprocal_rank_up_to_20():
    names = [f"c{rank}" for rank in range(1, 26)]
    for rank in (1, 7, 20):
        assert mean_average_precision({"q": names}, {"q": [f"c{rank}"]}) == pytest.approx(100 / rank, abs=1e-12)
    assert mean_average_precision({"q": names}, {"q": ["c21"]}) == 0.0


def test_average_precision_counts_a_missing_query_as_nothing_and_a_repeated_candidate_once():
    gold = {"q1": ["a", "b"], "q2": ["c"]}
    assert mean_average_precision({"q1": ["a", "a", "b"]}, gold) == pytest.approx(100 * (1 + 2 / 3) / 2 / 2, abs=1e-12)


@pytest.mark.parametrize(
    ("predictions", "gold", "message"),
    [
        ({}, {}, "no gold queries"),
        ({"q9": ["a"]}, {"q1": ["a"]}, r"'q9' is not a query\. Allowed: q1"),
        ({}, {"q1": []}, "query 'q1' has no right candidate"),
    ],
)
def test_average_precision_is_refused_when_there_is_nothing_to_compare(predictions, gold, message):
    with pytest.raises(EvaluationError, match=message):
        mean_average_precision(predictions, gold)


def test_bucc_scores_compare_pairs_as_sets():
    found = [("de-1", "en-1"), ("de-1", "en-1"), ("de-2", "en-3"), ("de-3", "en-3")]
    gold = {("de-1", "en-1"), ("de-3", "en-3"), ("de-4", "en-4"), ("de-5", "en-5")}
    assert bucc_scores(found, gold) == pytest.approx({"f1": 400 / 7, "precision": 200 / 3, "recall": 50.0}, abs=1e-12)


def test_bucc_scores_are_zero_when_nothing_was_mined():
    assert bucc_scores([], {("de-1", "en-1")}) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("metric", [accuracy, token_accuracy, chunk_scores, binary_f1])
def test_metrics_raise_when_there_is_nothing_to_score(metric):
    with pytest.raises(EvaluationError, match="no gold"):
        metric([], [])


def test_bucc_scores_raise_without_gold_pairs():
    with pytest.raises(EvaluationError, match="no gold pair"):
        bucc_scores([("a", "b")], set())


@pytest.mark.parametrize("metric", [accuracy, binary_f1])
def test_metrics_raise_with_both_numbers_when_lengths_differ(metric):
    with pytest.raises(EvaluationError, match="2 predicted examples, but 3 gold examples"):
        metric([1, 0], [1, 0, 1])


@pytest.mark.parametrize("metric", [token_accuracy, chunk_scores])
def test_tag_metrics_raise_naming_the_sentence_when_words_differ_in_number(metric):
    with pytest.raises(EvaluationError, match=r"sentence 2 has 1 predicted tag, but 2 gold tags.*Allowed: 2 tags"):
        metric([["O"], ["O"]], [["O"], ["O", "O"]])


@pytest.mark.parametrize("metric", [token_accuracy, chunk_scores])
def test_tag_metrics_raise_when_no_sentence_holds_a_word(metric):
    with pytest.raises(EvaluationError, match="hold no word"):
        metric([[], []], [[], []])


def test_chunk_scores_raise_when_a_tag_is_empty():
    with pytest.raises(EvaluationError, match="sentence 1 has an empty tag"):
        chunk_scores([["O", ""]], [["O", "O"]])


@pytest.mark.parametrize(
    ("metric", "predictions", "gold", "expected"),
    [
        (Metric.ACCURACY, ["a", "b"], ["a", "a"], 50.0),
        (Metric.ACCURACY_F1, [1, 1], [1, 0], (50 + 200 / 3) / 2),
        (Metric.TOKEN_ACCURACY, [["N", "V", "N"]], [["N", "N", "N"]], 200 / 3),
        (Metric.CHUNK_F1, [["B-PER", "B-LOC"]], [["B-PER", "O"]], 200 / 3),
        (Metric.SQUAD, {"1": "red fox"}, {"1": ["fox"]}, 100 / 3),
        (Metric.SQUAD2, {"1": "", "2": "x"}, {"1": [], "2": []}, 50.0),
        (Metric.MLQA, {"1": "den Hund"}, {"1": ["der Hund dort"]}, 100 / 3),
        (Metric.BUCC_F1, {("a", "b"), ("c", "d")}, {("a", "b")}, 200 / 3),
        (Metric.TATOEBA_ACCURACY, [0, 2, 2], [0, 1, 2], 200 / 3),
    ],
)
def test_major_score_of_each_metric_matches_a_count_by_hand(metric: Metric, predictions, gold, expected: float):
    scores = score_examples(metric, predictions, gold, "de")
    assert major(metric, scores) == pytest.approx(expected, abs=1e-12)


def test_every_metric_has_a_scorer_and_a_major_score():
    assert set(SCORERS) == set(MAJOR) == set(Metric)


def test_major_raises_with_the_scores_present_when_one_is_missing():
    with pytest.raises(EvaluationError, match=r"'exact_match' of metric 'squad' is missing.*Allowed: f1"):
        major(Metric.SQUAD, {"f1": 50.0})


def test_chunk_scores_equal_seqeval_0_0_12(shared_root: Path):
    cases = json.loads((shared_root / "parity" / "tagging.json").read_text(encoding="utf-8"))
    assert {case["scheme"] for case in cases} == {"bare", "bio"}
    for case in cases:
        scores = chunk_scores(case["pred"], case["gold"])
        scores.pop("chunk_f1_seqeval1")  # by the rules of another version
        assert scores == {name: case[name] for name in scores}
