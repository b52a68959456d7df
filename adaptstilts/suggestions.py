"""What somebody may have meant by a name that is not known: another spelling, another code, a near match."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate

_NO_LETTER_OR_DIGIT = re.compile(r"[\W_]+")
_REGIONAL = re.compile(r"([A-Za-z]{2,3})[-_][A-Za-z0-9]{2}.*")
_OTHER_NAMES: dict[str, str] = {}
"""Folded name -> name in this package, of languages, data sets and settings."""


def add_names(names: Mapping[str, str]) -> None:
    """Make other names known: each with the name that this package uses."""
    _OTHER_NAMES.update({_folded(other): name for other, name in names.items()})


def near_matches(value: object, allowed: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the allowed texts that a value may stand for, the best first.

    Upper and lower case, and signs other than letters and digits, make no difference. Other names that are known for an
    allowed text count before those that are merely like it; of a code with a region or script (``zh-CN``) the language.
    """
    folded: dict[str, list[str]] = {}
    for text in allowed:
        folded.setdefault(_folded(text), []).append(text)
    word = str(value).strip()
    regional = _REGIONAL.fullmatch(word)
    found: list[str] = []
    for form in (word, *([] if regional is None else [regional[1]])):
        for meant in (_folded(form), _folded(_OTHER_NAMES.get(_folded(form), ""))):
            found += folded.get(meant, ())
    plain = _folded(word[:_LONGEST])
    names = _some(plain, [name for name in folded if len(name) > _SHORT or len(plain) <= _SHORT + 1])
    close = difflib.get_close_matches(plain, names, n=max(most, _MOST_COMPARED), cutoff=cutoff)
    likely = [text for match in close for text in folded[match]]
    likely.sort(key=lambda text: -_likeness(word[:_LONGEST], text))
    return list(dict.fromkeys([*found, *likely]))[:most]


_LONGEST = 200
"""Characters of a value that are compared; no name is longer."""
_SHORT = 2
"""Letters of a code; a word with two letters more has its letters by chance."""
_MOST_COMPARED = 8
"""Names alike but for signs that are put in order with their signs."""


_MOST_WORK = 10_000_000
"""Most characters of names that are compared, times those of the word: about a second."""


def _some(word: str, names: list[str]) -> list[str]:
    """Return the first of the names, as many as can be compared with a word soon: a file may have very many."""
    names = [name for name in names if len(name) <= 2 * _LONGEST]
    ends = list(accumulate(map(len, names)))
    return names[: bisect_right(ends, _MOST_WORK // max(len(word), 1))]


def _likeness(word: str, text: str) -> float:
    """Return how alike two names are, with their signs and without: ``a1000`` is rather ``a100`` than ``a100-40``."""
    pairs = ((word.casefold(), text.casefold()), (_folded(word), _folded(text)))
    return sum(difflib.SequenceMatcher(None, second, first).ratio() for first, second in pairs)


def _folded(text: str) -> str:
    return _NO_LETTER_OR_DIGIT.sub("", text.casefold())


add_names(
    {
        "squad": "squad1",
        "squad v1": "squad1",
        "squad 1.1": "squad1",
        "squad v1.1": "squad1",
        "squad v2": "squad2",
        "squad 2.0": "squad2",
        "squad v2.0": "squad2",
        "multinli": "mnli",
        "csqa": "commonsenseqa",
        "cosmos": "cosmosqa",
        "social iqa": "siqa",
        "supertagging": "ccg",
        "wikiann": "panx",
        "ner": "panx",
        "pos": "udpos",
        "ud": "udpos",
        "tydi": "tydiqa",
        "tydiqa goldp": "tydiqa",
        "bucc": "bucc2018",
        "xquad-r": "lareqa",
        "mewsli-x": "mewslix",
        "gpu": "cuda",
        "lr": "learning_rate",
        "bs": "batch_size",
        "batch": "batch_size",
        "steps": "max_steps",
        "pfeiffer": "seq_bn",
        "houlsby": "double_seq_bn",
        "parallel": "par_bn",
    }
)
