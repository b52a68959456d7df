"""Construction of the network that a method trains, with the other parameters frozen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from adaptstilts.errors import CheckpointError, TrainingError
from adaptstilts.formatting import number_text
from adaptstilts.models.backbone import load_encoder, own_weights
from adaptstilts.models.heads import INITIAL_SPREAD, Head, HeadSpec, load_head, new_head
from adaptstilts.models.network import Assembly, EncoderLoader, TaskNetwork, assemble, head_dropout, trainable_names
from adaptstilts.runtime import derive_seed
from adaptstilts.train.methods import Method


def build_network(
    method: Method,
    assembly: Assembly,
    *,
    task: str,
    head: HeadSpec,
    seed: int,
    load: EncoderLoader = load_encoder,
) -> TaskNetwork:
    """Build the network of a training run, and check that exactly the method's parameters train.

    Args:
        assembly: Parts with the initial weights.
        task: Training task; the attachment that trains is named after it.
        seed: Seed of a new head's weights.
        load: Loads the encoder; if the method trains it, its weights are copied first, since they may be cached.

    Raises:
        CheckpointError: If a file does not fit, or the labels of a trained head differ from those of ``head``.
        TrainingError: If other parameters train than the method's.
    """
    network = assemble(replace(assembly, head=None), load)
    if method.attachment is None:
        own_weights(network.encoder)
    network.head = _build_head(network, assembly.head, head, derive_seed(seed, "head", task))
    _set_trainable(network, method, task)
    check_trainable(network, expected_trainable(network, method, task))
    return network


def expected_trainable(network: TaskNetwork, method: Method, task: str) -> frozenset[str]:
    """List the names of the parameters that a method trains: those of its attachment or the encoder, and of the head.

    Returns:
        Names such as ``encoder.encoder.layer.0.output.adapters.target_xnli.adapter_up.weight``.

    Raises:
        TrainingError: If the network lacks the attachment that should train.
    """
    host = network.attached
    own = {} if host is None else {name: host.own_parameters(name) for name in host.names}
    if method.attachment is None:
        attached = frozenset[str]().union(*own.values())
        trained = {name for name, _ in network.encoder.named_parameters()} - attached
    elif method.attachment.name(task) in own:
        trained = set(own[method.attachment.name(task)])
    else:
        raise TrainingError(
            f"'{method.attachment.name(task)}' should train but is not attached; attached: {sorted(own)}"
        )
    head = () if network.head is None else (name for name, _ in network.head.named_parameters())
    return frozenset((*(f"encoder.{name}" for name in trained), *(f"head.{name}" for name in head)))


def check_trainable(network: TaskNetwork, expected: frozenset[str]) -> None:
    """Check that exactly the expected parameters train.

    Args:
        expected: Names of the parameters that must train; no others may.

    Raises:
        TrainingError: If the sets differ; the message lists the first differences.
    """
    found = trainable_names(network)
    if found != expected:
        extra, missing = sorted(found - expected), sorted(expected - found)
        raise TrainingError(
            f"{number_text(len(extra), 'tensor')} in training that should not be {extra[:3]}, "
            f"{number_text(len(missing), 'tensor')} not in training that should be {missing[:3]}"
        )


def _set_trainable(network: TaskNetwork, method: Method, task: str) -> None:
    network.requires_grad_(False)
    if method.attachment is None:
        network.encoder.requires_grad_(True)
    elif network.attached is not None:
        network.attached.train_only([method.attachment.name(task)])
    if network.head is not None:
        network.head.requires_grad_(True)


def _build_head(network: TaskNetwork, folder: Path | None, wanted: HeadSpec, seed: int) -> Head:
    """Create a new head, or load a trained one to continue with."""
    config = network.encoder.config
    width, dropout, pooling = config.hidden_size, head_dropout(network.encoder), network.architecture.pooling
    if folder is None:
        return new_head(
            wanted,
            width,
            dropout,
            seed=seed,
            std=getattr(config, "initializer_range", None) or INITIAL_SPREAD,
            pooling=pooling,
        )
    found = load_head(folder, width, dropout, pooling)
    if found.spec != wanted:
        raise CheckpointError(
            f"a head for {found.spec.kind.value} with labels {list(found.spec.labels)} cannot be used as one for "
            f"{wanted.kind.value} with labels {list(wanted.labels)}",
            path=folder,
            hint="Start with a new head.",
        )
    return found
