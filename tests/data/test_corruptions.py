"""One deliberate corruption per reader and per trap: `data check` names file and line, and says what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from adaptstilts.cli.main import main
from adaptstilts.data.arrow import write_split
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import TagExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split


def json_lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def squad(*questions: tuple[str, str, str, int]) -> str:
    """SQuAD's JSON, laid out so that question n, counted from 0, begins on line n + 4."""
    lines = [
        json.dumps({"id": name, "question": question, "answers": [{"text": text, "answer_start": start}]})
        for name, question, text, start in questions
    ]
    opening = '{"data": [{"paragraphs": [{\n"context": "The king left at noon.",\n"qas": [\n'
    return opening + ",\n".join(lines) + "\n]}]}]}\n"


MNLI = json_lines(
    {"gold_label": "neutral", "sentence1": "She sings.", "sentence2": "She sings for money.", "pairID": "1n"},
    {"gold_label": "entailment", "sentence1": "It rained.", "sentence2": "It was wet.", "pairID": "2e"},
    {"gold_label": "contradiction", "sentence1": "He left.", "sentence2": "He stayed.", "pairID": "3c"},
)
XNLI = 'A b.\tB c.\tneutral\r\n"He said ""yes""."\tHe spoke.\tentailment\r\nShe came.\tShe left.\tcontradiction\r\n'
PAWSX_TEST = "A flew to B.\tB flew to A.\r\nOne went.\tTwo went.\r\n"
PUBLISHED_XNLI = "language\tgold_label\tsentence1\tsentence2\n" + "".join(
    f"{code}\tneutral\tEs regnet.\tEs ist nass.\n{code}\tcontradictory\tSie kam.\tSie blieb fort.\n"
    for code in get_task("xnli").languages
)
QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\tWho came?\tWho was it?\t1\n1\t3\t4\tWhy?\tHow?\t0\n"
HELLASWAG = json_lines(
    {"ind": 1, "ctx_a": "A man runs.", "ctx_b": "he", "endings": ["falls.", "flies.", "reads.", "melts."], "label": 0},
    {"ind": 2, "ctx_a": "A cook waits.", "ctx_b": "", "endings": ["Then eats.", "Then sings."], "label": 1},
)
COSMOS = (
    "id,context,question,answer0,answer1,answer2,answer3,label\n"
    '"c1","I was late, so\nI ran .","Why did I run ?","I was ""late"" .",No,Maybe,None,0\n'
    "c2,We ate .,What did we do ?,Sleep,Eat,Run,Sing,1\n"
)
COMMONSENSE = json_lines(
    {"id": "s1", "answerKey": "A", "question": {"stem": "Where is milk?", "choices": [
        {"label": "A", "text": "cow"}, {"label": "B", "text": "sea"}]}},
    {"id": "s2", "answerKey": "B", "question": {"stem": "Who flies?", "choices": [
        {"label": "A", "text": "dog"}, {"label": "B", "text": "bird"}]}},
)  # fmt: skip
CCG = "The dog barks\tNP/N N S\\NP\nDogs bark\tNP S\\NP\n"
UDPOS = "Hunde\tNOUN\nbellen\tVERB\n\nJa\tINTJ\n!\tPUNCT\n\n"
PANX = "Anna\tB-PER\nKurz\tI-PER\n\nin\tO\nBern\tB-LOC\n\n"
WIKIANN = "de:Anna\tB-PER\nde:Kurz\tI-PER\n\nde:Bern\tB-LOC\n\n"
CONLLU = (
    "# text = vámonos al mar\n"
    "1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tvamos\tir\tVERB\t_\t_\t0\troot\t_\t_\n"
    "2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_\n"
    "2.1\tahora\tahora\tADV\t_\t_\t_\t_\t_\t_\n"
    "3\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\t_\n"
    "\n"
)
XQUAD = squad(("q0", "When?", "noon", 17), ("q1", "Who left?", "king", 4), ("q2", "When exactly?", "at noon", 14))
TYDIQA = squad(("0", "When?", "noon", 17), ("0", "Who left?", "king", 4), ("1", "When exactly?", "at noon", 14))
BUCC = {
    "bucc2018/de-en.test.de": "de-1\tHallo Welt\nde-2\tEs regnet\n",
    "bucc2018/de-en.test.en": "en-1\tIt rains\nen-2\tHello world\n",
    "bucc2018/de-en.test.gold": "de-1\ten-2\nde-2\ten-1\n",
}
TATOEBA = {
    "tatoeba/tatoeba.deu-eng.deu": "Guten Tag\nEs regnet\nIch gehe\n",
    "tatoeba/tatoeba.deu-eng.eng": "Good day\nIt rains\nI go\n",
}
SNLI = {
    "snli/s1.dev": "A man sleeps .\nA dog runs .\n",
    "snli/s2.dev": "He is awake .\nAn animal moves .\n",
    "snli/labels.dev": "contradiction\nentailment\n",
}
TYDIQA_TRAIN = "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json"


@dataclass(frozen=True)
class Corruption:
    """A sound data set, one change to it, and the error that must follow.

    Attributes:
        name: What is wrong.
        task: The task that reads the files.
        files: Sound files.
        file: The file that is changed.
        old: What stands in it, once.
        new: What stands there afterwards.
        line: Line of the error.
        message: What the error must say.
    """

    name: str
    task: str
    files: dict[str, str]
    file: str
    old: str
    new: str
    line: int
    message: str


def one(file: str, text: str) -> dict[str, str]:
    return {file: text}


MNLI_DEV = "mnli/multinli_1.0_dev_matched.jsonl"
SPANISH = "ud/UD_Spanish-GSD/es_gsd-ud-test.conllu"
WIKIANN_DEV = "panx/panx_dataset/de/dev"
CORRUPTIONS = (
    # One per reader
    Corruption(
        "cut JSON line", "mnli", one(MNLI_DEV, MNLI), MNLI_DEV, '"pairID": "2e"}', '"pairID": "2', 2, "not JSON"
    ),
    Corruption(
        "label of another task",
        "mnli",
        one(MNLI_DEV, MNLI),
        MNLI_DEV,
        '"contradiction"',
        '"not_entailment"',
        3,
        "label: 'not_entailment' is not a label of this task",
    ),
    Corruption(
        "column lost",
        "xnli",
        one("xnli/dev-de.tsv", XNLI),
        "xnli/dev-de.tsv",
        "She came.\tShe left.\t",
        "She came. She left.\t",
        3,
        "expected 3 columns, found 2",
    ),
    Corruption(
        "parallel file shorter",
        "anli",
        SNLI,
        "snli/s2.dev",
        "An animal moves .\n",
        "",
        1,
        "has 1 line, fewer than the parallel files",
    ),
    Corruption(
        "published table",
        "xnli",
        one("xnli/XNLI-1.0/xnli.dev.tsv", PUBLISHED_XNLI),
        "xnli/XNLI-1.0/xnli.dev.tsv",
        "de\tcontradictory\tSie kam.\t",
        "de\tcontradictory\tSie kam. ",
        9,
        "expected 4 columns, found 3",
    ),
    Corruption(
        "tab inside a question",
        "qqp",
        one("qqp/dev.tsv", QQP),
        "qqp/dev.tsv",
        "Why?",
        "Why\t?",
        3,
        "expected 6 columns, found 7",
    ),
    Corruption(
        "ending that is not there",
        "hellaswag",
        one("hellaswag/hellaswag_val.jsonl", HELLASWAG),
        "hellaswag/hellaswag_val.jsonl",
        '"label": 1',
        '"label": 2',
        2,
        "'2' is not a label of this task",
    ),
    Corruption(
        "answer lost from CSV",
        "cosmosqa",
        one("cosmosqa/valid.csv", COSMOS),
        "cosmosqa/valid.csv",
        ",Run,Sing,",
        ",Run,",
        4,
        "expected 8 columns, found 7",
    ),
    Corruption(
        "letter without a choice",
        "commonsenseqa",
        one("commonsenseqa/dev_rand_split.jsonl", COMMONSENSE),
        "commonsenseqa/dev_rand_split.jsonl",
        '"answerKey": "B"',
        '"answerKey": "E"',
        2,
        "answerKey: 'E' is not",
    ),
    Corruption(
        "tag lost",
        "ccg",
        {"ccg/ccg.train": CCG, "ccg/ccg.dev": CCG},
        "ccg/ccg.dev",
        "\tNP S\\NP\n",
        "\tNP\n",
        2,
        "2 words but 1 tag",
    ),
    Corruption(
        "tag of another set",
        "udpos",
        one("udpos/dev-de.tsv", UDPOS),
        "udpos/dev-de.tsv",
        "VERB",
        "VVFIN",
        2,
        "'VVFIN' is not a tag of this task",
    ),
    Corruption(
        "prefix lost",
        "panx",
        one(WIKIANN_DEV, WIKIANN),
        WIKIANN_DEV,
        "de:Bern",
        "Bern",
        4,
        "'Bern' has no language prefix",
    ),
    Corruption(
        "sentence id twice", "bucc2018", BUCC, "bucc2018/de-en.test.en", "en-2", "en-1", 2, "id 'en-1' occurs twice"
    ),
    Corruption(
        "pair of an unknown sentence",
        "bucc2018",
        BUCC,
        "bucc2018/de-en.test.gold",
        "de-2\ten-1",
        "de-2\ten-9",
        2,
        "no sentence has id 'en-9'",
    ),
    Corruption(
        "sides of different length",
        "tatoeba",
        TATOEBA,
        "tatoeba/tatoeba.deu-eng.eng",
        "I go\n",
        "",
        3,
        "has 3 lines, tatoeba.deu-eng.eng has 2",
    ),
    # One per trap
    Corruption(
        "quote never closed",
        "xnli",
        one("xnli/dev-de.tsv", XNLI),
        "xnli/dev-de.tsv",
        '""yes""."',
        '""yes"".',
        2,
        "broken quoting",
    ),
    Corruption(
        "one labelled row in a test file",
        "pawsx",
        one("pawsx/test-de.tsv", PAWSX_TEST),
        "pawsx/test-de.tsv",
        "Two went.",
        "Two went.\t1",
        2,
        "expected 2 columns, found 3",
    ),
    Corruption(
        "tag lost from one word",
        "panx",
        one("panx/dev-de.tsv", PANX),
        "panx/dev-de.tsv",
        "in\tO\n",
        "in\n",
        4,
        "expected 2 columns, found 1",
    ),
    Corruption(
        "I- tag of no entity",
        "panx",
        one("panx/dev-de.tsv", PANX),
        "panx/dev-de.tsv",
        "I-PER",
        "I-",
        2,
        "'I-' is not a tag of this task",
    ),
    Corruption(
        "context stripped, offsets not",
        "xquad",
        one("xquad/xquad.de.json", XQUAD),
        "xquad/xquad.de.json",
        '"king", "answer_start": 4',
        '"king", "answer_start": 5',
        5,
        "q1: the answer is 'king', but the context has 'ing ' at offset 5",
    ),
    Corruption(
        "one blank answer among others",
        "tydiqa",
        one(TYDIQA_TRAIN, TYDIQA),
        TYDIQA_TRAIN,
        '"text": "at noon"',
        '"text": ""',
        6,
        "1: this answer is blank, others in the file are not",
    ),
    Corruption(
        "question without an id",
        "xquad",
        one("xquad/xquad.de.json", XQUAD),
        "xquad/xquad.de.json",
        '"id": "q2", ',
        "",
        6,
        "qas: a question without an id",
    ),
    Corruption(
        "span beyond the sentence",
        "udpos",
        one(SPANISH, CONLLU),
        SPANISH,
        "1-2\t",
        "1-4\t",
        7,
        "'vámonos' spans words 1-4, but the sentence has 3",
    ),
    Corruption(
        "word number skipped",
        "udpos",
        one(SPANISH, CONLLU),
        SPANISH,
        "\n3\tmar",
        "\n4\tmar",
        6,
        "word 4 follows word 2",
    ),
)


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, list[str]]]:
    """A function that runs `data check` and returns exit status, table, and problems with the folder left out."""

    def run(*words: str) -> tuple[int, str, list[str]]:
        capsys.readouterr()
        code = main(["data", "check", str(tmp_path), *words])
        said = capsys.readouterr()
        return code, said.out, [line.replace(f"{tmp_path}/", "") for line in said.err.splitlines()]

    return run


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def corrupt(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_bytes(text.replace(old, new).encode())


def test_there_are_fourteen_corruptions_or_more():
    assert len({item.name for item in CORRUPTIONS}) == len(CORRUPTIONS) >= 14


@pytest.mark.parametrize("item", CORRUPTIONS, ids=lambda item: item.name)
def test_corruption_gives_one_error_with_file_and_line(tmp_path, check, item):
    write(tmp_path, item.files)
    code, _, problems = check(item.task)
    assert (code, problems) == (0, [])
    corrupt(tmp_path / item.file, item.old, item.new)
    code, _, problems = check(item.task)
    assert code == 2
    # A side of a bitext with one line less is named at the side whose lines are left over.
    file = "tatoeba/tatoeba.deu-eng.deu" if item.task == "tatoeba" else item.file
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{file}:{item.line}: ")
    assert item.message in problems[0]


def test_byte_that_is_not_utf8_is_named_with_its_line(tmp_path, check):
    write(tmp_path, one("udpos/dev-de.tsv", UDPOS))
    path = tmp_path / "udpos/dev-de.tsv"
    path.write_bytes(path.read_bytes().replace(b"Ja", b"J\xe4"))
    code, _, problems = check("udpos")
    assert code == 2
    assert problems == [
        "udpos/dev-de.tsv:4: byte 0xe4 is not UTF-8 (invalid continuation byte). Convert the file to UTF-8."
    ]


def test_row_of_our_own_layout_that_does_not_fit_is_named(tmp_path, check):
    rows = [TagExample("0", ("a", "b"), (0, 1)), TagExample("1", ("c",), (0, 1))]
    write_split(tmp_path, get_task("udpos"), Split.DEV, "de", rows, get_task("udpos").labels)
    code, _, problems = check("udpos")
    assert code == 2
    assert problems == ["udpos/arrow/dev/de/data-00000-of-00001.arrow: row 1: tags: 1 word but 2 tags."]


def test_nine_languages_in_the_english_tydiqa_file_are_an_error(tmp_path, check):
    names = ("english", "arabic", "bengali", "finnish", "indonesian", "korean", "russian", "swahili", "telugu")
    rows = [(f"{name}-{number}-0", "When?", "noon", 17) for number, name in enumerate(names)]
    write(tmp_path, one(TYDIQA_TRAIN, squad(*rows)))
    code, table, problems = check("tydiqa")
    assert code == 2
    assert len(problems) == 1
    assert problems[0].startswith(f"{TYDIQA_TRAIN}: 8 of 9 rows of this English training set are in other languages")
    assert "by id: arabic 1, bengali 1" in problems[0]
    assert "the first has id 'arabic-1-0'" in problems[0]
    assert table.splitlines()[1].split()[-1] == "8"


def test_all_problems_of_all_files_are_collected(tmp_path, check):
    write(tmp_path, {"xnli/dev-de.tsv": XNLI, "xnli/dev-fr.tsv": XNLI, "udpos/dev-de.tsv": UDPOS})
    corrupt(tmp_path / "xnli/dev-de.tsv", "neutral", "neutrale")
    corrupt(tmp_path / "xnli/dev-de.tsv", "contradiction", "contra")
    corrupt(tmp_path / "xnli/dev-fr.tsv", "\tneutral", "")
    corrupt(tmp_path / "udpos/dev-de.tsv", "INTJ", "ITJ")
    code, _, problems = check("xnli", "udpos")
    assert code == 2
    assert [":".join(problem.split(":")[:2]) for problem in problems] == [
        "xnli/dev-de.tsv:1",
        "xnli/dev-de.tsv:3",
        "xnli/dev-fr.tsv:2",
        "xnli/dev-fr.tsv:3",
        "udpos/dev-de.tsv:4",
    ]


def test_reading_of_a_file_stops_after_twenty_problems(tmp_path, check):
    write(tmp_path, one("xnli/dev-de.tsv", "A b.\tB c.\tnone\n" * 50))
    assert len(check("xnli")[2]) == 20


@pytest.mark.parametrize(
    ("file", "find", "put", "message"),
    [
        ("xnli/dev-de.tsv", b"\tneutral\r\n", b"\tneutra\r\n", "'neutra' is not a label"),
        ("udpos/dev-de.tsv", b"\tNOUN\n", b"\tNN\n", "'NN' is not a tag"),
        ("panx/dev-ja.tsv", b"\tI-ORG\n", b"\tI-MISC\n", "'I-MISC' is not a tag"),
        ("commonsenseqa/dev_rand_split.jsonl", b'"answerKey": "', b'"answerKey": "Z',
         "is not a label"),
    ],
)  # fmt: skip
def test_corruption_of_a_slice_gives_one_error_with_file_and_line(
    shared_root, tmp_path, check, file, find, put, message
):
    task = file.partition("/")[0]
    shutil.copytree(shared_root / "data" / task, tmp_path / task)
    path = tmp_path / file
    content = path.read_bytes()
    place = content.index(find, len(content) // 2)
    path.write_bytes(content[:place] + put + content[place + len(find) :])
    line = content.count(b"\n", 0, place) + 1
    code, _, problems = check(task)
    assert code == 2
    assert len(problems) == 1
    assert problems[0].startswith(f"{file}:{line}: ")
    assert message in problems[0]


def test_offset_of_a_slice_that_is_one_off_is_named_with_its_line(shared_root, tmp_path, check):
    document = json.loads((shared_root / "data/xquad/xquad.de.json").read_text(encoding="utf-8"))
    document["data"][3]["paragraphs"][1]["qas"][0]["answers"][0]["answer_start"] += 1
    name = document["data"][3]["paragraphs"][1]["qas"][0]["id"]
    text = json.dumps(document, indent=1, ensure_ascii=False)
    write(tmp_path, one("xquad/xquad.de.json", text))
    code, _, problems = check("xquad")
    opening = text.count("\n", 0, text.rindex("\n      {", 0, text.index(name)) + 1) + 1  # the brace of its record
    assert code == 2
    assert len(problems) == 1
    assert problems[0].startswith(f"xquad/xquad.de.json:{opening}: {name}: the answer is")


def test_unknown_task_is_refused_with_a_near_match(check):
    code, _, problems = check("xnly")
    assert code == 2
    assert "'xnly' is not a task. Did you mean 'xnli'?" in problems[0]


def test_slices_are_read_without_a_problem(shared_root, capsys):
    assert main(["data", "check", str(shared_root / "data"), "xnli", "tydiqa", "bucc2018"]) == 0
    assert DataRoot(shared_root / "data").languages(get_task("bucc2018"), Split.DEV) == ("zh",)
    assert "bucc2018  dev    1 of 4" in capsys.readouterr().out
