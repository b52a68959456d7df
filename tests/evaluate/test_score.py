import json
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, DataError, EvaluationError
from adaptstilts.evaluate.score import FolderScores, aggregate, score_file, score_folder, score_text
from adaptstilts.tasks.registry import get_task, target_tasks

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
    "mewslix/test-en.json": "{}",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


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
        "skipped mewslix/, which is no task of this package",
        "xnli: no predictions for de",
        "xnli: pl not among the task's languages, scored all the same",
        "tatoeba: no labels for de",
        "xquad/en: 1 of 2 questions have no prediction and score 0",
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


def test_score_file_raises_with_file_and_line_when_a_label_is_bad(folders: tuple[Path, Path]):
    path = folders[0] / "xnli" / "test-en.tsv"
    path.write_text("neutral\nmaybe\nneutral\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"test-en\.tsv:2: 'maybe' is not a label"):
        score_file(path, folders[1] / "xnli" / "test-en.tsv", get_task("xnli"), "en")


def test_aggregate_averages_languages_then_tasks_then_groups():
    scores = {
        "xnli": {"en": {"accuracy": 80.0}, "de": {"accuracy": 70.0}},
        "pawsx": {"en": {"accuracy": 90.0}},
        "xquad": {"en": {"exact_match": 60.0, "f1": 80.0}, "de": {"exact_match": 50.0, "f1": 70.0}},
        "tatoeba": {"de": {"accuracy": 40.0}},
    }
    found = aggregate(scores)
    assert found.tasks == {"xnli": 75.0, "pawsx": 90.0, "xquad": 65.0, "tatoeba": 40.0}
    assert found.groups == {"classification": 82.5, "question_answering": 65.0, "retrieval": 40.0}
    assert found.overall == 67.5
    assert found.missing_tasks == ("udpos", "panx", "mlqa", "tydiqa", "bucc2018")
    assert found.missing_languages["pawsx"] == ("de", "es", "fr", "ja", "ko", "zh")
    assert not found.is_complete


def test_aggregate_is_complete_when_every_target_task_has_all_its_languages():
    names = ("accuracy", "f1", "exact_match")
    scores = {
        task.name: {language: dict.fromkeys(names, float(rank)) for language in task.languages}
        for rank, task in enumerate(target_tasks())
    }
    found = aggregate(scores)
    assert found.is_complete
    assert found.overall == 4.0
    assert found.groups == {
        "classification": 0.5,
        "structured_prediction": 2.5,
        "question_answering": 5.0,
        "retrieval": 7.5,
    }


def test_aggregate_keeps_intermediate_tasks_out_of_the_overall_figure():
    found = aggregate({"qqp": {"en": {"accuracy": 90.0, "f1": 80.0}}})
    assert (found.tasks, found.groups, found.overall) == ({"qqp": 85.0}, {}, None)


def test_aggregate_raises_when_a_task_has_no_language():
    with pytest.raises(EvaluationError, match="'xnli' has no language"):
        aggregate({"xnli": {}})


def test_aggregate_raises_when_a_score_is_missing():
    with pytest.raises(EvaluationError, match="'exact_match' of metric 'mlqa' is missing"):
        aggregate({"mlqa": {"en": {"f1": 3.0}}})


def test_folder_scores_equal_xtreme_for_every_task_and_language(shared_root: Path):
    mock = shared_root / "parity" / "xtreme_mock"
    expected = json.loads((mock / "expected.json").read_text(encoding="utf-8"))
    found = score_folder(mock / "predictions", mock / "labels")
    assert found.notes == ("skipped mewslix/, which is no task of this package",)
    assert set(found.scores) == set(expected) - {"mewslix"}
    for task, by_language in found.scores.items():
        assert set(by_language) == set(expected[task])
        for language, scores in by_language.items():
            assert {name: scores[name] for name in expected[task][language]} == expected[task][language]
    totals = aggregate(found.scores)
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
    assert totals.overall == pytest.approx(sum(by_hand) / 9, abs=1e-12)


def test_score_text_has_a_dash_where_a_language_lacks_a_score():
    whole = {"exact_match": 50.0, "f1": 60.0, "answerable_exact_match": 40.0}
    scores = {"squad2": {"en": whole, "de": {"exact_match": 30.0, "f1": 40.0}}}
    assert score_text(FolderScores(scores, ())).splitlines() == [
        "squad2           exact_match              f1  answerable_exact_match",
        "  en                    50.0            60.0                    40.0",
        "  de                    30.0            40.0                       -",
        "  mean of 2             40.0            50.0                       -",
    ]


def test_udpos_by_the_later_rule_equals_xtreme_run_with_the_later_seqeval(shared_root: Path):
    mock = shared_root / "parity" / "xtreme_mock"
    by_language = score_folder(mock / "predictions", mock / "labels", ["udpos"]).scores["udpos"].values()
    assert len(by_language) == 33
    # What XTREME's evaluator prints with seqeval 0.0.12 and with 1.2.2.
    for name, expected in (("f1", 70.21746048354693), ("chunk_f1_seqeval1", 70.39805810699043)):
        assert sum(scores[name] for scores in by_language) / 33 == pytest.approx(expected, abs=1e-11)
