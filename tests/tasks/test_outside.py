"""Tasks from outside the package: from Python files, from installed packages, in keys and in workers."""

from __future__ import annotations

import functools
import importlib.metadata
import pickle
from pathlib import Path

import pytest

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.errors import ConfigError, ProblemsError
from adaptstilts.languages import get_language
from adaptstilts.tasks import registry
from adaptstilts.tasks.layouts import choices, texts
from adaptstilts.tasks.outside import register_from_file
from adaptstilts.tasks.registry import (
    adopt,
    all_tasks,
    benchmark_tasks,
    broken_packages,
    declaration_digest,
    get_task,
    outside_tasks,
    register,
    training_chain,
)
from adaptstilts.tasks.spec import BenchmarkName, Hub, Kind, Metric, Phase, Size, Split, Task, declared, declared_whole

HEAD = "from adaptstilts.tasks.layouts import texts\nfrom adaptstilts.tasks.spec import Kind, Split, Task\n"


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch):
    """A table of tasks that the test alone sees."""
    monkeypatch.setattr(registry, "_TASKS", dict(registry._OWN))
    monkeypatch.setattr(
        registry, "_add_tasks_of_packages", functools.cache(registry._add_tasks_of_packages.__wrapped__)
    )


def moods(**changes: object) -> Task:
    declaration: dict[str, object] = {
        "name": "moods",
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "labels": ("bad", "good"),
        "layouts": dict.fromkeys(Split, texts("moods.tsv", language="language", split="split")),
    }
    return Task(**(declaration | changes))


def literal(name: str = "moods", rest: str = "") -> str:
    return (
        f'{name.upper()} = Task(\n    name="{name}", kind=Kind.CLASSIFY, languages=("en", "de"),\n'
        '    labels=("bad", "good"),\n'
        f'    layouts=dict.fromkeys(Split, texts("moods.tsv", language="language", split="split")), {rest}\n)\n'
    )


def written(folder: Path, text: str) -> Path:
    path = folder / "own.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_short_literal_gets_title_phase_metric_and_size():
    task = moods()
    assert (task.title, task.phase, task.metric, task.size) == ("moods", Phase.TARGET, Metric.ACCURACY, Size())
    assert moods(kind=Kind.EXTRACT, unanswerable=True).metric is Metric.SQUAD2
    assert moods(metric=Metric.TOKEN_ACCURACY).metric is Metric.TOKEN_ACCURACY


def test_file_registers_its_tasks_in_their_order_and_not_those_that_it_imports(tmp_path: Path):
    text = (
        HEAD + "from adaptstilts.tasks.xtreme import XNLI\n" + literal("moods") + literal("tones", 'train_task="moods"')
    )
    found = register_from_file(written(tmp_path, text))
    assert [task.name for task in found] == ["moods", "tones"] == [task.name for task in outside_tasks()]
    assert get_task("moods") == moods()
    assert not {task.name for task in benchmark_tasks(BenchmarkName.XTREME)} & {"moods", "tones"}


def test_file_can_be_read_again_and_another_declaration_only_in_its_place(tmp_path: Path):
    register_from_file(written(tmp_path, HEAD + literal()))
    register_from_file(tmp_path / "own.py")
    changed = written(tmp_path, HEAD + literal(rest='licence="free"'))
    with pytest.raises(ConfigError, match=r"own\.py:3: there is a task 'moods' already.*replace=True"):
        register_from_file(changed)
    register_from_file(changed, replace=True)
    assert get_task("moods").licence == "free"


@pytest.mark.parametrize("replace", [False, True])
def test_two_tasks_of_one_name_in_a_file_are_an_error_that_names_both(tmp_path: Path, replace: bool):
    text = HEAD + literal() + literal(rest='licence="free"').replace("MOODS", "OTHER")
    message = r"own\.py:8: 'moods' is the name of the task in line 3, too\. Rename or remove one of the two\.$"
    with pytest.raises(ConfigError, match=message):
        register_from_file(written(tmp_path, text), replace=replace)
    assert outside_tasks() == ()


def test_file_may_register_its_tasks_itself_or_import_them_and_be_read_again(tmp_path: Path, monkeypatch):
    own = "import adaptstilts\n" + HEAD + literal() + "adaptstilts.register_task(MOODS)\n"
    path = written(tmp_path, own)
    assert register_from_file(path) == register_from_file(path) == (moods(),)
    (tmp_path / "more_moods.py").write_text(own.replace("moods", "more_moods"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    path = written(tmp_path, "from more_moods import MOODS\n")
    assert register_from_file(path) == register_from_file(path) == (get_task("more_moods"),)
    assert [task.name for task in outside_tasks()] == ["moods", "more_moods"]


def test_file_that_registers_a_task_itself_and_then_fails_registers_none(tmp_path: Path):
    text = "import adaptstilts\n" + HEAD + literal() + "adaptstilts.register_task(MOODS)\nMOODS / 0\n"
    with pytest.raises(ConfigError, match="TypeError"):
        register_from_file(written(tmp_path, text))
    assert outside_tasks() == ()


def test_tasks_that_replace_others_cannot_be_trained_on_themselves():
    register(moods())
    register(moods(name="tones", after="moods"))
    for change in ({"after": "tones"}, {"train_task": "tones"}, {"after": "moods"}):
        with pytest.raises(ConfigError, match="'moods' would be trained on itself"):
            register(moods(**change), replace=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A = 1\nB = (\n", r"own\.py:2: not Python \('\(' was never closed\)"),
        ("A = 1\nB = A / 0\n", r"own\.py:2: ZeroDivisionError: division by zero"),
        ("\nraise SystemExit\n", r"own\.py:2: SystemExit\."),
        ("import no_such_module\n", r"own\.py:1: ModuleNotFoundError: .*no_such_module"),
        ("A = 1\n", r"own\.py: holds no task\. Write NAME = Task"),
        ("A = '\0'\n", r"own\.py: not Python"),
        (HEAD + "A = Task(name='a', languages=('en',))\n", r"own\.py:3: TypeError: .*'kind'"),
        (HEAD + literal().replace("Kind.CLASSIFY", "'foo'"), r"own\.py:3: kind: 'foo' is not a Kind\. Allowed"),
        (HEAD + "\n" + literal(rest='train_task="mnil"'), r"own\.py:4: 'mnil', the train_task of 'moods'.*mnli"),
        (HEAD + literal().replace('"de"', '"German"'), r"own\.py:3: languages: 'German' is not a language code.*'de'"),
        (HEAD + literal().replace("moods.tsv", "/moods.tsv"), r"own\.py:3: layouts\.files: .*below the data root"),
        (HEAD + literal().replace("moods.tsv", "../moods.tsv"), r"own\.py:3: layouts\.files: .*below the data root"),
        (HEAD + literal().replace("moods.tsv", "{lang}.tsv"), r"own\.py:3: layouts\.files: .*\{lang\}.*'language'"),
        (HEAD + literal().replace('("en", "de")', '("de",)'), r"own\.py:3: languages: 'moods' is trained in English"),
        (HEAD + literal().replace("(Split,", "((Split.TEST,),"), r"own\.py:3: layouts: 'moods' has no training files"),
        (HEAD + literal().replace("(Split,", "((Split.TRAIN,),"), r"own\.py:3: layouts: .*without dev and test files"),
        (HEAD + literal().replace('split="split"', 'split="split", col="x"'),
         r"own\.py:3: layouts\.train\.options: 'moods': 'col' is not an option of the reader 'texts'\. Allowed"),
        (HEAD + literal().replace('language="language", ', ""),
         r"own\.py:3: layouts\.dev\.files: .* each of its 2 languages would read the same rows of 'moods\.tsv'\. "
         r"Name the column of the language: language='\.\.\.'\. Or put \{language\} into the path"),
        (HEAD + literal().replace(', split="split"', ""),
         r"own\.py:3: layouts: 'moods': train and dev and test would read the same rows of 'moods\.tsv'\. "
         r"Name the column of the split: split='\.\.\.'\. Or give each split a file"),
        (HEAD + literal("xnli"), r"own\.py:3: there is a task 'xnli' already\. Give the new one another name"),
    ],
    ids=lambda value: "" if "\n" in value or "\0" in value else value[:40],
)  # fmt: skip
def test_fault_of_a_file_is_one_error_with_file_and_line(tmp_path: Path, text: str, message: str):
    before = all_tasks()
    with pytest.raises(ConfigError, match=message):
        register_from_file(written(tmp_path, text), replace=True)
    assert all_tasks() == before


def test_no_task_of_a_file_is_registered_if_one_cannot_be(tmp_path: Path):
    text = HEAD + literal("moods") + literal("Tones") + literal("tunes", 'after="none"')
    with pytest.raises(ProblemsError, match=r"own\.py:8: 'Tones' cannot name(.|\n)*own\.py:13: 'none', the after"):
        register_from_file(written(tmp_path, text))
    assert outside_tasks() == ()


def test_file_that_cannot_be_read_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"gone\.py: cannot be read: No such file or directory.*docs/tasks\.md"):
        register_from_file(tmp_path / "gone.py")
    with pytest.raises(ConfigError, match=r"is a folder, not a file\. Give a Python file"):
        register_from_file(tmp_path)


def test_task_of_a_benchmark_is_refused_from_outside():
    with pytest.raises(ConfigError, match=r"benchmarks: 'moods' is no task of xtreme"):
        register(moods(benchmarks=(BenchmarkName.XTREME,)))


def test_languages_of_a_task_are_known_by_their_codes():
    register(moods(languages=("en", "ast_Latn", "zh-Hant", "quc")))
    assert get_language("ast_Latn").name == "ast_Latn"
    with pytest.raises(ConfigError, match="Write 'de' for German"):
        register(moods(name="tones", languages=("en", "deu")))


# Keys


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Moods"},
        {"phase": Phase.INTERMEDIATE},
        {"languages": ("en", "de", "fr")},
        {"labels": ("good", "bad")},
        {"train_task": "mnli"},
        {"after": "mnli"},
        {"layouts": dict.fromkeys(Split, texts("other.tsv", split="split"))},
        {"layouts": dict.fromkeys(Split, texts("moods.tsv", split="part"))},
        {"layouts": dict.fromkeys(Split, texts("moods.tsv", split="split", codes=(("de", "deu"),)))},
        {"rows": 3},
        {"folder": "there"},
        {"licence": "free"},
        {"size": Size(3)},
        {"recipe": Recipe(full=PartialSettings(epochs=9))},
        {"hub": Hub("another/repository")},
        {"low_resource": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whole_declaration_of_an_outside_task_counts_in_keys(change):
    assert declaration_digest(moods(**change)) != declaration_digest(moods())


def test_fields_with_their_default_value_do_not_count_so_that_new_ones_can_be_added():
    assert declared_whole(moods()) == declared_whole(moods(rows=None, size=Size(40), title="moods"))
    in_stores = moods(layouts=dict.fromkeys(Split, texts("moods.tsv", split="split")))
    assert declared_whole(in_stores) == "7bb1f1a165032cdc"


def test_keys_of_the_packages_own_tasks_stay_as_they_are():
    for task in all_tasks():
        assert declaration_digest(task) == declared(task)
    assert declaration_digest(pickle.loads(pickle.dumps(get_task("xnli")))) == declared(get_task("xnli"))


# Workers


def test_worker_adopts_the_tasks_of_the_process_that_started_it():
    register(moods(licence="free"))
    adopt(pickle.loads(pickle.dumps((moods(), moods(name="tones")))))
    assert get_task("moods") == moods()
    assert [task.name for task in outside_tasks()] == ["moods", "tones"]


def test_worker_adopts_a_task_that_names_one_registered_after_it():
    register(moods())
    register(moods(name="tones", languages=("en", "quc")))
    register(moods(after="tones"), replace=True)
    sent = pickle.dumps(outside_tasks())
    registry._TASKS.clear()
    registry._TASKS.update(registry._OWN)
    adopt(pickle.loads(sent))
    assert [task.name for task in training_chain(get_task("moods"))] == ["tones", "moods"]


def test_worker_does_not_put_a_task_in_the_place_of_the_packages_own():
    with pytest.raises(ConfigError, match=r"there is a task 'xnli' already.*same package version"):
        adopt((moods(name="xnli"),))


# Packages


class _Distribution(importlib.metadata.Distribution):
    """An installed package that is nothing but its metadata."""

    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str:
        return f"Metadata-Version: 2.1\nName: {self._name}\n"

    def locate_file(self, path: object) -> Path:
        return Path(str(path))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A function that installs packages with an entry point: (name of the package, value)."""
    (tmp_path / "own_moods.py").write_text(HEAD + literal() + "BOTH = lambda: [MOODS]\nWRONG = 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    asked = []

    def install(*packages: tuple[str, str]) -> list[str]:
        points = [
            importlib.metadata.EntryPoint("tasks", value, "adaptstilts.tasks")._for(_Distribution(name))
            for name, value in packages
        ]

        def entry_points(group: str) -> list[importlib.metadata.EntryPoint]:
            asked.append(group)
            return points

        monkeypatch.setattr("adaptstilts.tasks.entry_points.entry_points", entry_points)
        return asked

    return install


@pytest.mark.parametrize("value", ["own_moods:MOODS", "own_moods:BOTH"])
def test_tasks_of_installed_packages_are_loaded_when_they_are_asked_for(installed, value: str):
    asked = installed(("moods-package", value))
    assert get_task("xnli").name == "xnli"
    assert asked == []
    assert get_task("moods") == moods()
    assert all_tasks()[-1] == moods()
    assert asked == ["adaptstilts.tasks"]
    assert broken_packages(["tones"]) == ()


def test_broken_package_is_named_where_a_task_is_missing_and_stops_nothing_else(installed):
    installed(("broken", "no_such_module:TASKS"), ("fine", "own_moods:MOODS"), ("wrong", "own_moods:WRONG"))
    assert get_task("moods") == moods()
    with pytest.raises(ProblemsError) as caught:
        get_task("tones")
    first, second, third = map(str, caught.value.problems)
    assert first.startswith("'tones' is not a task")
    assert "the package 'broken' cannot be used: ModuleNotFoundError" in second
    assert "pip uninstall broken" in second
    assert "the package 'wrong' cannot be used: TypeError: expected a Task" in third
    with pytest.raises(ConfigError, match=r"^'xnly' is not a task\. Did you mean 'xnli'"):
        get_task("xnly")


def test_broken_package_is_named_if_its_task_is_asked_for(installed, monkeypatch: pytest.MonkeyPatch):
    register(moods(licence="free"))
    installed(("broken", "no_such_module:TASKS"), ("moods-package", "own_moods:MOODS"))
    (fault,) = broken_packages(["moods"])
    assert "the package 'moods-package' cannot be used: there is a task 'moods' already" in str(fault)


def test_task_of_a_package_under_a_taken_name_is_a_fault_of_the_package(installed):
    register(moods(licence="free"))
    installed(("moods-package", "own_moods:MOODS"))
    assert get_task("moods").licence == "free"
    (fault,) = broken_packages(["tones"])
    assert "the package 'moods-package' cannot be used: there is a task 'moods' already" in str(fault)


def test_choices_need_their_number():
    layouts = {Split.TEST: choices("{language}.jsonl", choices="a b")}
    with pytest.raises(ConfigError, match=r"size\.choices"):
        register(moods(kind=Kind.CHOOSE, labels=(), layouts=layouts, train_task="cosmosqa"))
