import json
import re

import pytest
import torch
from adapters import Fuse, Stack, XLMRobertaAdapterModel
from safetensors.torch import load_file, save_file

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.errors import CheckpointError
from adaptstilts.models.adapters import AdapterHost, Composition, check_names
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.heads import new_head, spec_for
from adaptstilts.models.network import trainable_names
from adaptstilts.tasks.spec import Kind

SECTION = AdapterSection(reduction_factor=4)
LABELS = ("contradiction", "entailment", "neutral")


@pytest.fixture
def ids():
    generator = torch.Generator().manual_seed(3)
    return torch.randint(4, 120, (5, 12), generator=generator)


def encoder(folder):
    return load_encoder(str(folder))


def noisy(host, name):
    """Give an adapter weights that matter."""
    generator = torch.Generator().manual_seed(len(name))
    with torch.no_grad():
        for key, parameter in host.encoder.named_parameters():
            if f".adapters.{name}." in key or f".adapter_fusion_layer.{name}." in key:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)


def hidden(model, ids):
    with torch.no_grad():
        return model(ids).last_hidden_state


def library_model(folder):
    return XLMRobertaAdapterModel.from_pretrained(folder).eval()


@pytest.mark.parametrize("kind", ["seq_bn", "double_seq_bn"])
def test_new_adapter_on_top_is_the_exact_identity(tiny_encoder_folder, ids, kind):
    section = AdapterSection(kind=kind, reduction_factor=3.7)
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", section, seed=1, identity=False)
    noisy(host, "mnli")
    host.activate(Composition(("mnli",)))
    below = hidden(host.encoder, ids)
    host.add("target_xnli", section, seed=2, identity=True)
    host.activate(Composition(("mnli", "target_xnli")))
    assert torch.equal(hidden(host.encoder, ids), below)


@pytest.mark.parametrize(("kind", "is_identity"), [("seq_bn", False), ("double_seq_bn", False), ("par_bn", True)])
def test_new_adapter_starts_as_its_kind_does(tiny_encoder_folder, kind, is_identity):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", AdapterSection(kind=kind, reduction_factor=4), seed=1, identity=False)
    weights = [tensor for key, tensor in host.encoder.named_parameters() if "adapter_up.weight" in key]
    assert len(weights) == (6 if kind == "double_seq_bn" else 3)
    assert all((tensor == 0).all() == is_identity for tensor in weights)


def test_average_equals_mean_of_adapter_outputs_in_one_layer(tiny_encoder_folder, ids):
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig.from_pretrained(tiny_encoder_folder, num_hidden_layers=1)
    host = AdapterHost(XLMRobertaModel(config, add_pooling_layer=False).eval())
    ups = []
    layer = host.encoder.encoder.layer[0].output
    layer.LayerNorm.register_forward_pre_hook(lambda module, inputs: ups.append(inputs[0].detach().clone()))
    for name in ("mnli", "qqp"):
        host.add(name, SECTION, seed=1, identity=False)
        noisy(host, name)
    singles = []
    for name in ("mnli", "qqp"):
        host.activate(Composition((name,)))
        ups.clear()
        hidden(host.encoder, ids)
        singles.append(ups[-1])
    host.add_average("fusion_average", ("mnli", "qqp"))
    host.activate(Composition(("mnli", "qqp"), "fusion_average"))
    ups.clear()
    hidden(host.encoder, ids)
    assert not torch.allclose(singles[0], singles[1])
    assert torch.allclose(ups[-1], (singles[0] + singles[1]) / 2, atol=1e-5)


@pytest.mark.parametrize("kind", ["seq_bn", "double_seq_bn", "par_bn"])
def test_saved_adapter_and_head_give_equal_logits_in_the_plain_library(tiny_encoder_folder, ids, tmp_path, kind):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", AdapterSection(kind=kind, reduction_factor=4), seed=1, identity=False)
    noisy(host, "mnli")
    host.activate(Composition(("mnli",)))
    head = new_head(spec_for(Kind.CLASSIFY, LABELS), 32, 0.1, seed=5).eval()
    host.save("mnli", tmp_path, head)
    plain = library_model(tiny_encoder_folder)
    info = {}
    plain.load_adapter(str(tmp_path), loading_info=info)
    plain.set_active_adapters("mnli")
    with torch.no_grad():
        assert torch.equal(plain(ids).logits, head(hidden(host.encoder, ids)))
    assert info == {"missing_keys": [], "unexpected_keys": []}
    assert list(plain.heads["mnli"].config["label2id"]) == list(LABELS)


@pytest.mark.parametrize("kind", [Kind.CLASSIFY, Kind.CHOOSE, Kind.TAG, Kind.EXTRACT])
def test_saved_head_of_each_kind_gives_equal_scores_in_the_plain_library(tiny_encoder_folder, ids, tmp_path, kind):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", SECTION, seed=1, identity=False)
    noisy(host, "mnli")
    host.activate(Composition(("mnli",)))
    head = new_head(spec_for(kind, LABELS), 32, 0.1, seed=5).eval()
    host.save("mnli", tmp_path, head, choices=5)
    plain = library_model(tiny_encoder_folder)
    plain.load_adapter(str(tmp_path))
    plain.set_active_adapters("mnli")
    with torch.no_grad():
        ours = head(hidden(host.encoder, ids))
        found = plain(ids[None] if kind is Kind.CHOOSE else ids)
    if kind is Kind.EXTRACT:
        theirs = torch.stack([found.start_logits, found.end_logits], -1)
    else:
        theirs = found.logits[0] if kind is Kind.CHOOSE else found.logits
    assert torch.equal(ours, theirs)


def test_saved_stack_and_fusion_give_equal_logits_in_the_plain_library(tiny_encoder_folder, ids, tmp_path):
    host = AdapterHost(encoder(tiny_encoder_folder))
    for name in ("mnli", "qqp", "target_udpos"):
        host.add(name, SECTION, seed=1, identity=False)
        noisy(host, name)
        host.save(name, tmp_path / name)
    host.add_fusion("fusion_udpos", ("mnli", "qqp"), FusionSection(), seed=4)
    noisy(host, "fusion_udpos")
    head = new_head(spec_for(Kind.TAG, ("A", "B")), 32, 0.1, seed=5).eval()
    host.save("fusion_udpos", tmp_path / "fusion", head)
    plain = library_model(tiny_encoder_folder)
    for name in ("mnli", "qqp", "target_udpos"):
        plain.load_adapter(str(tmp_path / name))
    plain.load_adapter_fusion(str(tmp_path / "fusion"))
    for ours, theirs in (
        (Composition(("mnli", "target_udpos")), Stack("mnli", "target_udpos")),
        (Composition(("mnli", "qqp"), "fusion_udpos"), Fuse("mnli", "qqp", name="fusion_udpos")),
    ):
        host.activate(ours)
        plain.set_active_adapters(theirs)
        plain.active_head = "fusion_udpos"
        with torch.no_grad():
            assert torch.allclose(plain(ids).logits, head(hidden(host.encoder, ids)), atol=1e-6)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_fusion_is_restored_exactly_under_another_name(tiny_encoder_folder, ids, tmp_path, kind):
    def build():
        host = AdapterHost(encoder(tiny_encoder_folder))
        for name in ("mnli", "qqp"):
            host.add(name, SECTION, seed=1, identity=False)
            noisy(host, name)
        return host

    first = build()
    first.add_fusion("fusion_xnli", ("mnli", "qqp"), FusionSection(kind=kind), seed=4)
    noisy(first, "fusion_xnli")
    first.activate(Composition(("mnli", "qqp"), "fusion_xnli"))
    first.save("fusion_xnli", tmp_path)
    second = build()
    second.load_fusion(tmp_path, "fusion_other", ("mnli", "qqp"))
    second.activate(Composition(("mnli", "qqp"), "fusion_other"))
    assert torch.equal(hidden(first.encoder, ids), hidden(second.encoder, ids))


def test_load_fusion_refuses_members_in_another_order(tiny_encoder_folder, tmp_path):
    host = AdapterHost(encoder(tiny_encoder_folder))
    for name in ("mnli", "qqp"):
        host.add(name, SECTION, seed=1, identity=False)
    host.add_fusion("fusion_xnli", ("mnli", "qqp"), FusionSection(), seed=4)
    host.save("fusion_xnli", tmp_path)
    with pytest.raises(CheckpointError, match=r"trained over \['mnli', 'qqp'\], not over \['qqp', 'mnli'\]"):
        host.load_fusion(tmp_path, "fusion_other", ("qqp", "mnli"))


@pytest.mark.parametrize(
    ("layers", "message"), [(2, "0 tensors missing, 4 unexpected"), (4, "4 tensors missing, 0 unexpected")]
)
def test_load_refuses_adapter_of_another_depth(tiny_encoder_folder, tmp_path, layers, message):
    from transformers import XLMRobertaConfig, XLMRobertaModel

    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", SECTION, seed=1, identity=False)
    host.save("mnli", tmp_path)
    config = XLMRobertaConfig.from_pretrained(tiny_encoder_folder, num_hidden_layers=layers)
    other = AdapterHost(XLMRobertaModel(config, add_pooling_layer=False))
    with pytest.raises(CheckpointError, match=message):
        other.load(tmp_path, "mnli")


NORM = "embeddings.LayerNorm.weight"
FOREIGN = {
    "a weight of the encoder": (
        lambda tensors: {**tensors, NORM: torch.full((32,), 5.0)},
        f"does not fit the backbone: 0 tensors missing, 1 unexpected, the first is '{NORM}'",
    ),
    "one with the prefix of the encoder": (
        lambda tensors: {f"roberta.{name}": tensor for name, tensor in {**tensors, NORM: torch.ones(32)}.items()},
        f"0 tensors missing, 1 unexpected, the first is 'roberta.{NORM}'",
    ),
    "another adapter": (
        lambda tensors: {**tensors, **{name.replace("mnli", "qqp"): 1 * each for name, each in tensors.items()}},
        "0 tensors missing, 12 unexpected",
    ),
    "whole numbers": (
        lambda tensors: {name: (9 * tensor).to(torch.int8) for name, tensor in tensors.items()},
        "is of type I8, which is not a floating-point type",
    ),
    "another shape": (
        lambda tensors: {name: tensor[:1].clone() for name, tensor in tensors.items()},
        "adapter_down.0.weight' is of shape 1 x 32 instead of 8 x 32",
    ),
    "numbers beyond single precision": (
        lambda tensors: {name: tensor.double() + 1e300 for name, tensor in tensors.items()},
        "has numbers that are infinite or none",
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_an_adapter_file_holds_one_adapter_and_nothing_of_the_encoder(tiny_encoder_folder, tmp_path, what):
    change, message = FOREIGN[what]
    first = AdapterHost(encoder(tiny_encoder_folder))
    first.add("mnli", SECTION, seed=1, identity=False)
    first.save("mnli", tmp_path)
    path = tmp_path / "adapter.safetensors"
    save_file(change(load_file(path)), path)
    host = AdapterHost(encoder(tiny_encoder_folder))
    before = host.encoder.embeddings.LayerNorm.weight.clone()
    with pytest.raises(CheckpointError, match=re.escape(message)):
        host.load(tmp_path, "mnli")
    assert torch.equal(host.encoder.embeddings.LayerNorm.weight, before)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model_type", "bert", "model_type: it is for a backbone of type 'bert', this one is of type 'xlm-roberta'"),
        ("hidden_size", 1024, "hidden_size: it is for a backbone 1024 wide, this one is 32 wide"),
        ("name", "a/b", "name: 'a/b' is refused: it must be the name of the tensors in its weights"),
        ("name", "qqp", "12 tensors missing, 12 unexpected"),
    ],
)
def test_load_refuses_what_was_saved_for_something_else(tiny_encoder_folder, tmp_path, key, value, message):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", SECTION, seed=1, identity=False)
    host.save("mnli", tmp_path)
    path = tmp_path / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(CheckpointError, match=re.escape(message)):
        AdapterHost(encoder(tiny_encoder_folder)).load(tmp_path, "mnli")


def test_load_names_missing_file(tiny_encoder_folder, tmp_path):
    with pytest.raises(CheckpointError, match=r"adapter_config\.json: no such adapter file"):
        AdapterHost(encoder(tiny_encoder_folder)).load(tmp_path, "mnli")


def test_saved_config_holds_no_local_path(tiny_encoder_folder, tmp_path):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", SECTION, seed=1, identity=False)
    host.save("mnli", tmp_path)
    assert str(tiny_encoder_folder) not in (tmp_path / "adapter_config.json").read_text()


@pytest.mark.parametrize("names", [("mnli", "mnli2"), ("a,b", "c"), ("Mnli",)])
def test_check_names_refuses_names_the_library_mixes_up(names):
    with pytest.raises(CheckpointError, match=r"prefix of|cannot name an adapter"):
        check_names(names)


def test_activate_names_what_is_missing(tiny_encoder_folder):
    host = AdapterHost(encoder(tiny_encoder_folder))
    host.add("mnli", SECTION, seed=1, identity=False)
    with pytest.raises(CheckpointError, match=r"\['qqp'\].*Allowed: mnli"):
        host.activate(Composition(("mnli", "qqp")))


def test_check_active_raises_after_the_set_up_was_switched_behind_our_back(tiny_encoder_folder):
    host = AdapterHost(encoder(tiny_encoder_folder))
    for name in ("mnli", "qqp"):
        host.add(name, SECTION, seed=1, identity=False)
    host.activate(Composition(("mnli", "qqp")))
    host.encoder.set_active_adapters("qqp")
    with pytest.raises(CheckpointError, match="active set-up is"):
        host.check_active(Composition(("mnli", "qqp")))


def test_train_only_trains_one_adapter_of_a_stack(tiny_encoder_folder):
    host = AdapterHost(encoder(tiny_encoder_folder))
    for name in ("mnli", "target_xnli"):
        host.add(name, SECTION, seed=1, identity=False)
    host.activate(Composition(("mnli", "target_xnli")))
    host.train_only(["target_xnli"])
    names = trainable_names(host.encoder)
    assert len(names) == 3 * 4
    assert all(".adapters.target_xnli." in name for name in names)


def test_own_parameters_are_those_that_came_with_a_name(tiny_encoder_folder, tmp_path):
    host = AdapterHost(encoder(tiny_encoder_folder))
    plain = {key for key, _ in host.encoder.named_parameters()}
    for name in ("mnli", "qqp"):
        host.add(name, SECTION, seed=1, identity=False)
    host.save("qqp", tmp_path)
    host.load(tmp_path, "target_xnli")
    host.add_fusion("fusion_xnli", ("mnli", "qqp"), FusionSection(), seed=4)
    counts = {name: len(host.own_parameters(name)) for name in host.names}
    assert counts == {"mnli": 3 * 4, "qqp": 3 * 4, "target_xnli": 3 * 4, "fusion_xnli": 3 * 5}
    assert all(".adapter_fusion_layer.fusion_xnli." in key for key in host.own_parameters("fusion_xnli"))
    assert all(".adapters.target_xnli." in key for key in host.own_parameters("target_xnli"))
    own = frozenset().union(*(host.own_parameters(name) for name in host.names))
    assert {key for key, _ in host.encoder.named_parameters()} == plain | own
    assert not plain & own
