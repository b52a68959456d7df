"""Backbones on the Hugging Face hub: listed at one commit, checked file by file, and downloaded to the hub's cache.

A model is then loaded from that folder, so that no library asks the hub again and no file changes in between.
``HF_ENDPOINT`` selects the hub.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptstilts.errors import CheckpointError
from adaptstilts.models.model_files import TOKENIZER_FILES, check_model_json, refuse_peft
from adaptstilts.models.tokenizer_files import MOST_JSON_BYTES
from adaptstilts.models.weight_files import INDEX, PICKLE, PICKLE_INDEX, WEIGHTS, refuse_pickle, shard_names

_HUB_SECONDS = 20.0


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
            try:
                path = huggingface_hub.hf_hub_download(
                    self.name, file, revision=self.commit, endpoint=self.endpoint, etag_timeout=_HUB_SECONDS
                )
            except (OSError, ValueError) as error:
                raise CheckpointError(
                    f"{file} cannot be downloaded from the hub: {type(error).__name__}",
                    path=self.name,
                    value=file,
                    hint="Check that the hub can be reached (HF_ENDPOINT selects another one).",
                ) from error
            folder = Path(path).parent
        return folder


def hub_folder(name: str, revision: str | None = None, *, weights: bool = False) -> Path:
    """Download a backbone, its config.json first, and return its folder in the hub's cache.

    Args:
        weights: Whether to download the weights as well.

    Raises:
        CheckpointError: If the hub and the cache do not have it, its config.json is refused, or it has only a pickle.
    """
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise CheckpointError("no such backbone folder", path=name, hint="It may have been moved or deleted.")
    try:
        listing = list_files(name, revision)
    except CheckpointError:
        if (cached := cached_folder(name, revision)) is None:
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
    """List the files of a repository; a revision keeps its commit until the process ends.

    Raises:
        CheckpointError: If the hub cannot be reached, does not have it, or a JSON file is too large to be read.
    """
    return _list_files(name, revision, os.environ.get("HF_ENDPOINT") or None)


@functools.lru_cache(maxsize=64)
def _list_files(name: str, revision: str | None, endpoint: str | None) -> Listing:
    import huggingface_hub  # noqa: PLC0415 - slow to import

    try:
        info = huggingface_hub.HfApi(endpoint=endpoint).model_info(
            name, revision=revision, timeout=_HUB_SECONDS, files_metadata=True
        )
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"the hub has no such model, or cannot be reached: {type(error).__name__}",
            path=name,
            value=revision,
            hint="Check the id and the revision (HF_ENDPOINT selects another hub), or give a folder.",
        ) from error
    sizes = {item.rfilename: item.size for item in info.siblings or ()}
    for file in ("config.json", *TOKENIZER_FILES):
        size = sizes.get(file)
        if size is not None and size > MOST_JSON_BYTES:
            raise CheckpointError(f"{file} is {size:,} bytes long, at most {MOST_JSON_BYTES:,} are read", path=name)
    if info.sha is None or "config.json" not in sizes:
        raise CheckpointError("the repository has no config.json", path=name, hint="Give the id of a model.")
    return Listing(name, info.sha, sizes, endpoint)


def cached_folder(name: str, revision: str | None = None, file: str = "config.json") -> Path | None:
    """Return the folder in the hub's cache that holds a file of a model, without asking the hub; None if it lacks it.

    A download at a commit leaves no name for it in the cache. Without a revision, the newest one counts then.
    """
    from huggingface_hub import constants  # noqa: PLC0415 - only ids on the hub need it

    folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    reference, snapshots = folder / "refs" / (revision or "main"), folder / "snapshots"
    try:
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
        found = [snapshots / commit / file] if commit else list(snapshots.glob(f"*/{file}"))
        held = [(path.parent.stat().st_mtime, path.parent) for path in found if path.is_file()]
    except (OSError, UnicodeDecodeError):
        return None
    return max(held)[1] if held else None


def _weights(listing: Listing) -> tuple[str, ...]:
    """Return the names of the weight files, after checking those that the index names."""
    if WEIGHTS in listing.sizes:
        return (WEIGHTS,)
    return (INDEX, *shard_names(listing.fetch([INDEX]) / INDEX, ".safetensors", listing.sizes))
