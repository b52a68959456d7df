"""Reader of the package's own Arrow layout, one file per table, as `adaptstilts.data.arrow.write_split` writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text, shown
from adaptstilts.readers.lines import Request, as_csv_writes
from adaptstilts.readers.tables import Table, open_table
from adaptstilts.tasks.examples import (
    Answer,
    Bitext,
    Candidate,
    ChoiceExample,
    Example,
    MatchExample,
    PairExample,
    Sentence,
    SpanExample,
)
from adaptstilts.tasks.spec import Kind

FILE = "data-00000-of-00001.arrow"
"""Name of the only shard that ``save_to_disk`` writes."""


def read_arrow(request: Request) -> Iterator[Example] | Bitext:
    """Read one language and split in the package's own layout.

    Option ``kind`` is the kind of the task. Option ``quoting`` (pairs only) is ``clean`` (default), or ``xtreme`` to
    give the text that XTREME's models see.

    For retrieval ``request.paths`` holds the foreign side, the English side and, where known, the gold pairs.
    """
    return _READERS[request.option("kind", "", tuple(_READERS))](request)


def _of_one_table(read: Callable[[Table, Request], Iterator[Example]]) -> Callable[[Request], Iterator[Example]]:
    return lambda request: read(open_table(request.path), request)


def _pairs(table: Table, request: Request) -> Iterator[Example]:
    first, second = table.texts("first"), table.texts_or_null("second")
    if request.option("quoting", "clean", ("clean", "xtreme")) == "xtreme":
        first, second = [as_csv_writes(text) for text in first], [text and as_csv_writes(text) for text in second]
    return map(PairExample, table.ids("id"), first, second, _classes(table, "label", request.labels))


def _choices(table: Table, request: Request) -> Iterator[Example]:
    choices = table.lists("choices")
    columns = (table.ids("id"), table.texts("prompt"), choices, table.classes("label"))
    for row, (name, prompt, options, label) in enumerate(zip(*columns, strict=True)):
        with request.row:
            if label is not None and not (isinstance(label, int) and 0 <= label < len(options)):
                raise table.error(
                    row, f"{shown(label)} is not one of the {number_text(len(options), 'choice')}", "label"
                )
            yield ChoiceExample(name, prompt, tuple(options), label)


def _sentences(table: Table, request: Request) -> Iterator[Example]:
    classes: dict[object, int] = {word: index for index, word in enumerate(request.labels)}
    columns = (table.ids("id"), table.lists("words"), table.class_lists("tags"))
    for row, (name, words, tags) in enumerate(zip(*columns, strict=True)):
        with request.row:
            if tags is None:
                yield from request.with_words(name, words, None)
                continue
            if len(tags) != len(words):
                raise table.error(row, f"{number_text(len(words), 'word')} but {number_text(len(tags), 'tag')}", "tags")
            unknown = next((tag for tag in tags if tag not in classes), None)
            if unknown is not None:
                raise table.error(
                    row, f"'{cut(str(unknown))}' is not a tag of this task", "tags", allowed=request.labels
                )
            yield from request.with_words(name, words, [classes[tag] for tag in tags])


def _questions(table: Table, request: Request) -> Iterator[Example]:
    columns = (table.ids("id"), table.texts("question"), table.texts("context"), table.column("answers"))
    for row, (name, question, context, found) in enumerate(zip(*columns, strict=True)):
        with request.row:
            answers = None if found is None else tuple(_answers(table, row, found))
            for answer in answers or ():
                if answer.start < 0 or not context.startswith(answer.text, answer.start):
                    raise table.error(
                        row, f"the answer {shown(answer.text)} is not at offset {answer.start}", "answers"
                    )
            yield SpanExample(name, question, context, answers)


def _answers(table: Table, row: int, found: object) -> Iterator[Answer]:
    for item in found if isinstance(found, list) else [found]:
        text, start = (item.get("text"), item.get("start")) if isinstance(item, dict) else (None, None)
        if type(text) is not str or type(start) is not int:
            raise table.error(row, f"expected a list of text and start, found {shown(found)}", "answers")
        yield Answer(text, start)


def _queries(table: Table, _: Request) -> Iterator[Example]:
    columns = (table.ids("id"), table.texts("query"), table.texts_or_null("target"), table.texts_or_null("text"))
    rows = zip(*columns, table.texts_or_null("context"), strict=True)
    for row, (name, query, target, text, context) in enumerate(rows):
        candidate = None
        if text is not None:  # a pair for training: what is to be found is its own candidate
            if target is None:
                raise table.error(row, "a text to be found needs an id", "target")
            candidate = Candidate(target, text, context, (target,))
        yield MatchExample(name, query, target, candidate)


def _bitext(request: Request) -> Bitext:
    foreign, english = (_side(open_table(path), request) for path in request.paths[:2])
    gold = None
    if len(request.paths) > 2:
        table = open_table(request.paths[2])
        pairs = list(zip(table.ids("foreign"), table.ids("english"), strict=True))
        for column, side in (("foreign", foreign), ("english", english)):
            known = {sentence.id for sentence in side}
            for row, pair in enumerate(pairs):
                name = pair[column == "english"]
                if name not in known:
                    raise table.error(row, f"no sentence has id '{name}'", column)
        gold = frozenset(pairs)
    return Bitext(request.language, foreign, english, gold)


def _side(table: Table, request: Request) -> tuple[Sentence, ...]:
    names = table.ids("id")
    seen: set[str] = set()
    for row, name in enumerate(names):
        with request.row:
            if name in seen:
                raise table.error(row, f"id '{cut(name)}' occurs twice", "id")
            seen.add(name)
    return tuple(map(Sentence, names, table.texts("text")))


def _classes(table: Table, column: str, labels: Sequence[str]) -> list[int | None]:
    classes: dict[str | int | None, int | None] = {word: index for index, word in enumerate(labels)}
    classes[None] = None
    words = table.classes(column)
    for row, word in enumerate(words):
        if word not in classes:
            raise table.error(row, f"'{cut(str(word))}' is not a label of this task", column, allowed=labels)
    return [classes[word] for word in words]


def tag_words(paths: tuple[Path, ...]) -> set[str]:
    """Collect the tags that occur in the files of a tagging task; hidden tags are an error."""
    found: set[str] = set()
    for path in paths:
        for row, tags in enumerate(open_table(path, ["tags"]).class_lists("tags")):
            if tags is None:
                raise DataError(
                    "the tags are hidden", path=path, key=f"row {row}", hint="This task takes its labels from them"
                )
            found.update(map(str, tags))
    return found


_READERS: dict[str, Callable[[Request], Iterator[Example] | Bitext]] = {
    Kind.CLASSIFY.value: _of_one_table(_pairs),
    Kind.CHOOSE.value: _of_one_table(_choices),
    Kind.TAG.value: _of_one_table(_sentences),
    Kind.EXTRACT.value: _of_one_table(_questions),
    Kind.MATCH.value: _of_one_table(_queries),
    Kind.RETRIEVE.value: _bitext,
}
