"""The miniature as a whole: complete, deterministic, parallel, balanced, without overlap, quick."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from adaptstilts.errors import DataError
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.write import write_mini
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import ChoiceExample, PairExample, SpanExample, TagExample
from adaptstilts.tasks.registry import get_task, intermediate_tasks, target_tasks
from adaptstilts.tasks.spec import Kind, Phase, Split, Task

TASKS = [*intermediate_tasks(), *target_tasks()]
TARGETS = list(target_tasks())
TEXTS = [task for task in TARGETS if task.kind is not Kind.RETRIEVE]


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_write_mini_gives_equal_files_when_seeds_are_equal(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_mini(tmp_path / name, seed=seed, train=12, evaluation=6, low_resource=3)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a") != files(tmp_path / "c")


def test_write_mini_is_quick(tmp_path: Path) -> None:
    start = time.process_time()
    write_mini(tmp_path, seed=1, train=200, evaluation=20, low_resource=15)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("size", ["train", "evaluation", "low_resource"])
def test_write_mini_names_the_size_when_it_is_not_positive(tmp_path: Path, size: str) -> None:
    sizes = {"train": 2, "evaluation": 2, "low_resource": 2, size: 0}
    with pytest.raises(DataError, match=f"{size}: 0 is not a number of examples"):
        write_mini(tmp_path, seed=1, **sizes)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_task_can_be_trained_and_evaluated(mini_root: Path, task: Task) -> None:
    data = DataRoot(mini_root)
    if task.trains:
        found = data.training_data(task)
        assert len(found.train) >= 12 and len(found.dev) >= 12
    wanted = set(grammars()) if task.phase is Phase.TARGET else {"en"}
    wanted -= {"en"} if task.kind is Kind.RETRIEVE else set()
    assert set(data.evaluation_languages(task)) == wanted


@pytest.mark.parametrize("task", TEXTS, ids=lambda task: task.name)
def test_evaluation_sets_are_parallel(mini_root: Path, task: Task) -> None:
    data = DataRoot(mini_root)
    english = data.load(task, data.evaluation_split(task, "en"), "en")
    for code in grammars():
        split = data.evaluation_split(task, code)
        other = data.load(task, split, code)
        assert len(other) == len(english) == 60
        for left, right in zip(english, other, strict=True):
            if isinstance(left, PairExample) and isinstance(right, PairExample):
                assert left.label == right.label
            if isinstance(left, SpanExample) and isinstance(right, SpanExample):
                assert len(left.answers or ()) == len(right.answers or ())


@pytest.mark.parametrize("name", ["mnli", "qqp", "hellaswag", "cosmosqa", "commonsenseqa", "xnli", "pawsx"])
def test_labels_are_balanced(mini_root: Path, name: str) -> None:
    task = get_task(name)
    found = DataRoot(mini_root).training_data(task)
    for part in (found.train, found.dev):
        counts = Counter(item.label for item in part if isinstance(item, PairExample | ChoiceExample))
        assert max(counts.values()) - min(counts.values()) <= 1


def test_spans_stand_where_they_are_said_to_stand(mini_root: Path) -> None:
    data = DataRoot(mini_root)
    checked = 0
    for task in (task for task in TASKS if task.kind is Kind.EXTRACT):
        for split in Split:
            for code in data.languages(task, split):
                for item in data.load(task, split, code):
                    assert isinstance(item, SpanExample)
                    for answer in item.answers or ():
                        assert item.context[answer.start : answer.start + len(answer.text)] == answer.text
                        checked += 1
    assert checked > 1000


def test_unanswerable_questions_occur_in_squad2_only(mini_root: Path) -> None:
    data = DataRoot(mini_root)
    for name, share in (("squad2", 1 / 3), ("squad1", 0.0)):
        items = data.training_data(get_task(name)).train
        empty = [item for item in items if isinstance(item, SpanExample) and not item.answers]
        assert len(empty) / len(items) == pytest.approx(share)


def content_of(item: object) -> str:
    if isinstance(item, PairExample):
        return f"{item.first}|{item.second}"
    if isinstance(item, SpanExample):
        return item.context
    if isinstance(item, TagExample):
        return " ".join(item.words)
    assert isinstance(item, ChoiceExample)
    return f"{item.prompt}|{item.choices}"


@pytest.mark.parametrize("task", [task for task in TASKS if task.trains], ids=lambda task: task.name)
def test_no_evaluation_item_is_trained_on(mini_root: Path, task: Task) -> None:
    data = DataRoot(mini_root)
    train = {content_of(item) for item in data.training_data(task).train}
    split = data.evaluation_split(task, "en")
    assert train.isdisjoint(content_of(item) for item in data.load(task, split, "en"))


def test_bitexts_have_distractors_only_where_the_task_has_them(mini_root: Path) -> None:
    data = DataRoot(mini_root)
    mined = data.load_bitext(get_task("bucc2018"), Split.TEST, "de")
    assert (len(mined.foreign), len(mined.english), len(mined.gold or ())) == (60, 60, 30)
    aligned = data.load_bitext(get_task("tatoeba"), Split.TEST, "de")
    assert (len(aligned.foreign), len(aligned.english), len(aligned.gold or ())) == (60, 60, 60)


def test_published_keys_are_kept(mini_root: Path) -> None:
    row = json.loads((mini_root / "hellaswag" / "hellaswag_val.jsonl").read_text("utf-8").splitlines()[0])
    assert {"ind", "activity_label", "ctx_a", "ctx_b", "ctx", "endings", "label", "split", "source_id"} <= set(row)
    header = (mini_root / "qqp" / "dev.tsv").read_text("utf-8").splitlines()[0]
    assert header.split("\t") == ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
    assert (mini_root / "xnli" / "test-en.tsv").read_bytes().count(b"\r\n") == 60
