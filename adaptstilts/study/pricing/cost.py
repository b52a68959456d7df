"""What the stages of a plan cost: operations, time on a device, parameters, bytes, memory. Free of torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

from adaptstilts.config.retrieval import FITTED, layer_at
from adaptstilts.config.sweep import Variant
from adaptstilts.models.architecture import BackboneShape
from adaptstilts.models.attachments import AttachmentShape
from adaptstilts.models.bottlenecks import AVERAGE
from adaptstilts.store.stage import Stage
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, Source, TrainJob, job_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.variants import parts_by_data
from adaptstilts.study.pricing.devices import Device, check_utilisation
from adaptstilts.study.pricing.dimensions import shape_of
from adaptstilts.study.pricing.flops import Build, Trained, parameters, sequence_flops
from adaptstilts.study.pricing.memory import Memory, prediction_memory, training_memory, written_bytes
from adaptstilts.study.pricing.workload import Volume, Volumes
from adaptstilts.tasks.kinds import micro_batch_count
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.methods import METHODS

_SPAN_BYTES = 300
"""A question's answers as they are kept: twenty spans with scores."""
_NEIGHBOUR_BYTES = 100
_WORDS_PER_TOKEN = 0.7


@dataclass(frozen=True)
class Price:
    """What one stage costs.

    Attributes:
        flops: Operations, a multiply-add being two.
        seconds: Time on the device at the given share of its peak rate.
        tokens: Sub-tokens that pass the network, dev scoring not included.
        trained: Parameters that train.
        written: Bytes of the artefact, about.
        memory: Peak on the device, or on each of several; None where no network is run.
    """

    flops: float = 0.0
    seconds: float = 0.0
    tokens: float = 0.0
    trained: int = 0
    written: float = 0.0
    memory: Memory | None = None


FREE = Price()
"""Of stages that run no network."""


def total(priced: Iterable[tuple[Price, int]]) -> Price:
    """Add up prices; of memory the largest is taken.

    Args:
        priced: Prices, with how often each is paid.
    """
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


def _fields_but(job: type, *left_out: str) -> Callable[[object], tuple[Hashable, ...]]:
    return attrgetter(*(field.name for field in fields(job) if field.name not in left_out))


_OF_TRAINING = _fields_but(TrainJob, "seed", "data", "sources", "after")
_OF_PREDICTION = _fields_but(PredictJob, "data", "sources", "trained")
"""What of a job decides its price: all that is not left out here by name, so that no new field can be forgotten."""


class Pricing:
    """Prices of a plan's stages on one device.

    Stages that differ only in names, seeds and keys share a price, so that thousands of them are priced in no time.

    Args:
        variants: All variants of the study.
        plan: Its plan.
        device: Where it would run.
        utilisation: Share of the device's peak rate that is reached.

    Raises:
        ConfigError: If the utilisation is not above 0 and at most 1.
    """

    def __init__(self, variants: Sequence[Variant], plan: Plan, device: Device, utilisation: float) -> None:
        self.device = device
        self.utilisation = check_utilisation(utilisation)
        self.parallel = variants[0].config.parallel
        self._volumes = _volumes_by_data(variants, plan)
        self.unknown: set[str] = set()
        """Backbones whose shape is not known, found out on the way."""
        self._plan = plan
        self._shapes: dict[BackboneRef, BackboneShape | None] = {}
        self._prices: dict[Hashable, Price | None] = {}
        self._sizes: dict[Hashable, AttachmentShape] = {}

    @property
    def assumed(self) -> set[str]:
        """Tasks whose number of examples is a guess, found out on the way."""
        return set().union(*(volumes.assumed for volumes, _ in self._volumes))

    def price(self, stage: Stage) -> Price | None:
        """Return what a stage costs.

        Args:
            stage: A stage of the plan.

        Returns:
            Its price; None where the backbone's shape is not known.
        """
        training, prediction = job_of(stage, TrainJob), job_of(stage, PredictJob)
        volumes = self._volumes_of(stage)
        if training is not None:
            attached = self._attached(training)
            alike: Hashable = (id(volumes), *_OF_TRAINING(training), len(training.sources), attached)
            return self._known(alike, lambda: self._training(training, attached, volumes))
        if prediction is not None:
            attached = self._attached_in_prediction(prediction)
            alike = (id(volumes), *_OF_PREDICTION(prediction), len(prediction.sources), attached)
            return self._known(alike, lambda: self._prediction(prediction, attached, volumes))
        return FREE

    def memory_on(
        self, stage: Stage, device: Device, processes: int | None = None, **settings: object
    ) -> Memory | None:
        """Return the peak memory of a training stage under other settings.

        Args:
            stage: The stage.
            device: The device.
            processes: Processes that carry it out; None for those of the study.
            settings: Fields of its training settings.

        Returns:
            The peak; None for other stages and where the backbone's shape is not known.
        """
        job = job_of(stage, TrainJob)
        shape = None if job is None else self.shape(job.backbone)
        if job is None or shape is None:
            return None
        changed = replace(job, settings=replace(job.settings, **settings))  # type: ignore[arg-type]
        volumes = self._volumes_of(stage)
        build = _build(changed, self._attached(job), volumes)
        return self._peak(changed, shape, build, volumes, device, processes or self.parallel.processes)

    def shape(self, backbone: BackboneRef) -> BackboneShape | None:
        """Return the shape of a backbone, or None where it is not known."""
        if backbone not in self._shapes:
            self._shapes[backbone] = shape_of(backbone)
            if self._shapes[backbone] is None:
                self.unknown.add(backbone.location)
        return self._shapes[backbone]

    def _volumes_of(self, stage: Stage) -> Volumes:
        return next((volumes for volumes, keys in self._volumes if stage.key in keys), self._volumes[0][0])

    def _attached(self, job: TrainJob) -> AttachmentShape | None:
        """Return the sizes of all that a run attaches to its backbone; None for full models and unknown backbones."""
        method, shape = METHODS[job.method], self.shape(job.backbone)
        if method.attachment is None or shape is None:
            return None
        section, width = job.fusion or job.adapter, shape.width
        known = (job.method, section, job.sources, width)
        if known not in self._sizes:
            below = self._below(job.sources)
            is_same = method.use == "start" and bool(below)
            self._sizes[known] = below[0] if is_same else method.attachment.shape(section, width, below)
        return self._sizes[known]

    def _attached_in_prediction(self, job: PredictJob) -> AttachmentShape | None:
        """Return the same of a prediction: what its run has trained, or else the intermediate runs."""
        trained = None if job.trained is None else job_of(self._plan.stage(job.trained), TrainJob)
        if trained is not None:
            return self._attached(trained)
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        below = self._below(job.sources)
        return AVERAGE.shape(None, shape.width, below) if job.average else next(iter(below), None)

    def _below(self, sources: tuple[Source, ...]) -> list[AttachmentShape]:
        """Return the sizes of what the runs that a stage builds on have trained."""
        runs = [job_of(self._plan.stage(source.key), TrainJob) for source in sources]
        found = [self._attached(run) for run in runs if run is not None]
        return [each for each in found if each is not None]

    def _known(self, alike: Hashable, make: Callable[[], Price | None]) -> Price | None:
        if alike not in self._prices:
            self._prices[alike] = make()
        return self._prices[alike]

    def _training(self, job: TrainJob, attached: AttachmentShape | None, volumes: Volumes) -> Price | None:
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        build, volume = _build(job, attached, volumes), volumes.training(job)
        one = sequence_flops(shape, build, volume.tokens)
        step = one.step + (one.forward if job.settings.gradient_checkpointing else 0.0)
        flops = volume.sequences * step + volume.dev_sequences * one.forward
        return Price(
            flops=flops,
            seconds=flops / (self.device.rate(job.settings.precision) * self.utilisation),
            tokens=volume.sequences * volume.tokens,
            trained=parameters(shape, build).trained,
            written=written_bytes(shape, build),
            memory=self._peak(job, shape, build, volumes, self.device, self.parallel.processes),
        )

    def _peak(
        self, job: TrainJob, shape: BackboneShape, build: Build, volumes: Volumes, device: Device, processes: int
    ) -> Memory:
        """Return the peak of one process; of all together where they share the memory of a CPU."""
        settings, task = job.settings, get_task(job.task)
        parts = micro_batch_count(task.kind, settings.accumulation, processes)
        found = training_memory(
            shape,
            build,
            device.arithmetic(settings.precision),
            sequences=math.ceil(settings.batch_size / parts) * volumes.rows_per_example(task),
            tokens=settings.max_length,
            checkpointing=settings.gradient_checkpointing,
            shards=processes if self.parallel.backbone == "sharded" else 1,
        )
        return found.times(processes) if device.name == "cpu" else found

    def _prediction(self, job: PredictJob, attached: AttachmentShape | None, volumes: Volumes) -> Price | None:
        shape = self.shape(job.backbone)
        if shape is None:
            return None
        task, blocks = get_task(job.task), _blocks(job, shape)
        build = Build("nothing", attached, None if job.retrieval is not None else task.kind, volumes.outputs(task))
        parts = [volumes.prediction(job, code, split) for code, split in job.languages]
        written = sum(_raw_bytes(volume, build, shape) for volume in parts)
        if task.pool is not None:
            parts.append(volumes.pool(job))
        flops = sum(volume.sequences * sequence_flops(shape, build, volume.tokens, blocks).forward for volume in parts)
        return Price(
            flops=flops,
            seconds=flops / (self.device.rate(job.precision) * self.utilisation),
            tokens=sum(volume.sequences * volume.tokens for volume in parts),
            written=written,
            memory=prediction_memory(
                shape, build, self.device.arithmetic(job.precision), batch_tokens=job.batch_tokens
            ),
        )


def _build(job: TrainJob, attached: AttachmentShape | None, volumes: Volumes) -> Build:
    """Return what a training network is made of beside its backbone."""
    task = get_task(job.task)
    trained: Trained = "encoder" if METHODS[job.method].attachment is None else "attachment"
    return Build(trained, attached, task.kind, volumes.outputs(task))


def _volumes_by_data(variants: Sequence[Variant], plan: Plan) -> list[tuple[Volumes, Collection[str]]]:
    """Return the volumes of each different data that a study reads, with the keys of the stages that read it."""
    parts = parts_by_data(variants, plan)
    if len(parts) == 1:
        return [(Volumes(variants[0].config), ())]
    return [(Volumes(first.config), {stage.key for stage in part.stages}) for first, part in parts]


def _blocks(job: PredictJob, shape: BackboneShape) -> int | None:
    """Blocks that are run: all, or those below the layer that retrieval reads."""
    settings = job.retrieval
    if settings is None or settings.sweep or settings.layer == FITTED:
        return None
    return min(shape.layers, layer_at(int(settings.layer), shape.layers, settings.blocks))


def _raw_bytes(volume: Volume, build: Build, shape: BackboneShape) -> float:
    """Bytes of a language's predictions and raw scores, not compressed."""
    if build.head is Kind.TAG:
        return volume.sequences * volume.tokens * _WORDS_PER_TOKEN * (4 * build.outputs + 8)
    if build.head is Kind.EXTRACT:
        return volume.examples * _SPAN_BYTES
    if build.head in {Kind.CLASSIFY, Kind.CHOOSE}:
        return volume.sequences * (4 * max(1, build.outputs) + 3)
    return volume.examples * _NEIGHBOUR_BYTES
