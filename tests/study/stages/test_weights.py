"""The parts of every method's network: loaded from which artefact or new, frozen or trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from adaptstilts.config.recipes import Recipe
from adaptstilts.config.retrieval import RetrievalSettings
from adaptstilts.config.schema import AdapterSection, FusionSection, MethodName
from adaptstilts.models.attachments import NewAttachment
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.bottlenecks import ADAPTER
from adaptstilts.models.heads import new_head, save_head, spec_for
from adaptstilts.models.network import Assembly, TaskNetwork, assemble, save_encoder, trainable_names
from adaptstilts.runtime import derive_seed
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, Source, TrainJob
from adaptstilts.study.stages.weights import prediction_assembly, training_assembly
from adaptstilts.tasks.spec import Kind, Split
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network

ADAPTER_SETTINGS, FUSION_SETTINGS = AdapterSection(reduction_factor=4), FusionSection(kind="static")
HEAD = spec_for(Kind.CLASSIFY, ("a", "b"))
RETRIEVAL = RetrievalSettings(2, None, "mean", "cosine", "none", None, None, None, None, 32)
BACKBONE = "backbone"
NEW, NEW_IDENTITY, NEW_FUSION = "new adapter", "new identity adapter", "new fusion"
SOURCES = {"none": (), "start": ("mnli",), "below": ("mnli",), "fused": ("mnli", "qqp")}

# (folder of the encoder, attachments bottom first with their origins, folder of the head or None for a new one)
TRAINING = {
    "direct": (BACKBONE, [], None),
    "full": ("mnli/encoder", [], None),
    "adapter": (BACKBONE, [("target_xnli", NEW)], None),
    "stack": (BACKBONE, [("mnli", "mnli/adapter"), ("target_xnli", NEW_IDENTITY)], None),
    "continue": (BACKBONE, [("target_xnli", "mnli/adapter")], None),
    "fuse": (BACKBONE, [("mnli", "mnli/adapter"), ("qqp", "qqp/adapter"), ("fusion_xnli", NEW_FUSION)], None),
}
AFTER_ANOTHER_RUN = {
    "direct": ("siqa/encoder", [], "siqa/head"),
    "full": ("siqa/encoder", [], "siqa/head"),
    "adapter": (BACKBONE, [("target_xnli", "siqa/adapter")], "siqa/adapter"),
    "stack": (BACKBONE, [("mnli", "mnli/adapter"), ("target_xnli", "siqa/adapter")], "siqa/adapter"),
    "continue": (BACKBONE, [("target_xnli", "siqa/adapter")], "siqa/adapter"),
    "fuse": (
        BACKBONE,
        [("mnli", "mnli/adapter"), ("qqp", "qqp/adapter"), ("fusion_xnli", "siqa/fusion")],
        "siqa/fusion",
    ),
}
PREDICTION = {
    "direct": ("run/encoder", [], "run/head"),
    "full": ("run/encoder", [], "run/head"),
    "adapter": (BACKBONE, [("target_xnli", "run/adapter")], "run/adapter"),
    "stack": (BACKBONE, [("mnli", "mnli/adapter"), ("target_xnli", "run/adapter")], "run/adapter"),
    "continue": (BACKBONE, [("target_xnli", "run/adapter")], "run/adapter"),
    "fuse": (
        BACKBONE,
        [("mnli", "mnli/adapter"), ("qqp", "qqp/adapter"), ("fusion_xnli", "run/fusion")],
        "run/fusion",
    ),
}
UNTRAINED_PREDICTION = {
    "direct": (BACKBONE, [], None),
    "full": ("mnli/encoder", [], None),
    "adapter": (BACKBONE, [], None),
    "stack": (BACKBONE, [("mnli", "mnli/adapter")], None),
    "continue": (BACKBONE, [("mnli", "mnli/adapter")], None),
    "fuse": (BACKBONE, [("mnli", "mnli/adapter"), ("qqp", "qqp/adapter"), ("fusion_average", "average")], None),
}
TRAINED = {
    "direct": "encoder",
    "full": "encoder",
    "adapter": "target_xnli",
    "stack": "target_xnli",
    "continue": "target_xnli",
    "fuse": "fusion_xnli",
}

every_method = pytest.mark.parametrize("method", get_args(MethodName))


@dataclass(frozen=True)
class FolderInputs:
    """Artefacts in the folders of a root, each named by its key."""

    root: Path

    def artefact(self, key: str) -> FolderInputs:
        return FolderInputs(self.root / key)

    def file(self, name: str) -> Path:
        return self.root / name


@pytest.fixture(scope="module")
def artefacts(tiny_encoder_folder, tmp_path_factory):
    """What intermediate runs on two tasks leave: of each an adapter, of MNLI a full model too."""
    root = tmp_path_factory.mktemp("artefacts")
    (root / BACKBONE).symlink_to(tiny_encoder_folder)
    encoder = load_encoder(str(tiny_encoder_folder))
    head = new_head(HEAD, encoder.config.hidden_size, 0.1, seed=1)
    save_encoder(TaskNetwork(encoder, head, None), root / "mnli" / "encoder")
    save_head(head, "mnli", root / "mnli" / "head", encoder.config)
    for seed, task in enumerate(("mnli", "qqp")):
        host = ADAPTER.host(load_encoder(str(tiny_encoder_folder)))
        ADAPTER.add(host, f"target_{task}", NewAttachment(ADAPTER_SETTINGS, seed), ())
        ADAPTER.save(host, f"target_{task}", root / task / "adapter", head, choices=2)
    return root


def sources_of(method):
    return tuple(Source(task, task) for task in SOURCES[METHODS[method].use])


def training_job(method, root, *, after=None, reuse_head=False):
    use = METHODS[method].use
    makes_adapter = METHODS[method].attachment is not None and use in {"none", "below"}
    return TrainJob(
        method=method,
        task="xnli",
        settings=Recipe().settings("target", METHODS[method].family),
        seed=7,
        backbone=BackboneRef(str(root / BACKBONE), "main", "f"),
        sources=sources_of(method),
        reuse_head=reuse_head,
        adapter=ADAPTER_SETTINGS if makes_adapter else None,
        fusion=FUSION_SETTINGS if use == "fused" else None,
        data=(),
        max_train=None,
        hold_out=False,
        after=None if after is None else Source(after, after),
    )


def prediction_job(method, root, *, trained=None, trained_task=None, retrieval=None, average=False):
    is_below = METHODS[method].use in {"below", "fused"} or trained is None
    return PredictJob(
        method=method,
        task="tatoeba" if retrieval else "xnli",
        languages=(("de", Split.TEST),),
        trained=trained,
        trained_task=trained_task,
        sources=sources_of(method) if is_below else (),
        average=average,
        backbone=BackboneRef(str(root / BACKBONE), "main", "f"),
        retrieval=retrieval,
        data=(),
        max_evaluation=None,
        max_length=32,
        doc_stride=16,
        max_query_length=16,
        precision="fp32",
        batch_tokens=64,
    )


def parts_of(assembly: Assembly, root: Path):
    """Describe an assembly in the form of the tables above."""

    def place(folder):
        return Path(folder).relative_to(root).as_posix()

    def origin(entry):
        if isinstance(entry.origin, Path):
            return place(entry.origin)
        if entry.origin.section is None:
            return "average"
        if entry.origin.section is FUSION_SETTINGS:
            return NEW_FUSION
        assert entry.origin.section is ADAPTER_SETTINGS
        return NEW_IDENTITY if entry.origin.identity else NEW

    attached = [(entry.name, origin(entry)) for entry in assembly.attached]
    return place(assembly.encoder), attached, None if assembly.head is None else place(assembly.head)


def test_tables_name_every_method():
    for table in (TRAINING, AFTER_ANOTHER_RUN, PREDICTION, UNTRAINED_PREDICTION, TRAINED):
        assert set(table) == set(get_args(MethodName))


@every_method
def test_training_starts_from_the_intermediate_artefacts_that_the_method_uses(method, tmp_path):
    assembly = training_assembly(training_job(method, tmp_path), FolderInputs(tmp_path))
    assert parts_of(assembly, tmp_path) == TRAINING[method]
    assert assembly.revision == ("main" if assembly.encoder == str(tmp_path / BACKBONE) else None)


@every_method
def test_training_after_another_run_continues_what_that_run_trained_with_its_head(method, tmp_path):
    job = training_job(method, tmp_path, after="siqa")
    assert parts_of(training_assembly(job, FolderInputs(tmp_path)), tmp_path) == AFTER_ANOTHER_RUN[method]


@every_method
def test_prediction_loads_what_the_run_trained_over_what_it_left_frozen(method, tmp_path):
    job = prediction_job(method, tmp_path, trained="run", trained_task="xnli")
    assert parts_of(prediction_assembly(job, FolderInputs(tmp_path)), tmp_path) == PREDICTION[method]


@every_method
def test_prediction_without_target_training_uses_the_intermediate_weights_without_a_head(method, tmp_path):
    job = prediction_job(method, tmp_path, retrieval=RETRIEVAL, average=method == "fuse")
    assert parts_of(prediction_assembly(job, FolderInputs(tmp_path)), tmp_path) == UNTRAINED_PREDICTION[method]


def test_full_model_takes_the_intermediate_head_only_if_the_job_reuses_it(tmp_path):
    job = training_job("full", tmp_path, reuse_head=True)
    assert parts_of(training_assembly(job, FolderInputs(tmp_path)), tmp_path) == ("mnli/encoder", [], "mnli/head")


def test_retrieval_uses_a_fusion_trained_on_another_task_without_its_head(tmp_path):
    job = prediction_job("fuse", tmp_path, trained="run", trained_task="mnli", retrieval=RETRIEVAL)
    expected = [("mnli", "mnli/adapter"), ("qqp", "qqp/adapter"), ("fusion_mnli", "run/fusion")]
    assert parts_of(prediction_assembly(job, FolderInputs(tmp_path)), tmp_path) == (BACKBONE, expected, None)


@pytest.mark.parametrize("method", ["adapter", "stack", "fuse"])
def test_seed_of_a_new_attachment_depends_on_its_kind_and_task(method, tmp_path):
    new = training_assembly(training_job(method, tmp_path), FolderInputs(tmp_path)).attached[-1].origin
    assert isinstance(new, NewAttachment)
    assert new.seed == derive_seed(7, "fusion" if method == "fuse" else "adapter", "xnli")


@every_method
def test_network_trains_the_part_named_after_the_task_and_the_head_and_nothing_else(method, artefacts):
    assembly = training_assembly(training_job(method, artefacts), FolderInputs(artefacts))
    network = build_network(METHODS[method], assembly, task="xnli", head=HEAD, seed=7)
    names = trainable_names(network)
    assert {name for name in names if name.startswith("head.")}
    body = {name for name in names if not name.startswith("head.")}
    assert body
    if TRAINED[method] == "encoder":
        assert body == {name for name, _ in network.named_parameters() if name.startswith("encoder.")}
    else:
        assert all(f".{TRAINED[method]}." in name for name in body)


@every_method
def test_network_of_a_prediction_is_frozen(method, artefacts):
    job = prediction_job(method, artefacts, retrieval=RETRIEVAL, average=method == "fuse")
    network = assemble(prediction_assembly(job, FolderInputs(artefacts)))
    assert not trainable_names(network)
    assert not network.training
