"""The languages together: order, and lexicons that agree with the concepts."""

import pytest

from adaptstilts.mini import concepts
from adaptstilts.mini.languages.registry import CODES3, MODULES, grammars

CONCEPTS = {
    *concepts.nouns(), *concepts.adjectives(), *concepts.TRANSITIVE, *concepts.INTRANSITIVE, *concepts.TIMES,
    *concepts.NUMBERS, *concepts.PERSONS, *concepts.CITIES, *concepts.ORGANISATIONS,
}  # fmt: skip


def test_grammars_come_in_a_fixed_order_with_english_first() -> None:
    assert tuple(grammars()) == ("en", "de", "es", "ru", "tr", "sw", "hi", "zh")
    assert set(CODES3) == set(MODULES) - {"en"}


@pytest.mark.parametrize("code", grammars())
def test_lexicon_has_a_form_for_every_concept(code: str) -> None:
    grammar = grammars()[code]
    assert grammar.code == code
    assert CONCEPTS - set(grammar.lexicon) == set()
    assert all(grammar.lexicon.values())
