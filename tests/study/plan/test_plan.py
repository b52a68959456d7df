from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from repository import CONFIGS

from adaptstilts.config.load import load_study
from adaptstilts.errors import ConfigError, DataError, ProblemsError
from adaptstilts.store.stage import StageKind, describe, make_stage
from adaptstilts.study.plan.data_facts import MINI_LANGUAGES, facts_for
from adaptstilts.study.plan.jobs import BackboneRef, TrainJob
from adaptstilts.study.plan.plan import make_plan
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, declared

BACKBONE = BackboneRef("somewhere", None, "f" * 64)


def plan_of(name, overrides=(), backbone=BACKBONE):
    config, _ = load_study(CONFIGS / name, overrides)
    facts, job = facts_for(config.data, config.evaluation.languages, config.evaluation.benchmark)
    return make_plan(config, facts, backbone, job)


def training(plan):
    return [stage for stage in plan.stages if isinstance(stage.job, TrainJob)]


def test_plan_trains_each_intermediate_adapter_once_whatever_uses_it():
    plan = plan_of("mini_all.yaml")
    sources = Counter(key for stage in training(plan) for key in {source.key for source in stage.job.sources})
    adapters = [stage for stage in training(plan) if stage.job.method == "adapter" and stage.key in sources]
    assert sorted(stage.job.task for stage in adapters) == sorted(
        ["anli", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"]
    )
    # Six training sets of targets (squad1 serves xquad and mlqa): stack and continue on each, and every fusion.
    assert {sources[stage.key] for stage in adapters} == {6 * 2 + 6}


def test_plan_puts_every_stage_after_its_inputs_and_names_each_once():
    plan = plan_of("mini_all.yaml")
    seen = set()
    for stage in plan.stages:
        assert set(stage.inputs) <= seen
        seen.add(stage.key)
    assert len(seen) == len(plan.stages)
    assert len({stage.name for stage in plan.stages}) == len(plan.stages)


def test_plan_has_a_cell_for_every_method_source_and_target():
    plan = plan_of("mini_all.yaml")
    counts = Counter(cell.method for cell in plan.cells)
    assert counts == {"direct": 9, "full": 81, "adapter": 9, "stack": 81, "continue": 81, "fuse": 9}


def test_plan_trains_xquad_and_mlqa_once():
    plan = plan_of("mini_all.yaml", ["methods=[direct]"])
    cells = {cell.target: cell for cell in plan.cells}
    assert cells["xquad"].train == cells["mlqa"].train
    assert cells["xquad"].predict != cells["mlqa"].predict


def test_plan_recognises_the_intermediate_run_as_the_direct_run_when_settings_agree():
    plan = plan_of("mini_all.yaml", ["methods=[direct, full]"])
    mnli = [stage for stage in training(plan) if stage.job.task == "mnli" and stage.job.method == "direct"]
    assert len(mnli) == 1
    plan = plan_of("mini_all.yaml", ["methods=[direct, full]", "target.full.epochs=9"])
    mnli = [stage for stage in training(plan) if stage.job.task == "mnli" and stage.job.method == "direct"]
    assert len(mnli) == 2


def keys_of(plan, *, report=True):
    return [stage.key for stage in plan.stages if report or stage.kind is not StageKind.REPORT]


IDLE = [
    "name=renamed",
    "store=y",
    "results=z",
    "evaluation.batch_tokens=999",
    "workers=4",
    "threads=2",
    "device=cpu",
    "data.leaks=report",
]
"""What decides no result."""


def test_keys_do_not_depend_on_names_or_places():
    one = plan_of("mini_all.yaml")
    moved = BackboneRef("elsewhere", None, BACKBONE.fingerprint)
    other = plan_of("mini_all.yaml", IDLE, moved)
    assert keys_of(one) == keys_of(other)


def test_title_decides_the_report_and_nothing_else():
    one, other = plan_of("quickstart.yaml"), plan_of("quickstart.yaml", ["title=Another"])
    assert keys_of(one, report=False) == keys_of(other, report=False)
    assert one.stages[-1].key != other.stages[-1].key


@pytest.mark.parametrize(
    "override",
    ["seeds=[2]", "data.mini_seed=2", "data.mini_train=99"],
)
def test_keys_of_training_depend_on_what_decides_it(override):
    one = {stage.key for stage in training(plan_of("quickstart.yaml"))}
    other = {stage.key for stage in training(plan_of("quickstart.yaml", [override]))}
    assert not one & other


def test_key_depends_on_the_backbone():
    one = {stage.key for stage in plan_of("quickstart.yaml").stages if stage.kind is not StageKind.DATA}
    other = plan_of("quickstart.yaml", backbone=BackboneRef("somewhere", None, "e" * 64))
    assert not one & {stage.key for stage in other.stages}


def test_benchmark_decides_the_official_languages_and_nothing_else():
    xtreme = plan_of("xtreme_xlmr_large.yaml", ["methods=[direct]"])
    extended = plan_of("xtreme_xlmr_large.yaml", ["methods=[direct]", "evaluation.benchmark=xtreme_r"])
    counts = Counter(stage.job.task for stage in extended.stages if stage.kind is StageKind.PREDICT)
    assert counts == {"xnli": 15, "pawsx": 7, "udpos": 38, "panx": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9,
                      "bucc2018": 4, "tatoeba": 36}  # fmt: skip
    assert [stage.key for stage in training(xtreme)] == [stage.key for stage in training(extended)]


CAUSES = ["data.root=official", "target.tasks=[xcopa]", "intermediate.tasks=[mnli, hellaswag]", "fusion.tasks=[]"]


def test_every_method_trains_on_siqa_and_goes_on_with_the_same_weights_on_copa():
    plan = plan_of("quickstart.yaml", CAUSES)
    cells = {(cell.method, cell.source): cell for cell in plan.cells}
    assert len(cells) == 9
    for cell in cells.values():
        last = plan.stage(cell.train)
        first = plan.stage(last.job.after.key)
        assert (first.job.task, last.job.task, last.job.after.task) == ("siqa", "copa", "siqa")
        assert first.job.after is None
        assert first.key in last.inputs
        for name in ("method", "sources", "seed", "adapter", "fusion"):
            assert getattr(first.job, name) == getattr(last.job, name)
        assert not last.job.reuse_head
    # A head for choices goes on as a head for choices, as between any equal label sets.
    assert plan.stage(plan.stage(cells["full", "hellaswag"].train).job.after.key).job.reuse_head
    names = {stage.name for stage in training(plan)}
    assert "train stack: mnli > siqa > copa, seed 1" in names
    assert len(training(plan)) == 2 * 9 + 4


def test_tatoeba_of_xtreme_r_shares_the_training_of_xquad_and_names_it():
    plan = plan_of("quickstart.yaml", ["data.root=official", "target.tasks=[xquad, tatoeba, tatoeba_r]"])
    cells = {(cell.target, cell.method, cell.source): cell for cell in plan.cells}
    for (target, method, source), cell in cells.items():
        if target != "tatoeba_r":
            continue
        assert cell.train == cells["xquad", method, source].train
        assert cell.note == "encoder trained on squad1; retrieval preset xtreme-paper"
        assert len(cell.predict) == 41
        (retrieval,) = {plan.stage(key).job.retrieval for key in cells["tatoeba", method, source].predict}
        for job in (plan.stage(key).job for key in cell.predict):
            assert (job.trained, job.trained_task, len(job.languages)) == (cell.train, "squad1", 1)
            assert job.retrieval == retrieval
            assert job.max_length == 512
    assert len({cell.predict for key, cell in cells.items() if key[0] == "tatoeba_r"}) == len(cells) // 3


def test_siqa_run_is_shared_when_copa_is_trained_otherwise():
    one = {stage.key: stage for stage in training(plan_of("quickstart.yaml", CAUSES))}
    other = {
        stage.key: stage for stage in training(plan_of("quickstart.yaml", [*CAUSES, "target.overrides.copa.epochs=9"]))
    }
    assert {stage.job.task for key, stage in one.items() if key in other} == {"mnli", "hellaswag", "siqa"}
    assert {stage.job.task for key, stage in other.items() if key not in one} == {"copa"}


def test_keys_of_runs_without_an_earlier_one_do_not_depend_on_there_being_such_a_thing():
    job = training(plan_of("quickstart.yaml"))[0].job
    assert job.after is None
    assert "after" not in describe(job)


def test_mini_world_says_so_when_it_has_no_such_target():
    with pytest.raises(DataError, match=r"target\.tasks: the mini world has no xcopa\. Allowed: xnli.*Set data\.root"):
        plan_of("quickstart.yaml", ["target.tasks=[xcopa]"])


SUMMARIES = {StageKind.ANALYSE, StageKind.REPORT}


def new_stages(before, after):
    """The stages that a plan has over another; all of that one but its tables and its report are in it."""
    old, kept = {stage.key for stage in before.stages}, {stage.key for stage in after.stages}
    assert {stage.kind for stage in before.stages if stage.key not in kept} == SUMMARIES
    new = [stage for stage in after.stages if stage.key not in old]
    assert {stage.kind for stage in new[-2:]} == SUMMARIES
    return new[:-2]


def test_adding_a_target_adds_only_its_own_stages():
    targets = ["xnli", "panx", "tydiqa", "tatoeba"]
    before = plan_of("quickstart.yaml", [f"target.tasks={targets}"])
    after = plan_of("quickstart.yaml", [f"target.tasks={[*targets, 'udpos']}"])
    assert all(stage.job.task == "udpos" for stage in new_stages(before, after))


def test_adding_a_ninth_target_to_nine_tasks_and_eight_targets_plans_its_stages_alone():
    targets = ["xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "bucc2018", "tatoeba"]
    before = plan_of("mini_all.yaml", [f"target.tasks={targets}"])
    new = new_stages(before, plan_of("mini_all.yaml", [f"target.tasks={[*targets, 'tydiqa']}"]))
    sources = ["anli", "mnli", "qqp", "squad2", "squad1", "hellaswag", "ccg", "cosmosqa", "commonsenseqa"]
    settings = ["direct: ", "adapter: ", "fuse: 9-tasks > "]
    settings += [f"{method}: {source} > " for method in ("full", "stack", "continue") for source in sources]
    expected = {f"train {setting}tydiqa, seed 1" for setting in settings}
    expected |= {
        f"{verb} {setting}tydiqa {code}, seed 1"
        for setting in settings
        for verb in ("predict", "score")
        for code in MINI_LANGUAGES
    }
    assert {stage.name for stage in new} == expected
    assert len(new) == len(expected) == 30 * (1 + 2 * 8)


def test_adding_a_language_adds_only_its_predictions_and_scores():
    codes = [code for code in MINI_LANGUAGES if code != "sw"]
    before = plan_of("mini_all.yaml", [f"evaluation.languages={codes}"])
    new = new_stages(before, plan_of("mini_all.yaml"))
    assert {stage.kind for stage in new} == {StageKind.PREDICT, StageKind.SCORE}
    assert all(" sw, seed 1" in stage.name and stage.slug.endswith("-sw") for stage in new)
    # 30 settings of 7 targets with training; of retrieval, adapter is direct and continue is stack: 20 of 2 targets.
    assert len(new) == 2 * (30 * 7 + 20 * 2)


def test_dropping_english_changes_no_training():
    one, other = plan_of("mini_all.yaml"), plan_of("mini_all.yaml", ["evaluation.languages=[de]"])
    assert [stage.key for stage in training(one)] == [stage.key for stage in training(other)]


def test_dual_encoders_and_fitted_layers_are_predicted_in_all_languages_at_once():
    plan = plan_of("xtreme_r_xlmr_large.yaml", ["methods=[direct]", "target.tasks=[lareqa, mewslix, xnli]"])
    languages = {cell.target: [len(plan.stage(key).job.languages) for key in cell.predict] for cell in plan.cells}
    assert languages == {"lareqa": [11], "mewslix": [11], "xnli": [1] * 15}
    plan = plan_of("quickstart.yaml", [*RETRIEVAL, "retrieval.overrides.bucc2018.layer=dev"])
    languages = {cell.target: [len(plan.stage(key).job.languages) for key in cell.predict] for cell in plan.cells}
    assert languages == {"bucc2018": [7], "tatoeba": [1] * 7}


def test_predictions_of_a_network_follow_each_other():
    plan = plan_of("mini_all.yaml", ["target.tasks=[tatoeba, xquad, xnli, mlqa, bucc2018]"])
    networks = [(stage.job.method, stage.inputs) for stage in plan.stages if stage.kind is StageKind.PREDICT]
    changes = sum(one != other for one, other in pairwise(networks)) + 1
    assert changes == len(set(networks))
    trained = {plan.stage(key).job.task for _, inputs in networks for key in inputs[-1:] if key != inputs[0]}
    assert trained >= {"squad1", "mnli"}


def test_each_language_has_a_score_of_its_own():
    plan = plan_of("quickstart.yaml")
    for cell in plan.cells:
        assert [plan.stage(key).job.predictions for key in cell.score] == list(cell.predict)


def test_tables_need_every_run_and_score_and_the_report_needs_the_tables():
    plan = plan_of("quickstart.yaml", ["target.tasks=[xnli, tatoeba]"])
    tables, report = plan.stages[-2:]
    wanted = {
        stage.key
        for stage in plan.stages[:-2]
        if stage.kind in {StageKind.TRAIN, StageKind.SCORE}
        or (stage.kind is StageKind.PREDICT and stage.job.task == "tatoeba")
    }
    assert set(tables.inputs) == wanted
    assert report.inputs == (plan.stages[0].key, tables.key)


@pytest.mark.parametrize("override", ["evaluation.benchmark=xtreme_r", "retrieval.preset=jiant", "methods=[direct]"])
def test_tables_are_made_anew_when_what_they_say_changes(override):
    one, other = plan_of("quickstart.yaml"), plan_of("quickstart.yaml", [override])
    assert one.stages[-2].key != other.stages[-2].key
    assert one.stages[-1].key != other.stages[-1].key


@pytest.mark.parametrize("name", ["mini_all", "quickstart", "xtreme_xlmr_large", "xtreme_r_xlmr_large"])
def test_keys_that_are_made_fast_are_those_of_the_definition(name):
    plan = plan_of(f"{name}.yaml", ["evaluation.submission=true"])
    assert len(plan.stages) > 500
    for stage in plan.stages:
        assert make_stage(stage.name, stage.slug, stage.job, stage.inputs) == stage


def test_squad_as_an_intermediate_task_is_the_direct_run_of_question_answering():
    plan = plan_of(
        "mini_all.yaml", ["methods=[direct, full]", "target.tasks=[xquad, mlqa]", "intermediate.tasks=[squad1]"]
    )
    runs = [stage for stage in training(plan) if stage.job.method == "direct"]
    assert [stage.job.task for stage in runs] == ["squad1"]
    direct = {cell.target: cell.train for cell in plan.cells if cell.method == "direct"}
    assert direct == dict.fromkeys(("xquad", "mlqa"), runs[0].key)
    (full,) = {cell.train for cell in plan.cells if cell.method == "full"}
    assert plan.stage(full).job.sources[0].key == runs[0].key


@pytest.mark.parametrize(
    "override",
    [
        "retrieval.layer=3",
        "evaluation.precision=fp32",
        "data.max_evaluation=9",
        "fusion.retrieval=mnli",
        "evaluation.benchmark=xtreme_r",
    ],
)
def test_evaluation_settings_change_no_training_of_a_target(override):
    one = {stage.key for stage in training(plan_of("quickstart.yaml"))}
    assert one <= {stage.key for stage in training(plan_of("quickstart.yaml", [override]))}


def test_regularisation_has_no_effect_on_a_static_fusion():
    one = plan_of("quickstart.yaml", ["fusion.kind=static"])
    other = plan_of("quickstart.yaml", ["fusion.kind=static", "fusion.regularisation=0.5"])
    assert keys_of(one) == keys_of(other)
    assert keys_of(plan_of("quickstart.yaml")) != keys_of(plan_of("quickstart.yaml", ["fusion.regularisation=0.5"]))


def test_retrieval_targets_have_no_training_and_say_so():
    plan = plan_of("quickstart.yaml")
    cells = [cell for cell in plan.cells if get_task(cell.target).kind is Kind.RETRIEVE]
    assert cells
    assert all(cell.train is None and "no training data" in cell.note for cell in cells)
    by_method = {cell.method: cell for cell in cells if cell.source in {"", "mnli"}}
    assert by_method["adapter"].predict == by_method["direct"].predict
    assert by_method["stack"].predict == by_method["continue"].predict != by_method["full"].predict


def test_fusion_for_retrieval_can_be_trained_on_a_named_intermediate_task():
    plan = plan_of("quickstart.yaml", ["fusion.retrieval=mnli"])
    (cell,) = [cell for cell in plan.cells if cell.method == "fuse" and cell.target == "tatoeba"]
    assert plan.stage(cell.train).job.task == "mnli"
    assert cell.note == "no training data: fusion trained on mnli; retrieval preset xtreme-paper"


RETRIEVAL = ["target.tasks=[bucc2018, tatoeba]", "methods=[direct]"]


def predictions(*overrides):
    """Keys of the predictions of each retrieval target."""
    plan = plan_of("quickstart.yaml", [*RETRIEVAL, *overrides])
    return {cell.target: set(cell.predict) for cell in plan.cells}


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("retrieval.neighbours=5", {"bucc2018"}),
        ("retrieval.candidates=forward", {"bucc2018"}),
        ("retrieval.duplicates=jiant", {"bucc2018"}),
        ("retrieval.preset=jiant", {"bucc2018"}),
        ("retrieval.preset=xtreme-head", {"bucc2018"}),
        ("retrieval.direction=foreign_to_english", {"tatoeba"}),
        ("retrieval.overrides.tatoeba.margin=ratio", {"tatoeba"}),
        ("retrieval.overrides.bucc2018.layer=dev", {"bucc2018"}),
        ("retrieval.layer=3", {"bucc2018", "tatoeba"}),
        ("retrieval.pooling=cls", {"bucc2018", "tatoeba"}),
        ("retrieval.similarity=l2", {"bucc2018", "tatoeba"}),
        ("retrieval.max_length=64", {"bucc2018", "tatoeba"}),
        ("retrieval.sweep=true", {"bucc2018", "tatoeba"}),
        ("retrieval.similarity=cosine", set()),
        ("retrieval.neighbours=4", set()),
        ("evaluation.batch_tokens=999", set()),
    ],
)
def test_retrieval_settings_change_the_keys_of_the_targets_they_have_an_effect_on(override, changed):
    before, after = predictions(), predictions(override)
    assert {name for name in before if not before[name] & after[name]} == changed
    assert {name for name in before if before[name] != after[name]} == changed


def test_equal_settings_from_two_presets_share_predictions_but_are_named_apart():
    notes = {}
    for preset in ("xtreme-paper", "jiant"):
        plan = plan_of("quickstart.yaml", [*RETRIEVAL, f"retrieval.preset={preset}"])
        notes[preset] = {cell.target: (cell.note, cell.predict) for cell in plan.cells}
    assert notes["jiant"]["tatoeba"][1] == notes["xtreme-paper"]["tatoeba"][1]
    assert notes["jiant"]["tatoeba"][0] == "no training data: the backbone itself; retrieval preset jiant"


def test_note_names_settings_that_differ_from_the_preset():
    plan = plan_of("quickstart.yaml", [*RETRIEVAL, "retrieval.pooling=cls", "retrieval.overrides.bucc2018.layer=dev"])
    notes = {cell.target: cell.note.split("; ")[1] for cell in plan.cells}
    assert notes == {
        "tatoeba": "retrieval preset xtreme-paper but pooling cls",
        "bucc2018": "retrieval preset xtreme-paper but layer dev, pooling cls",
    }


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "retrieval.overrides.xnli.layer=3",
            r"retrieval\.overrides: 'xnli' is not a retrieval task\. Allowed: bucc2018",
        ),
        ("retrieval.overrides.tatoeba.duplicates=jiant", r"overrides\.tatoeba\.duplicates: has no effect on tatoeba"),
        ("retrieval.overrides.bucc2018.direction=foreign_to_english", r"bucc2018\.direction: has no effect"),
        ("retrieval.overrides.tatoeba.neighbours=3", r"neighbours: has no effect on tatoeba without a margin"),
        ("retrieval.layer=dev", r"retrieval\.layer: tatoeba has no dev split .*fit only: .*\.bucc2018\.layer"),
        ("retrieval.overrides.tatoeba.layer=dev", r"retrieval\.overrides\.tatoeba\.layer: tatoeba has no dev split"),
        ("retrieval.preset=paper", r"retrieval\.preset.*xtreme-paper"),
        ("retrieval.layer=last", r"retrieval\.layer: 'last' is not a layer\. Allowed: a whole number from 0 .* dev"),
        ("retrieval.layer=-1", r"retrieval\.layer: -1 is not a layer\. Allowed: a whole number from 0 .* dev"),
    ],
)
def test_plan_refuses_retrieval_settings_that_cannot_be_meant(override, message):
    with pytest.raises((ConfigError, ProblemsError), match=message):
        predictions(override)


def test_head_goes_on_only_between_equal_label_sets():
    plan = plan_of("mini_all.yaml", ["methods=[full]"])
    reused = {(stage.job.sources[0].task, stage.job.task) for stage in training(plan) if stage.job.reuse_head}
    assert reused == {
        ("anli", "mnli"),
        ("mnli", "mnli"),
        ("qqp", "pawsx"),
        *((source, target) for source in ("squad1", "squad2") for target in ("squad1", "tydiqa")),
    }


def test_mini_languages_equal_those_of_the_grammars():
    from adaptstilts.mini.languages.registry import grammars

    assert tuple(grammars()) == MINI_LANGUAGES


def test_dev_rows_are_held_out_where_the_dev_set_is_scored():
    jobs = [stage.job for stage in training(plan_of("mini_all.yaml"))]
    assert {job.task for job in jobs if job.hold_out} == {"tydiqa"}


def test_reader_options_are_part_of_the_keys_of_the_tasks_that_have_them(shared_root):
    root = [f"data.root={shared_root / 'data'}", "methods=[direct]"]
    one = plan_of("slices.yaml", root).stages
    other = {stage.key for stage in plan_of("slices.yaml", [*root, "data.quoting=xtreme"]).stages}
    one = [stage for stage in one if stage.kind not in SUMMARIES]
    assert {stage.job.task for stage in one if stage.key not in other} == {"mnli", "xnli", "pawsx"}
    assert {stage.job.task for stage in one if stage.key in other} >= {"squad1", "tydiqa", "udpos", "tatoeba"}


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("target.tasks=[xnly]", r"target\.tasks: 'xnly' is not a target task\. Did you mean 'xnli'"),
        ("intermediate.tasks=[xnli]", r"'xnli' is not an intermediate task"),
        ("target.tasks=[xnli, xnli]", r"'xnli' is given twice"),
        ("methods=[direct, full, direct]", r"methods: 'direct' is given twice"),
        ("fusion.retrieval=qqp", r"fusion\.retrieval: 'qqp' .*Allowed: average, mnli"),
        ("intermediate.tasks=[]", r"need an intermediate task"),
        ("target.tasks=[]", r"no target task"),
    ],
)
def test_plan_names_key_and_allowed_values_when_tasks_do_not_fit(override, message):
    with pytest.raises((ConfigError, ProblemsError), match=message):
        plan_of("quickstart.yaml", [override])


def test_plan_says_so_when_the_data_folder_is_missing():
    with pytest.raises(DataError, match=r"data\.root: there is no folder 'nowhere'"):
        plan_of("slices.yaml", ["data.root=nowhere"])


def test_names_tell_all_stages_apart_where_settings_of_the_phases_differ():
    plan = plan_of("xtreme_xlmr_large.yaml")
    names = [stage.name for stage in plan.stages]
    assert len(set(names)) == len(names)
    assert "train direct: mnli, seed 1" in names
    assert "train direct: mnli, seed 1, intermediate settings" in names


def test_keys_count_the_declaration_of_each_task():
    jobs = [stage.job for stage in plan_of("mini_all.yaml").stages if hasattr(stage.job, "declared")]
    assert {type(job).__name__ for job in jobs} == {"TrainJob", "PredictJob", "ScoreJob"}
    assert all(job.declared == declared(get_task(job.task)) for job in jobs)
    (job,) = {job for job in jobs if isinstance(job, TrainJob) and job.method == "direct" and job.task == "udpos"}
    assert make_stage("", "", job).key != make_stage("", "", replace(job, declared="0")).key


def test_recomputing_activations_saves_memory_and_changes_no_key():
    both = [
        {stage.key for stage in training(plan_of("mini_all.yaml", [f"target.full.gradient_checkpointing={value}"]))}
        for value in ("true", "false")
    ]
    assert both[0] == both[1]
