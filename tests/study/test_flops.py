"""Formulas against what torch counts on real networks.

Torch's counter does not know the attention kernel that torch takes on a CPU, so the plain one is asked for.
"""

from array import array
from itertools import product

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import XLMRobertaConfig, XLMRobertaModel

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.models.adapters import AdapterStack
from adaptstilts.models.heads import spec_for
from adaptstilts.models.network import TaskNetwork, parameter_counts
from adaptstilts.study.flops import Build, bottleneck_width, parameters, sequence_flops
from adaptstilts.study.shapes import BackboneShape
from adaptstilts.tasks.features import Feature
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import collate
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.methods import METHODS
from adaptstilts.train.phases import StartingPoint, prepare

SHAPES = {"wide": BackboneShape(2, 96, 384, 4, 50, 130), "deep": BackboneShape(5, 48, 96, 3, 50, 130)}
LENGTHS = (8, 40, 128)
TAGS = ("a", "b", "c")
FUSED = 3
ROWS = 2
METHOD_NAMES = ("direct", "full", "adapter", "stack", "continue", "fuse")
HEADS = {Kind.CLASSIFY: 3, Kind.CHOOSE: 1, Kind.TAG: 3, Kind.EXTRACT: 2}


def save_encoder(folder, shape):
    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.segments,
    )
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {name: save_encoder(tmp_path_factory.mktemp(name), shape) for name, shape in SHAPES.items()}


@pytest.fixture(scope="module")
def sources(folders, tmp_path_factory):
    """Folders of random adapters by shape and kind."""
    made = {}
    for name, kind in product(SHAPES, ("seq_bn", "double_seq_bn", "par_bn")):
        stack = AdapterStack(XLMRobertaModel.from_pretrained(folders[name], add_pooling_layer=False))
        made[name, kind] = []
        for task in ("qqp", "squad1", "ccg"):
            stack.add(task, AdapterSection(kind=kind, reduction_factor=6), seed=1, identity=False)
            folder = tmp_path_factory.mktemp("adapter")
            stack.save(task, folder)
            made[name, kind].append((task, folder))
    return made


def build_of(method, shape, head, *, adapter="seq_bn", fusion="dynamic"):
    row = METHODS[method]
    if row.family == "full":
        return Build("encoder", head=head, outputs=3)
    frozen = {"below": 1, "fused": FUSED}.get(row.use, 0)
    width = bottleneck_width(shape.width, 6)
    trained = "fusion" if row.use == "fused" else "adapter"
    return Build(trained, adapter, width, frozen, fusion if row.use == "fused" else None, head, 3)


def network_of(method, folder, adapters, head, *, adapter="seq_bn", fusion="dynamic"):
    row = METHODS[method]
    count = {"below": 1, "fused": FUSED}.get(row.use, 1 if method == "continue" else 0)
    return prepare(
        row,
        StartingPoint(str(folder), sources=tuple(adapters[:count])),
        task="mnli",
        head=spec_for(head, TAGS),
        adapter=AdapterSection(kind=adapter, reduction_factor=6),
        fusion=FusionSection(kind=fusion),
        seed=1,
    )


def batch_of(head, length):
    ids = [array("i", [5 + index % 40 for index in range(length)]) for _ in range(ROWS)]
    if head is Kind.CHOOSE:
        return collate([Feature(tuple(ids), 0, 0)], head)
    target = {Kind.TAG: [1] * length, Kind.EXTRACT: (1, 2)}.get(head, 1)
    return collate([Feature((row,), target, index) for index, row in enumerate(ids)], head)


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
    assert (flops.forward, flops.backward) == (pytest.approx(found[0], rel=0.05), pytest.approx(found[1], rel=0.05))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("name", SHAPES)
def test_training_step_agrees_with_the_counter(folders, sources, name, method, length):
    chosen = [] if method == "full" else sources[name, "seq_bn"]
    network = network_of(method, folders[name], chosen, Kind.CLASSIFY)
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
    chosen = [] if method == "full" else sources["wide", "seq_bn"]
    network = network_of(method, folders["wide"], chosen, Kind.EXTRACT).requires_grad_(False)
    build = build_of(method, SHAPES["wide"], Kind.EXTRACT)
    with torch.no_grad():
        found = counted(network, Kind.EXTRACT, 40, backward=False)
    assert sequence_flops(SHAPES["wide"], build, 40).forward == pytest.approx(found[0], rel=0.05)


def test_vectors_of_a_lower_layer_agree_with_the_counter(folders):
    encoder = XLMRobertaModel.from_pretrained(folders["deep"], add_pooling_layer=False)
    batch = batch_of(Kind.CLASSIFY, 40)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        TaskNetwork(encoder, None, None).hidden(batch.input_ids, batch.attention_mask, 3)
    flops = sequence_flops(SHAPES["deep"], Build("nothing"), 40, blocks=3)
    assert flops.forward == pytest.approx(counter.get_total_flops() / ROWS, rel=0.05)
    assert flops.backward == 0


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_parameters_are_counted_exactly(folders, sources, method, head):
    chosen = [] if method == "full" else sources["deep", "seq_bn"]
    network = network_of(method, folders["deep"], chosen, head)
    found = parameters(SHAPES["deep"], build_of(method, SHAPES["deep"], head))
    assert (found.trained, found.total) == parameter_counts(network)


def test_xlm_r_large_has_the_sizes_that_are_known():
    from adaptstilts.study.shapes import KNOWN

    large = KNOWN["FacebookAI/xlm-roberta-large"]
    assert large.parameters == 559_890_432 - (1024 * 1024 + 1024)  # published figure, less its pooler
    assert parameters(large, Build("adapter", "seq_bn", 64)).adapter == 3_171_840
    assert parameters(large, Build("adapter", "double_seq_bn", 64)).adapter == 6_343_680
    assert parameters(large, Build("fusion", "seq_bn", 64, 9, "dynamic")).fusion == 75_546_624
    assert parameters(large, Build("fusion", "seq_bn", 64, 9, "static")).fusion == 50_380_800


def test_step_ratios_of_xlm_r_large_are_those_counted_before():
    from adaptstilts.study.shapes import KNOWN

    large = KNOWN["FacebookAI/xlm-roberta-large"]
    full = sequence_flops(large, Build("encoder"), 40)
    assert full.forward / 40 == pytest.approx(604e6 + 3.9e6, rel=0.002)
    ratios = {
        0.665: Build("adapter", "seq_bn", 64),
        0.685: Build("adapter", "double_seq_bn", 64),
        2.29: Build("fusion", "seq_bn", 64, 9, "dynamic"),
    }
    for ratio, build in ratios.items():
        assert sequence_flops(large, build, 40).step / full.step == pytest.approx(ratio, rel=0.02)
