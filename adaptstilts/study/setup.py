"""From a configuration to a plan and a store: resolves backbone, tasks, files and languages before anything runs."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.models.backbone import fingerprint, locate
from adaptstilts.study.asked import check_tasks
from adaptstilts.study.check import check_files, check_rows, check_weights
from adaptstilts.study.inputs import MINI, facts_for
from adaptstilts.study.limits import check_limits
from adaptstilts.study.plan import Plan, make_plan
from adaptstilts.study.published import run_setting
from adaptstilts.study.stages import Reference
from adaptstilts.study.store import Store


def plan_study(config: StudyConfig) -> Plan:
    """Resolve everything a study needs and plan it.

    Args:
        config: The study.

    Returns:
        The plan; no model was loaded and no example read.

    Raises:
        AdaptstiltsError: If a task, file, checkpoint or language is not there.
    """
    check_tasks(config)
    location = locate(config.backbone)
    backbone = Reference(location, config.revision, fingerprint(location, config.revision))
    check_weights(backbone)
    evaluation = config.evaluation
    facts, job = facts_for(config.data, evaluation.languages, evaluation.benchmark, submission=evaluation.submission)
    check_files(config, facts)
    published = None if config.data.root == MINI else run_setting(config)
    plan = make_plan(config, facts, backbone, job, published)
    check_limits(plan, backbone)
    return plan


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
    check_rows(config, plan, open_store(config))
    return plan


def open_store(config: StudyConfig) -> Store:
    """Return the study's artefact store."""
    return Store(Path(config.store).expanduser())


def results_folder(config: StudyConfig) -> Path:
    """Return the folder of the study's tables and figures."""
    return Path(config.results).expanduser() / config.name
