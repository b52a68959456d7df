"""Finished stages: a folder whose files are checked against its manifest before they are read."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptstilts.errors import DamagedError, StoreError, UnreadableError
from adaptstilts.files import open_file
from adaptstilts.formatting import size_text, system_reason
from adaptstilts.json_text import parse_json
from adaptstilts.store.manifest import damages, select
from adaptstilts.store.record import Record, wrong_content

_MOST_JSON_BYTES = 2**30
"""Longest JSON file of an artefact that is read."""

DamageCallback = Callable[[DamagedError], object]


@dataclass(frozen=True)
class Artefact:
    """Folder of a finished stage.

    Attributes:
        manifest: Key, inputs, environment, and size and hash of each file, as written on finishing.
        fetch: Downloads a file or folder of it by name; None if everything is local.
    """

    folder: Path
    manifest: dict[str, Any]
    fetch: Callable[[str], object] | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> str:
        """Content key of the stage."""
        return str(self.manifest["key"])

    @property
    def seconds(self) -> float:
        """Wall time of making it."""
        return float(self.manifest["seconds"])

    @property
    def bytes(self) -> int:
        """Total size of its files."""
        return sum(record["bytes"] for record in self.manifest["files"].values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its files: from the manifest, or from the folder where that lists none."""
        return tuple(self.manifest.get("files", ())) or tuple(sorted(path.name for path in self.folder.iterdir()))

    def file(self, name: str) -> Path:
        """Return the path of a file or folder of the artefact, once its bytes have been verified.

        Raises:
            DamagedError: If it is missing or damaged.
            UnreadableError: If it cannot be read.
        """
        if self.fetch is not None:
            self.fetch(name)
        path = self.folder / name
        try:
            if not path.exists():
                raise DamagedError(f"the artefact lacks '{name}'", path=self.folder, folder=self.folder)
            raise_first(damages(self.folder, select(self.manifest.get("files", {}), name)))
        except OSError as error:
            raise UnreadableError(f"cannot be read: {system_reason(error)}", path=path, folder=self.folder) from error
        return path

    def read_json(self, name: str) -> Any:  # noqa: ANN401 - JSON values
        """Return the content of a JSON file of the artefact.

        Raises:
            DamagedError: If it is missing or damaged.
        """
        path = self.file(name)
        try:
            with open_file(path, StoreError) as file:
                content = file.read(_MOST_JSON_BYTES + 1)
            if len(content) > _MOST_JSON_BYTES:
                raise ValueError(f"it is longer than {size_text(_MOST_JSON_BYTES)}, the most that is read")
            record = self.manifest.get("files", {}).get(name)
            if record is not None and hashlib.sha256(content).hexdigest() != record["sha256"]:  # changed since `file`
                raise DamagedError("damaged", path=path, folder=self.folder)
            return parse_json(content)
        except ValueError as error:
            raise wrong_content(f"damaged: {error}", path, self.folder) from error
        except OSError as error:
            problem = f"cannot be read: {system_reason(error)}"
            raise UnreadableError(problem, path=path, folder=self.folder) from error

    def record(self, name: str) -> Record:
        """Return the content of a JSON file of the artefact that holds an object; its values are still to be checked.

        Raises:
            DamagedError: If it is missing or damaged, or holds something else.
        """
        found, path = self.read_json(name), self.folder / name
        if not isinstance(found, dict):
            raise wrong_content("damaged: it is not a JSON object", path, self.folder)
        return Record(found, path, self.folder)


@contextlib.contextmanager
def report_to(on_damage: DamageCallback | None) -> Iterator[None]:
    """Pass damage found in the block to a callback and continue after the block; without a callback, raise it."""
    try:
        yield
    except DamagedError as error:
        if on_damage is None:
            raise
        on_damage(error)


def raise_first(errors: Iterator[DamagedError]) -> None:
    """Raise the first of the errors, if any."""
    error = next(errors, None)
    if error is not None:
        raise error
