"""What the documentation says of tests and figures is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT
from small_quickstart import TIMED

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "configs").glob("*.md")])
DIFFERENCES = ROOT / "docs" / "xtreme.md"
MEASURED = ROOT / "benchmarks" / "results" / "xtreme_differences.json"


def named_tests() -> list[str]:
    return re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", DIFFERENCES.read_text(encoding="utf-8"))


def test_page_of_differences_names_many_tests():
    assert len(named_tests()) >= 30


@pytest.mark.parametrize("name", sorted(set(named_tests())))
def test_page_of_differences_names_tests_that_exist(name: str):
    path, _, function = name.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not function or re.search(rf"^def {function}\(", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_text_of_a_page_is_wrapped(page: Path):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith(("|", "#"))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_that_names_what_the_wheel_lacks_says_where_it_is(page: Path):
    text = page.read_text(encoding="utf-8")
    if re.search(r"benchmarks/\w|\btests/\w|`make \w", re.sub(r"<!--.*?-->", "", text)):
        assert "in a copy of the repository" in " ".join(text.lower().split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page_name_shipped_configurations_without_a_folder(page: Path):
    examples = re.findall(r"^```.*?^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [line for example in examples for line in example.splitlines() if not line.startswith("python benchmarks/")]
    assert [line for line in lines if "configs/" in line] == []


def test_page_of_the_store_names_the_files_that_hold_times():
    text = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    sentence = text[text.index("except those that hold times") :].partition("\n\n")[0]
    names = {f"{kind}/*/{name}" for kind, files in TIMED.items() for name in files}
    assert set(re.findall(r"`(.+?)`", sentence)) == {"manifest.json", *names}


def test_commands_of_benchmarks_are_named_on_a_page_and_exist():
    pages = [*PAGES, ROOT / "checkpoints" / "mini" / "README.md"]
    named = {name for page in pages for name in re.findall(r"benchmarks/(\w+\.py)", page.read_text(encoding="utf-8"))}
    assert named >= {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    assert [name for name in named if not (ROOT / "benchmarks" / name).is_file()] == []


@pytest.fixture(scope="module")
def measured() -> dict:
    return json.loads(MEASURED.read_text(encoding="utf-8"))


def test_page_of_differences_states_what_was_measured(measured: dict):
    text = " ".join(DIFFERENCES.read_text(encoding="utf-8").split())
    pawsx, xnli = measured["quoting"]["pawsx"], measured["quoting"]["xnli"]
    assert pawsx["most"] == "fr"
    mock, retrieval, tokens = measured["mock"], measured["retrieval"], measured["udpos_tokens"]
    words = sum(one["syntactic_words"] for one in tokens.values())
    fused = sum(one["fused"] for one in tokens.values())
    stated = (
        f"PAWS-X {pawsx['changed']} of {pawsx['rows']:,} rows ({pawsx['percent']:.1f} %), "
        f"French {pawsx['most_percent']:.1f} %; XNLI {xnli['changed']} of {xnli['rows']:,}",
        f"{mock['udpos_seqeval_0.0.12']:.2f} (0.0.12), {mock['udpos_seqeval_1.2.2']:.2f} (1.2.2), "
        f"{mock['udpos_token_accuracy']:.2f} (token accuracy)",
        f"XQuAD {mock['xquad_f1_only']:.2f} by F1 alone, {mock['xquad_mean']:.2f}; MLQA {mock['mlqa_f1_only']:.2f}, "
        f"{mock['mlqa_mean']:.2f}; TyDiQA {mock['tydiqa_f1_only']:.2f}, {mock['tydiqa_mean']:.2f}",
        f"F1 {mock['mlqa_own_normaliser_f1']:.2f}, {mock['mlqa_squad_normaliser_f1']:.2f} with SQuAD's",
        f"measured on {retrieval['tatoeba_english_to_foreign']['sentences']} pairs of the parity vectors: "
        f"{retrieval['tatoeba_english_to_foreign']['accuracy']:.1f}, the other way "
        f"{retrieval['tatoeba_foreign_to_english']['accuracy']:.1f}",
        f"{retrieval['bucc_duplicates_xtreme']['pairs']} pairs, F1 {retrieval['bucc_duplicates_xtreme']['f1']:.2f}; "
        f"expanded {retrieval['bucc_duplicates_jiant']['pairs']} pairs, "
        f"F1 {retrieval['bucc_duplicates_jiant']['f1']:.2f}",
        f"F1 {retrieval['bucc_margin_ratio']['f1']:.2f}; {retrieval['bucc_margin_none']['f1']:.2f} without a margin",
        f"measured on {len(tokens)} languages: {fused} fused tokens in {words:,} words; most in Tamil, "
        f"{tokens['ta']['fused']} in {tokens['ta']['syntactic_words']:,}",
    )
    assert [one for one in stated if one not in text] == []


def test_measured_differences_come_out_again(shared_root: Path, measured: dict, tmp_path: Path):
    found = tmp_path / "found.json"
    script = ROOT / "benchmarks" / "xtreme_differences.py"
    words = [sys.executable, str(script), "--shared", str(shared_root), "--json", str(found)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(found.read_text(encoding="utf-8")) == measured
