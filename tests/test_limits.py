"""Limits are settings: the environment changes them, and the documentation has them all."""

import pytest
from repository import ROOT

from adaptstilts.config import plain, yaml_text
from adaptstilts.errors import ConfigError
from adaptstilts.limits import LIMITS, MOST_MEMBERS, Limit


def test_page_of_limits_names_the_bounds_of_a_configuration():
    page = " ".join((ROOT / "docs" / "limits.md").read_text(encoding="utf-8").split())
    assert f"at most {yaml_text._MOST_BYTES // 1024} KiB of YAML with {yaml_text._MOST_WRITTEN:,} keys" in page
    assert f"{plain.MOST_VALUES:,} values where each alias counts" in page
    assert f"and {plain.MOST_LEVELS} levels" in page


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_page_of_limits_has_a_row_for_each(limit: Limit):
    row = f"| `{limit.variable}` | {limit.default:,.0f} {limit.unit} | {limit.meaning} |"
    assert row in (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")


def test_environment_changes_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", "12")
    assert MOST_MEMBERS.value() == 12
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", "inf")
    assert MOST_MEMBERS.value() == float("inf")


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_error_names_the_default_as_the_page_does(monkeypatch: pytest.MonkeyPatch, limit: Limit):
    monkeypatch.setenv(limit.variable, "all")
    with pytest.raises(ConfigError, match=rf"the default is {limit.default:,.0f}\. More"):
        limit.value()


@pytest.mark.parametrize("given", ["", "0", "-1", "nan", "many"])
def test_value_that_is_no_limit_names_its_variable(monkeypatch: pytest.MonkeyPatch, given: str):
    monkeypatch.setenv("ADAPTSTILTS_MOST_MEMBERS", given)
    with pytest.raises(ConfigError) as caught:
        MOST_MEMBERS.value()
    assert str(caught.value) == (
        f"ADAPTSTILTS_MOST_MEMBERS: '{given}' is not a number above 0. Give a number of members (inf for no limit), or "
        "unset the variable: the default is 100,000. More: adaptstilts docs limits."
    )
