"""Networks: an encoder, its attachments and at most one head, assembled from files and written to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from adaptstilts.encoding.features import Feature
from adaptstilts.errors import CheckpointError
from adaptstilts.models.architecture import Architecture, architecture_of
from adaptstilts.models.attachments import Attached, AttachmentHost, NewAttachment
from adaptstilts.models.backbone import TOKEN_TYPES, load_encoder
from adaptstilts.models.batches import Batch, Padding, collate
from adaptstilts.models.heads import Head, load_head
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_GPU_MULTIPLE = 8
"""Lengths are rounded up to a multiple of this on a GPU, where new shapes cost time and odd lengths fast kernels."""


@dataclass(frozen=True)
class Assembly:
    """The parts that a network for training or prediction is assembled from.

    Attributes:
        encoder: Folder or hub id of the encoder.
        revision: Revision of a hub encoder.
        attached: Attachments, bottom first; the kind of the last one decides how they are active together.
        head: Folder of a trained head.
    """

    encoder: str
    revision: str | None = None
    attached: tuple[Attached, ...] = ()
    head: Path | None = None


class TaskNetwork(nn.Module):
    """An encoder with its attachments and the active head.

    Args:
        head: The active head; None for retrieval.
        attached: Attachments of the encoder; None for a plain model.
    """

    def __init__(self, encoder: PreTrainedModel, head: Head | None, attached: AttachmentHost | None) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.head = head
        self.attached = attached

    @property
    def architecture(self) -> Architecture:
        """Table row of the type of encoder."""
        return architecture_of(self.encoder.config)

    @property
    def padding_id(self) -> int:
        """Padding id of the encoder; 0 if it names none, since padding is masked."""
        return int(self.encoder.config.pad_token_id or 0)

    def batch(self, items: Sequence[Feature], kind: Kind) -> Batch:
        """Pad items to a batch on the network's device; on a GPU, to a multiple of 8 sub-tokens.

        On a CPU, more padding costs time and saves none; and sums of other lengths are rounded in another way.
        """
        device = next(self.parameters()).device
        if device.type != "cuda":
            return collate(items, kind, self.padding_id).to(device)
        longest = self.architecture.longest(vars(self.encoder.config))
        return collate(items, kind, Padding(self.padding_id, _GPU_MULTIPLE, longest)).to(device)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Compute the head's scores.

        Args:
            input_ids: Sub-token ids, shape (batch, tokens).
            attention_mask: 1 for real sub-tokens, 0 for padding, shape (batch, tokens).
            token_type_ids: 1 for sub-tokens of a second text, shape (batch, tokens); for encoders that use them.

        Returns:
            Scores in the shape of `Head.forward`.

        Raises:
            CheckpointError: If there is no head.
        """
        if self.head is None:
            raise CheckpointError(
                "this network has no head", hint="For sentence vectors without a head, call `hidden`."
            )
        hidden = self._last_vectors(input_ids, attention_mask, token_type_ids)
        # The head is small; in half precision its scores would be rounded to steps of 0.03 and more.
        with torch.autocast(hidden.device.type, enabled=False):
            scores: Tensor = self.head(hidden.float(), attention_mask)
        return scores

    def _last_vectors(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None) -> Tensor:
        types = {} if token_type_ids is None else {TOKEN_TYPES: token_type_ids}
        vectors: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **types).last_hidden_state
        return vectors

    def hidden(
        self, input_ids: Tensor, attention_mask: Tensor, layer: int, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Compute the token vectors of one layer; the blocks above it are not run.

        Args:
            input_ids: Sub-token ids, shape (batch, tokens).
            attention_mask: Shape (batch, tokens).
            layer: 0 for the embeddings, n for the output of the n-th block; of the last block, with the norm after it
                in encoders that have one.
            token_type_ids: See `forward`.

        Returns:
            Shape (batch, tokens, width).
        """
        architecture, encoder = self.architecture, self.encoder
        blocks: Any = architecture.blocks(encoder)
        if layer == len(blocks):
            return self._last_vectors(input_ids, attention_mask, token_type_ids)
        found: dict[int, Tensor] = {}
        # Not all encoders run without any block, and some have a norm after the last one.
        architecture.replace_blocks(encoder, blocks[: max(layer, 1)])
        try:
            self._visit_blocks(input_ids, attention_mask, found.__setitem__, token_type_ids)
        finally:
            architecture.replace_blocks(encoder, blocks)
        return found[layer]

    def visit_layers(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        visit: Callable[[int, Tensor], None],
        token_type_ids: Tensor | None = None,
    ) -> None:
        """Call a function with the token vectors of every layer in one pass; none of them is kept.

        Args:
            input_ids: Sub-token ids, shape (batch, tokens).
            attention_mask: Shape (batch, tokens).
            visit: Called with 0 and the embeddings, then with n and the vectors of layer n as in `hidden`, each of
                shape (batch, tokens, width).
            token_type_ids: See `forward`.
        """
        last: int = len(self.architecture.blocks(self.encoder))  # type: ignore[arg-type]

        def below(layer: int, vectors: Tensor) -> None:
            if layer < last:
                visit(layer, vectors)

        visit(last, self._visit_blocks(input_ids, attention_mask, below, token_type_ids))

    def _visit_blocks(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        visit: Callable[[int, Tensor], None],
        token_type_ids: Tensor | None,
    ) -> Tensor:
        """Call a function with the embeddings and the output of every block; return the encoder's own output."""
        blocks: Any = self.architecture.blocks(self.encoder)

        def before_first(_: nn.Module, values: tuple[Any, ...], named: dict[str, Any]) -> None:
            visit(0, values[0] if values else named["hidden_states"])

        def after(number: int) -> Callable[[nn.Module, Any, Any], None]:
            return lambda _, __, output: visit(number, output[0] if isinstance(output, tuple) else output)

        hooks = [blocks[0].register_forward_pre_hook(before_first, with_kwargs=True)]
        hooks += [block.register_forward_hook(after(number)) for number, block in enumerate(blocks, start=1)]
        try:
            return self._last_vectors(input_ids, attention_mask, token_type_ids)
        finally:
            for hook in hooks:
                hook.remove()

    def check_active(self) -> None:
        """Check that the attachments activated last are active.

        Raises:
            CheckpointError: If others are.
        """
        if self.attached is not None:
            self.attached.check_active()


EncoderLoader = Callable[[str, str | None], "PreTrainedModel"]
"""Function that loads an encoder from a folder or hub id and a revision."""


def assemble(assembly: Assembly, load: EncoderLoader = load_encoder) -> TaskNetwork:
    """Build a network from its parts, with its attachments active.

    Args:
        load: Loads the encoder; if it caches encoders, their weights must not be written to.

    Returns:
        The network in evaluation mode, with all parameters frozen.

    Raises:
        CheckpointError: If a part is missing or does not fit the encoder.
    """
    encoder = load(assembly.encoder, assembly.revision)
    attached = _attach(encoder, assembly.attached) if assembly.attached else None
    head = None
    if assembly.head is not None:
        pooling = architecture_of(encoder.config).pooling
        head = load_head(assembly.head, encoder.config.hidden_size, head_dropout(encoder), pooling)
    network = TaskNetwork(encoder, head, attached).eval()
    return network.requires_grad_(False)


def _attach(encoder: PreTrainedModel, entries: Sequence[Attached]) -> AttachmentHost:
    host = entries[-1].kind.host(encoder)
    names = [entry.name for entry in entries]
    for index, entry in enumerate(entries):
        if isinstance(entry.origin, NewAttachment):
            entry.kind.add(host, entry.name, entry.origin, names[:index])
        else:
            entry.kind.load(host, entry.name, entry.origin, names[:index])
    entries[-1].kind.activate(host, names)
    return host


def head_dropout(encoder: PreTrainedModel) -> float:
    """Look up the dropout of heads on an encoder: that of the classifier if set, else that of hidden states, else 0."""
    config = encoder.config
    settings = (getattr(config, name, None) for name in architecture_of(config).head_dropout)
    return float(next((value for value in settings if value is not None), 0.0))


def save_encoder(network: TaskNetwork, folder: Path) -> None:
    """Write a fully trained encoder as a Hugging Face checkpoint (safetensors)."""
    network.encoder.save_pretrained(folder, safe_serialization=True)


def trainable_names(network: nn.Module) -> frozenset[str]:
    """List the names of the parameters that train."""
    return frozenset(name for name, parameter in network.named_parameters() if parameter.requires_grad)


def trained_state(network: nn.Module) -> dict[str, Tensor]:
    """Copy the parameters that train to the CPU."""
    return {
        name: parameter.detach().to("cpu", copy=True)
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }


def restore_state(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy the tensors from `trained_state` back into a network."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, tensor in state.items():
            parameters[name].copy_(tensor)


def parameter_counts(network: nn.Module) -> tuple[int, int]:
    """Count the parameters that train, and all parameters."""
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    return trained, sum(parameter.numel() for parameter in network.parameters())
