"""What a report shows beside scores and runs: remarks, layers, published scores, and the variants of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adaptstilts.analyse.results import ResultRow
from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.sweep import Variant, variants
from adaptstilts.report.files import Additions
from adaptstilts.report.grid import Grid
from adaptstilts.report.published import published_grids
from adaptstilts.report.variants import ShownVariant
from adaptstilts.study.collect import benchmark_notes, layer_rows, retrieval_notes, training_notes
from adaptstilts.study.inputs import MINI
from adaptstilts.study.plan import Plan
from adaptstilts.study.published import run_setting
from adaptstilts.study.store import Artefact
from adaptstilts.study.variants import merged_lines, part_of
from adaptstilts.tasks.spec import BenchmarkName


def study_notes(config: StudyConfig, plan: Plan, done: Mapping[str, Artefact]) -> list[str]:
    """Return the remarks on a study; those that are not of all variants begin with the variant.

    Args:
        config: The study.
        plan: Its plan.
        done: Finished artefacts by key.

    Returns:
        One sentence each, in Markdown.
    """
    return merged_lines([(variant, _notes_of(variant, plan, done)) for variant in variants(config)])


def additions(config: StudyConfig, plan: Plan, done: Mapping[str, Artefact], rows: Sequence[ResultRow]) -> Additions:
    """Return what a report shows beside its rows.

    Args:
        config: The study.
        plan: Its plan.
        done: Finished artefacts by key.
        rows: Its scores.

    Returns:
        Layers and tables beside published scores, and for a sweep its variants.
    """
    layers = layer_rows(plan, done)
    if not config.sweep:
        return Additions(layers=layers, baselines=_baselines(config, rows))
    shown = (
        ShownVariant(
            label=variant.label,
            settings=variant.settings,
            baselines=_baselines(variant.config, [row for row in rows if row.variant == variant.label]),
        )
        for variant in variants(config)
    )
    return Additions(layers=layers, variants=tuple(shown))


def _notes_of(variant: Variant, plan: Plan, done: Mapping[str, Artefact]) -> list[str]:
    config, part = variant.config, part_of(plan, [variant.label])
    return [
        *benchmark_notes(config.target.tasks, BenchmarkName(config.evaluation.benchmark)),
        *training_notes(part, done),
        *retrieval_notes(config.retrieval, part, done),
    ]


def _baselines(config: StudyConfig, rows: Sequence[ResultRow]) -> Sequence[Grid]:
    return () if config.data.root == MINI else published_grids(rows, run_setting(config))
