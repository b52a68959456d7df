"""Names that are not known are followed by what was meant, wherever a language or a task is named."""

from __future__ import annotations

import time

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.languages import all_languages
from adaptstilts.suggestions import near_matches
from adaptstilts.tasks.registry import all_tasks, get_task

CODES = [language.code for language in all_languages()]
TASKS = [task.name for task in all_tasks()]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("EN", "en"), ("zh-CN", "zh"), ("zh_Hans", "zh"), ("ZH-tw", "zh"), ("jw", "jv"), ("iw", "he"), ("in", "id"),
        ("pt-BR", "pt"), ("deu", "de"), ("ger", "de"), ("German", "de"), ("Haitian Creole", "ht"), ("cmn", "zh"),
        ("swh", "sw"), ("fil", "tl"), ("farsi", "fa"), ("IW-IL", "he"),
    ],
)  # fmt: skip
def test_languages_are_known_by_old_regional_and_other_codes(word, meant):
    assert near_matches(word, CODES) == [meant]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("PAN-X", "panx"), ("WikiANN", "panx"), ("PAWS-X", "pawsx"), ("pawsx ", "pawsx"), ("tydi", "tydiqa"),
        ("TyDiQA-GoldP", "tydiqa"), ("SQuAD", "squad1"), ("SQuAD v2.0", "squad2"), ("MultiNLI", "mnli"),
        ("XQuAD", "xquad"), ("UD-POS", "udpos"), ("BUCC", "bucc2018"), ("Cosmos QA", "cosmosqa"),
        ("Mewsli-X", "mewslix"), ("mnlii", "mnli"),
    ],
)  # fmt: skip
def test_tasks_are_known_by_other_spellings(word, meant):
    assert near_matches(word, TASKS) == [meant]
    if word.strip() != meant:
        with pytest.raises(ConfigError, match=rf"'{word}' is not a task\. Did you mean '{meant}'\?"):
            get_task(word)


def test_other_names_count_only_where_their_meaning_is_allowed():
    assert near_matches("in", ["label", "text"]) == []
    assert near_matches("chi", ["label", "text"]) == []


@pytest.mark.parametrize("word", ["PAN-X", "x-y", "en,de", "Serbian"])
def test_what_only_looks_like_a_code_is_none(word):
    assert near_matches(word, CODES) == []


def test_a_long_value_costs_no_time():
    assert near_matches("x" * 10_000_000, CODES) == []


@pytest.mark.parametrize("length", [20, 200, 2_000])
def test_many_long_names_are_compared_soon(length):
    names = [f"{number:06}" + "abcdefgh-z" * (length // 10) for number in range(min(5_000_000 // length, 50_000))]
    started = time.monotonic()
    assert near_matches(names[5].upper(), names) == [names[5]]
    near_matches("gh-zabcdef" * (length // 10), names)
    assert time.monotonic() - started < 10
