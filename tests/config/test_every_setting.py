"""Each setting gets each kind of value, in a file and as an override: it is taken, or refused in one clear line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from adaptstilts.config.load import load, load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.config.schema import StudyConfig
from adaptstilts.errors import ConfigError, problems_of

SECRET = "GEHEIMNIS"
REQUIRED = {
    StudyConfig: {"name": "name: demo\n", "target": "target: {tasks: [xnli]}\n"},
    PretrainSection: {"name": "name: demo\n", "output": "output: out\n"},
}
READ = {StudyConfig: load_study, PretrainSection: partial(load, schema=PretrainSection)}


def leaves(section: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the key of each setting with its type; those of a table by name, of one name."""
    for name, field in section.model_fields.items():
        kind, key = field.annotation, (*above, name)
        inner = get_args(kind)[1] if get_origin(kind) is dict else kind
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, (*key, "xnli") if inner is not kind else key)
        else:
            yield key, kind


KEYS = [(schema, key, kind) for schema in REQUIRED for key, kind in leaves(schema) if key != ("sweep",)]


def said_of(folder: Path, schema: type[BaseModel], key: tuple[str, ...], text: str, *, as_override: bool) -> str | None:
    """Return what is said of a value, None if it is taken."""
    path = folder / "s.yaml"
    lines = [f"{'  ' * level}{name}:" for level, name in enumerate(key)]
    lines[-1] += f" {text}"
    head = "".join(line for name, line in REQUIRED[schema].items() if name != key[0])
    path.write_text(head if as_override else head + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        READ[schema](path, [f"{'.'.join(key)}={text}"] if as_override else [])
    except ConfigError as error:
        (problem,) = problems_of(error)
        place = "" if as_override else rf"{re.escape(str(path))}:\d+: "
        assert re.match(rf"{place}{re.escape('.'.join(key))}(\[0\])?: ", str(problem)), str(problem)
        return str(problem)
    return None


@pytest.mark.parametrize("as_override", [False, True], ids=["file", "override"])
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("true", "true"), ("[true]", "true"), ("1", "1"), ("'1'", "1"), ("yes", "yes"), ("'true'", "true"),
        ("1e400", "1e400"), ("-1e400", "-1e400"), (".inf", "inf"), (".nan", "nan"), ("-1", "-1"), ("1.5", "1.5"),
        ("9" * 30, "this whole number"), ("9" * 300, "300 digits"), ("2020-01-01", "2020-01-01"), ("''", ""),
        ("[]", r"\[\]"), ("{}", "{}"), ("{a: null}", "{'a': null}"), ("null", "has no value|null"),
        (f"s3://me:{SECRET}@host/x", r"s3://\*\*\*@host/x"), (f"[s3://me:{SECRET}{'a' * 90}@host/x]", r"\*\*\*@host/x"),
    ],
)  # fmt: skip
def test_value_is_taken_or_quoted_in_one_line(tmp_path: Path, text: str, written: str, as_override: bool):
    for schema, key, kind in KEYS:
        said = said_of(tmp_path, schema, key, text, as_override=as_override)
        if said is None:
            continue
        assert "\n" not in said
        assert SECRET not in said
        assert len(said) < 700
        if key[0] == "overrides" or "cannot be swept" in said or key[-1] in {"tasks", "languages"}:
            continue
        assert re.search(written, said), (key, kind, said)


def holds(kind: Any, wanted: set[type]) -> bool:
    """Say whether a setting is of one of these types, or a list of them, and of no other."""
    parts = [part for part in get_args(kind) if part not in {Ellipsis, type(None)} and isinstance(part, type)]
    return kind in wanted or (bool(parts) and set(parts) <= wanted and len(parts) == len(get_args(kind)) - 1)


@pytest.mark.parametrize("as_override", [False, True], ids=["file", "override"])
@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("true", {int, float}), ("false", {int, float}), ("'1'", {int, float}), ("yes", {int, float}),
        ("1e400", {int, float}), (".nan", {int, float}), (".inf", {int, float}), ("{}", {int, float}),
        ("2020-01-01", {int, float}), ("9" * 30, {int, float}),
        ("1", {bool, str}), ("0", {bool, str}), ("1.0", {bool, str}), ("{}", {bool, str}),
        ("'true'", {bool}), ("yes", {bool}), ("'1'", {bool}), ("on", {bool}), ("[]", {bool, int, float}),
        ("true", {str}),
    ],
)  # fmt: skip
def test_value_of_another_kind_is_refused(tmp_path: Path, text: str, kinds: set[type], as_override: bool):
    asked = [(schema, key) for schema, key, kind in KEYS if holds(kind, kinds)]
    assert len(asked) > 3
    for schema, key in asked:
        assert said_of(tmp_path, schema, key, text, as_override=as_override) is not None, (key, text)


@pytest.mark.parametrize("key", ["store", "store_cache", "results", "data.root", "backbone"])
def test_place_without_a_name_is_refused(key: str):
    with pytest.raises(ConfigError, match=rf"^{re.escape(key)}: '' is empty\. Give a value, or leave the key out\.$"):
        load_study({"name": "demo", "target": {"tasks": ["xnli"]}}, [f"{key}=''"])
