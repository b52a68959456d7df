import pyarrow
import pyarrow.parquet
import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value
from special_files import OTHER_FILES

from adaptstilts.errors import DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.lines import Request
from adaptstilts.readers.registry import READERS
from adaptstilts.tasks.examples import Answer, Bitext, ChoiceExample, PairExample, Sentence, SpanExample, TagExample
from adaptstilts.tasks.hub_layouts import hub_rows
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Layout, Split, Task

TEXT = Value("string")
GLUE = ["entailment", "neutral", "contradiction"]


@pytest.fixture
def write(tmp_path):
    """A function that writes rows below hub/, with the features given by column, and returns the root."""

    def save(place: str, columns: dict, **features):
        path = tmp_path / "hub" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        known = {name: features[name] for name in columns if name in features}
        data = Dataset.from_dict(columns)
        if known:
            data = data.cast(Features({**data.features, **known}))
        data.to_parquet(str(path))
        return DataRoot(tmp_path)

    return save


@pytest.fixture
def write_plain(tmp_path):
    """The same without the metadata of `datasets`."""

    def save(place: str, columns: dict):
        path = tmp_path / "hub" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
        return DataRoot(tmp_path)

    return save


def nli(labels: list) -> dict:
    count = len(labels)
    return {"premise": [f"P{n}." for n in range(count)], "hypothesis": ["H."] * count, "label": labels}


# Classes


def test_integer_classes_are_read_by_the_names_that_the_file_gives_them(write):
    root = write("nyu-mll/glue/mnli/train-0.parquet", nli([0, 1, 2]), label=ClassLabel(names=GLUE))
    assert [row.label for row in root.load(get_task("mnli"), Split.TRAIN, "en")] == [1, 2, 0]
    assert get_task("mnli").labels[1] == "entailment"


def test_another_order_of_names_gives_the_same_examples(write):
    names = ["neutral", "contradiction", "entailment"]
    root = write("nyu-mll/glue/mnli/train-0.parquet", nli([2, 0, 1]), label=ClassLabel(names=names))
    assert [row.label for row in root.load(get_task("mnli"), Split.TRAIN, "en")] == [1, 2, 0]


def test_integer_classes_are_refused_when_the_file_does_not_name_them(write_plain):
    root = write_plain("nyu-mll/glue/mnli/train-0.parquet", nli([0, 1, 2]))
    with pytest.raises(
        DataError, match=r"train-0\.parquet: label: holds integers, and the file does not say.*hub's own"
    ):
        root.load(get_task("mnli"), Split.TRAIN, "en")
    root = write_plain("unimelb-nlp/wikiann/de/test-0.parquet", {"tokens": [["a"]], "ner_tags": [[0]]})
    with pytest.raises(DataError, match=r"test-0\.parquet: ner_tags: holds integers"):
        root.load(get_task("panx"), Split.TEST, "de")


def test_integer_classes_need_no_names_when_the_labels_are_numbers(write_plain):
    columns = {"sentence1": ["A", "B"], "sentence2": ["C", "D"], "label": [1, 0]}
    root = write_plain("google-research-datasets/paws-x/de/test-0.parquet", columns)
    assert [row.label for row in root.load(get_task("pawsx"), Split.TEST, "de")] == [1, 0]


def test_label_is_refused_with_its_row_when_its_name_is_unknown(write):
    root = write("facebook/xnli/de/test-0.parquet", nli([0, 1]), label=ClassLabel(names=["entailment", "maybe"]))
    message = r"test-0\.parquet: row 1: label: 'maybe' is not a label of this task\. Allowed: contradiction"
    with pytest.raises(DataError, match=message):
        root.load(get_task("xnli"), Split.TEST, "de")


def test_rows_without_an_agreed_label_are_left_out_and_counted(write):
    root = write("stanfordnlp/snli/plain_text/train-0.parquet", nli([0, -1, 2, -1]), label=ClassLabel(names=GLUE))
    assert root.load(get_task("anli"), Split.TRAIN, "en") == [
        PairExample("0", "P0.", "H.", 1),
        PairExample("1", "P2.", "H.", 0),
    ]
    assert "anli: 2 rows without an agreed label left out of train-0.parquet" in root.notes(
        get_task("anli"), Split.TRAIN, "en"
    )


def test_labels_are_hidden_when_all_are_minus_one(write):
    root = write("facebook/xnli/de/test-0.parquet", nli([-1, -1]), label=ClassLabel(names=GLUE))
    assert [row.label for row in root.load(get_task("xnli"), Split.TEST, "de")] == [None, None]
    assert not root.is_labelled(get_task("xnli"), Split.TEST, "de")


def test_anli_rounds_are_read_from_splits_of_one_repository(write):
    for part in (1, 2, 3):
        columns = {**nli([0]), "uid": [f"u{part}"]}
        root = write(f"facebook/anli/plain_text/dev_r{part}-0.parquet", columns, label=ClassLabel(names=GLUE))
    assert [row.id for row in root.load(get_task("anli"), Split.DEV, "en")] == ["0:u1", "1:u2", "2:u3"]


# Tags


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        ([["a", "b"]], [["O"]], r"row 0: ner_tags: 2 words but 1 tag"),
        ([["a"], ["b"]], [["O"], ["B-X"]], r"row 1: ner_tags: 'B-X' is not a tag of this task"),
    ],
)
def test_tagged_rows_are_refused_with_their_row_when_malformed(write, tokens, tags, message):
    root = write("unimelb-nlp/wikiann/de/test-0.parquet", {"tokens": tokens, "ner_tags": tags})
    with pytest.raises(DataError, match=rf"de/test-0\.parquet: {message}"):
        root.load(get_task("panx"), Split.TEST, "de")


def test_entities_that_begin_with_an_inner_tag_are_kept(write):
    columns = {"tokens": [["北", "京"]], "ner_tags": [["I-LOC", "I-LOC"]]}
    root = write("unimelb-nlp/wikiann/zh/test-0.parquet", columns)
    assert root.load(get_task("panx"), Split.TEST, "zh") == [TagExample("0", ("北", "京"), (6, 6))]


# Questions


def question(context: str, *answers: tuple[str, int], name: str = "q") -> dict:
    found = {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}
    return {"id": name, "question": "Q?", "context": context, "answers": found}


def as_columns(*rows: dict) -> dict:
    return {key: [row[key] for row in rows] for key in rows[0]}


XQUAD = "google/xquad/xquad.de/validation-0.parquet"


@pytest.mark.parametrize(
    ("context", "answer", "expected"),
    [
        ("In Bern.", ("Bern", 3), Answer("Bern", 3)),
        ("In Bern.", ("Bern", 5), Answer("Bern", 3)),
        ("In Bern.", ("Bern", 2), Answer("Bern", 3)),
        ("Bern, Bern", ("Bern", 6), Answer("Bern", 6)),
        ("Bern, Bern", ("Bern", 7), Answer("Bern", 6)),
    ],
    ids=["as it was", "context stripped", "answer stripped", "second of two", "second of two, context stripped"],
)
def test_answer_is_found_after_stripping(write, context, answer, expected):
    rows = write(XQUAD, as_columns(question(context, answer))).load(get_task("xquad"), Split.TEST, "de")
    assert rows == [SpanExample("q", "Q?", context, (expected,))]


def test_all_answers_of_a_context_are_moved_by_the_same_number(write):
    """The short answer alone would be found where it stands; the long one shows that two characters were cut off."""
    rows = as_columns(question("a a b", ("a", 2), name="1"), question("a a b", ("a b", 4), name="2"))
    found = write(XQUAD, rows).load(get_task("xquad"), Split.TEST, "de")
    assert [row.answers[0].start for row in found] == [0, 2]


def test_answer_that_is_not_there_is_refused_with_its_row(write):
    rows = as_columns(question("In Bern.", ("Bern", 3), name="1"), question("In Basel.", ("Genf", 3), name="2"))
    message = r"validation-0\.parquet: row 1: answers: the answer 'Genf' of '2' is not at offset 3"
    with pytest.raises(DataError, match=message):
        write(XQUAD, rows).load(get_task("xquad"), Split.TEST, "de")


@pytest.mark.parametrize("answers", [["Bern"], {"text": ["Bern"], "answer_start": [3, 4]}, {"text": ["Bern"]}])
def test_answers_are_refused_with_their_row_when_malformed(write, answers):
    rows = as_columns({**question("In Bern."), "answers": answers})
    with pytest.raises(DataError, match=r"row 0: answers: expected as many texts as starts, found .*Bern"):
        write(XQUAD, rows).load(get_task("xquad"), Split.TEST, "de")


def test_answers_are_hidden_when_all_are_blank(write):
    rows = as_columns(question("In Bern.", ("", 0), name="1"), question("In Bern.", ("", 0), name="2"))
    assert [row.answers for row in write(XQUAD, rows).load(get_task("xquad"), Split.TEST, "de")] == [None, None]


def test_question_without_an_answer_is_refused_unless_the_task_has_such(write):
    rows = as_columns(question("In Bern.", ("Bern", 3), name="1"), question("In Bern.", name="2"))
    with pytest.raises(DataError, match=r"row 1: answers: has no answer"):
        write(XQUAD, rows).load(get_task("xquad"), Split.TEST, "de")
    root = write("rajpurkar/squad_v2/squad_v2/validation-0.parquet", rows)
    assert [row.answers for row in root.load(get_task("squad2"), Split.DEV, "en")] == [(Answer("Bern", 3),), ()]


def test_tydiqa_rows_of_other_languages_are_left_aside_and_repeated_ids_made_unique(write):
    names = ("english-1-0", "arabic-1-0", "english-1-0", "swahili-1-0")
    rows = as_columns(*(question(f"{name} Bern.", ("Bern", len(name) + 1), name=name) for name in names))
    root = write("google/xtreme/tydiqa/train-0.parquet", rows)
    assert [row.id for row in root.load(get_task("tydiqa"), Split.TRAIN, "en")] == ["english-1-0#0", "english-1-0#1"]
    assert [row.id for row in root.load(get_task("tydiqa"), Split.TRAIN, "sw")] == ["swahili-1-0"]
    with pytest.raises(DataError, match="holds no examples of tydiqa in 'fi'"):
        root.load(get_task("tydiqa"), Split.TRAIN, "fi")
    assert "de" not in root.languages(get_task("tydiqa"), Split.TRAIN)


# Choice and retrieval


def test_hellaswag_test_rows_have_hidden_labels(write):
    columns = {"ind": [24], "ctx_a": ["A man runs."], "ctx_b": ["he"], "endings": [["falls.", "flies."]], "label": [""]}
    root = write("Rowan/hellaswag/data/validation-0.parquet", columns)
    assert root.load(get_task("hellaswag"), Split.DEV, "en") == [
        ChoiceExample("24", "A man runs.", ("he falls.", "he flies."), None)
    ]


@pytest.mark.parametrize(
    ("name", "place", "columns", "message"),
    [
        ("hellaswag", "Rowan/hellaswag/data", {"ind": [1], "ctx": ["A"], "endings": [["b", "c"]], "label": ["7"]},
         r"row 0: label: '7' is not a label"),
        ("cosmosqa", "allenai/cosmos_qa/default", {"id": ["1"], "context": ["A"], "label": [0]},
         r"row 0: question: missing"),
        ("commonsenseqa", "tau/commonsense_qa/data",
         {"id": ["1"], "question": ["A?"], "choices": [{"label": ["A", "B"], "text": ["b", "c"]}], "answerKey": ["C"]},
         r"row 0: answerKey: 'C' is not a label"),
    ],
)  # fmt: skip
def test_multiple_choice_is_refused_with_its_row_when_malformed(write, name, place, columns, message):
    root = write(f"{place}/validation-0.parquet", columns)
    with pytest.raises(DataError, match=rf"validation-0\.parquet: {message}"):
        root.load(get_task(name), Split.DEV, "en")


def test_xcopa_rows_ask_for_cause_or_effect(tmp_path):
    path = tmp_path / "test-0.parquet"
    columns = {"premise": ["Sataa."], "choice1": ["Kastun."], "choice2": ["Nukun."], "question": ["effect"],
               "label": [0], "idx": [500], "changed": [False]}  # fmt: skip
    Dataset.from_dict(columns).to_parquet(str(path))
    layout = hub_rows(get_task("xcopa").hub, Split.TEST)
    rows = READERS[layout.reader](Request((path,), (), "et", options=dict(layout.options)))
    assert list(rows) == [ChoiceExample("500", "Sataa. What was the effect?", ("Kastun.", "Nukun."), 0)]


def test_line_ends_of_tatoeba_are_cut_off(write):
    columns = {"source_sentence": ["Guten Tag\n"], "target_sentence": ["Good day\n"], "source_lang": ["cache.deu"]}
    root = write("google/xtreme/tatoeba.deu/validation-0.parquet", columns)
    assert root.load(get_task("tatoeba"), Split.TEST, "de") == Bitext(
        "de", (Sentence("0", "Guten Tag"),), (Sentence("0", "Good day"),), frozenset({("0", "0")})
    )


# Files


def test_shards_follow_one_another(write):
    for shard in (1, 0):
        root = write(f"facebook/xnli/de/test-0000{shard}-of-00002.parquet", nli([shard]), label=ClassLabel(names=GLUE))
    assert [row.label for row in root.load(get_task("xnli"), Split.TEST, "de")] == [1, 2]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"premise": ["A"], "label": ["neutral"]}, r"hypothesis: no such column\..* Allowed: label, premise"),
        ({"premise": ["A", None], "hypothesis": ["B", "C"], "label": ["neutral"] * 2},
         r"row 1: premise: expected text, found null"),
    ],
)  # fmt: skip
def test_rows_are_refused_with_column_and_row_when_columns_do_not_fit(write, columns, message):
    root = write("facebook/xnli/de/test-0.parquet", columns)
    with pytest.raises(DataError, match=rf"xnli/de/test-0\.parquet: {message}"):
        root.load(get_task("xnli"), Split.TEST, "de")


def test_file_is_refused_when_it_is_no_parquet(write, tmp_path):
    root = write("facebook/xnli/de/test-0.parquet", nli([0]), label=ClassLabel(names=GLUE))
    (tmp_path / "hub/facebook/xnli/de/test-0.parquet").write_bytes(OTHER_FILES["LFS pointer"][0])
    with pytest.raises(DataError, match=r"test-0\.parquet: is a pointer of Git LFS: fetch the file"):
        root.load(get_task("xnli"), Split.TEST, "de")


@pytest.mark.parametrize(
    ("name", "place", "code", "message"),
    [
        ("udpos", "udpos.Greek/test-0.parquet", "el", r"mixes in treebanks of other languages.*ud-treebanks-v2\.5"),
        ("udpos", "udpos.Chinese/test-0.parquet", "zh", r"mixes in treebanks of other languages"),
        ("bucc2018", "bucc18.de/test-0.parquet", "de", r"holds the gold pairs alone.*archives of the shared task"),
    ],
)
def test_wrong_copies_are_refused_with_what_to_use(write, name, place, code, message):
    root = write(f"google/xtreme/{place}", {"tokens": [["a"]]})
    with pytest.raises(DataError, match=rf"test-0\.parquet: google/xtreme's .*{message}"):
        root.load(get_task(name), Split.TEST, code)


def test_wrong_copies_are_left_alone_when_right_ones_are_there(write, data_root):
    data_root({"udpos/test-el.tsv": "a\nb\n"})
    root = write("google/xtreme/udpos.Greek/test-0.parquet", {"tokens": [["a"]]})
    assert root.load(get_task("udpos"), Split.TEST, "el") == [TagExample("0", ("a", "b"), None)]


def hub_layouts_of(task: Task) -> list[Layout]:
    found = list(task.layouts.values())
    for layout in found:
        found += [*layout.parts, *([layout.otherwise] if layout.otherwise else [])]
    return [layout for layout in found if layout.files[0][0].startswith("hub/")]


@pytest.mark.parametrize("task", [task for task in all_tasks() if hub_layouts_of(task)], ids=lambda task: task.name)
def test_every_data_set_of_the_hub_has_a_reader_and_is_pinned_to_a_folder(task):
    for layout in hub_layouts_of(task):
        assert layout.reader in READERS
        (repository,) = {"/".join(name.split("/")[1:3]) for files in layout.files for name in files}
        assert "{" not in repository


def test_hub_source_of_a_task_is_among_those_that_are_read():
    apart = ("xcopa", "squad_r")  # read as published files alone
    for task in all_tasks():
        if task.hub is not None and task.hub.reader and task.name not in apart:
            files = [layout.files[0][0] for layout in hub_layouts_of(task)]
            assert any(name.startswith(f"hub/{task.hub.repository}/") for name in files), task.name


def test_tag_lists_of_large_arrays_are_read(tmp_path):
    data = Dataset.from_dict(
        {"tokens": [["a"]], "ner_tags": [[1]]},
        features=Features({"tokens": Sequence(TEXT), "ner_tags": Sequence(ClassLabel(names=["O", "B-LOC"]))}),
    )
    data.save_to_disk(str(tmp_path / "hub/unimelb-nlp/wikiann/de/test"))
    assert DataRoot(tmp_path).load(get_task("panx"), Split.TEST, "de") == [TagExample("0", ("a",), (5,))]


@pytest.mark.parametrize(
    ("task", "place", "columns", "message"),
    [
        ("xnli", "facebook/xnli/de/test-0.parquet", {**nli([0]), "label": [[{"a": 1}]]}, r"label: expected a label"),
        ("xnli", "facebook/xnli/de/test-0.parquet", {**nli([0]), "label": [True]}, r"row 0: label: .*found true"),
        ("panx", "unimelb-nlp/wikiann/de/test-0.parquet", {"tokens": [["a"]], "ner_tags": [{"a": 1}]},
         r"row 0: ner_tags: expected a list of labels"),
        ("xquad", "google/xquad/xquad.de/validation-0.parquet",
         {"id": ["0"], "question": ["q"], "context": ["c"], "answers": [{"text": ["c"], "answer_start": ["0"]}]},
         r"row 0: answers: expected as many texts as starts"),
        ("xquad", "google/xquad/xquad.de/validation-0.parquet",
         {"id": [True], "question": ["q"], "context": ["c"], "answers": [{"text": ["c"], "answer_start": [0]}]},
         r"row 0: id: expected text or an integer as an id, found true"),
    ],
)  # fmt: skip
def test_values_of_other_types_are_refused_with_their_row(write_plain, task, place, columns, message):
    language = "de"
    split = Split.TEST
    with pytest.raises(DataError, match=message):
        write_plain(place, columns).load(get_task(task), split, language)


UNREADABLE = {
    "date": pyarrow.array([2**31 - 1], pyarrow.int32()).view(pyarrow.date32()),
    "time of day": pyarrow.array([2**62], pyarrow.timestamp("s")),
    "duration": pyarrow.array([2**62], pyarrow.duration("s")),
    "zone": pyarrow.array([0], pyarrow.timestamp("us", tz="Mars/Phobos")),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize(
    ("task", "folder", "columns", "spoilt"),
    [
        ("xnli", "hub/facebook/xnli/de/validation", {"premise": ["a"], "hypothesis": ["b"]}, "label"),
        ("cosmosqa", "hub/allenai/cosmos_qa/default/validation", {"id": ["a"], "context": ["b"]}, "date"),
    ],
)
def test_values_that_python_cannot_hold_are_refused(tmp_path, kind, task, folder, columns, spoilt):
    table = pyarrow.table({**columns, spoilt: UNREADABLE[kind]})
    path = tmp_path / folder / "data-00000-of-00001.arrow"
    path.parent.mkdir(parents=True)
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    message = rf"arrow: {spoilt}: its values of the type (date|timestamp|duration).* cannot be read \(.*Save it as text"
    with pytest.raises(DataError, match=message):
        DataRoot(tmp_path).load(get_task(task), Split.DEV, "en" if task == "cosmosqa" else "de")


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_tables_that_unpack_too_far_are_refused(tmp_path, ending, monkeypatch):
    rows = 20_000
    columns = {name: pyarrow.repeat(pyarrow.scalar("a" * 1000), rows) for name in ("premise", "hypothesis", "label")}
    table = pyarrow.table(columns)
    folder = tmp_path / "hub/facebook/xnli/de/validation"
    folder.mkdir(parents=True)
    if ending == "parquet":
        pyarrow.parquet.write_table(table, folder / "0000.parquet")
    else:
        path, options = folder / "data-00000-of-00001.arrow", pyarrow.ipc.IpcWriteOptions(compression="zstd")
        with (
            pyarrow.OSFile(str(path), "wb") as file,
            pyarrow.ipc.new_stream(file, table.schema, options=options) as stream,
        ):
            stream.write_table(table, max_chunksize=10_000)
    with pytest.raises(
        DataError, match=rf"\.{ending}: unpacks to more than 200 times its size, as only bombs do\. Do not"
    ):
        DataRoot(tmp_path).load(get_task("xnli"), Split.DEV, "de")
    monkeypatch.setenv("ADAPTSTILTS_MOST_RATIO", "inf")
    with pytest.raises(DataError, match="is not a label of this task"):
        DataRoot(tmp_path).load(get_task("xnli"), Split.DEV, "de")
