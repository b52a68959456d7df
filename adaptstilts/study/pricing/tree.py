"""A plan as a tree: backbone, intermediate runs, methods that use them, targets and predictions. Free of torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Any

from adaptstilts.formatting import number_text, visible
from adaptstilts.study.plan.jobs import PredictJob, TrainJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.tasks.registry import get_task, training_chain, training_task
from adaptstilts.train.methods import FAMILIES, METHODS

if TYPE_CHECKING:
    from rich.tree import Tree

WIDTH = 120
"""Columns after which lines are wrapped."""
MOST_LINES = 120
"""Maximum lines of a tree; longer ones have their lower levels folded into the lines above."""
_MAX_NAMES = 12


@dataclass
class Node:
    """A line of the tree with the lines below it.

    Attributes:
        short: Name of this line when it is folded into the one above.
        runs: Keys of the training runs of this line.
        predictions: Number of languages by key of the predictions of this line.
    """

    text: str
    short: str = ""
    runs: set[str] = field(default_factory=set)
    predictions: dict[str, int] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)

    def child(self, name: str, text: str, short: str = "") -> Node:
        """Return the child of that name, created if it does not exist."""
        return self.children.setdefault(name, Node(text, short or name))

    def all_runs(self) -> set[str]:
        """Collect the keys of the training runs of this line and below."""
        return self.runs.union(*(child.all_runs() for child in self.children.values()))

    def all_predictions(self) -> dict[str, int]:
        """Collect the numbers of languages of the predictions of this line and below, by key."""
        found = dict(self.predictions)
        for child in self.children.values():
            found |= child.all_predictions()
        return found

    def record(self, done: Collection[str]) -> dict[str, Any]:
        """Convert the tree to plain values.

        A run or prediction that several lines need is counted in the first of them and is ``shared`` in the others.

        Args:
            done: Keys of finished stages.
        """
        return self._record(done, set())

    def _record(self, done: Collection[str], counted: set[str]) -> dict[str, Any]:
        """Convert a line and those below it; their keys are added to ``counted``, those of the lines before."""
        runs, predictions = self.all_runs(), self.all_predictions()
        own_runs = runs - counted
        own_predictions = {key: count for key, count in predictions.items() if key not in counted}
        counted |= self.runs | self.predictions.keys()
        return {
            "text": self.text,
            "runs": len(own_runs),
            "runs_done": sum(key in done for key in own_runs),
            "runs_shared": len(runs) - len(own_runs),
            "predictions": sum(own_predictions.values()),
            "predictions_done": sum(count for key, count in own_predictions.items() if key in done),
            "predictions_shared": sum(predictions.values()) - sum(own_predictions.values()),
            "children": [child._record(done, counted) for child in self.children.values()],
            "short": self.short,
        }


def plan_tree(plan: Plan, title: str) -> Node:
    """Arrange a plan's stages by the stages they build on; seeds and variants of a run share a line.

    Args:
        title: Text of the root line, which describes the backbone.
    """
    root = Node(title)
    for cell in plan.cells:
        method, target = METHODS[cell.method], get_task(cell.target)
        names = cell.source.split("+") if cell.source else []
        branch = root
        if method.use in {"start", "below"}:
            family = FAMILIES[method.intermediate or method.family].singular
            branch = root.child(f"{family} {cell.source}", f"intermediate {family}: {cell.source}", cell.source)
        detail = ""
        if method.use == "fused":
            detail = f" over {number_text(len(names), 'adapter')}: {_joined_names(names)}"
        elif branch is root:
            detail = f" ({method.summary})"
        branch = branch.child(cell.method, cell.method + detail)
        if target.trains:
            chain = " > ".join(task.name for task in training_chain(training_task(target)))
        else:
            chain = "no training"
        leaf = branch.child(chain, chain, "")
        languages = 0
        for key in (*cell.predict, *cell.hidden):
            job = job_of(plan.stage(key), PredictJob)
            if job is not None:
                leaf.predictions[key] = len(job.languages)
                languages += len(job.languages)
        _add_runs(plan, cell.train, root, leaf)
        if method.intermediate is not None and cell.train is None:
            for key in cell.predict:
                for above in plan.stage(key).inputs:
                    _add_source(plan, above, root)
        leaf.child(cell.target, f"{cell.target} ({number_text(languages, 'language')})").predictions = {}
    _name_leaves(root)
    return root


def _add_runs(plan: Plan, key: str | None, root: Node, leaf: Node) -> None:
    """Add a target run, the runs it continues, and the intermediate runs it builds on."""
    job = None if key is None else job_of(plan.stage(key), TrainJob)
    if key is None or job is None:
        return
    leaf.runs.add(key)
    for source in job.sources:
        _add_source(plan, source.key, root)
    if job.after is not None:
        _add_runs(plan, job.after.key, root, leaf)


def _add_source(plan: Plan, key: str, root: Node) -> None:
    """Add an intermediate run to its own line, which is created if only fusions use the run."""
    job = job_of(plan.stage(key), TrainJob)
    if job is not None and not job.sources:
        family = FAMILIES[METHODS[job.method].family].singular
        root.child(f"{family} {job.task}", f"intermediate {family}: {job.task}", job.task).runs.add(key)


def _name_leaves(node: Node) -> None:
    """Move the targets of a run into its line, which saves a level."""
    for child in node.children.values():
        targets = list(child.children.values())
        if (child.runs or child.predictions) and not any(below.children or below.predictions for below in targets):
            child.text += f" -> {', '.join(below.text for below in targets)}" if targets else ""
            child.short = "+".join(child.children) or child.short
            child.children = {}
        _name_leaves(child)


def tree_lines(record: dict[str, Any], max_lines: int = MOST_LINES) -> list[str]:
    """Draw a tree as lines of text.

    Args:
        record: Tree from `Node.record`.
        max_lines: Maximum; lower levels are folded first, and if that is not enough, lines at the end are omitted.
    """
    from rich.console import Console  # noqa: PLC0415

    depth = max((level for level in range(1, 5) if _size(record, level) <= max_lines), default=1)
    console = Console(file=StringIO(), width=WIDTH, color_system=None, force_jupyter=False)
    with console.capture() as drawn:
        console.print(_rich_tree(record, depth))
    lines = [line.rstrip() for line in drawn.get().splitlines()]
    if len(lines) > max_lines:
        more = number_text(len(lines) - max_lines + 1, "more line")
        lines = [*lines[: max_lines - 1], f"... {more}; --all (in Python: view(every_stage=True)) lists all"]
    return lines


def _size(record: dict[str, Any], depth: int) -> int:
    return 1 + (sum(_size(child, depth - 1) for child in record["children"]) if depth else 0)


def _rich_tree(record: dict[str, Any], depth: int) -> Tree:
    from rich.text import Text  # noqa: PLC0415
    from rich.tree import Tree  # noqa: PLC0415

    branch = Tree(Text(visible(_line(record, is_folded=depth == 0 and bool(record["children"])))))
    if depth:
        branch.children = [_rich_tree(child, depth - 1) for child in record["children"]]
    return branch


def _line(record: dict[str, Any], *, is_folded: bool) -> str:
    below = f" -> {_joined_names([child['short'] for child in record['children']])}" if is_folded else ""
    counts = []
    if record["runs"]:
        counts.append(f"runs {record['runs_done']}/{record['runs']}")
    if record["predictions"]:
        counts.append(f"predictions {record['predictions_done']}/{record['predictions']}")
    shared = [f"{what} {record[f'{what}_shared']}" for what in ("runs", "predictions") if record[f"{what}_shared"]]
    if shared:
        counts.append(f"shared: {', '.join(shared)}")
    return f"{record['text']}{below}" + (f"  [{', '.join(counts)}]" if counts else "")


def _joined_names(names: list[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMES])
    return shown if len(names) <= _MAX_NAMES else f"{shown} and {len(names) - _MAX_NAMES} more"
