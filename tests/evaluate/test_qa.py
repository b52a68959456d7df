import json
from pathlib import Path

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.qa import (
    mlqa_scores,
    normalise_mlqa,
    normalise_squad,
    score_answer,
    score_answer_or_none,
    squad2_scores,
    squad_scores,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Quick, brown FOX!", "quick brown fox"),
        ("北京，ABC 公司。2020年", "北京，abc 公司。2020年"),
        ("Theatre of an era", "theatre of era"),
        ("a an the", ""),
    ],
)
def test_squad_normaliser_drops_only_ascii_marks_and_english_articles(text: str, expected: str):
    assert normalise_squad(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The «Fox», a cat", "fox cat"),
        ("de", "Der Hund eines Mannes", "hund mannes"),
        ("es", "La casa de los perros", "casa de perros"),
        ("vi", "Những con mèo của tôi", "con mèo tôi"),
        ("ar", "القلم والكتاب", "قلم و كتاب"),
        ("hi", "यह एक परीक्षण।", "यह एक परीक्षण"),
        ("zh", "北京，ABC 公司。2020年", "北 京 abc 公 司 2020 年"),
        ("tr", "Bir kedi, iki köpek.", "bir kedi iki köpek"),
    ],
)
def test_mlqa_normaliser_follows_the_language(language: str, text: str, expected: str):
    assert normalise_mlqa(text, language) == expected


def test_answer_scores_take_the_best_gold_answer_for_each_score():
    # Tokens: "old stone bridge" against "stone bridge tower": 2 shared of 3 and 3.
    score = score_answer("the old stone bridge", ["tower", "stone bridge tower"])
    assert score == (0.0, pytest.approx(2 / 3, abs=1e-15))


def test_answer_f1_counts_repeated_tokens_as_often_as_both_hold_them():
    assert score_answer("ho ho ho", ["ho ho go"]).f1 == pytest.approx(2 / 3, abs=1e-15)


def test_empty_prediction_matches_an_empty_answer_exactly_but_has_no_f1_in_squad1():
    assert score_answer("", ["the"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("prediction", "answers", "expected"),
    [
        ("", [], (1.0, 1.0)),
        ("a bridge", [], (0.0, 0.0)),
        ("", ["bridge"], (0.0, 0.0)),
        ("old bridge", ["bridge", ""], (0.0, 2 / 3)),
    ],
)
def test_squad2_answer_scores_treat_empty_as_no_answer(
    prediction: str, answers: list[str], expected: tuple[float, float]
):
    assert score_answer_or_none(prediction, answers) == pytest.approx(expected, abs=1e-15)


def test_squad_scores_are_means_in_percent_and_a_missing_prediction_scores_zero():
    gold = {"1": ["a red fox"], "2": ["green"], "3": ["blue"]}
    scores = squad_scores({"1": "red", "2": "Green.", "unknown": "blue"}, gold)
    assert scores == pytest.approx({"exact_match": 100 / 3, "f1": 100 * (2 / 3 + 1) / 3}, abs=1e-12)


def test_mlqa_scores_use_the_articles_of_the_language():
    gold = {"1": ["der Hund"], "2": ["eine kleine Katze"]}
    predictions = {"1": "Hund", "2": "große Katze"}
    assert mlqa_scores(predictions, gold, "de") == pytest.approx({"exact_match": 50.0, "f1": 75.0}, abs=1e-12)
    assert mlqa_scores(predictions, gold, "en")["exact_match"] == 0.0


def test_squad2_scores_split_answerable_from_unanswerable_questions():
    gold = {"1": ["red fox"], "2": [], "3": [], "4": ["dog"]}
    predictions = {"1": "fox", "2": "", "3": "something"}
    assert squad2_scores(predictions, gold) == pytest.approx(
        {
            "exact_match": 25.0,
            "f1": 100 * (2 / 3 + 1) / 4,
            "answerable_exact_match": 0.0,
            "answerable_f1": 100 / 3,
            "unanswerable_accuracy": 50.0,
        },
        abs=1e-12,
    )


def test_squad2_scores_name_no_parts_when_every_question_has_an_answer():
    assert squad2_scores({"1": "dog"}, {"1": ["dog", "cat"]}) == {"exact_match": 100.0, "f1": 100.0}


@pytest.mark.parametrize("score", [squad_scores, squad2_scores])
def test_scores_raise_when_there_is_no_question(score):
    with pytest.raises(EvaluationError, match="no question to score"):
        score({}, {})


def test_squad_scores_raise_and_name_the_way_out_when_a_question_has_no_answer():
    with pytest.raises(EvaluationError, match=r"'q7' has no gold answer.*squad2"):
        squad_scores({"q7": ""}, {"q7": []})


def test_scores_equal_the_official_scripts_in_six_languages(shared_root: Path):
    languages = json.loads((shared_root / "parity" / "qa.json").read_text(encoding="utf-8"))
    compared = 0
    for one in languages:
        gold = {case["id"]: case["answers"] for case in one["cases"]}
        predictions = {case["id"]: case["prediction"] for case in one["cases"]}
        assert squad_scores(predictions, gold) == one["squad"]
        compared += 1
        if "mlqa" in one:
            assert mlqa_scores(predictions, gold, one["language"]) == one["mlqa"]
            compared += 1
    assert compared == 11
