"""Outline of a plan as plain values: stages, tree, prices, and the savings of sharing. Free of torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from adaptstilts.config.sweep import Variant
from adaptstilts.errors import DamagedError
from adaptstilts.formatting import size_text
from adaptstilts.store.artefact import Artefact, DamageCallback
from adaptstilts.store.manifest import KEY_DIGITS, read_placed
from adaptstilts.store.stage import SUMMARIES, Stage, StageKind, is_older
from adaptstilts.store.store import Store
from adaptstilts.study.eta import seconds_of
from adaptstilts.study.plan.jobs import PredictJob, TrainJob, jobs_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import labels_of, retrieval_lines
from adaptstilts.study.pricing.cost import Pricing
from adaptstilts.study.pricing.devices import DEFAULT_DEVICE, DEFAULT_UTILISATION, Device, get_device
from adaptstilts.study.pricing.row_counts import COUNTED_BYTES
from adaptstilts.study.pricing.totals import price_plan
from adaptstilts.study.pricing.tree import plan_tree
from adaptstilts.train.methods import METHODS


def outline(
    plan: Plan,
    variants: Sequence[Variant],
    store: Store,
    *,
    device: str = DEFAULT_DEVICE,
    utilisation: float = DEFAULT_UTILISATION,
    on_damage: DamageCallback | None = None,
) -> dict[str, Any]:
    """Describe a plan as plain values.

    Args:
        variants: All variants of the study.
        device: Name in `adaptstilts.study.pricing.devices.DEVICES`.
        utilisation: Share of the device's peak rate that is reached, above 0 and at most 1.
        on_damage: Receives the errors of damaged artefacts, which count as not made; None to raise the first.

    Returns:
        ``stages`` (name, kind, key, done, used_by), ``training_runs`` (number planned) and
        ``training_runs_without_sharing`` (number if every table cell trained all that it needs for itself),
        ``shared_runs`` (number of stages that use each intermediate run), ``older_format`` (number of unfinished stages
        of which there is finished work of an older format), ``cells``, ``retrieval`` (the settings in effect for each
        retrieval target), ``variants`` (their labels, for a sweep), ``backbone``, ``device``, ``tree``
        (training runs with their counts), and the prices: ``table`` (by kind of stage), ``families`` (full models and
        adapters, with and without sharing), ``warnings`` (stages that do not fit the device), ``notes`` (assumptions
        behind the prices). Times are in hours, amounts in bytes, operations and sub-tokens.

    Raises:
        ConfigError: If the device is unknown or the utilisation is out of range.
    """
    pricing = Pricing(variants, plan, get_device(device), utilisation)
    artefacts = store.find_all(plan.stages, on_damage=on_damage)
    done = artefacts.keys()
    prices = price_plan(plan, pricing, done, _measured_seconds(artefacts, pricing.device))
    used = Counter(key for stage in plan.stages if stage.kind not in SUMMARIES for key in stage.inputs)
    trainings = [job for _, job in jobs_of(plan.stages, TrainJob)]
    intermediate = {source.key for job in trainings for source in job.sources}
    labels = labels_of(plan)
    return {
        "stages": [_stage_record(stage, done, used) for stage in plan.stages],
        "training_runs": sum(stage.kind is StageKind.TRAIN for stage in plan.stages),
        "training_runs_without_sharing": plan.requested_runs,
        "shared_runs": [
            {"name": stage.name, "used_by": used[stage.key]} for stage in plan.stages if stage.key in intermediate
        ],
        "older_format": _of_older_formats(plan, store, done),
        "cells": len(plan.cells),
        "retrieval": retrieval_lines(variants),
        **({"variants": list(labels)} if any(labels) else {}),
        "backbone": variants[0].config.backbone,
        "device": _device_record(pricing),
        "tree": plan_tree(plan, _title(variants[0].config.backbone, plan, pricing)).record(done),
        **prices.record(pricing.device.memory),
        "notes": _notes(pricing, trainings, is_priced=prices.is_priced),
    }


def _stage_record(stage: Stage, done: Collection[str], used: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": stage.name,
        "kind": stage.kind.value,
        "key": stage.key,
        "done": stage.key in done,
        "used_by": used[stage.key],
    }


def _of_older_formats(plan: Plan, store: Store, done: Collection[str]) -> int:
    """Count the unfinished stages with the name of an artefact of an older format; at an address, of a local copy."""
    left = Counter((stage.kind.value, stage.slug) for stage in plan.stages if stage.key not in done)
    finished = {key[:KEY_DIGITS] for key in done}
    found: set[tuple[str, str]] = set()
    for kind in sorted({kind for kind, _ in left}):
        for folder in store.folders(kind):
            slug, _, digits = folder.name.rpartition("-")
            place = (kind, slug)
            # A large store has thousands of manifests: those that cannot change the number are not read.
            if place in left and place not in found and digits not in finished:
                with suppress(DamagedError, OSError):
                    if is_older(read_placed(folder)):
                        found.add(place)
    return sum(left[place] for place in found)


def _device_record(pricing: Pricing) -> dict[str, Any]:
    device = pricing.device
    return {
        "name": device.name,
        "title": device.title,
        "utilisation": pricing.utilisation,
        "memory_bytes": device.memory,
    }


def _measured_seconds(artefacts: dict[str, Artefact], device: Device) -> dict[str, float]:
    return {
        key: seconds_of(found.folder, found.manifest)
        for key, found in artefacts.items()
        if device.is_of(found.manifest.get("environment"))
    }


def _title(name: str, plan: Plan, pricing: Pricing) -> str:
    """Return the heading of the tree: the configured backbone and its size."""
    jobs = (stage.job for stage in plan.stages)
    backbone = next((job.backbone for job in jobs if isinstance(job, TrainJob | PredictJob)), None)
    shape = None if backbone is None else pricing.shape(backbone)
    if shape is None:
        return f"{name}, shape unknown"
    return f"{name}, {shape.layers} x {shape.width}, {shape.parameters / 1e6:,.1f} M parameters"


def _notes(pricing: Pricing, trainings: Sequence[TrainJob], *, is_priced: bool) -> list[str]:
    if not is_priced:
        names = ", ".join(sorted(pricing.unknown))
        return [
            f"{names}: shape unknown, not priced. Give a folder with its config.json, or have it in the local "
            "Hugging Face cache."
        ]
    device = pricing.device
    notes = [
        f"times: estimated from the operations, at {100 * pricing.utilisation:g} % of the peak rate of {device.title}; "
        "inputs count with their mean length, without padding"
    ]
    if any(job.settings.patience is not None for job in trainings):
        notes.append("upper bounds: runs that `patience` may end early count with all their epochs")
    processes = pricing.parallel.processes
    if processes > 1 and device.name != "cpu":
        notes.append(f"memory of training stages: of one of {processes} processes, each on a device of its own")
    epochs = _epochs(trainings)
    if len(set(epochs.values())) > 1:
        notes.append(f"epochs: {', '.join(f'{family} {epochs}' for family, epochs in epochs.items())}")
    notes += _count_notes(pricing.assumed, pricing.uncounted)
    if device.bf16 is None:
        notes.append(
            f"{device.title} has no bf16: `precision: auto` counts as fp32; `precision: fp16` is about "
            f"{device.fp16 / device.fp32:.0f} times as fast"
        )
    return notes


def _count_notes(assumed: set[str], uncounted: set[str]) -> list[str]:
    """Name the tasks whose numbers of examples are published or assumed ones, though their files are there."""
    large = f"their files are too large to count (at most {size_text(COUNTED_BYTES)} are read, the smallest first)"
    found = {
        f"numbers of examples as published, since {large}": uncounted - assumed,
        f"numbers of examples that are assumed, as none are published and {large}": uncounted & assumed,
        "numbers of examples that are assumed, as none are published": assumed - uncounted,
    }
    return [f"{note}: {', '.join(sorted(names))}" for note, names in found.items() if names]


def _epochs(trainings: Sequence[TrainJob]) -> dict[str, str]:
    """Return the number or range of epochs of each family's training runs, as text."""
    found: dict[str, set[int]] = {}
    for job in trainings:
        found.setdefault(f"{METHODS[job.method].family} runs", set()).add(job.settings.epochs)
    return {
        family: f"{min(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
        for family, counts in found.items()
    }
