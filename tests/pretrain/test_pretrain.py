import json

import pytest
import torch

from adaptstilts.config.pretrain import ObjectiveSection, PretrainSection
from adaptstilts.errors import ConfigError, StoreError
from adaptstilts.pretrain.files import LOG_FILE, RECORD_FILE
from adaptstilts.pretrain.pretrain import pretrain


def settings(output, **changes):
    sections = {
        "data": {"mini_lines": 150, "held_out": 20, "languages": ["en", "de", "ru"]},
        "vocabulary": {"pieces": 300, "whole_words": 2, "alphabets": False},
        "architecture": {"layers": 2, "width": 32, "heads": 2, "feed_forward": 64, "positions": 66},
        "objective": {
            "switched": 0.5,
            "ranking_weight": 0.1,
            "ranking_every": 2,
            "ranking_pairs": 6,
            "ranking_until": 0.7,
            "matching_weight": 0.5,
            "mismatch_share": 0.4,
        },
        "optimisation": {"steps": 12, "batch_rows": 8, "max_length": 48, "save_every": 5, "log_every": 4},
    }
    for key, value in changes.items():
        sections[key] = {**sections[key], **value} if isinstance(value, dict) else value
    return PretrainSection.model_validate({"name": "tiny", "output": str(output), "threads": 1, **sections})


def run(output, log=lambda line: None, **changes):
    return pretrain(settings(output, **changes), output, log)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "tiny"
    lines = []
    return run(folder, lines.append), lines


def test_pretrain_writes_half_precision_backbone_that_transformers_loads(finished):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    folder = finished[0].folder
    model, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert json.loads((folder / "config.json").read_text())["dtype"] == "float16"
    assert len(AutoTokenizer.from_pretrained(folder)) == model.config.vocab_size
    assert str(folder) not in (folder / "config.json").read_text()


def test_pretrain_reports_what_it_did_and_removes_its_states(finished):
    report, lines = finished
    assert (report.steps, report.planned_steps, report.is_finished) == (12, 12, True)
    assert set(report.held_out) == {"de", "en", "ru"}
    assert report.tokens > 0
    assert not report.folder.with_name("tiny.part").exists()
    entries = [json.loads(line) for line in (report.folder / LOG_FILE).read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [4, 8, 12]
    assert any("step 8 of 12" in line and "min left" in line for line in lines)


def test_pretrain_in_parts_equals_never_stopping(finished, tmp_path):
    from safetensors.torch import load_file

    folder = tmp_path / "tiny"
    parts = [run(folder, max_minutes=1e-4)]
    while not parts[-1].is_finished:
        parts.append(run(folder, max_minutes=1e-4))
    report = parts[-1]
    assert len(parts) == 12
    whole = finished[0]
    assert report.held_out == whole.held_out
    assert report.tokens == whole.tokens
    one, two = (load_file(place / "model.safetensors") for place in (folder, whole.folder))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_pretrain_skips_a_finished_run_and_says_so(finished):
    lines = []
    report = run(finished[0].folder, lines.append)
    assert report == finished[0]
    assert "is finished already" in lines[0]


def test_pretrain_refuses_an_output_of_other_settings(finished):
    before = (finished[0].folder / RECORD_FILE).read_bytes()
    with pytest.raises(ConfigError, match=r"output: .*finished backbone of other settings.*another output"):
        run(finished[0].folder, seed=9)
    assert (finished[0].folder / RECORD_FILE).read_bytes() == before


def test_pretrain_refuses_a_folder_with_a_backbone_it_did_not_make(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds a backbone that this command did not make"):
        run(tmp_path)


def test_pretrain_refuses_states_of_other_settings(tmp_path):
    folder = tmp_path / "tiny"
    run(folder, max_minutes=1e-4)
    with pytest.raises(ConfigError, match="holds an unfinished run with other settings"):
        run(folder, seed=9)


def test_pretrain_names_the_state_when_it_is_damaged(tmp_path):
    folder = tmp_path / "tiny"
    run(folder, max_minutes=1e-4)
    (tmp_path / "tiny.part" / "state.pt").write_bytes(b"not a state")
    with pytest.raises(StoreError, match=r"state\.pt: the saved state is damaged.*Delete it"):
        run(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{", "", r"pretraining\.json:\d+: is damaged: not JSON"),
        ("{", '{"settings": {},', r"pretraining\.json:\d+: settings: is damaged: stands twice in one JSON object"),
        ('"tokens": ', '"tokens": "x", "y": ', r"pretraining\.json: report: is not the record of a finished run"),
        ('"pieces": ', '"pieces": null, "tokens": ', r"pretraining\.json:\d+: .*is damaged"),
        ('"held_out": {', '"held_out": {"de": [], ', r"pretraining\.json:\d*:? ?(report|de): is (not|damaged)"),
    ],
)
def test_pretrain_names_the_record_when_it_is_damaged(finished, tmp_path, old, new, message):
    text = (finished[0].folder / RECORD_FILE).read_text()
    assert old in text
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / RECORD_FILE).write_text(
        new.join(text.rsplit(old, 1)) if old != "{" else text.replace(old, new, 1)
    )
    with pytest.raises(StoreError, match=rf"{message}.*Remove it, or choose another output folder"):
        run(tmp_path / "tiny")


def test_pretrain_goes_on_after_a_kill_while_the_log_or_the_settings_were_written(tmp_path):
    folder, part = tmp_path / "tiny", tmp_path / "tiny.part"
    run(folder, max_minutes=1e-4)
    with (part / LOG_FILE).open("a") as log:
        log.write('{"step": 1, "tok')
    run(folder, max_minutes=1e-4)
    for line in (part / LOG_FILE).read_text().splitlines():
        json.loads(line)
    (part / "settings.json").write_text("")
    with pytest.raises(StoreError, match=r"settings\.json:1: is damaged: not JSON \(it is empty\)\. Remove it, or"):
        run(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimisation": {"max_length": 80}}, r"architecture\.positions: rows of 80 sub-tokens need 82 positions"),
        ({"objective": {"ranking_layer": 3}}, r"objective\.ranking_layer: there is no layer 3.*Allowed: 0, 1, 2"),
    ],
)
def test_pretrain_names_the_setting_when_sizes_do_not_fit(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        run(tmp_path / "tiny", **changes)


def test_objective_is_refused_when_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match="nothing to learn"):
        ObjectiveSection(mlm=0, tlm=0)
