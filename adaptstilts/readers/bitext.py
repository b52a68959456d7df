"""Readers of sentence collections that translate each other: BUCC2018 and Tatoeba."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text
from adaptstilts.readers.lines import Request, expect_columns, split_rows, text_lines
from adaptstilts.tasks.examples import Bitext, Sentence


def read_bucc(request: Request) -> Bitext:
    """Read BUCC2018: ``id TAB sentence`` on either side, and gold pairs of ids.

    Args:
        request: Paths of the foreign side, the English side and, where known, the gold pairs.

    Returns:
        The two sides; gold is None without a file of pairs.
    """
    foreign, english = (_side(path, request) for path in request.paths[:2])
    gold = None
    if len(request.paths) > 2 and not request.row.has_failed:  # pairs of a sentence that was left out are no error
        gold = _gold(request, {item.id for item in foreign}, {item.id for item in english})
    return Bitext(request.language, foreign, english, gold)


def _side(path: Path, request: Request) -> tuple[Sentence, ...]:
    sentences = []
    seen = set()
    for line, columns in split_rows(path):
        with request.row:
            expect_columns(columns, (2,), path, line)
            if columns[0] in seen:
                raise DataError(f"id '{cut(columns[0])}' occurs twice", path=path, line=line)
            seen.add(columns[0])
            sentences.append(Sentence(*columns))
    return tuple(sentences)


def _gold(request: Request, foreign: set[str], english: set[str]) -> frozenset[tuple[str, str]]:
    path = request.paths[2]
    pairs = set()
    for line, columns in split_rows(path):
        with request.row:
            expect_columns(columns, (2,), path, line)
            for name, side, word in zip(columns, (foreign, english), ("foreign", "English"), strict=True):
                if name not in side:
                    problem = f"no sentence has id '{cut(name)}' on the {word} side"
                    raise DataError(problem, path=path, line=line, hint="Write the foreign id, a tab, the English id.")
            pairs.add((columns[0], columns[1]))
    if not pairs and not request.row.has_failed:
        raise DataError("holds no pairs", path=path, hint="Remove an empty file")
    return frozenset(pairs)


def read_tatoeba(request: Request) -> Bitext:
    """Read Tatoeba: line n of the foreign file translates line n of the English file; ids are line positions from 0.

    XTREME's own copy has its English side sorted to hide the alignment. Option ``aligned``: ``always`` (default), or
    ``unless_sorted``: a sorted English side means that the gold pairs are hidden.

    Returns:
        The two sides; gold is None where hidden.
    """
    aligned = request.option("aligned", "always", ("always", "unless_sorted"))
    foreign, english = ([line for _, line in text_lines(path)] for path in request.paths)
    if len(foreign) != len(english):
        raise DataError(
            f"has {number_text(len(foreign), 'line')}, {request.paths[1].name} has {len(english)}",
            path=request.paths[0],
            line=min(len(foreign), len(english) + 1) or None,
            hint="Line n of one translates line n of the other: get both from one source.",
        )
    for path, lines in zip(request.paths, (foreign, english), strict=True):
        if lines and all("\t" in line for line in lines):
            hint = "Keep the sentences alone, one on each line."
            raise DataError(
                "every line has a tab, so that more than sentences stands there", path=path, line=1, hint=hint
            )
        blank = next((number for number, line in enumerate(lines, 1) if not line.strip()), None)
        if blank is not None:
            hint = "Lines are paired by their numbers: remove this one from both files, or put its sentence there."
            raise DataError("is blank", path=path, line=blank, hint=hint)
    gold = None
    if aligned == "always" or english != sorted(english):
        gold = frozenset((str(index), str(index)) for index in range(len(foreign)))
    return Bitext(request.language, _numbered(foreign), _numbered(english), gold)


def _numbered(lines: list[str]) -> tuple[Sentence, ...]:
    return tuple(Sentence(str(index), line.strip()) for index, line in enumerate(lines))
