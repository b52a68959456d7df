"""Safetensors files, checked before a library opens them: their headers and, where asked for, their numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import CheckpointError
from adaptstilts.files import BEGINNING, cause_of, check_file
from adaptstilts.formatting import number_text, shown, system_reason
from adaptstilts.models.strict_json import parse_json, shown_key

if TYPE_CHECKING:
    from torch import Tensor

_MOST_HEADER_BYTES = 16 * 2**20
"""Far more than any model has; the library reads up to 100 MB."""
_FORMATS = (None, "pt", "mlx")
"""Formats of safetensors that transformers reads with PyTorch; for others it would import TensorFlow or JAX."""
_ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}
_FLOATING = frozenset({"F16", "BF16", "F32", "F64"})
_HINT = "Save it again, or get it again."
_AT_ONCE = 2**22


@dataclass(frozen=True)
class TensorHeader:
    """What a safetensors file says of a tensor before its numbers.

    Attributes:
        dtype: Name of the type, such as ``F16``.
    """

    dtype: str
    shape: tuple[int, ...]

    @property
    def is_floating(self) -> bool:
        """Whether the numbers are floating-point ones that PyTorch computes with; those of 8 bits are not."""
        return self.dtype in _FLOATING


def read_header(path: Path) -> dict[str, TensorHeader]:
    """Read and check the header of a safetensors file: every tensor by its name.

    Raises:
        CheckpointError: If it is no such file, is not whole, describes a tensor that does not fit its bytes, or was
            not written for PyTorch.
    """
    check_file(path, CheckpointError, _HINT)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(size - 8, _MOST_HEADER_BYTES) or length < 2:
                file.seek(0)
                raise _no_weights(path, file.read(BEGINNING))
            content = file.read(length)
    except FileNotFoundError as error:
        raise CheckpointError("there is no such file", path=path, hint=_HINT) from error
    except OSError as error:
        raise CheckpointError(f"cannot be read: {system_reason(error)}", path=path, hint=_HINT) from error
    entries = parse_json(content, path, _HINT)
    _check_metadata(path, entries.pop("__metadata__", None))
    found = {name: _tensor(path, name, entry) for name, entry in entries.items()}
    end = 0
    for name, entry in sorted(entries.items(), key=lambda item: tuple(item[1]["data_offsets"])):
        first, last = entry["data_offsets"]
        if first != end:
            raise _damaged(path, f"{shown_key(name)} begins at byte {first:,}, the one before it ends at {end:,}")
        end = last
    if 8 + length + end != size:
        raise _damaged(path, f"they have {size:,} bytes of {8 + length + end:,}")
    return found


def tensors_of(files: Iterable[Path]) -> dict[str, TensorHeader]:
    """Read the headers of several safetensors files: every tensor by its name.

    Raises:
        CheckpointError: See `read_header`.
    """
    return {name: header for file in files for name, header in read_header(file).items()}


def check_tensors(wanted: Mapping[str, Sequence[int]], path: Path, what: str, hint: str) -> None:
    """Check that a safetensors file holds exactly some tensors, in their shapes and as floating-point numbers.

    Args:
        wanted: Shapes by name.
        what: What the file holds and for what, such as ``the head does not fit the backbone``.
        hint: What to do about it.

    Raises:
        CheckpointError: If tensors are missing or more than that, or have other shapes or types.
    """
    found = read_header(path)
    missing, unexpected = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or unexpected:
        problem = f"{what}: {number_text(len(missing), 'tensor')} missing, {len(unexpected)} unexpected, the first is"
        raise CheckpointError(f"{problem} {shown([*missing, *unexpected][0])}", path=path, hint=hint)
    for name, shape in wanted.items():
        if found[name].shape != tuple(shape):
            sizes = f"of shape {shape_text(found[name].shape)} instead of {shape_text(shape)}"
            raise CheckpointError(f"{what}: '{name}' is {sizes}", path=path, hint=hint)
        if not found[name].is_floating:
            problem = f"{what}: '{name}' is of type {found[name].dtype}, which is not a floating-point type"
            raise CheckpointError(problem, path=path, hint=hint)


def shape_text(sizes: Iterable[int]) -> str:
    """Return a shape as text: ``50 x 16``."""
    return " x ".join(map(str, sizes)) or "one number"


def check_finite(tensors: Mapping[str, Tensor], path: Path | str) -> None:
    """Check that tensors hold finite numbers in single precision, with which alone anything can be computed.

    Args:
        path: What to name in an error.

    Raises:
        CheckpointError: If one has a number that is infinite or none.
    """
    for name, tensor in tensors.items():
        if not _is_finite(tensor):
            raise CheckpointError(
                f"the weights are damaged: '{name}' has numbers that are infinite or none (NaN)",
                path=path,
                value=name,
                hint="Use weights from before the training that spoilt them, or get them again.",
            )


def check_numbers(files: Iterable[Path], names: Collection[str]) -> None:
    """Check that tensors of checked safetensors files hold finite numbers, one of them in memory at a time.

    Raises:
        CheckpointError: See `check_finite`.
    """
    for path in files:
        for name in read_header(path).keys() & names:
            check_finite({name: _read(path, name)}, path)


def is_same_tensor(files: Iterable[Path], first: str, second: str) -> bool:
    """Say whether two tensors of checked safetensors files hold the same numbers."""
    import torch  # noqa: PLC0415

    places = {name: path for path in files for name in read_header(path)}
    return torch.equal(_read(places[first], first), _read(places[second], second))


def _read(path: Path, name: str) -> Tensor:
    from safetensors import safe_open  # noqa: PLC0415

    with safe_open(path, framework="pt") as file:
        tensor: Tensor = file.get_tensor(name)
    return tensor


def _is_finite(tensor: Tensor) -> bool:
    import torch  # noqa: PLC0415

    if not tensor.is_floating_point():
        return True
    parts = tensor.detach().reshape(-1).split(_AT_ONCE)  # type: ignore[no-untyped-call]
    return all(bool(torch.isfinite(part.float()).all()) for part in parts)


def _tensor(path: Path, name: str, entry: Any) -> TensorHeader:  # noqa: ANN401 - what somebody wrote
    place = shown_key(name)
    try:
        dtype, shape, (first, last) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    except (TypeError, KeyError, ValueError) as error:
        raise _damaged(path, f"the header does not describe {place}") from error
    if not all(type(number) is int and number >= 0 for number in (*shape, first, last)):
        raise _damaged(path, f"the header does not describe {place}")
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise _damaged(path, f"{place} is of an unknown type, {shown(dtype)}")
    if last - first != math.prod(shape) * _ITEM_BYTES[dtype]:
        raise _damaged(
            path, f"{place}, {shape_text(shape[:8])} of type {dtype}, does not fit its {last - first:,} bytes"
        )
    return TensorHeader(dtype, shape)


def _check_metadata(path: Path, metadata: object) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _damaged(path, "their __metadata__ are no texts")
    stated = metadata.get("format")
    if stated not in _FORMATS:
        raise CheckpointError(
            f"{shown(stated)} is refused: transformers would load it with another library",
            path=path,
            key="__metadata__.format",
            value=stated,
            allowed=_FORMATS[1:],
            hint="Save the backbone again with PyTorch.",
        )


def _no_weights(path: Path, first_bytes: bytes) -> CheckpointError:
    """Return the error for a file without a header: what it really is, where that is known."""
    cause = cause_of(first_bytes, has_lines=False, is_text=False)
    if cause is None:
        return _damaged(path, "they have no header of safetensors")
    return CheckpointError(cause, path=path)


def _damaged(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(f"the weights are damaged: {problem}", path=path, hint=_HINT)
