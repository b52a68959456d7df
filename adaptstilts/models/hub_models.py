"""Backbones on the Hugging Face hub: listed at one commit, checked file by file, and downloaded to the hub's cache.

A model is then loaded from that folder, so that no library asks the hub again and no file changes in between.
``HF_ENDPOINT`` selects the hub.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.contents import content_hash
from adaptstilts.errors import ChangedError, CheckpointError
from adaptstilts.formatting import reason_of, shown, size_text
from adaptstilts.limits import MOST_UNPACKED_BYTES
from adaptstilts.models.model_files import TOKENIZER_FILES, VOCABULARIES, check_model_json, refuse_peft
from adaptstilts.models.tokenizer_files import MOST_JSON_BYTES
from adaptstilts.models.weight_files import INDEX, PICKLE, PICKLE_INDEX, WEIGHTS, refuse_pickle, shard_names
from adaptstilts.waiting import WaitedError, in_time

_HUB_SECONDS = 20.0
_MAIN = "main"
_SHA1 = re.compile(r"[0-9a-f]{40}")
"""Commits, and git's hashes of files."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TAG = re.compile(r"(?!\.)[\w.-]{1,128}", re.ASCII)
_git_hashes: dict[str, str] = {}
"""SHA-256 of files of the cache by git's SHA-1, so that each is hashed once."""


@dataclass(frozen=True)
class Listing:
    """A repository of the hub at one commit.

    Attributes:
        name: ``OWNER/NAME``.
        commit: The commit, in hexadecimal.
        sizes: Bytes of each file by its path; None where the hub states no size.
        endpoint: Address of the hub; None for the library's default.
    """

    name: str
    commit: str
    sizes: Mapping[str, int | None]
    endpoint: str | None

    def fetch(self, files: Iterable[str]) -> Path:
        """Download files to the hub's cache unless they are there, and return their folder.

        Raises:
            CheckpointError: If one cannot be downloaded.
        """
        import huggingface_hub  # noqa: PLC0415 - slow to import

        folder = Path()
        for file in files:
            self._check_size(file)
            download = functools.partial(
                huggingface_hub.hf_hub_download,
                self.name,
                file,
                revision=self.commit,
                endpoint=self.endpoint,
                etag_timeout=_HUB_SECONDS,
            )
            try:
                if cached_folder(self.name, self.commit, file) is None:
                    self._check_tag(file)
                with _as_it_arrives():
                    path = in_time(download, functools.partial(_bytes_below, _cache(self.name) / "blobs"))
            except (OSError, ValueError) as error:
                raise CheckpointError(
                    f"{file} cannot be downloaded from the hub: {_reason(error)}",
                    path=self.name,
                    value=file,
                    hint="Check that the hub can be reached (HF_ENDPOINT selects another one).",
                ) from error
            folder = Path(path).parent
        return folder

    def _check_size(self, file: str) -> None:
        """Refuse a file that is larger than the limit or the room on the disk, before it is downloaded."""
        size, most = self.sizes.get(file) or 0, MOST_UNPACKED_BYTES.value()
        if size > most:
            problem = f"{file} has {size_text(size)}, and at most {size_text(most)} are downloaded"
            hint = f"If that is right, set {MOST_UNPACKED_BYTES.variable}. More: adaptstilts docs limits."
            raise CheckpointError(problem, path=self.name, hint=hint)
        cache = _cache(self.name)
        place = next((folder for folder in (cache, *cache.parents) if folder.is_dir()), cache)
        free = shutil.disk_usage(place).free if place.is_dir() else size
        if size > free and cached_folder(self.name, self.commit, file) is None:
            problem = f"no room for {file}: it has {size_text(size)}, and {size_text(free)} are free in {place}"
            raise CheckpointError(problem, path=self.name, hint="Free some space, or set HF_HOME to another disk.")

    def _check_tag(self, file: str) -> None:
        """Refuse a tag that is no plain name, since the library names a file of its cache after it."""
        import huggingface_hub  # noqa: PLC0415 - slow to import

        url = huggingface_hub.hf_hub_url(self.name, file, revision=self.commit, endpoint=self.endpoint)
        known = in_time(functools.partial(huggingface_hub.get_hf_file_metadata, url, timeout=_HUB_SECONDS))
        if known.etag is not None and _TAG.fullmatch(known.etag) is None:
            raise ValueError(f"the hub gives it the tag {shown(known.etag)}, which is no name")


def hub_folder(name: str, revision: str | None = None, *, weights: bool = False) -> Path:
    """Download a backbone, its config.json first, and return its folder in the hub's cache.

    A branch or tag stands for the commit that `known_commit` returns, even if it has moved on the hub.

    Args:
        weights: Whether to download the weights as well.

    Raises:
        CheckpointError: If the hub and the cache do not have it, its config.json is refused, or it has only a pickle.
    """
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise CheckpointError("no such backbone folder", path=name, hint="It may have been moved or deleted.")
    revision = known_commit(name, revision) or revision
    try:
        listing = list_files(name, revision)
    except CheckpointError:
        cached = cached_folder(name, revision)
        # What is missing in the cache is not the fault of the model: say that the hub cannot be reached.
        if cached is None or not (is_whole(cached) if weights else _has_tokenizer(cached)):
            raise
        return cached
    refuse_peft(listing.sizes, name)
    if not {WEIGHTS, INDEX} & listing.sizes.keys():
        refuse_pickle(name, (file for file in (PICKLE, PICKLE_INDEX) if file in listing.sizes), name)
        raise CheckpointError("the repository has no weights", path=name, allowed=(WEIGHTS, INDEX))
    folder = listing.fetch(["config.json"])
    check_model_json(folder / "config.json")
    listing.fetch(file for file in TOKENIZER_FILES if file in listing.sizes)
    if weights:
        listing.fetch(_weights(listing))
    return folder


def list_files(name: str, revision: str | None = None) -> Listing:
    """List the files of a repository; a revision keeps its commit, which the hub's cache notes if it has none for it.

    Raises:
        CheckpointError: If the hub cannot be reached, does not have it, or a JSON file is too large to be read.
    """
    return _list_files(name, revision, os.environ.get("HF_ENDPOINT") or None)


@functools.lru_cache(maxsize=64)
def _list_files(name: str, revision: str | None, endpoint: str | None) -> Listing:
    import huggingface_hub  # noqa: PLC0415 - slow to import

    try:
        ask = huggingface_hub.HfApi(endpoint=endpoint).model_info
        info = in_time(functools.partial(ask, name, revision=revision, timeout=_HUB_SECONDS, files_metadata=True))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"the hub has no such model, or cannot be reached: {_reason(error)}",
            path=name,
            value=revision,
            hint="Check the id and the revision (HF_ENDPOINT selects another hub), or give a folder.",
        ) from error
    sizes = {item.rfilename: item.size for item in info.siblings or ()}
    for file in ("config.json", *TOKENIZER_FILES):
        size = sizes.get(file)
        if size is not None and size > MOST_JSON_BYTES:
            problem = f"{file} is {size:,} bytes long, at most {MOST_JSON_BYTES:,} are read"
            raise CheckpointError(problem, path=name, hint="Give another model, or another revision of this one.")
    if info.sha is None or "config.json" not in sizes:
        raise CheckpointError("the repository has no config.json", path=name, hint="Give the id of a model.")
    if _SHA1.fullmatch(info.sha) is None:
        problem = "the hub names a commit that is none"
        raise CheckpointError(problem, path=name, value=shown(info.sha), hint="HF_ENDPOINT selects another hub.")
    _note_commit(name, revision, info.sha)
    return Listing(name, info.sha, sizes, endpoint)


def known_commit(name: str, revision: str | None = None) -> str | None:
    """Return the commit that a revision stands for, without asking the hub; None if that is not known here.

    A commit stands for itself. For a branch or a tag it is the one that the hub's cache notes: the first that was
    downloaded, unless another program has moved it. Without such a note, the newest commit in the cache is the main
    branch.
    """
    if revision is not None and _SHA1.fullmatch(revision):
        return revision
    folder, reference = _cache(name), _reference(name, revision)
    try:
        if reference is not None and reference.is_file():
            commit = reference.read_text(encoding="utf-8").strip()
            return commit if _SHA1.fullmatch(commit) else None
        if revision not in {None, _MAIN}:
            return None
        found = [path.parent for path in folder.glob("snapshots/*/config.json")]
        held = [(path.stat().st_mtime, path.name) for path in found if _SHA1.fullmatch(path.name)]
    except (OSError, ValueError):
        return None
    return max(held)[1] if held else None


def cached_folder(name: str, revision: str | None = None, file: str = "config.json") -> Path | None:
    """Return the folder of a model in the hub's cache, without asking the hub; None if it lacks the file."""
    commit = known_commit(name, revision)
    folder = None if commit is None else _cache(name) / "snapshots" / commit
    return folder if folder is not None and (folder / file).is_file() else None


def is_whole(folder: Path) -> bool:
    """Say whether a folder of the hub's cache holds the weights and the tokenizer of a backbone."""
    has_weights = (folder / WEIGHTS).is_file()
    if not has_weights and (folder / INDEX).is_file():
        with contextlib.suppress(CheckpointError):  # a shard is still to come
            has_weights = bool(shard_names(folder / INDEX, ".safetensors"))
    return has_weights and _has_tokenizer(folder)


def _has_tokenizer(folder: Path) -> bool:
    return any((folder / name).is_file() for name in VOCABULARIES)


def check_blobs(files: Iterable[Path]) -> None:
    """Compare files of the hub's cache with the hashes that they were stored under, as far as the cache holds any.

    Raises:
        ChangedError: If one has another content.
    """
    for file in files:
        blob = file.resolve()
        if blob.parent.name == "blobs" and not _is_blob(blob):
            problem = "has another content than the hub sent"
            hint = "Remove the file it links to, so that it is downloaded again."
            raise ChangedError(problem, path=file, hint=hint)


def _is_blob(path: Path) -> bool:
    """Say whether a file has the hash in its name: a SHA-256 or git's SHA-1; other names say nothing."""
    if _SHA256.fullmatch(path.name):
        return content_hash(path, certain=True) == path.name
    if _SHA1.fullmatch(path.name) is None:
        return True
    sha256 = content_hash(path, certain=True)
    if _git_hashes.get(path.name) != sha256:
        content = path.read_bytes()  # small files only
        if hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() != path.name:
            return False
        _git_hashes[path.name] = sha256
    return True


def _reason(error: Exception) -> str:
    """Return the class of an error; what it says where it is this package's own, as libraries fill pages."""
    own = isinstance(error, WaitedError) or type(error) is ValueError
    return reason_of(error) if own else type(error).__name__


def _bytes_below(folder: Path) -> int:
    """Return the bytes of the files in a folder, unfinished ones included; 0 if there is none."""
    total = 0
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            with contextlib.suppress(OSError):
                total += path.stat().st_size
    return total


@contextlib.contextmanager
def _as_it_arrives() -> Iterator[None]:
    """Keep the hub's library to plain HTTP, by which a file grows as it arrives."""
    from huggingface_hub import constants  # noqa: PLC0415 - slow to import

    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before


def _cache(name: str) -> Path:
    from huggingface_hub import constants  # noqa: PLC0415 - only ids on the hub need it

    return Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"


def _reference(name: str, revision: str | None) -> Path | None:
    """Return the file of the hub's cache that notes the commit of a branch or tag; None if it would lie elsewhere."""
    revision = revision or _MAIN
    parts = revision.split("/")
    return None if {"", ".", ".."} & set(parts) or "\0" in revision else _cache(name).joinpath("refs", *parts)


def _note_commit(name: str, revision: str | None, commit: str) -> None:
    """Note in the hub's cache which commit a branch or tag stands for, unless it notes one, as the library would."""
    reference = _reference(name, revision)
    if reference is None or reference.exists() or (revision is not None and _SHA1.fullmatch(revision)):
        return
    with contextlib.suppress(OSError):  # a cache that cannot be written is told when a file is downloaded
        reference.parent.mkdir(parents=True, exist_ok=True)
        reference.write_text(commit, encoding="utf-8")


def _weights(listing: Listing) -> tuple[str, ...]:
    """Return the names of the weight files, after checking those that the index names."""
    if WEIGHTS in listing.sizes:
        return (WEIGHTS,)
    return (INDEX, *shard_names(listing.fetch([INDEX]) / INDEX, ".safetensors", listing.sizes))
