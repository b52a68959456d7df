"""Questions on stories of the mini world, answered by a span of the story or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from adaptstilts.mini import edits
from adaptstilts.mini.corpus import Line, askable, offsets, realise, text
from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.logic import related
from adaptstilts.mini.meaning import Clause, Role, Sentence
from adaptstilts.mini.world import affirm, pick, tell

_ROLES = (Role.OBJECT, Role.PLACE, Role.TIME, Role.SUBJECT)


@dataclass(frozen=True)
class Question:
    """A question on a story.

    Attributes:
        clause: The event asked about, as the question says it.
        role: What is asked for.
        answered_by: Position of the sentence that holds the answer; None if the story does not say.
    """

    clause: Clause
    role: Role
    answered_by: int | None


@dataclass(frozen=True)
class Reading:
    """A story with at least one question."""

    context: Line
    questions: tuple[Question, ...]


def readings(
    count: int,
    rng: Random,
    seen: set[str],
    *,
    sentences: tuple[int, ...],
    unanswerable: float = 0.0,
    short_questions: bool = False,
) -> list[Reading]:
    """Generate stories with one question each; every answer is one span, in every language.

    Args:
        count: Number of questions.
        rng: Random generator.
        seen: Earlier stories, in English, which are not repeated; extended.
        sentences: Lengths of the story in sentences, drawn evenly.
        unanswerable: Share of questions that the story does not answer.
        short_questions: Leave out of the question all that is not needed to find the event.
    """
    made: list[Reading] = []
    languages = grammars()
    while len(made) < count:
        answerable = int((len(made) + 1) * unanswerable) == int(len(made) * unanswerable)
        reading = _reading(rng, rng.choice(sentences), answerable=answerable, short=short_questions)
        if reading is None:
            continue
        key = text(realise(languages["en"], reading.context))
        if key in seen or not _is_answerable_in_all(reading, languages.values()):
            continue
        seen.add(key)
        made.append(reading)
    rng.shuffle(made)
    return made


def answer_span(sentences: list[Sentence], question: Question) -> tuple[int, int] | None:
    """Return the first character of the answer in the text of a realised story, and the one after its last.

    None if the question has no answer or the answer is not one span.
    """
    if question.answered_by is None:
        return None
    found = _contiguous_words(sentences[question.answered_by], question.role)
    if found is None:
        return None
    spans = offsets(sentences)[question.answered_by]
    return spans[found[0]][0], spans[found[1]][1]


def _contiguous_words(sentence: Sentence, role: Role) -> tuple[int, int] | None:
    """Return the first and last word of a constituent that is not interrupted by others."""
    found = [index for index, word in enumerate(sentence.words) if word.role is role and word.upos != "PUNCT"]
    return (found[0], found[-1]) if found and found[-1] - found[0] + 1 == len(found) else None


def _is_answerable_in_all(reading: Reading, languages: Iterable[Grammar]) -> bool:
    return all(
        _contiguous_words(realise(grammar, (reading.context[question.answered_by],))[0], question.role) is not None
        for grammar in languages
        for question in reading.questions
        if question.answered_by is not None
    )


def _reading(rng: Random, length: int, *, answerable: bool, short: bool) -> Reading | None:
    story = tell(rng)
    if len(story.clauses) < length:
        return None
    start = rng.randrange(len(story.clauses) - length + 1)
    position = rng.randrange(length)
    clauses = list(story.clauses[start : start + length])
    clauses[position] = edits.enrich(rng, clauses[position], 0.4)
    openers = (None, *story.connectives[start + 1 : start + length])
    question = _question(rng, clauses, position, short) if answerable else _trick_question(rng, clauses, position)
    return None if question is None else Reading(tuple(zip(clauses, openers, strict=True)), (question,))


def _question(rng: Random, clauses: list[Clause], position: int, short: bool) -> Question | None:
    clause = clauses[position]
    if clause.negated or clause.kind is not None:
        return None
    role = pick(rng, [role for role in _ROLES if askable(clause)[role]], 0.5)
    asked = _shorten(rng, clause, role, 1.0 if short else 0.4)
    if any(_could_answer(other, asked, role) for index, other in enumerate(clauses) if index != position):
        return None
    return Question(asked, role, position)


def _trick_question(rng: Random, clauses: list[Clause], position: int) -> Question | None:
    """Ask for a place or time that the story leaves out, or about an event a little different from one in the story."""
    clause = affirm(clauses[position])
    if clause.kind is not None:
        return None
    missing = [role for role in (Role.PLACE, Role.TIME) if not askable(clause)[role] and clause.verb != "be"]
    if missing and rng.random() < 0.3:
        asked, role = clause, rng.choice(missing)
    else:
        role = pick(rng, [role for role in _ROLES if askable(clause)[role]], 0.5)
        changed = edits.sidestep(rng, clause)
        if changed is None or not edits.shows(changed, clause, role):
            return None
        asked = changed
    stated = [other for other in clauses if askable(other)[role]]
    if any(_could_answer(other, asked, role) for other in stated):
        return None
    return Question(asked, role, None)


def _shorten(rng: Random, clause: Clause, role: Role, rate: float) -> Clause:
    if role is not Role.PLACE and rng.random() < rate:
        clause = replace(clause, place=None)
    if role is not Role.TIME and rng.random() < rate:
        clause = replace(clause, time=None)
    return clause


def _could_answer(stated: Clause, asked: Clause, role: Role) -> bool:
    """Return whether a statement is, or might be taken for, the event asked about."""
    if not related(stated.verb, asked.verb):
        return False
    if asked.verb == "be":
        return role is Role.SUBJECT and stated.predicate == asked.predicate
    same_subject = role is Role.SUBJECT or related(stated.subject.head, asked.subject.head)
    if role is Role.OBJECT or stated.object is None or asked.object is None:
        return same_subject
    return same_subject and related(stated.object.head, asked.object.head)
