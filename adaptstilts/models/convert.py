"""Conversion of pickled weights to safetensors, the only place where a pickle of other people is read. Free of torch.

A child process reads the pickle (`adaptstilts.models.unpickle`), with limits on its memory, time and files and
without this process's environment.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptstilts.errors import CheckpointError
from adaptstilts.files import BEGINNING, cause_of, check_file, expanded, local_path
from adaptstilts.formatting import number_text, size_text
from adaptstilts.models.hub_models import list_files
from adaptstilts.models.model_files import TOKENIZER_FILES, check_model_json, check_tokenizer_json, refuse_peft
from adaptstilts.models.weight_files import INDEX, PICKLE, PICKLE_INDEX, WEIGHTS, shard_names, weight_files

SHARD_SIZE = "5GB"
"""Largest file of weights, as in transformers."""
_SCRIPT = Path(__file__).with_name("unpickle.py")
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LANG")
_START_SECONDS = 300
_BYTES_PER_SECOND = 5e6
"""Slowest disk that is expected."""


@dataclass(frozen=True)
class Converted:
    """A folder that was written.

    Attributes:
        source: Folder, or hub id and commit, that the weights are from.
        size: Bytes of all tensors.
        weights: Names of the files with weights, without the index of shards.
        copied: Names of the files that were copied.
        same: Names that share the tensor of another name, by that other name; they are not stored again.
    """

    folder: Path
    source: str
    tensors: int
    size: int
    weights: tuple[str, ...]
    copied: tuple[str, ...]
    same: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return what was done and how to go on, as lines."""
        shared = [f"not stored again: {name}, the same tensor as {kept}" for name, kept in self.same.items()]
        return "\n".join(
            [
                f"{self.source}: {number_text(self.tensors, 'tensor')}, {size_text(self.size)}, in "
                f"{', '.join(self.weights)}",
                *shared,
                f"copied: {', '.join(self.copied)}",
                f"wrote {self.folder}; use it with backbone={self.folder}",
            ]
        )

    def record(self) -> dict[str, Any]:
        """Return the same as JSON values."""
        return {
            "folder": str(self.folder),
            "source": self.source,
            "tensors": self.tensors,
            "bytes": self.size,
            "weights": list(self.weights),
            "copied": list(self.copied),
            "same": dict(self.same),
        }


def convert(source: str | Path, to: str | Path, revision: str | None = None) -> Converted:
    """Write a backbone whose weights are a pickle as a new folder with safetensors.

    The folder has its name only once it is complete.

    Args:
        source: Folder or hub id.
        to: Folder to write, which must not exist.
        revision: Branch, tag or commit of a hub id.

    Raises:
        CheckpointError: If the target exists, there is no pickle to convert, or it is refused.
    """
    target = local_path(to, "to").absolute()
    if target.exists() or target.is_symlink():
        raise CheckpointError("is there already", path=target, hint="Give the name of a folder that does not exist.")
    folder, said = _source(str(source), revision)
    check_model_json(folder / "config.json")
    check_tokenizer_json(folder)
    pickles = _pickles(folder)
    for pickle in pickles:
        _refuse_stand_in(pickle)
    _check_space(target, pickles)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        outcome = _unpickle(pickles, unfinished)
        copied = tuple(name for name in ("config.json", *TOKENIZER_FILES) if (folder / name).is_file())
        for name in copied:
            shutil.copyfile(folder / name, unfinished / name)
        weights = tuple(file.name for file in weight_files(unfinished))
        unfinished.chmod(0o755)
        for path in unfinished.iterdir():
            path.chmod(0o644)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Converted(target, said, outcome["tensors"], outcome["bytes"], weights, copied, outcome["same"])


def _source(source: str, revision: str | None) -> tuple[Path, str]:
    """Return the folder with the pickle, and its name in words; download it if it is a hub id."""
    folder = expanded(source)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise CheckpointError("the folder has no config.json", path=folder, hint="Give the folder of a backbone.")
        _refuse_safetensors([path.name for path in folder.iterdir()], source)
        return folder, source
    if source.count("/") != 1 or source.startswith((".", "/", "~")) or folder.exists():
        raise CheckpointError(
            f"'{source}' is neither a folder nor a hub id of the form OWNER/NAME",
            value=source,
            hint="Check its spelling.",
        )
    listing = list_files(source, revision)
    _refuse_safetensors(list(listing.sizes), source)
    folder = listing.fetch(["config.json"])
    check_model_json(folder / "config.json")
    listing.fetch(name for name in TOKENIZER_FILES if name in listing.sizes)
    if PICKLE in listing.sizes:
        listing.fetch([PICKLE])
    elif PICKLE_INDEX in listing.sizes:
        index = listing.fetch([PICKLE_INDEX]) / PICKLE_INDEX
        listing.fetch(shard_names(index, ".bin", listing.sizes))
    return folder, f"{source} at commit {listing.commit}"


def _refuse_safetensors(names: Sequence[str], source: str) -> None:
    refuse_peft(names, source)
    found = next((name for name in (WEIGHTS, INDEX) if name in names), None)
    if found is not None:
        raise CheckpointError(
            f"nothing to convert: it has {found}", path=source, value=found, hint=f"Use it as it is: backbone={source}."
        )


def _pickles(folder: Path) -> list[Path]:
    if (folder / PICKLE).is_file():
        return [folder / PICKLE]
    if (folder / PICKLE_INDEX).is_file():
        return [folder / name for name in shard_names(folder / PICKLE_INDEX, ".bin")]
    raise CheckpointError("has no pickled weights to convert", path=folder, allowed=(PICKLE, PICKLE_INDEX))


def _refuse_stand_in(pickle: Path) -> None:
    """Refuse what stands in place of a pickle: a pointer of Git LFS, a page of HTML, a compressed file."""
    check_file(pickle, CheckpointError, "Copy it again.")
    with pickle.open("rb") as file:
        first_bytes = file.read(BEGINNING)
    is_own = first_bytes.startswith((b"PK", b"\x80"))  # an archive, or a pickle of torch before 1.6
    cause = None if is_own else cause_of(first_bytes, has_lines=False, is_text=False)
    if cause is not None:
        raise CheckpointError(cause, path=pickle)


def _check_space(target: Path, pickles: Sequence[Path]) -> None:
    there = next(parent for parent in target.parents if parent.exists())
    needed, free = sum(path.stat().st_size for path in pickles), shutil.disk_usage(there).free
    if needed > free:
        raise CheckpointError(
            f"{size_text(needed)} are to be written, and {size_text(free)} are free",
            path=there,
            value=free,
            hint="Free some space, or give a folder on another disk.",
        )


def _unpickle(pickles: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Convert pickles in a child process."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        raise CheckpointError("PyTorch is not installed", value="torch", hint="Install it: pip install torch")
    seconds = int(_START_SECONDS + sum(path.stat().st_size for path in pickles) / _BYTES_PER_SECOND)
    request = {
        "files": [str(path.absolute()) for path in pickles],
        "to": str(folder),
        "shard_size": SHARD_SIZE,
        "seconds": seconds,
        "path": [str(Path(torch.origin).parents[1])],
    }
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    shut = {"HOME": str(folder), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_SCRIPT), json.dumps(request)],
            env={**kept, **shut},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CheckpointError(
            f"reading it took more than {seconds} s", path=pickles[0], value=seconds, hint="Copy it to a faster disk."
        ) from error
    return _outcome(done, pickles[0])


def _outcome(done: subprocess.CompletedProcess[str], first: Path) -> dict[str, Any]:
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        code = done.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        last = (done.stderr.strip().splitlines() or [""])[-1][:200]
        raise CheckpointError(
            f"the process that reads it ended with {how} {last}".rstrip(),
            path=first,
            value=how,
            hint="The file is damaged or needs more memory than its size explains; do not use it.",
        )
    outcome: dict[str, Any] = json.loads(lines[-1])
    if "refused" in outcome:
        raise CheckpointError(
            f"is refused: {outcome['refused']}",
            path=outcome["file"],
            value=outcome["refused"],
            hint="Use another copy of the model, or ask its authors for safetensors.",
        )
    if "fault" in outcome:
        raise CheckpointError(
            f"cannot be read: {outcome['fault']}", path=outcome["file"], value=outcome["fault"], hint="Copy it again."
        )
    return outcome
