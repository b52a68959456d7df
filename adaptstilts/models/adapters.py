"""Bottleneck adapters and their composition: the only module that imports the `adapters` library.

The library accepts mistakes silently: unknown configuration keys, loads that leave an adapter random, fusions named in
another order, a model without an active adapter. The checks in this module turn each of them into an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adapters
import torch
from adapters import AdapterConfig, Fuse, Stack
from adapters.composition import AdapterCompositionBlock
from adapters.context import ForwardContext
from safetensors.torch import load_file, save_file

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.errors import CheckpointError
from adaptstilts.files import check_file
from adaptstilts.formatting import number_text, shown
from adaptstilts.models.architecture import architecture_of
from adaptstilts.models.heads import Head, save_head
from adaptstilts.models.library_errors import library_errors
from adaptstilts.models.model_files import check_attached_json, check_value_types
from adaptstilts.models.safetensors_files import check_finite, check_tensors, read_header
from adaptstilts.models.strict_json import refuse

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

WEIGHTS_FILE = "adapter.safetensors"
FUSION_WEIGHTS_FILE = "model_adapter_fusion.safetensors"
_HINT = "Use the backbone that it was trained on, and the files as they were saved."
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$")


@dataclass(frozen=True)
class Composition:
    """Adapters that are active together, as a stack or under a fusion layer.

    Attributes:
        adapters: Names, bottom first for a stack.
        fusion: Name of the fusion layer over the adapters; empty for a stack (of one or more).
    """

    adapters: tuple[str, ...]
    fusion: str = ""

    def block(self) -> AdapterCompositionBlock:
        """Build the composition block of the `adapters` library."""
        if self.fusion:
            return Fuse(*self.adapters, name=self.fusion)
        return Stack(*self.adapters)


def check_names(names: Iterable[str]) -> None:
    """Reject adapter names that the library would confuse: it filters tensors by prefix and splits at commas.

    Raises:
        CheckpointError: If a name has other characters than a-z, 0-9, ``_`` and ``-``, or is a prefix of another.
    """
    ordered = sorted(names)
    for name in ordered:
        if not _NAME.match(name):
            raise CheckpointError(f"'{name}' cannot name an adapter", value=name, hint="Use a-z, 0-9, '_' and '-'.")
    for shorter, longer in itertools.pairwise(ordered):
        if longer.startswith(shorter):
            raise CheckpointError(
                f"adapter name '{shorter}' is a prefix of '{longer}'", value=shorter, hint="Rename one of them."
            )


class AdapterHost:
    """An encoder with adapters and fusion layers: adds, loads, saves and activates them, and selects which ones train.

    Args:
        encoder: A plain encoder; adapter support is added in place.
    """

    def __init__(self, encoder: PreTrainedModel) -> None:
        self.encoder: Any = encoder
        self.active: Composition | None = None
        self._own: dict[str, frozenset[str]] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        _add_support(encoder)

    @property
    def names(self) -> Iterable[str]:
        """Names of the adapters and fusion layers in the encoder."""
        return self._own

    def own_parameters(self, name: str) -> frozenset[str]:
        """List the encoder's parameters that were created by adding an adapter or a fusion layer.

        Found by comparing names before and after, and not by the names that `train_only` goes by, so that
        `check_trainable` compares two independent answers. Another method of the library needs its names in `_belongs`.
        """
        return self._own[name]

    def add(self, name: str, section: AdapterSection, *, seed: int, identity: bool) -> None:
        """Add an adapter with fresh weights.

        Args:
            identity: Whether to start as the exact identity (up-projection zero). Otherwise the library's own
                initialisation applies: small random weights; for par_bn, whose output is scaled by 4, the identity
                as well (He et al. 2022).
        """
        start = {"init_weights": "mam_adapter"} if identity else {}
        config = AdapterConfig.load(
            section.kind,
            reduction_factor=section.reduction_factor,
            non_linearity=section.activation,
            dropout=section.dropout,
            **start,
        )
        with self._attaching(name), _seeded(seed):
            self.encoder.add_adapter(name, config=config)

    def load(self, folder: Path, name: str) -> None:
        """Load an adapter whose tensors must match the encoder exactly.

        Raises:
            CheckpointError: If files are missing, the type, width or depth of the backbone differs, or any tensor is
                missing or unexpected, such as one of the encoder, which a library would overwrite.
        """
        path, weights = folder / "adapter_config.json", folder / WEIGHTS_FILE
        _check_backbone(path, self.encoder.config, weights)
        record = check_attached_json(path)
        check_value_types(path, record["config"], AdapterConfig.load("seq_bn").to_dict(), "config.")
        saved = _saved_name(path, record)
        with self._attaching(name):
            with library_errors("the adapter cannot be added", path, _HINT):
                self.encoder.add_adapter(name, config=record["config"])
            self._fill(weights, f".adapters.{name}.", f".adapters.{saved}.", "the adapter does not fit the backbone")

    def save(self, name: str, folder: Path, head: Head | None = None, *, choices: int = 2) -> None:
        """Write an adapter or a fusion layer, and its head, in the format that the library itself reads.

        Args:
            folder: Created if missing; receives the configuration (of a fusion layer, with the order of its adapters),
                weights as safetensors and as ``.bin`` (which the library reads by default), and the same for the head.
            choices: Alternatives per question, for a multiple-choice head.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if name in self._members:
            self._save_fusion(name, folder)
        else:
            self.encoder.save_adapter(str(folder), name, use_safetensors=True)
            self.encoder.save_adapter(str(folder), name, use_safetensors=False)
        if head is not None:
            save_head(head, name, folder, self.encoder.config, choices=choices)

    def add_fusion(self, name: str, members: Sequence[str], section: FusionSection, *, seed: int) -> None:
        """Add an AdapterFusion layer with fresh weights over adapters that are already attached.

        Args:
            name: Name of the layer, unique even among fusions over the same adapters.
            members: Adapter names; the order is part of the layer.
        """
        with _seeded(seed):
            self._attach_fusion(name, members, section.kind)

    def add_average(self, name: str, members: Sequence[str]) -> None:
        """Add a fusion layer that averages its adapters' outputs exactly, without training.

        With query and key at zero every attention score is equal, and a static fusion has no value matrix.
        """
        self._attach_fusion(name, members, "static")
        with torch.no_grad():
            for key, parameter in self.encoder.named_parameters():
                if f".adapter_fusion_layer.{name}." in key:
                    parameter.zero_()

    def load_fusion(self, folder: Path, name: str, members: Sequence[str]) -> None:
        """Load a fusion layer over adapters that are already attached.

        Args:
            members: Names of the adapters it was trained over, in that order.

        Raises:
            CheckpointError: If it was trained over other adapters, or any tensor is missing or unexpected.
        """
        path = folder / "adapter_fusion_config.json"
        _check_backbone(path, self.encoder.config, folder / FUSION_WEIGHTS_FILE)
        config = check_attached_json(path)
        if config.get("adapter_names") != list(members):
            raise CheckpointError(
                f"the fusion was trained over {shown(config.get('adapter_names'))}, not over {list(members)}",
                path=path,
                hint="Give the adapters that it was trained over, in that order, or train a fusion over these.",
            )
        saved = _saved_name(path, config)
        with library_errors("the fusion layer cannot be added", path, _HINT):
            self._attach_fusion(name, members, config["config"])
        marks = (f".adapter_fusion_layer.{name}.", f".adapter_fusion_layer.{saved}.")
        self._fill(folder / FUSION_WEIGHTS_FILE, *marks, "the fusion does not fit the backbone")

    def activate_stack(self, names: Sequence[str]) -> None:
        """Activate adapters as a stack, each on the output of the one before it."""
        self.activate(Composition(tuple(names)))

    def activate_fusion(self, name: str, members: Sequence[str]) -> None:
        """Activate a fusion layer with its adapters."""
        self.activate(Composition(tuple(members), name))

    def activate(self, composition: Composition) -> None:
        """Activate a composition and check that the library has done so.

        Raises:
            CheckpointError: If one of its adapters or its fusion layer is not attached.
        """
        wanted = {*composition.adapters, *({composition.fusion} if composition.fusion else ())}
        missing = sorted(wanted - self._own.keys())
        if missing or not composition.adapters:
            raise CheckpointError(f"cannot activate {missing or 'an empty composition'}", allowed=sorted(self._own))
        self.encoder.set_active_adapters(composition.block())
        self.active = composition
        self.check_active(composition)

    def check_active(self, composition: Composition | None = None) -> None:
        """Raise unless exactly this composition is active.

        Args:
            composition: None for the one activated last; if none was, nothing is checked.

        Raises:
            CheckpointError: If another composition, or none, is active.
        """
        composition = composition or self.active
        if composition is None:
            return
        found = self.encoder.active_adapters
        wanted = composition.block()
        if (
            type(found) is not type(wanted)
            or found != wanted
            or getattr(found, "name", None) != getattr(wanted, "name", None)
        ):
            raise CheckpointError(
                f"the active set-up is {found}, not {wanted}",
                hint="Leave the encoder's active_adapters as `activate` set them, or call that again.",
            )

    def train_only(self, names: Sequence[str]) -> None:
        """Freeze the encoder and all adapters except those named.

        Args:
            names: Adapters or one fusion layer; empty to freeze everything.
        """
        self.encoder.freeze_model(True)
        for parameter in self.encoder.parameters():
            parameter.requires_grad_(False)
        for key, parameter in self.encoder.named_parameters():
            if any(_belongs(key, name) for name in names):
                parameter.requires_grad_(True)

    def regularisation(self, name: str) -> torch.Tensor:
        """Compute the squared distance of a fusion's value matrices from identity, summed over layers."""
        total = torch.zeros((), device=self.encoder.device)
        for key, parameter in self.encoder.named_parameters():
            if f".adapter_fusion_layer.{name}.value.weight" in key:
                identity = torch.eye(parameter.shape[0], device=parameter.device, dtype=parameter.dtype)
                total = total + (identity - parameter).pow(2).sum()
        return total

    @contextmanager
    def _attaching(self, name: str) -> Iterator[None]:
        """Reserve a name, and after the block record the parameters that were added under it."""
        if name in self._own:
            raise CheckpointError(f"'{name}' is already attached", value=name, allowed=())
        check_names([*self._own, name])
        before = self._parameter_names()
        yield
        self._own[name] = frozenset(self._parameter_names() - before)

    def _attach_fusion(self, name: str, members: Sequence[str], config: str | dict[str, Any]) -> None:
        with self._attaching(name):
            self.encoder.add_adapter_fusion(list(members), config=config, name=name)
        self._members[name] = tuple(members)

    def _save_fusion(self, name: str, folder: Path) -> None:
        self.encoder.save_adapter_fusion(str(folder), Fuse(*self._members[name], name=name), use_safetensors=True)
        # The library saves a bare encoder's tensors without the base model's prefix, filters them by the start of the
        # name only, and then silently loads none of them into a model with heads. Written again with the full names.
        mark = f".adapter_fusion_layer.{name}."
        tensors = {
            f"{self.encoder.base_model_prefix}.{key}": parameter.detach().cpu().contiguous()
            for key, parameter in self.encoder.named_parameters()
            if mark in key
        }
        save_file(tensors, folder / FUSION_WEIGHTS_FILE)
        torch.save(tensors, folder / "pytorch_model_adapter_fusion.bin")

    def _parameter_names(self) -> set[str]:
        return {key for key, _ in self.encoder.named_parameters()}

    def _fill(self, path: Path, mark: str, saved_mark: str, problem: str) -> None:
        """Copy the tensors of a file, which must be exactly those of one adapter or fusion layer, into the encoder.

        Args:
            mark: What the names of its parameters hold.
            saved_mark: What those in the file hold instead; they may begin with the base model's prefix.
            problem: What is wrong if they do not fit.
        """
        prefix = f"{self.encoder.base_model_prefix}."
        start = prefix if any(key.startswith(prefix) for key in read_header(path)) else ""
        own = {
            start + key.replace(mark, saved_mark): parameter
            for key, parameter in self.encoder.named_parameters()
            if mark in key
        }
        check_tensors({key: parameter.shape for key, parameter in own.items()}, path, problem, _HINT)
        with library_errors(problem, path, _HINT):
            tensors = load_file(path)
        check_finite(tensors, path)
        with torch.no_grad():
            for key, parameter in own.items():
                parameter.copy_(tensors[key])


def _add_support(encoder: PreTrainedModel) -> None:
    """Prepare an encoder for adapters, in place.

    Raises:
        CheckpointError: If the library changes the encoder's own parameters.
    """
    architecture = architecture_of(encoder.config)
    before = {name for name, _ in encoder.named_parameters()}
    if architecture.interface is None:
        adapters.init(encoder)
    else:
        adapters.init(encoder, interface=adapters.AdapterModelInterface(**architecture.interface))
        for block in architecture.blocks(encoder).children():
            _give_context(block)
    changed = sorted(before ^ {name for name, _ in encoder.named_parameters()})
    if changed:
        raise CheckpointError(
            f"the adapters library changes {number_text(len(changed), 'parameter')} of an encoder of type "
            f"{architecture.model_type}, the first is '{changed[0]}'",
            hint="Choose a backbone of another type, or a method without adapters.",
        )


class _RecomputedContext(ForwardContext):  # type: ignore[misc]
    """A forward pass's context for one block that gradient checkpointing computes again in the backward pass."""

    def __init__(self) -> None:
        for name in self.context_args:
            setattr(self, name, None)


def _give_context(block: torch.nn.Module) -> None:
    """Open a forward context around a block that runs outside of one.

    Adapters that the library attaches by hooks get their residual through it. Without a context they would compute
    something else when gradient checkpointing runs the block again.
    """

    def before(*_: object) -> None:
        if ForwardContext.get_context() is None:
            _RecomputedContext().__enter__()

    def after(*_: object) -> None:
        context = ForwardContext.get_context()
        if isinstance(context, _RecomputedContext):
            context.__exit__(None, None, None)

    block.register_forward_pre_hook(before)
    block.register_forward_hook(after, always_call=True)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch inside the block, and restore its random state afterwards."""
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    yield
    torch.random.set_rng_state(state)


def _belongs(key: str, name: str) -> bool:
    return f".adapters.{name}." in key or f".adapter_fusion_layer.{name}." in key


def _saved_name(path: Path, record: dict[str, Any]) -> str:
    """Return the name that tensors were saved under."""
    name = record.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        refuse(path, "name", name, "it must be the name of the tensors in its weights")
    return name


def _check_backbone(config_path: Path, config: PretrainedConfig, weights_path: Path) -> None:
    """Check that the files are there and were saved with a backbone of the type and width of this one."""
    for path in (config_path, weights_path):
        check_file(path, CheckpointError, _HINT)
        if not path.is_file():
            raise CheckpointError(
                "no such adapter file", path=path, hint="Saving may have been interrupted; save the adapter again."
            )
    record = check_attached_json(config_path)
    for key, what, wanted in (
        ("model_type", "of type {}", config.model_type),
        ("hidden_size", "{} wide", config.hidden_size),
    ):
        found = record.get(key)
        if found != wanted:
            problem = f"it is for a backbone {what.format(shown(found))}, this one is {what.format(shown(wanted))}"
            hint = "Use the backbone it was trained on."
            raise CheckpointError(problem, path=config_path, key=key, value=found, hint=hint)
