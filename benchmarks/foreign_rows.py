"""Count how many rows in other languages, and how many English ones, the sign of function words names as foreign.

Example: python benchmarks/foreign_rows.py --data FOLDER --lines FOLDER

--data is a folder of data sets as `data.root` takes it: every target in Latin script counts, and every training set.
--lines is a folder of parallel text whose file names end in a language's three-letter code (`src.eng.txt`), as
NTREX-128 has it.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from adaptstilts.data.contamination.leaks import foreign_script, foreign_words
from adaptstilts.data.contamination.overlap import rows_of, texts
from adaptstilts.languages import all_languages
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Split

GROUPS = {
    "paragraphs with a question": ("xquad", "mlqa", "tydiqa"),
    "sentence pairs": ("xnli", "pawsx"),
    "short sentences": ("tatoeba",),
}


def of_tasks(root, names):
    """Return the texts of every row by language."""
    found = defaultdict(list)
    for name in names:
        task = get_task(name)
        for split in {Split.DEV, Split.TEST} & set(task.layouts):
            for language in root.languages(task, split):
                found[language] += [" ".join(texts(row)) for row in rows_of(root.load(task, split, language))]
    return found


def of_lines(folder):
    codes = {code: language.code for language in all_languages() for code in (language.code3, language.variety)}
    found = {}
    for path in sorted(folder.glob("*.txt")):
        code = codes.get(path.stem.split(".")[-1][:3])
        if code:
            found[code] = path.read_text(encoding="utf-8").splitlines()
    return found


def english(root):
    """Return the texts of all English rows, of training sets too."""
    for task in all_tasks():
        for split in task.layouts:
            if "en" in root.languages(task, split):
                yield from (" ".join(texts(row)) for row in rows_of(root.load(task, split, "en"), english=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--lines", type=Path)
    arguments = parser.parse_args()
    root = DataRoot(arguments.data)
    groups = {title: of_tasks(root, names) for title, names in GROUPS.items()}
    if arguments.lines:
        groups["single sentences"] = of_lines(arguments.lines)
    for title, by_language in groups.items():
        shares = {}
        for language, rows in by_language.items():
            latin = [text for text in rows if not foreign_script(text)]
            if language != "en" and len(latin) > len(rows) / 2:
                shares[language] = sum(bool(foreign_words(text)) for text in latin) / len(latin)
        ordered = sorted(shares.items(), key=lambda item: item[1])
        print(f"{title:<28}" + ", ".join(f"{language} {share:.0%}" for language, share in ordered))
    rows = list(dict.fromkeys(english(root)))
    print(f"{'English rows':<28}{sum(bool(foreign_words(text)) for text in rows)} of {len(rows):,}")


if __name__ == "__main__":
    main()
