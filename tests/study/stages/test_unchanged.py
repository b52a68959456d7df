"""Inputs that change while a study runs: nothing is stored under the key of what they were, and no number is wrong."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stand_in_work import QuietWatcher

from adaptstilts.errors import AdaptstiltsError, ChangedError
from adaptstilts.mini.write import write_mini
from adaptstilts.store.stage import Stage
from adaptstilts.study.session import StudyResult, run_study
from adaptstilts.study.study import Study

PLANNED = "has changed since the study was planned. Nothing was stored"
RUNNING = "has changed while the stage was running. Nothing was stored"
TRAINING, DEV, DE = "squad/v1.1/train-v1.1.json", "squad/v1.1/dev-v1.1.json", "xquad/xquad.de.json"


@dataclass
class Meddler(QuietWatcher):
    """A watcher that acts once, on a stage: before it starts, or at its first step."""

    act: Callable[[], object] | None = None
    name: str = ""
    at: str = "step"
    failures: dict[str, AdaptstiltsError] = field(default_factory=dict)
    told: list[tuple[object, ...]] = field(default_factory=list)

    def _act(self, stage: Stage, at: str) -> None:
        if self.act is not None and self.at == at and stage.name.startswith(self.name):
            act, self.act = self.act, None
            act()

    def started(self, stage: Stage, left: int, worker: str = "") -> None:
        self._act(stage, "start")

    def stepped(self, stage: Stage, done: int, total: int, note: str) -> None:
        self._act(stage, "step")

    def failed(self, stage: Stage, error: AdaptstiltsError) -> None:
        self.failures[stage.name] = error


@dataclass(frozen=True)
class Place:
    """A folder with data, a backbone and a store of its own."""

    folder: Path

    @property
    def backbone(self) -> Path:
        return self.folder / "backbone"

    def data(self, name: str) -> Path:
        return self.folder / "data" / name

    def run(self, *overrides: str, act: Callable[[], object] | None = None, name: str = "", at: str = "step") -> Ran:
        train = {"epochs": 1, "batch_size": 8, "max_length": 96, "evaluate_examples": 4}
        study = Study.load(
            {
                "name": "changing",
                "backbone": str(self.backbone),
                "methods": ["direct", "adapter"],
                "target": {"tasks": ["xquad"], "full": train, "adapter": train},
                "adapter": {"reduction_factor": 4},
                "data": {"root": str(self.folder / "data")},
                "evaluation": {"languages": ["en", "de"]},
                "store": str(self.folder / "store"),
                "results": str(self.folder / "results"),
            },
            overrides,
        )
        watcher, result = Meddler(act, name, at), None
        with contextlib.suppress(AdaptstiltsError):  # nothing can be reported
            result = run_study(study, lambda _: contextlib.nullcontext(watcher))
        return Ran(study, watcher, result)


@dataclass(frozen=True)
class Ran:
    study: Study
    watcher: Meddler
    result: StudyResult | None

    @property
    def numbers(self) -> dict[str, Any]:
        """Scores by name of the stage."""
        done = self.study.store.find_all(self.study.plan.stages)
        scored = [stage for stage in self.study.plan.stages if stage.kind.value == "score"]
        return {stage.name: done[stage.key].read_json("scores.json") for stage in scored if stage.key in done}

    def refused(self, start: str) -> str:
        """Return the message of the first failed stage of this name."""
        return next(str(error) for name, error in self.watcher.failures.items() if name.startswith(start))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, small_backbone: Path) -> Place:
    place = Place(tmp_path_factory.mktemp("original"))
    write_mini(place.folder / "data", seed=1, train=32, evaluation=6, low_resource=8)
    for other in set((place.folder / "data").iterdir()) - {place.data("squad"), place.data("xquad")}:
        shutil.rmtree(other)
    shutil.copytree(small_backbone, place.backbone)
    return place


@pytest.fixture(scope="module")
def numbers(original: Place) -> dict[str, Any]:
    """Scores of a run that nobody disturbs."""
    ran = original.run()
    assert ran.watcher.failures == {}
    assert len(ran.numbers) == 4
    return ran.numbers


@pytest.fixture
def place(original: Place, tmp_path: Path) -> Place:
    for name in ("data", "backbone"):
        shutil.copytree(original.folder / name, tmp_path / name)
    return Place(tmp_path)


def shorten(path: Path) -> None:
    """Replace a SQuAD file by one with its first paragraph only."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["data"] = content["data"][:1]
    content["data"][0]["paragraphs"] = content["data"][0]["paragraphs"][:1]
    path.with_suffix(".new").write_text(json.dumps(content), encoding="utf-8")
    path.with_suffix(".new").replace(path)


def overwrite(path: Path) -> None:
    """Write zeros over the numbers of a safetensors file, in place."""
    with path.open("r+b") as file:
        start = 8 + int.from_bytes(file.read(8), "little")
        file.seek(start)
        file.write(bytes(path.stat().st_size - start))


def in_place(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.truncate()
        file.write(content)


@contextlib.contextmanager
def put_back(path: Path) -> Iterator[None]:
    content = path.read_bytes()
    try:
        yield
    finally:
        in_place(path, content)


@pytest.mark.parametrize(
    ("name", "during", "at", "refused", "message"),
    [
        (f"data/{DE}", "train direct", "step", "predict direct: xquad de", PLANNED),
        (f"data/{DE}", "predict direct: xquad de", "start", "predict direct: xquad de", PLANNED),
        (f"data/{DE}", "predict direct: xquad de", "step", "predict direct: xquad de", RUNNING),
        (f"data/{DE}", "score direct: xquad de", "start", "score direct: xquad de", PLANNED),
        (f"data/{TRAINING}", "train direct", "start", "train direct", PLANNED),
        (f"data/{TRAINING}", "train direct", "step", "train direct", RUNNING),
        (f"data/{DEV}", "train direct", "step", "train direct", RUNNING),
        (f"data/{TRAINING}", "analyse", "start", "report", PLANNED),
        ("backbone/model.safetensors", "train direct", "start", "train direct", PLANNED),
        ("backbone/model.safetensors", "train adapter", "step", "train adapter", RUNNING),
        ("backbone/model.safetensors", "predict adapter: xquad de", "step", "predict adapter: xquad de", RUNNING),
        ("backbone/tokenizer.json", "predict adapter: xquad de", "start", "predict adapter: xquad de", PLANNED),
    ],
)
def test_a_file_that_changes_costs_the_stages_that_need_it_and_no_number(
    place, numbers, name, during, at, refused, message
):
    path = place.folder / name
    change = overwrite if path.suffix == ".safetensors" else shorten if path.parts[-2] != "backbone" else _add_space
    with put_back(path):
        first = place.run(act=lambda: change(path), name=during, at=at)
    assert f"{path}: {message}" in first.refused(refused)
    assert {name: scores for name, scores in first.numbers.items() if numbers[name] != scores} == {}
    again = place.run()
    assert again.watcher.failures == {}
    assert again.numbers == numbers


def _add_space(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")


@pytest.mark.parametrize("name", [DE, TRAINING, "../backbone/model.safetensors"])
def test_other_content_for_a_moment_only_leaves_the_numbers_right(place, numbers, name):
    """The file is changed while a stage runs, and put back before it ends."""
    path = place.data(name).resolve()
    content = path.read_bytes()

    def act() -> None:
        (overwrite if path.suffix == ".safetensors" else shorten)(path)
        in_place(path, content)

    for at in ("start", "step"):
        ran = place.run(act=act, name="train", at=at)
        assert ran.watcher.failures == {}
        assert ran.numbers == numbers
        shutil.rmtree(place.folder / "store")


@pytest.mark.parametrize(
    ("name", "during", "at", "refused", "message"),
    [
        ("model.safetensors", "train adapter", "step", "train adapter", RUNNING),
        ("tokenizer.json", "predict adapter: xquad de", "start", "predict adapter: xquad de", PLANNED),
    ],
)
def test_a_file_of_the_hubs_cache_that_has_no_hash_in_its_name_is_held_to_what_it_was(
    place, numbers, monkeypatch, name, during, at, refused, message
):
    """Where links are not possible, the cache holds the files themselves, and only the commit is known of them."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(place.folder / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    snapshot = place.folder / "cache" / "models--some--one" / "snapshots" / ("1" * 40)
    snapshot.parent.mkdir(parents=True)
    place.backbone.replace(snapshot)
    path = snapshot / name
    change = overwrite if path.suffix == ".safetensors" else _add_space
    with put_back(path):
        first = place.run("backbone=some/one", act=lambda: change(path), name=during, at=at)
    assert f"{path}: {message}" in first.refused(refused)
    again = place.run("backbone=some/one")
    assert again.watcher.failures == {}
    assert again.numbers == numbers


def test_a_file_that_comes_for_a_moment_only_is_not_read(place, numbers, monkeypatch):
    """The package's own layout is read first, so that such a file would stand in for the one that was planned."""
    from adaptstilts.data.arrow import write_split
    from adaptstilts.readers.data_root import DataRoot
    from adaptstilts.study.stages import predict
    from adaptstilts.tasks.registry import get_task
    from adaptstilts.tasks.spec import Split

    root, task, own = place.folder / "data", get_task("xquad"), place.data("xquad/arrow")
    rows = DataRoot(root).load_examples(task, Split.TEST, "en")
    predicted = predict.predict

    def gone_before(*args: Any, **more: Any) -> Any:
        shutil.rmtree(own, ignore_errors=True)
        return predicted(*args, **more)

    monkeypatch.setattr(predict, "predict", gone_before)
    ran = place.run(act=lambda: write_split(root, task, Split.TEST, "de", rows, ()), name="predict direct: xquad de")
    assert "arrow/test/de/data-00000-of-00001.arrow: has" in ran.refused("predict direct: xquad de")
    assert {name for name, scores in ran.numbers.items() if numbers[name] != scores} == set()
    shutil.rmtree(own, ignore_errors=True)
    again = place.run()
    assert again.watcher.failures == {}
    assert again.numbers == numbers


def test_weights_overwritten_while_a_stage_computes_do_not_reach_it(place, numbers):
    """What was loaded is a copy: the library's own weights would change with the file."""
    weights = place.backbone / "model.safetensors"
    content = weights.read_bytes()

    def put_back_after(run: Callable[..., Any]) -> Callable[..., Any]:
        def carried(*args: Any, **more: Any) -> Any:
            overwrite(weights)
            try:
                return run(*args, **more)
            finally:
                in_place(weights, content)

        return carried

    with pytest.MonkeyPatch.context() as patch:
        from adaptstilts.study.stages import predict, train

        patch.setattr(train, "fit", put_back_after(train.fit))
        patch.setattr(predict, "predict", put_back_after(predict.predict))
        ran = place.run()
    assert ran.watcher.failures == {}
    assert ran.numbers == numbers


def test_an_adapter_overwritten_while_a_later_stage_runs_is_damage(place, numbers):
    def act() -> None:
        (path,) = place.folder.glob("store/train/*/adapter/adapter.safetensors")
        overwrite(path)

    ran = place.run(act=act, name="predict adapter: xquad de")
    assert "damaged. Rebuild it" in ran.refused("predict adapter: xquad de")
    assert not {name for name in ran.numbers if ran.numbers[name] != numbers[name]}
    assert "score adapter: xquad de, seed 1" not in ran.numbers


@pytest.mark.parametrize("change", ["comes", "goes"])
def test_a_dev_set_that_comes_or_goes_is_a_change(place, change):
    dev, aside = place.data(DEV), place.folder / "aside"
    if change == "comes":
        dev.replace(aside)
        ran = place.run(act=lambda: aside.replace(dev), name="train direct", at="start")
    else:
        ran = place.run(act=lambda: dev.replace(aside), name="train direct", at="start")
    found = ran.refused("train direct")
    if change == "comes":
        assert f"{dev}: has changed since the study was planned. " in found
    else:
        assert f"{place.folder / 'data'}: the dev files of squad1 in 'en' ({DEV}" in found
        assert ") have gone since the study was planned. Nothing was stored" in found


@pytest.mark.parametrize(
    ("at", "name"),
    [
        (
            "start",
            r"data: the test files of xquad in 'de' \(xquad/xquad\.de\.json.*\) have gone since the study was pla",
        ),
        ("step", r"xquad\.de\.json: has gone while the stage was running\. Nothing was stored"),
    ],
)
def test_a_data_file_that_is_gone_is_named(place, at, name):
    ran = place.run(act=place.data(DE).unlink, name="predict direct: xquad de", at=at)
    assert re.search(name, ran.refused("predict direct: xquad de"))


def test_a_plan_that_was_made_before_a_change_is_made_anew_by_the_next_run(place):
    ran = place.run()
    keys = {stage.key for stage in ran.study.plan.stages}
    shorten(place.data(DE))
    watcher = Meddler()
    run_study(ran.study, lambda _: contextlib.nullcontext(watcher))
    assert watcher.failures == {}
    assert {stage.key for stage in ran.study.plan.stages} != keys


@pytest.mark.parametrize(
    ("name", "refused"),
    [(f"data/{DE}", "predict"), ("backbone/model.safetensors", "predict adapter: xquad de")],
)
def test_worker_processes_compare_too(place, numbers, name, refused):
    path = place.folder / name
    change = shorten if path.suffix == ".json" else overwrite
    with put_back(path):
        first = place.run("workers=2", act=lambda: change(path), name="train adapter")
    assert f"{path}: has changed" in first.refused(refused if "data" in name else "train adapter")
    assert not {name for name in first.numbers if first.numbers[name] != numbers[name]}
    assert place.run().numbers == numbers


def test_processes_that_train_a_stage_together_compare_too(place):
    path = place.data(TRAINING)
    with put_back(path):
        ran = place.run("parallel.processes=2", "methods=[adapter]", act=lambda: shorten(path), name="train adapter")
    assert f"{path}: {RUNNING}" in ran.refused("train adapter")


def test_a_network_of_a_changed_backbone_is_refused(place):
    from adaptstilts.study.plan.jobs import PredictJob
    from adaptstilts.study.stages.finished import finished_network

    ran = place.run("methods=[adapter]")
    stage = next(stage for stage in ran.study.plan.stages if isinstance(stage.job, PredictJob))
    overwrite(place.backbone / "model.safetensors")
    with pytest.raises(ChangedError, match=r"model\.safetensors: has changed since the study was planned"):
        finished_network(stage.job, ran.study.plan.inputs_of(stage), ran.study.store)


def test_finished_work_of_the_format_before_is_old_and_not_damaged(place, monkeypatch):
    """As if the package had been updated: it is made again, named as old, and can be removed."""
    from adaptstilts.store import gc, stage, store
    from adaptstilts.study.explain import explain
    from adaptstilts.study.pricing.outline import outline
    from adaptstilts.study.pricing.outline_text import outline_text

    before = stage.FORMAT_VERSION - 1
    for module in (stage, store):
        monkeypatch.setattr(module, "FORMAT_VERSION", before)
    former = place.run("methods=[adapter]")
    monkeypatch.undo()
    old = {artefact.key for artefact in former.study.store.artefacts()}
    study = Study(former.study.config)
    (record,) = explain(study.plan, study.store, "train*")
    assert record["differences"][0]["path"] == "format version"
    waste = gc.find_waste(study.store)
    assert waste.damaged == []
    assert sum(f"of an older format, {before}" in what for what, _, _ in waste.items) == len(old)
    line = f"finished work of an older format, which this version does not use: {len(old)} stages, to be made again"
    assert line in outline_text(outline(study.plan, study.variants, study.store)).splitlines()
    again = place.run("methods=[adapter]")
    assert again.watcher.failures == {}
    assert again.numbers == former.numbers
    assert outline(again.study.plan, again.study.variants, study.store)["older_format"] == 0
    waste = gc.find_waste(study.store)
    waste.remove()
    assert {artefact.key for artefact in study.store.artefacts()} == {stage.key for stage in again.study.plan.stages}
