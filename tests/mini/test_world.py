"""Stories: deterministic, skewed, sensible."""

from collections import Counter
from random import Random

import pytest

from adaptstilts.mini import concepts, preferences
from adaptstilts.mini.scenes import scenes
from adaptstilts.mini.world import Story, pick, tell


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    rng = Random(1)
    return [tell(rng) for _ in range(4000)]


def test_tell_gives_equal_stories_when_seeds_are_equal() -> None:
    assert [tell(Random(5)) for _ in range(3)] == [tell(Random(5)) for _ in range(3)]
    assert tell(Random(5)) != tell(Random(6))


def test_tell_stays_in_the_scene_when_one_is_named() -> None:
    assert {tell(Random(seed), "farm").scene for seed in range(20)} == {"farm"}


def test_stories_use_every_concept(stories: list[Story]) -> None:
    clauses = [clause for story in stories for clause in story.clauses]
    said: set[str | None] = set()
    for clause in clauses:
        said |= {clause.verb, clause.time, clause.predicate, clause.kind}
        for phrase in (clause.subject, clause.object, clause.place):
            if phrase is not None:
                said |= {phrase.head, phrase.adjective, *concepts.NUMBERS[: phrase.number - 1]}
    every = {*concepts.nouns(), *concepts.adjectives(), *concepts.TRANSITIVE, *concepts.INTRANSITIVE, *concepts.TIMES,
             *concepts.PERSONS, *concepts.CITIES, *concepts.ORGANISATIONS, *concepts.NUMBERS}  # fmt: skip
    assert every - said == set()


def test_stories_deny_about_one_clause_in_eight(stories: list[Story]) -> None:
    clauses = [clause for story in stories for clause in story.clauses]
    assert sum(clause.negated for clause in clauses) / len(clauses) == pytest.approx(0.12, abs=0.02)


def test_stories_have_three_to_eight_clauses(stories: list[Story]) -> None:
    assert {len(story.clauses) for story in stories} <= set(range(3, 9))
    assert all(len(story.clauses) == len(story.connectives) and story.connectives[0] is None for story in stories)


def test_objects_follow_the_preferences_of_their_verb(stories: list[Story]) -> None:
    eaten = Counter(clause.object.head for story in stories for clause in story.clauses
                    if clause.verb == "eat" and clause.object is not None)  # fmt: skip
    edible = {*concepts.NOUNS["food"], *concepts.NOUNS["fruit"], "food", "fruit"}
    assert sum(count for noun, count in eaten.items() if noun in edible) / eaten.total() > 0.7
    assert eaten["hammer"] == eaten["car"] == 0


def test_clauses_are_well_formed(stories: list[Story]) -> None:
    for story in stories:
        for clause in story.clauses:
            if clause.verb == "be":
                assert (clause.predicate is None) != (clause.kind is None)
                assert clause.place is None and clause.time is None and clause.object is None
            else:
                assert (clause.object is not None) == (clause.verb in concepts.TRANSITIVE)
            for phrase in (clause.subject, clause.object):
                if phrase is not None and phrase.number > 1:
                    assert phrase.head not in preferences.MASS and not preferences.is_name(phrase.head)


def test_scripts_name_only_known_concepts() -> None:
    verbs = {*concepts.TRANSITIVE, *concepts.INTRANSITIVE, "be"}
    nouns = set(concepts.nouns())
    for scene in scenes():
        slots = {*scene.slots, "A", "B", "C", "O"}
        assert {noun for fillers in scene.slots.values() for noun in fillers} <= nouns
        assert {*scene.people, *scene.places} <= nouns and set(scene.times) <= set(concepts.TIMES)
        for script in scene.scripts:
            for step in script:
                assert step.verb in verbs and step.subject in slots | nouns
                assert step.object is None or step.object in slots | nouns
                assert step.place is None or step.place in concepts.PLACES
                assert set(step.predicates) <= set(concepts.adjectives())


def test_preferences_name_only_known_concepts() -> None:
    for verb in concepts.TRANSITIVE:
        assert set(preferences.objects_of(verb)) <= set(concepts.nouns())
    for noun in concepts.nouns():
        assert set(preferences.qualities_of(noun)) <= set(concepts.adjectives())
    assert preferences.qualities_of("Anna") == ()


@pytest.mark.parametrize(("adjective", "opposite"), [("hot", "cold"), ("timid", "brave"), ("yellow", "red")])
def test_opposite_excludes_the_adjective(adjective: str, opposite: str) -> None:
    assert preferences.opposite(adjective) == opposite


def test_pick_prefers_earlier_options() -> None:
    rng = Random(2)
    counts = Counter(pick(rng, "abc", 1.0) for _ in range(6000))
    assert counts["a"] / 6000 == pytest.approx(6 / 11, abs=0.03)
    assert counts["c"] / 6000 == pytest.approx(2 / 11, abs=0.03)
