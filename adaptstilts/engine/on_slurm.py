"""Stages as SLURM jobs through submitit: in arrays, requeued when they are preempted or their time is over.

Stages that are ready at the same moment are submitted as one job array. Predictions of one network are one job, so that
it is loaded once. Stages that run no network (scores, tables, the report) run in the submitting process, as a job would
take longer than they do. All nodes must see the store, the data and the backbone under the same paths or URLs.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.engine.in_process import InProcessEngine
from adaptstilts.engine.protocols import MakeRunner, StageRequest, StageResult
from adaptstilts.engine.resources import computes
from adaptstilts.engine.worker import ignore_steps, perform_here
from adaptstilts.errors import EngineError
from adaptstilts.formatting import number_text
from adaptstilts.store.shared import SharedStore
from adaptstilts.store.stage import StageKind
from adaptstilts.store.store import Store

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig

_POLL_SECONDS = 1.0
_LOCAL_POLL_SECONDS = 0.1
"""Time between two checks of the jobs; submitit itself asks SLURM far less often."""
_MOST_TIMEOUTS = 1000
"""How often a job may reach its time limit and continue as a new job."""
_MOST_IN_ARRAY = 1000
"""Most requests of one array; SLURM's own limit (MaxArraySize) is 1001 by default."""


@dataclass
class Job:
    """Stages that one SLURM job runs one after the other; called on the node."""

    make_runner: MakeRunner
    store: Store
    requests: tuple[StageRequest, ...]

    def __call__(self) -> tuple[StageResult, ...]:
        """Run the stages."""
        return tuple(perform_here(self.make_runner, self.store, request, ignore_steps) for request in self.requests)

    def checkpoint(self) -> Any:  # noqa: ANN401 - submitit's type
        """Continue as a new job: finished stages are in the store, and training resumes from its last saved state."""
        from submitit.helpers import DelayedSubmission  # noqa: PLC0415

        return DelayedSubmission(self)


@dataclass
class _Submitted:
    """A submitted job and the requests that it carries out."""

    job: Any
    requests: tuple[StageRequest, ...]


class SlurmEngine:
    """Runs stages as SLURM jobs.

    Args:
        config: The study; ``config.engine.slurm`` holds the resources and options of a job.
        make_runner: Makes the runner of each job; paths in it must be valid on all nodes.
        store: Where artefacts go; logs of the jobs are in its folder ``.slurm``.
        light: Runs the stages that run no network.
        on_message: Called with a line about each array.

    Raises:
        EngineError: If submitit is not installed, or there is no SLURM here.
    """

    def __init__(
        self,
        config: StudyConfig,
        make_runner: MakeRunner,
        store: Store,
        light: InProcessEngine,
        on_message: Callable[[str], None],
    ) -> None:
        submitit = _import_submitit()
        if isinstance(store, SharedStore):
            store.remote.through_environment()  # jobs inherit it, and files of jobs hold no passwords
        self._make_runner = make_runner
        self._store = store
        self._light = light
        self._on_message = on_message
        self._folder = Path(str(store.root)) / ".slurm"
        try:
            self._executor: Any = submitit.AutoExecutor(
                folder=self._folder, cluster=config.engine.slurm.cluster, slurm_max_num_timeout=_MOST_TIMEOUTS
            )
        except RuntimeError as error:
            raise EngineError(
                f"there is no SLURM here: {error}", key="engine.name", value="slurm",
                hint="Run on a login node, or set engine.slurm.cluster=local. More: adaptstilts docs engines.",
            ) from error  # fmt: skip
        self._executor.update_parameters(**_parameters(config))
        self._pending: list[StageRequest] = []
        self._jobs: list[_Submitted] = []
        self._unknown = submitit.core.utils.UncompletedJobError
        self._failed = submitit.core.utils.FailedJobError
        self._pause = _LOCAL_POLL_SECONDS if config.engine.slurm.cluster != "slurm" else _POLL_SECONDS

    @property
    def is_full(self) -> bool:
        """Whether the next array has reached its largest size."""
        return len(self._pending) >= _MOST_IN_ARRAY

    def has_room(self, request: StageRequest) -> bool:
        """Whether the request fits into the next array; without a network, whether no other such request waits."""
        return not self.is_full if computes(request.stage) else self._light.has_room(request)

    def submit(self, request: StageRequest) -> None:
        """Add a request to the next array, which is submitted when `results` is called."""
        if computes(request.stage):
            self._pending.append(request)
        else:
            self._light.submit(request)

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Submit the next array, run a waiting stage without a network, or else wait for a job to end."""
        self._send()
        if self._light.is_full:
            return self._light.results(seconds)
        started = time.monotonic()
        while True:
            ended = [submitted for submitted in self._jobs if submitted.job.done()]
            if ended or (seconds is not None and time.monotonic() - started >= seconds):
                return [result for submitted in ended for result in self._read(submitted)]
            time.sleep(self._pause if seconds is None else min(self._pause, seconds))

    def close(self, *, at_once: bool) -> None:
        """Cancel running jobs if ``at_once``; otherwise none is running."""
        for submitted in self._jobs if at_once else ():
            submitted.job.cancel()
        self._jobs = []

    def _send(self) -> None:
        if not self._pending:
            return
        groups: dict[tuple[str, ...], list[StageRequest]] = defaultdict(list)
        for request in self._pending:
            is_prediction = request.stage.kind is StageKind.PREDICT
            groups[request.stage.inputs if is_prediction else (request.stage.key,)].append(request)
        jobs = [Job(self._make_runner, self._store, tuple(requests)) for requests in groups.values()]
        submitted = self._executor.submit_array(jobs)
        self._jobs += [_Submitted(job, work.requests) for job, work in zip(submitted, jobs, strict=True)]
        count, first = len(jobs), str(submitted[0].job_id).split("_")[0]
        self._on_message(
            f"slurm: {number_text(count, 'job')} in array {first} for {number_text(len(self._pending), 'stage')}"
        )
        self._pending = []

    def _read(self, submitted: _Submitted) -> Sequence[StageResult]:
        self._jobs.remove(submitted)
        try:
            results: Sequence[StageResult] = submitted.job.result()
        except self._failed as error:
            raise RuntimeError(f"a job met a bug, its log is {submitted.job.paths.stderr}:\n{error}") from error
        except self._unknown:
            job = submitted.job
            reason = EngineError(f"job {job.job_id} ended as {job.state}; its log is {job.paths.stderr}")
            return [StageResult(request.stage.key, "lost", reason) for request in submitted.requests]
        return results


def _parameters(config: StudyConfig) -> dict[str, Any]:
    """Return the resources and options of a job under submitit's names."""
    engine, slurm = config.engine, config.engine.slurm
    gpus = 1.0 if engine.gpus_per_stage == "auto" else float(engine.gpus_per_stage)
    chosen: dict[str, Any] = {
        "name": config.name,
        "timeout_min": slurm.timeout_minutes,
        "cpus_per_task": engine.cpus_per_stage or config.threads or 1,
        "gpus_per_node": 0 if config.device == "cpu" else max(1, round(gpus), config.parallel.processes),
        "slurm_array_parallelism": slurm.most_jobs,
        "slurm_signal_delay_s": slurm.signal_seconds,
    }
    if engine.memory_gb is not None:
        chosen["mem_gb"] = engine.memory_gb
    for name in ("partition", "account", "qos", "constraint"):
        value = getattr(slurm, name)
        if value is not None:
            chosen[f"slurm_{name}"] = value
    if slurm.setup:
        chosen["slurm_setup"] = list(slurm.setup)
    if slurm.cluster != "slurm":  # submitit's local executor takes no other parameters
        chosen = {name: value for name, value in chosen.items() if name in {"name", "timeout_min", "gpus_per_node"}}
    return chosen


def _import_submitit() -> Any:  # noqa: ANN401 - an optional module
    try:
        import submitit  # noqa: PLC0415
        import submitit.core.utils  # noqa: PLC0415
    except ImportError as error:
        raise EngineError(
            "submitit is not installed",
            key="engine.name",
            value="slurm",
            hint="pip install 'adaptstilts[slurm]'. More: adaptstilts docs engines.",
        ) from error
    return submitit
