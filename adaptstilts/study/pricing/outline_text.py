"""Text of a plan's outline for the terminal. Free of torch."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any, Literal

from adaptstilts.formatting import aligned, number_text, scaled, size_text, visible
from adaptstilts.study.pricing.tree import WIDTH, tree_lines

View = Literal["both", "tree", "table"]
_NONE = "-"
_TREE_LEGEND = (
    "runs, predictions: finished/planned; shared: needed here too, but counted in the first line that needs it.",
)
_TABLE_LEGEND = (
    "intermediate: runs that others start from, also where a target uses them; trained: parameters with gradients, of "
    "one run and of all; FLOP: floating-point operations; to do: time of unfinished stages; peak: largest memory",
    "if nothing were shared: if training and prediction were repeated for every table cell that needs them",
)


def outline_text(record: dict[str, Any], view: View = "both", *, every_stage: bool = False) -> str:
    """Format an outline for the terminal.

    Args:
        record: Outline from `adaptstilts.study.pricing.outline.outline`.
        every_stage: Whether to list every stage in addition.
    """
    lines: list[str] = []
    if every_stage:
        lines += [*_stage_lines(record), ""]
    if view != "table":
        lines += [*tree_lines(record["tree"]), "", *_wrapped(_TREE_LEGEND), ""]
    if view != "tree":
        lines += [*_table(record), "", *_savings(record), ""]
        lines += [f"does not fit: {warning}" for warning in record["warnings"]]
        lines += [*_wrapped((*_TABLE_LEGEND, *record["notes"])), ""]
    done = sum(stage["done"] for stage in record["stages"])
    runs, unshared = record["training_runs"], record["training_runs_without_sharing"]
    lines += [
        *_wrapped(record["retrieval"]),
        f"{number_text(len(record['stages']), 'stage')}, {done} of them finished, for "
        f"{number_text(record['cells'], 'table cell')}",
        f"{number_text(runs, 'training run')}; {unshared:,} if none were shared",
    ]
    if record["older_format"]:
        older = number_text(record["older_format"], "stage")
        lines.append(f"finished work of an older format, which this version does not use: {older}, to be made again")
    names = record.get("variants", ())
    lines += [f"{number_text(len(names), 'variant')}:", *(f"  {name}" for name in names)] if names else []
    return "\n".join(map(visible, lines))


def _stage_lines(record: dict[str, Any]) -> list[str]:
    rows = [("", "stage", "kind", "used by")]
    rows += [
        ("ok" if stage["done"] else "", stage["name"], stage["kind"], str(stage["used_by"]))
        for stage in record["stages"]
    ]
    return aligned(rows, "<<<>")


def _table(record: dict[str, Any]) -> list[str]:
    """Format the table of stages by kind and method: counts, parameters, bytes, cost, and work left."""
    is_measured = any(row["hours_measured"] is not None for row in record["table"])
    head = [
        "",
        "stages",
        "finished",
        "trained each",
        "in all",
        "written",
        "FLOP",
        _time_column(record),
        "to do",
        "peak",
    ]
    rows = [[*head, *(["measured"] if is_measured else [])]]
    for row in record["table"]:
        if row["memory_bytes"] is None:
            costs = [_NONE] * 4
        else:
            peak = _bytes(row["memory_bytes"]) + ("" if row["fits"] else " !")
            costs = [f"{row['flops']:.2g}", _time(row["hours"]), _time(row["hours_to_do"]), peak]
        amounts = [
            scaled(row["trained_each"]) if row["trained_each"] else _NONE,
            scaled(row["trained_parameters"]) if row["trained_parameters"] else _NONE,
            _bytes(row["bytes"]) if row["bytes"] else _NONE,
            *costs,
        ]
        shown = amounts if record["is_priced"] else [_NONE] * len(amounts)
        measured = [_time(row["hours_measured"])] if is_measured else []
        rows.append([row["what"], str(row["stages"]), str(row["done"]), *shown, *measured])
    return aligned(rows, "<>")


def _savings(record: dict[str, Any]) -> list[str]:
    """Format the comparison of full models and adapters: as planned, still to do, and if nothing were shared."""
    columns = ("trained parameters", "sub-tokens", "written", "FLOP", _time_column(record), "peak")
    rows = [["", "training runs", *columns]]
    for name, family in record["families"].items():
        unshared = family["without_sharing"]
        to_do = [
            "",
            "",
            _bytes(family["bytes_to_do"]),
            f"{family['flops_to_do']:.2g}",
            _time(family["hours_to_do"]),
            "",
        ]
        rows += [
            [name, str(family["runs"]), *_amounts(family), _bytes(family["memory_bytes"])],
            ["  still to do", str(family["runs"] - family["runs_done"]), *to_do],
            ["  if nothing were shared", str(unshared["runs"]), *_amounts(unshared), ""],
        ]
    shown = rows if record["is_priced"] else [row[:2] for row in rows]
    return aligned(shown, "<>") if record["families"] else []


def _amounts(family: dict[str, Any]) -> list[str]:
    counts = (scaled(family["trained_parameters"]), scaled(family["tokens"]))
    return [*counts, _bytes(family["bytes"]), f"{family['flops']:.2g}", _time(family["hours"])]


def _time_column(record: dict[str, Any]) -> str:
    return f"{record['device']['name']} time"


def _wrapped(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ")]


def _bytes(number: float | None) -> str:
    return _NONE if number is None else size_text(number)


def _time(hours: float | None) -> str:
    if hours is None:
        return _NONE
    if hours >= 100:
        return f"{hours:,.0f} h"
    return f"{hours:.2f} h" if hours >= 0.01 else f"{hours * 3600:.2g} s"
