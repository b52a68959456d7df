"""Plain values of a configuration, wherever they come from: copied, bounded, and without text that no file can hold."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, TypeAlias

from adaptstilts import formatting
from adaptstilts.addresses import shown_address
from adaptstilts.errors import ConfigError

KeyPath: TypeAlias = "tuple[str | int, ...]"
MOST_LEVELS = 40
"""Most sections and lists within each other."""
MOST_VALUES = 100_000
"""Most values in one configuration."""
_LARGEST = 2**63 - 1


def shown(value: object) -> str:
    """Return a value for a message, as `adaptstilts.formatting.shown` does, without what logs in."""
    return formatting.shown(_without_secrets(value))


def _without_secrets(value: object) -> object:
    """Hide what logs in to addresses before a text is shortened: half an address does not show that it is one."""
    if isinstance(value, str):
        return shown_address(value)
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_secrets(item) for key, item in value.items()}
    return value


def dotted(key: KeyPath) -> str:
    """Return a key path as text, such as ``target.tasks[1]``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def too_deep(**where: Any) -> ConfigError:  # noqa: ANN401 - fields of an error
    """Return the error about values within values within values."""
    problem = f"sections and lists are nested more than {MOST_LEVELS} levels deep"
    return ConfigError(problem, **{"hint": "Remove brackets or indentation.", **where})


def too_many(**where: Any) -> ConfigError:  # noqa: ANN401 - fields of an error
    """Return the error about more values than any configuration has."""
    return ConfigError(f"stands for more than {MOST_VALUES:,} values", **{"hint": "Shorten it.", **where})


def too_large(found: str, **where: Any) -> ConfigError:  # noqa: ANN401 - fields of an error
    """Return the error about a whole number that is too large to compute with."""
    return ConfigError(f"{found} is too large", allowed=(f"at most {_LARGEST:,}",), **where)


def within_itself(**where: Any) -> ConfigError:  # noqa: ANN401 - fields of an error
    """Return the error about a value that is a part of itself."""
    return ConfigError("a value contains itself", **where)


class PlainCopy:
    """Copies values so that each use of a YAML alias (*) is its own object and can be overridden alone.

    Tuples and paths, which YAML does not have, become lists and text; numbers and flags of other libraries, such as
    numpy's, become Python's.

    Args:
        where: Returns fields of an error for a key path, such as file and line.
    """

    def __init__(self, where: Any) -> None:  # noqa: ANN401 - a function
        self._where = where
        self._count = 0
        self._open: set[int] = set()

    def of(self, value: Any, key: KeyPath = ()) -> Any:  # noqa: ANN401 - plain values
        """Return a copy of a value.

        Raises:
            ConfigError: If it contains itself, is nested too deep, stands for too many values, or holds a number or a
                text that cannot be used.
        """
        self._count += 1
        if self._count > MOST_VALUES:
            raise too_many(**self._where(key[:1]))
        if getattr(value, "shape", None) == ():  # numpy's
            value = value.item()
        if isinstance(value, str | Path):
            return self._text(str(value), key)
        if isinstance(value, bool):
            return value
        if isinstance(value, Integral):
            return self._whole(int(value), key)
        if not isinstance(value, Mapping | list | tuple):
            return value
        if id(value) in self._open:
            raise within_itself(**self._where(key[:1]))
        if len(self._open) >= MOST_LEVELS:
            raise too_deep(**self._where(key[:1]))
        self._open.add(id(value))
        copied: Any
        if isinstance(value, Mapping):
            copied = {}
            for name, item in value.items():
                text = self._text(shown(name) if name is None or isinstance(name, bool) else str(name), key)
                if text in copied:
                    raise ConfigError("is given twice", **self._where((*key, text)))
                copied[text] = self.of(item, (*key, text))
        else:
            copied = [self.of(item, (*key, number)) for number, item in enumerate(value)]
        self._open.discard(id(value))
        return copied

    def _whole(self, number: int, key: KeyPath) -> int:
        if abs(number) > _LARGEST:
            raise too_large("this whole number", **self._where(key))
        return number

    def _text(self, text: str, key: KeyPath) -> str:
        """Return a text whose surrogates are joined in pairs, as JSON has them."""
        if text.isascii():
            if "\0" in text:
                raise ConfigError("holds the character U+0000, which no file can hold", **self._where(key))
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            hint = "Write the character itself, or remove the escape."
            problem = f"{shown(text)} holds half a character (an unpaired surrogate), which no file can hold"
            raise ConfigError(problem, hint=hint, **self._where(key)) from error
