"""Queries and candidates: LAReQA, Mewsli-X and what trains them."""

import json
import re

import pytest

from adaptstilts.errors import DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Candidate, MatchExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

LAREQA, MEWSLIX = get_task("lareqa"), get_task("mewslix")
PUBLISHED = "mewslix/wikinews_mentions-test.jsonl"
ONE = "mewslix/wikinews_mentions/test-de.jsonl"
GERMAN = "lareqa/xquad-r/de.json"


@pytest.fixture
def write(data_root, task_files):
    """A function that writes the rows of a task, some files replaced (None: left out), and returns the root."""

    def make(task, replaced=None):
        files = {**task_files[task], **(replaced or {})}
        return data_root({name: text for name, text in files.items() if text is not None})

    return make


@pytest.fixture
def write_breaks(write, make_xquad_r):
    """A function that writes a German paragraph of two questions with the sentence boundaries given."""

    def make(sentences, questions, breaks):
        document = json.loads(make_xquad_r((sentences, questions)))
        document["data"][0]["paragraphs"][0]["sentence_breaks"] = breaks
        return write("lareqa", {GERMAN: json.dumps(document)})

    return make


# LAReQA


def test_lareqa_asks_parallel_questions_for_one_target(write):
    root = write("lareqa")
    rows = {code: root.load_examples(LAREQA, Split.TEST, code) for code in ("de", "zh")}
    assert rows["zh"][1] == MatchExample("q2", "它怎么样？", "q2")
    assert [row.target for row in rows["de"]] == [row.target for row in rows["zh"]] == ["q1", "q2", "q3"]


def test_lareqa_has_one_pool_of_all_sentences_with_their_paragraphs(write):
    found = list(write("lareqa").candidates(LAREQA))
    assert [item.id for item in found] == ["de_1_0", "de_1_1", "de_2_0", "zh_1_0", "zh_1_1", "zh_2_0"]
    assert found[1] == Candidate("de_1_1", "Es war rot.", "Anna kaufte das Boot. Es war rot.", ("q2",))
    right = {target: [item.id for item in found if target in item.answers] for target in ("q1", "q2", "q3")}
    assert right == {"q1": ["de_1_0", "zh_1_0"], "q2": ["de_1_1", "zh_1_1"], "q3": ["de_2_0", "zh_2_0"]}


@pytest.mark.parametrize("name", ["zh.json.gz", "ZH.json"])
def test_lareqa_pool_does_not_lose_a_language_whose_file_has_nearly_its_name(write, name):
    root = write("lareqa")
    folder = root.path / "lareqa/xquad-r"
    (folder / "zh.json").rename(folder / name)
    with pytest.raises(DataError, match=rf"{re.escape(name)}: (is compressed, and )?is not read"):
        list(root.candidates(LAREQA))
    with pytest.raises(DataError, match=r"is not read"):
        root.pool_fingerprint(LAREQA)


def test_lareqa_pool_goes_by_the_files_that_are_there_and_its_fingerprint_with_them(write):
    root = write("lareqa")
    whole = root.pool_fingerprint(LAREQA)
    assert [code for code, _ in root.pool(LAREQA)] == ["de", "zh"]
    (root.path / "lareqa/xquad-r/zh.json").unlink()
    assert root.pool_fingerprint(LAREQA) != whole
    assert [code for code, _ in root.pool(LAREQA)] == ["de"]


def test_lareqa_leaves_out_a_question_whose_answer_begins_between_sentences(write_breaks):
    text, questions = ["Anna kam.", "Es war rot."], [("q1", "Wer?", "Anna"), ("q2", "Wie?", "rot")]
    root = write_breaks(text, questions, [[0, 9], [10, 16]])
    assert [row.id for row in root.load_examples(LAREQA, Split.TEST, "de")] == ["q1"]
    note = "lareqa: 1 question whose answer begins in no sentence left out of de.json"
    assert root.left_out(LAREQA, Split.TEST, "de") == (note,)
    assert [item.answers for item in root.candidates(LAREQA)][:2] == [("q1",), ()]


def test_equal_sentences_of_a_paragraph_are_all_right(write_breaks):
    root = write_breaks(["Ja. Ja."], [("q1", "Wer?", "Ja")], [[0, 3], [4, 7]])
    assert [item.answers for item in root.candidates(LAREQA)][:2] == [("q1",), ("q1",)]


def test_xquad_itself_is_refused_with_what_is_needed(write, make_squad):
    root = write("lareqa", {GERMAN: make_squad(("Anna kam.", "Wer?", [("Anna", 0)]))})
    message = r"de\.json:1: sentence_breaks: no sentence boundaries: this is XQuAD, not XQuAD-R.*datasets/lareqa"
    with pytest.raises(DataError, match=message):
        root.load_examples(LAREQA, Split.TEST, "de")
    with pytest.raises(DataError, match=message):
        list(root.candidates(LAREQA))


def test_missing_pool_names_the_files_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"no candidates of lareqa; looked for lareqa/xquad-r/\{language\}\.json"):
        DataRoot(tmp_path).pool(LAREQA)
    with pytest.raises(DataError, match=r"no candidates of mewslix; looked for mewslix/candidate_set_entities\.jsonl"):
        list(DataRoot(tmp_path).candidates(MEWSLIX))


@pytest.mark.parametrize("breaks", [[[0, 99]], [[3, 3]], [[0]], [["0", 4]], {"0": 4}, [[True, 4]]])
def test_broken_sentence_boundaries_are_refused(write_breaks, breaks):
    root = write_breaks(["Anna kam."], [("q1", "Wer?", "Anna")], breaks)
    with pytest.raises(DataError, match=r"de\.json:1: sentence_breaks: expected pairs of offsets from 0 to 9"):
        root.load_examples(LAREQA, Split.TEST, "de")


def test_answers_that_do_not_stand_at_their_offset_are_refused(write, make_xquad_r):
    text = make_xquad_r((["Anna kam."], [("q1", "Wer?", "Anna")])).replace('"answer_start": 0', '"answer_start": 1')
    root = write("lareqa", {GERMAN: text})
    with pytest.raises(DataError, match=r"de\.json:1: q1: the answer 'Anna' is not at offset 1"):
        root.load_examples(LAREQA, Split.TEST, "de")


BROKEN = {
    "no list": (lambda data: data.update(data=1), ["1: data: expected a list of objects"]),
    "no paragraphs": (lambda data: data["data"][0].pop("paragraphs"), ["3: paragraphs: expected a list of objects"]),
    "no context": (lambda data: data["data"][0]["paragraphs"][1].pop("context"), ["40: context: missing"]),
    "no questions": (lambda data: data["data"][0]["paragraphs"][1].update(qas=[1]), ["40: qas: expected a list of"]),
    "questions": (
        lambda data: [question.pop("question") for question in data["data"][0]["paragraphs"][0]["qas"]],
        ["9: question: missing", "18: question: missing"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_lareqa_names_the_line_of_each_broken_record(write, make_xquad_r, case):
    spoil, messages = BROKEN[case]
    asked = [("q1", "Wer?", "Anna"), ("q2", "Wer?", "Anna")]
    document = json.loads(make_xquad_r((["Anna kam."], asked), (["Bo kam."], [("q3", "Wer?", "Bo")])))
    spoil(document)
    root = write("lareqa", {GERMAN: json.dumps(document, indent=1)})
    found = [str(problem) for problem in root.inspect(LAREQA, Split.TEST, "de").problems]
    assert len(found) == len(messages)
    for problem, message in zip(found, messages, strict=True):
        assert problem.partition("de.json:")[2].startswith(message)
    with pytest.raises(DataError, match=rf"de\.json:{messages[0]}"):
        list(root.candidates(LAREQA))


def test_squad_trains_with_the_sentence_of_the_first_answer(write, make_squad):
    context = "The king left. Dr. Bell stayed at noon."
    text = make_squad((context, "When?", [("noon", 34), ("king", 4)]), (context, "Who?", [("king", 4)]))
    root = write("squad_r", {"squad/v1.1/train-v1.1.json": text})
    first, second = root.load_examples(get_task("squad_r"), Split.TRAIN, "en", labelled=True)
    assert first.candidate == Candidate("1_1", "Dr. Bell stayed at noon.", context, ("1_1",))
    assert (first.query, first.target) == ("When?", "1_1")
    assert second.candidate == Candidate("2_0", "The king left.", context, ("2_0",))


# Mewsli-X


def test_mentions_of_one_language_stand_in_their_sentence_behind_themselves(write, task_files):
    root = write("mewslix", {ONE: None, PUBLISHED: task_files["mewslix"][ONE]})
    assert root.languages(MEWSLIX, Split.TEST) == ("en", "de")
    assert root.load_examples(MEWSLIX, Split.TEST, "de") == [
        MatchExample("m1", "Berlin: Anna (rief) { Berlin } an, und Berlin kam.", "Q2"),
        MatchExample("m2", "Ärztin: Die { Ärztin } schläft.", "Q1"),
        MatchExample("m4", "Anna: { Anna } kam.", "Q3"),
    ]
    assert root.evaluation_languages(MEWSLIX) == ("en", "de")


def test_entities_are_described_by_their_sentences(write):
    found = list(write("mewslix").candidates(MEWSLIX))
    assert found[1] == Candidate("Q2", "Berlin ist alt und groß.", None, ("Q2",))
    assert [item.answers for item in found] == [("Q1",), ("Q2",), ("Q3",)]


def test_mentions_of_xtremes_download_have_hidden_test_labels_unless_a_file_of_labels_has_them(write, task_files):
    german = task_files["mewslix"][ONE]
    for name in ("Q1", "Q2", "Q3"):
        german = german.replace(f'"{name}"', '""')
    blank = {"mewslix/wikinews_labels/test-de.json": json.dumps({name: [""] for name in ("m1", "m2", "m4")})}
    given = {"mewslix/wikinews_labels/test-de.json": json.dumps({"m1": ["Q2"], "m2": ["Q1"], "m4": ["Q3"]})}
    for labels, expected in (({}, [None] * 3), (blank, [None] * 3), (given, ["Q2", "Q1", "Q3"])):
        root = write("mewslix", {ONE: german, **labels})
        assert [row.target for row in root.load_examples(MEWSLIX, Split.TEST, "de")] == expected
        assert root.is_labelled(MEWSLIX, Split.TEST, "de") == (expected[0] is not None)


def test_pairs_of_wikipedia_train_with_the_description_of_the_entity(write):
    rows = write("wikipairs").load_examples(get_task("wikipairs"), Split.TRAIN, "en", labelled=True)
    assert rows[1] == MatchExample("w1", "Anna: So { Anna } sat.", "Q1", Candidate("Q1", "Woman 1.", None, ("Q1",)))


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("mentions", '"text": "Anna"', '"text": "Bo"', r"test\.jsonl:2: mention_span: the mention is 'Bo'"),
        ("mentions", '"end": 11', '"end": 3', r"test\.jsonl:2: sentence_spans: the mention 'Anna' is in none of"),
        ("mentions", '"end": 9}', '"end": 99}', r"test\.jsonl:3: 0 to 99 is not a span of a text of 9 characters"),
        ("mentions", '"mentions"', '"mention"', r"test\.jsonl:2: mentions: expected a list of mentions"),
        ("entities", '"Q2"', '"Q1"', r"entities\.jsonl: candidate 'Q1' occurs twice"),
        ("entities", '"entity_id": "Q3", ', "", r"entities\.jsonl:3: entity_id: missing"),
        ("entities", '"sentence_spans"', '"spans"', r"entities\.jsonl:1: sentence_spans: expected a list"),
    ],
)
def test_mewslix_names_file_and_line_when_a_record_is_broken(write, task_files, name, old, new, message):
    entities = "mewslix/candidate_set_entities.jsonl"
    files = {PUBLISHED: task_files["mewslix"][ONE], entities: task_files["mewslix"][entities]}
    broken = PUBLISHED if name == "mentions" else entities
    assert old in files[broken]
    root = write("mewslix", {**files, ONE: None, broken: files[broken].replace(old, new)})
    with pytest.raises(DataError, match=message):
        for code in ("en", "de"):
            root.load_examples(MEWSLIX, Split.TEST, code)
        list(root.candidates(MEWSLIX))
