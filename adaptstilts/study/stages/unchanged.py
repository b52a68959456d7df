"""What a stage reads is what its key was made from: compared when it begins, and again before anything is stored.

Rows, tokenizers and weights are read from files that stand still (`adaptstilts.contents.Pins`), and stay in memory as
they were. So a stage never computes with anything else; the comparison at its end tells early that a file has changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from adaptstilts.contents import BEFORE, Pins, content_hash, identity_of
from adaptstilts.errors import AdaptstiltsError, ChangedError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.backbones import check_backbone_content
from adaptstilts.study.plan.data_sets import (
    DataSet,
    compared_sets,
    evaluation_sets,
    option,
    training_sets,
    with_dev,
)
from adaptstilts.study.plan.jobs import PredictJob, ReportJob, ScoreJob, TrainJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.tasks.registry import get_task

DURING = "has changed while the stage was running"


@contextlib.contextmanager
def unchanged(stage: Stage, inputs: Inputs, roots: Sequence[DataRoot | None], quoting: str) -> Iterator[None]:
    """Carry out a stage in the block, and make sure that its inputs are what its key was made from.

    Args:
        roots: The data that it reads, for a report one per comparison; None for data that is a part of the store.
        quoting: How quotation marks are read.

    Raises:
        ChangedError: If a file of its data or of its backbone differs, even if the block raises another error.
        DamagedError: If an artefact that it was made from has been changed or removed.
    """
    _check(stage, inputs, roots, quoting, BEFORE)
    try:
        yield
    except Exception as error:
        try:
            _check(stage, inputs, roots, quoting, DURING)
        except ChangedError as changed:
            raise changed from error
        except AdaptstiltsError:
            pass
        raise
    _check(stage, inputs, roots, quoting, DURING)
    inputs.check_opened()


def _check(stage: Stage, inputs: Inputs, roots: Sequence[DataRoot | None], quoting: str, problem: str) -> None:
    job = stage.job
    if isinstance(job, TrainJob | PredictJob):
        inputs.backbone[:] = check_backbone_content(job.backbone, inputs.pins, problem)
    for at, root in enumerate(roots):
        if root is None:
            continue
        if isinstance(job, TrainJob):
            task = get_task(job.task)
            sets = training_sets(task, dev=not job.hold_out)
            _check_sets(sets, root, (option(task, quoting), job.data), inputs.pins, problem)
        elif isinstance(job, PredictJob):
            task = get_task(job.task)
            sets = evaluation_sets(task, with_dev(task, job.languages))
            _check_sets(sets, root, (option(task, quoting), job.data), inputs.pins, problem)
        elif isinstance(job, ScoreJob):
            made = next(one.job for one in inputs.stages if one.key == job.predictions)
            if isinstance(made, PredictJob):
                sets = evaluation_sets(get_task(job.task), job.languages)
                _check_sets(sets, root, ((), made.data), inputs.pins, problem, is_part=True)
        elif isinstance(job, ReportJob):
            _check_sets(compared_sets(job.compared[at]), root, ((), job.compared[at].data), inputs.pins, problem)


def _check_sets(
    sets: Sequence[DataSet],
    root: DataRoot,
    expected: tuple[tuple[str, ...], tuple[str, ...]],
    pins: Pins,
    problem: str,
    *,
    is_part: bool = False,
) -> None:
    """Compare data sets with their fingerprints, and hold their files to what they have now.

    Args:
        expected: Settings of the readers, and these with all fingerprints.
        is_part: Whether there may be further fingerprints, of sets that are not read.
    """
    options, known = expected
    found = list(options)
    for each in (each for each in sets if each.is_there(root)):
        files = each.files(root)
        pins.check(files, problem)
        found.append(_fingerprint(each, root, files, problem))
        if found[-1] not in known:
            raise ChangedError(problem, path=_newest(files))
        pins.pin(files)
    if not is_part and set(found) != set(known):
        raise _gone(sets, root, pins, problem)


def _gone(sets: Sequence[DataSet], root: DataRoot, pins: Pins, problem: str) -> ChangedError:
    """Return the error about data sets that were there: it names the file where it is known, else what may be gone."""
    path = next(iter(pins.gone(root.path)), None)
    if path is not None:
        return ChangedError(problem.replace("changed", "gone"), path=path)
    absent = [each.text() for each in sets if each.split in each.task.layouts and not each.is_there(root)]
    are = " or ".join(absent) or "data"
    return ChangedError(f"{are} {problem.replace('has changed', 'have gone')}", path=root.path)


def _fingerprint(data: DataSet, root: DataRoot, files: Sequence[Path], problem: str) -> str:
    """Return the fingerprint of a data set, whose files are read again if they had just been changed."""
    try:
        for path in files:
            content_hash(path, certain=True)
        return data.fingerprint(root)
    except (OSError, AdaptstiltsError) as error:
        raise ChangedError(problem, path=files[0]) from error


def _newest(files: Sequence[Path]) -> Path:
    """Return the file that was changed last: of several with one fingerprint, probably the one that differs."""
    return max(files, key=lambda path: identity_of(path) or (0,))
