"""Formulas against what torch counts on real networks.

Torch's counter does not know the attention kernel that torch takes on a CPU, so the plain one is asked for.
"""

from itertools import product

import pytest
import torch
from networks import METHOD_NAMES, ROWS, batch_of, build_of, network_of, save_adapters, save_encoder
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import XLMRobertaModel

from adaptstilts.models.bottlenecks import BottleneckShape, FusionShape
from adaptstilts.models.network import TaskNetwork, parameter_counts
from adaptstilts.models.shape import BackboneShape
from adaptstilts.study.pricing.dimensions import KNOWN
from adaptstilts.study.pricing.flops import Build, parameters, sequence_flops
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import loss_sum

SHAPES = {"wide": BackboneShape(2, 96, 384, 4, 50, 130), "deep": BackboneShape(5, 48, 96, 3, 50, 130)}
LENGTHS = (8, 40, 128)
HEADS = {Kind.CLASSIFY: 3, Kind.CHOOSE: 1, Kind.TAG: 3, Kind.EXTRACT: 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: save_encoder(tmp_path_factory.mktemp(name), shape) for name, shape in SHAPES.items()}


@pytest.fixture(scope="module")
def sources(folders, tmp_path_factory):
    """Folders of random adapters by shape and kind."""
    return {
        (name, kind): save_adapters(folders[name], tmp_path_factory.mktemp("adapters"), kind)
        for name, kind in product(SHAPES, ("seq_bn", "double_seq_bn", "par_bn"))
    }


def counted(network, head, length, *, backward=True):
    """Forward and backward operations per sequence, by torch's counter."""
    batch = batch_of(head, length)
    network.train()
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            loss = loss_sum(head, batch.scores(network), batch.targets)
        if not backward:
            return forward.get_total_flops() / ROWS, 0.0
        with FlopCounterMode(display=False) as back:
            loss.backward()
    return forward.get_total_flops() / ROWS, back.get_total_flops() / ROWS


def assert_near(flops, found):
    assert (flops.forward, flops.backward) == (pytest.approx(found[0], rel=0.01), pytest.approx(found[1], rel=0.01))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("name", SHAPES)
def test_training_step_agrees_with_the_counter(folders, sources, name, method, length):
    network = network_of(method, folders[name], sources[name, "seq_bn"], Kind.CLASSIFY)
    flops = sequence_flops(SHAPES[name], build_of(method, SHAPES[name], Kind.CLASSIFY), length)
    assert_near(flops, counted(network, Kind.CLASSIFY, length))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("method", ["direct", "adapter", "fuse"])
def test_heads_agree_with_the_counter(folders, sources, method, head):
    network = network_of(method, folders["deep"], sources["deep", "seq_bn"], head)
    flops = sequence_flops(SHAPES["deep"], build_of(method, SHAPES["deep"], head), 40)
    assert_near(flops, counted(network, head, 40))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    ("method", "adapter", "fusion"),
    [
        *product(["adapter", "stack", "continue"], ["double_seq_bn"], ["dynamic"]),
        *product(["adapter", "continue"], ["par_bn"], ["dynamic"]),
        ("fuse", "seq_bn", "static"),
        ("fuse", "double_seq_bn", "dynamic"),
        ("fuse", "double_seq_bn", "static"),
    ],
)
def test_other_kinds_of_adapter_and_fusion_agree_with_the_counter(folders, sources, name, method, adapter, fusion):
    network = network_of(method, folders[name], sources[name, adapter], Kind.TAG, adapter=adapter, fusion=fusion)
    build = build_of(method, SHAPES[name], Kind.TAG, adapter=adapter, fusion=fusion)
    assert_near(sequence_flops(SHAPES[name], build, 40), counted(network, Kind.TAG, 40))
    assert (parameters(SHAPES[name], build).trained, parameters(SHAPES[name], build).total) == parameter_counts(network)


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_prediction_agrees_with_the_counter(folders, sources, method):
    network = network_of(method, folders["wide"], sources["wide", "seq_bn"], Kind.EXTRACT).requires_grad_(False)
    build = build_of(method, SHAPES["wide"], Kind.EXTRACT)
    with torch.no_grad():
        found = counted(network, Kind.EXTRACT, 40, backward=False)
    assert sequence_flops(SHAPES["wide"], build, 40).forward == pytest.approx(found[0], rel=0.01)


def test_vectors_of_a_lower_layer_agree_with_the_counter(folders):
    encoder = XLMRobertaModel.from_pretrained(folders["deep"], add_pooling_layer=False)
    batch = batch_of(Kind.CLASSIFY, 40)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        TaskNetwork(encoder, None, None).hidden(batch.input_ids, batch.attention_mask, 3)
    flops = sequence_flops(SHAPES["deep"], Build("nothing"), 40, blocks=3)
    assert flops.forward == pytest.approx(counter.get_total_flops() / ROWS, rel=0.01)
    assert flops.backward == 0


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_parameters_are_counted_exactly(folders, sources, method, head):
    network = network_of(method, folders["deep"], sources["deep", "seq_bn"], head)
    found = parameters(SHAPES["deep"], build_of(method, SHAPES["deep"], head))
    assert (found.trained, found.total) == parameter_counts(network)


def test_xlm_r_large_has_the_sizes_that_are_known():
    large = KNOWN["FacebookAI/xlm-roberta-large"]
    assert large.parameters == 559_890_432 - (1024 * 1024 + 1024)  # published figure, less its pooler
    assert parameters(large, Build("attachment", BottleneckShape("seq_bn", 64))).attached == 3_171_840
    assert parameters(large, Build("attachment", BottleneckShape("double_seq_bn", 64))).attached == 6_343_680
    for kind, count in (("dynamic", 75_546_624), ("static", 50_380_800)):
        fusion = FusionShape(kind, BottleneckShape("seq_bn", 64), 9)
        assert parameters(large, Build("attachment", fusion)).attached == count


def test_step_ratios_of_xlm_r_large_are_those_counted_before():
    large = KNOWN["FacebookAI/xlm-roberta-large"]
    full = sequence_flops(large, Build("encoder"), 40)
    assert full.forward / 40 == pytest.approx(604e6 + 3.9e6, rel=0.002)
    ratios = {
        0.665: Build("attachment", BottleneckShape("seq_bn", 64)),
        0.685: Build("attachment", BottleneckShape("double_seq_bn", 64)),
        2.29: Build("attachment", FusionShape("dynamic", BottleneckShape("seq_bn", 64), 9)),
    }
    for ratio, build in ratios.items():
        assert sequence_flops(large, build, 40).step / full.step == pytest.approx(ratio, rel=0.02)
