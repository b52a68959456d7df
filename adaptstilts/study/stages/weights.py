"""Assembly of a stage's network from the artefacts it builds on, for training and for prediction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adaptstilts.config.section import Section
from adaptstilts.errors import TrainingError
from adaptstilts.formatting import number_text
from adaptstilts.models.attachments import Attached, NewAttachment
from adaptstilts.models.bottlenecks import ADAPTER_AVERAGE
from adaptstilts.models.network import Assembly
from adaptstilts.runtime import derive_seed
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.layout import ENCODER_FOLDER, HEAD_FOLDER
from adaptstilts.study.plan.jobs import PredictJob, Source, TrainJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.train.methods import METHODS, Method

Sources = Sequence[tuple[str, Path]]
"""Intermediate tasks with the folders of the attachments trained on them, in order."""


def training_assembly(job: TrainJob, inputs: Inputs) -> Assembly:
    """Describe the network that a training run starts from: backbone, intermediate runs, and a run it continues."""
    method = METHODS[job.method]
    continued = inputs.artefact(job.after.key) if job.after is not None else None
    continue_from = None
    if method.attachment is None:
        if continued is not None:
            return _full_model(continued, with_head=True)
        if method.use == "start":
            return _full_model(inputs.artefact(job.sources[0].key), with_head=job.reuse_head)
    elif continued is not None:
        continue_from = continued.file(method.attachment.kind_name)
    return starting_assembly(
        method,
        job.task,
        job.backbone.location,
        revision=job.backbone.revision,
        sources=_folders(method, job.sources, inputs),
        continue_from=continue_from,
        head=continue_from,
        section=job.new_attachment,
        seed=job.seed,
    )


def prediction_assembly(job: PredictJob, inputs: Inputs) -> Assembly:
    """Describe the network of a prediction: that of a training run, or without one the network it would start from."""
    method, backbone = METHODS[job.method], job.backbone
    trained = inputs.artefact(job.trained) if job.trained is not None else None
    if method.attachment is None:
        source = trained or (inputs.artefact(job.sources[0].key) if job.sources else None)
        if source is None:
            return Assembly(backbone.location, backbone.revision)
        return _full_model(source, with_head=trained is not None)
    below = _frozen_sources(method, _folders(method, job.sources, inputs))
    if trained is not None and job.trained_task is not None:
        folder = trained.file(method.attachment.kind_name)
        attached = (*below, Attached(method.attachment, method.attachment.name(job.trained_task), folder))
        # Retrieval uses a fusion trained on another task, without that task's head.
        is_borrowed = method.use == "fused" and job.retrieval is not None
        return Assembly(backbone.location, backbone.revision, attached, None if is_borrowed else folder)
    if job.average:
        below = (*below, Attached(ADAPTER_AVERAGE, ADAPTER_AVERAGE.name("average"), NewAttachment(None)))
    return Assembly(backbone.location, backbone.revision, below)


def starting_assembly(  # noqa: PLR0913 - all possible origins of weights
    method: Method,
    task: str,
    encoder: str,
    *,
    revision: str | None = None,
    sources: Sources = (),
    continue_from: Path | None = None,
    head: Path | None = None,
    section: Section | None = None,
    seed: int = 0,
) -> Assembly:
    """Describe the network that a training run starts from, by the folders of its weights.

    Args:
        task: Training task; the attachment that trains is named after it.
        encoder: Folder or hub id of the encoder.
        revision: Revision of a hub encoder.
        sources: Attachments trained on intermediate tasks; empty for full models, which start from ``encoder``.
        continue_from: Folder of an attachment from an earlier run of the same method, to be trained further.
        head: Folder of a head to be trained further; None for a new one.
        section: Configuration section of a new attachment.
        seed: Seed of a new attachment's weights.

    Raises:
        TrainingError: If the method does not take this number of sources.
    """
    _check_sources(method, len(sources))
    if method.attachment is None:
        return Assembly(encoder, revision, head=head)
    origin: Path | NewAttachment = NewAttachment(
        section, derive_seed(seed, method.attachment.kind_name, task), method.identity
    )
    if method.use == "start":
        origin, sources = sources[0][1], ()
    trained = Attached(method.attachment, method.attachment.name(task), continue_from or origin)
    return Assembly(encoder, revision, (*_frozen_sources(method, sources), trained), head)


def _full_model(artefact: Artefact, *, with_head: bool) -> Assembly:
    head = artefact.file(HEAD_FOLDER) if with_head else None
    return Assembly(str(artefact.file(ENCODER_FOLDER)), head=head)


def _folders(method: Method, sources: Sequence[Source], inputs: Inputs) -> Sources:
    kind = method.source_attachment
    return [] if kind is None else [(each.task, inputs.artefact(each.key).file(kind.kind_name)) for each in sources]


def _frozen_sources(method: Method, sources: Sources) -> tuple[Attached, ...]:
    kind = method.source_attachment
    return () if kind is None else tuple(Attached(kind, name, folder) for name, folder in sources)


def _check_sources(method: Method, found: int) -> None:
    fits = {"none": found == 0, "start": found <= 1, "below": found == 1, "fused": found >= 1}[method.use]
    if method.use == "start" and method.attachment is not None:
        fits = found == 1
    if not fits:
        needed = {"none": "none", "start": "one", "below": "one", "fused": "one or more"}[method.use]
        raise TrainingError(
            f"method '{method.name}' cannot start from {number_text(found, 'intermediate adapter')}",
            hint=f"It takes {needed}.",
        )
