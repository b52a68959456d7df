"""Prediction and scoring with dual encoders: one pool of candidates for the queries of all languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.engine.journal import StepCallback
from adaptstilts.evaluate.gold import match_gold
from adaptstilts.evaluate.match import nearest, unit_vectors
from adaptstilts.formatting import number_text
from adaptstilts.models.network import TaskNetwork
from adaptstilts.readers.locate import is_multilingual
from adaptstilts.study.plan.jobs import PredictJob, ScoreJob
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.predictions import LanguageResult
from adaptstilts.tasks.examples import Candidate, MatchExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Task

_BLOCK = 20_000
"""Number of candidates encoded at a time; a pool that fits into one block stays cached for the next network."""


def match(network: TaskNetwork, job: PredictJob, examples: Examples, on_step: StepCallback) -> Iterator[LanguageResult]:
    """Find the nearest candidates of every language's queries in one pool over all languages.

    The vectors of the pool are held in memory in single precision: 4 bytes times the width for each candidate, 53 MB
    for LAReQA and 4.1 GB for Mewsli-X at a width of 1024. ``max_evaluation`` limits the queries but never the pool.

    Args:
        network: Dual encoder with its head, on its device.
        on_step: Called with the number of languages done.

    Raises:
        AdaptstiltsError: If data cannot be used.
    """
    task = get_task(job.task)
    settings = job.lengths
    on_step(0, len(job.languages), "candidates")
    ids, pool = _pool(network, job, task, examples, settings)
    searched = pool_note(task, [code for code, _ in examples.root.pool(task)], len(ids))
    for index, (language, split) in enumerate(job.languages):
        on_step(index, len(job.languages), language)
        rows = examples.evaluation(task, split, language, job.max_evaluation)
        what = (split, language, job.max_evaluation)
        encoded = examples.encoded(task, rows, job.backbone, settings, what=what)
        queries = unit_vectors(network, encoded, batch_tokens=job.batch_tokens, precision=job.precision)
        query_rows = [row for row in rows if isinstance(row, MatchExample)]
        note = "; ".join((searched, *examples.root.left_out(task, split, language)))
        yield LanguageResult(language, split, nearest(query_rows, queries, ids, pool), len(rows), note)


def pool_note(task: Task, languages: Sequence[str], candidates: int) -> str:
    """Describe the candidate pool for readers of the scores: its size, and its share of the task's languages.

    Args:
        languages: Languages of the pool's files; not named if one file holds all languages.
        candidates: Number of candidates.
    """
    note = f"pool of {number_text(candidates, 'candidate')}"
    if task.pool is None or not is_multilingual(task.pool):
        return note
    return f"{note} in {len(languages)} of {number_text(len(task.languages), 'language')}"


def right_candidates(job: ScoreJob, examples: Examples) -> dict[str, dict[str, list[str]]]:
    """Collect the correct candidates of each query in all languages of the pool, which is read once.

    Returns:
        Candidate ids by query id, by language of the queries.

    Raises:
        EvaluationError: If a query has no correct candidate.
    """
    task = get_task(job.task)
    rows = {code: examples.evaluation(task, split, code, job.max_evaluation) for code, split in job.languages}
    wanted = {row.target for found in rows.values() for row in found if isinstance(row, MatchExample)}
    right: dict[str, list[str]] = {}
    for candidate in examples.root.candidates(task):
        for target in wanted.intersection(candidate.answers):
            right.setdefault(str(target), []).append(candidate.id)
    return {code: match_gold(found, right, task.name) for code, found in rows.items()}


def _pool(
    network: TaskNetwork, job: PredictJob, task: Task, examples: Examples, settings: EncodeSettings
) -> tuple[list[str], NDArray[np.float32]]:
    ids = [candidate.id for candidate in examples.root.candidates(task)]
    vectors = np.empty((len(ids), network.encoder.config.hidden_size), dtype=np.float32)
    done = 0
    for block in _blocks(examples.root.candidates(task)):
        if len(ids) <= _BLOCK:
            encoded = examples.encoded(task, block, job.backbone, settings, what=("pool",))
        else:
            encoded = encode(task, block, examples.tokenizer(job.backbone), settings)
        found = unit_vectors(network, encoded, batch_tokens=job.batch_tokens, precision=job.precision)
        vectors[done : done + len(block)] = found
        done += len(block)
    return ids, vectors


def _blocks(candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    remaining = iter(candidates)
    while block := tuple(islice(remaining, _BLOCK)):
        yield block
