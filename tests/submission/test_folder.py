import json
from pathlib import Path

import pytest

from adaptstilts.errors import DataError
from adaptstilts.submission.folder import (
    match_to_labels,
    read_labels,
    read_predictions,
    submission_path,
    submitted_languages,
    write_predictions,
)
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Kind, Phase, Task


def content_of(task: Task) -> object:
    """A prediction that fits the task."""
    if task.name in {"tatoeba", "tatoeba_r"}:
        return [2, 0, 1]
    return {
        Kind.CLASSIFY: list(task.labels),
        Kind.TAG: [list(task.labels[:2]), list(task.labels[:1])],
        Kind.EXTRACT: {"q1": "der rote Fuchs", "q2": "", "q3": "红狐狸"},
        Kind.CHOOSE: [1, 0, 1],
        Kind.MATCH: {"q1": ["Q7", "Q1"], "q2": ["Q3"]},
        Kind.RETRIEVE: frozenset({("de-1", "en-7"), ("de-2", "en-3")}),
    }[task.kind]


def file_with(tmp_path: Path, text: str, name: str = "test-de.tsv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def squad_file(tmp_path: Path, *ids: str, name: str = "labels.json") -> Path:
    questions = [{"id": one, "question": "?", "answers": [{"text": f"to {one}", "answer_start": 0}]} for one in ids]
    document = {"data": [{"paragraphs": [{"context": "", "qas": questions}]}]}
    return file_with(tmp_path, json.dumps(document), name)


@pytest.mark.parametrize(
    "task", [task for task in all_tasks() if task.phase is Phase.TARGET], ids=lambda task: task.name
)
def test_written_predictions_read_back_equal_for_every_target_task(task: Task, tmp_path: Path):
    content = content_of(task)
    path = write_predictions(tmp_path, task, "de", content)
    assert path == submission_path(tmp_path, task, "de")
    suffixes = {Kind.EXTRACT: ".json", Kind.MATCH: ".json", Kind.CHOOSE: ".jsonl"}
    assert path.suffix == suffixes.get(task.kind, ".tsv")
    assert read_predictions(path, task).content == content


def test_choices_are_one_json_object_a_line(tmp_path: Path):
    task = get_task("hellaswag")
    path = write_predictions(tmp_path, task, "en", [3, 0])
    assert path.read_text(encoding="utf-8") == '{"label": 3}\n{"label": 0}\n'
    assert read_predictions(path, task).content == [3, 0]


def test_classes_given_as_indices_are_written_as_label_words(tmp_path: Path):
    path = write_predictions(tmp_path, get_task("xnli"), "de", [2, 0])
    assert path.read_text(encoding="utf-8") == "neutral\ncontradiction\n"


def test_tags_are_written_one_a_line_with_a_blank_line_between_sentences(tmp_path: Path):
    path = write_predictions(tmp_path, get_task("udpos"), "de", [["DET", "NOUN"], ["VERB"]])
    assert path.read_text(encoding="utf-8") == "DET\nNOUN\n\nVERB\n"


def test_reading_tags_takes_several_blank_lines_for_one(tmp_path: Path):
    found = read_predictions(file_with(tmp_path, "\nNOUN\n\n\nVERB\nPUNCT\n"), get_task("udpos"))
    assert found.content == [["NOUN"], ["VERB", "PUNCT"]]
    assert found.lines == (2, 5)


def test_reading_forgives_windows_line_ends_a_byte_order_mark_and_blank_lines_at_the_end(tmp_path: Path):
    path = file_with(tmp_path, "\ufeffDET\r\nNOUN \r\n\r\nVERB\r\n\r\n\r\n")
    found = read_predictions(path, get_task("udpos"))
    assert found.content == [["DET", "NOUN"], ["VERB"]]
    assert found.lines == (1, 4)


def test_languages_come_in_the_order_of_the_task_then_by_name(tmp_path: Path):
    folder = tmp_path / "pawsx"
    folder.mkdir()
    for name in ("test-zh.tsv", "test-en.tsv", "test-xx.tsv", "test-fi.tsv", "test-de.json", "dev-de.tsv", "notes.tsv"):
        file_with(folder, "1\n", name)
    assert submitted_languages(tmp_path, get_task("pawsx")) == ("en", "zh", "fi", "xx")


def test_languages_are_none_when_the_folder_is_missing(tmp_path: Path):
    assert submitted_languages(tmp_path, get_task("xnli")) == ()


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        (
            "xnli",
            "neutral\nneutrall\n",
            r"test-de\.tsv:2: 'neutrall' is not a label of xnli.*mean 'neutral'.*Allowed: c",
        ),
        ("xnli", "neutral\n\nneutral\n", r"test-de\.tsv:2: '' is not a label"),
        ("pawsx", "1\n2\n", r"test-de\.tsv:2: '2' is not a label of pawsx.*Allowed: 0, 1"),
        ("udpos", "NOUN\nB-PER\n", r"test-de\.tsv:2: 'B-PER' is not a label of udpos"),
        ("panx", "B-PER\nRoma\tB-LOC\n", r"test-de\.tsv:2: 'Roma\\tB-LOC' is not a label of panx"),
        (
            "bucc2018",
            "de-1\ten-1\nde-2\n",
            r"test-de\.tsv:2: 'de-2' is not two ids .* \(1 column\)\. Allowed: 2 columns",
        ),
        ("bucc2018", "de-1\ten-1\tx\n", r"test-de\.tsv:1: .* is not two ids .* \(3 columns\)"),
        ("tatoeba", "4\n[308]\n", r"test-de\.tsv:2: '\[308\]' is not a row number"),
        ("tatoeba", "-1\n", r"test-de\.tsv:1: '-1' is not a row number"),
    ],
)
def test_reading_raises_with_file_line_and_what_is_allowed(task: str, text: str, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        read_predictions(file_with(tmp_path, text), get_task(task))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"label": "1"}\n', r"test-en\.jsonl:1: label: '1' is not a choice"),
        ('{"label": 1}\n{"label": -1}\n', r"test-en\.jsonl:2: label: -1 is not a choice"),
        ('{"label": 1}\n{"lab\n', r"test-en\.jsonl:2: not JSON"),
    ],
)
def test_reading_choices_raises_with_line_when_one_is_malformed(text: str, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        read_predictions(file_with(tmp_path, text, "test-en.jsonl"), get_task("hellaswag"))


@pytest.mark.parametrize("text", ["", "\n \n"])
@pytest.mark.parametrize(
    "task", [*(task.name for task in [task for task in all_tasks() if task.phase is Phase.TARGET]), "hellaswag"]
)
def test_reading_raises_when_a_file_is_empty(task: str, text: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"test-de\.tsv: the file is empty"):
        read_predictions(file_with(tmp_path, text), get_task(task))


@pytest.mark.parametrize("task", ["xnli", "udpos", "xquad", "bucc2018", "tatoeba"])
def test_reading_raises_when_a_file_is_missing(task: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"missing\.tsv: cannot be read"):
        read_predictions(tmp_path / "missing.tsv", get_task(task))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"q1": "a",\n"q2": }', r"test-de\.json:2: not JSON"),
        ('["a"]', r"test-de\.json:1: expected a JSON object, found list"),
        ('{"q1": "a", "q2": 3}', r"test-de\.json:1: q2: expected text, found 3"),
        ("{}", "the file is empty"),
    ],
)
def test_reading_answers_raises_with_place_when_json_is_malformed(text: str, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        read_predictions(file_with(tmp_path, text, "test-de.json"), get_task("xquad"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ('{"q1": "answer"}', "labels.json:1: data: expected a list of objects.*SQuAD"),
        ('{"data": []}', "holds no question"),
        ('{"data": [{"paragraphs": [{"qas": [{"answers": []}]}]}]}', "labels.json:1: id: missing"),
        ('{"data": [{"paragraphs": [{"qas": [{"id": "q9", "answers": []}]}]}]}', "labels.json:1: q9: has no answer"),
        *(
            (
                '{"data": [{"paragraphs": [{"qas": [{"id": "q9", "is_impossible": ' + mark + ', "answers": []}]}]}]}',
                f"labels.json:1: q9: is_impossible is {shown}. It is true or false.",
            )
            for mark, shown in (("1", "1"), ('"false"', "'false'"), ("null", "null"))
        ),
        ('{"data": [{"paragraphs": [{"qas": [{"id": "q9"}]}]}]}', "labels.json:1: answers: expected a list"),
    ],
)
def test_reading_gold_answers_raises_naming_the_key(text: str, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        read_labels(file_with(tmp_path, text, "labels.json"), get_task("xquad"))


def test_gold_answers_may_be_absent_where_questions_may_be_unanswerable(tmp_path: Path):
    text = '{"data": [{"paragraphs": [{"qas": [{"id": "q9", "is_impossible": true, "answers": []}]}]}]}'
    assert read_labels(file_with(tmp_path, text), get_task("squad2")).content == {"q9": []}


@pytest.mark.parametrize(
    ("task", "labels", "predictions", "message"),
    [
        ("xnli", "neutral\n" * 3, "neutral\n" * 2, r"pred\.tsv:2: 2 lines, but 3 in .*gold\.tsv.*exactly once"),
        ("tatoeba", "1\n0\n", "1\n2\n3\n", r"pred\.tsv:3: 3 lines, but 2 in"),
        ("udpos", "NOUN\n\nVERB\n", "NOUN\n", r"pred\.tsv:1: 1 sentence, but 2 in"),
        ("panx", "O\n\nO\nO\n", "O\n\nO\n", r"pred\.tsv:3: sentence 2 has 1 tag, but 2 in .*gold\.tsv:3.*every word"),
    ],
)
def test_matching_raises_with_both_numbers_when_they_differ(
    task: str, labels: str, predictions: str, message: str, tmp_path: Path
):
    gold = read_labels(file_with(tmp_path, labels, "gold.tsv"), get_task(task))
    found = read_predictions(file_with(tmp_path, predictions, "pred.tsv"), get_task(task))
    with pytest.raises(DataError, match=message):
        match_to_labels(found, gold)


def test_matching_raises_with_the_first_id_when_question_ids_are_unknown(tmp_path: Path):
    task = get_task("xquad")
    gold = read_labels(squad_file(tmp_path, "q1", "q2"), task)
    found = read_predictions(file_with(tmp_path, '{"q1": "a", "q8": "b", "q9": "c"}', "pred.json"), task)
    with pytest.raises(DataError, match=r"pred\.json: 2 of 3 question ids not in .*the first is 'q8'"):
        match_to_labels(found, gold)


def test_matching_leaves_unanswered_questions_out(tmp_path: Path):
    task = get_task("xquad")
    gold = read_labels(squad_file(tmp_path, "q1", "q2"), task)
    found = read_predictions(file_with(tmp_path, '{"q2": "b"}', "pred.json"), task)
    assert match_to_labels(found, gold) == {"q2": "b"}


def test_matching_counts_a_prediction_for_every_question_that_shares_its_id(tmp_path: Path):
    task = get_task("tydiqa")
    gold = read_labels(squad_file(tmp_path, "q1", "q2", "q1"), task)
    assert list(gold.content) == ["q1#0", "q2#1", "q1#2"]
    bare = read_predictions(file_with(tmp_path, '{"q1": "a", "q2": "b"}', "bare.json"), task)
    assert match_to_labels(bare, gold) == {"q1#0": "a", "q2#1": "b", "q1#2": "a"}
    numbered = read_predictions(file_with(tmp_path, '{"q1#0": "a", "q1#2": "c"}', "numbered.json"), task)
    assert match_to_labels(numbered, gold) == {"q1#0": "a", "q1#2": "c"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"test-de\.json: the file is empty.*query id to candidate ids"),
        ("{}", r"test-de\.json: the file is empty"),
        ('{"m1": "Q1"}', r"test-de\.json:1: m1: expected a list of candidate ids"),
        ('{"m1": []}', r"test-de\.json:1: m1: expected a list of candidate ids"),
        ('{"m1": [""]}', r"test-de\.json:1: m1: a candidate id is not text"),
        ('{"m1": ["Q1", "Q2", "Q1"]}', r"test-de\.json:1: m1: a candidate is listed twice"),
    ],
)
def test_ranks_name_file_and_query_when_they_are_malformed(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        read_predictions(file_with(tmp_path, text, "test-de.json"), get_task("mewslix"))


def test_ranks_of_an_unknown_query_are_refused_and_missing_ones_stay_missing(tmp_path: Path):
    task = get_task("mewslix")
    labels = read_labels(file_with(tmp_path, '{"m1": ["Q1"], "m2": ["Q2"]}', "labels.json"), task)
    found = read_predictions(file_with(tmp_path, '{"m2": ["Q9", "Q2"]}', "found.json"), task)
    assert match_to_labels(found, labels) == {"m2": ["Q9", "Q2"]}
    other = read_predictions(file_with(tmp_path, '{"m3": ["Q2"]}', "other.json"), task)
    with pytest.raises(DataError, match=r"other\.json: 1 of 1 question id not in .*labels\.json, the first is 'm3'"):
        match_to_labels(other, labels)
