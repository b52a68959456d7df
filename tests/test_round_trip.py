"""Real slices through every step: rows, examples, encoded, predicted, lines of a submission, scores."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adaptstilts.cli import main
from adaptstilts.evaluate.gold import gold_of
from adaptstilts.evaluate.leaderboard import leaderboard_content
from adaptstilts.evaluate.score import score_file
from adaptstilts.evaluate.submission import submission_path, write_predictions
from adaptstilts.tasks.registry import get_task, target_tasks
from adaptstilts.tasks.sources import DataRoot
from adaptstilts.tasks.spec import Bitext, Example, Kind, SpanExample, Split, Task

MOST = 4
STUDY = """\
name: round_trip
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{root: {data}, max_train: 8, max_evaluation: 4}}
methods: [direct]
target:
  tasks: [{tasks}]
  full: {{epochs: 1, max_length: 128}}
"""


@pytest.fixture(scope="module")
def study(shared_root: Path, small_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study that trained on eight rows of each slice and predicted four of each language."""
    folder = tmp_path_factory.mktemp("round_trip")
    tasks = ", ".join(task.name for task in target_tasks())
    text = STUDY.format(backbone=small_backbone, folder=folder, data=shared_root / "data", tasks=tasks)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(["run", str(folder / "study.yaml")])
    assert code == 0, err.getvalue()
    return folder


@pytest.fixture(scope="module")
def scored(study: Path) -> dict[str, dict[str, dict[str, float]]]:
    """The study's own scores by task, language and metric."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    with (study / "results" / "round_trip" / "results.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["target"], {}).setdefault(row["language"], {})[row["metric"]] = float(row["value"])
    return found


def write_gold(folder: Path, task: Task, language: str, rows: Sequence[Example] | Bitext) -> Path:
    """Write labels in the layout of a submission, answers in SQuAD's format."""
    gold = gold_of(task.metric, rows, task.labels)
    if task.kind is Kind.RETRIEVE:
        assert isinstance(rows, Bitext)
        gold, _ = leaderboard_content(task, gold, [sentence.text for sentence in rows.english])
    if task.kind is not Kind.EXTRACT:
        return write_predictions(folder, task, language, gold)
    assert all(isinstance(row, SpanExample) for row in rows)
    questions = [
        {"id": name, "answers": [{"text": text, "answer_start": 0} for text in texts]} for name, texts in gold.items()
    ]
    path = submission_path(folder, task, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"data": [{"paragraphs": [{"qas": questions}]}]}), encoding="utf-8")
    return path


@pytest.mark.parametrize("task", target_tasks(), ids=lambda task: task.name)
def test_submission_lines_of_real_slices_score_as_the_study_does(
    task: Task,
    study: Path,
    scored: dict[str, dict[str, dict[str, float]]],
    shared_root: Path,
    tmp_path: Path,
    record_property: Any,
):
    (artefact,) = (study / "store" / "predict").glob(f"direct-{task.name}-*")
    root = DataRoot(shared_root / "data")
    files = sorted((artefact / "predictions").glob("*.json"))
    for path in files:
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = root.load(task, Split(record["split"]), path.stem, MOST)
        english = [sentence.text for sentence in rows.english] if isinstance(rows, Bitext) else []
        content, _ = leaderboard_content(get_task(task.name), record["predictions"], english)
        predictions = write_predictions(tmp_path / "predictions", task, path.stem, content)
        gold = write_gold(tmp_path / "gold", task, path.stem, rows)
        if content:  # BUCC mining may find no pair in four sentences, and an empty file is refused
            assert score_file(predictions, gold, task, path.stem) == pytest.approx(scored[task.name][path.stem])
    official = {code for code in root.evaluation_languages(task) if code in task.languages}
    assert {path.stem for path in files} == set(scored[task.name]) == official
    record_property("languages", len(files))
    print(f"{task.name}: {len(files)} of {len(task.languages)} languages")  # noqa: T201 - shown by pytest -s
