"""Means and best variants of a sweep, with numbers worked out by hand; their tables and pictures."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from reports import write_report

from adaptstilts.errors import EvaluationError
from adaptstilts.results.report import Additions
from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, read_csv, task_scores
from adaptstilts.results.variants import (
    BestVariant,
    ShownVariant,
    VariantMean,
    best_variants,
    best_variants_grid,
    draw_axis,
    numeric_axes,
    variant_means,
    variants_grid,
)


def score(variant: str, method: str, target: str, value: float, *, source: str = "", seed: int = 1) -> TaskScore:
    return TaskScore(method, "adapter", source, target, seed, (("en", value),), variant=variant)


def test_mean_is_over_sources_then_targets_then_seeds_with_the_spread_of_seeds():
    scores = [
        score("a", "stack", "xnli", 50.0, source="mnli"),
        score("a", "stack", "xnli", 60.0, source="qqp"),
        score("a", "stack", "udpos", 85.0, source="mnli"),
        score("a", "stack", "xnli", 59.0, source="mnli", seed=2),
        score("a", "stack", "udpos", 85.0, source="mnli", seed=2),
    ]
    # Incomplete, since seed 2 lacks a source.
    # Seed 1: (55 + 85) / 2 = 70; seed 2: (59 + 85) / 2 = 72; sample deviation of 70 and 72.
    (found,) = variant_means(scores)
    assert (found.variant, found.method, found.score, found.is_complete) == ("a", "stack", 71.0, False)
    assert found.spread == pytest.approx(2**0.5)


def test_mean_of_a_variant_that_lacks_a_target_is_not_complete():
    scores = [
        score("a", "adapter", "xnli", 50.0),
        score("a", "adapter", "udpos", 70.0),
        score("b", "adapter", "xnli", 52.0),
    ]
    assert variant_means(scores) == (
        VariantMean("a", "adapter", 60.0, None, is_complete=True),
        VariantMean("b", "adapter", 52.0, None, is_complete=False),
    )


def test_best_variant_is_told_for_each_target_and_method_and_none_where_all_are_alike():
    scores = [
        score("a", "direct", "xnli", 40.1), score("b", "direct", "xnli", 40.1),
        score("a", "stack", "xnli", 45.0), score("b", "stack", "xnli", 44.0, source="q"),
        score("b", "stack", "xnli", 48.0, source="m"), score("a", "stack", "udpos", 1.5),
        score("b", "stack", "udpos", 1.0),
    ]  # fmt: skip
    assert best_variants(scores) == (
        BestVariant("xnli", "direct", None, 40.1, 40.1),
        BestVariant("xnli", "stack", "b", 46.0, 45.0),
        BestVariant("udpos", "stack", "a", 1.5, 1.0),
    )


def test_nothing_comes_of_nothing():
    assert (variant_means([]), best_variants([])) == ((), ())


SHOWN = tuple(
    ShownVariant(f"reduction_factor={factor} kind={kind}", (("reduction_factor", factor), ("kind", kind)))
    for factor in (4.0, 16.0)
    for kind in ("seq_bn", "par_bn")
)
LABELS = [shown.label for shown in SHOWN]


@pytest.fixture
def swept(rows: list[ResultRow]) -> list[ResultRow]:
    """The small study four times, adapters better by a point from variant to variant; `direct` is the same in all."""
    return [
        replace(row, variant=label, value=row.value + number * (row.family != "full"))
        for number, label in enumerate(LABELS)
        for row in rows
    ]


@pytest.fixture
def scores(swept: list[ResultRow]) -> tuple[TaskScore, ...]:
    return task_scores(swept)


def test_variants_stand_below_each_other_with_a_column_per_method(scores: tuple[TaskScore, ...]):
    grid = variants_grid(variant_means(scores), scores)
    assert grid.header == ("variant", "direct", "full", "adapter", "stack", "continue", "fuse")
    # adapter: xnli (78 + 61) / 2 = 69.5, tatoeba (30 + 10) / 2 = 20; their mean 44.75, a point more per variant.
    assert [(row[0], row[1], row[3]) for row in grid.rows] == [
        (LABELS[0], "45.0", "44.8"),
        (LABELS[1], "45.0", "45.8"),
        (LABELS[2], "45.0", "46.8"),
        (LABELS[3], "45.0", "47.8"),
    ]
    assert grid.footnotes == (
        "Mean over targets, in percent, averaged over intermediate tasks; ±: standard deviation over seeds.",
    )


def test_variants_that_lack_targets_or_languages_are_marked(scores: tuple[TaskScore, ...]):
    kept = [score for score in scores if (score.variant, score.target) != (LABELS[1], "tatoeba")]
    grid = variants_grid(variant_means(kept), kept)
    assert grid.rows[1][1] == "(70.0)"
    assert "Means in brackets lack targets, intermediate tasks, languages or seeds." in grid.footnotes
    cut = [
        replace(score, by_language=score.by_language[:1]) if score.variant == LABELS[1] else score for score in scores
    ]
    assert any("other languages" in note for note in variants_grid(variant_means(cut), cut).footnotes)


def test_best_variant_comes_with_the_remark_that_it_was_chosen_on_these_scores(scores: tuple[TaskScore, ...]):
    grid = best_variants_grid(best_variants(scores))
    assert grid.rows[0] == ("xnli", "direct", "all equal", "70.0", "-")
    assert grid.rows[2] == ("xnli", "adapter", LABELS[3], "72.5", "69.5")
    assert grid.footnotes[0].startswith("Chosen on the scores shown")


def test_settings_with_two_numbers_are_axes_of_a_figure():
    assert numeric_axes(SHOWN) == ("reduction_factor",)
    assert numeric_axes([ShownVariant(str(value), (("x", value),)) for value in (True, False, None, 3)]) == ()


def figures_of(monkeypatch: pytest.MonkeyPatch) -> list:
    from matplotlib.figure import Figure

    found: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **named: (found.append(self), save(self, *args, **named))
    )
    return found


def test_figure_has_a_panel_for_what_else_differs_and_a_line_per_method(
    scores: tuple[TaskScore, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = figures_of(monkeypatch)
    path = draw_axis("reduction_factor", SHOWN, variant_means(scores), tmp_path / "deep" / "axis.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    left, right = drawn[0].axes
    assert [axes.get_title(loc="left") for axes in (left, right)] == ["kind=seq_bn", "kind=par_bn"]
    assert left.get_xscale() == "log"
    assert [label.get_text() for label in left.get_xticklabels()] == ["4", "16"]
    adapter = left.lines[2]
    assert list(adapter.get_xdata()) == [4.0, 16.0]
    assert list(adapter.get_ydata()) == [44.75, 46.75]
    assert len(drawn[0].legends[0].get_texts()) == 6


def test_figure_has_bars_for_the_spread_over_seeds_and_a_plain_scale_for_other_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = figures_of(monkeypatch)
    shown = [ShownVariant(f"dropout={value}", (("dropout", value),)) for value in (0.0, 0.1)]
    scores = [
        TaskScore("adapter", "adapter", "", "xnli", seed, (("en", 50.0 + seed + 10 * value),), variant=item.label)
        for item in shown
        for (_, value), seed in ((item.settings[0], 1), (item.settings[0], 3))
    ]
    draw_axis("dropout", shown, variant_means(scores), tmp_path / "axis.png")
    (axes,) = drawn[0].axes
    assert axes.get_xscale() == "linear"
    (bars,) = axes.containers
    assert bars.has_yerr
    assert list(bars.lines[0].get_ydata()) == [52.0, 53.0]


def test_figure_has_one_panel_when_settings_change_together(
    scores: tuple[TaskScore, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    drawn = figures_of(monkeypatch)
    draw_axis("reduction_factor", [SHOWN[0], SHOWN[3]], variant_means(scores), tmp_path / "axis.png")
    (axes,) = drawn[0].axes
    assert axes.get_title(loc="left") == "other settings change too"
    assert list(axes.lines[2].get_ydata()) == [44.75, 47.75]


def test_figure_is_refused_when_one_value_has_scores(scores: tuple[TaskScore, ...], tmp_path: Path):
    kept = [score for score in scores if score.variant in LABELS[:2]]
    with pytest.raises(EvaluationError, match="fewer than 2 values of reduction_factor have a score"):
        draw_axis("reduction_factor", SHOWN, variant_means(kept), tmp_path / "axis.png")


def test_report_sets_variants_beside_each_other_then_shows_each(
    swept: list[ResultRow], runs: list[RunRow], tmp_path: Path
):
    runs = [replace(run, variant="; ".join(LABELS[:2])) if run.method == "stack" else run for run in runs]
    kept = [row for row in swept if row.variant != LABELS[3]]
    files = write_report(tmp_path, kept, runs, "A sweep", ["A remark."], Additions(variants=SHOWN))
    text = files.report.read_text(encoding="utf-8")
    assert text.startswith(
        "# A sweep\n\nA sweep of 4 variants, 3 of them with scores.\n\n- A remark.\n\n### Variants, mean"
    )
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[1:5] == [
        "### Variants, mean over targets",
        "### Best variant per target",
        "### What was trained",
        f"## {LABELS[0]}",
    ]
    assert [line for line in headings if line.startswith("## ")] == [
        *(f"## {label}" for label in LABELS[:3]),
        "## All variants",
    ]
    names = ["sweep_reduction_factor.png", *(f"{what}-{n}.png" for n in (1, 2, 3) for what in ("heatmap", "languages"))]
    assert [path.name for path in files.pictures] == names
    assert all(f"]({name})" in text and (tmp_path / name).is_file() for name in names)
    assert {path.name for path in files.paths} == {path.name for path in tmp_path.iterdir()}
    assert read_csv(files.results, ResultRow) == tuple(kept)
    assert read_csv(files.runs, RunRow) == tuple(runs)
    # The third variant has no run of `stack`: one cost column less filled.
    sections = text.split("\n## ")
    assert "| stack" in sections[1].split("### What was trained")[1]
    assert "| stack" not in sections[3].split("### What was trained")[1].split("###")[0]
    assert files.text.startswith("Variants, mean over targets\n")
    assert "Best variant per target" in files.text


def test_report_names_the_variants_on_generated_data_if_others_are_on_real_data(swept: list[ResultRow], tmp_path: Path):
    mixed = [replace(variant, is_generated=number == 0) for number, variant in enumerate(SHOWN)]
    text = write_report(tmp_path, swept, [], "A sweep", more=Additions(variants=mixed, is_generated=True)).text
    assert f"This concerns the variants: {LABELS[0]}." in " ".join(text.split())
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    first, second = page.split("\n## ")[1:3]
    assert "### Scores on the mini world, averaged as in XTREME: tasks" in first
    assert "### XTREME scores: tasks" in second


def test_differences_are_to_the_reference_of_the_same_variant(swept: list[ResultRow], tmp_path: Path):
    moved = [replace(row, value=row.value + 5) if row.variant == LABELS[1] else row for row in swept]
    files = write_report(tmp_path, moved, [], "A sweep", more=Additions(variants=SHOWN))
    with files.transfer.open(encoding="utf-8", newline="") as file:
        found = [
            (row["variant"], row["reference_score"], row["difference"])
            for row in csv.DictReader(file)
            if (row["method"], row["target"], row["reference"], row["scope"]) == ("adapter", "xnli", "direct", "all")
        ]
    assert found == [
        (LABELS[0], "70.0", "-0.5"),
        (LABELS[1], "75.0", "0.5"),
        (LABELS[2], "70.0", "1.5"),
        (LABELS[3], "70.0", "2.5"),
    ]
    wanted = ("benchmark", "level", "method")
    with files.scores.open(encoding="utf-8", newline="") as file:
        scored = [
            row for row in csv.DictReader(file) if [row[name] for name in wanted] == ["xtreme", "overall", "direct"]
        ]
    assert [(row["variant"], row["score"]) for row in scored] == [
        (label, "50.0" if label == LABELS[1] else "45.0") for label in LABELS
    ]
