"""Writers of the published file layouts: JSON lines, SQuAD JSON, GLUE and XTREME tables, one word per line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptstilts.mini.tasks_tags import Tagged


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines in UTF-8, making the folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line."""
    write_lines(path, (json.dumps(row, ensure_ascii=False) for row in rows))


def write_table(path: Path, rows: Iterable[Sequence[object]], *, ending: str = "\n", comma: bool = False) -> None:
    """Write rows of a table, separated by tabs or commas and quoted where needed, as Python's csv module does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="," if comma else "\t", lineterminator=ending).writerows(rows)


def write_tagged(path: Path, sentences: Iterable[Tagged]) -> None:
    """Write one word and its tag per line, with an empty line after each sentence."""
    write_lines(path, ("".join(f"{word}\t{tag}\n" for word, tag in sentence) for sentence in sentences))


def write_squad(path: Path, version: str, paragraphs: Iterable[Mapping[str, Any]]) -> None:
    """Write paragraphs (objects with ``context`` and ``qas``) in the SQuAD layout, each as an article of its own."""
    articles = [{"title": f"Story {index + 1}", "paragraphs": [item]} for index, item in enumerate(paragraphs)]
    write_lines(path, [json.dumps({"version": version, "data": articles}, ensure_ascii=False)])
