"""Rows of every intermediate task through every step: examples, encoded, predicted, lines of a folder, scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import XLMRobertaConfig, XLMRobertaModel

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.metrics import score_examples
from adaptstilts.evaluate.predict import predict
from adaptstilts.models.heads import new_head, spec_for
from adaptstilts.models.network import TaskNetwork
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.submission.folder import submission_path, write_predictions
from adaptstilts.submission.score import score_folder
from adaptstilts.tasks.registry import intermediate_tasks
from adaptstilts.tasks.spec import Kind, Split, Task

MOST = 24
# CCGbank is not free: these rows were written for the test.
CCG = {
    "train": "Nobody left early\tN S\\NP (S\\NP)\\(S\\NP)\nThe train came\tNP/N N S\\NP\n",
    "dev": "A dog barked\tNP/N N S\\NP\nNobody came early\tN S\\NP (S\\NP)\\(S\\NP)\n",
}
SETTINGS = EncodeSettings(128, 64, 32)


@pytest.fixture
def data(shared_root: Path, tmp_path: Path, request: pytest.FixtureRequest) -> DataRoot:
    """The slices, or the rows written for the test where there is no slice."""
    if request.node.callspec.params["task"].name != "ccg":
        return DataRoot(shared_root / "data")
    for name, text in CCG.items():
        (tmp_path / "data" / "ccg").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "ccg" / f"ccg.{name}").write_text(text, encoding="utf-8")
    return DataRoot(tmp_path / "data")


def write_gold(folder: Path, task: Task, gold: Any) -> Path:
    """Write labels in the layout of a submission, answers in SQuAD's format."""
    if task.kind is not Kind.EXTRACT:
        return write_predictions(folder, task, "en", gold)
    questions = [
        {"id": name, "is_impossible": not texts, "answers": [{"text": text, "answer_start": 0} for text in texts]}
        for name, texts in gold.items()
    ]
    path = submission_path(folder, task, "en")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": [{"paragraphs": [{"qas": questions}]}]}), encoding="utf-8")
    return path


def untrained(spec: Any, pieces: int) -> TaskNetwork:
    """A one-layer encoder, 16 wide, with a random head."""
    torch.manual_seed(0)
    shape = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "type_vocab_size": 1}
    config = XLMRobertaConfig(
        vocab_size=pieces, hidden_size=16, max_position_embeddings=130, initializer_range=0.3, **shape
    )
    encoder = XLMRobertaModel(config, add_pooling_layer=False)
    return TaskNetwork(encoder, new_head(spec, 16, 0.0, seed=0, std=0.5), None).eval()


@pytest.mark.parametrize("task", intermediate_tasks(), ids=lambda task: task.name)
def test_lines_of_intermediate_dev_rows_score_as_the_predictions_do(
    task: Task, data: DataRoot, tiny_tokenizer: Any, tmp_path: Path
):
    rows = data.load_examples(task, Split.DEV, "en", MOST, labelled=True)
    labels = data.labels(task)
    encoded = encode(task, rows, tiny_tokenizer, SETTINGS)
    network = untrained(spec_for(task.kind, labels), len(tiny_tokenizer))
    found = predict(network, task, labels, encoded, batch_tokens=2048).predictions
    gold = gold_of(task, rows, labels)
    wanted = score_examples(task.metric, found, gold, "en")
    write_predictions(tmp_path / "predictions", task, "en", found)
    write_gold(tmp_path / "gold", task, gold)
    scores = score_folder(tmp_path / "predictions", tmp_path / "gold", [task.name]).scores
    assert scores[task.name]["en"] == pytest.approx(wanted)
