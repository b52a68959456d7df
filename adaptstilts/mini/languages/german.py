"""German: three genders, three cases, the verb in second place.

Simplified: simple past for events, simple present for states and feelings; no genitive and no pronouns; fixed order in
the middle field (known object, time, negation, place, new object, predicate, verb particle); "denn" for reasons, so
that no clause puts its verb last; professions are inflected for women only when they are predicated ("Anna ist
Lehrerin"); animals eat with "essen".
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import german_lexicon as lexicon
from adaptstilts.mini.languages.words import ENTITIES, MASS, PEOPLE, PROFESSIONS, close, is_woman, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word

_DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
_EIN_ENDINGS = {
    "nom": {"m": "", "f": "e", "n": "", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
_WEAK = {
    "nom": {"m": "e", "f": "e", "n": "e", "p": "en"},
    "acc": {"m": "en", "f": "e", "n": "e", "p": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
}
_MIXED = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "en"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "en"},
    "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
}
_STRONG = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
_CONTRACTED = {"in": "im", "an": "am"}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "CCONJ", "then": "ADV"}
_TIME_TAGS = {"am": "ADP", "im": "ADP", "in": "ADP", "der": "DET"}
_NOT = word("nicht", "PART", Role.VERB, "not")


class German:
    """German grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "de"
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
        """Realise a statement; "dann" takes the first place and sends the subject behind the verb."""
        subject = _noun_phrase(clause.subject, "nom", Role.SUBJECT)
        verb = _verb(clause.verb, clause.subject.number > 1)
        rest = _after_verb(clause)
        if connective is None:
            return close((*subject, *verb, *rest), ".")
        opener = word(lexicon.FUNCTION[connective], _OPENERS[connective], Role.OTHER, connective)
        if connective == "then":
            return close((opener, *verb, *subject, *rest), ".")
        return close((opener, *subject, *verb, *rest), ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; whoever is asked for is taken to be one, and a man if gender matters."""
        rest = _after_verb(clause, asked)
        if asked is Role.SUBJECT:
            return close((_who_or_what(clause.subject, "nom", asked), *_verb(clause.verb, False), *rest), "?")
        if asked is Role.OBJECT and clause.object is not None:
            question = _who_or_what(clause.object, lexicon.VERBS[clause.verb][3], asked)
        else:
            concept = "where" if asked is Role.PLACE else "when"
            question = word(lexicon.FUNCTION[concept], "ADV", asked, concept)
        verb = _verb(clause.verb, clause.subject.number > 1)
        return close((question, *verb, *_noun_phrase(clause.subject, "nom", Role.SUBJECT), *rest), "?")


def _after_verb(clause: Clause, asked: Role | None = None) -> tuple[Word, ...]:
    """Return the middle field and the end of the clause, without the subject and what is asked for."""
    time = _time(clause.time) if clause.time is not None and asked is not Role.TIME else ()
    place = _place(clause.place) if clause.place is not None and asked is not Role.PLACE else ()
    if clause.verb == "be":
        return (*time, *place, *_predicate(clause, asked))
    _, _, _, case, particle = lexicon.VERBS[clause.verb]
    closing = () if particle == "-" else (word(particle, "ADP", Role.VERB),)
    thing = clause.object if asked is not Role.OBJECT else None
    if thing is not None and not thing.definite and thing.head not in ENTITIES:
        return (*time, *place, *_noun_phrase(thing, case, Role.OBJECT, clause.negated), *closing)
    known = () if thing is None else _noun_phrase(thing, case, Role.OBJECT)
    denied = (_NOT,) if clause.negated else ()
    return (*known, *time, *denied, *place, *closing)


@cache
def _verb(verb: str, plural: bool) -> tuple[Word, ...]:
    finite = word(lexicon.VERBS[verb][2 if plural else 1], "AUX" if verb == "be" else "VERB", Role.VERB, verb)
    return (finite, word("sich", "PRON", Role.VERB)) if verb in lexicon.REFLEXIVE else (finite,)


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, case: str, role: Role, negated: bool = False) -> tuple[Word, ...]:
    """Return article, numeral, adjective and noun; an indefinite phrase carries the negation as "kein"."""
    head, plural = phrase.head, phrase.number > 1
    gender = "p" if plural else _gender(head)
    article, endings = _article(phrase, case, gender, negated)
    words: list[Word] = []
    if article:
        words.append(word(article, "DET", role, "not" if article.startswith("kein") else ""))
    if plural:
        words.append(word(lexicon.NUMBERS[phrase.number - 2], "NUM", role, concepts.NUMBERS[phrase.number - 2]))
    if phrase.adjective is not None:
        stem = lexicon.ADJECTIVES[phrase.adjective]
        form = lexicon.STEMS.get(stem, stem) + endings[case][gender]
        words.append(word(form, "ADJ", role, phrase.adjective))
    if head in ENTITIES:
        words.append(word(lexicon.CITIES.get(head, head), "PROPN", role, head, ENTITIES[head]))
    else:
        words.append(word(_noun(head, case, plural), "NOUN", role, head))
    return tuple(words)


def _article(phrase: Phrase, case: str, gender: str, negated: bool) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the article ("" for none) and the adjective endings that it calls for."""
    if phrase.head in ENTITIES:
        return ("" if phrase.adjective is None else _DEFINITE[case][gender]), _WEAK
    if phrase.definite:
        return _DEFINITE[case][gender], _WEAK
    if negated:
        return f"kein{_EIN_ENDINGS[case][gender]}", _MIXED
    if phrase.number > 1 or phrase.head in MASS:
        return "", _STRONG
    return f"ein{_EIN_ENDINGS[case][gender]}", _MIXED


def _gender(head: str) -> str:
    if head in ENTITIES:
        return "n" if ENTITIES[head] != "PER" else "f" if is_woman(head) else "m"
    return lexicon.NOUNS[head][1]


def _noun(noun: str, case: str, plural: bool) -> str:
    singular, _, many, oblique = lexicon.NOUNS[noun]
    if not plural:
        return singular if case == "nom" or oblique == "=" else oblique
    form = singular if many == "=" else many
    return f"{form}n" if case == "dat" and form[-1] not in "ns" else form


@lru_cache(maxsize=1 << 12)
def _place(place: Phrase) -> tuple[Word, ...]:
    preposition = lexicon.PREPOSITIONS.get(place.head, "in")
    words = _noun_phrase(place, "dat", Role.PLACE)
    if words[0].form == "dem" and preposition in _CONTRACTED:
        return (word(_CONTRACTED[preposition], "ADP", Role.PLACE), *words[1:])
    return (word(preposition, "ADP", Role.PLACE), *words)


@cache
def _time(time: str) -> tuple[Word, ...]:
    *before, last = lexicon.TIMES[time]
    closing = word(last, "NOUN" if before else "ADV", Role.TIME, time)
    return (*(word(form, _TIME_TAGS[form], Role.TIME) for form in before), closing)


def _predicate(clause: Clause, asked: Role | None) -> tuple[Word, ...]:
    if clause.predicate is not None:
        said = word(lexicon.ADJECTIVES[clause.predicate], "ADJ", Role.PREDICATE, clause.predicate)
        return (_NOT, said) if clause.negated else (said,)
    if clause.kind is None:
        return (_NOT,) if clause.negated else ()
    subject = clause.subject
    plural = subject.number > 1 and asked is not Role.SUBJECT
    woman = is_woman(subject.head) and asked is not Role.SUBJECT
    return _kind(clause.kind, subject.head in PEOPLE, woman, plural, clause.negated)


@cache
def _kind(kind: str, person: bool, woman: bool, plural: bool, negated: bool) -> tuple[Word, ...]:
    """Return the noun predicated of the subject: "ein Tier", "Lehrerin", "keine Tiere"."""
    noun, gender = _noun(kind, "nom", plural), lexicon.NOUNS[kind][1]
    if woman and not plural and kind in lexicon.KINDS_OF_WOMEN:
        noun, gender = lexicon.KINDS_OF_WOMEN[kind], "f"
    elif kind == "nurse" and person and not woman:
        noun, gender = "Krankenpfleger", "m"
    said = word(noun, "NOUN", Role.PREDICATE, kind)
    ending = _EIN_ENDINGS["nom"]["p" if plural else gender]
    if negated:
        return (word(f"kein{ending}", "DET", Role.PREDICATE, "not"), said)
    if plural or kind in MASS or (person and kind in PROFESSIONS):
        return (said,)
    return (word(f"ein{ending}", "DET", Role.PREDICATE), said)


def _who_or_what(phrase: Phrase, case: str, role: Role) -> Word:
    if phrase.head in PEOPLE or ENTITIES.get(phrase.head) == "ORG":
        return word({"nom": "wer", "acc": "wen", "dat": "wem"}[case], "PRON", role, "who")
    return word("wem" if case == "dat" else "was", "PRON", role, "what")


GRAMMAR = German()
