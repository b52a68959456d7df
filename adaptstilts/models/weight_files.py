"""Checks of a backbone's weight files before a library opens them: safetensors in the folder itself. Free of torch."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import scaled, size_text
from adaptstilts.models.strict_json import read_json, shown, shown_key

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"
PICKLE_INDEX = "pytorch_model.bin.index.json"
_MOST_INDEX_BYTES = 64 * 2**20
_MOST_HEADER_BYTES = 100_000_000
"""Limit of the safetensors library."""
_FORMATS = (None, "pt", "mlx")
"""Formats of safetensors that transformers reads with PyTorch; for others it would import TensorFlow or JAX."""


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
        """Whether the numbers are floating-point ones."""
        return self.dtype.startswith(("F", "BF"))


def tensors_of(files: Iterable[Path]) -> dict[str, TensorHeader]:
    """Read the headers of safetensors files that `weight_files` has checked: every tensor by its name.

    Raises:
        CheckpointError: If a header is damaged.
    """
    found: dict[str, TensorHeader] = {}
    for file in files:
        for name, entry in _header(file)[1].items():
            if name == "__metadata__":
                continue
            try:
                found[name] = TensorHeader(str(entry["dtype"]), tuple(map(int, entry["shape"])))
            except (TypeError, KeyError, ValueError) as error:
                problem = f"the weights are damaged: the header does not describe {shown(name)}"
                raise CheckpointError(problem, path=file, hint="Save the backbone again.") from error
    return found


def weight_files(folder: Path) -> tuple[Path, ...]:
    """List the safetensors files of a backbone's folder, shards in order of their names, after checking them.

    Raises:
        CheckpointError: If there are none, only a pickle, or the index names something that is not a safetensors file
            of the folder.
    """
    single, index = folder / WEIGHTS, folder / INDEX
    if single.exists():
        files: tuple[Path, ...] = (single,)
    elif index.exists():
        files = tuple(folder / name for name in shard_names(index, ".safetensors"))
    else:
        refuse_pickle(folder, (name for name in (PICKLE, PICKLE_INDEX) if (folder / name).exists()), str(folder))
        raise CheckpointError("the backbone folder has no weights", path=folder, allowed=(WEIGHTS, INDEX))
    for file in files:
        if not file.is_file():
            raise CheckpointError("is not a file", path=file, hint="Save the backbone again with save_pretrained.")
        _check_header(file)
    return files


def refuse_pickle(where: Path | str, pickles: Iterable[str], source: str) -> None:
    """Raise an error that says how to convert pickled weights, if there are any.

    Args:
        pickles: Names of files with pickled weights.
        source: Folder or hub id, as ``adaptstilts convert`` takes it.
    """
    found = next(iter(pickles), None)
    if found is not None:
        command = f"adaptstilts convert {shlex.quote(str(source))} --to FOLDER"
        raise CheckpointError(
            f"holds only a pickle, {found}; pickles can run code, and are not read",
            path=where,
            value=found,
            allowed=(WEIGHTS, INDEX),
            hint=f"Write safetensors: {command}, then set backbone=FOLDER (in Python: convert_backbone).",
        )


def shard_names(index: Path, suffix: str, names_there: Iterable[str] | None = None) -> tuple[str, ...]:
    """Read the names of the shards from an index of weights, in order, and check that they are in its folder.

    Args:
        suffix: What each name must end with.
        names_there: Names of the files beside the index; None to look in its folder.

    Raises:
        CheckpointError: If a name leads out of the folder, or there is no such file.
    """
    mapping = read_json(index, _MOST_INDEX_BYTES).get("weight_map")
    if not isinstance(mapping, dict) or not mapping:
        raise CheckpointError("names no weights", path=index, key="weight_map", hint="Save the backbone again.")
    for key, name in mapping.items():
        place = f"weight_map.{shown_key(key)}"
        if not isinstance(name, str) or Path(name).name != name or "\\" in name or not name.endswith(suffix):
            raise CheckpointError(
                f"{shown(name)} is refused: it must be the name of a {suffix} file in the same folder",
                path=index,
                key=place,
                value=shown(name),
                hint="Save the backbone again with save_pretrained.",
            )
    names = tuple(sorted(set(mapping.values())))
    for name in names:
        _check_beside(index, name, names_there)
    return names


def _check_beside(index: Path, name: str, names_there: Iterable[str] | None) -> None:
    if name not in names_there if names_there is not None else not (index.parent / name).is_file():
        raise CheckpointError(
            f"there is no {shown(name)} beside it", path=index, key="weight_map", value=name, hint="Copy it as well."
        )
    if names_there is None:
        folder, target = index.parent.resolve(), (index.parent / name).resolve()
        # A snapshot of the hub's cache is a folder of links to files below ``blobs``.
        if target.parent not in {folder, folder.parent.parent / "blobs"}:
            raise CheckpointError(
                f"{shown(name)} is refused: it is a link to a file outside the folder",
                path=index,
                key="weight_map",
                value=name,
                hint="Copy the file into the folder.",
            )


def check_sizes(parameters: int, files: Iterable[Path], path: Path) -> None:
    """Check that weight files are large enough for a config.json, before memory is reserved for what it claims.

    Args:
        parameters: Parameters of the encoder by its config.json; each takes one byte or more.
        path: The config.json.

    Raises:
        CheckpointError: If they are not, or are no safetensors.
    """
    files = tuple(files)
    for file in files:
        if not _header(file)[1]:
            raise CheckpointError(
                "the weights are damaged: they have no header of safetensors",
                path=file,
                hint="Save the backbone again.",
            )
    found = sum(file.stat().st_size for file in files)
    if parameters > found:
        raise CheckpointError(
            f"its sizes make {scaled(parameters)} parameters, but the weights are only {size_text(found)}",
            path=path,
            value=parameters,
            hint="Use the config.json that was saved with the weights.",
        )


def _check_header(path: Path) -> None:
    """Check that a safetensors file is whole and was written by PyTorch; a damaged header is left to the library."""
    size = path.stat().st_size
    length, header = _header(path)
    if not header:
        return
    try:
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        needed = 8 + length + max(ends, default=0)
    except (TypeError, KeyError, IndexError):
        needed = size + 1
    if needed != size:
        problem = f"the weights are damaged: they have {size:,} bytes of {needed:,}"
        raise CheckpointError(problem, path=path, hint="Save the backbone again.")
    metadata = header.get("__metadata__")
    stated = metadata.get("format") if isinstance(metadata, dict) else None
    if stated not in _FORMATS:
        raise CheckpointError(
            f"{shown(stated)} is refused: transformers would load it with another library",
            path=path,
            key="__metadata__.format",
            value=shown(stated),
            allowed=_FORMATS[1:],
            hint="Save the backbone again with PyTorch.",
        )


def _header(path: Path) -> tuple[int, dict[str, Any]]:
    """Read the length of a safetensors file's header, and the header; empty if it is not a JSON object."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(path.stat().st_size, _MOST_HEADER_BYTES):
            return length, {}
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError):
            return length, {}
    return length, header if isinstance(header, dict) else {}
