"""Stages that predict and score a target with one network: one per language if languages are independent."""

from __future__ import annotations

from functools import partial

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.retrieval import FITTED
from adaptstilts.config.schema import MethodName
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.builder import Pairs, Planner
from adaptstilts.study.plan.data_sets import with_dev
from adaptstilts.study.plan.jobs import PredictJob, ScoreJob, Source, TrainJob, job_of, jobs_of
from adaptstilts.study.plan.retrieval import retrieval_settings, retrieves
from adaptstilts.tasks.registry import declaration_digest, training_task
from adaptstilts.tasks.spec import Task
from adaptstilts.train.methods import METHODS, Method


def predict_stages(
    planner: Planner,
    method: Method,
    target: Task,
    trained: Stage | None,
    sources: tuple[Source, ...],
    seed: int,
    *,
    hidden: bool = False,
) -> tuple[Stage, ...]:
    """Plan the predictions of a target with one network.

    Args:
        planner: Collects the stages.
        method: Method that the network is trained by.
        target: The target task.
        trained: Training run of the network; None if there is none.
        sources: Intermediate runs.
        seed: Seed, for the names of the stages.
        hidden: Plan test splits with hidden labels instead of what is scored.

    Returns:
        The stages in the order of the languages; none if there is nothing to predict.
    """
    parts = _parts(planner, target, hidden=hidden)
    if not parts:
        return ()
    make_job = _maker(planner, method, target, trained, sources)
    above = [*above_target("+".join(source.task for source in sources)), target.name]
    words, slug = f"predict {method.name}: {' > '.join(above)}", "-".join([method.name, *above])
    ending, slug_ending = (f", seed {seed}, hidden labels", "-hidden") if hidden else (f", seed {seed}", "")
    inputs = (*planner.data_inputs, *(source.key for source in make_job.keywords["sources"]))
    if trained is not None:
        inputs = (*inputs, trained.key)
    is_whole = _is_whole(planner, target)
    stages = []
    for languages, data in parts:
        code = "" if is_whole else languages[0][0]
        name = f"{words} {code}{ending}" if code else words + ending
        label = f"{slug}-{code}{slug_ending}" if code else slug + slug_ending
        job = make_job(languages=languages, data=data)
        stages.append(planner.add(planner.make(name, label, job, inputs)))
    return tuple(stages)


def score_stages(planner: Planner, predictions: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Plan the scoring of predictions, one stage per prediction, so that a failure costs no other score."""
    stages = []
    for stage, job in jobs_of(predictions, PredictJob):
        score = ScoreJob(job.task, job.languages, stage.key, job.max_evaluation, job.declared)
        name = stage.name.replace("predict ", "score ", 1)
        stages.append(planner.add(planner.make(name, stage.slug, score, (*planner.data_inputs, stage.key))))
    return tuple(stages)


def above_target(above: str) -> list[str]:
    """Return what precedes the target in a name: nothing, the sources, or from four sources on their number."""
    if not above:
        return []
    return [above if above.count("+") < 3 else f"{above.count('+') + 1}-tasks"]


def in_order_of_networks(stages: dict[str, Stage]) -> tuple[Stage, ...]:
    """Return the stages with all predictions of a network in a row, so that a worker can keep it in memory.

    ``stages`` holds stages by key. In it and in the result, each comes after its inputs.
    """
    by_network: dict[tuple[str, tuple[str, ...]], list[Stage]] = {}
    for stage, job in jobs_of(stages.values(), PredictJob):
        by_network.setdefault((job.method, stage.inputs), []).append(stage)
    ordered: list[Stage] = []
    for stage in stages.values():
        prediction = job_of(stage, PredictJob)
        if prediction is not None:
            ordered += by_network.pop((prediction.method, stage.inputs), ())
        else:
            ordered.append(stage)
    return tuple(ordered)


def _parts(planner: Planner, target: Task, *, hidden: bool) -> tuple[tuple[Pairs, tuple[str, ...]], ...]:
    """Return the groups of languages that are predicted in one stage each, with fingerprints of their files."""
    known = (target.name, hidden)
    if known not in planner.parts:
        facts = planner.facts
        languages = facts.hidden_languages(target) if hidden else facts.languages(target)
        groups = [languages] if _is_whole(planner, target) else [(pair,) for pair in languages]
        planner.parts[known] = tuple(
            (group, facts.evaluation_files(target, with_dev(target, group))) for group in groups if group
        )
    return planner.parts[known]


def _is_whole(planner: Planner, target: Task) -> bool:
    """Say whether all languages of a target must be predicted in one stage; see `PredictJob`."""
    if target.pool is not None:  # all languages search one pool
        return True
    return retrieves(target) and retrieval_settings(planner.config.retrieval, target).layer == FITTED


def _maker(
    planner: Planner, method: Method, target: Task, trained: Stage | None, sources: tuple[Source, ...]
) -> partial[PredictJob]:
    """Return what makes the jobs of a target's predictions with one network: it lacks languages and their data."""
    config = planner.config
    settings = planner.settings(method.family, training_task(target), "target")
    retrieval = retrieval_settings(config.retrieval, target) if retrieves(target) else None
    canonical = _canonical(method, retrieval is not None, trained)
    return partial(
        PredictJob,
        method=canonical,
        task=target.name,
        trained=trained.key if trained is not None else None,
        trained_task=_trained_task(trained),
        sources=sources if METHODS[canonical].use in {"below", "fused"} or trained is None else (),
        average=method.use == "fused" and trained is None,
        backbone=planner.backbone,
        retrieval=retrieval,
        max_evaluation=config.data.max_evaluation,
        max_length=settings.max_length if retrieval is None else retrieval.max_length,
        doc_stride=settings.doc_stride if retrieval is None else TrainSettings.doc_stride,
        max_query_length=settings.max_query_length if retrieval is None else TrainSettings.max_query_length,
        precision=config.evaluation.precision,
        batch_tokens=config.evaluation.batch_tokens,
        declared=declaration_digest(target),
    )


def _canonical(method: Method, retrieves: bool, trained: Stage | None) -> MethodName:
    """Return one method for all that are the same network on an untrained target, so that they share predictions."""
    return method.untrained_as if retrieves and trained is None else method.name


def _trained_task(trained: Stage | None) -> str | None:
    job = job_of(trained, TrainJob)
    return None if job is None else job.task
