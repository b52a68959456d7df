"""Small random encoders of every type in the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

VOCABULARY = 50
POSITIONS = 160

# Arguments of the configuration by type, for an encoder `width` wide.
_OPTIONS: dict[str, dict[str, Any]] = {
    "xlm-roberta": {"type_vocab_size": 1, "pad_token_id": 1},
    "xlm-roberta-xl": {"type_vocab_size": 1, "pad_token_id": 1},
    "bert": {},
    "deberta-v2": {
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
    },
    "modernbert": {
        "pad_token_id": 0,
        "bos_token_id": 2,
        "cls_token_id": 2,
        "eos_token_id": 1,
        "sep_token_id": 1,
        "global_attn_every_n_layers": 3,
        "local_attention": 16,
    },
    "mt5": {"d_kv": 16},
    "umt5": {"d_kv": 16},
}
TYPES = tuple(_OPTIONS)
LAYERS = 3


def config_of(model_type: str, *, width: int = 32, layers: int = LAYERS, vocabulary: int = VOCABULARY, **more: Any):
    """Configuration of a small encoder of a type."""
    from transformers import AutoConfig

    options = {"vocab_size": vocabulary, **_OPTIONS[model_type], **more}
    if model_type.endswith("t5"):
        sizes = {"d_model": width, "num_layers": layers, "num_heads": 2, "d_ff": 2 * width}
    else:
        sizes = {
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "intermediate_size": 2 * width,
            "max_position_embeddings": POSITIONS,
        }
    return AutoConfig.for_model(model_type, **{**sizes, **options})


def save_type(folder: Path, model_type: str, **sizes: Any) -> Path:
    """Save a small random encoder of a type in Hugging Face's format; return the folder."""
    import transformers

    from adaptstilts.models.architecture import ARCHITECTURES

    torch.manual_seed(0)
    model_class = getattr(transformers, ARCHITECTURES[model_type].auto_class)
    model = model_class.from_config(config_of(model_type, **sizes))
    with torch.no_grad():
        for weight in model.parameters():  # far from the usual start, so that wrong layers show
            if weight.dim() > 1:
                weight.normal_(std=0.2)
    model.save_pretrained(folder)
    return folder
