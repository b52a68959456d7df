"""Kernels of attention, lengths on a GPU, and gradients that are repeatable where all operations can be."""

import contextlib

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from adaptstilts.config.load import load_study
from adaptstilts.encoding.features import Feature
from adaptstilts.errors import ConfigError
from adaptstilts.models.backbone import load_encoder
from adaptstilts.models.batches import Padding, collate
from adaptstilts.models.network import TaskNetwork
from adaptstilts.runtime import Backward, attention_by, attention_kernels, attention_text
from adaptstilts.tasks.spec import Kind

CPU, GPU = torch.device("cpu"), torch.device("cuda")
FLAGS = ("flash_sdp_enabled", "mem_efficient_sdp_enabled", "cudnn_sdp_enabled", "math_sdp_enabled")


def enabled() -> dict[str, bool]:
    return {name: getattr(torch.backends.cuda, name)() for name in FLAGS}


def test_default_on_a_gpu_has_no_kernel_that_plans_for_every_shape():
    assert attention_kernels(GPU, "auto") == ("flash", "efficient", "math")
    before = enabled()
    with attention_by(GPU, "auto"):
        assert enabled() == dict(zip(FLAGS, (True, True, False, True), strict=True))
    assert enabled() == before


@pytest.mark.parametrize("name", ["flash", "efficient", "cudnn", "math"])
def test_a_kernel_that_is_asked_for_stands_alone_with_what_replaces_it(name):
    with attention_by(GPU, name):
        found = enabled()
    own = {"efficient": "mem_efficient"}.get(name, name)
    assert {key.removesuffix("_sdp_enabled") for key, is_on in found.items() if is_on} == {own, "math"}


def test_default_on_a_cpu_is_torchs_own():
    before = enabled()
    with attention_by(CPU, "auto"):
        assert enabled() == before
    assert attention_text(CPU, "auto") == "torch's choice"
    assert attention_text(GPU, "auto") == "flash, efficient, math"


@pytest.mark.parametrize("name", ["efficient", "cudnn"])
def test_kernels_of_gpus_are_refused_on_a_cpu_with_those_that_exist(name):
    message = rf"runtime\.attention: '{name}' needs a GPU, and the device is cpu\. Allowed: auto, flash, math"
    with pytest.raises(ConfigError, match=message), attention_by(CPU, name):
        pass


def test_kernels_of_a_cpu_give_the_same_within_rounding():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 24, 16)
    mask = torch.zeros(2, 1, 1, 24).masked_fill_(torch.arange(24) > 20, -1e9)
    found = []
    for name in ("auto", "flash", "math"):
        with attention_by(CPU, name):
            found.append(scaled_dot_product_attention(query, key, value, attn_mask=mask))
    assert torch.allclose(found[0], found[1], atol=1e-6)
    assert torch.allclose(found[0], found[2], atol=1e-6)


def test_setting_is_checked_by_its_name(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("name: a\ntarget: {tasks: [xnli]}\nruntime: {attention: cudn}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"study\.yaml:3: runtime\.attention: .*cudnn"):
        load_study(path)


@pytest.mark.parametrize(("longest", "width"), [(1, 8), (8, 8), (9, 16), (505, 510), (510, 510), (512, 512)])
def test_lengths_are_rounded_up_but_not_beyond_the_encoder(longest, width):
    assert Padding(1, 8, 510).width(longest) == width
    assert Padding(1).width(longest) == longest


def test_batches_are_not_rounded_up_on_a_cpu(small_backbone):
    network = TaskNetwork(load_encoder(str(small_backbone)), None, None)
    items = [Feature(((0, 5, 6, 2),), 0, 0), Feature(((0, 5, 2),), 1, 1)]
    assert network.batch(items, Kind.CLASSIFY).input_ids.shape == (2, 4)
    assert collate(items, Kind.CLASSIFY, Padding(1, 8)).input_ids.shape == (2, 8)


def test_more_padding_changes_hidden_states_within_rounding(small_backbone):
    network = TaskNetwork(load_encoder(str(small_backbone)), None, None).eval()
    items = [Feature(((0, 5, 6, 7, 2),), 0, 0), Feature(((0, 5, 2),), 1, 1)]
    found = []
    for multiple in (1, 8):
        batch = collate(items, Kind.CLASSIFY, Padding(network.padding_id, multiple))
        with torch.no_grad():
            found.append(network.hidden(batch.input_ids, batch.attention_mask, 2)[:, :5])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], dtype=torch.bool)
    assert torch.allclose(found[0][mask], found[1][mask], atol=1e-6)


@contextlib.contextmanager
def asked_for_repeatable():
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def test_gradients_are_strictly_repeatable_unless_an_operation_cannot_be():
    """Without a GPU: what torch is told is looked at where a gradient would be computed."""
    seen, again = [], []

    def compute(fails: bool) -> float:
        seen.append(not torch.is_deterministic_algorithms_warn_only_enabled())
        if fails and seen[-1]:
            raise RuntimeError("scatter_cuda does not have a deterministic implementation, but you set ...")
        return 1.0

    with asked_for_repeatable(), attention_by(GPU, "auto"):
        backward = Backward()
        assert backward.run(lambda: compute(False), lambda: again.append(1), GPU) == 1.0
        assert (seen, again) == ([True], [])
        for _ in range(2):
            assert backward.run(lambda: compute(True), lambda: again.append(1), GPU) == 1.0
        assert (seen, again) == ([True, True, False, False], [1])
        assert torch.is_deterministic_algorithms_warn_only_enabled()


def test_other_errors_of_gradients_are_raised_and_nothing_is_strict_on_a_cpu_or_with_cudnn():
    def fail() -> float:
        raise RuntimeError("out of memory")

    def is_strict() -> float:
        return float(not torch.is_deterministic_algorithms_warn_only_enabled())

    with asked_for_repeatable():
        with attention_by(GPU, "auto"), pytest.raises(RuntimeError, match="out of memory"):
            Backward().run(fail, lambda: None, GPU)
        assert Backward().run(is_strict, lambda: None, CPU) == 0.0
        with attention_by(GPU, "cudnn"):
            assert Backward().run(is_strict, lambda: None, GPU) == 0.0
