"""Chinese: no spaces and no inflection, classifiers between numeral and noun, time and place before the verb.

Simplified: "le" after the verb for every event that happened, "meiyou" for those that did not, "bu" for states and
feelings; "hen" before every predicative adjective; new single things take "one" and a classifier, known single things
stand bare (except "that person"), known counted ones take "that"; no passive, no "ba". Fixed order: time, subject,
negation, place, verb, object; a question word stands where its answer would, except "when", which follows the subject.
People's names stay in Latin letters. Some verbs and adjectives have another word for some objects, or for the living.
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import chinese_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, MASS, PEOPLE, asked_as, close, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word
from adaptstilts.mini.preferences import FEELINGS

_LIVING = PEOPLE | ANIMALS | {"plant", *concepts.NOUNS["plant"]}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_DID_NOT = word("没有", "ADV", Role.VERB, "not")
_NOT = word("不", "ADV", Role.VERB, "not")
_IS = word("是", "AUX", Role.VERB, "be")
_DONE = word("了", "PART", Role.VERB)
_VERY = word("很", "ADV", Role.PREDICATE)


class Chinese:
    """Chinese grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "zh"
    spaced = False

    def __init__(self) -> None:
        self.lexicon: dict[str, str] = {
            **lexicon.NOUNS,
            **lexicon.ADJECTIVES,
            **lexicon.VERBS,
            **lexicon.TIMES,
            **dict(zip(concepts.NUMBERS, lexicon.NUMBERS, strict=True)),
            **lexicon.FUNCTION,
            **{name: lexicon.CITIES.get(name, name) for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement."""
        opener: tuple[Word, ...] = ()
        if connective is not None:
            opener = (word(lexicon.FUNCTION[connective], _OPENERS[connective], Role.OTHER, connective),)
        subject = _noun_phrase(clause.subject, Role.SUBJECT)
        return close((*opener, *_time(clause), *subject, *_from_place(clause)), "。", spaced=False)

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; only the question word tells it from a statement."""
        subject = _noun_phrase(clause.subject, Role.SUBJECT)
        if asked is Role.TIME:
            when = word(lexicon.FUNCTION["when"], "ADV", asked, "when")
            return close((*subject, when, *_from_place(clause)), "？", spaced=False)
        if asked is Role.SUBJECT:
            subject = _who_or_what(clause.subject, asked)
        return close((*_time(clause), *subject, *_from_place(clause, asked)), "？", spaced=False)


def _time(clause: Clause) -> tuple[Word, ...]:
    return () if clause.time is None else (word(lexicon.TIMES[clause.time], "NOUN", Role.TIME, clause.time),)


def _from_place(clause: Clause, asked: Role | None = None) -> tuple[Word, ...]:
    """Return negation, place, and verb with object or predicate; a question word replaces what is asked for."""
    place = () if clause.place is None else _place(clause.place)
    if asked is Role.PLACE:
        place = (word("在", "ADP", asked), word(lexicon.FUNCTION["where"], "ADV", asked, "where"))
    if clause.verb == "be":
        return (*place, *_state(clause))
    thing: tuple[Word, ...] = ()
    if clause.object is not None:
        thing = _noun_phrase(clause.object, Role.OBJECT)
        if asked is Role.OBJECT:
            thing = _who_or_what(clause.object, asked)
    said = _verb(clause.verb, None if clause.object is None else clause.object.head)
    if clause.verb in FEELINGS:
        return (*place, _NOT, said, *thing) if clause.negated else (*place, said, *thing)
    return (_DID_NOT, *place, said, *thing) if clause.negated else (*place, said, _DONE, *thing)


@lru_cache(maxsize=1 << 12)
def _verb(verb: str, thing: str | None) -> Word:
    form = lexicon.VERBS[verb]
    if thing is not None and asked_as(thing) == "who":
        form = lexicon.OF_PERSON.get(verb, form)
    elif thing is not None:
        form = lexicon.OF_OBJECT.get((verb, thing), form)
    return word(form, "VERB", Role.VERB, verb)


def _state(clause: Clause) -> tuple[Word, ...]:
    denied = (_NOT,) if clause.negated else ()
    if clause.predicate is not None:
        said = word(_adjective(clause.predicate, clause.subject.head), "ADJ", Role.PREDICATE, clause.predicate)
        return (*denied, said) if clause.negated else (_VERY, said)
    if clause.kind is None:
        return (*denied, _IS)
    return (*denied, _IS, word(lexicon.NOUNS[clause.kind], "NOUN", Role.PREDICATE, clause.kind))


@cache
def _adjective(adjective: str, head: str) -> str:
    return (lexicon.OF_LIVING if head in _LIVING else lexicon.OF_THINGS).get(adjective, lexicon.ADJECTIVES[adjective])


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    """Return "that", numeral and classifier, adjective, and noun or name."""
    head = phrase.head
    named = head in ENTITIES
    form = lexicon.CITIES.get(head, head) if named else lexicon.NOUNS[head]
    words: list[Word] = []
    if not named:
        words += _counting(phrase, role)
    if phrase.adjective is not None:
        adjective = _adjective(phrase.adjective, head)
        words.append(word(adjective, "ADJ", role, phrase.adjective))
        if named or adjective not in lexicon.DIRECT or form.startswith(adjective):
            words.append(word("的", "PART", role))
    if named:
        return (*words, word(form, "PROPN", role, head, ENTITIES[head]))
    return (*words, word(form, "NOUN", role, head))


def _counting(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    classifier = word(lexicon.CLASSIFIERS.get(phrase.head, lexicon.GENERAL_CLASSIFIER), "NOUN", role)
    if phrase.number > 1:
        number = phrase.number - 2
        numeral = word(lexicon.NUMBERS[number], "NUM", role, concepts.NUMBERS[number])
        known = (word("那", "DET", role),) if phrase.definite else ()
        return (*known, numeral, classifier)
    if phrase.definite and phrase.head == "person":
        return (word("那", "DET", role), classifier)
    if phrase.definite or phrase.head in MASS:
        return ()
    return (word("一", "NUM", role), classifier)


@lru_cache(maxsize=1 << 12)
def _place(place: Phrase) -> tuple[Word, ...]:
    words = (word("在", "ADP", Role.PLACE), *_noun_phrase(place, Role.PLACE))
    if place.head in lexicon.LOCALISERS:
        return (*words, word(lexicon.LOCALISERS[place.head], "ADP", Role.PLACE))
    return words


def _who_or_what(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    concept = asked_as(phrase.head)
    return (word(lexicon.FUNCTION[concept], "PRON", role, concept),)


GRAMMAR = Chinese()
