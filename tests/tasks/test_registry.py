import subprocess
import sys

import pytest

from adaptstilts.errors import ConfigError, ProblemsError
from adaptstilts.languages import get_language
from adaptstilts.readers.registry import READERS
from adaptstilts.tasks import registry
from adaptstilts.tasks.registry import (
    all_tasks,
    benchmark_tasks,
    get_task,
    intermediate_tasks,
    target_tasks,
    training_chain,
    training_task,
)
from adaptstilts.tasks.spec import BenchmarkName, Kind, Layout, Metric, Phase, Size, Split, Task

XTREME = {code for task in target_tasks() for code in task.languages}
TASKS = pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)


def layouts_of(task: Task) -> list[Layout]:
    found = list(task.layouts.values())
    for layout in found:
        found += [*layout.parts, *([layout.otherwise] if layout.otherwise else [])]
    return found


def test_registry_holds_nine_tasks_per_phase_in_the_papers_order():
    assert [task.name for task in intermediate_tasks()] == [
        "anli", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "commonsenseqa",
    ]  # fmt: skip
    assert [task.name for task in target_tasks()] == [
        "xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba",
    ]  # fmt: skip
    assert all_tasks()[:18] == intermediate_tasks() + target_tasks()


def test_registry_ends_with_what_xtreme_r_adds_and_what_trains_only_that_and_what_is_in_no_benchmark():
    assert [(task.name, task.phase) for task in all_tasks()[18:27]] == [
        ("xcopa", Phase.TARGET),
        ("tatoeba_r", Phase.TARGET),
        ("mewslix", Phase.TARGET),
        ("lareqa", Phase.TARGET),
        ("siqa", Phase.TRAINING),
        ("copa", Phase.TRAINING),
        ("wikipairs", Phase.TRAINING),
        ("squad_r", Phase.TRAINING),
        ("multichecklist", Phase.TARGET),
    ]
    assert not any(task.benchmarks for task in all_tasks()[26:])


@TASKS
def test_task_is_consistent(task):
    assert task.name == task.name.lower()
    assert task.name.replace("_", "").isalnum()
    assert task.title
    assert task.citation
    assert task.licence
    assert len(set(task.languages)) == len(task.languages)
    for code in task.languages:
        get_language(code)
    assert "en" not in task.languages or task.languages[0] == "en"
    assert (task.group is not None) == bool(task.benchmarks)
    assert not task.benchmarks or task.phase is Phase.TARGET
    assert task.trains == (task.kind is not Kind.RETRIEVE or task.train_task is not None)
    needs_labels = task.kind in (Kind.CLASSIFY, Kind.TAG) and not task.labels_from_data
    assert bool(task.labels) == needs_labels
    assert (task.pool is not None) == (task.kind is Kind.MATCH and task.phase is Phase.TARGET)
    assert task.rows is None or task.rows >= 400


@TASKS
def test_layouts_of_task_name_known_readers_and_relative_files(task):
    for layout in layouts_of(task):
        assert layout.reader in READERS
        for name in (name for alternative in layout.files for name in alternative):
            assert not name.startswith("/")
            name.format(language="de", language3="deu", name="German", name_lower="german")


@TASKS
def test_training_task_has_training_and_dev_files_in_english(task):
    trained = training_task(task)
    if task.trains:
        assert Split.TRAIN in trained.layouts
        assert Split.DEV in trained.layouts
        assert trained.languages[0] == "en"
        assert (trained.labels, trained.rows) == (task.labels, task.rows)
        assert trained.kind is task.kind or task.kind is Kind.RETRIEVE
    else:
        assert Split.TRAIN not in trained.layouts


@pytest.mark.parametrize(
    ("name", "count"),
    [("xnli", 15), ("pawsx", 7), ("udpos", 33), ("panx", 40), ("xquad", 11), ("mlqa", 7), ("tydiqa", 9),
     ("bucc2018", 4), ("tatoeba", 36)],
)  # fmt: skip
def test_target_has_as_many_languages_as_in_xtreme(name, count):
    languages = get_task(name).languages
    assert len(languages) == count
    assert set(languages) <= XTREME


def test_languages_of_the_targets_are_the_forty_of_xtreme_and_the_fifty_of_xtreme_r():
    assert len(XTREME) == 40
    tasks = benchmark_tasks(BenchmarkName.XTREME_R)
    assert len(XTREME | {code for task in tasks for code in task.official(BenchmarkName.XTREME_R)}) == 50


@pytest.mark.parametrize(
    ("name", "count"),
    [("xnli", 15), ("udpos", 38), ("panx", 48), ("xquad", 12), ("mlqa", 7), ("tydiqa", 9),
     ("xcopa", 11), ("tatoeba_r", 41), ("mewslix", 11), ("lareqa", 11)],
)  # fmt: skip
def test_target_has_as_many_languages_as_in_xtreme_r(name, count):
    task = get_task(name)
    assert len(set(task.official(BenchmarkName.XTREME_R))) == count
    assert not XTREME & set(task.languages_r)
    assert task.official(BenchmarkName.XTREME) == task.languages


def test_benchmark_tasks_are_the_nine_of_xtreme_and_those_of_xtreme_r():
    assert benchmark_tasks(BenchmarkName.XTREME) == target_tasks()
    assert [task.name for task in benchmark_tasks(BenchmarkName.XTREME_R)] == [
        "xnli", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba_r", "mewslix", "lareqa",
    ]  # fmt: skip


def test_training_chain_ends_with_the_training_task():
    assert [task.name for task in training_chain(get_task("xcopa"))] == ["siqa", "copa"]
    assert [task.name for task in training_chain(get_task("siqa"))] == ["siqa"]
    assert [task.name for task in training_chain(get_task("xquad"))] == ["squad1"]


def test_nli_tasks_share_one_label_order():
    orders = {get_task(name).labels for name in ("anli", "mnli", "xnli")}
    assert orders == {("contradiction", "entailment", "neutral")}


@pytest.mark.parametrize(("name", "trained"), [("xnli", "mnli"), ("xquad", "squad1"), ("mlqa", "squad1")])
def test_training_task_is_the_one_whose_rows_are_shared(name, trained):
    assert training_task(get_task(name)).name == trained


@pytest.mark.parametrize(
    ("wrong", "guess"), [("xnly", "xnli"), ("XNLI", "xnli"), ("squad", "squad1"), ("bucc", "bucc2018")]
)
def test_get_task_suggests_a_near_match_when_name_is_unknown(wrong, guess):
    with pytest.raises(ConfigError, match=rf"'{wrong}' is not a task\..*Did you mean '{guess}'\?"):
        get_task(wrong)


def test_get_task_points_to_the_list_when_nothing_is_near():
    with pytest.raises(ConfigError, match=r"'zzz' is not a task.*Allowed: anli, mnli.*See: adaptstilts tasks"):
        get_task("zzz")


def test_registry_imports_neither_torch_nor_transformers_nor_numpy():
    script = (
        "import sys, adaptstilts.tasks.registry, adaptstilts.readers.data_root, adaptstilts.encoding.features\n"
        "sys.exit(str([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


@pytest.fixture
def own_table(monkeypatch):
    """A table of tasks that the test alone sees."""
    monkeypatch.setattr(registry, "_TASKS", dict(registry._TASKS))


READER = {Kind.TAG: "word_lines", Kind.EXTRACT: "squad", Kind.CHOOSE: "copa", Kind.MATCH: "xquad_r"}


def toy(**changes) -> Task:
    reader = READER.get(changes.get("kind"), "pairs_tsv")
    declaration = {
        "name": "toy_nli",
        "title": "Toy NLI",
        "phase": Phase.TARGET,
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "size": Size(30),
        "labels": ("no", "yes"),
        "layouts": {split: Layout(reader, ((f"toy/{split.value}-{{language}}.tsv",),)) for split in Split},
    }
    return Task(**(declaration | changes))


def test_registered_task_is_found_like_any_other(own_table):
    registry.register(toy())
    assert get_task("toy_nli") == all_tasks()[-1]
    registry.register(toy(name="toy_nli_r", train_task="toy_nli"))
    assert [task.name for task in training_chain(get_task("toy_nli_r"))] == ["toy_nli"]
    assert toy() not in intermediate_tasks() + target_tasks()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "xnli"}, r"there is a task 'xnli' already\. Give the new one another name"),
        ({"name": "Toy"}, r"'Toy' cannot name a task\. Allowed: lower case"),
        ({"name": "../toy"}, r"'\.\./toy' cannot name a task"),
        ({"train_task": "mnil"}, r"'mnil', the train_task of 'toy_nli', is not a task\. .*mnli"),
        ({"after": "mnil"}, r"'mnil', the after of"),
        ({"labels": ()}, r"labels: 'toy_nli': a task of kind classify needs label words"),
        ({"labels": ("yes", "yes")}, r"labels: 'toy_nli': 'yes' is given twice"),
        ({"labels": ("yes",)}, r"labels: 'toy_nli' has only one label word, 'yes'\. Give two"),
        ({"metric": Metric.SQUAD}, r"metric: .* kind classify is not scored by squad\. Allowed: accuracy, accuracy_f1"),
        ({"metric": Metric.ACCURACY_F1, "labels": ("a", "b", "c")}, r"metric: .*accuracy_f1 is for two classes, not 3"),
        ({"unanswerable": True, "metric": Metric.ACCURACY}, r"unanswerable: 'toy_nli': only tasks of kind extract"),
        ({"kind": Kind.TAG, "labels_from_data": True, "size": Size(tags=2)}, r"labels_from_data: .*Leave one of the"),
        ({"languages": ("en", "de", "en")}, r"languages: 'toy_nli': 'en' is given twice"),
        ({"layouts": dict.fromkeys(Split, Layout("texts", ()))}, r"layouts\.files: 'toy_nli': a layout names no file"),
        ({"folder": "../x"}, r"folder: 'toy_nli': '\.\./x' cannot be its folder\. Allowed: lower case"),
        ({"kind": Kind.EXTRACT}, r"labels: 'toy_nli': a task of kind extract has no label words"),
        ({"labels": (), "labels_from_data": True}, r"size\.tags: .*give their number"),
        ({"kind": Kind.CHOOSE, "labels": ()}, r"size\.choices: .*at least two choices"),
        ({"kind": Kind.MATCH, "labels": ()}, r"pool: .*a target of kind match needs a pool"),
        ({"pool": Layout("entities", (("pool.jsonl",),))}, r"pool: .*a target of kind classify has no pool"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_task_that_cannot_be_used_is_not_registered(own_table, changes, message):
    before = all_tasks()
    with pytest.raises(ConfigError, match=message):
        registry.register(toy(**changes))
    assert all_tasks() == before


def test_all_problems_of_a_task_are_told_at_once(own_table):
    with pytest.raises(ProblemsError) as caught:
        registry.register(toy(name="xnli", labels=()))
    assert len(caught.value.problems) == 2


@TASKS
def test_tasks_of_the_package_would_pass_the_checks_of_registering(monkeypatch, task):
    monkeypatch.setattr(registry, "_TASKS", {other.name: other for other in all_tasks() if other is not task})
    registry.register(task)
