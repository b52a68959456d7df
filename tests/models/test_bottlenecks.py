import json
from pathlib import Path

import pytest

from adaptstilts.config.schema import AdapterSection, FusionSection, StudyConfig
from adaptstilts.models.attachments import NewAttachment
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.bottlenecks import ADAPTER, FUSION, BottleneckShape

WRONG = [(ADAPTER, FusionSection()), (ADAPTER, None), (FUSION, AdapterSection()), (FUSION, None)]


@pytest.mark.parametrize(("kind", "section"), WRONG)
def test_new_attachment_is_refused_with_the_settings_of_another_kind(kind, section):
    with pytest.raises(TypeError, match=rf"needs its (Adapter|Fusion)Section, not {type(section).__name__}"):
        kind.add(object(), "target_mnli", NewAttachment(section), ("qqp", "squad1"))


@pytest.mark.parametrize(("kind", "section"), WRONG)
def test_sizes_are_refused_for_the_settings_of_another_kind(kind, section):
    with pytest.raises(TypeError, match="a new attachment needs its"):
        kind.shape(section, 32, (BottleneckShape("seq_bn", 8),))


def test_settings_of_a_fusion_are_those_that_decide_its_training():
    study = StudyConfig(
        name="demo", fusion=FusionSection(tasks=("mnli",), retrieval="mnli", kind="static", regularisation=0.5)
    )
    assert FUSION.section(study) == FusionSection(kind="static")
    dynamic = study.model_copy(update={"fusion": FusionSection(tasks=("mnli",), regularisation=0.5)})
    assert FUSION.section(dynamic) == FusionSection(regularisation=0.5)


def test_settings_of_an_adapter_are_its_section():
    study = StudyConfig(name="demo", adapter=AdapterSection(reduction_factor=4))
    assert ADAPTER.section(study) == AdapterSection(reduction_factor=4)


def test_saved_fusion_names_its_adapters_in_their_order(tiny_encoder_folder: Path, tmp_path: Path):
    host = FUSION.host(load_encoder(str(tiny_encoder_folder)))
    for name in ("qqp", "mnli"):
        ADAPTER.add(host, name, NewAttachment(AdapterSection()), ())
    FUSION.add(host, "fusion_xnli", NewAttachment(FusionSection()), ("qqp", "mnli"))
    FUSION.save(host, "fusion_xnli", tmp_path, None, choices=2)
    assert json.loads((tmp_path / "adapter_fusion_config.json").read_text())["adapter_names"] == ["qqp", "mnli"]
