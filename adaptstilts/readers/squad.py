"""Reader of SQuAD's JSON: SQuAD 1.1 and 2.0, XQuAD, MLQA, TyDiQA-GoldP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from adaptstilts.errors import DataError
from adaptstilts.formatting import shown
from adaptstilts.languages import get_language
from adaptstilts.readers.json_positions import Located
from adaptstilts.readers.lines import Request, json_document, json_id, json_text
from adaptstilts.tasks.examples import Answer, SpanExample


def read_squad(request: Request) -> Iterator[SpanExample]:
    """Read questions about contexts from one file.

    A file in which every answer is missing or blank (XTREME's test files) has its answers hidden. An answer that is not
    found at its offset is an error: nothing is repaired. If ids occur more than once in the file (XTREME's TyDiQA), all
    ids get ``#`` and their position appended.

    Option ``language``: ``file`` (default) where a file holds one language, or ``id`` where ids begin with the English
    name of their language, as in TyDiQA-GoldP (``arabic-...``); only the questions in the requested language are read.

    Yields:
        The questions; answers are None where hidden and empty where a question is unanswerable.
    """
    path = request.path
    questions = list(_questions(json_document(path), request))
    if request.option("language", "file", ("file", "id")) == "id":
        start = f"{get_language(request.language).name.lower()}-"
        questions = [item for item in questions if item.question["id"].startswith(start)]
    hidden = all(_is_blank(item.question) for item in questions)
    names = unique_ids([item.question["id"] for item in questions])
    for name, (context, question, steps) in zip(names, questions, strict=True):
        with request.row, Located(path, steps):
            answers = None
            if not hidden:
                answers = tuple(_answers(question, context, path))
                if not answers and not request.unanswerable:
                    hint = "This task has no unanswerable questions"
                    raise DataError("has no answer", path=path, key=question["id"], hint=hint)
            yield SpanExample(name, json_text(question, "question", path, None), context, answers)


class _Question(NamedTuple):
    """A question record with its paragraph and its position in the file.

    Attributes:
        context: Text of its paragraph.
        steps: Keys and indices that lead to the record.
    """

    context: str
    question: dict[str, Any]
    steps: tuple[str | int, ...]


def read_squad_files(request: Request) -> Iterator[SpanExample]:
    """Read questions from several files whose ids differ, one file after the other; see `read_squad`."""
    for path in request.paths:
        yield from read_squad(replace(request, paths=(path,)))


def unique_ids(names: list[str]) -> list[str]:
    """Make ids unique: if any occurs twice, all get ``#`` and their position appended."""
    if len(set(names)) == len(names):
        return names
    return [f"{name}#{position}" for position, name in enumerate(names)]


def _questions(document: dict[str, Any], request: Request) -> Iterator[_Question]:
    path = request.path
    with Located(path, ()):
        articles = _list(document, "data", path)
    for above, article in enumerate(articles):
        steps: tuple[str | int, ...] = ("data", above)
        paragraphs: list[Any] = []
        with request.row, Located(path, steps):
            paragraphs = _list(article, "paragraphs", path)
        for number, paragraph in enumerate(paragraphs):
            with request.row, Located(path, (*steps, "paragraphs", number)):
                context = json_text(paragraph, "context", path, None)
                for last, question in enumerate(_list(paragraph, "qas", path)):
                    at = (*steps, "paragraphs", number, "qas", last)
                    with request.row, Located(path, at):
                        if not isinstance(question, dict) or "id" not in question:
                            raise DataError("a question without an id", path=path, key="qas")
                        _check_answers(question, path)
                        yield _Question(context, {**question, "id": json_id(question, "id", path, None)}, at)


def _check_answers(question: dict[str, Any], path: Path) -> None:
    answers = question.get("answers", [])
    if answers is not None and not (isinstance(answers, list) and all(isinstance(answer, dict) for answer in answers)):
        raise DataError(
            f"expected a list of answers, found {shown(answers)}",
            path=path,
            key=str(question["id"]),
            hint='Write a list such as [{"text": "noon", "answer_start": 17}]',
        )


def _list(record: object, key: str, path: Path) -> list[Any]:
    value = record.get(key) if isinstance(record, dict) else None
    if not isinstance(value, list):
        raise DataError("expected a list", path=path, key=key, hint="Is this file in SQuAD's format?")
    return value


def _is_blank(question: dict[str, Any]) -> bool:
    answers = question.get("answers")
    if answers is None:
        return True
    return bool(answers) and all(not answer.get("text") for answer in answers)


def is_impossible(question: Mapping[str, Any], name: str, path: Path) -> bool:
    """Say whether a question, of the id ``name``, is marked as unanswerable.

    Raises:
        DataError: If the mark is neither true nor false.
    """
    mark = question.get("is_impossible", False)
    if type(mark) is not bool:
        raise DataError(f"is_impossible is {shown(mark)}", path=path, key=name, hint="It is true or false.")
    return mark


def _answers(question: dict[str, Any], context: str, path: Path) -> Iterator[Answer]:
    if is_impossible(question, question["id"], path):
        return
    for answer in _list(question, "answers", path):
        text = json_text(answer, "text", path, None)
        start = answer.get("answer_start")
        if not isinstance(start, int) or isinstance(start, bool) or start < 0:
            raise DataError(
                f"answer_start is {shown(start)}", path=path, key=question["id"], hint="It counts characters from 0"
            )
        if not text:
            raise DataError("this answer is blank, others in the file are not", path=path, key=question["id"])
        found = context[start : start + len(text)]
        if found != text:
            raise DataError(
                f"the answer is {shown(text)}, but the context has {shown(found)} at offset {start}",
                path=path,
                key=question["id"],
                hint="Offsets count characters of the context from 0",
            )
        yield Answer(text, start)
