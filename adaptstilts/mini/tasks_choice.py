"""Multiple choice in the mini world: endings of stories, what stories leave unsaid, and common sense.

These tasks are intermediate tasks, so they exist in English only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from adaptstilts.mini import concepts, edits, preferences
from adaptstilts.mini.corpus import Line, askable, realise, text
from adaptstilts.mini.languages.english import GRAMMAR
from adaptstilts.mini.meaning import Clause, Phrase, Role
from adaptstilts.mini.scenes import Scene, Step, scenes
from adaptstilts.mini.world import Story, affirm, pick, tell


@dataclass(frozen=True)
class Choice:
    """A question with several different answers, in English.

    Attributes:
        topic: Scene, or the concept asked about.
        context: Story; may be empty.
        question: May be empty.
        label: Position of the right answer.
    """

    topic: str
    context: str
    question: str
    answers: tuple[str, ...]
    label: int


_Maker = Callable[[Random], "tuple[str, str, str, list[str]] | None"]


def _collect(make: _Maker, count: int, rng: Random, seen: set[str]) -> list[Choice]:
    """Call a maker of (topic, context, question, answers with the right one first) until there are enough items."""
    made: list[Choice] = []
    while len(made) < count:
        item = make(rng)
        if item is None:
            continue
        topic, context, question, answers = item
        key = " ".join((context, question, answers[0]))
        if key in seen or len(set(answers)) < len(answers):
            continue
        seen.add(key)
        label = len(made) % len(answers)
        order = answers[1:]
        rng.shuffle(order)
        order.insert(label, answers[0])
        made.append(Choice(topic, context, question, tuple(order), label))
    rng.shuffle(made)
    return made


def continuations(count: int, rng: Random, seen: set[str]) -> list[Choice]:
    """Generate stories with four endings: the script's next step, an earlier step, a wrong thing, another scene."""
    return _collect(_continuation, count, rng, seen)


def explanations(count: int, rng: Random, seen: set[str]) -> list[Choice]:
    """Generate stories with a question on what they leave unsaid: what came before, what comes next, or why."""
    return _collect(_explanation, count, rng, seen)


def common_sense(count: int, rng: Random, seen: set[str]) -> list[Choice]:
    """Generate questions without context on who usually does what to what and where, with five answers."""
    return _collect(_common_sense, count, rng, seen)


def _statement(clause: Clause, connective: str | None = None) -> str:
    return text([GRAMMAR.say(clause, connective)])


def _passage(story: Story, start: int, end: int) -> str:
    """Express some clauses of a story, the first without a connective."""
    openers = (None, *story.connectives[start + 1 : end])
    line: Line = tuple(zip(story.clauses[start:end], openers, strict=True))
    return text(realise(GRAMMAR, line))


def _affirmative_story(rng: Random) -> Story:
    """Generate a story without negation."""
    story = tell(rng)
    clauses = tuple(affirm(clause) for clause in story.clauses)
    openers = tuple("then" if opener == "but" else opener for opener in story.connectives)
    return replace(story, clauses=clauses, connectives=openers)


def _continuation(rng: Random) -> tuple[str, str, str, list[str]] | None:
    story = _affirmative_story(rng)
    cut = rng.randint(2, 3)
    if len(story.clauses) <= cut or story.clauses[cut].kind is not None:
        return None
    right = story.clauses[cut]
    earlier = [clause for clause in story.clauses[:cut] if clause.kind is None]
    wrong_thing, elsewhere = _wrong_thing(rng, right), _from_other_scene(rng, story, right)
    if not earlier or wrong_thing is None or elsewhere is None:
        return None
    endings = [right, rng.choice(earlier), wrong_thing, elsewhere]
    return story.scene, _passage(story, 0, cut), "", [_statement(_definite(ending), "then") for ending in endings]


def _definite(clause: Clause) -> Clause:
    """Make every phrase definite, so that articles do not reveal the right ending."""
    thing = None if clause.object is None else replace(clause.object, definite=True)
    return replace(clause, subject=replace(clause.subject, definite=True), object=thing)


def _wrong_thing(rng: Random, clause: Clause) -> Clause | None:
    """Give the verb an object that it never takes, or the subject a quality that it never has."""
    if clause.predicate is not None:
        usual = preferences.qualities_of(clause.subject.head) or preferences.qualities_of("person")
        return replace(clause, predicate=rng.choice([word for word in concepts.adjectives() if word not in usual]))
    if clause.object is None:
        return edits.sidestep(rng, replace(clause, place=None))
    return replace(clause, object=edits.renamed(clause.object, _odd_object(rng, clause.verb)))


def _odd_object(rng: Random, verb: str) -> str:
    usual = set(preferences.objects_of(verb))
    nouns = [noun for general, members in concepts.NOUNS.items() if general != "person" for noun in members]
    return rng.choice([noun for noun in nouns if noun not in usual])


def _from_other_scene(rng: Random, story: Story, right: Clause) -> Clause | None:
    """Let the same subject do something from another scene."""
    other = _affirmative_story(rng)
    if other.scene == story.scene:
        return None
    found = [clause for clause in other.clauses if clause.kind is None and clause.verb != right.verb]
    living = preferences.is_person(right.subject.head)
    found = [clause for clause in found if preferences.is_person(clause.subject.head) == living]
    return replace(rng.choice(found), subject=right.subject) if found else None


def _explanation(rng: Random) -> tuple[str, str, str, list[str]] | None:
    story = _affirmative_story(rng)
    if len(story.clauses) < 4 or any(clause.kind is not None for clause in story.clauses):
        return None
    kind = rng.choice(("before", "next", "why"))
    if kind == "next":
        hidden, context = story.clauses[-1], _passage(story, 0, len(story.clauses) - 1)
        question = "What may happen next?"
    else:
        hidden, context = story.clauses[0], _passage(story, 1, len(story.clauses))
        question = "What may have happened before?"
    opener = None
    if kind == "why":
        question, opener = text([GRAMMAR.ask_why(story.clauses[1])]), "because"
    wrong = [_wrong_thing(rng, hidden), _from_other_scene(rng, story, hidden), edits.other_action(rng, hidden)]
    answers = [hidden, *(clause for clause in wrong if clause is not None)]
    if len(answers) < 4:
        return None
    return story.scene, context, question, [_statement(_definite(answer), opener) for answer in answers]


def _common_sense(rng: Random) -> tuple[str, str, str, list[str]] | None:
    story = _affirmative_story(rng)
    clause = rng.choice(story.clauses)
    role = pick(rng, [role for role in (Role.OBJECT, Role.PLACE, Role.SUBJECT) if askable(clause)[role]], 0.5)
    if clause.verb == "be":
        return None
    clause = replace(clause, time=None, subject=_without_name(rng, clause.subject, story.scene))
    phrase = {Role.OBJECT: clause.object, Role.PLACE: clause.place, Role.SUBJECT: clause.subject}[role]
    if phrase is None or preferences.is_name(phrase.head) or phrase.head in concepts.NOUNS:
        return None
    wrong = _unlikely(rng, clause, role)
    if len(wrong) < 4:
        return None
    question = text([GRAMMAR.ask(clause, role)])
    return phrase.head, "", question, [GRAMMAR.lexicon[head] for head in (phrase.head, *wrong)]


def _without_name(rng: Random, subject: Phrase, scene: str) -> Phrase:
    """Replace a name by a kind of person that is usual in the scene."""
    if preferences.is_name(subject.head):
        people = next(item.people for item in scenes() if item.name == scene)
        return Phrase(pick(rng, people), definite=False)
    return replace(subject, definite=False)


def _unlikely(rng: Random, clause: Clause, role: Role) -> list[str]:
    """Draw four wrong answers, which fit other questions but hardly ever this one."""
    wrong: set[str] = set()
    for _ in range(60):
        other = rng.choice(_steps())
        if role is Role.PLACE:
            head = other[1].place
            likely = head in _usual(clause.verb, "places")
        elif role is Role.OBJECT:
            head = pick(rng, preferences.objects_of(rng.choice(tuple(concepts.TRANSITIVE))))
            likely = head in preferences.objects_of(clause.verb)
        else:
            head = pick(rng, other[0].people)
            likely = head in _usual(clause.verb, "people")
        if head is not None and not likely and head not in (clause.subject.head, clause.object and clause.object.head):
            wrong.add(head)
        if len(wrong) == 4:
            break
    return sorted(wrong)


@cache
def _steps() -> tuple[tuple[Scene, Step], ...]:
    return tuple((scene, step) for scene in scenes() for script in scene.scripts for step in script)


@cache
def _usual(verb: str, what: str) -> frozenset[str]:
    """Return the places, or the people, of the scenes in which something is done."""
    found = [(scene, step) for scene, step in _steps() if step.verb == verb]
    if what == "people":
        return frozenset(person for scene, _ in found for person in scene.people)
    return frozenset(step.place for _, step in found if step.place is not None)
