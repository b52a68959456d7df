"""Data sets of the Hugging Face hub: where their rows lie, and what their columns mean.

Rows lie in ``hub/<owner>/<repository>/<config>/`` below the data root, as parquet files under any of the names that the
hub gives them, or in folders that ``datasets`` saved.
"""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.tasks.spec import Layout, Split

_SPLITS = {Split.TRAIN: ("train",), Split.DEV: ("validation", "dev"), Split.TEST: ("test",)}
_NAMELESS = ("data", "default")
"""Folders of rows of a repository with a single configuration."""


@dataclass(frozen=True)
class HubRows:
    """One data set of the hub.

    Attributes:
        repository: Repository id.
        config: Configuration; ``{language}``, ``{language3}`` and ``{name}`` as in `Layout`. Empty for none.
        reader: Reader of its rows.
        columns: What a reader needs to know -> the column; see the readers in `adaptstilts.readers.hub`.
        splits: Names of its splits, where they are not the usual ones.
        words: The data set's names of the task's classes, in the task's order; empty if they are the same.
        languages: Where one configuration holds several languages, those it holds, separated by spaces.
    """

    repository: str
    config: str
    reader: str
    columns: tuple[tuple[str, str], ...]
    splits: tuple[tuple[Split, tuple[str, ...]], ...] = ()
    words: str = ""
    languages: str = ""


def _columns(**columns: str) -> tuple[tuple[str, str], ...]:
    return tuple(columns.items())


_NLI_COLUMNS = _columns(first="premise", second="hypothesis", label="label")
_SENTENCES = _columns(first="sentence1", second="sentence2", label="label")
_QUESTIONS = _columns(id="id", question="question", context="context", answers="answers")
_TAGGED = _columns(words="tokens", tags="ner_tags")
_SOURCE_TARGET = _columns(foreign="source_sentence", english="target_sentence")
_ONLY_VALIDATION = ((Split.TEST, ("validation", "test")),)
_MATCHED = ((Split.DEV, ("validation_matched",)),)


def _anli(part: int) -> HubRows:
    splits = tuple((split, tuple(f"{name}_r{part}" for name in names)) for split, names in _SPLITS.items())
    return HubRows("facebook/anli", "plain_text", "hub_pairs", (*_NLI_COLUMNS, ("id", "uid")), splits)


HUB: dict[str, HubRows] = {
    # XTREME's tasks in the copy of the benchmark
    "xtreme xnli": HubRows(
        "google/xtreme", "XNLI", "hub_pairs",
        _columns(first="sentence1", second="sentence2", label="gold_label", language="language"),
        languages="ar bg de el en es fr hi ru sw th tr ur vi zh",
    ),
    "xtreme pawsx": HubRows("google/xtreme", "PAWS-X.{language}", "hub_pairs", _SENTENCES),
    "xtreme panx": HubRows("google/xtreme", "PAN-X.{language}", "hub_tags", _TAGGED),
    "xtreme xquad": HubRows("google/xtreme", "XQuAD.{language}", "hub_spans", _QUESTIONS, _ONLY_VALIDATION),
    "xtreme mlqa": HubRows("google/xtreme", "MLQA.{language}.{language}", "hub_spans", _QUESTIONS),
    "xtreme tydiqa": HubRows(
        "google/xtreme", "tydiqa", "hub_spans", (*_QUESTIONS, ("language", "id")),
        languages="ar bn en fi id ko ru sw te",
    ),
    "xtreme squad": HubRows("google/xtreme", "SQuAD", "hub_spans", _QUESTIONS),
    "xtreme tatoeba": HubRows(
        "google/xtreme", "tatoeba.{language3}", "hub_bitext", _SOURCE_TARGET, _ONLY_VALIDATION
    ),
    # XTREME's tasks in repositories of their own
    "xnli": HubRows("facebook/xnli", "{language}", "hub_pairs", _NLI_COLUMNS),
    "pawsx": HubRows("google-research-datasets/paws-x", "{language}", "hub_pairs", _SENTENCES),
    "wikiann": HubRows("unimelb-nlp/wikiann", "{language}", "hub_tags", _TAGGED),
    "udpos": HubRows("izhx/xtreme-r-udpos", "{language}", "hub_tags", _columns(words="tokens", tags="pos_tags")),
    "xquad": HubRows("google/xquad", "xquad.{language}", "hub_spans", _QUESTIONS, _ONLY_VALIDATION),
    "mlqa": HubRows("facebook/mlqa", "mlqa.{language}.{language}", "hub_spans", _QUESTIONS),
    "tydiqa": HubRows("juletxara/tydiqa_xtreme", "{language}", "hub_spans", _QUESTIONS),
    "tatoeba": HubRows(
        "mteb/tatoeba-bitext-mining", "{language3}-eng", "hub_bitext",
        _columns(foreign="sentence1", english="sentence2"),
    ),
    "xcopa": HubRows("cambridgeltl/xcopa", "{language}", "hub_records", _columns(records="copa")),
    # Intermediate tasks
    "mnli": HubRows("nyu-mll/glue", "mnli", "hub_pairs", _NLI_COLUMNS, _MATCHED),
    "qqp": HubRows(
        "nyu-mll/glue", "qqp", "hub_pairs", _columns(first="question1", second="question2", label="label"),
        words="not_duplicate duplicate",
    ),
    "snli": HubRows("stanfordnlp/snli", "plain_text", "hub_pairs", _NLI_COLUMNS),
    **{f"anli {part}": _anli(part) for part in (1, 2, 3)},
    "squad1": HubRows("rajpurkar/squad", "plain_text", "hub_spans", _QUESTIONS),
    "squad2": HubRows("rajpurkar/squad_v2", "squad_v2", "hub_spans", _QUESTIONS),
    "hellaswag": HubRows("Rowan/hellaswag", "", "hub_records", _columns(records="hellaswag")),
    "cosmosqa": HubRows("allenai/cosmos_qa", "", "hub_records", _columns(records="cosmosqa")),
    "commonsenseqa": HubRows("tau/commonsense_qa", "", "hub_records", _columns(records="commonsenseqa")),
}  # fmt: skip
"""Short name -> data set. Columns as in the data sets' cards; facts of google/xtreme from the script that made it."""


def hub(name: str, split: Split, *, quoting: bool = False) -> Layout:
    """Return the layout of a data set of the hub.

    Args:
        name: Its name in `HUB`.
        split: Part of it.
        quoting: Whether its quotation marks can be read as XTREME's models see them (XNLI, PAWS-X).

    Returns:
        The layout.
    """
    rows = HUB[name]
    options = (*rows.columns, *((("words", rows.words),) if rows.words else ()))
    if quoting:
        options = (*options, ("quoting", "clean"))
    files = _files(rows.repository, rows.config, dict(rows.splits).get(split, _SPLITS[split]))
    return Layout(rows.reader, files, options, holds=tuple(rows.languages.split()), same_rows=True)


def refused(repository: str, config: str, split: Split, *, why: str, instead: str) -> Layout:
    """Return the layout of rows of the hub that are known to be wrong, so that they are found and refused.

    Args:
        repository: Repository id.
        config: Configuration.
        split: Part of it.
        why: What is wrong with the rows.
        instead: What to use.

    Returns:
        The layout.
    """
    options = (("why", why), ("instead", instead))
    return Layout("refused", _files(repository, config, _SPLITS[split]), options, same_rows=True)


def _files(repository: str, config: str, splits: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return where rows may lie: as uploaded, as converted by the hub (two ways), as saved by `datasets`."""
    configs = [config] if config else []
    configs += [] if "{" in config else _NAMELESS
    folders = (f"hub/{repository}/{folder}" for folder in configs)
    names = ("{0}-*.parquet", "{0}/*.parquet", "*-{0}.parquet", "{0}/data-*.arrow")
    return tuple((f"{folder}/{name.format(split)}",) for folder in folders for split in splits for name in names)
