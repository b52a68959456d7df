"""Figures of a study as PNG files. matplotlib is loaded inside the functions; its global settings stay untouched.

All lengths are inches; axes are placed by hand so that cells have one size in every panel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import cut, signed_text, visible
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.results.rows import TaskScore, mean
from adaptstilts.results.tables import SCOPE_WORDS, source_label
from adaptstilts.results.transfer import Scope, TransferTable, methods_in_order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 300
_FONT = 8
_SMALL_FONT = 7
_CHARACTER = 0.075
_MARGIN = 0.15
_LONGEST_NAME = 60
_TITLE = 0.32

_CELL_WIDTH, _CELL_HEIGHT = 0.37, 0.25
_WIDEST = 10.0
_SCALE_ROOM = 0.7
_MEAN_GAP = 0.15
_PANEL_GAP = 0.25
_SMALLEST_LIMIT = 1.0
_TICKS = (1, 2, 5, 10, 20, 50, 100)

_LANGUAGE_WIDTH, _PANEL_HEIGHT = 0.27, 1.55
_SCALE_WIDTH, _LANGUAGE_LABELS, _LEGEND = 0.45, 0.3, 0.35
_ROW_WIDTH = 8.2
STYLES = (
    ("#000000", "o"),
    ("#0072B2", "s"),
    ("#E69F00", "D"),
    ("#009E73", "^"),
    ("#D55E00", "v"),
    ("#CC79A7", "P"),
    ("#56B4E9", "X"),
    ("#999999", "*"),
)
"""Colour-blind-safe colours (Okabe and Ito 2008), with marks that differ in print without colour; one per method."""


def figure_text(text: str) -> str:
    """Return a name as a figure shows it: shortened, what cannot be seen escaped, and no formula begun by ``$``."""
    return cut(visible(text), _LONGEST_NAME).replace("$", r"\$")


def draw_heatmap(tables: Sequence[TransferTable], path: Path) -> Path:
    """Draw differences as heat maps, one panel per method, sources down and targets across; return the path.

    Colours are centred at zero and shared by the panels. Their strength grows with the square root of the difference,
    so that one point is still seen beside twenty; the numbers stand in the cells.

    Args:
        tables: Tables of one study with the same reference, scope and targets, one per method.

    Raises:
        EvaluationError: If no table has a difference.
    """
    shown = [table for table in tables if len(table.missing) < len(table.targets)]
    if not shown:
        raise EvaluationError("0 differences to draw", hint="Score a method beside the reference first.")
    found = [value for table in shown for source in table.sources for value in table.differences(source)]
    limit = max(_SMALLEST_LIMIT, *(abs(value) for value in found))
    slots = [[table] for table in shown if len(table.sources) > 1]
    flat = [table for table in shown if len(table.sources) == 1]
    slots += [flat] if flat else []
    panel = (len(shown[0].targets) + 1 + _MEAN_GAP) * _CELL_WIDTH
    rows_of_panels = {table.sources for table in shown if len(table.sources) > 1}
    labels = [_source_text(source) for sources in rows_of_panels for source in sources]
    left = _MARGIN + _CHARACTER * max([len(label) for label in labels], default=0)
    below = _MARGIN + 0.8 * _CHARACTER * max(len(figure_text(target)) for target in shown[0].targets)
    # Panels with the same rows share the labels at the left; others need room for their own.
    slot_width = panel + (_PANEL_GAP if len(rows_of_panels) < 2 else left)
    columns = _columns(len(slots), slot_width, _WIDEST - left - _SCALE_ROOM)
    rows = [slots[start : start + columns] for start in range(0, len(slots), columns)]
    heights = [max(_slot_height(slot) for slot in row) + below for row in rows]
    scale = left + (columns - 1) * slot_width + panel + _PANEL_GAP
    figure = _new_figure(scale + _SCALE_ROOM, sum(heights) + _MARGIN)
    row_top = figure.get_figheight()
    for row, row_height in zip(rows, heights, strict=True):
        for number, slot in enumerate(row):
            top = row_top
            for table in slot:
                height = len(table.sources) * _CELL_HEIGHT
                top -= _TITLE + height
                axes = _place(figure, left + number * slot_width, top, panel, height)
                has_sources = slot is not flat and (number == 0 or len(rows_of_panels) > 1)
                _draw_panel(axes, table, limit, has_sources=has_sources)
                _label_columns(axes, table.targets if table is slot[-1] else ())
        row_top -= row_height
    height = max(heights[0] - below - _TITLE, 1.2)
    scope = "" if shown[0].scope is Scope.ALL else f", {SCOPE_WORDS[shown[0].scope]}"
    bar = _place(figure, scale, figure.get_figheight() - _TITLE - height, 0.12, height)
    _draw_scale(bar, limit, f"points vs '{shown[0].reference}'{scope}", least_gap=0.25 / height)
    return save_figure(figure, path, is_cropped=True)


def draw_languages(scores: Sequence[TaskScore], path: Path) -> Path:
    """Draw scores by language, one panel per target; return the path.

    English comes first, then the languages by the first method's score. A mark is a method's mean over sources and
    seeds, a line reaches from its lowest to its highest score.

    Raises:
        EvaluationError: If there is no score.
    """
    if not scores:
        raise EvaluationError("0 scores to draw", hint="Run a study first.")
    methods = methods_in_order(score.method for score in scores)
    panels = {target: _by_language(scores, target) for target in dict.fromkeys(score.target for score in scores)}
    widths = {target: len(languages) * _LANGUAGE_WIDTH + _SCALE_WIDTH for target, languages in panels.items()}
    row_width = max(_ROW_WIDTH, *widths.values())
    rows = _fill_rows(widths, row_width)
    row_height = _PANEL_HEIGHT + _TITLE + _LANGUAGE_LABELS
    figure = _new_figure(row_width + 2 * _MARGIN + 0.2, len(rows) * row_height + _LEGEND)
    for number, row in enumerate(rows):
        bottom = figure.get_figheight() - _LEGEND - number * row_height - _TITLE - _PANEL_HEIGHT
        left = _MARGIN + 0.2
        for target in row:
            axes = _place(figure, left + _SCALE_WIDTH - 0.1, bottom, widths[target] - _SCALE_WIDTH, _PANEL_HEIGHT)
            _draw_target(axes, target, panels[target], methods)
            if target == row[0]:
                axes.set_ylabel("score, %", fontsize=_FONT)
            left += widths[target]
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(methods), fontsize=_FONT, frameon=False)
    return save_figure(figure, path, is_cropped=True)


def new_panels(
    count: int, *, columns: int, size: tuple[float, float], above: float = 0.0, share_y: bool = False
) -> tuple[Figure, list[Axes]]:
    """Create a figure of ``count`` equal panels in rows.

    Args:
        columns: Most panels in a row.
        size: Width and height of a panel in inches.
        above: Room above all of them in inches.
        share_y: Whether all have the same vertical scale.
    """
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure = _new_figure(columns * size[0], rows * size[1] + above, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=share_y).flatten()
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, list(panels[:count])


def save_figure(figure: Figure, path: Path, *, is_cropped: bool = False) -> Path:
    """Write a figure as PNG, 300 dots per inch, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    box = "tight" if is_cropped else None
    figure.savefig(path, dpi=DPI, format="png", facecolor="white", bbox_inches=box, pad_inches=0.05)
    return path


def _source_text(source: str) -> str:
    return figure_text(source_label(source))


def _draw_panel(axes: Axes, table: TransferTable, limit: float, *, has_sources: bool) -> None:
    """Draw one method: its targets, and their mean slightly apart."""
    import numpy  # noqa: PLC0415

    targets, sources = len(table.targets), len(table.sources)
    values = numpy.full((sources, targets + 2), numpy.nan)
    edges = [*range(targets + 1), targets + _MEAN_GAP, targets + 1 + _MEAN_GAP]
    for row, source in enumerate(table.sources):
        average = table.row_mean(source)
        cells = [table.cell(source, target) for target in table.targets]
        differences = [None if cell is None else cell.difference for cell in cells]
        for column, value in enumerate([*differences, average]):
            is_mean = column == targets
            middle = column + 0.5 + _MEAN_GAP * is_mean
            text = "–" if value is None else signed_text(value)
            if is_mean and value is not None and not table.is_complete(source):
                text = f"({text})"
            if value is not None:
                values[row, column + is_mean] = _strength(value, limit)
            colour = "white" if value is not None and abs(_strength(value, limit)) > 0.65 else "black"
            axes.text(middle, row + 0.5, text, ha="center", va="center", fontsize=_SMALL_FONT, color=colour)
    mesh = numpy.ma.masked_invalid(values)
    axes.pcolormesh(edges, range(sources + 1), mesh, cmap="RdBu", vmin=-1, vmax=1, edgecolors="white", linewidth=1)
    names = [_source_text(source) for source in table.sources] if has_sources else []
    axes.set_yticks([row + 0.5 for row in range(len(names))], names, fontsize=_FONT)
    axes.set_ylim(sources, 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    only = (
        ""
        if sources > 1
        else " (no intermediate task)"
        if not table.sources[0]
        else f" ({_source_text(table.sources[0])})"
    )
    axes.set_title(f"{table.method}{only}", fontsize=_FONT + 1, loc="left")


def _label_columns(axes: Axes, targets: Sequence[str]) -> None:
    """Write target names below a panel; without targets, leave the columns unnamed."""
    names = [*map(figure_text, targets), "mean"] if targets else []
    middles = [column + 0.5 + _MEAN_GAP * (column == len(targets)) for column in range(len(names))]
    axes.set_xticks(middles, names, rotation=45, ha="right", rotation_mode="anchor", fontsize=_FONT)


def _columns(slots: int, slot_width: float, room: float) -> int:
    """Return how many slots fit in a row, but no more than are needed to fill the rows evenly."""
    most = max(1, int(room // slot_width))
    return math.ceil(slots / math.ceil(slots / most))


def _slot_height(tables: Sequence[TransferTable]) -> float:
    """Return the height of tables stacked below each other, with their titles."""
    return sum(_TITLE + len(table.sources) * _CELL_HEIGHT for table in tables)


def _strength(value: float, limit: float) -> float:
    """Map a difference to -1..1 by its signed square root."""
    return math.copysign(math.sqrt(abs(value) / limit), value)


def _draw_scale(axes: Axes, limit: float, words: str, *, least_gap: float) -> None:
    """Draw the colour bar with ticks at round numbers of points."""
    import numpy  # noqa: PLC0415

    axes.imshow(numpy.linspace(-1, 1, 256)[:, None], cmap="RdBu", aspect="auto", origin="lower", extent=(0, 1, -1, 1))
    ticks: list[float] = []
    for value in reversed([tick for tick in _TICKS if tick <= limit]):
        if not ticks or _strength(ticks[-1], limit) - _strength(value, limit) >= least_gap <= _strength(value, limit):
            ticks.append(value)
    places = [*(-tick for tick in ticks), 0, *reversed(ticks)]
    axes.set_yticks(
        [_strength(place, limit) for place in places], [f"{place:+d}" if place else "0" for place in places]
    )
    axes.yaxis.set_ticks_position("right")
    axes.yaxis.set_label_position("right")
    axes.set_ylabel(words, fontsize=_SMALL_FONT)
    axes.set_xticks([])
    axes.tick_params(labelsize=_SMALL_FONT, length=2)


def _by_language(scores: Sequence[TaskScore], target: str) -> dict[str, dict[str, list[float]]]:
    """Return the scores of one target by language and method, languages in the order of the panel."""
    found: dict[str, dict[str, list[float]]] = {}
    for score in scores:
        if score.target == target:
            for language, value in score.by_language:
                found.setdefault(language, {}).setdefault(score.method, []).append(value)
    first = methods_in_order(score.method for score in scores if score.target == target)[0]

    def place(language: str) -> tuple[bool, float]:
        return language != SOURCE_LANGUAGE, -mean(found[language].get(first, [0.0]))

    return {language: found[language] for language in sorted(found, key=place)}


def _fill_rows(widths: dict[str, float], row_width: float) -> list[list[str]]:
    """Distribute panels over rows, in order, as many as fit."""
    rows: list[list[str]] = []
    used = math.inf
    for target, width in widths.items():
        if used + width > row_width:
            rows.append([])
            used = 0.0
        rows[-1].append(target)
        used += width
    return rows


def _draw_target(axes: Axes, target: str, languages: dict[str, dict[str, list[float]]], methods: Sequence[str]) -> None:
    """Draw one target: marks of all methods side by side for each language."""
    step = 0.8 / max(1, len(methods))
    for number, method in enumerate(methods):
        colour, mark = STYLES[number % len(STYLES)]
        values = [
            (place, by_method[method]) for place, by_method in enumerate(languages.values()) if method in by_method
        ]
        places = [place + (number - (len(methods) - 1) / 2) * step for place, _ in values]
        axes.vlines(places, [min(v) for _, v in values], [max(v) for _, v in values], color=colour, linewidth=0.8)
        axes.plot(places, [mean(v) for _, v in values], mark, color=colour, markersize=2.6, linewidth=0, label=method)
    for place in range(1, len(languages), 2):
        axes.axvspan(place - 0.5, place + 0.5, color="#f2f2f2", zorder=0, linewidth=0)
    axes.set_xlim(-0.5, len(languages) - 0.5)
    axes.set_xticks(range(len(languages)), [figure_text(code) for code in languages], fontsize=_SMALL_FONT)
    axes.tick_params(axis="both", labelsize=_SMALL_FONT, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(figure_text(target), fontsize=_FONT + 1, loc="left")


def _new_figure(width: float, height: float, layout: Literal["constrained"] | None = None) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def _place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))
