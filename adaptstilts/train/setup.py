"""Setting up a run: the network a method trains, frozen where it should be, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adaptstilts.config.schema import AdapterSection, FusionSection
from adaptstilts.errors import CheckpointError, TrainingError
from adaptstilts.models.adapters import AdapterStack, Composition, check_trainable
from adaptstilts.models.backbone import load_encoder, own_weights
from adaptstilts.models.heads import Head, HeadSpec, load_head, new_head
from adaptstilts.models.network import Assembly, EncoderLoader, TaskNetwork, assemble, head_dropout
from adaptstilts.runtime import derive_seed
from adaptstilts.train.methods import Method, Part, fusion_name, target_adapter

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class StartingPoint:
    """Where a run's weights come from.

    Attributes:
        encoder: Folder or hub id of the encoder to start from.
        revision: Revision of a hub encoder.
        sources: (intermediate task, folder of its adapter), in order; empty for full models.
        head: Folder of a head to go on with; None for a new one.
        going_on: Folder of the adapter or the fusion that an earlier run of the same method has trained, and that goes
            on; None where the method starts as its row says. Full models go on from ``encoder``.
    """

    encoder: str
    revision: str | None = None
    sources: tuple[tuple[str, Path], ...] = ()
    head: Path | None = None
    going_on: Path | None = None


def prepare(
    method: Method,
    start: StartingPoint,
    *,
    task: str,
    head: HeadSpec,
    adapter: AdapterSection,
    fusion: FusionSection,
    seed: int,
    load: EncoderLoader = load_encoder,
) -> TaskNetwork:
    """Build the network of a run, freeze what is to be frozen, and check that nothing else trains.

    Args:
        method: Row of the table.
        start: Where weights come from.
        task: Training task; names the new parts.
        head: Shape of the head.
        adapter: Shape of a new adapter.
        fusion: Shape of a new fusion.
        seed: Decides all new weights.
        load: Loads the encoder; one that is kept in memory is copied where the method trains it.

    Returns:
        The network, ready to train.

    Raises:
        CheckpointError: If a file does not fit, or a head to go on with has other labels than ``head``.
        TrainingError: If the trainable set is not the promised one.
    """
    _check_sources(method, start)
    network = assemble(_assembly(method, start, task), load)
    if "encoder" in method.trains:
        own_weights(network.encoder)
    frozen = tuple(source for source, _ in start.sources)
    is_loaded = start.going_on is not None or method.use == "start"
    if "adapter" in method.trains and not is_loaded:
        name, attached = target_adapter(task), _attached(network)
        attached.add(name, adapter, seed=derive_seed(seed, "adapter", task), identity=method.identity)
        attached.activate(Composition((*frozen, name)))
    elif "fusion" in method.trains and not is_loaded:
        attached = _attached(network)
        attached.add_fusion(fusion_name(task), frozen, fusion, seed=derive_seed(seed, "fusion", task))
        attached.activate(Composition(frozen, fusion_name(task)))
    width, dropout = network.encoder.config.hidden_size, head_dropout(network.encoder)
    if start.head is not None:
        network.head = _checked_head(load_head(start.head, width, dropout), head, start.head)
    else:
        std = network.encoder.config.initializer_range
        network.head = new_head(head, width, dropout, seed=derive_seed(seed, "head", task), std=std)
    _set_trainable(network, method, task)
    check_trainable(network, promised_names(network, method, task))
    return network


def _assembly(method: Method, start: StartingPoint, task: str) -> Assembly:
    """Return the files a run starts from; what goes on bears the name of the part that trains."""
    trained, sources, fusion = target_adapter(task), start.sources, None
    if "fusion" in method.trains and start.going_on is not None:
        fusion = (fusion_name(task), start.going_on)
    elif method.use == "start":
        sources = tuple((trained, start.going_on or folder) for _, folder in start.sources)
    elif start.going_on is not None:
        sources = (*start.sources, (trained, start.going_on))
    return Assembly(encoder=start.encoder, revision=start.revision, adapters=sources, fusion=fusion)


def promised_names(network: TaskNetwork, method: Method, task: str) -> frozenset[str]:
    """Return the parameter names a method may train, from the naming scheme of the files.

    Args:
        network: The network.
        method: Row of the table.
        task: Training task.

    Returns:
        Names such as ``encoder.encoder.layer.0.output.adapters.target_xnli.adapter_up.weight``.
    """
    marks = {
        "adapter": f".adapters.{target_adapter(task)}.",
        "fusion": f".adapter_fusion_layer.{fusion_name(task)}.",
    }
    names = set()
    for name, _ in network.named_parameters():
        added = ".adapters." in name or ".adapter_fusion_layer." in name
        if name.startswith("head."):
            part: Part | None = "head"
        elif not added:
            part = "encoder"
        else:
            part = next((key for key, mark in marks.items() if mark in name), None)  # type: ignore[misc]
        if part in method.trains:
            names.add(name)
    return frozenset(names)


def _set_trainable(network: TaskNetwork, method: Method, task: str) -> None:
    network.requires_grad_(False)
    if "encoder" in method.trains:
        network.encoder.requires_grad_(True)
    if "adapter" in method.trains:
        _attached(network).train_only([target_adapter(task)])
    if "fusion" in method.trains:
        _attached(network).train_only([fusion_name(task)])
    if network.head is not None:
        network.head.requires_grad_("head" in method.trains)


def _checked_head(found: Head, wanted: HeadSpec, folder: Path) -> Head:
    if found.spec != wanted:
        raise CheckpointError(
            f"a head for {found.spec.kind.value} with labels {list(found.spec.labels)} cannot go on as one for "
            f"{wanted.kind.value} with labels {list(wanted.labels)}",
            path=folder,
            hint="Start with a new head.",
        )
    return found


def _attached(network: TaskNetwork) -> AdapterStack:
    if network.attached is None:
        network.attached = AdapterStack(network.encoder)
    return network.attached


def _check_sources(method: Method, start: StartingPoint) -> None:
    found = len(start.sources)
    fits = {"none": found == 0, "start": found <= 1, "below": found == 1, "fused": found >= 1}[method.use]
    if method.use == "start" and method.family == "adapter":
        fits = found == 1
    if not fits:
        raise TrainingError(f"method '{method.name}' cannot start from {found} intermediate adapters")
