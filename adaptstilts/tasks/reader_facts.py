"""Table of the readers of data files by the name that a layout gives: what they give, and which options they take.

The functions themselves are in `adaptstilts.readers.registry`, with the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

from adaptstilts.tasks.spec import Kind, Layout

EVERY_KIND = tuple(Kind)
TABLE_COLUMNS = ("label", "id", "language", "split")
"""Options of both readers of one's own tables that name a column."""
_PAIRS = ("first", "second", "label", "words")


@dataclass(frozen=True)
class ReaderFacts:
    """Facts of one reader.

    Attributes:
        kinds: Kinds of task whose examples it gives.
        options: Names of its options.
        finds_language: Whether it finds the rows of a language in a file of several without an option.
        gives_candidates: Whether it reads candidates of a pool, and no examples.
    """

    kinds: tuple[Kind, ...]
    options: tuple[str, ...] = ()
    finds_language: bool = False
    gives_candidates: bool = False


READER_FACTS: dict[str, ReaderFacts] = {
    "pairs_jsonl": ReaderFacts((Kind.CLASSIFY,), (*_PAIRS, "id")),
    "pairs_tsv": ReaderFacts((Kind.CLASSIFY,), ("quoting",)),
    "pairs_parallel": ReaderFacts((Kind.CLASSIFY,)),
    "table": ReaderFacts((Kind.CLASSIFY,), (*_PAIRS, "language", "quoting")),
    "texts": ReaderFacts((Kind.CLASSIFY,), (*TABLE_COLUMNS, "first", "second", "words")),
    "choices": ReaderFacts((Kind.CHOOSE,), (*TABLE_COLUMNS, "prompt", "choices", "first")),
    "qqp": ReaderFacts((Kind.CLASSIFY,)),
    "hellaswag": ReaderFacts((Kind.CHOOSE,)),
    "commonsenseqa": ReaderFacts((Kind.CHOOSE,)),
    "siqa": ReaderFacts((Kind.CHOOSE,)),
    "copa": ReaderFacts((Kind.CHOOSE,), ("labels",)),
    "cosmosqa": ReaderFacts((Kind.CHOOSE,)),
    "word_lines": ReaderFacts((Kind.TAG,), ("words",)),
    "sentence_lines": ReaderFacts((Kind.TAG,)),
    "conllu": ReaderFacts((Kind.TAG,)),
    "squad": ReaderFacts((Kind.EXTRACT,), ("language",)),
    "squad_files": ReaderFacts((Kind.EXTRACT,), ("language",)),
    "xquad_r": ReaderFacts((Kind.MATCH,)),
    "squad_sentences": ReaderFacts((Kind.MATCH,)),
    "mentions": ReaderFacts((Kind.MATCH,), finds_language=True),
    "entity_pairs": ReaderFacts((Kind.MATCH,)),
    "bucc": ReaderFacts((Kind.RETRIEVE,)),
    "tatoeba": ReaderFacts((Kind.RETRIEVE,), ("aligned",)),
    "hub_pairs": ReaderFacts((Kind.CLASSIFY,), (*_PAIRS, "id", "language", "quoting")),
    "hub_tags": ReaderFacts((Kind.TAG,), ("words", "tags")),
    "hub_spans": ReaderFacts((Kind.EXTRACT,), ("id", "question", "context", "answers", "language")),
    "hub_bitext": ReaderFacts((Kind.RETRIEVE,), ("foreign", "english")),
    "hub_records": ReaderFacts((Kind.CHOOSE,), ("records",)),
    "refused": ReaderFacts(EVERY_KIND, ("why", "instead")),
    "arrow": ReaderFacts(EVERY_KIND, ("kind", "quoting")),
    "xquad_r_candidates": ReaderFacts((Kind.MATCH,), gives_candidates=True),
    "entities": ReaderFacts((Kind.MATCH,), gives_candidates=True),
}


def tells_languages(layout: Layout) -> bool:
    """Say whether the files of a layout, or the rows of its reader, differ by language."""
    facts = READER_FACTS.get(layout.reader, ReaderFacts(()))
    if facts.finds_language or "language" in dict(layout.options):
        return True
    return all(any("{" in name for name in names) for names in layout.files)
