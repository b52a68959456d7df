import numpy
import pyarrow
import pytest

from adaptstilts.data.arrow import write_split
from adaptstilts.errors import DataError
from adaptstilts.readers.arrow import FILE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Answer, Bitext, ChoiceExample, PairExample, Sentence, SpanExample, TagExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

PAIR = PairExample("1e", 'A "b"\tc', "ü", 2)


def test_rows_of_every_task_come_back_as_they_were_read(data_root, task_files, tmp_path):
    names = [name for name in task_files if name not in {"anli"}]
    root = data_root({path: text for name in names for path, text in task_files[name].items()})
    own = tmp_path / "own"
    for name in names:
        task = get_task(name)
        for split in task.layouts:
            for code in root.languages(task, split):
                rows = root.load(task, split, code)
                write_split(own, task, split, code, rows, root.labels(task))
                assert (own / (task.folder or name) / "arrow" / split.value / code).is_dir()
    for name in names:
        task = get_task(name)
        assert DataRoot(own).labels(task) == root.labels(task)
        for split in task.layouts:
            assert set(DataRoot(own).languages(task, split)) == set(root.languages(task, split))
            for code in root.languages(task, split):
                assert DataRoot(own).load(task, split, code) == root.load(task, split, code)


def test_pooled_rows_keep_their_ids(data_root, task_files, tmp_path):
    root = data_root(task_files["anli"])
    task = get_task("anli")
    rows = root.load(task, Split.TRAIN, "en")
    write_split(tmp_path / "own", task, Split.TRAIN, "en", rows, task.labels)
    own = DataRoot(tmp_path / "own")
    assert own.load(task, Split.TRAIN, "en") == rows
    assert own.notes(task, Split.TRAIN, "en") == ()


def test_own_layout_is_read_before_the_others(data_root, task_files, tmp_path):
    root = data_root(task_files["xnli"])
    task = get_task("xnli")
    assert len(root.load(task, Split.DEV, "de")) == 3
    write_split(tmp_path, task, Split.DEV, "de", [PAIR], task.labels)
    assert root.load(task, Split.DEV, "de") == [PAIR]


@pytest.mark.parametrize(
    ("name", "rows", "labels", "message"),
    [
        ("xnli", [PairExample("1", "a", "b", 0)], ("yes", "no", "?"), r"row 0: label: 'yes' is not a label"),
        ("udpos", [TagExample("0", ("a",), (0,))], ("NN",), r"row 0: tags: 'NN' is not a tag of this task"),
        ("udpos", [TagExample("0", ("a", "b"), (0,))], ("ADJ",), r"row 0: tags: 2 words but 1 tag"),
        ("hellaswag", [ChoiceExample("0", "a", ("b", "c"), 2)], (), r"row 0: label: 2 is not one of the 2 choices"),
        ("squad2", [SpanExample("0", "a", "b c", (Answer("c", 1),))], (), r"row 0: answers: the answer 'c' is not at"),
        ("xnli", [SpanExample("0", "a", "b", ())], (), r"first: no such column\. .*Allowed: answers, cont"),
    ],
)  # fmt: skip
def test_read_is_refused_with_file_and_row_when_rows_do_not_fit(tmp_path, name, rows, labels, message):
    task = get_task(name)
    split, code = next(iter(task.layouts)), task.languages[-1]
    write_split(tmp_path, task, split, code, rows, labels)
    with pytest.raises(DataError, match=rf"arrow/{split.value}/{code}/data-00000-of-00001\.arrow: .*{message}"):
        DataRoot(tmp_path).load(task, split, code)


def test_read_is_refused_when_file_is_damaged(tmp_path):
    task = get_task("xnli")
    folder = write_split(tmp_path, task, Split.DEV, "de", [PAIR], task.labels)
    (folder / FILE).write_bytes(b"not an arrow file")
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow: cannot be read as an Arrow file"):
        DataRoot(tmp_path).load(task, Split.DEV, "de")


def test_read_is_refused_when_a_byte_of_the_texts_is_damaged(tmp_path):
    task = get_task("xnli")
    folder = write_split(tmp_path, task, Split.DEV, "de", [PAIR], task.labels)
    data = (folder / FILE).read_bytes()
    assert data.count("ü".encode()) == 1
    (folder / FILE).write_bytes(data.replace("ü".encode(), b"\xc3("))
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow: cannot be read as an Arrow file.*UTF8"):
        DataRoot(tmp_path).load(task, Split.DEV, "de")


def test_read_is_refused_when_a_byte_of_a_nested_name_is_damaged(tmp_path):
    task = get_task("xquad")
    row = SpanExample("q", "Who?", "Anna came.", (Answer("Anna", 0),))
    folder = write_split(tmp_path, task, Split.TEST, "de", [row], ())
    data = (folder / FILE).read_bytes()
    assert data.count(b"start\0") >= 1
    (folder / FILE).write_bytes(data.replace(b"start\0", b"st\xffrt\0"))
    with pytest.raises(DataError, match=r"data-00000-of-00001\.arrow: answers: the name of a field in it is not UTF-8"):
        DataRoot(tmp_path).load(task, Split.TEST, "de")


def test_offsets_that_lead_beyond_the_file_are_refused_before_they_are_followed(tmp_path):
    task = get_task("udpos")
    rows = [TagExample("0", ("a", "bc"), (0, 0)), TagExample("1", ("def",), (0,))]
    path = write_split(tmp_path, task, Split.DEV, "de", rows, ("ADJ",)) / FILE
    offsets = numpy.array([0, 2, 3], numpy.int32).tobytes()
    content = path.read_bytes()
    assert offsets in content
    path.write_bytes(content.replace(offsets, numpy.array([0, 2, 1 << 30], numpy.int32).tobytes()))
    message = r"cannot be read as an Arrow file .*\(In column 1: .*list offset.*\)\. Fetch it"
    with pytest.raises(DataError, match=message):
        DataRoot(tmp_path).load(task, Split.DEV, "de")


def test_gold_pairs_are_refused_when_a_sentence_is_missing(tmp_path):
    task, side = get_task("tatoeba"), (Sentence("0", "a"),)
    write_split(tmp_path, task, Split.TEST, "de", Bitext("de", side, side, frozenset({("x", "en-1")})), ())
    with pytest.raises(DataError, match=r"gold/data-.*\.arrow: row 0: foreign: no sentence has id 'x'"):
        DataRoot(tmp_path).load(task, Split.TEST, "de")


@pytest.mark.parametrize(
    ("task", "columns", "message"),
    [
        ("xquad", {"id": ["0"], "question": ["q"], "context": ["c"], "answers": ["c"]},
         r"row 0: answers: expected a list of text and start, found 'c'"),
        ("xquad", {"id": ["0"], "question": ["q"], "context": ["c"], "answers": [[{"text": "c", "start": None}]]},
         r"row 0: answers: expected a list of text and start"),
        ("udpos", {"id": ["0"], "words": [["a"]], "tags": [7]}, r"row 0: tags: expected a list of labels"),
        ("xnli", {"id": ["0"], "first": ["a"], "second": [3], "label": ["neutral"]}, r"second: expected text or null"),
        ("xnli", {"id": ["0"], "first": ["a"], "second": ["b"], "label": [True]}, r"row 0: label: .*found true"),
    ],
)  # fmt: skip
def test_values_of_other_types_are_refused_with_their_row(tmp_path, task, columns, message):
    split = Split.TEST if task == "xquad" else Split.DEV
    path = tmp_path / task / "arrow" / split.value / "de" / "data-00000-of-00001.arrow"
    path.parent.mkdir(parents=True)
    table = pyarrow.table(columns)
    with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    with pytest.raises(DataError, match=message):
        DataRoot(tmp_path).load(get_task(task), split, "de")
