"""Passwords, tokens and signatures are put everywhere, and nothing that is said or written repeats them."""

import http.server
import json
import os
import pickle
import subprocess
import sys
import threading
import traceback
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from commandline import say
from fsspec.implementations.local import LocalFileSystem
from quiet_server import QuietServer
from repository import ROOT
from small_quickstart import CUT

import adaptstilts
from adaptstilts.cli import main as cli
from adaptstilts.data.download import RetryPolicy
from adaptstilts.data.fetch import FetchOptions
from adaptstilts.data.hub_files import Repository, remote_file
from adaptstilts.engine.journal import Journal
from adaptstilts.errors import DataError
from adaptstilts.store.stage import Stage, StageKind

SECRET = "gAnz%2FGeheim"
FORMS = (b"gAnz", b"Geheim", b"Z0FuelwvR2VoZWlt")
CUT_FURTHER = ("methods=[direct]", "intermediate.tasks=[]", "target.tasks=[xnli]", "evaluation.languages=[en, de]")


class LoggedIn(LocalFileSystem):
    """A file system on this machine that is reached with user and password, as those of servers are."""

    protocol = "vault"
    root_marker = ""
    folder = ""

    @classmethod
    def _strip_protocol(cls, path):
        path = str(path)
        if "://" in path:
            path = f"{cls.folder}/{path.partition('://')[2].partition('@')[2]}"
        return super()._strip_protocol(path)


@pytest.fixture
def vault(tmp_path, monkeypatch):
    import fsspec

    monkeypatch.setattr(LoggedIn, "folder", str(tmp_path / "server"))
    fsspec.register_implementation("vault", LoggedIn, clobber=True)
    monkeypatch.chdir(tmp_path)
    return f"vault://someone:{SECRET}@host/study"


def betrayed(text):
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return [form for form in FORMS if form in content]


def assert_kept(folder, *texts):
    for text in texts:
        assert not betrayed(text), text
    for path in folder.rglob("*"):
        assert not betrayed(os.fsencode(path)), path
        if path.is_file():
            assert not betrayed(path.read_bytes()), path


def test_a_study_at_an_address_with_a_password_tells_it_nowhere_and_resumes(vault, tmp_path):
    study = ("quickstart", *CUT, *CUT_FURTHER)
    settings = (*study, f"store={vault}", "results=results")
    said = [say("run", *settings), say("plan", *settings, "--json")]
    key = said[1].json["stages"][0]["key"]
    commands = (
        ("plan", *settings, "seeds=[2]", "--why", "train*"),
        ("status", *settings),
        ("status", "--store", vault),
        ("store", "ls", "--store", vault),
        ("store", "verify", "--store", vault),
        ("store", "export", key, "--store", vault, "--to", "x.tar"),
        ("store", "import", "x.tar", "--store", vault),
    )
    said += [say(*words) for words in commands]
    assert_kept(tmp_path, *(text for one in said for text in (one.out, one.err)))
    assert [one.code for one in said] == [0] * len(said)
    rotated = vault.replace(SECRET, "anderesGeheim")
    plan = say("plan", *study, f"store={rotated}", "results=results", "--json").json
    assert all(stage["done"] for stage in plan["stages"])


def bad(address):
    return [
        ("run", "quickstart", f"store={address}"),
        ("plan", "quickstart", f"store={address}"),
        ("status", "--store", address),
        ("store", "ls", "--store", address),
        ("store", "ls", address),
        ("store", "import", "x.tar", "--store", address),
        ("validate", "quickstart", f"data.root={address}"),
        ("validate", "quickstart", f"backbone={address}"),
        ("validate", address),
        ("run", "quickstart", f"store=[{address}]"),
        ("run", "quickstart", f"stoer={address}"),
        ("run", "quickstart", f"{address}"),
        ("run", "quickstart", f"store={{address: '{address}"),
        ("run", "quickstart", f"engine.address={address}", "engine.name=ray"),
        ("data", "check", address),
        ("data", "fetch", "xnli", "--root", "data", "--manifest", address),
        ("init", "--data", address),
        ("convert", address, "--to", "x"),
        ("configs", address),
        ("docs", address),
        ("score", address, "--gold", address),
    ]


SHAPES = (
    f"ftp://someone:{SECRET}@127.0.0.1:1/x",
    f"s3://KEY:{SECRET}@bucket/x",
    f"nope://{SECRET}{SECRET}@host/x",
    f"simplecache::ftp://u:{SECRET}@127.0.0.1:1/x",
    f"http://127.0.0.1:1/x?X-Amz-Signature={SECRET}&token={SECRET}#access_token={SECRET}",
)


@pytest.mark.parametrize("number", range(len(bad(""))))
@pytest.mark.parametrize("shape", SHAPES)
def test_commands_that_fail_at_an_address_do_not_repeat_what_logs_in(tmp_path, monkeypatch, number, shape):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.tar").write_bytes(b"")
    words = bad(shape)[number]
    said = say(*words)
    assert said.code == 2, said
    assert_kept(tmp_path, said.out, said.err)


@pytest.mark.parametrize(
    "words",
    [
        ("ADDRESS",), ("store", "ADDRESS"), ("data", "ADDRESS"), ("store", "ls", "checkpoints", "ADDRESS"),
        ("status", "--every", "ADDRESS"), ("data", "checklist", "--to", "x", "--seed", "ADDRESS"),
        ("docs", "--ADDRESS"),
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("shape", SHAPES)
def test_words_that_no_command_takes_do_not_repeat_what_logs_in(words, shape):
    said = say(*(word.replace("ADDRESS", shape) for word in words))
    assert (said.code, said.out) == (2, "")
    assert "Usage: " in said.err and "Error: " in said.err
    assert not betrayed(said.err)


ADDRESS = "is an address, not a path of this machine. Give a file or folder of this machine."
SLASHES = "is neither a path nor an address. An address has two slashes, as in s3://bucket/folder;"


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("run", "quickstart", "results=ADDRESS"), "results"),
        (("validate", "quickstart", "results=ADDRESS"), "results"),
        (("run", "quickstart", "store=ONE"), "store"),
        (("store", "ls", "ONE"), "store"),
        (("run", "quickstart", "store=memory://x", "store_cache=ADDRESS"), "store_cache"),
        (("configs", "quickstart", "--to", "ADDRESS"), "to"),
        (("init", "--to", "ADDRESS"), "to"),
        (("docs", "data", "--to", "ADDRESS"), "to"),
        (("submit", "quickstart", "--to", "ONE"), "to"),
        (("store", "export", "1234", "--to", "ONE"), "to"),
        (("data", "checklist", "--to", "ADDRESS"), "root"),
        (("data", "fetch", "xnli", "--offline", "--root", "ADDRESS"), "root"),
        (("data", "check", "ADDRESS"), "root"),
        (("convert", "owner/name", "--to", "ADDRESS"), "to"),
        (("pretrain", "pretrain_mini", "output=ADDRESS"), "output"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_no_folder_is_named_like_an_address_and_its_password(tmp_path, monkeypatch, words, key):
    """On the command line `pathlib` has made one slash of two, so that both forms are met there."""
    monkeypatch.chdir(tmp_path)
    two, one = f"s3://someone:{SECRET}@bucket/x", f"s3:/someone:{SECRET}@bucket/x"
    said = say(*(word.replace("ADDRESS", two).replace("ONE", one) for word in words))
    assert said.code == 2, said
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"{key}: 's3:/")
    assert ADDRESS in said.err or SLASHES in said.err
    assert_kept(tmp_path, said.out, said.err)
    assert not [path for path in tmp_path.rglob("*") if "s3" in path.name]


def test_an_address_from_python_is_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(adaptstilts.ConfigError, match=r"^store: 's3:/b/x' is neither a path nor an address"):
        adaptstilts.list_artefacts(Path("s3://b/x"))
    study = adaptstilts.load_study({"name": "x", "target": {"tasks": ["xnli"]}, "store": Path("s3://b/x")})
    with pytest.raises(adaptstilts.ConfigError, match=r"^store: 's3:/b/x' is neither a path nor an address"):
        study.run(progress=False)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent, in the reason, the headers and the body."""

    code = 403

    def log_message(self, *_):
        pass

    def do_GET(self):
        told = f"{self.path} {self.headers.get('Authorization', '')}"
        self.send_response(self.code, f"no: {told}"[:400])
        self.send_header("X-Error-Message", f"wrong token {told}")
        body = json.dumps({"error": told}).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()


@pytest.fixture
def echo():
    with QuietServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


QQP = (
    "tasks: {{qqp: {{parts: [{{source: s, languages: {{dev: en}}, place: {{'*': qqp/dev.tsv}}}}]}}}}\n"
    "sources: {{s: {{url: '{url}'}}}}\n"
)


@pytest.mark.parametrize("code", [403, 503, 404])
@pytest.mark.parametrize(
    "address",
    [f"http://u:{SECRET}@HOST/a.tsv", f"http://HOST/a.tsv?sig={SECRET}", f"http://HOST/a.tsv?a=1&api_key={SECRET}"],
)
def test_servers_that_repeat_what_logs_in_are_not_quoted(echo, tmp_path, monkeypatch, code, address):
    hasty = RetryPolicy(tries=2, first_delay=0.0, longest_delay=0.0)
    monkeypatch.setattr(Echo, "code", code)
    monkeypatch.setattr("adaptstilts.api.data.FetchOptions", partial(FetchOptions, retry=hasty))
    (tmp_path / "own.yaml").write_text(QQP.format(url=address.replace("HOST", echo)))
    said = say("data", "fetch", "qqp", "--root", tmp_path / "data", "--manifest", tmp_path / "own.yaml")
    (tmp_path / "own.yaml").unlink()
    assert said.code == 2 and f"the server answers {code}" in said.err
    assert_kept(tmp_path, said.out, said.err)


@pytest.mark.parametrize("code", [401, 403, 500])
@pytest.mark.parametrize("words", [("data", "fetch", "panx"), ("validate", "quickstart", "backbone=some/model")])
def test_the_token_of_the_hub_is_told_nowhere(echo, tmp_path, monkeypatch, code, words):
    monkeypatch.setattr(Echo, "code", code)
    environment = {
        **os.environ, "HF_TOKEN": SECRET, "HF_ENDPOINT": f"http://{echo}", "HF_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    more = ("--root", "data") if words[0] == "data" else ()
    done = subprocess.run(
        [sys.executable, "-m", "adaptstilts", *words, *more],
        cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode in {0, 2}, done.stderr
    assert_kept(tmp_path, done.stdout, done.stderr)


def test_what_was_fetched_from_an_address_with_a_password_is_recorded_without_it(tmp_path, monkeypatch):
    body = ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n" + "1\t1\t2\tWho?\tWho is it?\t1\n").encode()

    class Good(Echo):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with QuietServer(("127.0.0.1", 0), Good) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        own = tmp_path / "own.yaml"
        own.write_text(QQP.format(url=f"http://u:{SECRET}@{host}/a.tsv?token={SECRET}&part=2"))
        said = say("data", "fetch", "qqp", "--root", tmp_path / "data", "--manifest", own)
        assert said.code == 0, said.err
        own.write_text(QQP.format(url=f"http://u:anders@{host}/a.tsv?token=neues&part=2"))
        again = say("data", "fetch", "qqp", "--root", tmp_path / "data", "--manifest", own)
        server.shutdown()
    assert "1 were there" in again.out
    assert f"http://***@{host}/a.tsv?token=***&part=2" in (tmp_path / "data/qqp/PROVENANCE.md").read_text()
    assert (tmp_path / "data/.downloads/s/a.tsv?part=2").is_file()
    assert_kept(tmp_path, said.out, said.err, again.out, again.err)


def test_jobs_on_disk_hold_no_password(vault, monkeypatch):
    """As SLURM's are: the environment hands the address on."""
    from adaptstilts.engine.on_slurm import Job
    from adaptstilts.store.shared import store_at

    monkeypatch.setenv("ADAPTSTILTS_ADDRESS_X", "")
    store = store_at(vault)
    store.remote.through_environment()
    pickled = pickle.dumps(Job(int, store, ()))
    assert not betrayed(pickled)
    assert pickle.loads(pickled).store.remote.address == vault
    for name in [name for name in os.environ if name.startswith("ADAPTSTILTS_ADDRESS_")]:
        monkeypatch.delenv(name)


def test_a_crash_is_logged_and_kept_without_what_logs_in(tmp_path):
    stage = Stage("report", "report", SimpleNamespace(kind=StageKind.REPORT), "a" * 64, ())
    journal = Journal(tmp_path)
    try:
        with journal.stage(stage) as log:
            log.noted(f"reading s3://KEY:{SECRET}@bucket/x")
            raise RuntimeError(f"cannot open s3://KEY:{SECRET}@bucket/x")
    except RuntimeError:
        journal.noted(stage, traceback.format_exc())
    assert "cannot open s3://***@bucket/x" in journal.path(stage).read_text()
    assert_kept(tmp_path)


def test_a_bug_of_the_command_line_is_shown_without_what_logs_in(capsys):
    try:
        raise RuntimeError(f"cannot open s3://KEY:{SECRET}@bucket/x")
    except RuntimeError as error:
        cli._show_bug(type(error), error, error.__traceback__)
    shown = capsys.readouterr().err
    assert "RuntimeError: cannot open s3://***@bucket/x" in shown and not betrayed(shown)


def test_settings_are_printed_without_what_logs_in():
    settings = adaptstilts.load_study("quickstart", f"store=s3://KEY:{SECRET}@bucket/x").config
    assert SECRET in settings.store and "store='s3://***@bucket/x'" in repr(settings)
    assert not betrayed(f"{settings} {settings!r}")


def test_the_token_of_the_hub_is_hidden_wherever_its_library_finds_it(monkeypatch):
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "company-98765xyz")
    remote = remote_file(Repository("o/n", "0" * 40, {}), "a.tsv", Path("a.tsv"), None)
    assert remote.headers == {"Authorization": "Bearer company-98765xyz"}
    assert str(DataError("the server answers 401 no such user: company-98765xyz")).endswith("no such user: ***.")
