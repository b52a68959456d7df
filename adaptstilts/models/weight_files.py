"""Checks of a backbone's weight files before a library opens them: safetensors in the folder itself. Free of torch."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import scaled, shown, size_text
from adaptstilts.models.safetensors_files import read_header
from adaptstilts.models.strict_json import read_json, shown_key

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"
PICKLE_INDEX = "pytorch_model.bin.index.json"
_MOST_INDEX_BYTES = 64 * 2**20


def weight_files(folder: Path) -> tuple[Path, ...]:
    """List the safetensors files of a backbone's folder, shards in order of their names, after checking them.

    Raises:
        CheckpointError: If there are none, only a pickle, or the index names something that is not a safetensors file
            of the folder, or another file for a tensor than the one that holds it.
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
    headers = {file.name: read_header(file) for file in files}
    if not single.exists():
        _check_index(index, headers)
    return files


def _check_index(index: Path, headers: Mapping[str, Iterable[str]]) -> None:
    """Check that the shards hold what the index says, by which a library finds some tensors and overlooks others."""
    record, hint = read_json(index, _MOST_INDEX_BYTES), "Save the backbone again with save_pretrained."
    if not isinstance(record.get("metadata"), dict):
        found = shown(record.get("metadata"))
        raise CheckpointError(f"{found} is refused: it must be an object", path=index, key="metadata", hint=hint)
    for file, names in headers.items():
        for name in names:
            stated = record["weight_map"].get(name)
            if stated != file:
                by_index = "it does not name it" if stated is None else f"it says {shown(stated)}"
                problem = f"{shown(name)} stands in {shown(file)}, and {by_index}"
                raise CheckpointError(problem, path=index, key="weight_map", value=stated, hint=hint)


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
                value=name,
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
        CheckpointError: If they are not.
    """
    found = sum(file.stat().st_size for file in files)
    if parameters > found:
        raise CheckpointError(
            f"its sizes make {scaled(parameters)} parameters, but the weights are only {size_text(found)}",
            path=path,
            value=parameters,
            hint="Use the config.json that was saved with the weights.",
        )
