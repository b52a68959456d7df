"""Logic of the mini world: the one place where inference labels are decided.

Two clauses are compared constituent by constituent, as if about the same event. A constituent that is left out or said
more generally follows. Another place of the same kind, another time, an opposite, another colour or another number
contradicts. Anything else is new.
"""

from __future__ import annotations

from enum import Enum

from adaptstilts.mini import concepts, preferences
from adaptstilts.mini.meaning import Clause, Phrase


class Verdict(str, Enum):
    """Relation of a hypothesis to its premise; the values are the published label words."""

    ENTAILMENT = "entailment"
    NEUTRAL = "neutral"
    CONTRADICTION = "contradiction"


_SAME, _NEW, _EXCLUDED = Verdict.ENTAILMENT, Verdict.NEUTRAL, Verdict.CONTRADICTION


def judge(premise: Clause, hypothesis: Clause) -> Verdict:
    """Decide whether the hypothesis follows from the premise; either may be negated.

    Negation reverses entailment: if a fact is denied, everything that entails it is denied too.
    """
    if premise.negated:
        if _compare(hypothesis, premise) is not _SAME:
            return Verdict.NEUTRAL
        return Verdict.ENTAILMENT if hypothesis.negated else Verdict.CONTRADICTION
    verdict = _compare(premise, hypothesis)
    if not hypothesis.negated or verdict is _NEW:
        return verdict
    return _EXCLUDED if verdict is _SAME else _SAME


def related(left: str, right: str) -> bool:
    """Return whether two nouns or two verbs are the same or one is more general than the other."""
    return _covers(left, right) or _covers(right, left)


def _covers(special: str, general: str) -> bool:
    return general in (special, concepts.hypernym(special), preferences.general_verb(special))


def is_mixed(premise: Clause, hypothesis: Clause) -> bool:
    """Return whether the hypothesis holds both something new and a contradiction, so that its label is debatable."""
    fact, other = (hypothesis, premise) if premise.negated else (premise, hypothesis)
    return {_NEW, _EXCLUDED} <= set(_verdicts(fact, other))


def _compare(fact: Clause, other: Clause) -> Verdict:
    """Compare two clauses as if neither were negated."""
    verdicts = _verdicts(fact, other)
    if _NEW in verdicts:
        return _NEW
    return _EXCLUDED if _EXCLUDED in verdicts else _SAME


def _verdicts(fact: Clause, other: Clause) -> tuple[Verdict, ...]:
    return (
        _SAME if _covers(fact.verb, other.verb) else _NEW,
        _compare_nouns(fact.subject, other.subject),
        _compare_nouns(fact.object, other.object),
        _compare_places(fact.place, other.place),
        _compare_times(fact.time, other.time),
        _compare_qualities(fact.predicate, other.predicate),
        _compare_nouns(_as_phrase(fact.kind), _as_phrase(other.kind)),
    )


def _as_phrase(kind: str | None) -> Phrase | None:
    return None if kind is None else Phrase(kind)


def _compare_nouns(fact: Phrase | None, other: Phrase | None) -> Verdict:
    if fact is None or other is None:
        return _SAME if fact is other else _NEW
    if not _covers(fact.head, other.head):
        return _NEW
    verdict = _compare_qualities(fact.adjective, other.adjective)
    return verdict if fact.number == other.number or verdict is _NEW else _EXCLUDED


def _compare_qualities(fact: str | None, other: str | None) -> Verdict:
    if other is None or fact == other:
        return _SAME
    if fact is None:
        return _NEW
    both_colours = fact in concepts.COLOURS and other in concepts.COLOURS
    return _EXCLUDED if both_colours or preferences.opposite(fact) == other else _NEW


def _compare_places(fact: Phrase | None, other: Phrase | None) -> Verdict:
    if other is None:
        return _SAME
    if fact is None or (fact.head in concepts.CITIES) != (other.head in concepts.CITIES):
        return _NEW
    return _compare_qualities(fact.adjective, other.adjective) if fact.head == other.head else _EXCLUDED


def _compare_times(fact: str | None, other: str | None) -> Verdict:
    if other is None or fact == other:
        return _SAME
    return _NEW if fact is None else _EXCLUDED
