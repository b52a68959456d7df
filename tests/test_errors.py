"""Errors that come from a worker process are whole when they arrive."""

import ast
import inspect
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import ROOT

from adaptstilts import errors
from adaptstilts.errors import AdaptstiltsError, ConfigError, DamagedError, ProblemsError, UnreadableError

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, AdaptstiltsError) and kind not in {DamagedError, UnreadableError, ProblemsError}
]
RAISED = [
    *(
        kind("wrong", path="a/b.yaml", line=3, key="x.y", value="c", allowed=("d",), hint="Do this.")
        for kind in CLASSES
    ),
    DamagedError("damaged", path="a/f.bin", folder="a"),
    UnreadableError("cannot be read", path="a/f.bin", folder="a"),
    ProblemsError([ConfigError("one", key="k"), DamagedError("damaged", folder="a")]),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_says_the_same_in_another_process(error: AdaptstiltsError):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__.keys() == error.__dict__.keys()


def test_all_errors_of_the_package_are_looked_at():
    assert len(RAISED) >= 10


def hints(path: Path) -> Iterator[str]:
    """Sentences of a module, in the source or put together, that may stand in an error; no docstrings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif (isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant)) or (
            isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        ):
            yield str(node.value.value)


def test_what_names_an_option_of_the_command_line_says_it_for_python_too():
    own = r"in Python|study\.|\((\w+, )?--|ray start|docs \{\}"
    others = {"configs.py", "init.py"}  # these print the commands that come next
    modules = [path for path in (ROOT / "adaptstilts").rglob("*.py") if "cli" not in path.parts]
    told = [
        (path.name, hint)
        for path in modules
        for hint in hints(path)
        if re.search(r"\. |: |^[A-Z]", hint) and re.search(r"[ (]--[a-z]", hint)
    ]
    assert len(told) > 10
    assert [(name, hint) for name, hint in told if name not in others and not re.search(own, hint)] == []


@pytest.mark.parametrize(
    ("value", "allowed", "found"),
    [
        ("H100", ["v100", "h100"], ["h100"]),
        ("XNLI", ["mnli", "xnli"], ["xnli"]),
        ("fusE", ["Fuse", "full"], ["Fuse"]),
        ("zzz", ["fuse"], []),
        ("h100", [], []),
    ],
)
def test_near_matches_ignore_case(value, allowed, found):
    assert errors.near_matches(value, allowed) == found


@pytest.mark.parametrize("value", [{"bf16": 1}, ["bf16"], True])
def test_suggestion_is_for_texts_alone(value: object):
    assert "Did you mean" not in str(ConfigError("is refused", value=value, allowed=["bf16", "true"]))


def test_keys_and_problems_of_any_length_make_a_line_that_can_be_read():
    text = str(ConfigError(f"'{'y' * 100_000}' is not a setting", key=f"target.{'x' * 100_000}", hint="Remove it."))
    assert text == f"target.{'x' * 193}...: '{'y' * 999}... Remove it."


def test_allowed_values_of_any_length_are_cut():
    text = str(ConfigError("missing", key="context", allowed=["qas", "x" * 100_000]))
    assert text == f"context: missing. Allowed: qas, {'x' * 200}..."
