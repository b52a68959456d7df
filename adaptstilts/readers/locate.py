"""Paths of a task's files below a data root: the package's own layout first, then those that the task names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from adaptstilts.errors import DataError
from adaptstilts.languages import SOURCE_LANGUAGE, get_language, languages_text
from adaptstilts.readers import arrow as readers_arrow
from adaptstilts.readers.listing import Listing, is_match
from adaptstilts.readers.shards import whole_set
from adaptstilts.tasks.files import each_layout
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.reader_facts import tells_languages
from adaptstilts.tasks.registry import is_own
from adaptstilts.tasks.spec import Layout, Split, Task

_SIDES = ("foreign", "english")
_HUB_NAMES = {"zh": "Chinese"}
"""English language names in file names that differ from the package's."""


@dataclass(frozen=True)
class Found:
    """A layout whose files are present.

    Attributes:
        layout: The layout itself, or the substitute that it names.
        note: What was read in place of the published file, if anything.
        sets: Each path of the layout with what it matches, the same files as in `paths`.
        fault: Why the files cannot be read, where that is known without reading them.
    """

    layout: Layout
    paths: tuple[Path, ...]
    note: str = ""
    sets: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    fault: DataError | None = None

    def whole(self) -> Found:
        """Return the files in the order of their rows.

        Raises:
            DataError: If one is missing, stale or doubled.
        """
        if self.fault is not None:
            raise self.fault
        paths = tuple(path for pattern, several in self.sets for path in whole_set(several, pattern))
        return replace(self, paths=paths) if self.sets else self


def locate(root: Path | Listing, task: Task, split: Split, language: str) -> list[Found]:
    """Find the files of one language and split; several entries where a data set is pooled from parts.

    Raises:
        DataError: If there is no file, and the error names the first path of each layout that was tried; or if one of
            several files is missing, stale or doubled.
        ConfigError: If the language is not known.
    """
    get_language(language)
    listing = _listing(root)
    layout = task.layouts.get(split)
    if layout is None:
        trained = split is Split.TRAIN and task.train_task
        raise DataError(
            f"{task.name} has no {split.value} split of its own",
            allowed=[known.value for known in task.layouts],
            hint=f"It is trained on {task.train_task}" if trained else None,
        )
    if not is_multilingual(layout) and language not in task.languages:
        raise DataError(f"{task.name} has no data in '{language}'", value=language, allowed=task.languages)
    found = find_all(listing, task, split, language)
    other = misnamed(listing, task, split, language)
    if other is not None:
        raise other
    if not found:
        looked = ", ".join([*first_choices(layout, language), _own_folder(task, split, language)])
        raise DataError(
            f"no {split.value} files of {task.name} in '{language}'; looked for {looked}",
            path=listing.root,
            hint=where_from(task),
        )
    return [part.whole() for part in found]


def find_all(root: Path | Listing, task: Task, split: Split, language: str) -> list[Found]:
    """Return the files that are present for one language and split.

    Returns:
        The files of the package's own layout, or else one entry per part of the task's layout, in its order; empty if
        there are none.
    """
    listing = _listing(root)
    layout = task.layouts.get(split)
    if layout is None:
        return []
    own = find_own(listing, task, split, language)
    if own is not None:
        return [own]
    parts = (find(listing, part, language) for part in (layout, *layout.parts))
    return [part for part in parts if part is not None and not _is_english(part.layout, task, split, language)]


def _is_english(layout: Layout, task: Task, split: Split, language: str) -> bool:
    """Say whether a file of another language is the English training file: nothing tells its languages apart."""
    is_foreign_training = split is Split.TRAIN and language != SOURCE_LANGUAGE and SOURCE_LANGUAGE in task.languages
    return is_foreign_training and not layout.holds and not tells_languages(layout)


def find_own(root: Path | Listing, task: Task, split: Split, language: str) -> Found | None:
    """Return the files in the package's own layout (`adaptstilts.data.arrow.write_split`), if they are present."""
    listing = _listing(root)
    folder = _own_folder(task, split, language)
    names: tuple[str, ...] = (f"{folder}/{readers_arrow.FILE}",)
    if FACTS[task.kind].is_bitext:
        names = tuple(f"{folder}/{side}/{readers_arrow.FILE}" for side in _SIDES)
    if FACTS[task.kind].is_bitext and listing.matches(f"{folder}/gold/{readers_arrow.FILE}"):
        names += (f"{folder}/gold/{readers_arrow.FILE}",)
    patterns = [f"{name.rpartition('/')[0]}/*.arrow" for name in names]
    sets = [tuple(path for path in listing.matches(name) if not _is_cache(path)) for name in patterns]
    quoting = tuple(option for option in task.layouts[split].options if option[0] == "quoting")
    layout = Layout("arrow", (names,), (("kind", task.kind.value), *quoting))
    if not any(sets):
        fault = _interrupted(listing, folder)
        return None if fault is None else Found(layout, tuple(listing.root / name for name in names), fault=fault)
    paths = tuple(listing.root / name for name in names)
    faults = (_not_own(several, path) for several, path in zip(sets, paths, strict=True))
    fault = next((found for found in faults if found is not None), None)
    return Found(layout, paths, "", tuple(zip(patterns, sets, strict=True)), fault)


def _is_cache(path: Path) -> bool:
    """Say whether `datasets` has left a file beside the rows, which it does when it maps or sorts them."""
    return path.name.startswith("cache-")


def _not_own(several: tuple[Path, ...], path: Path) -> DataError | None:
    """Return what is wrong where the Arrow files of a folder are others than the one that this package writes."""
    if several == (path,):
        return None
    others = " and ".join(f"'{other.name}'" for other in several if other != path) or "nothing"
    return DataError(
        f"expected '{path.name}' as the only Arrow file of this folder, found {others}"
        + (" beside it" if path in several else ""),
        path=path.parent,
        hint="Save the rows again: adaptstilts.data.arrow.write_split, or save_to_disk(num_shards=1).",
    )  # fmt: skip


def _interrupted(listing: Listing, folder: str) -> DataError | None:
    """Return the error for rows that a save was killed while replacing; None if there are none."""
    old = f"{folder}.old"
    if not listing.matches(old):
        return None
    name = PurePosixPath(folder).name
    problem = f"a save was interrupted: its rows are not there, those it was to replace are in '{name}.old'"
    hint = f"Rename '{name}.old' to '{name}', or write the rows again."
    return DataError(problem, path=listing.root / folder, hint=hint)


def find(root: Path | Listing, layout: Layout, language: str) -> Found | None:
    """Return the first alternative of a layout, without its parts, whose files are all present."""
    listing = _listing(root)
    published = _fill(layout, layout.files[0][0], language)
    current: Layout | None = layout
    while current is not None:
        for names in current.files if not current.holds or language in current.holds else ():
            paths = [listing.matches(_fill(current, name, language)) for name in names]
            if all(paths):
                read = _fill(current, names[0], language)
                is_published = current.same_rows or PurePosixPath(read).name == PurePosixPath(published).name
                note = "" if is_published else f"{read} stands in for {published}"
                sets = tuple(zip((_fill(current, name, language) for name in names), paths, strict=True))
                return Found(current, tuple(path for several in paths for path in several), note, sets)
        current = current.otherwise
    return None


_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar.gz", ".tgz")
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".incomplete", ".tmp", ".aria2")


def misnamed(root: Path | Listing, task: Task, split: Split, language: str) -> DataError | None:
    """Return the error for a file that is there under nearly a name that is looked for; None if there is none.

    Such a file is compressed, half downloaded, differs in signs, in upper and lower case or by ``.txt``, or lacks the
    file beside it that it is read with. Names that come after those of the files that are read, in the order of
    preference, do not count.
    """
    listing = _listing(root)
    layout = task.layouts.get(split)
    if layout is None or find_own(listing, task, split, language) is not None:
        return None
    return next(filter(None, (_misnamed_in(listing, part, language) for part in (layout, *layout.parts))), None)


def find_named(root: Path | Listing, layout: Layout, language: str) -> Found | None:
    """Return what `find` returns.

    Raises:
        DataError: If there is a file under nearly a name that is looked for first.
    """
    listing = _listing(root)
    other = _misnamed_in(listing, layout, language)
    if other is not None:
        raise other
    return find(listing, layout, language)


def _misnamed_in(listing: Listing, layout: Layout, language: str) -> DataError | None:
    """Return the error that `misnamed` returns, for a layout without its parts."""
    current: Layout | None = layout
    groups = []
    while current is not None:
        for names in current.files if not current.holds or language in current.holds else ():
            group = {_fill(current, name, language): "{" in name for name in names}
            error = next(filter(None, (_nearly_named(listing, name) for name in group)), None)
            if error is not None or all(listing.matches(name) for name in group):
                return error
            groups.append(group)
        current = current.otherwise
    return next(filter(None, (_without_its_other(listing, group) for group in groups)), None)


def _nearly_named(listing: Listing, name: str) -> DataError | None:
    """Return the error for a file that seems to be meant by a name or pattern, but is not read."""
    folder, _, wanted = name.rpartition("/")
    for place in listing.folders(folder):
        names = listing.names(place)
        for other in sorted(names) if wanted not in names else ():
            found = _nearly(other, wanted, names)
            if found is not None:
                return DataError(found[0], path=listing.root / place / other, hint=found[1])
    return None


def _nearly(other: str, wanted: str, names: Collection[str]) -> tuple[str, str] | None:
    """Return why a file is not read that seems to be meant by a name or pattern, and what to do; None if it is not."""
    for endings, problem, hint in (
        (_PACKED, "is compressed, and is not read", "Unpack it to '{file}' beside it."),
        (_UNFINISHED, "is a download that was not finished, and is not read", "Fetch '{file}' again."),
    ):
        file = other.removesuffix(max(filter(other.endswith, endings), key=len, default=""))
        if file != other:
            is_meant = file not in names and is_match(file.casefold(), wanted.casefold())
            return (problem, hint.format(file=file)) if is_meant else None
    forms = {_plain(form) for form in (wanted, f"{wanted}.txt", str(PurePosixPath(wanted).with_suffix(".txt")))}
    is_near = is_match(other.casefold(), wanted.casefold()) or ("*" not in wanted and _plain(other) in forms)
    if not is_near or is_match(other, wanted):
        return None
    return f"is not read: the file is looked for as '{wanted}'", "Rename it."


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _without_its_other(listing: Listing, group: Mapping[str, bool]) -> DataError | None:
    """Return the error for a language's file of which the other is missing; names that languages share are not one's.

    ``group`` holds the names that are read together, and whether each is that of one language.
    """
    absent = [name for name in group if not listing.matches(name)]
    found = next((name for name, is_own in group.items() if is_own and "*" not in name and name not in absent), None)
    if found is None or not absent:
        return None
    problem = f"is not read without '{absent[0]}', which is missing"
    return DataError(problem, path=listing.root / found, hint="Add that file.")


def all_misnamed(root: Path, task: Task, wanted: Iterable[tuple[str, Sequence[Split]]]) -> tuple[DataError, ...]:
    """Return an error for each file of some languages and splits that `misnamed` finds."""
    listing = Listing(root)
    errors = (misnamed(listing, task, split, code) for code, splits in wanted for split in splits)
    return tuple({str(error): error for error in errors if error is not None}.values())


def where_from(task: Task) -> str:
    """Return where to read which files a task has: of one from outside the package, its layouts."""
    if is_own(task):
        return "All accepted paths: adaptstilts docs data."
    return f"Put them there, or correct the layouts of {task.name}. More: adaptstilts docs tasks."


def file_without_rows(root: Path | Listing, task: Task) -> DataError | None:
    """Return the error of a task of which no row is there though a file is; None if there is no file."""
    listing = _listing(root)
    places = ((split, code) for split in task.layouts for code in task.languages)
    found = next((part for split, code in places for part in find_all(listing, task, split, code)), None)
    if found is None:
        return None
    hint = "Put the publisher's file there, whole. More: adaptstilts docs data."
    if not is_own(task):
        hint = (
            f"Correct its languages and splits, or the layouts of {task.name}; for other codes: codes=(('en', 'eng'),)."
        )
        hint += " More: adaptstilts docs tasks."
    problem = f"holds no row of {task.name} in {languages_text(task.languages)}"
    return DataError(problem, path=found.paths[0], hint=hint)


def looked_for(task: Task) -> tuple[str, ...]:
    """Return the first-choice paths of all splits of a task, with their placeholders, and its folder in our layout."""
    names = [name for layout in each_layout(task.layouts.values()) for name in layout.files[0]]
    return tuple(dict.fromkeys([*names, f"{task.folder or task.name}/arrow/"]))


def missing_parts(root: Path | Listing, task: Task, split: Split, language: str) -> list[str]:
    """Return the first-choice file of each part of a pooled data set that is missing."""
    if not task.layouts[split].parts:
        return []
    absent = _absent_parts(_listing(root), task, split, language)
    return [_fill(part, part.files[0][0], language) for part in absent]


def _absent_parts(listing: Listing, task: Task, split: Split, language: str) -> list[Layout]:
    """Return the parts of a data set that have no files, the first part as the layout itself."""
    layout = task.layouts.get(split)
    if layout is None or find_own(listing, task, split, language) is not None:
        return []
    return [part for part in (layout, *layout.parts) if find(listing, part, language) is None]


def is_multilingual(layout: Layout) -> bool:
    """Say whether a layout, or one of its alternatives, has files in more languages than English."""
    current: Layout | None = layout
    while current is not None:
        if current.holds or "{" in current.files[0][0]:
            return True
        current = current.otherwise
    return False


def has_option(task: Task, name: str) -> bool:
    """Say whether any reader of a task's files takes an option of this name."""
    return any(name in dict(layout.options) for layout in each_layout(task.layouts.values()))


def _listing(root: Path | Listing) -> Listing:
    return root if isinstance(root, Listing) else Listing(root)


def _own_folder(task: Task, split: Split, language: str) -> str:
    return f"{task.folder or task.name}/arrow/{split.value}/{language}"


def _fill(layout: Layout, template: str, language: str) -> str:
    if "{" not in template:
        return template
    known = get_language(language)
    name = _HUB_NAMES.get(language, known.name)
    return template.format(language=layout.code(language), language3=known.code3, name=name, name_lower=name.lower())


def first_choices(layout: Layout, language: str) -> list[str]:
    """Return the first-choice path of each layout in a chain of alternatives, and of its parts."""
    names = [_fill(layout, name, language) for name in layout.files[0]]
    for other in (layout.otherwise, *layout.parts):
        if other is not None:
            names += first_choices(other, language)
    return list(dict.fromkeys(names))
