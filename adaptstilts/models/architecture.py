"""What differs between the families of encoders, one row each, and the shape of a backbone. Free of torch.

A backbone is opened by Hugging Face's automatic classes; what those do not say stands here. A new family whose encoder
returns ``last_hidden_state`` of its last block is one row.
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
    """Numbers that decide the size of an encoder without pooler.

    Attributes:
        layers: Blocks.
        width: Width of the token vectors.
        inner: Width of the feed-forward blocks.
        heads: Attention heads.
        vocabulary: Sub-tokens.
        positions: Rows of the position table, reserved ones included; 0 where there is none.
        segments: Rows of the segment table.
        has_bias: Whether linear layers and norms have biases.
        is_gated: Whether the feed-forward has a gate, a third matrix.
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
        """Parameters of the three tables and their norm."""
        return (self.vocabulary + self.positions + self.segments) * self.width + self._norm_parameters

    @property
    def block_parameters(self) -> int:
        """Parameters of one block: four square projections, those of the feed-forward, two norms."""
        attention = 4 * self.width * self.width
        feed_forward = (3 if self.is_gated else 2) * self.width * self.inner
        biases = 5 * self.width + (2 if self.is_gated else 1) * self.inner
        return attention + feed_forward + (biases if self.has_bias else 0) + 2 * self._norm_parameters

    @property
    def feed_forward_flops(self) -> float:
        """Operations of the feed-forward of one block on one sub-token."""
        return (6.0 if self.is_gated else 4.0) * self.width * self.inner

    @property
    def _norm_parameters(self) -> int:
        return (2 if self.has_bias else 1) * self.width

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.embedding_parameters + self.layers * self.block_parameters

    @property
    def tensors(self) -> int:
        """Tensors of a checkpoint: five of the embeddings, sixteen of each block."""
        return 5 + 16 * self.layers


@dataclass(frozen=True)
class Architecture:
    """A family of encoders.

    Attributes:
        model_type: Its name in a config.json.
        published: Start of the hub ids of its published models; names folders in files that leave the machine.
        adapter_class: The `adapters` library's class with heads, which saved heads name.
        reserved_positions: Rows of the position table that no sub-token uses.
        token_types: Whether the second text of a pair is marked by token types.
        layers: Path of the list of blocks inside the encoder.
        embeddings: Path of the word vectors inside the encoder.
        has_bias: Whether linear layers and norms have biases.
        is_gated: Whether the feed-forward has a gate.
        attention: Implementation of attention.
        options: Arguments of its class.
        head_dropout: Settings that hold the dropout of heads; the first that is set counts.
        sizes: Keys of its config.json, by the names of `BackboneShape`; tables that it lacks are left out.
    """

    model_type: str
    published: str
    adapter_class: str
    reserved_positions: int
    token_types: bool
    layers: str = "encoder.layer"
    embeddings: str = "embeddings.word_embeddings"
    has_bias: bool = True
    is_gated: bool = False
    attention: str = "sdpa"
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({"add_pooling_layer": False}))
    head_dropout: tuple[str, ...] = ("classifier_dropout", "hidden_dropout_prob")
    sizes: Mapping[str, str] = field(default_factory=lambda: _SIZES)

    def shape(self, config: Mapping[str, Any]) -> BackboneShape | None:
        """Return the shape that a config.json gives; None where it lacks a number."""
        numbers = {"positions": 0, "segments": 0}
        for name, key in self.sizes.items():
            value = config.get(key)
            if not isinstance(value, int) or value <= 0:
                return None
            numbers[name] = value
        return BackboneShape(**numbers, has_bias=self.has_bias, is_gated=self.is_gated)

    def longest(self, config: Mapping[str, Any]) -> int | None:
        """Return the most sub-tokens of a row that a config.json allows; None where it does not say."""
        positions = config.get("max_position_embeddings")
        return positions - self.reserved_positions if isinstance(positions, int) else None

    def blocks(self, encoder: Module) -> Module:
        """Return the list of blocks of an encoder."""
        return encoder.get_submodule(self.layers)

    def replace_blocks(self, encoder: Module, blocks: Module) -> None:
        """Give an encoder another list of blocks."""
        above, _, name = self.layers.rpartition(".")
        setattr(encoder.get_submodule(above), name, blocks)

    def word_vectors(self, encoder: Module) -> Module:
        """Return the table of word vectors of an encoder."""
        return encoder.get_submodule(self.embeddings)


# XLM-R counts positions from padding id + 1.
XLM_R = Architecture("xlm-roberta", "FacebookAI/xlm-roberta", "XLMRobertaAdapterModel", 2, token_types=False)

ARCHITECTURES: dict[str, Architecture] = {row.model_type: row for row in (XLM_R,)}


def architecture_of(config: object, path: Path | None = None) -> Architecture:
    """Return the row of a backbone.

    Args:
        config: Its config.json, read or as Hugging Face's class.
        path: File to name in an error.

    Raises:
        CheckpointError: If there is no row for its model type.
    """
    found = config.get("model_type") if isinstance(config, Mapping) else getattr(config, "model_type", None)
    if found not in ARCHITECTURES:
        raise CheckpointError(f"model_type '{found}' is not supported", path=path, allowed=tuple(ARCHITECTURES))
    return ARCHITECTURES[str(found)]
