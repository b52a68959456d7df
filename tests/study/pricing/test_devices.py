import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.study.pricing.devices import DEVICES, check_utilisation, get_device


def test_device_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ConfigError, match=r"^device: 'a1000' is not a device.*Did you mean 'a100'\?.*h200, h100"):
        get_device("a1000")


@pytest.mark.parametrize("share", [0, -0.1, 1.01])
def test_share_of_the_peak_rate_is_refused_outside_of_its_range(share):
    with pytest.raises(ConfigError, match=f"^utilisation: {share} is not a share.*above 0, at most 1"):
        check_utilisation(share)


def test_share_that_is_no_number_is_refused_as_such():
    with pytest.raises(ConfigError, match=r"^utilisation: nan is not a number\.$"):
        check_utilisation(float("nan"))


@pytest.mark.parametrize(
    ("name", "precision", "arithmetic", "tera"),
    [
        ("a100", "auto", "bf16", 312),
        ("a100", "fp32", "fp32", 19.5),
        ("v100", "auto", "fp32", 15.7),
        ("v100", "fp16", "fp16", 125),
        ("v100", "bf16", "bf16", 15.7),
        ("cpu", "auto", "fp32", 0.768),
    ],
)
def test_precision_decides_the_rate(name, precision, arithmetic, tera):
    device = get_device(name)
    assert (device.arithmetic(precision), device.rate(precision)) == (arithmetic, pytest.approx(tera * 1e12))


def test_no_device_is_faster_in_single_than_in_half_precision():
    assert all(device.fp32 <= device.fp16 and device.memory >= 16e9 for device in DEVICES.values())


@pytest.mark.parametrize(
    ("gpu", "names"),
    [
        ("NVIDIA H100 80GB HBM3", {"h100", "h100-pcie"}),
        ("NVIDIA A100-SXM4-80GB", {"a100", "a100-40"}),
        ("NVIDIA A10", {"a10"}),
        ("NVIDIA L40S", {"l40s"}),
        ("NVIDIA GeForce RTX 4090", {"rtx4090"}),
        ("Tesla T4", {"t4"}),
        ("AMD Instinct MI300X", set()),
        (None, {"cpu"}),
    ],
)
def test_artefacts_are_told_apart_by_the_gpu_they_were_made_on(gpu, names):
    environment = {} if gpu is None else {"gpu": gpu}
    assert {name for name, device in DEVICES.items() if device.is_of(environment)} == names


def test_artefact_without_a_record_of_its_environment_is_of_no_device():
    assert not get_device("cpu").is_of(None)
