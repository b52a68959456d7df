import subprocess
import sys
from array import array
from dataclasses import replace

import pytest
import torch

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.encoding.features import Feature
from adaptstilts.errors import CheckpointError, TrainingError
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.batches import collate
from adaptstilts.models.heads import save_head, spec_for
from adaptstilts.models.network import parameter_counts, save_encoder, trainable_names
from adaptstilts.study.stages.weights import starting_assembly
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.loop import fit
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network, check_trainable, expected_trainable

LABELS = ("a", "b")
SECTION = AdapterSection(reduction_factor=4)
SETTINGS = TrainSettings(
    learning_rate=5e-3, epochs=12, batch_size=8, max_length=32, warmup=0.1, weight_decay=0.01, patience=None
)
WIDTH, LAYERS, BOTTLENECK = 32, 3, 8
HEAD = WIDTH * WIDTH + WIDTH + WIDTH * len(LABELS) + len(LABELS)
ADAPTER = LAYERS * (2 * WIDTH * BOTTLENECK + BOTTLENECK + WIDTH)
FUSION = LAYERS * (3 * WIDTH * WIDTH + 2 * WIDTH)


def items(count=8):
    generator = torch.Generator().manual_seed(1)
    made = []
    for index in range(count):
        label = index % 2
        tokens = torch.randint(10 + 50 * label, 60 + 50 * label, (3 + index % 5,), generator=generator).tolist()
        made.append(Feature((array("i", [0, *tokens, 2]),), label, index))
    return made


def build(method, folder, sources=(), head=None, seed=1, task="mnli"):
    row = METHODS[method]
    assembly = starting_assembly(row, task, str(folder), sources=sources, head=head, section=section_of(row), seed=seed)
    return build_network(row, assembly, task=task, head=spec_for(Kind.CLASSIFY, LABELS), seed=seed)


def section_of(row):
    return FusionSection() if row.use == "fused" else SECTION


@pytest.fixture(scope="module")
def sources(tiny_encoder_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    made = []
    for index, name in enumerate(("qqp", "squad1")):
        network = build("adapter", tiny_encoder_folder, seed=index)
        fit(network, items(), SETTINGS, kind=Kind.CLASSIFY, seed=index, score_dev=None)
        network.attached.save("target_mnli", folder / name, network.head)
        made.append((name, folder / name))
    return tuple(made)


def sources_of(method, sources):
    return {"none": (), "start": sources[:1], "below": sources[:1], "fused": sources}[METHODS[method].use]


@pytest.mark.parametrize(
    ("method", "count"),
    [
        ("direct", None),
        ("full", None),
        ("adapter", ADAPTER + HEAD),
        ("stack", ADAPTER + HEAD),
        ("continue", ADAPTER + HEAD),
        ("fuse", FUSION + HEAD),
    ],
)
def test_each_method_trains_exactly_what_it_promises(tiny_encoder_folder, sources, method, count):
    chosen = () if method == "full" else sources_of(method, sources)
    network = build(method, tiny_encoder_folder, chosen)
    trained, total = parameter_counts(network)
    assert trained == (total if count is None else count)
    assert trainable_names(network) == expected_trainable(network, METHODS[method], "mnli")


@pytest.mark.parametrize("method", ["adapter", "stack", "continue", "fuse"])
def test_frozen_tensors_are_bit_identical_after_training(tiny_encoder_folder, sources, method):
    network = build(method, tiny_encoder_folder, sources_of(method, sources))
    promised = expected_trainable(network, METHODS[method], "mnli")
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    report = fit(network, items(), SETTINGS, kind=Kind.CLASSIFY, seed=1, score_dev=None)
    changed = {name for name, tensor in network.named_parameters() if not torch.equal(tensor, before[name])}
    assert report.steps == 12
    assert changed <= promised
    # The key's bias cannot change: softmax is invariant to it.
    assert {name for name in promised - changed if ".key.bias" not in name} == set()
    backbone = {name.removeprefix("encoder."): tensor for name, tensor in before.items() if "adapter" not in name}
    fresh = dict(load_encoder(str(tiny_encoder_folder)).named_parameters())
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in backbone.items() if not name.startswith("head."))


@pytest.mark.parametrize("method", ["direct", "adapter", "stack", "continue", "fuse"])
def test_loss_falls_on_eight_rows(tiny_encoder_folder, sources, method):
    network = build(method, tiny_encoder_folder, sources_of(method, sources))
    report = fit(network, items(), SETTINGS, kind=Kind.CLASSIFY, seed=1, score_dev=None)
    assert report.losses[-1] < 0.8 * report.losses[0]


def test_continue_starts_from_the_intermediate_weights_under_a_new_head(tiny_encoder_folder, sources):
    network = build("continue", tiny_encoder_folder, sources[:1])
    from safetensors.torch import load_file

    saved = load_file(sources[0][1] / "adapter.safetensors")
    own = {name: tensor for name, tensor in network.encoder.named_parameters() if ".adapters.target_mnli." in name}
    assert len(own) == len(saved) == 12
    assert all(torch.equal(own[name], saved[name]) for name in own)
    head = load_file(sources[0][1] / "model_head.safetensors")["heads.target_mnli.1.weight"]
    assert not torch.equal(network.head[1].weight, head)


@pytest.mark.parametrize("method", ["direct", "full", "adapter", "stack", "continue", "fuse"])
def test_weights_trained_on_one_task_are_trained_further_on_another(tiny_encoder_folder, sources, method, tmp_path):
    row = METHODS[method]
    chosen = () if method == "full" else sources_of(method, sources)
    first = build(method, tiny_encoder_folder, chosen, task="siqa")
    fit(first, items(), SETTINGS, kind=Kind.CLASSIFY, seed=1, score_dev=None)
    if row.family == "full":
        save_encoder(first, tmp_path / "encoder")
        save_head(first.head, "siqa", tmp_path, first.encoder.config)
        start = starting_assembly(row, "copa", str(tmp_path / "encoder"), head=tmp_path)
    else:
        row.attachment.save(first.attached, row.attachment.name("siqa"), tmp_path, first.head, choices=2)
        start = starting_assembly(
            row, "copa", str(tiny_encoder_folder), sources=chosen, head=tmp_path, continue_from=tmp_path
        )
    second = build_network(row, start, task="copa", head=spec_for(Kind.CLASSIFY, LABELS), seed=2)
    assert trainable_names(second) == expected_trainable(second, row, "copa")
    assert {name.replace("copa", "siqa") for name in trainable_names(second)} == trainable_names(first)
    before = {name.replace("siqa", "copa"): tensor for name, tensor in first.named_parameters()}
    after = dict(second.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    item = items(1)[0]
    batch = collate([item], Kind.CLASSIFY, 1)
    first.eval()
    second.eval()
    assert torch.equal(first(batch.input_ids, batch.attention_mask), second(batch.input_ids, batch.attention_mask))
    frozen = {name: tensor.clone() for name, tensor in after.items() if name not in trainable_names(second)}
    fit(second, items(), SETTINGS, kind=Kind.CLASSIFY, seed=1, score_dev=None)
    assert all(torch.equal(tensor, after[name]) for name, tensor in frozen.items())
    assert bool(frozen) == (row.family != "full")


def test_head_is_trained_further_when_it_is_given(tiny_encoder_folder, sources):
    network = build("continue", tiny_encoder_folder, sources[:1], head=sources[0][1])
    from safetensors.torch import load_file

    head = load_file(sources[0][1] / "model_head.safetensors")["heads.target_mnli.1.weight"]
    assert torch.equal(network.head[1].weight, head)


def test_two_runs_with_one_seed_give_the_same_weights(tiny_encoder_folder, sources):
    states = []
    for _ in range(2):
        network = build("stack", tiny_encoder_folder, sources[:1])
        torch.manual_seed(len(states))  # what happened before must not matter
        fit(network, items(), SETTINGS, kind=Kind.CLASSIFY, seed=7, score_dev=None)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("method", ["direct", "adapter", "stack", "fuse"])
def test_gradient_checkpointing_changes_no_weight(tiny_encoder_folder, sources, method):
    states = []
    for checkpointing in (False, True):
        network = build(method, tiny_encoder_folder, sources_of(method, sources))
        settings = replace(SETTINGS, epochs=3, gradient_checkpointing=checkpointing)
        fit(network, items(), settings, kind=Kind.CLASSIFY, seed=7, score_dev=None)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("method", ["direct", "adapter", "stack", "fuse"])
def test_half_precision_on_a_cpu_stays_near_single_precision(tiny_encoder_folder, sources, method):
    losses = []
    for precision in ("fp32", "bf16"):
        network = build(method, tiny_encoder_folder, sources_of(method, sources))
        settings = replace(SETTINGS, epochs=3, precision=precision)
        losses.append(fit(network, items(), settings, kind=Kind.CLASSIFY, seed=7, score_dev=None).losses)
        assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], abs=0.05)


def test_build_network_refuses_wrong_number_of_sources(tiny_encoder_folder, sources):
    with pytest.raises(TrainingError, match="'stack' cannot start from 2 intermediate adapters"):
        build("stack", tiny_encoder_folder, sources)


def test_build_network_refuses_head_of_another_width(tiny_encoder_folder, sources, tmp_path):
    from adaptstilts.models.heads import new_head, save_head

    config = load_encoder(str(tiny_encoder_folder)).config
    save_head(new_head(spec_for(Kind.CLASSIFY, LABELS), 16, 0.1, seed=1), "x", tmp_path, config)
    with pytest.raises(CheckpointError, match="head does not fit a backbone 32 wide"):
        build("continue", tiny_encoder_folder, sources[:1], head=tmp_path)


@pytest.mark.parametrize("labels", [("b", "a"), ("a", "b", "c")])
def test_build_network_refuses_head_with_other_labels(tiny_encoder_folder, tmp_path, labels):
    from adaptstilts.models.heads import new_head, save_head

    config = load_encoder(str(tiny_encoder_folder)).config
    save_head(new_head(spec_for(Kind.CLASSIFY, labels), WIDTH, 0.1, seed=1), "x", tmp_path, config)
    with pytest.raises(CheckpointError, match=r"with labels \['a', 'b'\].*Start with a new head"):
        build("full", tiny_encoder_folder, head=tmp_path)


def test_check_trainable_lists_the_difference(tiny_encoder_folder):
    network = build("adapter", tiny_encoder_folder)
    promised = trainable_names(network)
    network.encoder.embeddings.word_embeddings.weight.requires_grad_(True)
    with pytest.raises(
        TrainingError, match=r"1 tensor in training that should not be \['encoder\.embeddings\.word_embeddings"
    ):
        check_trainable(network, promised)


def test_expected_trainable_refuses_a_network_without_the_attachment(tiny_encoder_folder):
    network = build("adapter", tiny_encoder_folder)
    with pytest.raises(
        TrainingError, match=r"'target_xnli' should train but is not attached; attached: \['target_mnli'\]"
    ):
        expected_trainable(network, METHODS["adapter"], "xnli")


def test_setting_up_a_network_loads_no_library_of_attachments():
    script = "import sys, adaptstilts.train.setup; sys.exit('adapters' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_freezing_slip_of_an_attachment_is_noticed(tiny_encoder_folder, sources, monkeypatch):
    from adaptstilts.models.adapters import AdapterHost

    def slip(host, names):
        for key, parameter in host.encoder.named_parameters():
            parameter.requires_grad_(".adapters." in key)

    monkeypatch.setattr(AdapterHost, "train_only", slip)
    with pytest.raises(TrainingError, match="12 tensors in training that should not be"):
        build("stack", tiny_encoder_folder, sources[:1])
