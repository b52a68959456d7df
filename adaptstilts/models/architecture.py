"""Table of supported types of encoders, and the shape of a backbone. Free of torch.

Hugging Face's automatic classes load a backbone; the table holds what they do not provide. A new type that
returns the ``last_hidden_state`` of its last block takes one row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import CheckpointError

if TYPE_CHECKING:
    from torch.nn import Module

_SIZES = MappingProxyType(
    {
        "layers": "num_hidden_layers",
        "width": "hidden_size",
        "inner": "intermediate_size",
        "heads": "num_attention_heads",
        "vocabulary": "vocab_size",
        "positions": "max_position_embeddings",
        "segments": "type_vocab_size",
    }
)


@dataclass(frozen=True)
class BackboneShape:
    """Dimensions of an encoder without pooler, from which its parameters and operations are counted.

    Attributes:
        layers: Number of transformer blocks.
        width: Width of the token vectors.
        inner: Inner width of the feed-forward layers.
        heads: Attention heads per block.
        vocabulary: Number of sub-tokens.
        positions: Rows of the position table, reserved ones included; 0 without such a table.
        segments: Rows of the segment table.
        has_bias: Whether linear layers and norms have biases.
        is_gated: Whether the feed-forward layers have a gate, which is a third matrix.
    """

    layers: int
    width: int
    inner: int
    heads: int
    vocabulary: int
    positions: int
    segments: int = 1
    has_bias: bool = True
    is_gated: bool = False

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the word, position and segment tables and their norm."""
        return (self.vocabulary + self.positions + self.segments) * self.width + self._norm_parameters

    @property
    def block_parameters(self) -> int:
        """Parameters of one block: four square projections, the feed-forward matrices, two norms."""
        attention = 4 * self.width * self.width
        feed_forward = (3 if self.is_gated else 2) * self.width * self.inner
        biases = 5 * self.width + (2 if self.is_gated else 1) * self.inner
        return attention + feed_forward + (biases if self.has_bias else 0) + 2 * self._norm_parameters

    @property
    def feed_forward_flops(self) -> float:
        """Operations of one block's feed-forward layers on one sub-token; a multiply-add is two."""
        return (6.0 if self.is_gated else 4.0) * self.width * self.inner

    @property
    def _norm_parameters(self) -> int:
        return (2 if self.has_bias else 1) * self.width

    @property
    def parameters(self) -> int:
        """Parameters of the whole encoder."""
        return self.embedding_parameters + self.layers * self.block_parameters

    @property
    def tensors(self) -> int:
        """Tensors in a checkpoint: five for the embeddings, sixteen for each block."""
        return 5 + 16 * self.layers


@dataclass(frozen=True)
class Architecture:
    """A type of encoder, as one row of the table.

    Attributes:
        model_type: Name of the type in a config.json.
        published: Prefix of its published models' hub ids; replaces local folder names in saved adapters.
        adapter_class: Class with heads in the `adapters` library, recorded in saved heads.
        reserved_positions: Rows of the position table that no sub-token uses.
        token_types: Whether the second text of a pair is marked by token types.
        blocks_path: Module path of the list of blocks inside the encoder.
        word_vectors_path: Module path of the word vectors inside the encoder.
        has_bias: Whether linear layers and norms have biases.
        is_gated: Whether the feed-forward layers have a gate.
        attention: Hugging Face's name of the attention implementation.
        options: Further arguments of its Hugging Face class.
        head_dropout: Keys of its config.json for the dropout of heads; the first that is set applies.
        sizes: Keys of its config.json by field of `BackboneShape`; tables that it lacks are omitted.
        length: Key of its config.json for the positions of an input, reserved ones included.
    """

    model_type: str
    published: str
    adapter_class: str
    reserved_positions: int
    token_types: bool
    blocks_path: str = "encoder.layer"
    word_vectors_path: str = "embeddings.word_embeddings"
    has_bias: bool = True
    is_gated: bool = False
    attention: str = "sdpa"
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"add_pooling_layer": False}))
    head_dropout: tuple[str, ...] = ("classifier_dropout", "hidden_dropout_prob")
    sizes: Mapping[str, str] = field(default_factory=lambda: _SIZES)
    length: str = "max_position_embeddings"

    def shape(self, config: Mapping[str, Any]) -> BackboneShape | None:
        """Read the shape from a config.json; None if a number is missing."""
        numbers = {"positions": 0, "segments": 0}
        for name, key in self.sizes.items():
            value = config.get(key)
            if not isinstance(value, int) or value <= 0:
                return None
            numbers[name] = value
        return BackboneShape(**numbers, has_bias=self.has_bias, is_gated=self.is_gated)

    def longest(self, config: Mapping[str, Any]) -> int | None:
        """Read the maximum input length in sub-tokens from a config.json; None if it is not set."""
        positions = config.get(self.length)
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


# XLM-R counts positions from padding id + 1.
XLM_R = Architecture("xlm-roberta", "FacebookAI/xlm-roberta", "XLMRobertaAdapterModel", 2, token_types=False)

ARCHITECTURES: dict[str, Architecture] = {row.model_type: row for row in (XLM_R,)}


def architecture_of(config: object, path: Path | None = None) -> Architecture:
    """Find the table row of a backbone.

    Args:
        config: The parsed config.json, or Hugging Face's configuration object.
        path: File to name in an error.

    Raises:
        CheckpointError: If its model type is not in the table.
    """
    found = config.get("model_type") if isinstance(config, Mapping) else getattr(config, "model_type", None)
    if found not in ARCHITECTURES:
        raise CheckpointError(f"model_type '{found}' is not supported", path=path, allowed=tuple(ARCHITECTURES))
    return ARCHITECTURES[str(found)]
