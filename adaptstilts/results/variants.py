"""Comparison of a sweep's variants: means over targets, the best variant of each target, tables and figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.config.sweep import settings_text, value_text
from adaptstilts.errors import EvaluationError
from adaptstilts.results.figures import STYLES, figure_text, new_panels, save_figure
from adaptstilts.results.grid import NOTHING, Footnotes, Grid
from adaptstilts.results.rows import UNSCORED, TaskScore, mean, spread
from adaptstilts.results.transfer import methods_in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Settings = tuple[tuple[str, Any], ...]

_ALIKE = 1e-9
"""Points; smaller differences are rounding errors of the order of addition."""
_PANEL = (3.4, 2.6)
_FONT = 8
_COLUMNS = 3
_MOST_PANELS = 9
_BY_FACTORS = ("learning_rate", "reduction_factor")
"""Settings that are drawn on a logarithmic scale."""


@dataclass(frozen=True)
class VariantMean:
    """Mean of one method in one variant.

    Attributes:
        variant: Label of the variant.
        score: Mean over seeds of the mean over targets, in percent; a target's score is its mean over intermediate
            tasks.
        spread: Sample standard deviation over seeds of the mean over targets; None for fewer than two seeds.
        is_complete: Whether every seed of the study has every target that the method has in any variant, each with all
            its intermediate tasks and languages.
    """

    variant: str
    method: str
    score: float
    spread: float | None
    is_complete: bool


@dataclass(frozen=True)
class BestVariant:
    """Best variant of one method on one target.

    Attributes:
        variant: Label of the best variant, of equal ones the first; None where all score the same.
        score: Mean of the best variant over intermediate tasks and seeds, in percent.
        lowest: The same mean of the worst variant.
    """

    target: str
    method: str
    variant: str | None
    score: float
    lowest: float


def variant_means(scores: Iterable[TaskScore]) -> tuple[VariantMean, ...]:
    """Average each method over targets, variant by variant; methods come in the order of the configuration."""
    known = list(scores)
    seeds = {score.seed for score in known}
    targets: dict[str, set[str]] = defaultdict(set)
    for score in known:
        targets[score.method].add(score.target)
    found = []
    for variant in dict.fromkeys(score.variant for score in known):
        for method in methods_in_order(score.method for score in known if score.variant == variant):
            own = [score for score in known if (score.variant, score.method) == (variant, method)]
            found.append(_mean_of(own, targets[method], seeds))
    return tuple(found)


def best_variants(scores: Iterable[TaskScore]) -> tuple[BestVariant, ...]:
    """Find the best variant of each target and method; methods come in the order of the configuration."""
    known = list(scores)
    found = []
    for target in dict.fromkeys(score.target for score in known):
        for method in methods_in_order(score.method for score in known if score.target == target):
            values: dict[str, list[float]] = defaultdict(list)
            for score in known:
                if (score.target, score.method) == (target, method):
                    values[score.variant].append(score.mean)
            by_variant = {variant: mean(own) for variant, own in values.items()}
            best = max(by_variant, key=by_variant.__getitem__)
            lowest = min(by_variant.values())
            are_alike = by_variant[best] - lowest < _ALIKE
            found.append(BestVariant(target, method, None if are_alike else best, by_variant[best], lowest))
    return tuple(found)


def _mean_of(scores: Sequence[TaskScore], targets: set[str], seeds: set[int]) -> VariantMean:
    by_seed: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        by_seed[score.seed][score.target].append(score.mean)
    settings = {(score.target, score.source) for score in scores}
    is_whole = len(scores) == len(settings) * len(seeds) and targets == {target for target, _ in settings}
    is_partial = any(note.startswith(UNSCORED) for score in scores for note in score.notes)
    means = [mean([mean(values) for values in by_target.values()]) for by_target in by_seed.values()]
    return VariantMean(
        variant=scores[0].variant,
        method=scores[0].method,
        score=mean(means),
        spread=spread(means),
        is_complete=is_whole and not is_partial,
    )


@dataclass(frozen=True)
class ShownVariant:
    """One variant of a sweep in a report.

    Attributes:
        settings: Its swept settings by name.
        baselines: Tables that show it beside published scores.
        is_generated: Whether its data is the mini world.
    """

    label: str
    settings: Settings
    baselines: Sequence[Grid] = ()
    is_generated: bool = False


def variants_grid(means: Sequence[VariantMean], scores: Sequence[TaskScore]) -> Grid:
    """Tabulate means over targets, from `variant_means`: variants that have a score down, methods across.

    Args:
        scores: The scores that the means are made of.
    """
    found = {(item.variant, item.method): item for item in means}
    methods = methods_in_order(item.method for item in means)
    notes = Footnotes()
    rows = tuple(
        (variant, *(_mean_text(found.get((variant, method)), notes) for method in methods))
        for variant in dict.fromkeys(item.variant for item in means)
    )
    notes.remark("Mean over targets, in percent, averaged over intermediate tasks; ±: standard deviation over seeds.")
    if _languages_differ(scores):
        notes.remark("Some variants are scored in other languages than others, so their means cannot be compared.")
    return Grid("Variants, mean over targets", ("variant", *methods), rows, footnotes=notes.lines())


def best_variants_grid(best: Sequence[BestVariant]) -> Grid:
    """Tabulate the best variant of each target and method, one row each."""
    rows = tuple(
        (item.target, item.method, "all equal" if item.variant is None else item.variant, f"{item.score:.1f}",
         NOTHING if item.variant is None else f"{item.lowest:.1f}")
        for item in best
    )  # fmt: skip
    remark = "Chosen on the scores shown, so the scores are upper bounds; lowest: score of the worst variant."
    header = ("target", "method", "variant", "score", "lowest")
    return Grid("Best variant per target", header, rows, text_columns=3, footnotes=(remark,))


def numeric_axes(shown: Sequence[ShownVariant]) -> tuple[str, ...]:
    """Return the names of the settings that take at least two numbers."""
    values: dict[str, set[float]] = defaultdict(set)
    for variant in shown:
        for name, value in variant.settings:
            if _is_number(value):
                values[name].add(float(value))
    return tuple(name for name, numbers in values.items() if len(numbers) > 1)


def draw_axis(name: str, shown: Sequence[ShownVariant], means: Sequence[VariantMean], path: Path) -> Path:
    """Draw means over targets by the value of one setting and return the path.

    Each method has a line, with bars for the spread over seeds. There is a panel for each combination of the other
    settings; a single one where there would be more than nine, or where the other settings change with this one.

    Raises:
        EvaluationError: If fewer than two of its values have a score.
    """
    scored = {item.variant for item in means}
    present = [variant for variant in shown if variant.label in scored and _is_number(dict(variant.settings).get(name))]
    if len({dict(variant.settings)[name] for variant in present}) < 2:
        raise EvaluationError(f"fewer than 2 values of {name} have a score", hint="Finish the study first.")
    panels = _panels(name, present)
    figure, grid = new_panels(len(panels), columns=_COLUMNS, size=_PANEL, above=0.3, share_y=True)
    methods = methods_in_order(item.method for item in means)
    found = {(item.variant, item.method): item for item in means}
    for axes, (title, variants) in zip(grid, panels.items(), strict=True):
        places = {variant.label: float(dict(variant.settings)[name]) for variant in variants}
        for number, method in enumerate(methods):
            own = [(place, found[label, method]) for label, place in places.items() if (label, method) in found]
            _draw_line(axes, method, own, STYLES[number % len(STYLES)])
        _label_panel(axes, name, title, sorted(set(places.values())))
    for axes in grid[::_COLUMNS]:
        axes.set_ylabel("mean over targets, %", fontsize=_FONT)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(methods), fontsize=_FONT, frameon=False)
    return save_figure(figure, path)


def _panels(name: str, variants: Sequence[ShownVariant]) -> dict[str, list[ShownVariant]]:
    """Group variants by their other settings."""
    groups: dict[str, list[ShownVariant]] = defaultdict(list)
    for variant in variants:
        groups[settings_text([item for item in variant.settings if item[0] != name])].append(variant)
    are_crossed = any(len(group) > 1 for group in groups.values())
    if are_crossed and len(groups) <= _MOST_PANELS:
        return groups
    return {"mean over the other settings" if are_crossed else "other settings change too": list(variants)}


def _draw_line(axes: Axes, method: str, found: Sequence[tuple[float, VariantMean]], style: tuple[str, str]) -> None:
    by_place: Mapping[float, list[VariantMean]] = defaultdict(list)
    for place, item in found:
        by_place[place].append(item)
    places = sorted(by_place)
    # Of several variants at one place only the mean is shown: their spread is not one over seeds.
    spreads = [by_place[place][0].spread or 0.0 if len(by_place[place]) == 1 else 0.0 for place in places]
    colour, mark = style
    axes.errorbar(
        places,
        [mean([item.score for item in by_place[place]]) for place in places],
        yerr=spreads if any(spreads) else None,
        color=colour,
        marker=mark,
        markersize=3,
        linewidth=1,
        capsize=2,
        label=method,
    )


def _label_panel(axes: Axes, name: str, title: str, places: Sequence[float]) -> None:
    if name.endswith(_BY_FACTORS) and places[0] > 0:
        axes.set_xscale("log")
    axes.set_xticks(list(places), [value_text(place) for place in places])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(figure_text(name), fontsize=_FONT)
    axes.set_title(figure_text(title), fontsize=_FONT, loc="left")
    axes.tick_params(labelsize=_FONT - 1, length=2)
    axes.spines[["top", "right"]].set_visible(False)


def _mean_text(item: VariantMean | None, notes: Footnotes) -> str:
    if item is None:
        return NOTHING
    spread = "" if item.spread is None else f" ±{item.spread:.1f}"
    if item.is_complete:
        return f"{item.score:.1f}{spread}"
    notes.remark("Means in brackets lack targets, intermediate tasks, languages or seeds.")
    return f"({item.score:.1f}{spread})"


def _languages_differ(scores: Sequence[TaskScore]) -> bool:
    languages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for score in scores:
        languages[score.target, score.variant] |= {code for code, _ in score.by_language}
    first: dict[str, set[str]] = {}
    return any(first.setdefault(target, codes) != codes for (target, _), codes in languages.items())


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
