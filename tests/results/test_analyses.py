"""The table of analyses: every row has a module that holds what it promises, and a new one needs nothing else."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from reports import write_report

from adaptstilts.results import analyses
from adaptstilts.results.analyses import READS, Analysis, get_analysis, reads
from adaptstilts.results.report import Additions
from adaptstilts.results.rows import read_csv
from adaptstilts.study.plan.jobs import AnalyseJob, Cell
from adaptstilts.study.stages.collect import analysis_rows
from adaptstilts.tasks.registry import get_task


@pytest.mark.parametrize("name", READS)
def test_every_row_of_the_table_has_its_module(name: str):
    assert isinstance(get_analysis(name), Analysis)


def test_predictions_are_read_for_targets_that_some_analysis_wants():
    assert reads(get_task("tatoeba"))
    assert not reads(get_task("xnli"))


@dataclass(frozen=True)
class CountRow:
    target: str
    rows: int


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that counts predictions: a module and a row of the table."""
    module = ModuleType("adaptstilts.results.counts")
    module.ANALYSIS = Analysis(
        CountRow,
        lambda origin, predictions: [CountRow(origin.target, len(predictions.read_json("predictions.json")))],
        lambda rows, folder, table, picture: f"### Counts\n\n{sum(row.rows for row in rows)} rows in {table}\n",
    )
    monkeypatch.setitem(sys.modules, "adaptstilts.results.counts", module)
    monkeypatch.setattr(analyses, "READS", {"counts": lambda task: task.name == "xnli"})
    monkeypatch.setattr("adaptstilts.study.stages.collect.READS", analyses.READS)


def test_new_analysis_makes_rows_table_and_page(counting: None, tmp_path, rows, runs):
    done = {"p1": SimpleNamespace(read_json=lambda name: [1, 2, 3])}
    cells = (
        Cell("direct", "", "xnli", 1, None, ("p1", "missing")),
        Cell("direct", "", "udpos", 1, None, ("p1",)),
    )
    found = analysis_rows(AnalyseJob(cells, (), (), "1"), done)
    assert found == {"counts": [CountRow("xnli", 3)]}
    files = write_report(tmp_path, rows, runs, "A study", more=Additions(analyses=found))
    assert read_csv(tmp_path / "counts.csv", CountRow) == (CountRow("xnli", 3),)
    assert "3 rows in counts.csv" in files.report.read_text(encoding="utf-8")
    assert [path.name for path in files.analyses] == ["counts.csv"]
