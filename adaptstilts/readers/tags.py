"""Readers of tagged sentences: one word per line (UDPOS, PAN-X), one sentence per line (CCG)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text
from adaptstilts.readers.lines import Request, expect_columns, label_index, text_lines
from adaptstilts.tasks.examples import TagExample

_SEPARATORS = {" ": "blank", ",": "comma", ";": "semicolon"}
"""Marks that stand in place of tabs, with their names. Words may end in `,X`, so the last two count in first lines."""


def read_word_lines(request: Request) -> Iterator[TagExample]:
    """Read XTREME's UDPOS and PAN-X: ``word TAB tag`` per line, a blank line after each sentence.

    Option ``words``: ``plain`` (default), or ``prefixed`` for WikiANN's own files, which put ``xx:`` before every word.
    Tags are None where the whole file has one column. Blank words are left out with their tags and counted.
    """
    path = request.path
    is_prefixed = request.option("words", "plain", ("plain", "prefixed")) == "prefixed"
    classes = {word: index for index, word in enumerate(request.labels)}
    width = 0
    words: list[str] = []
    tags: list[int] = []
    count = 0
    for line, text in text_lines(path):
        if not text.strip(" \t"):
            if not (is_prefixed or count):
                _refuse_prefixes(words, request)
            for sentence in request.with_words(str(count), words, tags if width == 2 else None):
                yield sentence
                count += 1
            words, tags = [], []
            continue
        with request.row:
            columns = text.split("\t")
            expect_columns(columns, (width,) if width else (1, 2), path, line)
            width = len(columns)
            word = _without_prefix(columns[0], path, line) if is_prefixed else columns[0]
            if width == 2:
                tags.append(label_index(columns[1], classes, path, line, key="tag"))
            else:
                _refuse_other_separator(text, " " if words or count else " ,;", classes, path, line)
            words.append(word)
    if not (is_prefixed or count):
        _refuse_prefixes(words, request)
    yield from request.with_words(str(count), words, tags if width == 2 else None)


def _refuse_prefixes(words: list[str], request: Request) -> None:
    """Refuse a first sentence whose words all have the prefix of their language: models would read it as text."""
    prefix = f"{request.code or request.language}:"
    if words and all(word.startswith(prefix) for word in words):
        raise DataError(
            f"every word begins with '{prefix}', as in WikiANN's own files",
            path=request.path,
            line=1,
            hint="Remove the prefixes, or put the file where WikiANN's own are read: adaptstilts docs data.",
        )


def _refuse_other_separator(text: str, marks: str, classes: Mapping[str, int], path: Path, line: int) -> None:
    """Refuse a line whose tag stands behind one of some marks: read as a word alone, it would hide the file's tags."""
    for mark in marks:
        word, _, tag = text.strip().rpartition(mark)
        if word and tag in classes:
            raise DataError(
                f"'{cut(text)}' has a {_SEPARATORS[mark]} where a tab belongs between word and tag",
                path=path,
                line=line,
                hint="Separate word and tag by a tab in every line.",
            )


def _without_prefix(word: str, path: Path, line: int) -> str:
    prefix, colon, rest = word.partition(":")
    if not colon:
        raise DataError(f"'{cut(prefix)}' has no language prefix", path=path, line=line, hint="Expected `xx:word`")
    return rest.strip()


def read_sentence_lines(request: Request) -> Iterator[TagExample]:
    """Read CCG supertags: ``words TAB tags`` per line, each separated by spaces."""
    path = request.path
    classes = {word: index for index, word in enumerate(request.labels)}
    for position, (line, words, tags) in enumerate(_sentence_lines(path)):
        with request.row:
            indices = tuple(label_index(tag, classes, path, line, key="tag") for tag in tags)
            yield TagExample(str(position), tuple(words), indices)


def tag_words(paths: tuple[Path, ...]) -> set[str]:
    """Collect the tags of files with one tagged sentence per line."""
    return {tag for path in paths for _, _, tags in _sentence_lines(path) for tag in tags}


def _sentence_lines(path: Path) -> Iterator[tuple[int, list[str], list[str]]]:
    for line, text in text_lines(path):
        if not text.strip():
            continue
        columns = text.split("\t")
        expect_columns(columns, (2,), path, line)
        words, tags = columns[0].split(), columns[1].split()
        if len(words) != len(tags):
            raise DataError(
                f"{number_text(len(words), 'word')} but {number_text(len(tags), 'tag')}", path=path, line=line
            )
        yield line, words, tags
