"""Word labelling in the mini world: parts of speech, names, and supertags of a small categorial grammar.

The supertags are a simplification of CCGbank's: about thirty categories, assigned from the role and part of speech of
each word, English only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import TypeAlias

from adaptstilts.mini import concepts, edits, preferences
from adaptstilts.mini.corpus import Line, askable, realise, text
from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.registry import grammars
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence, Word
from adaptstilts.mini.world import tell

Tagged: TypeAlias = list[tuple[str, str]]
"""A sentence as (word, tag) pairs."""

_QUESTION_RATE = 0.15
_NAMED_RATE = 0.8
_SURNAME_RATES = {"PER": 0.3, "ORG": 0.4}
_HELD_OUT = 4
"""Every fourth name is kept out of the training sentences of the name task, so that evaluation needs the context."""


def sentences(count: int, rng: Random, seen: set[str], *, questions: float = _QUESTION_RATE) -> list[Line]:
    """Generate new lines of one sentence, statements and a share of questions.

    `seen` holds earlier sentences in English and is extended.
    """
    made: list[Line] = []
    while len(made) < count:
        story = tell(rng)
        index = rng.randrange(len(story.clauses))
        clause = edits.enrich(rng, story.clauses[index], 0.25)
        line: Line = ((clause, story.connectives[index]),)
        if rng.random() < questions:
            line = ((clause, rng.choice([role for role, answered in askable(clause).items() if answered])),)
        if _is_new(line, seen):
            made.append(line)
    return made


def named_sentences(count: int, rng: Random, seen: set[str], *, train: bool) -> list[Line]:
    """Generate new lines of one statement, most of them with names; `train` leaves out the names kept for evaluation.

    `seen` holds earlier sentences in English and is extended.
    """
    made: list[Line] = []
    while len(made) < count:
        story = tell(rng, "company" if rng.random() < 0.3 else None)
        clause = rng.choice(story.clauses)
        if rng.random() < _NAMED_RATE:
            clause = _with_names(rng, clause)
        if train:
            clause = _without_held_out_names(rng, clause)
        line: Line = ((clause, None),)
        meets_itself = clause.object is not None and clause.object.head == clause.subject.head
        if not meets_itself and _is_new(line, seen):
            made.append(line)
    return made


def _is_new(line: Line, seen: set[str]) -> bool:
    key = text(realise(grammars()["en"], line))
    if key in seen:
        return False
    seen.add(key)
    return True


def _with_names(rng: Random, clause: Clause) -> Clause:
    """Put a person, an organisation or a city where the clause allows one."""
    if preferences.is_person(clause.subject.head) and clause.kind is None:
        names = concepts.ORGANISATIONS if _fits_organisation(clause) and rng.random() < 0.5 else concepts.PERSONS
        clause = replace(clause, subject=Phrase(rng.choice(names)))
    if clause.object is not None and preferences.is_person(clause.object.head):
        names = concepts.ORGANISATIONS if clause.verb in ("visit", "help") and rng.random() < 0.5 else concepts.PERSONS
        clause = replace(clause, object=Phrase(rng.choice(names)))
    if clause.verb not in ("be", *preferences.FEELINGS) and rng.random() < 0.4:
        clause = replace(clause, place=Phrase(rng.choice(concepts.CITIES)))
    return clause


def _fits_organisation(clause: Clause) -> bool:
    return clause.verb in ("buy", "sell", "make", "use", "change", "get", "give_away", "help", "open", "repair")


def _without_held_out_names(rng: Random, clause: Clause) -> Clause:
    return replace(
        clause,
        subject=_without_held_out(rng, clause.subject),
        object=None if clause.object is None else _without_held_out(rng, clause.object),
        place=None if clause.place is None else _without_held_out(rng, clause.place),
    )


def _without_held_out(rng: Random, phrase: Phrase) -> Phrase:
    for pool in (concepts.PERSONS, concepts.CITIES, concepts.ORGANISATIONS):
        if phrase.head in pool and pool.index(phrase.head) % _HELD_OUT == 0:
            return replace(phrase, head=rng.choice([name for name in pool if pool.index(name) % _HELD_OUT]))
    return phrase


def parts_of_speech(sentence: Sentence) -> Tagged:
    """Tag every word with its universal part of speech."""
    return [(word.form, word.upos) for word in sentence.words]


def names(line: Line, languages: Iterable[Grammar], rng: Random, *, train: bool) -> dict[str, Tagged]:
    """Tag the names of a statement in several languages with ``B-``, ``I-`` and ``O``; return words and tags by code.

    Some names are lengthened by a second one, the same in all languages; `train` leaves out those kept for evaluation.
    """
    clause = line[0][0]
    first: dict[str, str] = {}
    for phrase in (clause.subject, clause.object):
        extra = None if phrase is None else _first_name(rng, phrase.head, train)
        if phrase is not None and extra is not None:
            first[phrase.head] = extra
    return {grammar.code: _tag_names(grammar, realise(grammar, line)[0], first) for grammar in languages}


def _first_name(rng: Random, head: str, train: bool) -> str | None:
    """Draw what precedes a name: "Anna" before "Maria", or "Anna", "Berlin" or "Delta7" before "Kronos"."""
    person, organisation = head in concepts.PERSONS, head in concepts.ORGANISATIONS
    if not (person or organisation) or rng.random() >= _SURNAME_RATES["PER" if person else "ORG"]:
        return None
    pool = concepts.PERSONS if person or rng.random() < 0.5 else concepts.CITIES
    allowed = [name for name in pool if name != head and (not train or pool.index(name) % _HELD_OUT)]
    return rng.choice(allowed)


def _tag_names(grammar: Grammar, sentence: Sentence, first: dict[str, str]) -> Tagged:
    tagged: Tagged = []
    previous: Word | None = None
    for word in sentence.words:
        is_continued = previous is not None and (previous.concept, previous.role) == (word.concept, word.role)
        if word.concept in first and word.entity and not is_continued:
            tagged.append((grammar.lexicon[first[word.concept]], f"B-{word.entity}"))
            is_continued = True
        tagged.append((word.form, f"{'I' if is_continued else 'B'}-{word.entity}" if word.entity else "O"))
        previous = word
    return tagged


def supertags(line: Line) -> Tagged:
    """Tag an English sentence with categories of a simplified categorial grammar."""
    (clause, manner) = line[0]
    words = realise(grammars()["en"], line)[0].words
    asked = manner if isinstance(manner, Role) else None
    return [(word.form, _category(words, index, clause, asked)) for index, word in enumerate(words)]


_ADVERB = r"(S\NP)\(S\NP)"


def _category(words: tuple[Word, ...], index: int, clause: Clause, asked: Role | None) -> str:
    word = words[index]
    if word.upos == "PUNCT":
        return word.form
    if word.upos in ("VERB", "AUX", "PART"):
        return _verb_category(word, clause, asked)
    if word.role is Role.OTHER:
        return "S/S"
    if asked is not None and index == 0:
        question = {Role.SUBJECT: r"S[wq]/(S[dcl]\NP)", Role.OBJECT: "S[wq]/(S[q]/NP)"}
        return question.get(asked, "S[wq]/S[q]")
    if word.role is Role.PREDICATE and clause.predicate is not None:
        return r"S[adj]\NP"
    if word.upos in ("ADP", "ADV"):
        return f"({_ADVERB})/NP" if word.upos == "ADP" else _ADVERB
    return _noun_category(words, index)


def _noun_category(words: tuple[Word, ...], index: int) -> str:
    word = words[index]
    opens = index == 0 or words[index - 1].role is not word.role or words[index - 1].upos == "ADP"
    if word.upos == "DET":
        return "NP/N"
    if word.upos in ("ADJ", "NUM"):
        return "NP/N" if opens else "N/N"
    return "NP" if opens else "N"


def _verb_category(word: Word, clause: Clause, asked: Role | None) -> str:
    if word.upos == "PART":
        return _ADVERB
    complement = r"/(S[adj]\NP)" if clause.predicate is not None else "/NP" if clause.kind or clause.object else ""
    inverted = asked not in (None, Role.SUBJECT)
    if word.upos == "AUX":
        if word.concept == "be":
            return rf"(S[dcl]\NP){complement}"
        return r"(S[q]/(S[b]\NP))/NP" if inverted else r"(S[dcl]\NP)/(S[b]\NP)"
    form = "b" if clause.negated or inverted else "dcl"
    return rf"(S[{form}]\NP){complement}" if complement else rf"S[{form}]\NP"
