"""The data sets below a data root: which languages and splits they have, their examples and their labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from adaptstilts.contents import Identity, Pins, content_hash, identity_of
from adaptstilts.errors import UNREADABLE_HINT, AdaptstiltsError, DataError
from adaptstilts.files import check_file
from adaptstilts.formatting import number_text, system_reason
from adaptstilts.languages import SOURCE_LANGUAGE, all_languages
from adaptstilts.readers.labels import Content, content_of, is_hidden, require_labels, unlabelled
from adaptstilts.readers.lines import Request, RowCheck
from adaptstilts.readers.listing import Listing
from adaptstilts.readers.locate import Found, find_all, find_named, is_multilingual, locate, missing_parts
from adaptstilts.readers.match import POOL_READERS
from adaptstilts.readers.registry import SHARING_READERS, check_kind, get_reader, get_tag_reader
from adaptstilts.readers.sampling import held_out_count, hold_out, sample, shrink
from adaptstilts.readers.squad import unique_ids
from adaptstilts.tasks.examples import Bitext, Candidate, Example
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import training_task
from adaptstilts.tasks.spec import Layout, Split, Task

_State: TypeAlias = tuple[tuple[Path, Identity], ...]
_Part: TypeAlias = tuple[str, Split, str, tuple[Path, ...]]


@dataclass(frozen=True)
class TrainingData:
    """Training and dev examples of one task.

    Attributes:
        dev: Labelled examples in the source language, by which the best checkpoint is chosen.
        notes: What differs from the published set-up, for the report; often empty.
    """

    train: list[Example]
    dev: list[Example]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """Readable rows and all problems of one language and split.

    Attributes:
        rows: The rows that can be read; None where a bitext cannot, or the files are not those of one data set.
        hidden: How many of them have no label; all sentences of a bitext without gold pairs.
        problems: In the order of the files, at most `adaptstilts.readers.lines.MOST_PROBLEMS` per file.
    """

    rows: list[Example] | Bitext | None
    hidden: int
    problems: tuple[AdaptstiltsError, ...]


class DataRoot:
    """A folder with data sets in their published layouts.

    Args:
        path: The folder; it must exist.
        options: Reader options that override those of the layouts which have them, for example ``{"quoting":
            "xtreme"}`` to read XNLI and PAWS-X with doubled quotation marks, as XTREME does.
        pins: What files must hold; reading another content is an error.
        only_held: Whether reading the rows of a file that ``pins`` hold to nothing is an error, too.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        options: Mapping[str, str] | None = None,
        pins: Pins | None = None,
        only_held: bool = False,
    ) -> None:
        self.path = Path(path)
        self.pins = Pins() if pins is None else pins
        self._only_held = only_held
        self._options = dict(options or {})
        self._labels: dict[tuple[str, ...], tuple[str, ...]] = {}
        # One file may hold several languages and splits.
        self._contents: dict[tuple[str, Split, str, _State], Content] = {}
        self._dropped: dict[_Part, tuple[str, ...]] = {}
        self._unlabelled: dict[_Part, int | None] = {}
        if not self.path.is_dir():
            raise DataError(
                "is a file, not a folder" if self.path.exists() else "no such folder",
                path=self.path,
                hint="Give a folder of data sets (a study: data.root=FOLDER, or mini). More: adaptstilts docs data.",
            )

    def languages(self, task: Task, split: Split) -> tuple[str, ...]:
        """Return the languages whose files are present: official ones in the task's order, then others.

        In a file that holds several languages or splits, those that have rows are present.
        """
        layout = task.layouts.get(split)
        if layout is None:
            return ()
        candidates = task.languages
        if is_multilingual(layout):
            candidates += tuple(known.code for known in all_languages() if known.code not in task.languages)
        listing = Listing(self.path)
        return tuple(code for code in candidates if self._is_present(listing, task, split, code))

    def has_files(self, task: Task, split: Split, language: str) -> bool:
        """Say whether files of one language and split are present."""
        return self._is_present(Listing(self.path), task, split, language)

    def _is_present(self, listing: Listing, task: Task, split: Split, language: str) -> bool:
        found = find_all(listing, task, split, language)
        if not found or not _is_shared(found[0].layout):
            return bool(found)
        try:
            return self._content(task, split, language) != "empty"
        except DataError:  # a bad row is told when the rows are read
            return True

    def files(self, task: Task, split: Split, language: str) -> tuple[Path, ...]:
        """Return the files of one language and split, in the order in which they are read.

        Raises:
            DataError: If there are none; the error names every path that was tried.
            ConfigError: If the language is not known.
        """
        return tuple(path for found in locate(self.path, task, split, language) for path in found.paths)

    def load(
        self, task: Task, split: Split, language: str, limit: int | None = None, *, labelled: bool = False
    ) -> list[Example] | Bitext:
        """Read one language and split of any task; see `load_examples` and `load_bitext`."""
        if FACTS[task.kind].is_bitext:
            return self.load_bitext(task, split, language, limit)
        return self.load_examples(task, split, language, limit, labelled=labelled)

    def load_examples(
        self, task: Task, split: Split, language: str, limit: int | None = None, *, labelled: bool = False
    ) -> list[Example]:
        """Read at least one example of a task other than sentence retrieval; labels are None where hidden.

        Args:
            task: Any task but sentence retrieval.
            split: Split of the data set.
            language: ISO 639-1 code.
            limit: Maximum number of examples, sampled as in `adaptstilts.readers.sampling`.
            labelled: Whether hidden labels are an error.
        """
        found = locate(self.path, task, split, language)
        examples: list[Example] = []
        for number, part in enumerate(found):
            rows = self._read(part, task, split, language)
            if isinstance(rows, Bitext):
                raise TypeError(f"{task.name} is read by load_bitext")
            if not rows:
                raise DataError(f"holds no examples of {task.name} in '{language}'", path=part.paths[0])
            if labelled:
                require_labels(rows, part.paths[0], self._unlabelled[task.name, split, language, part.paths])
            # Ids are unique within a file; pooled files get their number put before them.
            examples += rows if len(found) == 1 else [replace(row, id=f"{number}:{row.id}") for row in rows]
        return sample(examples, limit)

    def load_bitext(self, task: Task, split: Split, language: str, limit: int | None = None) -> Bitext:
        """Read the two sides of a retrieval task.

        ``language`` is that of the foreign side; ``limit`` is the maximum number of sentences per side, chosen by
        `adaptstilts.readers.sampling.shrink`.
        """
        found = locate(self.path, task, split, language)[0]
        bitext = self._read(found, task, split, language)
        if not isinstance(bitext, Bitext):
            raise TypeError(f"{task.name} is read by load_examples")
        for side, path in zip((bitext.foreign, bitext.english), found.paths, strict=False):
            if not side:
                raise DataError(f"holds no sentences of {task.name}", path=path)
        return shrink(bitext, limit)

    def inspect(self, task: Task, split: Split, language: str) -> Inspection:
        """Read every row of one language and split, and collect problems instead of stopping at the first."""
        examples: list[Example] = []
        problems: list[AdaptstiltsError] = []
        try:
            parts = locate(self.path, task, split, language)
        except DataError as error:
            return Inspection(None, 0, (error,))
        for part in parts:
            wrong: list[DataError] = []
            try:
                rows = self._read(part, task, split, language, RowCheck(wrong))
            except AdaptstiltsError as error:
                problems += [*wrong, error]
                continue
            problems += wrong
            if content_of(rows) == "empty" and not wrong:
                problems.append(DataError(f"holds no examples of {task.name} in '{language}'", path=part.paths[0]))
            if isinstance(rows, Bitext):
                return Inspection(rows, len(rows.foreign) if rows.gold is None else 0, tuple(problems))
            if not all(map(is_hidden, rows)):
                line = self._unlabelled[task.name, split, language, part.paths]
                problems += unlabelled(rows, part.paths[0], line)
            examples += rows
        if FACTS[task.kind].is_bitext:
            return Inspection(None, 0, tuple(problems))
        return Inspection(examples, sum(map(is_hidden, examples)), tuple(problems))

    def pool(self, task: Task) -> list[tuple[str, Found]]:
        """Return the files that hold the candidates of a task, at least one, each with its language.

        There is one entry for each official language that is present, in the order of the task, or a single entry under
        the source language where one file holds all candidates.
        """
        layout = task.pool
        if layout is None:
            raise TypeError(f"{task.name} has no pool of candidates")
        codes = task.languages if is_multilingual(layout) else (SOURCE_LANGUAGE,)
        parts = ((code, find_named(self.path, layout, code)) for code in codes)
        found = [(code, part.whole()) for code, part in parts if part is not None]
        if not found:
            looked = ", ".join(name for names in layout.files for name in names)
            raise DataError(f"no candidates of {task.name}; looked for {looked}", path=self.path)
        return found

    def candidates(self, task: Task) -> Iterator[Candidate]:
        """Stream the candidates of all languages as one pool, in the order of the languages and of their files.

        Two candidates with the same id are an error.
        """
        seen: set[str] = set()
        for code, found in self.pool(task):
            before = len(seen)
            request = Request(found.paths, (), code, options=dict(found.layout.options))
            with self.pins.reading(found.paths, only_held=self._only_held):
                for candidate in POOL_READERS[found.layout.reader](request):
                    if candidate.id in seen:
                        raise DataError(f"candidate '{candidate.id}' occurs twice", path=found.paths[0])
                    seen.add(candidate.id)
                    yield candidate
            if len(seen) == before:
                raise DataError(f"holds no candidates of {task.name}", path=found.paths[0])

    def pool_fingerprint(self, task: Task) -> str:
        """Return the SHA-256 of the contents of the files that hold the candidates of a task."""
        digest = hashlib.sha256()
        for path in self.pool_files(task):
            digest.update(self.digest(path).encode())
        return digest.hexdigest()

    def training_data(self, task: Task, limit: int | None = None) -> TrainingData:
        """Read a task's training and dev examples in the source language.

        The files are those of the task's training task. Without a labelled dev set one training row in ten, at most
        500, is held out in its place.
        """
        trained = training_task(task)
        train = self.load_examples(trained, Split.TRAIN, SOURCE_LANGUAGE, labelled=True)
        notes = self.notes(trained, Split.TRAIN, SOURCE_LANGUAGE)
        if self.is_labelled(trained, Split.DEV, SOURCE_LANGUAGE):
            dev = self.load_examples(trained, Split.DEV, SOURCE_LANGUAGE, labelled=True)
            notes += self.notes(trained, Split.DEV, SOURCE_LANGUAGE)
        else:
            train, dev = hold_out(train, held_out_count(len(train)))
            held = number_text(len(dev), "training row")
            notes += (f"{trained.name}: no labelled dev set, {held} held out in its place",)
        return TrainingData(sample(train, limit), dev, notes)

    def labels(self, task: Task) -> tuple[str, ...]:
        """Return the label words of a task in the order of the classes.

        A task that reads its labels from its data has the sorted tags of all its files.
        """
        if not task.labels_from_data:
            return task.labels
        found = self._tag_files(task)
        paths = [path for part in found for path in part.paths]
        state = tuple(self.digest(path) for path in paths)
        if state not in self._labels:
            with self.pins.reading(paths):
                tags = {tag for part in found for tag in get_tag_reader(part.layout.reader)(part.paths)}
            self._labels[state] = tuple(sorted(tags))
        return self._labels[state]

    def _tag_files(self, task: Task) -> list[Found]:
        """Return the files from which a task reads its labels; none for a task that declares them."""
        found: list[Found] = []
        for split in task.layouts if task.labels_from_data else ():
            if split is Split.TRAIN or self.languages(task, split):
                found += locate(self.path, task, split, SOURCE_LANGUAGE)
        return found

    def is_labelled(self, task: Task, split: Split, language: str) -> bool:
        """Say whether files are present and contain examples whose labels are not hidden."""
        return self._content(task, split, language) == "labelled"

    def is_empty(self, task: Task, split: Split, language: str) -> bool:
        """Say whether files are present but hold no examples."""
        return self._content(task, split, language) == "empty"

    def _content(self, task: Task, split: Split, language: str) -> Content | None:
        found = find_all(self.path, task, split, language)
        if not found:
            return None
        state = (task.name, split, language, tuple(map(_identity, found[0].paths)))
        if state not in self._contents:
            # Read up to the first labelled row: `check_rows` reads the rest of what a study uses before it starts.
            read = get_reader(found[0].layout.reader)
            with self.pins.reading(found[0].paths):
                self._contents[state] = content_of(read(self._request(found[0], task, split, language)))
        return self._contents[state]

    def evaluation_split(self, task: Task, language: str) -> Split:
        """Return the split on which a language can be scored: test if labelled, else dev if labelled.

        Where neither is labelled (XTREME blanks the answers of TyDiQA's dev set), a labelled training file in a
        language other than the source language serves, since nothing is trained on it; the answer is then
        ``Split.TRAIN``.

        Raises:
            DataError: If there is no labelled data to score on.
        """
        for split in _scorable_splits(language):
            if self.is_labelled(task, split, language):
                return split
        evaluated = [split for split in (Split.TEST, Split.DEV) if split in task.layouts]
        for split in evaluated:
            if language in self.languages(task, split):
                path = self.files(task, split, language)[0]
                raise DataError(f"labels of {task.name} in '{language}' are hidden or missing", path=path)
        locate(self.path, task, evaluated[0], language)
        raise RuntimeError(f"files of {task.name} vanished while they were being read")

    def evaluation_languages(self, task: Task) -> tuple[str, ...]:
        """Return the languages that `evaluation_split` finds labelled data for, official ones first."""
        found = {
            code
            for split in Split
            for code in self.languages(task, split)
            if split in _scorable_splits(code) and self.is_labelled(task, split, code)
        }
        official = tuple(code for code in task.languages if code in found)
        return official + tuple(sorted(found.difference(official)))

    def fingerprint(self, task: Task, split: Split, language: str) -> str:
        """Return the SHA-256, in hexadecimal, of the contents of the files that the examples depend on.

        For a task that reads its labels from its data it covers the labels too.
        """
        digest = hashlib.sha256()
        for path in self.files(task, split, language):
            digest.update(bytes.fromhex(self.digest(path)))
        if task.labels_from_data:
            digest.update("\n".join(self.labels(task)).encode())
        return digest.hexdigest()

    def files_behind(self, task: Task, split: Split, language: str) -> tuple[Path, ...]:
        """Return all files that the examples of one language and split depend on, those of the labels included."""
        tags = (path for part in self._tag_files(task) for path in part.paths)
        return tuple(dict.fromkeys((*self.files(task, split, language), *tags)))

    def pool_files(self, task: Task) -> tuple[Path, ...]:
        """Return the files that hold the candidates of a task."""
        return tuple(path for _, found in self.pool(task) for path in found.paths)

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file, in hexadecimal; the file is read once as long as it stays the same."""
        check_file(path)
        try:
            return content_hash(path)
        except OSError as error:
            raise DataError(f"cannot be read: {system_reason(error)}", path=path, hint=UNREADABLE_HINT) from error

    def notes(self, task: Task, split: Split, language: str) -> tuple[str, ...]:
        """Return what differs from the published files: substitutes that are read, parts that are missing.

        Rows that were left out are counted too, for files that have been read.
        """
        found = locate(self.path, task, split, language)
        notes = [f"{task.name}: {part.note}" for part in found if part.note]
        notes += self.left_out(task, split, language)
        if missing := missing_parts(self.path, task, split, language):
            notes.append(f"{task.name}: {split.value} parts left out because they are missing: {', '.join(missing)}")
        return tuple(notes)

    def left_out(self, task: Task, split: Split, language: str) -> tuple[str, ...]:
        """Return how many rows and words of files that have been read were left out; often nothing."""
        found = locate(self.path, task, split, language)
        return tuple(note for part in found for note in self._dropped.get((task.name, split, language, part.paths), ()))

    def _read(
        self, found: Found, task: Task, split: Split, language: str, row: RowCheck | None = None
    ) -> list[Example] | Bitext:
        request = self._request(found, task, split, language, row)
        with self.pins.reading(found.paths, only_held=self._only_held):
            rows = get_reader(found.layout.reader)(request)
            if isinstance(rows, Bitext):
                check_kind(rows, task, found.layout.reader, found.paths[0])
                return rows
            examples = list(rows)
        for first in examples[:1]:
            check_kind(first, task, found.layout.reader, found.paths[0])
        if len(set(names := [row.id for row in examples])) < len(names):
            examples = [replace(row, id=name) for row, name in zip(examples, unique_ids(names), strict=True)]
        self._unlabelled[task.name, split, language, found.paths] = next(iter(request.unlabelled), None)
        others = f" and {len(found.paths) - 1} more" if len(found.paths) > 1 else ""
        self._dropped[task.name, split, language, found.paths] = tuple(
            f"{task.name}: {number_text(count, *what)} left out of {found.paths[0].name}{others}"
            for what, count in sorted(request.dropped.items())
        )
        return examples

    def _request(self, found: Found, task: Task, split: Split, language: str, row: RowCheck | None = None) -> Request:
        return Request(
            paths=found.paths,
            labels=self.labels(task),
            language=language,
            unanswerable=task.unanswerable,
            options={key: self._options.get(key, value) for key, value in found.layout.options},
            row=RowCheck() if row is None else row,
            code=found.layout.code(language),
            split=split,
        )


def _identity(path: Path) -> tuple[Path, Identity]:
    """Identify a file and its version without reading it."""
    check_file(path)
    identity = identity_of(path)
    if identity is None:
        raise DataError("cannot be read: No such file or directory", path=path)
    return path, identity


def _scorable_splits(language: str) -> tuple[Split, ...]:
    """Return the splits to score a language on, best first; nothing is trained on training files of other languages."""
    return (Split.TEST, Split.DEV) if language == SOURCE_LANGUAGE else (Split.TEST, Split.DEV, Split.TRAIN)


def _is_shared(layout: Layout) -> bool:
    """Say whether one file of a layout holds several languages or splits."""
    if layout.reader in SHARING_READERS:
        return bool({"language", "split"} & dict(layout.options).keys())
    return bool(layout.holds) and not any("{" in name for names in layout.files for name in names)
