"""A tokenizer's core, without the classes around it, which take seconds to import. Free of transformers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import reason_of
from adaptstilts.models.backbone import load_tokenizer
from adaptstilts.models.hub_models import cached_folder
from adaptstilts.models.model_files import check_tokenizer_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]

_AS_IN_FILE = ("XLMRobertaTokenizer", "DebertaV2Tokenizer", "T5Tokenizer", "MT5Tokenizer", "GemmaTokenizer")
"""Classes that cut text as tokenizer.json says. Others, such as BERT's, change it by their tokenizer_config.json."""
_UNKNOWN = "<unk>"
_FILE = "tokenizer.json"


@dataclass(frozen=True)
class TokenizerCore:
    """What cuts texts into sub-tokens.

    Attributes:
        backend: The core, without truncation and padding.
        unknown_id: Id of the unknown token; None if there is none.
    """

    backend: Tokenizer
    unknown_id: int | None


def load_core(location: str, revision: str | None = None) -> TokenizerCore:
    """Load the core of a backbone's tokenizer, from a folder or from what the hub's cache holds.

    Raises:
        CheckpointError: If it cannot be loaded, or is not in the cache.
    """
    folder = _folder(location, revision)
    check_tokenizer_json(folder)
    settings = _settings(folder)
    name = str(settings.get("tokenizer_class", "")).removesuffix("Fast")
    path = folder / _FILE
    if name not in _AS_IN_FILE or "add_prefix_space" in settings or not path.is_file():
        tokenizer = load_tokenizer(str(folder))
        return _core(tokenizer.backend_tokenizer, tokenizer.unk_token_id)
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:
        raise CheckpointError(
            f"is not a tokenizer: {reason_of(error)}", path=path, hint="Save it again with save_pretrained."
        ) from error
    unknown = settings.get("unk_token", _UNKNOWN)
    return _core(backend, backend.token_to_id(unknown["content"] if isinstance(unknown, dict) else str(unknown)))


def _core(backend: Tokenizer, unknown_id: int | None) -> TokenizerCore:
    backend.no_truncation()
    backend.no_padding()
    return TokenizerCore(backend, unknown_id)


def _folder(location: str, revision: str | None) -> Path:
    """Return the folder of a backbone; of one on the hub, that of its cached tokenizer."""
    if Path(location).is_dir():
        return Path(location)
    found = cached_folder(location, revision, _FILE)
    if found is None:
        raise CheckpointError(
            "its tokenizer is not in the hub's cache", path=location, hint="It is checked once it is there."
        )
    return found


def _settings(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
