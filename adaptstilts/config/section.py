"""Base of the sections of a configuration: what holds for the settings of all of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from adaptstilts.addresses import shown_address
from adaptstilts.config.plain import shown

WRONG_KIND = "wrong_kind"
"""Type of the error about true, false or text where a number belongs, and the reverse; its context has the value, its
place in a list, and what to do."""
_YAML_1_1_TEXT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")
_NUMBERS = frozenset({int, float, type(None)})
_FLAGS = frozenset({bool, type(None)})
_WORDS = {"true": ("true", "yes", "on", "y", "1"), "false": ("false", "no", "off", "n", "0")}
"""What people write for true and false, in YAML 1.1 and elsewhere."""


class Section(BaseModel):
    """Base of all sections: immutable, and rejecting unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return what is shown of the settings, without what logs in to an address."""
        for name, value in super().__repr_args__():
            yield name, shown_address(value) if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def _kinds_are_kept(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - as it was written
        kinds, is_list = _kinds(cls, info.field_name or "")
        if kinds <= _FLAGS and value is not None and not isinstance(value, bool):
            raise wrong_kind(shown(value), "is neither true nor false", hint=_flag_hint(value))
        if kinds <= _NUMBERS:
            single = () if is_list else ((None, value),)
            for place, one in enumerate(value) if isinstance(value, list) else single:
                if isinstance(one, bool):
                    raise wrong_kind(str(one).lower(), "is not a number", place)
                if isinstance(one, str) and _is_number(one):
                    raise wrong_kind(shown(one), "is text, not a number", place, _unquoted(one))
        return value


def wrong_kind(written: str, problem: str, place: int | None = None, hint: str | None = None) -> PydanticCustomError:
    """Return the error of a value of another kind than its setting; ``place`` is that in a list."""
    return PydanticCustomError(WRONG_KIND, problem, {"value": written, "place": place, "hint": hint})


def _flag_hint(value: object) -> str | None:
    """Return what to write for a word or a number that other programs take for true or false."""
    word = str(value).casefold() if isinstance(value, str | int) else ""
    meant = next((flag for flag, words in _WORDS.items() if word in words), None)
    return f"Write {meant}." if meant else "Allowed: true, false."


@cache
def _kinds(section: type[BaseModel], name: str) -> tuple[frozenset[Any], bool]:
    """Return the types of which a setting, or the items of its list, may be, and whether it is a list."""
    annotation = section.model_fields[name].annotation
    return _plain_types(annotation), get_origin(annotation) is tuple


def _plain_types(annotation: Any) -> frozenset[Any]:  # noqa: ANN401 - a type or a special form of typing
    """Return the types of which a value, or the items of a list, may be."""
    if get_origin(annotation) is Annotated:
        return _plain_types(get_args(annotation)[0])
    parts = [part for part in get_args(annotation) if part is not Ellipsis]
    return frozenset().union(*map(_plain_types, parts)) if parts else frozenset({annotation})


def _is_number(text: str) -> bool:
    """Return whether a text is a number in quotation marks; not ``5e-4``, which YAML 1.1 reads as text without any."""
    if _YAML_1_1_TEXT.fullmatch(text):
        return False
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _unquoted(written: str) -> str:
    """Return how to write a number that was given as text; YAML reads ``010`` as text, too."""
    number = int(written) if re.fullmatch(r"\s*[-+]?[\d_]+\s*", written) else written.strip()
    return f"Write {number}, without quotation marks."
