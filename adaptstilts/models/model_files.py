"""Checks of the JSON files of a backbone, adapter or head, made before a library reads them. Free of torch.

Some keys make transformers 4.57 download and run code, import further packages or read other files; others make it
allocate more memory than any machine has. docs/safety.md lists them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptstilts.errors import CheckpointError
from adaptstilts.files import check_file
from adaptstilts.formatting import shown
from adaptstilts.models.chat_templates import check_template_files, check_template_setting
from adaptstilts.models.strict_json import read_json, refuse, shown_key
from adaptstilts.models.tokenizer_files import check_added_token, check_tokenizer_file

ATTENTION_KEY = "attn_implementation"
"""Part of every key that selects an implementation of attention."""
_ATTENTION = (None, "eager", "sdpa")
TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "sentencepiece.bpe.model", "sentencepiece.model", "spiece.model", "spm.model", "tokenizer.model", "vocab.txt",
    "vocab.json", "merges.txt",
)  # fmt: skip
"""Names of the files that the classes of `TOKENIZER_CLASSES` read, in the order in which they are fingerprinted."""
_TOKENIZER_SETTINGS = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "merges.txt")
VOCABULARIES = tuple(name for name in TOKENIZER_FILES if name not in _TOKENIZER_SETTINGS)
"""Files of which a tokenizer needs one."""
_MODEL_FILES = ("config.json", "generation_config.json", "model.safetensors", "model.safetensors.index.json")
_DEEPEST = 24
_LARGEST_NUMBER = 2**31


@dataclass(frozen=True)
class _Fixed:
    """A key that may be left out or have one of a few values.

    Attributes:
        allowed: Values that change nothing, compared with their types.
        reason: What another value does.
        hint: What to do about it.
    """

    allowed: tuple[object, ...]
    reason: str
    hint: str = "Remove the key, if the files come from a source that you trust."


_CODE = "makes the library download Python code and run it"
_ELSEWHERE = "points the library to other files, which are not checked"
_PACKAGES = "makes the library import further packages"
_REMOVE_CODE = "Remove the key; models that need code of their own cannot be used."

_ANYWHERE: dict[str, _Fixed] = {
    "auto_map": _Fixed((None, {}), _CODE, _REMOVE_CODE),
    "trust_remote_code": _Fixed((None, False), _CODE, _REMOVE_CODE),
    "custom_pipelines": _Fixed((None, {}), _CODE, _REMOVE_CODE),
    "custom_generate": _Fixed((None,), _CODE, _REMOVE_CODE),
    "use_kernels": _Fixed((None, False), _CODE, "Remove the key; attention is computed by PyTorch."),
    "kernel_config": _Fixed((None,), _CODE, "Remove the key; attention is computed by PyTorch."),
    "quantization_config": _Fixed((None,), _PACKAGES, "Use weights that are not quantised."),
    "compression_config": _Fixed((None,), _PACKAGES, "Use weights that are not quantised."),
    "configuration_files": _Fixed((None, []), _ELSEWHERE),
    "transformers_weights": _Fixed((None,), _ELSEWHERE, "Name the weights model.safetensors and remove the key."),
    "gguf_file": _Fixed((None,), _ELSEWHERE),
    "subfolder": _Fixed((None, ""), _ELSEWHERE, "Give the folder itself as the backbone and remove the key."),
    "base_model_name_or_path": _Fixed(
        (None,), _ELSEWHERE, "A peft adapter is no backbone: merge it into its model and save that."
    ),
}
"""Keys that are looked for at every depth of every file."""

_MODEL: dict[str, _Fixed] = {
    "return_dict": _Fixed((None, True), "changes what the model returns"),
    "torchscript": _Fixed((None, False), "changes what the model returns"),
    "is_decoder": _Fixed((None, False), "hides the tokens that follow from the encoder"),
    "add_cross_attention": _Fixed((None, False), "adds layers that an encoder has not"),
    "use_bfloat16": _Fixed((None, False), "is not supported"),
    "chunk_size_feed_forward": _Fixed(
        (None, 0),
        "cuts inputs into chunks of that length, which few inputs are a multiple of",
        "Remove the key; it saves memory and changes no result.",
    ),
    "pruned_heads": _Fixed((None, {}, []), "takes out attention heads, which is not supported", "Use a whole encoder."),
    **dict.fromkeys(
        ("attribute_map", "sub_configs", "base_config_key"),
        _Fixed((None,), "replaces a part of the library's own class"),
    ),
}
_TOKENIZER: dict[str, _Fixed] = {
    "fast_tokenizer_files": _Fixed((None, []), _ELSEWHERE),
    "init_inputs": _Fixed((None, []), _ELSEWHERE),
    "from_slow": _Fixed((None, False), _ELSEWHERE, "Remove the key; a tokenizer.json is read as it is."),
    **dict.fromkeys(
        ("vocab_file", "merges_file", "tokenizer_file", "spm_file", "tokenizer_object", "__slow_tokenizer"),
        _Fixed((None,), _ELSEWHERE, "Remove the key; the tokenizer's files are found by their names."),
    ),
}
_ADAPTER: dict[str, _Fixed] = {
    "architecture": _Fixed((None,), "is no bottleneck adapter", "Only bottleneck adapters can be loaded."),
    "phm_layer": _Fixed((None, False), "is not supported", "Only plain bottleneck adapters can be loaded."),
    "inv_adapter": _Fixed((None,), "is not supported", "Only plain bottleneck adapters can be loaded."),
    "peft_type": _Fixed((None,), "is an adapter of peft", "Only adapters of the adapters library can be loaded."),
}

_SIZES: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("hidden_size", "d_model"), (1, 2**17)),
    **dict.fromkeys(("intermediate_size", "d_ff"), (1, 2**20)),
    **dict.fromkeys(("num_hidden_layers", "num_layers"), (1, 1024)),
    "num_decoder_layers": (0, 1024),
    **dict.fromkeys(("num_attention_heads", "num_heads"), (1, 1024)),
    **dict.fromkeys(("head_dim", "d_kv", "embedding_size"), (1, 2**17)),
    "vocab_size": (1, 2**24),
    "max_position_embeddings": (0, 2**24),
    "max_relative_positions": (-1, 2**20),
    "position_buckets": (-1, 2**20),
    "relative_attention_num_buckets": (0, 2**20),
    "relative_attention_max_distance": (0, 2**24),
    "type_vocab_size": (0, 2**16),
    "num_labels": (0, 2**16),
}
"""Smallest and largest value of whole numbers; the limits are far beyond any published encoder."""
_MAY_BE_NULL = frozenset({"head_dim", "embedding_size", "num_decoder_layers"})
"""Those that some published encoders leave open."""
_DTYPES = (None, "float32", "float16", "bfloat16", "float64")
_ACTIVATIONS = (
    None, "gelu", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_pytorch_tanh", "leakyrelu",
    "leaky_relu", "linear", "mish", "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu", "swish", "tanh",
)  # fmt: skip
_ACTIVATION_KEYS = frozenset(
    {"hidden_act", "hidden_activation", "dense_act_fn", "classifier_activation", "non_linearity", "activation_function"}
)
_TOKENIZERS = (
    "Albert", "Bert", "Camembert", "DebertaV2", "DistilBert", "Electra", "GPT2", "Gemma", "Llama", "MPNet", "MT5",
    "RemBert", "Roberta", "T5", "XLMRoberta",
)  # fmt: skip
TOKENIZER_CLASSES = (
    "PreTrainedTokenizerFast",
    *(f"{name}Tokenizer{form}" for name in _TOKENIZERS for form in ("", "Fast")),
)
"""Classes of transformers that read a vocabulary and do nothing else."""
_TOKENS = tuple(f"{name}_token" for name in ("pad", "unk", "cls", "sep", "mask", "bos", "eos"))
_SENTENCEPIECE_OPTIONS = ("alpha", "enable_sampling", "nbest_size")

_WORDS = {str: "a text", list: "a list", dict: "an object", int: "a whole number", bool: "true or false"}

_Check = Callable[[Path, str, str, Any], None]


def check_model_json(path: Path) -> dict[str, Any]:
    """Read and check the config.json of a backbone, and return it.

    Raises:
        CheckpointError: If a key would run code, load other files or exhaust memory, or has a value of another type.
    """
    config = read_json(path)
    _visit(path, config, _check_shared, _check_model)
    _check_types(path, config, {"model_type": str, "architectures": list, "id2label": dict, "label2id": dict})
    for key in config.get("id2label") or ():
        if not key.isascii() or not key.isdecimal():
            refuse(path, f"id2label.{shown_key(key)}", key, "the keys are the numbers of classes")
    names = config.get("architectures") or []
    if not all(isinstance(name, str) for name in names):
        refuse(path, "architectures", names, "the names of classes are texts")
    padding, vocabulary = config.get("pad_token_id"), config.get("vocab_size")
    if padding is not None and not _is_within(padding, 0, vocabulary - 1 if isinstance(vocabulary, int) else 2**24):
        refuse(path, "pad_token_id", padding, f"it must be an id of the vocabulary, which has {vocabulary}")
    return config


def check_value_types(
    path: Path, config: Mapping[str, object], defaults: Mapping[str, object], where: str = ""
) -> None:
    """Check that settings of a model or an adapter are of the types that the library's class has for them.

    Args:
        path: The file that holds them.
        config: The settings.
        defaults: What the class holds by itself; a key whose default is null may have any value.
        where: Key of the settings in the file, with a dot behind it; empty for the whole file.

    Raises:
        CheckpointError: For the first that is of another type.
    """
    for key, value in config.items():
        default = defaults.get(key)
        if default is None or (value is None and (key.endswith("_token_id") or key == "classifier_dropout")):
            continue
        if not (_is_number(value) if _is_number(default) else isinstance(value, type(default))):
            words = "a number" if _is_number(default) else _WORDS.get(type(default), "of the same type")
            refuse(path, f"{where}{key}", value, f"it must be {words}, such as {shown(default)}")


def check_tokenizer_json(folder: Path) -> None:
    """Check the JSON files of a folder that a tokenizer is loaded from.

    Raises:
        CheckpointError: See `check_model_json`.
    """
    path = folder / "tokenizer_config.json"
    if path.exists():
        settings = read_json(path)
        _visit(path, settings, _check_shared, _check_tokenizer)
        types = {"model_input_names": list, "added_tokens_decoder": dict, "additional_special_tokens": list}
        _check_types(path, settings, {**types, "extra_special_tokens": dict})
        _check_tokens(path, settings, path.name)
        check_template_setting(path, settings.get("chat_template"))
        names = settings.get("model_input_names", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            refuse(path, "model_input_names", names, "it must be a list of texts")
        longest = settings.get("model_max_length")
        if longest is not None and not _is_within(longest, 1, math.inf, whole=False):
            refuse(path, "model_max_length", longest, "it must be a number of sub-tokens")
    check_template_files(folder)
    for name in ("special_tokens_map.json", "added_tokens.json", "generation_config.json"):
        if (folder / name).exists():
            record = read_json(folder / name)
            _visit(folder / name, record, _check_shared)
            _check_tokens(folder / name, record, name)
    if (folder / "tokenizer.json").exists():
        check_tokenizer_file(folder / "tokenizer.json")


def _check_tokens(path: Path, record: Mapping[str, Any], name: str) -> None:
    """Check the tokens in a file of a tokenizer's settings."""
    if name == "added_tokens.json":
        for token, found in record.items():
            if not _is_within(found, 0, 2**24):
                refuse(path, shown_key(token), found, "it must be the token's id, a whole number from 0")
        return
    for key, value in record.items():
        if key in _TOKENS and value is not None:
            check_added_token(path, key, value)
    for index, value in enumerate(record.get("additional_special_tokens") or ()):
        check_added_token(path, f"additional_special_tokens[{index}]", value)
    for key, value in (record.get("added_tokens_decoder") or {}).items():
        where = f"added_tokens_decoder.{shown_key(key)}"
        if not key.isascii() or not key.isdecimal() or int(key[:9]) >= 2**24:
            refuse(path, where, value, "the key must be a token's id, a whole number from 0")
        check_added_token(path, where, value, may_be_text=False)


def check_entries(folder: Path) -> None:
    """Check that the files of a backbone's folder are ordinary ones, so that no library waits for a pipe or a device.

    Folders are left alone, except under the name of a file that is read.

    Raises:
        CheckpointError: For the first that is something else.
    """
    read = {*_MODEL_FILES, *TOKENIZER_FILES}
    for path in sorted(folder.iterdir()):
        if path.name in read or not path.is_dir():
            check_file(path, CheckpointError, "Remove it, or save the model again with save_pretrained.")


def check_attached_json(path: Path) -> dict[str, Any]:
    """Read and check the JSON file of an adapter, a fusion layer or a head, and return it.

    Raises:
        CheckpointError: See `check_model_json`.
    """
    record = read_json(path)
    _visit(path, record, _check_shared, _check_adapter)
    _check_types(path, record, {"config": dict, "name": str, "hidden_size": int, "adapter_names": list, "kind": str})
    if not isinstance(record.get("config"), dict):
        refuse(path, "config", record.get("config"), "the settings are a JSON object")
    labels = record.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        refuse(path, "labels", labels, "labels are a list of texts")
    return record


def refuse_peft(names: Iterable[str], where: Path | str) -> None:
    """Refuse a backbone that holds a peft adapter: transformers would load the model that its configuration names.

    Args:
        names: Names of the backbone's files.

    Raises:
        CheckpointError: If ``adapter_config.json`` is among them.
    """
    if "adapter_config.json" in names:
        raise CheckpointError(
            "adapter_config.json is refused: transformers would load the model that it names instead of this one",
            path=where,
            value="adapter_config.json",
            hint="Remove the file, or merge the adapter into its model and save that.",
        )


def _visit(path: Path, loaded: Mapping[str, Any], *checks: _Check) -> None:
    """Call checks with the path, the last name and the value of every key at every depth."""
    for where, key, value in _keys(path, loaded, "", 0):
        for check in checks:
            check(path, where, key, value)


def _keys(path: Path, value: object, where: str, depth: int) -> Iterator[tuple[str, str, Any]]:
    if depth > _DEEPEST:
        raise CheckpointError("is nested too deeply", path=path, key=where, hint=f"At most {_DEEPEST} levels are read.")
    if isinstance(value, dict):
        for key, inner in value.items():
            below = f"{where}.{shown_key(key)}" if where else shown_key(key)
            yield below, key, inner
            yield from _keys(path, inner, below, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _keys(path, inner, f"{where}[{index}]", depth + 1)


def _check_shared(path: Path, where: str, key: str, value: object) -> None:
    if ATTENTION_KEY in key.lower() and not _is_one_of(value, _ATTENTION):
        refuse(
            path,
            where,
            value,
            "transformers 4.57 downloads attention kernels from a repository that is named here and runs their code "
            "(CVE-2026-4372)",
            allowed=("null", "eager", "sdpa"),
            hint="Remove the key; adaptstilts selects the implementation itself.",
        )
    _check_fixed(path, where, key, value, _ANYWHERE)
    if key == "_commit_hash" and value is not None and not (isinstance(value, str) and value.isalnum()):
        refuse(path, where, value, "it is no commit", hint="Remove the key.")


def _check_model(path: Path, where: str, key: str, value: object) -> None:
    _check_fixed(path, where, key, value, _MODEL)
    if key.startswith("__"):
        refuse(path, where, value, "keys become attributes of an object, and Python reserves such names")
    _check_numbers(path, where, key, value)
    if key in {"dtype", "torch_dtype"} and not _is_one_of(value, _DTYPES):
        refuse(path, where, value, "it is no floating-point type of tensors", allowed=("null", *_DTYPES[1:]))
    _check_tokenizer_class(path, where, key, value)


def _check_tokenizer(path: Path, where: str, key: str, value: object) -> None:
    if "." not in where:
        _check_fixed(path, where, key, value, _TOKENIZER)
        if key.startswith("__") or key == "self":
            refuse(path, where, value, "keys become arguments of a function, and Python reserves this name")
    _check_tokenizer_class(path, where, key, value)
    if key == "sp_model_kwargs" and not (
        value is None or (isinstance(value, dict) and value.keys() <= set(_SENTENCEPIECE_OPTIONS))
    ):
        refuse(path, where, value, "SentencePiece would read other files", allowed=_SENTENCEPIECE_OPTIONS)


def _check_adapter(path: Path, where: str, key: str, value: object) -> None:
    _check_fixed(path, where, key, value, _ADAPTER)
    _check_numbers(path, where, key, value)
    factors = list(value.values()) if isinstance(value, dict) else [value]
    if key == "reduction_factor" and not all(_is_within(factor, 1, 2**16, whole=False) for factor in factors):
        refuse(path, where, value, "it must be a number from 1 to 65536")


def _check_numbers(path: Path, where: str, key: str, value: object) -> None:
    if key in _SIZES and (value is not None or key not in _MAY_BE_NULL):
        low, high = _SIZES[key]
        if not _is_within(value, low, high):
            refuse(path, where, value, f"it must be a whole number from {low} to {high}")
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        refuse(path, where, value, f"no setting of a model is beyond {_LARGEST_NUMBER}")
    is_share = "dropout" in key or key.endswith("_prob")
    if is_share and value is not None and not _is_within(value, 0, 1, whole=False):
        refuse(path, where, value, "it must be a number from 0 to 1")
    if key.endswith("_theta") and value is not None and not (_is_within(value, 0, math.inf, whole=False) and value):
        refuse(path, where, value, "it must be a number above 0")
    is_small = key.endswith(("_eps", "_epsilon", "initializer_range"))
    if is_small and not _is_within(value, 0, 1e6, whole=False):
        refuse(path, where, value, "it must be a number from 0")
    if key == "non_linearity" and isinstance(value, str):  # the adapters library ignores case, transformers does not
        value = value.lower()
    if key in _ACTIVATION_KEYS and not _is_one_of(value, _ACTIVATIONS):
        refuse(path, where, value, "it is no known activation function", allowed=_ACTIVATIONS[1:])


def _check_tokenizer_class(path: Path, where: str, key: str, value: object) -> None:
    if key == "tokenizer_class" and not _is_one_of(value, (None, *TOKENIZER_CLASSES)):
        hint = "Convert it to a fast tokenizer and save that as PreTrainedTokenizerFast."
        refuse(path, where, value, "a class of tokenizers that is not supported", TOKENIZER_CLASSES, hint)


def _check_fixed(path: Path, where: str, key: str, value: object, rules: Mapping[str, _Fixed]) -> None:
    rule = rules.get(key)
    if rule is not None and not _is_one_of(value, rule.allowed):
        allowed = [json.dumps(item) for item in rule.allowed]
        refuse(path, where, value, f"this key {rule.reason}", allowed, rule.hint)


def _check_types(path: Path, record: Mapping[str, object], types: Mapping[str, type]) -> None:
    for key, wanted in types.items():
        value = record.get(key)
        if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            refuse(path, key, value, f"it must be {_WORDS[wanted]}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_one_of(value: object, allowed: tuple[object, ...]) -> bool:
    return any(type(value) is type(item) and value == item for item in allowed)


def _is_within(value: object, low: float, high: float, *, whole: bool = True) -> bool:
    types = (int,) if whole else (int, float)
    return isinstance(value, types) and not isinstance(value, bool) and low <= value <= high
