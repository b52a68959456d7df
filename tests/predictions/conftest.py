"""Finished studies with predictions of every kind."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from backbones import save_backbone
from repository import ROOT

from adaptstilts.cli.main import main
from adaptstilts.study.study import Study

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAGE = ROOT / "docs" / "predictions.md"
PLACES = """
store: {folder}/store
results: {folder}/results
"""
FILES = """\
name: files
backbone: {folder}/backbone
methods: [direct]
data: {{root: {folder}/data}}
intermediate: {{tasks: []}}
target:
  tasks: [xcopa, lareqa, mewslix, multichecklist]
  full: {{epochs: 1, batch_size: 16, learning_rate: 1e-3, max_length: 96, evaluate_examples: 4}}
evaluation: {{benchmark: xtreme_r, languages: [en, de, et], submission: true}}
threads: 1
"""


def finish(path: Path, text: str) -> Path:
    """Write a configuration, carry the study out, and return the configuration's path."""
    path.write_text(text, encoding="utf-8")
    assert main(["run", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def mini_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of the finished study on the mini world that docs/predictions.md shows."""
    folder = tmp_path_factory.mktemp("mini")
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return finish(folder / "example.yaml", text + PLACES.format(folder=folder))


@pytest.fixture(scope="session")
def mini_study(mini_config: Path) -> Study:
    return Study.load(mini_config)


@pytest.fixture(scope="session")
def files_config(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: PreTrainedTokenizerFast) -> Path:
    """Configuration of a finished study on files: multiple choice, queries with a pool, checklist tests."""
    folder = tmp_path_factory.mktemp("files")
    save_backbone(folder / "backbone", tiny_tokenizer, width=32, positions=258, spread=0.2)
    assert main(["data", "checklist", "--to", str(folder / "data"), "--cases", "2", "--seed", "3"]) == 0
    for name, text in data_files().items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return finish(folder / "files.yaml", (FILES + PLACES).format(folder=folder))


@pytest.fixture(scope="session")
def files_study(files_config: Path) -> Study:
    return Study.load(files_config)


def data_files() -> dict[str, str]:
    pairs = [{"contextual_mention": mention(at, "en"), "entity": entity(at)} for at in range(6)]
    mentions = [mention(at, code) for code in ("en", "de") for at in (10, 11, 12, 12)]
    blanks = [{**one, "mentions": [one.pop("mention")]} for one in mentions]
    for at, one in enumerate(blanks):
        one["mentions"][0]["example_id"] += f"-{at}"
    return {
        **{f"siqa/socialIQa_v1.4_{split}.jsonl": lines(feeling(at) for at in range(6)) for split in ("trn", "dev")},
        "xcopa/train-en.jsonl": lines(cause(at) for at in range(6)),
        "xcopa/val-en.jsonl": lines(cause(at) for at in range(4)),
        # XTREME's copy, in which labels that are all 0 are hidden.
        "xcopa/test-et.jsonl": lines({**cause(at), "label": 0} for at in range(90, 96)),
        **{f"squad/v1.1/{split}-v1.1.json": questions(8) for split in ("train", "dev")},
        **{f"lareqa/xquad-r/{code}.json": paragraphs(code, 5) for code in ("en", "de")},
        **{f"mewslix/wikipedia_pairs-{split}.jsonl": lines(pairs) for split in ("train", "dev")},
        "mewslix/wikinews_mentions-test.jsonl": lines(blanks),
        "mewslix/candidate_set_entities.jsonl": lines(entity(at) for at in range(10, 40)),
    }


def lines(rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def cause(at: int) -> dict[str, Any]:
    # Two questions on each premise: one prompt for every second pair of rows.
    return {"premise": f"The train was slow on day {at // 2}.", "choice1": "It was cold.", "choice2": "Anna slept.",
            "question": "cause", "label": (at // 2) % 2, "idx": at}  # fmt: skip


def feeling(at: int) -> dict[str, Any]:
    return {"context": f"Anna read letter {at}.", "question": "Is it true?", "answerA": "Yes", "answerB": "No",
            "answerC": "Nobody knew", "correct": "ABC"[at % 3]}  # fmt: skip


def questions(count: int) -> str:
    articles = [
        {"context": f"Anna bought boat {at} in Berlin.",
         "qas": [{"id": f"q{at}", "question": "Who bought it?", "answers": [{"text": "Anna", "answer_start": 0}]}]}
        for at in range(count)
    ]  # fmt: skip
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": articles}]})


def paragraphs(code: str, count: int) -> str:
    """Write paragraphs of two sentences, each with a question; ids are the same in every language."""
    words = {"de": ("Anna schläft", "Berlin ist alt"), "en": ("Anna sleeps", "It is old")}[code]
    found = []
    for at in range(count):
        sentences = [f"{word} {at}." for word in words]
        context = " ".join(sentences)
        breaks = [[0, len(sentences[0])], [len(sentences[0]) + 1, len(context)]]
        qas = [
            {"id": f"q{at}-{side}", "question": f"Who {at}?", "answers": [{"text": str(at), "answer_start": end - 2}]}
            for side, (_, end) in enumerate(breaks)
        ]
        found.append({"context": context, "qas": qas, "sentence_breaks": breaks, "sentences": sentences})
    return json.dumps({"data": [{"title": "t", "paragraphs": found}]}, ensure_ascii=False)


def entity(number: int) -> dict[str, Any]:
    text = f"Boat {number} is a slow boat. Anna bought it."
    spans = [{"start": 0, "end": text.index(" Anna")}, {"start": text.index("Anna"), "end": len(text)}]
    return {"entity_id": f"Q{number}", "title": "t", "description": text, "description_language": "en",
            "description_url": "u", "sentence_spans": spans}  # fmt: skip


def mention(number: int, language: str) -> dict[str, Any]:
    text = f"Nobody slept. Anna saw boat {number} in Berlin."
    context = {"document_id": f"{language}-{number}", "language": language, "text": text,
               "sentence_spans": [{"start": 0, "end": 13}, {"start": 14, "end": len(text)}]}  # fmt: skip
    start = text.index("boat")
    span = {"start": start, "end": text.index(" in"), "text": f"boat {number}"}
    named = {"example_id": f"{language}{number}", "mention_span": span, "entity_id": f"Q{number}"}
    return {"context": context, "mention": named}
