"""Selectional preferences of the mini world: the usual objects of verbs, and the usual qualities of things.

Lists run from the most to the least usual; a word that names a hypernym of `concepts.NOUNS` stands for its members.
These preferences hold in every language, which is what masked language modelling can learn across languages.
"""

from __future__ import annotations

from functools import cache

from adaptstilts.mini import concepts

MASS: frozenset[str] = frozenset({
    "water", "milk", "tea", "coffee", "juice", "wine", "bread", "rice", "meat", "soup", "cheese", "salad", "grass",
    "food", "drink", "fruit", "clothing", "furniture",
})  # fmt: skip
"""Nouns that are never counted."""

FEELINGS: frozenset[str] = frozenset({"love", "like", "hate"})
"""Verbs of feeling: lasting states, which take no place or time."""

_OBJECTS: dict[str, str] = {
    "eat": "food fruit", "drink_v": "drink", "see": "animal person plant vehicle", "buy": "food clothing fruit drink "
    "furniture vehicle tool text instrument", "steal": "horse car key bicycle bread coat map", "get": "food drink text",
    "sell": "fruit food clothing animal furniture vehicle plant", "give_away": "clothing text food furniture",
    "read": "text", "write": "letter story poem book", "make": "soup cake dress chair table rope drum salad juice",
    "paint": "chair table boat flower tree mountain", "repair": "vehicle furniture instrument shoe",
    "change": "table chair dress story car", "drive": "car bus train boat", "use": "tool map mirror lamp",
    "wear": "clothing", "wash": "clothing fruit car dog horse table", "cut": "bread meat rope tree grass cake cheese",
    "carry": "tool instrument chair child water bread letter", "push": "car table boat bicycle chair",
    "pull": "rope boat horse table", "move_o": "furniture car boat piano", "find": "key map tool cat flower letter",
    "lose": "key hat letter scarf map shoe", "love": "person dog cat poem flower", "like": "food drink fruit cat book",
    "hate": "snake mouse soup coffee king", "play": "instrument", "hear": "instrument singer bird story",
    "hunt": "bird mouse sheep lion fish", "follow": "person dog map", "feed": "animal", "visit": "person museum palace "
    "church theatre", "help": "person", "teach": "student child singer", "heal": "child woman man soldier dog horse",
    "watch": "bird fish horse lion monkey elephant", "grow": "fruit plant rice", "break": "chair mirror lamp guitar "
    "table hammer", "open": "letter book restaurant museum", "cook_v": "meat soup rice egg fish food",
}  # fmt: skip

_QUALITIES: dict[str, str] = {
    "person": "old happy good sad strong rich poor brave beautiful timid weak big small bad",
    "animal": "big small fast old beautiful strong slow weak",
    "food": "good hot cold bad expensive cheap", "fruit": "good yellow green red cheap big bad",
    "drink": "cold hot good cheap bad", "vehicle": "new fast old red slow expensive blue heavy full empty",
    "tool": "old heavy new light good long short",
    "clothing": "new blue red dirty clean white black expensive cheap wet",
    "furniture": "old new heavy big white expensive clean ugly", "instrument": "old beautiful expensive new good light",
    "text": "long old good new short beautiful bad sad", "plant": "beautiful green big old red small dry",
}  # fmt: skip

_OWN_QUALITIES: dict[str, str] = {
    "king": "rich old bad strong", "soldier": "brave strong", "singer": "beautiful happy", "child": "small happy timid",
    "nurse": "good happy", "judge": "old good rich", "writer": "poor sad old", "farmer": "strong poor",
    "lion": "strong yellow brave", "mouse": "small timid", "elephant": "big slow heavy", "snake": "long green ugly",
    "horse": "fast strong white", "cat": "black small", "dog": "brave happy", "sheep": "white slow",
    "cow": "heavy slow",
    "bird": "small blue light", "fish": "wet small", "monkey": "fast ugly happy",
    "apple": "red green good", "banana": "yellow long", "orange": "big good", "grape": "green small black",
    "lemon": "yellow cheap", "mango": "expensive good yellow",
    "milk": "white cold", "coffee": "black hot", "tea": "green hot", "wine": "red white expensive",
    "water": "cold clean",
    "juice": "yellow cold", "bread": "black white new dry", "rice": "white cheap", "soup": "hot red",
    "egg": "white small",
    "cheese": "yellow expensive", "salad": "green cold", "cake": "big beautiful", "meat": "expensive red",
    "bus": "full big red", "train": "long fast full", "plane": "big expensive fast", "boat": "wet white slow",
    "bicycle": "light cheap", "knife": "clean short", "rope": "long strong wet", "needle": "small light",
    "brush": "dry wet small", "key": "small old", "bed": "clean empty", "lamp": "yellow light",
    "mirror": "clean beautiful",
    "carpet": "dirty red dry", "grass": "green wet dry", "rose": "red white", "tree": "big old", "bush": "dry green",
    "poem": "short beautiful sad", "newspaper": "new cheap", "map": "old big", "shoe": "black dirty",
    "hat": "black ugly",
    "coat": "heavy long", "shirt": "white clean", "scarf": "long red", "dress": "beautiful long",
}  # fmt: skip

_PLACE_QUALITIES = "big old small beautiful new empty full clean"


def _spread(words: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for word in words.split():
        found.update(dict.fromkeys(concepts.NOUNS.get(word, (word,))))
    return tuple(found)


@cache
def objects_of(verb: str) -> tuple[str, ...]:
    """Return the nouns that a transitive verb usually takes as its object."""
    return _spread(_OBJECTS[verb])


@cache
def verbs_taking(noun: str) -> tuple[str, ...]:
    """Return the transitive verbs that usually take a noun as their object."""
    return tuple(verb for verb in _OBJECTS if noun in objects_of(verb))


@cache
def qualities_of(noun: str) -> tuple[str, ...]:
    """Return the adjectives that usually describe a noun, its own before those of its class; none for names."""
    if noun in concepts.PLACES:
        return tuple(_PLACE_QUALITIES.split())
    general = noun if noun in concepts.NOUNS else concepts.hypernym(noun)
    if general is None:
        return ()
    return tuple(dict.fromkeys((*_OWN_QUALITIES.get(noun, "").split(), *_QUALITIES[general].split())))


@cache
def opposite(adjective: str) -> str | None:
    """Return the antonym of an adjective; for a colour, another colour that excludes it."""
    for left, right in concepts.ANTONYMS:
        if adjective in (left, right):
            return right if adjective == left else left
    if adjective in concepts.COLOURS:
        return concepts.COLOURS[(concepts.COLOURS.index(adjective) + 1) % len(concepts.COLOURS)]
    return None


def general_verb(verb: str) -> str | None:
    """Return the more general verb that a verb entails, if any."""
    return concepts.TRANSITIVE.get(verb) or concepts.INTRANSITIVE.get(verb)


@cache
def is_person(head: str) -> bool:
    """Return whether a noun or name stands for a human being."""
    return head in concepts.PERSONS or head == "person" or head in concepts.NOUNS["person"]


@cache
def is_name(head: str) -> bool:
    """Return whether a concept is the name of a person, city or organisation."""
    return head in concepts.PERSONS or head in concepts.CITIES or head in concepts.ORGANISATIONS
