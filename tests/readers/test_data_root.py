import os

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import all_tasks, get_task, training_task
from adaptstilts.tasks.spec import Kind, Split

NLI = '{"gold_label": "neutral", "sentence1": "A", "sentence2": "B", "pairID": "x"}\n'


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_root_reads_three_rows_of_every_split_of_every_task(data_root, task_files, task):
    root = data_root(task_files[task.name])
    found = 0
    for split in task.layouts:
        for code in root.languages(task, split):
            rows = root.load(task, split, code)
            found += 1
            if isinstance(rows, Bitext):
                assert task.kind is Kind.RETRIEVE
                assert (len(rows.foreign), len(rows.english), rows.language) == (3, 3, code)
            else:
                assert len(rows) == (15 if task.name == "anli" else 3)
                assert len({row.id for row in rows}) == len(rows)
            assert root.is_labelled(task, split, code)
            assert not root.notes(task, split, code)
    assert found >= 1


def test_root_is_refused_when_folder_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"gone: no such folder.*data\.root=FOLDER"):
        DataRoot(tmp_path / "gone")


def test_languages_lists_official_ones_first_in_the_tasks_order(data_root):
    row = "A.\tB.\tneutral\n"
    root = data_root({f"xnli/dev-{code}.tsv": row for code in ("zh", "en", "af", "sw", "qq")})
    assert root.languages(get_task("xnli"), Split.DEV) == ("en", "sw", "zh", "af")
    assert root.languages(get_task("xnli"), Split.TEST) == ()
    assert root.languages(get_task("xnli"), Split.TRAIN) == ()


def test_languages_of_an_english_task_are_english_only(data_root, task_files):
    root = data_root(task_files["qqp"])
    assert root.languages(get_task("qqp"), Split.DEV) == ("en",)


@pytest.mark.parametrize(
    ("task", "split", "language", "error", "message"),
    [
        ("xnli", Split.TEST, "de", DataError,
         r"no test files of xnli in 'de'; looked for xnli/test-de\.tsv, xnli/test-labels\.txt"),
        ("mnli", Split.TRAIN, "en", DataError,
         r"looked for mnli/multinli_1\.0_train\.jsonl, xnli/train-en\.tsv"),
        ("tatoeba", Split.TEST, "zh", DataError,
         r"looked for tatoeba/tatoeba\.cmn-eng\.cmn, .*tatoeba/zh-en\.zh"),
        ("anli", Split.TRAIN, "en", DataError, r"snli/s1\.train.*anli/R3/train\.jsonl"),
        ("xnli", Split.TRAIN, "en", DataError,
         r"xnli has no train split of its own\. Allowed: dev, test\. It is trained on mnli"),
        ("tatoeba", Split.TRAIN, "de", DataError, r"tatoeba has no train split of its own"),
        ("mnli", Split.DEV, "de", DataError, r"mnli has no data in 'de'\. Allowed: en"),
        ("xnli", Split.DEV, "deu", ConfigError, r"'deu' is not a known language code.*Write 'de' for German"),
    ],
)  # fmt: skip
def test_files_names_what_was_looked_for_when_there_are_none(data_root, task, split, language, error, message):
    with pytest.raises(error, match=message):
        data_root({}).files(get_task(task), split, language)


def test_files_prefers_published_names_over_substitutes(data_root):
    names = ("hellaswag/hellaswag_train.jsonl", "hellaswag/hellaswag_train.from_val.jsonl")
    root = data_root(dict.fromkeys(names, '{"ctx": "A", "endings": ["b", "c"], "label": 0}\n'))
    assert [path.name for path in root.files(get_task("hellaswag"), Split.TRAIN, "en")] == ["hellaswag_train.jsonl"]


def test_notes_say_what_stands_in_and_what_is_missing(data_root):
    root = data_root(
        {"mnli/multinli_1.0_train.jsonl": NLI, "snli/s1.train": "A\n", "snli/s2.train": "B\n",
         "snli/labels.train": "neutral\n", "anli/R2/train.jsonl": '{"context": "A", "hypothesis": "B", "label": "n"}\n'}
    )  # fmt: skip
    assert len(root.load_examples(get_task("anli"), Split.TRAIN, "en")) == 3
    assert root.notes(get_task("anli"), Split.TRAIN, "en") == (
        "anli: snli/s1.train stands in for snli/snli_1.0_train.jsonl",
        "anli: train parts left out because they are missing: anli/R1/train.jsonl, anli/R3/train.jsonl",
    )


def test_load_takes_the_same_rows_of_parallel_files_when_limited(data_root):
    root = data_root(
        {f"xnli/dev-{code}.tsv": "".join(f"{code} {row}.\tB.\tneutral\n" for row in range(50)) for code in ("de", "sw")}
    )
    german, swahili = (root.load_examples(get_task("xnli"), Split.DEV, code, 10) for code in ("de", "sw"))
    assert len(german) == 10
    assert [row.id for row in german] == [row.id for row in swahili]
    assert [int(row.id) for row in german] == sorted(int(row.id) for row in german)


def test_load_of_the_wrong_kind_is_a_bug(data_root, task_files):
    root = data_root({**task_files["tatoeba"], **task_files["xnli"]})
    with pytest.raises(TypeError, match="tatoeba is read by load_bitext"):
        root.load_examples(get_task("tatoeba"), Split.TEST, "de")
    with pytest.raises(TypeError, match="xnli is read by load_examples"):
        root.load_bitext(get_task("xnli"), Split.TEST, "de")


def test_load_is_refused_when_labels_are_needed_and_hidden(data_root):
    root = data_root({"pawsx/train-en.tsv": "A.\tB.\n"})
    assert root.load_examples(get_task("pawsx"), Split.TRAIN, "en")[0].label is None
    with pytest.raises(DataError, match=r"train-en\.tsv: the labels are hidden"):
        root.load_examples(get_task("pawsx"), Split.TRAIN, "en", labelled=True)


@pytest.mark.parametrize("row", [0, 1])
def test_load_is_refused_when_one_label_is_hidden(data_root, task_files, row):
    name = "commonsenseqa/train_rand_split.jsonl"
    lines = task_files["commonsenseqa"][name].splitlines()
    lines[row] = lines[row].replace("answerKey", "key")
    root = data_root({name: "\n".join(lines)})
    assert root.is_labelled(get_task("commonsenseqa"), Split.TRAIN, "en")
    with pytest.raises(
        DataError, match=rf"train_rand_split\.jsonl:{row + 1}: no label in 1 of \d+ examples, the first is 's{row}'"
    ):
        root.training_data(get_task("commonsenseqa"))


def test_load_is_refused_when_labels_are_needed_and_some_are_hidden(data_root):
    row = '{{"ctx": "A", "endings": ["b", "c"], "label": "{}", "ind": {}}}\n'
    root = data_root({"hellaswag/hellaswag_train.jsonl": row.format(1, 7) + row.format("", 8) + row.format("", 9)})
    with pytest.raises(DataError, match=r"train\.jsonl:2: no label in 2 of 3 examples, the first is '8'\. Label them"):
        root.load(get_task("hellaswag"), Split.TRAIN, "en", labelled=True)


def test_file_is_empty_when_it_is_there_without_examples(data_root):
    root = data_root({"xquad/xquad.de.json": '{"data": []}'})
    assert root.is_empty(get_task("xquad"), Split.TEST, "de")
    assert not root.is_labelled(get_task("xquad"), Split.TEST, "de")
    assert not root.is_empty(get_task("xquad"), Split.TEST, "zh")


def test_training_data_holds_rows_out_when_dev_answers_are_hidden(data_root, make_squad):
    folder = "tydiqa/tydiqa-goldp-v1.1"
    train = make_squad(*((f"A{n} b.", "Q?", [(f"A{n}", 0)]) for n in range(40)))
    root = data_root(
        {f"{folder}-train/tydiqa.goldp.en.train.json": train,
         f"{folder}-dev/tydiqa.goldp.en.dev.json": make_squad(("A.", "Q?", [("", 0)]))}
    )  # fmt: skip
    data = root.training_data(get_task("tydiqa"))
    assert (len(data.train), len(data.dev)) == (36, 4)
    assert not {row.id for row in data.train} & {row.id for row in data.dev}
    assert data.notes == ("tydiqa: no labelled dev set, 4 training rows held out in its place",)
    assert len(root.training_data(get_task("tydiqa"), limit=7).train) == 7


def test_training_data_of_a_target_are_those_of_its_training_task(data_root, task_files):
    root = data_root({**task_files["mnli"], **task_files["xnli"]})
    data = root.training_data(get_task("xnli"))
    assert [row.id for row in data.train] == ["1e", "2n", "3c"]
    assert len(data.dev) == 3
    assert data.notes == ()


def test_training_data_are_refused_when_file_is_missing(data_root, task_files):
    root = data_root(task_files["xnli"])
    with pytest.raises(DataError, match="no train files of mnli in 'en'"):
        root.training_data(get_task("xnli"))


@pytest.mark.parametrize("name", [task.name for task in all_tasks() if task.trains])
def test_training_data_have_labels_for_every_task(data_root, task_files, name):
    task = get_task(name)
    root = data_root({**task_files[training_task(task).name], **task_files[name]})
    data = root.training_data(task)
    assert data.train
    assert data.dev


# Which split is scored


def test_evaluation_split_is_test_when_labelled(data_root, task_files):
    root = data_root(task_files["xnli"])
    assert root.evaluation_split(get_task("xnli"), "de") is Split.TEST
    assert root.evaluation_languages(get_task("xnli")) == ("de",)


def test_evaluation_split_is_dev_when_test_labels_are_hidden(data_root, task_files):
    root = data_root({**task_files["xnli"], "xnli/test-de.tsv": "A.\tB.\n"})
    assert root.evaluation_split(get_task("xnli"), "de") is Split.DEV


def test_evaluation_split_is_train_only_in_languages_that_nothing_is_trained_on(data_root, make_squad):
    folder = "tydiqa/tydiqa-goldp-v1.1"
    labelled = make_squad(("A b.", "Q?", [("b", 2)]))
    hidden = make_squad(("A b.", "Q?", [("", 0)]))
    root = data_root(
        {**{f"{folder}-train/tydiqa.goldp.{code}.train.json": labelled for code in ("en", "sw")},
         **{f"{folder}-dev/tydiqa.goldp.{code}.dev.json": hidden for code in ("en", "sw", "fi")}}
    )  # fmt: skip
    task = get_task("tydiqa")
    assert root.evaluation_split(task, "sw") is Split.TRAIN
    assert root.evaluation_languages(task) == ("sw",)
    for code in ("en", "fi"):
        with pytest.raises(DataError, match=rf"goldp\.{code}\.dev\.json: labels of tydiqa in '{code}' are hidden"):
            root.evaluation_split(task, code)


def test_evaluation_split_names_files_looked_for_when_there_are_none(data_root):
    with pytest.raises(DataError, match=r"no test files of xquad in 'de'; looked for xquad/xquad\.de\.json"):
        data_root({}).evaluation_split(get_task("xquad"), "de")


def test_evaluation_languages_include_known_ones_beyond_the_benchmark(data_root, task_files):
    files = task_files["xquad"]
    text = files["xquad/xquad.zh.json"]
    root = data_root({**files, "xquad/xquad.ro.json": text, "xquad/xquad.en.json": text})
    assert root.evaluation_languages(get_task("xquad")) == ("en", "zh", "ro")


def test_retrieval_is_labelled_only_when_there_is_gold(data_root, task_files):
    files = dict(task_files["bucc2018"])
    root = data_root(files)
    assert root.evaluation_split(get_task("bucc2018"), "de") is Split.TEST
    (root.path / "bucc2018/de-en.test.gold").unlink()
    assert not root.is_labelled(get_task("bucc2018"), Split.TEST, "de")


# Labels and fingerprints


def test_labels_are_the_declared_ones_unless_they_come_from_data(data_root, task_files):
    root = data_root(task_files["ccg"])
    assert root.labels(get_task("xnli")) == get_task("xnli").labels
    assert len(root.labels(get_task("ccg"))) == 6
    (root.path / "ccg/ccg.dev").unlink()
    assert len(root.labels(get_task("ccg"))) == 5


def test_labels_from_data_are_refused_when_training_file_is_missing(data_root):
    with pytest.raises(DataError, match=r"no train files of ccg in 'en'; looked for ccg/ccg\.train"):
        data_root({}).labels(get_task("ccg"))


def test_fingerprint_follows_the_contents_of_the_files_alone(data_root, task_files, tmp_path):
    root = data_root(task_files["xnli"])
    task, path = get_task("xnli"), tmp_path / "xnli/dev-de.tsv"
    before = root.fingerprint(task, Split.DEV, "de")
    assert before == root.fingerprint(task, Split.TEST, "de")
    os.utime(path, (1, 1))
    assert root.fingerprint(task, Split.DEV, "de") == before
    path.write_bytes(path.read_bytes().replace(b"nass", b"kalt"))
    assert root.fingerprint(task, Split.DEV, "de") != before
    assert len(before) == 64


def test_fingerprint_covers_labels_that_come_from_other_files(data_root, task_files, tmp_path):
    root = data_root(task_files["ccg"])
    before = root.fingerprint(get_task("ccg"), Split.TRAIN, "en")
    with (tmp_path / "ccg/ccg.dev").open("a") as file:
        file.write("Oh\tINTJ\n")
    assert root.fingerprint(get_task("ccg"), Split.TRAIN, "en") != before


def test_fingerprint_is_refused_when_file_is_missing(data_root):
    with pytest.raises(DataError, match="no dev files of xnli in 'de'"):
        data_root({}).fingerprint(get_task("xnli"), Split.DEV, "de")
