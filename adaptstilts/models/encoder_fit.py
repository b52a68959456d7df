"""Comparison of a backbone's weights with the encoder that its config.json describes, before any weight is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import number_text, shown
from adaptstilts.models.safetensors_files import shape_text, tensors_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from adaptstilts.models.safetensors_files import TensorHeader

_LEGACY = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
"""Ends of names in checkpoints that come from TensorFlow, which transformers reads."""


def check_fit(encoder: PreTrainedModel, files: Iterable[Path], location: str) -> None:
    """Check that weight files hold every tensor of an encoder, in its shape and as numbers that can be trained.

    Args:
        encoder: The encoder, on the meta device.
        files: Safetensors files.
        location: What to name in an error.

    Raises:
        CheckpointError: If tensors are missing or there twice, or have other shapes or types.
    """
    wrong = list(_misfits(encoder, _by_name(encoder, tensors_of(files), location)))
    if wrong:
        raise CheckpointError(
            f"the weights lack or misfit {number_text(len(wrong), 'tensor')} of the encoder, the first is {wrong[0]}",
            path=location,
            hint="Use the config.json that was saved with the weights.",
        )


def _by_name(encoder: PreTrainedModel, found: Mapping[str, TensorHeader], location: str) -> dict[str, TensorHeader]:
    """Name tensors as the encoder does, which may be a part of the model that was saved.

    Raises:
        CheckpointError: If two of them would be one tensor of the encoder.
    """
    prefix = encoder.base_model_prefix
    is_part = bool(prefix) and not hasattr(encoder, prefix) and any(name.startswith(prefix) for name in found)
    own = {name for name, _ in encoder.named_parameters(remove_duplicate=False)}
    named: dict[str, TensorHeader] = {}
    origins: dict[str, str] = {}
    for name, header in found.items():
        end = next((end for end in _LEGACY if name.endswith(end)), None)
        modern = name if end is None else name.removesuffix(end) + _LEGACY[end]
        short = modern.removeprefix(f"{prefix}.") if is_part else modern
        if short in own and origins.setdefault(short, name) != name:
            raise CheckpointError(
                f"the weights hold '{short}' twice, as {shown(origins[short])} and as {shown(name)}",
                path=location,
                value=name,
                hint="Save the backbone again.",
            )
        if not is_part or short != modern:
            named[short] = header
    return named


def _misfits(encoder: PreTrainedModel, found: Mapping[str, TensorHeader]) -> Iterator[str]:
    tied: dict[int, list[str]] = defaultdict(list)
    for name, parameter in encoder.named_parameters(remove_duplicate=False):
        tied[id(parameter)].append(name)
    for names in tied.values():
        there = [name for name in names if name in found]
        if not there and not names[0].startswith("pooler."):
            yield f"'{names[0]}'"
        for name in there:
            wanted, header = tuple(encoder.get_parameter(name).shape), found[name]
            if header.shape != wanted:
                yield f"'{name}', of shape {shape_text(header.shape)} instead of {shape_text(wanted)}"
            elif not header.is_floating:
                yield f"'{name}', of type {shown(header.dtype)}, which is not a floating-point type"
