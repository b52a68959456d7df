"""Sentence splitting of English text, for training on answers that are whole sentences.

The sentence breaker of LAReQA's baseline (google-research/xtreme, third_party/processors/sb_sed.py) is a list of some
thirty substitutions fitted to SQuAD. This is a shorter rule of our own, for training data only; evaluation data bring
sentence boundaries from the publisher.
"""

from __future__ import annotations

import re

_BREAK = re.compile(r"""([.?!])["'”’)\]]*(?:\[[^\]\s]{1,20}\])*(\s+)(?=["'“‘(\[]?[A-Z0-9])""")
_LAST_WORD = re.compile(r"""[^\s("'“‘\[]+$""")
_LONGEST_WORD = 100
"""Characters in front of a full stop that are looked at; all abbreviations are shorter."""
_INITIALS = re.compile(r"(?:[A-Z]\.)*[A-Z]")
_ABBREVIATIONS = frozenset(
    [
        *("Mr", "Mrs", "Ms", "Dr", "Prof", "Fr", "Rev", "St", "Sr", "Jr", "Lt", "Gen", "Col", "Maj", "Adm", "Capt"),
        *("Sgt", "Rep", "Gov", "Sen", "Pres", "Mt", "Ft", "No", "Vol", "Art", "Sec", "Op", "Rs", "Jan", "Feb", "Mar"),
        *("Apr", "Aug", "Sept", "Oct", "Nov", "Dec", "e.g", "i.e", "vs", "cf", "approx", "ca", "al", "pp", "p", "c"),
        *("b", "d", "fl", "etc"),
    ]
)
"""Words whose full stop does not end a sentence."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Find the sentences of an English text.

    A sentence ends at ``.``, ``?`` or ``!`` (closing quotes, brackets and editorial marks such as ``[2]`` included)
    where white space and then a capital letter or a digit follows, but not after an abbreviation or initials.

    Returns:
        First character and the one after the last of each sentence, without white space around it; together they cover
        everything but white space.
    """
    cuts = [0]
    for found in _BREAK.finditer(text):
        if found[1] == "." and _goes_on(text, found.start()):
            continue
        cuts.append(found.end())
    spans = []
    for first, after in zip(cuts, [*cuts[1:], len(text)], strict=True):
        sentence = text[first:after]
        kept = sentence.strip()
        if kept:
            start = first + sentence.index(kept[0])
            spans.append((start, start + len(kept)))
    return spans


def _goes_on(text: str, stop: int) -> bool:
    """Return whether the full stop at a place follows an abbreviation or initials."""
    word = _LAST_WORD.search(text[max(stop - _LONGEST_WORD, 0) : stop])
    return word is not None and (word[0] in _ABBREVIATIONS or _INITIALS.fullmatch(word[0]) is not None)
