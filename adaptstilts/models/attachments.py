"""What can be attached to an encoder: names, files, own parameters, and sizes for prices. Free of torch.

A new kind of attachment is one class that follows `Attachment`, in a module of its own that imports its library inside
functions, and a family of weights in `adaptstilts.train.methods` that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from adaptstilts.models.architecture import BackboneShape

if TYPE_CHECKING:
    from torch import Tensor

    from adaptstilts.config.schema import Section
    from adaptstilts.models.heads import Head


class AttachmentShape(Protocol):
    """Sizes of all that is attached to a network: the part on top, which trains or has trained, and what lies below."""

    @property
    def frozen(self) -> int:
        """Adapters below the part on top."""
        ...

    def own_parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of the part on top, in all blocks."""
        ...

    def parameters(self, backbone: BackboneShape) -> int:
        """Count all parameters that are attached."""
        ...

    def own_tensors(self, backbone: BackboneShape) -> int:
        """Count the tensors in the file of the part on top."""
        ...

    def forward_flops(self, backbone: BackboneShape, tokens: float) -> float:
        """Count the operations on one sequence in one block."""
        ...

    def backward_flops(self, backbone: BackboneShape, tokens: float, *, is_lowest: bool) -> float:
        """Count the operations of the backward pass in one block, where the part on top trains.

        Args:
            backbone: The backbone.
            tokens: Sub-tokens of the sequence.
            is_lowest: Whether this is the first block, below which no gradient is needed: then also what the backward
                pass takes in the block itself, which is else counted as a whole.
        """
        ...

    def saved_values(self, backbone: BackboneShape, *, is_half: bool) -> float:
        """Count the values per sub-token and block that are kept for the backward pass beside the block's own."""
        ...


class AttachmentHost(Protocol):
    """An encoder with what is attached to it, by name."""

    @property
    def names(self) -> Iterable[str]:
        """What is attached."""
        ...

    def own_parameters(self, name: str) -> frozenset[str]:
        """Return the names, in the encoder, of the parameters that came with an attachment."""
        ...

    def train_only(self, names: Sequence[str]) -> None:
        """Freeze the encoder and all attachments but those named."""
        ...

    def check_active(self) -> None:
        """Raise unless what was activated last is active."""
        ...


class Attachment(Protocol):
    """A kind of attachment, such as a bottleneck adapter: what the project asks of it.

    `below` are always the names of what is attached already, bottom first.
    """

    @property
    def part(self) -> str:
        """Its section of the configuration, its folder in artefacts, and the seed that its first weights depend on."""
        ...

    def name(self, task: str) -> str:
        """Return the name, inside a network, of the one that is trained on a task; no task name is its prefix."""
        ...

    def host(self, encoder: Any) -> AttachmentHost:  # noqa: ANN401 - encoders are not typed
        """Give an encoder, in place, what it takes to have such things attached."""
        ...

    def add(self, host: Any, name: str, new: New, below: Sequence[str]) -> None:  # noqa: ANN401 - of its own library
        """Attach one with fresh weights."""
        ...

    def load(self, host: Any, name: str, folder: Path, below: Sequence[str]) -> None:  # noqa: ANN401
        """Attach one from its folder, accepting nothing but a complete fit."""
        ...

    def save(
        self,
        host: Any,  # noqa: ANN401
        name: str,
        folder: Path,
        below: Sequence[str],
        head: Head | None,
        *,
        choices: int,
    ) -> None:
        """Write one, with its head, to a folder."""
        ...

    def activate(self, host: Any, names: Sequence[str]) -> None:  # noqa: ANN401
        """Make attachments active together, the last being of this kind."""
        ...

    def penalty(self, host: Any, name: str, section: Any) -> Callable[[], Tensor] | None:  # noqa: ANN401
        """Return what is added to the training loss, if anything is."""
        ...

    def shape(self, section: Any, width: int, below: Sequence[AttachmentShape]) -> AttachmentShape:  # noqa: ANN401
        """Return the sizes of one and of what lies below it.

        Args:
            section: Its section of the configuration.
            width: Width of the backbone's token vectors.
            below: Sizes of what it stands on or fuses.
        """
        ...


@dataclass(frozen=True)
class New:
    """An attachment with fresh weights.

    Attributes:
        section: Its shape, as the configuration gives it; None where there is nothing to choose.
        seed: Seed of its weights.
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
    origin: Path | New
