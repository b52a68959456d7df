"""Reading and writing of XTREME's submission folder: ``<task>/test-<language>.tsv`` or ``.json``.

The format follows from the kind of task: one label a line (classification), one tag a line with a blank line between
sentences (tagging), one JSON object from question id to answer (span extraction; the labels are in SQuAD's format), one
``{"label": n}`` a line (multiple choice), one JSON object from query id to candidate ids, best first (dual encoders;
the labels hold the right ones), two ids a line (BUCC2018), one row number from 0 a line (Tatoeba).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from adaptstilts.errors import DataError
from adaptstilts.files import check_file
from adaptstilts.formatting import number_text
from adaptstilts.readers.json_positions import Located, line_of
from adaptstilts.readers.lines import json_document, json_id, json_lines, json_text, open_text, text_lines
from adaptstilts.readers.squad import is_impossible
from adaptstilts.submission.rules import (
    first,
    read_answers,
    read_ranks,
    wrong_choice,
    wrong_label,
    wrong_length,
    wrong_pair,
    wrong_row_number,
)
from adaptstilts.tasks.spec import Kind, Metric, Task

_Steps: TypeAlias = tuple["str | int", ...]
_FILE_NAME = re.compile(r"test-(?P<language>[A-Za-z-]+)\.(tsv|jsonl?)")


@dataclass(frozen=True)
class Submission:
    """Content of one file of predictions or labels.

    Attributes:
        content: What `adaptstilts.evaluate.metrics.score_examples` takes for the task's metric: label words, lists of
            tags, answers (predictions) or lists of answers (labels) by question id, candidate ids by query id, class
            indices, pairs of ids, or row numbers.
        lines: Line on which each item starts, from 1; empty for a JSON document.
        is_numbered: Whether question ids were repeated, so that all have ``#`` and their position appended.
        rows: Number of rows among which those of the labels were found; None where unknown or of no meaning.
    """

    path: Path
    content: Any
    lines: tuple[int, ...] = ()
    is_numbered: bool = False
    rows: int | None = None


@dataclass(frozen=True)
class _Format:
    """File format of a kind of predictions."""

    suffix: str
    read: Callable[[Path, Task], Submission]
    read_labels: Callable[[Path, Task], Submission]
    write: Callable[[Any, Task], Iterable[str]]


def submission_path(folder: Path, task: Task, language: str) -> Path:
    """Return ``<folder>/<task>/test-<language>.<suffix>``, for predictions and labels alike."""
    return folder / (task.folder or task.name) / f"test-{language}{_format_of(task).suffix}"


def submitted_languages(folder: Path, task: Task) -> tuple[str, ...]:
    """Return the languages for which a folder has a file of a task: the task's in its order, then others by code."""
    suffix = _format_of(task).suffix
    names = [_FILE_NAME.fullmatch(path.name) for path in (folder / (task.folder or task.name)).glob(f"*{suffix}")]
    found = {name["language"] for name in names if name}
    return (*(code for code in task.languages if code in found), *sorted(found - set(task.languages)))


def read_predictions(path: Path, task: Task) -> Submission:
    """Read the predictions for one task and language.

    Raises:
        DataError: If the file is missing, empty or malformed, or holds a label that the task lacks; with the line.
    """
    check_file(path)
    return _format_of(task).read(path, task)


def read_labels(path: Path, task: Task) -> Submission:
    """Read the gold labels for one task and language; like predictions, but answers are in SQuAD's format.

    Question ids that occur more than once get ``#`` and their position appended, as in `adaptstilts.readers.registry`.

    Raises:
        DataError: If the file is missing, empty or malformed, or holds a label that the task lacks; with the line.
    """
    check_file(path)
    return _format_of(task).read_labels(path, task)


def write_predictions(folder: Path, task: Task, language: str, predictions: Any) -> Path:  # noqa: ANN401
    """Write the predictions for one task and language to their place in a folder; return the file.

    Predictions are as in the ``content`` that `read_predictions` returns; classes may also be indices into the task's
    labels.
    """
    path = submission_path(folder, task, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in _format_of(task).write(predictions, task))
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def match_to_labels(predictions: Submission, labels: Submission) -> Any:  # noqa: ANN401
    """Return the content of predictions after checking, item by item, that it fits the labels.

    Answers get the labels' question ids: a prediction for an id that the labels repeat counts for each of them, and a
    question without a prediction stays without.

    Raises:
        DataError: If the numbers of lines, of sentences or of tags differ, or a question id is unknown.
    """
    if isinstance(labels.content, Mapping):
        return _match_questions(predictions, labels)
    if isinstance(labels.content, frozenset):
        _match_sides(predictions, labels)
        return predictions.content
    of_tags = isinstance(labels.content[0], list)
    found, wanted = len(predictions.content), len(labels.content)
    if found != wanted:
        raise DataError(
            f"{number_text(found, 'sentence' if of_tags else 'line')}, but {wanted:,} in {labels.path}",
            path=predictions.path,
            line=predictions.lines[wanted] if found > wanted else predictions.lines[-1],
            hint="Predict every example exactly once, in the order of the labels.",
        )
    if of_tags:
        _match_sentences(predictions, labels)
    elif labels.rows is not None:
        for line, row in zip(predictions.lines, predictions.content, strict=True):
            first(wrong_row_number(str(row), labels.rows, predictions.path, line))
    return predictions.content


def _match_sides(predictions: Submission, labels: Submission) -> None:
    """Refuse pairs whose ids begin with other languages than those of the labels, such as pairs with swapped sides."""
    sides = [{name.partition("-")[0] for name in side if "-" in name} for side in zip(*labels.content, strict=True)]
    if any(len(found) != 1 for found in sides):  # ids of another form
        return
    (foreign,), (english,) = sides
    if all(pair[0].startswith(f"{foreign}-") and pair[1].startswith(f"{english}-") for pair in predictions.content):
        return
    for line, row in numbered_rows(predictions.path):
        first(wrong_pair(row, {}, (foreign, english), predictions.path, line))


def _match_sentences(predictions: Submission, labels: Submission) -> None:
    pairs = zip(predictions.content, labels.content, strict=True)
    for number, (found, wanted) in enumerate(pairs):
        place = f"{labels.path}:{labels.lines[number]}"
        first(wrong_length(number, len(found), (len(wanted), place), predictions.path, predictions.lines[number]))


def _match_questions(predictions: Submission, labels: Submission) -> dict[str, str]:
    found: Mapping[str, str] = predictions.content
    bare = {name: name.rpartition("#")[0] if labels.is_numbered else name for name in labels.content}
    known = {*bare, *bare.values()}
    unknown = [name for name in found if name not in known]
    if unknown:
        raise DataError(
            f"{len(unknown)} of {number_text(len(found), 'question id')} not in {labels.path}, "
            f"the first is '{unknown[0]}'",
            path=predictions.path,
            hint="Check that predictions and labels are of the same task, language and version.",
        )
    answers = {name: found.get(name, found.get(bare[name])) for name in labels.content}
    return {name: answer for name, answer in answers.items() if answer is not None}


def numbered_rows(path: Path) -> list[tuple[int, str]]:
    """Return the stripped lines of a file with their numbers from 1, at least one, without the blank ones at the end.

    Raises:
        DataError: If there is none, or the file cannot be read.
    """
    rows = [(number, line.strip()) for number, line in text_lines(path)]
    while rows and not rows[-1][1]:
        rows.pop()
    if not rows:
        raise DataError("the file is empty", path=path, hint="Write one line for each example.")
    return rows


def _read_labels_by_line(path: Path, task: Task) -> Submission:
    rows = numbered_rows(path)
    for line, word in rows:
        first(wrong_label(word, task, path, line))
    return Submission(path, [word for _, word in rows], tuple(line for line, _ in rows))


def _read_tags(path: Path, task: Task) -> Submission:
    sentences: list[list[str]] = [[]]
    lines: list[int] = []
    for line, tag in numbered_rows(path):
        if not tag:
            # Some of XTREME's PAN-X files have several blank lines in a row; readers of the words skip them too.
            if sentences[-1]:
                sentences.append([])
            continue
        if not sentences[-1]:
            lines.append(line)
        first(wrong_label(tag, task, path, line))
        sentences[-1].append(tag)
    return Submission(path, sentences, tuple(lines))


def _read_choices(path: Path, _: Task) -> Submission:
    choices, lines = [], []
    for line, record in json_lines(path):
        first(wrong_choice(record, path, line))
        choices.append(record["label"])
        lines.append(line)
    if not choices:
        raise DataError("the file is empty", path=path, hint='Write one {"label": n} for each example.')
    return Submission(path, choices, tuple(lines))


def _read_row_numbers(path: Path, _: Task) -> Submission:
    rows = numbered_rows(path)
    for line, word in rows:
        first(wrong_row_number(word, None, path, line))
    return Submission(path, [int(word) for _, word in rows], tuple(line for line, _ in rows))


def _read_right_rows(path: Path, task: Task) -> Submission:
    """Read row numbers that are labels: those of a whole test set, which say how many rows there are, or of a part."""
    found = _read_row_numbers(path, task)
    numbers, count = set(found.content), len(found.content)
    if numbers == set(range(1, count + 1)):
        raise DataError(f"the rows are 1 to {count}, but the first row is 0", path=path, hint="Count from 0.")
    return replace(found, rows=count if numbers == set(range(count)) else None)


def _read_pairs(path: Path, _: Task) -> Submission:
    seen: dict[tuple[str, str], int] = {}
    for line, row in numbered_rows(path):
        first(wrong_pair(row, seen, None, path, line))
    return Submission(path, frozenset(seen), tuple(seen.values()))


def _read_answers(path: Path, _: Task) -> Submission:
    found, faults = read_answers(path)
    first(faults)
    return Submission(path, dict(found.entries))


def _read_squad(path: Path, task: Task) -> Submission:
    _refuse_blank(path)
    questions = list(_questions(path))
    if not questions:
        raise DataError("the file holds no question", path=path, key="data")
    names = []
    for steps, question in questions:
        with Located(path, steps):
            names.append(json_id(question, "id", path, None))
    is_numbered = max(Counter(names).values()) > 1
    gold: dict[str, list[str]] = {}
    for position, (name, (steps, question)) in enumerate(zip(names, questions, strict=True)):
        with Located(path, steps):
            has_answers = not is_impossible(question, name, path)
        answers = _members(question, "answers", path, steps) if has_answers else []
        with Located(path, steps):
            if not answers and not task.unanswerable:
                raise DataError("has no answer", path=path, key=name, hint="The labels must hold the gold answers.")
            texts = [json_text(one, "text", path, None) for one in answers]
        gold[f"{name}#{position}" if is_numbered else name] = texts
    return Submission(path, gold, is_numbered=is_numbered)


def _questions(path: Path) -> Iterator[tuple[_Steps, dict[str, Any]]]:
    """Yield the questions of labels in SQuAD's format, with the way to each."""
    for number, article in enumerate(_members(json_document(path), "data", path, ())):
        above: _Steps = ("data", number)
        for place, paragraph in enumerate(_members(article, "paragraphs", path, above)):
            steps: _Steps = (*above, "paragraphs", place)
            for last, question in enumerate(_members(paragraph, "qas", path, steps)):
                yield (*steps, "qas", last), question


def _refuse_blank(path: Path) -> None:
    with open_text(path, has_lines=False) as file:
        if not any(line.strip() for line in file):
            raise DataError("the file is empty", path=path, hint="The labels must be in SQuAD's format.")


def _read_ranks(path: Path, _: Task) -> Submission:
    found, faults = read_ranks(path, most=None)
    first(faults)
    return Submission(path, dict(found.entries))


def _members(record: Mapping[str, Any], key: str, path: Path, steps: _Steps) -> list[dict[str, Any]]:
    found = record.get(key)
    if not isinstance(found, list) or not all(isinstance(member, dict) for member in found):
        line = line_of(path, *steps, key)
        hint = "The labels must be in SQuAD's format."
        raise DataError("expected a list of objects", path=path, line=line, key=key, hint=hint)
    return found


def _write_labels(labels: Sequence[str | int], task: Task) -> Iterable[str]:
    return (task.labels[label] if isinstance(label, int) else label for label in labels)


def _write_tags(sentences: Sequence[Sequence[str]], _: Task) -> Iterable[str]:
    for number, sentence in enumerate(sentences):
        if number:
            yield ""
        yield from sentence


def _write_json(answers: Mapping[str, object], _: Task) -> Iterable[str]:
    yield json.dumps(dict(answers), ensure_ascii=False, indent=1)


def _same(
    suffix: str, read: Callable[[Path, Task], Submission], write: Callable[[Any, Task], Iterable[str]]
) -> _Format:
    """Return a format in which labels look like predictions."""
    return _Format(suffix, read, read, write)


_FORMATS: dict[Kind, _Format] = {
    Kind.CLASSIFY: _same(".tsv", _read_labels_by_line, _write_labels),
    Kind.TAG: _same(".tsv", _read_tags, _write_tags),
    Kind.EXTRACT: _Format(".json", _read_answers, _read_squad, _write_json),
    Kind.CHOOSE: _same(".jsonl", _read_choices, lambda choices, _: (json.dumps({"label": one}) for one in choices)),
    Kind.MATCH: _same(".json", _read_ranks, _write_json),
    Kind.RETRIEVE: _same(".tsv", _read_pairs, lambda pairs, _: ("\t".join(pair) for pair in sorted(pairs))),
}
_ROW_NUMBERS = _Format(".tsv", _read_row_numbers, _read_right_rows, lambda rows, _: (str(row) for row in rows))


def _format_of(task: Task) -> _Format:
    return _ROW_NUMBERS if task.metric is Metric.TATOEBA_ACCURACY else _FORMATS[task.kind]
