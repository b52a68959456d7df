"""Sharding of frozen weights: each process of a run holds a part and gathers the rest layer by layer."""

from __future__ import annotations

from dataclasses import replace

from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from adaptstilts.models.network import TaskNetwork
from adaptstilts.train.distributed import ProcessGroup


def shard_frozen(network: TaskNetwork, group: ProcessGroup) -> ProcessGroup:
    """Shard the frozen weights of a network's encoder over the processes, if the group is marked as sharded.

    Parameters that train stay whole in every process. The sharded units are the blocks, the word vectors (a unit of
    their own because the `adapters` library also registers them within its prompt tuning), and the rest.

    Args:
        network: Network on its device.

    Returns:
        The group, no longer marked as sharded if there is only one process or the encoder trains.

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


def to_cpu(network: TaskNetwork, group: ProcessGroup) -> None:
    """Move the weights that a process writes to the CPU: the whole network, or if it is sharded, what trains."""
    if not group.is_sharded:
        network.to("cpu")
        return
    for parameter in network.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.cpu()
