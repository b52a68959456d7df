"""Give commands mutated files and see that every one ends with status 0, or with status 2 and a message.

    python benchmarks/fuzz.py --cases 2000 --seed 1 --jobs 2
    python benchmarks/fuzz.py --only manifest:1000007

Files are changed by bytes, structure, numbers and encodings (`mutations`): configurations, overrides, data of every
task and in every layout (parquet sets of the hub and Arrow sets of `datasets` among them), predictions, store archives,
manifests, locks, lists of sources, downloads, a backbone's tokenizer, config and weights, adapters and heads. Each case
has a folder and a forked process of its own, with limits on its memory (1 GB above what this process holds) and time
(10 s). A failure is a traceback, another exit status, exit 2 without a message, no end, more memory, or a file outside
the folders of the case; it is printed with its kind, seed and mutation, by which it can be run alone. With the seed 0
nothing is changed. Exit status 1 if there was a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import io
import itertools
import json
import os
import pkgutil
import random
import re
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ |= {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests"), str(ROOT / "tests" / "readers")]

from mutations import NUMBERS, WORDS, Still, copy, mutate  # noqa: E402 - tests and benchmarks are no packages

SECONDS = 10
"""Processor time of a case, and time that it may stand still."""
_MOST_WALL = 90
"""Wall time after which a case is stopped on a machine that is busy with other work."""
_MOST_BYTES = 1 << 30
_MOST_ADDRESSES = 2 << 30
"""Address space above that of this process; libraries reserve more than they use."""
ALLOWED = ("out", "home", "tmp")
"""Folders of a case in which a command may write."""
_MOST_LINES = {
    "data check": 100,
    "data fetch": 20,
    "submit": 300,
    "init": 100,
    "plan": 20,
    "validate": 20,
    "status": 20,
    "run": 20,
}
"""Most lines of message of commands that tell several problems at once; of others one."""
_LONGEST_LINE = 2_000
_PROGRESS = re.compile(
    r"unpacking |\[\d+/\d+\] |\w+: (\d+ of \d+ splits? present already|could not be read and was deleted)"
)
"""Lines of `data fetch` that are no messages."""
_CONFIG = """name: fuzz
title: A study
backbone: mini
methods: [direct, adapter]
seeds: [1]
data:
  root: mini
  mini_train: 32
  mini_evaluation: 8
intermediate:
  tasks: [mnli]
  adapter: {epochs: 1, learning_rate: 1e-3}
target:
  tasks: [xnli, udpos]
  full: {batch_size: 8}
evaluation:
  languages: [en, de]
store: out/store
results: out/results
"""
_SOURCES = """sources:
  squad:
    url: https://example.org/{part}-v1.1.json
    sha256: null
  questions:
    url: https://example.org/qqp.zip
  pairs:
    url: https://example.org/bucc-{language}.tar.bz2
tasks:
  squad1:
    parts:
      - {source: squad, languages: {train: en, dev: en}, place: {"{part}-v1.1.json": squad/}}
    rows: {train: 3, dev: 3}
  qqp:
    parts:
      - {source: questions, languages: {train: en, dev: en}, place: {"QQP/{part}.tsv": "qqp/{part}.tsv"}}
  bucc2018:
    parts:
      - source: pairs
        languages: {test: de}
        place:
          bucc2018/de-en.test.de: bucc2018/de-en.test.de
          bucc2018/de-en.test.en: bucc2018/de-en.test.en
          bucc2018/de-en.test.gold: bucc2018/de-en.test.gold
"""


@dataclass(frozen=True)
class Prepared:
    """What all cases start from.

    Attributes:
        store: Store of a finished small study.
        archive: Store archive with some of its artefacts.
        data: Folder by task, with three rows of every file.
        layouts: Folder by task and layout, with the same rows in every layout that is read.
        backbone: The package's own backbone.
        downloads: Files and archives of three tasks as `data fetch` downloads them.
    """

    store: Path
    archive: Path
    data: Path
    layouts: Path
    backbone: Path
    downloads: Path


Words = list[str]
Make = Callable[[Path, random.Random, Prepared], tuple[Words, str]]
"""Writes the files of a case into its folder; returns the command and what was changed."""


def make_config(folder: Path, rng: random.Random, _: Prepared) -> tuple[Words, str]:
    path = folder / "in" / "study.yaml"
    path.write_text(_CONFIG, encoding="utf-8")
    command = rng.choice((["plan"], ["plan"], ["plan", "--json"], ["status"], ["validate"]))
    return [command[0], "in/study.yaml", *command[1:]], mutate(path, rng)


def make_override(folder: Path, rng: random.Random, _: Prepared) -> tuple[Words, str]:
    (folder / "in" / "study.yaml").write_text(_CONFIG, encoding="utf-8")
    keys = ("seeds", "data.root", "backbone", "target.tasks", "target.full.batch_size", "methods", "title", "workers")
    key = rng.choice((*keys, "evaluation.languages", "adapter.reduction_factor", "sweep", "data", *WORDS[:12]))
    value = rng.choice((*WORDS, *NUMBERS, "[1,2", "{a: 1}", "[" * 5000, "&a [*a]", "!!python/name:os.system"))
    word = f"{key}={value}".replace("\0", "").encode("utf-8", "replace").decode()[:100_000]
    return ["plan", "in/study.yaml", word], repr(word[:80])


def make_data(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    return _change_data(folder, rng, prepared.data)


def make_layout(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    return _change_data(folder, rng, prepared.layouts)


def _change_data(folder: Path, rng: random.Random, source: Path) -> tuple[Words, str]:
    """Change a file of one of the folders in `source`, whose names begin with a task and an @."""
    task = rng.choice(sorted(path.name for path in source.iterdir()))
    shutil.rmtree(folder / "in")
    copy(source / task, folder / "in")
    path = rng.choice(sorted(path for path in (folder / "in").rglob("*") if path.is_file()))
    changed = mutate(path, rng, binary=path.suffix in {".parquet", ".arrow"})
    more = rng.choice(([], [], ["--strict"], ["--json"]))
    if rng.random() < 0.1:
        return ["init", "--data", "in", "--to", "out/study.yaml"], f"{path.name}: {changed}"
    return ["data", "check", "in", task.partition("@")[0], *more], f"{path.relative_to(folder)}: {changed}"


def make_predictions(folder: Path, rng: random.Random, _: Prepared) -> tuple[Words, str]:
    from submission_files import LABELS, PREDICTIONS, write  # noqa: PLC0415 - a module of the tests

    write(folder / "in" / "gold", LABELS)
    write(folder / "in" / "pred", PREDICTIONS)
    path = rng.choice(sorted(path for path in (folder / "in").rglob("*") if path.is_file()))
    changed = mutate(path, rng)
    words = ["score", "in/pred"] if rng.random() < 0.5 else ["submit", "--check", "in/pred"]
    return [*words, "--gold", "in/gold"], f"{path.relative_to(folder)}: {changed}"


def make_archive(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    path = folder / "in" / "bundle.tar"
    if rng.random() < 0.5:
        os.link(prepared.archive, path)
        return ["store", "import", "in/bundle.tar", "--store", "out/store"], mutate(path, rng, binary=True)
    bundle = copy(prepared.archive.with_suffix(""), folder / "in" / "bundle")
    changed = _resealed(rng.choice(sorted(bundle.glob("*/*/manifest.json"))), rng)
    _sum_again(bundle)
    return ["store", "import", "in/bundle", "--store", "out/store"], f"sealed again: {changed}"


def make_manifest(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    copy(prepared.store, folder / "out" / "store")
    path = rng.choice(sorted((folder / "out" / "store").glob("*/*/manifest.json")))
    changed = _resealed(path, rng) if rng.random() < 0.6 else mutate(path, rng)
    words = rng.choice((["ls"], ["show", path.parent.name.rpartition("-")[2]], ["verify"], ["gc"], ["ls", "--json"]))
    if rng.random() < 0.3:
        return [rng.choice(("plan", "status")), "in/study.yaml"], f"{path.parent.name}: {changed}"
    return ["store", *words, "--store", "out/store"], f"{path.parent.name}: {changed}"


_FETCHED = ("squad1", "qqp", "bucc2018")


def _downloads(folder: Path, prepared: Prepared) -> None:
    """Put the list of sources, and what would have been downloaded, into a case."""
    (folder / "in" / "sources.yaml").write_text(_SOURCES, encoding="utf-8")
    copy(prepared.downloads, folder / "out" / "data" / ".downloads")


def _fetch(rng: random.Random) -> Words:
    task = rng.choice(_FETCHED)
    return ["data", "fetch", task, "--root", "out/data", "--offline", "--manifest", "in/sources.yaml"]


def make_lock(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    _downloads(folder, prepared)
    for task in _FETCHED:
        shutil.copytree(prepared.data / task, folder / "out" / "data", copy_function=os.link, dirs_exist_ok=True)
    path = folder / "out" / "data" / "adaptstilts.lock.json"
    split = {"rows": 3, "files": {"squad/v1.1/train-v1.1.json": "0" * 64}, "sources": ["https://example.org/x"]}
    split |= {"revision": None, "date": "2026-01-01", "notes": []}
    lock = {"format": 1, "splits": {"squad1/train/en": split}, "downloads": {"https://example.org/x": "0" * 64}}
    path.write_text(json.dumps({**lock, "revisions": {"a/b": "c" * 40}}, indent=1), encoding="utf-8")
    changed = mutate(path, rng)
    return (["data", "check", "out/data", "squad1"] if rng.random() < 0.3 else _fetch(rng)), changed


def make_sources(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    _downloads(folder, prepared)
    return _fetch(rng), mutate(folder / "in" / "sources.yaml", rng)


def make_download(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    _downloads(folder, prepared)
    path = rng.choice(sorted(path for path in (folder / "out" / "data").rglob("*") if path.is_file()))
    task = {"squad": "squad1", "questions": "qqp", "pairs": "bucc2018"}[path.parent.name]
    changed = mutate(path, rng, binary=path.suffix != ".json")
    words = _fetch(rng)
    return [*words[:2], task, *words[3:]], f"{path.name}: {changed}"


def _make_backbone(*names: str) -> Make:
    """Return what changes one of some files of a backbone."""

    def make(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
        copy(prepared.backbone, folder / "in" / "backbone")
        path = folder / "in" / "backbone" / rng.choice(names)
        changed = mutate(path, rng, binary=path.suffix == ".safetensors")
        text = _CONFIG.replace("backbone: mini", "backbone: in/backbone").replace("[xnli, udpos]", "[xnli]")
        (folder / "in" / "study.yaml").write_text(text.replace("[direct, adapter]", "[adapter]"), encoding="utf-8")
        return [rng.choice(("validate", "validate", "run")), "in/study.yaml"], f"{path.name}: {changed}"

    return make


def make_adapter(folder: Path, rng: random.Random, prepared: Prepared) -> tuple[Words, str]:
    store = copy(prepared.store, folder / "out" / "store")
    for kind in ("predict", "score", "analyse", "report"):
        shutil.rmtree(store / kind)
    artefact = rng.choice([path.parent for path in sorted(store.glob("train/*/manifest.json"))])
    path = rng.choice(sorted(path for path in artefact.rglob("*") if path.is_file() and path.name != "manifest.json"))
    changed = mutate(path, rng, binary=path.suffix not in {".json", ".jsonl"})
    if path.is_file() and not path.is_symlink():
        _vouch(artefact, path)
    return ["run", "in/study.yaml"], f"{path.relative_to(store)}: {changed}"


def _resealed(path: Path, rng: random.Random) -> str:
    """Change the structure of a manifest and seal it again."""
    from mutations import restructure  # noqa: PLC0415

    from adaptstilts.store.manifest import manifest_text  # noqa: PLC0415

    if isinstance(rng, Still):
        return "nothing"
    manifest = restructure(json.loads(path.read_bytes()), rng)
    path.unlink()
    try:
        path.write_text(manifest_text(manifest), encoding="utf-8", errors="surrogatepass")
    except (TypeError, ValueError, RecursionError):
        path.write_text(json.dumps(manifest), encoding="utf-8")
    return "sealed again"


def _vouch(artefact: Path, path: Path) -> None:
    """Let a manifest state the size and hash of a changed file."""
    import hashlib  # noqa: PLC0415

    from adaptstilts.store.manifest import manifest_text  # noqa: PLC0415

    manifest = json.loads((artefact / "manifest.json").read_bytes())
    content = path.read_bytes()
    record = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    manifest["files"][path.relative_to(artefact).as_posix()] = record
    (artefact / "manifest.json").unlink()
    (artefact / "manifest.json").write_text(manifest_text(manifest), encoding="utf-8")


def _sum_again(bundle: Path) -> None:
    import hashlib  # noqa: PLC0415

    from adaptstilts.store.archive import CHECKSUMS  # noqa: PLC0415

    (bundle / CHECKSUMS).unlink()
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bundle)}\n" for path in files]
    (bundle / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


KINDS: dict[str, tuple[Make, int]] = {
    "config": (make_config, 6),
    "override": (make_override, 4),
    "data": (make_data, 12),
    "layout": (make_layout, 8),
    "predictions": (make_predictions, 4),
    "archive": (make_archive, 3),
    "manifest": (make_manifest, 5),
    "lock": (make_lock, 2),
    "sources": (make_sources, 2),
    "download": (make_download, 3),
    "tokenizer": (_make_backbone("tokenizer.json", "tokenizer_config.json"), 3),
    "backbone": (_make_backbone("config.json", "model.safetensors"), 3),
    "adapter": (make_adapter, 2),
}
"""What is changed, and how often."""


@dataclass(frozen=True)
class Case:
    """A case, by which it can be made again; with the seed 0 nothing is changed."""

    kind: str
    seed: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}"

    def make(self, folder: Path, prepared: Prepared) -> tuple[Words, str]:
        """Write the files of the case; return the command and what was changed."""
        for name in ("in", *ALLOWED):
            (folder / name).mkdir(parents=True)
        text = _CONFIG.replace("[xnli, udpos]", "[xnli]")
        (folder / "in" / "study.yaml").write_text(text, encoding="utf-8")
        rng = random.Random(str(self)) if self.seed else Still(self.kind)
        return KINDS[self.kind][0](folder, rng, prepared)


def cases(count: int, seed: int, kinds: Sequence[str]) -> Iterator[Case]:
    """Yield cases of the given kinds in turn, each as often as its weight says."""
    made: Counter[str] = Counter()
    turns = [kind for place in range(20) for kind in kinds if place < KINDS[kind][1]]
    for number in range(count):
        kind = turns[number % len(turns)]
        yield Case(kind, seed * 1_000_000 + made[kind])
        made[kind] += 1


@dataclass
class Running:
    """A case in its process."""

    case: Case
    folder: Path
    words: Words
    changed: str
    before: set[str]
    pid: int
    began: float


def start(case: Case, folder: Path, prepared: Prepared) -> Running:
    """Make a case and fork its process."""
    words, changed = case.make(folder, prepared)
    before = _entries(folder)
    pid = os.fork()
    if pid == 0:
        _carry_out(folder, words)
    return Running(case, folder, words, changed, before, pid, time.monotonic())


def _carry_out(folder: Path, words: Words) -> None:
    """Run a command in this forked process, and end it."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (_status_bytes("VmSize") + _MOST_ADDRESSES,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(folder)
        os.environ |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "COLUMNS": "100"}
        tempfile.tempdir = None
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o644), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding="utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), encoding="utf-8", write_through=True)
        from adaptstilts.cli.main import main  # noqa: PLC0415

        code = main(words)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
    finally:
        os._exit(code)


def verdict(one: Running, status: int, usage: resource.struct_rusage, ending: str, base: int) -> str:
    """Return what is wrong with how a case ended; empty if nothing is."""
    seconds = usage.ru_utime + usage.ru_stime
    said = (one.folder / "stderr").read_text("utf-8", "backslashreplace") if (one.folder / "stderr").exists() else ""
    problems = []
    if ending:
        problems.append(ending)
    elif seconds > SECONDS:
        problems.append(f"{seconds:.0f} s of processor time")
    elif os.WIFSIGNALED(status):
        problems.append(f"ended by {signal.Signals(os.WTERMSIG(status)).name}")
    elif "Traceback (most recent call last)" in said:
        problems.append(f"traceback: {said.strip().splitlines()[-1][:300]}")
    elif os.WEXITSTATUS(status) not in {0, 2}:
        problems.append(f"exit status {os.WEXITSTATUS(status)}: {said.strip()[-300:]}")
    elif os.WEXITSTATUS(status) == 2:
        problems += _faults_of_message(said, one.words)
    elif "Warning: " in said:
        problems.append(f"a warning of a library: {said.strip()[-300:]}")
    if usage.ru_maxrss * 1024 > base + _MOST_BYTES:
        problems.append(f"{usage.ru_maxrss / 1e6:.1f} GB of memory")
    outside = {
        name for name in _entries(one.folder) - one.before if name.split("/")[0] not in {*ALLOWED, "stdout", "stderr"}
    }
    problems += [f"wrote {name}" for name in sorted(outside)[:3]]
    return "; ".join(problems)


def _faults_of_message(said: str, words: Words) -> Iterator[str]:
    """Yield what is wrong with the message of a command that ended with status 2: one line for each problem."""
    lines = [line for line in said.splitlines() if not _PROGRESS.match(line)]
    most = next((number for begin, number in _MOST_LINES.items() if " ".join(words).startswith(begin)), 1)
    if not lines:
        yield "exit status 2 without a message"
    elif len(lines) > most:
        yield f"{len(lines)} lines of message: {' | '.join(lines)[:300]}"
    for line in lines:
        if not line.strip() or not line.isprintable() or len(line) > _LONGEST_LINE:
            yield f"a line of {len(line)} characters: {line[:200]!r}"


def _entries(folder: Path) -> set[str]:
    found = {
        str(Path(place, name).relative_to(folder)) for place, dirs, files in os.walk(folder) for name in dirs + files
    }
    return found | {f"../{path.name}" for path in folder.parent.iterdir() if not path.name.startswith("case-")}


def _status_bytes(name: str) -> int:
    """Return a size of this process from the system's table."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def run(todo: Iterator[Case], prepared: Prepared, scratch: Path, jobs: int) -> Iterator[tuple[Running, str]]:
    """Run cases, so many at once; yield each with what is wrong, in the order of their ends."""
    base = _status_bytes("VmRSS")
    running: dict[int, Running] = {}
    number = 0
    try:
        while True:
            while len(running) < jobs and (case := next(todo, None)) is not None:
                number += 1
                one = start(case, scratch / f"case-{number}", prepared)
                running[one.pid] = one
            if not running:
                return
            ended, ending = _next_end(running)
            if ended is None:
                time.sleep(0.005)
                continue
            pid, status, usage = ended
            one = running.pop(pid)
            yield one, verdict(one, status, usage, ending, base)
            shutil.rmtree(one.folder, ignore_errors=True)
    finally:
        for pid in running:
            _stop(pid)


def _next_end(running: dict[int, Running]) -> tuple[tuple[int, int, resource.struct_rusage] | None, str]:
    """Return the end of one process, if one has ended or was stopped because of its time, and why it was stopped."""
    for pid, one in running.items():
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            _stop(pid)
            return (pid, status, usage), ""
        age = time.monotonic() - one.began
        if age > SECONDS:
            spent = _cpu_seconds(pid)
            if age > _MOST_WALL or spent < 0.02 * age:
                _stop(pid)
                _, status, usage = os.wait4(pid, 0)
                return (pid, status, usage), f"no end after {age:.0f} s, {spent:.1f} s of them at work"
    return None, ""


def _stop(pid: int) -> None:
    """End a case's process and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _cpu_seconds(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def load() -> None:
    """Import what commands need, once for all cases."""
    import adapters  # noqa: F401, PLC0415
    import matplotlib.figure  # noqa: F401, PLC0415
    import pandas  # noqa: F401, PLC0415
    import pyarrow.parquet  # noqa: F401, PLC0415
    import torch  # noqa: PLC0415
    import transformers  # noqa: F401, PLC0415

    import adaptstilts  # noqa: PLC0415

    # All of them, so that no case imports anything, and a change of the code during a run does not count.
    for module in pkgutil.walk_packages(adaptstilts.__path__, "adaptstilts."):
        with contextlib.suppress(ImportError):  # of an engine that is not installed
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()


def prepare(folder: Path, *, with_store: bool) -> Prepared:
    """Write what all cases start from: data of every task, and the store of a small study."""
    from task_files import TASK_FILES  # noqa: PLC0415 - a module of the tests

    from adaptstilts.models.backbone import mini_folder  # noqa: PLC0415

    for task, files in TASK_FILES.items():
        for name, content in files.items():
            path = folder / "data" / task / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    backbone = shutil.copytree(mini_folder(), folder / "backbone")
    store, archive = folder / "store", folder / "bundle.tar"
    if with_store:
        (folder / "study.yaml").write_text(_CONFIG.replace("[xnli, udpos]", "[xnli]"), encoding="utf-8")
        place = [f"store={store}", f"results={folder / 'results'}"]
        keys = ("train adapter: mnli, seed 1", "score adapter: xnli en, seed 1", "generate the mini world")
        for words in (
            ["run", str(folder / "study.yaml"), *place],
            ["store", "export", *keys, "--to", str(archive), "--store", str(store)],
            ["store", "export", *keys, "--to", str(archive.with_suffix("")), "--store", str(store)],
        ):
            _command_in_a_fork(words, folder / "prepared.txt")
    _in_a_fork(lambda: _write_layouts(folder / "data", folder / "layouts"), folder / "prepared.txt")
    downloads = _pack(folder / "downloads", TASK_FILES)
    prepared = Prepared(store, archive, folder / "data", folder / "layouts", backbone, downloads)
    (folder / "sources.yaml").write_text(_SOURCES, encoding="utf-8")
    for task in _FETCHED:
        root = folder / "data" / f"{task}@arrow"
        copy(prepared.downloads, root / ".downloads")
        words = ["data", "fetch", task, "--root", str(root), "--offline", "--manifest", str(folder / "sources.yaml")]
        _command_in_a_fork(words, folder / "prepared.txt")
        shutil.rmtree(root / ".downloads")
    return prepared


def _pack(folder: Path, files: dict[str, dict[str, str]]) -> Path:
    """Write the files of three tasks as they are downloaded: as they are, as a zip, and as a compressed tar."""
    for name in ("squad", "questions", "pairs"):
        (folder / name).mkdir(parents=True)
    for name, text in files["squad1"].items():
        (folder / "squad" / Path(name).name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "questions" / "qqp.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for part in ("train", "dev"):
            packed.writestr(f"QQP/{part}.tsv", files["qqp"][f"qqp/{part}.tsv"])
    with tarfile.open(folder / "pairs" / "bucc-de.tar.bz2", "w:bz2") as packed:
        for name, text in files["bucc2018"].items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return folder


def _write_layouts(data: Path, target: Path) -> int:
    """Write the rows of the tests in every layout; rows of the hub as parquet files and as `datasets` saves them."""
    from unittest import mock  # noqa: PLC0415

    import test_equal_layouts as layouts  # noqa: PLC0415 - slow to import

    from adaptstilts.readers.data_root import DataRoot  # noqa: PLC0415

    for number, case in enumerate(layouts.CASES):
        source, folder = DataRoot(data / case[0]), target / f"{case[0]}@{number}"
        layouts.write_layout(source, folder, case)
        if (folder / "hub").is_dir():
            with mock.patch.object(layouts, "write_shards", layouts.save_shards):
                layouts.write_layout(source, target / f"{case[0]}@{number}-saved", case)
    return 0


def _command_in_a_fork(words: Words, log: Path) -> None:
    from adaptstilts.cli.main import main  # noqa: PLC0415

    _in_a_fork(lambda: main(words), log)


def _in_a_fork(act: Callable[[], int], log: Path) -> None:
    """Do something that returns 0 in a process of its own, so that this one keeps no state of it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            for number in (1, 2):
                os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
            code = act()
        except BaseException:  # noqa: BLE001 - shown below
            os.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
        finally:
            os._exit(code)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit(f"the cases could not be prepared:\n{log.read_text('utf-8', 'replace')}")


def main() -> None:
    """Run the cases and print failures and a count by kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no case after so many seconds")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="only these kinds")
    parser.add_argument("--only", nargs="+", metavar="KIND:SEED", help="run these cases alone, and show what they say")
    arguments = parser.parse_args()
    todo = cases(arguments.cases, arguments.seed, arguments.kinds)
    if arguments.only:
        pairs = [word.rpartition(":") for word in arguments.only]
        todo = iter([Case(kind, int(seed)) for kind, _, seed in pairs])
    kinds = {kind for kind, _, _ in pairs} if arguments.only else set(arguments.kinds)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folders are removed
    began, failed, count = time.monotonic(), 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        load()
        prepared = prepare(Path(scratch) / "base", with_store=bool(kinds & {"archive", "manifest", "adapter"}))
        todo = itertools.takewhile(lambda _: time.monotonic() < began + arguments.seconds, todo)
        for one, problem in run(todo, prepared, Path(scratch) / "cases", arguments.jobs):
            count[one.case.kind] += 1
            if problem:
                failed += 1
                print(f"{one.case}  {one.changed}  {' '.join(one.words)[:100]}\n    {problem}", flush=True)
            if arguments.only:
                print(f"{one.case}  {one.changed}  {one.words}")
                for name in ("stdout", "stderr"):
                    print(f"{name}: {(one.folder / name).read_text('utf-8', 'replace')[-3000:]}")
    counts = ", ".join(f"{kind} {number}" for kind, number in sorted(count.items()))
    print(f"{sum(count.values())} cases in {time.monotonic() - began:.0f} s, {failed} failed ({counts})")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
