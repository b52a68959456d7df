"""Changes of a clause's meaning: to one that follows, one that adds something, or one that contradicts it.

Every function takes a clause that is *not* negated, or reads it as if it were not, and returns a changed clause, or
None where the change does not apply. Times exclude each other; so do two cities, two kinds of place, two opposites,
two colours and two numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import TypeAlias

from adaptstilts.mini import concepts, preferences
from adaptstilts.mini.logic import related
from adaptstilts.mini.meaning import Clause, Phrase, Role
from adaptstilts.mini.world import pick

Edit: TypeAlias = Callable[[Random, Clause], "Clause | None"]


def enrich(rng: Random, clause: Clause, rate: float = 0.5) -> Clause:
    """Add place, time and adjectives where there are none, each with probability `rate`."""
    for edit in (_add_place, _add_time, _add_quality):
        if rng.random() < rate:
            clause = edit(rng, clause) or clause
    return clause


def renamed(phrase: Phrase, head: str) -> Phrase:
    """Return a phrase about something else; mass nouns lose the number."""
    return Phrase(head, number=1 if head in preferences.MASS else phrase.number, definite=phrase.definite)


def weaken(rng: Random, clause: Clause) -> Clause | None:
    """Return a clause that follows from this one: something is left out, or said more generally."""
    return _first_applicable(
        rng, clause, (_drop_place, _drop_time, _drop_quality, _drop_quality, _general_noun, _general_action)
    )


def strengthen(rng: Random, clause: Clause) -> Clause | None:
    """Return a clause from which this one follows, but not the other way round."""
    return _first_applicable(rng, clause, (_add_place, _add_time, _add_quality, _special_noun, _special_action))


def sidestep(rng: Random, clause: Clause) -> Clause | None:
    """Return a clause that this one neither entails nor contradicts, with something exchanged."""
    return _first_applicable(
        rng, clause, (_other_object, _other_subject, _other_quality, other_action, _other_kind_of_place)
    )


def clash(rng: Random, clause: Clause) -> Clause | None:
    """Return a clause that cannot be true of the same event or state."""
    return _first_applicable(rng, clause, (_other_place, _other_time, _opposite, _opposite, _other_number))


def shows(changed: Clause, clause: Clause, asked: Role) -> bool:
    """Return whether a change is visible in a question, which leaves out the constituent asked for."""
    hidden = {
        Role.SUBJECT: replace(changed, subject=clause.subject),
        Role.OBJECT: replace(changed, object=clause.object),
        Role.PLACE: replace(changed, place=clause.place),
        Role.TIME: replace(changed, time=clause.time),
    }
    return hidden[asked] != clause


def turn_round(rng: Random, clause: Clause) -> Clause | None:
    """Exchange subject and object of an event between two living beings."""
    if clause.object is None or not (_is_living(clause.subject.head) and _is_living(clause.object.head)):
        return None
    return replace(clause, subject=clause.object, object=clause.subject)


def _is_living(head: str) -> bool:
    return preferences.is_person(head) or head == "animal" or head in concepts.NOUNS["animal"]


def exchange(rng: Random, first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    """Exchange one constituent between two clauses, so that the same words say something else."""
    swaps = (_swap_subjects, _swap_objects, _swap_places, _swap_times, _swap_qualities)
    for swap in rng.sample(swaps, len(swaps)):
        changed = swap(first, second)
        if changed is not None:
            return changed
    return None


def _first_applicable(rng: Random, clause: Clause, edits: Sequence[Edit]) -> Clause | None:
    for edit in rng.sample(edits, len(edits)):
        changed = edit(rng, clause)
        if changed is not None and changed != clause:
            return changed
    return None


def _is_state(clause: Clause) -> bool:
    """Return whether the clause is a lasting state, which has no place and time."""
    return clause.verb == "be" or clause.verb in preferences.FEELINGS


def _parts(rng: Random, clause: Clause) -> list[tuple[str, Phrase]]:
    """Return subject and object where they are nouns, in random order."""
    parts = [("subject", clause.subject)] + ([("object", clause.object)] if clause.object is not None else [])
    parts = [(name, phrase) for name, phrase in parts if not preferences.is_name(phrase.head)]
    rng.shuffle(parts)
    return parts


def _with_part(clause: Clause, part: str, phrase: Phrase) -> Clause:
    return replace(clause, subject=phrase) if part == "subject" else replace(clause, object=phrase)


def _drop_place(rng: Random, clause: Clause) -> Clause | None:
    return None if clause.place is None else replace(clause, place=None)


def _drop_time(rng: Random, clause: Clause) -> Clause | None:
    return None if clause.time is None else replace(clause, time=None)


def _drop_quality(rng: Random, clause: Clause) -> Clause | None:
    if clause.place is not None and clause.place.adjective is not None:
        return replace(clause, place=replace(clause.place, adjective=None))
    found = [(part, phrase) for part, phrase in _parts(rng, clause) if phrase.adjective is not None]
    return _with_part(clause, found[0][0], replace(found[0][1], adjective=None)) if found else None


def _add_place(rng: Random, clause: Clause) -> Clause | None:
    if _is_state(clause) or clause.place is not None:
        return None
    return replace(clause, place=Phrase(rng.choice(concepts.CITIES if rng.random() < 0.3 else concepts.PLACES)))


def _add_time(rng: Random, clause: Clause) -> Clause | None:
    if _is_state(clause) or clause.time is not None:
        return None
    return replace(clause, time=rng.choice(concepts.TIMES))


def _add_quality(rng: Random, clause: Clause) -> Clause | None:
    found = [(part, phrase) for part, phrase in _parts(rng, clause) if phrase.adjective is None]
    if not found or clause.predicate is not None:
        return None
    part, phrase = found[0]
    qualities = preferences.qualities_of(phrase.head)
    return _with_part(clause, part, replace(phrase, adjective=pick(rng, qualities, 0.3))) if qualities else None


def _general_noun(rng: Random, clause: Clause) -> Clause | None:
    for part, phrase in _parts(rng, clause):
        general = concepts.hypernym(phrase.head)
        if general is not None and (phrase.number == 1 or general not in preferences.MASS):
            return _with_part(clause, part, replace(phrase, head=general))
    return None


def _special_noun(rng: Random, clause: Clause) -> Clause | None:
    for part, phrase in _parts(rng, clause):
        if phrase.head in concepts.NOUNS:
            return _with_part(clause, part, renamed(phrase, rng.choice(concepts.NOUNS[phrase.head])))
    return None


def _general_action(rng: Random, clause: Clause) -> Clause | None:
    general = preferences.general_verb(clause.verb)
    return None if general is None else replace(clause, verb=general)


def _special_action(rng: Random, clause: Clause) -> Clause | None:
    table = concepts.TRANSITIVE if clause.object is not None else concepts.INTRANSITIVE
    special = [verb for verb, general in table.items() if general == clause.verb]
    return replace(clause, verb=rng.choice(special)) if special else None


def _other_object(rng: Random, clause: Clause) -> Clause | None:
    if clause.object is None:
        return None
    others = [noun for noun in preferences.objects_of(clause.verb) if not related(noun, clause.object.head)]
    if not others:
        return None
    return replace(clause, object=renamed(clause.object, rng.choice(others)))


def _other_subject(rng: Random, clause: Clause) -> Clause | None:
    head = clause.subject.head
    if head in concepts.ORGANISATIONS:
        return replace(clause, subject=Phrase(rng.choice([name for name in concepts.ORGANISATIONS if name != head])))
    if preferences.is_person(head):
        return replace(clause, subject=Phrase(rng.choice([name for name in concepts.PERSONS if name != head])))
    general = concepts.hypernym(head)
    others = [noun for noun in concepts.NOUNS.get(general or "", ()) if noun != head]
    return replace(clause, subject=renamed(clause.subject, rng.choice(others))) if others else None


def _other_quality(rng: Random, clause: Clause) -> Clause | None:
    if clause.predicate is not None:
        others = _compatible(clause.subject.head, clause.predicate)
        return replace(clause, predicate=rng.choice(others)) if others else None
    for part, phrase in _parts(rng, clause):
        others = _compatible(phrase.head, phrase.adjective) if phrase.adjective is not None else []
        if others:
            return _with_part(clause, part, replace(phrase, adjective=rng.choice(others)))
    return None


def _compatible(head: str, adjective: str) -> list[str]:
    usual = preferences.qualities_of(head) or preferences.qualities_of("person")
    colours = concepts.COLOURS if adjective in concepts.COLOURS else ()
    return [word for word in usual if word not in (adjective, preferences.opposite(adjective), *colours)]


def other_action(rng: Random, clause: Clause) -> Clause | None:
    """Return a clause in which the same subject does something else, with the same object if there is one."""
    if _is_state(clause):
        return None
    if clause.object is None:
        others = [verb for verb in concepts.INTRANSITIVE if not related(verb, clause.verb)]
    else:
        taking = preferences.verbs_taking(clause.object.head)
        others = [verb for verb in taking if not related(verb, clause.verb) and verb not in preferences.FEELINGS]
    return replace(clause, verb=rng.choice(others)) if others else None


def _other_kind_of_place(rng: Random, clause: Clause) -> Clause | None:
    if clause.place is None:
        return None
    others = concepts.PLACES if clause.place.head in concepts.CITIES else concepts.CITIES
    return replace(clause, place=Phrase(rng.choice(others)))


def _other_place(rng: Random, clause: Clause) -> Clause | None:
    if clause.place is None:
        return None
    others = concepts.CITIES if clause.place.head in concepts.CITIES else concepts.PLACES
    return replace(clause, place=Phrase(rng.choice([head for head in others if head != clause.place.head])))


def _other_time(rng: Random, clause: Clause) -> Clause | None:
    if clause.time is None:
        return None
    return replace(clause, time=rng.choice([time for time in concepts.TIMES if time != clause.time]))


def _opposite(rng: Random, clause: Clause) -> Clause | None:
    if clause.predicate is not None:
        return replace(clause, predicate=preferences.opposite(clause.predicate))
    for part, phrase in _parts(rng, clause):
        if phrase.adjective is not None:
            return _with_part(clause, part, replace(phrase, adjective=preferences.opposite(phrase.adjective)))
    return None


def _other_number(rng: Random, clause: Clause) -> Clause | None:
    for part, phrase in _parts(rng, clause):
        if phrase.number > 1:
            return _with_part(clause, part, replace(phrase, number=phrase.number % 8 + 2))
    return None


def _swap_subjects(first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    if first.subject.head == second.subject.head:
        return None
    return replace(first, subject=second.subject), replace(second, subject=first.subject)


def _swap_objects(first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    if first.object is None or second.object is None or first.object.head == second.object.head:
        return None
    return replace(first, object=second.object), replace(second, object=first.object)


def _swap_places(first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    if first.place is None or second.place is None or first.place.head == second.place.head:
        return None
    return replace(first, place=second.place), replace(second, place=first.place)


def _swap_times(first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    if first.time is None or second.time is None or first.time == second.time:
        return None
    return replace(first, time=second.time), replace(second, time=first.time)


def _swap_qualities(first: Clause, second: Clause) -> tuple[Clause, Clause] | None:
    if first.object is None or second.object is None or first.object.adjective == second.object.adjective:
        return None
    return (
        replace(first, object=replace(first.object, adjective=second.object.adjective)),
        replace(second, object=replace(second.object, adjective=first.object.adjective)),
    )
