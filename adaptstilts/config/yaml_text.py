"""YAML text to plain values, with the line of each key; bounded before anything is built from it.

Aliases let a few lines stand for millions of values, so the parsed nodes are counted first.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from adaptstilts.config.plain import (
    MOST_LEVELS,
    MOST_VALUES,
    KeyPath,
    dotted,
    shown,
    too_deep,
    too_large,
    too_many,
    within_itself,
)
from adaptstilts.errors import ConfigError
from adaptstilts.files import BEGINNING, cause_of, read_bytes

_MOST_BYTES = 1 << 18
_MOST_DIGITS = 40
"""Longer whole numbers are not even converted; `config.plain` says which are too large."""
_MOST_WRITTEN = 30_000
"""Keys and values of one text, in which aliases count once."""
_PREFIX = "tag:yaml.org,2002:"
_TAGS = frozenset({"null", "merge", "bool", "int", "float", "str", "seq", "map"})


class _Loader(yaml.SafeLoader):
    """YAML in which plain values mean what people expect.

    ``1e-4`` is a number, ``no`` is a language code and only true and false are booleans; dates, ``1:30``, ``010`` and
    ``0x10`` are text.
    """

    written = 0
    levels = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node, unless too many are written or it is too deep: each takes PyYAML 0.1 ms and more."""
        self.written += 1
        if self.written > _MOST_WRITTEN:
            raise _TooManyError(self.line + 1)
        if self.levels > 2 * MOST_LEVELS:
            raise RecursionError
        self.levels += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.levels -= 1


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in {"null", "merge"}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PATTERNS = {
    "bool": (re.compile(r"^(?:true|false|True|False)$"), "tfTF"),
    "int": (re.compile(r"^[-+]?(?:0|[1-9]\d*(?:_\d+)*)$"), "-+0123456789"),
    "float": (
        re.compile(
            r"^[-+]?(?:\d+\.\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(?:inf|Inf)|\.(?:nan|NaN))$"
        ),
        "-+0123456789.",
    ),
}
_HINTS = {
    "found character '\\t'": "Indent with blanks, not with tabs.",
    "that cannot start any token": "Write text that begins with this character in quotation marks.",
    "mapping values are not allowed": (
        "Each key has the indentation of its section, and a blank after its colon; quote text with ': ' in it."
    ),
    "could not find expected ':'": "A configuration is a list of `key: value` lines.",
    "but found '<block mapping start>'": "Indent all lines of a section alike.",
    "but found another document": "Keep one of the documents, without the line `---` between them.",
    "expected ',' or": "Close the bracket, or put a comma between its values.",
    "expected the node content": "Close each bracket, and write a value before each comma.",
    "found unexpected end of stream": "Close the quotation mark.",
}
"""What to do, by a part of PyYAML's message."""
for _kind, (_pattern, _firsts) in _PATTERNS.items():
    _Loader.add_implicit_resolver(_PREFIX + _kind, _pattern, list(_firsts))


def read_yaml(path: Path, hint: str) -> tuple[dict[str, Any], dict[KeyPath, int], str]:
    """Read a YAML file of ``key: value`` lines.

    Args:
        path: The file.
        hint: What to do if it is not there.

    Returns:
        Its values, of which aliases may share some, the line of each key and list item, and the SHA-256 of the file.

    Raises:
        ConfigError: If it is missing, is not an ordinary file, is too long, or is not YAML of that form.
    """
    try:
        content = read_bytes(path, _MOST_BYTES, ConfigError, f"Give a YAML file. {hint}")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise ConfigError("no such configuration file", path=path, hint=hint) from error
    text = _decoded(content, path)
    lines: dict[KeyPath, int] = {}
    try:
        values = _values(text, path, lines)
    except yaml.MarkedYAMLError as error:
        _refuse_other_file(content, path)
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError(f"not valid YAML: {error.problem}", path=path, line=line, hint=_hint(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"not valid YAML: {_foreign(error)}", path=path, line=line, hint="Remove it.") from error
    if values is None and not text.strip():
        values = {}
    if not isinstance(values, dict):
        _refuse_other_file(content, path)
        raise ConfigError(
            "contains no keys", path=path, line=1, hint="A configuration is a list of `key: value` lines."
        )
    return values, lines, hashlib.sha256(content).hexdigest()


def yaml_value(text: str, key: str) -> Any:  # noqa: ANN401 - what YAML holds
    """Return the value that a YAML text stands for.

    Raises:
        ConfigError: If it is not YAML; ``key`` is named.
    """
    try:
        return _values(text, None, {}, key)
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{shown(text)}: {_foreign(error)}", key=key, hint="Remove it.") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{shown(text)} is not a YAML value", key=key, hint=_hint(error)) from error


def _values(text: str, path: Path | None, lines: dict[KeyPath, int], key: str | None = None) -> Any:  # noqa: ANN401
    """Parse a text; fill ``lines`` with the line of each key."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Count(path, key).weigh(node, ())
        _collect_lines(node, (), lines, path)
        return loader.construct_document(node)
    except _TooManyError as error:
        where = {"key": key} if path is None else {"path": path, "line": error.line}
        problem = f"has more than {_MOST_WRITTEN:,} keys and values"
        raise ConfigError(problem, hint="Shorten it, or split it into several configurations.", **where) from error
    except RecursionError as error:  # nested brackets: PyYAML gives up before they can be counted
        raise too_deep(path=path, key=key) from error
    finally:
        loader.dispose()


def _hint(error: yaml.MarkedYAMLError) -> str | None:
    problem = str(error.problem)
    return next((hint for part, hint in _HINTS.items() if part in problem), None)


class _TooManyError(Exception):
    """A text has more keys and values than any configuration; carries the line."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


def _foreign(error: yaml.reader.ReaderError) -> str:
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return f"the character U+{code:04X} cannot stand in it"


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_other_file(content, path)
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8 text: byte 0x{content[error.start]:02x}"
        raise ConfigError(problem, path=path, line=line, hint="Save it as UTF-8 text.") from error


def _refuse_other_file(content: bytes, path: Path) -> None:
    """Refuse what cannot be read since it stands in for the file, such as a web page."""
    cause = cause_of(content[:BEGINNING], has_lines=False)
    if cause is not None:
        raise ConfigError(cause, path=path)


class _Count:
    """Counts the values that the nodes of a document stand for, aliases included, and refuses what has no bound."""

    def __init__(self, path: Path | None, key: str | None) -> None:
        self._path = path
        self._key = key
        self._known: dict[int, tuple[int, int]] = {}
        self._open: set[int] = set()

    def weigh(self, node: yaml.Node, place: KeyPath) -> tuple[int, int]:
        """Return the number of values and of levels of a node.

        Raises:
            ConfigError: If a value contains itself, there are too many of them, or one is of a kind that is not used.
        """
        if id(node) in self._known:
            return self._known[id(node)]
        where = self._where(node, place)
        if id(node) in self._open:
            raise within_itself(hint="Remove the alias (*).", **where)
        if isinstance(node, yaml.ScalarNode):
            self._check_scalar(node, where)
        elif node.tag.removeprefix(_PREFIX) not in _TAGS:
            raise _not_used(node, where)
        self._open.add(id(node))
        count, levels = 1, 0
        for inner, child in _children(node, place):
            more, deep = self.weigh(child, inner)
            count, levels = count + more, max(levels, deep)
        self._open.discard(id(node))
        if count > MOST_VALUES:
            raise too_many(hint="Aliases (*) count wherever they are used.", **where)
        if levels >= MOST_LEVELS:
            raise too_deep(**where)
        self._known[id(node)] = count, levels + 1
        return self._known[id(node)]

    def _where(self, node: yaml.Node, place: KeyPath) -> dict[str, Any]:
        if self._path is None:
            return {"key": self._key}
        return {"path": self._path, "line": node.start_mark.line + 1, "key": dotted(place) or None}

    def _check_scalar(self, node: yaml.ScalarNode, where: dict[str, Any]) -> None:
        kind = node.tag.removeprefix(_PREFIX)
        if kind == "int" and len(node.value) > _MOST_DIGITS and _PATTERNS["int"][0].match(node.value):
            raise too_large(f"a whole number of {len(node.value):,} digits", **where)
        if kind == "float" and _is_beyond(node.value):
            problem = f"{node.value[:40]} is beyond the largest number, 1.8e308"
            raise ConfigError(problem, hint="Write it in quotation marks if it is text, such as a commit.", **where)
        fits = kind not in _PATTERNS or _PATTERNS[kind][0].match(node.value) is not None
        if kind not in _TAGS or not fits:
            raise _not_used(node, where)


def _is_beyond(text: str) -> bool:
    """Return whether a number in digits is infinite nevertheless; ``.inf`` and ``.nan`` say what they are."""
    return text[-1].isdigit() and _PATTERNS["float"][0].match(text) is not None and math.isinf(float(text))


def _not_used(node: yaml.Node, where: dict[str, Any]) -> ConfigError:
    tag = node.tag.replace(_PREFIX, "!!")
    return ConfigError(f"the tag {tag[:100]} cannot stand here", hint="Write the value without a tag.", **where)


def _children(node: yaml.Node, place: KeyPath) -> Iterator[tuple[KeyPath, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*place, _name(key))
            yield here, key
            yield here, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value


def _name(key: yaml.Node) -> str:
    """Return a key as `adaptstilts.config.plain.PlainCopy` names it."""
    if not isinstance(key, yaml.ScalarNode):
        return "?"
    kind = key.tag.removeprefix(_PREFIX)
    return "null" if kind == "null" else str(key.value).lower() if kind == "bool" else str(key.value)


def _collect_lines(node: yaml.Node, prefix: KeyPath, lines: dict[KeyPath, int], path: Path | None) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*prefix, _name(key))
            if here in lines:
                line = key.start_mark.line + 1
                raise ConfigError("is given twice", path=path, line=line, key=dotted(here), hint="Keep one of the two.")
            lines[here] = key.start_mark.line + 1
            _collect_lines(value, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*prefix, index)] = value.start_mark.line + 1
            _collect_lines(value, (*prefix, index), lines, path)
