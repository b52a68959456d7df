"""Templates of the checklist tests: one YAML file per language, read and checked.

They were written for this project, in simplified but grammatical sentences, and have not been checked by native
speakers. The idea is MultiCheckList's (Ruder et al. 2021, after CheckList, Ribeiro et al. 2020); its templates are not
used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.formatting import number_text
from adaptstilts.tasks.checklist import CHECKLIST_TESTS, MULTICHECKLIST

FOLDER = Path(__file__).with_name("templates")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_KEYS = ("names", "values", "forms", "contexts", "questions")


@dataclass(frozen=True)
class QuestionTemplate:
    """A question, with placeholders such as ``{more}``, and its right answers as they occur in the context."""

    ask: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class TemplateGroup:
    """Words that agree in gender and number, and the sentences that they fit into.

    Attributes:
        names: People, of whom a case takes two, ``{a}`` and ``{b}``; empty where a test has none.
        words: Alternatives for each kind of word; an alternative maps placeholders to one or more forms.
        contexts: Sentences that hold the answers.
        questions: Questions asked about each context.
    """

    names: tuple[str, ...]
    words: tuple[tuple[Mapping[str, str], ...], ...]
    contexts: tuple[str, ...]
    questions: tuple[QuestionTemplate, ...]

    @property
    def placeholders(self) -> frozenset[str]:
        """Placeholders that the group has words for."""
        people = {"a", "b"} if self.names else set()
        return frozenset(people.union(*(words[0] for words in self.words)))


@cache
def read_templates(language: str) -> Mapping[str, tuple[TemplateGroup, ...]]:
    """Return the templates of one language: the groups of each test of `CHECKLIST_TESTS`.

    Raises:
        ConfigError: If there are none in this language.
        DataError: If the file is malformed.
    """
    if language not in MULTICHECKLIST.languages:
        raise ConfigError(
            f"there are no checklist templates in '{language}'", value=language, allowed=MULTICHECKLIST.languages
        )
    return parse_templates(FOLDER / f"{language}.yaml")


def parse_templates(path: Path) -> dict[str, tuple[TemplateGroup, ...]]:
    """Read a YAML file of templates: for each test a list of groups.

    A group has the keys ``names``, ``values``, ``forms``, ``contexts`` and ``questions``.

    Raises:
        DataError: If a test is missing, a key is unknown, forms do not fit their names, or a placeholder has no word.
    """
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    found = sorted(document) if isinstance(document, dict) else []
    if found != sorted(CHECKLIST_TESTS):
        raise DataError(f"has templates for {', '.join(found) or 'no test'}", path=path, allowed=CHECKLIST_TESTS)
    return {test: tuple(_group(item, path, test) for item in document[test]) for test in CHECKLIST_TESTS}


def _group(record: Mapping[str, Any], path: Path, test: str) -> TemplateGroup:
    unknown = [key for key in record if key not in _KEYS]
    if unknown:
        raise DataError(f"'{unknown[0]}' is not a key of a group", path=path, key=test, value=unknown[0], allowed=_KEYS)
    words: list[tuple[Mapping[str, str], ...]] = [
        tuple({placeholder: word} for word in _split(text, ","))
        for placeholder, text in record.get("values", {}).items()
    ]
    words += [_forms(head, rows, path, test) for head, rows in record.get("forms", {}).items()]
    group = TemplateGroup(
        names=_split(record.get("names", ""), ","),
        words=tuple(words),
        contexts=tuple(record["contexts"]),
        questions=tuple(QuestionTemplate(item["ask"], tuple(item["answers"])) for item in record["questions"]),
    )
    texts = [*group.contexts, *(text for item in group.questions for text in (item.ask, *item.answers))]
    for text in texts:
        strange = set(_PLACEHOLDER.findall(text)) - group.placeholders
        if strange:
            raise DataError(f"no word for the placeholder {{{min(strange)}}} in '{text}'", path=path, key=test)
    return group


def _forms(head: str, rows: list[str], path: Path, test: str) -> tuple[Mapping[str, str], ...]:
    placeholders = _split(head, ",")
    split = [_split(row, "|") for row in rows]
    for row, forms in zip(rows, split, strict=True):
        if len(forms) != len(placeholders):
            raise DataError(
                f"'{row}' has {number_text(len(forms), 'form')}, expected {len(placeholders)}: {head}",
                path=path,
                key=test,
            )
    return tuple(dict(zip(placeholders, forms, strict=True)) for forms in split)


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator)) if text else ()
