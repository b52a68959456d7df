"""Base of the sections of a configuration: what holds for the settings of all of them."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

NOT_A_NUMBER = "not_a_number"
"""Type of the error about true, false or text where a number belongs; its context has the value, its place in a
list, and what to do."""
_YAML_1_1_TEXT = re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+")
_NUMBERS = frozenset({int, float, type(None)})


class Section(BaseModel):
    """Base of all sections: immutable, and rejecting unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - as it was written
        annotation = cls.model_fields[info.field_name or ""].annotation
        if _plain_types(annotation) <= _NUMBERS:
            single = () if get_origin(annotation) is tuple else ((None, value),)
            for place, one in enumerate(value) if isinstance(value, list) else single:
                if isinstance(one, bool):
                    context: dict[str, Any] = {"value": one, "place": place, "hint": None}
                    raise PydanticCustomError(NOT_A_NUMBER, "is not a number", context)
                if isinstance(one, str) and _is_number(one):
                    context = {"value": one, "place": place, "hint": _unquoted(one)}
                    raise PydanticCustomError(NOT_A_NUMBER, "is text, not a number", context)
        return value


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
