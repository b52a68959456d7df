"""The readers on real data in the published layouts; skipped where there is none."""

import csv
from pathlib import Path

import pytest
from encoded import join_tags, span_text

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import IGNORED, EncodeSettings
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks import beyond_xtreme
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Kind, Split


@pytest.fixture(scope="module")
def root(shared_root) -> DataRoot:
    return DataRoot(shared_root / "data")


@pytest.fixture(scope="module")
def counts(shared_root) -> dict[str, int]:
    """File name -> records, as counted by those who cut the slices."""
    with (shared_root / "data" / "counts.tsv").open(encoding="utf-8") as file:
        return {row["file"]: int(row["records"]) for row in csv.DictReader(file, delimiter="\t") if row["records"]}


def counted(path: Path, root: DataRoot, counts: dict[str, int]) -> int:
    return counts[path.relative_to(root.path).as_posix()]


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_every_file_of_task_has_the_counted_rows(root, counts, task):
    seen = 0
    for split in task.layouts:
        for code in root.languages(task, split):
            rows = root.load(task, split, code)
            files = root.files(task, split, code)
            seen += 1
            if isinstance(rows, Bitext):
                assert len(rows.foreign) == counted(files[0], root, counts)
                assert len(rows.english) == counted(files[1], root, counts)
                continue
            assert len({row.id for row in rows}) == len(rows)
            beside = ("s2.", "labels.", "test-labels")
            headers = sum("x-final" in path.parts for path in files)
            lines = sum(counted(path, root, counts) for path in files if not path.name.startswith(beside))
            assert len(rows) == lines - headers
    if task in beyond_xtreme.TASKS or task.name in {"ccg", "mewslix", "lareqa", "wikipairs"}:
        assert seen == 0, f"there are files of {task.name} now: test them"
    elif task.name == "multichecklist":
        assert seen == 0, "these files are generated, not published"
    else:
        assert seen > 0


@pytest.mark.parametrize("name", ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc2018", "tatoeba"])
def test_every_target_has_languages_to_be_scored_in(root, name):
    task = get_task(name)
    languages = root.evaluation_languages(task)
    assert languages
    assert all(root.is_labelled(task, root.evaluation_split(task, code), code) for code in languages)


def test_tydiqa_is_scored_on_training_files_of_other_languages(root):
    task = get_task("tydiqa")
    splits = {root.evaluation_split(task, code) for code in root.evaluation_languages(task)}
    assert splits == {Split.TRAIN}
    assert "en" not in root.evaluation_languages(task)


def test_pawsx_has_doubled_quotes_only_when_read_as_xtreme_does(root):
    task = get_task("pawsx")
    codes = root.languages(task, Split.DEV)
    raw = DataRoot(root.path, options={"quoting": "xtreme"})
    changed = 0
    for code in codes:
        pairs = zip(*(reader.load_examples(task, Split.DEV, code) for reader in (root, raw)), strict=True)
        for clean, doubled in pairs:
            for one, other in ((clean.first, doubled.first), (clean.second, doubled.second)):
                changed += one != other
                expected = '"' + one.replace('"', '""') + '"' if '"' in one else one
                assert other == expected
    assert changed > 100


def test_xnli_labels_agree_with_the_order_of_all_languages(root):
    task = get_task("xnli")
    labels = [
        [row.label for row in root.load_examples(task, Split.DEV, code)] for code in root.languages(task, Split.DEV)
    ]
    assert all(other == labels[0] for other in labels)


@pytest.mark.parametrize(
    ("name", "split"),
    [("squad1", Split.TRAIN), ("squad2", Split.DEV), ("xquad", Split.TEST), ("mlqa", Split.DEV),
     ("tydiqa", Split.TRAIN)],
)  # fmt: skip
def test_gold_spans_survive_encoding_but_for_invisible_characters(root, tiny_tokenizer, name, split):
    task = get_task(name)
    for code in root.languages(task, split):
        examples = root.load_examples(task, split, code)
        encoded = encode(task, examples, tiny_tokenizer, EncodeSettings(384, 128, 64))
        found = lost = 0
        for example, features in zip(examples, encoded.by_example(), strict=True):
            if not example.answers:
                assert all(encoded.features[index].target == (0, 0) for index in features)
                continue
            gold = example.answers[0].text.strip("\u200b\u200c\u200d\u200e\u200f\ufeff \n\u00a0")
            targets = {index: encoded.features[index].target for index in features}
            texts = {span_text(encoded, index, *target) for index, target in targets.items() if target != (0, 0)}
            lost += not texts
            found += len(texts) == 1 and gold in texts.pop()
        answerable = sum(bool(example.answers) for example in examples)
        # An answer that is longer than a window cannot be a target.
        assert found + lost == answerable, code
        assert lost <= 0.005 * answerable, code


@pytest.mark.parametrize("name", ["udpos", "panx"])
def test_tags_of_long_sentences_come_back_whole(root, tiny_tokenizer, name):
    task = get_task(name)
    assert task.kind is Kind.TAG
    for code in root.languages(task, Split.DEV):
        examples = root.load_examples(task, Split.DEV, code)
        encoded = encode(task, examples, tiny_tokenizer, EncodeSettings(max_length=48))
        assert max(feature.size for feature in encoded.features) <= 48
        predictions = [[-1 if tag == IGNORED else tag for tag in feature.target] for feature in encoded.features]
        assert join_tags(encoded, predictions) == [list(example.tags) for example in examples]


def test_xcopa_is_whole_and_its_languages_are_parallel(root):
    task = get_task("xcopa")
    assert len(task.languages) == 11
    for split, count in ((Split.DEV, 100), (Split.TEST, 500)):
        assert root.languages(task, split)[:11] == task.languages
        labels = {tuple(row.label for row in root.load_examples(task, split, code)) for code in task.languages}
        assert len(labels) == 1
        assert len(labels.pop()) == count


def test_siqa_and_copa_are_read_with_three_and_two_choices(root):
    for name, split, choices, count in (("siqa", Split.DEV, 3, 1954), ("copa", Split.TRAIN, 2, 400)):
        rows = root.load_examples(get_task(name), split, "en", labelled=True)
        assert {len(row.choices) for row in rows} == {choices}
        assert len(rows) == count
        assert {row.label for row in rows} == set(range(choices))
