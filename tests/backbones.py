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


def save_attached(folder: Path, encoder: Path) -> dict[str, Path]:
    """Save an adapter, a fusion layer over two adapters and a head; return their folders."""
    from adaptstilts.config.schema import AdapterSection, FusionSection
    from adaptstilts.models.adapters import AdapterHost
    from adaptstilts.models.backbone import load_encoder
    from adaptstilts.models.heads import HeadSpec, new_head, save_head
    from adaptstilts.tasks.spec import Kind

    host = AdapterHost(load_encoder(str(encoder)))
    for name in ("one", "two"):
        host.add(name, AdapterSection(reduction_factor=4), seed=0, identity=False)
    host.add_fusion("fusion_both", ["one", "two"], FusionSection(), seed=0)
    host.save("one", folder / "adapter")
    host.save("fusion_both", folder / "fusion")
    head = new_head(HeadSpec(Kind.CLASSIFY, 2, ("a", "b")), 16, 0.0, seed=0)
    save_head(head, "one", folder / "head", host.encoder.config)
    return {kind: folder / kind for kind in ("adapter", "fusion", "head")}
