"""Layouts of Hugging Face hub data sets: paths of their rows and the meaning of their columns.

Rows lie in ``hub/<owner>/<repository>/<config>/`` below the data root, as parquet files under any of the names that the
hub gives them, or in folders that ``datasets`` saved. Columns as in the data sets' cards; facts of google/xtreme from
the script that made it.
"""

from __future__ import annotations

from adaptstilts.tasks.spec import Columns, Hub, Layout, Split

SPLITS = {Split.TRAIN: ("train",), Split.DEV: ("validation", "dev"), Split.TEST: ("test",)}
"""The usual names of splits."""
_NAMELESS = ("data", "default")
"""Folders of a repository that has only one configuration."""


def columns(**names: str) -> Columns:
    """Return the columns of a data set by the names that its reader in `adaptstilts.readers.hub` expects."""
    return tuple(names.items())


NLI_COLUMNS = columns(first="premise", second="hypothesis", label="label")
SENTENCES = columns(first="sentence1", second="sentence2", label="label")
QUESTIONS = columns(id="id", question="question", context="context", answers="answers")
TAGGED = columns(words="tokens", tags="ner_tags")
ONLY_VALIDATION = ((Split.TEST, ("validation", "test")),)


def hub_rows(source: Hub, split: Split, *, quoting: bool = False) -> Layout:
    """Return the layout of one split of a hub data set.

    Args:
        quoting: Whether its quotation marks can be read as XTREME's models see them (XNLI, PAWS-X).
    """
    options = (*source.columns, *((("words", source.words),) if source.words else ()))
    if quoting:
        options = (*options, ("quoting", "clean"))
    files = _files(source, dict(source.splits).get(split, SPLITS[split]))
    return Layout(source.reader, files, options, holds=tuple(source.languages.split()), same_rows=True)


def refused(source: Hub, split: Split, *, why: str, instead: str) -> Layout:
    """Return the layout of hub rows that are known to be wrong, so that they are found and refused.

    Args:
        why: What is wrong with the rows.
        instead: What to use.
    """
    return Layout("refused", _files(source, SPLITS[split]), (("why", why), ("instead", instead)), same_rows=True)


def _files(source: Hub, splits: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the possible paths of rows: as uploaded, as converted by the hub (two ways), as saved by `datasets`."""
    configs = [source.config] if source.config else []
    configs += [] if "{" in source.config else _NAMELESS
    folders = (f"hub/{source.repository}/{folder}" for folder in configs)
    names = ("{0}-*.parquet", "{0}/*.parquet", "*-{0}.parquet", "{0}/data-*.arrow")
    return tuple((f"{folder}/{name.format(split)}",) for folder in folders for split in splits for name in names)
