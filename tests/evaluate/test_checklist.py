"""Error rates of checklist tests, and the cleaning of answers."""

import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.checklist import checklist_scores, clean_answer
from adaptstilts.evaluate.metrics import major, score_examples
from adaptstilts.tasks.spec import Metric

GOLD = {
    "comparison-en-0000-0": ["Anna"],
    "comparison-en-0000-1": ["Emma"],
    "comparison-en-0001-0": ["Laura"],
    "comparison-en-0001-1": ["Simon"],
    "intensifier-en-0000-0": ["Peter"],
    "intensifier-en-0000-1": ["Sarah"],
    "property-en-0000-0": ["red"],
    "property-en-0000-1": ["wood", "made of wood"],
}


def test_case_fails_when_one_of_its_questions_is_answered_wrongly():
    predictions = {question: answers[0] for question, answers in GOLD.items()}
    predictions |= {"comparison-en-0001-1": "Laura", "property-en-0000-1": "made of wood."}
    scores = checklist_scores(predictions, GOLD, "en")
    assert scores == pytest.approx(
        {
            "accuracy": 100 - 50 / 3,
            "error_rate": 50 / 3,
            "error_comparison": 50.0,
            "error_intensifier": 0.0,
            "error_property": 0.0,
            "question_accuracy": 87.5,
        }
    )


def test_error_rate_is_the_plain_mean_of_the_tests_that_are_there():
    gold = {name: answers for name, answers in GOLD.items() if not name.startswith("intensifier")}
    scores = checklist_scores({"comparison-en-0000-0": "Anna", "comparison-en-0000-1": "Emma"}, gold, "en")
    assert "error_intensifier" not in scores
    assert (scores["error_comparison"], scores["error_property"], scores["error_rate"]) == (50.0, 100.0, 75.0)


def test_question_without_a_prediction_is_wrong_and_unknown_ones_are_ignored():
    scores = checklist_scores({"comparison-en-0009-0": "Anna"}, GOLD, "en")
    assert (scores["accuracy"], scores["question_accuracy"]) == (0.0, 0.0)


def test_checklist_is_compared_by_its_accuracy_so_that_higher_is_better():
    scores = score_examples(Metric.CHECKLIST, {"comparison-en-0000-0": "Anna", "comparison-en-0000-1": "Emma"}, GOLD)
    assert major(Metric.CHECKLIST, scores) == pytest.approx(50 / 3)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("the table.", "en", "table"),
        ("made of  wood", "en", "made of wood"),
        ("eine Anna,", "de", "Anna"),
        ("der Tisch", "de", "der Tisch"),
        ("La mesa", "es", "mesa"),
        ("en bois", "fr", "bois"),
        ("एक मेज़।", "hi", "मेज़"),
        ("अनेक", "hi", "अनेक"),
        ("bir masa", "tr", "masa"),
        ("biraz", "tr", "biraz"),
        ("“王芳”。", "zh", "王芳"),
        ("чуть-чуть.", "ru", "чуть-чуть"),
        ("Anna", "en", "Anna"),
        ("anna", "en", "anna"),
        (" . ", "sw", ""),
    ],
)
def test_clean_answer_takes_off_articles_and_punctuation_of_the_language(text: str, language: str, expected: str):
    assert clean_answer(text, language) == expected


@pytest.mark.parametrize("name", ["q1", "comparison", "comparisons-en-0000-0"])
def test_checklist_names_the_id_that_is_none_of_its_own(name: str):
    with pytest.raises(EvaluationError, match=f"'{name}' is not the id of a checklist question.*comparison-"):
        checklist_scores({}, {name: ["Anna"]}, "en")


def test_checklist_raises_when_there_is_nothing_to_score():
    with pytest.raises(EvaluationError, match=r"there is no question to score\. Make the files with: adaptstilts data"):
        checklist_scores({}, {}, "en")
