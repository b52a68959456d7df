import json

import pytest

from adaptstilts.config.load import load_study
from adaptstilts.errors import CheckpointError, ConfigError, ProblemsError
from adaptstilts.study.plan.check_limits import check_limits, limits_of
from adaptstilts.study.plan.jobs import BackboneRef
from tests.study.plan.test_plan import CONFIGS, plan_of


@pytest.fixture
def backbone(tmp_path):
    config = {"model_type": "xlm-roberta", "max_position_embeddings": 130, "num_hidden_layers": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return BackboneRef(str(tmp_path), None, "f" * 64)


def check(overrides, backbone):
    config, _ = load_study(CONFIGS / "quickstart.yaml", overrides)
    check_limits(config, plan_of("quickstart.yaml", overrides), limits_of(backbone))


def test_lengths_and_layers_within_the_backbone_pass(backbone):
    check(["retrieval.max_length=128", "retrieval.layer=4"], backbone)


@pytest.mark.parametrize("override", ["retrieval.preset=xtreme-head", "retrieval.preset=jiant", "retrieval.sweep=true"])
def test_layers_of_presets_pass_whatever_the_depth(backbone, override):
    tasks = "target.tasks=[bucc2018, tatoeba]"
    check(["retrieval.max_length=128", tasks, override], backbone)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "retrieval.max_length=129",
            r"max_length: 129 sub-tokens for tatoeba are more than the backbone's 128 positions",
        ),
        ("retrieval.layer=5", r"retrieval\.layer: layer 5 of a backbone with 4 layers for tatoeba\. Allowed: 0 to 4"),
        ("retrieval.overrides.tatoeba.layer=5", r"Set it lower, here or in retrieval\.overrides\.tatoeba\.layer\."),
        (
            "retrieval.overrides.tatoeba.max_length=129",
            r"^retrieval\.overrides\.tatoeba\.max_length: 129 sub-tokens for tatoeba are more than",
        ),
        (
            "target.overrides.udpos.max_length=130",
            r"^target\.overrides\.udpos\.max_length: 130 sub-tokens for udpos are more than",
        ),
    ],
)
def test_what_the_backbone_cannot_take_is_told_before_training(backbone, override, message):
    with pytest.raises(ConfigError, match=message):
        check(["retrieval.max_length=128", override], backbone)


def test_lengths_that_are_too_short_are_named_by_key_task_and_what_decides_them(backbone):
    tasks = ("target.tasks=[xquad, tydiqa, udpos]", "intermediate.tasks=[squad2]", "methods=[direct, full, stack]")
    lengths = [
        f"{phase}.{family}.max_length=64" for phase in ("intermediate", "target") for family in ("full", "adapter")
    ]
    why = "a question may take 64 of them (max_query_length), and 16 must be left for text. Allowed: 80 or more."
    with pytest.raises(ProblemsError) as caught:
        check([*tasks, *lengths, "target.overrides.tydiqa.max_length=70"], backbone)
    assert sorted(map(str, caught.value.problems)) == [
        f"intermediate.adapter.max_length: 64 sub-tokens are too few for squad2: {why}",
        f"intermediate.full.max_length: 64 sub-tokens are too few for squad2: {why}",
        f"target.adapter.max_length: 64 sub-tokens are too few for squad1: {why}",
        f"target.full.max_length: 64 sub-tokens are too few for squad1: {why}",
        f"target.overrides.tydiqa.max_length: 70 sub-tokens are too few for tydiqa: {why}",
    ]
    with pytest.raises(ConfigError, match=r"^target\.full\.max_length: 64 sub-tokens are too few for squad1, tydiqa: "):
        check([tasks[0], "methods=[direct]", "target.full.max_length=64"], backbone)


@pytest.mark.parametrize("key", ["target.adapter.precision", "intermediate.full.precision", "evaluation.precision"])
def test_fp16_is_refused_for_encoders_that_overflow_in_it(tmp_path, key):
    config = {"model_type": "mt5", "num_layers": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    overflowing = BackboneRef(str(tmp_path), None, "f" * 64)
    message = f"{key}: activations of mt5 exceed the range of fp16"
    with pytest.raises((ConfigError, ProblemsError), match=message):
        check([f"{key}=fp16"], overflowing)
    check([f"{key}=bf16"], overflowing)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("retrieval.pooling=cls", r"^retrieval\.pooling: .*Allowed: mean, mean_no_specials"),
        (
            "retrieval.overrides.tatoeba.pooling=cls",
            r"^retrieval\.overrides\.tatoeba\.pooling: .*Allowed: mean, mean_no_specials",
        ),
        (
            "retrieval.preset=xtreme-head",
            r"^retrieval\.preset: pooling cls for bucc2018 takes .*tokenizers of mt5 put none.*"
            r"Set retrieval\.overrides\.bucc2018\.pooling to one of: mean, mean_no_specials\.",
        ),
    ],
)
def test_cls_pooling_is_refused_for_encoders_without_a_token_before_the_text(tmp_path, backbone, override, message):
    folder = tmp_path / "mt5"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "mt5", "num_layers": 4}))
    headless = BackboneRef(str(folder), None, "f" * 64)
    tasks = f"target.tasks=[{'bucc2018' if 'preset' in override else 'tatoeba'}]"
    with pytest.raises(ConfigError, match=message):
        check([tasks, override], headless)
    check([tasks, override, "retrieval.max_length=128"], backbone)
    mean = "retrieval.overrides={bucc2018: {pooling: mean}, tatoeba: {pooling: mean_no_specials}}"
    check([tasks, *([override] if "overrides" not in override else []), mean], headless)


def test_limits_of_a_hub_id_are_those_of_its_cached_config(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    hub = BackboneRef("someone/mt5", None, "f" * 64)
    check(["evaluation.precision=fp16"], hub)
    place = tmp_path / "models--someone--mt5" / "snapshots" / ("a" * 40)
    place.mkdir(parents=True)
    (place / "config.json").write_text(json.dumps({"model_type": "mt5", "num_layers": 4}))
    with pytest.raises(ConfigError, match="activations of mt5 exceed the range of fp16"):
        check(["evaluation.precision=fp16"], hub)
    with pytest.raises(ConfigError, match="layer 5 of a backbone with 4 layers"):
        check(["retrieval.layer=5"], hub)
    (place / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(CheckpointError, match=r"^someone/mt5/config\.json: model_type 'gpt2' is not supported"):
        check([], hub)
