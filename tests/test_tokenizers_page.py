"""The page on tokenizers shows what comes out, and its thresholds are those of the code.

`python tests/test_tokenizers_page.py` writes the examples anew.
"""

import re
import sys
import tempfile
from pathlib import Path

import pytest
from commandline import say
from repository import ROOT
from tokenizers_tiny import LINES, tiny

from adaptstilts.data import tokenizer_findings
from adaptstilts.data.tokenizer_check import read_language
from adaptstilts.data.tokenizer_findings import judged, table
from adaptstilts.encoding.subtokens import backend_of
from adaptstilts.mini.write import write_mini
from adaptstilts.study.study import Study
from adaptstilts.study.tokenizers import check_tokenizers

PAGE = ROOT / "docs" / "tokenizers.md"
GREEK = ["Ο δάσκαλος άνοιξε την παλιά βιβλιοθήκη το πρωί."]


def mini(folder: Path) -> str:
    """The table of the quickstart's data, written as its configuration says."""
    config = ROOT / "configs" / "quickstart.yaml"
    data = Study.load(config).config.data
    write_mini(
        folder,
        seed=data.mini_seed,
        train=16,  # dev sets are read
        evaluation=data.mini_evaluation,
        low_resource=16,
    )
    return table(check_tokenizers(Study.load(config, [f"data.root={folder}", f"store={folder}/store"])))


def faults(_: Path) -> str:
    """The tables of tokenizers that do not fit."""
    checks = []
    for family, name, texts in (
        ("bert-uncased", "an uncased BERT", {"de": LINES[5:7]}),
        ("xlm-roberta", "a vocabulary without Greek", {"en": LINES[:5], "el": GREEK}),
        ("mmbert", "byte-pair encoding with bytes", {"en": LINES[:5], "el": GREEK}),
    ):
        backend, unknown = backend_of(tiny(family)), tiny(family).unk_token_id
        checks.append(judged(name, [read_language(backend, unknown, code, texts[code], ["xnli"]) for code in texts]))
    return table(checks)


EXAMPLES = {"mini": mini, "faults": faults}


def pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n```text\n)(.*?)(```\n)", re.DOTALL)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_on_the_page_is_what_comes_out(name, tmp_path):
    shown = pattern(name).search(PAGE.read_text(encoding="utf-8"))
    assert shown
    assert shown[2] == EXAMPLES[name](tmp_path) + "\n"


def test_commands_on_the_page_run_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(
        r"^adaptstilts (validate quickstart.*?)(?: +#.*)?$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(commands) == 2
    assert [command for command in commands if say(*command.split()).code] == []


def test_thresholds_and_kinds_on_the_page_are_those_of_the_code():
    rows = dict(re.findall(r"^\| `(\w+)`[^|]* \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    stated = {kind: [float(number) for number in re.findall(r"[\d.]+\d|\d", text)] for kind, text in rows.items()}
    found = tokenizer_findings
    assert stated == {
        "unreadable": [100 * found.UNREADABLE],
        "unknown": [100 * found.UNKNOWN],
        "changed": [100 * found.CHANGED],
        "offsets": [100 * found.UNCOVERED],
        "apart": [found.APART, found.APART_UNSPACED],
        "long": [found.TIMES_ENGLISH],
        "tags": [100 * found.CUT_DIFFERENTLY],
        "prefix_space": [100 * found.CUT_DIFFERENTLY],
    }


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for example, make in EXAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            made = make(Path(folder))
        text = pattern(example).sub(lambda match, made=made: f"{match[1]}{made}\n{match[3]}", text)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
