"""Explanation of why a stage is not in the store: how it differs from the nearest artefact. Free of torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, TypeGuard

from adaptstilts.errors import ConfigError, DamagedError
from adaptstilts.formatting import number_text, visible
from adaptstilts.store.artefact import Artefact
from adaptstilts.store.manifest import FEWEST_DIGITS, KEY_DIGITS
from adaptstilts.store.stage import FORMAT_VERSION, SUMMARIES, Stage, StageKind, content_key, describe, is_older
from adaptstilts.store.store import Store
from adaptstilts.study.plan.plan import Plan
from adaptstilts.suggestions import near_matches

_MOST_EXPLAINED = 10
_MOST_SHOWN = 5
_MOST_CLOSE = 3
_CLOSE = 0.5
"""Similarity from which the name of a stage is suggested for one that does not exist, from 0 to 1."""
_NEAR = 0.5
"""Share of a job's fields that must be equal for an artefact to count as near."""
_REFERENCES = ("sources", "after", "trained", "predictions", "analysis")
"""Fields of jobs that hold keys of other stages; those stages are compared themselves."""
_COLLECTED = ("cells", "runs")
"""Long lists of records in a job, of which only the number of differences is shown."""
_IN_WORDS = {
    "data": "files changed",
    "backbone.fingerprint": "other configuration, weights or tokenizer",
    "declared": "the declaration of the task changed: kind, metric, labels or readers; anything, of an outside task",
    "compared": "other tasks, languages or files are searched for overlaps",
}
_OLDER = "older formats identify backbones in another way, so that this says nothing of their content"
_NOTHING = "(nothing)"

Fields = dict[str, Any]
"""Values of a job by dotted path."""


@dataclass(frozen=True)
class _Lookup:
    """The plan, the store, and the store's artefacts by kind, read when first needed."""

    plan: Plan
    store: Store
    artefacts: dict[str, list[Artefact]]

    def of_kind(self, kind: str) -> list[Artefact]:
        if kind not in self.artefacts:
            self.artefacts[kind] = self.store.artefacts([kind], on_damage=lambda _: None)
        return self.artefacts[kind]

    @cached_property
    def _by_key(self) -> dict[str, Artefact]:
        return {one.key: one for kind in StageKind for one in self.of_kind(kind.value)}

    def by_key(self, key: str) -> Artefact | None:
        return self._by_key.get(key)

    def name_of(self, key: str) -> str:
        """Return an artefact's name; its key if it is no longer in the store."""
        found = self.by_key(key)
        return key[:KEY_DIGITS] if found is None else str(found.manifest.get("name", found.folder.name))


def explain(plan: Plan, store: Store, wanted: str) -> list[dict[str, Any]]:
    """Say of stages whether they are in the store, and if not, how they differ from the nearest artefact.

    Args:
        plan: The study's stages.
        store: Where artefacts are looked for.
        wanted: Name of a stage, its folder's name, the start of its key (4 digits or more), or a pattern of either with
            ``*`` and ``?``.

    Returns:
        For each stage found (ten at most): ``stage``, ``key``, ``done``, ``folder`` of its artefact or of the nearest
        one, ``damaged`` (what is wrong with its artefact), ``nearest`` (its name and time), ``differences`` (``path``,
        ``here``, ``there``, ``says``, and for an input ``differences`` of its own), ``missing`` (inputs that are not
        finished), ``left_out`` (how many more were found).

    Raises:
        ConfigError: If no stage fits.
    """
    stages = find_stages(plan, wanted)
    look = _Lookup(plan, store, {})
    left_out = max(0, len(stages) - _MOST_EXPLAINED)
    return [{**_explain(look, stage), "left_out": left_out} for stage in stages[:_MOST_EXPLAINED]]


def find_stages(plan: Plan, wanted: str) -> list[Stage]:
    """Return the stages that a name, a folder's name, the start of a key or a pattern stands for.

    Raises:
        ConfigError: If there is none.
    """
    same = [stage for stage in plan.stages if wanted in {stage.name, stage.slug, f"{stage.kind.value}/{stage.slug}"}]
    if same:
        return same
    if len(wanted) >= FEWEST_DIGITS:
        same = [stage for stage in plan.stages if stage.key.startswith(wanted)]
    same = same or [
        stage
        for stage in plan.stages
        if any(fnmatchcase(text, wanted) for text in (stage.name, stage.slug, stage.folder))
    ]
    if not same:
        close = near_matches(wanted, (stage.name for stage in plan.stages), most=_MOST_CLOSE, cutoff=_CLOSE)
        raise ConfigError(
            f"'{wanted}' is not a stage of this study",
            key="stage",
            hint=(f"Did you mean {' or '.join(repr(name) for name in close)}? " if close else "")
            + "Give a name, the start of a key, or a pattern such as 'train stack*'. "
            "All stages: study.plan().stages, or adaptstilts plan CONFIG --all.",
        )
    return same


def _explain(look: _Lookup, stage: Stage) -> dict[str, Any]:
    found, damage = _found(look.store, stage)
    record: dict[str, Any] = {
        "stage": stage.name,
        "key": stage.key,
        "done": found is not None,
        "folder": None if found is None else str(found.folder),
        "nearest": None if found is None else _name_and_time(found),
        "differences": [],
        "damaged": damage,
        "missing": [one.name for one in look.plan.inputs_of(stage) if _found(look.store, one)[0] is None],
    }
    if found is not None:
        return record
    near = _nearest(look, stage)
    if near is not None:
        record |= {
            "folder": str(near.folder),
            "nearest": _name_and_time(near),
            "differences": _differences(look, stage, near),
        }
    return record


def _found(store: Store, stage: Stage) -> tuple[Artefact | None, str | None]:
    """Return a stage's artefact, if it has one, and what is wrong with it, if it is damaged."""
    try:
        return store.find(stage), None
    except DamagedError as error:
        return None, str(error)


def _name_and_time(artefact: Artefact) -> str:
    manifest = artefact.manifest
    return f"{manifest.get('name', artefact.folder.name)}, made {manifest.get('started', 'at an unknown time')}"


def _nearest(look: _Lookup, stage: Stage) -> Artefact | None:
    """Return the artefact of the same kind, method and task with most equal fields; of several the newest.

    Every table and report of a store is near: there are few, and only their long lists tell them apart.
    """
    here = _counted(describe(stage.job))
    best: tuple[float, str] = (0.0 if stage.kind in SUMMARIES else _NEAR, "")
    nearest = None
    for artefact in look.of_kind(stage.kind.value):
        there = _counted(artefact.manifest.get("job", {}))  # of any shape: others have written it
        if any(here.get(name) != there.get(name) for name in ("method", "task")):
            continue
        paths = here.keys() | there.keys()
        same = sum(here.get(path, _NOTHING) == there.get(path, _NOTHING) for path in paths)
        near = (same / len(paths) if paths else 1.0, str(artefact.manifest.get("started", "")))
        if near >= best:
            best, nearest = near, artefact
    return nearest


def _counted(job: Mapping[str, Any]) -> Fields:
    """Return the fields of a job that two jobs are compared by; records of long lists count at any position."""
    found = _fields({name: value for name, value in job.items() if name not in _COLLECTED})
    return found | {record: True for name in _COLLECTED for record in _records(job, name)}


def _records(job: Mapping[str, Any], name: str) -> set[str]:
    records = job.get(name)
    return {json.dumps(record, sort_keys=True) for record in records} if isinstance(records, list) else set()


def _fields(value: object, path: str = "") -> Fields:
    """Return the single values of a job by dotted path; an empty list is a value."""
    if isinstance(value, Mapping) and value:
        pairs = [(f"{path}.{name}" if path else str(name), item) for name, item in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {path: value}
    return {name: found for below, item in pairs for name, found in _fields(item, below).items()}


def _differences(look: _Lookup, stage: Stage, near: Artefact) -> list[dict[str, Any]]:
    there_job = near.manifest.get("job", {})
    here_job = describe(stage.job)
    found = [*_format_difference(near), *_field_differences(here_job, there_job)]
    if is_older(near.manifest):
        found = [item if item["path"] != "backbone.fingerprint" else item | {"says": _OLDER} for item in found]
    found += _input_differences(look, stage, near, here_job, there_job)
    if not found:
        found.append(_difference("key", stage.key, near.manifest.get("key"), "made by another version of this package"))
    return found


def _difference(path: str, here: object, there: object, says: str = "") -> dict[str, Any]:
    return {"path": path, "here": here, "there": there, "says": says or f"{_shown(here)} here, {_shown(there)} there"}


def _format_difference(near: Artefact) -> list[dict[str, Any]]:
    """Report the format version that an artefact's key was made with, if it is not `FORMAT_VERSION`."""
    manifest = near.manifest
    arguments = (str(manifest.get("kind")), manifest.get("job", {}), manifest.get("inputs", []))
    versions = [one for one in range(FORMAT_VERSION, 0, -1) if content_key(one, *arguments) == manifest.get("key")]
    if FORMAT_VERSION in versions:
        return []
    there = versions[0] if versions else None
    says = f"{FORMAT_VERSION} here, {there or 'another'} there: what such stages do or write has changed since"
    return [_difference("format version", FORMAT_VERSION, there, says)]


def _field_differences(here_job: dict[str, Any], there_job: dict[str, Any]) -> list[dict[str, Any]]:
    """Compare the fields that are not keys of other stages; long or cryptic values are replaced by words."""
    apart = {*_REFERENCES, *_COLLECTED}
    here, there = (
        _fields({name: value for name, value in job.items() if name not in apart}) for job in (here_job, there_job)
    )
    found = _collected_differences(here_job, there_job)
    for path in dict.fromkeys((*here, *there)):
        one, other = here.get(path, _NOTHING), there.get(path, _NOTHING)
        said = next((words for start, words in _IN_WORDS.items() if path == start or path.startswith(f"{start}[")), "")
        if one != other and not (said and any(item["says"] == said for item in found)):
            name = path.partition("[")[0] if said else path
            found.append(_difference(name, one, other, said))
    return found


def _collected_differences(here_job: dict[str, Any], there_job: dict[str, Any]) -> list[dict[str, Any]]:
    """Count the records of long lists that are on one side only."""
    found = []
    for name in _COLLECTED:
        here, there = _records(here_job, name), _records(there_job, name)
        if here != there:
            says = f"{len(here - there)} only here, {len(there - here)} only there"
            found.append(_difference(name, len(here), len(there), says))
    return found


def _input_differences(
    look: _Lookup, stage: Stage, near: Artefact, here_job: dict[str, Any], there_job: dict[str, Any]
) -> list[dict[str, Any]]:
    """Pair the inputs of both sides by their role, and explain each pair that differs."""
    shared = set(stage.inputs) & set(near.manifest.get("inputs", []))
    here = _parts(stage.inputs, here_job, shared, lambda key: look.plan.stage(key).name)
    there = _parts(near.manifest.get("inputs", []), there_job, shared, look.name_of)
    found = []
    for side, parts in (("here", here), ("there", there)):
        others = there if side == "here" else here
        alone = {part: key for part, key in parts.items() if part not in others}
        values = {"here": alone if side == "here" else None, "there": None if side == "here" else alone}
        if alone:
            found.append(_difference(f"inputs only {side}", **values, says=_first(list(alone))))
    for part, one in here.items():
        other = there.get(part, one)
        if one == other:
            continue
        ours = look.plan.stage(one)
        theirs = look.by_key(other)
        below = [] if theirs is None else _differences(look, ours, theirs)
        says = f"another '{ours.name}'" + ("" if theirs is not None else ", which is no longer in the store")
        found.append({**_difference(part, one, other, says), "differences": below})
    return found


def _parts(keys: Iterable[str], job: dict[str, Any], shared: set[str], name_of: Callable[[str], str]) -> dict[str, str]:
    """Return inputs by their role in the stage's job; those without a role by name, unless both sides have them."""
    parts: dict[str, str] = {}
    sources = job.get("sources")
    for source in sources if isinstance(sources, list) else ():
        if _is_source(source):
            parts[f"source {source['task']}"] = source["key"]
    after = job.get("after")
    if _is_source(after):
        parts[f"goes on from {after['task']}"] = after["key"]
    for name in ("trained", "predictions", "analysis"):
        if isinstance(job.get(name), str):
            parts[name] = job[name]
    others = [key for key in keys if key not in parts.values() and key not in shared]
    return parts | {name_of(key): key for key in others}


def _is_source(value: Any) -> TypeGuard[Mapping[str, str]]:  # noqa: ANN401 - a job that anyone may have written
    return isinstance(value, Mapping) and isinstance(value.get("key"), str) and isinstance(value.get("task"), str)


def _first(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return f"{', '.join(names[:_MOST_SHOWN])}{more}"


def _shown(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def explain_text(records: list[dict[str, Any]]) -> str:
    """Return the result of `explain` as text for a terminal."""
    lines: list[str] = []
    for record in records:
        lines.append(f"{record['stage']} ({record['key'][:KEY_DIGITS]})")
        if record["done"]:
            lines.append(f"  in the store: {record['folder']}, {record['nearest']}")
            continue
        lines += _missing_lines(record)
    if records and records[0]["left_out"]:
        lines.append(f"and {number_text(records[0]['left_out'], 'more stage')}; give a longer pattern")
    return "\n".join(map(visible, lines))


def _missing_lines(record: dict[str, Any]) -> list[str]:
    lines = ["  not in the store" if record["damaged"] is None else f"  damaged: {record['damaged']}"]
    if record["nearest"] is None:
        lines.append("  nothing like it is in the store")
    else:
        lines += [
            f"  differs from the nearest artefact (there): {record['nearest']}, {record['folder']}",
            *_difference_lines(record["differences"], 4),
        ]
    missing = record["missing"]
    if missing:
        lines.append(f"  inputs that are not in the store either: {_first(missing)}")
    return lines


def _difference_lines(differences: list[dict[str, Any]], indent: int) -> list[str]:
    lines = []
    for item in differences:
        lines.append(f"{' ' * indent}{item['path']}: {item['says']}")
        lines += _difference_lines(item.get("differences", []), indent + 2)
    return lines
