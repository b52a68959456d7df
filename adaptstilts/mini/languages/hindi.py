"""Hindi: the verb at the end, postpositions with the oblique case, two genders, "ne" with the past of transitive verbs.

Simplified: simple past for events, habitual present for feelings, "to be" in the present for states. The past of a
verb with "ne" agrees with an object without postposition, otherwise it is masculine singular; other verbs agree with
their subject. People, and animals that are known, take "ko" as objects, things do not; some verbs are a noun with "do",
whose object takes "kā" or "se". Postpositions belong to the constituent before them. Fixed order: subject, time, place,
object, negation, verb; "where" and "when" stand after the object. Companies are masculine. No polite plurals.
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import hindi_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, MASS, PEOPLE, asked_as, close, is_woman, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word
from adaptstilts.mini.preferences import FEELINGS

_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_OBJECT_QUESTIONS = {"को": "किसको", "की": "किसकी", "का": "किसका", "से": "किससे"}
_FORMS = {("m", False): 0, ("m", True): 1, ("f", False): 2, ("f", True): 3}
_HABITUAL = ("ता", "ते", "ती", "ती")
_PLURALS = (
    ("ी", "ी", "ियाँ", "ियों"),
    ("ई", "ई", "इयाँ", "इयों"),
    ("ि", "ि", "ियाँ", "ियों"),
    ("ू", "ू", "ुएँ", "ुओं"),
    ("ो", "ो", "ो", "ो"),
    ("ा", "ा", "ाएँ", "ाओं"),
    ("ँ", "ँ", "ँ", "ओं"),
    ("", "", "ें", "ों"),
)
"""Ending of a noun -> its plural: masculine, feminine, oblique."""
_VOWEL_SIGNS = frozenset("ाोी")
_NOT = word("नहीं", "PART", Role.VERB, "not")


class Hindi:
    """Hindi grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "hi"
    spaced = True

    def __init__(self) -> None:
        verbs = {**lexicon.TRANSITIVE, **lexicon.INTRANSITIVE}
        self.lexicon: dict[str, str] = {
            **lexicon.MASCULINE,
            **lexicon.FEMININE,
            **lexicon.ADJECTIVES,
            **{verb: f"{stem.replace('+', ' ')}ना" for verb, stem in verbs.items()},
            **{verb: f"{noun} करना" for verb, (_, noun, _) in lexicon.OF_OBJECT.items()},
            **{time: forms[0] for time, forms in lexicon.TIMES.items()},
            **dict(zip(concepts.NUMBERS, lexicon.NUMBERS, strict=True)),
            **lexicon.FUNCTION,
            **{name: lexicon.CITIES.get(name, name) for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement."""
        opener: tuple[Word, ...] = ()
        if connective is not None:
            opener = (word(lexicon.FUNCTION[connective], _OPENERS[connective], Role.OTHER, connective),)
        return close((*opener, *_subject(clause), *_scene(clause), *_object(clause), *_verb(clause)), "।")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; who or what is asked for is masculine singular."""
        if asked is Role.SUBJECT:
            question = asked_as(clause.subject.head)
            form = "किसने" if _has_ne(clause.verb) else lexicon.FUNCTION[question]
            subject = (word(form, "PRON", asked, question),)
            return close((*subject, *_scene(clause), *_object(clause), *_verb(clause, asked)), "?")
        before = (*_subject(clause), *_scene(clause, asked))
        if asked is Role.OBJECT and clause.object is not None:
            form = _OBJECT_QUESTIONS.get(_marker(clause.object, clause.verb), lexicon.FUNCTION["what"])
            question_word = word(form, "PRON", asked, asked_as(clause.object.head))
            return close((*before, question_word, *_verb(clause, asked)), "?")
        concept = "where" if asked is Role.PLACE else "when"
        question_word = word(lexicon.FUNCTION[concept], "ADV", asked, concept)
        return close((*before, *_object(clause), question_word, *_verb(clause)), "?")


def _has_ne(verb: str) -> bool:
    """Return whether the subject of this verb takes "ne"."""
    return verb not in FEELINGS and (verb in lexicon.TRANSITIVE or verb in lexicon.OF_OBJECT)


def _gender(head: str) -> str:
    return "f" if is_woman(head) or head in lexicon.FEMININE else "m"


def _subject(clause: Clause) -> tuple[Word, ...]:
    if _has_ne(clause.verb):
        return (*_noun_phrase(clause.subject, Role.SUBJECT, True), word("ने", "ADP", Role.SUBJECT))
    return _noun_phrase(clause.subject, Role.SUBJECT, False)


def _scene(clause: Clause, asked: Role | None = None) -> tuple[Word, ...]:
    """Return time and place, without what is asked for."""
    time = _time(clause.time) if clause.time is not None and asked is not Role.TIME else ()
    place = _place(clause.place) if clause.place is not None and asked is not Role.PLACE else ()
    return (*time, *place)


@cache
def _time(time: str) -> tuple[Word, ...]:
    first, *rest = lexicon.TIMES[time]
    tag = "ADV" if time == "yesterday" else "NOUN"
    return (word(first, tag, Role.TIME, time), *(word(form, "ADP", Role.TIME) for form in rest))


@lru_cache(maxsize=1 << 12)
def _place(place: Phrase) -> tuple[Word, ...]:
    postposition = "पर" if place.head in lexicon.PLACES_WITH_ON else "में"
    return (*_noun_phrase(place, Role.PLACE, True), word(postposition, "ADP", Role.PLACE))


def _noun_with_do(verb: str, person: bool) -> tuple[str, str, str]:
    """Return the postposition of the object, the noun that combines with "do", and its gender."""
    return lexicon.OF_PERSON[verb] if person and verb in lexicon.OF_PERSON else lexicon.OF_OBJECT[verb]


def _marker(thing: Phrase, verb: str) -> str:
    """Return the postposition of an object, "" for none."""
    if verb in lexicon.OF_OBJECT:
        return _noun_with_do(verb, thing.head in PEOPLE)[0]
    known_animal = thing.head in ANIMALS and thing.definite
    return "को" if thing.head in PEOPLE or known_animal or ENTITIES.get(thing.head) == "ORG" else ""


def _object(clause: Clause) -> tuple[Word, ...]:
    if clause.object is None:
        return ()
    marker = _marker(clause.object, clause.verb)
    words = _noun_phrase(clause.object, Role.OBJECT, bool(marker))
    return (*words, word(marker, "ADP", Role.OBJECT)) if marker else words


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, role: Role, oblique: bool) -> tuple[Word, ...]:
    """Return numeral or "ek", adjective, and noun or name."""
    head, plural = phrase.head, phrase.number > 1
    words: list[Word] = []
    if plural and head not in ENTITIES:
        words.append(word(lexicon.NUMBERS[phrase.number - 2], "NUM", role, concepts.NUMBERS[phrase.number - 2]))
    elif not (phrase.definite or head in ENTITIES or head in MASS):
        words.append(word("एक", "DET", role))
    if phrase.adjective is not None:
        form = _adjective(phrase.adjective, head, _gender(head), plural or oblique)
        words.append(word(form, "ADJ", role, phrase.adjective))
    if head in ENTITIES:
        words.append(word(lexicon.CITIES.get(head, head), "PROPN", role, head, ENTITIES[head]))
    else:
        words.append(word(_noun(head, plural, oblique), "NOUN", role, head))
    return tuple(words)


@cache
def _noun(noun: str, plural: bool, oblique: bool) -> str:
    feminine = noun in lexicon.FEMININE
    form = (lexicon.FEMININE if feminine else lexicon.MASCULINE)[noun]
    return _inflected(form, feminine, plural, oblique)


def _inflected(form: str, feminine: bool, plural: bool, oblique: bool) -> str:
    """Inflect a noun by its gender and ending."""
    changing = form.endswith("ा") and not feminine and form not in lexicon.UNCHANGED
    if changing and plural:
        return form[:-1] + ("ों" if oblique else "े")
    if not plural:
        return f"{form[:-1]}े" if changing and oblique else form
    ending, *plurals = next(row for row in _PLURALS if form.endswith(row[0]))
    new = plurals[2] if oblique else plurals[1] if feminine else plurals[0]
    return form.removesuffix(ending) + new


@cache
def _adjective(adjective: str, head: str, gender: str, inflected: bool) -> str:
    living = head in PEOPLE or head in ANIMALS
    special = lexicon.OF_LIVING if living else lexicon.OF_THINGS
    form = special.get(adjective, lexicon.ADJECTIVES[adjective])
    if not form.endswith("ा"):
        return form
    if form == "नया":
        return "नई" if gender == "f" else "नए" if inflected else form
    return form[:-1] + ("ी" if gender == "f" else "े" if inflected else "ा")


def _verb(clause: Clause, asked: Role | None = None) -> tuple[Word, ...]:
    """Return the end of the clause: predicate, negation and verb, with agreement."""
    subject = ("m", False)
    if asked is not Role.SUBJECT:
        subject = (_gender(clause.subject.head), clause.subject.number > 1)
    if clause.verb == "be":
        return (*_predicate(clause, *subject, asked), *_copula(clause.negated, subject[1]))
    thing = clause.object
    person = thing is not None and thing.head in PEOPLE
    if not _has_ne(clause.verb):
        return _finite(clause.verb, *subject, clause.negated, person)
    if thing is None or asked is Role.OBJECT or _marker(thing, clause.verb):
        return _finite(clause.verb, "m", False, clause.negated, person)
    return _finite(clause.verb, _gender(thing.head), thing.number > 1, clause.negated, person)


@cache
def _copula(negated: bool, plural: bool) -> tuple[Word, ...]:
    said = word("हैं" if plural else "है", "AUX", Role.VERB, "be")
    return (_NOT, said) if negated else (said,)


@cache
def _finite(verb: str, gender: str, plural: bool, negated: bool, person: bool) -> tuple[Word, ...]:
    """Return negation and finite verb; a noun that combines with "do" comes first and carries the concept."""
    noun, stem = "", "कर"
    if verb in lexicon.OF_OBJECT:
        _, noun, noun_gender = _noun_with_do(verb, person)
        if verb not in FEELINGS:
            gender, plural = noun_gender, False
    else:
        noun, _, stem = (lexicon.TRANSITIVE.get(verb) or lexicon.INTRANSITIVE[verb]).rpartition("+")
    before = (word(noun, "ADJ" if noun == "ठीक" else "NOUN", Role.VERB, verb),) if noun else ()
    denied = (_NOT,) if negated else ()
    index, concept = _FORMS[gender, plural], "" if noun else verb
    if verb not in FEELINGS:
        return (*before, *denied, word(_perfect(stem, index), "VERB", Role.VERB, concept))
    said = word(stem + _HABITUAL[index], "VERB", Role.VERB, concept)
    return (*before, *denied, said, word("हैं" if plural else "है", "AUX", Role.VERB))


def _perfect(stem: str, index: int) -> str:
    """Return the simple past of a stem, by the position of gender and number in `lexicon.PERFECTS`."""
    if stem in lexicon.PERFECTS:
        return lexicon.PERFECTS[stem][index]
    return stem + (("या", "ए", "ई", "ईं") if stem[-1] in _VOWEL_SIGNS else ("ा", "े", "ी", "ीं"))[index]


def _predicate(clause: Clause, gender: str, plural: bool, asked: Role | None) -> tuple[Word, ...]:
    head = clause.subject.head
    if clause.predicate is not None:
        form = _adjective(clause.predicate, head, gender, plural)
        return (word(form, "ADJ", Role.PREDICATE, clause.predicate),)
    if clause.kind is None:
        return ()
    if is_woman(head) and not plural and asked is not Role.SUBJECT and clause.kind in lexicon.KINDS_OF_WOMEN:
        return (word(lexicon.KINDS_OF_WOMEN[clause.kind], "NOUN", Role.PREDICATE, clause.kind),)
    said = word(_noun(clause.kind, plural, False), "NOUN", Role.PREDICATE, clause.kind)
    bare = plural or clause.kind in MASS or (head in PEOPLE and clause.kind in PEOPLE)
    return (said,) if bare else (word("एक", "DET", Role.PREDICATE), said)


GRAMMAR = Hindi()
