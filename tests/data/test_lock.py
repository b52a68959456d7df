"""The lock file: what it says is what a study trains on, or the study stops before it starts."""

import json
from dataclasses import replace

import pytest

from adaptstilts.data.arrow import write_split
from adaptstilts.data.download import digest
from adaptstilts.data.lock import LOCK_NAME, Lock, LockedSplit, count_rows, read_lock, verify, verify_split, write_lock
from adaptstilts.errors import AdaptstiltsError, DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.study import Study
from adaptstilts.tasks.examples import Bitext, PairExample, Sentence
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

PAWSX = get_task("pawsx")
ROWS = [PairExample(str(n), f"one {n}", f"two {n}", n % 2) for n in range(12)]
SIDES = tuple(Sentence(str(n), f"text {n}") for n in range(6))
BITEXT = Bitext("de", SIDES, SIDES, frozenset({("0", "1"), ("2", "3")}))


def fetched(root, task, split, language, rows):
    """Write a split and record it, as fetching does."""
    folder = write_split(root, task, split, language, rows, task.labels)
    paths = sorted(folder.rglob("*.arrow"))
    locked = LockedSplit(
        rows=len(rows.gold) if isinstance(rows, Bitext) else len(rows),
        files={path.relative_to(root).as_posix(): digest(path) for path in paths},
        sources=("https://example.org/a.zip",),
        revision=None,
        date="2026-01-31",
    )
    lock = (read_lock(root) or Lock()).with_split(task.name, split, language, locked)
    write_lock(root, lock)
    return lock


@pytest.fixture
def root(tmp_path):
    for split, language in ((Split.TRAIN, "en"), (Split.DEV, "en"), (Split.TEST, "en"), (Split.TEST, "de")):
        fetched(tmp_path, PAWSX, split, language, ROWS)
    return tmp_path


def study(root, tmp_path, more="", task="pawsx"):
    path = tmp_path / "study.yaml"
    path.write_text(
        f"name: locked\nbackbone: mini\nmethods: [direct]\ndata: {{root: {root}}}\ntarget: {{tasks: [{task}]}}\n"
        f"store: {tmp_path}/store\nresults: {tmp_path}/results\n{more}\n"
    )
    return Study.load(path)


def planned(*args, **options):
    return study(*args, **options).plan


def test_lock_comes_back_as_it_was_written(tmp_path):
    lock = Lock(downloads={"https://x/y": "ab" * 32}, sizes={"https://x/y": 7}, revisions={"a/b": "cd"})
    lock = lock.with_split(
        "xnli", Split.TEST, "de", LockedSplit(3, {"x": "00" * 32}, ("u",), "ef", "2026-01-31", ("n",))
    )
    write_lock(tmp_path, lock)
    assert read_lock(tmp_path) == lock
    assert lock.rows("xnli", Split.TEST, "de") == 3
    assert lock.rows("xnli", Split.TEST, "fr") is None
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]


def test_lock_may_name_tasks_and_languages_that_are_not_declared_here(root):
    lock = read_lock(root)
    write_lock(root, lock.with_split("own_task", Split.TEST, "ast_Latn", lock.find("pawsx", Split.TEST, "de")))
    assert read_lock(root).rows("own_task", Split.TEST, "ast_Latn") == 12
    verify(root, "pawsx", Split.TEST, "de", 12)


def test_lock_without_sizes_is_one_of_an_older_version(root):
    values = json.loads((root / LOCK_NAME).read_text())
    del values["sizes"]
    (root / LOCK_NAME).write_text(json.dumps(values))
    assert read_lock(root).sizes == {}


@pytest.mark.parametrize("size", [-1, True, "6", 6.5, None])
def test_sizes_of_a_lock_file_are_numbers(tmp_path, size):
    values = {"format": 1, "splits": {}, "downloads": {}, "sizes": {"u": size}, "revisions": {}}
    (tmp_path / LOCK_NAME).write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"sizes\.u: .* is not a number of bytes\. Delete it and fetch again"):
        read_lock(tmp_path)


def test_read_lock_gives_none_where_there_is_no_file(tmp_path):
    assert read_lock(tmp_path) is None
    verify(tmp_path, "xnli", Split.TEST, "de", 3)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', '{"format": 1, "splits": {"a/b/c": {}}}'])
def test_read_lock_raises_one_line_when_the_file_is_something_else(tmp_path, text):
    (tmp_path / LOCK_NAME).write_text(text)
    with pytest.raises(DataError, match=r"adaptstilts\.lock\.json:(1:)? .*Delete it and fetch again"):
        read_lock(tmp_path)


def test_verify_raises_expected_and_found_number(root):
    verify(root, "pawsx", Split.TEST, "de", 12)
    with pytest.raises(DataError, match=r"lock\.json: pawsx/test/de: expected 12 rows as fetched, found 1,300"):
        verify(root, "pawsx", Split.TEST, "de", 1300)


def test_verify_split_passes_what_was_fetched_and_what_was_not(root):
    lock, data = read_lock(root), DataRoot(root)
    verify_split(lock, data, PAWSX, Split.TEST, "de")
    verify_split(lock, data, PAWSX, Split.TEST, "fr")


def test_verify_split_counts_gold_pairs_of_retrieval(tmp_path):
    task = get_task("tatoeba")
    lock = fetched(tmp_path, task, Split.TEST, "de", BITEXT)
    verify_split(lock, DataRoot(tmp_path), task, Split.TEST, "de")
    write_split(tmp_path, task, Split.TEST, "de", replace(BITEXT, gold=frozenset({("0", "1")})), ())
    with pytest.raises(DataError, match=r"tatoeba/test/de: expected 2 rows as fetched, found 1"):
        verify_split(lock, DataRoot(tmp_path), task, Split.TEST, "de")


def test_verify_split_raises_when_bytes_differ_though_rows_agree(root):
    write_split(root, PAWSX, Split.TEST, "de", [replace(row, label=1) for row in ROWS], PAWSX.labels)
    with pytest.raises(DataError, match=r"test/de/data.*arrow: SHA-256 is [0-9a-f]{64}, but [0-9a-f]{64} was fetched"):
        verify_split(read_lock(root), DataRoot(root), PAWSX, Split.TEST, "de")


def test_count_rows_raises_one_line_when_the_file_is_cut_short(root):
    path = root / "pawsx/arrow/test/de/data-00000-of-00001.arrow"
    assert count_rows(path) == 12
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"\.arrow: cannot be read as an Arrow file .*fetch again"):
        count_rows(path)


def test_study_is_planned_on_data_as_they_were_fetched(root, tmp_path):
    plan = planned(root, tmp_path)
    assert plan.stages
    study(root, tmp_path).check()


@pytest.mark.parametrize(("split", "language"), [(Split.TRAIN, "en"), (Split.DEV, "en"), (Split.TEST, "de")])
def test_study_stops_before_training_when_rows_are_gone(root, tmp_path, split, language):
    write_split(root, PAWSX, split, language, ROWS[:7], PAWSX.labels)
    with pytest.raises(
        AdaptstiltsError, match=rf"pawsx/{split.value}/{language}: expected 12 rows as fetched, found 7"
    ):
        planned(root, tmp_path)


def test_study_stops_before_training_when_a_checksum_is_another(root, tmp_path):
    write_split(root, PAWSX, Split.TRAIN, "en", list(reversed(ROWS)), PAWSX.labels)
    with pytest.raises(AdaptstiltsError, match=r"train/en/data.*arrow: SHA-256 is "):
        planned(root, tmp_path)


def test_study_stops_before_training_when_a_fetched_file_is_gone(root, tmp_path):
    (root / "pawsx/arrow/dev/en/data-00000-of-00001.arrow").unlink()
    with pytest.raises(AdaptstiltsError, match=r"pawsx/dev/en: recorded in the lock file, but missing"):
        planned(root, tmp_path)


def test_study_stops_when_a_fetched_test_set_is_gone_in_place_of_scoring_dev(root, tmp_path):
    fetched(root, PAWSX, Split.DEV, "de", ROWS)
    (root / "pawsx/arrow/test/de/data-00000-of-00001.arrow").unlink()
    with pytest.raises(AdaptstiltsError, match=r"pawsx/test/de: recorded in the lock file, but missing"):
        planned(root, tmp_path)


def test_study_stops_when_a_fetched_language_is_gone_unless_it_takes_what_is_there(root, tmp_path):
    (root / "pawsx/arrow/test/de/data-00000-of-00001.arrow").unlink()
    with pytest.raises(AdaptstiltsError, match=r"pawsx/test/de: recorded in the lock file, but missing"):
        planned(root, tmp_path)
    assert planned(root, tmp_path, "evaluation: {languages: present}").stages


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ({("0", "1")}, r"bucc2018/dev/de: expected 2 rows as fetched, found 1"),
        ({("0", "1"), ("2", "4")}, r"dev/de/gold/data.*arrow: SHA-256 is "),
    ],
)
def test_study_stops_when_the_pairs_a_threshold_is_fitted_on_are_not_those_fetched(tmp_path, pairs, message):
    task = get_task("bucc2018")
    for split in (Split.DEV, Split.TEST):
        fetched(tmp_path, task, split, "de", BITEXT)
    write_split(tmp_path, task, Split.DEV, "de", replace(BITEXT, gold=frozenset(pairs)), ())
    with pytest.raises(AdaptstiltsError, match=message):
        planned(tmp_path, tmp_path, task="bucc2018")


def test_study_for_submission_stops_when_hidden_rows_are_not_those_fetched(root, tmp_path):
    hidden = [replace(row, label=None) for row in ROWS]
    fetched(root, PAWSX, Split.TEST, "fr", hidden)
    write_split(root, PAWSX, Split.TEST, "fr", list(reversed(hidden)), PAWSX.labels)
    with pytest.raises(AdaptstiltsError, match=r"test/fr/data.*arrow: SHA-256 is "):
        planned(root, tmp_path, "evaluation: {submission: true}")
