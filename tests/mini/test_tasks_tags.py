"""Word labels: aligned, in the known sets, with names kept for evaluation."""

from random import Random

import pytest

from adaptstilts.mini import concepts
from adaptstilts.mini.corpus import realise
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Phrase, Role
from adaptstilts.mini.tasks_tags import named_sentences, names, parts_of_speech, sentences, supertags
from adaptstilts.tasks.registry import get_task

UPOS = set(get_task("udpos").labels)
BUY = Clause("buy", Phrase("Anna"), Phrase("apple", "red", definite=False), Phrase("market"), "yesterday")


@pytest.mark.parametrize("code", grammars())
def test_parts_of_speech_tag_every_word_from_the_universal_set(code: str) -> None:
    for line in sentences(80, Random(1), set()):
        sentence = realise(grammars()[code], line)[0]
        tagged = parts_of_speech(sentence)
        assert len(tagged) == len(sentence.words)
        assert {tag for _, tag in tagged} <= UPOS
        assert all(word and " " not in word and "\t" not in word for word, _ in tagged)


def test_supertags_of_a_statement_are_those_of_the_grammar() -> None:
    assert supertags(((BUY, "then"),)) == [
        ("Then", "S/S"), ("Anna", "NP"), ("bought", r"(S[dcl]\NP)/NP"), ("a", "NP/N"), ("red", "N/N"), ("apple", "N"),
        ("at", r"((S\NP)\(S\NP))/NP"), ("the", "NP/N"), ("market", "N"), ("yesterday", r"(S\NP)\(S\NP)"), (".", "."),
    ]  # fmt: skip


def test_supertags_of_a_question_are_those_of_the_grammar() -> None:
    assert supertags(((BUY, Role.OBJECT),))[:4] == [
        ("What", "S[wq]/(S[q]/NP)"), ("did", r"(S[q]/(S[b]\NP))/NP"), ("Anna", "NP"), ("buy", r"(S[b]\NP)/NP"),
    ]  # fmt: skip


def test_supertags_use_a_rich_set() -> None:
    tags = {tag for line in sentences(800, Random(2), set(), questions=0.3) for _, tag in supertags(line)}
    assert 18 <= len(tags) <= 40


@pytest.mark.parametrize("code", grammars())
def test_names_are_tagged_alike_in_every_language(code: str) -> None:
    english, other = grammars()["en"], grammars()[code]
    rng = Random(3)
    for line in named_sentences(120, Random(4), set(), train=False):
        tagged = names(line, [english, other], rng, train=False)
        kinds = [sorted(tag for _, tag in tagged[language] if tag[0] == "B") for language in ("en", code)]
        assert kinds[0] == kinds[1]


def test_names_kept_for_evaluation_do_not_occur_in_training() -> None:
    kept = {pool[index] for pool in (concepts.PERSONS, concepts.CITIES, concepts.ORGANISATIONS)
            for index in range(0, len(pool), 4)}  # fmt: skip
    english, rng = [grammars()["en"]], Random(5)
    train = [names(line, english, rng, train=True)["en"] for line in named_sentences(300, rng, set(), train=True)]
    test = [names(line, english, rng, train=False)["en"] for line in named_sentences(300, rng, set(), train=False)]
    assert kept.isdisjoint(word for sentence in train for word, _ in sentence)
    assert not kept.isdisjoint(word for sentence in test for word, _ in sentence)
    tags = {tag for sentence in train for _, tag in sentence}
    assert tags == {"O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC"}
