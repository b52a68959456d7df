"""Results of a folder check, as a table for people and as plain values for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adaptstilts.data.check import FolderCheck, LanguageCheck, Mark, SplitCheck
from adaptstilts.formatting import aligned, visible
from adaptstilts.languages import languages_text

NOTHING = "-"
_HEADER = ("task", "split", "present", "rows", "published", "", "labels", "repeated", "in train", "foreign")
_SIDES = "<<<>><<>"
_LEGEND = (
    "present: official languages that are there, + others; rows: pairs for retrieval; repeated: rows that",
    "occur earlier in the same set; in train: rows that also occur in the training set; foreign: rows of English sets",
    "that look like another language. Texts are compared without case, punctuation and white space.",
)


def table(check: FolderCheck) -> str:
    """Return a table with one line per task and split, and the notes below it; problems are left out."""
    lines = aligned([_HEADER, *(_cells(split) for split in check.splits)], _SIDES)
    missing = [f"{place}: missing in {languages_text(codes)}" for place, codes in _missing(check)]
    more = [note for split in check.splits for note in _more(split)]
    notes = [f"note: {note}" for note in (*missing, *more, *check.notes)]
    return "\n".join([*lines, "", *_LEGEND, *([""] if notes else []), *map(visible, notes)])


def values(check: FolderCheck) -> dict[str, Any]:
    """Return the results of a check as plain values.

    Returns:
        ``root``, ``ok``, ``splits`` (task, split, missing, languages with all counts), ``problems`` (path, line,
        message), ``notes``.
    """
    return {
        "root": str(check.root),
        "ok": not check.problems,
        "splits": [
            {
                "task": split.task,
                "split": split.split.value,
                "missing": list(split.missing),
                "languages": [_language_values(language) for language in split.languages],
            }
            for split in check.splits
        ],
        "problems": [
            {"path": None if error.path is None else str(error.path), "line": error.line, "message": str(error)}
            for error in check.problems
        ],
        "notes": check.notes,
    }


def _language_values(check: LanguageCheck) -> dict[str, Any]:
    return {
        "language": check.language,
        "rows": check.rows,
        "published": check.published,
        "mark": check.mark.value,
        "labels": _labels([check]),
        "repeated": check.repeated,
        "in_train": check.in_train,
        "foreign": None if check.leak is None else check.leak.foreign_rows,
    }


def _cells(split: SplitCheck) -> tuple[str, ...]:
    found = split.languages
    name = (split.task, split.split.value)
    if not found:
        return (*name, f"0 of {len(split.missing)}", *[NOTHING] * 2, "", *[NOTHING] * 4)
    published = [check.published for check in found if check.published is not None]
    foreign = [check.leak.foreign_rows for check in found if check.leak is not None]
    in_train = [check.in_train for check in found if check.in_train is not None]
    return (
        *name,
        _present(split),
        f"{sum(check.rows for check in found):,}",
        f"{sum(published):,}" if len(published) == len(found) else Mark.UNKNOWN.value,
        _marks(found),
        _labels(found),
        _number(sum(check.repeated for check in found)),
        _number(sum(in_train)) if in_train else NOTHING,
        _number(sum(foreign)) if foreign else NOTHING,
    )


def _missing(check: FolderCheck) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield task and splits, of those that are there in part, with the languages that are missing in all of them."""
    splits: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for split in check.splits:
        if split.languages and split.missing:
            splits.setdefault((split.task, split.missing), []).append(split.split.value)
    for (task, codes), names in splits.items():
        yield f"{task}: {', '.join(names)}", codes


def _present(split: SplitCheck) -> str:
    codes = [check.language for check in split.languages]
    if codes == ["en"] and not split.missing:
        return "en"
    official = len(codes) - split.others
    return f"{official} of {official + len(split.missing)}" + (f", +{split.others}" if split.others else "")


def _marks(found: Sequence[LanguageCheck]) -> str:
    marks = {check.mark for check in found}
    if marks == {Mark.UNKNOWN}:
        return ""
    return ", ".join(mark.value for mark in Mark if mark in marks)


def _labels(found: Sequence[LanguageCheck]) -> str:
    hidden = [check.hidden for check in found]
    if not any(hidden):
        return "yes"
    if all(check.hidden and check.hidden >= check.rows for check in found):
        return "hidden"
    return "partly"


def _more(split: SplitCheck) -> list[str]:
    """Note where there are more rows than published, which no selection of rows can explain."""
    found = [check for check in split.languages if check.mark is Mark.MORE]
    shown = ", ".join(f"{check.language} {check.rows:,} of {check.published:,}" for check in found)
    return [f"{split.task}: {split.split.value}: more rows than published: {shown}"] if found else []


def _number(count: int) -> str:
    return f"{count:,}"
