import json

import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.study.limits import check_limits
from adaptstilts.study.stages import Reference
from tests.study.test_plan import plan_of


@pytest.fixture
def backbone(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 130, "num_hidden_layers": 4}))
    return Reference(str(tmp_path), None, "f" * 64)


def test_lengths_and_layers_within_the_backbone_pass(backbone):
    check_limits(plan_of("quickstart.yaml", ["retrieval.max_length=128", "retrieval.layer=4"]), backbone)


@pytest.mark.parametrize("override", ["retrieval.preset=xtreme-head", "retrieval.preset=jiant", "retrieval.sweep=true"])
def test_layers_of_presets_pass_whatever_the_depth(backbone, override):
    tasks = "target.tasks=[bucc2018, tatoeba]"
    check_limits(plan_of("quickstart.yaml", ["retrieval.max_length=128", tasks, override]), backbone)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "retrieval.max_length=129",
            r"max_length: 129 sub-tokens for tatoeba are more than the backbone's 128 positions",
        ),
        ("retrieval.layer=5", r"retrieval\.layer: layer 5 of a backbone with 4 layers for tatoeba\. Allowed: 0 to 4"),
        ("retrieval.overrides.tatoeba.layer=5", r"retrieval\.overrides\.tatoeba\.layer stands over it\."),
        ("target.full.max_length=40", r"max_length: 40 sub-tokens are too few"),
    ],
)
def test_what_the_backbone_cannot_take_is_told_before_training(backbone, override, message):
    with pytest.raises(ConfigError, match=message):
        check_limits(plan_of("quickstart.yaml", ["retrieval.max_length=128", override]), backbone)
