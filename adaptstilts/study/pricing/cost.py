"""Cost of a plan's stages: operations, time on a device, parameters, bytes and memory. Free of torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from adaptstilts.config.retrieval import FITTED, layer_at
from adaptstilts.config.sweep import Variant
from adaptstilts.models.attachments import AttachmentShape
from adaptstilts.models.bottlenecks import ADAPTER_AVERAGE
from adaptstilts.models.shape import BackboneShape
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, Source, TrainJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import parts_by_data
from adaptstilts.study.pricing.devices import Device, check_utilisation
from adaptstilts.study.pricing.dimensions import shape_of
from adaptstilts.study.pricing.flops import Build, Trained, parameters, sequence_flops
from adaptstilts.study.pricing.memory import Memory, prediction_memory, training_memory, written_bytes
from adaptstilts.study.pricing.workload import Workload, Workloads
from adaptstilts.tasks.kinds import micro_batch_count
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.methods import METHODS

_SPAN_BYTES = 300
"""Stored answers of one question: twenty spans with scores."""
_NEIGHBOUR_BYTES = 100
"""Stored neighbours of one query."""
_WORDS_PER_TOKEN = 0.7


@dataclass(frozen=True)
class Price:
    """Estimated cost of one stage, or a sum over several.

    Attributes:
        flops: Floating-point operations; a multiply-add is two.
        seconds: Time on the device at the assumed share of its peak rate.
        tokens: Sub-tokens that pass the network, dev scoring excluded.
        trained: Number of parameters that train.
        written: Estimated bytes of the artefact.
        memory: Peak memory on each device; None for stages that run no network.
    """

    flops: float = 0.0
    seconds: float = 0.0
    tokens: float = 0.0
    trained: int = 0
    written: float = 0.0
    memory: Memory | None = None


FREE = Price()
"""Price of stages that run no network."""


def total(priced: Iterable[tuple[Price, int]]) -> Price:
    """Sum prices, each times its count; memory is the largest peak rather than a sum."""
    flops = seconds = tokens = written = 0.0
    trained, memory = 0, None
    for price, count in priced:
        if price is FREE or not count:
            continue
        flops += count * price.flops
        seconds += count * price.seconds
        tokens += count * price.tokens
        written += count * price.written
        trained += count * price.trained
        if price.memory is not None and (memory is None or price.memory.total > memory.total):
            memory = price.memory
    return Price(flops, seconds, tokens, trained, written, memory)


def _fields_except(job: type, *excluded: str) -> Callable[[object], tuple[Hashable, ...]]:
    return attrgetter(*(field.name for field in fields(job) if field.name not in excluded))


_TRAINING_FIELDS = _fields_except(TrainJob, "seed", "data", "sources", "after")
_PREDICTION_FIELDS = _fields_except(PredictJob, "data", "sources", "trained")
"""Fields of a job that determine its price: all but those excluded by name, so that no new field is forgotten."""


class Pricing:
    """Prices of a plan's stages on one device.

    Stages that differ only in names, seeds and keys share a price, which keeps plans of thousands of stages fast.

    Args:
        variants: All variants of the study.
        utilisation: Share of the device's peak rate that is reached, above 0 and at most 1.

    Raises:
        ConfigError: If the utilisation is out of range.
    """

    def __init__(self, variants: Sequence[Variant], plan: Plan, device: Device, utilisation: float) -> None:
        self.device = device
        self.utilisation = check_utilisation(utilisation)
        self.parallel = variants[0].config.parallel
        self._workloads = _workloads_by_data(variants, plan)
        self.unknown: set[str] = set()
        """Backbones of unknown shape, collected while stages are priced."""
        self._plan = plan
        self._shapes: dict[BackboneRef, BackboneShape | None] = {}
        self._prices: dict[Hashable, Price | None] = {}
        self._sizes: dict[Hashable, AttachmentShape] = {}
        self._sizes_by_run: dict[str, AttachmentShape | None] = {}

    @property
    def assumed(self) -> set[str]:
        """Tasks whose number of examples is a guess, collected while stages are priced."""
        return set().union(*(workloads.assumed for workloads, _ in self._workloads))

    @property
    def uncounted(self) -> set[str]:
        """Tasks whose files are there but too large to count, collected while stages are priced."""
        return set().union(*(workloads.uncounted for workloads, _ in self._workloads))

    def price(self, stage: Stage) -> Price | None:
        """Estimate the cost of a stage of the plan; None if the backbone's shape is unknown."""
        training = job_of(stage, TrainJob)
        if training is not None:
            workloads, attached = self._workloads_of(stage), self._attached(training)
            same_price: Hashable = (id(workloads), *_TRAINING_FIELDS(training), len(training.sources), attached)
            return self._cached(same_price, lambda: self._training(training, attached, workloads))
        prediction = job_of(stage, PredictJob)
        if prediction is not None:
            workloads, attached = self._workloads_of(stage), self._attached_in_prediction(prediction)
            same_price = (id(workloads), *_PREDICTION_FIELDS(prediction), len(prediction.sources), attached)
            return self._cached(same_price, lambda: self._prediction(prediction, attached, workloads))
        return FREE

    def memory_on(
        self, stage: Stage, device: Device, processes: int | None = None, **settings: object
    ) -> Memory | None:
        """Estimate the peak memory of a training stage under changed settings.

        Args:
            processes: Number of processes; None for that of the study.
            settings: Training settings to change, by field.

        Returns:
            The peak; None for other stages, and if the backbone's shape is unknown.
        """
        job = job_of(stage, TrainJob)
        shape = None if job is None else self.shape(job.backbone)
        if job is None or shape is None:
            return None
        changed = replace(job, settings=replace(job.settings, **settings))  # type: ignore[arg-type]
        workloads = self._workloads_of(stage)
        build = _build(changed, self._attached(job), workloads)
        return self._peak(changed, shape, build, workloads, device, processes or self.parallel.processes)

    def shape(self, backbone: BackboneRef) -> BackboneShape | None:
        """Look up the shape of a backbone; None if it is unknown."""
        if backbone not in self._shapes:
            self._shapes[backbone] = shape_of(backbone)
            if self._shapes[backbone] is None:
                self.unknown.add(backbone.location)
        return self._shapes[backbone]

    def _workloads_of(self, stage: Stage) -> Workloads:
        return next((workloads for workloads, keys in self._workloads if stage.key in keys), self._workloads[0][0])

    def _attached(self, job: TrainJob) -> AttachmentShape | None:
        """Compute the sizes of a training run's attachments; None for full models and unknown backbones."""
        method, shape = METHODS[job.method], self.shape(job.backbone)
        if method.attachment is None or shape is None:
            return None
        section, width = job.new_attachment, shape.width
        size_key = (job.method, section, job.sources, width)
        if size_key not in self._sizes:
            below = self._source_shapes(job.sources)
            is_same = method.use == "start" and bool(below)
            self._sizes[size_key] = below[0] if is_same else method.attachment.shape(section, width, below)
        return self._sizes[size_key]

    def _attached_in_prediction(self, job: PredictJob) -> AttachmentShape | None:
        """Compute the sizes of a prediction's attachments: its training run's, or else its intermediate runs'."""
        if job.trained is not None:
            return self._attached_by_run(job.trained)
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        below = self._source_shapes(job.sources)
        return ADAPTER_AVERAGE.shape(None, shape.width, below) if job.average else next(iter(below), None)

    def _source_shapes(self, sources: tuple[Source, ...]) -> list[AttachmentShape]:
        """Compute the sizes of the attachments that a stage's intermediate runs have trained."""
        found = [self._attached_by_run(source.key) for source in sources]
        return [each for each in found if each is not None]

    def _attached_by_run(self, key: str) -> AttachmentShape | None:
        """Compute the sizes of the attachments that a training stage trains; the same run serves many predictions."""
        if key not in self._sizes_by_run:
            run = job_of(self._plan.stage(key), TrainJob)
            self._sizes_by_run[key] = None if run is None else self._attached(run)
        return self._sizes_by_run[key]

    def _cached(self, same_price: Hashable, make: Callable[[], Price | None]) -> Price | None:
        if same_price not in self._prices:
            self._prices[same_price] = make()
        return self._prices[same_price]

    def _training(self, job: TrainJob, attached: AttachmentShape | None, workloads: Workloads) -> Price | None:
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        build, workload = _build(job, attached, workloads), workloads.training(job)
        processes = self.parallel.processes
        batch = _micro_batch(job, workloads, processes)
        one = sequence_flops(shape, build, workload.tokens, batch=batch)
        step = one.step + (one.forward if job.settings.gradient_checkpointing else 0.0)
        flops = workload.sequences * step + workload.dev_sequences * one.forward
        return Price(
            flops=flops,
            seconds=flops / (self.device.rate(job.settings.precision) * self.utilisation),
            tokens=workload.sequences * workload.tokens,
            trained=parameters(shape, build).trained,
            written=written_bytes(shape, build),
            memory=self._peak(job, shape, build, workloads, self.device, processes),
        )

    def _peak(
        self, job: TrainJob, shape: BackboneShape, build: Build, workloads: Workloads, device: Device, processes: int
    ) -> Memory:
        """Estimate the peak of one process, or of all together if they share the memory of a CPU."""
        settings = job.settings
        found = training_memory(
            shape,
            build,
            device.arithmetic(settings.precision),
            sequences=_micro_batch(job, workloads, processes),
            tokens=settings.max_length,
            checkpointing=settings.gradient_checkpointing,
            shards=processes if self.parallel.backbone == "sharded" else 1,
        )
        return found.times(processes) if device.name == "cpu" else found

    def _prediction(self, job: PredictJob, attached: AttachmentShape | None, workloads: Workloads) -> Price | None:
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        task, blocks = get_task(job.task), _blocks(job, shape)
        build = Build("nothing", attached, None if job.retrieval is not None else task.kind, workloads.outputs(task))
        parts = [workloads.prediction(job, code, split) for code, split in job.languages]
        written = sum(_PREDICTION_BYTES[task.kind](workload, build.outputs) for workload in parts)
        if task.pool is not None:
            parts.append(workloads.pool(job))
        flops = sum(
            workload.sequences
            * sequence_flops(
                shape, build, workload.tokens, blocks, batch=job.batch_tokens / max(workload.tokens, 1.0)
            ).forward
            for workload in parts
        )
        return Price(
            flops=flops,
            seconds=flops / (self.device.rate(job.precision) * self.utilisation),
            tokens=sum(workload.sequences * workload.tokens for workload in parts),
            written=written,
            memory=prediction_memory(
                shape, build, self.device.arithmetic(job.precision), batch_tokens=job.batch_tokens
            ),
        )


def _build(job: TrainJob, attached: AttachmentShape | None, workloads: Workloads) -> Build:
    """Describe the network of a training run, apart from its backbone."""
    task = get_task(job.task)
    trained: Trained = "encoder" if METHODS[job.method].attachment is None else "attachment"
    return Build(trained, attached, task.kind, workloads.outputs(task))


def _workloads_by_data(variants: Sequence[Variant], plan: Plan) -> list[tuple[Workloads, Collection[str]]]:
    """Create the workloads of each data set-up in a study, with the keys of the stages that read it."""
    parts = parts_by_data(variants, plan)
    made = [Workloads(first.config, [stage.job for stage in part.stages]) for first, part in parts]
    if len(parts) == 1:
        return [(made[0], ())]
    return [(workloads, {stage.key for stage in part.stages}) for workloads, (_, part) in zip(made, parts, strict=True)]


def _micro_batch(job: TrainJob, workloads: Workloads, processes: int) -> int:
    """Return the number of sequences that one process takes at a time."""
    task = get_task(job.task)
    parts = micro_batch_count(task.kind, job.settings.accumulation, processes)
    return math.ceil(job.settings.batch_size / parts) * workloads.rows_per_example(task)


def _blocks(job: PredictJob, shape: BackboneShape) -> int | None:
    """Return how many blocks a prediction runs: up to the layer that retrieval reads; None for all."""
    settings = job.retrieval
    if settings is None or settings.sweep or settings.layer == FITTED:
        return None
    return min(shape.layers, layer_at(int(settings.layer), shape.layers, settings.blocks))


def _bytes_of_classes(workload: Workload, outputs: int) -> float:
    return workload.sequences * (4 * max(1, outputs) + 3)


def _bytes_of_tags(workload: Workload, outputs: int) -> float:
    return workload.sequences * workload.tokens * _WORDS_PER_TOKEN * (4 * outputs + 8)


def _bytes_of_answers(workload: Workload, _: int) -> float:
    return workload.examples * _SPAN_BYTES


def _bytes_of_neighbours(workload: Workload, _: int) -> float:
    return workload.examples * _NEIGHBOUR_BYTES


_PREDICTION_BYTES: dict[Kind, Callable[[Workload, int], float]] = {
    Kind.CLASSIFY: _bytes_of_classes,
    Kind.CHOOSE: _bytes_of_classes,
    Kind.TAG: _bytes_of_tags,
    Kind.EXTRACT: _bytes_of_answers,
    Kind.RETRIEVE: _bytes_of_neighbours,
    Kind.MATCH: _bytes_of_neighbours,
}
"""Functions that estimate, for each kind, the bytes of one language's predictions and raw scores, uncompressed, from
the workload and the number of classes or tags."""
