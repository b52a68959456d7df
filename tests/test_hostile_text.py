"""Names and texts from elsewhere are shown as they are: on terminals, in notebooks, reports and figures.

A hostile text is put into each place and the output is read back: no raw control character, no markup that works,
nothing lost.
"""

from __future__ import annotations

import html
import io
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from commandline import say
from reports import write_report
from rich.console import Console

from adaptstilts.api.init import init_study
from adaptstilts.api.shown import Shown
from adaptstilts.data.contamination.findings import Findings
from adaptstilts.engine.heartbeats import Beat, Failure
from adaptstilts.errors import ConfigError, DataError, ProblemsError, UnfinishedError
from adaptstilts.formatting import aligned, markdown_text, visible, visible_json, visible_lines
from adaptstilts.progress.bars import CheckWatcher, FetchWatcher, VerifyWatcher
from adaptstilts.progress.dashboard import TerminalWatcher, draw
from adaptstilts.progress.notebook import NotebookWatcher, contents
from adaptstilts.results.contamination import overlap_section
from adaptstilts.results.figures import draw_heatmap, draw_languages
from adaptstilts.results.grid import Grid, markdown, terminal_text
from adaptstilts.results.rows import ResultRow, RunRow, read_csv, task_scores, write_csv
from adaptstilts.results.transfer import transfer_tables
from adaptstilts.store.stage import make_stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import ScoreJob
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.status import Damaged, Running, Status
from adaptstilts.study.status_text import status_text

TEXTS = {
    "window title": "\x1b]0;x\x07",
    "cleared screen": "\x1b[2J",
    "C1 sequence": "\x9b31m",
    "carriage return": "a\rb",
    "line break": "a\nb",
    "line separator": "a\u2028b",
    "right to left": "a\u202eb",
    "nothing to see": "a\u200bb",
    "rich style": "[bold red]x",
    "rich link": "[link=http://x]y[/link]",
    "rich end": "[/]",
    "table": "a|b",
    "code": "a`b`",
    "picture": "<img src=x onerror=y>",
    "script": "<script>x</script>",
    "formula": "$\\frac$",
    "half a formula": "$5",
    "heading": "# x",
    "markdown link": "[x](javascript:y)",
    "entity": "&lt;",
    "long": "x" * 10_000,
}
CONTROLS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.fixture(params=TEXTS)
def text(request: pytest.FixtureRequest) -> str:
    """A hostile text."""
    return TEXTS[request.param]


def assert_shown(output: str, text: str) -> None:
    """Nothing in the output controls a terminal, and the text is there, wrapped or not."""
    raw = {character for character in output if unicodedata.category(character) in CONTROLS} - {"\n"}
    assert not raw
    assert without_blanks(visible(text)) in without_blanks(output)


def without_blanks(text: str) -> str:
    return re.sub(r"[\s…]+", "", text)


def assert_markdown(output: str, text: str) -> None:
    """The text is there as plain text; nothing of it is markup."""
    assert_shown(output, markdown_text(text))
    assert not re.search(r"<(?!br>)", output)
    assert "\n# x" not in output.replace("\n# Title", "")


def interactive() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=20_000, height=30, color_system=None)


def written(console: Console) -> str:
    """What a terminal received, without the codes of rich itself."""
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", console.file.getvalue().replace("\r\n", "\n"))


def status(text: str) -> Status:
    beat = Beat("k" * 8, text, "score", text, 1, worker=text, note=text, total=5, done=1)
    failure = Failure("k" * 8, text, "score", text, "DataError", text, 1, text, text, text)
    return Status(
        {"score": {"done": 1, "running": 1, "waiting": 0, "failed": 1, "left_out": 1, "lost": 1, "damaged": 1}},
        (Running(beat, None),),
        (replace(beat, is_lost=True),),
        (failure,),
        (text,),
        (Damaged(text, "score", text, text),),
        3.0,
        1,
        is_measured=True,
        unreadable=(text,),
    )


def stage_named(text: str) -> tuple[Plan, object]:
    made = make_stage(text, "score", ScoreJob("xnli", (), "", None))
    return Plan((made,), (), 0), made


def in_lines(text: str) -> str:
    return visible_lines(f"first\n{text}")


def in_table(text: str) -> str:
    return "\n".join(aligned([("name", "size"), (text, "1")], "<>"))


def in_error(text: str) -> str:
    return str(DataError(f"'{text}' is wrong", path=f"/data/{text}", key=text, hint=text, value=text, allowed=[text]))


def in_errors(text: str) -> str:
    return str(ProblemsError([DataError(text), ConfigError(text)]))


def in_causes(text: str) -> str:
    return str(UnfinishedError("no score", causes=[f"train: {text}"]))


def in_answer(text: str) -> str:
    return f"{Shown({}, aligned([(text,)], '<')[0])!r}"


def in_grid(text: str) -> str:
    return terminal_text([Grid(text, (text, "score"), ((text, "1"),), footnotes=(text,))])


def in_status(text: str) -> str:
    return status_text(status(text), Path("store"), "adaptstilts run x")


def on_terminal(text: str) -> str:
    console = interactive()
    with CheckWatcher(console) as check, FetchWatcher(console) as fetch, VerifyWatcher(console) as verify:
        check.stepped(1, 2, text)
        fetch.arrived(text, 1, 3)
        verify.read(1, 2, text)
        fetch.arrived(text, 3, 3)
        fetch.converted(text, 1, 2)
    return written(console)


def on_dashboard(text: str) -> str:
    console = interactive()
    console.print(draw(status(text), most_rows=5))
    plan, made = stage_named(text)
    with TerminalWatcher(plan, console) as watcher:
        watcher.started(made, 1)
        watcher.stepped(made, 1, 2, text)
        watcher.noted(text)
        watcher.failed(made, DataError(text))
    return written(console)


PLACES: dict[str, Callable[[str], str]] = {
    "lines": in_lines,
    "table": in_table,
    "error": in_error,
    "errors": in_errors,
    "causes": in_causes,
    "answer": in_answer,
    "grid": in_grid,
    "status": in_status,
    "bars": on_terminal,
    "dashboard": on_dashboard,
}


@pytest.mark.parametrize("place", PLACES)
def test_terminal_shows_every_text_as_it_is(place: str, text: str):
    if text == TEXTS["line break"] and place in {"lines", "causes"}:  # they are made of lines
        return
    assert_shown(PLACES[place](text), text[:900] if place == "errors" else text)  # errors cut what is very long


def test_json_holds_the_same_values_without_raw_controls(text: str):
    found = visible_json(json.dumps({text: [text]}, indent=2, ensure_ascii=False))
    assert json.loads(found) == {text: [text]}
    assert not {character for character in found if unicodedata.category(character) in CONTROLS} - {"\n"}


def test_notebook_shows_every_text_as_it_is(text: str):
    plan, made = stage_named(text)
    drawings: list[dict[str, str]] = []
    with NotebookWatcher(plan, drawings.append) as watcher:
        watcher.noted(text)
        watcher.failed(made, DataError(text))
    pages = [contents(draw(status(text), most_rows=5)), drawings[-1]]
    pages.append({"text/html": Shown({}, in_table(text))._repr_html_(), "text/plain": visible(text)})
    for page in pages:
        assert not re.search(r"<(?!/?(?:pre|span)\b)", page["text/html"])
        assert not {one for one in page["text/html"] if unicodedata.category(one) in CONTROLS} - {"\n"}
    assert without_blanks(visible(text)) in without_blanks(html.unescape(re.sub("<[^>]+>", "", pages[1]["text/html"])))


def test_markdown_of_grids_and_findings(text: str):
    grid = Grid(text, (text, "score"), ((text, "1"), (text, "")), sections=frozenset({1}), footnotes=(text,))
    found = markdown(grid)
    assert_markdown(found, text)
    rows = [line for line in found.split("\n") if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {3}
    assert_markdown(overlap_section(Findings({}, ()), text), text)


def test_report_of_a_study_with_hostile_names(text: str, tmp_path: Path):
    made = [
        ResultRow(method, "full", source, target, "en", "accuracy", 50.0 + number, is_major=True, split="test",
                  examples=9, seed=1, note=text.replace("; ", " "), variant="")
        for number, (method, source, target) in enumerate([("direct", "", "xnli"), ("full", "mnli", "xnli")])
    ]  # fmt: skip
    runs: list[RunRow] = []
    files = write_report(tmp_path, made, runs, text, [text])
    assert_markdown(files.report.read_text(encoding="utf-8").replace("![", "["), text)
    assert read_csv(files.results, ResultRow) == tuple(made)


def test_csv_keeps_every_text(text: str, tmp_path: Path):
    row = ResultRow(text, "full", text, text, text, text, 1.0, is_major=True, split=text, examples=1, seed=1)
    write_csv(tmp_path / "rows.csv", [row], ResultRow)
    assert read_csv(tmp_path / "rows.csv", ResultRow) == (row,)


def test_figures_draw_names_as_they_are(text: str, tmp_path: Path):
    made = [
        ResultRow(method, "full", source, text, language, "accuracy", 50.0 + len(source), is_major=True, split="test",
                  examples=9, seed=1)
        for method, source in (("direct", ""), ("full", text), ("full", "mnli"))
        for language in ("en", text)
    ]  # fmt: skip
    scores = task_scores(made)
    for path in (
        draw_heatmap(transfer_tables(scores), tmp_path / "heatmap.png"),
        draw_languages(scores, tmp_path / "languages.png"),
    ):
        data = path.read_bytes()
        assert int.from_bytes(data[16:20], "big") < 20_000


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "/" not in text and name != "long"])
def test_commands_show_names_of_files_and_artefacts(name: str, tmp_path: Path):
    text = TEXTS[name]
    data = tmp_path / "data"
    (data / text).mkdir(parents=True)
    (data / text / f"{text}.txt").write_text("x\n", encoding="utf-8")
    (data / "xnli").mkdir()
    for split in ("train", "dev", "test"):
        rows = "".join(f"{split} a {number}\tb\tneutral\n" for number in range(20))
        (data / "xnli" / f"{split}-en.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / text).symlink_to(data)
    assert_shown(str(init_study(tmp_path / "study.yaml", tmp_path / text)), f"{text}/{text}.txt")
    planned = say("plan", tmp_path / "study.yaml", "--json")
    assert planned.code == 0, planned.err
    made = make_stage(f"score {text}", "score", ScoreJob("xnli", (), "", None))
    store = Store(tmp_path / "store")
    with store.writing(made, {"python": text}) as folder:
        (folder / "scores.json").write_text("{}", encoding="utf-8")
    for words in (("ls",), ("show", made.key), ("gc",)):
        for more in ((), ("--json",)):
            found = say("store", *words, "--store", store.root, *more)
            assert found.code == 0, found.err
            assert not {one for one in found.out if unicodedata.category(one) in CONTROLS} - {"\n"}
    assert_shown(say("store", "ls", store.root).out, text)
    assert_shown(say("score", data, "--gold", data / "none" / text).err, text)
