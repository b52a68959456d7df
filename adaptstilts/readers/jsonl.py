"""Readers of JSON-lines files: MNLI, SNLI, ANLI, HellaSwag, CommonsenseQA."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from adaptstilts.errors import DataError
from adaptstilts.formatting import shown
from adaptstilts.readers.lines import Request, json_id, json_lines, json_text, label_index, label_words
from adaptstilts.tasks.examples import ChoiceExample, PairExample

Record: TypeAlias = Mapping[str, Any]
"""A JSON object, or a table row with the same keys."""

NO_GOLD_LABEL = "-"
"""Label of MNLI and SNLI rows on which the annotators did not agree; such rows are left out, as their authors ask."""
DROPPED = ("row", "without an agreed label")
"""Key under which `Request.dropped` counts such rows."""


def read_pairs(request: Request) -> Iterator[PairExample]:
    """Read sentence pairs with a label word, without white space around the sentences.

    Options: ``first``, ``second``, ``label`` and ``id`` name the keys (MNLI's by default); ``words`` gives the label
    words of the file, separated by spaces, in the order of the task's labels (the labels themselves by default). Pairs
    without an agreed label are left out and counted.
    """
    keys = {"first": "sentence1", "second": "sentence2", "label": "gold_label", "id": "pairID", **request.options}
    classes = label_words(request.options.get("words", ""), request.labels)
    path = request.path
    for line, record in json_lines(path, request.row):
        with request.row:
            word = json_text(record, keys["label"], path, line)
            if word == NO_GOLD_LABEL:
                request.dropped[DROPPED] += 1
                continue
            yield PairExample(
                id=json_id(record, keys["id"], path, line, default=line),
                first=json_text(record, keys["first"], path, line).strip(),
                second=json_text(record, keys["second"], path, line).strip(),
                label=label_index(word, classes, path, line),
            )


def read_hellaswag(request: Request) -> Iterator[ChoiceExample]:
    """Read HellaSwag; see `hellaswag_example`."""
    for line, record in json_lines(request.path, request.row):
        with request.row:
            yield request.noted(hellaswag_example(record, request.path, line), line)


def hellaswag_example(record: Record, path: Path, line: int | None) -> ChoiceExample:
    """Convert a record of HellaSwag to an example; the label is None where hidden.

    The published files split the context: the text before the sentence to be completed (``ctx_a``) is the prompt, and
    the beginning of that sentence (``ctx_b``) goes before each ending, as in jiant. Without the two, the whole context
    (``ctx``) is the prompt. ``line`` stands in for an id where the record has none.
    """
    endings = _texts(record, "endings", path, line)
    if "ctx_a" in record:
        prompt = json_text(record, "ctx_a", path, line)
        opening = json_text(record, "ctx_b", path, line)
        endings = tuple(f"{opening} {ending}" if opening else ending for ending in endings)
    else:
        prompt = json_text(record, "ctx", path, line)
    label = None
    if record.get("label", "") != "":
        numbers = {str(index): index for index in range(len(endings))}
        label = label_index(str(record["label"]), numbers, path, line)
    return ChoiceExample(
        id=json_id(record, "ind", path, line, default=line), prompt=prompt, choices=endings, label=label
    )


def _texts(record: Record, key: str, path: Path, line: int | None) -> tuple[str, ...]:
    value = record.get(key)
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, str) for item in value):
        raise DataError(f"expected a list of at least two texts, found {shown(value)}", path=path, line=line, key=key)
    return tuple(value)


def read_commonsenseqa(request: Request) -> Iterator[ChoiceExample]:
    """Read CommonsenseQA; see `commonsenseqa_example`."""
    for line, record in json_lines(request.path, request.row):
        with request.row:
            yield request.noted(commonsenseqa_example(record, request.path, line), line)


def commonsenseqa_example(record: Record, path: Path, line: int | None) -> ChoiceExample:
    """Convert a record of CommonsenseQA to an example; the label is None where there is no ``answerKey``.

    ``line`` stands in for an id where the record has none.
    """
    question = record.get("question")
    choices = question.get("choices") if isinstance(question, dict) else None
    if not isinstance(question, dict) or not isinstance(choices, list) or len(choices) < 2:
        raise DataError("expected an object with a list of choices", path=path, line=line, key="question")
    if not all(isinstance(choice, dict) for choice in choices):
        raise DataError("expected objects with label and text", path=path, line=line, key="choices")
    letters = {json_text(choice, "label", path, line): index for index, choice in enumerate(choices)}
    if len(letters) < len(choices):
        raise DataError("two choices have the same label", path=path, line=line, key="choices")
    label = None
    if record.get("answerKey"):
        label = label_index(str(record["answerKey"]), letters, path, line, key="answerKey")
    return ChoiceExample(
        id=json_id(record, "id", path, line, default=line),
        prompt=json_text(question, "stem", path, line),
        choices=tuple(json_text(choice, "text", path, line) for choice in choices),
        label=label,
    )
