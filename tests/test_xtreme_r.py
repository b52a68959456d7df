"""The targets that XTREME-R adds, end to end: rows in the published layouts, trained, predicted, submitted, scored."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from backbones import save_backbone

from adaptstilts.cli.main import main
from adaptstilts.submission.folder import submission_path, write_predictions
from adaptstilts.submission.score import score_folder
from adaptstilts.tasks.registry import get_task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

METHODS = ("direct", "full", "adapter", "stack", "continue", "fuse")
STUDY = """\
name: small
title: Targets of XTREME-R on a few rows
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{root: {root}}}
intermediate:
  tasks: [mnli, qqp]
  full: &full {{epochs: 1, batch_size: 4, learning_rate: 1e-3, max_length: 64, evaluate_examples: 4}}
  adapter: &adapter {{epochs: 1, batch_size: 4, learning_rate: 1e-2, max_length: 64, evaluate_examples: 4}}
target:
  tasks: [{target}]
  full: *full
  adapter: *adapter
  fusion: *adapter
adapter: {{reduction_factor: 4}}
evaluation: {{benchmark: xtreme_r}}
"""


@pytest.fixture(scope="session")
def wider_backbone(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: PreTrainedTokenizerFast) -> Path:
    """A two-layer XLM-R, 32 wide, random, with the tests' tokenizer."""
    return save_backbone(tmp_path_factory.mktemp("wider_backbone"), tiny_tokenizer, width=32, positions=258, spread=0.2)


def lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def pair_files() -> dict[str, str]:
    """The two intermediate tasks, twelve rows each."""
    words = ("entailment", "neutral", "contradiction")
    mnli = lines(
        {
            "gold_label": words[at % 3],
            "sentence1": f"Anna bought boat {at}.",
            "sentence2": "It was night.",
            "pairID": at,
        }
        for at in range(12)
    )
    rows = "".join(f"{at}\t1\t2\tWho bought it?\tWas it train {at}?\t{at % 2}\n" for at in range(12))
    qqp = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n" + rows
    return {
        **{f"mnli/multinli_1.0_{split}.jsonl": mnli for split in ("train", "dev_matched")},
        **{f"qqp/{split}.tsv": qqp for split in ("train", "dev")},
    }


@dataclass(frozen=True)
class Finished:
    """A study that was carried out."""

    folder: Path

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "results" / "small" / "results.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def artefacts(self, kind: str, task: str) -> list[tuple[Path, dict[str, Any]]]:
        found = sorted((self.folder / "store" / kind).glob("*/manifest.json"))
        manifests = [(path.parent, json.loads(path.read_text(encoding="utf-8"))) for path in found]
        return [(path, manifest) for path, manifest in manifests if manifest["job"]["task"] == task]

    def predicted(self, task: str, language: str) -> list[Path]:
        """Folders of the predictions of one language by every network."""
        return [
            path
            for path, manifest in self.artefacts("predict", task)
            if language in [code for code, _ in manifest["job"]["languages"]]
        ]

    def predictions(self, task: str, language: str) -> list[Any]:
        paths = [path / "predictions" / f"{language}.json" for path in self.predicted(task, language)]
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def carry_out(
    folder: Path, backbone: Path, target: str, files: Mapping[str, str], overrides: Sequence[str] = ()
) -> Finished:
    """Write the files and a study on them, and run it with all methods."""
    config = write_study(folder, backbone, target, files)
    assert main(["run", str(config), *overrides]) == 0
    return Finished(folder)


def write_study(folder: Path, backbone: Path, target: str, files: Mapping[str, str]) -> Path:
    """Write the files and a study on them."""
    root = folder / "data"
    for name, text in {**pair_files(), **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = folder / "small.yaml"
    config.write_text(STUDY.format(backbone=backbone, folder=folder, root=root, target=target), encoding="utf-8")
    return config


def check_every_method_is_scored(finished: Finished, languages: set[str], metric: str) -> None:
    found = {(row["method"], row["source"], row["language"]) for row in finished.rows if row["metric"] == metric}
    sources = {method: ["mnli", "qqp"] for method in ("full", "stack", "continue")} | {"fuse": ["mnli+qqp"]}
    expected = {
        (method, source, code) for method in METHODS for source in sources.get(method, [""]) for code in languages
    }
    assert found == expected


def check_submission(finished: Finished, task_name: str, language: str, labels: Any) -> None:
    """Write the predictions of every network as a submission, and get the score of the study from it."""
    task = get_task(task_name)
    write_predictions(finished.folder / "labels", task, language, labels)
    networks = finished.predicted(task_name, language)
    assert len(networks) == 9
    for path, record in zip(networks, finished.predictions(task_name, language), strict=True):
        written = write_predictions(finished.folder / path.name, task, language, record["predictions"])
        assert written == submission_path(finished.folder / path.name, task, language)
        key = json.loads((path / "manifest.json").read_text(encoding="utf-8"))["key"]
        scores = [
            json.loads((folder / "scores.json").read_text(encoding="utf-8"))[language]["scores"]
            for folder, manifest in finished.artefacts("score", task_name)
            if manifest["job"]["predictions"] == key
        ]
        name = task.folder or task.name
        found = score_folder(finished.folder / path.name, finished.folder / "labels", [name], [language]).scores
        assert scores == [found[name][language]]


# XCOPA


def choices(count: int, shift: int = 0) -> str:
    return lines(
        {"premise": f"The train was slow on day {at + shift}.", "choice1": "It was cold.", "choice2": "Anna slept.",
         "question": ("cause", "effect")[at % 2], "label": (at // 2) % 2, "idx": at}
        for at in range(count)
    )  # fmt: skip


def feelings(count: int) -> str:
    return lines(
        {"context": f"Anna read letter {at}.", "question": "Is it true?", "answerA": "Yes", "answerB": "No",
         "answerC": "Nobody knew", "correct": "ABC"[at % 3]}
        for at in range(count)
    )  # fmt: skip


@pytest.fixture(scope="session")
def causes(tmp_path_factory: pytest.TempPathFactory, wider_backbone: Path) -> Finished:
    files = {
        **{f"siqa/socialIQa_v1.4_{split}.jsonl": feelings(8) for split in ("trn", "dev")},
        "xcopa/train-en.jsonl": choices(8),
        "xcopa/val-en.jsonl": choices(4, 50),
        **{f"xcopa/data/{code}/test.{code}.jsonl": choices(6, 90) for code in ("et", "zh")},
    }
    return carry_out(tmp_path_factory.mktemp("causes"), wider_backbone, "xcopa", files)


def test_xcopa_is_scored_with_every_method_after_two_trainings(causes: Finished):
    check_every_method_is_scored(causes, {"et", "zh"}, "accuracy")
    first = {manifest["key"]: path for path, manifest in causes.artefacts("train", "siqa")}
    second = causes.artefacts("train", "copa")
    assert len(first) == len(second) == 9
    assert {manifest["job"]["after"]["key"] for _, manifest in second} == set(first)


def test_xcopa_goes_on_with_every_saved_tensor_of_the_siqa_run(causes: Finished):
    """One step at a learning rate of 1e-3 or 1e-2 moves each weight by no more than about that."""
    from safetensors.torch import load_file

    earlier = {manifest["key"]: path for path, manifest in causes.artefacts("train", "siqa")}
    compared = 0
    for path, manifest in causes.artefacts("train", "copa"):
        before = earlier[manifest["job"]["after"]["key"]]
        for file in path.rglob("*.safetensors"):
            old = load_file(before / file.relative_to(path))
            for name, tensor in load_file(file).items():
                other = old[name.replace("copa", "siqa")]
                assert (tensor - other).abs().max() <= 2.5 * manifest["job"]["settings"]["learning_rate"]
                compared += 1
    assert compared > 100


def test_xcopa_predictions_come_back_from_a_submission_with_their_score(causes: Finished):
    check_submission(causes, "xcopa", "et", [(at // 2) % 2 for at in range(6)])
    assert submission_path(causes.folder, get_task("xcopa"), "et").name == "test-et.jsonl"


# Tatoeba after SQuAD


def questions(count: int) -> str:
    paragraphs = [
        {"context": f"Anna bought boat {at} in Berlin.",
         "qas": [{"id": f"q{at}", "question": "Who bought it?", "answers": [{"text": "Anna", "answer_start": 0}]}]}
        for at in range(count)
    ]  # fmt: skip
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": paragraphs}]})


@pytest.fixture(scope="session")
def sentences(tmp_path_factory: pytest.TempPathFactory, wider_backbone: Path) -> Finished:
    files = {f"squad/v1.1/{split}-v1.1.json": questions(8) for split in ("train", "dev")}
    for code in ("deu", "lit"):
        files[f"tatoeba/tatoeba.{code}-eng.{code}"] = "".join(f"Boot {at} schläft.\n" for at in range(6))
        files[f"tatoeba/tatoeba.{code}-eng.eng"] = "".join(f"Boat {at} sleeps.\n" for at in range(6))
    overrides = ["target.overrides.squad1.max_length=128", "retrieval.max_length=64"]
    return carry_out(tmp_path_factory.mktemp("sentences"), wider_backbone, "tatoeba_r", files, overrides)


def test_tatoeba_is_scored_with_the_trained_encoder_of_every_method(sentences: Finished):
    check_every_method_is_scored(sentences, {"de", "lt"}, "accuracy")
    assert all(row["note"].startswith("encoder trained on squad1; ") for row in sentences.rows)
    assert len(sentences.artefacts("predict", "tatoeba_r")) == 9 * 2
    assert len(sentences.predicted("tatoeba_r", "de")) == 9
    for _, manifest in sentences.artefacts("predict", "tatoeba_r"):
        assert manifest["job"]["trained_task"] == "squad1"


def test_tatoeba_compares_by_the_network_that_was_trained_with_its_adapter_active(
    sentences: Finished, wider_backbone: Path, tiny_tokenizer: PreTrainedTokenizerFast
):
    """The nearest neighbours of the `stack` run are those of its adapters stacked by hand."""
    import numpy as np

    from adaptstilts.config.retrieval import layer_at
    from adaptstilts.encoding.encode import encode
    from adaptstilts.encoding.features import EncodeSettings
    from adaptstilts.evaluate.predict import sentence_vectors
    from adaptstilts.evaluate.retrieval import find_neighbours, normalise
    from adaptstilts.models.attachments import Attached
    from adaptstilts.models.bottlenecks import ADAPTER
    from adaptstilts.models.network import Assembly, assemble
    from adaptstilts.tasks.examples import Sentence

    trained = {
        manifest["key"]: path for kind in ("mnli", "squad1") for path, manifest in sentences.artefacts("train", kind)
    }
    (path, job), *_ = [
        (path, manifest["job"])
        for path, manifest in sentences.artefacts("predict", "tatoeba_r")
        if manifest["job"]["method"] == "stack"
        and manifest["job"]["sources"][0]["task"] == "mnli"
        and manifest["job"]["languages"][0][0] == "de"
    ]
    below, above = trained[job["sources"][0]["key"]], trained[job["trained"]]
    stacked = (("mnli", below / "adapter"), ("target_squad1", above / "adapter"))
    found = np.load(path / "raw" / "de.npz")
    similarities = {}
    for adapters in (stacked, stacked[:1]):
        attached = tuple(Attached(ADAPTER, name, folder) for name, folder in adapters)
        network = assemble(Assembly(str(wider_backbone), attached=attached))
        sides = []
        for text in ("Boot {} schläft.", "Boat {} sleeps."):
            side = [Sentence(str(at), text.format(at)) for at in range(6)]
            encoded = encode(get_task("tatoeba_r"), side, tiny_tokenizer, EncodeSettings(max_length=512))
            sides.append(sentence_vectors(network, encoded, layer=layer_at(14, 2), pooling="mean", batch_tokens=512))
        similarities[adapters] = find_neighbours(normalise(sides[1]), normalise(sides[0]), k=6).similarities
    assert np.allclose(found["similarities"], similarities[stacked], atol=1e-5)
    assert not np.allclose(found["similarities"], similarities[stacked[:1]], atol=1e-5)


def test_tatoeba_after_squad_is_submitted_in_the_folder_of_tatoeba(sentences: Finished):
    check_submission(sentences, "tatoeba_r", "lt", list(range(6)))
    path = submission_path(sentences.folder, get_task("tatoeba_r"), "lt")
    assert path.relative_to(sentences.folder) == Path("tatoeba/test-lt.tsv")


# LAReQA and Mewsli-X


def xquad_r(code: str, count: int) -> str:
    """Paragraphs of two sentences, each with a question; ids are the same in every language."""
    words = {
        "de": ("Anna schläft", "Berlin ist alt"),
        "zh": ("安娜睡觉", "北京很大"),
        "en": ("Anna sleeps", "It is old"),
    }
    paragraphs = []
    for at in range(count):
        sentences = [f"{word} {at}." for word in words[code]]
        context = " ".join(sentences)
        breaks = [[0, len(sentences[0])], [len(sentences[0]) + 1, len(context)]]
        qas = [
            {"id": f"q{at}-{side}", "question": f"Who {at}?", "answers": [{"text": str(at), "answer_start": end - 2}]}
            for side, (_, end) in enumerate(breaks)
        ]
        paragraphs.append({"context": context, "qas": qas, "sentence_breaks": breaks, "sentences": sentences})
    return json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}, ensure_ascii=False)


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory, wider_backbone: Path) -> Finished:
    files = {f"squad/v1.1/{split}-v1.1.json": questions(8) for split in ("train", "dev")}
    files |= {f"lareqa/xquad-r/{code}.json": xquad_r(code, 5) for code in ("en", "de", "zh")}
    overrides = ["evaluation.languages=[de, zh]", "target.full.max_query_length=24"]
    return carry_out(tmp_path_factory.mktemp("answers"), wider_backbone, "lareqa", files, overrides)


def test_lareqa_is_scored_with_every_method_in_one_pool_over_all_languages(answers: Finished):
    check_every_method_is_scored(answers, {"de", "zh"}, "map@20")
    assert {row["note"] for row in answers.rows} == {"pool of 30 candidates in 3 of 11 languages"}
    found = answers.predictions("lareqa", "zh")
    assert len(found) == 9
    for record in found:
        assert set(record["predictions"]) == {f"q{at}-{side}" for at in range(5) for side in (0, 1)}
        for ids in record["predictions"].values():
            assert len(set(ids)) == len(ids) == 20
            assert {name.split("_")[0] for name in ids} <= {"en", "de", "zh"}
    # English is not asked for, but is in the pool.
    assert any(name.startswith("en_") for record in found for ids in record["predictions"].values() for name in ids)


def test_lareqa_is_predicted_the_same_when_the_pool_is_encoded_in_blocks(
    answers: Finished, wider_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = {f"squad/v1.1/{split}-v1.1.json": questions(8) for split in ("train", "dev")}
    files |= {f"lareqa/xquad-r/{code}.json": xquad_r(code, 5) for code in ("en", "de", "zh")}
    monkeypatch.setattr("adaptstilts.study.stages.match._BLOCK", 7)
    overrides = ["evaluation.languages=[de, zh]", "target.full.max_query_length=24", "methods=[direct]"]
    again = carry_out(tmp_path, wider_backbone, "lareqa", files, [*overrides, "intermediate.tasks=[]"])
    ((path, manifest),) = again.artefacts("predict", "lareqa")
    (whole,) = (other for other, known in answers.artefacts("predict", "lareqa") if known["key"] == manifest["key"])
    for code in ("de", "zh"):
        found, expected = (folder / "predictions" / f"{code}.json" for folder in (path, whole))
        assert json.loads(found.read_text("utf-8")) == json.loads(expected.read_text("utf-8"))


def test_lareqa_lengths_of_queries_follow_the_settings(answers: Finished):
    lengths = {
        manifest["job"]["method"]: manifest["job"]["settings"]["max_query_length"]
        for _, manifest in answers.artefacts("train", "squad_r")
    }
    assert lengths == {"direct": 24, "full": 24, "adapter": 96, "stack": 96, "continue": 96, "fuse": 96}


def test_lareqa_submission_has_the_score_of_the_study(answers: Finished):
    sentences = [(at, side) for at in range(5) for side in (0, 1)]
    gold = {f"q{at}-{side}": [f"{code}_{at + 1}_{side}" for code in ("en", "de", "zh")] for at, side in sentences}
    check_submission(answers, "lareqa", "zh", gold)


def test_lareqa_is_written_into_the_leaderboard_folder_of_xtreme_r(answers: Finished, tmp_path: Path):
    words = ("--method", "direct")  # the benchmark is the study's
    overrides = ("evaluation.languages=[de, zh]", "target.full.max_query_length=24")
    config = answers.folder / "small.yaml"
    assert main(["submit", str(config), *overrides, "--to", str(tmp_path / "out"), *words]) == 0
    assert {path.name for path in (tmp_path / "out" / "lareqa").iterdir()} == {"test-de.json", "test-zh.json"}
    written = json.loads((tmp_path / "out" / "lareqa" / "test-zh.json").read_text(encoding="utf-8"))
    assert written in [record["predictions"] for record in answers.predictions("lareqa", "zh")]


def entity(number: int) -> dict[str, Any]:
    text = f"Boat {number} is a slow boat. Anna bought it."
    spans = [{"start": 0, "end": text.index(" Anna")}, {"start": text.index("Anna"), "end": len(text)}]
    return {"entity_id": f"Q{number}", "title": "t", "description": text, "description_language": "en",
            "description_url": "u", "sentence_spans": spans}  # fmt: skip


def article(number: int, language: str) -> tuple[dict[str, Any], dict[str, Any]]:
    text = f"Nobody slept. Anna saw boat {number} in Berlin."
    context = {"document_id": f"{language}-{number}", "language": language, "text": text,
               "sentence_spans": [{"start": 0, "end": 13}, {"start": 14, "end": len(text)}]}  # fmt: skip
    start = text.index("boat")
    span = {"start": start, "end": text.index(" in"), "text": f"boat {number}"}
    return context, {"example_id": f"{language}{number}", "mention_span": span, "entity_id": f"Q{number}"}


def test_mewslix_is_trained_predicted_submitted_and_scored_with_every_method(
    tmp_path_factory: pytest.TempPathFactory, wider_backbone: Path
):
    pairs = []
    for number in range(8):
        context, mention = article(number, "en")
        pairs.append({"contextual_mention": {"context": context, "mention": mention}, "entity": entity(number)})
    mentions = []
    for code in ("en", "de", "ta"):
        for number in range(10, 14):
            context, mention = article(number, code)
            mentions.append({"context": context, "mentions": [mention]})
    files = {
        **{f"mewslix/wikipedia_pairs-{split}.jsonl": lines(pairs) for split in ("train", "dev")},
        "mewslix/wikinews_mentions-test.jsonl": lines(mentions),
        "mewslix/candidate_set_entities.jsonl": lines(entity(number) for number in range(10, 60)),
    }
    linked = carry_out(
        tmp_path_factory.mktemp("linked"), wider_backbone, "mewslix", files, ["evaluation.languages=[de, ta]"]
    )
    check_every_method_is_scored(linked, {"de", "ta"}, "map@20")
    assert {row["note"] for row in linked.rows} == {"pool of 50 candidates"}
    check_submission(linked, "mewslix", "ta", {f"ta{number}": [f"Q{number}"] for number in range(10, 14)})


def test_query_without_a_right_candidate_fails_with_its_name(wider_backbone: Path, tmp_path: Path, capsys: Any):
    context, mention = article(77, "de")
    pair = {"contextual_mention": {"context": context, "mention": mention}, "entity": entity(77)}
    files = {
        **{f"mewslix/wikipedia_pairs-{split}.jsonl": lines([pair] * 4) for split in ("train", "dev")},
        "mewslix/wikinews_mentions/test-de.jsonl": lines([{"context": context, "mentions": [mention]}]),
        "mewslix/candidate_set_entities.jsonl": lines(entity(number) for number in range(3)),
    }
    config = write_study(tmp_path, wider_backbone, "mewslix", files)
    overrides = ["methods=[direct]", "intermediate.tasks=[]", "evaluation.languages=[de]"]
    assert main(["run", str(config), *overrides]) == 2
    assert "no candidate of mewslix is right for query 'de77', which should find 'Q77'" in capsys.readouterr().err
