"""Stand-ins that many tests share: a small real tokenizer, and the folder of real data where there is one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from backbones import save_backbone

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

pytest_plugins = ["task_files"]

# Written for the tests: short sentences in five scripts, so that the pieces are whole words in some and single
# characters in others.
TEXT = """
The teacher opened the old library in the morning and read a long letter to the children.
Nobody knew where the river ended, but the farmer followed it for nine days.
Who bought the red bicycle in Berlin? Anna bought it from her friend on Friday.
The doctor did not sleep because the train was slow and the night was cold.
Is it true that the company sold its three boats in 1987? Yes, for 4,500 dollars.
Der Lehrer öffnete am Morgen die alte Bücherei und las den Kindern einen langen Brief vor.
Die Ärztin schläft nicht, weil der Zug langsam und die Nacht kalt ist.
Учитель открыл старую библиотеку утром и прочитал детям длинное письмо.
Никто не знал, где кончается река, но фермер шёл вдоль неё девять дней.
शिक्षक ने सुबह पुराना पुस्तकालय खोला और बच्चों को एक लंबा पत्र पढ़ा।
किसान नौ दिनों तक नदी के किनारे चलता रहा, पर नदी कहाँ समाप्त होती है यह किसी को नहीं पता था।
老师早上打开了旧图书馆，给孩子们读了一封很长的信。
没有人知道河流在哪里结束，但是农夫沿着河走了九天。
安娜星期五在北京从朋友那里买了一辆红色的自行车。
فتح المعلم المكتبة القديمة في الصباح وقرأ رسالة طويلة للأطفال.
"""


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerFast:
    """An XLM-R tokenizer of 450 pieces, trained by SentencePiece on the lines above."""
    import sentencepiece
    from transformers import XLMRobertaTokenizerFast

    path = tmp_path_factory.mktemp("tokenizer") / "sentencepiece.bpe.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXT.strip().splitlines()),
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
