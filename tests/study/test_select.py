"""Which setting a submission is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from repository import CONFIGS

from adaptstilts.config.load import load_study
from adaptstilts.errors import ConfigError, EvaluationError, StoreError
from adaptstilts.store.artefact import Artefact
from adaptstilts.study.plan.data_facts import facts_for
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.study.plan.plan import Plan, make_plan
from adaptstilts.study.select import Wanted, choose_cells, setting_text

QUICKSTART = CONFIGS / "quickstart.yaml"
SMALL = ["intermediate.tasks=[mnli, squad1]", "target.tasks=[xnli, udpos, tatoeba]", "methods=[direct, stack]"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """direct, and stack over two tasks, on two targets with training and one without."""
    config, _ = load_study(QUICKSTART, [*SMALL, "fusion.retrieval=average"])
    facts, job = facts_for(config.data, config.evaluation.languages)
    return make_plan(config, facts, BackboneRef("somewhere", None, "f" * 64), job)


def finished(plan: Plan, folder: Path, scores: dict[tuple[str, str], float | None]) -> dict[str, Artefact]:
    """Training artefacts with the English dev scores of (source, target)."""
    done = {}
    for cell in plan.cells:
        if cell.train is not None and (cell.source, cell.target) in scores:
            place = folder / cell.train
            place.mkdir()
            record = {"best_dev": scores[cell.source, cell.target]}
            (place / "training.json").write_text(json.dumps(record), encoding="utf-8")
            done[cell.train] = Artefact(place, {})
    return done


def chosen(plan: Plan, done: dict[str, Artefact], wanted: Wanted) -> dict[str, str]:
    return {target: cell.source or cell.method for target, cell in choose_cells(plan, done, wanted).items()}


def test_named_setting_is_taken_for_every_target(plan: Plan):
    assert chosen(plan, {}, Wanted("stack", "mnli")) == dict.fromkeys(("xnli", "udpos", "tatoeba"), "mnli")
    assert chosen(plan, {}, Wanted(source="none")) == dict.fromkeys(("xnli", "udpos", "tatoeba"), "direct")


@pytest.mark.parametrize(
    ("wanted", "count"), [(Wanted(), 3), (Wanted("stack"), 2), (Wanted(seed=1), 3)], ids=["any", "method", "seed"]
)
def test_several_settings_are_refused_and_listed(plan: Plan, wanted: Wanted, count: int):
    message = rf"^{count} settings match, .*\(method='stack', source='squad1', seed=1\)\. Name one .*--best\)\."
    with pytest.raises(ConfigError, match=message):
        choose_cells(plan, {}, wanted)


def test_setting_that_the_study_lacks_is_refused(plan: Plan):
    with pytest.raises(ConfigError, match=r"^method: 'fuse' is not a method of this study\. Allowed: direct, stack"):
        choose_cells(plan, {}, Wanted("fuse"))
    with pytest.raises(ConfigError, match=r"^source: this study has no setting with method='direct' and source='mnli'"):
        choose_cells(plan, {}, Wanted("direct", "mnli"))


def test_best_is_chosen_per_target_by_english_dev_and_retrieval_by_their_mean(plan: Plan, tmp_path: Path):
    scores: dict[tuple[str, str], float | None] = {
        ("", "xnli"): 70.0, ("mnli", "xnli"): 75.0, ("squad1", "xnli"): 74.0,
        ("", "udpos"): 80.0, ("mnli", "udpos"): 81.0, ("squad1", "udpos"): 83.0,
    }  # fmt: skip
    done = finished(plan, tmp_path, scores)
    # Means: direct 75, mnli 78, squad1 78.5.
    assert chosen(plan, done, Wanted(best=True)) == {"xnli": "mnli", "udpos": "squad1", "tatoeba": "squad1"}
    assert chosen(plan, done, Wanted(best=True, source="mnli")) == dict.fromkeys(("xnli", "udpos", "tatoeba"), "mnli")


def test_best_takes_the_first_of_equal_settings_and_leaves_out_those_without_score(plan: Plan, tmp_path: Path):
    scores = {("", "xnli"): 70.0, ("mnli", "xnli"): 70.0, ("squad1", "xnli"): None, ("", "udpos"): 1.0}
    assert chosen(plan, finished(plan, tmp_path, scores), Wanted(best=True)) == dict.fromkeys(
        ("xnli", "udpos", "tatoeba"), "direct"
    )


def test_best_is_refused_for_retrieval_when_no_setting_has_all_dev_scores(plan: Plan, tmp_path: Path):
    done = finished(plan, tmp_path, {("", "xnli"): 70.0, ("mnli", "udpos"): 70.0})
    with pytest.raises(EvaluationError, match=r"no setting has an English dev score on every target.*best for tatoeba"):
        choose_cells(plan, done, Wanted(best=True))


def test_best_is_refused_when_nothing_is_trained(plan: Plan):
    with pytest.raises(StoreError, match=r"no finished run has an English dev score\. Name a setting"):
        choose_cells(plan, {}, Wanted(best=True))


def test_setting_text_gives_the_flags_that_choose_it(plan: Plan):
    assert setting_text(plan.cells[0]) == "--method direct --source none --seed 1"
