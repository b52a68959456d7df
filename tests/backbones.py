"""A backbone small enough to be made for a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def save_backbone(
    folder: Path, tokenizer: PreTrainedTokenizerFast, *, width: int, positions: int, spread: float = 0.02
) -> Path:
    """Save a two-layer XLM-R with random weights and its tokenizer in Hugging Face's format; return the folder."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * width,
        max_position_embeddings=positions,
        type_vocab_size=1,
        initializer_range=spread,
    )
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
