"""Swahili: noun classes, with which adjective, numeral and verb agree; tense, negation and persons in verb prefixes.

Simplified: past in -li- for events, present in -na- for feelings, "ni" and "si" for states; no articles, so it is not
said what is known; objects are marked on the verb when they are people or animals; companies agree as class 9; places
with "katika" or "kwenye" and never with -ni, cities with "jijini"; one fixed order (subject, verb, object, place,
time), in which a question word stands where its answer would. Some adjectives are said with "of", "having" or a verb.
"What" as a subject agrees as class 7.
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import swahili_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, PEOPLE, asked_as, close, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word
from adaptstilts.mini.preferences import FEELINGS

_LIVING = PEOPLE | ANIMALS
_VOWELS = frozenset("aeiou")
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_THING = 7
_BE = {False: word("ni", "AUX", Role.VERB, "be"), True: word("si", "AUX", Role.VERB, "not")}


class Swahili:
    """Swahili grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "sw"
    spaced = True

    def __init__(self) -> None:
        self.lexicon: dict[str, str] = {
            **{noun: forms[0] for noun, forms in lexicon.NOUNS.items()},
            **{adjective: forms[1] for adjective, forms in lexicon.AGREEING.items()},
            **lexicon.FIXED,
            **lexicon.WITH_OF,
            **lexicon.WITH_HAVING,
            **{adjective: f"ku{stem}" for adjective, stem in lexicon.STATES.items()},
            **{verb: f"ku{stem.replace('+', ' ')}" for verb, stem in lexicon.VERBS.items()},
            **{time: forms[-1] for time, forms in lexicon.TIMES.items()},
            **{number: _numeral(index + 2, 10) for index, number in enumerate(concepts.NUMBERS)},
            **lexicon.FUNCTION,
            **{name: lexicon.CITIES.get(name, name) for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement."""
        subject = _noun_phrase(clause.subject, Role.SUBJECT)
        words = (*subject, *_from_verb(clause, _class(clause.subject)))
        return close(words if connective is None else (*_opener(connective), *words), ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; the question word stands where its answer would."""
        if asked is Role.SUBJECT:
            question = asked_as(clause.subject.head)
            subject: tuple[Word, ...] = (word(lexicon.FUNCTION[question], "PRON", asked, question),)
            return close((*subject, *_from_verb(clause, 1 if question == "who" else _THING, asked)), "?")
        subject = _noun_phrase(clause.subject, Role.SUBJECT)
        return close((*subject, *_from_verb(clause, _class(clause.subject), asked)), "?")


@cache
def _opener(connective: str) -> tuple[Word, ...]:
    *before, last = lexicon.FUNCTION[connective].split()
    tag = _OPENERS[connective]
    return (*(word(form, "ADP", Role.OTHER) for form in before), word(last, tag, Role.OTHER, connective))


def _class(phrase: Phrase) -> int:
    """Return the noun class with which other words agree."""
    if ENTITIES.get(phrase.head) in ("LOC", "ORG"):
        return 9
    plural = phrase.number > 1
    if phrase.head in _LIVING or phrase.head in ENTITIES:
        return 2 if plural else 1
    _, _, of_one, of_many = lexicon.NOUNS[phrase.head]
    return of_many if plural else of_one


def _from_verb(clause: Clause, subject: int, asked: Role | None = None) -> tuple[Word, ...]:
    """Return verb, object or predicate, place and time; a question word replaces what is asked for."""
    place = () if clause.place is None else _place(clause.place)
    time = () if clause.time is None else _time(clause.time)
    if asked is Role.PLACE:
        place = (word(lexicon.FUNCTION["where"], "ADV", asked, "where"),)
    elif asked is Role.TIME:
        time = (word(lexicon.FUNCTION["when"], "ADV", asked, "when"),)
    if clause.verb == "be":
        return (*_state(clause, subject, asked), *place, *time)
    if clause.object is None:
        return (*_verb(clause.verb, subject, None, clause.negated), *place, *time)
    marked = _class(clause.object) if clause.object.head in _LIVING else None
    thing = _noun_phrase(clause.object, Role.OBJECT)
    if asked is Role.OBJECT:
        question = asked_as(clause.object.head)
        marked = 1 if question == "who" and marked is not None else None
        thing = (word(lexicon.FUNCTION[question], "PRON", asked, question),)
    return (*_verb(clause.verb, subject, marked, clause.negated), *thing, *place, *time)


@cache
def _verb(verb: str, subject: int, marked: int | None, negated: bool) -> tuple[Word, ...]:
    """Return the finite verb, and the noun that it combines with where there is one.

    `subject` and `marked` are noun classes: the subject's, and the object's if the verb marks it (1 or 2), else None.
    """
    stem, _, noun = lexicon.VERBS[verb].partition("+")
    tail = stem if marked is None else _object_prefix(marked, stem) + stem
    prefix = lexicon.SUBJECTS[subject]
    if negated:
        prefix = "ha" if subject == 1 else f"ha{prefix}"
    if verb in FEELINGS:
        form = prefix + (f"{tail[:-1]}i" if negated else f"na{tail}")
    elif negated:
        form = f"{prefix}ku{tail}"
    else:
        form = prefix + "li" + ("ku" if tail in lexicon.SHORT_STEMS else "") + tail
    said = word(form, "VERB", Role.VERB, verb)
    return (said, word(noun, "NOUN", Role.VERB)) if noun else (said,)


def _object_prefix(marked: int, stem: str) -> str:
    if marked == 2:
        return "wa"
    return "mu" if stem[0] == "u" else "mw" if stem[0] in _VOWELS else "m"


def _state(clause: Clause, subject: int, asked: Role | None) -> tuple[Word, ...]:
    """Return copula and predicate; a state that is expressed by a verb has no copula."""
    if clause.predicate in lexicon.STATES:
        return _said_by_verb(clause.predicate, subject, clause.negated)
    copula = _BE[clause.negated]
    if clause.predicate is not None:
        living = clause.subject.head in _LIVING or clause.subject.head in ENTITIES
        return (copula, *_adjective(clause.predicate, subject, living, Role.PREDICATE))
    if clause.kind is None:
        return (copula,)
    plural = clause.subject.number > 1 and asked is not Role.SUBJECT
    return (copula, word(lexicon.NOUNS[clause.kind][plural], "NOUN", Role.PREDICATE, clause.kind))


@cache
def _said_by_verb(predicate: str, subject: int, negated: bool) -> tuple[Word, ...]:
    prefix, stem = lexicon.SUBJECTS[subject], lexicon.STATES[predicate]
    denied = "ha" if subject == 1 else f"ha{prefix}"
    form = f"{denied}ja{stem}" if negated else f"{prefix}me{stem}"
    return (word(form, "VERB", Role.PREDICATE, predicate),)


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    """Return noun or name, adjective and numeral."""
    head, agreed = phrase.head, _class(phrase)
    words: list[Word] = []
    if head in ENTITIES:
        words.append(word(lexicon.CITIES.get(head, head), "PROPN", role, head, ENTITIES[head]))
    else:
        words.append(word(lexicon.NOUNS[head][phrase.number > 1], "NOUN", role, head))
    if phrase.adjective is not None:
        words += _adjective(phrase.adjective, agreed, head in _LIVING or head in ENTITIES, role)
    if phrase.number > 1 and head not in ENTITIES:
        words.append(word(_numeral(phrase.number, agreed), "NUM", role, concepts.NUMBERS[phrase.number - 2]))
    return tuple(words)


@cache
def _numeral(number: int, agreed: int) -> str:
    stem = lexicon.NUMBERS[number - 2]
    if agreed in (9, 10):
        return "mbili" if number == 2 else stem
    return stem if stem in lexicon.FIXED_NUMBERS else lexicon.BEFORE_CONSONANT[agreed] + stem


@cache
def _adjective(adjective: str, agreed: int, living: bool, role: Role) -> tuple[Word, ...]:
    """Return an adjective that agrees with a noun class, or the words that stand for one."""
    if adjective in lexicon.FIXED:
        return (word(lexicon.FIXED[adjective], "ADJ", role, adjective),)
    if adjective in lexicon.WITH_OF:
        of = word(lexicon.CONNECTORS[agreed], "ADP", role)
        return (of, word(lexicon.WITH_OF[adjective], "ADJ", role, adjective))
    if adjective in lexicon.WITH_HAVING:
        having = word(lexicon.HAVING[agreed], "ADJ", role)
        return (having, word(lexicon.WITH_HAVING[adjective], "NOUN", role, adjective))
    if adjective in lexicon.STATES:
        return (word(lexicon.RELATIVES[agreed] + lexicon.STATES[adjective], "VERB", role, adjective),)
    stem, nasal = lexicon.AGREEING[adjective]
    if living:
        stem, nasal = lexicon.OF_LIVING.get(adjective, (stem, nasal))
    return (word(_agreeing(stem, nasal, agreed), "ADJ", role, adjective),)


def _agreeing(stem: str, nasal: str, agreed: int) -> str:
    if agreed in (9, 10):
        return nasal
    if stem == "pya" and agreed == 5:
        return "jipya"
    contracted = stem[0] in _VOWELS and not (stem[0] == "o" and agreed in (2, 6))
    return (lexicon.BEFORE_VOWEL if contracted else lexicon.BEFORE_CONSONANT)[agreed] + stem


@lru_cache(maxsize=1 << 12)
def _place(place: Phrase) -> tuple[Word, ...]:
    words = _noun_phrase(place, Role.PLACE)
    if place.head in ENTITIES:
        return (word("jijini", "NOUN", Role.PLACE), *words)
    return (word("kwenye" if place.head in lexicon.OPEN_PLACES else "katika", "ADP", Role.PLACE), *words)


@cache
def _time(time: str) -> tuple[Word, ...]:
    *before, last = lexicon.TIMES[time]
    closing = word(last, "ADV" if time == "yesterday" else "NOUN", Role.TIME, time)
    return (*(word(form, "ADP" if form == "wa" else "NOUN", Role.TIME) for form in before), closing)


GRAMMAR = Swahili()
