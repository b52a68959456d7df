"""Output that cannot be encoded or written costs no traceback, and no work."""

from __future__ import annotations

import io
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commandline import say
from repository import ROOT

from adaptstilts.cli.main import app, main
from adaptstilts.cli.pages import commands_of
from adaptstilts.files import expanded
from adaptstilts.progress.choose import error_console

TITLE = "größe 中文 😀"
TEXT = f"""name: demo
title: "{TITLE}"
methods: [direct]
target: {{tasks: [tatoeba]}}
evaluation: {{languages: [de]}}
data: {{mini_train: 32, mini_evaluation: 8, mini_low_resource: 16}}
"""
COMMANDS = ["tasks", "configs", "docs data", "docs quickstart", "published", "plan quickstart", "store ls", "--help"]
REFUSED = ["validate 中.yaml", "plan quickstart name=中", "中", "store ls --store 中", "docs 中"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "a.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


@contextmanager
def streams(monkeypatch: pytest.MonkeyPatch, out: Any, err: Any) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        yield


def encoded(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


def written(stream: io.TextIOWrapper) -> str:
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(
        "utf-8" if stream.encoding == "ascii" else stream.encoding
    )  # click takes ascii for UTF-8


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
@pytest.mark.parametrize("command", [*COMMANDS, *REFUSED])
def test_characters_that_the_output_lacks_are_escaped(monkeypatch: pytest.MonkeyPatch, encoding: str, command: str):
    out, err = encoded(encoding), encoded(encoding)
    with streams(monkeypatch, out, err):
        code = main(command.split())
    assert code == (2 if command in REFUSED else 0)
    assert written(err if command in REFUSED else out)
    if command in REFUSED:
        assert "4e2d" in written(err) or "中" in written(err)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch, encoding: str):
    out = encoded(encoding)
    with streams(monkeypatch, out, encoded(encoding)):
        assert main(["published", "--json"]) == 0
    text = written(out)
    assert json.loads(text)
    assert encoding == "utf-8" or text.isascii()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
@pytest.mark.parametrize("command", [*COMMANDS, "plan quickstart --json", "run --help", "--version"])
def test_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, command: str):
    err = encoded("utf-8")
    with Path("/dev/full").open("w", encoding="utf-8") as full, streams(monkeypatch, full, err):
        code = main(command.split())
        full.flush()
    assert (code, written(err)) == (
        2,
        "the output cannot be written: No space left on device. What the command has made is kept; send its output to "
        "another place.\n",
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_reader_that_has_gone_is_no_fault(monkeypatch: pytest.MonkeyPatch, command: str):
    reading, writing = os.pipe()
    os.close(reading)
    err = encoded("utf-8")
    with os.fdopen(writing, "w", encoding="utf-8") as gone, streams(monkeypatch, gone, err):
        assert main(command.split()) == 141
    assert written(err) == ""


@pytest.mark.parametrize("command", [*COMMANDS[:2], REFUSED[0]])
def test_streams_that_were_closed_are_no_fault(monkeypatch: pytest.MonkeyPatch, command: str):
    with streams(monkeypatch, None, None):
        assert main(command.split()) == (2 if command in REFUSED else 0)


def test_progress_that_cannot_be_written_is_dropped(monkeypatch: pytest.MonkeyPatch):
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    with streams(monkeypatch, io.StringIO(), Broken()):
        error_console().print("a line")


ALL = """tasks; published; configs; configs quickstart --to c.yaml; init --to i.yaml; docs; docs data --to d.md;
validate a.yaml; plan a.yaml; plan a.yaml --why *; run a.yaml; run a.yaml --json; report a.yaml; status a.yaml;
status --store checkpoints; store ls; store show KEY; store verify; store gc a.yaml; store export KEY --to x.tar;
store import x.tar --store other; data check data; data checklist --to lists --language de --cases 1;
data fetch --root data --offline xnli; submit a.yaml --to sent --any-split; submit --check sent; score sent --gold sent;
convert none --to x; pretrain a.yaml"""


def test_every_command_is_among_those_that_are_tried():
    words = [text.split() for text in ALL.split(";")]
    named = {" ".join(text[:2]) if text[0] in {"store", "data"} else text[0] for text in words}
    assert named == set(commands_of(app))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study has been run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "a.yaml").write_text(TEXT, encoding="utf-8")
    (folder / "data").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert say("run", "a.yaml").code == 0
    return folder


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
@pytest.mark.parametrize("kind", ["cp1252", "ascii", "full", "gone", "no errors"])
def test_no_command_needs_an_output_that_can_take_all(
    monkeypatch: pytest.MonkeyPatch, finished: Path, folder: Path, kind: str
):
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    key = next(stage["key"] for stage in say("plan", "a.yaml", "--json").json["stages"] if stage["kind"] == "predict")
    for text in ALL.replace("KEY", key).split(";"):
        code, said = under(monkeypatch, text.split(), kind)
        fails = text.strip().startswith(("data check data", "data fetch", "submit --check", "convert", "pretrain"))
        assert code in ({2, 141} if fails else {{"full": 2, "gone": 141}.get(kind, 0)}), text
        assert "Traceback" not in said
        assert said or code != 2 or kind == "no errors", text


def under(monkeypatch: pytest.MonkeyPatch, words: list[str], kind: str) -> tuple[int, str]:
    """Say a command with an output of some kind; return its status, and what it wrote to the other stream."""
    err = encoded(kind if kind in {"cp1252", "ascii"} else "utf-8")
    if kind == "gone":
        reading, writing = os.pipe()
        os.close(reading)
        out: Any = os.fdopen(writing, "w", encoding="utf-8")
    elif kind in {"full", "no errors"}:
        out = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closed below
    else:
        out = encoded(kind)
    with out, streams(monkeypatch, *((out, err) if kind != "no errors" else (encoded("utf-8"), out))):
        return main(words), written(err)


def run_of(words: list[str], **more: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more.pop("variables", {})}
    return subprocess.run(
        [sys.executable, "-m", "adaptstilts", *words], env=environment, check=False, timeout=300, **more
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")
def test_run_is_finished_though_nothing_can_be_written(folder: Path):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = run_of(["run", "a.yaml"], stdout=full, stderr=full, variables={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2
    text = (folder / "checkpoints" / "studies" / "demo" / "report.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {TITLE}")


@pytest.mark.parametrize("home", [pytest.param("/nonexistent", marks=pytest.mark.slow), "/proc/nothing"])
def test_no_home_is_no_fault(home: str):
    done = run_of(["run", "a.yaml"], capture_output=True, variables={"HOME": home})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("encoding", [pytest.param("latin-1", marks=pytest.mark.slow), "ascii"])
def test_progress_on_a_terminal_that_lacks_characters(folder: Path, encoding: str):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "adaptstilts", "run", "a.yaml"],
        stdout=theirs, stderr=theirs, stdin=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=300) == 0
    assert b"Traceback" not in shown
    assert b"wrote " in shown


@pytest.mark.parametrize("key", ["store", "results", "data.root", "backbone"])
def test_home_of_nobody_is_one_line(monkeypatch: pytest.MonkeyPatch, key: str):
    err = encoded("utf-8")
    with streams(monkeypatch, io.StringIO(), err):
        assert main(["validate", "a.yaml", f"{key}=~nobody-of-this-name/x"]) == 2
    assert written(err).endswith("~nobody-of-this-name/x: there is no home folder for its ~. Write the whole path.\n")


@pytest.mark.parametrize("key", ["store", "results", "data.root", "backbone"])
def test_name_that_is_too_long_for_a_folder_is_one_line(monkeypatch: pytest.MonkeyPatch, key: str):
    err = encoded("utf-8")
    with streams(monkeypatch, io.StringIO(), err):
        assert main(["validate", "a.yaml", f"{key}={'a' * 300}"]) == 2
    assert written(err).endswith("a name of 300 bytes is too long for a file or folder. Allowed: at most 255.\n")


def test_home_is_expanded():
    assert expanded("~") == Path.home()
