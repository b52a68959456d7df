"""Measure how a tokenizer reads the languages of XTREME and XTREME-R, and compare it with the thresholds of `validate`.

Example: python benchmarks/tokenizer_table.py --data FOLDER --tokenizer FOLDER

--data is a folder of data sets as `data.root` takes it; --tokenizer is a backbone's folder, or an id in the hub's
cache. Every target and language whose files are there is read, on its test set, else on its dev set. --all prints the
measures of every language.
"""

import argparse

from adaptstilts.data import tokenizer_findings
from adaptstilts.data.tokenizer_findings import judged, table
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.models.tokenizer_core import load_core
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.plan.jobs import OverlapCheck
from adaptstilts.study.tokenizers import readings, sample_texts
from adaptstilts.tasks.registry import benchmark_tasks
from adaptstilts.tasks.spec import Split

NAMED = 3
"""Languages that are named for each measure."""


def compared(root):
    """Return all targets that have files, with a split of each language."""
    scored = []
    for task in dict.fromkeys((*benchmark_tasks("xtreme"), *benchmark_tasks("xtreme_r"))):
        splits = {}
        for split in (Split.DEV, Split.TEST):
            if split in task.layouts:
                splits |= dict.fromkeys(root.languages(task, split), split)
        scored.append((task.name, tuple(splits.items())))
    return OverlapCheck(trained=(), scored=tuple(scored))


def measures(found):
    """Return title, form, threshold and values of every measure."""
    limits = tokenizer_findings
    spaced, unspaced = ([one for one in found if one.is_unspaced is kind] for kind in (False, True))
    english = next(one.per_word for one in found if one.language == SOURCE_LANGUAGE)
    return [
        ("unknown", "{:.2%}", limits.UNKNOWN, {one.language: one.unknown for one in found}),
        ("changed", "{:.2%}", limits.CHANGED, {one.language: one.changed for one in found}),
        ("uncovered", "{:.2%}", limits.UNCOVERED, {one.language: one.uncovered for one in found}),
        ("starts differ", "{:.2%}", limits.CUT_DIFFERENTLY, {one.language: one.starts_differ for one in found}),
        ("per character, words with spaces", "{:.2f}", limits.APART,
         {one.language: one.per_character for one in spaced}),
        ("per character, scripts without spaces", "{:.2f}", limits.APART_UNSPACED,
         {one.language: one.per_character for one in unspaced}),
        ("per word, times English", "{:.1f}", limits.TIMES_ENGLISH,
         {one.language: one.per_word / english for one in spaced}),
    ]  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of data sets")
    parser.add_argument("--tokenizer", required=True, help="folder of a backbone, or an id in the hub's cache")
    parser.add_argument("--all", action="store_true", help="print the measures of every language")
    arguments = parser.parse_args()
    root = DataRoot(arguments.data)
    found = list(readings(load_core(arguments.tokenizer), sample_texts(compared(root), root)))
    check = judged("the tokenizer", found)
    if arguments.all:
        print(table([check]), end="\n\n")
    print(f"{len(found)} languages, {sum(reading.rows for reading in found):,} texts")
    for title, form, threshold, values in measures(found):
        worst = sorted(values.items(), key=lambda item: -item[1])[:NAMED]
        shown = ", ".join(f"{form.format(value)} {language}" for language, value in worst)
        print(f"{title:<40}{shown:<36}threshold {form.format(threshold)}")
    print("\n".join(f"{one.level}: {one.problem}. {one.hint}" for one in check.findings) or "nothing looks wrong")


if __name__ == "__main__":
    main()
