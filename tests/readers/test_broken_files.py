"""Files that are no text, or text that no file can hold: refused on reading, in every layout, by their cause."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from special_files import OTHER_FILES, SPECIAL

from adaptstilts.cli.main import main
from adaptstilts.data.arrow import write_split
from adaptstilts.errors import DataError
from adaptstilts.tasks.examples import PairExample, TagExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

PLACES = {
    "JSON": ("xquad", Split.TEST, "xquad/xquad.de.json"),
    "JSON lines": ("mnli", Split.DEV, "mnli/multinli_1.0_dev_matched.jsonl"),
    "pairs": ("xnli", Split.DEV, "xnli/dev-de.tsv"),
    "table": ("xnli", Split.DEV, "XNLI-1.0/xnli.dev.tsv"),
    "CSV": ("cosmosqa", Split.DEV, "cosmosqa/valid.csv"),
    "words": ("udpos", Split.DEV, "udpos/dev-de.tsv"),
    "CoNLL-U": ("udpos", Split.DEV, "ud/UD_A-B/de_a-ud-dev.conllu"),
    "sentences": ("ccg", Split.TRAIN, "ccg/ccg.train"),
    "bitext": ("tatoeba", Split.TEST, "tatoeba/de-en.de"),
    "parquet": ("xnli", Split.DEV, "hub/facebook/xnli/de/validation-00000-of-00001.parquet"),
    "Arrow": ("xnli", Split.DEV, "xnli/arrow/dev/de/data-00000-of-00001.arrow"),
}


def place(root, path, content):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if path.endswith("de-en.de"):
        target.with_name("de-en.en").write_text("One.\nTwo.\n")
    return target


@pytest.mark.parametrize("other", OTHER_FILES)
@pytest.mark.parametrize("where", PLACES)
def test_what_a_file_really_is_is_named_in_every_layout(data_root, tmp_path, where, other):
    (name, split, path), (content, message) = PLACES[where], OTHER_FILES[other]
    place(tmp_path, path, content)
    language = "en" if name in {"mnli", "cosmosqa", "ccg"} else "de"
    with pytest.raises(DataError, match=re.escape(f"{Path(path).name}: {message}")):
        data_root({}).load(get_task(name), split, language)


@pytest.mark.parametrize("where", [name for name in PLACES if name not in {"JSON", "parquet", "Arrow"}])
def test_carriage_returns_alone_are_named_where_lines_are_rows(data_root, tmp_path, where):
    name, split, path = PLACES[where]
    place(tmp_path, path, b"one\ttwo\rthree\tfour\r")
    language = "en" if name in {"mnli", "cosmosqa", "ccg"} else "de"
    with pytest.raises(DataError, match=r": has carriage returns \(CR\) alone as line ends: convert them"):
        data_root({}).load(get_task(name), split, language)


def test_a_carriage_return_within_the_first_line_is_no_line_end(data_root, tmp_path):
    long = "word\r" * 20_000
    place(tmp_path, "xnli/dev-de.tsv", f'"{long}"\tB.\tneutral\nA.\tB.\tneutral\n'.encode())
    for quoting in ("clean", "xtreme"):
        assert len(data_root({}, quoting=quoting).load(get_task("xnli"), Split.DEV, "de")) == 2


@pytest.mark.parametrize(("make", "what"), SPECIAL)
@pytest.mark.parametrize("where", PLACES)
def test_what_stands_in_place_of_a_file_is_refused_at_once(data_root, tmp_path, where, make, what):
    name, split, path = PLACES[where]
    target = place(tmp_path, path, b"")
    target.unlink()
    make(target)
    language = "en" if name in {"mnli", "cosmosqa", "ccg"} else "de"
    with pytest.raises(DataError, match=rf"{target.name}: is {what}, not a file"):
        data_root({}).load(get_task(name), split, language)


@pytest.mark.parametrize(("make", "what"), SPECIAL)
def test_a_study_refuses_at_once_what_stands_in_place_of_an_evaluation_file(tmp_path, capsys, make, what):
    for split in ("train", "dev"):
        place(tmp_path, f"udpos/{split}-en.tsv", b"Hund\tNOUN\n\nJa\tINTJ\n\n")
    make(tmp_path / "udpos/test-de.tsv")
    config = tmp_path / "study.yaml"
    config.write_text(
        f"name: special\nbackbone: mini\nmethods: [direct]\ndata: {{root: {tmp_path}}}\ntarget: {{tasks: [udpos]}}\n"
        f"evaluation: {{languages: [de]}}\nstore: {tmp_path}/store\nresults: {tmp_path}/results\n"
    )
    assert main(["validate", str(config)]) == 2
    assert f"test-de.tsv: is {what}, not a file" in capsys.readouterr().err


COSMOS = "id,context,question,answer0,answer1,answer2,answer3,label\n"


@pytest.mark.parametrize(
    ("task", "path", "text", "hint"),
    [
        (
            "xnli",
            "xnli/dev-de.tsv",
            "A.\tB.\tneutral\nA\rB.\tC.\tneutral\n",
            r"\. If .* quoting=xtreme",
        ),
        ("cosmosqa", "cosmosqa/valid.csv", f"{COSMOS}1,a\rb,c,d,e,f,g,0\n", r"\.$"),
    ],
)
def test_a_carriage_return_within_a_column_is_named(data_root, tmp_path, task, path, text, hint):
    place(tmp_path, path, text.encode())
    message = rf"{Path(path).name}:2: a carriage return \(CR\) stands in a column that is not quoted{hint}"
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task(task), Split.DEV, "en" if task == "cosmosqa" else "de")


REPEATED = {
    "cosmosqa": ("cosmosqa/valid.csv", f"{COSMOS.strip()},id\n", "id"),
    "xnli": ("XNLI-1.0/xnli.dev.tsv", "language\tgold_label\tsentence1\tsentence2\tpairID\tpairID\n", "pairID"),
    "qqp": ("qqp/dev.tsv", "question1\tquestion2\tquestion1\n", "question1"),
    "sib200": ("sib200/deu_Latn/dev.tsv", "index_id\tcategory\ttext\ttext\n", "text"),
    "pawsx": ("x-final/de/dev_2k.tsv", "id\tsentence1\tsentence2\tlabel\tlabel\n", "label"),
}


@pytest.mark.parametrize("task", REPEATED)
def test_a_column_that_is_there_twice_is_refused(data_root, tmp_path, task):
    path, text, column = REPEATED[task]
    place(tmp_path, path, text.encode())
    language = "en" if task in {"cosmosqa", "qqp"} else "de"
    message = rf"{Path(path).name}:1: {column}: this column is there twice\. Keep one of the two"
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task(task), Split.DEV, language)


SEVERAL = {
    "siqa": ("siqa/socialIQa_v1.4_dev.jsonl", '{"context": "a"}\n{"question": "b"}\n{\n'),
    "copa": ("xcopa/val-en.jsonl", '{"premise": "a"}\n{"question": "why"}\n{\n'),
    "mnli": ("mnli/multinli_1.0_dev_matched.jsonl", '{"gold_label": "a"}\n{}\n{\n'),
    "wikipairs": ("mewslix/wikipedia_pairs-dev.jsonl", '{"entity": "a"}\n{}\n{\n'),
    "udpos": ("udpos/dev-en.tsv", "a\tNOUNS\nb\tVERBS\nc\td\te\n"),
    "qqp": ("qqp/dev.tsv", "id\tquestion1\tquestion2\tis_duplicate\n1\ta\tb\t2\n1\tc\td\te\n1\n"),
}


@pytest.mark.parametrize("task", SEVERAL)
def test_every_bad_row_is_a_problem_of_its_line(data_root, tmp_path, task):
    path, text = SEVERAL[task]
    place(tmp_path, path, text.encode())
    lines = [problem.line for problem in data_root({}).inspect(get_task(task), Split.DEV, "en").problems]
    assert lines == ([2, 3, 4] if task == "qqp" else [1, 2, 3])


SURROGATES = {
    "JSON": (
        "data[0].paragraphs[0].context",
        '{"data": [{"paragraphs": [\n{"context": "a \\ud83d b", "qas": []}]}]}',
        2,
    ),
    "JSON title": ("data[0].title", '{"data": [{"paragraphs": [],\n\n"title": "\\uDFFF"}]}', 3),
    "JSON key": ("data[0].\ud83d", '{"data": [{"paragraphs": [], "\\ud83d": 1}]}', 1),
    "JSON lines": (
        "sentence1",
        '{"pairID": "1", "gold_label": "neutral", "sentence1": "a \\ud83d\\udc4d", "sentence2": "b"}\n'
        '{"pairID": "2", "gold_label": "neutral", "sentence1": "a \\udc4d", "sentence2": "b"}\n',
        2,
    ),
}


@pytest.mark.parametrize("case", SURROGATES)
def test_unpaired_surrogates_are_refused_with_line_and_key(data_root, tmp_path, case):
    key, content, line = SURROGATES[case]
    name, split, path = PLACES["JSON" if case.startswith("JSON ") and "lines" not in case else case]
    place(tmp_path, path, content.encode())
    language = "en" if name == "mnli" else "de"
    with pytest.raises(DataError, match="is an unpaired surrogate, half of a character") as caught:
        data_root({}).load(get_task(name), split, language)
    assert (caught.value.line, caught.value.key) == (line, key)
    str(caught.value).encode()


@pytest.mark.parametrize("where", ["pairs", "table", "CSV", "words", "CoNLL-U", "sentences", "bitext"])
def test_surrogates_as_bytes_are_no_utf_8(data_root, tmp_path, where):
    name, split, path = PLACES[where]
    place(tmp_path, path, b"one\ttwo\n" + "\ud83d".encode("utf-8", "surrogatepass") + b"\tx\n")
    language = "en" if name in {"mnli", "cosmosqa", "ccg"} else "de"
    with pytest.raises(DataError, match=r"byte 0xed is not UTF-8"):
        data_root({}).load(get_task(name), split, language)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"data": [\n{"paragraphs": [], "paragraphs": []}]}', r"json:2: paragraphs: stands twice in one JSON object"),
        ('{"data": [],\n"version": %s}' % ("9" * 5000), r"\.json:2: an integer of 5,000 digits cannot be read"),
        ('{"data": %s}' % ("[" * 100_000), r"\.json:1: the JSON is nested too deeply"),
        ('{"data": ' + '\n{"a":' * 100_000 + "1" + "}" * 100_001, r"\.json:\d+: the JSON is nested too deeply"),
        ('{"data": [{"paragraphs": [{"context": "a", "qas": [{"id": "q", "question": "?", "answers": %s}]}]}]}'
         % ("[" * 300 + "]" * 300), r"q: expected a list of answers, found \[\[\["),
    ],
    ids=["repeated key", "long integer", "open lists", "nested objects", "deep answers"],
)  # fmt: skip
def test_json_that_python_cannot_read_is_refused_in_one_line(data_root, tmp_path, content, message):
    place(tmp_path, "xquad/xquad.de.json", content.encode())
    with pytest.raises(DataError, match=message) as caught:
        data_root({}).load(get_task("xquad"), Split.TEST, "de")
    assert len(str(caught.value)) < 500


BLANK_WORDS = {
    "words": ("panx/test-en.tsv", "Rome\tB-LOC\n \tO\n\tO\nold\tO\n\n\tO\n\nis\tO\n"),
    "prefixed": ("panx/panx_dataset/en/test", "en:Rome\tB-LOC\nen:\xa0\tO\nen:\tO\nen:old\tO\n\nen:\tO\n\nen:is\tO\n"),
    "Arrow": ("", ""),
}


@pytest.mark.parametrize("where", BLANK_WORDS)
def test_blank_words_are_left_out_and_counted_in_every_layout(data_root, tmp_path, where):
    path, text = BLANK_WORDS[where]
    task = get_task("panx")
    if path:
        place(tmp_path, path, text.encode())
        source = Path(path).name
    else:
        rows = [
            TagExample("0", ("Rome", "\u3000", "", "old"), (1, 0, 0, 0)),
            TagExample("1", ("",), (0,)),
            TagExample("2", ("is",), (0,)),
        ]
        write_split(tmp_path, task, Split.TEST, "en", rows, task.labels)
        source = "data-00000-of-00001.arrow"
    root = data_root({})
    assert [row.words for row in root.load(task, Split.TEST, "en")] == [("Rome", "old"), ("is",)]
    assert root.notes(task, Split.TEST, "en") == (f"panx: 3 blank words left out of {source}",)


def test_words_that_end_like_a_tag_are_words(data_root, tmp_path):
    place(tmp_path, "udpos/test-de.tsv", b"Herr\nA,X\n\nB;X\n")
    rows = data_root({}).load(get_task("udpos"), Split.TEST, "de")
    assert [row.words for row in rows] == [("Herr", "A,X"), ("B;X",)]


def test_conllu_forms_without_a_letter_are_blank_words(data_root, tmp_path):
    line = "{}\t{}\t_\tX\t_\t_\t{}\t_\t_\t_\n"
    text = line.format(1, "Ja", 0) + line.format(2, "", 1) + line.format(3, "\u200c", 1) + "\n"
    place(tmp_path, "ud/UD_A-B/de_a-ud-dev.conllu", text.encode())
    root = data_root({})
    assert [row.words for row in root.load(get_task("udpos"), Split.DEV, "de")] == [("Ja",)]
    assert root.notes(get_task("udpos"), Split.DEV, "de") == ("udpos: 2 blank words left out of de_a-ud-dev.conllu",)


@pytest.mark.parametrize(
    ("task", "path", "text", "message"),
    [
        ("udpos", "udpos/dev-de.tsv", "Hund NOUN\n", r"tsv:1: 'Hund NOUN' has a blank where a tab belongs"),
        ("udpos", "udpos/dev-de.tsv", "Hund,NOUN\n", r"tsv:1: 'Hund,NOUN' has a comma where a tab belongs"),
        ("panx", "panx/dev-de.tsv", "Rom;B-LOC\n", r"tsv:1: 'Rom;B-LOC' has a semicolon where a tab belongs"),
        ("panx", "panx/dev-de.tsv", "New York B-LOC\n", r"tsv:1: 'New York B-LOC' has a blank where a tab belongs"),
        ("udpos", "ud/UD_A/de_a-ud-dev.conllu", "1 Ja ja INTJ _ _ 0 root _ _\n",
         r"conllu:1: expected 10 columns, found 1\. Separate the columns by tabs: this line has blanks instead"),
        ("xnli", "xnli/dev-de.tsv", "A,B,neutral\n", r"tsv:1: expected 2 or 3 columns, found 1\. .*has commas instead"),
        ("xnli", "XNLI-1.0/xnli.dev.tsv", "language label\nde neutral\n", r"tsv:1: .*this line has blanks"),
        ("ccg", "ccg/ccg.train", "The dog NP/N N\n", r"train:1: expected 2 columns, found 1\. .*has blanks instead"),
        ("cosmosqa", "cosmosqa/valid.csv", "id;context\n1;2\n", r"csv:1: .*by commas: this line has semicolons"),
        ("qqp", "qqp/dev.tsv", "id,question1\n1,2\n", r"tsv:1: .*by tabs: this line has commas instead"),
        ("bucc2018", "bucc2018/de-en.dev.de", "de-1 Hallo\n", r"dev\.de:1: .*this line has blanks instead"),
    ],
)  # fmt: skip
def test_other_signs_in_place_of_the_separator_are_named(data_root, tmp_path, task, path, text, message):
    place(tmp_path, path, text.encode())
    place(tmp_path, "bucc2018/de-en.dev.en", b"en-1\tHello\n")
    split = Split.TRAIN if task == "ccg" else Split.DEV
    language = "en" if task in {"qqp", "cosmosqa", "ccg"} else "de"
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task(task), split, language)


@pytest.mark.parametrize(
    "text",
    ["de:Anna\tB-PER\nde:kam\tO\n\nde:Ja\tO\n\n", "de:Anna\tB-PER\n", "de:Anna\nde:kam\n\n"],
    ids=["sentences", "one word", "hidden tags"],
)
def test_wikianns_own_files_in_xtremes_place_are_refused(data_root, tmp_path, text):
    place(tmp_path, "panx/dev-de.tsv", text.encode())
    message = r"dev-de\.tsv:1: every word begins with 'de:', as in WikiANN's own files\. Remove the prefixes, or put"
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task("panx"), Split.DEV, "de")


def test_words_with_colons_are_no_prefixed_words(data_root, tmp_path):
    place(tmp_path, "panx/dev-de.tsv", b"de:Anna\tB-PER\nkam\tO\n\nde:Ja\tO\n\n")
    rows = data_root({}).load(get_task("panx"), Split.DEV, "de")
    assert [row.words for row in rows] == [("de:Anna", "kam"), ("de:Ja",)]


@pytest.mark.parametrize(
    ("task", "path", "text", "message"),
    [
        ("udpos", "udpos/dev-de.tsv", "# sent_id = 1\n1\tJa\tja\tINTJ\t_\t_\t0\troot\t_\t_\n",
         r"dev-de\.tsv:2: expected 1 column, found 10\. CoNLL-U is read elsewhere: adaptstilts docs data\."),
        ("tatoeba", "tatoeba/de-en.de", "1\tJa.\n2\tNein.\n",
         r"de-en\.de:1: every line has a tab, so that more than sentences stands there\. Keep the sentences alone"),
        ("tatoeba", "tatoeba/de-en.de", "", r"de-en\.de: has 0 lines, de-en\.en has 2\. Line n of one translates"),
        ("tatoeba", "tatoeba/de-en.de", "Ja.\n\n\n", r"de-en\.de:3: has 3 lines, de-en\.en has 2\. Line n of one"),
        ("bucc2018", "bucc2018/de-en.test.gold", "en-1\tde-1\n",
         r"gold:1: no sentence has id 'en-1' on the foreign side\. Write the foreign id, a tab, the English id\."),
    ],
)  # fmt: skip
def test_everyday_mistakes_of_text_files_are_named(data_root, tmp_path, task, path, text, message):
    place(tmp_path, path, text.encode())
    for side in ("de", "en"):
        place(tmp_path, f"bucc2018/de-en.test.{side}", f"{side}-1\tA.\n".encode())
    split = Split.DEV if task == "udpos" else Split.TEST
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task(task), split, "de")


@pytest.mark.parametrize("size", [150_000, 3_000_000])
def test_long_columns_are_read(data_root, tmp_path, size):
    header = "id,context,question,answer0,answer1,answer2,answer3,label\n"
    row = f'c1,"{"word " * (size // 5)}",Why?,A,B,C,D,0\n'
    place(tmp_path, "cosmosqa/valid.csv", (header + row).encode())
    place(tmp_path, "xnli/dev-de.tsv", f'"{"w" * size}"\tB.\tneutral\n'.encode())
    assert len(data_root({}).load(get_task("cosmosqa"), Split.DEV, "en")[0].prompt) > size
    assert len(data_root({}).load(get_task("xnli"), Split.DEV, "de")[0].first) == size


IDS = {
    "integer": (7, "7"), "text": ("7", "7"), "true": (True, None), "number": (7.5, None), "list": ([7], None),
    "object": ({"a": 1}, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", IDS)
def test_an_id_is_text_or_an_integer_in_every_layout(data_root, tmp_path, kind):
    value, expected = IDS[kind]
    question = {"id": value, "question": "?", "answers": [{"text": "a", "answer_start": 0}]}
    document = {"data": [{"paragraphs": [{"context": "a b", "qas": [question]}]}]}
    pair = {"pairID": value, "gold_label": "neutral", "sentence1": "a", "sentence2": "b"}
    choice = {"ind": value, "ctx": "a", "endings": ["b", "c"], "label": 0}
    place(tmp_path, "xquad/xquad.de.json", json.dumps(document).encode())
    place(tmp_path, "mnli/multinli_1.0_dev_matched.jsonl", json.dumps(pair).encode())
    place(tmp_path, "hellaswag/hellaswag_val.jsonl", json.dumps(choice).encode())
    for name, split, language in (
        ("xquad", Split.TEST, "de"),
        ("mnli", Split.DEV, "en"),
        ("hellaswag", Split.DEV, "en"),
    ):
        root = data_root({})
        if expected is None:
            with pytest.raises(DataError, match="expected text or an integer as an id, found"):
                root.load(get_task(name), split, language)
        else:
            assert [row.id for row in root.load(get_task(name), split, language)] == [expected]


def test_ids_that_are_repeated_get_their_position_in_every_layout(data_root, tmp_path):
    pair = {"pairID": "p", "gold_label": "neutral", "sentence1": "a", "sentence2": "b"}
    place(tmp_path, "mnli/multinli_1.0_dev_matched.jsonl", (json.dumps(pair) + "\n").encode() * 2)
    task = get_task("xnli")
    write_split(tmp_path, task, Split.DEV, "de", [PairExample("x", "a", "b", 0)] * 2, task.labels)
    root = data_root({})
    assert [row.id for row in root.load(get_task("mnli"), Split.DEV, "en")] == ["p#0", "p#1"]
    assert [row.id for row in root.load(task, Split.DEV, "de")] == ["x#0", "x#1"]


@pytest.mark.parametrize("ending", [".gz", ".zip", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("where", ["JSON", "JSON lines", "pairs", "table", "CSV", "words", "bitext"])
def test_a_compressed_file_beside_the_place_of_its_content_is_named(data_root, tmp_path, capsys, where, ending):
    name, split, path = PLACES[where]
    place(tmp_path, path + ending, b"x")
    language = "en" if name in {"mnli", "cosmosqa"} else "de"
    message = (
        rf"{Path(path).name}\{ending}: is compressed, and is not read\. Unpack it to '{Path(path).name}' beside it"
    )
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task(name), split, language)
    assert main(["data", "check", str(tmp_path), name]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_compressed_part_of_a_pooled_set_is_named(data_root, tmp_path, capsys):
    pair = {"pairID": "p", "gold_label": "neutral", "sentence1": "a", "sentence2": "b"}
    for name in ("mnli/multinli_1.0_train.jsonl", "snli/snli_1.0_train.jsonl.gz"):
        place(tmp_path, name, json.dumps(pair).encode() + b"\n")
    message = r"snli_1\.0_train\.jsonl\.gz: is compressed, and is not read\. Unpack it to 'snli_1\.0_train\.jsonl'"
    with pytest.raises(DataError, match=message):
        data_root({}).load(get_task("anli"), Split.TRAIN, "en")
    assert main(["data", "check", str(tmp_path), "anli"]) == 2
    assert re.search(message, capsys.readouterr().err)
    place(tmp_path, "snli/snli_1.0_train.jsonl", json.dumps(pair).encode() + b"\n")
    assert len(data_root({}).load(get_task("anli"), Split.TRAIN, "en")) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    {
        "Dev-DE.tsv": "is not read: the file is looked for as 'dev-de.tsv'. Rename it.",
        "dev_de.tsv": "is not read: the file is looked for as 'dev-de.tsv'. Rename it.",
        "dev.de.tsv": "is not read: the file is looked for as 'dev-de.tsv'. Rename it.",
        "dev-de.txt": "is not read: the file is looked for as 'dev-de.tsv'. Rename it.",
        "dev-de.tsv.txt": "is not read: the file is looked for as 'dev-de.tsv'. Rename it.",
        "dev-de.tsv.part": "is a download that was not finished, and is not read. Fetch 'dev-de.tsv' again.",
        "dev-de.tsv.crdownload": "is a download that was not finished, and is not read. Fetch 'dev-de.tsv' again.",
    }.items(),
)
def test_a_file_under_nearly_its_name_is_named(data_root, tmp_path, name, message):
    place(tmp_path, f"xnli/{name}", b"x")
    with pytest.raises(DataError, match=re.escape(f"{name}: {message}")):
        data_root({}).load(get_task("xnli"), Split.DEV, "de")


def test_files_of_other_languages_are_not_nearly_one(data_root, tmp_path):
    for name in ("dev-el.tsv", "dev-den.tsv", "dev-de", "test-de.tsv"):
        place(tmp_path, f"xnli/{name}", b"x")
    with pytest.raises(DataError, match=r"no dev files of xnli in 'de'"):
        data_root({}).load(get_task("xnli"), Split.DEV, "de")


@pytest.mark.parametrize(
    ("task", "path", "missing"),
    [
        ("bucc2018", "bucc2018/de-en.test.de", "bucc2018/de-en.test.en"),
        ("bucc2018", "bucc2018/de-en.test.gold", "bucc2018/de-en.test.de"),
        ("tatoeba", "tatoeba/tatoeba.deu-eng.eng", "tatoeba/tatoeba.deu-eng.deu"),
        ("tatoeba", "tatoeba/de-en.de", "tatoeba/de-en.en"),
    ],
)
def test_a_file_without_the_one_beside_it_is_named(tmp_path, capsys, task, path, missing):
    target = tmp_path / path
    target.parent.mkdir(parents=True)
    target.write_text("x\n", encoding="utf-8")
    assert main(["data", "check", str(tmp_path), task]) == 2
    message = f"{target.name}: is not read without '{missing}', which is missing. Add that file."
    assert message in capsys.readouterr().err


def test_class_names_that_no_file_can_hold_are_refused(data_root, tmp_path):
    metadata = {b"huggingface": b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": ["\\ud83d"]}}}}'}
    for content, message in (
        (metadata[b"huggingface"], "metadata of `datasets`: '.*' is an unpaired surrogate"),
        (b"{", r"metadata of `datasets`: not JSON"),
        (b"\xff", r"metadata of `datasets`: not UTF-8"),
        (b'{"info": {"features": {"label": {"_type": "ClassLabel", "names": 7}}}}', r"the names of the classes of"),
    ):
        table = pyarrow.table({"premise": ["a"], "hypothesis": ["b"], "label": [0]})
        target = place(tmp_path, PLACES["parquet"][2], b"")
        pyarrow.parquet.write_table(table.replace_schema_metadata({b"huggingface": content}), target)
        with pytest.raises(DataError, match=message):
            data_root({}).load(get_task("xnli"), Split.DEV, "de")


def test_a_file_of_all_languages_that_lacks_some_is_a_problem_only_with_strict(tmp_path, capsys):
    rows = "".join(f"{code}\tneutral\tA {code} sentence.\tB.\n" for code in ("de", "fr"))
    place(tmp_path, "XNLI-1.0/xnli.dev.tsv", f"language\tgold_label\tsentence1\tsentence2\n{rows}".encode())
    assert main(["data", "check", str(tmp_path), "xnli"]) == 0
    found = capsys.readouterr()
    assert "note: xnli: dev: missing in 13 languages" in found.out
    assert found.err == ""
    assert main(["data", "check", str(tmp_path), "xnli", "--strict"]) == 2
    assert "no dev files of xnli in 13 languages" in capsys.readouterr().err


CASES = [
    ("10-gzip/root", "xnli", r"dev-en\.tsv\.gz: is compressed, and is not read\. Unpack it to 'dev-en\.tsv' beside it"),
    ("01-lone-surrogate/root", "squad1", r"train-v1\.1\.json:1: data\[0\].*: '\\ud83d' is an unpaired surrogate"),
    ("01-lone-surrogate/root", "xquad", r"xquad\.de\.json:1: data\[0\].*is an unpaired surrogate"),
    ("06-cr-only/root", "xnli", r"dev-en\.tsv: has carriage returns \(CR\) alone as line ends"),
    ("07-squad-answers/root-bigint", "xquad", r"xquad\.en\.json:\d+: an integer of 5,000 digits cannot be read"),
    ("10-gzip/root2", "xnli", r"dev-en\.tsv: is compressed \(gzip\): unpack it"),
    ("10-gzip/root3", "xnli", r"dev-en\.tsv: is a pointer of Git LFS: fetch"),
    ("10-gzip/root3", "xnli", r"test-en\.tsv: is a web page \(HTML\): download the file again"),
    ("10-gzip/root4", "xquad", r"xquad\.en\.json: is a pointer of Git LFS: fetch"),
    ("33-space-sep/root", "udpos", r"dev-en\.tsv:1: 'dog NOUN' has a blank where a tab belongs"),
]


@pytest.mark.parametrize(("folder", "task", "message"), CASES)
def test_shared_cases_name_the_cause(cases, capsys, folder, task, message):
    assert main(["data", "check", str(cases / folder), task]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert any(re.search(message, line) for line in lines), lines


@pytest.mark.parametrize(
    ("folder", "task", "note"),
    [
        ("02-panx-blank-words/root", "panx", "panx: 1 blank word left out of test-en.tsv"),
        ("02-panx-blank-words/root2", "panx", "panx: 1 blank word left out of test"),
        ("31-hub/panx-emptytoken", "panx", "blank word left out of test-00000-of-00001.parquet"),
        ("38-bigfield/root", "cosmosqa", "cosmosqa  dev    en          3"),
    ],
)
def test_shared_cases_are_read(cases, capsys, folder, task, note):
    assert main(["data", "check", str(cases / folder), task]) == 0
    assert note in capsys.readouterr().out


@pytest.fixture
def cases():
    shared = os.environ.get("ADAPTSTILTS_SHARED")
    if not shared or not (Path(shared) / "cases").is_dir():
        pytest.skip("needs ADAPTSTILTS_SHARED")
    return Path(shared) / "cases"
