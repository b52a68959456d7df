"""Checks of a tokenizer.json, key by key, before the tokenizers library reads it. Free of torch.

The library says of most faults only that some part fits none of its types. Here the error names the key, the value and
what belongs there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import number_text
from adaptstilts.models.strict_json import read_json, refuse, shown_key

MOST_JSON_BYTES = 256 * 2**20
"""Largest file of a tokenizer."""
_HIGHEST_ID = 2**24
_DEEPEST = 24
SAVE_AGAIN = "Save the tokenizer again with save_pretrained."
"""What to do about a broken file of a tokenizer."""


class _Rule(NamedTuple):
    """What belongs under a key."""

    says: str
    fits: Callable[[Any], bool]
    is_required: bool = True


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _HIGHEST_ID


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_pattern(value: object) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("String", value.get("Regex")), str)


def _is_named_id(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and _is_id(value[1])


def _optional(rule: _Rule) -> _Rule:
    return rule._replace(is_required=False)


def _one_of(*texts: str) -> _Rule:
    return _Rule(f"it must be one of: {', '.join(texts)}", lambda value: value in texts)


_FLAG = _Rule("it must be true or false", lambda value: isinstance(value, bool))
_TEXT = _Rule("it must be a text", lambda value: isinstance(value, str))
_TOKEN = _Rule("it must be a text that is not empty", lambda value: isinstance(value, str) and bool(value))
_CHARACTER = _Rule("it must be one character", lambda value: isinstance(value, str) and len(value) == 1)
_ID = _Rule(f"it must be a whole number from 0 to {_HIGHEST_ID - 1}", _is_id)
_COUNT = _Rule("it must be a whole number from 1", lambda value: _is_whole(value) and value >= 1)
_WHOLE = _Rule("it must be a whole number from 0", lambda value: _is_whole(value) and value >= 0)
_PATTERN = _Rule('it must be {"String": TEXT} or {"Regex": TEXT}', _is_pattern)
_NAMED_ID = _Rule("it must be a token with its id: [TEXT, NUMBER]", _is_named_id)
_LIST = _Rule("it must be a list", lambda value: isinstance(value, list))
_OBJECT = _Rule("it must be an object", lambda value: isinstance(value, dict))
_NO_DROPOUT = _Rule("the same text would be cut in another way each time", lambda value: value == 0, is_required=False)
_BEHAVIOUR = _one_of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")

_Rules = Mapping[str, _Rule]


def _plain(*names: str) -> dict[str, _Rules]:
    return {name: {} for name in names}


_METASPACE: _Rules = {
    "replacement": _CHARACTER,
    "prepend_scheme": _optional(_one_of("always", "never", "first")),
    "add_prefix_space": _optional(_FLAG),
    "split": _optional(_FLAG),
}
_BYTE_LEVEL: _Rules = {"add_prefix_space": _FLAG, "trim_offsets": _FLAG, "use_regex": _optional(_FLAG)}
_REPLACE: _Rules = {"pattern": _PATTERN, "content": _TEXT}
_PARTS: dict[str, dict[str, _Rules]] = {
    "normalizer": {
        "BertNormalizer": {
            "clean_text": _FLAG,
            "handle_chinese_chars": _FLAG,
            "strip_accents": _optional(_FLAG),
            "lowercase": _FLAG,
        },
        "Strip": {"strip_left": _FLAG, "strip_right": _FLAG},
        "Precompiled": {"precompiled_charsmap": _TEXT},
        "Replace": _REPLACE,
        "Prepend": {"prepend": _TEXT},
        "Sequence": {"normalizers": _LIST},
        **_plain("StripAccents", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "ByteLevel"),
    },
    "pre_tokenizer": {
        "ByteLevel": _BYTE_LEVEL,
        "CharDelimiterSplit": {"delimiter": _CHARACTER},
        "Metaspace": _METASPACE,
        "Split": {"pattern": _PATTERN, "behavior": _BEHAVIOUR, "invert": _FLAG},
        "Punctuation": {"behavior": _optional(_BEHAVIOUR)},
        "Digits": {"individual_digits": _FLAG},
        "FixedLength": {"length": _COUNT},
        "Sequence": {"pretokenizers": _LIST},
        **_plain("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"),
    },
    "post_processor": {
        "RobertaProcessing": {
            "sep": _NAMED_ID,
            "cls": _NAMED_ID,
            "trim_offsets": _FLAG,
            "add_prefix_space": _FLAG,
        },
        "BertProcessing": {"sep": _NAMED_ID, "cls": _NAMED_ID},
        "ByteLevel": _BYTE_LEVEL,
        "TemplateProcessing": {"single": _LIST, "pair": _LIST, "special_tokens": _OBJECT},
        "Sequence": {"processors": _LIST},
    },
    "decoder": {
        "BPEDecoder": {"suffix": _TEXT},
        "WordPiece": {"prefix": _TEXT, "cleanup": _FLAG},
        "CTC": {"pad_token": _TEXT, "word_delimiter_token": _TEXT, "cleanup": _FLAG},
        "Strip": {"content": _CHARACTER, "start": _WHOLE, "stop": _WHOLE},
        "Replace": _REPLACE,
        "ByteLevel": _BYTE_LEVEL,
        "Metaspace": _METASPACE,
        "Sequence": {"decoders": _LIST},
        **_plain("Fuse", "ByteFallback"),
    },
    "model": {
        "BPE": {
            "dropout": _NO_DROPOUT,
            "unk_token": _optional(_TEXT),
            "continuing_subword_prefix": _optional(_TEXT),
            "end_of_word_suffix": _optional(_TEXT),
            **dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), _optional(_FLAG)),
            "vocab": _OBJECT,
            "merges": _LIST,
        },
        "Unigram": {"unk_id": _optional(_WHOLE), "byte_fallback": _optional(_FLAG), "vocab": _LIST},
        "WordPiece": {
            "unk_token": _TEXT,
            "continuing_subword_prefix": _TEXT,
            "max_input_chars_per_word": _COUNT,
            "vocab": _OBJECT,
        },
        "WordLevel": {"unk_token": _TEXT, "vocab": _OBJECT},
    },
}
"""What each type of each part of a tokenizer holds."""
_MEMBERS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
_ADDED: _Rules = {
    "id": _ID,
    "content": _TOKEN,
    **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), _FLAG),
}
_SIDE = _one_of("Left", "Right")
_TRUNCATION: _Rules = {
    "direction": _optional(_SIDE),
    "max_length": _WHOLE,
    "strategy": _one_of("LongestFirst", "OnlyFirst", "OnlySecond"),
    "stride": _WHOLE,
}
_PADDING: _Rules = {
    "direction": _SIDE,
    "pad_to_multiple_of": _optional(_WHOLE),
    "pad_id": _ID,
    "pad_type_id": _ID,
    "pad_token": _TEXT,
}


def check_tokenizer_file(path: Path) -> None:
    """Check a tokenizer.json: the type of each value, and that every token has one id.

    Raises:
        CheckpointError: For the first fault.
    """
    record = read_json(path, MOST_JSON_BYTES)
    added = record.get("added_tokens")
    ids = _check_model(path, record.get("model"), added)
    _check_added(path, added, ids)
    for section in _MEMBERS:
        if record.get(section) is not None:
            _check_part(path, section, section, record[section], 0)
    if record.get("post_processor") is not None:
        _check_specials(path, "post_processor", record["post_processor"], ids)
    for section, rules in (("truncation", _TRUNCATION), ("padding", _PADDING)):
        if record.get(section) is not None:
            _follow(path, section, record[section], rules)


def check_added_token(path: Path, where: str, value: object, *, may_be_text: bool = True) -> None:
    """Check a token of a tokenizer's settings: a text, or an object that holds its content.

    Raises:
        CheckpointError: If it is neither.
    """
    if may_be_text and isinstance(value, str):
        _check(path, where, value, _TOKEN)
        return
    if not isinstance(value, dict):
        refuse(path, where, value, "it must be a token: a text, or an object with its content", hint=SAVE_AGAIN)
    _follow(path, where, value, {key: rule if key == "content" else _optional(rule) for key, rule in _ADDED.items()
                                 if key != "id"})  # fmt: skip


def _check_model(path: Path, model: object, added: object) -> dict[str, int]:
    """Check the model, and return the id of each piece.

    Args:
        added: The added tokens, whose ids are compared with the last ones of the vocabulary.
    """
    if not isinstance(model, dict) or "vocab" not in model:
        refuse(path, "model", model, "it is no tokenizer: it has no vocabulary", hint=SAVE_AGAIN)
    if not isinstance(model["vocab"], list | dict):
        refuse(path, "model.vocab", model["vocab"], "it must be a list or an object", hint=SAVE_AGAIN)
    kind = _named_type(path, "model", {"type": _type_by_keys(model), **model}, "model")
    _follow(path, "model", model, _PARTS["model"][kind])
    ids: dict[str, int] = {}
    is_added = [entry.get("content") for entry in added if isinstance(entry, dict)] if isinstance(added, list) else []
    for token, found in _ids(path, model["vocab"]):
        if ids.setdefault(token, found) != found and token not in is_added:
            refuse(path, f"model.vocab[{found}]", token, f"it has the id {ids[token]} as well", hint=SAVE_AGAIN)
        ids[token] = found
    unknown, unknown_id = model.get("unk_token"), model.get("unk_id")
    if unknown is not None and unknown not in ids:
        refuse(path, "model.unk_token", unknown, "the vocabulary has no such token", hint=SAVE_AGAIN)
    if unknown_id is not None and unknown_id >= len(model["vocab"]):
        tokens = number_text(len(model["vocab"]), "token")
        refuse(path, "model.unk_id", unknown_id, f"the vocabulary has {tokens}", hint=SAVE_AGAIN)
    for index, merge in enumerate(model.get("merges", ()) if kind == "BPE" else ()):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            refuse(path, f"model.merges[{index}]", merge, "it must be a pair of tokens", hint=SAVE_AGAIN)
        for part in parts:
            if part not in ids:
                refuse(path, f"model.merges[{index}]", merge, f"the vocabulary has no '{part}'", hint=SAVE_AGAIN)
    return ids


def _type_by_keys(model: Mapping[str, Any]) -> str:
    """Tell the type of a model whose file does not name it, as the library wrote them before version 0.13."""
    if isinstance(model["vocab"], list):
        return "Unigram"
    if "merges" in model:
        return "BPE"
    return "WordPiece" if "max_input_chars_per_word" in model else "WordLevel"


def _ids(path: Path, vocabulary: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 - a list or an object
    return _object_ids(path, vocabulary) if isinstance(vocabulary, dict) else _list_ids(path, vocabulary)


def _list_ids(path: Path, vocabulary: list[object]) -> Iterator[tuple[str, int]]:
    for index, entry in enumerate(vocabulary):
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_number(entry[1])):
            reason = "it must be a token with its score: [TEXT, NUMBER]"
            refuse(path, f"model.vocab[{index}]", entry, reason, hint=SAVE_AGAIN)
        yield entry[0], index


def _object_ids(path: Path, vocabulary: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    taken: dict[int, str] = {}
    for token, found in vocabulary.items():
        where = f"model.vocab.{shown_key(token)}"
        if not isinstance(found, int) or not _is_id(found):
            refuse(path, where, found, _ID.says, hint=SAVE_AGAIN)
        if taken.setdefault(found, token) != token:
            refuse(path, where, found, f"'{taken[found]}' has that id", hint=SAVE_AGAIN)
        yield token, found


def _check_added(path: Path, added: object, ids: dict[str, int]) -> None:
    """Check the added tokens, and add them to the ids."""
    if added is None:
        return
    _check(path, "added_tokens", added, _LIST)
    taken = {found: token for token, found in ids.items()}
    for index, entry in enumerate(added if isinstance(added, list) else ()):
        where = f"added_tokens[{index}]"
        _follow(path, where, entry, _ADDED)
        content, found = entry["content"], entry["id"]
        if ids.setdefault(content, found) != found:
            refuse(
                path, f"{where}.id", found, f"'{content}' has the id {ids[content]} elsewhere in it", hint=SAVE_AGAIN
            )
        if taken.setdefault(found, content) != content:
            refuse(path, f"{where}.id", found, f"'{taken[found]}' has that id", hint=SAVE_AGAIN)


def _check_part(path: Path, section: str, where: str, part: object, depth: int) -> None:
    if not isinstance(part, dict):
        refuse(path, where, part, _OBJECT.says, hint=SAVE_AGAIN)
    kind = _named_type(path, where, part, section)
    _follow(path, where, part, _PARTS[section][kind])
    if kind != "Sequence":
        return
    if depth > _DEEPEST:
        refuse(path, where, kind, f"at most {_DEEPEST} levels are read", hint=SAVE_AGAIN)
    for index, member in enumerate(part[_MEMBERS[section]]):
        _check_part(path, section, f"{where}.{_MEMBERS[section]}[{index}]", member, depth + 1)


def _check_specials(path: Path, where: str, part: Mapping[str, Any], ids: Mapping[str, int]) -> None:
    """Check that the tokens which a post-processor puts around texts have the ids of the vocabulary."""
    for index, member in enumerate(part.get("processors", ())):
        _check_specials(path, f"{where}.processors[{index}]", member, ids)
    for key in ("sep", "cls"):
        if key in part:
            _check_named(path, f"{where}.{key}", part[key][0], part[key][1], ids)
    if part["type"] != "TemplateProcessing":
        return
    for name, entry in part["special_tokens"].items():
        place = f"{where}.special_tokens.{shown_key(name)}"
        _follow(path, place, entry, {"id": _TEXT, "ids": _LIST, "tokens": _LIST})
        if len(entry["ids"]) != len(entry["tokens"]) or not entry["ids"]:
            refuse(path, f"{place}.ids", entry["ids"], "it must have an id for each of its tokens", hint=SAVE_AGAIN)
        for index, (token, found) in enumerate(zip(entry["tokens"], entry["ids"], strict=True)):
            _check(path, f"{place}.tokens[{index}]", token, _TEXT)
            _check(path, f"{place}.ids[{index}]", found, _ID)
            _check_named(path, f"{place}.ids[{index}]", token, found, ids)
    for side, texts in (("single", ["A"]), ("pair", ["A", "B"])):
        for index, piece in enumerate(part[side]):
            _check_piece(path, f"{where}.{side}[{index}]", piece, part["special_tokens"])
        found = [piece["Sequence"]["id"] for piece in part[side] if "Sequence" in piece]
        if sorted(found) != texts:
            refuse(
                path, f"{where}.{side}", found, f"each text must stand in it once: {', '.join(texts)}", hint=SAVE_AGAIN
            )


def _check_piece(path: Path, where: str, piece: object, specials: Iterable[str]) -> None:
    """Check one piece of a template: a special token, or one of the two texts."""
    if not isinstance(piece, dict) or len(piece) != 1 or not {"SpecialToken", "Sequence"} & piece.keys():
        refuse(path, where, piece, "it must be a SpecialToken or a Sequence", hint=SAVE_AGAIN)
    [(kind, entry)] = piece.items()
    names = _one_of("A", "B") if kind == "Sequence" else _Rule(
        "it must be one of the special_tokens beside it", lambda value: isinstance(value, str) and value in specials
    )  # fmt: skip
    _follow(path, f"{where}.{kind}", entry, {"id": names, "type_id": _ID})


def _check_named(path: Path, where: str, token: str, found: int, ids: Mapping[str, int]) -> None:
    if token not in ids:
        refuse(path, where, token, "the vocabulary has no such token", hint=SAVE_AGAIN)
    if ids[token] != found:
        refuse(path, where, found, f"'{token}' has the id {ids[token]} in the vocabulary", hint=SAVE_AGAIN)


def _named_type(path: Path, where: str, part: Mapping[str, object], section: str) -> str:
    found = part.get("type")
    if not isinstance(found, str) or found not in _PARTS[section]:
        refuse(path, f"{where}.type", found, f"it is no type of {section}", sorted(_PARTS[section]), SAVE_AGAIN)
    return found


def _follow(path: Path, where: str, entry: object, rules: _Rules) -> None:
    """Check the values of an object, those that may be missing only if they are there."""
    if not isinstance(entry, dict):
        refuse(path, where, entry, _OBJECT.says, hint=SAVE_AGAIN)
    for key, rule in rules.items():
        if key not in entry and rule.is_required:
            raise CheckpointError(f"is missing: {rule.says}", path=path, key=f"{where}.{key}", hint=SAVE_AGAIN)
        if rule.is_required or entry.get(key) is not None:
            _check(path, f"{where}.{key}", entry.get(key), rule)


def _check(path: Path, where: str, value: object, rule: _Rule) -> None:
    if not rule.fits(value):
        refuse(path, where, value, rule.says, hint=SAVE_AGAIN)
