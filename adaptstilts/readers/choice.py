"""Readers of multiple-choice files: Social IQa, COPA and XCOPA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text
from adaptstilts.readers.lines import Request, json_id, json_lines, json_text, label_index, text_lines
from adaptstilts.tasks.examples import ChoiceExample

_SIQA_WORDS = {"correct": {"A": 0, "B": 1, "C": 2}, "label": {"1": 0, "2": 1, "3": 2}}
_COPA_QUESTIONS = ("cause", "effect")


def read_siqa(request: Request) -> Iterator[ChoiceExample]:
    """Read Social IQa; the prompt is the context followed by the question (XTREME, run_xcopa.py).

    The right answer is A, B or C in ``correct`` (XTREME's download), or 1, 2 or 3 in ``label`` (the hub) or in a second
    file with one line per question (the publisher). Without any of these the label is None.
    """
    path = request.path
    labels = list(text_lines(request.paths[1])) if len(request.paths) > 1 else None
    position = -1
    for position, (line, record) in enumerate(json_lines(path, request.row)):
        with request.row:
            label = _siqa_label(record, path, line)
            if labels is not None and position < len(labels):
                number, word = labels[position]
                label = label_index(word.strip(), _SIQA_WORDS["label"], request.paths[1], number)
            context, question = (json_text(record, key, path, line) for key in ("context", "question"))
            answers = tuple(json_text(record, f"answer{letter}", path, line) for letter in "ABC")
            yield request.noted(ChoiceExample(str(position), f"{context} {question}", answers, label), line)
    if labels is not None and len(labels) != position + 1 and not request.row.has_failed:
        problem = f"has {number_text(len(labels), 'label')} for {number_text(position + 1, 'question')} of {path.name}"
        raise DataError(problem, path=request.paths[1], line=max(len(labels), 1))


def _siqa_label(record: dict[str, Any], path: Path, line: int) -> int | None:
    for key, words in _SIQA_WORDS.items():
        if record.get(key, "") != "":
            return label_index(str(record[key]), words, path, line, key=key)
    return None


def read_copa(request: Request) -> Iterator[ChoiceExample]:
    """Read COPA and XCOPA; the prompt is the premise followed by an English question about its cause or effect.

    The wording of the question is that of XTREME's run_xcopa.py.

    XTREME's copies of the test files have every label set to 0. Option ``labels``: ``always`` (default), or
    ``unless_all_zero``, which takes labels that are all 0 as hidden (in the published test files half of them are 1).
    """
    path = request.path
    rule = request.option("labels", "always", ("always", "unless_all_zero"))
    examples = []
    for position, (line, record) in enumerate(json_lines(path, request.row)):
        with request.row:
            examples.append(request.noted(copa_example(record, path, position, line=line), line))
    hidden = rule == "unless_all_zero" and all(example.label == 0 for example in examples)
    yield from (replace(example, label=None) for example in examples) if hidden else examples


def copa_example(record: Mapping[str, Any], path: Path, position: int, *, line: int | None = None) -> ChoiceExample:
    """Convert a record of COPA or XCOPA to an example; the label is None where the record has none.

    ``position`` stands in for an id where the record has none; ``path`` and ``line`` are for errors.
    """
    question = json_text(record, "question", path, line)
    if question not in _COPA_QUESTIONS:
        raise DataError(
            f"'{cut(question)}' is not a question of COPA",
            path=path,
            line=line,
            key="question",
            value=question,
            allowed=_COPA_QUESTIONS,
        )
    label = None
    if record.get("label") is not None:
        label = label_index(str(record["label"]), {"0": 0, "1": 1}, path, line)
    return ChoiceExample(
        id=json_id(record, "idx", path, line, default=position),
        prompt=f"{json_text(record, 'premise', path, line)} What was the {question}?",
        choices=(json_text(record, "choice1", path, line), json_text(record, "choice2", path, line)),
        label=label,
    )
