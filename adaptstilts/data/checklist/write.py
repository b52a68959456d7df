"""Checklist tests as files in SQuAD's format, one for each test and language."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adaptstilts.data.checklist import DEFAULT_CASES, DEFAULT_SEED
from adaptstilts.data.checklist.generate import Case, generate
from adaptstilts.errors import DataError
from adaptstilts.formatting import system_reason
from adaptstilts.tasks.checklist import CHECKLIST_TESTS, MULTICHECKLIST, file_of_test

FORMAT_VERSION = 1
"""Version of templates and generator together; raised when the same seed gives other cases."""


def write_checklist(
    root: Path, languages: Sequence[str] = (), *, cases: int = DEFAULT_CASES, seed: int = DEFAULT_SEED
) -> tuple[Path, ...]:
    """Write the tests below a data root, where the target task `multichecklist` reads them; files there are replaced.

    Languages are ISO 639-1 codes; if empty, all that have templates.

    Raises:
        ConfigError: If there are no templates in a language.
        DataError: If the templates cannot give that many cases, or a file cannot be written.
    """
    made = {
        root / file_of_test(test, language): (test, generate(test, language, cases=cases, seed=seed))
        for test in CHECKLIST_TESTS
        for language in languages or MULTICHECKLIST.languages
    }
    for path, (test, found) in made.items():
        text = json.dumps(_document(test, found, seed), ensure_ascii=False, indent=1)
        unfinished = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(text + "\n", encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise DataError(
                f"cannot be written: {system_reason(error)}", path=path, hint="Choose another folder."
            ) from error
    return tuple(made)


def _document(test: str, cases: Sequence[Case], seed: int) -> dict[str, Any]:
    paragraphs = [
        {
            "context": case.context,
            "qas": [
                {
                    "id": question.id,
                    "question": question.text,
                    "answers": [{"text": answer.text, "answer_start": answer.start} for answer in question.answers],
                }
                for question in case.questions
            ],
        }
        for case in cases
    ]
    version = f"adaptstilts checklist {FORMAT_VERSION}, seed {seed}"
    return {"version": version, "data": [{"title": test, "paragraphs": paragraphs}]}
