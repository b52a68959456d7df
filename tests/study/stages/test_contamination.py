import json
from pathlib import Path

import pytest

from adaptstilts.cli.main import main
from adaptstilts.errors import DataError
from adaptstilts.mini.write import write_mini
from adaptstilts.study.layout import DATA_FOLDER
from adaptstilts.study.plan.jobs import DataJob
from adaptstilts.study.stages.contamination import FOLDER, data_roots, find_overlaps, look_for_overlaps
from adaptstilts.study.study import Study

STUDY = """\
name: overlaps
backbone: mini
methods: [direct, full]
store: {folder}/store
results: {folder}/results
data: {{root: {root}}}
intermediate: {{tasks: [mnli]}}
target: {{tasks: [xnli, tydiqa]}}
"""
PREMISE = "The library opened early in the morning."
RIVER = "Nobody knew where the river ended."


def nli(first: str, second: str, number: int = 0) -> str:
    row = {"gold_label": "neutral", "sentence1": first, "sentence2": second, "pairID": str(number)}
    return json.dumps(row) + "\n"


def questions(*rows: tuple[str, str, str]) -> str:
    """SQuAD's JSON; a row is id, context, question, and the answer is the first letter."""
    paragraphs = [
        {"context": context, "qas": [{"id": name, "question": question, "answers": [
            {"text": context[0], "answer_start": 0}]}]}
        for name, context, question in rows
    ]  # fmt: skip
    return json.dumps({"data": [{"paragraphs": paragraphs}]}, ensure_ascii=False)


ENGLISH = [
    (f"english-{number}-0", f"Chapter {number} says that the king left at noon.", f"What does chapter {number} say?")
    for number in range(12)
]
FILES = {
    "mnli/multinli_1.0_train.jsonl": nli(PREMISE, "It was open by nine o'clock.")
    + nli("The farmer followed it for nine days.", RIVER)
    + nli("Somebody else wrote this sentence.", "He did."),
    "mnli/multinli_1.0_dev_matched.jsonl": nli("A doctor slept on the night train.", "He slept."),
    "xnli/test-en.tsv": f"{PREMISE}\tIt was open by nine o'clock.\tneutral\r\n"
    f"{PREMISE}\tIt was closed on Sundays.\tneutral\r\n"
    f"The river ends somewhere in the north.\t{RIVER}\tentailment\r\n"
    "A doctor slept on the night train.\tShe slept.\tentailment\r\n",
    "xnli/test-de.tsv": "Es regnet.\tEs ist nass.\tneutral\r\n" * 4,
    "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json": questions(*ENGLISH),
    "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.en.dev.json": questions(
        ("english-0-1", "chapter 3 says that the king left at noon", "Who left at noon in chapter 3?"),
        ("english-1-1", "Nothing else is said about kings anywhere.", "What is said about kings?"),
    ),
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.format(folder=tmp_path, root=tmp_path / "data"), encoding="utf-8")
    return path


def find(config: Path, *overrides: str):
    study = Study.load(config, overrides)
    (root,) = data_roots(study.config.data, study.plan, study.store)
    return None if root is None else find_overlaps(study.plan.report.compared[0], root, study.store)


def mix_languages(config: Path) -> Path:
    path = config.parent / "data/tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json"
    rows = [*ENGLISH, ("finnish-1-0", "Kuningas lähti.", "Kuka lähti?"), ("telugu-1-0", "రాజు వెళ్ళాడు.", "ఎవరు?")]
    path.write_text(questions(*rows), encoding="utf-8")
    return path


def test_pairs_of_training_and_scored_sets_are_counted(config):
    found = find(config)
    assert sorted(found.leaks) == ["mnli", "tydiqa"]
    assert not found.leaking
    counts = {
        (pair.training, pair.training_split, pair.target, pair.target_split): (
            pair.overlap.rows,
            pair.overlap.same_rows,
            pair.overlap.same_passages,
            pair.overlap.same_questions,
        )
        for pair in found.pairs
    }
    assert counts == {
        ("mnli", "train", "xnli", "test"): (4, 1, 2, 2),
        ("mnli", "dev", "xnli", "test"): (4, 0, 1, 0),
        ("tydiqa", "train", "xnli", "test"): (4, 0, 0, 0),
        ("tydiqa", "dev", "xnli", "test"): (4, 0, 0, 0),
        ("mnli", "train", "tydiqa", "dev"): (2, 0, 0, 0),
        ("mnli", "dev", "tydiqa", "dev"): (2, 0, 0, 0),
        ("tydiqa", "train", "tydiqa", "dev"): (2, 0, 1, 0),
    }
    assert found.summary() == (
        "leaks and overlaps: no other language in 2 English training sets; shared rows in 1 of 7 pairs of sets, most "
        "of all xnli (test) with mnli (train): 1 of 4"
    )


def test_findings_are_remembered_by_content(config):
    first = find(config)
    folder = config.parent / "store" / FOLDER
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(stamps) == 2 + 7
    assert find(config) == first
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps
    path = config.parent / "data/xnli/test-en.tsv"
    path.write_bytes(path.read_bytes() + b"A new row that is long enough.\tIt is.\tneutral\r\n")
    assert find(config).pairs[0].overlap.rows == 5
    assert len(list(folder.iterdir())) == len(stamps) + 4


def test_what_is_remembered_is_what_is_told(config):
    find(config)
    for path in (config.parent / "store" / FOLDER).glob("pair-*"):
        path.write_text('{"rows": 9, "same_rows": 8, "same_passages": 7, "same_questions": 6}', encoding="utf-8")
    assert {pair.overlap.rows for pair in find(config).pairs} == {9}


def test_damaged_memory_is_found_anew(config):
    first = find(config)
    for path in (config.parent / "store" / FOLDER).iterdir():
        path.write_text("{", encoding="utf-8")
    assert find(config) == first


def test_findings_are_found_where_nothing_can_be_written(config):
    first = find(config)
    store = config.parent / "another"
    store.mkdir()
    (store / FOLDER).write_text("no folder", encoding="utf-8")
    assert find(config, f"store={store}") == first


def test_findings_change_no_key_of_a_stage(config):
    before = [stage.key for stage in Study.load(config).plan.stages]
    find(config)
    assert [stage.key for stage in Study.load(config, ["data.leaks=report"]).plan.stages] == before


def test_leak_of_other_languages_ends_validation_and_names_the_file(config, capsys):
    path = mix_languages(config)
    assert main(["validate", str(config)]) == 2
    problem = capsys.readouterr().err.splitlines()[-1]
    assert problem.startswith(f"{path}: 2 of 14 rows of this English training set are in other languages")
    assert "(by id: finnish 1, telugu 1); the first has id 'finnish-1-0'" in problem
    assert "data.leaks=report" in problem


def test_leak_ends_a_run_before_anything_is_trained(config, capsys):
    mix_languages(config)
    assert main(["run", str(config)]) == 2
    assert "are in other languages" in capsys.readouterr().err
    assert not (config.parent / "store/train").exists()


def test_leak_is_only_told_when_the_study_says_so(config, capsys):
    mix_languages(config)
    assert main(["validate", str(config), "data.leaks=report"]) == 0
    said = capsys.readouterr()
    assert "other languages in the English training sets of tydiqa" in said.err
    assert "fine" in said.out


def test_look_collects_the_leaks_of_all_training_sets(config):
    mix_languages(config)
    path = config.parent / "data/mnli/multinli_1.0_train.jsonl"
    path.write_text("".join(nli("Король уехал в полдень.", "Он уехал.", row) for row in range(5)), encoding="utf-8")
    study = Study.load(config)
    said: list[str] = []
    with pytest.raises(
        Exception, match=r"(?s)multinli_1\.0_train\.jsonl: 5 of 5 rows.*cyrillic 5.*tydiqa\.goldp\.en"
    ) as caught:
        look_for_overlaps(study.variants, study.plan, study.store, said.append)
    assert len(caught.value.problems) == 2
    assert all(isinstance(problem, DataError) for problem in caught.value.problems)
    assert len(said) == 1


def test_mini_world_is_looked_at_once_it_is_there(tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text(STUDY.format(folder=tmp_path, root="mini"), encoding="utf-8")
    sizes = ("data.mini_train=64", "data.mini_evaluation=10", "data.mini_low_resource=16")
    study = Study.load(config, sizes)
    plan, store = study.plan, study.store
    assert look_for_overlaps(study.variants, plan, store, pytest.fail) is None
    stage = next(stage for stage in plan.stages if isinstance(stage.job, DataJob))
    with store.writing(stage, {}) as folder:
        write_mini(folder / DATA_FOLDER, seed=1, train=64, evaluation=10, low_resource=16)
    found = look_for_overlaps(study.variants, plan, store, lambda line: None)
    assert found is not None
    assert sorted(found.leaks) == ["mnli", "tydiqa"]
    assert not found.leaking
    assert {leak.foreign_rows for leak in found.leaks.values()} == {0}
    assert {pair.target for pair in found.pairs} == {"xnli", "tydiqa"}


def test_plan_from_official_sizes_has_no_data_to_look_at(config):
    assert find(config, "data.root=official") is None


def test_retrieval_is_compared_by_its_english_side(config):
    folder = config.parent / "data/tatoeba"
    folder.mkdir()
    for code, foreign in (("deu", "Niemand wusste es."), ("fra", "Personne ne savait.")):
        (folder / f"tatoeba.{code}-eng.{code}").write_text(f"{foreign}\n", encoding="utf-8")
        (folder / f"tatoeba.{code}-eng.eng").write_text(f"{RIVER}\n", encoding="utf-8")
    pair = find(config, "target.tasks=[tatoeba]").pairs[0]
    assert (pair.training, pair.target, pair.overlap.rows, pair.overlap.same_passages) == ("mnli", "tatoeba", 2, 2)


def test_slices_share_no_rows_but_those_their_makers_carved_out(shared_root, tmp_path):
    config = tmp_path / "study.yaml"
    config.write_text(STUDY.format(folder=tmp_path, root=shared_root / "data"), encoding="utf-8")
    found = find(config, "intermediate.tasks=[mnli,squad1,squad2]", "target.tasks=[xnli,xquad,mlqa,pawsx]")
    assert not found.leaking
    shared = {(pair.training, pair.target): pair.overlap.same_rows for pair in found.pairs if pair.overlap.same_rows}
    # PAWS-X's English training set is a part of its dev set; SQuAD's dev set lacks XQuAD's paragraphs there.
    assert shared == {("pawsx", "pawsx"): 3}
