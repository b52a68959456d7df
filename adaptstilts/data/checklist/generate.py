"""Cases of the checklist tests, generated from templates: a context, questions, and answers with their offsets."""

from __future__ import annotations

import random
from dataclasses import dataclass

from adaptstilts.data.checklist import DEFAULT_CASES, DEFAULT_SEED
from adaptstilts.data.checklist.templates import TemplateGroup, read_templates
from adaptstilts.errors import DataError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.checklist import CHECKLIST_TESTS, case_name
from adaptstilts.tasks.examples import Answer

_TRIES = 50
"""Draws per case before the templates count as exhausted."""


@dataclass(frozen=True)
class Question:
    """A question of a case.

    Attributes:
        id: Unique over all tests and languages: test, language, case, question.
        answers: Right answers as they occur in the context.
    """

    id: str
    text: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Case:
    """A context of one or two sentences with its questions; passed when all of them are answered correctly."""

    context: str
    questions: tuple[Question, ...]


def generate(test: str, language: str, *, cases: int = DEFAULT_CASES, seed: int = DEFAULT_SEED) -> tuple[Case, ...]:
    """Generate the cases of one test in one language, all with different contexts; groups of templates take turns.

    Raises:
        ConfigError: If there are no templates in the language.
        DataError: If the test is not known, or its templates cannot give that many cases.
    """
    if test not in CHECKLIST_TESTS:
        raise DataError(f"'{test}' is not a checklist test", value=test, allowed=CHECKLIST_TESTS)
    groups = read_templates(language)[test]
    rng = random.Random(f"{seed}/{test}/{language}")
    made: dict[str, Case] = {}
    for turn in range(_TRIES * cases):
        if len(made) == cases:
            break
        group = groups[turn % len(groups)]
        words = _draw_words(group, rng)
        context = rng.choice(group.contexts).format(**words)
        if context not in made:
            made[context] = Case(context, _questions(group, words, context, case_name(test, language, len(made))))
    if len(made) < cases:
        raise DataError(
            f"{number_text(cases, 'case')} requested, but the templates give only {len(made)} different",
            key=f"{test}-{language}",
            hint="Request fewer cases.",
        )
    return tuple(made.values())


def _draw_words(group: TemplateGroup, rng: random.Random) -> dict[str, str]:
    words = dict(zip("ab", rng.sample(group.names, 2), strict=True)) if group.names else {}
    for alternatives in group.words:
        words.update(rng.choice(alternatives))
    return words


def _questions(group: TemplateGroup, words: dict[str, str], context: str, name: str) -> tuple[Question, ...]:
    return tuple(
        Question(
            id=f"{name}-{number}",
            text=template.ask.format(**words),
            answers=tuple(
                _locate(text, context) for text in dict.fromkeys(t.format(**words) for t in template.answers)
            ),
        )
        for number, template in enumerate(group.questions)
    )


def _locate(text: str, context: str) -> Answer:
    if context.count(text) != 1:
        raise DataError(
            f"the answer '{text}' occurs {number_text(context.count(text), 'time')} in '{context}', expected once"
        )
    return Answer(text, context.index(text))
