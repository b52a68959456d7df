import json
from pathlib import Path

from adaptstilts.study.stages.examples import Examples
from adaptstilts.tasks.registry import get_task


def squad(count: int) -> str:
    """A file in SQuAD's format with so many questions."""
    paragraphs = [
        {
            "context": f"A{n} b.",
            "qas": [{"id": f"q{n}", "question": "Q?", "answers": [{"text": f"A{n}", "answer_start": 0}]}],
        }
        for n in range(count)
    ]
    return json.dumps({"data": [{"paragraphs": paragraphs}]})


def test_rows_held_out_of_training_are_noted_with_the_task(tmp_path: Path):
    for split, count in (("train", 40), ("dev", 3)):
        folder = tmp_path / "tydiqa" / f"tydiqa-goldp-v1.1-{split}"
        folder.mkdir(parents=True)
        (folder / f"tydiqa.goldp.en.{split}.json").write_text(squad(count), encoding="utf-8")
    data = Examples(tmp_path).training(get_task("tydiqa"), 7, hold_out=True)
    assert (len(data.train), len(data.dev)) == (7, 4)
    assert data.notes == (
        "tydiqa: 4 training rows held out to pick the checkpoint, since the dev set is what is scored",
    )
