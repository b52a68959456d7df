import pytest

from adaptstilts.evaluate.chunks import Chunk, count_chunks, find_chunks


def chunks(*sentences: str) -> set[tuple[str, int, int]]:
    return {tuple(chunk) for chunk in find_chunks([sentence.split() for sentence in sentences])}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-PER I-PER O", {("PER", 0, 1)}),
        ("I-PER I-PER O", {("PER", 0, 1)}),
        ("B-PER B-PER", {("PER", 0, 0), ("PER", 1, 1)}),
        ("B-PER I-LOC", {("PER", 0, 0), ("LOC", 1, 1)}),
        ("S-PER I-PER E-PER", {("PER", 0, 0), ("PER", 1, 2)}),
        ("O O", set()),
        ("", set()),
    ],
)
def test_chunks_of_tags_with_prefix_follow_the_lenient_rule(tags: str, expected: set[tuple[str, int, int]]):
    assert chunks(tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("NOUN NOUN VERB", {("NOUN", 0, 1), ("VERB", 2, 2)}),
        ("SYM SYM", {("SYM", 0, 0), ("SYM", 1, 1)}),
        ("CCONJ SCONJ", {("CCONJ", 0, 0), ("SCONJ", 1, 1)}),
        ("INTJ INTJ", {("INTJ", 0, 1)}),
    ],
)
def test_chunks_of_bare_tags_go_by_first_letter_and_whole_tag(tags: str, expected: set[tuple[str, int, int]]):
    assert chunks(tags) == expected


def test_chunks_never_reach_over_the_end_of_a_sentence():
    # The second sentence starts at position 3: one step lies between two sentences.
    assert chunks("B-LOC I-LOC", "I-LOC O") == {("LOC", 0, 1), ("LOC", 3, 3)}


def test_chunk_names_its_fields():
    assert find_chunks([["O", "B-ORG", "I-ORG"]]) == {Chunk(kind="ORG", first=1, last=2)}


def test_counts_need_equal_borders_and_equal_type():
    gold = [["B-PER", "I-PER", "O", "B-LOC"], ["B-ORG"]]
    predicted = [["B-PER", "O", "O", "B-LOC"], ["B-LOC"]]
    assert count_chunks(predicted, gold) == (1, 3, 3)


def test_later_rule_takes_all_but_the_first_letter_as_type():
    # SCONJ opens a chunk without ending the one of CCONJ, whose type is the same: that one is lost.
    sentence = [["CCONJ", "SCONJ", "NOUN", "NUM"]]
    assert find_chunks(sentence, version="1.2.2") == {Chunk("CONJ", 1, 1), Chunk("OUN", 2, 2), Chunk("UM", 3, 3)}
    assert count_chunks([["CCONJ", "VERB"]], [["SCONJ", "NOUN"]], version="1.2.2") == (1, 2, 2)
    assert count_chunks([["CCONJ", "VERB"]], [["SCONJ", "NOUN"]]) == (0, 2, 2)


def test_both_rules_agree_on_tags_with_prefix():
    sentences = [["B-PER", "I-PER", "O", "I-LOC", "I-ORG", "B-LOC-X", "."]]
    assert {chunk[1:] for chunk in find_chunks(sentences, version="1.2.2")} == {
        chunk[1:] for chunk in find_chunks(sentences)
    }
