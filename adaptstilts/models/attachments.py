"""Interfaces of modules that can be attached to a frozen encoder, such as adapters. Free of torch.

A new kind of attachment is a class that implements `Attachment`, in its own module, which imports its library inside
functions; docs/architecture.md, "Adding things", lists the sections and rows that belong to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from adaptstilts.models.shape import BackboneShape

if TYPE_CHECKING:
    from torch import Tensor

    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.config.section import Section
    from adaptstilts.models.heads import Head


class AttachmentShape(Protocol):
    """Sizes of a network's attachments: the top one, which trains or was trained, and the frozen ones below it."""

    @property
    def frozen(self) -> int:
        """Number of frozen adapters below the top attachment."""
        ...

    def own_parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of the top attachment, in all blocks."""
        ...

    def parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of all attachments."""
        ...

    def own_tensors(self, backbone: BackboneShape) -> int:
        """Count the tensors in the file of the top attachment."""
        ...

    def forward_flops(self, backbone: BackboneShape, tokens: float) -> float:
        """Count the forward operations of all attachments on one sequence in one block."""
        ...

    def backward_flops(self, backbone: BackboneShape, tokens: float, *, is_lowest: bool) -> float:
        """Count the backward operations on one sequence in one block, if the top attachment trains.

        Args:
            tokens: Sub-tokens in the sequence.
            is_lowest: Whether this is the first block, below which no gradient is needed. The count then includes the
                part of the block itself that the backward pass crosses, since the caller does not add the whole block.
        """
        ...

    def saved_values(self, backbone: BackboneShape, *, is_half: bool) -> float:
        """Count the values per sub-token and block saved for the backward pass, in addition to the block's own."""
        ...


class AttachmentHost(Protocol):
    """An encoder with its attachments by name."""

    @property
    def names(self) -> Iterable[str]:
        """Names of the attachments."""
        ...

    def own_parameters(self, name: str) -> frozenset[str]:
        """List the names, within the encoder, of the parameters that belong to an attachment."""
        ...

    def train_only(self, names: Sequence[str]) -> None:
        """Freeze the encoder and all attachments except those named."""
        ...

    def check_active(self) -> None:
        """Raise an error unless the attachments activated last are active."""
        ...


class Attachment(Protocol):
    """A kind of attachment, such as a bottleneck adapter.

    The parameter `below` lists the names of the attachments already present, bottom first.
    """

    @property
    def kind_name(self) -> str:
        """Name of the kind, which is that of its folder in artefacts and decides the seed of its initial weights."""
        ...

    def section(self, config: StudyConfig) -> Section:
        """Return the settings of a new attachment; those that do not change how it is trained have their defaults."""
        ...

    def name(self, task: str) -> str:
        """Name the attachment that is trained on a task; no task name may be a prefix of the result."""
        ...

    def host(self, encoder: Any) -> AttachmentHost:  # noqa: ANN401 - encoders are not typed
        """Add support for this kind of attachment to an encoder, in place.

        The host of the topmost attachment also takes those below it.
        """
        ...

    def add(self, host: Any, name: str, new: NewAttachment, below: Sequence[str]) -> None:  # noqa: ANN401 - of its own library
        """Add an attachment with fresh weights."""
        ...

    def load(self, host: Any, name: str, folder: Path, below: Sequence[str]) -> None:  # noqa: ANN401
        """Load an attachment from its folder; its tensors must match the encoder exactly."""
        ...

    def save(self, host: Any, name: str, folder: Path, head: Head | None, *, choices: int) -> None:  # noqa: ANN401
        """Write an attachment and its head to a folder.

        Args:
            choices: Alternatives per question, for a multiple-choice head.
        """
        ...

    def activate(self, host: Any, names: Sequence[str]) -> None:  # noqa: ANN401
        """Activate attachments together, bottom first; the last one is of this kind."""
        ...

    def penalty(self, host: Any, name: str, section: Section | None) -> Callable[[], Tensor] | None:  # noqa: ANN401
        """Return a function that computes the term added to the training loss, or None if there is none."""
        ...

    def shape(self, section: Section | None, width: int, below: Sequence[AttachmentShape]) -> AttachmentShape:
        """Compute the sizes of an attachment and of those below it.

        Args:
            section: Its settings, which each kind checks to be its own; None for a kind without any.
            width: Width of the backbone's token vectors.
            below: Sizes of the attachments that it is stacked on or fuses.
        """
        ...


@dataclass(frozen=True)
class NewAttachment:
    """An attachment with fresh weights.

    Attributes:
        section: Its configuration section; None if this kind has no settings.
        seed: Seed of its initial weights.
        identity: Whether it starts as the exact identity.
    """

    section: Section | None
    seed: int = 0
    identity: bool = False


@dataclass(frozen=True)
class Attached:
    """One attachment of a network: loaded from a folder, or new."""

    kind: Attachment
    name: str
    origin: Path | NewAttachment
