"""Stories of the mini world, sampled as meanings from one skewed distribution for all languages.

Scenes decide who does what where; fillers follow Zipf's law; a story keeps its protagonists and things. Everything is
drawn from the generator passed in.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import accumulate
from random import Random
from typing import TypeVar

from adaptstilts.mini import concepts, preferences
from adaptstilts.mini.meaning import Clause, Phrase
from adaptstilts.mini.scenes import Scene, Step, scenes

_NAME_RATE = 0.6
_PLURAL_RATE = 0.13
_ADJECTIVE_RATES = (0.4, 0.12)
_PLACE_RATES = (0.55, 0.15, 0.12)
_TIME_RATE = 0.3
_NEGATION_RATE = 0.12
_GENERAL_RATE = 0.08
_ODD_RATE = 0.08
_KIND_RATE = 0.12
_DROP_RATE = 0.08

Item = TypeVar("Item")


@dataclass(frozen=True)
class Story:
    """A story about one scene.

    Attributes:
        script: Position of its script in the scene.
        connectives: Opening word of each clause; None for none.
    """

    scene: str
    script: int
    clauses: tuple[Clause, ...]
    connectives: tuple[str | None, ...]


@dataclass
class _Cast:
    """Fillers of the slots of one story, and which of them have been mentioned."""

    scene: Scene
    fillers: dict[str, Phrase] = field(default_factory=dict)
    mentioned: set[str] = field(default_factory=set)

    def heads(self) -> set[str]:
        return {phrase.head for phrase in self.fillers.values()}


@cache
def _zipf(length: int, exponent: float) -> tuple[float, ...]:
    return tuple(accumulate((rank + 1) ** -exponent for rank in range(length)))


def pick(rng: Random, options: Sequence[Item], exponent: float = 0.9) -> Item:
    """Draw one option, the earlier ones more often (Zipf's law; `exponent` 0 gives the uniform distribution)."""
    weights = _zipf(len(options), exponent)
    return options[bisect(weights, rng.random() * weights[-1], 0, len(options) - 1)]


@cache
def _rotated(options: tuple[str, ...], scene: str) -> tuple[str, ...]:
    """Give each scene its own favourites among names and cities."""
    start = next(index for index, other in enumerate(scenes()) if other.name == scene) * 5 % len(options)
    return options[start:] + options[:start]


def _fill(rng: Random, cast: _Cast, slot: str) -> Phrase:
    if slot in cast.fillers:
        return cast.fillers[slot]
    scene = cast.scene
    for _ in range(20):
        head = _candidate(rng, scene, slot)
        if head not in cast.heads():
            break
    number = 1
    countable = not (preferences.is_name(head) or head in preferences.MASS or head in concepts.PLACES)
    if countable and rng.random() < _PLURAL_RATE:
        number = 2 + pick(rng, range(8), 1.0)
    cast.fillers[slot] = Phrase(head, number=number)
    return cast.fillers[slot]


def _candidate(rng: Random, scene: Scene, slot: str) -> str:
    if slot in ("A", "B", "C"):
        if rng.random() < _NAME_RATE:
            return pick(rng, _rotated(concepts.PERSONS, scene.name), 0.4)
        head = pick(rng, scene.people)
    elif slot == "O":
        return pick(rng, _rotated(concepts.ORGANISATIONS, scene.name), 0.4)
    else:
        head = pick(rng, scene.slots.get(slot, (slot,)))
    general = concepts.hypernym(head)
    if general is not None and (slot in scene.slots or len(slot) == 1) and rng.random() < _ODD_RATE:
        return pick(rng, concepts.NOUNS[general], 0.0)
    return head


def _mention(rng: Random, cast: _Cast, slot: str, *, described: bool = True) -> Phrase:
    """Return the phrase for a slot: indefinite and often described at first, definite and plain later."""
    phrase = _fill(rng, cast, slot)
    if preferences.is_name(phrase.head):
        return phrase
    known = slot in cast.mentioned
    cast.mentioned.add(slot)
    head, adjective = phrase.head, None
    if known and described and head in _generalisable() and rng.random() < _GENERAL_RATE:
        general = concepts.hypernym(head) or head
        return Phrase(general if phrase.number == 1 or general not in preferences.MASS else head, number=phrase.number)
    if described and rng.random() < _ADJECTIVE_RATES[known]:
        qualities = preferences.qualities_of(head)
        adjective = pick(rng, qualities) if qualities else None
    return Phrase(head, adjective, phrase.number, known or head in concepts.PLACES)


@cache
def _generalisable() -> frozenset[str]:
    return frozenset(noun for members in concepts.NOUNS.values() for noun in members)


def _where(rng: Random, step: Step, scene: Scene) -> Phrase | None:
    usual, other, city = _PLACE_RATES
    draw = rng.random()
    if draw < city:
        return Phrase(pick(rng, _rotated(concepts.CITIES, scene.name), 0.7))
    head = step.place if step.place is not None and draw < city + usual else None
    if head is None:
        if draw > city + other or (step.object in concepts.PLACES):
            return None
        head = pick(rng, scene.places if rng.random() > _ODD_RATE else concepts.PLACES)
    adjective = pick(rng, preferences.qualities_of(head), 0.3) if rng.random() < 0.1 else None
    return Phrase(head, adjective)


def _when(rng: Random, scene: Scene) -> str | None:
    if rng.random() >= _TIME_RATE:
        return None
    return pick(rng, scene.times) if rng.random() > 0.25 else pick(rng, concepts.TIMES, 0.3)


def _clause(rng: Random, cast: _Cast, step: Step) -> Clause:
    negated = rng.random() < _NEGATION_RATE
    if step.verb == "be":
        subject = _mention(rng, cast, step.subject, described=False)
        if step.kinds and preferences.is_name(subject.head):
            return Clause("be", subject, negated=negated, kind=pick(rng, step.kinds))
        usual = preferences.qualities_of(subject.head)
        predicates = step.predicates if step.predicates and rng.random() >= _ODD_RATE else usual
        return Clause("be", subject, negated=negated, predicate=pick(rng, predicates or step.predicates))
    subject = _mention(rng, cast, step.subject)
    thing = None if step.object is None else _mention(rng, cast, step.object)
    verb = step.verb
    if rng.random() < _GENERAL_RATE:
        verb = preferences.general_verb(verb) or verb
    if verb in preferences.FEELINGS:
        return Clause(verb, subject, thing, negated=negated)
    return Clause(verb, subject, thing, _where(rng, step, cast.scene), _when(rng, cast.scene), negated)


def _connective(rng: Random, clause: Clause) -> str | None:
    draw = rng.random()
    if clause.negated:
        return "but" if draw < 0.5 else None
    if clause.verb == "be" or clause.verb in preferences.FEELINGS:
        return "and" if draw < 0.15 else None
    return "then" if draw < 0.25 else "and" if draw < 0.4 else None


def affirm(clause: Clause) -> Clause:
    """Return the clause without its negation."""
    return replace(clause, negated=False) if clause.negated else clause


def tell(rng: Random, scene: str | None = None) -> Story:
    """Sample a story of three to seven clauses, about a given scene or any."""
    every = scenes()
    chosen = pick(rng, every, 0.4) if scene is None else next(item for item in every if item.name == scene)
    script = pick(rng, range(len(chosen.scripts)), 0.4)
    cast = _Cast(chosen)
    steps = [step for step in chosen.scripts[script] if rng.random() >= _DROP_RATE]
    steps = steps if len(steps) >= 3 else list(chosen.scripts[script])
    clauses: list[Clause] = []
    hero = _fill(rng, cast, steps[0].subject)
    if hero.head in concepts.PERSONS and steps[0].verb != "be" and rng.random() < _KIND_RATE:
        clauses.append(Clause("be", hero, kind=pick(rng, chosen.people)))
    clauses.extend(_clause(rng, cast, step) for step in steps)
    connectives = [None, *(_connective(rng, clause) for clause in clauses[1:])]
    return Story(chosen.name, script, tuple(clauses), tuple(connectives))
