from typing import get_args

import pytest

from adaptstilts.config.recipes import PartialSettings, Recipe, TrainSettings
from adaptstilts.config.schema import Family, PhaseSection, TrainSection
from adaptstilts.train.methods import FAMILIES

RECIPE = Recipe(
    full=PartialSettings(epochs=4, batch_size=64),
    full_target=PartialSettings(epochs=5),
    adapter=PartialSettings(max_length=384),
)


@pytest.mark.parametrize("family", get_args(Family))
def test_every_family_of_weights_has_a_row_a_section_of_each_phase_and_settings(family):
    assert family in FAMILIES
    assert isinstance(getattr(PhaseSection(), family), TrainSection)
    assert isinstance(Recipe().settings("target", family), TrainSettings)


def test_family_without_settings_of_its_own_gets_none_of_another():
    with pytest.raises(KeyError, match="lora"):
        Recipe().settings("target", "lora")


@pytest.mark.parametrize(
    ("family", "phase", "expected"),
    [
        ("full", "intermediate", (1e-5, 4, 64, 256)),
        ("full", "target", (1e-5, 5, 64, 256)),
        ("adapter", "intermediate", (1e-4, 15, 32, 384)),
        ("adapter", "target", (1e-4, 15, 32, 384)),
        ("fusion", "target", (5e-5, 15, 32, 384)),
    ],
)
def test_settings_are_those_of_the_family_with_the_changes_of_the_task(family, phase, expected):
    found = RECIPE.settings(phase, family)
    assert (found.learning_rate, found.epochs, found.batch_size, found.max_length) == expected
