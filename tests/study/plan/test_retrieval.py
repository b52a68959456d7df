from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adaptstilts.config.schema import RetrievalSection
from adaptstilts.errors import DataError
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.plan.retrieval import preset_note, require_dev, settings_line, use_of
from adaptstilts.tasks.registry import get_task

BUCC, TATOEBA = get_task("bucc2018"), get_task("tatoeba")


def section(**values: Any) -> RetrievalSection:
    return RetrievalSection.model_validate(values)


def test_use_follows_from_the_metric():
    assert (use_of(BUCC), use_of(TATOEBA)) == ("mine", "search")


def test_preset_note_names_the_preset_and_what_differs_without_the_mark_between_notes():
    assert preset_note(section(), BUCC) == "retrieval preset xtreme-paper"
    chosen = section(preset="jiant", layer=3, margin="none")
    assert preset_note(chosen, BUCC) == "retrieval preset jiant but layer 3, margin none"
    assert preset_note(chosen, TATOEBA) == "retrieval preset jiant but layer 3"
    assert ";" not in preset_note(section(layer=3, pooling="cls", similarity="l2"), BUCC)


def test_settings_line_tells_every_setting_in_effect():
    line = settings_line(section(), BUCC)
    for words in ("layer 14 of 24", "ratio margin over 4", "candidates max", "as in xtreme", "cosine", "512"):
        assert words in line
    assert "direction" not in line
    line = settings_line(section(margin="distance", neighbours=7, similarity="l2", layer=5), TATOEBA)
    for words in ("layer 5,", "distance margin over 7", "direction english_to_foreign", "squared distance"):
        assert words in line
    assert "candidates" not in line
    assert "layer fitted on dev" in settings_line(section(layer="dev"), BUCC)


def bucc(folder: Path, *names: str) -> DataRoot:
    (folder / "bucc2018").mkdir()
    text = {"gold": "de-1\ten-1\n", "de": "de-1\tHallo.\n", "en": "en-1\tHello.\n"}
    for name in names:
        (folder / "bucc2018" / f"de-en.{name}").write_text(text[name.split(".")[1]], encoding="utf-8")
    return DataRoot(folder)


def test_dev_split_with_gold_passes(tmp_path: Path):
    require_dev(bucc(tmp_path, "dev.de", "dev.en", "dev.gold"), BUCC, "de")


@pytest.mark.parametrize("names", [(), ("dev.de", "dev.en"), ("test.de", "test.en", "test.gold")])
def test_dev_split_without_gold_is_refused_with_the_way_out(tmp_path: Path, names: tuple[str, ...]):
    with pytest.raises(DataError, match=r"retrieval\.layer: bucc2018 has no labelled dev split in 'de'.*overrides"):
        require_dev(bucc(tmp_path, *names), BUCC, "de")
