import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, EvaluationError
from adaptstilts.evaluate import hf_metrics

ANSWERS = {
    "predictions": [{"id": "1", "prediction_text": "der Fuchs"}, {"id": "2", "prediction_text": ""}],
    "references": [
        {"id": "1", "answers": {"text": ["ein roter Fuchs"], "answer_start": [4]}},
        {"id": "2", "answers": {"text": ["Anna"], "answer_start": [0]}},
    ],
}
INPUTS = {
    "accuracy": {"predictions": ["a", "b", "c"], "references": ["a", "b", "b"]},
    "accuracy_f1": {"predictions": [1, 0, 1], "references": [1, 1, 1]},
    "bucc": {
        "predictions": [[["de-1", "en-1"], ["de-2", "en-2"]], [["de-3", "en-3"]]],
        "references": [[["de-1", "en-1"]], [["de-2", "en-2"]]],
    },
    "chunk_f1": {"predictions": [["B-PER", "O"], ["NOUN"]], "references": [["B-PER", "B-LOC"], ["NOUN"]]},
    "mlqa": {**ANSWERS, "language": "de"},
    "squad": ANSWERS,
    "squad2": ANSWERS,
    "tatoeba": {"predictions": [3, 5], "references": [3, 1]},
}
EXPECTED = {
    "accuracy": {"accuracy": 200 / 3},
    "accuracy_f1": {"accuracy": 200 / 3, "f1": 80.0},
    "bucc": {"f1": 40.0, "precision": 100 / 3, "recall": 50.0},
    "chunk_f1": {
        "f1": 80.0,
        "precision": 100.0,
        "recall": 200 / 3,
        "token_accuracy": 200 / 3,
        "chunk_f1_seqeval1": 80.0,
    },
    "mlqa": {"exact_match": 0.0, "f1": 100 / 3},
    "squad": {"exact_match": 0.0, "f1": 20.0},
    "squad2": {"exact_match": 0.0, "f1": 20.0},
    "tatoeba": {"accuracy": 50.0},
}
SCRIPT = """
import json, socket, sys

def refuse(*arguments):
    raise RuntimeError("the network was used")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import evaluate
from adaptstilts.evaluate import hf_metrics

inputs = json.loads(sys.stdin.read())
found = {"loaded": {}, "by_path": {}}
for name, values in inputs.items():
    found["loaded"][name] = hf_metrics.load(name).compute(**values)
    found["by_path"][name] = evaluate.load(hf_metrics.__file__, name).compute(**values)
growing = hf_metrics.load("accuracy")
growing.add(prediction="a", reference="a")
growing.add_batch(predictions=["b", "c"], references=["b", "d"])
found["growing"] = growing.compute()
found["combined"] = evaluate.combine([hf_metrics.load("chunk_f1")]).compute(**inputs["chunk_f1"])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What all metrics give in a fresh process without network, with an empty home and cache."""
    home = tmp_path_factory.mktemp("home")
    package = str(Path(hf_metrics.__file__).parents[2])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HOME": str(home),
        "HF_HOME": str(home / "cache"),
        "HF_EVALUATE_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join([package, os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(INPUTS),
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert {entry.name for entry in home.iterdir()} == {"cache"}
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", sorted(hf_metrics.METRICS))
def test_metric_gives_the_scores_counted_by_hand_however_it_is_loaded(name: str, results: dict[str, dict]):
    assert results["loaded"][name] == pytest.approx(EXPECTED[name], abs=1e-12)
    assert results["by_path"][name] == results["loaded"][name]


def test_metric_adds_examples_one_by_one_and_in_batches(results: dict[str, dict]):
    assert results["growing"] == pytest.approx({"accuracy": 200 / 3}, abs=1e-12)


def test_metric_can_be_combined(results: dict[str, dict]):
    assert results["combined"] == pytest.approx(EXPECTED["chunk_f1"], abs=1e-12)


def test_every_metric_has_a_hand_computed_case():
    assert set(hf_metrics.METRICS) == set(INPUTS) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(hf_metrics.METRICS))
def test_metric_says_what_it_takes_and_gives(name: str, tmp_path: Path):
    metric = hf_metrics.load(name, cache_dir=tmp_path)
    assert metric.name == f"adaptstilts_{name}"
    assert all(f"    {argument}: " in metric.inputs_description for argument in INPUTS[name])
    assert all(score in metric.inputs_description for score in EXPECTED[name])
    assert metric.description.endswith("in percent.")


def test_loading_raises_with_a_guess_when_a_name_is_unknown():
    with pytest.raises(EvaluationError, match=r"'chunkf1' is not a metric\. Did you mean 'chunk_f1'"):
        hf_metrics.load("chunkf1")


def answer(name: str, text: str = "x") -> dict[str, str]:
    return {"id": name, "prediction_text": text}


def gold_answer(name: str) -> dict[str, object]:
    return {"id": name, "answers": {"text": ["x"], "answer_start": [0]}}


@pytest.mark.parametrize(
    ("name", "predictions", "references", "message"),
    [
        ("squad", [answer("a"), answer("a")], [gold_answer("a"), gold_answer("b")], "predictions: the question id 'a'"),
        ("squad2", [answer("a"), answer("b")], [gold_answer("a")] * 2, "references: the question id 'a' is there twic"),
        ("squad", [answer("c")], [gold_answer("a")], "predictions: 'c' is not the id of a reference"),
        (
            "mlqa",
            [answer("a")],
            [gold_answer("a")],
            "language: this argument is missing. ISO 639-1 code of the answers",
        ),
        ("tatoeba", [1, 2], [0, 1], "predictions: row 2 does not exist. Allowed: 0 to 1. Count from 0."),
        ("tatoeba", [-1, 2], [3, 9], "predictions: row -1 does not exist. Allowed: 0, 1, 2"),
        ("accuracy_f1", [1, 2], [0, 1], "predictions: 2 is not a class. Allowed: 0, 1."),
        (
            "bucc",
            [[["a", "b", "c"]]],
            [[["a", "b"]]],
            "predictions: ['a', 'b', 'c'] is not a foreign id and an English",
        ),
        ("bucc", [[["a", "b"], ["a", "b"]]], [[["a", "b"]]], "predictions: the pair a b is there twice."),
        ("accuracy_f1", [0.7, 0.2], [1, 0], "predictions: 0.7 is not a class. Allowed: 0, 1."),
        ("tatoeba", [0.5, 1], [0, 1], "predictions: row 0.5 does not exist. Allowed: 0 to 1. Count from 0."),
    ],
)
def test_rules_are_those_of_score(name: str, predictions: list, references: list, message: str, tmp_path: Path):
    metric = hf_metrics.load(name, cache_dir=tmp_path)
    with pytest.raises(EvaluationError) as found:
        metric.compute(predictions=predictions, references=references)
    assert str(found.value).startswith(message)


def test_argument_that_a_metric_lacks_is_named(tmp_path: Path):
    with pytest.raises(EvaluationError, match=r"languge: no argument of this metric\. Did you mean 'language'"):
        hf_metrics.load("mlqa", cache_dir=tmp_path).compute(**ANSWERS, languge="de", language="de")


@pytest.mark.parametrize(
    ("language", "message"), {"German": "Write 'de' for German", "xx": "is not a known lan"}.items()
)
def test_language_that_is_not_known_is_named(language: str, message: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=message):
        hf_metrics.load("mlqa", cache_dir=tmp_path).compute(**ANSWERS, language=language)
