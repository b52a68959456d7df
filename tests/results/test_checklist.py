"""The table of error rates."""

from adaptstilts.results.checklist import checklist_grid
from adaptstilts.results.rows import ResultRow


def row(metric: str, value: float, *, language: str = "en", method: str = "direct", source: str = "", seed: int = 1):
    return ResultRow(method, "full", source, "multichecklist", language, metric, value, False, "test", 200, seed)


def test_error_rates_are_averaged_over_languages_and_seeds():
    rows = [
        row("error_comparison", 10.0),
        row("error_comparison", 40.0, language="de"),
        row("error_comparison", 40.0, seed=2),
        row("error_property", 5.0),
        row("error_rate", 7.5),
        row("error_rate", 60.0, method="stack", source="mnli"),
        row("accuracy", 92.5),
    ]
    grid = checklist_grid(rows)
    assert grid is not None
    assert grid.header == ("target", "method", "intermediate", "languages", "comparison", "property", "all tests")
    assert grid.rows == (
        ("multichecklist", "direct", "", "2", "30.0", "5.0", "7.5"),
        ("multichecklist", "stack", "mnli", "1", "-", "-", "60.0"),
    )


def test_there_is_no_table_without_error_rates():
    assert checklist_grid([row("accuracy", 92.5)]) is None
