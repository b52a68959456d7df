"""Exact match and F1 of answers: SQuAD 1.1, SQuAD 2.0 and MLQA, each with its own normaliser.

Tokens are what white space separates in the normalised text, so SQuAD's F1 in a language without spaces is close to all
or nothing; MLQA splits Chinese into characters.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, TypeAlias

from adaptstilts.errors import EvaluationError
from adaptstilts.languages import get_language

Normaliser: TypeAlias = Callable[[str], str]
"""Function that turns an answer into the text that is compared; white space separates its tokens."""

_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = {
    language: re.compile(pattern)
    for language, pattern in {
        "en": r"\b(a|an|the)\b",
        "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
        "vi": r"\b(của|là|cái|chiếc|những)\b",
        "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
        # MLQA's pattern removes these two letters wherever they stand, also inside words.
        "ar": "ال",
    }.items()
}
_CHINESE_CHARACTER = re.compile("([\u4e00-\u9fa5])")


class AnswerScore(NamedTuple):
    """Exact match of one normalised prediction (1.0 or 0.0) and F1 of the bags of tokens (0 to 1)."""

    exact_match: float
    f1: float


def normalise_squad(text: str) -> str:
    """Normalise an answer as SQuAD 1.1 and 2.0 do, whatever its language.

    The result is lower case, without ASCII punctuation and the English articles, with single spaces.

    Source: Rajpurkar et al. 2016, official evaluation script.
    """
    without_marks = text.lower().translate(_ASCII_PUNCTUATION)
    return " ".join(_ARTICLES["en"].sub(" ", without_marks).split())


def normalise_mlqa(text: str, language: str) -> str:
    """Normalise an answer as MLQA does.

    The result is lower case, without punctuation of any script and the language's articles, with single spaces; Chinese
    characters from U+4E00 to U+9FA5 stand alone. MLQA defines en, es, hi, vi, de, ar and zh; any other language has no
    articles here and is split at white space (the official script stops).

    Source: Lewis et al. 2020, official evaluation script.
    """
    kept = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = _ARTICLES.get(language)
    if articles is not None:
        kept = articles.sub(" ", kept)
    if language == "zh":
        kept = _CHINESE_CHARACTER.sub(r" \1 ", kept)
    return " ".join(kept.split())


def score_answer(prediction: str, answers: Sequence[str], normalise: Normaliser = normalise_squad) -> AnswerScore:
    """Score one prediction against at least one gold answer; the best counts (SQuAD 1.1 and MLQA).

    Exact match and F1 are the best on their own. Two texts without tokens match exactly and have an F1 of 0.
    """
    found = normalise(prediction)
    wanted = [normalise(answer) for answer in answers]
    return AnswerScore(float(found in wanted), max(_overlap(found, answer) for answer in wanted))


def score_answer_or_none(prediction: str, answers: Sequence[str]) -> AnswerScore:
    """Score one prediction where the empty answer is right for a question without answers (SQuAD 2.0).

    Gold answers that are empty once normalised do not count; if none is left the question is unanswerable. Where
    prediction or gold has no tokens, F1 is 1 if neither has any, else 0. Source: Rajpurkar et al. 2018, official
    evaluation script.
    """
    found = normalise_squad(prediction)
    wanted = [normalised for answer in answers if (normalised := normalise_squad(answer))] or [""]
    best = max(float(found == answer) if not found or not answer else _overlap(found, answer) for answer in wanted)
    return AnswerScore(float(found in wanted), best)


def squad_scores(predictions: Mapping[str, str], gold: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Score answers by question id by SQuAD 1.1 (XQuAD and TyDiQA in all languages).

    ``exact_match`` and ``f1`` are means over the questions in percent. A question without a prediction scores 0; a
    prediction without a question is ignored; every question needs a gold answer.
    """
    return _mean_scores(predictions, gold, normalise_squad)


def mlqa_scores(predictions: Mapping[str, str], gold: Mapping[str, Sequence[str]], language: str) -> dict[str, float]:
    """Score answers by question id by MLQA's rules for a language; otherwise as `squad_scores`.

    Raises:
        ConfigError: If the language is not known: its articles would stay, and Chinese would not be split.
    """
    get_language(language)
    return _mean_scores(predictions, gold, partial(normalise_mlqa, language=language))


def squad2_scores(predictions: Mapping[str, str], gold: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Score answers by question id by SQuAD 2.0, in which questions may have no answer.

    An empty prediction means "no answer", an empty list of gold answers an unanswerable question; a question without a
    prediction scores 0.

    Returns:
        ``exact_match`` and ``f1`` over all questions, in percent; if there are questions both with and without an
        answer also ``answerable_exact_match``, ``answerable_f1`` and ``unanswerable_accuracy`` over either kind.
    """
    _require_questions(gold)
    scores: dict[bool, list[AnswerScore]] = {True: [], False: []}
    for question, answers in gold.items():
        score = AnswerScore(0.0, 0.0)
        if question in predictions:
            score = score_answer_or_none(predictions[question], answers)
        scores[any(normalise_squad(answer) for answer in answers)].append(score)
    result = _percent([*scores[True], *scores[False]])
    if scores[True] and scores[False]:
        answerable = _percent(scores[True])
        result["answerable_exact_match"] = answerable["exact_match"]
        result["answerable_f1"] = answerable["f1"]
        result["unanswerable_accuracy"] = _percent(scores[False])["exact_match"]
    return result


@lru_cache(maxsize=65536)
def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P") or character in string.punctuation


def _overlap(found: str, wanted: str) -> float:
    """Return the F1 of the bags of tokens of two normalised texts; 0 where they share nothing."""
    found_tokens, wanted_tokens = found.split(), wanted.split()
    shared = (Counter(found_tokens) & Counter(wanted_tokens)).total()
    if shared == 0:
        return 0.0
    precision, recall = shared / len(found_tokens), shared / len(wanted_tokens)
    return 2 * precision * recall / (precision + recall)


def _mean_scores(
    predictions: Mapping[str, str], gold: Mapping[str, Sequence[str]], normalise: Normaliser
) -> dict[str, float]:
    _require_questions(gold)
    scores = []
    for question, answers in gold.items():
        if not answers:
            raise EvaluationError(
                f"question '{question}' has no gold answer",
                hint="Score questions without an answer with the metric 'squad2'.",
            )
        found = predictions.get(question)
        scores.append(AnswerScore(0.0, 0.0) if found is None else score_answer(found, answers, normalise))
    return _percent(scores)


def _percent(scores: Sequence[AnswerScore]) -> dict[str, float]:
    return {
        "exact_match": 100.0 * sum(score.exact_match for score in scores) / len(scores),
        "f1": 100.0 * sum(score.f1 for score in scores) / len(scores),
    }


def _require_questions(gold: Mapping[str, Sequence[str]]) -> None:
    if not gold:
        raise EvaluationError("there is no question to score", hint="Check that the gold file holds questions.")
