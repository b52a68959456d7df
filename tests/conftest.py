"""Stand-ins that many tests share: a small real tokenizer, and the folder of real data where there is one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backbones import save_backbone
from tokenizers_tiny import LINES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

pytest_plugins = ["task_files"]


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    """An XLM-R tokenizer of 450 pieces, trained by SentencePiece on a few sentences."""
    import sentencepiece
    from transformers import XLMRobertaTokenizerFast

    path = tmp_path_factory.mktemp("tokenizer") / "sentencepiece.bpe.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(LINES),
            model_writer=file,
            vocab_size=450,
            model_type="unigram",
            character_coverage=1.0,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    return XLMRobertaTokenizerFast(vocab_file=str(path))


@pytest.fixture(scope="session")
def shared_root() -> Path:
    """The folder of shared material, with ``data`` and ``parity`` in it."""
    value = os.environ.get("ADAPTSTILTS_SHARED")
    if not value:
        pytest.skip("reads real data: set ADAPTSTILTS_SHARED to the folder that holds data/ and parity/")
    return Path(value)


@pytest.fixture(scope="session")
def tiny_encoder_folder(tmp_path_factory):
    """A three-layer XLM-R encoder, 32 wide, random, saved in Hugging Face's format."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=120,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
        type_vocab_size=1,
        initializer_range=0.2,
    )
    folder = tmp_path_factory.mktemp("encoder")
    XLMRobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def small_backbone(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A two-layer encoder, 16 wide, random, with its tokenizer."""
    return save_backbone(tmp_path_factory.mktemp("backbone"), tiny_tokenizer, width=16, positions=514, spread=0.3)
