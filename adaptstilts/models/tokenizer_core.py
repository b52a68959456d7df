"""A tokenizer's core, without the classes around it, which take seconds to import. Free of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import reason_of
from adaptstilts.models.backbone import load_tokenizer
from adaptstilts.models.hub_models import cached_folder
from adaptstilts.models.model_files import check_tokenizer_json
from adaptstilts.models.tokenizer_settings import read_settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer  # type: ignore[import-untyped]

_AS_IN_FILE = ("XLMRobertaTokenizer", "DebertaV2Tokenizer", "T5Tokenizer", "MT5Tokenizer", "GemmaTokenizer")
"""Classes that cut text as tokenizer.json says. Others, such as BERT's, change it by their tokenizer_config.json."""
_CHANGES = ("split_special_tokens", "extra_special_tokens")
"""Settings by which these classes do not, if they are set."""
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
    settings = read_settings(folder)
    name = str(settings.get("tokenizer_class", "")).removesuffix("Fast")
    path = folder / _FILE
    is_changed = "add_prefix_space" in settings or any(settings.get(key) for key in _CHANGES)
    if name not in _AS_IN_FILE or is_changed or not path.is_file():
        return _whole(folder)
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        backend = Tokenizer.from_file(str(path))
    except Exception as error:
        raise CheckpointError(
            f"is not a tokenizer: {reason_of(error)}", path=path, hint="Save it again with save_pretrained."
        ) from error
    known = {token.content for token in backend.get_added_tokens_decoder().values()}
    if not set(_named_tokens(settings)) <= known:  # the class adds the others
        return _whole(folder)
    return _core(backend, backend.token_to_id(_content(settings.get("unk_token", _UNKNOWN))))


def _whole(folder: Path) -> TokenizerCore:
    tokenizer = load_tokenizer(str(folder))
    return _core(tokenizer.backend_tokenizer, tokenizer.unk_token_id)


def _named_tokens(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tokens that settings name."""
    more = settings.get("additional_special_tokens") or ()
    for token in (*more, *(settings.get("added_tokens_decoder") or {}).values()):
        yield _content(token)


def _content(token: object) -> str:
    return str(token["content"] if isinstance(token, dict) else token)


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
