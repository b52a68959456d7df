import json

import pytest

from adaptstilts.data.arrow import write_split
from adaptstilts.errors import ConfigError, DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.locate import find, locate
from adaptstilts.tasks.examples import PairExample, TagExample
from adaptstilts.tasks.layouts import first_of, unpacked
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Layout, Split

XNLI_1_0 = "language\tgold_label\tsentence1\tsentence2\tpairID\n"
X_FINAL = "id\tsentence1\tsentence2\tlabel\n"


def names_found(root: DataRoot, task: str, split: Split, code: str) -> list[str]:
    return [path.relative_to(root.path).as_posix() for path in root.files(get_task(task), split, code)]


# Which place is read


def test_first_of_keeps_what_comes_after_a_layout(data_root):
    chain = first_of(first_of(Layout("a", (("a",),)), Layout("b", (("b",),))), Layout("c", (("c",),)))
    for name in "cba":
        root = data_root({name: "x"})
        assert find(root.path, chain, "de").layout.reader == name


def test_unpacked_archive_is_looked_for_in_three_places():
    assert unpacked("snli", "snli_1.0", "a", "b") == (
        ("snli/a", "snli/b"),
        ("snli/snli_1.0/a", "snli/snli_1.0/b"),
        ("snli_1.0/a", "snli_1.0/b"),
    )


def test_published_file_in_another_folder_is_no_substitute(data_root):
    row = '{"gold_label": "neutral", "sentence1": "A", "sentence2": "B", "pairID": "x"}\n'
    root = data_root({"multinli_1.0/multinli_1.0_train.jsonl": row})
    assert root.notes(get_task("mnli"), Split.TRAIN, "en") == ()
    assert names_found(root, "mnli", Split.TRAIN, "en") == ["multinli_1.0/multinli_1.0_train.jsonl"]


@pytest.mark.parametrize(
    ("task", "split", "published", "hidden"),
    [
        ("xnli", Split.TEST, "xnli/XNLI-1.0/xnli.test.tsv", "xnli/test-de.tsv"),
        ("pawsx", Split.TEST, "pawsx/x-final/de/test_2k.tsv", "pawsx/test-de.tsv"),
        ("panx", Split.TEST, "panx_dataset/de/test", "panx/test-de.tsv"),
        ("udpos", Split.TEST, "ud/UD_German-GSD/de_gsd-ud-test.conllu", "udpos/test-de.tsv"),
        ("tydiqa", Split.DEV, "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa-goldp-dev-finnish.json",
         "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.fi.dev.json"),
    ],
)  # fmt: skip
def test_published_file_is_read_before_xtremes_copy_with_hidden_labels(data_root, task, split, published, hidden):
    code = "fi" if task == "tydiqa" else "de"
    assert names_found(data_root({hidden: "x"}), task, split, code) == [hidden]
    assert names_found(data_root({published: "x"}), task, split, code) == [published]


@pytest.mark.parametrize(
    ("task", "split", "xtreme", "published"),
    [
        ("xnli", Split.DEV, "xnli/dev-de.tsv", "xnli/XNLI-1.0/xnli.dev.tsv"),
        ("pawsx", Split.DEV, "pawsx/dev-de.tsv", "x-final/de/dev_2k.tsv"),
        ("udpos", Split.DEV, "udpos/dev-de.tsv", "ud/UD_German-GSD/de_gsd-ud-dev.conllu"),
        ("bucc2018", Split.DEV, "bucc2018/de-en.dev.gold", "bucc2018/de-en/de-en.sample.gold"),
    ],
)
def test_xtremes_file_with_labels_is_read_before_the_published_one(data_root, task, split, xtreme, published):
    beside = [name.replace(".gold", f".{side}") for name in (xtreme, published) for side in ("de", "en")]
    files = dict.fromkeys([xtreme, published, *(beside if task == "bucc2018" else [])], "x")
    assert xtreme in names_found(data_root(files), task, split, "de")


def test_file_of_several_languages_counts_for_those_it_holds(data_root):
    root = data_root({"XNLI-1.0/xnli.dev.tsv": XNLI_1_0 + "de\tneutral\tA\tB\t1\n"})
    assert root.languages(get_task("xnli"), Split.DEV) == ("de",)
    with pytest.raises(DataError, match=r"xnli\.dev\.tsv: holds no examples of xnli in 'sw'"):
        root.load(get_task("xnli"), Split.DEV, "sw")
    with pytest.raises(DataError, match=r"no dev files of xnli in 'fi'"):
        root.load(get_task("xnli"), Split.DEV, "fi")


def test_own_layout_takes_the_place_of_all_parts_of_a_pooled_data_set(data_root, task_files, tmp_path):
    root = data_root({"anli/R2/train.jsonl": task_files["anli"]["anli/R2/train.jsonl"]})
    task = get_task("anli")
    assert "anli/R1/train.jsonl" in root.notes(task, Split.TRAIN, "en")[0]
    write_split(tmp_path, task, Split.TRAIN, "en", [PairExample("0:1", "A", "B", 0)], task.labels)
    assert len(locate(tmp_path, task, Split.TRAIN, "en")) == 1
    assert root.notes(task, Split.TRAIN, "en") == ()


def test_error_names_one_path_of_each_layout_and_the_page_with_all(data_root):
    with pytest.raises(DataError) as error:
        data_root({}).files(get_task("panx"), Split.TEST, "de")
    text = str(error.value)
    for name in ("panx/panx_dataset/de/test", "hub/unimelb-nlp/wikiann/de/test-*.parquet",
                 "hub/google/xtreme/PAN-X.de/test-*.parquet", "panx/test-de.tsv", "panx/arrow/test/de",
                 "All accepted paths: adaptstilts docs data"):  # fmt: skip
        assert name in text
    assert text.count("wikiann") == 1


def test_languages_of_one_file_are_labelled_each_for_itself(data_root):
    root = data_root({"XNLI-1.0/xnli.dev.tsv": XNLI_1_0 + "de\tneutral\tA\tB\t1\n"})
    assert [root.is_labelled(get_task("xnli"), Split.DEV, code) for code in ("sw", "de")] == [False, True]
    assert root.evaluation_languages(get_task("xnli")) == ("de",)


# Tables with a header


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gold_label\tsentence1\tsentence2\n", r"xnli\.dev\.tsv:1: language: no such column"),
        ("language\tsentence1\tsentence2\n", r"xnli\.dev\.tsv:1: gold_label: no such column"),
        (
            "gold_label\tlanguage\tsentence1\tsentence2\n",
            r"xnli\.dev\.tsv:1: language: the language must be the first column",
        ),
        (XNLI_1_0 + "de\tneutral\tA\n", r"xnli\.dev\.tsv:2: expected 5 columns, found 3"),
        (XNLI_1_0 + "en\tx\nde\tnone\tA\tB\t1\n", r"xnli\.dev\.tsv:3: label: 'none' is not a label of this task"),
        ("", r"xnli\.dev\.tsv: holds no examples of xnli in 'de'"),
    ],
)
def test_xnli_is_refused_with_file_and_line_when_malformed(data_root, text, message):
    root = data_root({"XNLI-1.0/xnli.dev.tsv": text})
    with pytest.raises(DataError, match=message):
        root.load(get_task("xnli"), Split.DEV, "de")


def test_languages_whose_code_begins_alike_are_told_apart(data_root):
    rows = "de\tneutral\tA\tB\t1\ndex\tneutral\tC\tD\t2\nde\tcontradictory\tE\tF\t3\n"
    root = data_root({"XNLI-1.0/xnli.dev.tsv": XNLI_1_0 + rows})
    assert root.load(get_task("xnli"), Split.DEV, "de") == [
        PairExample("0", "A", "B", 2),
        PairExample("1", "E", "F", 0),
    ]


def test_carriage_returns_of_a_table_are_no_part_of_its_labels(data_root):
    text = (X_FINAL + '7\tA "b"\tC\t1\n').replace("\n", "\r\n")
    root = data_root({"x-final/de/test_2k.tsv": text})
    assert root.load(get_task("pawsx"), Split.TEST, "de") == [PairExample("0", 'A "b"', "C", 1)]


def test_translated_training_file_is_read_where_there_is_no_other(data_root):
    root = data_root({"x-final/de/translated_train.tsv": X_FINAL + "1\tA\tB\t0\n"})
    assert root.load(get_task("pawsx"), Split.TRAIN, "de") == [PairExample("0", "A", "B", 0)]


def test_unknown_quoting_is_refused_by_every_reader_of_pairs(data_root):
    root = data_root({"x-final/de/test_2k.tsv": X_FINAL + "1\tA\tB\t0\n"}, quoting="raw")
    with pytest.raises(ConfigError, match=r"quoting: 'raw' is not a value of this reader option"):
        root.load(get_task("pawsx"), Split.TEST, "de")


# WikiANN


def test_wikiann_words_lose_the_language_before_them_and_nothing_else(data_root):
    text = "de:10:30\tO\nde::\tO\nde:Bern\tI-LOC\n\nde:Anna\tB-PER\n"
    root = data_root({"panx_dataset/de/dev": text})
    assert root.load(get_task("panx"), Split.DEV, "de") == [
        TagExample("0", ("10:30", ":", "Bern"), (0, 0, 6)),
        TagExample("1", ("Anna",), (1,)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Bern\tB-LOC\n", r"panx_dataset/de/dev:1: 'Bern' has no language prefix.*`xx:word`"),
        ("de:\tO\n", r"panx_dataset/de/dev: holds no examples of panx in 'de'"),
        ("de:a\tO\nde:b\n", r"panx_dataset/de/dev:2: expected 2 columns, found 1"),
    ],
)
def test_wikiann_is_refused_with_file_and_line_when_malformed(data_root, text, message):
    with pytest.raises(DataError, match=message):
        data_root({"panx_dataset/de/dev": text}).load(get_task("panx"), Split.DEV, "de")


# TyDiQA


def test_tydiqa_gives_each_language_its_own_questions(data_root, make_squad):
    document = json.loads(make_squad(*((f"{n} Bern.", "Q?", [("Bern", 2)]) for n in range(5))))
    names = ["english-1-0", "arabic-1-0", "english-2-0", "swahili-1-0", "english-10-1"]
    for name, paragraph in zip(names, document["data"][0]["paragraphs"], strict=True):
        paragraph["qas"][0]["id"] = name
    root = data_root({"tydiqa/tydiqa-goldp-v1.1-train.json": json.dumps(document)})
    task = get_task("tydiqa")
    read = {code: [row.id for row in root.load(task, Split.TRAIN, code)] for code in ("en", "ar", "sw")}
    assert read == {
        "en": ["english-1-0", "english-2-0", "english-10-1"],
        "ar": ["arabic-1-0"],
        "sw": ["swahili-1-0"],
    }


# BUCC


def test_bucc_sentences_with_the_same_id_are_refused_with_their_line(data_root):
    files = {
        "bucc2018/de-en/de-en.sample.de": "de-1\tA\nde-2\tB\nde-1\tC\n",
        "bucc2018/de-en/de-en.sample.en": "en-1\tA\n",
        "bucc2018/de-en/de-en.sample.gold": "de-1\ten-1\n",
    }
    with pytest.raises(DataError, match=r"de-en\.sample\.de:3: id 'de-1' occurs twice"):
        data_root(files).load(get_task("bucc2018"), Split.DEV, "de")


def test_sorted_tatoeba_has_hidden_pairs(data_root):
    root = data_root({"tatoeba/de-en.de": "Zwei\nEins\n", "tatoeba/de-en.en": "One\nTwo\n"})
    assert root.load(get_task("tatoeba"), Split.TEST, "de").gold is None
