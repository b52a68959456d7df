"""Values of declarations: each is of the declared type, or one error names the field, the value and what is allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.errors import ConfigError, ProblemsError
from adaptstilts.tasks.fields import checked_fields
from adaptstilts.tasks.layouts import texts
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import BenchmarkName, Hub, Kind, Layout, Metric, Phase, Size, Split, Task

LAYOUT = texts("moods.tsv", split="split")


def moods(**changes: Any) -> Task:
    declaration: dict[str, Any] = {
        "name": "moods",
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "labels": ("bad", "good"),
        "layouts": dict.fromkeys(Split, LAYOUT),
    }
    return Task(**(declaration | changes))


def laid_out(**changes: Any) -> Task:
    return moods(layouts=dict.fromkeys(Split, replace(LAYOUT, **changes)))


WRONG = [
    (lambda: moods(kind="foo"), r"^kind: 'foo' is not a Kind\. Allowed: classify, choose, tag, extract, "),
    (lambda: moods(kind="clasify"), r"^kind: 'clasify' is not a Kind\. Did you mean 'classify'\?"),
    (lambda: moods(kind=None), r"^kind: None is not a Kind"),
    (lambda: moods(metric="foo"), r"^metric: 'foo' is not a Metric\. Allowed: accuracy, "),
    (lambda: moods(phase="x"), r"^phase: 'x' is not a Phase\. Allowed: intermediate, target, training"),
    (lambda: moods(group="x"), r"^group: 'x' is not a Group"),
    (lambda: moods(benchmarks=("x",)), r"^benchmarks\[0\]: 'x' is not a BenchmarkName\. Allowed: xtreme, xtreme_r"),
    (lambda: moods(name=3), r"^name: 3 is not text"),
    (lambda: moods(languages="en"), r"^languages: 'en' is one text where a list belongs\. Write \('en',\)\."),
    (lambda: moods(languages=("en", 3)), r"^languages\[1\]: 3 is not text"),
    (lambda: moods(labels={"bad", "good"}), r"^labels: \{.*\} is not a list"),
    (lambda: moods(layouts=LAYOUT), r"^layouts: .* is not a dict\. Write \{Split\.TRAIN: \.\.\.\}"),
    (lambda: moods(layouts={"trian": LAYOUT}), r"^layouts: 'trian' is not a Split\. Did you mean 'train'"),
    (lambda: moods(layouts=dict.fromkeys(Split, "m.tsv")), r"^layouts\.train: 'm\.tsv' is not a Layout\. Write Layout"),
    (lambda: moods(pool="x"), r"^pool: 'x' is not a Layout"),
    (lambda: moods(size=3), r"^size: 3 is not a Size\. Write Size\(\.\.\.\), with the fields length, "),
    (lambda: moods(size=Size(length="x")), r"^size\.length: 'x' is not a number"),
    (lambda: moods(size=Size(tags=-1)), r"^size\.tags: -1 is out of range\. Allowed: 0 and above"),
    (lambda: moods(size=Size(length=float("nan"))), r"^size\.length: nan is out of range"),
    (lambda: moods(recipe={"epochs": 3}), r"^recipe: \{'epochs': 3\} is not a Recipe\. Write Recipe\(.*fields full, "),
    (lambda: moods(hub="a/b"), r"^hub: 'a/b' is not a Hub\. Write Hub\(\.\.\.\), with the fields repository, config"),
    (lambda: moods(labels="bad"), r"^labels: 'bad' is one text where a list belongs\. Write \('bad',\)\."),
    (lambda: moods(rows=2.5), r"^rows: 2\.5 is not a whole number"),
    (lambda: moods(rows=True), r"^rows: True is not a whole number"),
    (lambda: moods(trains="yes"), r"^trains: 'yes' is not True or False"),
    (lambda: moods(hub=Hub(repository="a/b", columns={"x": "y"})), r"^hub\.columns: .* not a list\. Write \(\('x', 'y"),
    (lambda: moods(recipe=Recipe(full=3)), r"^recipe\.full: 3 is not a PartialSettings"),
    (lambda: moods(recipe=Recipe(full=PartialSettings(epochs="x"))), r"^recipe\.full\.epochs: 'x' is not a whole"),
    (lambda: laid_out(files="m.tsv"), r"^layouts\.train\.files: 'm\.tsv' is one .* Write \(\('m\.tsv',\),\)\.$"),
    (lambda: laid_out(files=("m.tsv",)), r"^layouts\.train\.files\[0\]: 'm\.tsv' is one text .* Write \('m\.tsv',\)\."),
    (lambda: laid_out(codes=(("sw",),)), r"^layouts\.train\.codes\[0\]: \('sw',\) does not have 2 parts"),
    (lambda: laid_out(otherwise=replace(LAYOUT, reader=3)), r"^layouts\.train\.otherwise\.reader: 3 is not text"),
]  # fmt: skip


@pytest.mark.parametrize(("declare", "message"), WRONG, ids=[message[1:30] for _, message in WRONG])
def test_value_of_the_wrong_type_is_one_error_that_names_the_field(declare: Any, message: str):
    with pytest.raises(ConfigError, match=message):
        declare()


def test_all_wrong_fields_are_told_at_once():
    with pytest.raises(ProblemsError) as caught:
        moods(kind="foo", size=Size(choices="x"), languages=(1, 2))
    assert [problem.key for problem in caught.value.problems] == ["kind", "languages[0]", "size.choices"]


def test_lists_and_the_words_of_enumerations_are_taken_as_what_they_stand_for():
    given = moods(
        kind="classify",
        phase="intermediate",
        metric="accuracy",
        languages=["en", "de"],
        labels=["bad", "good"],
        layouts={split.value: replace(LAYOUT, files=[["moods.tsv"]]) for split in Split},
    )
    assert given == moods(phase=Phase.INTERMEDIATE, metric=Metric.ACCURACY)
    assert hash(given) == hash(moods(phase=Phase.INTERMEDIATE))
    assert moods(benchmarks=["xtreme"]).benchmarks == (BenchmarkName.XTREME,)


def test_declarations_of_the_package_are_as_declared():
    assert [task.name for task in all_tasks() if checked_fields(task)] == []


def test_layout_that_is_shared_by_splits_stays_one():
    layouts = moods(layouts=dict.fromkeys(Split, replace(LAYOUT, files=[["m.tsv"]]))).layouts
    assert layouts[Split.TRAIN] is layouts[Split.TEST]
    assert isinstance(layouts[Split.TRAIN], Layout)
