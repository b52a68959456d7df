"""Sentence pairs of the mini world: inference, paraphrases, duplicate questions; labels follow from the meanings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random

from adaptstilts.mini import edits
from adaptstilts.mini.corpus import Line, askable, realise, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.logic import Verdict, is_mixed, judge, related
from adaptstilts.mini.meaning import Clause, Role
from adaptstilts.mini.world import affirm, pick, tell

_DENIED_PREMISE_RATE = 0.25
_DENIED_RATES = {"entailment": 0.2, "contradiction": 0.53, "neutral": 0.37}
"""Shares of negated hypotheses for premises that are not negated; chosen so that, with the negated premises, each
label has about 40 % negated hypotheses, and the word "not" alone reveals little."""


@dataclass(frozen=True)
class Pair:
    """A labelled pair of texts, as meanings."""

    first: Line
    second: Line
    label: str

    def key(self) -> tuple[str, str]:
        """Return both texts in English; two pairs with equal keys are the same item."""
        english = grammars()["en"]
        return text(realise(english, self.first)), text(realise(english, self.second))


Maker = Callable[[Random, str], "Pair | None"]


def balanced(make: Maker, labels: Sequence[str], count: int, rng: Random, seen: set[tuple[str, str]]) -> list[Pair]:
    """Generate new pairs, in random order, with every label equally often.

    `make` tries to make a pair with a given label; `seen` holds the keys of earlier pairs and is extended.
    """
    made: list[Pair] = []
    while len(made) < count:
        pair = make(rng, labels[len(made) % len(labels)])
        if pair is None:
            continue
        key = pair.key()
        if key in seen or key[0] == key[1]:
            continue
        seen.add(key)
        made.append(pair)
    rng.shuffle(made)
    return made


def inference(
    count: int, rng: Random, seen: set[tuple[str, str]], *, sentences: tuple[int, ...] = (1,), steps: int = 1
) -> list[Pair]:
    """Generate pairs of premise and hypothesis, equally often entailment, neutral and contradiction.

    Args:
        count: Number of pairs.
        rng: Random generator.
        seen: Keys of earlier pairs; extended.
        sentences: Lengths of the premise in sentences, drawn evenly.
        steps: Up to this many changes, and one more, turn the premise into the hypothesis.
    """
    make = partial(_inference, sentences=sentences, steps=steps)
    return balanced(make, tuple(verdict.value for verdict in Verdict), count, rng, seen)


def _inference(rng: Random, label: str, *, sentences: tuple[int, ...], steps: int) -> Pair | None:
    length = rng.choice(sentences)
    story = tell(rng)
    if len(story.clauses) < length:
        return None
    start = rng.randrange(len(story.clauses) - length + 1)
    clauses = [affirm(clause) for clause in story.clauses[start : start + length]]
    position = rng.randrange(length)
    fact = edits.enrich(rng, clauses[position])
    if any(index != position and related(other.verb, fact.verb) for index, other in enumerate(clauses)):
        return None
    clauses[position] = replace(fact, negated=rng.random() < _DENIED_PREMISE_RATE)
    hypothesis = _hypothesis(rng, clauses[position], label, steps)
    if hypothesis is None:
        return None
    openers = (None, *story.connectives[start + 1 : start + length])
    return Pair(tuple(zip(clauses, openers, strict=True)), ((hypothesis, None),), label)


def _hypothesis(rng: Random, premise: Clause, label: str, steps: int) -> Clause | None:
    """Change a premise at random until the wanted label comes out, or give up."""
    denied = rng.random() < _DENIED_RATES[label] if not premise.negated else label == Verdict.ENTAILMENT or (
        label == Verdict.NEUTRAL and rng.random() < 0.5
    )  # fmt: skip
    for _ in range(8):
        changed = replace(premise, negated=denied)
        for _ in range(rng.randint(1, steps + 1)):
            edit = rng.choice((edits.weaken, edits.weaken, edits.strengthen, edits.sidestep, edits.clash))
            changed = edit(rng, changed) or changed
        if judge(premise, changed) == label and not is_mixed(premise, changed):
            return changed
    return None


def duplicates(count: int, rng: Random, seen: set[tuple[str, str]]) -> list[Pair]:
    """Generate pairs of questions: duplicates (``1``) ask for the same thing about the same event.

    A duplicate may add or leave out a time or place that is not asked for, and say "a" for "the". The others (``0``)
    may do so too, but also change the event or what is asked.
    """
    return balanced(_duplicate, ("0", "1"), count, rng, seen)


def _duplicate(rng: Random, label: str) -> Pair | None:
    clause = affirm(rng.choice(tell(rng).clauses))
    clause = edits.enrich(rng, clause, 0.6)
    role = pick(rng, [role for role, answered in askable(clause).items() if answered], 0.0)
    other, other_role = clause, role
    if label == "0":
        roles = [item for item, answered in askable(clause).items() if answered and item is not role]
        if roles and rng.random() < 0.25:
            other_role = rng.choice(roles)
        else:
            edit = rng.choice((edits.sidestep, edits.sidestep, edits.clash, edits.turn_round))
            other = edit(rng, clause) or clause
            if not edits.shows(other, clause, role):
                return None
    first, second = _rephrase(rng, clause, role), _rephrase(rng, other, other_role)
    return Pair(((first, role),), ((second, other_role),), label)


def _rephrase(rng: Random, clause: Clause, role: Role) -> Clause:
    """Leave out a time or place that is not asked for, and change articles, at random."""
    if role is not Role.PLACE and rng.random() < 0.4:
        clause = replace(clause, place=None)
    if role is not Role.TIME and rng.random() < 0.4:
        clause = replace(clause, time=None)
    if clause.object is not None and rng.random() < 0.5:
        clause = replace(clause, object=replace(clause.object, definite=not clause.object.definite))
    return clause


def paraphrases(count: int, rng: Random, seen: set[tuple[str, str]]) -> list[Pair]:
    """Generate pairs of texts with nearly the same words: paraphrases (``1``) mean the same, the others (``0``) do not.

    Each text is two statements. The second text changes their order or the word that joins them; where it is no
    paraphrase, something is also exchanged between the statements, or turned into its opposite.
    """
    return balanced(_paraphrase, ("0", "1"), count, rng, seen)


def _paraphrase(rng: Random, label: str) -> Pair | None:
    clauses = tell(rng).clauses
    start = rng.randrange(len(clauses) - 1)
    left, right = (edits.enrich(rng, clause, 0.4) for clause in clauses[start : start + 2])
    new_left, new_right = left, right
    if label == "0":
        changed = _distort(rng, left, right)
        if changed is None:
            return None
        new_left, new_right = changed
    joint = rng.choice(("and", None))
    first = ((left, None), (right, joint))
    if rng.random() < 0.6:
        return Pair(first, ((new_right, None), (new_left, "and")), label)
    return Pair(first, ((new_left, None), (new_right, None if joint else "and")), label)


def _distort(rng: Random, left: Clause, right: Clause) -> tuple[Clause, Clause] | None:
    draw = rng.random()
    if draw < 0.45:
        return edits.exchange(rng, left, right)
    edit = edits.turn_round if draw < 0.6 else edits.clash if draw < 0.85 else edits.sidestep
    if rng.random() < 0.5:
        changed = edit(rng, left)
        return None if changed is None else (changed, right)
    changed = edit(rng, right)
    return None if changed is None else (left, changed)
