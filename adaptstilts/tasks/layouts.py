"""Builders of file layouts that several tasks share."""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.tasks.spec import Columns, Layout, Split

QUOTING = (("quoting", "clean"),)
"""Option of XNLI and PAWS-X: quotation marks as their authors wrote them, or doubled as in XTREME."""
UD_2_5 = (
    "af", "ar", "bg", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "kk",
    "ko", "mr", "nl", "pt", "ru", "ta", "te", "th", "tl", "tr", "ur", "vi", "yo", "zh",
)  # fmt: skip
"""Languages of XTREME's UDPOS; XTREME-R takes those it adds from version 2.7."""

_UPOS_SPLITS = {Split.TRAIN: "train", Split.DEV: "dev", Split.TEST: "test"}
_BUCC_NAMES = {Split.DEV: "sample", Split.TEST: "training"}
_PAWSX_NAMES = {Split.TRAIN: "train", Split.DEV: "dev_2k", Split.TEST: "test_2k"}
_NLI_WORDS = "contradiction|contradictory entailment neutral"


def first_of(*layouts: Layout) -> Layout:
    """Chain layouts of one split in order of preference: the first whose files exist is read."""
    first, *others = layouts
    if first.otherwise is not None:
        others = [first.otherwise, *others]
    return replace(first, otherwise=first_of(*others)) if others else first


def unpacked(folder: str, archive: str, *names: str) -> tuple[tuple[str, ...], ...]:
    """Return the possible paths of an unpacked archive's files.

    Args:
        folder: Folder of the task.
        archive: Top folder within the archive.
        names: Files below it that are read together.

    Returns:
        The alternatives: in the task's folder, in the archive's folder within it, in the archive's folder.
    """
    places = (folder, f"{folder}/{archive}", archive)
    return tuple(tuple(f"{place}/{name}" for name in names) for place in places)


def xnli(split: Split, languages: tuple[str, ...]) -> Layout:
    """Return the layout of XNLI-1.0.zip: one file for all languages."""
    name = f"xnli.{split.value}.tsv"
    columns = (("language", "language"), ("first", "sentence1"), ("second", "sentence2"), ("label", "gold_label"))
    options = (*columns, ("words", _NLI_WORDS), *QUOTING)
    return Layout("table", unpacked("xnli", "XNLI-1.0", name)[1:], options, holds=languages, same_rows=True)


def xnli_train() -> Layout:
    """Return the layout of the English training file in XNLI-MT-1.0.zip, which is MNLI's."""
    columns = (("first", "premise"), ("second", "hypo"), ("label", "label"), ("words", _NLI_WORDS))
    files = unpacked("xnli", "XNLI-MT-1.0", "multinli/multinli.train.en.tsv")[1:]
    return Layout("table", files, columns, same_rows=True)


def pawsx(split: Split) -> Layout:
    """Return the layout of PAWS-X's x-final.tar.gz."""
    name = f"{{language}}/{_PAWSX_NAMES[split]}.tsv"
    columns = (("first", "sentence1"), ("second", "sentence2"), ("label", "label"))
    files = unpacked("pawsx", "x-final", name)[1:]
    if split is Split.TRAIN:
        # The other languages' training files are machine translations of the English one.
        files += unpacked("pawsx", "x-final", "{language}/translated_train.tsv")[1:]
    return Layout("table", files, (*columns, *QUOTING), same_rows=True)


def treebanks(split: Split) -> Layout:
    """Return the layout of Universal Dependencies: a folder ``ud``, or the unpacked releases 2.5 and 2.7."""

    def below(*folders: str) -> tuple[tuple[str, ...], ...]:
        name = f"UD_*/{{language}}_*-ud-{_UPOS_SPLITS[split]}.conllu"
        return tuple((f"{folder}/{name}",) for folder in folders)

    newest = Layout("conllu", below("ud-treebanks-v2.7", "udpos/ud-treebanks-v2.7"), same_rows=True)
    release = Layout("conllu", below("ud-treebanks-v2.5", "udpos/ud-treebanks-v2.5"), holds=UD_2_5, same_rows=True)
    return first_of(Layout("conllu", below("ud"), same_rows=True), release, newest)


def wikiann(split: Split) -> Layout:
    """Return the layout of panx_dataset.zip (AmazonPhotos.zip), with its archives per language unpacked."""
    files = (*unpacked("panx", "panx_dataset", f"{{language}}/{split.value}")[1:],)
    older = (*unpacked("panx", "panx_dataset", f"{{language}}-{split.value}")[1:],)
    return Layout("word_lines", (*files, *older), (("words", "prefixed"),), same_rows=True)


def tydiqa(split: Split, languages: tuple[str, ...]) -> Layout:
    """Return the layout of TyDiQA-GoldP 1.1 as published: a file per language (dev), or one file for all."""
    name = f"tydiqa-goldp-v1.1-{split.value}"
    whole = (("language", "id"),)
    files = ((f"tydiqa/{name}.json",), (f"tydiqa/{name}/{name}.json",))
    both = Layout("squad", files, whole, holds=languages, same_rows=True)
    if split is Split.TRAIN:
        return both
    single = Layout("squad", unpacked("tydiqa", name, "tydiqa-goldp-dev-{name_lower}.json")[1:], same_rows=True)
    return first_of(single, both)


def bucc(split: Split) -> Layout:
    """Return the layout of BUCC2018's archives; the published sample is the dev set, the training set the test set."""
    name = f"bucc2018/{{language}}-en/{{language}}-en.{_BUCC_NAMES[split]}"
    sides = (f"{name}.{{language}}", f"{name}.en")
    return Layout("bucc", ((*sides, f"{name}.gold"), sides), same_rows=True)


def texts(*files: str, codes: Columns = (), holds: tuple[str, ...] = (), **columns: str) -> Layout:
    """Return the layout of texts with classes in a table or in JSON lines.

    Args:
        files: Alternatives in order of preference; see `Layout`.
        codes: What the files call a language, where that is not its code in the package.
        holds: Languages in the files, where neither their paths nor a column say it.
        columns: Options of the reader: `adaptstilts.readers.records.read_texts`.
    """
    return Layout("texts", tuple((file,) for file in files), tuple(columns.items()), codes=codes, holds=holds)


def choices(*files: str, codes: Columns = (), holds: tuple[str, ...] = (), **columns: str) -> Layout:
    """Return the layout of questions with several answers in a table or in JSON lines.

    Arguments as in `texts`, with the options of `adaptstilts.readers.records.read_choices`.
    """
    return Layout("choices", tuple((file,) for file in files), tuple(columns.items()), codes=codes, holds=holds)
