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

from adaptstilts.cli.main import main
from adaptstilts.evaluate.gold import gold_of
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.submission.folder import submission_path, write_predictions
from adaptstilts.submission.leaderboard import leaderboard_content
from adaptstilts.submission.score import score_folder
from adaptstilts.tasks.examples import Bitext, Example, SpanExample
from adaptstilts.tasks.registry import get_task, target_tasks
from adaptstilts.tasks.spec import Kind, Split, Task

MOST = 4
TASKS = (*target_tasks(), get_task("xcopa"), get_task("tatoeba_r"))
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
def data(shared_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slices, with Social IQa's dev rows cut into a training and a dev set, as no others are there."""
    folder = tmp_path_factory.mktemp("data")
    for held in (shared_root / "data").iterdir():
        if held.is_dir() and held.name != "siqa":
            (folder / held.name).symlink_to(held)
    lines = (shared_root / "data" / "siqa" / "socialIQa_v1.4_dev.jsonl").read_text(encoding="utf-8").splitlines()
    (folder / "siqa").mkdir()
    for name, part in (("trn", lines[:1000]), ("dev", lines[1000:])):
        (folder / "siqa" / f"socialIQa_v1.4_{name}.jsonl").write_text("\n".join(part) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(data: Path, small_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study that trained on eight rows of each slice and predicted four of each language."""
    folder = tmp_path_factory.mktemp("round_trip")
    tasks = ", ".join(task.name for task in TASKS)
    text = STUDY.format(backbone=small_backbone, folder=folder, data=data, tasks=tasks)
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
    gold = gold_of(task, rows, task.labels)
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


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_submission_lines_of_real_slices_score_as_the_study_does(
    task: Task,
    study: Path,
    scored: dict[str, dict[str, dict[str, float]]],
    data: Path,
    tmp_path: Path,
    record_property: Any,
):
    root = DataRoot(data)
    files = sorted((study / "store" / "predict").glob(f"direct-{task.name}-*/predictions/*.json"))
    for path in files:
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = root.load(task, Split(record["split"]), path.stem, MOST)
        english = [sentence.text for sentence in rows.english] if isinstance(rows, Bitext) else []
        content, _ = leaderboard_content(get_task(task.name), record["predictions"], english)
        write_predictions(tmp_path / "predictions", task, path.stem, content)
        write_gold(tmp_path / "gold", task, path.stem, rows)
        if content:  # BUCC mining may find no pair in four sentences, and an empty file is refused
            name = task.folder or task.name
            found = score_folder(tmp_path / "predictions", tmp_path / "gold", [name], [path.stem]).scores
            assert found[name][path.stem] == pytest.approx(scored[task.name][path.stem])
    official = {code for code in root.evaluation_languages(task) if code in task.languages}
    assert {path.stem for path in files} == set(scored[task.name]) == official
    record_property("languages", len(files))
    print(f"{task.name}: {len(files)} of {len(task.languages)} languages")  # noqa: T201 - shown by pytest -s
