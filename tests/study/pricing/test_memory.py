"""Bytes and memory by formula, against what real networks write and keep."""

import pytest
from networks import METHOD_NAMES, build_of, network_of, save_adapters, save_encoder, saved_bytes

from adaptstilts.models.bottlenecks import BottleneckShape, FusionShape
from adaptstilts.models.heads import save_head
from adaptstilts.models.network import save_encoder as write_encoder
from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.pricing.dimensions import KNOWN
from adaptstilts.study.pricing.flops import Build
from adaptstilts.study.pricing.memory import prediction_memory, training_memory, written_bytes
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.methods import METHODS

SHAPE = BackboneShape(3, 192, 768, 4, 300, 130)
LARGE = KNOWN["FacebookAI/xlm-roberta-large"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("encoder"), SHAPE)


@pytest.fixture(scope="module")
def sources(folder, tmp_path_factory):
    return save_adapters(folder, tmp_path_factory.mktemp("adapters"))


def write(network, method, folder):
    """Write what a training stage writes."""
    kind = METHODS[method].attachment
    if kind is None:
        write_encoder(network, folder / "encoder")
        save_head(network.head, "mnli", folder / "head", network.encoder.config)
    else:
        kind.save(network.attached, kind.name("mnli"), folder, network.head, choices=2)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("head", [Kind.CLASSIFY, Kind.TAG, Kind.EXTRACT, Kind.CHOOSE])
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_bytes_of_an_artefact_are_known_before_it_is_written(folder, sources, tmp_path, method, head):
    network = network_of(method, folder, sources, head)
    written = write(network, method, tmp_path / "artefact")
    assert written_bytes(SHAPE, build_of(method, SHAPE, head)) == pytest.approx(written, rel=0.02)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_activations_in_single_precision_are_about_what_autograd_keeps(folder, sources, method):
    network = network_of(method, folder, sources, Kind.EXTRACT)
    build = build_of(method, SHAPE, Kind.EXTRACT)
    memory = training_memory(SHAPE, build, "fp32", sequences=2, tokens=128)
    assert memory.activations == pytest.approx(saved_bytes(network, Kind.EXTRACT, 128), rel=0.3)


def test_xlm_r_large_holds_what_was_counted_before():
    full = training_memory(LARGE, Build("encoder"), "fp32", sequences=0, tokens=1)
    held = full.weights + full.gradients + full.optimizer
    assert held == pytest.approx(16 * LARGE.parameters)  # 8.96 GB with its pooler
    per_token = training_memory(LARGE, Build("encoder"), "bf16", sequences=1, tokens=1).activations / LARGE.layers
    assert per_token == pytest.approx(37_000, rel=0.02)
    adapter = Build("attachment", BottleneckShape("seq_bn", 64))
    per_token = training_memory(LARGE, adapter, "bf16", sequences=1, tokens=1).activations / LARGE.layers
    assert per_token == pytest.approx(23_000, rel=0.03)
    fused = Build("attachment", FusionShape("dynamic", BottleneckShape("seq_bn", 64), 9))
    both = [training_memory(LARGE, build, "bf16", sequences=1, tokens=4096).activations for build in (adapter, fused)]
    assert both[1] - both[0] == pytest.approx(5.4e9, rel=0.02)


def test_checkpointing_keeps_one_vector_a_block():
    build = Build("encoder")
    usual, less = (
        training_memory(LARGE, build, "bf16", sequences=8, tokens=128, checkpointing=on).activations
        for on in (False, True)
    )
    assert less < usual / 8
    assert less > 2 * 8 * 128 * LARGE.layers * LARGE.width


def test_frozen_weights_are_spread_over_processes_and_what_trains_is_not():
    build = Build("attachment", BottleneckShape("seq_bn", 64))
    alone, shared = (
        training_memory(LARGE, build, "fp32", sequences=64, tokens=128, shards=shards) for shards in (1, 4)
    )
    assert alone.weights - shared.weights == pytest.approx(4 * 3 / 4 * LARGE.parameters, rel=1e-6)
    assert (shared.gradients, shared.optimizer, shared.activations) == (
        alone.gradients, alone.optimizer, alone.activations,
    )  # fmt: skip
    tiny = training_memory(LARGE, build, "fp32", sequences=1, tokens=1, shards=4)
    assert tiny.activations == pytest.approx(4 * LARGE.vocabulary * LARGE.width)
    assert training_memory(LARGE, Build("encoder"), "fp32", sequences=1, tokens=1, shards=4) == training_memory(
        LARGE, Build("encoder"), "fp32", sequences=1, tokens=1
    )


def test_prediction_takes_the_weights_and_little_more():
    memory = prediction_memory(LARGE, Build("nothing", head=Kind.EXTRACT), "bf16", batch_tokens=8192)
    assert memory.weights == pytest.approx(4 * LARGE.parameters, rel=0.001)
    assert memory.gradients == memory.optimizer == 0
    assert memory.activations < 0.2 * memory.weights
