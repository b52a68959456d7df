"""The leaderboard folder of a study on files as XTREME's download leaves them: hidden test labels and all."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from commandline import Said, say

from adaptstilts.submission.folder import read_predictions, submission_path
from adaptstilts.tasks.registry import get_task


def pairs(count: int, *, labelled: bool = True) -> str:
    words = ("entailment", "neutral", "contradiction")
    return "".join(
        f"The boat {row} left.\tIt was cold.{f'{chr(9)}{words[row % 3]}' if labelled else ''}\n" for row in range(count)
    )


def tags(count: int, *, labelled: bool = True) -> str:
    return "".join(f"Dog{row}\tNOUN\nran\tVERB\n\n" if labelled else f"Dog{row}\nran\n\n" for row in range(count))


def squad(*names: str, blank: bool = False) -> str:
    answer = {"text": "", "answer_start": 0} if blank else {"text": "king", "answer_start": 4}
    questions = [{"id": name, "question": "Who left?", "answers": [answer]} for name in names]
    return json.dumps({"data": [{"paragraphs": [{"context": "The king left at noon.", "qas": questions}]}]})


def side(language: str, count: int) -> str:
    return "".join(f"{language}-{row:09d}\tThe boat {row} of {language} left.\n" for row in range(1, count + 1))


GERMAN = ["Wir gehen.", "Anna schläft.", "Es regnet.", "Ja, heute.", "Nein, morgen."]
ENGLISH = ["We go.", "Anna sleeps.", "It rains.", "Yes, today.", "No, tomorrow."]
FILES = {
    "mnli/multinli_1.0_train.jsonl": "".join(
        json.dumps({"gold_label": word, "sentence1": f"Boat {row} left.", "sentence2": "Cold.", "pairID": str(row)})
        + "\n"
        for row, word in enumerate(["entailment", "neutral", "contradiction"] * 8)
    ),
    "xnli/dev-en.tsv": pairs(6),
    "xnli/dev-de.tsv": pairs(6),
    "xnli/test-en.tsv": pairs(5, labelled=False),
    "xnli/test-de.tsv": pairs(5, labelled=False),
    "xnli/dev-sw.tsv": pairs(4),
    "udpos/train-en.tsv": tags(12),
    "udpos/dev-en.tsv": tags(4),
    "udpos/test-en.tsv": tags(4),
    "udpos/test-th.tsv": tags(3, labelled=False),
    "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json": squad(*(f"q{row}" for row in range(12))),
    "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.sw.train.json": squad("a", "b"),
    "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json": squad("e1", "e2", blank=True),
    "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.sw.dev.json": squad("s1", "s2", "s1", blank=True),
    "tatoeba/tatoeba.deu-eng.deu": "\n".join(GERMAN) + "\n",
    "tatoeba/tatoeba.deu-eng.eng": "\n".join(ENGLISH) + "\n",
    "tatoeba/fr-en.fr": "Nous.\nAnne.\nOui.\n",
    "tatoeba/fr-en.en": "Anna.\nWe.\nYes.\n",
    "bucc2018/de-en.dev.de": side("de", 6),
    "bucc2018/de-en.dev.en": side("en", 6),
    "bucc2018/de-en.dev.gold": "".join(f"de-{row:09d}\ten-{row:09d}\n" for row in range(1, 5)),
    "bucc2018/de-en.test.de": side("de", 7),
    "bucc2018/de-en.test.en": side("en", 7),
}
STUDY = """\
name: submitted
backbone: {backbone}
threads: 1
store: {folder}/store
results: {folder}/results
data: {{root: {folder}/data}}
methods: [direct, adapter]
target:
  tasks: [xnli, udpos, tydiqa, bucc2018, tatoeba]
  full: {{epochs: 1}}
  adapter: {{epochs: 1}}
evaluation: {{submission: true}}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, small_backbone: Path) -> Path:
    """The configuration of the study, carried out."""
    folder = tmp_path_factory.mktemp("study")
    for name, text in FILES.items():
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text(text, encoding="utf-8")
    config = folder / "study.yaml"
    config.write_text(STUDY.format(backbone=small_backbone, folder=folder), encoding="utf-8")
    said = say("run", config)
    assert said.code == 0, said.err
    return config


@pytest.fixture
def written(study: Path, tmp_path: Path) -> tuple[Path, Said]:
    """The folder of the direct method, and what the command said."""
    folder = tmp_path / "out"
    return folder, say("submit", study, "--method", "direct", "--to", folder)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def content(folder: Path, task: str, language: str) -> Any:
    return read_predictions(submission_path(folder, get_task(task), language), get_task(task)).content


def raw(study: Path, slug: str, language: str) -> Any:
    (artefact,) = (study.parent / "store" / "predict").glob(f"{slug}-" + "[0-9a-f]" * 16)
    return json.loads((artefact / "predictions" / f"{language}.json").read_text(encoding="utf-8"))


def test_hidden_test_splits_are_written_and_other_splits_left_out(written: tuple[Path, Said]):
    folder, said = written
    assert said.code == 0, said.err
    assert names(folder) == [
        "bucc2018/test-de.tsv",
        "tatoeba/test-de.tsv",
        "tatoeba/test-fr.tsv",
        "tydiqa/test-en.json",
        "tydiqa/test-sw.json",
        "udpos/test-en.tsv",
        "udpos/test-th.tsv",
        "xnli/test-de.tsv",
        "xnli/test-en.tsv",
    ]
    lines = said.out.splitlines()
    assert lines[1].split() == ["xnli", "2", "of", "15", "--method", "direct", "--source", "none", "--seed", "1"]
    assert "  left out, not the leaderboard's: sw (dev)" in lines
    assert "  missing: ar bg el es fr hi ru th tr ur vi zh" in lines
    assert "pawsx           0 of 7  not in this study" in lines
    assert lines[-1] == f"wrote 9 files to {folder}"
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_files_have_a_line_for_every_row_of_the_test_split(written: tuple[Path, Said]):
    folder, _ = written
    assert len(content(folder, "xnli", "de")) == 5
    assert [len(sentence) for sentence in content(folder, "udpos", "th")] == [2, 2, 2]
    assert set(content(folder, "tydiqa", "en")) == {"e1", "e2"}
    assert all(
        foreign.startswith("de-") and english.startswith("en-")
        for foreign, english in content(folder, "bucc2018", "de")
    )


def test_repeated_question_ids_are_written_as_published(written: tuple[Path, Said], study: Path):
    folder, said = written
    predicted = raw(study, "direct-tydiqa-sw-hidden", "sw")["predictions"]
    assert set(predicted) == {"s1#0", "s2#1", "s1#2"}
    assert content(folder, "tydiqa", "sw") == {"s1": predicted["s1#2"], "s2": predicted["s2#1"]}
    assert "  note: sw: 3 questions share 2 ids: the last answer of each is written" in said.out.splitlines()


def test_tatoeba_follows_the_sorted_english_side(written: tuple[Path, Said], study: Path):
    folder, _ = written
    predicted = raw(study, "direct-tatoeba-de", "de")["predictions"]
    by_sentence = dict(zip(ENGLISH, predicted, strict=True))
    assert content(folder, "tatoeba", "de") == [by_sentence[sentence] for sentence in sorted(ENGLISH)]
    assert content(folder, "tatoeba", "fr") == raw(study, "direct-tatoeba-fr-hidden", "fr")["predictions"]


def test_tatoeba_searched_from_the_foreign_side_is_refused(study: Path, tmp_path: Path):
    direction = "retrieval.direction=foreign_to_english"
    words = ("methods=[direct]", "target.tasks=[tatoeba]", direction, f"results={tmp_path}")
    assert say("run", study, *words).code == 0
    said = say("submit", study, *words, "--to", tmp_path / "out")
    assert said.code == 2
    assert "retrieval.direction: tatoeba was searched from 'de' into English. Allowed: english_to_foreign" in said.err
    assert not (tmp_path / "out").exists()


def test_bucc_threshold_of_the_hidden_test_split_comes_from_dev(study: Path):
    assert raw(study, "direct-bucc2018-de-hidden", "de")["note"] == "threshold fitted on dev"


def test_hidden_splits_are_predicted_but_not_scored(study: Path):
    text = (study.parent / "results" / "submitted" / "results.csv").read_text(encoding="utf-8")
    scored = {tuple(line.split(",")[index] for index in (3, 4, 8)) for line in text.splitlines()[1:]}
    assert ("xnli", "de", "dev") in scored
    assert ("udpos", "en", "test") in scored
    assert not {("udpos", "th", "test"), ("xnli", "de", "test")} & scored


def test_any_split_writes_the_others_too_and_says_so(study: Path, tmp_path: Path):
    said = say("submit", study, "--method", "direct", "--to", tmp_path / "out", "--any-split", "--json")
    files = said.json["tasks"]["xnli"]
    files.pop("notes")  # how the published numbers of rows differ, where they are known
    assert files == {
        "setting": "--method direct --source none --seed 1",
        "written": ["en", "de", "sw"],
        "other_split": {"sw": "dev"},
        "unfinished": [],
        "missing": ["ar", "bg", "el", "es", "fr", "hi", "ru", "th", "tr", "ur", "vi", "zh"],
    }
    assert len(content(tmp_path / "out", "xnli", "sw")) == 4
    assert not said.json["is_complete"]
    assert said.json["files"] == 10


def test_several_settings_are_listed_and_best_is_chosen_only_when_asked_for(study: Path, tmp_path: Path):
    said = say("submit", study, "--to", tmp_path / "out")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "2 settings match, and a submission holds one. Allowed: (method='direct', source='none', seed=1), "
        "(method='adapter', source='none', seed=1). Name one by method, source and seed (--method, --source, --seed), "
        "or choose per task by English dev scores with best (--best).\n"
    )
    assert not (tmp_path / "out").exists()
    assert say("submit", study, "--best", "--to", tmp_path / "out", "--json").json["files"] == 9


def test_unknown_setting_is_refused_with_those_of_the_study(study: Path, tmp_path: Path):
    said = say("submit", study, "--method", "stack", "--to", tmp_path / "out")
    assert said.code == 2
    assert said.err == "method: 'stack' is not a method of this study. Allowed: direct, adapter.\n"


def test_folder_is_replaced_only_by_force_and_only_if_it_is_a_submission(written: tuple[Path, Said], study: Path):
    folder, _ = written
    words = ("submit", study, "--method", "adapter", "--to", folder)
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    said = say(*words)
    assert said.code == 2
    assert said.err == f"{folder}: is not empty. Give another folder, or replace it with force (--force).\n"
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before
    (folder / "mlqa").mkdir()
    assert say(*words, "--force").code == 0
    assert not (folder / "mlqa").exists()
    (folder / "thesis.tex").write_text("x", encoding="utf-8")
    said = say(*words, "--force")
    assert said.err == f"{folder}: contains files that are not of a submission: thesis.tex. Give another folder.\n"
    assert (folder / "thesis.tex").is_file()


def test_what_was_written_passes_the_check_of_its_tasks_but_for_what_is_missing(written: tuple[Path, Said]):
    folder, _ = written
    said = say("submit", "--check", folder)
    assert said.code == 2
    lines = said.err.splitlines()
    assert all(": missing: " in line for line in lines if " in the published test set" not in line)
    assert sum(line.startswith(f"{folder}/xnli/") and ": missing: " in line for line in lines) == 13


def test_study_cut_to_some_rows_is_refused(study: Path, tmp_path: Path):
    words = ("submit", study, "data.max_evaluation=3", "--method", "direct", "--to", tmp_path / "out")
    assert "data.max_evaluation: the study predicts only 3 rows per language, a submission needs all" in say(*words).err
    assert (
        "data.max_evaluation: a submission needs every row, not 3. Allowed: null"
        in say("plan", study, "data.max_evaluation=3").err
    )


def test_nothing_finished_is_refused(study: Path, tmp_path: Path):
    words = ("submit", study, "seeds=[7]", "--method", "direct", "--to", tmp_path / "out")
    said = say(*words, "target.tasks=[xnli]")
    assert said.code == 2
    assert "no finished predictions to submit. Run the study first: study.run(), or adaptstilts run" in said.err
    assert list(tmp_path.iterdir()) == []
    # Retrieval has no training and so no seed: its predictions are those of the first seed.
    said = say(*words)
    assert said.code == 0
    assert "  not finished: en de sw" in said.out.splitlines()
    assert said.out.endswith(f"wrote 3 files to {tmp_path / 'out'}\n")


def test_study_without_any_label_runs_and_is_submitted(study: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(study.parent, copy)
    config = copy / "study.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(study.parent), str(copy)), encoding="utf-8")
    for name in ("tatoeba.deu-eng.deu", "tatoeba.deu-eng.eng"):
        (copy / "data" / "tatoeba" / name).unlink()
    words = ("target.tasks=[tatoeba]", "methods=[direct]")
    assert "no labelled evaluation file" in say("run", config, *words, "evaluation.submission=false").err
    said = say("run", config, *words)
    assert said.code == 0, said.err
    said = say("submit", config, *words, "--to", tmp_path / "out")
    assert (said.code, names(tmp_path / "out")) == (0, ["tatoeba/test-fr.tsv"])


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("study.yaml",),
        ("--to", "out"),
        ("study.yaml", "--to", "out", "--check", "x"),
        ("study.yaml", "--to", "out", "--gold", "x"),
        ("--check", "x", "--to", "out"),
    ],
)
def test_form_of_the_command_must_be_one_of_two(words: tuple[str, ...]):
    said = say("submit", *words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "give either a study and a folder to write to, or a folder to check. Allowed: submit CONFIG"
    )


def test_check_shows_scores_and_passes_for_the_mock_folder(shared_root: Path):
    mock = shared_root / "parity" / "xtreme_mock"
    said = say("submit", "--check", mock / "predictions", "--gold", mock / "labels")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("162 files checked, no problems\n")
    assert re.search(r"^  overall +62\.2 +71\.4 +62\.6 +6\.5$", said.out, re.MULTILINE)
    record = say("submit", "--check", mock / "predictions", "--gold", mock / "labels", "--task", "udpos", "--json").json
    assert record["problems"] == []
    assert len(record["scores"]["udpos"]) == record["files"] == 33
