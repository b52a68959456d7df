"""Bottleneck adapters and AdapterFusion as attachments: their names, files and sizes. Free of torch.

With width d, bottleneck width r, and N fused adapters, a token's forward pass in one block takes

- 4 d r in each bottleneck,
- 2 (1 + 2 N) d^2 + 4 N d in an AdapterFusion as the `adapters` library computes it: a query, and keys and values of all
  N outputs (without value matrix: 2 (1 + N) d^2 + 4 N d).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.config.section import Section
from adaptstilts.models.attachments import AttachmentShape, NewAttachment
from adaptstilts.models.shape import BackboneShape

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from adaptstilts.config.schema import StudyConfig
    from adaptstilts.models.adapters import AdapterHost
    from adaptstilts.models.heads import Head

S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class BottleneckShape:
    """Sizes of a stack of bottleneck adapters.

    Attributes:
        kind: The `adapters` library's name of the adapter configuration, such as ``seq_bn``.
        width: Inner width of each bottleneck.
        frozen: Number of frozen adapters below the top one, which have its shape.
    """

    kind: str
    width: int
    frozen: int = 0

    @property
    def per_block(self) -> int:
        """Bottlenecks of one adapter in a block: two for ``double_seq_bn``, which has one after attention too."""
        return 2 if self.kind == "double_seq_bn" else 1

    def own_parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of one adapter."""
        one = 2 * backbone.width * self.width + self.width + backbone.width
        return backbone.layers * self.per_block * one

    def parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of all adapters."""
        return (self.frozen + 1) * self.own_parameters(backbone)

    def own_tensors(self, backbone: BackboneShape) -> int:
        """Count the tensors of one adapter."""
        return backbone.layers * self.per_block * 4

    def forward_flops(self, backbone: BackboneShape, tokens: float) -> float:
        """Count the forward operations of all adapters on one sequence in one block."""
        return self.per_block * tokens * (self.frozen + 1) * 4.0 * backbone.width * self.width

    def backward_flops(self, backbone: BackboneShape, tokens: float, *, is_lowest: bool) -> float:
        """Count the backward operations in one block: gradients of both matrices, and of inputs if needed below."""
        thin = 2.0 * backbone.width * self.width
        full = tokens * (4.0 * thin + self.frozen * 2.0 * thin)
        if not is_lowest:
            return self.per_block * full
        return tokens * 3.0 * thin + _upper_bottleneck_flops(self.per_block, full, backbone, tokens)

    def saved_values(self, backbone: BackboneShape, *, is_half: bool) -> float:
        """Return 0: bottlenecks are too narrow to matter."""
        del backbone, is_half
        return 0.0


@dataclass(frozen=True)
class FusionShape:
    """Sizes of an AdapterFusion layer and of the adapters it fuses.

    Attributes:
        kind: ``dynamic``, or ``static`` without value matrix.
        adapter: Shape of each adapter.
        frozen: Number of fused adapters.
    """

    kind: str
    adapter: BottleneckShape
    frozen: int

    @property
    def _has_values(self) -> bool:
        return self.kind == "dynamic"

    @property
    def _projections(self) -> int:
        return 1 + self.frozen * (2 if self._has_values else 1)

    def own_parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of the fusion layer; its value matrix has no bias."""
        square = backbone.width * backbone.width
        one = 2 * (square + backbone.width) + (square if self._has_values else 0)
        return backbone.layers * self.adapter.per_block * one

    def parameters(self, backbone: BackboneShape) -> int:
        """Count the parameters of the fusion layer and its adapters."""
        return self.frozen * self.adapter.own_parameters(backbone) + self.own_parameters(backbone)

    def own_tensors(self, backbone: BackboneShape) -> int:
        """Count the tensors of the fusion layer."""
        return backbone.layers * self.adapter.per_block * (5 if self._has_values else 4)

    def forward_flops(self, backbone: BackboneShape, tokens: float) -> float:
        """Count the forward operations of the fusion layer and its adapters on one sequence in one block."""
        adapters = self.frozen * 4.0 * backbone.width * self.adapter.width
        fusion = 2.0 * self._projections * backbone.width**2 + 4.0 * self.frozen * backbone.width
        return self.adapter.per_block * (tokens * (adapters + fusion))

    def backward_flops(self, backbone: BackboneShape, tokens: float, *, is_lowest: bool) -> float:
        """Count the backward operations in one block; the frozen adapters need no gradients of weights."""
        full = self._bottleneck_backward(backbone, tokens, is_lowest=False)
        if not is_lowest:
            return self.adapter.per_block * full
        return self._bottleneck_backward(backbone, tokens, is_lowest=True) + _upper_bottleneck_flops(
            self.adapter.per_block, full, backbone, tokens
        )

    def _bottleneck_backward(self, backbone: BackboneShape, tokens: float, *, is_lowest: bool) -> float:
        square, thin = 2.0 * backbone.width**2, 2.0 * backbone.width * self.adapter.width
        inputs = 0.0 if is_lowest else self._projections * square + self.frozen * 2.0 * thin
        products = 2.0 * self.frozen * backbone.width * (3.0 if is_lowest and not self._has_values else 4.0)
        return tokens * (self._projections * square + inputs + products)

    def saved_values(self, backbone: BackboneShape, *, is_half: bool) -> float:
        """Count the outputs of the fused adapters and their keys and values."""
        return float(self.frozen * self.adapter.per_block * (3 if is_half else 4) * backbone.width)


def _upper_bottleneck_flops(per_block: int, full: float, backbone: BackboneShape, tokens: float) -> float:
    """Count the first block's backward operations above its first bottleneck: a second one, and the feed-forward."""
    return 0.0 if per_block == 1 else full + tokens * backbone.feed_forward_flops


def bottleneck_width(width: int, reduction_factor: float) -> int:
    """Compute the inner width of a bottleneck with the `adapters` library's rounding."""
    return max(1, int(width // reduction_factor))


class _LibraryAttachment:
    """What all attachments of the `adapters` library share."""

    def host(self, encoder: PreTrainedModel) -> AdapterHost:
        """Add adapter support to an encoder, in place."""
        from adaptstilts.models.adapters import AdapterHost  # noqa: PLC0415

        return AdapterHost(encoder)

    def save(self, host: AdapterHost, name: str, folder: Path, head: Head | None, *, choices: int) -> None:
        """Write an adapter or a fusion layer, and its head, to a folder."""
        host.save(name, folder, head, choices=choices)


class BottleneckAdapter(_LibraryAttachment):
    """Bottleneck adapters, on a frozen backbone or stacked over frozen adapters."""

    kind_name = "adapter"

    def name(self, task: str) -> str:
        """Name the adapter that is trained on a task."""
        return f"target_{task}"

    def section(self, config: StudyConfig) -> AdapterSection:
        """Return the settings of a new adapter."""
        return config.adapter

    def add(self, host: AdapterHost, name: str, new: NewAttachment, below: Sequence[str]) -> None:
        """Add an adapter with fresh weights."""
        del below
        section = _checked(new.section, AdapterSection)
        host.add(name, section, seed=new.seed, identity=new.identity)

    def load(self, host: AdapterHost, name: str, folder: Path, below: Sequence[str]) -> None:
        """Load an adapter from its folder."""
        del below
        host.load(folder, name)

    def activate(self, host: AdapterHost, names: Sequence[str]) -> None:
        """Activate adapters as a stack, the first at the bottom."""
        host.activate_stack(names)

    def penalty(self, host: AdapterHost, name: str, section: Section | None) -> None:
        """Return None: adapters add no term to the loss."""

    def shape(self, section: Section | None, width: int, below: Sequence[AttachmentShape]) -> AttachmentShape:
        """Compute the sizes of an adapter over others, which are assumed to have the same shape."""
        section = _checked(section, AdapterSection)
        return BottleneckShape(section.kind, bottleneck_width(width, section.reduction_factor), len(below))


class AdapterFusion(_LibraryAttachment):
    """AdapterFusion layers (Pfeiffer et al. 2021) over the frozen adapters below them."""

    kind_name = "fusion"

    def name(self, task: str) -> str:
        """Name the fusion layer that is trained on a task; fusions over the same adapters need different names."""
        return f"fusion_{task}"

    def section(self, config: StudyConfig) -> FusionSection:
        """Return the settings of a new fusion layer; a stage's sources already say which adapters are fused."""
        defaults = FusionSection()
        changes: dict[str, object] = {"tasks": defaults.tasks, "retrieval": defaults.retrieval}
        if config.fusion.kind == "static":  # it has no value matrix to keep close to the identity
            changes["regularisation"] = defaults.regularisation
        return config.fusion.model_copy(update=changes)

    def add(self, host: AdapterHost, name: str, new: NewAttachment, below: Sequence[str]) -> None:
        """Add a fusion layer with fresh weights."""
        section = _checked(new.section, FusionSection)
        host.add_fusion(name, below, section, seed=new.seed)

    def load(self, host: AdapterHost, name: str, folder: Path, below: Sequence[str]) -> None:
        """Load a fusion layer that was trained over the adapters below."""
        host.load_fusion(folder, name, below)

    def activate(self, host: AdapterHost, names: Sequence[str]) -> None:
        """Activate the last attachment as the fusion of all adapters before it."""
        host.activate_fusion(names[-1], names[:-1])

    def penalty(self, host: AdapterHost, name: str, section: Section | None) -> Callable[[], Tensor] | None:
        """Return the weighted distance of the value matrices from identity; None without value matrices or weight."""
        section = _checked(section, FusionSection)
        if section.kind != "dynamic" or section.regularisation == 0:
            return None
        weight = section.regularisation
        return lambda: weight * host.regularisation(name)

    def shape(self, section: Section | None, width: int, below: Sequence[AttachmentShape]) -> AttachmentShape:
        """Compute the sizes of a fusion layer over adapters, which are assumed to have the shape of the first."""
        del width
        first = next((each for each in below if isinstance(each, BottleneckShape)), None)
        if first is None:
            raise TypeError("a fusion needs bottleneck adapters below it")
        return FusionShape(_checked(section, FusionSection).kind, first, len(below))


class AdapterAverage(AdapterFusion):
    """Plain average of adapters, used instead of AdapterFusion if the target has no training data."""

    def add(self, host: AdapterHost, name: str, new: NewAttachment, below: Sequence[str]) -> None:
        """Add a fusion layer that averages the adapters below."""
        del new
        host.add_average(name, below)

    def shape(self, section: Section | None, width: int, below: Sequence[AttachmentShape]) -> AttachmentShape:
        """Compute the sizes of a fusion layer without value matrix."""
        del section
        return super().shape(FusionSection(kind="static"), width, below)


def _checked(section: Section | None, kind: type[S]) -> S:
    if not isinstance(section, kind):
        raise TypeError(f"a new attachment needs its {kind.__name__}, not {type(section).__name__}")
    return section


ADAPTER = BottleneckAdapter()
FUSION = AdapterFusion()
ADAPTER_AVERAGE = AdapterAverage()
