"""Arguments of calls from Python: a value that cannot be used is an error that names the argument."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

from adaptstilts.errors import ConfigError

_LARGEST = 2**63 - 1


def text_of(argument: str, given: object) -> str:
    """Return an argument that is one text.

    Raises:
        ConfigError: If it is anything else.
    """
    if not isinstance(given, str):
        raise ConfigError(f"{shortened(given)} is not text", key=argument)
    return given


def flag_of(argument: str, given: object) -> bool:
    """Return an argument that is true or false.

    Raises:
        ConfigError: If it is anything else.
    """
    if not isinstance(given, bool):
        raise ConfigError(f"{shortened(given)} is neither true nor false", key=argument, allowed=("True", "False"))
    return given


def texts_of(argument: str, given: object) -> tuple[str, ...]:
    """Return an argument that is one text or several; none for None.

    Raises:
        ConfigError: If it is anything else.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"{shortened(given)} is neither a text nor a list of texts", key=argument)
    listed = tuple(given)
    for place, one in enumerate(listed):
        text_of(f"{argument}[{place}]", one)
    return listed


def optional_text_of(argument: str, given: object) -> str | None:
    """Return an argument that is one text or None.

    Raises:
        ConfigError: If it is anything else.
    """
    return None if given is None else text_of(argument, given)


def choice_of(argument: str, given: Any, allowed: Sequence[str]) -> Any:  # noqa: ANN401 - what a caller gave
    """Return an argument that is one of a few texts.

    Raises:
        ConfigError: If it is anything else.
    """
    if not isinstance(given, str) or given not in allowed:
        raise ConfigError(f"{shortened(given)} is not allowed", key=argument, value=given, allowed=allowed)
    return given


def function_of(argument: str, given: Any) -> Any:  # noqa: ANN401 - what a caller gave
    """Return an argument that is a function or None.

    Raises:
        ConfigError: If it is anything else.
    """
    if given is not None and not callable(given):
        raise ConfigError(f"{shortened(given)} is not a function", key=argument, hint="Leave it out for none.")
    return given


def path_of(argument: str, given: object) -> Path:
    """Return an argument that is the path of a file or folder.

    Raises:
        ConfigError: If it is anything else, or empty.
    """
    if not isinstance(given, str | os.PathLike) or isinstance(given, bytes) or not str(given):
        raise ConfigError(f"{shortened(given)} is not a path", key=argument, hint="Give a text or a pathlib.Path.")
    return Path(given)


def location_of(argument: str, given: object) -> str:
    """Return an argument that is a folder or an address, such as ``s3://bucket/folder``.

    Raises:
        ConfigError: If it is neither text nor a path, or empty.
    """
    return given if isinstance(given, str) and given else str(path_of(argument, given))


def cache_of(argument: str, given: object) -> str | None:
    """Return an argument that is the local folder of a store at an address, or None.

    Raises:
        ConfigError: If it is anything else.
    """
    return None if given is None else str(path_of(argument, given))


def number_of(argument: str, given: Any, *, least: float) -> float:  # noqa: ANN401 - what a caller gave
    """Return an argument that is a number of at least ``least``.

    Raises:
        ConfigError: If it is anything else.
    """
    if isinstance(given, bool) or not isinstance(given, Real):
        raise ConfigError(f"{shortened(given)} is not a number", key=argument)
    try:
        number = float(given)
    except OverflowError as error:
        raise ConfigError("this number is too large", key=argument, allowed=(f"at most {_LARGEST:,}",)) from error
    if math.isnan(number):
        raise ConfigError(f"{given} is not a number", key=argument)
    if number < least:
        raise ConfigError(f"{given} is out of range", key=argument, allowed=(f"at least {least:g}",))
    return number


def whole_number_of(argument: str, given: Any, *, least: float = -math.inf) -> int:  # noqa: ANN401 - what a caller gave
    """Return an argument that is a whole number, of at least ``least``.

    Raises:
        ConfigError: If it is anything else.
    """
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise ConfigError(f"{shortened(given)} is not a whole number", key=argument)
    if abs(int(given)) > _LARGEST:
        raise ConfigError("this number is too large", key=argument, allowed=(f"at most {_LARGEST:,}",))
    number_of(argument, given, least=least)
    return int(given)
