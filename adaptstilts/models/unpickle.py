"""A script that reads pickled weights and writes safetensors; `convert` runs it in a process of its own.

It imports nothing of this package, so that it runs with `python -I`. A pickle is outlined first: only the names that
weights need may occur in it, and every tensor must fit into the bytes that are there. Then torch's `weights_only`
loader reads it.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import pickletools
import reprlib
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

_MOST_PICKLE_BYTES = 64 * 2**20
_MOST_MEMO = 10**7
_ZIP = b"PK\x03\x04"
_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""Begin of files that torch before 1.6 wrote: its magic number as a pickle."""
_ITEM_BYTES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4,
    "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1,
}  # fmt: skip
_OTHER_IMPORTS = frozenset(
    {"STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "NEWOBJ", "NEWOBJ_EX", "BYTEARRAY8"}
)
_MEMO_WRITES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_FAULTS = (
    pickle.UnpicklingError, zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, TypeError, KeyError,
    IndexError, AttributeError, NotImplementedError, OverflowError, MemoryError, RecursionError,
)  # fmt: skip
_SPARE_BYTES = 2 * 2**30


class RefusedError(Exception):
    """A pickle that is not read."""


class _Storage(NamedTuple):
    key: str
    item_bytes: int
    items: int


class _Outlined(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _outlined(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _Outlined:
    return _Outlined(storage, offset, tuple(size), tuple(stride))


_NAMES: dict[str, Any] = {
    "collections OrderedDict": OrderedDict,
    "torch._utils _rebuild_tensor_v2": _outlined,
    "torch._utils _rebuild_parameter": lambda tensor, *_: tensor,
    **{f"torch {name}": size for name, size in _ITEM_BYTES.items()},
}
"""Names that the pickle of a `state_dict` contains, and what stands for them in its outline."""


class _Outline(pickle.Unpickler):
    """Reader of the sizes in a pickle that calls nothing of torch and allocates no tensor."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - stand-ins
        """Return the stand-in of a name."""
        return _NAMES[f"{module} {name}"]

    def persistent_load(self, identity: Any) -> _Storage:  # noqa: ANN401 - read from the pickle
        """Return the sizes of a storage."""
        kind, item_bytes, key, _, items, *view = identity
        is_storage = kind == "storage" and isinstance(item_bytes, int) and isinstance(key, str) and _is_count(items)
        if not is_storage or any(view):
            raise RefusedError(f"it refers to {_shown(identity)}, which is no storage of a tensor")
        return _Storage(key, item_bytes, items)


def check(path: Path) -> None:
    """Check a file of pickled weights without torch.

    Raises:
        RefusedError: If it is no such file, names code, or claims more than it holds.
    """
    with path.open("rb") as file:
        start = file.read(len(_LEGACY))
    if start.startswith(_ZIP):
        _check_zip(path)
    elif start == _LEGACY:
        _check_legacy(path)
    else:
        raise RefusedError("it is no file of PyTorch's, or it is cut off")


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {item.filename: item for item in archive.infolist()}
        packed = next((item for item in members.values() if item.compress_type != zipfile.ZIP_STORED), None)
        if packed is not None:
            raise RefusedError(f"its member {packed.filename!r} is compressed, which PyTorch never does")
        claimed = sum(item.file_size for item in archive.infolist())
        if claimed > path.stat().st_size or len(members) < len(archive.infolist()):
            raise RefusedError(f"its members claim {claimed:,} bytes, but it is {path.stat().st_size:,} bytes long")
        pickles = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1 or members[pickles[0]].file_size > _MOST_PICKLE_BYTES:
            raise RefusedError(f"it has {len(pickles)} pickles named data.pkl, or a very large one")
        root = pickles[0].partition("/")[0]
        if f"{root}/byteorder" in members and archive.read(f"{root}/byteorder").decode() != sys.byteorder:
            raise RefusedError("it was written on a machine of another byte order")
        loaded = _outline(io.BytesIO(archive.read(pickles[0])))
        prefix = f"{root}/data/"
        held = {name.removeprefix(prefix): item.file_size for name, item in members.items() if name.startswith(prefix)}
    for tensor in _tensors(loaded).values():
        storage = tensor.storage
        if storage.items * storage.item_bytes > held.get(storage.key, -1):
            raise RefusedError(
                f"a storage claims {storage.items * storage.item_bytes:,} bytes and holds {held.get(storage.key, 0):,}"
            )


def _check_legacy(path: Path) -> None:
    with path.open("rb") as file:
        _outline(file)  # the magic number
        version, system = _outline(file), _outline(file)
        if version != 1001 or not isinstance(system, dict) or system.get("little_endian") is not True:
            raise RefusedError("it was written by an unknown version of PyTorch")
        tensors = _tensors(_outline(file))
    storages = {tensor.storage for tensor in tensors.values()}
    claimed = sum(storage.items * storage.item_bytes for storage in storages)
    if claimed > path.stat().st_size:
        raise RefusedError(f"its tensors claim {claimed:,} bytes, but it is {path.stat().st_size:,} bytes long")


def _outline(file: IO[bytes]) -> object:
    """Read one pickle as an outline, after scanning its names; the file then stands behind it."""
    start = file.tell()
    for operation, argument, position in pickletools.genops(file):
        if position is not None and position - start > _MOST_PICKLE_BYTES:
            raise RefusedError(f"its pickle is longer than {_MOST_PICKLE_BYTES:,} bytes")
        if operation.name in _OTHER_IMPORTS:
            raise RefusedError(f"its pickle contains {operation.name}, which weights never need; it could run code")
        if operation.name == "GLOBAL" and argument not in _NAMES:
            raise RefusedError(f"its pickle names {str(argument).replace(' ', '.')[:80]!r}, which could run code")
        if operation.name in _MEMO_WRITES and int(argument or 0) > _MOST_MEMO:
            raise RefusedError("its pickle asks for a memo of extreme size")
    end = file.tell()
    file.seek(start)
    return _Outline(io.BytesIO(file.read(end - start))).load()


def _tensors(loaded: object) -> dict[str, _Outlined]:
    if not isinstance(loaded, dict) or not loaded:
        raise RefusedError("it holds no names with tensors (a state_dict)")
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, _Outlined):
            raise RefusedError(f"its entry {_shown(name)} is no tensor; save the model's state_dict alone")
        _check_tensor(name, tensor)
    return loaded


def _check_tensor(name: str, tensor: _Outlined) -> None:
    storage, numbers = tensor.storage, (tensor.offset, *tensor.size, *tensor.stride)
    if not isinstance(storage, _Storage) or not all(map(_is_count, numbers)) or len(tensor.size) != len(tensor.stride):
        raise RefusedError(f"the tensor {name[:80]!r} has no sizes")
    items = math.prod(tensor.size)
    last = tensor.offset + sum((count - 1) * step for count, step in zip(tensor.size, tensor.stride, strict=True))
    if items and (items > storage.items or last >= storage.items):
        claimed, held = items * storage.item_bytes, storage.items * storage.item_bytes
        raise RefusedError(f"the tensor {name[:80]!r} claims {claimed:,} bytes of a storage of {held:,}")


def _shown(value: object) -> str:
    """Return a value as short text, however large it would be in full: a small pickle can nest without end."""
    return reprlib.repr(value)[:80]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def write(files: list[Path], folder: Path, shard_size: str, seconds: int) -> dict[str, object]:
    """Read checked files with torch and write their tensors as safetensors.

    Returns:
        Number of tensors, their bytes, and the names that were dropped because they share another one's tensor.
    """
    _limit(None, seconds)  # torch maps more memory than the files explain
    import huggingface_hub  # noqa: PLC0415
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    _limit(sum(file.stat().st_size for file in files), seconds)
    found: dict[str, Tensor] = {}
    for file in files:
        with file.open("rb") as opened:
            is_zip = opened.read(len(_ZIP)) == _ZIP
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=is_zip)
        for name, tensor in loaded.items():
            if name in found:
                raise RefusedError(f"the tensor {name[:80]!r} is in two shards")
            found[name] = tensor.detach()
    tensors, same = _apart(found)
    # Names that share one tensor are kept in the metadata, as safetensors' own `save_model` does.
    huggingface_hub.save_torch_state_dict(tensors, folder, max_shard_size=shard_size, metadata=dict(same))
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    return {"tensors": len(tensors), "bytes": held, "same": same}


def _apart(found: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Keep one name of each tensor, since safetensors stores no sharing, and copy tensors that overlap others."""
    first: dict[object, str] = {}
    same: dict[str, str] = {}
    views: dict[int, set[object]] = {}
    for name in sorted(found, key=_rank):  # a stable sort
        tensor = found[name]
        place = tensor.untyped_storage().data_ptr()
        view = (place, tensor.dtype, tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
        if tensor.numel() and first.setdefault(view, name) != name:
            same[name] = first[view]
        elif tensor.numel():
            views.setdefault(place, set()).add(view)
    overlapping = {place for place, seen in views.items() if len(seen) > 1}
    apart = {}
    for name, tensor in found.items():
        if name not in same:
            is_copied = tensor.untyped_storage().data_ptr() in overlapping
            apart[name] = (tensor.clone() if is_copied else tensor).contiguous()
    return apart, same


def _rank(name: str) -> int:
    """Rank a name among those of one tensor: encoders load T5's `shared`, else the embeddings, and no output layer."""
    return next((rank for rank, part in enumerate(("shared.", "embed")) if part in name), 2)


def _limit(input_bytes: int | None, seconds: int) -> None:
    """Limit the memory, time and files of this process, where the system can.

    Args:
        input_bytes: Bytes of the pickles, on which memory and files depend; None for no limit on these.
        seconds: Seconds on a processor.
    """
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: seconds}
    status = Path("/proc/self/statm")
    limits |= dict.fromkeys((resource.RLIMIT_FSIZE, resource.RLIMIT_AS), resource.RLIM_INFINITY)
    if input_bytes is not None:
        limits[resource.RLIMIT_FSIZE] = 2 * input_bytes + 2**26
    if input_bytes is not None and status.is_file():
        used = int(status.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        limits[resource.RLIMIT_AS] = used + 4 * input_bytes + _SPARE_BYTES
    for kind, limit in limits.items():
        hard = resource.getrlimit(kind)[1]
        is_below = hard == resource.RLIM_INFINITY or 0 <= limit < hard
        resource.setrlimit(kind, (limit if is_below else hard, hard))


def main() -> None:
    """Convert the files that the first argument names, and write the outcome as one line of JSON."""
    request = json.loads(sys.argv[1])
    sys.path.extend(request["path"])
    files, current = [Path(file) for file in request["files"]], ""
    try:
        _limit(sum(file.stat().st_size for file in files), request["seconds"])
        for file in files:
            current = str(file)
            check(file)
        outcome = write(files, Path(request["to"]), request["shard_size"], request["seconds"])
    except RefusedError as error:
        outcome = {"refused": str(error), "file": current}
    except _FAULTS as error:
        text = (str(error).strip() or type(error).__name__).splitlines()[0]
        outcome = {"fault": f"{type(error).__name__}: {text}"[:300], "file": current}
    sys.stdout.write(f"\n{json.dumps(outcome)}\n")


if __name__ == "__main__":
    main()
