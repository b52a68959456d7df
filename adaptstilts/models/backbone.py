"""Backbones: an encoder and its tokenizer, from a folder, the bundled miniature model, or the hub.

The parameter `location` is a folder or a hub id, as returned by `locate_backbone`; `revision` applies to hub ids only.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.contents import held_still
from adaptstilts.encoding.subtokens import frame_of
from adaptstilts.errors import CheckpointError
from adaptstilts.files import expanded
from adaptstilts.models.architecture import Architecture, architecture_of, has_token_types
from adaptstilts.models.encoder_fit import check_fit, check_values
from adaptstilts.models.fingerprints import deciding_files
from adaptstilts.models.hub_models import cached_folder, hub_folder
from adaptstilts.models.library_errors import library_errors
from adaptstilts.models.model_files import (
    VOCABULARIES,
    check_entries,
    check_model_json,
    check_tokenizer_json,
    check_value_types,
    refuse_peft,
)
from adaptstilts.models.safetensors_files import check_finite
from adaptstilts.models.strict_json import read_json
from adaptstilts.models.tokenizer_probe import try_tokenizer
from adaptstilts.models.tokenizer_settings import check_as_stated
from adaptstilts.models.tokenizer_trial import TEXTS as TRIAL_TEXTS
from adaptstilts.models.vocabulary_files import check_vocabulary
from adaptstilts.models.weight_files import check_sizes, weight_files
from adaptstilts.runtime import without_note_on_unused_weights, without_notes_on_settings
from adaptstilts.shipped import mini_backbone_folder

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

MINI_BACKBONE = "mini"
"""Name of the bundled miniature backbone in configurations."""
TOKEN_TYPES = "token_type_ids"
"""Name of the token types among a Hugging Face model's inputs."""
_SAVE_MODEL = "Save the model in this folder with save_pretrained, or give another folder."
_SAVE_TOKENIZER = "Save the tokenizer in the same folder with save_pretrained."


def locate_backbone(name: str) -> str:
    """Resolve the configured backbone to a folder or a hub id.

    Args:
        name: ``mini``, a folder, or a hub id.

    Returns:
        A folder path, or the hub id unchanged.

    Raises:
        CheckpointError: If the folder does not exist or lacks weights or tokenizer, or the name has neither form.
    """
    if name == MINI_BACKBONE:
        folder = mini_folder()
        _check_folder(folder)
        return str(folder)
    folder = expanded(name)
    if folder.is_dir():
        _check_folder(folder)
        return str(folder)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise CheckpointError(
            f"'{name}' is neither a folder nor a hub id of the form OWNER/NAME",
            key="backbone",
            hint="Give `mini`, a folder saved with save_pretrained, or an id such as FacebookAI/xlm-roberta-large; ids "
            "without an owner are not taken, since a misspelt folder would look like one. "
            "More: adaptstilts docs backbones.",
        )
    if folder.parent.is_dir():
        # A misspelt folder name would pass for a hub id and be noticed only when the hub is queried.
        beside = sorted(str(other) for other in folder.parent.iterdir() if (other / "config.json").is_file())
        raise CheckpointError(
            f"'{name}' is no folder, though '{folder.parent}' is one",
            key="backbone",
            value=name,
            allowed=beside,
            hint=f"For a hub id of that name, rename the folder '{folder.parent}' or run elsewhere.",
        )
    return name


def mini_folder() -> Path:
    """Return the folder of the miniature backbone: ``checkpoints/mini`` in the working folder, or the package's own."""
    here = Path("checkpoints") / "mini"
    return here if here.is_dir() else mini_backbone_folder()


def is_of_package(location: str) -> bool:
    """Say whether a backbone is the miniature that comes with the package."""
    return Path(location).resolve() == mini_backbone_folder().resolve()


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise CheckpointError(
            "no such backbone folder", path=folder, hint="Make it: adaptstilts pretrain pretrain_mini"
        )
    check_entries(folder)
    if not (folder / "config.json").is_file():
        raise CheckpointError("the backbone folder has no config.json", path=folder, hint=_SAVE_MODEL)
    config, path = read_config(folder), folder / "config.json"
    _checked_weights(folder, config, architecture_of(config, path))
    _check_tokenizer(folder)


def _checked_weights(folder: Path, config: Mapping[str, object], architecture: Architecture) -> tuple[Path, ...]:
    """Return a backbone's weight files, with a size that its config.json explains, before a library reads them."""
    shape, files = architecture.shape(config), weight_files(folder)
    if shape is not None:
        check_sizes(shape.parameters, files, folder / "config.json")
    return files


def read_config(folder: Path) -> dict[str, object]:
    """Read and check the config.json of a backbone's folder.

    Raises:
        CheckpointError: If it is not a JSON object, or would make a library run code or load other files.
    """
    check_entries(folder)
    refuse_peft((path.name for path in folder.glob("adapter_config.json")), folder)
    return check_model_json(folder / "config.json")


def known_config(location: str, revision: str | None = None) -> dict[str, object] | None:
    """Read the config.json of a backbone without asking the hub; None for one on the hub that is not in its cache.

    Raises:
        CheckpointError: See `read_config`.
    """
    folder = Path(location) if Path(location).is_dir() else cached_folder(location, revision)
    return None if folder is None else read_config(folder)


def _opened(
    location: str, revision: str | None, *, weights: bool = False
) -> tuple[Path, dict[str, object], Architecture]:
    """Return the folder of a backbone, from the hub if `location` is an id, its checked config.json and its type."""
    folder = Path(location)
    if not folder.is_dir():
        folder = hub_folder(location, revision, weights=weights)
    config = read_config(folder)
    return folder, config, architecture_of(config, folder / "config.json")


def load_config(location: str, revision: str | None = None) -> PretrainedConfig:
    """Load the Hugging Face configuration of a backbone, defaults included.

    Raises:
        CheckpointError: If it cannot be loaded.
    """
    folder, _, _ = _opened(location, revision)
    return _library_config(folder)


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise CheckpointError(
            "the backbone folder has no tokenizer", path=folder, allowed=VOCABULARIES, hint=_SAVE_TOKENIZER
        )
    check_tokenizer_json(folder)


def _library_config(folder: Path) -> PretrainedConfig:
    """Load a config.json that has been checked."""
    from transformers import AutoConfig  # noqa: PLC0415

    path = folder / "config.json"
    with library_errors("cannot be loaded as a backbone", path, _SAVE_MODEL), without_notes_on_settings():
        config: PretrainedConfig = AutoConfig.from_pretrained(folder)
        defaults = type(config)().to_dict()
    check_value_types(path, read_json(path), defaults)
    return config


def _empty_encoder(
    folder: Path, written: Mapping[str, object], architecture: Architecture, location: str
) -> tuple[PreTrainedModel, PretrainedConfig]:
    """Build the encoder that a checked config.json describes on the meta device, and compare the weights with it.

    Returns:
        The encoder, whose weights have no numbers, and its configuration.
    """
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    from transformers.modeling_utils import no_init_weights  # noqa: PLC0415

    files = _checked_weights(folder, written, architecture)
    config = _library_config(folder)
    if architecture.shape(config.to_dict()) is None:
        raise CheckpointError(
            f"is an encoder of type {architecture.model_type} with parts that are not supported",
            path=location,
            hint="docs/backbones.md lists what is supported of each type.",
        )
    # Nothing reads them, and torch's kernels give no weights of attention: the library would compute it in another way.
    config.output_attentions = config.output_hidden_states = False
    for name, value in architecture.settings.items():
        setattr(config, name, value)
    with _loading(architecture, folder / "config.json"), torch.device("meta"), no_init_weights():
        encoder = getattr(transformers, architecture.auto_class).from_config(
            config, attn_implementation=architecture.attention, **architecture.options
        )
    check_fit(encoder, files, location)
    return encoder, config


def _loading(architecture: Architecture, path: Path | str) -> AbstractContextManager[None]:
    return library_errors(f"cannot be loaded as a backbone of type {architecture.model_type}", path, _SAVE_MODEL)


def check_backbone(location: str) -> None:
    """Check a backbone's folder as loading it would, and that its tokenizer cuts texts and its weights are finite.

    Raises:
        CheckpointError: See `load_encoder` and `load_tokenizer`.
    """
    folder, written, architecture = _opened(location, None)
    encoder, _ = _empty_encoder(folder, written, architecture, location)
    _check_tokenizer(folder)
    if (folder / "tokenizer.json").is_file():
        try_tokenizer(folder / "tokenizer.json")
    tokenizer = _loaded_tokenizer(folder, architecture, location)
    with library_errors("has no usable tokenizer", location, _SAVE_TOKENIZER):
        frame_of(tokenizer)
        for text in TRIAL_TEXTS:
            tokenizer(text, "a pair")
    check_values(encoder, weight_files(folder), location)


def load_encoder(location: str, revision: str | None = None) -> PreTrainedModel:
    """Load a backbone's encoder in fp32, without pooler, in evaluation mode.

    Its weights are copies, since those of the library would change with a file that is written to.

    Raises:
        CheckpointError: If the weights cannot be read or do not fill the encoder.
        ChangedError: If a file changes while it is read.
    """
    folder, written, architecture = _opened(location, revision, weights=True)
    with held_still(deciding_files(folder)):
        return _loaded_encoder(folder, written, architecture, location)


def _loaded_encoder(
    folder: Path, written: Mapping[str, object], architecture: Architecture, location: str
) -> PreTrainedModel:
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    _, config = _empty_encoder(folder, written, architecture, location)
    with _loading(architecture, location), without_note_on_unused_weights():  # what is missing is checked below
        encoder, info = getattr(transformers, architecture.auto_class).from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            attn_implementation=architecture.attention,
            dtype=torch.float32,
            output_loading_info=True,
            **architecture.options,
        )
    missing = [name for name in info["missing_keys"] if not name.startswith("pooler.")]
    missing += [name for name, weight in encoder.named_parameters() if weight.is_meta]
    if missing:  # the library has found less than `check_fit`, and has drawn the rest at random
        raise CheckpointError(f"the weights lack '{missing[0]}'", path=location, hint="Save the backbone again.")
    check_finite(dict(encoder.named_parameters()), location)
    own_weights(encoder)
    # XLM-R XL's blocks can be computed again in the backward pass, though its class does not say so.
    encoder.supports_gradient_checkpointing = True
    # The library writes this name into every adapter_config.json, where a local path must not appear. It has no owner,
    # so that it is no published model's.
    encoder.config._name_or_path = (
        f"{architecture.model_type}-{encoder.config.num_hidden_layers}x{encoder.config.hidden_size}"
        if Path(location).is_dir()
        else location
    )
    return encoder.eval()  # type: ignore[no-any-return]


class EncoderCache:
    """Cache of one encoder in memory, so that several networks can be built on one loading.

    Every network gets an encoder with modules of its own, so that adapters added to one do not appear in another; only
    the weight tensors are shared. They must not be written to: a network that trains them copies them first
    (`own_weights`).

    Args:
        device: Device of the cached encoder; None for the CPU.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self._device = device
        self._name: tuple[str, str | None] | None = None
        self._fingerprint = ""
        self._kept: PreTrainedModel | None = None

    def keep(self, location: str, revision: str | None = None, fingerprint: str = "") -> None:
        """Mark the one encoder to be cached; others, such as fully trained ones, are loaded each time.

        One of another fingerprint is another encoder, though its place is the same.
        """
        if (self._name, self._fingerprint) != ((location, revision), fingerprint):
            self._name, self._fingerprint, self._kept = (location, revision), fingerprint, None

    def load(self, location: str, revision: str | None = None) -> PreTrainedModel:
        """Return an encoder as `load_encoder` does, from memory if it is cached.

        Returns:
            The encoder, on the cache's device if it is cached, else on the CPU.

        Raises:
            CheckpointError: If the weights cannot be read or do not fill the encoder.
        """
        import torch  # noqa: PLC0415

        if self._name != (location, revision):
            return load_encoder(location, revision)
        if self._kept is None:
            encoder = load_encoder(location, revision)
            if self._device is not None:
                torch.nn.Module.to(encoder, self._device)
            self._kept = encoder
        shared: dict[int, object] = {
            id(weight): torch.nn.Parameter(weight.detach(), requires_grad=weight.requires_grad)
            for weight in self._kept.parameters()
        }
        return copy.deepcopy(self._kept, shared)


def own_weights(encoder: torch.nn.Module) -> None:
    """Copy an encoder's weights in place, so that training does not change those of a cached encoder."""
    for weight in encoder.parameters():
        weight.data = weight.data.clone()


def load_tokenizer(location: str, revision: str | None = None) -> PreTrainedTokenizerFast:
    """Load the fast tokenizer of a backbone.

    Raises:
        CheckpointError: If there is none, it has no padding token, or the padding id differs from that of an encoder
            that counts positions from it.
    """
    folder, _, architecture = _opened(location, revision)
    _check_tokenizer(folder)
    return _loaded_tokenizer(folder, architecture, location)


def _loaded_tokenizer(folder: Path, architecture: Architecture, location: str) -> PreTrainedTokenizerFast:
    """Load a tokenizer whose settings and tokenizer.json have been checked."""
    from transformers import AutoTokenizer  # noqa: PLC0415

    config = _library_config(folder)
    check_vocabulary(folder)
    with library_errors("has no usable tokenizer", location, _SAVE_TOKENIZER):
        # Left open, transformers warns of Mistral's regular expression for every config.json that names no version.
        tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(  # type: ignore[no-untyped-call]
            folder, fix_mistral_regex=False
        )
        vocabulary = tokenizer.get_vocab()
    check_as_stated(folder, tokenizer, vocabulary)
    if tokenizer.pad_token_id is None:
        raise CheckpointError(
            "the tokenizer has no padding token",
            path=location,
            key="pad_token",
            hint="Set its pad_token to one of its tokens, then save it in the folder with save_pretrained.",
        )
    # Elsewhere padding is masked, and its id changes nothing: multilingual-E5 small has 0 here and 1 in the tokenizer.
    if architecture.reserved_positions and tokenizer.pad_token_id != config.pad_token_id:
        raise CheckpointError(
            f"the tokenizer's padding id is {tokenizer.pad_token_id}, the encoder's is {config.pad_token_id}",
            path=location,
            key="pad_token_id",
            hint="Set pad_token_id in its config.json to the tokenizer's, if that is how the backbone was trained.",
        )
    token = max(vocabulary, key=vocabulary.__getitem__, default=None)
    if token is not None and vocabulary[token] >= config.vocab_size:
        raise CheckpointError(
            f"the tokenizer's '{token}' has the id {vocabulary[token]}, but the encoder has word vectors for the ids "
            f"below {config.vocab_size}",
            path=location,
            key="vocab_size",
            value=config.vocab_size,
            hint="Use the tokenizer that was saved with the weights.",
        )
    # Long texts are cut into windows, so that the errors which the library warns of cannot come.
    tokenizer.deprecation_warnings["sequence-length-is-longer-than-the-specified-maximum"] = True
    if not has_token_types(config):
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != TOKEN_TYPES]
    return tokenizer
