"""Files of declarations: readers that exist and fit the task, and languages and splits that are told apart."""

from __future__ import annotations

from typing import Any

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.match import POOL_READERS
from adaptstilts.readers.registry import EXAMPLES, READERS
from adaptstilts.tasks.files import problems_of_layouts
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.layouts import choices, first_of, texts
from adaptstilts.tasks.reader_facts import READER_FACTS
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import Kind, Layout, Split, Task

OWN = texts("{language}/train.tsv")
MARKED = texts("moods.tsv", language="language", split="split")


def moods(layouts: dict[Split, Layout], **changes: Any) -> Task:
    declaration: dict[str, Any] = {
        "name": "moods",
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "labels": ("bad", "good"),
        "layouts": layouts,
    }
    return Task(**(declaration | changes))


def faults(layouts: dict[Split, Layout], **changes: Any) -> list[str]:
    return list(map(str, problems_of_layouts(moods(layouts, **changes))))


def with_test(layout: Layout) -> dict[Split, Layout]:
    return {Split.TRAIN: OWN, Split.TEST: layout}


def test_table_of_facts_has_every_reader():
    assert set(READER_FACTS) == {*READERS, *POOL_READERS}
    assert {name for name, facts in READER_FACTS.items() if facts.gives_candidates} == set(POOL_READERS)
    assert {kind for facts in READER_FACTS.values() for kind in facts.kinds} == set(EXAMPLES)


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_files_of_the_packages_tasks_have_no_problem(task: Task):
    assert list(problems_of_layouts(task)) == []


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (Layout("nosuch", (("{language}.tsv",),)),
         "layouts.test.reader: 'moods': 'nosuch' is not a reader. Allowed: pairs_jsonl, pairs_tsv, "
         "pairs_parallel, table, texts, qqp, hub_pairs."),
        (Layout("text", (("{language}.tsv",),)), "'text' is not a reader. Did you mean 'texts'?"),
        (Layout("entities", (("{language}.tsv",),)), "the reader 'entities' gives no rows of a task of kind classify."),
        (Layout("squad", (("{language}.json",),)), "the reader 'squad' gives no rows of a task of kind classify."),
        (texts("{language}.tsv", frist="a"), "layouts.test.options: 'moods': 'frist' is not an option of the reader"),
        (texts("{language}.tsv", words="a b c"), "layouts.test.words: 'moods': 3 label words for the 2 labels of the"),
        (first_of(texts("{language}.tsv"), Layout("nosuch", (("{language}",),))), "'nosuch' is not a reader"),
    ],
    ids=lambda value: value[-30:] if isinstance(value, str) else "",
)  # fmt: skip
def test_reader_that_cannot_read_the_rows_is_named_with_those_that_can(layout: Layout, message: str):
    (fault,) = faults(with_test(layout))
    assert message in fault


def test_reader_that_does_not_exist_is_the_only_problem_of_its_files():
    (fault,) = faults(dict.fromkeys(Split, Layout("nosuch", (("all.tsv",),))))
    assert "layouts.train.reader: 'moods': 'nosuch' is not a reader." in fault


def test_pool_needs_a_reader_of_candidates():
    layouts = {Split.TEST: Layout("mentions", (("{language}.jsonl",),))}
    pool = Layout("mentions", (("pool.jsonl",),))
    (fault,) = faults(layouts, kind=Kind.MATCH, labels=(), pool=pool)
    assert "pool.reader: 'moods': the reader 'mentions' gives no candidates" in fault
    assert "Allowed: xquad_r_candidates, entities" in fault


@pytest.mark.parametrize(
    "layout",
    [
        texts("all.tsv"),
        texts("{language}.tsv", "all.tsv"),
        first_of(texts("{language}.tsv"), texts("all.tsv")),
        texts("all.tsv", holds=("en", "de", "fr")),
        Layout("pairs_tsv", (("all.tsv",),)),
    ],
    ids=["one", "second path", "otherwise", "holds", "no option"],
)
def test_one_file_for_every_language_is_an_error(layout: Layout):
    (fault,) = faults(with_test(layout))
    assert "layouts.test.files: 'moods': each of its 2 languages would read the same rows of 'all.tsv'." in fault
    assert "{language} into the path, for a file per language. If all rows are English: holds=('en',)." in fault
    assert ("language='...'" in fault) == (layout.reader == "texts")


@pytest.mark.parametrize(
    "layouts",
    [
        dict.fromkeys(Split, MARKED),
        {Split.TRAIN: texts("train.tsv"), Split.TEST: texts("{language}.tsv")},
        {Split.TRAIN: OWN, Split.DEV: texts("dev.tsv", holds=("en",)), Split.TEST: texts("{name}.tsv")},
        with_test(Layout("texts", (("{language}.txt", "labels.txt"),))),
    ],
    ids=["columns", "English training file", "English dev file", "labels for all"],
)
def test_languages_that_are_told_apart_are_no_problem(layouts: dict[Split, Layout]):
    assert faults(layouts) == []


def test_one_file_of_a_task_in_one_language_is_no_problem():
    assert faults({Split.TRAIN: texts("a.tsv"), Split.TEST: texts("b.tsv")}, languages=("en",)) == []
    quiz = {Split.TRAIN: choices("a.csv", choices="a b"), Split.DEV: choices("b.csv", choices="a b")}
    assert faults(quiz, languages=("en",), kind=Kind.CHOOSE, labels=()) == []


@pytest.mark.parametrize(
    "layouts",
    [
        dict.fromkeys((Split.TRAIN, Split.TEST), texts("{language}.tsv")),
        {Split.TRAIN: texts("{language}.tsv", split="split"), Split.TEST: texts("{language}.tsv")},
        {Split.TRAIN: texts("train.tsv", "{language}.tsv"), Split.TEST: texts("{language}.tsv", label="y")},
        dict.fromkeys((Split.TRAIN, Split.TEST), Layout("pairs_tsv", (("{language}.tsv",),))),
    ],
    ids=["both", "one", "second path", "no option"],
)
def test_one_file_for_several_splits_is_an_error(layouts: dict[Split, Layout]):
    (fault,) = faults(layouts)
    assert "layouts: 'moods': train and test would read the same rows of '{language}.tsv'." in fault
    assert "ive each split a file of its own." in fault
    assert ("split='...'" in fault) == (layouts[Split.TEST].reader == "texts")


def test_training_file_without_languages_is_english(data_root):
    text = "text\tlabel\nA.\tgood\n"
    root: DataRoot = data_root({"train.tsv": text, "en.tsv": text})
    task = moods({Split.TRAIN: texts("train.tsv"), Split.TEST: texts("{language}.tsv")})
    assert root.languages(task, Split.TRAIN) == ("en",)
    assert root.evaluation_languages(task) == ("en",)


def test_question_needs_the_columns_of_its_answers():
    (fault,) = faults({Split.TEST: choices("{language}.csv", choices="a")}, kind=Kind.CHOOSE, labels=())
    assert (
        "layouts.test.choices: 'moods': expected the columns of at least two answers, found 1. Write choices" in fault
    )


def test_every_kind_of_task_has_readers():
    for kind in Kind:
        given = [facts.gives_candidates for facts in READER_FACTS.values() if kind in facts.kinds]
        assert False in given
        assert FACTS[kind].has_candidates == (True in given)


def test_options_of_the_readers_of_own_tables_are_checked_when_they_are_read_too(data_root):
    root: DataRoot = data_root({"en.tsv": "text\tlabel\nA.\tgood\n"})
    with pytest.raises(ConfigError, match=r"'col' is not an option of the reader 'texts'\. Allowed: label"):
        root.load(moods(with_test(texts("{language}.tsv", col="x"))), Split.TEST, "en")
