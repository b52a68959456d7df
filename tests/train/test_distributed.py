"""Two processes that share a run end with the weights of one process with the same micro-batches."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import tiny_runs
import torch
from safetensors.torch import load_file

from adaptstilts.config.runtime import ResumeSection
from adaptstilts.models.network import trained_state
from adaptstilts.tasks.kinds import micro_batch_count
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.batches import cut, targets_in
from adaptstilts.train.checkpoints import Checkpoints
from adaptstilts.train.distributed import SINGLE_PROCESS, ProcessGroup
from adaptstilts.train.loop import RunContext, fit
from adaptstilts.train.sharding import shard_frozen

UNEVEN = 17
"""Items of which the last batch of an epoch is a single one, so that one process has no micro-batch."""
CASES = {
    **{method: {"method": method} for method in tiny_runs.METHODS},
    "one-micro-batch-each": {"method": "adapter", "accumulation": 1},
    "tags": {"method": "adapter", "kind": "tag", "accumulation": 4},
    "uneven": {"method": "fuse", "count": UNEVEN},
    "checkpointing": {"method": "adapter", "recompute": True},
    "dual-encoder": {"method": "adapter", "kind": "match", "accumulation": 1},
    "unused": {"method": "adapter", "spare": True},
    "sharded-adapter": {"method": "adapter", "shard": True},
    "sharded-stack": {"method": "stack", "shard": True, "recompute": True},
    "sharded-uneven": {"method": "fuse", "shard": True, "count": UNEVEN},
    "sharded-dual-encoder": {"method": "adapter", "kind": "match", "accumulation": 1, "shard": True},
    "sharded-modernbert": {"method": "adapter", "shard": True, "type": "modernbert", "recompute": True},
    "sharded-mt5": {"method": "stack", "shard": True, "type": "mt5"},
    "sharded-full": {"method": "full", "shard": True},
}
STEPWISE = ResumeSection(every_steps=5, every_minutes=None)

SCRIPT = textwrap.dedent("""
    import json, os, sys
    from pathlib import Path
    import test_distributed as one
    import torch
    from adaptstilts.errors import AdaptstiltsError
    from adaptstilts.train.distributed import joined
    from safetensors.torch import save_file

    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    with joined(cpu=True) as group:
        assert group.size == 2
        facts = {}
        for name, case in one.CASES.items():
            weights, facts[name] = one.train(case, group)
            save_file(weights, folder / f"{name}-{group.rank}.safetensors")
        one.train({"method": "adapter"}, group, held=folder / "two-then-one", stop=6)
        weights, facts["resumed"] = one.train({"method": "adapter"}, group, held=folder / "one-then-two")
        save_file(weights, folder / f"one-then-two-{group.rank}.safetensors")
        try:
            one.train({"method": "adapter", "break": group.rank == 1}, group)
        except AdaptstiltsError as error:
            facts["broken"] = str(error)
        facts["sum"] = one.summed(group)
        (folder / f"facts-{group.rank}.json").write_text(json.dumps(facts))
    os._exit(0)  # threads of torch's process groups may abort an interpreter that is being taken down
""")


class StoppedError(Exception):
    """Stands for what ends a process."""


def train(case, group=SINGLE_PROCESS, *, held=None, stop=None):
    """Carry a case out; return what was trained and the report's facts."""
    kind = Kind(case.get("kind", "classify"))
    network = tiny_runs.network(case["method"], kind, model_type=case.get("type"))
    if case.get("spare"):
        network.spare = torch.nn.Linear(2, 2)
    if case.get("break"):
        network.head.register_forward_hook(lambda _, __, output: output * float("nan"))
    group = shard_frozen(network, replace(group, is_sharded=case.get("shard", False)))
    accumulation = case.get("accumulation", 2)
    settings = replace(
        tiny_runs.SETTINGS,
        epochs=2,
        accumulation=max(2, accumulation) if group.size == 1 and kind is not Kind.MATCH else accumulation,
        gradient_checkpointing=case.get("recompute", False),
    )

    def on_step(step, _, __):
        if step == stop:
            raise StoppedError

    def score(network):
        assert group.scores
        return tiny_runs.score(network)

    try:
        report = fit(
            network,
            tiny_runs.items(kind, case.get("count", 20)),
            settings,
            kind=kind,
            seed=3,
            score_dev=score,
            penalty=tiny_runs.penalty(network, case["method"]),
            context=RunContext(on_step, None if held is None else Checkpoints(held, "ab" * 32, STEPWISE), group),
        )
    except StoppedError:
        return {}, {}
    weights = {name: tensor.contiguous() for name, tensor in trained_state(network).items()}
    facts = {"losses": report.losses, "dev": report.dev_scores, "best": report.best_step, "from": report.resumed_at}
    return weights, facts | {"sharded": group.is_sharded}


def summed(group):
    """Sum gradients that only the second process has, that both have, and that none has."""
    parameters = [
        torch.nn.Parameter(torch.zeros(2, dtype=kind)) for kind in (torch.float32, torch.float64, torch.float32)
    ]
    if group.rank == 1:
        parameters[0].grad = torch.tensor([1.0, 2.0])
    parameters[1].grad = torch.tensor([1.0, group.rank], dtype=torch.float64)
    loss = group.sum_gradients(parameters, 0.25)
    return [loss, *(None if one.grad is None else one.grad.tolist() for one in parameters)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What two processes that ``torchrun`` has started leave of all cases."""
    made = tmp_path_factory.mktemp("two")
    train({"method": "adapter"}, held=made / "one-then-two", stop=6)
    script = made / "two.py"
    script.write_text(SCRIPT, encoding="utf-8")
    paths = [os.path.dirname(__file__), *sys.path]  # noqa: PTH120 - a path among others
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = [sys.executable, *launcher, str(script), str(made)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr[-4000:]
    return made


@pytest.fixture(scope="module")
def facts(folder):
    return [json.loads((folder / f"facts-{rank}.json").read_text()) for rank in (0, 1)]


def close(one, other, tolerance=1e-5):
    return one.keys() == other.keys() and all(
        torch.allclose(one[name], other[name], rtol=tolerance, atol=tolerance) for name in one
    )


@pytest.mark.parametrize("name", CASES)
def test_two_processes_end_with_the_weights_of_one(folder, facts, name):
    weights, alone = train(CASES[name] | {"shard": False})
    first, second = (load_file(folder / f"{name}-{rank}.safetensors") for rank in (0, 1))
    assert close(first, weights)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert facts[0][name] == facts[1][name]
    assert facts[0][name]["losses"] == pytest.approx(alone["losses"], abs=1e-5)
    assert facts[0][name]["best"] == alone["best"]
    assert facts[0][name]["sharded"] == ("sharded" in name and name != "sharded-full")


def test_training_moves_the_weights_that_are_compared(folder):
    before = trained_state(tiny_runs.network("adapter"))
    after = load_file(folder / "adapter-0.safetensors")
    assert max(float((after[name] - before[name]).abs().max()) for name in before) > 1e-3


def test_parameters_without_a_part_in_the_loss_are_left_alone(folder):
    torch.manual_seed(0)
    weights, _ = train(CASES["unused"])
    found = load_file(folder / "unused-0.safetensors")
    assert {name for name in found if name.startswith("spare.")} == {"spare.weight", "spare.bias"}
    assert torch.equal(found["spare.weight"], weights["spare.weight"])


def test_run_of_two_processes_goes_on_in_one(folder):
    whole, _ = train({"method": "adapter"})
    weights, found = train({"method": "adapter"}, held=folder / "two-then-one")
    assert found["from"] == (5,)
    assert close(weights, whole)


def test_run_of_one_process_goes_on_in_two(folder, facts):
    whole, _ = train({"method": "adapter"})
    assert [one["resumed"]["from"] for one in facts] == [[5], [5]]
    assert close(load_file(folder / "one-then-two-1.safetensors"), whole)


def test_loss_that_is_not_finite_in_one_process_ends_both(facts):
    assert all("the loss is nan at step 1" in one["broken"] for one in facts)


def test_gradients_count_as_zero_where_one_process_has_none(facts):
    assert [one["sum"] for one in facts] == [[0.5, [1.0, 2.0], [2.0, 1.0], None]] * 2


def test_one_process_changes_nothing():
    parameter = torch.nn.Parameter(torch.zeros(2))
    assert SINGLE_PROCESS.sum_gradients([parameter], 0.5) == 0.5
    assert parameter.grad is None
    assert (SINGLE_PROCESS.from_first(0.25), SINGLE_PROCESS.is_first, SINGLE_PROCESS.scores) == (0.25, True, True)


@pytest.mark.parametrize(("rank", "expected"), [(0, [(0, "a"), (2, "c")]), (1, [(1, "b")])])
def test_process_takes_every_nth_micro_batch(rank, expected):
    assert ProcessGroup(rank, 2).own("abc") == expected


@pytest.mark.parametrize(
    ("kind", "accumulation", "processes", "expected"),
    [(Kind.CLASSIFY, 1, 2, 2), (Kind.TAG, 3, 2, 4), (Kind.CHOOSE, 4, 2, 4), (Kind.MATCH, 3, 2, 3), (Kind.TAG, 3, 1, 3)],
)
def test_micro_batches_are_a_multiple_of_the_processes_but_for_dual_encoders(kind, accumulation, processes, expected):
    assert micro_batch_count(kind, accumulation, processes) == expected


def test_cut_leaves_no_micro_batch_empty():
    assert [len(part) for part in cut(tiny_runs.items(count=5), 4)] == [2, 2, 1]
    assert sum(targets_in(part, Kind.TAG) for part in cut(tiny_runs.items(Kind.TAG, 5), 4)) == targets_in(
        tiny_runs.items(Kind.TAG, 5), Kind.TAG
    )
