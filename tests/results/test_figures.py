"""Pictures: they exist, have print resolution, hold every number, and leave matplotlib's settings alone."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from adaptstilts.errors import EvaluationError
from adaptstilts.results import figures
from adaptstilts.results.figures import DPI, draw_heatmap, draw_languages
from adaptstilts.results.rows import TaskScore
from adaptstilts.results.transfer import transfer_tables


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures in the order in which they were saved."""
    found: list[Figure] = []
    save = figures.save_figure

    def keep(figure: Figure, path: Path, *, is_cropped: bool = False) -> Path:
        found.append(figure)
        return save(figure, path, is_cropped=is_cropped)

    monkeypatch.setattr(figures, "save_figure", keep)
    return found


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def test_heatmap_writes_every_difference_and_mean_into_its_cell(scores: list[TaskScore], tmp_path: Path, drawn: list):
    path = draw_heatmap(transfer_tables(scores), tmp_path / "deep" / "heatmap.png")
    width, height = png_size(path)
    assert width > 3 * DPI
    assert height > DPI
    titles = [axes.get_title(loc="left") for axes in drawn[0].axes]
    assert titles[:3] == ["full", "stack", "continue"]
    assert set(titles[3:]) == {"adapter (no intermediate task)", "fuse (mnli+qqp)", ""}
    full = [text.get_text() for text in drawn[0].axes[0].texts]
    assert full == ["+3.5", "+12.0", "+7.8", "-2.5", "-0.5", "-1.5"]
    assert [label.get_text() for label in drawn[0].axes[0].get_xticklabels()] == ["xnli", "tatoeba", "mean"]
    assert [label.get_text() for label in drawn[0].axes[0].get_yticklabels()] == ["mnli", "qqp"]


def test_heatmap_marks_missing_cells_and_brackets_their_mean(scores: list[TaskScore], tmp_path: Path, drawn: list):
    kept = [score for score in scores if (score.source, score.target) != ("qqp", "tatoeba")]
    draw_heatmap(transfer_tables(kept), tmp_path / "heatmap.png")
    assert [text.get_text() for text in drawn[0].axes[0].texts][3:] == ["-2.5", "–", "(-2.5)"]


def test_heatmap_names_rows_of_each_panel_when_methods_have_different_sources(
    scores: list[TaskScore], tmp_path: Path, drawn: list
):
    extra = [score for score in scores if score.method == "stack" and score.source == "qqp"]
    kept = [score for score in scores if score not in extra]
    kept += [TaskScore("stack", "adapter", "ccg", score.target, 1, score.by_language) for score in extra]
    draw_heatmap(transfer_tables(kept), tmp_path / "heatmap.png")
    assert [label.get_text() for label in drawn[0].axes[1].get_yticklabels()] == ["mnli", "ccg"]


def test_heatmap_keeps_all_texts_inside_the_picture_when_nine_meet_nine(tmp_path: Path, drawn: list):
    names = [f"commonsense{number}" for number in range(9)]
    made = [TaskScore("direct", "full", "", target, 1, (("en", 50.0),)) for target in names]
    for method in ("full", "stack", "continue"):
        made += [TaskScore(method, "full", s, t, 1, (("en", 50.0 + len(t + s)),)) for s in names for t in names]
    draw_heatmap(transfer_tables(made), tmp_path / "heatmap.png")
    figure = drawn[0]
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes[:3]:
        cell = axes.get_window_extent(renderer).width / (len(names) + 1.15)
        assert max(text.get_window_extent(renderer).width for text in axes.texts) < cell
    assert figure.get_figwidth() <= 10.5


def test_heatmap_rejects_tables_without_a_difference(scores: list[TaskScore], tmp_path: Path):
    kept = [score for score in scores if score.method != "direct"]
    with pytest.raises(EvaluationError, match="0 differences to draw"):
        draw_heatmap(transfer_tables(kept), tmp_path / "heatmap.png")


def test_languages_has_a_panel_per_target_with_english_first(scores: list[TaskScore], tmp_path: Path, drawn: list):
    path = draw_languages(scores, tmp_path / "languages.png")
    assert min(png_size(path)) > DPI
    first, second = drawn[0].axes
    assert [axes.get_title(loc="left") for axes in (first, second)] == ["xnli", "tatoeba"]
    assert [label.get_text() for label in first.get_xticklabels()] == ["en", "de"]
    assert [label.get_text() for label in second.get_xticklabels()] == ["de", "sw"]
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["direct", "full", "adapter", "stack", "continue", "fuse"]
    # The mark of `full` stands at the mean of both sources: English 82 and 79.
    (full,) = [line for line in first.lines if line.get_label() == "full"]
    assert list(full.get_ydata()) == [80.5, 60.5]


def test_languages_names_every_method_when_the_first_target_lacks_one(
    scores: list[TaskScore], tmp_path: Path, drawn: list
):
    kept = [score for score in scores if (score.method, score.target) != ("fuse", "xnli")]
    draw_languages(kept, tmp_path / "languages.png")
    assert len(drawn[0].legends[0].get_texts()) == 6


def test_languages_rejects_an_empty_study(tmp_path: Path):
    with pytest.raises(EvaluationError, match="0 scores to draw"):
        draw_languages([], tmp_path / "languages.png")


def test_drawing_leaves_the_global_settings_alone(scores: list[TaskScore], tmp_path: Path):
    before = dict(mpl.rcParams)
    draw_heatmap(transfer_tables(scores), tmp_path / "heatmap.png")
    draw_languages(scores, tmp_path / "languages.png")
    assert dict(mpl.rcParams) == before
