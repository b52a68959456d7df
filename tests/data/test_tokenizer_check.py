"""A tokenizer that fits is read without a word; each kind of fault is named, with the language and the letters."""

import pytest
from tokenizers import Tokenizer, normalizers, pre_tokenizers
from tokenizers_tiny import FAMILIES, LINES, tiny

from adaptstilts.data.tokenizer_check import MOST_CHARACTERS, MOST_ROWS, read_language, sampled
from adaptstilts.data.tokenizer_findings import Finding, TokenizerCheck, judged, table, unreadable, values
from adaptstilts.errors import CheckpointError, raise_all

# Hindi and Arabic, with few words each, do fall apart into letters in vocabularies as small as these.
TEXTS = {"en": LINES[:5], "de": LINES[5:7], "ru": LINES[7:9], "zh": LINES[11:14]}
GREEK = ["Ο δάσκαλος άνοιξε την παλιά βιβλιοθήκη το πρωί.", "Κανείς δεν ήξερε πού τελειώνει το ποτάμι."]


def backend_of_family(family: str) -> Tokenizer:
    return Tokenizer.from_str(tiny(family).backend_tokenizer.to_str())


def reading(backend: Tokenizer, texts: list[str], language: str = "de", unknown: str = "<unk>"):
    return read_language(backend, backend.token_to_id(unknown), language, texts, ["xnli"])


def check(family: str, texts: dict[str, list[str]]) -> TokenizerCheck:
    unknown = tiny(family).unk_token
    return judged(family, [reading(backend_of_family(family), texts[code], code, unknown) for code in texts])


def kinds(found: TokenizerCheck) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.languages for finding in found.findings}


@pytest.mark.parametrize("family", ["xlm-roberta", "bert", "deberta-v2", "mt5"])
def test_nothing_is_said_about_the_languages_that_a_tokenizer_was_made_for(family):
    found = check(family, TEXTS)
    assert found.findings == ()
    assert {item.is_unspaced for item in found.readings if item.language == "zh"} == {True}
    assert table([found]).splitlines()[-1] == "nothing looks wrong"


def test_counts_of_a_text_are_those_made_by_hand():
    backend = backend_of_family("bert")
    found = reading(backend, ["the €€ teacher"], unknown="[UNK]")
    assert [backend.encode(word).tokens[1:-1] for word in ("the", "€€", "teacher")] == [
        ["the"],
        ["[UNK]"],
        ["teache", "##r"],
    ]
    assert found.per_word == pytest.approx(4 / 3)
    assert found.per_character == pytest.approx(4 / 12)
    assert found.unknown == pytest.approx(2 / 12)
    assert (found.changed, found.uncovered, found.starts_differ) == (0, 0, 0)


def test_uncased_tokenizer_is_named_with_capitals_and_the_marks_that_it_drops():
    found = check("bert-uncased", {"de": TEXTS["de"]})
    assert kinds(found) == {"changed": ("de",)}
    problem = found.findings[0].problem
    assert "capital letters become small; lost: combining diaeresis" in problem
    assert "'Der' becomes 'der'" in problem
    assert "do_lower_case" in found.findings[0].hint


def test_letters_that_a_normaliser_drops_are_named_and_leave_holes_in_the_offsets():
    backend = backend_of_family("xlm-roberta")
    backend.normalizer = normalizers.Replace("a", "")
    found = judged("odd", [reading(backend, TEXTS["de"])])
    assert kinds(found) == {"changed": ("de",), "offsets": ("de",)}
    assert "lost: a;" in found.findings[0].problem


@pytest.mark.parametrize("family", ["xlm-roberta", "bert", "deberta-v2", "mt5"])
def test_language_whose_letters_are_unknown_is_an_error_with_what_to_do(family):
    found = check(family, {"el": GREEK})
    assert found.findings[0].level == "error"
    with pytest.raises(CheckpointError, match=rf"backbone: '{family}' cannot read el: in el \d+ % .* Take a backbone"):
        raise_all(unreadable([found]))


def test_language_with_some_unknown_characters_is_a_warning_only():
    found = check("xlm-roberta", {"en": [*TEXTS["en"], GREEK[0]]})
    assert kinds(found) == {"unknown": ("en",)}
    assert found.findings[0].level == "warning"
    assert not unreadable([found])


@pytest.mark.parametrize("family", ["mmbert", "modernbert"])
def test_script_that_falls_apart_into_bytes_is_named(family):
    found = check(family, {"el": GREEK, "zh": ["猫坐在垫子上吗？狗跑得快"]})
    assert set(kinds(found)["apart"]) == {"el", "zh"}
    assert "bytes" in next(finding.problem for finding in found.findings if finding.kind == "apart")


def test_language_with_many_more_sub_tokens_per_word_than_english_is_named():
    words = ["the", "teacher", "Donaudampfschifffahrtsgesellschaftskapitaen"]
    found = check("xlm-roberta", {"en": words[:2], "de": words[2:]})
    assert kinds(found)["long"] == ("de",)


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_prefix_space_is_noted_where_pieces_hold_spaces_and_is_mended_for_tagging(family):
    found = check(family, {"en": TEXTS["en"]})
    lacks = family in {"mmbert", "mmbert-two-openings", "modernbert"}
    assert ("prefix_space" in kinds(found)) == lacks
    assert {item.tags_differ for item in found.readings} == {0.0}
    assert {finding.level for finding in found.findings if finding.kind == "prefix_space"} <= {"note"}


def test_prefix_space_that_cannot_be_mended_is_a_warning():
    backend = backend_of_family("xlm-roberta")
    backend.normalizer = normalizers.Strip()
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never")
    found = judged("odd", [reading(backend, TEXTS["en"], "en")])
    assert kinds(found) == {"tags": ("en",)}
    assert "add_prefix_space" in found.findings[0].hint


def test_worst_languages_come_first_and_the_others_are_counted():
    greek = {code: [*TEXTS["en"][:1], *GREEK[:1]] for code in ("af", "bg", "cs", "da", "et", "fi", "hu")}
    found = check("xlm-roberta", {**greek, "el": [*TEXTS["en"][:1], *GREEK]})
    assert found.findings[0].languages[0] == "el"
    assert " and 2 more of characters are unknown" in found.findings[0].problem


def test_sentences_inside_a_problem_stay_part_of_it():
    finding = Finding("unreadable", "error", ("el",), "in el 'Dr. Who' is unknown", "Take a backbone that has it.")
    (error,) = unreadable([TokenizerCheck("odd", (), (finding,))])
    assert error.hint == finding.hint
    assert str(error).startswith("backbone: 'odd' cannot read el: in el 'Dr. Who' is unknown")


def test_sample_is_bounded_seeded_and_in_the_order_of_the_rows():
    texts = [f"{number:05}" * 8 for number in range(3000)]
    drawn = sampled(texts, "xnli de")
    assert drawn == sampled(texts, "xnli de") != sampled(texts, "xnli en")
    assert drawn == sorted(drawn)
    assert len(drawn) == MOST_ROWS
    assert sampled(["x" * 99_999], "a") == ["x" * MOST_CHARACTERS]
    assert sum(map(len, sampled(["x" * 900] * 600, "a"))) <= MOST_CHARACTERS
    assert sampled([], "a") == []


def test_values_hold_every_measure_and_finding():
    record = values([check("bert-uncased", {"de": TEXTS["de"]})])[0]
    assert record["backbone"] == "bert-uncased"
    assert record["languages"][0]["language"] == "de"
    assert record["languages"][0]["changed"] > 0.1
    assert [finding["kind"] for finding in record["findings"]] == ["changed"]


def test_table_leaves_out_a_backbone_without_data_and_says_why_one_could_not_be_measured():
    assert table([judged("mini", ())]) == ""
    assert table([TokenizerCheck("a/b", (), (), "not in the cache")]).endswith("not measured: not in the cache.")
