"""The table of architectures × methods: every cell trains what it should, saves, loads, and is priced."""

import json
from itertools import product

import pytest
import torch
from architectures import LAYERS, TYPES, VOCABULARY, config_of, save_type
from networks import FUSED, METHOD_NAMES, ROWS, batch_of, build_of, network_of, save_adapters, saved_bytes
from safetensors import safe_open
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from adaptstilts.errors import CheckpointError
from adaptstilts.models.architecture import ARCHITECTURES
from adaptstilts.models.attachments import Attached
from adaptstilts.models.backbone import EncoderCache, load_encoder, read_config
from adaptstilts.models.bottlenecks import ADAPTER
from adaptstilts.models.heads import save_head
from adaptstilts.models.network import Assembly, TaskNetwork, assemble, save_encoder
from adaptstilts.study.pricing.flops import parameters, sequence_flops
from adaptstilts.study.pricing.memory import training_memory, written_bytes
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import loss_sum
from adaptstilts.train.methods import METHODS

WIDE = 96


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Encoder and adapters of every type."""
    made = {}
    for name in TYPES:
        encoder = save_type(tmp_path_factory.mktemp(name), name, width=WIDE)
        made[name] = encoder, save_adapters(encoder, tmp_path_factory.mktemp(f"{name}-adapters"))
    return made


def shape_in(folder):
    config = read_config(folder)
    return ARCHITECTURES[config["model_type"]].shape(config)


def test_table_is_tested_whole():
    assert set(TYPES) == set(ARCHITECTURES)


@pytest.mark.parametrize("name", TYPES)
def test_parameters_and_tensors_are_counted_exactly(folders, tmp_path, name):
    encoder, shape = load_encoder(str(folders[name][0])), shape_in(folders[name][0])
    encoder.save_pretrained(tmp_path)
    assert shape.parameters == sum(weight.numel() for weight in encoder.parameters())
    with safe_open(tmp_path / "model.safetensors", "pt") as saved:
        assert shape.tensors == len(list(saved.keys()))


@pytest.mark.parametrize("name", TYPES)
def test_vectors_of_every_layer_are_those_of_the_library(folders, name):
    encoder = load_encoder(str(folders[name][0]))
    network = TaskNetwork(encoder, None, None)
    ids = torch.randint(5, VOCABULARY, (2, 40))
    mask = torch.ones_like(ids)
    mask[1, 30:] = 0
    found = {}
    with torch.no_grad():
        network.visit_layers(ids, mask, found.__setitem__)
        theirs = encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        expected = [*theirs.hidden_states[:-1], theirs.last_hidden_state]
        assert len(found) == LAYERS + 1
        for layer, vectors in enumerate(expected):
            assert torch.allclose(found[layer], vectors, atol=1e-5)
            assert torch.allclose(network.hidden(ids, mask, layer), vectors, atol=1e-5)
        # Padding changes nothing: no vector of a real token depends on what stands behind it.
        shorter = network.hidden(ids[1:, :30], mask[1:, :30], LAYERS)
    assert torch.allclose(expected[-1][1:, :30], shorter, atol=1e-4)


def steps(network, head, length=24):
    """Take two steps on everything that trains; return the names of what changed."""
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    batch = batch_of(head, length)
    optimizer = torch.optim.AdamW([weight for weight in network.parameters() if weight.requires_grad], lr=1e-2)
    network.train()
    for _ in range(2):  # the first moves only the upper half of an adapter that starts as the identity
        loss_sum(head, batch.scores(network), batch.targets).backward()
        optimizer.step()
    network.eval()
    return {name for name, tensor in network.named_parameters() if not torch.equal(tensor, before[name])}


def written(network, method, folder):
    """Write what a training stage writes; return its size."""
    kind = METHODS[method].attachment
    if kind is None:
        save_encoder(network, folder / "encoder")
        save_head(network.head, "mnli", folder / "head", network.encoder.config)
    else:
        kind.save(network.attached, kind.name("mnli"), folder / kind.kind_name, network.head, choices=2)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def loaded(method, encoder, adapters, folder):
    """Open what `written` wrote, as a prediction does."""
    kind, use = METHODS[method].attachment, METHODS[method].use
    if kind is None:
        return assemble(Assembly(str(folder / "encoder"), head=folder / "head"))
    below = [
        Attached(ADAPTER, task, place) for task, place in adapters[: {"below": 1, "fused": len(FUSED)}.get(use, 0)]
    ]
    own = Attached(kind, kind.name("mnli"), folder / kind.kind_name)
    return assemble(Assembly(str(encoder), attached=(*below, own), head=folder / kind.kind_name))


@pytest.mark.parametrize(("name", "method"), product(TYPES, METHOD_NAMES))
def test_every_method_trains_saves_and_loads(folders, tmp_path, name, method):
    encoder, adapters = folders[name]
    network = network_of(method, encoder, adapters, Kind.CLASSIFY)
    changed = steps(network, Kind.CLASSIFY)
    trained = {each for each, weight in network.named_parameters() if weight.requires_grad}
    assert changed <= trained
    assert len(changed) >= 0.8 * len(trained)  # tables of positions and types have rows that a batch does not use
    if METHODS[method].family != "full":
        assert not any(
            each.removeprefix("encoder.") in dict(load_encoder(str(encoder)).named_parameters()) for each in changed
        )
    size = written(network, method, tmp_path)
    batch = batch_of(Kind.CLASSIFY, 24)
    again = loaded(method, encoder, adapters, tmp_path)
    with torch.no_grad():
        assert torch.allclose(batch.scores(network), batch.scores(again), atol=1e-6)
    shape, build = shape_in(encoder), build_of(method, shape_in(encoder), Kind.CLASSIFY)
    assert parameters(shape, build).trained == sum(w.numel() for w in network.parameters() if w.requires_grad)
    assert written_bytes(shape, build) == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize(("name", "method"), product(TYPES, METHOD_NAMES))
def test_every_method_is_priced(folders, name, method):
    network = network_of(method, *folders[name], Kind.CLASSIFY)
    shape, build = shape_in(folders[name][0]), build_of(method, shape_in(folders[name][0]), Kind.CLASSIFY)
    batch = batch_of(Kind.CLASSIFY, 40)
    network.train()
    with sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as forward:
            loss = loss_sum(Kind.CLASSIFY, batch.scores(network), batch.targets)
        with FlopCounterMode(display=False) as backward:
            loss.backward()
    flops = sequence_flops(shape, build, 40, batch=ROWS)
    assert flops.forward == pytest.approx(forward.get_total_flops() / ROWS, rel=0.01)
    assert flops.backward == pytest.approx(backward.get_total_flops() / ROWS, rel=0.01)


@pytest.mark.parametrize(("name", "method"), product(TYPES, ("direct", "stack")))
def test_activations_are_about_what_autograd_keeps(folders, name, method):
    network = network_of(method, *folders[name], Kind.EXTRACT)
    shape = shape_in(folders[name][0])
    memory = training_memory(shape, build_of(method, shape, Kind.EXTRACT), "fp32", sequences=ROWS, tokens=128)
    assert memory.activations == pytest.approx(saved_bytes(network, Kind.EXTRACT, 128), rel=0.3)


@pytest.mark.parametrize(("name", "method"), product(TYPES, ("direct", "adapter", "fuse")))
def test_gradients_are_equal_with_checkpointing(folders, name, method):
    batch = batch_of(Kind.TAG, 24)
    gradients = []
    for checkpointing in (False, True):
        network = network_of(method, *folders[name], Kind.TAG)
        if checkpointing:
            network.encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        network.train()
        torch.manual_seed(3)
        loss_sum(Kind.TAG, batch.scores(network), batch.targets).backward()
        gradients.append({each: weight.grad for each, weight in network.named_parameters() if weight.requires_grad})
    for each, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][each], atol=1e-5, rtol=1e-4), each


@pytest.mark.parametrize(("name", "kind"), product(TYPES, ("double_seq_bn", "par_bn")))
def test_other_kinds_of_adapter_train_save_and_load(folders, tmp_path, name, kind):
    encoder, _ = folders[name]
    network = network_of("adapter", encoder, [], Kind.CLASSIFY, adapter=kind)
    steps(network, Kind.CLASSIFY)
    written(network, "adapter", tmp_path)
    batch = batch_of(Kind.CLASSIFY, 24)
    with torch.no_grad():
        plain = batch.scores(assemble(Assembly(str(encoder), head=tmp_path / "adapter")))
        scores = batch.scores(network)
        assert torch.equal(scores, batch.scores(loaded("adapter", encoder, [], tmp_path)))
    assert not torch.allclose(scores, plain, atol=1e-3)


@pytest.mark.parametrize("name", TYPES)
def test_cached_encoders_share_weights_and_no_adapters(folders, name):
    encoder, adapters = folders[name]
    cache = EncoderCache()
    cache.keep(str(encoder))
    batch = batch_of(Kind.CLASSIFY, 24)
    below = (Attached(ADAPTER, *adapters[0]),)
    with torch.no_grad():
        adapted = assemble(Assembly(str(encoder), attached=below), cache.load).hidden(
            batch.input_ids, batch.attention_mask, LAYERS
        )
        plain = assemble(Assembly(str(encoder)), cache.load).hidden(batch.input_ids, batch.attention_mask, LAYERS)
        alone = TaskNetwork(load_encoder(str(encoder)), None, None).hidden(
            batch.input_ids, batch.attention_mask, LAYERS
        )
    assert torch.equal(plain, alone)
    assert not torch.allclose(adapted, plain, atol=1e-3)


@pytest.mark.parametrize("name", TYPES)
def test_adapter_loads_in_the_plain_library(folders, tmp_path, name):
    import adapters as library

    encoder, sources = folders[name]
    batch = batch_of(Kind.CLASSIFY, 24)
    ours = assemble(Assembly(str(encoder), attached=(Attached(ADAPTER, *sources[0]),)))
    theirs = load_encoder(str(encoder))
    interface = ARCHITECTURES[name].interface
    library.init(theirs, interface=None if interface is None else library.AdapterModelInterface(**interface))
    info = {}
    theirs.load_adapter(str(sources[0][1]), load_as="own", set_active=True, loading_info=info)
    assert (info["missing_keys"], info["unexpected_keys"]) == ([], [])
    with torch.no_grad():
        vectors = theirs(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        assert torch.allclose(vectors, ours.hidden(batch.input_ids, batch.attention_mask, LAYERS), atol=1e-5)


@pytest.mark.parametrize("name", ["mt5", "umt5"])
def test_encoder_of_a_whole_sequence_to_sequence_checkpoint_is_read(tmp_path, name):
    import transformers

    whole = transformers.AutoModelForSeq2SeqLM.from_config(config_of(name))
    whole.save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path))
    assert encoder.num_parameters() == shape_in(tmp_path).parameters
    assert torch.equal(encoder.shared.weight, whole.get_input_embeddings().weight)


@pytest.mark.parametrize("name", ["xlm-roberta", "xlm-roberta-xl", "bert", "deberta-v2", "modernbert"])
def test_encoder_of_a_masked_language_model_is_read(tmp_path, name):
    import transformers

    whole = transformers.AutoModelForMaskedLM.from_config(config_of(name))
    whole.save_pretrained(tmp_path)
    ids = torch.randint(5, VOCABULARY, (1, 12))
    encoder = load_encoder(str(tmp_path))
    with torch.no_grad():
        theirs = whole.eval().base_model(input_ids=ids).last_hidden_state
        assert torch.allclose(encoder(input_ids=ids).last_hidden_state, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("deberta-v2", {"conv_kernel_size": 3}),
        ("deberta-v2", {"embedding_size": 16}),
        ("deberta-v2", {"relative_attention": False}),
        ("modernbert", {"mlp_bias": True}),
    ],
)
def test_encoder_with_parts_that_are_not_supported_is_refused(tmp_path, name, more):
    save_type(tmp_path, name, **more)
    with pytest.raises(CheckpointError, match=f"of type {name} with parts that are not supported"):
        load_encoder(str(tmp_path))


def test_number_that_the_library_divides_by_is_no_traceback_if_it_is_zero(tmp_path):
    save_type(tmp_path, "modernbert")
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps({**config, "global_attn_every_n_layers": 0}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"cannot be loaded as a backbone of type modernbert: .* by zero"):
        load_encoder(str(tmp_path))


def test_head_averages_only_real_tokens(folders):
    network = network_of("direct", folders["mt5"][0], [], Kind.CLASSIFY).eval()
    ids = torch.randint(5, VOCABULARY, (1, 30))
    padded = torch.cat([ids, torch.zeros(1, 10, dtype=torch.long)], 1)
    mask = torch.ones_like(padded)
    mask[:, 30:] = 0
    with torch.no_grad():
        assert torch.allclose(network(ids, torch.ones_like(ids)), network(padded, mask), atol=1e-5)
