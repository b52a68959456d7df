"""The package as `import adaptstilts` gives it: light, lazy, and complete."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from repository import ROOT

import adaptstilts

HEAVY = ("torch", "transformers", "adapters", "matplotlib", "pandas", "numpy", "pydantic", "yaml", "rich")
MOST_SECONDS = 0.1


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_takes_less_than_a_tenth_of_a_second_and_loads_nothing_heavy():
    code = (
        "import sys, time; began = time.perf_counter(); import adaptstilts; "
        f"print(time.perf_counter() - began, *set({HEAVY!r}) & set(sys.modules))"
    )
    answers = [python(code).split() for _ in range(3)]
    assert all(len(answer) == 1 for answer in answers), answers
    assert min(float(answer[0]) for answer in answers) < MOST_SECONDS


def test_type_checkers_see_the_names_that_the_package_exports():
    tree = ast.parse((ROOT / "adaptstilts" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.asname, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    exported = {(name, f"adaptstilts.{module}") for name, module in adaptstilts._MODULES.items()}
    assert seen == exported | {("tasks", "adaptstilts.tasks.summary")}


@pytest.mark.parametrize("name", adaptstilts.__all__)
def test_every_exported_name_is_there_documented_and_listed(name: str):
    value = getattr(adaptstilts, name)
    assert name in dir(adaptstilts)
    assert name == "__version__" or value.__doc__


@pytest.mark.parametrize("module", ["adaptstilts.api.study", "adaptstilts.tasks.summary"])
def test_examples_in_docstrings_give_what_they_say(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(import_module(module))
    assert (failed, tried > 0) == (0, True)


def test_unknown_name_is_an_attribute_error_with_the_name():
    with pytest.raises(AttributeError, match="has no attribute 'load_studie'"):
        _ = adaptstilts.load_studie  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "first",
    [
        "",
        "import adaptstilts.tasks.registry",
        "from adaptstilts.tasks import registry",
        "import adaptstilts.study.study",
        "from adaptstilts import tasks; tasks()",
    ],
)
def test_tasks_can_be_called_whatever_was_imported_before(first: str):
    lines = [first, "import adaptstilts", "print(len(adaptstilts.tasks()))", "import adaptstilts.tasks.registry"]
    lines += ["print(len(adaptstilts.tasks()), len(adaptstilts.tasks.registry.all_tasks()))"]
    alone, *both = python("\n".join(lines)).split()
    assert both == [alone, alone]
    assert int(alone) > 20


def test_tasks_are_a_sequence_that_prints_as_the_table_of_the_command_line():
    from commandline import say

    tasks = adaptstilts.tasks()
    assert f"{tasks}\n" == say("tasks").out
    assert tasks.record == say("tasks", "--json").json
    assert tasks[0].name == "anli"
    assert [task.name for task in tasks[:2]] == ["anli", "mnli"]
    assert tasks[0] in tasks
    html = tasks._repr_html_()
    assert html.count("<tr>") == len(tasks) + 1
    assert "<td>xnli</td>" in html


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adaptstilts.load_study("quickstart", ["seeds=[1]"]), "a setting is a text of the form key=value"),
        (lambda: adaptstilts.load_study(""), "^source: a study cannot be read from an empty text"),
        (lambda: adaptstilts.Study("quickstart", 3), "^overrides: 3 is neither a text nor a list of texts"),
        (lambda: adaptstilts.Study("quickstart", "seeds=x"), "^seeds"),
        (lambda: adaptstilts.load_study(3), "a study cannot be read from a value of type int"),
        (lambda: adaptstilts.load_study("quickstart", 3), "a setting is a text .*, not a value of type int"),
        (
            lambda: adaptstilts.pretrain_backbone(3),
            "a pretraining configuration cannot be read from a value of type int",
        ),
        (lambda: adaptstilts.pretrain_backbone("pretrain_mini", 3), "a setting is a text of the form key=value"),
        (lambda: adaptstilts.register_task("sentiment"), "a value of type str is not a Task"),
        (lambda: adaptstilts.register_tasks_from(3), "^path: 3 is not a path"),
        (lambda: adaptstilts.copy_config(3, "x.yaml"), "^name: 3 is not text"),
        (lambda: adaptstilts.copy_config("quickstart", 3), "^to: 3 is not a path"),
        (lambda: adaptstilts.init_study(3), "^to: 3 is not a path"),
        (lambda: adaptstilts.init_study("x.yaml", 3), "^data: 3 is not a path"),
        (lambda: adaptstilts.init_study("x.yaml", backbone=3), "^backbone: 3 is not text"),
        (lambda: adaptstilts.fetch_data(3), "^root: 3 is not a path"),
        (lambda: adaptstilts.fetch_data("x", 3), "^tasks: 3 is neither a text nor a list of texts"),
        (lambda: adaptstilts.check_data("x", "xnly"), "'xnly' is not a task"),
        (lambda: adaptstilts.check_data("x", [3]), r"^tasks\[0\]: 3 is not text"),
        (lambda: adaptstilts.write_checklist("x", cases=0), "^cases: 0 is out of range. Allowed: at least 1"),
        (lambda: adaptstilts.write_checklist("x", cases="9"), "^cases: '9' is not a whole number"),
        (lambda: adaptstilts.score_predictions(3, "x"), "^predictions: 3 is not a path"),
        (lambda: adaptstilts.check_submission("x", tasks=3), "^tasks: 3 is neither a text"),
        (lambda: adaptstilts.check_submission("x", benchmark="y"), "^benchmark: 'y' is not a benchmark"),
        (lambda: adaptstilts.list_artefacts(3), "^store: 3 is not a path"),
        (
            lambda: adaptstilts.unused_artefacts("quickstart"),
            r"^studies\[0\]: a value of type str is not a study\. Load it",
        ),
        (lambda: adaptstilts.import_artefacts(3), "^bundle: 3 is not a path"),
        (lambda: adaptstilts.store_status(3), "^store: 3 is not a path"),
        (lambda: adaptstilts.convert_backbone(3, "x"), "^source: 3 is not a path"),
    ],
)
def test_values_of_the_wrong_type_are_one_clear_error(call, message):
    with pytest.raises(adaptstilts.AdaptstiltsError, match=message):
        call()
