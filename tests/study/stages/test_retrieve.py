"""Retrieval stages on the mini world with a random encoder: the sweep equals runs of single layers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import ROOT

from adaptstilts.config.retrieval import PRESETS, RetrievalSettings
from adaptstilts.evaluate.metrics import bucc_scores
from adaptstilts.mini.write import write_mini
from adaptstilts.models.fingerprints import fingerprint
from adaptstilts.models.network import Assembly, TaskNetwork, assemble
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob
from adaptstilts.study.stages import retrieve as run_retrieve
from adaptstilts.study.stages.examples import Examples
from adaptstilts.study.stages.predictions import LanguageResult
from adaptstilts.study.stages.retrieve import retrieve
from adaptstilts.tasks.spec import Split

LAYERS = range(5)
LANGUAGES = ("de", "zh")
MINI = ROOT / "checkpoints" / "mini"


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("mini")
    write_mini(folder, seed=3, train=32, evaluation=24, low_resource=8)
    return Examples(folder)


@pytest.fixture(scope="module")
def network() -> TaskNetwork:
    return assemble(Assembly(str(MINI)))


Retrieve = Callable[..., tuple[dict[str, LanguageResult], dict[str, Any]]]


@pytest.fixture
def carry_out(examples: Examples, network: TaskNetwork, tmp_path: Path) -> Retrieve:
    """Settings by what differs from the default preset -> results by language, and what is written of the layers."""

    def run(task: str, split: Split = Split.TEST, **changed: Any) -> tuple[dict[str, LanguageResult], dict[str, Any]]:
        preset: RetrievalSettings = PRESETS["xtreme-paper"]["mine" if task == "bucc2018" else "search"]
        job = PredictJob(
            method="direct",
            task=task,
            languages=tuple((code, split) for code in LANGUAGES),
            trained=None,
            trained_task=None,
            sources=(),
            average=False,
            backbone=BackboneRef(str(MINI), None, fingerprint(str(MINI), None)),
            retrieval=replace(preset, **{"blocks": None, "layer": 2, **changed}),
            data=(),
            max_evaluation=None,
            max_length=512,
            doc_stride=128,
            max_query_length=64,
            precision="fp32",
            batch_tokens=400,
        )
        found = list(retrieve(network, job, examples, tmp_path, lambda *_: None))
        assert [path.name for path in tmp_path.iterdir()] == ["layers.json"]
        record = json.loads((tmp_path / "layers.json").read_text(encoding="utf-8"))
        return {result.language: result for result in found}, record

    return run


def same(one: LanguageResult, other: LanguageResult) -> bool:
    arrays = (
        np.array_equal(one.found.raw[name], other.found.raw[name]) for name in one.found.raw.keys() | other.found.raw
    )
    return one.found.predictions == other.found.predictions and one.note == other.note and all(arrays)


@pytest.mark.parametrize("task", ["bucc2018", "tatoeba"])
@pytest.mark.parametrize("split", [Split.TEST, Split.DEV])
def test_results_are_the_same_with_a_sweep_as_without(carry_out: Retrieve, task: str, split: Split):
    if (task, split) == ("tatoeba", Split.DEV):
        pytest.skip("Tatoeba has no dev split")
    for layer in LAYERS:
        alone, bare = carry_out(task, split, layer=layer)
        swept, record = carry_out(task, split, layer=layer, sweep=True)
        assert bare == {"used": layer, "blocks": 4, "fitted_on": None, "layers": []}
        assert record["used"] == layer
        assert all(same(alone[code], swept[code]) for code in LANGUAGES)


def test_sweep_of_mining_scores_each_layer_as_a_run_on_dev_does(carry_out: Retrieve, examples: Examples):
    _, record = carry_out("bucc2018", sweep=True)
    assert {(item["language"], item["layer"]) for item in record["layers"]} == {
        (code, layer) for code in LANGUAGES for layer in LAYERS
    }
    for item in record["layers"]:
        alone, _ = carry_out("bucc2018", Split.DEV, layer=item["layer"])
        pairs = {tuple(pair) for pair in alone[item["language"]].found.predictions}
        gold = examples.root.load_bitext(run_retrieve.get_task("bucc2018"), Split.DEV, item["language"]).gold
        assert item["scores"] == bucc_scores(pairs, gold or ())
        assert (item["split"], item["note"]) == ("dev", "threshold fitted on dev, which is also scored")


def test_sweep_of_a_search_scores_each_layer_on_the_scored_split_and_says_so(carry_out: Retrieve, examples: Examples):
    _, record = carry_out("tatoeba", sweep=True)
    assert {item["split"] for item in record["layers"]} == {"test"}
    assert len({json.dumps(item["scores"]) for item in record["layers"]}) > 1
    for item in record["layers"]:
        alone, _ = carry_out("tatoeba", layer=item["layer"])
        bitext = examples.root.load_bitext(run_retrieve.get_task("tatoeba"), Split.TEST, item["language"])
        gold = bitext.gold or frozenset()
        right = sum(
            (bitext.foreign[row].id, sentence.id) in gold
            for row, sentence in zip(alone[item["language"]].found.predictions, bitext.english, strict=True)
        )
        assert item["scores"]["accuracy"] == pytest.approx(100 * right / len(bitext.english))


@pytest.mark.parametrize("split", [Split.TEST, Split.DEV])
def test_fitted_layer_is_the_best_on_dev_and_is_labelled(carry_out: Retrieve, split: Split):
    fitted, record = carry_out("bucc2018", split, layer="dev", sweep=True)
    means = [np.mean([item["scores"]["f1"] for item in record["layers"] if item["layer"] == layer]) for layer in LAYERS]
    assert (record["used"], record["fitted_on"]) == (int(np.argmax(means)), "dev")
    alone, _ = carry_out("bucc2018", split, layer=record["used"])
    also = "" if split is Split.TEST else ", which is also scored"
    for code in LANGUAGES:
        assert fitted[code].found.predictions == alone[code].found.predictions
        assert fitted[code].note == f"layer {record['used']} and threshold fitted on dev{also}"
        assert alone[code].note == f"threshold fitted on dev{also}"


def test_every_sentence_passes_the_encoder_once_in_a_sweep(
    carry_out: Retrieve, network: TaskNetwork, examples: Examples
):
    passed: list[int] = []
    handle = network.encoder.register_forward_hook(lambda _, __, output: passed.append(len(output[0])))
    try:
        carry_out("bucc2018", layer="dev", sweep=True)
    finally:
        handle.remove()
    task = run_retrieve.get_task("bucc2018")
    bitexts = [examples.root.load_bitext(task, split, code) for code in LANGUAGES for split in (Split.DEV, Split.TEST)]
    assert sum(passed) == sum(len(bitext.foreign) + len(bitext.english) for bitext in bitexts)


def test_large_vectors_lie_in_a_file_only_while_they_are_needed(carry_out: Retrieve, monkeypatch: pytest.MonkeyPatch):
    in_memory, _ = carry_out("tatoeba", sweep=True)
    kinds: list[type] = []
    real = run_retrieve.layer_vectors

    def watched(*values: Any, into: Any, **named: Any) -> None:
        kinds.append(type(into))
        real(*values, into=into, **named)

    monkeypatch.setattr(run_retrieve, "layer_vectors", watched)
    monkeypatch.setattr(run_retrieve, "_MAX_BYTES_IN_MEMORY", 100)
    on_disk, _ = carry_out("tatoeba", sweep=True)
    assert set(kinds) == {np.memmap}
    assert all(same(in_memory[code], on_disk[code]) for code in LANGUAGES)


def test_other_direction_predicts_an_english_row_for_each_foreign_sentence(carry_out: Retrieve, examples: Examples):
    forth, _ = carry_out("tatoeba", layer=2)
    back, record = carry_out("tatoeba", layer=2, direction="foreign_to_english", sweep=True)
    bitext = examples.root.load_bitext(run_retrieve.get_task("tatoeba"), Split.TEST, "zh")
    gold = bitext.gold or frozenset()
    right = sum(
        (sentence.id, bitext.english[row].id) in gold
        for row, sentence in zip(back["zh"].found.predictions, bitext.foreign, strict=True)
    )
    (scores,) = (item["scores"] for item in record["layers"] if (item["language"], item["layer"]) == ("zh", 2))
    assert scores["accuracy"] == pytest.approx(100 * right / len(bitext.foreign))
    assert scores["accuracy"] > 0
    assert back["zh"].found.predictions != forth["zh"].found.predictions
