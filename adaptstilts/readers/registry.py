"""Tables of readers by the name that a layout gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adaptstilts.errors import ConfigError
from adaptstilts.readers import arrow as readers_arrow
from adaptstilts.readers import bitext as readers_bitext
from adaptstilts.readers import choice as readers_choice
from adaptstilts.readers import conllu as readers_conllu
from adaptstilts.readers import hub as readers_hub
from adaptstilts.readers import jsonl as readers_json
from adaptstilts.readers import match as readers_match
from adaptstilts.readers import records as readers_records
from adaptstilts.readers import squad as readers_squad
from adaptstilts.readers import tags as readers_tags
from adaptstilts.readers import tsv as readers_tsv
from adaptstilts.readers.lines import Reader
from adaptstilts.tasks.examples import Bitext, ChoiceExample, MatchExample, PairExample, SpanExample, TagExample
from adaptstilts.tasks.reader_facts import READER_FACTS
from adaptstilts.tasks.spec import Kind, Task

READERS: dict[str, Reader] = {
    "pairs_jsonl": readers_json.read_pairs,
    "pairs_tsv": readers_tsv.read_pairs,
    "pairs_parallel": readers_tsv.read_parallel,
    "table": readers_tsv.read_table,
    "texts": readers_records.read_texts,
    "choices": readers_records.read_choices,
    "qqp": readers_tsv.read_qqp,
    "hellaswag": readers_json.read_hellaswag,
    "commonsenseqa": readers_json.read_commonsenseqa,
    "siqa": readers_choice.read_siqa,
    "copa": readers_choice.read_copa,
    "cosmosqa": readers_tsv.read_cosmosqa,
    "word_lines": readers_tags.read_word_lines,
    "sentence_lines": readers_tags.read_sentence_lines,
    "conllu": readers_conllu.read_conllu,
    "squad": readers_squad.read_squad,
    "squad_files": readers_squad.read_squad_files,
    "xquad_r": readers_match.read_xquad_r,
    "squad_sentences": readers_match.read_squad_sentences,
    "mentions": readers_match.read_mentions,
    "entity_pairs": readers_match.read_entity_pairs,
    "bucc": readers_bitext.read_bucc,
    "tatoeba": readers_bitext.read_tatoeba,
    "hub_pairs": readers_hub.read_pairs,
    "hub_tags": readers_hub.read_tags,
    "hub_spans": readers_hub.read_spans,
    "hub_bitext": readers_hub.read_bitext,
    "hub_records": readers_hub.read_records,
    "refused": readers_hub.refuse,
    "arrow": readers_arrow.read_arrow,
}
"""Name in `Layout.reader` -> function that reads the files of one language and split."""


EXAMPLES: dict[Kind, type] = {
    Kind.CLASSIFY: PairExample,
    Kind.CHOOSE: ChoiceExample,
    Kind.TAG: TagExample,
    Kind.EXTRACT: SpanExample,
    Kind.RETRIEVE: Bitext,
    Kind.MATCH: MatchExample,
}
"""What readers give for a kind of task."""
SHARING_READERS = tuple(name for name, facts in READER_FACTS.items() if "split" in facts.options)
"""Readers whose options ``language`` and ``split`` name columns of a table that holds several of them."""


def get_reader(name: str) -> Reader:
    """Return the reader of a name.

    Raises:
        ConfigError: If there is none.
    """
    if name not in READERS:
        hint = "Name one of them in the task's layouts."
        raise ConfigError(f"'{name}' is not a reader", key="layouts.reader", value=name, allowed=READERS, hint=hint)
    return READERS[name]


TAG_READERS: dict[str, Callable[[tuple[Path, ...]], set[str]]] = {
    "sentence_lines": readers_tags.tag_words,
    "arrow": readers_arrow.tag_words,
}
"""Name in `Layout.reader` -> function that collects the tags of its files, for tasks that take labels from data."""


def check_kind(row: object, task: Task, reader: str, path: Path) -> None:
    """Check that a reader gives examples of a task's kind.

    Args:
        row: The first example that it gave, or the two sides of a bitext.
        path: The file, for the error.

    Raises:
        ConfigError: If it gives others.
    """
    if not isinstance(row, EXAMPLES[task.kind]):
        problem = f"the reader '{reader}' gives no examples of the kind {task.kind.value}, which {task.name} is"
        hint = "Change the kind of the task, or its reader."
        raise ConfigError(problem, path=path, key="layouts.reader", hint=hint)


def get_tag_reader(name: str) -> Callable[[tuple[Path, ...]], set[str]]:
    """Return the function that collects the tags of files, by the name of their reader.

    Raises:
        ConfigError: If the labels of such files cannot be read from the data.
    """
    if name not in TAG_READERS:
        problem = f"the tags of files read by '{name}' cannot be learnt from the data"
        raise ConfigError(problem, key="labels_from_data", value=name, allowed=TAG_READERS, hint="Give labels.")
    return TAG_READERS[name]
