import pytest

from adaptstilts.data.arrow import write_split
from adaptstilts.errors import DataError
from adaptstilts.readers.arrow import FILE
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import (
    Answer,
    Bitext,
    Candidate,
    ChoiceExample,
    MatchExample,
    PairExample,
    Sentence,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Split

SENTENCES = tuple(Sentence(f"de-{n}", f"Satz {n}") for n in range(3))
ENGLISH = tuple(Sentence(f"en-{n}", f"sentence {n}") for n in range(4))
ROWS = {
    "xnli": [PairExample("1e", 'A "b"\tc', "ü", 2), PairExample("2", "", None, 0)],
    "hellaswag": [ChoiceExample("4", "Ein\nPrompt", ("a", "b", "c"), 2), ChoiceExample("5", "x", ("a", "b"), 0)],
    "udpos": [TagExample("0", ("Hunde", "bellen"), (7, 15)), TagExample("1", ("ja",), (6,))],
    "squad2": [
        SpanExample("q0", "Wo?", " In Bern.", (Answer("Bern", 4), Answer("In Bern", 1))),
        SpanExample("q1", "Wer?", "Niemand.", ()),
    ],
    "squad_r": [
        MatchExample("q0", "Wo?", "1_0", Candidate("1_0", "In Bern.", "In Bern. Ja.", ("1_0",))),
        MatchExample("q1", "Wer?", "2_1", Candidate("2_1", "Ja.", None, ("2_1",))),
    ],
    "mewslix": [MatchExample("m1", "Bern: In { Bern }.", "Q1"), MatchExample("m2", "x", "Q2")],
    "tatoeba": Bitext("de", SENTENCES, ENGLISH, frozenset({("de-0", "en-2"), ("de-2", "en-0")})),
}
HIDDEN = {
    "xnli": [PairExample("1e", "A", "b", None)],
    "hellaswag": [ChoiceExample("4", "x", ("a", "b"), None)],
    "udpos": [TagExample("0", ("Hunde", "bellen"), None)],
    "squad2": [SpanExample("q0", "Wo?", "In Bern.", None)],
    "squad_r": [MatchExample("q0", "Wo?", None)],
    "mewslix": [MatchExample("m1", "Bern: In { Bern }.", None)],
    "tatoeba": Bitext("de", SENTENCES, ENGLISH, None),
}


def split_of(task):
    return next(split for split in reversed(Split) if split in task.layouts)


def language_of(task):
    return "de" if "de" in task.languages else "en"


@pytest.mark.parametrize("rows", [ROWS, HIDDEN], ids=["labelled", "hidden"])
@pytest.mark.parametrize("name", ROWS)
def test_split_comes_back_as_it_was_written(tmp_path, name, rows):
    task = get_task(name)
    write_split(tmp_path, task, split_of(task), language_of(task), rows[name], task.labels)
    root = DataRoot(tmp_path)
    assert root.load(task, split_of(task), language_of(task)) == rows[name]
    assert root.languages(task, split_of(task)) == (language_of(task),)
    assert root.is_labelled(task, split_of(task), language_of(task)) == (rows is ROWS)
    assert not root.notes(task, split_of(task), language_of(task))


def test_datasets_loads_what_was_written(tmp_path):
    import datasets

    task = get_task("squad2")
    folder = write_split(tmp_path, task, Split.DEV, "en", ROWS["squad2"], ())
    rows = list(datasets.load_from_disk(str(folder)))
    assert folder == tmp_path / "squad2/arrow/dev/en"
    assert {path.name for path in folder.iterdir()} == {FILE, "dataset_info.json", "state.json"}
    assert [list(row) for row in rows] == [["id", "question", "context", "answers"]] * 2
    assert rows[0]["answers"] == [{"text": "Bern", "start": 4}, {"text": "In Bern", "start": 1}]


def test_write_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path):
    task = get_task("xnli")
    for rows in (HIDDEN["xnli"], ROWS["xnli"]):
        folder = write_split(tmp_path, task, Split.DEV, "de", rows, task.labels)
        assert DataRoot(tmp_path).load(task, Split.DEV, "de") == rows
    assert [path.name for path in folder.parent.iterdir()] == ["de"]


def test_write_is_the_same_to_the_byte_for_the_same_rows(tmp_path):
    task = get_task("udpos")
    first, second = (
        write_split(tmp_path / name, task, Split.DEV, "de", ROWS["udpos"], task.labels) / FILE for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("rows", [[], Bitext("de", (), ENGLISH, None)])
def test_write_is_refused_without_rows(tmp_path, rows):
    with pytest.raises(DataError, match=r"arrow/test/de: there are no test rows of tatoeba in 'de' to write"):
        write_split(tmp_path, get_task("tatoeba"), Split.TEST, "de", rows, ())


def test_every_kind_of_task_is_covered():
    assert {get_task(name).kind for name in ROWS} == set(Kind)
