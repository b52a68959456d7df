"""Transfer tables: the effect of each intermediate task on each target, against a reference method.

Source: Phang et al. 2020 (X-STILTs): intermediate tasks down, target tasks across, each cell the score minus that of
the model trained on the target alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import get_args

from adaptstilts.config.schema import MethodName
from adaptstilts.errors import EvaluationError
from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.results.rows import TaskScore, mean, spread
from adaptstilts.train.methods import RESULT_GROUPS, group_of

REFERENCE = RESULT_GROUPS["full"].reference
ADAPTER_REFERENCE = RESULT_GROUPS["adapter"].reference


class Scope(str, Enum):
    """Languages over which scores are averaged."""

    ALL = "all"
    """As XTREME does: English included."""
    ZERO_SHOT = "zero_shot"
    """The languages other than English."""
    ENGLISH = "english"


@dataclass(frozen=True)
class Cell:
    """One source on one target.

    Attributes:
        source: Intermediate task or tasks, or empty.
        score: Mean score over `seeds`, in percent.
        difference: Mean over `seeds` of score minus reference, in points; None without a reference.
        spread: Sample standard deviation over `seeds` of the difference, or of the score where there is no difference;
            None for fewer than two seeds.
        seeds: Those that the reference has too; all of the setting's own where there is no difference.
        notes: Remarks for readers of the number, each once.
    """

    source: str
    target: str
    score: float
    difference: float | None
    spread: float | None
    seeds: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TransferTable:
    """All cells of one method.

    Attributes:
        scope: Languages that were averaged.
        sources: Rows.
        targets: Columns: every target that the study scored.
        cells: Scored settings, in the order of rows, then columns.
        references: The reference's own scores, for the targets that it has.
    """

    method: str
    reference: str
    scope: Scope
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cells: tuple[Cell, ...]
    references: tuple[Cell, ...]

    def cell(self, source: str, target: str) -> Cell | None:
        """Return one cell, or None where the setting was not scored."""
        return next((cell for cell in self.cells if (cell.source, cell.target) == (source, target)), None)

    def reference_of(self, target: str) -> Cell | None:
        """Return the reference's score on a target, or None where it was not scored."""
        return next((cell for cell in self.references if cell.target == target), None)

    def differences(self, source: str) -> tuple[float, ...]:
        """Return the differences of one row, in points, without the missing ones."""
        cells = (self.cell(source, target) for target in self.targets)
        return tuple(cell.difference for cell in cells if cell is not None and cell.difference is not None)

    def row_mean(self, source: str) -> float | None:
        """Return the mean difference of one row over the targets it has, in points; None if it has none."""
        found = self.differences(source)
        return mean(found) if found else None

    def is_complete(self, source: str) -> bool:
        """Whether a row has a difference for every target."""
        return len(self.differences(source)) == len(self.targets)

    @property
    def missing(self) -> tuple[str, ...]:
        """Targets without any difference, because the method or the reference was not scored."""
        present = {cell.target for cell in self.cells if cell.difference is not None}
        return tuple(target for target in self.targets if target not in present)


@dataclass(frozen=True)
class Gain:
    """A difference with its setting.

    Attributes:
        source: Intermediate task or tasks, or empty.
        difference: In points.
        score: Score of the setting in percent.
    """

    target: str
    method: str
    source: str
    difference: float
    reference: str
    score: float


def transfer_table(
    scores: Iterable[TaskScore], method: str, *, reference: str = REFERENCE, scope: Scope = Scope.ALL
) -> TransferTable:
    """Compare one method with a reference, source by source and target by target.

    Runs are paired by seed and by language: a difference is taken over the seeds and languages that both have. Columns
    are all targets of the study, so that the tables of several methods line up. A cell that lacks seeds has a note.

    Args:
        scores: Scores of a study, from `adaptstilts.results.rows.task_scores`.
        reference: A method without an intermediate task.

    Raises:
        EvaluationError: If the reference has several sources for one target.
    """
    known = list(scores)
    targets = _ordered(score.target for score in known)
    sources = _ordered(score.source for score in known if score.method == method)
    references: dict[str, list[TaskScore]] = {}
    for score in known:
        if score.method == reference:
            references.setdefault(score.target, []).append(score)
    for target, found in references.items():
        if len({score.source for score in found}) > 1:
            raise EvaluationError(f"'{reference}' has several sources on '{target}' and cannot be a reference")
    every = len({score.seed for score in known})
    cells = []
    for source in sources:
        for target in targets:
            own = [score for score in known if (score.method, score.source, score.target) == (method, source, target)]
            cells.append(_compare(own, references.get(target, []), reference, scope, every))
    own_scores = [_compare(references.get(target, []), [], "", scope, every) for target in targets]
    return TransferTable(
        method=method,
        reference=reference,
        scope=scope,
        sources=sources,
        targets=targets,
        cells=tuple(cell for cell in cells if cell is not None),
        references=tuple(cell for cell in own_scores if cell is not None),
    )


def transfer_tables(
    scores: Iterable[TaskScore], *, reference: str = REFERENCE, scope: Scope = Scope.ALL
) -> tuple[TransferTable, ...]:
    """Compare every other method of a study with a reference: one table each, in the configuration's order."""
    known = list(scores)
    methods = [method for method in methods_in_order(score.method for score in known) if method != reference]
    return tuple(transfer_table(known, method, reference=reference, scope=scope) for method in methods)


def best_per_target(tables: Sequence[TransferTable]) -> tuple[Gain, ...]:
    """Return the largest difference of each target over all rows of all tables; ties go to the first."""
    found = gains(tables)
    targets = _ordered(gain.target for gain in found)
    return tuple(max((gain for gain in found if gain.target == target), key=_size) for target in targets)


def gains(tables: Sequence[TransferTable]) -> tuple[Gain, ...]:
    """Return every difference of the tables, target by target."""
    found = [
        Gain(cell.target, table.method, cell.source, cell.difference, table.reference, cell.score)
        for table in tables
        for cell in table.cells
        if cell.difference is not None
    ]
    order = _ordered(target for table in tables for target in table.targets)
    return tuple(gain for target in order for gain in found if gain.target == target)


def intermediate_gains(scores: Iterable[TaskScore]) -> tuple[Gain, ...]:
    """Return the effect of intermediate training itself: each setting against the same family without it.

    Full models are compared with ``direct``; adapters and fusions with ``adapter``, or with ``direct`` where the study
    has no ``adapter``. Settings without an intermediate task are left out.
    """
    known = list(scores)
    found = {score.method for score in known}
    tables = []
    for method in methods_in_order(score.method for score in known if score.source):
        family = next(score.family for score in known if score.method == method)
        own = group_of(family).reference
        reference = own if own in found else REFERENCE
        tables.append(transfer_table(known, method, reference=reference))
    return tuple(gain for gain in gains(tables) if gain.source)


def methods_in_order(methods: Iterable[str]) -> tuple[str, ...]:
    """Return distinct method names in the order of the configuration's list; unknown ones last."""
    found = _ordered(methods)
    order = get_args(MethodName)
    return tuple(sorted(found, key=lambda method: order.index(method) if method in order else len(order)))


def _compare(
    own: Sequence[TaskScore], reference: Sequence[TaskScore], name: str, scope: Scope, every: int
) -> Cell | None:
    """Compare the seeds of one setting with those of the reference; None if it has no language in scope.

    ``every`` is the number of the study's seeds.
    """
    own_by_seed = {score.seed: values for score in own if (values := _in_scope(score, scope))}
    if not own_by_seed:
        return None
    reference_by_seed = {score.seed: values for score in reference if (values := _in_scope(score, scope))}
    notes = dict.fromkeys(note for score in own for note in score.notes)
    differences: dict[int, float] = {}
    for seed, values in own_by_seed.items():
        others = reference_by_seed.get(seed, {})
        shared = [language for language in values if language in others]
        if shared:
            differences[seed] = mean([values[language] - others[language] for language in shared])
        if shared and len(shared) < len(values.keys() | others.keys()):
            notes[f"compared over the {number_text(len(shared), 'language')} that '{name}' has too"] = None
    if reference_by_seed and not differences:
        notes[f"no seed or language in common with '{name}'"] = None
    seeds = tuple(differences or own_by_seed)
    if len(seeds) < every:
        notes[f"over {len(seeds)} of {number_text(every, 'seed')}"] = None
    averages = {seed: mean(list(values.values())) for seed, values in own_by_seed.items()}
    return Cell(
        source=own[0].source,
        target=own[0].target,
        score=mean([averages[seed] for seed in seeds]),
        difference=mean(list(differences.values())) if differences else None,
        spread=spread(list(differences.values() if differences else averages.values())),
        seeds=seeds,
        notes=tuple(notes),
    )


_IS_IN_SCOPE: dict[Scope, Callable[[str], bool]] = {
    Scope.ALL: lambda _: True,
    Scope.ZERO_SHOT: lambda language: language != SOURCE_LANGUAGE,
    Scope.ENGLISH: lambda language: language == SOURCE_LANGUAGE,
}


def _in_scope(score: TaskScore, scope: Scope) -> dict[str, float]:
    return {language: value for language, value in score.by_language if _IS_IN_SCOPE[scope](language)}


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _size(gain: Gain) -> float:
    return gain.difference
