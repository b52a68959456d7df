"""German, Spanish and Russian: hand-checked sentences, and what must hold for every clause."""

from itertools import groupby
from random import Random

import pytest

from adaptstilts.errors import DataError
from adaptstilts.mini import concepts
from adaptstilts.mini.languages import german, russian, spanish
from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.words import read_pairs, read_table
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence

GRAMMARS: dict[str, Grammar] = {"de": german.GRAMMAR, "es": spanish.GRAMMAR, "ru": russian.GRAMMAR}
CODES = tuple(GRAMMARS)
XTREME_TAGS = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
})  # fmt: skip
SPAN_ROLES = (Role.SUBJECT, Role.OBJECT, Role.PLACE, Role.TIME)
QUESTION_WORDS = {
    "de": {"wer", "wen", "wem", "was", "wo", "wann"},
    "es": {"quién", "quiénes", "qué", "dónde", "cuándo"},
    "ru": {"кто", "кого", "кому", "ком", "что", "чему", "чём", "где", "когда"},
}


def the(head: str, adjective: str | None = None, number: int = 1) -> Phrase:
    return Phrase(head, adjective, number)


def some(head: str, adjective: str | None = None, number: int = 1) -> Phrase:
    return Phrase(head, adjective, number, definite=False)


ANNA, OMAR = the("Anna"), the("Omar")
BUY = Clause("buy", ANNA, the("book"), the("market"), "yesterday")
HELP = Clause("help", some("elephant", "big"), the("student", "sad"), the("garden"), "summer")
PLAY = Clause("play", ANNA, the("guitar"), the("theatre"), "friday")
FOLLOW = Clause("follow", OMAR, the("judge"))

# What is said, how (connective, asked role or None), and the German, Spanish and Russian sentence.
SENTENCES: tuple[tuple[Clause, str | Role | None, str, str, str], ...] = (
    (
        BUY,
        None,
        "Anna kaufte das Buch gestern auf dem Markt .",
        "Anna compró el libro en el mercado ayer .",
        "Вчера Anna купила книгу на рынке .",
    ),
    (
        BUY,
        "then",
        "Dann kaufte Anna das Buch gestern auf dem Markt .",
        "Entonces Anna compró el libro en el mercado ayer .",
        "Потом вчера Anna купила книгу на рынке .",
    ),
    (
        BUY,
        Role.SUBJECT,
        "Wer kaufte das Buch gestern auf dem Markt ?",
        "¿ Quién compró el libro en el mercado ayer ?",
        "Кто вчера купил книгу на рынке ?",
    ),
    (
        BUY,
        Role.OBJECT,
        "Was kaufte Anna gestern auf dem Markt ?",
        "¿ Qué compró Anna en el mercado ayer ?",
        "Что Anna вчера купила на рынке ?",
    ),
    (
        BUY,
        Role.PLACE,
        "Wo kaufte Anna das Buch gestern ?",
        "¿ Dónde compró Anna el libro ayer ?",
        "Где Anna вчера купила книгу ?",
    ),
    (
        BUY,
        Role.TIME,
        "Wann kaufte Anna das Buch auf dem Markt ?",
        "¿ Cuándo compró Anna el libro en el mercado ?",
        "Когда Anna купила книгу на рынке ?",
    ),
    (
        Clause("buy", OMAR, some("book", "new"), the("Moscow"), negated=True),
        "but",
        "Aber Omar kaufte in Moskau kein neues Buch .",
        "Pero Omar no compró un libro nuevo en Moscú .",
        "Но Omar не купил новую книгу в Москве .",
    ),
    (
        Clause("see", some("cat", "small"), the("lion", "old"), the("forest"), "night", negated=True),
        None,
        "Eine kleine Katze sah den alten Löwen in der Nacht nicht im Wald .",
        "Un gato pequeño no vio el león viejo en el bosque por la noche .",
        "Ночью маленькая кошка не увидела старого льва в лесу .",
    ),
    (
        HELP,
        "because",
        "Denn ein großer Elefant half dem traurigen Studenten im Sommer im Garten .",
        "Porque un elefante grande ayudó al estudiante triste en el jardín en verano .",
        "Потому что летом большой слон помог грустному студенту в саду .",
    ),
    (
        HELP,
        Role.OBJECT,
        "Wem half ein großer Elefant im Sommer im Garten ?",
        "¿ A quién ayudó un elefante grande en el jardín en verano ?",
        "Кому большой слон летом помог в саду ?",
    ),
    (
        PLAY,
        None,
        "Anna spielte die Gitarre am Freitag im Theater .",
        "Anna tocó la guitarra en el teatro el viernes .",
        "В пятницу Anna играла на гитаре в театре .",
    ),
    (
        PLAY,
        Role.OBJECT,
        "Was spielte Anna am Freitag im Theater ?",
        "¿ Qué tocó Anna en el teatro el viernes ?",
        "На чём Anna в пятницу играла в театре ?",
    ),
    (FOLLOW, None, "Omar folgte dem Richter .", "Omar siguió al juez .", "Omar преследовал судью ."),
    (FOLLOW, Role.OBJECT, "Wem folgte Omar ?", "¿ A quién siguió Omar ?", "Кого Omar преследовал ?"),
    (
        Clause("eat", the("dog", number=3), some("apple", "red", 5)),
        "and",
        "Und die drei Hunde aßen fünf rote Äpfel .",
        "Y los tres perros comieron cinco manzanas rojas .",
        "И три собаки съели пять красных яблок .",
    ),
    (
        Clause("wash", some("woman", number=2), the("dog", "dirty", 2), negated=True),
        None,
        "Zwei Frauen wuschen die zwei schmutzigen Hunde nicht .",
        "Dos mujeres no lavaron los dos perros sucios .",
        "Две женщины не вымыли двух грязных собак .",
    ),
    (
        Clause("read", the("child", "timid", 2), some("letter", "blue", 2)),
        None,
        "Die zwei ängstlichen Kinder lasen zwei blaue Briefe .",
        "Los dos niños tímidos leyeron dos cartas azules .",
        "Два робких ребёнка прочитали два синих письма .",
    ),
    (
        Clause("drink_v", the("Ivan"), some("water", "cold"), the("palace")),
        "and",
        "Und Ivan trank im Palast kaltes Wasser .",
        "E Ivan bebió agua fría en el palacio .",
        "И Ivan выпил холодную воду во дворце .",
    ),
    (
        Clause("drink_v", the("water"), some("tea"), the("station", "big"), negated=True),
        None,
        "Das Wasser trank am großen Bahnhof keinen Tee .",
        "El agua no bebió té en la estación grande .",
        "Вода не выпила чай на большом вокзале .",
    ),
    (
        Clause("move_s", the("snake"), None, the("street"), "evening", negated=True),
        "then",
        "Dann bewegte sich die Schlange am Abend nicht auf der Straße fort .",
        "Entonces la serpiente no se movió en la calle por la tarde .",
        "Потом вечером змея не двигалась на улице .",
    ),
    (
        Clause("sell", the("Nordex"), some("hat", "expensive"), the("Cairo"), "winter"),
        None,
        "Nordex verkaufte im Winter in Kairo einen teuren Hut .",
        "Nordex vendió un sombrero caro en El Cairo en invierno .",
        "Зимой Nordex продал дорогую шляпу в Каире .",
    ),
    (
        Clause("sell", the("Nordex"), some("hat")),
        Role.SUBJECT,
        "Wer verkaufte einen Hut ?",
        "¿ Quién vendió un sombrero ?",
        "Кто продал шляпу ?",
    ),
    (
        Clause("give_away", the("king"), the("horse", "brave"), time="monday", negated=True),
        None,
        "Der König gab das mutige Pferd am Montag nicht weg .",
        "El rey no entregó el caballo valiente el lunes .",
        "В понедельник король не отдал храбрую лошадь .",
    ),
    (
        Clause("love", the("nurse"), the("animal", "slow")),
        None,
        "Die Krankenschwester liebt das langsame Tier .",
        "La enfermera ama al animal lento .",
        "Медсестра любит медленное животное .",
    ),
    (
        Clause("hate", the("friend", number=3), some("man", number=2)),
        Role.SUBJECT,
        "Wer hasst zwei Männer ?",
        "¿ Quiénes odian a dos hombres ?",
        "Кто ненавидит двух мужчин ?",
    ),
    (
        Clause("visit", the("student"), the("Athens")),
        None,
        "Der Student besuchte Athen .",
        "El estudiante visitó Atenas .",
        "Студент посетил Афины .",
    ),
    (
        Clause("be", ANNA, predicate="happy", negated=True),
        None,
        "Anna ist nicht glücklich .",
        "Anna no está feliz .",
        "Anna не счастливая .",
    ),
    (
        Clause("be", the("egg"), predicate="good"),
        Role.SUBJECT,
        "Was ist gut ?",
        "¿ Qué es bueno ?",
        "Что хорошее ?",
    ),
    (
        Clause("be", the("shoe", number=2), predicate="wet"),
        None,
        "Die zwei Schuhe sind nass .",
        "Los dos zapatos están mojados .",
        "Два ботинка мокрые .",
    ),
    (
        Clause("be", some("milk"), predicate="cold"),
        None,
        "Milch ist kalt .",
        "La leche está fría .",
        "Молоко холодное .",
    ),
    (
        Clause("grow", the("child", number=5), some("flower", "yellow", 2)),
        Role.OBJECT,
        "Was bauten die fünf Kinder an ?",
        "¿ Qué cultivaron los cinco niños ?",
        "Что пять детей вырастили ?",
    ),
    (Clause("be", ANNA, kind="singer"), None, "Anna ist Sängerin .", "Anna es cantante .", "Anna певица ."),
    (
        Clause("be", OMAR, kind="nurse", negated=True),
        None,
        "Omar ist kein Krankenpfleger .",
        "Omar no es enfermero .",
        "Omar не медбрат .",
    ),
    (
        Clause("be", the("mouse"), kind="animal"),
        None,
        "Die Maus ist ein Tier .",
        "El ratón es un animal .",
        "Мышь животное .",
    ),
    (
        Clause("be", the("dog", number=4), kind="friend", negated=True),
        None,
        "Die vier Hunde sind keine Freunde .",
        "Los cuatro perros no son amigos .",
        "Четыре собаки не друзья .",
    ),
)
CASES = [
    pytest.param(code, clause, manner, forms[index], id=f"{code}: {forms[index]}")
    for clause, manner, *forms in SENTENCES
    for index, code in enumerate(CODES)
]


def every_concept() -> set[str]:
    return {
        *concepts.nouns(),
        *concepts.adjectives(),
        *concepts.TRANSITIVE,
        *concepts.INTRANSITIVE,
        *concepts.TIMES,
        *concepts.NUMBERS,
        *concepts.FUNCTION,
        *concepts.PERSONS,
        *concepts.CITIES,
        *concepts.ORGANISATIONS,
    }


def random_phrase(rng: Random, heads: tuple[str, ...]) -> Phrase:
    head = rng.choice(heads)
    if head[0].isupper():
        return Phrase(head)
    adjective = rng.choice(concepts.adjectives()) if rng.random() < 0.5 else None
    return Phrase(head, adjective, rng.choice((1, 1, 1, rng.randint(2, 9))), rng.random() < 0.5)


def random_clause(rng: Random) -> Clause:
    heads = (*concepts.nouns(), *concepts.PERSONS, *concepts.ORGANISATIONS)
    places = (*concepts.PLACES, *concepts.CITIES)
    subject, negated = random_phrase(rng, heads), rng.random() < 0.3
    place = random_phrase(rng, places) if rng.random() < 0.7 else None
    time = rng.choice(concepts.TIMES) if rng.random() < 0.7 else None
    draw = rng.random()
    if draw < 0.15:
        return Clause("be", subject, None, place, time, negated, predicate=rng.choice(concepts.adjectives()))
    if draw < 0.3:
        return Clause("be", subject, None, place, time, negated, kind=rng.choice(concepts.nouns()))
    if draw < 0.5:
        return Clause(rng.choice(tuple(concepts.INTRANSITIVE)), subject, None, place, time, negated)
    verb, thing = rng.choice(tuple(concepts.TRANSITIVE)), random_phrase(rng, (*heads, *places))
    return Clause(verb, subject, thing, place, time, negated)


def constituents(clause: Clause) -> dict[Role, str]:
    """Roles that the clause fills, each with the concept that must be said for it."""
    found = {Role.SUBJECT: clause.subject.head}
    if clause.object is not None:
        found[Role.OBJECT] = clause.object.head
    if clause.place is not None:
        found[Role.PLACE] = clause.place.head
    if clause.time is not None:
        found[Role.TIME] = clause.time
    return found


def runs(sentence: Sentence) -> list[Role]:
    """Roles of the runs of words with one role, those of spans only."""
    return [role for role, _ in groupby(word.role for word in sentence.words) if role in SPAN_ROLES]


def assert_words_are_sound(sentence: Sentence) -> None:
    for word in sentence.words:
        assert word.form
        assert " " not in word.form
        assert word.upos in XTREME_TAGS
        assert word.entity in {"", "PER", "LOC", "ORG"}
        assert (word.upos == "PROPN") == bool(word.entity)
    assert sentence.words[-1].upos == "PUNCT"


@pytest.mark.parametrize(("code", "clause", "manner", "expected"), CASES)
def test_sentence_is_as_checked_by_hand(code: str, clause: Clause, manner: str | Role | None, expected: str) -> None:
    grammar = GRAMMARS[code]
    sentence = grammar.ask(clause, manner) if isinstance(manner, Role) else grammar.say(clause, manner)
    assert " ".join(word.form for word in sentence.words) == expected


@pytest.mark.parametrize("code", CODES)
def test_lexicon_has_one_single_word_of_its_own_for_every_concept(code: str) -> None:
    lexicon = GRAMMARS[code].lexicon
    assert set(lexicon) == every_concept()
    assert all(form and " " not in form for form in lexicon.values())
    assert len(set(lexicon.values())) == len(lexicon)


@pytest.mark.parametrize("code", CODES)
def test_say_gives_contiguous_constituents_when_clauses_are_random(code: str) -> None:
    rng = Random(0)
    for _ in range(1500):
        clause = random_clause(rng)
        sentence = GRAMMARS[code].say(clause, rng.choice((None, "and", "then", "but", "because")))
        assert_words_are_sound(sentence)
        assert sorted(runs(sentence)) == sorted(constituents(clause))
        said = {(word.role, word.concept) for word in sentence.words}
        assert set(constituents(clause).items()) <= said
        assert any(word.concept == "not" for word in sentence.words) == clause.negated


@pytest.mark.parametrize("code", CODES)
def test_ask_puts_a_question_word_for_the_asked_constituent_when_clauses_are_random(code: str) -> None:
    rng = Random(1)
    for _ in range(1500):
        clause = random_clause(rng)
        asked = rng.choice(tuple(constituents(clause)))
        sentence = GRAMMARS[code].ask(clause, asked)
        assert_words_are_sound(sentence)
        assert sorted(runs(sentence)) == sorted(constituents(clause))
        *_, question = [word for word in sentence.words if word.role is asked]
        assert question.form.lower() in QUESTION_WORDS[code]
        assert question.concept in {"who", "what", "where", "when"}
        said = {(word.role, word.concept) for word in sentence.words}
        assert (asked, constituents(clause)[asked]) not in said
        assert set(constituents(clause).items()) - {(asked, constituents(clause)[asked])} <= said
        assert sentence.words[-1].form == "?"


@pytest.mark.parametrize("code", CODES)
def test_say_keeps_numeral_adjective_and_verb_when_clauses_are_random(code: str) -> None:
    rng = Random(2)
    for _ in range(500):
        clause = random_clause(rng)
        said = [word.concept for word in GRAMMARS[code].say(clause).words]
        for phrase in (clause.subject, clause.object, clause.place):
            if phrase is not None and phrase.adjective is not None:
                assert phrase.adjective in said
            if phrase is not None and phrase.number > 1:
                assert concepts.NUMBERS[phrase.number - 2] in said
        expected = clause.predicate or clause.kind or clause.verb
        assert said.count(expected) >= 1


@pytest.mark.parametrize("code", CODES)
def test_say_gives_equal_sentences_when_the_clause_is_equal(code: str) -> None:
    first = [GRAMMARS[code].say(random_clause(Random(seed)), "and") for seed in range(50)]
    second = [GRAMMARS[code].say(random_clause(Random(seed)), "and") for seed in range(50)]
    assert first == second


@pytest.mark.parametrize("code", CODES)
def test_names_keep_their_entity_types(code: str) -> None:
    clause = Clause("sell", Phrase("Zentrum9"), Phrase("key"), Phrase("Vienna"))
    entities = {word.concept: word.entity for word in GRAMMARS[code].say(clause).words if word.entity}
    assert entities == {"Zentrum9": "ORG", "Vienna": "LOC"}


def test_read_table_names_the_line_when_forms_are_missing() -> None:
    with pytest.raises(DataError, match="line 'dog Hund' has 1 form, not 2"):
        read_table("cat Katze f\ndog Hund", columns=2)


def test_read_table_names_the_concept_when_it_comes_twice() -> None:
    with pytest.raises(DataError, match="concept 'dog' comes twice"):
        read_table("dog Hund\ndog Köter", columns=1)


def test_read_pairs_names_the_concept_when_its_form_is_missing() -> None:
    with pytest.raises(DataError, match="ends with 'dog', which has no form"):
        read_pairs("cat Katze dog")


def test_read_pairs_names_the_concept_when_it_comes_twice() -> None:
    with pytest.raises(DataError, match="concept 'dog' comes twice"):
        read_pairs("dog Hund cat Katze dog Hund")
