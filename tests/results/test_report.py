"""The written report."""

import csv
from pathlib import Path

from reports import write_report

from adaptstilts.results.layers import LayerRow
from adaptstilts.results.report import TRANSFER_COLUMNS, Additions, files_in, transfer_rows
from adaptstilts.results.rows import ResultRow, RunRow, TaskScore, read_csv


def test_report_writes_all_files_and_links_them(rows: list[ResultRow], runs: list[RunRow], tmp_path: Path):
    files = write_report(tmp_path / "study", rows, runs, "A small study", ["Mini world only."])
    assert sorted(path.name for path in (tmp_path / "study").iterdir()) == sorted(path.name for path in files.paths)
    assert len(files.paths) == 7
    text = files.report.read_text(encoding="utf-8")
    assert text.startswith("# A small study\n\nEffect of the intermediate task")
    assert "- Mini world only.\n" in text
    for path in files.paths[1:]:
        assert f"]({path.name})" in text
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == [
        "### Points above or below 'direct', mean over all languages",
        "### Best setting per target",
        "### What was trained",
        "### Points above or below 'adapter', mean over all languages",
        "### Points above or below 'direct', mean over all languages but English",
        "### English and zero-shot scores",
        "### XTREME scores: tasks",
        "### XTREME scores: groups and overall",
        "### Rows read",
    ]


def test_report_says_first_that_the_data_is_generated(rows: list[ResultRow], runs: list[RunRow], tmp_path: Path):
    files = write_report(tmp_path, rows, runs, "A small study", more=Additions(is_generated=True))
    text = files.report.read_text(encoding="utf-8")
    assert text.startswith("# A small study\n\n**Generated data.** The scores come from the mini world")
    assert "### Scores on the mini world, averaged as in XTREME: tasks" in text
    assert "### XTREME scores" not in text
    assert "not scores of XTREME" in " ".join(files.text.split())
    assert max(map(len, files.text.splitlines())) <= 100
    assert files_in(tmp_path, files.record()) == files


def test_report_adds_table_figure_and_data_of_layers_where_they_were_swept(
    rows: list[ResultRow], runs: list[RunRow], tmp_path: Path
):
    shape = ("direct", "", "tatoeba", 1, "de")
    layers = [LayerRow(*shape, layer, layer == 1, "accuracy", 10.5 * layer, True, "test", "") for layer in range(3)]
    files = write_report(tmp_path, rows, runs, "A small study", more=Additions(analyses={"layers": layers}))
    text = files.report.read_text(encoding="utf-8")
    assert "### Retrieval by hidden layer, mean over languages" in text
    assert "](layers.png)" in text
    assert "](layers.csv)" in text
    with (tmp_path / "layers.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(row["layer"], row["is_used"], row["value"]) for row in found] == [
        ("0", "false", "0.0"),
        ("1", "true", "10.5"),
        ("2", "false", "21.0"),
    ]
    assert {path.name for path in files.paths} == {path.name for path in tmp_path.iterdir()} > {"layers.png"}


def test_report_gives_rows_back_exactly(rows: list[ResultRow], runs: list[RunRow], tmp_path: Path):
    files = write_report(tmp_path, rows, runs, "A small study")
    assert read_csv(files.results, ResultRow) == tuple(rows)
    assert read_csv(files.runs, RunRow) == tuple(runs)


def test_report_lists_every_difference_in_transfer_csv(rows: list[ResultRow], runs: list[RunRow], tmp_path: Path):
    with write_report(tmp_path, rows, runs, "A small study").transfer.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert tuple(found[0]) == TRANSFER_COLUMNS
    assert found[0] == {
        "method": "full",
        "source": "mnli",
        "target": "xnli",
        "reference": "direct",
        "scope": "all",
        "score": "73.5",
        "reference_score": "70.0",
        "difference": "3.5",
        "spread": "",
        "seeds": "1",
        "notes": "",
        "variant": "",
    }


def test_transfer_rows_hold_both_references_and_all_scopes(scores: list[TaskScore]):
    rows = transfer_rows(scores)
    assert {(row[3], row[4]) for row in rows} == {
        (reference, scope) for reference in ("direct", "adapter") for scope in ("all", "zero_shot", "english")
    }
    # Eight settings beside either reference; English is not scored on the retrieval target.
    assert len(rows) == 2 * (8 * 2 + 8 * 2 + 8)


def test_report_shows_tables_and_summary_in_the_terminal_text(
    rows: list[ResultRow], runs: list[RunRow], tmp_path: Path
):
    text = write_report(tmp_path, rows, runs, "A small study").text
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("Points above or below 'direct', mean over all languages\n")
    assert "What was trained" in text
    assert "helped in 3 of 7 settings" in text.replace("\n", " ")
    assert "**" not in text


def test_report_draws_no_heatmap_when_only_the_reference_is_there(rows: list[ResultRow], tmp_path: Path):
    kept = [row for row in rows if row.method == "direct"]
    files = write_report(tmp_path, kept, [], "Half a study")
    assert files.heatmap is None
    assert [path.name for path in files.paths] == [
        "report.md",
        "results.csv",
        "runs.csv",
        "transfer.csv",
        "scores.csv",
        "languages.png",
    ]
    assert "heatmap" not in files.report.read_text(encoding="utf-8")


def test_report_works_when_nothing_is_finished(tmp_path: Path):
    files = write_report(tmp_path, [], [], "No study")
    assert [path.name for path in files.paths] == ["report.md", "results.csv", "runs.csv", "transfer.csv", "scores.csv"]
    assert "No setting with an intermediate task" in files.text


def test_report_without_the_reference_begins_with_scores_and_not_with_an_empty_table(tmp_path, rows, runs):
    kept = [row for row in rows if row.method == "adapter"]
    files = write_report(tmp_path, kept, runs, "A study")
    assert "above or below 'direct'" not in files.report.read_text(encoding="utf-8")
    assert files.text.startswith("English and zero-shot scores")
