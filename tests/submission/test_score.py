import json
from pathlib import Path

import pytest
from submission_files import LABELS, PREDICTIONS, write

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.submission.score import FolderScores, averages, score_folder, score_record, score_text


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and labels of five tasks."""
    return write(tmp_path / "predictions", PREDICTIONS), write(tmp_path / "labels", LABELS)


def test_folder_scores_match_a_count_by_hand(folders: tuple[Path, Path]):
    scores = score_folder(*folders).scores
    assert list(scores) == ["xnli", "udpos", "xquad", "bucc2018", "tatoeba"]
    assert scores["xnli"]["en"]["accuracy"] == pytest.approx(200 / 3, abs=1e-12)
    assert scores["xnli"]["de"] == {"accuracy": 50.0}
    names = ("f1", "precision", "recall", "token_accuracy", "chunk_f1_seqeval1")
    assert scores["udpos"]["en"] == pytest.approx(dict.fromkeys(names, 200 / 3), abs=1e-12)
    assert scores["xquad"]["en"] == pytest.approx({"exact_match": 0.0, "f1": 100 / 3}, abs=1e-12)
    assert scores["bucc2018"]["de"] == pytest.approx({"f1": 200 / 3, "precision": 100.0, "recall": 50.0}, abs=1e-12)
    assert scores["tatoeba"]["de"]["accuracy"] == pytest.approx(200 / 3, abs=1e-12)


def test_folder_scores_count_class_one_as_positive_in_qqp(tmp_path: Path):
    predictions = write(tmp_path / "predictions", {"qqp/test-en.tsv": "1\n1\n0\n0\n"})
    labels = write(tmp_path / "labels", {"qqp/test-en.tsv": "1\n0\n1\n0\n"})
    assert score_folder(predictions, labels).scores == {"qqp": {"en": {"accuracy": 50.0, "f1": 50.0}}}


def test_folder_scores_note_what_was_left_out(folders: tuple[Path, Path]):
    predictions, labels = folders
    (predictions / "xnli" / "test-de.tsv").unlink()
    (labels / "tatoeba" / "test-de.tsv").unlink()
    write(predictions, {"xnli/test-pl.tsv": "neutral\n"})
    write(labels, {"xnli/test-pl.tsv": "neutral\n"})
    found = score_folder(predictions, labels)
    assert set(found.notes) == {
        "skipped glue/, which is not a task of this package",
        "xnli: no predictions for de",
        "xnli: pl scored although not among the task's languages",
        "tatoeba: no labels for de",
        "xquad/en: no prediction for 1 of 2 questions, scored 0",
    }
    assert list(found.scores["xnli"]) == ["en", "pl"]
    assert "tatoeba" not in found.scores


@pytest.mark.parametrize(
    ("tasks", "languages", "expected"),
    [
        (["xnli"], None, {"xnli": ["en", "de"]}),
        (["tatoeba", "xnli"], ["de"], {"xnli": ["de"], "tatoeba": ["de"]}),
        (None, ["en"], {"xnli": ["en"], "udpos": ["en"], "xquad": ["en"]}),
    ],
)
def test_folder_scores_keep_to_the_tasks_and_languages_asked_for(
    folders: tuple[Path, Path], tasks: list[str] | None, languages: list[str] | None, expected: dict[str, list[str]]
):
    scores = score_folder(*folders, tasks, languages).scores
    assert {task: list(by_language) for task, by_language in scores.items()} == expected


def test_folder_scores_raise_with_a_guess_when_a_task_is_unknown(folders: tuple[Path, Path]):
    with pytest.raises(ConfigError, match=r"'xnly' is not a task\. Did you mean 'xnli'"):
        score_folder(*folders, ["xnly"])


def test_folder_scores_raise_when_a_task_asked_for_has_no_folder(folders: tuple[Path, Path]):
    with pytest.raises(DataError, match=r"predictions.mlqa: is not a folder"):
        score_folder(*folders, ["mlqa"])


def test_folder_scores_raise_with_those_present_when_a_language_is_missing(folders: tuple[Path, Path]):
    with pytest.raises(DataError, match=r"both predictions and labels for 'sw'\. Allowed: de, en"):
        score_folder(*folders, None, ["de", "sw"])


def test_folder_scores_raise_when_the_folder_is_missing(tmp_path: Path):
    with pytest.raises(DataError, match=r"nowhere: is not a folder.*one subfolder for each task"):
        score_folder(tmp_path / "nowhere", tmp_path)


def test_folder_scores_raise_when_nothing_fits_together(folders: tuple[Path, Path], tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match=r"nothing to score.*xnli: no labels for en, de"):
        score_folder(folders[0], empty)


def test_folder_scores_raise_with_file_and_line_when_a_label_is_bad(folders: tuple[Path, Path]):
    path = folders[0] / "xnli" / "test-en.tsv"
    path.write_text("neutral\nmaybe\nneutral\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"test-en\.tsv:2: 'maybe' is not a label"):
        score_folder(*folders, ["xnli"], ["en"])


def test_folder_scores_equal_xtreme_for_every_task_and_language(shared_root: Path):
    mock = shared_root / "parity" / "xtreme_mock"
    expected = json.loads((mock / "expected.json").read_text(encoding="utf-8"))
    found = score_folder(mock / "predictions", mock / "labels")
    assert found.notes == ()
    assert set(found.scores) == set(expected)
    mewslix = [scores["map@20"] for scores in found.scores["mewslix"].values()]
    # XTREME's evaluate_test.py.
    assert sum(mewslix) / len(mewslix) == pytest.approx(14.39025156130419, abs=1e-12)
    for task, by_language in found.scores.items():
        assert set(by_language) == set(expected[task])
        for language, scores in by_language.items():
            assert {name: scores[name] for name in expected[task][language]} == expected[task][language]
    totals = averages(found)[0]
    assert totals.is_complete
    by_hand = [
        sum(sum(scores[name] for scores in expected[task].values()) for name in names)
        / len(names)
        / len(expected[task])
        for names, tasks in (
            (("accuracy",), ("xnli", "pawsx", "tatoeba")),
            (("f1",), ("udpos", "panx", "bucc2018")),
            (("exact_match", "f1"), ("xquad", "mlqa", "tydiqa")),
        )
        for task in tasks
    ]
    assert totals.overall is not None
    assert totals.overall.score == pytest.approx(sum(by_hand) / 9, abs=1e-12)
    assert totals.overall.score == pytest.approx(62.17319850507246, abs=1e-11)  # what XTREME's evaluator prints


def test_score_text_has_a_dash_where_a_language_lacks_a_score():
    whole = {"exact_match": 50.0, "f1": 60.0, "answerable_exact_match": 40.0}
    scores = {"squad2": {"en": whole, "de": {"exact_match": 30.0, "f1": 40.0}}}
    assert score_text(FolderScores(scores, ())).splitlines() == [
        "squad2       exact_match    f1  answerable_exact_match",
        "  en                50.0  60.0                    40.0",
        "  de                30.0  40.0                       -",
        "  mean of 2         40.0  50.0                       -",
    ]


def test_udpos_by_the_later_rule_equals_xtreme_run_with_the_later_seqeval(shared_root: Path):
    mock = shared_root / "parity" / "xtreme_mock"
    by_language = score_folder(mock / "predictions", mock / "labels", ["udpos"]).scores["udpos"].values()
    assert len(by_language) == 33
    # What XTREME's evaluator prints with seqeval 0.0.12 and with 1.2.2.
    for name, expected in (("f1", 70.21746048354693), ("chunk_f1_seqeval1", 70.39805810699043)):
        assert sum(scores[name] for scores in by_language) / 33 == pytest.approx(expected, abs=1e-11)


def test_record_keeps_tasks_and_adds_averages_and_notes(folders: tuple[Path, Path]):
    scores = score_folder(*folders)
    record = score_record(scores)
    assert {name: record[name] for name in scores.scores} == scores.scores
    assert set(record) - set(scores.scores) == {"averages", "notes"}
    assert record["notes"] == list(scores.notes)
    overall = record["averages"]["xtreme"]["overall"]
    # xnli 58.3, udpos 66.7, xquad 16.7, bucc2018 66.7, tatoeba 66.7
    assert overall["score"] == pytest.approx(55.0, abs=1e-12)
    assert overall["is_partial"]
    assert "pawsx" in overall["missing"]
    assert record["averages"]["xtreme_r"]["missing_tasks"] == ["xcopa", "panx", "mlqa", "tydiqa", "mewslix", "lareqa"]


def test_text_shows_tasks_below_groups_and_names_what_is_missing(folders: tuple[Path, Path]):
    blocks = score_text(score_folder(*folders)).split("\n\n")
    rows = [line.split() for line in blocks[5].splitlines()]
    assert rows[:3] == [
        ["XTREME,", "partial", "score", "English", "zero-shot", "gap"],
        ["classification,", "partial", "58.3", "66.7", "50.0", "16.7"],
        ["xnli,", "partial", "58.3", "66.7", "50.0", "16.7"],
    ]
    assert ["tatoeba,", "partial", "66.7", "-", "66.7", "-"] in rows
    assert ["overall,", "partial", "55.0", "50.0", "61.1", "16.7"] in rows
    assert "  without pawsx, panx, mlqa, tydiqa" in blocks[5]
    assert not any("XTREME-R" in block for block in blocks)


def test_text_shows_xtreme_r_where_one_of_its_languages_is_scored(folders: tuple[Path, Path]):
    for folder in folders:
        write(folder, {"udpos/test-pl.tsv": "NOUN\nVERB\n"})
    blocks = score_text(score_folder(*folders)).split("\n\n")
    titles = [block.split("  ")[0] for block in blocks]
    assert "XTREME, partial" in titles
    assert "XTREME-R, partial" in titles
    by_title = dict(zip(titles, blocks, strict=True))
    # English 66.7 alone in XTREME; with Polish, which is all right, 83.3 in XTREME-R.
    assert ["udpos,", "partial", "66.7", "66.7", "-", "-"] in [
        line.split() for line in by_title["XTREME, partial"].splitlines()
    ]
    assert ["udpos,", "partial", "83.3", "66.7", "100.0", "-33.3"] in [
        line.split() for line in by_title["XTREME-R, partial"].splitlines()
    ]
