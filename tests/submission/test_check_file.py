import json
from pathlib import Path

import pytest

from adaptstilts.submission.check_file import Expected, check_file
from adaptstilts.submission.folder import read_labels
from adaptstilts.tasks.registry import get_task


def file_with(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def squad(*names: str) -> str:
    questions = [{"id": name, "question": "?", "answers": [{"text": "x", "answer_start": 0}]} for name in names]
    return json.dumps({"data": [{"paragraphs": [{"context": "x", "qas": questions}]}]})


def problems(
    folder: Path, task: str, text: str, *, gold: str | None = None, rows: int | None = None, language: str = "de"
) -> list[str]:
    """What is wrong with a file, each without the folder's name."""
    path = file_with(folder, text, "pred")
    labels = None if gold is None else read_labels(file_with(folder, gold, "gold"), get_task(task))
    found = check_file(path, Expected(get_task(task), language, labels, rows))
    return [str(problem).replace(f"{folder}/", "") for problem in found]


@pytest.mark.parametrize(
    ("task", "text", "gold"),
    [
        ("xnli", "neutral\nentailment\n", "entailment\nneutral\n"),
        ("pawsx", "1\r\n0\r\n\r\n", "0\n1\n"),
        ("udpos", "DET\nNOUN\n\nX\n", "X\nX\n\nNOUN\n"),
        ("xquad", '{"q1": "a", "q2": ""}', squad("q1", "q2")),
        ("tydiqa", '{"q1": "a"}', squad("q1", "q1")),
        ("tydiqa", '{"q1#0": "a", "q1#1": "b"}', squad("q1", "q1")),
        ("bucc2018", "de-1\ten-1\nde-1\ten-2\n", "de-7\ten-7\n"),
        ("tatoeba", "7\n993\n", "0\n993\n"),
        ("hellaswag", '{"label": 3}\n', '{"label": 0}\n'),
        ("mewslix", '{"m1": ["Q1", "Q2"], "m2": ["Q3"]}', '{"m1": ["Q2"], "m2": ["Q4"]}'),
    ],
)
def test_file_without_problems_has_none(task: str, text: str, gold: str, tmp_path: Path):
    assert problems(tmp_path, task, text, gold=gold) == []
    assert problems(tmp_path, task, text) == []


def test_every_wrong_label_is_told_with_its_line(tmp_path: Path):
    found = problems(tmp_path, "xnli", "neutral\nmaybe\n\nentailment\nnutral\n", gold="neutral\n" * 4)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:2: 'maybe' is not a label of xnli",
        "pred:3: '' is not a label of xnli",
        "pred:5: 'nutral' is not a label of xnli",
        "pred:5: 5 lines, but 4 in gold",
    ]
    assert "Did you mean 'neutral'" in found[2]


def test_lines_are_compared_with_the_published_number_without_labels(tmp_path: Path):
    (found,) = problems(tmp_path, "pawsx", "1\n0\n1\n", rows=2000)
    assert found.startswith("pred:3: 3 lines, but 2,000 in the published test set. Predict every example")
    assert problems(tmp_path, "pawsx", "1\n0\n1\n", rows=3) == []


def test_every_misaligned_sentence_is_told_with_both_lines(tmp_path: Path):
    gold = "DET\nNOUN\n\nVERB\n\nX\nX\nX\n"
    found = problems(tmp_path, "udpos", "DET\n\nVERB\n\nX\nNOUNS\n", gold=gold)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:6: 'NOUNS' is not a label of udpos",
        "pred:1: sentence 1 has 1 tag, but 2 in gold:1",
        "pred:5: sentence 3 has 2 tags, but 3 in gold:6",
    ]


def test_only_the_first_misaligned_sentence_is_told_when_sentences_are_missing(tmp_path: Path):
    gold = "DET\nNOUN\n\nVERB\n\nX\nX\nX\n"
    found = problems(tmp_path, "udpos", "DET\nNOUN\nVERB\n\n\nX\nX\nX\n", gold=gold)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:1: sentence 1 has 3 tags, but 2 in gold:1",
        "pred:8: 2 sentences, but 3 in gold",
    ]


def test_duplicate_unknown_and_unanswered_question_ids_are_told_with_their_lines(tmp_path: Path):
    text = '{\n "q1": "a: \\"b\\": c",\n "q9": "x",\n "q1": "c",\n "ü": 3\n}'
    found = problems(tmp_path, "xquad", text, gold=squad("q1", "q2", "q3", "ü"))
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:5: ü: expected text, found 3",
        "pred:4: q1: the question id is also on line 2",
        "pred:3: q9: no question of gold has this id",
        "pred: no answer to 2 of 4 questions, the first is 'q2'",
    ]


def test_questions_are_counted_without_labels(tmp_path: Path):
    assert problems(tmp_path, "xquad", '{"q1": "a"}', rows=1190) == [
        "pred: 1 question, but 1,190 in the published test set. "
        "Predict every example exactly once, in the order of the test file."
    ]


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        ("xquad", '{"q1": "a",\n"q2": }', ["pred:2: not JSON (Expecting value at column 7)."]),
        ("xquad", '["a"]', ["pred:1: expected a JSON object, found list."]),
        ("xquad", " \n", ["pred: the file is empty. Write one JSON object from question id to answer."]),
        ("udpos", "\n\n", ["pred: the file is empty. Write one line for each example."]),
        ("tatoeba", "1\n[308]\n-1\n", ["pred:2: '[308]' is not a row", "pred:3: '-1' is not a row"]),
        (
            "hellaswag",
            '{"label": true}\n{"lab\n[1]\n',
            ["pred:1: label: true", "pred:2: not JSON", "pred:3: expected a JSON object, found list"],
        ),
    ],
)
def test_malformed_content_is_told_with_its_line(task: str, text: str, expected: list[str], tmp_path: Path):
    found = problems(tmp_path, task, text)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


def test_rows_beyond_the_published_number_do_not_exist(tmp_path: Path):
    (found,) = problems(tmp_path, "tatoeba", "2\n1\n3\n", rows=3)
    assert found == "pred:3: row 3 does not exist. Allowed: 0 to 2. Count from 0."


def test_pairs_must_be_ids_of_either_side_and_stand_once(tmp_path: Path):
    text = "de-1\ten-1\nen-2\tde-2\nde-3\nde-1\ten-1\n"
    found = problems(tmp_path, "bucc2018", text)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:2: 'en-2' is not the id of a sentence in 'de'",
        "pred:2: 'de-2' is not the id of a sentence in 'en'",
        "pred:3: 'de-3' is not two ids with a tab between them (1 column)",
        "pred:4: the pair de-1 en-1 is also on line 1",
    ]


def test_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "pred"
    path.write_bytes(b"neutral\n\xff\n")
    (found,) = check_file(path, Expected(get_task("xnli"), "de"))
    assert "pred:2: byte 0xff is not UTF-8" in str(found)


def test_every_malformed_list_of_candidates_is_told_with_its_line(tmp_path: Path):
    many = json.dumps([f"Q{number}" for number in range(21)])
    rows = ['"m1": "Q1"', '"m2": []', '"m3": [1]', '"m4": ["Q1", "Q1"]', f'"m5": {many}', '"m6": {}', '"m7": ["Q1"]']
    text = "{" + ",\n".join([*rows, '"m7": ["Q2"]', '"m9": ["Q1"]']) + "}"
    gold = json.dumps({f"m{number}": ["Q1"] for number in range(1, 9)})
    found = problems(tmp_path, "mewslix", text, gold=gold)
    assert [line.split(". ")[0].removesuffix(".") for line in found] == [
        "pred:1: m1: expected a list of candidate ids, best first",
        "pred:2: m2: expected a list of candidate ids, best first",
        "pred:3: m3: a candidate id is not text",
        "pred:4: m4: a candidate is listed twice",
        "pred:5: m5: 21 candidates, but only the first 20 count",
        "pred:6: m6: expected a list of candidate ids, best first",
        "pred:8: m7: the query id is also on line 7",
        "pred:9: m9: no question of gold has this id",
        "pred: no answer to 1 of 8 questions, the first is 'm8'",
    ]
