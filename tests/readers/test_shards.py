"""Sets of files are whole and disjoint, or an error names the missing, stale or doubled file."""

from __future__ import annotations

import json
import shutil

import datasets
import pytest
from special_files import pipe

from adaptstilts.cli.main import main
from adaptstilts.data.arrow import write_split
from adaptstilts.data.hub_files import matching_names
from adaptstilts.errors import DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.shards import problem_of_names
from adaptstilts.tasks.examples import Bitext, PairExample, Sentence
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

XNLI = get_task("xnli")
FOLDER = "hub/facebook/xnli/de"


@pytest.mark.parametrize(
    ("names", "pattern", "problem"),
    [
        ("t-00000-of-00002.parquet t-00001-of-00002.parquet", "t-*.parquet", None),
        ("t-00000-of-00001-a09b74b3ef9c3b56.parquet", "t-*.parquet", None),
        ("data-00000-of-00001.arrow", "data-*.arrow", None),
        ("0000.parquet 0001.parquet 0002.parquet", "*.parquet", None),
        ("t-0.parquet t-1.parquet", "t-*.parquet", None),
        ("glue-t.parquet", "*-t.parquet", None),
        ("rows.parquet", "*.parquet", None),
        ("t-2019.csv t-2020.csv t-old.csv", "t-*.csv", None),
        ("t-00000-of-00002.parquet", "t-*.parquet", "1 of 2 files are missing: t-00001-of-00002.parquet"),
        ("t-00001-of-00002.csv", "t-*.csv", "1 of 2 files are missing: t-00000-of-00002.csv"),
        ("t-7-of-900000000.parquet", "t-*.parquet", "899999999 of 900000000 files are missing: t-0-of-9"),
        ("t-00000-of-00001.parquet t-00000-of-00002.parquet t-00001-of-00002.parquet", "t-*.parquet",
         "belong to sets of 1 and 2 files"),
        ("t-00000-of-00002.parquet t-0-of-2.parquet t-00001-of-00002.parquet", "t-*.parquet",
         "'t-00000-of-00002.parquet' and 't-0-of-2.parquet' are the same part of one set"),
        ("t-00000-of-00001-a1b2.parquet t-00000-of-00001-c3d4.parquet", "t-*.parquet", "are the same part of one set"),
        ("t-00002-of-00002.parquet", "t-*.parquet", "numbers itself beyond the 2 files of its set"),
        ("t-00000-of-00001.parquet t-old.parquet", "t-*.parquet", "'t-old.parquet' does not belong to the set of"),
        ("t-00000-of-00002.parquet t-x-00001-of-00002.parquet", "t-*.parquet", "does not belong to the set of"),
        ("0000.parquet 0002.parquet", "*.parquet", "the file before '0002.parquet' is missing"),
        ("0000.parquet 0.parquet", "*.parquet", "are the same part of one set"),
        ("a-t.parquet b-t.parquet", "*-t.parquet", "'a-t.parquet' and 'b-t.parquet' cannot all be"),
        ("t-labels.parquet", "t-*.parquet", "is not the name of a split's file, such as t-00000-of-00001.parquet"),
    ],
)  # fmt: skip
def test_names_tell_whether_a_set_is_whole(names, pattern, problem):
    found = problem_of_names(names.split(), pattern)
    assert found is None if problem is None else problem in found


def save(root, rows, folder=f"{FOLDER}/validation", shards=2):
    columns = {"premise": [f"p{row}" for row in rows], "hypothesis": ["h"] * len(rows), "label": [0] * len(rows)}
    features = datasets.Features(
        premise=datasets.Value("string"), hypothesis=datasets.Value("string"),
        label=datasets.ClassLabel(names=["entailment", "neutral", "contradiction"]),
    )  # fmt: skip
    datasets.Dataset.from_dict(columns, features=features).save_to_disk(str(root / folder), num_shards=shards)
    return root / folder


def change_state(folder, change):
    state = json.loads((folder / "state.json").read_text())
    change(state["_data_files"], state)
    (folder / "state.json").write_text(json.dumps(state))


def test_arrow_files_are_those_of_the_state_in_its_order(tmp_path):
    folder = save(tmp_path, range(4))
    change_state(folder, lambda files, _: files.reverse())
    assert [row.first for row in DataRoot(tmp_path).load(XNLI, Split.DEV, "de")] == ["p2", "p3", "p0", "p1"]


STATES = {
    "listed but missing": (lambda folder: (folder / "data-00001-of-00002.arrow").unlink(),
                           r"state\.json: _data_files: lists 'data-00001-of-00002\.arrow', which is not there"),
    "there but not listed": (lambda folder: change_state(folder, lambda files, _: files.pop()),
                             r"does not list 'data-00001-of-00002\.arrow', which lies beside it"),
    "leftover": (lambda folder: shutil.copy(folder / "data-00000-of-00002.arrow", folder / "data-00000-of-00001.arrow"),
                 r"does not list 'data-00000-of-00001\.arrow', which lies beside it\. Remove what another save"),
    "outside": (lambda folder: change_state(folder, lambda files, _: files[0].update(filename="../x.arrow")),
                r"'\.\./x\.arrow' is not the name of an Arrow file in this folder"),
    "twice": (lambda folder: change_state(folder, lambda files, _: files.append(files[0])), r"is listed twice"),
    "half of a set": (lambda folder: [(folder / "data-00001-of-00002.arrow").unlink(),
                                      change_state(folder, lambda files, _: files.pop())],
                      r"1 of 2 files are missing: data-00001-of-00002\.arrow"),
    "no state": (lambda folder: [(folder / name).unlink() for name in ("state.json", "data-00000-of-00002.arrow")],
                 r"1 of 2 files are missing: data-00000-of-00002\.arrow"),
    "chosen rows": (lambda folder: change_state(folder, lambda _, state: state.update(_indices_files=[{"a": "i"}])),
                    r"_indices_files: only some of the rows are meant"),
    "copied": (lambda folder: shutil.copy(folder / "data-00000-of-00002.arrow", folder / "data-00001-of-00002.arrow"),
               r"data-00001-of-00002\.arrow: has the same content as 'data-00000-of-00002\.arrow'\. Keep the files of"),
    "no list": (lambda folder: (folder / "state.json").write_text("{}"), r"_data_files: expected a list of"),
    "no JSON": (lambda folder: (folder / "state.json").write_text("{"), r"state\.json:1: not JSON"),
    "a pipe": (lambda folder: [(folder / "state.json").unlink(), pipe(folder / "state.json")],
               r"state\.json: is a named pipe, not a file"),
}  # fmt: skip


@pytest.mark.parametrize("case", STATES)
def test_arrow_folders_that_are_not_whole_are_refused(tmp_path, case):
    spoil, message = STATES[case]
    spoil(save(tmp_path, range(4)))
    root = DataRoot(tmp_path)
    assert root.languages(XNLI, Split.DEV) == ("de",)
    for read in (root.load, root.fingerprint):
        with pytest.raises(DataError, match=message):
            read(XNLI, Split.DEV, "de")
    assert [str(problem) for problem in root.inspect(XNLI, Split.DEV, "de").problems]


def test_parquet_files_with_one_content_are_refused_unless_they_have_no_rows(tmp_path):
    save(tmp_path, range(4), "saved", shards=1)
    table = datasets.load_from_disk(str(tmp_path / "saved"))
    folder = tmp_path / FOLDER
    for part in range(3):
        table.select(range(2 * part, min(2 * part + 2, 4)) if part < 2 else []).to_parquet(
            folder / f"validation-0000{part}-of-00004.parquet"
        )
    shutil.copy(folder / "validation-00002-of-00004.parquet", folder / "validation-00003-of-00004.parquet")
    assert len(DataRoot(tmp_path).load(XNLI, Split.DEV, "de")) == 4
    shutil.copy(folder / "validation-00000-of-00004.parquet", folder / "validation-00001-of-00004.parquet")
    with pytest.raises(DataError, match=r"00001-of-00004\.parquet: has the same content as 'validation-00000-of-00004"):
        DataRoot(tmp_path).load(XNLI, Split.DEV, "de")


def test_treebanks_with_one_content_are_refused(tmp_path):
    for name in ("UD_German-A/de_a", "UD_German-B/de_b"):
        path = tmp_path / f"ud/{name}-ud-dev.conllu"
        path.parent.mkdir(parents=True)
        path.write_text("1\tJa\tja\tINTJ\t_\t_\t0\troot\t_\t_\n\n")
    with pytest.raises(DataError, match=r"de_b-ud-dev\.conllu: has the same content as 'de_a-ud-dev\.conllu'"):
        DataRoot(tmp_path).load(get_task("udpos"), Split.DEV, "de")


def own(root, language="de"):
    rows = [PairExample("0", "a", "b", 0), PairExample("1", "c", "d", 1)]
    return write_split(root, XNLI, Split.DEV, language, rows, XNLI.labels)


def test_own_folders_hold_one_arrow_file(tmp_path):
    folder = own(tmp_path)
    (folder / "cache-0123.arrow").write_bytes(b"left by datasets")
    assert len(DataRoot(tmp_path).load(XNLI, Split.DEV, "de")) == 2
    save(tmp_path, range(4), "xnli/arrow/dev/de", shards=2)
    message = r"expected 'data-00000-of-00001\.arrow' as the only Arrow file .* found 'data-00000-of-00002\.arrow' and"
    with pytest.raises(DataError, match=message):
        DataRoot(tmp_path).load(XNLI, Split.DEV, "de")


def test_rows_that_an_interrupted_save_has_moved_away_are_not_passed_over(tmp_path):
    own(tmp_path)
    folder = own(tmp_path)
    folder.rename(folder.with_name("de.old"))
    (tmp_path / "xnli/dev-de.tsv").write_text("other\trows\tneutral\n")
    root = DataRoot(tmp_path)
    assert root.languages(XNLI, Split.DEV) == ("de",)
    with pytest.raises(DataError, match=r"a save was interrupted: .* are in 'de\.old'\. Rename 'de\.old' to 'de'"):
        root.load(XNLI, Split.DEV, "de")


def test_one_side_of_an_own_bitext_is_not_enough(tmp_path):
    bitext = Bitext("de", (Sentence("0", "a"),), (Sentence("0", "b"),), frozenset({("0", "0")}))
    folder = write_split(tmp_path, get_task("tatoeba"), Split.TEST, "de", bitext, ())
    (folder / "english/data-00000-of-00001.arrow").unlink()
    with pytest.raises(DataError, match=r"english: expected 'data-00000-of-00001\.arrow' .*, found nothing"):
        DataRoot(tmp_path).load(get_task("tatoeba"), Split.TEST, "de")


def test_one_treebank_in_two_folders_is_refused(data_root):
    line = "1\tJa\t_\tINTJ\t_\t_\t0\t_\t_\t_\n\n"
    root = data_root({"ud/UD_A/de_a-ud-dev.conllu": line, "ud/UD_A-old/de_a-ud-dev.conllu": line})
    with pytest.raises(DataError, match=r"UD_A-old/de_a-ud-dev\.conllu: lies in UD_A too\. Keep one of the two"):
        root.load(get_task("udpos"), Split.DEV, "de")


def test_fetched_names_are_one_whole_set():
    with pytest.raises(DataError, match=r"o/n at commit c: 1 of 2 files are missing: train-00001-of-00002\.parquet"):
        matching_names("de/train-*.parquet", ("de/train-00000-of-00002.parquet", "README.md"), "o/n at commit c")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("run-missing", "mnli: 1 of 2 files are missing: train-00001-of-00002.parquet."),
        (
            "run-stale",
            "mnli: 'train-00000-of-00001.parquet' and 'train-00000-of-00002.parquet' belong",
        ),
    ],
)
def test_shared_cases_of_shards_are_refused(shared_root, capsys, folder, message):
    root = shared_root / "cases/31-hub" / folder
    assert main(["data", "check", str(root), "mnli"]) == 2
    assert message in capsys.readouterr().err
