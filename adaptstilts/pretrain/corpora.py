"""Text for pretraining by language: parallel lines of the mini world, and folders of plain text."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from adaptstilts.config.pretrain import TextSection
from adaptstilts.errors import UNREADABLE_HINT, ConfigError, DataError
from adaptstilts.files import check_file
from adaptstilts.formatting import system_reason
from adaptstilts.mini.corpus import parallel_sentences, text
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Sentence, Word
from adaptstilts.runtime import derive_seed

_HELD_OUT = "held-out"


@dataclass
class Corpus:
    """Lines in several languages, some of which are translations of one another.

    Attributes:
        lines: Language -> key -> line; equal keys are translations, neighbouring ones follow each other in the text.
        switched: Code-switched lines.
        words: Frequencies of the words of the mini world.
        unspaced: Those words that belong to languages without spaces.
    """

    lines: dict[str, dict[str, str]] = field(default_factory=dict)
    switched: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    unspaced: set[str] = field(default_factory=set)

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that have lines, in alphabetical order."""
        return tuple(sorted(code for code, lines in self.lines.items() if lines))

    def digest(self) -> str:
        """Return the SHA-256 of all lines, which is equal for runs on the same text."""
        found = hashlib.sha256()
        for code in self.languages:
            for key, line in self.lines[code].items():
                found.update(f"{code}\t{key}\t{line}\n".encode())
        for line in self.switched:
            found.update(f"{line}\n".encode())
        return found.hexdigest()

    def split(self, held_out: int) -> tuple[Corpus, Corpus]:
        """Split off some keys with all their translations; return the training part and the held-out part.

        Keys are chosen by their hash, so that a larger corpus holds out the same ones. Code-switched lines and words
        stay in the training part.
        """
        keys = sorted({key for lines in self.lines.values() for key in lines})
        kept = set(sorted(keys, key=lambda key: hashlib.sha256(f"{_HELD_OUT}:{key}".encode()).digest())[:held_out])
        parts = [
            {code: {key: line for key, line in lines.items() if (key in kept) is inside}
             for code, lines in self.lines.items()}
            for inside in (False, True)
        ]  # fmt: skip
        return Corpus(parts[0], self.switched, self.words, self.unspaced), Corpus(parts[1])


def gather(settings: TextSection, *, switched: bool) -> Corpus:
    """Read and generate all text of a run, with code-switched lines of the mini world if `switched`.

    Raises:
        ConfigError: If there is no text at all, or code-switched lines are wanted without the mini world.
        DataError: If a folder or file cannot be used.
    """
    corpus = Corpus()
    if settings.mini_lines:
        _add_mini(corpus, settings, switched=switched)
    elif switched:
        raise ConfigError(
            "code-switched lines come from the mini world only", key="objective.switched",
            hint="Set objective.switched to 0, or data.mini_lines above 0.",
        )  # fmt: skip
    for folder in settings.folders:
        for code, lines in read_folder(Path(settings.root or ".") / folder, settings.languages).items():
            corpus.lines.setdefault(code, {}).update((f"{folder}:{key}", line) for key, line in lines.items())
    if not corpus.languages:
        raise ConfigError(
            "there is no text to pretrain on", key="data", hint="Set data.mini_lines, or data.folders below data.root."
        )
    return corpus


def read_folder(folder: Path, languages: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
    """Read the UTF-8 files {language}.txt of a folder, those of the given languages or all.

    If the first line of a file has a tab, the text before the tab is each line's key; otherwise the line number is.

    Returns:
        Language -> key -> line, without empty lines.

    Raises:
        DataError: If the folder or a file is missing, or a line lacks a key, or a key occurs twice.
    """
    if not folder.is_dir():
        raise DataError("no such folder of text", path=folder, hint="Set data.root to its parent folder.")
    files = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    if not files:
        raise DataError("holds no file {language}.txt", path=folder)
    wanted = [code for code in languages if code in files] if languages is not None else list(files)
    return {code: _read_lines(files[code]) for code in wanted}


def _read_lines(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    keyed: bool | None = None
    check_file(path)
    try:
        rows = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise DataError(f"cannot be read: {system_reason(error)}", path=path, hint=UNREADABLE_HINT) from error
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8: {error.reason} at byte {error.start}", path=path) from error
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        keyed = "\t" in row if keyed is None else keyed
        key, separator, line = row.partition("\t") if keyed else (f"{number:08d}", "\t", row)
        if not separator:
            raise DataError("the line has no key before a tab, as the first line has", path=path, line=number)
        if key in found:
            raise DataError(f"the key '{key}' occurs twice", path=path, line=number, value=key)
        if line.strip():
            found[key] = line.strip()
    return found


def _add_mini(corpus: Corpus, settings: TextSection, *, switched: bool) -> None:
    """Add lines of the mini world, some with a space between all words, and code-switched ones."""
    spoken = grammars()
    codes = [code for code in spoken if settings.languages is None or code in settings.languages]
    spelling = Random(derive_seed(settings.mini_seed, "spelling"))
    switching = Random(derive_seed(settings.mini_seed, "switching"))
    for index, line in enumerate(parallel_sentences(settings.mini_seed, settings.mini_lines)):
        for code in codes:
            forms = [word.form for sentence in line[code] for word in sentence.words]
            corpus.words.update(unicodedata.normalize("NFKC", form) for form in forms)
            spaced_out = spelling.random() < settings.mini_word_spaced
            written = " ".join(forms) if spaced_out else text(line[code])
            corpus.lines.setdefault(code, {})[f"mini:{index:08d}"] = written
            if not spoken[code].spaced:
                corpus.unspaced.update(unicodedata.normalize("NFKC", form) for form in forms)
        if switched:
            corpus.switched.append(switch(line, codes, settings.mini_replaced, switching))


def switch(line: dict[str, list[Sentence]], codes: Sequence[str], share: float, rng: Random) -> str:
    """Replace words of a line by their translations.

    Args:
        line: The line in every language; words with equal concepts in sentences with equal positions are translations.
        codes: Languages to take words from, and the line itself (from those with spaces between words).
        share: Probability with which a word is replaced.
        rng: Random generator.

    Returns:
        The line in one language with words of others in it, as they are inflected in their own sentences.
    """
    matrix = rng.choice([code for code in codes if line[code][0].spaced])
    written = [
        Sentence(tuple(_translate(word, {code: line[code][position] for code in codes if code != matrix}, share, rng)
                       for word in sentence.words))
        for position, sentence in enumerate(line[matrix])
    ]  # fmt: skip
    return text(written)


def _translate(word: Word, sentences: dict[str, Sentence], share: float, rng: Random) -> Word:
    if not word.concept or rng.random() >= share or not sentences:
        return word
    code = rng.choice(sorted(sentences))
    candidates = [other for other in sentences[code].words if other.concept == word.concept]
    return candidates[0] if candidates else word


def sample(corpus: Corpus, most: int, seed: int) -> Iterator[str]:
    """Yield text to learn a vocabulary from: the mini world's words once each, then up to `most` lines per language.

    Those are lines of other text than the mini world's.
    """
    yield from sorted(corpus.words)
    for code in corpus.languages:
        lines = [line for key, line in corpus.lines[code].items() if not key.startswith("mini:")]
        rng = Random(derive_seed(seed, "vocabulary", code))
        yield from lines if len(lines) <= most else rng.sample(lines, most)
