"""Russian: six cases less the instrumental, no articles, no copula in the present, agreement of the past tense.

Simplified: one past tense per verb (the aspect that is usual for it), present for states and feelings; definiteness is
not said; predicative adjectives in the long form; no dash for the missing copula ("Anna врач"); names in Latin letters
are not inflected; one fixed order (time, subject, verb, object, place; time before the verb in questions); objects stay
in the accusative under negation; companies have a gender by their ending.
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import russian_declension as declension
from adaptstilts.mini.languages import russian_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, PEOPLE, close, is_woman, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word
from adaptstilts.mini.preferences import FEELINGS

_ANIMATE = PEOPLE | ANIMALS
_SINGULAR = {noun: declension.singular(forms, noun in _ANIMATE) for noun, forms in lexicon.NOUNS.items()}
_PLURAL = {noun: declension.plural(forms, noun in _ANIMATE) for noun, forms in lexicon.NOUNS.items()}
_ADJECTIVES = {concept: declension.adjective(form) for concept, form in lexicon.ADJECTIVES.items()}
_CITIES = {name: declension.city(forms) for name, forms in lexicon.CITIES.items()}
_AFTER_FIVE = {"person": "человек"}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_QUESTION_WORDS = {
    "who": {"nom": "кто", "acc": "кого", "dat": "кому", "loc": "ком"},
    "what": {"nom": "что", "acc": "что", "dat": "чему", "loc": "чём"},
}
_NOT = word("не", "PART", Role.VERB, "not")


class Russian:
    """Russian grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "ru"
    spaced = True

    def __init__(self) -> None:
        self.lexicon: dict[str, str] = {
            **{noun: forms[0] for noun, forms in lexicon.NOUNS.items()},
            **lexicon.ADJECTIVES,
            **{verb: forms[0] for verb, forms in lexicon.VERBS.items()},
            **{time: lexicon.TIME_NOUNS.get(time, forms[-1]) for time, forms in lexicon.TIMES.items()},
            **dict(zip(concepts.NUMBERS, lexicon.NUMBERS["nom"], strict=True)),
            **lexicon.FUNCTION,
            **{name: _CITIES[name]["nom"] if name in _CITIES else name for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement; the time comes first, after the connective."""
        opener = () if connective is None else _opener(connective)
        time = () if clause.time is None else _time(clause.time)
        subject = _noun_phrase(clause.subject, "nom", Role.SUBJECT)
        return close((*opener, *time, *subject, *_from_verb(clause, _agreement(clause.subject))), ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; "кто" is masculine and "что" neuter."""
        time = () if clause.time is None or asked is Role.TIME else _time(clause.time)
        if asked is Role.SUBJECT:
            question = _who_or_what(clause.subject, "nom", asked)
            gender = "m" if question.concept == "who" else "n"
            return close((question, *time, *_from_verb(clause, gender, asked)), "?")
        subject = _noun_phrase(clause.subject, "nom", Role.SUBJECT)
        rest = (*subject, *time, *_from_verb(clause, _agreement(clause.subject), asked))
        if asked is Role.OBJECT and clause.object is not None:
            *_, case, preposition = lexicon.VERBS[clause.verb]
            return close((*_governing(preposition), _who_or_what(clause.object, case, asked), *rest), "?")
        concept = "where" if asked is Role.PLACE else "when"
        return close((word(lexicon.FUNCTION[concept], "ADV", asked, concept), *rest), "?")


@cache
def _opener(connective: str) -> tuple[Word, ...]:
    first = word(lexicon.FUNCTION[connective], _OPENERS[connective], Role.OTHER, connective)
    return (first, word("что", "SCONJ", Role.OTHER)) if connective == "because" else (first,)


def _from_verb(clause: Clause, gender: str, asked: Role | None = None) -> tuple[Word, ...]:
    """Return negation, verb, object and place, or place, negation and predicate; without what is asked for."""
    place = _place(clause.place) if clause.place is not None and asked is not Role.PLACE else ()
    negation = (_NOT,) if clause.negated else ()
    if clause.verb == "be":
        return (*place, *negation, *_predicate(clause, gender))
    thing = clause.object if asked is not Role.OBJECT else None
    objects = () if thing is None else _object(thing, clause.verb)
    return (*negation, _verb(clause.verb, gender), *objects, *place)


@cache
def _verb(verb: str, gender: str) -> Word:
    _, first, second, *_ = lexicon.VERBS[verb]
    if verb in FEELINGS:
        return word(second if gender == "p" else first, "VERB", Role.VERB, verb)
    return word(declension.past(first, second)[gender], "VERB", Role.VERB, verb)


@lru_cache(maxsize=1 << 16)
def _object(thing: Phrase, verb: str) -> tuple[Word, ...]:
    *_, case, preposition = lexicon.VERBS[verb]
    return (*_governing(preposition), *_noun_phrase(thing, case, Role.OBJECT))


def _governing(preposition: str) -> tuple[Word, ...]:
    return () if preposition == "-" else (word(preposition, "ADP", Role.OBJECT),)


@lru_cache(maxsize=1 << 12)
def _place(place: Phrase) -> tuple[Word, ...]:
    words = _noun_phrase(place, "loc", Role.PLACE)
    head = place.head
    if head in lexicon.LOCATIVES and place.number == 1:
        words = (*words[:-1], word(lexicon.LOCATIVES[head], "NOUN", Role.PLACE, head))
    preposition = "на" if head in lexicon.ON else "во" if words[0].form in lexicon.CLUSTER else "в"
    return (word(preposition, "ADP", Role.PLACE), *words)


@cache
def _time(time: str) -> tuple[Word, ...]:
    *before, last = lexicon.TIMES[time]
    closing = word(last, "ADV" if time == "yesterday" else "NOUN", Role.TIME, time)
    return (*(word(form, "ADP", Role.TIME) for form in before), closing)


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, case: str, role: Role) -> tuple[Word, ...]:
    """Return numeral, adjective and noun or name."""
    head = phrase.head
    if phrase.number > 1 and head not in ENTITIES:
        return _counted(phrase, case, role)
    described: tuple[Word, ...] = ()
    gender = _gender(head)
    if phrase.adjective is not None:
        form = _adjective_form(phrase.adjective, case, gender, head in _ANIMATE)
        described = (word(form, "ADJ", role, phrase.adjective),)
    if head in ENTITIES:
        form = _CITIES[head][case] if head in _CITIES else head
        return (*described, word(form, "PROPN", role, head, ENTITIES[head]))
    return (*described, word(_SINGULAR[head][case], "NOUN", role, head))


def _adjective_form(adjective: str, case: str, gender: str, animate: bool) -> str:
    if case == "acc" and gender in "mp":
        case = "gen" if animate else "nom"
    return _ADJECTIVES[adjective][case, gender]


def _counted(phrase: Phrase, case: str, role: Role) -> tuple[Word, ...]:
    """Return a counted phrase: "две большие книги", "пять больших книг", "двух собак"."""
    head, number = phrase.head, phrase.number
    if case == "acc":
        case = "gen" if head in _ANIMATE and number < 5 else "nom"
    numeral = lexicon.NUMBERS["gen" if case == "loc" else case][number - 2]
    feminine = lexicon.NOUNS[head][1] == "f"
    many = _AFTER_FIVE.get(head, _PLURAL[head]["gen"])
    noun, adjective_case = {"nom": many, "gen": many}.get(case) or _PLURAL[head][case], case
    if case == "nom":
        adjective_case = "nom" if feminine and number < 5 else "gen"
        if number < 5 and not _SINGULAR[head]["gen"].endswith("ого"):
            noun = _SINGULAR[head]["gen"]
        if number == 2 and feminine:
            numeral = "две"
    words = [word(numeral, "NUM", role, concepts.NUMBERS[number - 2])]
    if phrase.adjective is not None:
        words.append(word(_ADJECTIVES[phrase.adjective][adjective_case, "p"], "ADJ", role, phrase.adjective))
    return (*words, word(noun, "NOUN", role, head))


def _gender(head: str) -> str:
    kind = ENTITIES.get(head)
    if kind is None:
        return lexicon.NOUNS[head][1]
    if kind == "LOC":
        return lexicon.CITIES[head][1]
    return "f" if is_woman(head) or head in lexicon.FEMININE_COMPANIES else "m"


def _agreement(subject: Phrase) -> str:
    """Return the gender that verb and predicate take from the subject."""
    return "p" if subject.number > 1 else _gender(subject.head)


def _predicate(clause: Clause, gender: str) -> tuple[Word, ...]:
    if clause.predicate is not None:
        return (word(_ADJECTIVES[clause.predicate]["nom", gender], "ADJ", Role.PREDICATE, clause.predicate),)
    if clause.kind is None:
        return ()
    person = clause.subject.head in PEOPLE
    return (_kind(clause.kind, gender, person, is_woman(clause.subject.head)),)


@cache
def _kind(kind: str, gender: str, person: bool, woman: bool) -> Word:
    """Return the noun predicated of the subject: "животное", "певица", "врачи"."""
    noun = _PLURAL[kind]["nom"] if gender == "p" else _SINGULAR[kind]["nom"]
    if woman and gender == "f":
        noun = lexicon.KINDS_OF_WOMEN.get(kind, noun)
    elif kind == "nurse" and person and gender == "m":
        noun = "медбрат"
    return word(noun, "NOUN", Role.PREDICATE, kind)


def _who_or_what(phrase: Phrase, case: str, role: Role) -> Word:
    concept = "who" if phrase.head in _ANIMATE or ENTITIES.get(phrase.head) == "ORG" else "what"
    return word(_QUESTION_WORDS[concept][case], "PRON", role, concept)


GRAMMAR = Russian()
