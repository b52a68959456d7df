"""Stages as Ray tasks, each with its resources, wherever Ray runs: one machine, a SLURM allocation, Kubernetes.

Ray reuses the processes of finished tasks, so that a backbone that one stage has loaded is in memory for the next
(``max_calls=0``; Ray's default for tasks on GPUs is a new process for each). All workers must see the store, the data
and the backbone under the same paths or URLs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adaptstilts.engine.protocols import MakeRunner, StageRequest, StageResult
from adaptstilts.engine.resources import NeedsOf, computes
from adaptstilts.engine.worker import ignore_steps, perform_here
from adaptstilts.errors import EngineError
from adaptstilts.formatting import number_text, reason_of
from adaptstilts.store.stage import StageKind
from adaptstilts.store.store import Store

if TYPE_CHECKING:
    from adaptstilts.config.schema import StudyConfig

_GIGABYTE = 1_000_000_000
_SHARES = 8
"""Shares of a GPU are rounded up to eighths."""
_REQUESTS_PER_CPU = 4
"""Requests given to Ray at a time, per CPU of the cluster; more than it can start, so that it never idles."""


class RayEngine:
    """Runs stages as Ray tasks.

    Args:
        config: The study; ``config.engine`` names the cluster and the resources of a stage.
        make_runner: Makes the runner of each worker.
        store: Where artefacts go.
        needs: Estimates the GPU memory of a stage.
        on_message: Called with a line about the cluster.

    Raises:
        EngineError: If Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(
        self,
        config: StudyConfig,
        make_runner: MakeRunner,
        store: Store,
        needs: NeedsOf,
        on_message: Callable[[str], None],
    ) -> None:
        self._ray: Any = _import_ray()
        self._settings = config.engine
        self._threads = config.threads
        self._processes = config.parallel.processes
        self._needs = needs
        self._started_here = not self._ray.is_initialized()
        self._connect(config)
        resources = self._ray.cluster_resources()
        self._cpus = max(1, int(resources.get("CPU", 1)))
        self._gpus = float(resources.get("GPU", 0))
        self._gpu_bytes = _smallest_gpu(self._gpus)
        counts = {"node": len(self._ray.nodes()), "CPU": self._cpus, "GPU": int(self._gpus)}
        on_message(f"ray: {', '.join(number_text(count, noun) for noun, count in counts.items())}")
        self._make_runner = self._ray.put(make_runner)
        self._store = self._ray.put(store)
        self._task = self._ray.remote(max_calls=0)(perform_here)
        self._running: dict[Any, StageRequest] = {}

    @property
    def is_full(self) -> bool:
        """Whether Ray has enough requests; Ray itself decides when there are resources for each."""
        return len(self._running) >= self._cpus * _REQUESTS_PER_CPU

    def has_room(self, request: StageRequest) -> bool:
        """Whether Ray can be given another request."""
        return not self.is_full

    def submit(self, request: StageRequest) -> None:
        """Give a request to Ray."""
        task = self._task.options(name=request.stage.name, max_retries=0, **self._resources(request))
        self._running[task.remote(self._make_runner, self._store, request, ignore_steps)] = request

    def results(self, seconds: float | None) -> Sequence[StageResult]:
        """Wait for a task to end, or for its worker to die."""
        ended, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [self._result(reference) for reference in ended]

    def close(self, *, at_once: bool) -> None:
        """Cancel running tasks if ``at_once``, and leave the cluster; one that was started here is shut down."""
        for reference in self._running if at_once else ():
            self._ray.cancel(reference, force=True)
        self._running = {}
        if self._started_here:
            self._ray.shutdown()

    def _result(self, reference: Any) -> StageResult:  # noqa: ANN401 - Ray's reference
        request = self._running.pop(reference)
        errors = self._ray.exceptions
        try:
            result: StageResult = self._ray.get(reference)
        except errors.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except errors.RayError as error:
            reason = EngineError(f"Ray lost its worker ({type(error).__name__})")
            return StageResult(request.stage.key, "lost", reason)
        return result

    def _connect(self, config: StudyConfig) -> None:
        if not self._started_here:
            return
        address = self._settings.address
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        start: dict[str, Any] = {"address": address} if address else {"num_cpus": _cpus_here(config)}
        if not address:
            start["include_dashboard"] = False
        try:
            self._ray.init(log_to_driver=False, configure_logging=True, logging_level="error", **start)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            first = reason_of(error)
            raise EngineError(
                f"Ray cannot be reached: {first}",
                key="engine.address",
                value=address,
                hint="Start it with `ray start --head`, or set engine.address=null for one of this machine. "
                "More: adaptstilts docs engines.",
            ) from error

    def _resources(self, request: StageRequest) -> dict[str, Any]:
        chosen: dict[str, Any] = {"num_cpus": self._settings.cpus_per_stage or self._threads or 1}
        if self._settings.memory_gb is not None:
            chosen["memory"] = int(self._settings.memory_gb * _GIGABYTE)
        if self._gpus and computes(request.stage):
            several = request.stage.kind is StageKind.TRAIN and self._processes > 1
            chosen["num_gpus"] = self._processes if several else self._gpu_share(request)
        return chosen

    def _gpu_share(self, request: StageRequest) -> float:
        share = self._settings.gpus_per_stage
        if share != "auto":
            return float(share)
        wanted = self._needs(request.stage).gpu_bytes
        if request.losses or not wanted or not self._gpu_bytes:
            return 1.0
        parts = -(-wanted * _SHARES // self._gpu_bytes)
        return min(_SHARES, max(1, parts)) / _SHARES


def _import_ray() -> Any:  # noqa: ANN401 - an optional module
    try:
        import ray  # noqa: PLC0415
        import ray.exceptions  # noqa: PLC0415
    except ImportError as error:
        raise EngineError(
            "Ray is not installed",
            key="engine.name",
            value="ray",
            hint="pip install 'adaptstilts[ray]'. More: adaptstilts docs engines.",
        ) from error
    return ray


def _cpus_here(config: StudyConfig) -> int:
    """Return the CPUs of a cluster started on this machine: enough for `workers` stages at a time."""
    return config.workers * (config.engine.cpus_per_stage or config.threads or 1)


def _smallest_gpu(gpus: float) -> int:
    """Return the bytes of this machine's smallest GPU, assumed for all nodes; 0 if neither has a GPU."""
    from adaptstilts.engine.resources import this_machine  # noqa: PLC0415

    return min(this_machine("auto").gpus, default=0) if gpus else 0
