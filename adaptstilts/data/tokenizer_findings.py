"""What looks wrong in how a tokenizer reads languages: thresholds, sentences, a table, and plain values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from adaptstilts.data.tokenizer_check import Reading
from adaptstilts.errors import CheckpointError
from adaptstilts.formatting import aligned, visible
from adaptstilts.languages import SOURCE_LANGUAGE

# XLM-R's tokenizer on 44 languages of XTREME's and XTREME-R's data, by benchmarks/tokenizer_table.py: at most 0.03 %
# unknown (Chinese), no word changed, no character uncovered; 0.71 sub-tokens per character where words have spaces
# (Korean; the next is 0.56, Yoruba), 0.92 where they have none (Japanese); 2.2 times as many sub-tokens per word as
# English (Quechua).
UNREADABLE = 0.9
"""Share of unknown characters from which a backbone cannot read a language: an error.

Below it a model still sees numbers, names and borrowed words, and somebody may want to show how little that helps.
"""
UNKNOWN = 0.01
"""Share of unknown characters from which a language is named: thirty times the most of XLM-R's tokenizer."""
CHANGED = 0.02
"""Share of words that do not come back from which a language is named. Lower case alone changes far more."""
UNCOVERED = 0.005
"""Share of characters without offsets from which a language is named: answers are cut out of contexts by offsets."""
APART = 0.8
"""Sub-tokens per character from which words with spaces fall apart: four of five letters stand alone."""
APART_UNSPACED = 1.5
"""The same in scripts without spaces, where one sub-token per character is ordinary, and bytes give three."""
TIMES_ENGLISH = 3.0
"""Sub-tokens per word, as a multiple of those in English, from which a language is named."""
CUT_DIFFERENTLY = 0.05
"""Share of words cut in two ways from which a language is named; a tokenizer does so with nearly all, or none."""

_FEW = 6

Level = Literal["error", "warning", "note"]
_LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong with a tokenizer in some languages.

    Attributes:
        kind: ``unreadable``, ``unknown``, ``changed``, ``offsets``, ``apart``, ``long``, ``tags`` or ``prefix_space``.
        level: A note asks for nothing, a warning for a look, an error stops the study.
        languages: Languages, worst first.
        problem: What is wrong, without a full stop.
        hint: What to do about it, as a sentence.
    """

    kind: str
    level: Level
    languages: tuple[str, ...]
    problem: str
    hint: str


@dataclass(frozen=True)
class TokenizerCheck:
    """How the tokenizer of one backbone reads the languages of a study.

    Attributes:
        backbone: The backbone as the configuration names it.
        readings: One per language; none if there is no data yet.
        findings: What looks wrong, errors first.
        problem: Why nothing could be measured, without a full stop; empty if it could.
        hint: What to do about it, as a sentence.
    """

    backbone: str
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class _Rule:
    """A finding of each language whose value, shown in percent if it is a share, reaches its threshold."""

    kind: str
    level: Level
    value: Callable[[Reading], float]
    threshold: Callable[[Reading], float]
    is_share: bool
    problem: str
    hint: str


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %" if value >= 0.1 or not value else f"{100 * value:.1f} %"


_RULES = (
    _Rule(
        "unreadable",
        "error",
        lambda found: found.unknown,
        lambda _: UNREADABLE,
        True,
        "of characters are unknown to the tokenizer, so that the model sees next to nothing of the text",
        "Take a backbone whose vocabulary has the script, or leave the language out.",
    ),
    _Rule(
        "unknown",
        "warning",
        lambda found: found.unknown if found.unknown < UNREADABLE else 0.0,
        lambda _: UNKNOWN,
        True,
        "of characters are unknown to the tokenizer, so that the model cannot tell their words apart",
        "Take a backbone whose vocabulary has them, or read the scores of these languages with that in mind.",
    ),
    _Rule(
        "changed",
        "warning",
        lambda found: found.changed,
        lambda _: CHANGED,
        True,
        "of words do not come back from their sub-tokens",
        "Check do_lower_case and strip_accents in its tokenizer_config.json, or take a cased backbone.",
    ),
    _Rule(
        "offsets",
        "warning",
        lambda found: found.uncovered,
        lambda _: UNCOVERED,
        True,
        "of characters belong to no sub-token, so that answers cut out of a context may lack them",
        "Check the normalizer in its tokenizer.json against the one that the backbone was trained with.",
    ),
    _Rule(
        "apart",
        "warning",
        lambda found: found.per_character,
        lambda found: APART_UNSPACED if found.is_unspaced else APART,
        False,
        "sub-tokens per character: words fall apart into letters or bytes, which the model has hardly learnt from",
        "Take a backbone that was trained on these languages, and a larger max_length if you stay with this one.",
    ),
    _Rule(
        "tags",
        "warning",
        lambda found: found.tags_differ,
        lambda _: CUT_DIFFERENTLY,
        True,
        "of words are cut differently in tagged sentences and inside running text",
        "Set add_prefix_space to true in its tokenizer_config.json, or keep this backbone from tagging.",
    ),
    _Rule(
        "prefix_space",
        "note",
        lambda found: found.starts_differ if found.tags_differ < CUT_DIFFERENTLY else 0.0,
        lambda _: CUT_DIFFERENTLY,
        True,
        "of words are cut differently at the start of a text and inside it, for want of a space before the first word",
        "Nothing to do: tagged words get that space, and other texts begin as the tokenizer has them begin.",
    ),
)


def judged(backbone: str, readings: Sequence[Reading]) -> TokenizerCheck:
    """Compare what was measured with the thresholds."""
    found = [*_by_rules(readings), *_long(readings)]
    return TokenizerCheck(backbone, tuple(readings), tuple(sorted(found, key=lambda item: _LEVELS.index(item.level))))


def _by_rules(readings: Sequence[Reading]) -> Iterator[Finding]:
    for rule in _RULES:
        found = [reading for reading in readings if rule.value(reading) >= rule.threshold(reading)]
        found.sort(key=lambda reading: (-rule.value(reading), reading.language))
        if found:
            as_text = _percent if rule.is_share else "{:.2f}".format
            named = _named([(reading.language, as_text(rule.value(reading))) for reading in found])
            losses = _losses(found) if rule.kind == "changed" else ""
            yield Finding(rule.kind, rule.level, _languages(found), f"in {named} {rule.problem}{losses}", rule.hint)


def _long(readings: Sequence[Reading]) -> Iterator[Finding]:
    english = next((reading.per_word for reading in readings if reading.language == SOURCE_LANGUAGE), 0.0)
    found = [
        reading for reading in readings if not reading.is_unspaced and reading.per_word >= TIMES_ENGLISH * english > 0
    ]
    found.sort(key=lambda reading: (-reading.per_word, reading.language))
    if found:
        named = _named([(reading.language, f"{reading.per_word / english:.1f}") for reading in found])
        problem = f"in {named} times as many sub-tokens per word as in English, so that less text fits into a row"
        hint = "Raise max_length, or take a backbone whose vocabulary was made for these languages."
        yield Finding("long", "warning", _languages(found), problem, hint)


def _languages(found: Sequence[Reading]) -> tuple[str, ...]:
    return tuple(reading.language for reading in found)


def _named(found: Sequence[tuple[str, str]]) -> str:
    """Return the languages with their values, the worst few by name."""
    shown = ", ".join(f"{language} {value}" for language, value in found[:_FEW])
    return shown if len(found) <= _FEW else f"{shown} and {len(found) - _FEW} more"


def _losses(found: Sequence[Reading]) -> str:
    """Return what changed words lose, with the first example of the language that is changed most."""
    worst = found[0]
    parts = ["capital letters become small"] if worst.lowered else []
    lost = dict.fromkeys(character for reading in found for character in reading.lost)
    parts += [f"lost: {', '.join(_shown(character) for character in list(lost)[:_FEW])}"] if lost else []
    example = f"'{worst.example[0]}' becomes '{worst.example[1]}'" if worst.example else ""
    return f" ({'; '.join([*parts, example])})" if parts or example else ""


def _shown(character: str) -> str:
    """Return a letter as it is, and a mark, which cannot stand alone, by its name in Unicode."""
    if unicodedata.category(character)[0] != "M":
        return character
    return unicodedata.name(character, f"U+{ord(character):04X}").lower()


def table(checks: Sequence[TokenizerCheck]) -> str:
    """Return a line per backbone and language, and a sentence per finding; empty if nothing was measured."""
    blocks = []
    for check in checks:
        lines = [f"Tokenizer of {check.backbone}"]
        if check.problem:
            lines += [f"not measured: {check.problem}. {check.hint}".rstrip()]
        elif check.readings:
            lines += aligned([_HEADER, *map(_cells, check.readings)], "<>")
            shown = [f"{finding.level}: {finding.problem}. {finding.hint}" for finding in check.findings]
            lines += shown or ["nothing looks wrong"]
        else:
            continue
        blocks.append("\n".join(map(visible, lines)))
    return "\n\n".join(blocks)


_HEADER = ("language", "texts", "per word", "per character", "unknown", "changed", "uncovered", "starts differ")


def _cells(found: Reading) -> tuple[str, ...]:
    return (
        found.language,
        f"{found.rows:,}",
        "-" if found.is_unspaced else f"{found.per_word:.2f}",
        f"{found.per_character:.2f}",
        *(_percent(value) for value in (found.unknown, found.changed, found.uncovered, found.starts_differ)),
    )


def values(checks: Sequence[TokenizerCheck]) -> list[dict[str, Any]]:
    """Return checks as plain values: ``backbone``, ``problem``, ``hint``, ``languages``, ``findings``."""
    return [
        {
            "backbone": check.backbone,
            "problem": check.problem,
            "hint": check.hint,
            "languages": [asdict(reading) for reading in check.readings],
            "findings": [asdict(finding) for finding in check.findings],
        }
        for check in checks
    ]


def unreadable(checks: Sequence[TokenizerCheck]) -> tuple[CheckpointError, ...]:
    """Return an error for each backbone and the languages of which it knows hardly any character."""
    return tuple(
        CheckpointError(
            f"'{check.backbone}' cannot read {', '.join(finding.languages)}: {finding.problem}",
            key="backbone",
            hint=finding.hint,
        )
        for check in checks
        for finding in check.findings
        if finding.level == "error"
    )
