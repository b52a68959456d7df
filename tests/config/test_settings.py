"""Settings as documentation shows them: all from the schema, and values that read back as they were."""

from __future__ import annotations

import re

import pytest
import yaml

from adaptstilts.config.load import load_study
from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.config.schema import DataSection, StudyConfig, TrainOverride, TrainSection
from adaptstilts.config.settings import sections_of, settings_of, yaml_text
from adaptstilts.config.write import commented_yaml


def named(schema, name):
    return next(setting for setting in settings_of(schema) if setting.name == name)


def test_setting_has_the_meaning_default_and_range_of_its_field():
    seed = named(DataSection, "mini_train")
    assert (seed.meaning, seed.default) == (DataSection.model_fields["mini_train"].description, "2000")
    assert seed.allowed == "at least 32"
    assert named(StudyConfig, "name").default is None


def test_allowed_words_are_listed_unless_the_meaning_names_them_all():
    assert named(StudyConfig, "methods").allowed == "direct, full, adapter, stack, continue, fuse"
    assert named(DataSection, "leaks").allowed == ""


def test_words_are_not_listed_where_another_value_may_stand():
    engine = named(StudyConfig, "engine").section
    assert engine is not None
    assert named(engine, "gpus_per_stage").allowed == ""


def test_sections_are_found_at_all_their_places():
    found = sections_of(StudyConfig)
    assert len(found[TrainSection]) == 6
    assert found[TrainSection][0] == "intermediate.full"
    assert found[TrainOverride] == ("intermediate.overrides.*", "target.overrides.*")


@pytest.mark.parametrize("schema", [StudyConfig, PretrainSection], ids=["study", "pretraining"])
def test_every_setting_says_what_it_means(schema):
    settings = [setting for section in (schema, *sections_of(schema)) for setting in settings_of(section)]
    assert len(settings) > 40
    assert [setting.name for setting in settings if not setting.meaning.endswith(".")] == []


@pytest.mark.parametrize(
    "value", ["no", "null", "true", "1e-4", "a b", "a: b", "#x", "", "données", "s3://bucket/folder", "~", "C:\\x", "-"]
)
def test_text_reads_back_from_a_configuration_as_it_was(value: str, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(f"name: x\ntitle: {yaml_text(value)}\ntarget: {{tasks: [xnli]}}\n", encoding="utf-8")
    assert load_study(path)[0].title == value


def test_values_of_every_kind_are_written_on_one_line():
    assert yaml_text((1, 2.5, "x", None, True)) == "[1, 2.5, x, null, true]"
    assert yaml_text({"tydiqa": TrainOverride(epochs=8)}) == "{tydiqa: {epochs: 8}}"
    assert yaml_text(1e-8) == "1e-08"


# ---- Written configurations


CHOSEN = {
    "name": "mine",
    "data": {"root": "my data"},
    "target": {"tasks": ["xnli"], "full": {"epochs": 2}, "adapter": {"epochs": 3}},
}


def in_force(text: str) -> str:
    """The text with every commented setting in force: each ``#`` that is not followed by one space goes."""
    return re.sub(r"^( *)#(?! \S)", r"\1", text, flags=re.MULTILINE)


def test_written_configuration_says_what_was_chosen(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(commented_yaml(StudyConfig, CHOSEN, header=["Mine."]), encoding="utf-8")
    assert load_study(path)[0] == StudyConfig.model_validate(CHOSEN)
    assert path.read_text(encoding="utf-8").startswith("# Mine.\n\n# Name of the study's result folder.\nname: mine\n")


def test_commented_settings_in_force_change_nothing(tmp_path):
    text = commented_yaml(StudyConfig, CHOSEN, left_out={"sweep"})
    path = tmp_path / "mine.yaml"
    path.write_text(in_force(text), encoding="utf-8")
    assert "\nengine:\n" in path.read_text(encoding="utf-8")
    loaded = load_study(path)[0]
    assert loaded == StudyConfig.model_validate(CHOSEN)
    assert {"engine", "resume", "seeds"} <= loaded.model_fields_set


def test_a_section_that_occurs_several_times_is_explained_once():
    text = commented_yaml(StudyConfig, CHOSEN)
    assert text.count("Peak learning rate of AdamW.") == 1
    assert "# Settings and defaults as in target.full." in text


def test_a_note_stands_before_the_meaning_of_its_setting():
    text = commented_yaml(StudyConfig, CHOSEN, notes={"data.root": "Ten files."})
    assert "  # Ten files. `mini` for the built-in" in text


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "\x9b31m", "a\nb", "\u202e", "\u2028", "\ufeff", "\U000e0001", '"\\', "😀"]
)
def test_any_text_reads_back_from_yaml(text: str):
    assert yaml.safe_load(yaml_text({"key": [text]})) == {"key": [text]}
