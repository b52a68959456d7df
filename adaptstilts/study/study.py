"""From a configuration to a plan and a store: resolves backbone, tasks, files and languages before anything runs."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.sweep import Variant, variants
from adaptstilts.errors import AdaptstiltsError, ConfigError, raise_all
from adaptstilts.models.backbone import fingerprint, locate
from adaptstilts.store.shared import store_at
from adaptstilts.store.store import Store
from adaptstilts.study.plan.check_config import check_tasks
from adaptstilts.study.plan.check_inputs import check_files, check_rows, check_weights
from adaptstilts.study.plan.check_limits import check_limits
from adaptstilts.study.plan.comparison import run_setting
from adaptstilts.study.plan.data_facts import MINI, DataFacts, facts_for
from adaptstilts.study.plan.jobs import DataJob, Reference
from adaptstilts.study.plan.plan import Plan, make_plan
from adaptstilts.study.plan.variants import data_key, join_plans, of_variants, parts_by_data


def plan_study(config: StudyConfig) -> Plan:
    """Resolve everything a study needs and plan it.

    Args:
        config: The study.

    Returns:
        The plan; no model was loaded and no example read.

    Raises:
        AdaptstiltsError: If a task, file, checkpoint or language is not there.
    """
    chosen = variants(config)
    resolver = _Resolver()
    if len(chosen) == 1:
        return resolver.plan(chosen[0].config)
    planned: list[tuple[Variant, Plan]] = []
    problems: list[tuple[Variant, AdaptstiltsError]] = []
    for variant in chosen:
        try:
            planned.append((variant, resolver.plan(variant.config)))
        except AdaptstiltsError as error:  # noqa: PERF203 - every one is tried
            problems.append((variant, error))
    raise_all(of_variants(problems, len(chosen)))
    return join_plans(planned)


class _Resolver:
    """Plans variants of a study; what several of them share, data and backbone, is looked at once."""

    def __init__(self) -> None:
        self._backbones: dict[tuple[str, str | None], Reference] = {}
        self._facts: dict[str, tuple[DataFacts, DataJob | None]] = {}

    def plan(self, config: StudyConfig) -> Plan:
        """Plan one variant."""
        check_tasks(config)
        backbone = self._backbone(config.backbone, config.revision)
        facts, job = self._facts_for(config)
        check_files(config, facts)
        published = None if config.data.root == MINI else run_setting(config)
        plan = make_plan(config, facts, backbone, job, published)
        check_limits(config, plan, backbone)
        return plan

    def _backbone(self, name: str, revision: str | None) -> Reference:
        if (name, revision) not in self._backbones:
            location = locate(name)
            backbone = Reference(location, revision, fingerprint(location, revision))
            check_weights(backbone)
            self._backbones[name, revision] = backbone
        return self._backbones[name, revision]

    def _facts_for(self, config: StudyConfig) -> tuple[DataFacts, DataJob | None]:
        asked = config.evaluation
        key = f"{data_key(config.data)} {asked.languages} {asked.benchmark} {asked.submission}"
        if key not in self._facts:
            self._facts[key] = facts_for(config.data, asked.languages, asked.benchmark, submission=asked.submission)
        return self._facts[key]


def check_study(config: StudyConfig) -> Plan:
    """Plan a study and read every row that what is unfinished of it needs.

    Args:
        config: The study.

    Returns:
        The plan; no model was loaded.

    Raises:
        AdaptstiltsError: As `plan_study`, and if a file is malformed, empty or unlabelled.
    """
    plan = plan_study(config)
    for variant, part in parts_by_data(config, plan):
        check_rows(variant.config, part, open_store(config))
    return plan


def open_store(config: StudyConfig) -> Store:
    """Return the study's artefact store.

    Raises:
        ConfigError: If a file is in the place of its folder.
        StoreError: If it is an address whose file system is not known or not installed.
    """
    store = store_at(config.store, config.store_cache)
    if store.root.exists() and not store.root.is_dir():
        key = "store" if store.location == str(store.root) else "store_cache"
        raise ConfigError(f"'{store.root}' is a file", key=key, hint=f"Set {key}=FOLDER.")
    return store


def results_folder(config: StudyConfig) -> Path:
    """Return the folder of the study's tables and figures."""
    return Path(config.results).expanduser() / config.name
