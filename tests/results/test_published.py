"""Published scores as data: what is there, that it agrees with itself, and that a slip in the file is refused."""

import re
import statistics
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.evaluate.metrics import MAJOR
from adaptstilts.results.published import FILE, MEAN, OTHER_TASKS, Figure, of_task, parse_published, published
from adaptstilts.results.published import published_text as text_of
from adaptstilts.tasks.registry import get_task


def rows() -> dict[tuple[str, str, str, str], dict[str, float]]:
    """Scores by language, by document and setting, system, task and metric."""
    found: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for item in published():
        key = (f"{item.document}: {item.setting}", item.system, item.task, item.metric)
        found.setdefault(key, {})[item.language] = item.value
    return found


def value(system: str, task: str, metric: str, document: str) -> float:
    (found,) = (
        item.value
        for item in published()
        if (item.system, item.task, item.metric, item.language) == (system, task, metric, MEAN)
        and item.document.startswith(document)
    )
    return found


def test_every_figure_says_where_it_stands_and_how_it_was_made():
    assert len(published()) == 246
    for item in published():
        assert item.document
        assert item.place
        assert item.setting
        assert "recalled" not in f"{item.document} {item.place} {item.setting}".lower()


def test_figures_are_of_metrics_and_languages_that_our_tasks_have():
    scored = [item for item in published() if item.task not in OTHER_TASKS]
    assert {item.task for item in scored} == {
        "xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba",
    }  # fmt: skip
    for item in scored:
        task = get_task(item.task)
        assert item.language in {MEAN, *task.languages}
        assert item.metric in {*MAJOR[task.metric], "token_accuracy"}


@pytest.mark.parametrize(
    ("document", "system", "task", "metric", "expected"),
    [
        ("mT5", "X-STILTs", "tydiqa", "f1", 76.0),
        ("mT5", "mT5-XXL", "xnli", "accuracy", 85.0),
        ("RemBERT", "X-STILTs", "tydiqa", "exact_match", 59.5),
        ("RemBERT", "XLM-R Large", "udpos", "f1", 73.8),
        ("VECO", "VECO", "tatoeba", "accuracy", 75.1),
        ("XCOPA", "XLM-R Large", "xcopa", "accuracy", 68.69),
    ],
)
def test_figures_are_those_of_their_documents(document: str, system: str, task: str, metric: str, expected: float):
    assert value(system, task, metric, document) == expected


def test_means_of_the_documents_are_those_of_their_rows():
    checked = 0
    for (_, _, task, _), scores in rows().items():
        languages = {code: score for code, score in scores.items() if code != MEAN}
        expected = {"xcopa": 11}.get(task) or (len(get_task(task).languages) if task not in OTHER_TASKS else 0)
        if MEAN in scores and languages and len(languages) == expected:
            # Rows are rounded to one decimal, and so are the means.
            assert statistics.mean(languages.values()) == pytest.approx(scores[MEAN], abs=0.1)
            checked += 1
    assert checked == 4 + 1 + 2 + 1


def test_groups_of_the_leaderboard_are_the_means_of_their_tasks():
    for system in ("X-STILTs", "XLM-R Large"):

        def score(task: str, metric: str, system: str = system) -> float:
            return value(system, task, metric, "RemBERT")

        answers = [
            statistics.mean((score(task, "exact_match"), score(task, "f1"))) for task in ("xquad", "mlqa", "tydiqa")
        ]
        pairs = (score("xnli", "accuracy"), score("pawsx", "accuracy"))
        groups = {
            "classification": statistics.mean(pairs),
            "structured_prediction": statistics.mean((score("udpos", "f1"), score("panx", "f1"))),
            "question_answering": statistics.mean(answers),
        }
        for group, expected in groups.items():
            assert score("xtreme", group) == pytest.approx(expected, abs=0.7)


def test_retrieval_baseline_has_all_languages_and_no_mean_of_our_own():
    found = {task: {item.language for item in published() if "jiant-dev" in item.document and item.task == task}
             for task in ("bucc2018", "tatoeba")}  # fmt: skip
    assert found == {task: set(get_task(task).languages) for task in found}


def test_of_task_gives_one_task_or_the_means_of_all():
    assert {item.task for item in of_task("mlqa")} == {"mlqa"}
    assert {item.language for item in of_task(None)} == {MEAN}
    with pytest.raises(ConfigError, match=r"no published figure of 'pawx'\. Did you mean 'pawsx'\?"):
        of_task("pawx")


def test_text_numbers_the_sources_and_keeps_the_published_digits():
    text = text_of(
        [
            Figure("A", "xcopa", "accuracy", MEAN, 68.69, "Paper", "Table 1", "zero-shot"),
            Figure("B", "xcopa", "accuracy", "et", 71.0, "Paper", "Table 2", "zero-shot"),
            Figure("C", "xcopa", "accuracy", "ht", 50.5, "Paper", "Table 1", "zero-shot"),
        ]
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[1:] == [
        "xcopa accuracy mean A 68.69 [1]",
        "xcopa accuracy et B 71.0 [2]",
        "xcopa accuracy ht C 50.5 [1]",
        "",
        "[1] Paper, Table 1: zero-shot",
        "[2] Paper, Table 2: zero-shot",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("udpos.f1: 74.9", "udpo.f1: 74.9", "X-STILTs udpo.f1 mean: 'udpo' is not a task. Did you mean 'udpos'?"),
        ("ja: 78.7", "jp: 78.7", "XLM-R Large pawsx.accuracy jp: 'jp' is not a language"),
        ("udpos.f1: 74.9", "udpos.f1: 749.0", "X-STILTs udpos.f1 mean: 749.0 is not a score"),
        ("udpos.f1: 74.9", "udpos.f1: 74", "X-STILTs udpos.f1 mean: 74 is not a score"),
        ("udpos.f1: 74.9", "udpos.f1: yes", "X-STILTs udpos.f1 mean: True is not a score"),
        ("source: rembert7", "source: rembert17", "source: 'rembert17' is not a source. Did you mean 'rembert"),
        ("beside: means", "besides: means", "tables: 'besides' is not a key. Did you mean 'beside'?"),
        ("beside: means", "beside: mean", "mBERT xnli.accuracy mean: 'mean' is not a place for a report"),
        ("source: veco", "source: fairseq", "sources: source 'veco' has no figure"),
    ],
)
def test_file_with_a_slip_is_refused_with_the_figure(tmp_path: Path, old: str, new: str, message: str):
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "published.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"published.yaml: {re.escape(message)}"):
        parse_published(path)


def test_figure_that_stands_twice_is_refused(tmp_path: Path):
    text = FILE.read_text(encoding="utf-8")
    again = "  - source: veco\n    setting: zero-shot, by its own code\n    systems: {VECO: {xnli.accuracy: 79.8}}\n"
    path = tmp_path / "published.yaml"
    path.write_text(text + again, encoding="utf-8")
    with pytest.raises(DataError, match=r"VECO xnli\.accuracy mean: stands twice in one setting"):
        parse_published(path)
