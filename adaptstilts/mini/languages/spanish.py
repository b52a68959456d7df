"""Spanish: two genders, adjectives after the noun, "a" before persons.

Simplified: preterite for events, present for states and feelings; subjects are always said; one fixed order (subject,
verb, object, place, time; verb before subject in questions); every adjective follows its noun; every object that is a
person takes "a", others only with verbs of care and attention; no "ningún" in negation; professions are inflected for
women only when they are predicated ("Anna es médica").
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import spanish_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, MASS, PEOPLE, PROFESSIONS, close, is_woman, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word

_DEFINITE = {"m": ("el", "los"), "f": ("la", "las")}
_INDEFINITE = {"m": "un", "f": "una"}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_TIME_TAGS = {"por": "ADP", "en": "ADP", "la": "DET", "el": "DET"}
_FEMININE_CITIES = frozenset(("Rome", "Vienna", "Lisbon", "Athens", "Lima"))
_NOT = word("no", "ADV", Role.VERB, "not")


class Spanish:
    """Spanish grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "es"
    spaced = True

    def __init__(self) -> None:
        self.lexicon: dict[str, str] = {
            **{noun: forms[0] for noun, forms in lexicon.NOUNS.items()},
            **lexicon.ADJECTIVES,
            **{verb: forms[0] for verb, forms in lexicon.VERBS.items()},
            **{time: forms[-1] for time, forms in lexicon.TIMES.items()},
            **dict(zip(concepts.NUMBERS, lexicon.NUMBERS, strict=True)),
            **lexicon.FUNCTION,
            **{name: lexicon.CITIES.get(name, name) for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement; "y" turns into "e" before an "i"."""
        subject = _noun_phrase(clause.subject, Role.SUBJECT)
        words = (*subject, *_verb_words(clause, clause.subject.number > 1), *_after_verb(clause))
        if connective is None:
            return close(words, ".")
        form = lexicon.FUNCTION[connective]
        if form == "y" and subject[0].form[0] in "iI":
            form = "e"
        return close((word(form, _OPENERS[connective], Role.OTHER, connective), *words), ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; whoever is asked for is taken to be a man if gender matters."""
        plural = clause.subject.number > 1
        rest = _after_verb(clause, asked)
        if asked is Role.SUBJECT:
            question = _who_or_what(clause.subject, asked)
            plural = question.form == "quiénes"
            return close((question, *_verb_words(clause, plural), *rest), "?", "¿")
        verb = (*_verb_words(clause, plural), *_noun_phrase(clause.subject, Role.SUBJECT))
        if asked is Role.OBJECT and clause.object is not None:
            question = _who_or_what(clause.object, asked)
            marker = _marker(clause.verb, clause.object.head, question.concept == "who")
            return close((*marker, question, *verb, *rest), "?", "¿")
        concept = "where" if asked is Role.PLACE else "when"
        return close((word(lexicon.FUNCTION[concept], "ADV", asked, concept), *verb, *rest), "?", "¿")


def _verb_words(clause: Clause, plural: bool) -> tuple[Word, ...]:
    copula = "estar" if clause.predicate in lexicon.ESTAR else "ser"
    return _verb(clause.verb, plural, clause.negated, copula)


@cache
def _verb(verb: str, plural: bool, negated: bool, copula: str) -> tuple[Word, ...]:
    denied = (_NOT,) if negated else ()
    if verb == "be":
        return (*denied, word(lexicon.COPULAS[copula][plural], "AUX", Role.VERB, "be"))
    reflexive = (word("se", "PRON", Role.VERB),) if verb in lexicon.REFLEXIVE else ()
    return (*denied, *reflexive, word(lexicon.VERBS[verb][2 if plural else 1], "VERB", Role.VERB, verb))


def _after_verb(clause: Clause, asked: Role | None = None) -> list[Word]:
    """Return predicate, object, place and time, without what is asked for."""
    words: list[Word] = []
    if clause.predicate is not None or clause.kind is not None:
        words += _predicate(clause, asked)
    if clause.object is not None and asked is not Role.OBJECT:
        words += _object(clause.object, clause.verb)
    if clause.place is not None and asked is not Role.PLACE:
        words.append(word("en", "ADP", Role.PLACE))
        words += _noun_phrase(clause.place, Role.PLACE)
    if clause.time is not None and asked is not Role.TIME:
        words += _time(clause.time)
    return words


@lru_cache(maxsize=1 << 16)
def _object(thing: Phrase, verb: str) -> tuple[Word, ...]:
    """Return the object, after "a" where the verb or a person requires it ("al" for "a el")."""
    words = _noun_phrase(thing, Role.OBJECT)
    marker = _marker(verb, thing.head, thing.head in PEOPLE)
    if marker and words[0].form == "el":
        return (word("al", "ADP", Role.OBJECT), *words[1:])
    return (*marker, *words)


@cache
def _marker(verb: str, head: str, person: bool) -> tuple[Word, ...]:
    cared_for = verb in lexicon.PERSONAL_VERBS and (head in ANIMALS or ENTITIES.get(head) == "ORG")
    return (word("a", "ADP", Role.OBJECT),) if person or cared_for or verb == "help" else ()


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, role: Role) -> tuple[Word, ...]:
    """Return article, numeral, noun and adjective."""
    head, plural, gender = phrase.head, phrase.number > 1, _gender(phrase.head)
    words: list[Word] = []
    if head in ENTITIES:
        if head in lexicon.CITIES_WITH_ARTICLE:
            words.append(word("El", "PROPN", role, "", ENTITIES[head]))
        words.append(word(lexicon.CITIES.get(head, head), "PROPN", role, head, ENTITIES[head]))
    else:
        article = _article(phrase, gender, role)
        if article:
            words.append(word(article, "DET", role))
        if plural:
            words.append(word(lexicon.NUMBERS[phrase.number - 2], "NUM", role, concepts.NUMBERS[phrase.number - 2]))
        words.append(word(lexicon.NOUNS[head][2 if plural else 0], "NOUN", role, head))
    if phrase.adjective is not None:
        words.append(word(_agreeing(phrase.adjective, gender, plural), "ADJ", role, phrase.adjective))
    return tuple(words)


def _article(phrase: Phrase, gender: str, role: Role) -> str:
    """Return the article, "" for none; a mass noun has one when it is the subject ("la leche es blanca")."""
    if phrase.head in lexicon.MASCULINE_ARTICLE and phrase.number == 1:
        gender = "m"
    mass = phrase.head in MASS and phrase.number == 1
    if phrase.definite or (mass and role is Role.SUBJECT):
        return _DEFINITE[gender][phrase.number > 1]
    return "" if phrase.number > 1 or mass else _INDEFINITE[gender]


def _gender(head: str) -> str:
    if head not in ENTITIES:
        return lexicon.NOUNS[head][1]
    feminine = is_woman(head) or ENTITIES[head] == "ORG" or head in _FEMININE_CITIES
    return "f" if feminine else "m"


@cache
def _agreeing(adjective: str, gender: str, plural: bool) -> str:
    form = lexicon.ADJECTIVES[adjective]
    if form.endswith("o"):
        return form[:-1] + ("a" if gender == "f" else "o") + ("s" if plural else "")
    if not plural:
        return form
    if form.endswith("z"):
        return f"{form[:-1]}ces"
    return f"{form}s" if form.endswith("e") else f"{form}es"


@cache
def _time(time: str) -> tuple[Word, ...]:
    *before, last = lexicon.TIMES[time]
    closing = word(last, "NOUN" if before else "ADV", Role.TIME, time)
    return (*(word(form, _TIME_TAGS[form], Role.TIME) for form in before), closing)


def _predicate(clause: Clause, asked: Role | None) -> tuple[Word, ...]:
    head = clause.subject.head
    plural = clause.subject.number > 1
    unknown = asked is Role.SUBJECT
    if unknown and not _is_person(head):
        plural = False
    if clause.predicate is not None:
        gender = "m" if unknown else _gender(head)
        return (word(_agreeing(clause.predicate, gender, plural), "ADJ", Role.PREDICATE, clause.predicate),)
    return _kind(clause.kind or "", head in PEOPLE, is_woman(head) and not unknown, plural)


@cache
def _kind(kind: str, person: bool, woman: bool, plural: bool) -> tuple[Word, ...]:
    """Return the noun predicated of the subject: "un animal", "médica", "animales"."""
    noun, gender, many = lexicon.NOUNS[kind]
    if plural:
        return (word(many, "NOUN", Role.PREDICATE, kind),)
    if woman and kind in lexicon.KINDS_OF_WOMEN:
        noun, gender = lexicon.KINDS_OF_WOMEN[kind], "f"
    elif kind == "nurse" and person and not woman:
        noun, gender = "enfermero", "m"
    said = word(noun, "NOUN", Role.PREDICATE, kind)
    if kind in MASS or (person and kind in PROFESSIONS):
        return (said,)
    return (word(_INDEFINITE[gender], "DET", Role.PREDICATE), said)


def _is_person(head: str) -> bool:
    return head in PEOPLE or ENTITIES.get(head) == "ORG"


def _who_or_what(phrase: Phrase, role: Role) -> Word:
    if not _is_person(phrase.head):
        return word("qué", "PRON", role, "what")
    return word("quiénes" if phrase.number > 1 else "quién", "PRON", role, "who")


GRAMMAR = Spanish()
