"""Comparison of a backbone's weights with the encoder that its config.json describes, before any weight is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import number_text, shown
from adaptstilts.models.architecture import architecture_of
from adaptstilts.models.safetensors_files import check_numbers, is_same_tensor, shape_text, tensors_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from adaptstilts.models.safetensors_files import TensorHeader

_LEFT_OVER = ("position_ids", "token_type_ids", "inv_freq")
"""Ends of names of tables that older versions of transformers saved and newer ones compute."""
_LEGACY = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
"""Ends of names in checkpoints that come from TensorFlow, which transformers reads."""


def check_fit(encoder: PreTrainedModel, files: Iterable[Path], location: str) -> None:
    """Check that weight files hold every tensor of an encoder, in its shape and as numbers that can be trained.

    They may hold a head or a decoder as well, but nothing more beside the tensors of its blocks.

    Args:
        encoder: The encoder, on the meta device.
        files: Safetensors files.
        location: What to name in an error.

    Raises:
        CheckpointError: If tensors are missing or there twice, have other shapes or types, or would be left out.
    """
    files = tuple(files)
    found = tensors_of(files)
    named = _named(encoder, found, location)
    wrong = list(_misfits(encoder, named, found))
    if wrong:
        raise CheckpointError(
            f"the weights lack or misfit {number_text(len(wrong), 'tensor')} of the encoder, the first is {wrong[0]}",
            path=location,
            hint="Use the config.json that was saved with the weights.",
        )
    more = sorted(_left_out(encoder, named))
    if more:
        raise CheckpointError(
            f"the weights hold {number_text(len(more), 'tensor')} for which the encoder of its config.json has no "
            f"place, the first is {shown(more[0])}",
            path=location,
            value=more[0],
            hint="Use the config.json that was saved with the weights; merge adapters and LoRA into them first.",
        )
    _check_tied(encoder, named, files, location)


def check_values(encoder: PreTrainedModel, files: Collection[Path], location: str) -> None:
    """Check that the numbers of an encoder in weight files that fit it are finite.

    Raises:
        CheckpointError: If one is not.
    """
    named = _named(encoder, tensors_of(files), location)
    check_numbers(files, {named[name] for names in _tied(encoder) for name in names if name in named})


def _named(encoder: PreTrainedModel, found: Iterable[str], location: str) -> dict[str, str]:
    """Find the tensors of weight files that stand in an encoder, which may be a part of the model that was saved.

    Args:
        found: Names in the files.
        location: What to name in an error.

    Returns:
        Name in the encoder, or that it would have there -> name in the files.

    Raises:
        CheckpointError: If two of them would be one tensor of the encoder.
    """
    prefix, found = encoder.base_model_prefix, tuple(found)
    is_part = bool(prefix) and not hasattr(encoder, prefix) and any(name.startswith(prefix) for name in found)
    own = {name for name, _ in encoder.named_parameters(remove_duplicate=False)}
    named: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name in found:
        end = next((end for end in _LEGACY if name.endswith(end)), None)
        modern = name if end is None else name.removesuffix(end) + _LEGACY[end]
        short = modern.removeprefix(f"{prefix}.") if is_part else modern
        if short in own and origins.setdefault(short, name) != name:
            raise _twice(location, short, origins[short], name)
        if not is_part or short != modern:
            named[short] = name
    return named


def _misfits(encoder: PreTrainedModel, named: Mapping[str, str], found: Mapping[str, TensorHeader]) -> Iterator[str]:
    for names in _tied(encoder):
        there = [name for name in names if name in named]
        if not there and not names[0].startswith("pooler."):
            yield f"'{names[0]}'"
        for name in there:
            wanted, header = tuple(encoder.get_parameter(name).shape), found[named[name]]
            if header.shape != wanted:
                yield f"'{name}', of shape {shape_text(header.shape)} instead of {shape_text(wanted)}"
            elif not header.is_floating:
                yield f"'{name}', of type {shown(header.dtype)}, which is not a floating-point type"


def _left_out(encoder: PreTrainedModel, named: Iterable[str]) -> Iterator[str]:
    """Name the tensors beside those of the blocks that the encoder has no place for, such as further blocks."""
    start = architecture_of(encoder.config).blocks_path.partition(".")[0] + "."
    own = {name for name, _ in encoder.named_parameters(remove_duplicate=False)}
    own.update(name for name, _ in encoder.named_buffers())
    for name in named:
        if name.startswith(start) and name not in own and not name.endswith(_LEFT_OVER):
            yield name


def _check_tied(encoder: PreTrainedModel, named: Mapping[str, str], files: Collection[Path], location: str) -> None:
    """Check that what stands in the files under two names, though it is one tensor of the encoder, is the same."""
    for names in _tied(encoder):
        first, *others = [named[name] for name in names if name in named] or [""]
        for other in others:
            if not is_same_tensor(files, first, other):
                raise _twice(location, names[0], first, other)


def _tied(encoder: PreTrainedModel) -> Iterable[list[str]]:
    """Return the names of each parameter."""
    tied: dict[int, list[str]] = defaultdict(list)
    for name, parameter in encoder.named_parameters(remove_duplicate=False):
        tied[id(parameter)].append(name)
    return tied.values()


def _twice(location: str, name: str, first: str, second: str) -> CheckpointError:
    return CheckpointError(
        f"the weights hold '{name}' twice, as {shown(first)} and as {shown(second)}",
        path=location,
        value=second,
        hint="Save the backbone again.",
    )
