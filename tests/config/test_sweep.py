"""Lists in a configuration that make it several studies."""

import pytest

from adaptstilts.config.load import load_study
from adaptstilts.config.schema import StudyConfig
from adaptstilts.config.sweep import can_be_swept, value_text, variants
from adaptstilts.errors import ConfigError, ProblemsError

MINIMAL = "name: demo\nintermediate:\n  tasks: [mnli, qqp]\ntarget:\n  tasks: [xnli]\n"
TWO_BY_TWO = MINIMAL + "adapter: {reduction_factor: [4, 16]}\nsweep: {target.adapter.learning_rate: [1e-3, 5e-4]}\n"


def load(tmp_path, text, overrides=()):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return load_study(path, overrides)[0]


def labels(tmp_path, text, overrides=()):
    return [variant.label for variant in variants(load(tmp_path, text, overrides))]


def test_study_without_lists_is_its_own_only_variant(tmp_path):
    study = load(tmp_path, MINIMAL)
    assert study.sweep == ()
    (variant,) = variants(study)
    assert (variant.label, variant.settings) == ("", ())
    assert variant.config is study


def test_axes_are_crossed_in_the_order_in_which_they_stand(tmp_path):
    assert labels(tmp_path, TWO_BY_TWO) == [
        "reduction_factor=4 learning_rate=1e-3",
        "reduction_factor=4 learning_rate=5e-4",
        "reduction_factor=16 learning_rate=1e-3",
        "reduction_factor=16 learning_rate=5e-4",
    ]


def test_variants_are_the_studies_that_single_values_would_give(tmp_path):
    found = variants(load(tmp_path, TWO_BY_TWO))
    expected = [
        load(tmp_path, MINIMAL, [f"adapter.reduction_factor={factor}", f"target.adapter.learning_rate={rate}"])
        for factor in ("4", "16")
        for rate in ("1e-3", "5e-4")
    ]
    assert [variant.config for variant in found] == expected
    assert found[1].settings == (("reduction_factor", 4.0), ("learning_rate", 5e-4))


def test_swept_study_itself_has_the_values_of_its_first_variant(tmp_path):
    study = load(tmp_path, TWO_BY_TWO)
    assert study.model_copy(update={"sweep": ()}) == variants(study)[0].config


def test_swept_study_is_the_same_after_a_journey_as_json(tmp_path):
    study = load(tmp_path, TWO_BY_TWO.replace("sweep: {", "sweep: {fusion.tasks: [[mnli], [qqp, mnli]], "))
    assert StudyConfig.model_validate_json(study.model_dump_json()) == study
    assert len(variants(study)) == 8


def test_override_with_a_list_is_an_axis_and_one_without_ends_it(tmp_path):
    assert labels(tmp_path, MINIMAL, ["adapter.dropout=[0.0, 0.1]"]) == ["dropout=0", "dropout=0.1"]
    assert labels(tmp_path, TWO_BY_TWO, ["adapter.reduction_factor=8"]) == ["learning_rate=1e-3", "learning_rate=5e-4"]
    assert labels(tmp_path, TWO_BY_TWO, ["sweep.target.adapter.learning_rate=[2e-3]"]) == [
        "reduction_factor=4",
        "reduction_factor=16",
    ]
    assert labels(tmp_path, TWO_BY_TWO, ["sweep={}", "adapter.reduction_factor=[4]"]) == [""]


def test_list_of_mappings_is_one_axis_whose_keys_change_together(tmp_path):
    text = """sweep:
      - {adapter.reduction_factor: 4, target: {adapter: {learning_rate: 1e-3}}}
      - {target.adapter.learning_rate: 5e-4, adapter.reduction_factor: 16}
    """
    assert labels(tmp_path, MINIMAL + text) == [
        "reduction_factor=4 learning_rate=1e-3",
        "reduction_factor=16 learning_rate=5e-4",
    ]
    assert len(labels(tmp_path, MINIMAL + text, ["fusion.kind=[static, dynamic]"])) == 4


def test_section_sweeps_keys_that_hold_lists(tmp_path):
    text = "sweep: {fusion.tasks: [[mnli], [mnli, qqp]], evaluation.languages: [official, [en, de]]}\n"
    found = variants(load(tmp_path, MINIMAL + text))
    assert [variant.label for variant in found][1:3] == [
        "tasks=mnli languages=en+de",
        "tasks=mnli+qqp languages=official",
    ]
    assert found[3].config.fusion.tasks == ("mnli", "qqp")
    assert found[3].config.evaluation.languages == ("en", "de")


def test_lists_where_lists_belong_are_no_axes(tmp_path):
    text = MINIMAL + "seeds: [1, 2]\nmethods: [direct, full]\nevaluation: {languages: [en, de]}\n"
    assert labels(tmp_path, text) == [""]


def test_settings_of_single_tasks_are_axes_too(tmp_path):
    text = "retrieval: {layer: [1, dev], overrides: {tatoeba: {layer: [2, 3]}}}\n"
    found = labels(tmp_path, MINIMAL + text, ["target.overrides.xnli.epochs=[1, 2]"])
    assert len(found) == 8
    assert "epochs=1 retrieval.layer=dev tatoeba.layer=3" in found


def test_labels_are_as_long_as_it_takes_to_tell_keys_apart(tmp_path):
    rates = [f"{phase}.adapter.learning_rate=[1e-3, 2e-3]" for phase in ("intermediate", "target")]
    assert labels(tmp_path, MINIMAL, [*rates, "adapter.kind=[seq_bn, par_bn]"])[0] == (
        "intermediate.adapter.learning_rate=1e-3 target.adapter.learning_rate=1e-3 kind=seq_bn"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (16.0, "16"), (1e-3, "1e-3"), (2.5e-5, "2.5e-5"), (0.05, "0.05"), (1.5, "1.5"), (0.0, "0"), (-1e-4, "-1e-4"),
        (None, "null"), (True, "true"), (("a", "b"), "a+b"), ((), "none"), ("dev", "dev"),
    ],
)  # fmt: skip
def test_values_are_written_in_short(value, text):
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adapter: {reduction_factor: [4, 0]}", r"yaml:6: adapter\.reduction_factor\[1\]: 0 is out of range"),
        ("adapter: {reduction_factor: [0, 4]}", r"yaml:6: adapter\.reduction_factor\[0\]: 0 is out of range"),
        ("adapter: {reduction_factor: []}", r"yaml:6: adapter\.reduction_factor: \[\] is an empty list\. Name at"),
        ("adapter: {kind: []}", r"yaml:6: adapter\.kind: \[\] is an empty list\. Name at least one value\.$"),
        ("workers: []", r"yaml:6: workers: \[\] is an empty list\. Name at least one value\.$"),
        ("sweep: {seeds: [1, 2]}", r"^.*study\.yaml:6: sweep\.seeds: seeds cannot be swept"),
        ("sweep: {foo: [1, 2]}",
         r"'foo' is not a setting\. Allowed: backbone, revision, methods, .*, evaluation\. All set"),
        ("sweep: {evaluation.foo: [1]}",
         r"'foo' is not a setting\. Allowed: benchmark, languages, precision\. All set"),
        ("adapter: {kind: [seq_bn, seq_nb]}", r"adapter\.kind\[1\]: 'seq_nb' .*Did you mean 'seq_bn'\?"),
        ("adapter: {dropout: [0, 0.0]}", r"study\.yaml:6: adapter\.dropout\[1\]: dropout=0 is given twice"),
        (
            "sweep: {adapter.dropout: [0, 0.0]}",
            r"study\.yaml:6: sweep\.adapter\.dropout\[1\]: dropout=0 is given twice",
        ),
        (
            "sweep: [{adapter.dropout: 0}, {adapter.dropout: 0}]",
            r"sweep\[1\]\.adapter\.dropout: dropout=0 is given twice",
        ),
        ("sweep:\n  adapter.dropout: [0.1,\n    2]", r"study\.yaml:8: sweep\.adapter\.dropout\[1\]: 2 is out of range"),
        ("sweep: {adapter.dropuot: [0, 1]}", r"sweep\.adapter\.dropuot\[0\]: 'dropuot' is not .*mean 'dropout'"),
        ("sweep: {adapter.dropout: []}", r"study\.yaml:6: sweep\.adapter\.dropout: \[\] is an empty list"),
        ("sweep: {adapter.dropout: 0.1}", r"sweep\.adapter\.dropout: 0\.1 is not a list of values\. Write \[0\.1\]"),
        ("sweep: 4", r"study\.yaml:6: sweep: 4 is not a sweep\. Write `key: \[value, value\]`"),
        ("sweep: [{adapter.dropout: 0}, {adapter.kind: par_bn}]", r"sweep\[1\]: gives adapter\.kind, but the first"),
        (
            "sweep: {adapter.dropout: [0, 0.1], adapter: {dropout: [0, 0.2]}}",
            r"sweep\.adapter\.dropout: is given twice",
        ),
        ("adapter: {dropout: [0, 0.1]}\nsweep: {adapter.dropout: [0, 0.2]}", r"yaml:7: .* is swept twice"),
        ("sweep: {adapter: [{dropout: 0}, {dropout: 0.1}]}", r"sweep\.adapter: 'adapter' is swept over whole sections"),
        ("sweep: {seeds: [[1], [2]]}", r"sweep\.seeds: seeds cannot be swept\. .*trained once per seed"),
        (
            "workers: [1, 2]",
            r"study\.yaml:6: workers: cannot be swept, as no score depends on it\. "
            r"Keys that can be swept are in: backbone,",
        ),
        ("sweep: {title: [a, b]}", r"study\.yaml:6: sweep\.title: cannot be swept"),
        ("evaluation: {batch_tokens: [1000, 2000]}", r"study\.yaml:6: evaluation\.batch_tokens: cannot be swept"),
        ("sweep: {methods: [[direct], [stak]]}", r"sweep\.methods\[1\]\[0\]: 'stak' is not allowed\. .*mean 'stack'"),
    ],
)  # fmt: skip
def test_sweep_that_cannot_be_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, MINIMAL + text + "\n")
    assert str(caught.value).count("\n") == 0


def test_every_unusable_value_of_a_sweep_is_reported_at_once(tmp_path):
    text = MINIMAL + "store: 5\nadapter: {reduction_factor: [0, 4, 5000], kind: [a, seq_bn]}\n"
    with pytest.raises(ProblemsError) as caught:
        load(tmp_path, text)
    places = [str(problem).split(": ")[1] for problem in caught.value.problems]
    assert sorted(places) == ["adapter.kind[0]", "adapter.reduction_factor[0]", "adapter.reduction_factor[2]", "store"]


def test_value_of_an_override_is_refused_without_a_file(tmp_path):
    with pytest.raises(
        ConfigError, match=r"^target\.adapter\.learning_rate\[1\]: 3 is out of range\. Allowed: above 0 and below 1"
    ):
        load(tmp_path, MINIMAL, ["target.adapter.learning_rate=[1e-3, 3]"])


def test_override_that_the_sweep_would_undo_is_refused(tmp_path):
    with pytest.raises(
        ConfigError, match=r"^target\.adapter\.learning_rate: has no effect, as `sweep` .*Set sweep\.tar"
    ):
        load(tmp_path, TWO_BY_TWO, ["target.adapter.learning_rate=1e-2"])


def test_every_section_can_be_swept_unless_no_score_depends_on_it():
    assert [name for name in StudyConfig.model_fields if can_be_swept((name,))] == [
        "backbone", "revision", "methods", "data", "intermediate", "target", "adapter", "fusion", "retrieval",
        "evaluation",
    ]  # fmt: skip
    for key in ("data.leaks", "evaluation.batch_tokens", "evaluation.submission", "retrieval.sweep", "resume.keep"):
        assert not can_be_swept(tuple(key.split(".")))
    assert can_be_swept(("target", "overrides", "xnli", "learning_rate"))
    assert not can_be_swept(("lora", "rank"))
