"""Turkish: the verb at the end, case endings by vowel harmony, negation inside the verb, no copula in the present.

Simplified: past in -di for events, present in -iyor for states and feelings, third person singular also after counted
subjects; no possessives; no plural, since only counted nouns would have it and those stay singular. Known objects and
all people take the accusative, other new ones do not ("bir kitap okudu"). A name and its ending are one word
("Anna'yı"), which is tagged as the name. Fixed order: subject, time, place, object, verb; in questions what is asked
for stands before the verb, and a known object before that. "Old" and "sad" have another word for things than for the
living.
"""

from __future__ import annotations

from functools import cache, lru_cache

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import turkish_lexicon as lexicon
from adaptstilts.mini.languages.words import ANIMALS, ENTITIES, MASS, PEOPLE, asked_as, close, word
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word

_CLOSE_VOWEL = {"a": "ı", "ı": "ı", "e": "i", "i": "i", "o": "u", "u": "u", "ö": "ü", "ü": "ü"}
_OPEN_VOWEL = {"a": "a", "ı": "a", "o": "a", "u": "a", "e": "e", "i": "e", "ö": "e", "ü": "e"}
_VOICELESS = frozenset("çfhkpsşt")
_LIVING = PEOPLE | ANIMALS | {"plant", *concepts.NOUNS["plant"]}
_OPENERS = {"and": "CCONJ", "but": "CCONJ", "because": "SCONJ", "then": "ADV"}
_QUESTION_WORDS = {
    "who": {"nom": "kim", "acc": "kimi", "dat": "kime", "abl": "kimden"},
    "what": {"nom": "ne", "acc": "neyi", "dat": "neye", "abl": "neyden"},
}
_NOT = word("değil", "AUX", Role.VERB, "not")


class Turkish:
    """Turkish grammar; see `adaptstilts.mini.languages.base.Grammar`."""

    code = "tr"
    spaced = True

    def __init__(self) -> None:
        nouns = {noun: forms.partition("|")[0] for noun, forms in lexicon.NOUNS.items()}
        self.lexicon: dict[str, str] = {
            **nouns,
            **{noun: f"{before} {nouns[noun]}" for noun, before in lexicon.COMPOUNDS.items()},
            **lexicon.ADJECTIVES,
            **{verb: _infinitive(forms) for verb, forms in lexicon.VERBS.items()},
            **{time: forms[0] for time, forms in lexicon.TIMES.items()},
            **dict(zip(concepts.NUMBERS, lexicon.NUMBERS, strict=True)),
            **lexicon.FUNCTION,
            **{name: lexicon.CITIES.get(name, name) for name in ENTITIES},
        }

    def say(self, clause: Clause, connective: str | None = None) -> Sentence:
        """Realise a statement."""
        words = (*_noun_phrase(clause.subject, "nom", Role.SUBJECT), *_scene(clause), *_object(clause), *_verb(clause))
        if connective is None:
            return _close(words, ".")
        opener = word(lexicon.FUNCTION[connective], _OPENERS[connective], Role.OTHER, connective)
        return _close((opener, *words), ".")

    def ask(self, clause: Clause, asked: Role) -> Sentence:
        """Realise a question; the question word comes after a known object and before a new one."""
        subject = () if asked is Role.SUBJECT else _noun_phrase(clause.subject, "nom", Role.SUBJECT)
        before = (*subject, *_scene(clause, asked))
        question = _question(clause, asked)
        if asked is Role.OBJECT:
            return _close((*before, *question, *_verb(clause)), "?")
        if clause.object is not None and clause.object.definite:
            return _close((*before, *_object(clause), *question, *_verb(clause)), "?")
        return _close((*before, *question, *_object(clause), *_verb(clause)), "?")


def _close(words: tuple[Word, ...], mark: str) -> Sentence:
    """Make a sentence; the capital of "i" has a dot."""
    first = words[0]
    if first.form[0] == "i":
        first = word("İ" + first.form[1:], first.upos, first.role, first.concept, first.entity)
    return close((first, *words[1:]), mark)


def _last_vowel(form: str) -> str:
    return next(letter for letter in reversed(form.lower()) if letter in _CLOSE_VOWEL)


def _infinitive(forms: str) -> str:
    noun, _, stem = forms.rpartition("+")
    infinitive = f"{stem}m{_OPEN_VOWEL[_last_vowel(stem)]}k"
    return f"{noun} {infinitive}" if noun else infinitive


def _ending(spoken: str, case: str, *, possessed: bool = False) -> str:
    """Return a case ending in vowel harmony with the spoken word before it, with its linking consonant.

    Args:
        spoken: The word, as it is spoken.
        case: ``acc``, ``dat``, ``loc`` or ``abl``.
        possessed: Whether a possessive ending stands before it.
    """
    vowel = _last_vowel(spoken)
    if case in ("acc", "dat"):
        link = "n" if possessed else "y" if spoken[-1] in _CLOSE_VOWEL else ""
        return link + (_CLOSE_VOWEL if case == "acc" else _OPEN_VOWEL)[vowel]
    first = "nd" if possessed else "t" if spoken[-1] in _VOICELESS else "d"
    return first + _OPEN_VOWEL[vowel] + ("n" if case == "abl" else "")


@cache
def _noun(noun: str, case: str) -> str:
    form, _, changed = lexicon.NOUNS[noun].partition("|")
    if case == "nom":
        return form
    stem = changed if changed and case in ("acc", "dat") else form
    return stem + _ending(form, case, possessed=noun in lexicon.COMPOUNDS)


@cache
def _name(name: str, case: str) -> str:
    form = lexicon.CITIES.get(name, name)
    return form if case == "nom" else f"{form}'{_ending(lexicon.SPOKEN.get(name, form), case)}"


@lru_cache(maxsize=1 << 16)
def _noun_phrase(phrase: Phrase, case: str, role: Role) -> tuple[Word, ...]:
    """Return numeral, adjective, "bir" and noun or name; only the last has an ending."""
    head = phrase.head
    named = head in ENTITIES
    words: list[Word] = []
    if phrase.number > 1 and not named:
        words.append(word(lexicon.NUMBERS[phrase.number - 2], "NUM", role, concepts.NUMBERS[phrase.number - 2]))
    if phrase.adjective is not None:
        words.append(word(_adjective(phrase.adjective, head), "ADJ", role, phrase.adjective))
    if named:
        return (*words, word(_name(head, case), "PROPN", role, head, ENTITIES[head]))
    if not phrase.definite and phrase.number == 1 and head not in MASS:
        words.append(word("bir", "DET", role))
    if head in lexicon.COMPOUNDS:
        words.append(word(lexicon.COMPOUNDS[head], "NOUN", role))
    return (*words, word(_noun(head, case), "NOUN", role, head))


@cache
def _adjective(adjective: str, head: str) -> str:
    special = lexicon.OF_LIVING if head in _LIVING else lexicon.OF_THINGS
    return special.get(adjective, lexicon.ADJECTIVES[adjective])


def _scene(clause: Clause, asked: Role | None = None) -> tuple[Word, ...]:
    """Return time and place, without what is asked for."""
    time = _time(clause.time) if clause.time is not None and asked is not Role.TIME else ()
    if clause.place is None or asked is Role.PLACE:
        return time
    return (*time, *_noun_phrase(clause.place, "loc", Role.PLACE))


@cache
def _time(time: str) -> tuple[Word, ...]:
    first, *rest = lexicon.TIMES[time]
    tag = "ADV" if time == "yesterday" else "NOUN"
    return (word(first, tag, Role.TIME, time), *(word(form, "NOUN", Role.TIME) for form in rest))


def _object(clause: Clause) -> tuple[Word, ...]:
    thing = clause.object
    if thing is None:
        return ()
    case = lexicon.GOVERNED.get(clause.verb, "acc")
    if case == "acc" and not (thing.definite or thing.head in ENTITIES or thing.head in PEOPLE):
        case = "nom"
    return _noun_phrase(thing, case, Role.OBJECT)


def _verb(clause: Clause) -> tuple[Word, ...]:
    """Return the end of the clause: the verb, or the predicate with "değil" if it is negated."""
    if clause.verb != "be":
        return _event(clause.verb, clause.negated)
    denied = (_NOT,) if clause.negated else ()
    head = clause.subject.head
    if clause.predicate is not None:
        return (word(_adjective(clause.predicate, head), "ADJ", Role.PREDICATE, clause.predicate), *denied)
    if clause.kind is None:
        return denied
    new = clause.subject.number > 1 or (head in PEOPLE and clause.kind in PEOPLE)
    return (*_noun_phrase(Phrase(clause.kind, definite=new), "nom", Role.PREDICATE), *denied)


@cache
def _event(verb: str, negated: bool) -> tuple[Word, ...]:
    """Return the finite verb; a noun that combines with it carries the concept."""
    noun, _, stem = lexicon.VERBS[verb].rpartition("+")
    if verb in lexicon.PRESENTS:
        form = lexicon.PRESENTS[verb][negated]
    else:
        stem = f"{stem}m{_OPEN_VOWEL[_last_vowel(stem)]}" if negated else stem
        form = f"{stem}{'t' if stem[-1] in _VOICELESS else 'd'}{_CLOSE_VOWEL[_last_vowel(stem)]}"
    if noun:
        return (word(noun, "NOUN", Role.VERB, verb), word(form, "VERB", Role.VERB))
    return (word(form, "VERB", Role.VERB, verb),)


def _question(clause: Clause, asked: Role) -> tuple[Word, ...]:
    if asked is Role.PLACE:
        return (word(lexicon.FUNCTION["where"], "ADV", asked, "where"),)
    if asked is Role.TIME:
        return (word("ne", "DET", asked), word("zaman", "NOUN", asked, "when"))
    if asked is Role.SUBJECT or clause.object is None:
        concept, case = asked_as(clause.subject.head), "nom"
    else:
        concept, case = asked_as(clause.object.head), lexicon.GOVERNED.get(clause.verb, "acc")
        if case == "acc" and concept == "what" and not clause.object.definite:
            case = "nom"
    return (word(_QUESTION_WORDS[concept][case], "PRON", asked, concept),)


GRAMMAR = Turkish()
