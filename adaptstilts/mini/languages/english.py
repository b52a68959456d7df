"""English: the reference grammar of the mini world.

Simplified: simple past for events and simple present for states and feelings, full noun phrases only (no pronouns), one
fixed order (subject, verb, object, place, time), do-support in questions and negation.
"""

from __future__ import annotations

from functools import cache

from adaptstilts.mini import concepts
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word

_UNLIKE_CONCEPT = {
    "drink_v": "drink", "cook_v": "cook", "give_away": "donate", "move_o": "move", "move_s": "move",
    "monday": "Monday", "friday": "Friday", "sunday": "Sunday",
}  # fmt: skip
_PLURALS = {
    "person": "people", "child": "children", "woman": "women", "man": "men", "fish": "fish", "mouse": "mice",
    "sheep": "sheep", "knife": "knives", "scarf": "scarves", "mango": "mangoes",
}  # fmt: skip
_PASTS = {
    "eat": "ate", "drink": "drank", "see": "saw", "buy": "bought", "steal": "stole", "get": "got", "sell": "sold",
    "read": "read", "write": "wrote", "make": "made", "drive": "drove", "wear": "wore", "cut": "cut", "find": "found",
    "lose": "lost", "hear": "heard", "feed": "fed", "teach": "taught", "grow": "grew", "break": "broke",
    "sleep": "slept", "run": "ran", "swim": "swam", "fly": "flew", "sing": "sang", "fall": "fell", "sit": "sat",
    "speak": "spoke", "fight": "fought",
}  # fmt: skip
_MASS = frozenset({
    "water", "milk", "tea", "coffee", "juice", "wine", "bread", "rice", "meat", "soup", "cheese", "grass", "food",
    "fruit", "clothing", "furniture",
})  # fmt: skip
_AT = frozenset({"school", "market", "river", "station"})
_ON = frozenset({"mountain", "beach", "farm", "street"})
_TIME_WORDS = {
    "morning": ("in", "the", "morning"), "evening": ("in", "the", "evening"), "night": ("in", "the", "night"),
    "monday": ("on", "Monday"), "friday": ("on", "Friday"), "sunday": ("on", "Sunday"),
    "summer": ("in", "summer"), "winter": ("in", "winter"),
}  # fmt: skip
_FEELINGS = frozenset({"love", "like", "hate"})
_PEOPLE = frozenset(
    ("person", *concepts.NOUNS["person"], *concepts.PERSONS, *concepts.ORGANISATIONS),
)
_ENTITIES = {
    **dict.fromkeys(concepts.PERSONS, "PER"),
    **dict.fromkeys(concepts.CITIES, "LOC"),
    **dict.fromkeys(concepts.ORGANISATIONS, "ORG"),
}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_QUESTION_WORDS = {Role.PLACE: ("where", "ADV"), Role.TIME: ("when", "ADV")}


class English:
    """English grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "en"
    spaced = True

    def __init__(self) -> None:
        every = (
            *concepts.nouns(), *concepts.adjectives(), *concepts.TRANSITIVE, *concepts.INTRANSITIVE, *concepts.TIMES,
            *concepts.NUMBERS, *concepts.FUNCTION, *concepts.PERSONS, *concepts.CITIES, *concepts.ORGANISATIONS,
        )  # fmt: skip
        self.lexicon: dict[str, str] = {concept: _UNLIKE_CONCEPT.get(concept, concept) for concept in every}

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement, opened by a connective if one is given."""
        words: list[Word] = []
        if connective is not None:
            words.append(_word(connective, _OPENERS[connective], Role.OTHER, connective))
        words.extend(_noun_phrase(clause.subject, Role.SUBJECT))
        words.extend(_finite(clause))
        words.extend(_after_verb(clause))
        return _close(words, ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question about the subject, object, place or time."""
        if asked is Role.SUBJECT:
            words = [_who_or_what(clause.subject, asked), *_finite(clause, plural=False)]
            return _close([*words, *_after_verb(clause)], "?")
        if asked is Role.OBJECT and clause.object is not None:
            opener = _who_or_what(clause.object, asked)
        else:
            word, upos = _QUESTION_WORDS[asked]
            opener = _word(word, upos, asked, word)
        return _close([opener, *_inverted(clause), *_after_verb(clause, asked)], "?")

    def ask_why(self, clause: Clause) -> Sentence:
        """Realise a question about the reason; only the English reading tasks need it."""
        words = [_word("why", "ADV", Role.OTHER), *_inverted(clause), *_after_verb(clause)]
        return _close(words, "?")


@cache
def _word(form: str, upos: str, role: Role, concept: str = "", entity: str = "") -> Word:
    return Word(form, upos, role, concept, entity)


@cache
def _capital(word: Word) -> Word:
    return Word(word.form[0].upper() + word.form[1:], word.upos, word.role, word.concept, word.entity)


def _close(words: list[Word], mark: str) -> Sentence:
    words[0] = _capital(words[0])
    words.append(_word(mark, "PUNCT", Role.OTHER))
    return Sentence(tuple(words))


@cache
def _noun_phrase(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    head, adjective = phrase.head, phrase.adjective
    described = () if adjective is None else (_word(adjective, "ADJ", role, adjective),)
    if head in _ENTITIES:
        return (*described, _word(head, "PROPN", role, head, _ENTITIES[head]))
    noun = _word(_plural(head) if phrase.number > 1 else head, "NOUN", role, head)
    counted: tuple[Word, ...] = ()
    if phrase.number > 1:
        numeral = concepts.NUMBERS[phrase.number - 2]
        counted = (_word(numeral, "NUM", role, numeral),)
    article = "the" if phrase.definite else _indefinite(phrase)
    opened = (_word(article, "DET", role),) if article else ()
    return (*opened, *counted, *described, noun)


def _indefinite(phrase: Phrase) -> str:
    if phrase.number > 1 or phrase.head in _MASS:
        return ""
    return "an" if (phrase.adjective or phrase.head)[0] in "aeio" or phrase.adjective == "ugly" else "a"


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun in _MASS:
        return noun
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeo" else f"{noun}s"


def _base(verb: str) -> str:
    return _UNLIKE_CONCEPT.get(verb, verb)


def _past(base: str) -> str:
    if base in _PASTS:
        return _PASTS[base]
    if base.endswith("e"):
        return f"{base}d"
    return f"{base[:-1]}ied" if base.endswith("y") and base[-2] not in "aeo" else f"{base}ed"


def _helper(verb: str, plural: bool) -> str:
    if verb == "be":
        return "are" if plural else "is"
    if verb in _FEELINGS:
        return "do" if plural else "does"
    return "did"


@cache
def _verb_words(verb: str, negated: bool, plural: bool) -> tuple[Word, ...]:
    helper, base = _word(_helper(verb, plural), "AUX", Role.VERB, "be" if verb == "be" else ""), _base(verb)
    denied = (_word("not", "PART", Role.VERB, "not"),)
    if verb == "be":
        return (helper, *denied) if negated else (helper,)
    if negated:
        return (helper, *denied, _word(base, "VERB", Role.VERB, verb))
    present = base if plural else f"{base}s"
    return (_word(present if verb in _FEELINGS else _past(base), "VERB", Role.VERB, verb),)


def _finite(clause: Clause, plural: bool | None = None) -> tuple[Word, ...]:
    return _verb_words(clause.verb, clause.negated, clause.subject.number > 1 if plural is None else plural)


def _inverted(clause: Clause) -> tuple[Word, ...]:
    """Return helper, subject and the rest of the verb: "did Anna not buy"."""
    plural = clause.subject.number > 1
    helper = _word(_helper(clause.verb, plural), "AUX", Role.VERB, "be" if clause.verb == "be" else "")
    denied = (_word("not", "PART", Role.VERB, "not"),) if clause.negated else ()
    main = () if clause.verb == "be" else (_word(_base(clause.verb), "VERB", Role.VERB, clause.verb),)
    return (helper, *_noun_phrase(clause.subject, Role.SUBJECT), *denied, *main)


def _after_verb(clause: Clause, asked: Role | None = None) -> list[Word]:
    words: list[Word] = []
    if clause.predicate is not None:
        words.append(_word(clause.predicate, "ADJ", Role.PREDICATE, clause.predicate))
    if clause.kind is not None:
        words.extend(_noun_phrase(Phrase(clause.kind, number=1, definite=False), Role.PREDICATE)
                     if clause.subject.number == 1
                     else (_word(_plural(clause.kind), "NOUN", Role.PREDICATE, clause.kind),))  # fmt: skip
    if clause.object is not None and asked is not Role.OBJECT:
        words.extend(_noun_phrase(clause.object, Role.OBJECT))
    if clause.place is not None and asked is not Role.PLACE:
        words.extend(_place(clause.place))
    if clause.time is not None and asked is not Role.TIME:
        words.extend(_time(clause.time))
    return words


@cache
def _place(place: Phrase) -> tuple[Word, ...]:
    preposition = "at" if place.head in _AT else "on" if place.head in _ON else "in"
    return (_word(preposition, "ADP", Role.PLACE), *_noun_phrase(place, Role.PLACE))


@cache
def _time(time: str) -> tuple[Word, ...]:
    if time not in _TIME_WORDS:
        return (_word(time, "ADV", Role.TIME, time),)
    *before, noun = _TIME_WORDS[time]
    tags = {"in": "ADP", "on": "ADP", "the": "DET"}
    return (*(_word(form, tags[form], Role.TIME) for form in before), _word(noun, "NOUN", Role.TIME, time))


def _who_or_what(phrase: Phrase, role: Role) -> Word:
    word = "who" if phrase.head in _PEOPLE else "what"
    return _word(word, "PRON", role, word)


GRAMMAR = English()
