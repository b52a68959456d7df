"""Table of supported types of encoders. Free of torch.

Hugging Face's automatic classes load a backbone; the table holds what they do not provide. Another type that returns
the ``last_hidden_state`` of its last block takes one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from adaptstilts.errors import CheckpointError
from adaptstilts.models.shape import BackboneShape

if TYPE_CHECKING:
    from torch.nn import Module

Pooling = Literal["first", "mean"]
"""Vector of a sequence that heads read: that of its first token, or the mean over its tokens."""

ShapeDetails = Mapping[str, Any]
"""Fields of `BackboneShape` by name."""


def _mapping(**entries: Any) -> Mapping[str, Any]:  # noqa: ANN401
    return MappingProxyType(entries)


_SIZES = _mapping(
    layers="num_hidden_layers",
    width="hidden_size",
    inner="intermediate_size",
    heads="num_attention_heads",
    vocabulary="vocab_size",
)


@dataclass(frozen=True)
class Architecture:
    """A type of encoder, as one row of the table.

    Attributes:
        model_type: Name of the type in a config.json.
        details: Computes the fields of `BackboneShape` beyond ``sizes`` from a config.json; None if it describes an
            encoder that is not supported.
        adapter_class: Class with heads in the `adapters` library, recorded in saved heads; empty if it has none.
        auto_class: Hugging Face's automatic class that loads the encoder alone.
        reserved_positions: Rows of the position table that no sub-token uses.
        blocks_path: Module path of the list of blocks inside the encoder.
        word_vectors_path: Module path of the word vectors inside the encoder.
        pooling: How heads read a sequence.
        attention: Hugging Face's name of the attention implementation.
        options: Further arguments of its Hugging Face class.
        settings: Entries of its configuration that are set at loading.
        interface: Arguments of the `adapters` library's ``AdapterModelInterface``, by which it attaches adapters with
            hooks; None for types of which the library has a class.
        overflows_in_fp16: Whether its activations are known to exceed the range of fp16.
        head_dropout: Keys of its config.json for the dropout of heads; the first that is set applies.
        sizes: Keys of its config.json by field of `BackboneShape`.
        length: Key of its config.json for the positions of an input, reserved ones included; empty if inputs may be of
            any length.
        absolute: Whether vectors of absolute positions and of token types are added to the word vectors.
    """

    model_type: str
    details: Callable[[Mapping[str, Any]], ShapeDetails | None]
    adapter_class: str = ""
    auto_class: str = "AutoModel"
    reserved_positions: int = 0
    blocks_path: str = "encoder.layer"
    word_vectors_path: str = "embeddings.word_embeddings"
    pooling: Pooling = "first"
    attention: str = "sdpa"
    options: Mapping[str, Any] = field(default_factory=_mapping)
    settings: Mapping[str, Any] = field(default_factory=_mapping)
    interface: Mapping[str, Any] | None = None
    overflows_in_fp16: bool = False
    head_dropout: tuple[str, ...] = ("classifier_dropout", "hidden_dropout_prob")
    sizes: Mapping[str, str] = field(default_factory=lambda: _SIZES)
    length: str = "max_position_embeddings"
    absolute: bool = False

    def shape(self, config: Mapping[str, Any]) -> BackboneShape | None:
        """Read the shape from a config.json; None if a number is missing, or the encoder is not supported."""
        numbers: dict[str, int] = {}
        for name, key in self.sizes.items():
            value = config.get(key)
            if not isinstance(value, int) or value <= 0:
                return None
            numbers[name] = value
        try:
            details = self.details(config)
        except (KeyError, TypeError, AttributeError):
            return None  # a key is missing or holds something else than its type
        return None if details is None else BackboneShape(**{"positions": 0, "segments": 0, **numbers, **details})

    def longest(self, config: Mapping[str, Any]) -> int | None:
        """Read the maximum input length in sub-tokens from a config.json; None if it is not limited or not set."""
        positions = config.get(self.length) if self.length else None
        return positions - self.reserved_positions if isinstance(positions, int) else None

    def blocks(self, encoder: Module) -> Module:
        """Return an encoder's list of transformer blocks."""
        return encoder.get_submodule(self.blocks_path)

    def replace_blocks(self, encoder: Module, blocks: Module) -> None:
        """Replace an encoder's list of transformer blocks."""
        above, _, name = self.blocks_path.rpartition(".")
        setattr(encoder.get_submodule(above), name, blocks)

    def word_vectors(self, encoder: Module) -> Module:
        """Return an encoder's table of word vectors."""
        return encoder.get_submodule(self.word_vectors_path)


def has_token_types(config: object) -> bool:
    """Say whether a backbone tells the second text of a pair from the first: its table of token types has two rows."""
    return int(getattr(config, "type_vocab_size", None) or 0) > 1


def _table(config: Mapping[str, Any]) -> ShapeDetails:
    """Read the tables of positions and segments."""
    return {"positions": config["max_position_embeddings"], "segments": config["type_vocab_size"]}


def _pre_norm(config: Mapping[str, Any]) -> ShapeDetails:
    """Read the details of XLM-R XL, whose first norm stands in the blocks and whose last one after them."""
    return {**_table(config), "norms": 2 * config["num_hidden_layers"] + 1}


def _disentangled(config: Mapping[str, Any]) -> ShapeDetails | None:
    """Read the details of DeBERTa: relative positions in a table that all blocks project (He et al. 2021)."""
    terms = config["pos_att_type"] or ()
    terms = set([term.strip() for term in terms.lower().split("|")] if isinstance(terms, str) else terms)
    width = config["hidden_size"]
    has_own_keys = not config.get("share_att_key", False)
    is_plain = config["relative_attention"] and config.get("conv_kernel_size", 0) == 0
    if not is_plain or not terms <= {"c2p", "p2c"} or config.get("embedding_size", width) != width:
        return None
    positions = config["max_position_embeddings"] if config.get("position_biased_input", True) else 0
    segments = config["type_vocab_size"]
    distance, buckets = config["max_relative_positions"], config.get("position_buckets", -1)
    span = buckets if buckets > 0 else distance
    rows = 2 * (span if span > 0 else config["max_position_embeddings"])
    has_norm = "layer_norm" in config.get("norm_rel_ebd", "none")
    return {
        "positions": positions,
        "segments": segments,
        "other_parameters": rows * width + (2 * width if has_norm else 0),
        "block_parameters_more": len(terms) * (width + 1) * width if has_own_keys else 0,
        "tensors_per_block": 16 + (2 * len(terms) if has_own_keys else 0),
        "tensors_outside": 4 + (2 if has_norm else 0) + (1 if positions else 0) + (1 if segments else 0),
        "relative_rows": rows,
        "relative_terms": len(terms),
        "kept_scores": 2.5,
    }


def _modern(config: Mapping[str, Any]) -> ShapeDetails | None:
    """Read the details of ModernBERT: rotary positions, gated feed-forward, no norm before the first attention."""
    if any(config.get(key) for key in ("attention_bias", "mlp_bias", "norm_bias")):
        return None
    return {
        "has_bias": False,
        "has_norm_bias": False,
        "is_gated": True,
        "norms": 2 * config["num_hidden_layers"] + 1,
        "tensors_per_block": 6,
        "tensors_outside": 2,
    }


def _t5(config: Mapping[str, Any], *, in_every_block: bool) -> ShapeDetails:
    """Read the details of T5's encoder: norms without mean and bias, relative positions as a bias of the scores."""
    is_gated = str(config["feed_forward_proj"]).startswith("gated")
    bias = config["relative_attention_num_buckets"] * config["num_heads"]
    return {
        "has_bias": False,
        "has_norm_bias": False,
        "is_gated": is_gated,
        "attention_width": config["num_heads"] * config["d_kv"],
        "norms": 2 * config["num_layers"] + 1,
        "other_parameters": 0 if in_every_block else bias,
        "block_parameters_more": bias if in_every_block else 0,
        "tensors_per_block": 8 + is_gated + in_every_block,
        "tensors_outside": 2 if in_every_block else 3,
        "kept_scores": 2.5,
        "kept_inner": 3.0 if is_gated else 0.0,
    }


def _mt5(config: Mapping[str, Any]) -> ShapeDetails:
    return _t5(config, in_every_block=False)


def _umt5(config: Mapping[str, Any]) -> ShapeDetails:
    return _t5(config, in_every_block=True)


def _interface(**modules: str) -> Mapping[str, Any]:
    """Return an interface for bottleneck adapters in an encoder, by the names of its modules."""
    return _mapping(adapter_methods=["bottleneck"], layer_cross_attn=None, **modules)


_NO_POOLER = _mapping(add_pooling_layer=False)
_T5_SIZES = _mapping(layers="num_layers", width="d_model", inner="d_ff", heads="num_heads", vocabulary="vocab_size")
_T5_ROW: Mapping[str, Any] = _mapping(
    auto_class="AutoModelForTextEncoding",
    blocks_path="encoder.block",
    word_vectors_path="shared",
    pooling="mean",
    attention="eager",
    overflows_in_fp16=True,
    head_dropout=("dropout_rate",),
    sizes=_T5_SIZES,
    length="",
)
# The library hands an adapter the output of a sub-layer and, as its residual, the input of the module named by
# layer_pre_self_attn or layer_pre_ffn, which here are those before the norm.
_XL_INTERFACE = _interface(
    model_embeddings="embeddings",
    model_layers="encoder.layer",
    layer_self_attn="attention",
    attn_q_proj="self.query",
    attn_k_proj="self.key",
    attn_v_proj="self.value",
    attn_o_proj="output.dense",
    layer_intermediate_proj="intermediate.dense",
    layer_output_proj="output.dense",
    layer_pre_self_attn="attention",
    layer_pre_ffn="LayerNorm",
)
# The library's own interface of ModernBERT also prepares LoRA, which gives the projection of queries, keys and values a
# bias of random numbers.
_MODERN_INTERFACE = _interface(
    model_embeddings="embeddings",
    model_layers="layers",
    layer_self_attn="attn",
    attn_qkv_proj="Wqkv",
    attn_o_proj="Wo",
    layer_intermediate_proj="mlp.Wi",
    layer_output_proj="mlp.Wo",
    layer_pre_self_attn="attn_norm",
    layer_pre_ffn="mlp_norm",
)
_UMT5_INTERFACE = _interface(
    model_embeddings="shared",
    model_layers="encoder.block",
    layer_self_attn="layer.0.SelfAttention",
    attn_q_proj="q",
    attn_k_proj="k",
    attn_v_proj="v",
    attn_o_proj="o",
    layer_intermediate_proj="layer.1.DenseReluDense.wi_0",
    layer_output_proj="layer.1.DenseReluDense.wo",
    layer_pre_self_attn="layer.0",
    layer_pre_ffn="layer.1",
)

# XLM-R counts positions from padding id + 1.
XLM_R = Architecture(
    "xlm-roberta",
    _table,
    "XLMRobertaAdapterModel",
    reserved_positions=2,
    absolute=True,
    options=_NO_POOLER,
)
XLM_R_XL = Architecture(
    "xlm-roberta-xl",
    _pre_norm,
    reserved_positions=2,
    absolute=True,
    options=_NO_POOLER,
    interface=_XL_INTERFACE,
)
BERT = Architecture("bert", _table, "BertAdapterModel", options=_NO_POOLER, absolute=True)
DEBERTA = Architecture(
    "deberta-v2",
    _disentangled,
    "DebertaV2AdapterModel",
    attention="eager",
    overflows_in_fp16=True,
    head_dropout=("cls_dropout", "hidden_dropout_prob"),
)
# Compiled by itself, ModernBERT recompiles for every shape of a batch.
MODERNBERT = Architecture(
    "modernbert",
    _modern,
    blocks_path="layers",
    word_vectors_path="embeddings.tok_embeddings",
    settings=_mapping(reference_compile=False),
    interface=_MODERN_INTERFACE,
    head_dropout=("classifier_dropout",),
)
MT5 = Architecture("mt5", _mt5, **_T5_ROW)
UMT5 = Architecture("umt5", _umt5, interface=_UMT5_INTERFACE, **_T5_ROW)

ARCHITECTURES: dict[str, Architecture] = {
    row.model_type: row for row in (XLM_R, XLM_R_XL, BERT, DEBERTA, MODERNBERT, MT5, UMT5)
}


def architecture_of(config: object, path: Path | None = None) -> Architecture:
    """Find the table row of a backbone.

    Args:
        config: The parsed config.json, or Hugging Face's configuration object.
        path: File to name in an error.

    Raises:
        CheckpointError: If its model type is not in the table, or a config.json gives it parts that are not supported.
    """
    found = config.get("model_type") if isinstance(config, Mapping) else getattr(config, "model_type", None)
    if not isinstance(found, str) or found not in ARCHITECTURES:
        raise CheckpointError(f"model_type '{found}' is not supported", path=path, allowed=tuple(ARCHITECTURES))
    row = ARCHITECTURES[found]
    if row.absolute and isinstance(config, Mapping):
        _check_absolute(config, found, path)
    return row


def _check_absolute(config: Mapping[str, Any], model_type: str, path: Path | None) -> None:
    """Check that a config.json has the tables of positions and token types that an encoder adds to its word vectors."""
    hint = "More: adaptstilts docs backbones."
    positions, segments = config.get("position_embedding_type"), config.get("type_vocab_size")
    if positions not in (None, "absolute"):
        problem = f"'{positions}' is not supported in an encoder of type {model_type}"
        raise CheckpointError(problem, path=path, key="position_embedding_type", allowed=("absolute",), hint=hint)
    if segments is not None and segments < 1:
        problem = f"{segments} is out of range: an encoder of type {model_type} has a vector for each token type"
        raise CheckpointError(problem, path=path, key="type_vocab_size", allowed=("at least 1",), hint=hint)
