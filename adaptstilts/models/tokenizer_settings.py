"""Comparison of a loaded tokenizer with the settings in its folder, which the library follows in part only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import shown
from adaptstilts.models.strict_json import read_json, refuse, shown_key
from adaptstilts.models.tokenizer_files import MOST_JSON_BYTES

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SETTINGS, _ADDED, _FILE = "tokenizer_config.json", "added_tokens.json", "tokenizer.json"
_BERT = {
    "lowercase": "do_lower_case",
    "strip_accents": "strip_accents",
    "handle_chinese_chars": "tokenize_chinese_chars",
}
"""Settings of BERT's classes by key of the normalizer, which they change though the settings do not name them."""


def check_as_stated(folder: Path, tokenizer: PreTrainedTokenizerFast, vocabulary: Mapping[str, int]) -> None:
    """Check that added tokens have the ids that a folder states, and that texts are normalised as it says.

    Args:
        folder: The folder that the tokenizer was loaded from, with checked files.
        vocabulary: Id of each token.

    Raises:
        CheckpointError: If the library has given a token another id, or has put its default in place of a setting of
            tokenizer.json.
    """
    settings = read_settings(folder)
    for path, key, token, stated in _stated_ids(folder, settings):
        found = vocabulary.get(token)
        if found is not None and found != stated:
            refuse(path, key, token, f"its id is {found} in the tokenizer, not {stated}")
    if (folder / _FILE).is_file() and hasattr(tokenizer, "do_lower_case"):
        _check_normalizer(folder, tokenizer, settings)


def read_settings(folder: Path) -> dict[str, Any]:
    """Read the settings of a tokenizer; empty if there are none."""
    path = folder / SETTINGS
    return read_json(path) if path.is_file() else {}


def _stated_ids(folder: Path, settings: Mapping[str, Any]) -> Iterator[tuple[Path, str, str, int]]:
    for number, token in (settings.get("added_tokens_decoder") or {}).items():
        yield folder / SETTINGS, f"added_tokens_decoder.{number}", token["content"], int(number)
    path = folder / _ADDED
    for token, number in read_json(path).items() if path.is_file() else ():
        yield path, shown_key(token), token, number


def _check_normalizer(folder: Path, tokenizer: PreTrainedTokenizerFast, settings: Mapping[str, Any]) -> None:
    stated = read_json(folder / _FILE, MOST_JSON_BYTES).get("normalizer") or {}
    if stated.get("type") != "BertNormalizer":
        return
    found = json.loads(tokenizer.backend_tokenizer.normalizer.__getstate__())
    for key, setting in _BERT.items():
        if setting not in settings and found.get(key) != stated.get(key):
            name = type(tokenizer).__name__
            raise CheckpointError(
                f"is missing: {name} would take {shown(found.get(key))}, and tokenizer.json has {key} "
                f"{shown(stated.get(key))}",
                path=folder / SETTINGS,
                key=setting,
                hint="Save the tokenizer again with save_pretrained, or add the key.",
            )
