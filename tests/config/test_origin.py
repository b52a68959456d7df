"""Errors about settings that are found after loading name the place where these stand."""

import pickle

import pytest

from adaptstilts.config.load import load_study
from adaptstilts.config.origin import Origin
from adaptstilts.errors import ConfigError, ProblemsError

MINIMAL = "name: demo\nintermediate:\n  tasks: [mnli]\ntarget:\n  tasks: [xnli]\n"


def origin_of(tmp_path, text=MINIMAL, overrides=()):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return load_study(path, overrides)[1]


def named(origin, *keys, blocks=1):
    """What an error about a setting says, or several about one each, raised in blocks within each other."""
    problems = [ConfigError("unknown", key=key) for key in keys]
    with pytest.raises(ConfigError if len(keys) == 1 else ProblemsError) as caught:
        nest(origin, blocks, problems[0] if len(keys) == 1 else ProblemsError(problems))
    return str(caught.value)


def nest(origin, blocks, error):
    if not blocks:
        raise error
    with origin.named_in_errors():
        nest(origin, blocks - 1, error)


def test_keys_of_the_file_get_file_and_line(tmp_path):
    said = named(origin_of(tmp_path), "target.tasks")
    assert said == f"{tmp_path}/study.yaml:5: target.tasks: unknown."


def test_items_of_a_list_get_the_line_of_their_own(tmp_path):
    text = MINIMAL.replace("[xnli]", "\n    - xnli\n    - xnly")
    assert named(origin_of(tmp_path, text), "target.tasks[1]") == f"{tmp_path}/study.yaml:7: target.tasks[1]: unknown."


def test_keys_that_an_override_gives_stay_without_a_file(tmp_path):
    assert named(origin_of(tmp_path, overrides=["target.tasks=[x]"]), "target.tasks") == "target.tasks: unknown."


@pytest.mark.parametrize("key", ["seeds", "--variant", "data.root"])
def test_keys_that_are_not_in_the_file_stay_without_it(tmp_path, key):
    assert named(origin_of(tmp_path), key) == f"{key}: unknown."


def test_every_one_of_several_problems_gets_its_place(tmp_path):
    first, second, third = named(origin_of(tmp_path), "name", "seeds", "target.tasks").splitlines()
    assert first == f"{tmp_path}/study.yaml:1: name: unknown."
    assert second == "seeds: unknown."
    assert third == f"{tmp_path}/study.yaml:5: target.tasks: unknown."


def test_errors_with_a_file_of_their_own_keep_it(tmp_path):
    error = ConfigError("unknown", key="name", path="data.tsv", line=3)
    with pytest.raises(ConfigError, match=r"^data\.tsv:3: name: unknown"):
        nest(origin_of(tmp_path), 1, error)


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize(
    ("text", "overrides", "place"),
    [
        ("", ["sweep.backbone=[mini, other]"], "sweep.backbone"),
        ("", ["sweep={backbone: [mini, other]}"], "sweep.backbone"),
        ("", ["backbone=[mini, other]"], "backbone"),
        ("", ["backbone=[mini]"], "backbone[0]"),
        ("sweep: {backbone: [mini, other]}\n", [], "study.yaml:7: sweep.backbone"),
        ("sweep:\n  - {backbone: mini}\n  - {backbone: other}\n", [], "study.yaml:7: sweep"),
        ("adapter: {kind: [seq_bn, par_bn]}\n", [], "study.yaml:6: backbone"),
        ("sweep: {backbone: [mini, other]}\n", ["sweep.backbone=[mini]"], "sweep.backbone[0]"),
    ],
)
def test_swept_keys_are_named_where_their_values_stand(tmp_path, text, overrides, place, blocks):
    origin = origin_of(tmp_path, MINIMAL + "backbone: mini\n" + text, overrides)
    assert named(origin, "backbone", blocks=blocks).removeprefix(f"{tmp_path}/") == f"{place}: unknown."


def test_configuration_made_in_memory_has_no_place():
    assert named(Origin(), "target.tasks") == "target.tasks: unknown."


def test_configurations_are_equal_wherever_they_stand(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(MINIMAL, encoding="utf-8")
    first = load_study(path)[0]
    other = tmp_path / "other.yaml"
    other.write_text(f"# The same, a line further down.\n{MINIMAL}", encoding="utf-8")
    assert load_study(other)[0] == first
    assert str(tmp_path).encode() not in pickle.dumps(first)
    assert pickle.loads(pickle.dumps(first)) == first
