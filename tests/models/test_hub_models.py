"""A stand-in hub on this machine: what is asked for, in which order, and what happens when it changes in between."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import torch
from quiet_server import QuietServer
from safetensors.torch import load_file
from stand_in_work import QuietWatcher

from adaptstilts.contents import Pins
from adaptstilts.errors import ChangedError, CheckpointError, ConfigError
from adaptstilts.models import hub_models
from adaptstilts.models.backbone import known_config, load_config, load_encoder, load_tokenizer
from adaptstilts.models.convert import convert
from adaptstilts.models.hub_models import cached_folder
from adaptstilts.models.model_files import VOCABULARIES
from adaptstilts.study.plan.backbones import backbone_at, check_backbone_content
from adaptstilts.study.session import run_study
from adaptstilts.study.study import Study

NAME = "someone/model"
COMMITS = ["1" * 40, "2" * 40]


class Hub:
    """Repositories by commit; `head` is the commit of the main branch."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, bytes]] = {}
        self.head = COMMITS[0]
        self.got: list[str] = []
        self.address = ""

    def add(self, commit: str, folder: Path) -> None:
        self.commits[commit] = {path.name: path.read_bytes() for path in folder.iterdir()}

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        api, files = f"/api/models/{NAME}", f"/{NAME}/resolve/"
        if path.startswith(api):
            wanted = path.removeprefix(api).removeprefix("/revision/") or "main"
            commit = self.head if wanted == "main" else wanted
            if commit in self.commits:
                siblings = [{"rfilename": name, "size": len(body)} for name, body in self.commits[commit].items()]
                return 200, {}, json.dumps({"id": NAME, "sha": commit, "siblings": siblings}).encode()
        if path.startswith(files):
            commit, _, name = path.removeprefix(files).partition("/")
            body = self.commits.get(commit, {}).get(name)
            if body is not None:
                tag = hashlib.sha256(body).hexdigest()
                return 200, {"ETag": f'"{tag}"', "X-Repo-Commit": commit}, body
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    made = Hub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            status, headers, body = made.answer(self.path.partition("?")[0])
            if self.command == "GET":
                made.got.append(self.path.partition("?")[0].rpartition("/")[2])
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made.address = f"http://127.0.0.1:{server.server_port}"
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", made.address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    hub_models._list_files.cache_clear()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path, small_backbone):
    shutil.copytree(small_backbone, tmp_path / "files")
    (tmp_path / "files" / "code.py").write_text("raise SystemExit")
    return tmp_path / "files"


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_hub_backbone_loads_from_one_commit_though_the_branch_moves(hub, folder):
    hub.add(COMMITS[0], folder)
    assert load_config(NAME).hidden_size == 16
    change_config(folder, auto_map={"AutoModel": "evil/code--m.M"})
    hub.add(COMMITS[1], folder)
    hub.head = COMMITS[1]
    encoder = load_encoder(NAME)
    assert encoder.config._name_or_path == NAME
    weights = load_file(folder / "model.safetensors")
    assert all(torch.equal(tensor, weights[name]) for name, tensor in encoder.state_dict().items())
    assert len(load_tokenizer(NAME)) == encoder.config.vocab_size
    assert "code.py" not in hub.got
    assert hub.got.count("config.json") == 1


def test_hub_weights_are_downloaded_only_for_an_encoder(hub, folder):
    hub.add(COMMITS[0], folder)
    load_tokenizer(NAME)
    assert "model.safetensors" not in hub.got
    load_encoder(NAME)
    assert hub.got.count("model.safetensors") == 1


def test_hostile_config_on_the_hub_is_refused_before_anything_else_is_downloaded(hub, folder):
    change_config(folder, _attn_implementation_internal="evil/kernel")
    hub.add(COMMITS[0], folder)
    for load in (load_config, load_encoder, load_tokenizer):
        with pytest.raises(CheckpointError, match=r"config\.json: _attn_implementation_internal: 'evil/kernel' is ref"):
            load(NAME)
    assert set(hub.got) <= {"model", "main", COMMITS[0], "config.json"}  # all but the last are listings


def test_peft_adapter_on_the_hub_is_refused(hub, folder):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/model"}')
    hub.add(COMMITS[0], folder)
    with pytest.raises(CheckpointError, match=r"someone/model: adapter_config\.json is refused"):
        load_encoder(NAME)
    assert "config.json" not in hub.got


def test_pickle_on_the_hub_is_refused_with_the_command_that_converts_it(hub, folder, tmp_path):
    expected = load_file(folder / "model.safetensors")
    torch.save(expected, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    hub.add(COMMITS[0], folder)
    for load in (load_encoder, load_tokenizer):
        with pytest.raises(CheckpointError, match=f"only a pickle, pytorch_model.bin; .* convert {NAME} --to FOLDER"):
            load(NAME)
    assert "pytorch_model.bin" not in hub.got
    made = convert(NAME, tmp_path / "made", COMMITS[0])
    assert made.source == f"{NAME} at commit {COMMITS[0]}"
    encoder = load_encoder(str(tmp_path / "made"))
    assert all(torch.equal(tensor, expected[name]) for name, tensor in encoder.state_dict().items())
    assert "code.py" not in hub.got


def test_cached_hub_backbone_loads_without_the_hub(hub, folder, monkeypatch):
    hub.add(COMMITS[0], folder)
    load_encoder(NAME, COMMITS[0])
    hub.commits.clear()
    hub_models._list_files.cache_clear()
    assert load_encoder(NAME, COMMITS[0]).config.hidden_size == 16
    with pytest.raises(CheckpointError, match=r"someone/other: the hub has no such model, or cannot be reached"):
        load_config("someone/other")


def test_backbone_downloaded_from_a_branch_loads_without_the_hub_too(hub, folder):
    hub.add(COMMITS[0], folder)
    load_encoder(NAME)
    hub.commits.clear()
    hub_models._list_files.cache_clear()
    assert load_encoder(NAME).config.hidden_size == known_config(NAME)["hidden_size"] == 16
    assert hub_models.cached_folder(NAME, "v2") is None


@pytest.mark.parametrize(
    ("load", "missing"),
    [(load_encoder, ("model.safetensors",)), (load_tokenizer, VOCABULARIES)],
    ids=["weights", "tokenizer"],
)
def test_a_cache_that_is_not_whole_is_the_fault_of_the_hub_that_is_away(hub, folder, load, missing):
    hub.add(COMMITS[0], folder)
    load_tokenizer(NAME)
    load_encoder(NAME)
    for name in missing:
        (cached_folder(NAME) / name).unlink(missing_ok=True)
    hub_models._list_files.cache_clear()
    hub.commits.clear()
    with pytest.raises(CheckpointError, match=r"^someone/model: the hub has no such model, or cannot be reached"):
        load(NAME)


def test_newest_of_several_cached_commits_counts_unless_the_branch_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    home = tmp_path / "models--someone--model"
    for number, commit in enumerate(COMMITS):
        (home / "snapshots" / commit).mkdir(parents=True)
        (home / "snapshots" / commit / "config.json").touch()
        os.utime(home / "snapshots" / commit, (number, number))
    assert hub_models.cached_folder(NAME).name == COMMITS[1]
    assert hub_models.cached_folder(NAME, COMMITS[0]).name == COMMITS[0]
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMITS[0])
    assert hub_models.cached_folder(NAME).name == COMMITS[0]
    assert hub_models.cached_folder(NAME, file="tokenizer.json") is None


def test_run_asks_the_hub_once_and_refuses_what_the_backbone_cannot_take(hub, folder, tmp_path):
    change_config(folder, model_type="mt5")
    hub.add(COMMITS[0], folder)
    study = Study.load("quickstart", [f"backbone={NAME}", "evaluation.precision=fp16", f"store={tmp_path / 'store'}"])
    assert study.plan
    with pytest.raises(ConfigError, match=r"evaluation\.precision: activations of mt5 exceed the range of fp16"):
        run_study(study, watch=None)
    assert hub.got.count("model") + hub.got.count("main") == 1
    assert "model.safetensors" not in hub.got


def retrieval(tmp_path, *overrides):
    """A study that only encodes a few sentences, so that a run of it takes a second."""
    given = {
        "name": "hub",
        "backbone": NAME,
        "methods": ["direct"],
        "target": {"tasks": ["tatoeba"]},
        "data": {"mini_train": 32, "mini_evaluation": 8, "mini_low_resource": 8},
        "evaluation": {"languages": ["de"]},
        "retrieval": {"layer": 1},
        "store": str(tmp_path / "store"),
        "results": str(tmp_path / "results"),
    }
    return Study.load(given, overrides)


def predictions(study):
    return {stage.key for stage in study.plan.stages if stage.kind.value == "predict"}


def quietly(study):
    return run_study(study, lambda _: contextlib.nullcontext(QuietWatcher()))


def test_a_study_keeps_to_the_commit_that_it_has_begun_with(hub, folder, tmp_path):
    hub.add(COMMITS[0], folder)
    unknown = retrieval(tmp_path)
    keys = predictions(unknown)
    made = quietly(unknown)
    assert (made.failed, made.skipped) == ((), 0)
    assert predictions(unknown) != keys  # planned anew with the commit
    begun = predictions(retrieval(tmp_path))
    assert begun == predictions(unknown)
    job = next(stage.job for stage in unknown.plan.stages if stage.kind.value == "predict")
    assert (job.backbone.fingerprint, job.backbone.revision) == (f"{NAME}@{COMMITS[0]}", COMMITS[0])
    change_config(folder, layer_norm_eps=0.5)
    hub.add(COMMITS[1], folder)
    hub.head = COMMITS[1]
    hub_models._list_files.cache_clear()
    again = quietly(retrieval(tmp_path))
    assert (again.failed, again.made) == ((), 0)
    assert predictions(retrieval(tmp_path, f"revision='{COMMITS[0]}'")) == begun
    other = retrieval(tmp_path, f"revision='{COMMITS[1]}'")
    assert predictions(other).isdisjoint(begun)
    assert quietly(other).made
    assert predictions(retrieval(tmp_path)) == begun
    hub.commits.clear()
    hub_models._list_files.cache_clear()
    assert quietly(retrieval(tmp_path)).made == 0


def test_a_cached_file_that_was_written_to_is_no_longer_that_of_its_commit(hub, folder, tmp_path):
    hub.add(COMMITS[0], folder)
    load_encoder(NAME)
    backbone = backbone_at(NAME)
    assert check_backbone_content(backbone, Pins(), "x")
    weights = cached_folder(NAME) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"1")
    with pytest.raises(
        ChangedError, match=r"model\.safetensors: has another content than the hub sent.*downloaded again"
    ):
        check_backbone_content(backbone, Pins(), "x")
    watcher = QuietWatcher()
    with pytest.raises(ChangedError, match="another content than the hub sent"):
        run_study(retrieval(tmp_path), lambda _: contextlib.nullcontext(watcher))


@pytest.mark.parametrize("commit", ["../../x", "main", "1" * 39, "1" * 41])
def test_a_commit_that_is_none_is_refused(hub, folder, commit, tmp_path):
    hub.add(commit, folder)
    hub.head = commit
    with pytest.raises(CheckpointError, match="the hub names a commit that is none"):
        load_config(NAME)
    assert not (tmp_path / "cache").exists()


def test_folder_that_is_gone_is_not_looked_for_on_the_hub(hub, tmp_path):
    with pytest.raises(CheckpointError, match=r"gone: no such backbone folder\. It may have been moved or deleted"):
        load_encoder(str(tmp_path / "gone"))
    assert hub.got == []


def test_shards_on_the_hub_are_those_of_the_repository(hub, folder):
    names = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    index = {"weight_map": dict.fromkeys(names, "../../model-1.safetensors")}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    hub.add(COMMITS[0], folder)
    with pytest.raises(
        CheckpointError, match=r"index\.json: weight_map\..*: '\.\./\.\./model-1\.safetensors' is refused"
    ):
        load_encoder(NAME)
    index = {"weight_map": dict.fromkeys(names, "model-1.safetensors")}
    hub.commits[COMMITS[1]] = {**hub.commits[COMMITS[0]], "model.safetensors.index.json": json.dumps(index).encode()}
    with pytest.raises(CheckpointError, match=r"there is no 'model-1\.safetensors' beside it"):
        load_encoder(NAME, COMMITS[1])


def test_hub_that_never_ends_its_answer_is_given_up(hub, folder, monkeypatch):
    monkeypatch.setenv("ADAPTSTILTS_RATE_SECONDS", "0.5")
    hub.add(COMMITS[0], folder)
    answer, path = hub.answer, "model.safetensors"
    monkeypatch.setattr(
        hub, "answer", lambda asked: (time.sleep(30) if asked.endswith(path) else None, answer(asked))[1]
    )
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be downloaded from the hub: .*ADAPTSTILTS_"):
        load_encoder(NAME)
    hub_models._list_files.cache_clear()
    monkeypatch.setattr(hub, "answer", lambda asked: time.sleep(30))
    with pytest.raises(
        CheckpointError, match=r"cannot be reached: no whole answer after .*\(ADAPTSTILTS_RATE_SECONDS\)"
    ):
        hub_models.list_files("someone/other")


def test_hub_file_beyond_the_limit_is_refused_before_it_is_downloaded(hub, folder, monkeypatch):
    hub.add(COMMITS[0], folder)
    monkeypatch.setenv("ADAPTSTILTS_MOST_UNPACKED_BYTES", "100")
    with pytest.raises(
        CheckpointError, match=r"config\.json has .*, and at most 100 B are downloaded\. .*MOST_UNPACKED_B"
    ):
        load_encoder(NAME)
    assert hub.got == [NAME.rpartition("/")[2]] or "config.json" not in hub.got


@pytest.mark.parametrize("tag", ["../../../evil", "/tmp/evil", ".", "a/b", "x" * 300])
def test_hub_tags_that_are_no_names_are_refused(hub, folder, tmp_path, monkeypatch, tag):
    hub.add(COMMITS[0], folder)
    answer = hub.answer

    def with_tag(asked):
        status, headers, body = answer(asked)
        return status, {**headers, "ETag": f'"{tag}"'} if headers else headers, body

    monkeypatch.setattr(hub, "answer", with_tag)
    with pytest.raises(
        CheckpointError, match=r"config\.json cannot be downloaded from the hub: the hub gives it the tag"
    ):
        load_config(NAME)
    assert not list(tmp_path.rglob("evil*")) and not Path("/tmp/evil").exists()
