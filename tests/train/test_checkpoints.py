"""Runs that are stopped and go on end as if they had never been stopped, bit for bit."""

import dataclasses
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import tiny_runs
import torch
from special_files import device, folder, loop, pipe

from adaptstilts.config.runtime import ResumeSection
from adaptstilts.errors import CheckpointError
from adaptstilts.models.network import trained_state
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.checkpoints import Checkpoints, Snapshot, remove_checkpoints, resume_folder
from adaptstilts.train.loop import RunContext, fit
from adaptstilts.train.state import TrainingRun, put_back, run_digest, take_snapshot

KEY = "ab" * 32
EVERY_STEP = ResumeSection(every_steps=1, every_minutes=None)
DIPS = {2: 30.0, 4: 40.0, 6: 20.0, 8: 25.0, 10: 10.0, 12: 5.0}
"""Dev scores that are best at step 4 and end the patience of three at step 10."""


class StoppedError(Exception):
    """Stands for what ends a process."""


def train(method, checkpoints=None, *, stop=None, settings=tiny_runs.SETTINGS, scores=None, kind=Kind.CLASSIFY):
    """Run `fit`; return the network and the report, or None when it was stopped after step ``stop``."""
    network = tiny_runs.network(method, kind)
    done = []

    def on_step(step, _, __):
        done.append(step)
        if step == stop:
            raise StoppedError

    try:
        report = fit(
            network,
            tiny_runs.items(kind),
            settings,
            kind=kind,
            seed=3,
            score_dev=tiny_runs.score if scores is None else lambda _: scores[(done[-1] // 2) * 2],
            penalty=tiny_runs.penalty(network, method),
            context=RunContext(on_step, checkpoints),
        )
    except StoppedError:
        return network, None
    return network, report


def facts(report):
    return {key: value for key, value in dataclasses.asdict(report).items() if key not in {"seconds", "resumed_at"}}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def checkpoints(folder, section=EVERY_STEP, key=KEY):
    return Checkpoints(folder, key, section)


@pytest.mark.parametrize("method", tiny_runs.METHODS)
def test_run_stopped_after_every_step_ends_as_one_that_was_not(tmp_path, method):
    network, report = train(method)
    for stop in range(1, report.steps + 2):
        last, found = train(method, checkpoints(tmp_path), stop=stop)
    assert found is not None
    assert facts(found) == facts(report)
    assert equal(trained_state(last), trained_state(network))
    assert found.resumed_at == tuple(range(1, report.steps))  # a step's checkpoint comes after its callback
    assert found.seconds > 0


@pytest.mark.parametrize("stop", [5, 7, 9])
def test_run_keeps_best_weights_and_patience_of_before_it_was_stopped(tmp_path, stop):
    network, report = train("adapter", scores=DIPS)
    assert (report.best_step, report.steps, report.stopped_early) == (4, 10, True)
    assert train("adapter", checkpoints(tmp_path), stop=stop, scores=DIPS)[1] is None
    last, found = train("adapter", checkpoints(tmp_path), scores=DIPS)
    assert facts(found) == facts(report)
    assert equal(trained_state(last), trained_state(network))


@pytest.mark.parametrize("kind", [Kind.TAG, Kind.MATCH])
def test_run_of_other_kinds_goes_on_exactly(tmp_path, kind):
    network, report = train("adapter", kind=kind)
    train("adapter", checkpoints(tmp_path), stop=4, kind=kind)
    last, found = train("adapter", checkpoints(tmp_path), kind=kind)
    assert (found.resumed_at, facts(found)) == ((3,), facts(report))
    assert equal(trained_state(last), trained_state(network))


def test_run_that_was_over_trains_no_more(tmp_path):
    network, report = train("adapter", checkpoints(tmp_path), scores=DIPS)
    seen = []
    last = tiny_runs.network("adapter")
    found = fit(
        last,
        tiny_runs.items(),
        tiny_runs.SETTINGS,
        kind=Kind.CLASSIFY,
        seed=3,
        score_dev=None,
        context=RunContext(lambda *step: seen.append(step), checkpoints(tmp_path)),
    )
    assert (seen, found.resumed_at, facts(found)) == ([], (10,), facts(report))
    assert equal(trained_state(last), trained_state(network))


def state(method="adapter", steps=3):
    """A run after some steps, taken from its checkpoint."""
    from adaptstilts.train.optim import build_optimizer, build_schedule

    network = tiny_runs.network(method)
    optimizer = build_optimizer(network, tiny_runs.SETTINGS)
    run = TrainingRun(network, optimizer, build_schedule(optimizer, tiny_runs.SETTINGS, 12), torch.GradScaler("cpu"))
    for step in range(steps):
        network.train()
        torch.manual_seed(step)
        network(torch.tensor([[0, 5 + step, 2]]), torch.ones(1, 3)).sum().backward()
        optimizer.step()
        run.schedule.step()
        optimizer.zero_grad()
        run.progress.step += 1
        run.progress.losses.append(0.1 + step)
    return run


def test_snapshot_puts_optimizer_schedule_scaler_and_random_states_back_bit_for_bit(tmp_path):
    run = state()
    run.scaler.scale(torch.ones(1))
    run.scaler.update(512.0)
    random.seed(5), np.random.seed(6), torch.manual_seed(7)
    run.progress.best_state, run.progress.best_step = trained_state(run.network), 2
    held = checkpoints(tmp_path)
    held.write(take_snapshot(run, batches_per_epoch=2, seconds=1.5), "digest")
    drawn = random.random(), np.random.rand(), torch.rand(1)
    found = held.latest("digest")
    assert (found.values["epoch"], found.values["batch"]) == (1, 1)
    other = state(steps=0)
    put_back(other, found)
    assert (random.random(), np.random.rand(), torch.rand(1)) == drawn
    mine, theirs = run.optimizer.state_dict(), other.optimizer.state_dict()
    assert theirs["param_groups"] == mine["param_groups"]
    assert all(equal(theirs["state"][number], mine["state"][number]) for number in mine["state"])
    assert other.schedule.state_dict() == run.schedule.state_dict()
    assert other.scaler.state_dict() == run.scaler.state_dict()
    assert equal(other.progress.best_state, run.progress.best_state)
    assert (other.progress.step, other.progress.losses, other.progress.seconds) == (3, [0.1, 1.1, 2.1], 1.5)


def test_checkpoint_holds_nothing_that_is_frozen(tmp_path):
    train("adapter", checkpoints(tmp_path), stop=3)
    from safetensors.torch import load_file

    names = load_file(tmp_path / "step-00000002.safetensors")
    weights = {name.removeprefix("weights/") for name in names if name.startswith("weights/")}
    assert weights == set(trained_state(tiny_runs.network("adapter")))


def snapshot(step, best=0):
    return Snapshot(step, {"w": torch.full((3,), float(step))}, {"n": step}, best, {"w": torch.ones(3)} if best else {})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_two_checkpoints_are_kept_and_share_the_best_weights(tmp_path):
    held = checkpoints(tmp_path)
    for step, best in ((1, 1), (2, 1), (3, 1)):
        held.write(snapshot(step, best), "run")
    assert names(tmp_path) == [
        "best-00000001.safetensors",
        "step-00000002.json",
        "step-00000002.safetensors",
        "step-00000003.json",
        "step-00000003.safetensors",
    ]
    written = (tmp_path / "best-00000001.safetensors").stat().st_mtime_ns
    held.write(snapshot(4, 4), "run")
    assert (tmp_path / "best-00000001.safetensors").stat().st_mtime_ns == written  # step 3 names it
    held.write(snapshot(5, 4), "run")
    assert [name for name in names(tmp_path) if "best" in name] == ["best-00000004.safetensors"]


def damage(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize("name", ["step-00000002.json", "step-00000002.safetensors", "best-00000002.safetensors"])
def test_the_one_before_is_used_when_the_newest_is_damaged(tmp_path, name):
    held = checkpoints(tmp_path)
    held.write(snapshot(1, 1), "run")
    held.write(snapshot(2, 2), "run")
    damage(tmp_path / name)
    found = held.latest("run")
    assert (found.step, found.best_step) == (1, 1)
    assert held.notes[0].startswith(f"not used: {name}: the checkpoint is damaged")
    assert held.notes[1:] == ["goes on from the checkpoint at step 1"]
    assert not any("00000002" in name for name in names(tmp_path))


def test_what_was_damaged_is_still_told_after_another_interruption(tmp_path):
    held = checkpoints(tmp_path)
    held.write(snapshot(1), "run")
    held.write(snapshot(2), "run")
    damage(tmp_path / "step-00000002.safetensors")
    second = checkpoints(tmp_path)
    second.latest("run")
    second.write(snapshot(3), "run")
    third = checkpoints(tmp_path)
    third.latest("run")
    assert [text.split(":")[0] for text in third.notes] == [
        "not used",
        "goes on from the checkpoint at step 1",
        "goes on from the checkpoint at step 3",
    ]


def test_what_was_read_of_a_checkpoint_stays_when_its_files_are_written_to(tmp_path):
    """The library's own tensors would change with the file that it maps into memory."""
    checkpoints(tmp_path).write(snapshot(2, 1), "run")
    found = checkpoints(tmp_path).latest("run")
    for path in tmp_path.glob("*.safetensors"):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(size - 12)
            file.write(bytes(12))
    assert found.tensors["w"].tolist() == [2.0, 2.0, 2.0]
    assert found.best["w"].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("is_new_process", [False, True])
def test_damaged_best_weights_are_written_again_by_the_next_checkpoint(tmp_path, is_new_process):
    held = checkpoints(tmp_path)
    held.write(snapshot(3, 2), "run")
    damage(tmp_path / "best-00000002.safetensors")
    held = checkpoints(tmp_path) if is_new_process else held
    held.write(snapshot(4, 2), "run")
    fresh = checkpoints(tmp_path)
    found = fresh.latest("run")
    assert (found.step, found.best_step) == (4, 2)
    assert fresh.notes == ["goes on from the checkpoint at step 4"]
    assert fresh.read(3, "run").best_step == 2


def test_run_starts_again_when_both_checkpoints_are_damaged(tmp_path):
    network, report = train("adapter")
    train("adapter", checkpoints(tmp_path), stop=6)
    for path in tmp_path.glob("step-*.safetensors"):
        damage(path)
    held = checkpoints(tmp_path)
    last, found = train("adapter", held)
    assert [text.split(":")[0] for text in held.notes] == ["not used", "not used", "starts again from the beginning"]
    assert (found.resumed_at, facts(found)) == ((), facts(report))
    assert equal(trained_state(last), trained_state(network))


@pytest.mark.parametrize(("key", "run"), [("cd" * 32, "run"), (KEY, "another")])
def test_checkpoint_of_another_run_is_not_used(tmp_path, key, run):
    checkpoints(tmp_path).write(snapshot(1), "run")
    held = checkpoints(tmp_path, key=key)
    assert held.latest(run) is None
    assert "is of another run" in held.notes[0]
    with pytest.raises(CheckpointError, match=r"step-00000001\.json: the checkpoint is damaged"):
        held.read(1, "run")  # it is gone


def test_run_digest_tells_other_items_and_other_parts_apart():
    network = tiny_runs.network("adapter")
    one = run_digest(network, tiny_runs.items())
    assert one == run_digest(tiny_runs.network("adapter"), tiny_runs.items())
    assert one != run_digest(network, tiny_runs.items(count=19))
    assert one != run_digest(tiny_runs.network("full"), tiny_runs.items())


def test_a_checkpoint_that_cannot_be_written_is_told_and_the_run_goes_on(tmp_path):
    _, report = train("adapter")
    (tmp_path / "file").write_text("no folder")
    held = checkpoints(tmp_path / "file" / "below")
    assert facts(train("adapter", held)[1]) == facts(report)
    assert held.notes[0].startswith("no checkpoint at step 1: ")


def test_checkpoints_are_due_by_steps_or_minutes_whichever_comes_first(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    held = checkpoints(tmp_path, ResumeSection(every_steps=3, every_minutes=2))
    assert [step for step in range(1, 8) if held.is_due(step)] == [3, 6]
    now[0] += 120
    assert held.is_due(7)
    held.write(snapshot(7), "run")
    assert not held.is_due(8)
    assert not checkpoints(tmp_path, ResumeSection(every_steps=None, every_minutes=None)).is_due(9)


def test_sigterm_waits_for_the_step_and_a_checkpoint(tmp_path):
    came = []
    before = signal.signal(signal.SIGTERM, lambda *_: came.append(len(list(tmp_path.glob("step-*.json")))))
    try:
        held = checkpoints(tmp_path, ResumeSection(every_steps=None, every_minutes=None))
        network = tiny_runs.network("adapter")
        fit(
            network,
            tiny_runs.items(),
            tiny_runs.SETTINGS,
            kind=Kind.CLASSIFY,
            seed=3,
            score_dev=None,
            context=RunContext(lambda step, *_: os.kill(os.getpid(), signal.SIGTERM) if step == 4 else None, held),
        )
        assert came == [1]
        assert names(tmp_path) == ["step-00000004.json", "step-00000004.safetensors"]
        os.kill(os.getpid(), signal.SIGTERM)
        assert came == [1, 1]  # the handler of before is in its place again
    finally:
        signal.signal(signal.SIGTERM, before)


def test_removing_checkpoints_leaves_those_of_other_stages(tmp_path):
    for key in (KEY, "cd" * 32):
        checkpoints(resume_folder(tmp_path, key), key=key).write(snapshot(1), "run")
    remove_checkpoints(tmp_path, KEY)
    assert [path.name for path in (tmp_path / ".resume").iterdir()] == ["cd" * 8]
    remove_checkpoints(tmp_path, "cd" * 32)
    assert list(tmp_path.iterdir()) == []


KILLED = textwrap.dedent("""
    # Carries a run out in a process of its own, again and again, and kills it at random moments. One Python loads the
    # libraries and builds the untrained networks; each process gets copies of them.
    import json, os, random, shutil, signal, sys, time
    from pathlib import Path
    import tiny_runs, torch
    from dataclasses import asdict, replace
    from safetensors.torch import save_file
    from adaptstilts.config.runtime import ResumeSection
    from adaptstilts.models.network import trained_state
    from adaptstilts.tasks.spec import Kind
    from adaptstilts.train.loop import RunContext, fit
    from adaptstilts.train.checkpoints import Checkpoints

    settings = replace(tiny_runs.SETTINGS, epochs=8)
    networks = {method: tiny_runs.network(method) for method in tiny_runs.METHODS}

    def run(method, folder):
        network = networks[method]
        every = 1000 if folder.name == "ended" else 2
        held = Checkpoints(folder / "held", "ab" * 32, ResumeSection(every_steps=every, every_minutes=None))
        report = fit(network, tiny_runs.items(), settings, kind=Kind.CLASSIFY, seed=3, score_dev=tiny_runs.score,
                     penalty=tiny_runs.penalty(network, method),
                     context=RunContext(lambda step, *_: end(step, every), held))
        save_file(trained_state(network), folder / "weights.safetensors")
        (folder / "report.json").write_text(json.dumps(asdict(report)))

    def end(step, every):
        if every == 1000 and step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    def start(method, folder):
        folder.mkdir(parents=True, exist_ok=True)
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)
            try:
                run(method, folder)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        return child

    rng = random.Random(int(sys.argv[2]))
    kills = {}
    for method in tiny_runs.METHODS:
        began = time.monotonic()
        assert os.waitpid(start(method, Path(sys.argv[1]) / method / "whole"), 0)[1] == 0
        span = time.monotonic() - began
        kills[method] = 0
        folder = Path(sys.argv[1]) / method / "killed"
        while True:
            child = start(method, folder)
            if kills[method] < 5:
                time.sleep(rng.uniform(0.1, 0.6) * span)
                os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            if status == 0 and kills[method] >= 3 and json.loads((folder / "report.json").read_text())["resumed_at"]:
                break
            if status == 0:  # too few kills hit it: once more from the beginning
                shutil.rmtree(folder)
                kills[method] = 0
                continue
            assert os.WTERMSIG(status) == signal.SIGKILL
            kills[method] += 1
    folder = Path(sys.argv[1]) / "ended"
    assert os.WTERMSIG(os.waitpid(start("adapter", folder), 0)[1]) == signal.SIGTERM
    assert [path.name for path in (folder / "held").glob("*.json")] == ["step-00000003.json"]
    print(json.dumps(kills))
""")


def test_run_killed_at_random_moments_ends_with_the_same_bytes(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(script), str(tmp_path), "11"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    kills = json.loads(done.stdout.splitlines()[-1])
    assert all(count >= 3 for count in kills.values()), kills
    for method in tiny_runs.METHODS:
        whole, killed = tmp_path / method / "whole", tmp_path / method / "killed"
        name = "weights.safetensors"
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
        reports = [json.loads((folder / "report.json").read_text()) for folder in (whole, killed)]
        assert [report.pop("resumed_at") == [] for report in reports] == [True, False]
        assert all(report.pop("seconds") > 0 for report in reports)
        assert reports[0] == reports[1]


def sealed(path, **changes):
    """Change the content of a checkpoint, which then vouches for it as before."""
    content = json.loads(path.read_text())["content"] | changes
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"sha256": digest, "content": content}))


def replaced(make):
    def replace(path):
        path.unlink()
        make(path)

    return replace


HOSTILE = {
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "deep": lambda path: path.write_text("[" * 100_000),
    "list": lambda path: path.write_text("[]"),
    "no content": lambda path: path.write_text('{"sha256": "", "content": 1}'),
    "huge": lambda path: os.truncate(path, 2**29),
    "pipe": replaced(pipe),
    "device": replaced(device),
    "loop": replaced(loop),
    "folder": replaced(folder),
    "step": lambda path: sealed(path, step="x"),
    "format": lambda path: sealed(path, format=True),
    "notes": lambda path: sealed(path, told=[1]),
    "values": lambda path: sealed(path, values=[]),
    "tensors": lambda path: sealed(path, tensors=None),
    "outside": lambda path: sealed(path, tensors={"file": "../../x", "sha256": "0"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_checkpoint_of_any_content_is_told_and_the_one_before_is_used(tmp_path, what):
    held = checkpoints(tmp_path)
    held.write(snapshot(1, 1), "run")
    held.write(snapshot(2, 2), "run")
    HOSTILE[what](tmp_path / "step-00000002.json")
    assert held.latest("run").step == 1
    assert held.notes[0] == "not used: step-00000002.json: the checkpoint is damaged"
    assert not any("00000002" in name for name in names(tmp_path))


@pytest.mark.parametrize("make", [pipe, folder, device])
def test_special_file_in_place_of_tensors_is_told(tmp_path, make):
    held = checkpoints(tmp_path)
    held.write(snapshot(1), "run")
    held.write(snapshot(2), "run")
    replaced(make)(tmp_path / "step-00000002.safetensors")
    assert held.latest("run").step == 1
    assert re.fullmatch(r"not used: step-00000002\.safetensors: is .*, not a file", held.notes[0])


def test_checkpoint_whose_values_do_not_fit_is_one_clear_error(tmp_path):
    held = checkpoints(tmp_path)
    train("adapter", held, stop=3)
    for path in tmp_path.glob("step-*.json"):
        sealed(path, values={"optimizer": []})
    message = r"step-0000000\d\.json: what the checkpoint holds does not fit the run: \w+: .*Remove its folder"
    with pytest.raises(CheckpointError, match=message):
        train("adapter", checkpoints(tmp_path))
