from collections import Counter

import pytest

from adaptstilts.data.contamination.findings import Findings, Pair
from adaptstilts.data.contamination.leaks import Leak
from adaptstilts.data.contamination.overlap import Overlap
from adaptstilts.results.contamination import add_overlaps, overlap_section

CLEAN = Leak(rows=5)
MIXED = Leak(rows=2000, by_id=Counter(finnish=30), example="finnish-1")
NONE = Pair("mnli", "dev", "xnli", "test", Overlap(10, 0, 0, 0))
FEW = Pair("mnli", "train", "xnli", "test", Overlap(5010, 3, 40, 1))
MANY = Pair("squad1", "dev", "xquad", "test", Overlap(1190, 1190, 1190, 1190))


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        (Findings({"mnli": CLEAN}, (NONE,)),
         "leaks and overlaps: no other language in 1 English training set; shared rows in 0 of 1 pair of sets"),
        (Findings({"tydiqa": MIXED}, (NONE, FEW, MANY)),
         "leaks and overlaps: other languages in the English training sets of tydiqa; "
         "shared rows in 2 of 3 pairs of sets, "
         "most of all xquad (test) with squad1 (dev): 1,190 of 1,190"),
    ],
)  # fmt: skip
def test_summary_names_leaks_and_the_largest_overlap(findings, text):
    assert findings.summary() == text


def test_section_lists_pairs_that_share_texts_most_rows_first():
    lines = overlap_section(Findings({"mnli": CLEAN}, (NONE, FEW, MANY))).splitlines()
    assert lines[0] == "### Leaks and overlaps"
    assert lines[2] == "No other language was found in 1 English training set. Shared texts in 2 of 3 pairs of sets."
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| x")]
    assert cells == [
        ["xquad test", "squad1 dev", "1,190", "1,190", "1,190", "1,190"],
        ["xnli test", "mnli train", "5,010", "3", "40", "1"],
    ]


def test_section_says_that_training_sets_are_not_english():
    text = overlap_section(Findings({"tydiqa": MIXED}, (NONE,)))
    assert "tydiqa (30 of 2,000 rows; by id: finnish 30)" in text
    assert "|" not in text


def test_section_is_put_at_the_end_of_a_report(tmp_path):
    report = tmp_path / "report.md"
    report.write_text("# A study\n", encoding="utf-8")
    findings = Findings({"mnli": CLEAN}, (FEW,))
    add_overlaps(report, findings)
    assert report.read_text(encoding="utf-8") == f"# A study\n\n{overlap_section(findings)}"
