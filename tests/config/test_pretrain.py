import pytest
from repository import CONFIGS

from adaptstilts.config.load import load
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.errors import AdaptstiltsError

FILES = sorted(CONFIGS.glob("pretrain_*.yaml"))


def test_both_pretraining_configs_are_found():
    assert [path.stem for path in FILES] == ["pretrain_mini", "pretrain_small"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_config_loads_and_names_its_output_after_itself(path):
    section = load(path, (), PretrainSection)
    assert path.stem == f"pretrain_{section.name}"
    assert section.output == f"checkpoints/{section.name}"
    assert section.title


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("objective.tlmm=1", r"objective\.tlmm.*Did you mean 'tlm'"),
        ("architecture.heads=3", r": architecture: heads 3 do not divide width 128\.$"),
        ("optimisation.learning_rate=2", r"optimisation\.learning_rate"),
        ("data.folders=x", r"data\.folders"),
    ],
)
def test_load_names_the_setting_when_a_value_is_unusable(override, message):
    with pytest.raises(AdaptstiltsError, match=message):
        load(CONFIGS / "pretrain_mini.yaml", (override,), PretrainSection)


def test_every_setting_says_what_it_means():
    sections = [PretrainSection]
    for section in sections:
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"
            kind = field.annotation
            if isinstance(kind, type) and hasattr(kind, "model_fields"):
                sections.append(kind)
    assert len(sections) == 6
