"""A row of the table, seen through BERT, which has token types, other special tokens and padding id 0."""

from pathlib import Path

import pytest
import torch

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.errors import CheckpointError
from adaptstilts.models.architecture import ARCHITECTURES, Architecture, architecture_of
from adaptstilts.models.backbone import load_encoder, load_tokenizer, locate_backbone
from adaptstilts.models.batches import collate
from adaptstilts.models.fingerprints import fingerprint
from adaptstilts.models.heads import save_head, spec_for
from adaptstilts.models.network import Assembly, TaskNetwork, assemble
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.study.pricing.dimensions import shape_of
from adaptstilts.study.stages.weights import starting_assembly
from adaptstilts.tasks.examples import Answer, Candidate, ChoiceExample, MatchExample, PairExample, SpanExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.loop import fit
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network

WORDS = ("the", "cat", "sits", "on", "a", "mat", "dog", "runs", "no", "##s", ".", "?")
TEXTS = [("the cat sits on a mat .", "a cat sits ."), ("no dog runs .", "the dogs sits on the mat ?"), ("a", "the")]
PAIRS = [PairExample(str(at), one, two, at % 2) for at, (one, two) in enumerate(TEXTS)]
SETTINGS = EncodeSettings(max_length=24)
LABELS = ("a", "b")


@pytest.fixture
def folder(tmp_path):
    """A random two-layer BERT with its tokenizer."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=24,
        initializer_range=0.3,
    )
    place = tmp_path / "bert"
    BertModel(config).save_pretrained(place)  # with its pooler, as BERT is published
    BertTokenizerFast(vocab_file=str(vocabulary)).save_pretrained(place)
    return locate_backbone(str(place))


def pairs_of(folder):
    return encode(get_task("xnli"), PAIRS, load_tokenizer(folder), SETTINGS)


def test_without_a_row_a_backbone_is_refused(folder, monkeypatch):
    monkeypatch.delitem(ARCHITECTURES, "bert")
    for opening in (locate_backbone, load_encoder, load_tokenizer):
        with pytest.raises(
            CheckpointError,
            match=r"model_type 'bert' is not supported\. Allowed: xlm-roberta, xlm-roberta-xl, deberta-v2",
        ):
            opening(folder)
    with pytest.raises(CheckpointError, match="model_type 'None' is not supported"):
        architecture_of({})


def test_rows_padding_and_token_types_are_those_of_the_tokenizer(folder):
    tokenizer = load_tokenizer(folder)
    batch = collate(pairs_of(folder).features, Kind.CLASSIFY, load_encoder(folder).config.pad_token_id)
    theirs = tokenizer([pair.first for pair in PAIRS], [pair.second for pair in PAIRS], padding=True)
    assert batch.input_ids.tolist() == theirs["input_ids"]
    assert batch.attention_mask.tolist() == theirs["attention_mask"]
    assert batch.token_type_ids.tolist() == theirs["token_type_ids"]


def test_every_kind_of_row_has_its_token_types(folder):
    tokenizer = load_tokenizer(folder)
    question = SpanExample("1", "no ?", "the cat sits .", (Answer("cat", 4),))
    choice = ChoiceExample("1", "the cat", ("sits .", "runs . no"), 0)
    match = MatchExample("1", "a cat", "c", Candidate("c", "the cat", "on a mat", ("c",)))
    for task, example, texts in (
        ("xquad", question, [("no ?", "the cat sits .")]),
        ("copa", choice, [("the cat", "sits ."), ("the cat", "runs . no")]),
        ("lareqa", match, [("a cat",), ("the cat", "on a mat")]),
    ):
        encoded = encode(get_task(task), [example], tokenizer, EncodeSettings(max_length=40, max_query_length=16))
        feature = encoded.features[0]
        for row, start, text in zip(feature.rows, feature.segments, texts, strict=True):
            theirs = tokenizer(*text)
            assert list(row) == theirs["input_ids"]
            assert [int(at >= start) for at in range(len(row))] == theirs["token_type_ids"]


def test_xlm_r_has_no_token_types(small_backbone):
    tokenizer = load_tokenizer(str(small_backbone))
    features = encode(get_task("xnli"), PAIRS, tokenizer, SETTINGS).features
    assert {feature.segments for feature in features} == {None}
    assert collate(features, Kind.CLASSIFY, 1).token_type_ids is None


def test_vectors_of_every_layer_are_those_of_the_library(folder):
    from transformers import BertModel

    network = assemble(Assembly(folder))
    batch = collate(pairs_of(folder).features, Kind.CLASSIFY, network.padding_id)
    found = {}
    with torch.no_grad():
        theirs = BertModel.from_pretrained(folder)(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, output_hidden_states=True
        ).hidden_states
        network.visit_layers(batch.input_ids, batch.attention_mask, found.__setitem__, batch.token_type_ids)
        for layer, expected in enumerate(theirs):
            ours = network.hidden(batch.input_ids, batch.attention_mask, layer, batch.token_type_ids)
            assert torch.allclose(ours, expected, atol=1e-5)
            assert torch.allclose(found[layer], expected, atol=1e-5)
        untyped = network.hidden(batch.input_ids, batch.attention_mask, 2)
    assert not torch.allclose(untyped, theirs[2], atol=1e-2)


def trained(folder, method, sources=()):
    row = METHODS[method]
    section = FusionSection() if row.use == "fused" else AdapterSection(reduction_factor=4)
    assembly = starting_assembly(row, "xnli", folder, sources=sources, section=section, seed=1)
    network = build_network(row, assembly, task="xnli", head=spec_for(Kind.CLASSIFY, LABELS), seed=1)
    settings = TrainSettings(
        learning_rate=1e-2, epochs=1, batch_size=3, max_length=24, warmup=0.0, weight_decay=0.0, patience=None
    )
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    report = fit(network, pairs_of(folder).features, settings, kind=Kind.CLASSIFY, seed=1, score_dev=None)
    assert report.steps == 1
    return network, {name for name, tensor in network.named_parameters() if not torch.equal(tensor, before[name])}


def test_every_method_trains(folder, tmp_path):
    network, changed = trained(folder, "direct")
    assert any("word_embeddings" in name for name in changed)
    assert any("token_type_embeddings" in name for name in changed)
    sources = []
    for name in ("mnli", "qqp"):
        network, _ = trained(folder, "adapter")
        network.attached.save("target_xnli", tmp_path / name, network.head)
        sources.append((name, tmp_path / name))
    for method, chosen, part in (
        ("stack", sources[:1], ".adapters.target_xnli."),
        ("continue", sources[:1], ".adapters.target_xnli."),
        ("fuse", sources, ".adapter_fusion_layer.fusion_xnli."),
    ):
        network, changed = trained(folder, method, chosen)
        assert changed
        assert all(part in name or name.startswith("head.") for name in changed)


def test_saved_adapter_gives_equal_logits_in_the_plain_library(folder, tmp_path):
    from adapters import BertAdapterModel

    network, _ = trained(folder, "adapter")
    network.attached.save("target_xnli", tmp_path / "adapter", network.head)
    plain = BertAdapterModel.from_pretrained(folder).eval()
    plain.load_adapter(str(tmp_path / "adapter"))
    plain.set_active_adapters("target_xnli")
    batch = collate(pairs_of(folder).features, Kind.CLASSIFY, network.padding_id)
    with torch.no_grad():
        ours = batch.scores(network.eval())
        theirs = plain(batch.input_ids, batch.attention_mask, batch.token_type_ids).logits
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_full_model_is_taken_up_again(folder, tmp_path):
    network, _ = trained(folder, "direct")
    network.encoder.save_pretrained(tmp_path / "encoder")
    save_head(network.head, "xnli", tmp_path / "head", network.encoder.config)
    again: TaskNetwork = assemble(Assembly(str(tmp_path / "encoder"), head=tmp_path / "head"))
    batch = collate(pairs_of(folder).features, Kind.CLASSIFY, network.padding_id)
    with torch.no_grad():
        assert torch.equal(batch.scores(again), batch.scores(network.eval()))


def test_prices_know_its_size(folder):
    encoder = load_encoder(folder)
    shape = shape_of(BackboneRef(folder, None, "f" * 64))
    assert shape.parameters == sum(parameter.numel() for parameter in encoder.parameters())


def test_vocabulary_file_is_a_tokenizer_and_counts_in_the_fingerprint(folder):
    vocabulary, before = Path(folder) / "vocab.txt", pairs_of(folder)
    (Path(folder) / "tokenizer.json").unlink()
    assert locate_backbone(folder) == folder
    assert [feature.rows for feature in pairs_of(folder).features] == [feature.rows for feature in before.features]
    one = fingerprint(folder)
    vocabulary.write_text(vocabulary.read_text().replace("cat", "cow"))
    assert fingerprint(folder) != one
    vocabulary.unlink()
    with pytest.raises(CheckpointError, match=r"no tokenizer\. Allowed: .*vocab\.txt"):
        locate_backbone(folder)


def test_longest_input_is_read_from_the_key_of_the_row():
    row = Architecture("gpt", dict, reserved_positions=2, length="n_positions")
    assert row.longest({"n_positions": 514, "max_position_embeddings": 9}) == 512
    assert row.longest({}) is None


def test_inputs_of_an_encoder_without_positions_may_be_of_any_length():
    assert ARCHITECTURES["mt5"].longest({"n_positions": 512, "max_position_embeddings": 512}) is None


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_config_without_its_numbers_has_no_shape(name):
    assert ARCHITECTURES[name].shape({"model_type": name}) is None
