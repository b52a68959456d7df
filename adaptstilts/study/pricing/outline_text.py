"""A plan's outline for a terminal. Free of torch."""

from __future__ import annotations

from typing import Any, Literal

from adaptstilts.formatting import scaled
from adaptstilts.study.pricing.tree import tree_lines

View = Literal["both", "tree", "table"]
_NONE = "-"
_NAME_WIDTH = 60


def outline_text(record: dict[str, Any], view: View = "both", *, every_stage: bool = False) -> str:
    """Return an outline for a terminal.

    Args:
        record: As `adaptstilts.study.pricing.outline.outline` returns it.
        view: What of it.
        every_stage: Whether to list every stage too.

    Returns:
        Its lines.
    """
    lines: list[str] = []
    if every_stage:
        lines += [*_stage_lines(record), ""]
    if view != "table":
        lines += [*tree_lines(record["tree"]), ""]
    if view != "tree":
        lines += [*_table(record), "", *_savings(record), ""]
        lines += [f"does not fit: {warning}" for warning in record["warnings"]]
        lines += [*record["notes"], ""]
    done = sum(stage["done"] for stage in record["stages"])
    runs, naive = record["training_runs"], record["training_runs_without_sharing"]
    lines += [
        *record["retrieval"],
        f"{len(record['stages'])} stages, {done} of them finished, for {record['cells']} table cells",
        f"{runs} training runs; loops that share nothing would start {naive}",
    ]
    names = record.get("variants", ())
    lines += [f"{len(names)} variants:", *(f"  {name}" for name in names)] if names else []
    return "\n".join(lines)


def _stage_lines(record: dict[str, Any]) -> list[str]:
    # In a sweep the end of a name tells stages apart.
    longest = max((len(stage["name"]) for stage in record["stages"]), default=0)
    width = max(_NAME_WIDTH, longest) if "variants" in record else _NAME_WIDTH
    lines = [f"{'':2}{'stage':<{width}} {'kind':<8} {'used by':>7}"]
    for stage in record["stages"]:
        mark = "ok" if stage["done"] else "  "
        lines.append(f"{mark:2}{stage['name'][:width]:<{width}} {stage['kind']:<8} {stage['used_by']:>7}")
    return lines


def _table(record: dict[str, Any]) -> list[str]:
    is_priced = record["is_priced"]
    is_measured = any(row["hours_measured"] is not None for row in record["table"])
    device = record["device"]["name"]
    head = ["", "stages", "finished", "trained each", "in all", "written", "FLOP", f"{device} hours", "left", "peak"]
    head += ["measured"] if is_measured else []
    rows = [head]
    for row in record["table"]:
        runs_network = row["memory_bytes"] is not None
        amounts = [
            scaled(row["trained_each"]) if row["trained_each"] else _NONE,
            scaled(row["trained_parameters"]) if row["trained_parameters"] else _NONE,
            _bytes(row["bytes"]) if row["bytes"] else _NONE,
            *(
                [f"{row['flops']:.2g}", _hours(row["hours"]), _hours(row["hours_to_do"])]
                if runs_network
                else [_NONE] * 3
            ),
            _bytes(row["memory_bytes"]) + ("" if row["fits"] else " !") if runs_network else _NONE,
        ]
        shown = amounts if is_priced else [_NONE] * len(amounts)
        measured = [_hours(row["hours_measured"])] if is_measured else []
        rows.append([row["what"], str(row["stages"]), str(row["done"]), *shown, *measured])
    return _aligned(rows)


def _savings(record: dict[str, Any]) -> list[str]:
    """Full models and adapters side by side, each as planned, as naive loops, and what is left of it."""
    families = record["families"]
    rows = [["", *(f"{name}{part}" for name in families for part in ("", ", naive loops", ", left"))]]
    naive = {name: family["without_sharing"] for name, family in families.items()}
    cells = {
        "training runs": [
            (str(one["runs"]), str(naive[name]["runs"]), str(one["runs"] - one["runs_done"]))
            for name, one in families.items()
        ]
    }
    if record["is_priced"]:
        cells["trained parameters"] = [
            (scaled(one["trained_parameters"]), scaled(naive[name]["trained_parameters"]), "")
            for name, one in families.items()
        ]
        cells["sub-tokens"] = [
            (scaled(one["tokens"]), scaled(naive[name]["tokens"]), "") for name, one in families.items()
        ]
        cells["written"] = [
            (_bytes(one["bytes"]), _bytes(naive[name]["bytes"]), _bytes(one["bytes_to_do"]))
            for name, one in families.items()
        ]
        cells["FLOP"] = [
            (f"{one['flops']:.2g}", f"{naive[name]['flops']:.2g}", f"{one['flops_to_do']:.2g}")
            for name, one in families.items()
        ]
        cells[f"{record['device']['name']} hours"] = [
            (_hours(one["hours"]), _hours(naive[name]["hours"]), _hours(one["hours_to_do"]))
            for name, one in families.items()
        ]
        cells["peak memory"] = [(_bytes(one["memory_bytes"]), "", "") for one in families.values()]
    rows += [[what, *(value for family in found for value in family)] for what, found in cells.items()]
    return _aligned(rows) if families else []


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def _bytes(number: float | None) -> str:
    return _NONE if number is None else f"{scaled(number)}B"


def _hours(hours: float | None) -> str:
    if hours is None:
        return _NONE
    if hours >= 100:
        return f"{hours:,.0f}"
    return f"{hours:.2f}" if hours >= 0.01 or hours == 0 else f"{hours * 3600:.2g} s"
