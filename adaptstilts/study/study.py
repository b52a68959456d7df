"""A study as one object: its configuration, variants, plan, store and results folder, each made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from adaptstilts.config.load import Source, load_study, task_names
from adaptstilts.config.origin import Origin
from adaptstilts.config.schema import DataSection, EvaluationSection, StudyConfig
from adaptstilts.config.sweep import Variant, variants
from adaptstilts.errors import AdaptstiltsError, ConfigError, problems_of, raise_all
from adaptstilts.files import local_path
from adaptstilts.models.backbone import locate_backbone
from adaptstilts.shipped import find_config
from adaptstilts.store.shared import store_at
from adaptstilts.store.store import Store
from adaptstilts.study.places import absolute_places, working_folder
from adaptstilts.study.plan.backbones import backbone_at
from adaptstilts.study.plan.check_config import check_task_names, check_tasks
from adaptstilts.study.plan.check_inputs import check_files, check_rows, check_weights
from adaptstilts.study.plan.check_limits import BackboneLimits, check_limits, limits_of
from adaptstilts.study.plan.comparison import run_setting
from adaptstilts.study.plan.data_facts import MINI_ROOT, DataFacts, facts_for
from adaptstilts.study.plan.jobs import PARTIAL, BackboneRef, DataJob, PredictJob, ScoreJob, TrainJob, jobs_of
from adaptstilts.study.plan.plan import Plan, make_plan
from adaptstilts.study.plan.variants import data_key, join_plans, of_variants, parts_by_data
from adaptstilts.tasks.registry import check_declaration, get_task
from adaptstilts.tasks.spec import Split

RUN_HINT = "Run the study first: study.run(), or adaptstilts run."
"""What to do where a study is not finished, or not begun."""


class Study:
    """A study and what follows from its configuration; plan and store are made when first used.

    Relative paths lead from the folder in which it was loaded, also after the working folder has changed.

    Args:
        config: The configuration as it is written.
        origin: Where the settings are written, for errors about them; without it, errors name no file.
        base: Folder from which relative paths lead; by default the working folder.
    """

    def __init__(self, config: StudyConfig, origin: Origin | None = None, base: Path | None = None) -> None:
        self.written = config
        self.origin = Origin() if origin is None else origin
        self.base = working_folder() if base is None else base
        self._is_placed = False

    @classmethod
    def load(cls, source: Source | str, overrides: Sequence[str] = ()) -> Study:
        """Read a study from a YAML file or a mapping, and ``key=value`` strings with dotted keys, which override it.

        ``source`` may also be the name of a configuration that comes with the package, such as ``quickstart``.

        Raises:
            AdaptstiltsError: If the file or its settings cannot be used; all problems at once.
        """
        place = source if isinstance(source, Mapping) else find_config(source)
        try:
            return cls(*load_study(place, overrides))
        except AdaptstiltsError as error:
            raise_all([*problems_of(error), *_task_problems(place, overrides)])
            raise

    @property
    def config(self) -> StudyConfig:
        """All settings; folders are absolute where the working folder is no longer that of the study."""
        self._follow_working_folder()
        return self._config

    @cached_property
    def _config(self) -> StudyConfig:
        return absolute_places(self.written, self.base) if self._is_placed else self.written

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Variants of the sweep; without a sweep, one with an empty label."""
        self._follow_working_folder()
        return self._variants

    @cached_property
    def _variants(self) -> tuple[Variant, ...]:
        found = variants(self.written)
        if not self._is_placed:
            return found
        return tuple(replace(variant, config=absolute_places(variant.config, self.base)) for variant in found)

    def placed_for_engine(self) -> Study:
        """Return the study with absolute paths if its engine has workers that may run in another folder."""
        if self.written.engine.name == "local":
            return self
        placed = Study(self.written, self.origin, self.base)
        placed._is_placed = True
        return placed

    def _follow_working_folder(self) -> None:
        """Forget what was made with relative paths if the working folder has changed since."""
        if not self._is_placed and working_folder() != self.base:
            self._is_placed = True
            for name in ("_config", "_variants", "_made_plan", "_declared", "_opened_store"):
                self.__dict__.pop(name, None)

    @property
    def plan(self) -> Plan:
        """Stages of all variants; tasks, files, languages and backbone are looked up, but no example or weight is read.

        Raises:
            AdaptstiltsError: If one of those is missing; all problems at once. Also if a task has been declared anew
                since the plan was made.
        """
        self._follow_working_folder()
        made = self._made_plan
        for task, planned in self._declared:
            check_declaration(task, planned)
        return made

    @cached_property
    def _made_plan(self) -> Plan:
        with self.settings_named():
            return _plan(self.variants)

    @cached_property
    def _declared(self) -> frozenset[tuple[str, str]]:
        """Tasks of the plan, each with the digest of its declaration."""
        jobs = (stage.job for stage in self._made_plan.stages)
        return frozenset((job.task, job.declared) for job in jobs if isinstance(job, TrainJob | PredictJob | ScoreJob))

    @property
    def store(self) -> Store:
        """Store of the study's artefacts.

        Raises:
            ConfigError: If there is a file where its folder should be.
            StoreError: If it is an address whose file system is unknown or not installed.
        """
        self._follow_working_folder()
        return self._opened_store

    @cached_property
    def _opened_store(self) -> Store:
        with self.settings_named():
            return _open_store(self.config.store, self.config.store_cache)

    @property
    def store_key(self) -> str:
        """The setting that says where on this machine the store writes."""
        return _store_key(self.store)

    @property
    def results_folder(self) -> Path:
        """Folder of the study's tables and figures."""
        return local_path(self.config.results, "results") / self.config.name

    def check(self) -> Plan:
        """Plan the study and read every data row that its unfinished stages need.

        Raises:
            AdaptstiltsError: If it cannot be planned, or a file is malformed, empty or unlabelled.
        """
        with self.settings_named():
            for variant, part in parts_by_data(self.variants, self.plan):
                check_rows(variant.config.data, part, self.store)
        return self.plan

    def plan_anew(self) -> None:
        """Forget the plan, so that the next one is made from the files that are there then."""
        for name in ("_made_plan", "_declared"):
            self.__dict__.pop(name, None)

    def missing_files(self) -> tuple[str, ...]:
        """Return a line about each target that lacks files of chosen languages, or labelled ones of its test split."""
        lines = {
            f"{cell.target}: {note}, left out": None
            for cell in self.plan.cells
            for note in cell.note.split("; ")
            if note.startswith(PARTIAL)
        }
        elsewhere: dict[tuple[str, Split, Split], dict[str, None]] = {}
        for _, job in jobs_of(self.plan.stages, ScoreJob):
            wanted = get_task(job.task).test_split
            for code, split in job.languages:
                if split is not wanted:
                    elsewhere.setdefault((job.task, wanted, split), {})[code] = None
        for (task, wanted, split), codes in elsewhere.items():
            lines[
                f"{task}: no labelled {wanted.value} file in {', '.join(codes)}, scored on the {split.value} split"
            ] = None
        return tuple(lines)

    def settings_named(self) -> AbstractContextManager[None]:
        """Return a context that adds file and line to errors about settings."""
        return self.origin.named_in_errors()


def _task_problems(source: Source, overrides: Sequence[str]) -> tuple[AdaptstiltsError, ...]:
    """Return what is wrong with the task names of a study that has other problems; nothing if it cannot be read."""
    with suppress(ConfigError):
        named, origin = task_names(source, overrides)
        try:
            with origin.named_in_errors():
                raise_all(check_task_names(named))
        except AdaptstiltsError as error:
            return problems_of(error)
    return ()


def _plan(chosen: Sequence[Variant]) -> Plan:
    """Plan all variants and join their plans; errors name the variant if there are several."""
    planner = _VariantPlanner()
    if len(chosen) == 1:
        return planner.plan(chosen[0])
    planned: list[tuple[Variant, Plan]] = []
    problems: list[tuple[Variant, AdaptstiltsError]] = []
    for variant in chosen:
        try:
            planned.append((variant, planner.plan(variant)))
        except AdaptstiltsError as error:  # noqa: PERF203 - all are tried
            problems.append((variant, error))
    raise_all(of_variants(problems, len(chosen)))
    return join_plans(planned)


class _VariantPlanner:
    """Plans the variants of a study, looking up data and backbone once for all variants that share them."""

    def __init__(self) -> None:
        self._backbones: dict[tuple[str, str | None], BackboneRef] = {}
        self._limits: dict[BackboneRef, BackboneLimits] = {}
        self._facts: dict[str, tuple[DataFacts, DataJob | None]] = {}

    def plan(self, variant: Variant) -> Plan:
        config = variant.config
        check_tasks(config)
        backbone = self._backbone(config.backbone, config.revision)
        facts, job = self._facts_for(config.data, config.evaluation)
        check_files(config, facts)
        published = None if config.data.root == MINI_ROOT else run_setting(config, variant.backbone)
        plan = make_plan(config, facts, backbone, job, published)
        if backbone not in self._limits:
            self._limits[backbone] = limits_of(backbone)
        check_limits(config, plan, self._limits[backbone])
        return plan

    def _backbone(self, name: str, revision: str | None) -> BackboneRef:
        if (name, revision) not in self._backbones:
            backbone = backbone_at(locate_backbone(name), revision)
            check_weights(backbone)
            self._backbones[name, revision] = backbone
        return self._backbones[name, revision]

    def _facts_for(self, data: DataSection, evaluation: EvaluationSection) -> tuple[DataFacts, DataJob | None]:
        key = data_key(data) + evaluation.model_dump_json(include={"languages", "benchmark", "submission", "missing"})
        if key not in self._facts:
            self._facts[key] = facts_for(
                data,
                evaluation.languages,
                evaluation.benchmark,
                submission=evaluation.submission,
                missing=evaluation.missing,
            )
        return self._facts[key]


def _open_store(location: str, cache: str | None) -> Store:
    store = store_at(location, cache)
    if store.root.exists() and not store.root.is_dir():
        key = _store_key(store)
        raise ConfigError(f"'{store.root}' is a file", key=key, hint=f"Set {key}=FOLDER.")
    return store


def _store_key(store: Store) -> str:
    return "store" if store.location == str(store.root) else "store_cache"
