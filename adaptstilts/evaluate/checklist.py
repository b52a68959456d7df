"""Error rates of checklist tests: a case fails when one of its questions is answered wrongly.

Source: MultiCheckList (google-research/xtreme, multichecklist/) and CheckList's rule that a case passes only if all of
its examples do (``agg_fn='all'``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from adaptstilts.errors import EvaluationError
from adaptstilts.tasks.checklist import CHECKLIST_HINT, CHECKLIST_TESTS, case_of

# As in MultiCheckList's generate_test_utils.clean, which removes words in these languages only.
_REMOVED = {
    language: re.compile(pattern, re.IGNORECASE)
    for language, pattern in {
        "en": r"\b(a|an|the|in|at)\b",
        "de": r"\b(ein|eine|einen)\b",
        "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
        "fr": r"\b(un|une|le|la|en)\b",
        "hi": r"(?<!\S)एक(?!\S)",
        "tr": r"\b(bir)\b",
    }.items()
}


def clean_answer(text: str, language: str) -> str:
    """Remove articles and some prepositions from an answer, and punctuation from its ends, for comparison.

    Case counts, as in MultiCheckList. Two things differ from it: punctuation of every script is taken off (it knows
    comma and full stop, so that a final danda or Chinese full stop is an error there), and white space is made single.
    """
    removed = _REMOVED.get(language)
    kept = " ".join((removed.sub(" ", text) if removed is not None else text).split())
    first, last = 0, len(kept)
    while first < last and _is_edge(kept[first]):
        first += 1
    while last > first and _is_edge(kept[last - 1]):
        last -= 1
    return kept[first:last]


def checklist_scores(
    predictions: Mapping[str, str], gold: Mapping[str, Sequence[str]], language: str
) -> dict[str, float]:
    """Score checklist tests in percent.

    ``error_<test>`` is the share of a test's cases that fail, for each test that is present; ``error_rate`` is their
    plain mean; ``accuracy`` is 100 less that; ``question_accuracy`` is the share of questions answered rightly.

    A question without a prediction is answered wrongly. Test and case follow from the question id
    (`adaptstilts.tasks.checklist.case_of`); if only some questions of a case are present, they decide.
    """
    if not gold:
        raise EvaluationError("there is no question to score", hint=CHECKLIST_HINT)
    passed: dict[str, dict[str, bool]] = {}
    right = 0
    for question, answers in gold.items():
        test, case = case_of(question)
        wanted = {clean_answer(answer, language) for answer in answers}
        is_right = question in predictions and clean_answer(predictions[question], language) in wanted
        cases = passed.setdefault(test, {})
        cases[case] = cases.get(case, True) and is_right
        right += is_right
    errors = {
        f"error_{test}": 100.0 * (len(passed[test]) - sum(passed[test].values())) / len(passed[test])
        for test in CHECKLIST_TESTS
        if test in passed
    }
    error_rate = sum(errors.values()) / len(errors)
    question_accuracy = 100.0 * right / len(gold)
    return {"accuracy": 100.0 - error_rate, "error_rate": error_rate, **errors, "question_accuracy": question_accuracy}


def _is_edge(character: str) -> bool:
    return character.isspace() or unicodedata.category(character).startswith("P")
