import csv
import json

import pytest

from adaptstilts.cli.main import main
from adaptstilts.data.arrow import write_split
from adaptstilts.data.check import Mark, check_folder, examine, official_languages
from adaptstilts.data.contamination.overlap import fingerprint
from adaptstilts.data.lock import Lock, LockedSplit, write_lock
from adaptstilts.errors import DataError
from adaptstilts.languages import get_language
from adaptstilts.readers.data_root import DataRoot, Inspection
from adaptstilts.tasks.examples import Bitext, PairExample, Sentence
from adaptstilts.tasks.layouts import texts
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Kind, Split, Task

TRAIN = (
    "The library opened in the morning.\tIt was open by nine.\t0\r\n"
    "Nobody knew where the river ended.\tThe end of the river was known.\t1\r\n"
    "The farmer followed it for nine days.\tHe followed it for over a week.\t1\r\n"
)
DEV = (
    "Nobody knew where the river ended.\tThe end of the river was known.\t0\r\n"
    "A doctor slept on the train to Berlin.\tA doctor slept in Berlin.\t0\r\n"
    "a doctor slept, on the train to Berlin\tA doctor slept in Berlin!\t0\r\n"
    "Anna bought a red bicycle on Friday.\tA red bicycle was bought.\t1\r\n"
)


@pytest.fixture
def root(tmp_path):
    """PAWS-X in English with one row of train in dev, one row of dev twice; a German test set without labels."""
    folder = tmp_path / "pawsx"
    folder.mkdir()
    (folder / "train-en.tsv").write_bytes(TRAIN.encode())
    (folder / "dev-en.tsv").write_bytes(DEV.encode())
    (folder / "test-de.tsv").write_bytes(b"Es regnet.\tEs ist nass.\r\n")
    return tmp_path


def rows_of(check):
    return {(split.split.value, row.language): row for split in check.splits for row in split.languages}


def test_check_counts_rows_repeats_and_rows_of_the_training_set(root):
    found = check_folder(root, [get_task("pawsx")])
    rows = rows_of(found)
    dev = rows["dev", "en"]
    assert (dev.rows, dev.published, dev.hidden, dev.repeated, dev.in_train) == (4, 2000, 0, 1, 1)
    assert rows["train", "en"].in_train is None
    assert rows["train", "en"].leak.foreign_rows == 0
    test = rows["test", "de"]
    assert (test.rows, test.hidden, test.in_train, test.leak) == (1, 1, None, None)
    assert {row.mark for row in rows.values()} == {Mark.FEWER}
    assert found.problems == []


def test_check_lists_missing_languages_of_each_split(root):
    found = {split.split: split for split in check_folder(root, [get_task("pawsx")]).splits}
    assert found[Split.TRAIN].missing == ()
    assert found[Split.DEV].missing == ("de", "es", "fr", "ja", "ko", "zh")
    assert found[Split.TEST].missing == ("en", "es", "fr", "ja", "ko", "zh")


def test_table_says_what_is_there(root, capsys):
    assert main(["data", "check", str(root), "pawsx"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:4]] == [
        ["pawsx", "train", "en", "3", "49,401", "fewer", "yes", "0", "-", "0"],
        ["pawsx", "dev", "1", "of", "7", "4", "2,000", "fewer", "yes", "1", "1", "0"],
        ["pawsx", "test", "1", "of", "7", "1", "2,000", "fewer", "hidden", "0", "-", "-"],
    ]
    assert "note: pawsx: dev: missing in de, es, fr, ja, ko, zh" in lines


def test_json_has_every_language_of_every_split(root, capsys):
    assert main(["data", "check", str(root), "pawsx", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["problems"], found["root"]) == (True, [], str(root))
    assert found["splits"][1]["languages"] == [
        {"language": "en", "rows": 4, "published": 2000, "mark": "fewer", "labels": "yes", "repeated": 1, "in_train": 1,
         "foreign": 0}
    ]  # fmt: skip


def test_json_names_file_and_line_of_a_problem(root, capsys):
    path = root / "pawsx/dev-en.tsv"
    path.write_bytes(DEV.replace("\t1\r\n", "\t2\r\n").encode())
    assert main(["data", "check", str(root), "pawsx", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["ok"]
    assert [(item["path"], item["line"]) for item in found["problems"]] == [(str(path), 4)]


def test_file_with_some_labels_missing_is_a_problem(tmp_path, capsys):
    rows = [
        {"premise": "It rained.", "choice1": "I ran.", "choice2": "I hid.", "question": "effect", "label": 0, "idx": 7},
        {"premise": "I fell.", "choice1": "It was wet.", "choice2": "It was dry.", "question": "cause", "idx": 8},
    ]
    folder = tmp_path / "xcopa/data/et"
    folder.mkdir(parents=True)
    (folder / "val.et.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "xcopa"]) == 2
    assert "val.et.jsonl:2: no label in 1 of 2 examples, the first is '8'." in capsys.readouterr().err


def test_link_to_a_file_that_is_gone_is_one_problem_of_that_file(root, capsys):
    path = root / "pawsx/dev-fr.tsv"
    path.symlink_to(root / "gone")
    assert main(["data", "check", str(root), "pawsx"]) == 2
    assert capsys.readouterr().err == f"{path}: is a link that leads nowhere, not a file. Put an ordinary file there.\n"
    with pytest.raises(DataError, match=r"dev-fr\.tsv: is a link that leads nowhere"):
        DataRoot(root).is_labelled(get_task("pawsx"), Split.DEV, "fr")


def test_strict_check_refuses_missing_languages_and_other_numbers_of_rows(root, capsys):
    assert main(["data", "check", str(root), "pawsx", "--strict"]) == 2
    problems = capsys.readouterr().err
    assert "train-en.tsv: expected 49,401 rows in 'en' as published, found 3." in problems
    assert "no dev files of pawsx in de, es, fr, ja, ko, zh." in problems
    assert len(problems.splitlines()) == 5


def test_strict_check_compares_no_number_of_rows_where_rows_cannot_be_read(root, capsys):
    path = root / "pawsx/dev-fr.tsv"
    path.write_bytes((root / "pawsx/dev-en.tsv").read_bytes() + b"\xff\n")
    assert main(["data", "check", str(root), "pawsx", "--strict"]) == 2
    of_file = [line for line in capsys.readouterr().err.splitlines() if "dev-fr.tsv" in line]
    assert len(of_file) == 1
    assert "not UTF-8" in of_file[0]


def test_check_steps_through_every_split(root):
    steps = []
    check_folder(root, [get_task("pawsx"), get_task("tatoeba")], on_step=lambda *step: steps.append(step))
    assert steps == [(0, 4, "pawsx train"), (1, 4, "pawsx dev"), (2, 4, "pawsx test"), (3, 4, "tatoeba test")]


def test_check_of_a_folder_without_data_is_an_error(tmp_path, capsys):
    assert main(["data", "check", str(tmp_path)]) == 2
    assert "holds no file of these tasks" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path / "gone")]) == 2
    assert "gone: no such folder" in capsys.readouterr().err


def test_more_rows_than_published_are_told(tmp_path, capsys):
    folder = tmp_path / "panx"
    folder.mkdir()
    (folder / "dev-my.tsv").write_text("က\tO\n\n" * 101, encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "panx"]) == 0
    assert "note: panx: dev: more rows than published: my 101 of 100" in capsys.readouterr().out


def test_other_rows_than_the_lock_file_names_are_a_problem(tmp_path, capsys):
    task = get_task("pawsx")
    rows = [PairExample("0", "A b.", "B c.", 0), PairExample("1", "A c.", "C c.", 1)]
    folder = write_split(tmp_path, task, Split.DEV, "de", rows, task.labels)
    name = (folder / "data-00000-of-00001.arrow").relative_to(tmp_path).as_posix()
    locked = LockedSplit(rows=3, files={name: "0" * 64}, sources=("here",), revision=None, date="2024-01-01")
    write_lock(tmp_path, Lock().with_split("pawsx", Split.DEV, "de", locked))
    assert main(["data", "check", str(tmp_path), "pawsx"]) == 2
    assert "pawsx/dev/de: expected 3 rows as fetched, found 2" in capsys.readouterr().err
    assert main(["data", "check", str(tmp_path), "xnli", "tatoeba"]) == 2
    assert "holds no file of these tasks" in capsys.readouterr().err


def test_training_set_of_another_task_is_compared_too(tmp_path):
    row = json.dumps(
        {"gold_label": "neutral", "sentence1": "A premise that is long.", "sentence2": "A claim.", "pairID": "0"}
    )
    for name, text in (
        ("mnli/multinli_1.0_train.jsonl", row + "\n"),
        ("xnli/dev-en.tsv", "A premise that is long.\tA claim.\tneutral\r\nAnother premise.\tA claim.\tneutral\r\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(text.encode())
    assert rows_of(check_folder(tmp_path, [get_task("xnli")]))["dev", "en"].in_train == 1


def test_bitext_is_counted_in_pairs_and_not_compared_where_they_are_hidden():
    sides = (tuple(Sentence(str(row), f"Ein Satz mit der Nummer {row % 2}") for row in range(3)), (Sentence("0", "A"),))
    shown = examine("de", Inspection(Bitext("de", *sides, frozenset({("0", "0")})), 0, ()), 5, None)
    assert (shown.rows, shown.mark, shown.repeated) == (1, Mark.FEWER, 1)
    hidden = examine("de", Inspection(Bitext("de", *sides, None), 3, ()), 5, None)
    assert (hidden.rows, hidden.mark) == (3, Mark.UNKNOWN)


def test_bitext_that_cannot_be_read_has_no_rows():
    found = examine("de", Inspection(None, 0, (DataError("broken"),)), 5, fingerprint([]))
    assert (found.rows, found.mark, found.in_train) == (0, Mark.UNKNOWN, None)


@pytest.mark.parametrize(
    ("task", "split", "count"),
    [("xnli", Split.TEST, 15), ("udpos", Split.DEV, 29), ("udpos", Split.TEST, 33), ("panx", Split.DEV, 40),
     ("tydiqa", Split.TRAIN, 1), ("tydiqa", Split.DEV, 9), ("xquad", Split.TEST, 11), ("tatoeba", Split.TEST, 36),
     ("bucc2018", Split.DEV, 4), ("ccg", Split.DEV, 1)],
)  # fmt: skip
def test_official_languages_are_those_of_the_benchmark(task, split, count):
    assert len(official_languages(get_task(task), split)) == count


def test_table_of_the_slices_is_what_their_makers_counted(shared_root):
    """Every file that a task reads has as many rows as its line in counts.tsv says."""
    folder = shared_root / "data"
    with (folder / "counts.tsv").open(encoding="utf-8") as file:
        counts = {row["file"]: int(row["records"]) for row in csv.DictReader(file, delimiter="\t") if row["records"]}
    found = check_folder(folder, all_tasks())
    assert found.problems == []
    data = DataRoot(folder)
    compared = 0
    for split in found.splits:
        task = get_task(split.task)
        for row in split.languages:
            paths = [path.relative_to(folder).as_posix() for path in data.files(task, split.split, row.language)]
            kept = [path for path in paths if not any(part in path for part in ("/s2.", "/labels.", "test-labels"))]
            if task.kind is Kind.RETRIEVE:
                kept = [path for path in paths if path.endswith(".gold")] or paths[:1]
            headers = sum("x-final" in path for path in kept)  # counted as lines there
            assert row.rows == sum(counts[path] for path in kept) - headers, (split.task, row.language)
            compared += 1
        there = {row.language for row in split.languages}
        assert not there & set(split.missing)
        assert all(get_language(code).code == code for code in there | set(split.missing))
    assert compared > 150


def moods(layout):
    changes = {"kind": Kind.CLASSIFY, "labels": ("bad", "good"), "languages": ("en", "de")}
    return Task(name="moods", layouts=dict.fromkeys(Split, layout), **changes)


def test_missing_file_of_a_task_from_outside_is_named_with_the_paths_looked_for(tmp_path):
    (problem,) = check_folder(tmp_path, [moods(texts("moods/{language}.tsv", split="split"))]).problems
    assert str(problem) == (
        f"{tmp_path}: no file of moods; looked for moods/{{language}}.tsv, moods/arrow/. "
        "Put them there, or correct the layouts of moods. More: adaptstilts docs tasks."
    )


def test_languages_that_a_split_of_a_task_from_outside_does_not_hold_are_not_missing():
    task = moods(texts("dev.tsv", holds=("en",)))
    assert official_languages(task, Split.DEV) == ("en",)
    assert official_languages(moods(texts("{language}.tsv")), Split.DEV) == ("en", "de")


def test_missing_task_from_outside_is_a_note_beside_tasks_that_are_there(root):
    tasks = [get_task("pawsx"), moods(texts("moods.tsv", language="language", split="split")), get_task("panx")]
    found = check_folder(root, tasks)
    assert (found.problems, found.notes) == ([], ["no file of moods; looked for moods.tsv, moods/arrow/"])


def test_file_without_a_row_in_the_languages_of_its_task_is_named(tmp_path):
    (tmp_path / "moods.tsv").write_text("text\tlabel\tl\tsplit\nA.\tgood\teng\ttrain\n", encoding="utf-8")
    (problem,) = check_folder(tmp_path, [moods(texts("moods.tsv", language="l", split="split"))]).problems
    assert str(problem).startswith(f"{tmp_path}/moods.tsv: holds no row of moods in en, de. Correct its languages")


ALL_LANGUAGES = {
    "xnli": ("XNLI-1.0/xnli.dev.tsv", "language\tgold_label\tsentence1\tsentence2\n"),
    "tydiqa": ("tydiqa/tydiqa-goldp-v1.1-dev.json", '{"data": []}'),
}


@pytest.mark.parametrize("name", ALL_LANGUAGES)
def test_file_of_all_languages_without_a_row_is_named_with_what_to_do(tmp_path, name):
    path, text = ALL_LANGUAGES[name]
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(text, encoding="utf-8")
    (problem,) = check_folder(tmp_path, [get_task(name)]).problems
    assert str(problem).startswith(f"{tmp_path / path}: holds no row of {name} in ")
    assert str(problem).endswith("Put the publisher's file there, whole. More: adaptstilts docs data.")


def test_candidates_of_a_task_are_read_too(tmp_path, capsys, task_files):
    for name, text in task_files["mewslix"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "mewslix"]) == 0
    entities = tmp_path / "mewslix/candidate_set_entities.jsonl"
    entities.write_text('{"entity_id": "Q1"}\n', encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "mewslix"]) == 2
    assert f"{entities}:1: description: missing" in capsys.readouterr().err
    entities.unlink()
    assert main(["data", "check", str(tmp_path), "mewslix"]) == 0
    note = "note: no candidates of mewslix; looked for mewslix/candidate_set_entities.jsonl"
    assert note in capsys.readouterr().out


def test_equal_faults_of_two_languages_in_one_file_are_two_problems(tmp_path, capsys):
    path = tmp_path / "XNLI-1.0/xnli.dev.tsv"
    path.parent.mkdir()
    rows = "".join(f"{code}\tneutral\tA {code} sentence.\tB.\n" for code in ("de", "fr"))
    path.write_text(f"language\tgold_label\tsentence1\tsentence2\n{rows}", encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "xnli", "--strict"]) == 2
    problems = capsys.readouterr().err
    for code in ("de", "fr"):
        assert f"xnli.dev.tsv: expected 2,490 rows in '{code}' as published, found 1." in problems


def test_tasks_that_can_be_fetched_are_and_others_say_how_to_get_them(tmp_path):
    folder = tmp_path / "my data"
    folder.mkdir()
    (problem,) = check_folder(folder, [get_task("xnli"), get_task("sib200")]).problems
    assert f"Fetch some: adaptstilts data fetch xnli --root '{folder}' (in Python: fetch_data(" in str(problem)
    (problem,) = check_folder(folder, [get_task("sib200")]).problems
    assert "no file of sib200; looked for sib200/{language}/train.tsv" in str(problem)
    assert "hf download Davlan/sib200" in str(problem)


def test_many_missing_languages_are_told_by_their_number_and_a_few_and_once_for_equal_splits(tmp_path, capsys):
    folder = tmp_path / "sib200" / "eng_Latn"
    folder.mkdir(parents=True)
    for split in Split:
        (folder / f"{split.value}.tsv").write_text("index_id\tcategory\ttext\n1\ttravel\tA b.\n", encoding="utf-8")
    assert main(["data", "check", str(tmp_path), "sib200"]) == 0
    (note,) = [line for line in capsys.readouterr().out.splitlines() if "missing in" in line]
    assert note.startswith("note: sib200: dev, test: missing in 204 languages: ")
    assert note.endswith(" ...")
    assert len(note) < 150
    assert main(["data", "check", str(tmp_path), "sib200", "--strict"]) == 2
    assert "no dev files of sib200 in 204 languages: " in capsys.readouterr().err
