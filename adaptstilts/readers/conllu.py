"""Reader of Universal Dependencies' CoNLL-U files by the rules that produced XTREME's UDPOS.

Source of the rules: google-research/xtreme, scripts/download_data.sh, third_party/ud-conversion-tools (reading with
fused forms) and utils_preprocess.py (function udpos_preprocess).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.readers.lines import Request, expect_columns, label_index, text_lines
from adaptstilts.tasks.examples import TagExample

BLANK = "_"
"""Form of a word whose text may not be redistributed."""
COLUMNS = 10
DROPPED = "sentences without text (their words are `_`)"
"""Key under which `Request.dropped` counts such sentences."""

_PRECEDENCE = {
    language: {tag: rank for rank, tag in enumerate(tags.split())}
    for language, tags in {
        "": "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT",
        "es": "VERB AUX PRON ADP DET",
        "fr": "VERB AUX PRON NOUN ADJ ADV ADP DET PART SCONJ CONJ",
        "it": "VERB AUX ADV PRON ADP DET INTJ",
    }.items()
}
"""Tags of a fused token, best first, where several of its words are equally near the root; by language, "" for others.

Source: XTREME's copy of ud-conversion-tools, conllu_to_conll.py. It fails on a tag that its list lacks; here such a tag
comes after all others.
"""


@dataclass
class _Sentence:
    """Syntactic words, heads and multi-word tokens of one sentence.

    Attributes:
        words: Form and tag of each syntactic word, in order.
        heads: Numbers of the words (from 1; 0 for the root) that each word depends on, in the basic or the enhanced
            graph.
        spans: First and last word, and form, of each multi-word token.
    """

    words: list[tuple[str, int]] = field(default_factory=list)
    heads: list[set[int]] = field(default_factory=list)
    spans: list[tuple[int, int, str]] = field(default_factory=list)


def read_conllu(request: Request) -> Iterator[TagExample]:
    """Read the treebanks of a language as XTREME does.

    A multi-word token becomes one word: its surface form, with the tag of the word of its span that is nearest the root
    (has the fewest ancestors in the basic and enhanced graphs together; ties by `_PRECEDENCE`, then the first). Empty
    nodes are left out, as are U+200C and spaces within forms. A sentence in which all words, or all but one, are `_` is
    left out and counted.

    Yields:
        The sentences; ids are positions over all files, in the order of ``request.paths``.
    """
    ranks = _PRECEDENCE.get(request.language, _PRECEDENCE[""])
    tags = tuple(request.labels)
    count = 0
    for path in request.paths:
        for sentence in _sentences(path, request):
            words = _fuse_tokens(sentence, [ranks.get(tag, len(ranks)) for tag in tags])
            blanks = sum(form == BLANK for form, _ in words)
            if blanks and blanks >= len(words) - 1:
                request.dropped[DROPPED] += 1
                continue
            forms = [_clean(form) for form, _ in words]
            for example in request.with_words(str(count), forms, [tag for _, tag in words]):
                yield example
                count += 1


def _clean(form: str) -> str:
    return form.strip().replace("\u200c", "").replace(" ", "")


def _sentences(path: Path, request: Request) -> Iterator[_Sentence]:
    classes = {tag: index for index, tag in enumerate(request.labels)}
    rows: list[tuple[int, str]] = []
    for line, text in text_lines(path):
        if not text.strip():
            with request.row:
                yield from _parse_sentence(rows, classes, (path, line))
            rows = []
        elif not text.startswith("#"):
            rows.append((line, text))
    with request.row:
        yield from _parse_sentence(rows, classes, (path, None))


def _parse_sentence(
    rows: list[tuple[int, str]], classes: dict[str, int], end: tuple[Path, int | None]
) -> Iterator[_Sentence]:
    """Parse the lines of one sentence; yield nothing where they hold no word."""
    sentence = _Sentence()
    for line, text in rows:
        _add(sentence, text, classes, (end[0], line))
    if sentence.words:
        yield _check_references(sentence, *end)


def _add(sentence: _Sentence, text: str, classes: dict[str, int], at: tuple[Path, int]) -> None:
    """Add a line to a sentence; lines of empty nodes (``8.1``) are left out."""
    columns = text.split("\t")
    expect_columns(columns, (COLUMNS,), *at)
    number, form, tag = columns[0], columns[1], columns[3]
    if "." in number:
        return
    if "-" in number:
        first, _, last = number.partition("-")
        sentence.spans.append((_number(first, at), _number(last, at), form))
        return
    if _number(number, at) != len(sentence.words) + 1:
        raise DataError(f"word {number} follows word {len(sentence.words)}", path=at[0], line=at[1], key="ID")
    sentence.words.append((form, label_index(tag, classes, *at, key="tag")))
    heads = {int(columns[6])} if columns[6].isdecimal() else set()
    if columns[8] != BLANK:
        enhanced = (part.partition(":")[0] for part in columns[8].split("|"))
        heads.update(int(head) for head in enhanced if head.isdecimal())
    sentence.heads.append(heads)


def _number(text: str, at: tuple[Path, int]) -> int:
    if not text.isdecimal():
        raise DataError(f"'{text}' is not the number of a word", path=at[0], line=at[1], key="ID")
    return int(text)


def _check_references(sentence: _Sentence, path: Path, line: int | None) -> _Sentence:
    """Refuse spans and heads that point outside the sentence; ``line`` is the line after it."""
    words = len(sentence.words)
    for first, last, form in sentence.spans:
        if not 1 <= first <= last <= words:
            raise DataError(
                f"'{form}' spans words {first}-{last}, but the sentence has {words}", path=path, line=line, key="ID"
            )
    for number, heads in enumerate(sentence.heads, start=1):
        if heads and max(heads) > words:
            raise DataError(
                f"word {number} has head {max(heads)}, but the sentence has {words} words",
                path=path,
                line=line,
                key="HEAD",
            )
    return sentence


def _fuse_tokens(sentence: _Sentence, ranks: list[int]) -> list[tuple[str, int]]:
    """Return form and tag of the sentence's tokens, with multi-word tokens fused."""
    words: dict[int, tuple[str, int]] = dict(enumerate(sentence.words, start=1))
    for first, last, form in sentence.spans:
        span = range(first, last + 1)
        depth = {number: _ancestors(number, sentence.heads) for number in span}
        nearest = [number for number in span if depth[number] == min(depth.values())]
        head = min(nearest, key=lambda number: ranks[sentence.words[number - 1][1]])
        for number in span:
            words.pop(number, None)
        words[head] = (form, sentence.words[head - 1][1])
    return [words[number] for number in sorted(words)]


def _ancestors(word: int, heads: list[set[int]]) -> int:
    """Count the ancestors of a word, the root among them."""
    seen: set[int] = set()
    waiting = list(heads[word - 1])
    while waiting:
        head = waiting.pop()
        if head not in seen:
            seen.add(head)
            waiting += heads[head - 1] if head else ()
    return len(seen - {word})
