import json
import shutil
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.evaluate.benchmark import XTREME, XTREME_R
from adaptstilts.submission import check_folder as check_folder_module
from adaptstilts.submission.check_folder import check_folder, get_benchmark
from adaptstilts.submission.folder import read_labels, read_predictions, submission_path, write_predictions
from adaptstilts.tasks.registry import target_tasks


@pytest.fixture
def mock(shared_root: Path, tmp_path: Path) -> Path:
    """A copy of XTREME's mock predictions that a test may spoil."""
    return Path(shutil.copytree(shared_root / "parity" / "xtreme_mock" / "predictions", tmp_path / "predictions"))


@pytest.fixture
def gold(shared_root: Path) -> Path:
    return shared_root / "parity" / "xtreme_mock" / "labels"


def shown(folder: Path, gold: Path, **choice: object) -> list[str]:
    found = check_folder(folder, gold, XTREME, **choice)  # type: ignore[arg-type]
    return [str(problem).replace(f"{folder}/", "").replace(f"{gold}/", "") for problem in found.problems]


def test_mock_predictions_pass_and_score_as_expected(mock: Path, gold: Path):
    found = check_folder(mock, gold, XTREME)
    assert found.problems == ()
    assert found.files == sum(len(entry.languages) for entry in XTREME.entries) == 162
    assert found.notes == ("mewslix/ is not checked: not a task of XTREME",)
    expected = json.loads((gold.parent / "expected.json").read_text(encoding="utf-8"))
    assert found.scores is not None
    assert set(found.scores.scores) == set(expected) - {"mewslix"}
    for task, by_language in found.scores.scores.items():
        for language, scores in by_language.items():
            assert {name: scores[name] for name in expected[task][language]} == expected[task][language]
    assert found.record()["scores"]["averages"]["xtreme"]["overall"]["score"] == pytest.approx(62.17319850507246)
    assert "162 files checked, no problems" in found.text()


def test_mock_predictions_written_anew_are_equal_and_pass(mock: Path, gold: Path, tmp_path: Path):
    again = tmp_path / "again"
    for task in target_tasks():
        for language in task.languages:
            content = read_predictions(submission_path(mock, task, language), task).content
            path = write_predictions(again, task, language, content)
            assert read_predictions(path, task).content == content
    found = check_folder(again, gold, XTREME)
    assert found.problems == ()
    assert found.scores == check_folder(mock, gold, XTREME).scores


def test_every_problem_of_a_folder_is_told_at_once(mock: Path, gold: Path):
    shutil.rmtree(mock / "mewslix")
    shutil.rmtree(mock / "mlqa")
    (mock / "udpos" / "test-yo.tsv").unlink()
    (mock / "notes.txt").write_text("x", encoding="utf-8")
    (mock / "squad").mkdir()
    (mock / "xnli" / "test-pl.tsv").write_text("neutral\n", encoding="utf-8")
    (mock / "xquad" / "test-de.tsv").write_text("x", encoding="utf-8")
    (mock / "pawsx" / "test-ko.tsv").write_text("1\n2\n", encoding="utf-8")
    found = shown(mock, gold)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "notes.txt: unexpected file",
        "squad: unexpected folder",
        "xnli/test-pl.tsv: unexpected file in xnli/",
        "pawsx/test-ko.tsv:2: '2' is not a label of pawsx",
        "pawsx/test-ko.tsv:2: 2 lines, but 10 in pawsx/test-ko.tsv",
        "udpos/test-yo.tsv: missing: udpos in 'yo'",
        "xquad/test-de.tsv: unexpected file in xquad/",
        "mlqa: missing: 7 languages of mlqa",
    ]
    assert "Allowed: test-<language>.json in en ar de" in found[6]


def test_files_with_problems_are_left_out_of_the_scores(mock: Path, gold: Path):
    (mock / "pawsx" / "test-ko.tsv").write_text("1\n2\n", encoding="utf-8")
    scores = check_folder(mock, gold, XTREME).scores
    assert scores is not None
    assert list(scores.scores["pawsx"]) == ["en", "de", "es", "fr", "ja", "zh"]
    assert "XTREME, partial" in check_folder(mock, gold, XTREME).text()


def test_only_tasks_asked_for_are_checked(mock: Path, gold: Path):
    shutil.rmtree(mock / "mlqa")
    (mock / "notes.txt").write_text("x", encoding="utf-8")
    assert shown(mock, gold, tasks=["xnli", "tatoeba"]) == []
    found = check_folder(mock, gold, XTREME, ["xnli"])
    assert (found.files, found.notes) == (15, ())


def test_files_that_nothing_says_the_rows_of_are_noted(
    mock: Path, gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(check_folder_module, "published_rows", lambda task, language: None)
    labels = Path(shutil.copytree(gold, tmp_path / "labels"))
    for path in (labels / "bucc2018").iterdir():
        path.unlink()
    found = check_folder(mock, labels, XTREME, ["bucc2018"])
    note = "the number of rows of 4 files was not compared: there are neither labels nor a published number"
    assert (found.problems, found.notes, found.scores) == ((), (note,), None)


def test_published_numbers_of_rows_count_where_there_are_no_labels(mock: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check_folder_module, "published_rows", lambda task, language: 5010)
    lines = [str(problem) for problem in check_folder(mock, None, XTREME, ["xnli"]).problems]
    assert len(lines) == 15
    assert lines[0].startswith(f"{mock}/xnli/test-en.tsv:10: 10 lines, but 5,010 in the published test set")


def test_labels_that_cannot_be_read_are_a_problem(mock: Path, gold: Path, tmp_path: Path):
    labels = Path(shutil.copytree(gold, tmp_path / "labels"))
    (labels / "xnli" / "test-de.tsv").write_text("maybe\n", encoding="utf-8")
    (found,) = check_folder(mock, labels, XTREME).problems
    assert "labels/xnli/test-de.tsv:1: 'maybe' is not a label" in str(found)
    with pytest.raises(DataError, match="'maybe' is not a label"):
        read_labels(labels / "xnli" / "test-de.tsv", target_tasks()[0])


def test_xtreme_r_wants_its_own_tasks_and_languages(mock: Path, gold: Path):
    found = check_folder(mock, gold, XTREME_R)
    lines = [str(problem) for problem in found.problems]
    assert sum("missing: " in line for line in lines) == len(lines)
    assert any(line.endswith("xcopa: missing: 11 languages of xcopa.") for line in lines)
    assert sum("/panx/" in line for line in lines) == 8


def test_folders_that_do_not_exist_are_named(mock: Path, tmp_path: Path):
    with pytest.raises(DataError, match=r"none: is not a folder\. Give the folder that holds one subfolder"):
        check_folder(tmp_path / "none", None, XTREME)
    with pytest.raises(DataError, match=r"none: is not a folder"):
        check_folder(mock, tmp_path / "none", XTREME)


def test_unknown_names_are_told_with_what_is_allowed(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"^benchmark: 'xtrem' is not a benchmark\. Did you mean 'xtreme'"):
        get_benchmark("xtrem")
    assert get_benchmark("xtreme_r") is XTREME_R
    with pytest.raises(ConfigError, match=r"^tasks: 'xcopa' is not a task of XTREME\. .*Allowed: xnli"):
        check_folder(tmp_path, None, XTREME, ["xcopa"])
