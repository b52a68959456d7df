"""Which weights a network is put together from, for training and for prediction."""

from __future__ import annotations

from adaptstilts.models.network import Assembly
from adaptstilts.study.layout import ADAPTER_FOLDER, ENCODER_FOLDER, FUSION_FOLDER, HEAD_FOLDER
from adaptstilts.study.plan.jobs import PredictJob, TrainJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.train.methods import METHODS, fusion_name, target_adapter
from adaptstilts.train.setup import StartingPoint


def starting_point(job: TrainJob, inputs: Inputs) -> StartingPoint:
    """Return where a job's weights come from: the backbone, its intermediate runs, and an earlier run that goes on."""
    method = METHODS[job.method]
    earlier = inputs.artefact(job.after.key) if job.after is not None else None
    if method.family == "full" and earlier is not None:
        return StartingPoint(str(earlier.file(ENCODER_FOLDER)), head=earlier.file(HEAD_FOLDER))
    if method.use == "start" and method.family == "full":
        artefact = inputs.artefact(job.sources[0].key)
        head = artefact.file(HEAD_FOLDER) if job.reuse_head else None
        return StartingPoint(str(artefact.file(ENCODER_FOLDER)), head=head)
    sources = tuple((source.task, inputs.artefact(source.key).file(ADAPTER_FOLDER)) for source in job.sources)
    going_on = None
    if earlier is not None:
        going_on = earlier.file(FUSION_FOLDER if "fusion" in method.trains else ADAPTER_FOLDER)
    return StartingPoint(job.backbone.location, job.backbone.revision, sources, head=going_on, going_on=going_on)


_AVERAGE = "fusion_average"


def network_of(job: PredictJob, inputs: Inputs) -> Assembly:
    """Return the files a job's network is put together from."""
    method = METHODS[job.method]
    encoder, revision = job.backbone.location, job.backbone.revision
    trained = inputs.artefact(job.trained) if job.trained is not None else None
    if method.family == "full":
        source = trained or (inputs.artefact(job.sources[0].key) if job.sources else None)
        if source is None:
            return Assembly(encoder, revision)
        head = source.file(HEAD_FOLDER) if trained is not None else None
        return Assembly(str(source.file(ENCODER_FOLDER)), head=head)
    adapters = tuple((source.task, inputs.artefact(source.key).file(ADAPTER_FOLDER)) for source in job.sources)
    if trained is None or job.trained_task is None:
        return Assembly(encoder, revision, adapters, average=_AVERAGE if job.average else "")
    # A retrieval target borrows a fusion trained on another task, without that task's head.
    own_head = job.retrieval is None
    if method.use == "fused":
        fusion = trained.file(FUSION_FOLDER)
        name = fusion_name(job.trained_task)
        return Assembly(encoder, revision, adapters, fusion=(name, fusion), head=fusion if own_head else None)
    adapter = trained.file(ADAPTER_FOLDER)
    return Assembly(encoder, revision, (*adapters, (target_adapter(job.trained_task), adapter)), head=adapter)
