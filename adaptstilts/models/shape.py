"""Shapes of backbones, from which their parameters, tensors and operations are counted. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackboneShape:
    """Dimensions of an encoder without pooler.

    Attributes:
        layers: Number of transformer blocks.
        width: Width of the token vectors.
        inner: Inner width of the feed-forward layers.
        heads: Attention heads per block.
        vocabulary: Number of sub-tokens.
        positions: Rows of the position table, reserved ones included; 0 without such a table.
        segments: Rows of the segment table; 0 without such a table.
        has_bias: Whether linear layers have biases.
        is_gated: Whether the feed-forward layers have a gate, which is a third matrix.
        attention_width: Width of queries, keys and values of all heads together; 0 if it is that of the token vectors.
        has_norm_bias: Whether norms have biases.
        norms: Norms in the whole encoder; -1 for one over the embeddings and two in each block.
        other_parameters: Parameters outside the blocks that are in no table or norm above, such as relative positions.
        block_parameters_more: Parameters of each block that are in no projection or norm, such as relative positions.
        tensors_per_block: Tensors of each block in a checkpoint.
        tensors_outside: Tensors outside the blocks, less those that the first block lacks.
        relative_rows: Relative positions that queries and keys are compared with (DeBERTa); 0 for none.
        relative_terms: Comparisons with relative positions: 2 if both queries and keys are compared.
        kept_scores: Matrices of attention scores that each head keeps for the backward pass; 0 if a kernel computes
            attention without keeping them.
        kept_inner: Values as wide as the feed-forward layers that a block that trains keeps in addition, per sub-token
            (T5's activation is computed in several steps).
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
    attention_width: int = 0
    has_norm_bias: bool = True
    norms: int = -1
    other_parameters: int = 0
    block_parameters_more: int = 0
    tensors_per_block: int = 16
    tensors_outside: int = 5
    relative_rows: int = 0
    relative_terms: int = 0
    kept_scores: float = 0.0
    kept_inner: float = 0.0

    @property
    def projected(self) -> int:
        """Width of queries, keys and values of all heads together."""
        return self.attention_width or self.width

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the word, position and segment tables, and of everything else outside the blocks."""
        tables = (self.vocabulary + self.positions + self.segments) * self.width
        outer_norms = 1 if self.norms < 0 else self.norms - 2 * self.layers
        return tables + outer_norms * self._norm_parameters + self.other_parameters

    @property
    def block_parameters(self) -> int:
        """Parameters of one block: four projections, the feed-forward matrices, two norms."""
        attention = 4 * self.width * self.projected
        feed_forward = (3 if self.is_gated else 2) * self.width * self.inner
        biases = 3 * self.projected + 2 * self.width + (2 if self.is_gated else 1) * self.inner
        linear = attention + feed_forward + (biases if self.has_bias else 0)
        return linear + 2 * self._norm_parameters + self.block_parameters_more

    @property
    def linear_flops(self) -> float:
        """Operations of one block's projections and feed-forward layers on one sub-token; a multiply-add is two."""
        return 8.0 * self.width * self.projected + self.feed_forward_flops

    @property
    def feed_forward_flops(self) -> float:
        """Operations of one block's feed-forward layers on one sub-token; a multiply-add is two."""
        return (6.0 if self.is_gated else 4.0) * self.width * self.inner

    def attention_flops(self, tokens: float) -> float:
        """Count the operations of one block's attention among the sub-tokens of a sequence."""
        return 4.0 * tokens * tokens * self.projected

    def relative_flops(self, tokens: float) -> float:
        """Count the operations of one block that compare a sequence's sub-tokens with relative positions."""
        return 2.0 * self.relative_terms * tokens * self.relative_rows * self.projected

    def relative_projection_flops(self) -> float:
        """Count the operations of one block that project relative positions, once for a batch."""
        return 2.0 * self.relative_terms * self.relative_rows * self.width * self.projected

    @property
    def _norm_parameters(self) -> int:
        return (2 if self.has_norm_bias else 1) * self.width

    @property
    def parameters(self) -> int:
        """Parameters of the whole encoder."""
        return self.embedding_parameters + self.layers * self.block_parameters

    @property
    def tensors(self) -> int:
        """Tensors in a checkpoint."""
        return self.tensors_outside + self.tensors_per_block * self.layers
