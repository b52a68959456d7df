"""Parallel sentences of the mini world for retrieval and mining."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from adaptstilts.mini import edits
from adaptstilts.mini.corpus import Line, realise, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.world import tell

Parallel = dict[str, str]
"""Language code -> text, all with the same meaning."""
_LENGTHS = (1, 1, 2)
"""Lengths of texts in sentences, drawn evenly."""


@dataclass(frozen=True)
class Collection:
    """Sentences to be mined for one language pair.

    Attributes:
        foreign: (id, sentence) pairs of the other language.
        english: (id, sentence) pairs of English.
        gold: (foreign id, English id) pairs.
    """

    foreign: tuple[tuple[str, str], ...]
    english: tuple[tuple[str, str], ...]
    gold: tuple[tuple[str, str], ...]


def parallel(count: int, rng: Random, seen: set[str]) -> list[Parallel]:
    """Generate texts that differ, in every language, from each other and from those in `seen`, which is extended."""
    made: list[Parallel] = []
    while len(made) < count:
        line = _line(rng, rng.choice(_LENGTHS))
        if line is None:
            continue
        texts = {code: text(realise(grammar, line)) for code, grammar in grammars().items()}
        if any(f"{code}:{said}" in seen for code, said in texts.items()):
            continue
        seen.update(f"{code}:{said}" for code, said in texts.items())
        made.append(texts)
    return made


def _line(rng: Random, length: int) -> Line | None:
    story = tell(rng)
    start = rng.randrange(len(story.clauses))
    clauses = [edits.enrich(rng, clause, 0.35) for clause in story.clauses[start : start + length]]
    openers = (None, *story.connectives[start + 1 : start + length])
    return tuple(zip(clauses, openers, strict=True)) if len(clauses) == length else None


def mining(language: str, texts: list[Parallel], pairs: int, rng: Random) -> Collection:
    """Lay out two collections, in random orders, of which some sentences are translations of each other.

    The first `pairs` texts stand on both sides; of the rest, half stand on one side and half on the other as
    distractors.
    """
    rest = texts[pairs:]
    middle = len(rest) // 2
    foreign = _shuffled(rng, [*texts[:pairs], *rest[:middle]])
    english = _shuffled(rng, [*texts[:pairs], *rest[middle:]])
    foreign_ids = {id(item): f"{language}-{index + 1:09d}" for index, item in enumerate(foreign)}
    english_ids = {id(item): f"en-{index + 1:09d}" for index, item in enumerate(english)}
    return Collection(
        tuple((foreign_ids[id(item)], item[language]) for item in foreign),
        tuple((english_ids[id(item)], item["en"]) for item in english),
        tuple(sorted((foreign_ids[id(item)], english_ids[id(item)]) for item in texts[:pairs])),
    )


def _shuffled(rng: Random, texts: list[Parallel]) -> list[Parallel]:
    rng.shuffle(texts)
    return texts
