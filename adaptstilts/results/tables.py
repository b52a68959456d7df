"""Main tables of a report: differences by source and target, best settings, zero-shot scores, and costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import count_text, decimal_text, duration_text, range_text, signed_text, size_text
from adaptstilts.results.grid import NOTHING, Footnotes, Grid
from adaptstilts.results.rows import RunRow, TaskScore, mean
from adaptstilts.results.transfer import Cell, Gain, Scope, TransferTable, methods_in_order
from adaptstilts.tasks.registry import get_task, training_task
from adaptstilts.tasks.spec import Phase
from adaptstilts.train.methods import METHODS, Method, single_task_method

SCOPE_WORDS = {Scope.ALL: "all languages", Scope.ZERO_SHOT: "all languages but English", Scope.ENGLISH: "English"}
_TRAINED = "trained: parameters with gradients, heads included"
_LONGEST_SOURCE = 16
_LONGEST_LABEL = 14


def transfer_grid(tables: Sequence[TransferTable], runs: Sequence[RunRow] = ()) -> Grid:
    """Tabulate differences: methods and intermediate tasks down, targets across, then mean and cost of a target run.

    The first row holds the reference's scores in percent.

    Args:
        tables: Tables of one study with the same reference, scope and targets, one per method.
        runs: Training runs; without any, the cost columns are left out.

    Raises:
        EvaluationError: If there is no table, or if they do not share reference, scope and targets.
    """
    _check_alike(tables)
    first = tables[0]
    notes = Footnotes()
    common = {target: _notes_of_column(tables, target) for target in first.targets}
    header = ["method, task", *(f"{target}{notes.mark(common[target])}" for target in first.targets), "mean"]
    has_costs = any(run.target for run in runs)
    rows = [(*_reference_texts(first, notes, common), *_cost_texts(runs, first.reference, "", has_costs))]
    sections = set()
    for table in tables:
        for label, source in _labelled_rows(table, notes):
            if source is None:
                sections.add(len(rows))
                rows.append((label, *("" for _ in range(len(header) + 2 * has_costs - 1))))
                continue
            cells = [table.cell(source, target) for target in table.targets]
            texts = [
                _difference_text(cell, notes, common[target]) for cell, target in zip(cells, table.targets, strict=True)
            ]
            costs = _cost_texts(runs, table.method, source, has_costs)
            rows.append((label, *texts, _mean_text(table, source, notes), *costs))
    if any(cell.spread is not None for table in tables for cell in (*table.references, *table.cells)):
        notes.remark("±: standard deviation over seeds.")
    missing = [f"{table.method} {', '.join(table.missing)}" for table in tables if table.missing]
    if missing:
        notes.remark(f"No difference yet: {'; '.join(missing)}.")
    notes.remark("task: the intermediate task.")
    if has_costs:
        notes.remark(f"{_TRAINED}; file: size of what a target run saves.")
    return Grid(
        title=f"Points above or below '{first.reference}', mean over {SCOPE_WORDS[first.scope]}",
        header=(*header, *(("trained", "file") if has_costs else ())),
        rows=tuple(rows),
        sections=frozenset(sections),
        footnotes=notes.lines(),
    )


def best_grid(best: Sequence[Gain]) -> Grid:
    """Tabulate the best settings from `adaptstilts.results.transfer.best_per_target`, one row per target."""
    notes = Footnotes()
    rows = tuple(
        (gain.target, gain.method, _source_text(gain.source, notes), f"{gain.score:.1f}", signed_text(gain.difference))
        for gain in best
    )
    reference = best[0].reference if best else "the reference"
    if best:
        notes.remark(f"Mean of the differences: {signed_text(mean([gain.difference for gain in best]))}.")
    notes.remark("Chosen on the scores shown, so the differences are upper bounds.")
    header = ("target", "method", "intermediate", "score", f"vs '{reference}'")
    return Grid("Best setting per target", header, rows, text_columns=3, footnotes=notes.lines())


def cost_grid(runs: Sequence[RunRow]) -> Grid:
    """Tabulate what was trained and what it cost, one row per method and family.

    Intermediate runs count once, however many methods use them, and as intermediate even if a target uses them too.
    """
    shared = _shared_with_targets(runs)
    groups: dict[tuple[str, str], list[RunRow]] = {}
    for run in runs:
        groups.setdefault(("" if run in shared else _row_of(run), run.family), []).append(run)
    order = ("", *methods_in_order(method for method, _ in groups if method))
    rows = tuple(
        (
            method or "intermediate",
            family,
            str(len(found)),
            range_text([run.trained_parameters for run in found], count_text),
            f"{100 * mean([run.trained_parameters / run.total_parameters for run in found]):.1f} %",
            range_text([run.artefact_bytes for run in found], size_text),
            duration_text(sum(run.train_seconds for run in found)),
        )
        for (method, family), found in sorted(groups.items(), key=lambda item: order.index(item[0][0]))
    )
    total = duration_text(sum(run.train_seconds for run in runs))
    both = dict.fromkeys(f"'{run.method}' on {run.target} (trained on {task})" for run, task in shared.items())
    remark = f"Counted as intermediate runs, though they are also target runs: {', '.join(both)}."
    return Grid(
        title="What was trained",
        header=("method", "family", "runs", "trained", "share", "file", "time"),
        rows=(*rows, ("all", "", str(len(runs)), "", "", "", total)),
        text_columns=2,
        footnotes=(
            f"{_TRAINED}; share: of all the model's parameters.",
            "file: size of what a run saves; time: that of training, for all runs of the row together.",
            *([remark] if both else []),
        ),
    )


def _shared_with_targets(runs: Sequence[RunRow]) -> dict[RunRow, str]:
    """Return the target runs that other runs use as intermediate runs, with the task that they train on.

    The run of ``direct`` on XNLI trains on MNLI, for example, and is the intermediate run of ``full`` from MNLI if both
    phases have the same settings.
    """
    methods: dict[str, Method] = {method.name: method for method in METHODS.values()}
    alone = _methods_of_intermediate_runs()
    needed = {
        (alone[family], task, run.seed)
        for run in runs
        if run.target and run.source and (family := methods[run.method].intermediate) is not None
        for task in run.source.split("+")
    }
    found: dict[RunRow, str] = {}
    needed -= {(alone.get(run.family), run.source, run.seed) for run in runs if not run.target}
    for run in runs:
        task = training_task(get_task(run.target)).name if run.target and not run.source else ""
        if (run.method, task, run.seed) in needed:
            found[run] = task
    return found


def _methods_of_intermediate_runs() -> dict[str, str]:
    """Return the method of the intermediate runs of each family that others start from or build on."""
    families = dict.fromkeys(method.intermediate for method in METHODS.values() if method.intermediate is not None)
    return {family: single_task_method(family).name for family in families}


def _row_of(run: RunRow) -> str:
    """Return the method that a run counts for; empty for an intermediate run.

    A run without a target is an intermediate one, or the first of a chain such as Social IQa before COPA, whose method
    the name of its stage gives.
    """
    method = run.stage.partition(":")[0].rpartition(" ")[2]
    if run.target or method not in METHODS:
        return run.method
    is_alone = method in _methods_of_intermediate_runs().values()
    return "" if is_alone and get_task(run.source).phase is Phase.INTERMEDIATE else method


def zero_shot_grid(scores: Sequence[TaskScore]) -> Grid:
    """Tabulate English, the other languages and the gap between them, one row per target and method.

    Scores are averaged over sources and seeds; notes that all scores of a target carry stand at its name.
    """
    rows = []
    notes = Footnotes()
    for target in dict.fromkeys(score.target for score in scores):
        of_target = [score for score in scores if score.target == target]
        common = (note for note in of_target[0].notes if all(note in score.notes for score in of_target))
        name = f"{target}{notes.mark(common)}"
        for method in methods_in_order(score.method for score in scores if score.target == target):
            found = [score for score in scores if (score.target, score.method) == (target, method)]
            columns = (
                [score.mean for score in found],
                [score.english for score in found],
                [score.zero_shot_mean for score in found],
                [score.transfer_gap for score in found],
            )
            languages = range_text([len(score.by_language) for score in found], lambda count: f"{count:.0f}")
            rows.append((name, method, languages, *(average_text(values) for values in columns)))
    header = ("target", "method", "languages", "mean", "English", "zero-shot", "gap")
    notes.remark("In percent, averaged over intermediate tasks and seeds.")
    notes.remark("zero-shot: mean over the languages other than English; gap: English minus zero-shot.")
    return Grid(
        title="English and zero-shot scores",
        header=header,
        rows=tuple(rows),
        text_columns=2,
        footnotes=notes.lines(),
    )


def average_text(values: Sequence[float | None]) -> str:
    """Return the mean of the values that are not None, with one decimal, or a dash."""
    present = [value for value in values if value is not None]
    return decimal_text(mean(present)) if present else NOTHING


def source_label(source: str) -> str:
    """Return a source's label in tables: its name, ``none``, or the number of tasks of a fusion with a long name."""
    if not source:
        return "none"
    return source if len(source) <= _LONGEST_SOURCE else f"{source.count('+') + 1} tasks"


def _check_alike(tables: Sequence[TransferTable]) -> None:
    if not tables:
        raise EvaluationError("0 transfer tables to show", hint="Score a method beside the reference first.")
    first = tables[0]
    for table in tables[1:]:
        if (table.reference, table.scope, table.targets) != (first.reference, first.scope, first.targets):
            problem = f"the tables of '{first.method}' and '{table.method}' differ in reference, languages or targets"
            raise EvaluationError(problem)


def _labelled_rows(table: TransferTable, notes: Footnotes) -> Iterator[tuple[str, str | None]]:
    """Yield label and source of each row; a heading has no source. A method with one short row needs no heading."""
    if len(table.sources) == 1:
        source = table.sources[0]
        label = f"{table.method}: {_source_text(source, notes)}" if source else table.method
        if len(label) <= _LONGEST_LABEL:
            yield label, source
            return
    yield table.method, None
    for source in table.sources:
        yield f" {_source_text(source, notes)}", source


def _reference_texts(table: TransferTable, notes: Footnotes, common: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    texts = []
    for target in table.targets:
        cell = table.reference_of(target)
        if cell is None:
            texts.append(NOTHING)
        else:
            mark = notes.mark(note for note in cell.notes if note not in common[target])
            texts.append(f"{cell.score:.1f}{mark}{_spread_text(cell)}")
    scores = [cell.score for cell in table.references]
    average = f"{mean(scores):.1f}" if len(scores) == len(table.targets) else NOTHING
    return (f"{table.reference}, score", *texts, average)


def _cost_texts(runs: Sequence[RunRow], method: str, source: str, is_shown: bool) -> tuple[str, ...]:
    """Return mean trained parameters and mean file size of a setting's target runs."""
    if not is_shown:
        return ()
    found = [run for run in runs if run.target and (run.method, run.source) == (method, source)]
    if not found:
        return (NOTHING, NOTHING)
    trained = mean([run.trained_parameters for run in found])
    return count_text(trained), size_text(mean([run.artefact_bytes for run in found]))


def _notes_of_column(tables: Sequence[TransferTable], target: str) -> tuple[str, ...]:
    """Return the notes that every cell of a column carries, the reference included: they belong to its head."""
    cells = [cell for table in tables for cell in (*table.references, *table.cells) if cell.target == target]
    return tuple(note for note in cells[0].notes if all(note in cell.notes for cell in cells)) if cells else ()


def _difference_text(cell: Cell | None, notes: Footnotes, common: Sequence[str]) -> str:
    if cell is None or cell.difference is None:
        return NOTHING
    mark = notes.mark(note for note in cell.notes if note not in common)
    return f"{signed_text(cell.difference)}{mark}{_spread_text(cell)}"


def _spread_text(cell: Cell) -> str:
    return "" if cell.spread is None else f"\n±{cell.spread:.1f}"


def _mean_text(table: TransferTable, source: str, notes: Footnotes) -> str:
    value = table.row_mean(source)
    if value is None:
        return NOTHING
    if table.is_complete(source):
        return signed_text(value)
    notes.remark("Means in brackets are over the targets for which the row has a difference.")
    return f"({signed_text(value)})"


def _source_text(source: str, notes: Footnotes) -> str:
    label = source_label(source)
    if label in {source, "none"}:
        return label
    return f"{label}{notes.mark([source.replace('+', ', ')])}"
