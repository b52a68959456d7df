"""Tables and JSON lines of one's own, read by the columns that a layout names."""

from __future__ import annotations

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.languages import declare_language
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import ChoiceExample, PairExample
from adaptstilts.tasks.layouts import choices, texts
from adaptstilts.tasks.spec import Kind, Layout, Size, Split, Task

TABLE = """\
text\tlabel\tlanguage\tpart
Fine.\tgood\teng\ttrain
"A ""big"" day,
at last."\tgood\teng\tvalidation
Not so.\tbad\teng\ttest
Schade.\tbad\tdeu\ttest
Naja.\t\tdeu\ttest
"""
COLUMNS = {"language": "language", "split": "part", "codes": (("en", "eng"), ("de", "deu"))}


def moods(layout: Layout, **changes: object) -> Task:
    declaration: dict[str, object] = {
        "name": "moods",
        "kind": Kind.CLASSIFY,
        "languages": ("en", "de"),
        "labels": ("bad", "good"),
        "layouts": dict.fromkeys(Split, layout),
    }
    return Task(**(declaration | changes))


def quiz(layout: Layout) -> Task:
    return moods(layout, kind=Kind.CHOOSE, labels=(), size=Size(choices=2))


def test_one_table_holds_languages_under_their_own_codes_and_splits(data_root):
    root: DataRoot = data_root({"moods.tsv": TABLE})
    task = moods(texts("moods.tsv", **COLUMNS))
    assert root.load(task, Split.TRAIN, "en") == [PairExample("0", "Fine.", None, 1)]
    assert root.load(task, Split.DEV, "en") == [PairExample("0", 'A "big" day,\nat last.', None, 1)]
    assert root.load(task, Split.TEST, "de") == [
        PairExample("0", "Schade.", None, 0),
        PairExample("1", "Naja.", None, None),
    ]
    assert root.languages(task, Split.TRAIN) == ("en",)
    assert root.languages(task, Split.TEST) == ("en", "de")
    assert not root.has_files(task, Split.DEV, "de")
    assert root.evaluation_languages(task) == ("en", "de")


def test_splits_of_one_table_differ_in_whether_labels_are_hidden(data_root):
    root: DataRoot = data_root({"moods.tsv": "text\tlabel\tsplit\nA.\tgood\tdev\nB.\t\ttest\n"})
    task = moods(texts("moods.tsv", split="split"), languages=("en",))
    assert not root.is_labelled(task, Split.TEST, "en")
    assert root.is_labelled(task, Split.DEV, "en")
    assert root.evaluation_split(task, "en") is Split.DEV


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("moods.csv", 'a,b,y,n\n"One, two.",Three.,1,x7\n'),
        ("moods.tsv", "a\tb\ty\tn\nOne, two.\tThree.\t1\tx7\n"),
        ("moods.jsonl", '{"a": "One, two.", "b": "Three.", "y": 1, "n": "x7"}\n'),
    ],
)
def test_pairs_are_equal_in_every_form_of_file(data_root, name: str, text: str):
    layout = texts(name, first="a", second="b", label="y", id="n", words="0 1")
    (row,) = data_root({name: text}).load(moods(layout), Split.TEST, "en")
    assert row == PairExample("x7", "One, two.", "Three.", 1)


def test_files_of_several_languages_are_named_by_the_codes_of_the_data_set(data_root):
    root: DataRoot = data_root({f"{code}/test.tsv": "text\tlabel\nA.\tgood\n" for code in ("eng", "ast_Latn", "fr")})
    layout = texts("{language}/test.tsv", codes=(("en", "eng"), ("ast", "ast_Latn")))
    task = moods(layout, languages=("en", "ast"), layouts={Split.TEST: layout})
    declare_language("ast")
    assert root.languages(task, Split.TEST) == ("en", "ast", "fr")
    assert [path.parent.name for path in root.files(task, Split.TEST, "ast")] == ["ast_Latn"]


@pytest.mark.parametrize("start", [0, 1])
def test_choices_are_read_by_their_columns(data_root, start: int):
    text = f'{{"text": "It rained.", "q": "Why wet?", "a": "Rain.", "b": "Sun.", "right": {start}}}\n'
    layout = choices("quiz.jsonl", prompt="text q", choices="a b", label="right", first=str(start))
    (row,) = data_root({"quiz.jsonl": text}).load(quiz(layout), Split.TEST, "en")
    assert row == ChoiceExample("0", "It rained. Why wet?", ("Rain.", "Sun."), 0)


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("m.tsv", "words\tlabel\nA\tgood\n", {}, r"m\.tsv:1: text: no such column.*Allowed: words, label"),
        ("m.tsv", "text\tlabel\nA\tgood\n", {"label": "y"}, r"m\.tsv:1: y: no such column"),
        ("m.tsv", "text\tlabel\nA\tgod\n", {}, r"m\.tsv:2: label: 'god' is not a label.*'good'"),
        ("m.tsv", "text\tlabel\nA\n", {}, r"m\.tsv:2: expected 2 columns, found 1"),
        ("m.tsv", 'text\tlabel\n"A\tgood\n', {}, r"m\.tsv:2: broken quoting"),
        ("m.tsv", "text\tlabel\ts\nA\tgood\ttrian\n", {"split": "s"}, r"m\.tsv:2: s: 'trian' is not a split.*'train'"),
        ("m.tsv", "text\tlabel\nA\tgood\n", {"language": "l"}, r"m\.tsv:1: l: no such column"),
        ("m.jsonl", '{"text": ["A"], "label": "good"}\n', {}, r"m\.jsonl:1: text: expected text, found \['A'\]"),
        ("m.jsonl", '{"text": "A", "label": true}\n', {}, r"m\.jsonl:1: label: expected text, found true"),
        ("m.jsonl", '{"text": \n', {}, r"m\.jsonl:1: not JSON"),
    ],
)
def test_bad_row_is_named_with_file_line_and_column(data_root, name: str, text: str, options: dict, message: str):
    root: DataRoot = data_root({name: text})
    task = moods(texts(name, **options), languages=("en",))
    with pytest.raises(DataError, match=message):
        root.load(task, Split.TEST, "en")
    assert root.languages(task, Split.TEST) == ("en",)
    (problem,) = [str(problem) for problem in root.inspect(task, Split.TEST, "en").problems][:1]
    assert name in problem


def test_faults_of_a_layout_say_what_to_write(data_root):
    root: DataRoot = data_root({"m.tsv": "text\tlabel\nA\tgood\n", "n.tsv": "text\nA\n"})
    with pytest.raises(ConfigError, match=r"layouts\.reader: 'tsv' is not a reader.*Allowed: .*texts"):
        root.load(moods(Layout("tsv", (("m.tsv",),))), Split.TEST, "en")
    with pytest.raises(ConfigError, match=r"layouts\.choices: expected the columns of at least two answers"):
        root.load(quiz(choices("m.tsv", prompt="text")), Split.TEST, "en")
    with pytest.raises(ConfigError, match=r"labels_from_data: the tags of files read by 'word_lines'"):
        tagged = moods(Layout("word_lines", (("m.tsv",),)), kind=Kind.TAG, labels=(), labels_from_data=True)
        root.labels(tagged)
    message = r"n\.tsv: layouts\.reader: the reader 'texts' gives no examples of the kind choose"
    with pytest.raises(ConfigError, match=message):
        root.load(quiz(texts("n.tsv")), Split.TEST, "en")
    with pytest.raises(ConfigError, match=r"layouts\.options: 'frist' is not an option.*Did you mean 'first'"):
        root.load(moods(texts("m.tsv", frist="text")), Split.TEST, "en")
    with pytest.raises(ConfigError, match=r"layouts\.words: 3 label words for the 2 labels"):
        root.load(moods(texts("m.tsv", words="a b c")), Split.TEST, "en")


def test_first_row_without_a_label_is_named_with_its_line(data_root):
    text = 'text\tlabel\tsplit\nA.\tgood\ttrain\n"B,\nC."\t\ttest\nD.\tbad\ttest\nE.\t\ttrain\n'
    root: DataRoot = data_root({"m.tsv": text})
    task = moods(texts("m.tsv", split="split"), languages=("en",))
    message = r"m\.tsv:{}: no label in 1 of 2 examples, the first is '{}'\. Label them, or take them out"
    with pytest.raises(DataError, match=message.format(6, 1)):
        root.load(task, Split.TRAIN, "en", labelled=True)
    (problem,) = root.inspect(task, Split.TEST, "en").problems
    assert problem.line == 4


def test_column_that_a_table_lacks_is_one_problem_of_its_header(data_root):
    root: DataRoot = data_root({"m.csv": "text,label,sprache\nA.,good,en\nB.,bad,en\n"})
    (problem,) = root.inspect(moods(texts("m.csv", language="language")), Split.TEST, "en").problems
    assert str(problem).endswith("m.csv:1: language: no such column. Allowed: text, label, sprache.")
