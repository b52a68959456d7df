"""Report section on leaks and overlaps between training and scored data."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.data.contamination.findings import Findings, Pair
from adaptstilts.data.contamination.overlap import SHORTEST_BYTES
from adaptstilts.formatting import markdown_text, number_text
from adaptstilts.results.grid import Grid, markdown

TITLE = "Leaks and overlaps"
_HEADER = ("scored set", "training set", "rows", "same rows", "same passages", "same questions")
_LEGEND = (
    "Rows of the scored set (its English side) that the training set has too: all their texts, their passage (context, "
    "premise, prompt, sentence), or their question (hypothesis, second sentence). Texts are compared without case, "
    f"punctuation and white space; those of fewer than {SHORTEST_BYTES} bytes are not compared. A dev set is not "
    "trained on, but chooses the checkpoint. Some overlap is inherent: XQuAD's paragraphs are SQuAD's dev set."
)


def add_overlaps(report: Path, findings: Findings, about: str = "") -> None:
    """Append the section on leaks and overlaps to a Markdown report.

    Args:
        about: Data that the findings are about, where a report covers several variants.
    """
    with report.open("a", encoding="utf-8") as file:
        file.write(f"\n{overlap_section(findings, about)}")


def overlap_section(findings: Findings, about: str = "") -> str:
    """Return the section in Markdown: a line on other languages, and a table of the pairs of sets that share texts."""
    title = f"{TITLE}: {about}" if about else TITLE
    pairs = findings.overlapping
    words = (
        f"{_leak_text(findings)} Shared texts in {len(pairs)} of {number_text(len(findings.pairs), 'pair', 'of sets')}."
    )
    if not pairs:
        return f"### {markdown_text(title)}\n\n{words}\n"
    rows = tuple(map(_row, sorted(pairs, key=_order)))
    table = markdown(Grid(title, _HEADER, rows, text_columns=2, footnotes=(_LEGEND,)))
    heading, _, rest = table.partition("\n\n")
    return f"{heading}\n\n{words}\n\n{rest}"


def _leak_text(findings: Findings) -> str:
    if not findings.leaking:
        count = len(findings.leaks)
        return f"No other language was found in {number_text(count, 'English training set')}."
    sets = (
        f"{name} ({leak.foreign_rows:,} of {leak.rows:,} rows; {leak.signs()})"
        for name, leak in findings.leaking.items()
    )
    names = markdown_text(", ".join(sets))
    return f"**Other languages in English training sets: {names}; zero-shot scores are not zero-shot.**"


def _row(pair: Pair) -> tuple[str, ...]:
    shared = pair.overlap
    counts = (shared.rows, shared.same_rows, shared.same_passages, shared.same_questions)
    names = (f"{pair.target} {pair.target_split}", f"{pair.training} {pair.training_split}")
    return (*names, *(f"{count:,}" for count in counts))


def _order(pair: Pair) -> tuple[int, str, str]:
    return (-pair.overlap.same_rows, pair.target, pair.training)
