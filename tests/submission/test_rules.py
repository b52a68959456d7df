"""One rule for all commands: what `score` refuses, `submit --check` refuses in the same words, and the reverse."""

import json
from pathlib import Path

import pytest
from special_files import OTHER_FILES, pipe

from tests.commandline import say


def squad(*ids: object) -> str:
    questions = [{"id": one, "question": "?", "answers": [{"text": "x", "answer_start": 0}]} for one in ids]
    return json.dumps({"data": [{"paragraphs": [{"context": "x", "qas": questions}]}]})


CASES = {
    "unknown label": ("xnli", "tsv", "neutral\n", "maybe\n", "1: 'maybe' is not a label of xnli"),
    "unknown tag": ("udpos", "tsv", "DET\n\nVERB\n", "DET\n\nVRB\n", "3: 'VRB' is not a label of udpos"),
    "repeated question": ("xquad", "json", squad("a", "b"), '{"a": "x",\n"a": "y", "b": "x"}', "2: a: the question id"),
    "answers as a list": ("xquad", "json", squad("a"), '{"a": [{"text": "b"}]}', "1: a: expected text, found a list"),
    "answer that is no text": ("xquad", "json", squad("a"), '{"a": 3}', "1: a: expected text, found 3"),
    "answer that is an object": (
        "xquad",
        "json",
        squad("a"),
        '{"a": {"x": 1}}',
        "1: a: expected text, found an object",
    ),
    "row beyond the last": ("tatoeba", "tsv", "0\n1\n", "1\n2\n", "2: row 2 does not exist. Allowed: 0 to 1."),
    "row of many digits": ("tatoeba", "tsv", "0\n", "9" * 5000, "1: row 999999999999999999... (5000 digits) does not"),
    "row that is no number": ("tatoeba", "tsv", "0\n", "x\n", "1: 'x' is not a row number"),
    "digits of another script": ("tatoeba", "tsv", "0\n", "٣\n", "1: '٣' is not a row number"),
    "pair with swapped sides": ("bucc2018", "tsv", "de-1\ten-1\n", "en-1\tde-1\n", "1: 'en-1' is not the id of a sen"),
    "pair written twice": ("bucc2018", "tsv", "de-1\ten-1\n", "de-1\ten-1\n" * 2, "2: the pair de-1 en-1 is also on"),
    "pair with a blank": ("bucc2018", "tsv", "de-1\ten-1\n", "de-1 en-1\n", "1: 'de-1 en-1' is not two ids with a tab"),
    "repeated query": ("mewslix", "json", '{"m": ["Q"]}', '{"m": ["Q"],\n "m": ["R"]}', "2: m: the query id is also"),
    "candidate that is a number": ("mewslix", "json", '{"m": ["Q"]}', '{"m": [1]}', "1: m: a candidate id is not text"),
    "candidate listed twice": (
        "mewslix",
        "json",
        '{"m": ["Q"]}',
        '{"m": ["Q", "Q"]}',
        "1: m: a candidate is listed twi",
    ),
    "choice below zero": ("xcopa", "jsonl", '{"label": 0}\n', '{"label": -1}\n', "1: label: -1 is not a choice"),
    "choice that is true": ("xcopa", "jsonl", '{"label": 0}\n', '{"label": true}\n', "1: label: true is not a choice"),
    "choice that is no object": ("xcopa", "jsonl", '{"label": 0}\n', "[1]\n", "1: expected a JSON object, found list"),
    "labels: rows counted from 1": (
        "tatoeba",
        "tsv",
        "1\n2\n",
        "1\n2\n",
        " the rows are 1 to 2, but the first row is 0",
    ),
    "labels: a list that is empty": (
        "mewslix",
        "json",
        '{"m": ["Q"], "m": []}',
        '{"m": ["Q"]}',
        "1: m: expected a list",
    ),
    "labels: a word that the task lacks": (
        "xnli",
        "tsv",
        "perhaps\n",
        "neutral\n",
        "1: 'perhaps' is not a label of xnli",
    ),
}
LANGUAGES = {"xcopa": "et"}
BENCHMARK = {"mewslix": "xtreme_r", "xcopa": "xtreme_r"}


def write(folder: Path, task: str, suffix: str, text: str) -> Path:
    path = folder / task / f"test-{LANGUAGES.get(task, 'de')}.{suffix}"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def both(folder: Path, task: str) -> tuple[str, str]:
    """Score and check a task; both must refuse it. Return what they said."""
    scored = say("score", folder / "pred", "--gold", folder / "gold")
    name = BENCHMARK.get(task, "xtreme")
    words = ("--gold", folder / "gold", "--task", task, "--benchmark", name)
    checked = say("submit", "--check", folder / "pred", *words)
    assert scored.code == checked.code == 2
    return scored.err, checked.err


@pytest.mark.parametrize("case", CASES)
def test_score_and_check_refuse_the_same_with_the_same_words(case: str, tmp_path: Path):
    task, suffix, gold, predictions, message = CASES[case]
    paths = write(tmp_path / "pred", task, suffix, predictions), write(tmp_path / "gold", task, suffix, gold)
    told = f"{paths[case.startswith('labels:')]}:{message}"
    for said in both(tmp_path, task):
        assert told in said, said


@pytest.mark.parametrize("side", ["pred", "gold"])
def test_named_pipe_in_place_of_a_file_is_refused_at_once(side: str, tmp_path: Path):
    paths = {name: write(tmp_path / name, "xnli", "tsv", "neutral\n") for name in ("pred", "gold")}
    paths[side].unlink()
    pipe(paths[side])
    for said in both(tmp_path, "xnli"):
        assert f"{paths[side]}: is a named pipe, not a file" in said, said


BROKEN = {
    **{name: OTHER_FILES[name] for name in ("gzip", "LFS pointer", "web page", "UTF-16")},
    "Latin-1": ("né\n".encode("latin-1"), ":1: byte 0xe9 is not UTF-8"),
}
BROKEN_JSON = {
    "depth": (b'{"a": ' + b"[" * 100_000, ":1: the JSON is nested too deeply to be read"),
    "integer": (b'{"a":\n' + b"9" * 5000 + b"}", ":2: an integer of 5,000 digits cannot be read"),
    "surrogate": (b'{"b": "x",\n"a": "\\ud800"}', ":2: a: '\\ud800' is an unpaired surrogate"),
    "surrogate in a key": (b'{"\\ud800": "x"}', "'\\ud800' is an unpaired surrogate"),
    "cut short": (b'{"a": "x', ":1: not JSON"),
}
LINES = [("xnli", "tsv"), ("udpos", "tsv"), ("tatoeba", "tsv"), ("bucc2018", "tsv"), ("xcopa", "jsonl")]
DOCUMENTS = [("xquad", "json"), ("mewslix", "json")]


@pytest.mark.parametrize("side", ["pred", "gold"])
@pytest.mark.parametrize(
    ("cause", "task", "suffix"),
    [
        *((cause, *file) for cause in BROKEN for file in (*LINES, *DOCUMENTS)),
        *(("CR alone", *file) for file in LINES if file[1] == "tsv"),
        *((cause, *file) for cause in BROKEN_JSON for file in DOCUMENTS),
    ],
)
def test_messages_name_the_cause_wherever_a_file_is_broken(
    cause: str, task: str, suffix: str, side: str, tmp_path: Path
):
    content, message = {**BROKEN, **BROKEN_JSON, "CR alone": (b"a\rb\r", "has carriage returns (CR) alone")}[cause]
    good = {
        "xnli": "neutral\n",
        "udpos": "X\n",
        "tatoeba": "0\n",
        "bucc2018": "de-1\ten-1\n",
        "xcopa": '{"label": 0}\n',
    }
    text = good.get(task) or (squad("a") if task == "xquad" else '{"a": ["Q"]}')
    paths = {name: write(tmp_path / name, task, suffix, text) for name in ("pred", "gold")}
    if task == "xquad":
        paths["pred"].write_text('{"a": "x"}', encoding="utf-8")
    paths[side].write_bytes(content)
    for said in both(tmp_path, task):
        line = next(line for line in said.splitlines() if line.startswith(str(paths[side])))
        assert message in line


def test_ids_that_are_integers_are_their_digits_in_labels_too(tmp_path: Path):
    write(tmp_path / "gold", "xquad", "json", squad(1, "b"))
    write(tmp_path / "pred", "xquad", "json", '{"1": "x", "b": "y"}')
    said = say("score", tmp_path / "pred", "--gold", tmp_path / "gold")
    assert said.code == 0
    assert "50.0" in said.out


def test_part_of_a_test_set_says_nothing_of_its_number_of_rows(tmp_path: Path):
    write(tmp_path / "gold", "tatoeba", "tsv", "7\n308\n")
    write(tmp_path / "pred", "tatoeba", "tsv", "7\n990\n")
    assert say("score", tmp_path / "pred", "--gold", tmp_path / "gold").code == 0


@pytest.mark.parametrize(
    ("case", "task", "message"),
    [
        ("dupkey", "xquad", "xquad/test-en.json:1: a: the question id is also on line 1. Keep one of the two."),
        ("tat-1based", "tatoeba", "tatoeba/test-de.tsv:2: row 2 does not exist. Allowed: 0 to 1. Count from 0."),
    ],
)
def test_cases_that_were_scored_in_silence(case: str, task: str, message: str, shared_root: Path):
    folder = shared_root / "cases" / "30-score" / case
    for said in both(folder, task):
        assert message in said


def test_case_of_integer_ids_is_scored_as_it_is_read(shared_root: Path):
    folder = shared_root / "cases" / "30-score" / "intid-gold"
    assert say("score", folder / "pred", "--gold", folder / "gold").out.count("100.0") > 1
