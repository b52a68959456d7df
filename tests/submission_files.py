"""Predictions and labels in XTREME's submission layout, as texts by file name, and writing them."""

import json
from pathlib import Path

LABELS = {
    "xnli/test-en.tsv": "neutral\nentailment\nneutral\n",
    "xnli/test-de.tsv": "neutral\nneutral\n",
    "udpos/test-en.tsv": "DET\nNOUN\n\nVERB\n",
    "bucc2018/test-de.tsv": "de-1\ten-1\nde-2\ten-2\n",
    "tatoeba/test-de.tsv": "2\n0\n1\n",
    "xquad/test-en.json": json.dumps(
        {
            "data": [
                {
                    "paragraphs": [
                        {"qas": [{"id": "q1", "answers": [{"text": "a red fox"}]}]},
                        {"qas": [{"id": "q2", "answers": [{"text": "Anna"}, {"text": "Anna B"}]}]},
                    ]
                }
            ]
        }
    ),
}
PREDICTIONS = {
    "xnli/test-en.tsv": "neutral\nneutral\nneutral\n",
    "xnli/test-de.tsv": "neutral\nentailment\n",
    "udpos/test-en.tsv": "DET\nVERB\n\nVERB\n",
    "bucc2018/test-de.tsv": "de-1\ten-1\n",
    "tatoeba/test-de.tsv": "2\n0\n0\n",
    "xquad/test-en.json": '{"q1": "fox"}',
    "glue/test-en.json": "{}",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
