"""Facts about data that a plan needs: which languages are there, and fingerprints of the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from adaptstilts.config.schema import DataSection
from adaptstilts.data.lock import read_lock, verify_split
from adaptstilts.errors import UNREADABLE_HINT, AdaptstiltsError, DataError, raise_all
from adaptstilts.files import check_file, expanded
from adaptstilts.formatting import system_reason
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.mini.version import GENERATOR_VERSION
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.locate import all_misnamed, file_without_rows, where_from
from adaptstilts.study.plan.data_sets import DataSet, evaluation_sets, option, training_sets
from adaptstilts.study.plan.jobs import DataJob
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import benchmark_tasks, intermediate_tasks
from adaptstilts.tasks.spec import BenchmarkName, Phase, Split, Task

MINI_ROOT = "mini"
"""Value of ``data.root`` for the built-in mini world."""
OFFICIAL_ROOT = "official"
"""Value of ``data.root`` for planning from the benchmarks' published figures, before any file is there."""
MINI_LANGUAGES = ("en", "de", "es", "ru", "tr", "sw", "hi", "zh")
"""Languages of the mini world; listed here so that planning need not build their grammars."""

_EVALUATED = (Split.TEST, Split.DEV)
"""Splits that can be scored, the preferred one first."""
_HARDLY_BYTES = 64
"""Files smaller than this are read to see whether they hold anything but white space."""


class DataFacts(Protocol):
    """Facts about a data root that a plan is based on."""

    def languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the languages in which a task can be scored, each with the split that is scored."""
        ...

    def left_out(self, task: Task) -> tuple[str, ...]:
        """Return the chosen languages of a task that have no labelled file and are left out."""
        ...

    def hidden_languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the languages whose test files are there but have hidden labels, with the test split."""
        ...

    def scores_english_dev(self, task: Task) -> bool:
        """Say whether English would be scored on its dev split."""
        ...

    def training_files(self, task: Task, *, dev: bool) -> tuple[str, ...]:
        """Return fingerprints of a task's English training files and, with ``dev``, of its dev files."""
        ...

    def evaluation_files(self, task: Task, languages: tuple[tuple[str, Split], ...]) -> tuple[str, ...]:
        """Return fingerprints of a task's evaluation files."""
        ...

    def set_files(self, data: DataSet) -> str | None:
        """Return the fingerprint of a data set; None if it is not there, or if another stage's key covers it."""
        ...


class MiniFacts:
    """Facts about the mini world, known without generating it.

    Args:
        job: Settings of the generator.
        choice: ``official`` or ``present`` (both mean all of its languages), or a list of languages.
        leaves_out: Whether languages that it does not have are left out.
    """

    def __init__(self, job: DataJob, choice: str | tuple[str, ...], *, leaves_out: bool = False) -> None:
        self.job = job
        unknown = tuple(code for code in choice if code not in MINI_LANGUAGES) if not isinstance(choice, str) else ()
        if unknown and not leaves_out:
            raise DataError(
                f"the mini world has no '{unknown[0]}'",
                key="evaluation.languages",
                value=unknown[0],
                allowed=MINI_LANGUAGES,
            )
        chosen = MINI_LANGUAGES if isinstance(choice, str) else choice
        self.codes = tuple(code for code in chosen if code not in unknown)
        self._unknown = unknown

    def languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the languages and the split that is scored; retrieval has no English, which it pairs with the others.

        Raises:
            DataError: If the mini world has no such task: it has the nine targets of XTREME.
        """
        if BenchmarkName.XTREME not in task.benchmarks:
            known = tuple(known.name for known in benchmark_tasks(BenchmarkName.XTREME))
            raise _not_in_mini(task, "target.tasks", known)
        split = task.test_split
        foreign_only = FACTS[task.kind].is_bitext
        found = tuple((code, split) for code in self.codes if not (foreign_only and code == SOURCE_LANGUAGE))
        return _require_one(task, found, MINI_LANGUAGES[1:] if foreign_only else MINI_LANGUAGES)

    def left_out(self, task: Task) -> tuple[str, ...]:
        """Return the chosen languages that XTREME has of the task and the mini world has not."""
        return tuple(code for code in self._unknown if code in task.official(BenchmarkName.XTREME))

    def hidden_languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return nothing, as all labels of the mini world are known."""
        return ()

    def scores_english_dev(self, task: Task) -> bool:
        """Say whether the dev split is the task's only English evaluation set."""
        return task.test_split is Split.DEV

    def training_files(self, task: Task, *, dev: bool) -> tuple[str, ...]:
        """Return the name of the training set; the generator's key covers its contents.

        Raises:
            DataError: If the mini world has no such intermediate task; `languages` says so of targets.
        """
        if task.phase is Phase.INTERMEDIATE and task.size.mini_length is None:
            raise _not_in_mini(task, "intermediate.tasks", tuple(known.name for known in intermediate_tasks()))
        return (f"{task.name}/train",)

    def evaluation_files(self, task: Task, languages: tuple[tuple[str, Split], ...]) -> tuple[str, ...]:
        """Return the names of the evaluation sets; the generator's key covers their contents."""
        return tuple(f"{task.name}/{split.value}/{code}" for code, split in languages)

    def set_files(self, data: DataSet) -> str | None:
        """Return None, as the generator's key covers all files."""
        return None


class FolderFacts:
    """Facts about a folder of published files.

    Args:
        root: The folder.
        choice: ``official``, ``present`` or a list of languages.
        quoting: Value of ``data.quoting``, an option of the readers.
        benchmark: Benchmark whose languages are the official ones.
        submission: Whether a task may have nothing to score, as long as its test files are there.
        leaves_out: Whether chosen languages without a labelled file are left out; else they are an error.

    Raises:
        DataError: If the folder does not exist.
    """

    def __init__(
        self,
        root: Path,
        choice: str | tuple[str, ...],
        quoting: str,
        benchmark: BenchmarkName = BenchmarkName.XTREME,
        *,
        submission: bool = False,
        leaves_out: bool = False,
    ) -> None:
        if not root.is_dir():
            hint = "Give `mini` or a folder with data sets. More: adaptstilts docs data."
            raise DataError(f"there is no folder '{root}'", key="data.root", hint=hint)
        self.root = DataRoot(root, options={"quoting": quoting})
        self.choice = choice
        self.benchmark = benchmark
        self.submission = submission
        self.leaves_out = leaves_out
        self.quoting = quoting
        self._lock = read_lock(root)
        # A plan needs the same facts for every cell of its table; each is looked up once.
        self._languages: dict[str, tuple[tuple[str, Split], ...]] = {}
        self._left_out: dict[str, tuple[str, ...]] = {}
        self._training: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._sets: dict[DataSet, str | None] = {}

    def languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the languages that are there, with the labelled split of each; none for a submission without labels.

        Raises:
            DataError: If there is none, or one that was asked for is missing.
        """
        if task.name not in self._languages:
            self._languages[task.name] = self._find_languages(task)
        return self._languages[task.name]

    def left_out(self, task: Task) -> tuple[str, ...]:
        """Return the chosen languages of a task that have no labelled file; see `languages`."""
        self.languages(task)
        return self._left_out[task.name]

    def hidden_languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the languages whose test files are there but have hidden labels, with the test split."""
        scored = self.languages(task)
        codes = self._test_languages(task)
        return tuple((code, task.test_split) for code in codes if (code, task.test_split) not in scored)

    def _test_languages(self, task: Task) -> tuple[str, ...]:
        """Return the chosen languages whose test files are there."""
        chosen = task.official(self.benchmark) if isinstance(self.choice, str) else self.choice
        return tuple(code for code in self.root.languages(task, task.test_split) if code in chosen)

    def _find_languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        self._refuse_empty_files(task)
        self._refuse_lost_files(task)
        present = self.root.evaluation_languages(task)
        splits = {code: self.root.evaluation_split(task, code) for code in present}
        self._refuse_misnamed_files(task, splits)
        unscored = self._test_languages(task) if self.submission else ()
        self._left_out[task.name] = ()
        if not present and unscored:
            return ()
        if not present:
            has_languages = any(self.root.languages(task, split) for split in task.layouts)
            if not has_languages and (error := file_without_rows(self.root.path, task)) is not None:
                raise error
            looked = dict.fromkeys(
                name for split in _EVALUATED if split in task.layouts for name in task.layouts[split].files[0]
            )
            raise DataError(
                f"{task.name}: no labelled evaluation file in any language; looked for {', '.join(looked)}",
                path=self.root.path,
                key="target.tasks",
                hint=f"Add the files, or remove the task. {where_from(task)}",
            )
        wanted = self._wanted(task, present)
        self._left_out[task.name] = tuple(code for code in wanted if code not in {*present, *unscored})
        if self._left_out[task.name] and not self.leaves_out:
            raise DataError(
                f"{self.root.path} has no labelled file of {task.name} in {', '.join(self._left_out[task.name])}",
                key="evaluation.languages",
                allowed=present,
                hint="Add the files; or set evaluation.missing=leave_out, which marks means as partial, or "
                "evaluation.languages=present.",
            )
        found = tuple((code, splits[code]) for code in wanted if code in splits)
        if not found and unscored:
            return ()
        for code, split in found:
            self._verify(task, split, code)
        return _require_one(task, found, present)

    def _wanted(self, task: Task, present: tuple[str, ...]) -> tuple[str, ...]:
        """Return the languages in which a task is to be scored: those chosen that the benchmark or the folder has."""
        official = task.official(self.benchmark)
        if self.choice == "present":
            return present
        if isinstance(self.choice, str):
            return (
                *(code for code in present if code in official),
                *(code for code in official if code not in present),
            )
        return tuple(code for code in self.choice if code in official or code in present)

    def _verify(self, task: Task, split: Split, code: str) -> None:
        """Compare files with the lock file, if there is one."""
        if self._lock is not None:
            verify_split(self._lock, self.root, task, split, code)

    def _refuse_lost_files(self, task: Task) -> None:
        """Raise if fetched files are gone; without an error, languages or the scored split would silently change."""
        if self._lock is None or self.choice == "present":
            return
        for split in (split for split in _EVALUATED if split in task.layouts):
            present = self.root.languages(task, split)
            for code in task.official(self.benchmark) if isinstance(self.choice, str) else self.choice:
                if code not in present:
                    self._verify(task, split, code)

    def _refuse_misnamed_files(self, task: Task, splits: Mapping[str, Split]) -> None:
        """Raise for compressed files and the like; without an error, languages or the scored split would change."""
        codes = (code for code in dict.fromkeys((*task.languages, *splits)) if self._is_chosen(task, code))
        raise_all(all_misnamed(self.root.path, task, [(code, _preferred(splits.get(code))) for code in codes]))

    def _refuse_empty_files(self, task: Task) -> None:
        """Raise for languages whose evaluation file is empty; without an error, they would silently be left out."""
        problems: list[AdaptstiltsError] = []
        seen: set[str] = set()
        for split in (split for split in _EVALUATED if split in task.layouts):
            for code in self.root.languages(task, split):
                if code in seen or not self._is_chosen(task, code):
                    continue
                seen.add(code)
                problems += [
                    DataError(
                        f"holds no examples of {task.name} in '{code}'",
                        path=path,
                        hint="Remove the empty file, or leave the language out of evaluation.languages.",
                    )
                    for path in self._empty_files(task, split, code)
                ]
        raise_all(problems)

    def _empty_files(self, task: Task, split: Split, code: str) -> list[Path]:
        paths = self.root.files(task, split, code)
        blank = [path for path in paths if _is_blank(path)]
        return blank or [path for path in paths[:1] if self.root.is_empty(task, split, code)]

    def _is_chosen(self, task: Task, code: str) -> bool:
        if isinstance(self.choice, tuple):
            return code in self.choice
        return self.choice == "present" or code in task.official(self.benchmark)

    def scores_english_dev(self, task: Task) -> bool:
        """Say whether English is labelled in the dev split and not in the test split."""
        is_labelled = self.root.is_labelled
        return not is_labelled(task, Split.TEST, SOURCE_LANGUAGE) and is_labelled(task, Split.DEV, SOURCE_LANGUAGE)

    def training_files(self, task: Task, *, dev: bool) -> tuple[str, ...]:
        """Return SHA-256 digests of the English training files and, with ``dev``, of the dev files that are there.

        Raises:
            DataError: If files are missing, or differ from those in the lock file.
        """
        known = (task.name, dev)
        if known not in self._training:
            self._training[known] = self._find_training_files(task, dev=dev)
        return self._training[known]

    def _find_training_files(self, task: Task, *, dev: bool) -> tuple[str, ...]:
        for split in (Split.TRAIN, Split.DEV) if dev else (Split.TRAIN,):
            self._verify(task, split, SOURCE_LANGUAGE)
        train, *others = training_sets(task, dev=dev)
        there = [each for each in others if each.can_be_planned(self.root)]
        return *option(task, self.quoting), *(each.fingerprint(self.root) for each in (train, *there))

    def evaluation_files(self, task: Task, languages: tuple[tuple[str, Split], ...]) -> tuple[str, ...]:
        """Return SHA-256 digests of each language's evaluation files."""
        digests = (self.set_files(each) for each in evaluation_sets(task, languages))
        return *option(task, self.quoting), *(digest for digest in digests if digest is not None)

    def set_files(self, data: DataSet) -> str | None:
        """Return the SHA-256 digest of a data set; None if it is not there."""
        if data not in self._sets:
            codes = [data.language] if data.split is not None else [code for code, _ in self.root.pool(data.task)]
            is_there = data.can_be_planned(self.root)
            for code in codes if is_there else ():
                self._verify(data.task, data.split or data.task.test_split, code)
            self._sets[data] = data.fingerprint(self.root) if is_there else None
        return self._sets[data]


class OfficialFacts:
    """Facts as the benchmarks publish them, for planning and pricing a study before its data is there.

    Args:
        choice: ``official``, ``present`` (the same here) or a list of languages.
        benchmark: Benchmark whose languages are the official ones.
    """

    def __init__(self, choice: str | tuple[str, ...], benchmark: BenchmarkName = BenchmarkName.XTREME) -> None:
        self.choice = choice
        self.benchmark = benchmark

    def languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return the task's official languages with the split that is scored."""
        split = task.test_split
        official = task.official(self.benchmark)
        chosen = official if isinstance(self.choice, str) else self.choice
        return _require_one(task, tuple((code, split) for code in official if code in chosen), official)

    def left_out(self, task: Task) -> tuple[str, ...]:
        """Return nothing: until the data is there, all of it counts as present."""
        return ()

    def hidden_languages(self, task: Task) -> tuple[tuple[str, Split], ...]:
        """Return nothing: until the data is there, labels count as known."""
        return ()

    def scores_english_dev(self, task: Task) -> bool:
        """Say whether only the dev split is published with labels."""
        return task.test_split is Split.DEV

    def training_files(self, task: Task, *, dev: bool) -> tuple[str, ...]:
        """Return the name of the published training set."""
        return (f"official/{task.name}/train",)

    def evaluation_files(self, task: Task, languages: tuple[tuple[str, Split], ...]) -> tuple[str, ...]:
        """Return the names of the published evaluation sets."""
        pool = () if task.pool is None else (f"official/{task.name}/pool",)
        return *(f"official/{task.name}/{split.value}/{code}" for code, split in languages), *pool

    def set_files(self, data: DataSet) -> str | None:
        """Return None, as there are no files yet."""
        return None


def facts_for(
    section: DataSection,
    choice: str | tuple[str, ...],
    benchmark: str = BenchmarkName.XTREME.value,
    *,
    submission: bool = False,
    missing: str | None = None,
) -> tuple[DataFacts, DataJob | None]:
    """Return the facts of a configuration's data and, for the mini world, the generator's job.

    Args:
        section: Data section of the configuration.
        choice: Value of ``evaluation.languages``.
        benchmark: Value of ``evaluation.benchmark``.
        submission: Value of ``evaluation.submission``.
        missing: Value of ``evaluation.missing``.

    Raises:
        DataError: If the folder does not exist, or the mini world lacks a language.
    """
    leaves_out = missing == "leave_out" if missing is not None else isinstance(choice, str)
    if section.root == OFFICIAL_ROOT:
        return OfficialFacts(choice, BenchmarkName(benchmark)), None
    if section.root != MINI_ROOT:
        root = expanded(section.root)
        own = BenchmarkName(benchmark)
        return FolderFacts(root, choice, section.quoting, own, submission=submission, leaves_out=leaves_out), None
    job = DataJob(
        generator=GENERATOR_VERSION,
        seed=section.mini_seed,
        train=section.mini_train,
        evaluation=section.mini_evaluation,
        low_resource=section.mini_low_resource,
    )
    return MiniFacts(job, choice, leaves_out=leaves_out), job


def _not_in_mini(task: Task, key: str, known: tuple[str, ...]) -> DataError:
    return DataError(
        f"the mini world has no {task.name}",
        key=key,
        value=task.name,
        allowed=known,
        hint="Set data.root=FOLDER, a folder that has it.",
    )


def _preferred(scored: Split | None) -> tuple[Split, ...]:
    """Return the splits that would be scored rather than the one that is."""
    return _EVALUATED[: _EVALUATED.index(scored)] if scored in _EVALUATED else _EVALUATED


def _is_blank(path: Path) -> bool:
    check_file(path)
    try:
        return path.stat().st_size < _HARDLY_BYTES and not path.read_bytes().strip()
    except OSError as error:
        raise DataError(f"cannot be read: {system_reason(error)}", path=path, hint=UNREADABLE_HINT) from error


def _require_one(
    task: Task, found: tuple[tuple[str, Split], ...], present: tuple[str, ...]
) -> tuple[tuple[str, Split], ...]:
    if not found:
        raise DataError(
            f"{task.name} can be scored in none of the chosen languages",
            key="evaluation.languages",
            allowed=present,
            hint=f"Add one of its languages, or remove {task.name} from target.tasks.",
        )
    return found
