"""Frozen weights spread over the processes of a run, each holding a part and borrowing the rest layer by layer."""

from __future__ import annotations

from dataclasses import replace

from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from adaptstilts.models.network import TaskNetwork
from adaptstilts.train.distributed import Group


def shard_frozen(network: TaskNetwork, group: Group) -> Group:
    """Spread the frozen weights of a network's encoder over the processes, if the group asks for it.

    What trains stays whole in every process. The units are the layers, the word vectors (which the `adapters` library
    also names within its prompt tuning, so that they have to be a unit of their own), and what is left.

    Args:
        network: On its device.
        group: The processes.

    Returns:
        The group; no longer marked as sharded where nothing can be: one process, or an encoder that trains.

    Source: torch's fully sharded data parallelism, `torch.distributed.fsdp.fully_shard`.
    """
    if not group.is_sharded:
        return group
    trained = {parameter for parameter in network.parameters() if parameter.requires_grad}
    encoder = network.encoder
    if group.size == 1 or all(parameter in trained for parameter in encoder.parameters()):
        return replace(group, is_sharded=False)
    mesh = init_device_mesh(group.device.type, (group.size,))
    architecture = network.architecture
    blocks = architecture.blocks(encoder).children()
    for unit in (*blocks, architecture.word_vectors(encoder), encoder):
        fully_shard(unit, mesh=mesh, ignored_params=trained)
    return group


def to_cpu(network: TaskNetwork, group: Group) -> None:
    """Move to the CPU what a process has to write: all of a network, or what trains of one that is sharded."""
    if not group.is_sharded:
        network.to("cpu")
        return
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.cpu()
