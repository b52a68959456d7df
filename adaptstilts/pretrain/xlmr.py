"""XLM-R's classes, which pretraining makes on purpose: the model with random weights, its parts, and its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from adaptstilts.config.pretrain import ArchitectureSection
from adaptstilts.runtime import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

MaskedModel = Any
"""An XLM-R with the output layer of a masked language model; its methods are not typed."""


def build_model(architecture: ArchitectureSection, pieces: int, seed: int) -> MaskedModel:
    """Return an XLM-R with random weights and a tied output layer.

    Args:
        architecture: Its shape.
        pieces: Size of the vocabulary.
        seed: Seed of the weights.

    Returns:
        The model in training mode, in fp32.
    """
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM  # noqa: PLC0415

    torch.manual_seed(derive_seed(seed, "weights"))
    config = XLMRobertaConfig(  # type: ignore[no-untyped-call]
        vocab_size=pieces,
        hidden_size=architecture.width,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        intermediate_size=architecture.feed_forward,
        max_position_embeddings=architecture.positions,
        hidden_dropout_prob=architecture.dropout,
        attention_probs_dropout_prob=architecture.dropout,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    return XLMRobertaForMaskedLM._from_config(config, attn_implementation="sdpa").train()


def lower_layers(model: MaskedModel, layers: int) -> Any:  # noqa: ANN401 - not typed
    """Return an encoder that shares the embeddings and the first layers with the model.

    Args:
        model: The model.
        layers: How many layers.

    Returns:
        An encoder whose last hidden state is the model's hidden state of that layer.
    """
    from transformers import XLMRobertaModel  # noqa: PLC0415

    encoder = model.roberta
    with torch.device("meta"):
        shallow: Any = XLMRobertaModel(encoder.config, add_pooling_layer=False)  # type: ignore[no-untyped-call]
    shallow.embeddings = encoder.embeddings
    shallow.encoder.layer = nn.ModuleList(list(encoder.encoder.layer)[:layers])
    shallow.train(model.training)
    return shallow


def tokenizer_from_pieces(path: Path, max_length: int) -> PreTrainedTokenizerFast:
    """Return the fast tokenizer of a SentencePiece model.

    Args:
        path: The model's file.
        max_length: Most sub-tokens the backbone takes.
    """
    from transformers import XLMRobertaTokenizerFast  # noqa: PLC0415

    return XLMRobertaTokenizerFast(vocab_file=str(path), model_max_length=max_length)  # type: ignore[no-untyped-call]


def open_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer that was saved in a folder, which needs no config.json."""
    from transformers import XLMRobertaTokenizerFast  # noqa: PLC0415

    return XLMRobertaTokenizerFast.from_pretrained(str(folder))  # type: ignore[no-any-return]
