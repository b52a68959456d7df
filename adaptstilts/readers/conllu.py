"""Reader of Universal Dependencies' CoNLL-U files by the rules that produced XTREME's UDPOS.

Source of the rules: google-research/xtreme, scripts/download_data.sh, third_party/ud-conversion-tools (reading with
fused forms) and utils_preprocess.py (function udpos_preprocess).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adaptstilts.errors import DataError
from adaptstilts.formatting import cut, number_text
from adaptstilts.readers.lines import Request, expect_columns, label_index, text_lines
from adaptstilts.tasks.examples import TagExample

BLANK = "_"
"""Form of a word whose text may not be redistributed."""
COLUMNS = 10
_MOST_WORDS = 20_000
_MOST_DIGITS = 9
DROPPED = ("sentence", "without text (with `_` for its words)")
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
    line = 1
    for line, text in text_lines(path):
        if not text.strip():
            with request.row:
                yield from _parse_sentence(rows, classes, (path, line))
            rows = []
        elif not text.startswith("#"):
            rows.append((line, text))
    with request.row:
        yield from _parse_sentence(rows, classes, (path, line))


def _parse_sentence(rows: list[tuple[int, str]], classes: dict[str, int], end: tuple[Path, int]) -> Iterator[_Sentence]:
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
    if len(sentence.words) == _MOST_WORDS:
        problem = f"the sentence goes on after {_MOST_WORDS:,} words"
        raise DataError(problem, path=at[0], line=at[1], hint="Put a blank line after each sentence.")
    sentence.words.append((form, label_index(tag, classes, *at, key="tag")))
    named = [columns[6]]
    if columns[8] != BLANK:
        named += [part.partition(":")[0] for part in columns[8].split("|")]
    sentence.heads.append({_number(head, at, key="HEAD") for head in named if head.isdecimal()})


def _number(text: str, at: tuple[Path, int], key: str = "ID") -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise DataError(f"'{cut(text)}' is not the number of a word", path=at[0], line=at[1], key=key)
    return int(text)


def _check_references(sentence: _Sentence, path: Path, line: int) -> _Sentence:
    """Refuse spans that overlap, and spans and heads that point outside the sentence; ``line`` is the line after it."""
    words = len(sentence.words)
    before = 0
    for first, last, form in sorted(sentence.spans):
        if not 1 <= first <= last <= words:
            problem = f"'{cut(form)}' spans words {first}-{last}, but the sentence has {words}"
            raise DataError(problem, path=path, line=line, key="ID")
        if first <= before:
            problem = f"'{cut(form)}' spans words {first}-{last}, of which an earlier span has {first}"
            raise DataError(problem, path=path, line=line, key="ID")
        before = last
    for number, heads in enumerate(sentence.heads, start=1):
        if heads and max(heads) > words:
            raise DataError(
                f"word {number} has head {max(heads)}, but the sentence has {number_text(words, 'word')}",
                path=path,
                line=line,
                key="HEAD",
            )
    return sentence


def _fuse_tokens(sentence: _Sentence, ranks: list[int]) -> list[tuple[str, int]]:
    """Return form and tag of the sentence's tokens, with multi-word tokens fused."""
    words: dict[int, tuple[str, int]] = dict(enumerate(sentence.words, start=1))
    fused = [number for first, last, _ in sentence.spans for number in range(first, last + 1)]
    depth_of = ancestor_counts(sentence.heads, fused)
    for first, last, form in sentence.spans:
        span = range(first, last + 1)
        least = min(depth_of[number] for number in span)
        nearest = [number for number in span if depth_of[number] == least]
        head = min(nearest, key=lambda number: ranks[sentence.words[number - 1][1]])
        for number in span:
            words.pop(number, None)
        words[head] = (form, sentence.words[head - 1][1])
    return [words[number] for number in sorted(words)]


def ancestor_counts(heads: Sequence[set[int]], words: Iterable[int]) -> dict[int, int]:
    """Count the ancestors of some words, the root among them and the word itself not; words count from 1.

    Every word is visited once, since the words of a long chain have thousands of ancestors each. Words on a circle,
    which the enhanced graph may have, share their ancestors and are ancestors of each other.

    Source of the order in which circles are found: Tarjan 1972, strongly connected components.
    """
    number_of: dict[int, int] = {0: 0}
    lowest: dict[int, int] = {}
    above: dict[int, int] = {0: 0}  # the ancestors of a finished word as a set of bits, the word's circle included
    open_words: list[int] = []
    wanted = list(words)
    path: list[tuple[int, Iterator[int]]] = []
    for start in wanted:
        ahead: int | None = None if start in number_of else start
        while path or ahead is not None:
            if ahead is not None:
                number_of[ahead] = lowest[ahead] = len(number_of)
                open_words.append(ahead)
                path.append((ahead, iter(heads[ahead - 1])))
            word, rest = path[-1]
            ahead = next((head for head in rest if head not in number_of), None)
            if ahead is not None:
                continue
            path.pop()
            for head in heads[word - 1]:
                if head not in above:
                    lowest[word] = min(lowest[word], lowest[head])
            if lowest[word] == number_of[word]:
                _close_circle(word, heads, above, open_words)
    return {word: (above[word] & ~(1 << word)).bit_count() for word in wanted}


def _close_circle(first: int, heads: Sequence[set[int]], above: dict[int, int], open_words: list[int]) -> None:
    """Give the words of a circle, or a single word, their ancestors; ``first`` was met first of them."""
    at = open_words.index(first) if open_words[-1] != first else len(open_words) - 1
    circle = open_words[at:]
    del open_words[at:]
    found = 0
    for word in circle:
        for head in heads[word - 1]:
            found |= 1 << head | above.get(head, 0)
    for word in circle:
        above[word] = found
