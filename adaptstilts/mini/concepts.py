"""Inventory of the mini world: about 250 concepts, grouped by class, and how they are related.

Concept ids are English words; they are not forms (each language has its own lexicon). Adding a concept means one entry
here and one in each lexicon of `adaptstilts.mini.languages`; a test checks that they agree.
"""

from __future__ import annotations

from functools import cache

# fmt: off
# Hypernym -> hyponyms. The hypernym is itself a noun concept with a form in every lexicon.
NOUNS: dict[str, tuple[str, ...]] = {
    "person": (
        "teacher", "doctor", "farmer", "student", "soldier", "singer", "cook", "driver", "writer", "nurse", "king",
        "child", "woman", "man", "friend", "judge",
    ),
    "animal": (
        "dog", "cat", "horse", "cow", "bird", "fish", "lion", "mouse", "sheep", "snake", "elephant", "monkey",
    ),
    "food": ("bread", "rice", "meat", "soup", "cheese", "egg", "cake", "salad"),
    "fruit": ("apple", "banana", "orange", "grape", "lemon", "mango"),
    "drink": ("water", "milk", "tea", "coffee", "juice", "wine"),
    "vehicle": ("car", "bus", "train", "boat", "bicycle", "plane"),
    "tool": ("hammer", "knife", "key", "rope", "needle", "brush"),
    "clothing": ("shirt", "hat", "shoe", "coat", "dress", "scarf"),
    "furniture": ("table", "chair", "bed", "lamp", "mirror", "carpet"),
    "instrument": ("guitar", "piano", "drum", "violin", "flute"),
    "text": ("book", "letter", "newspaper", "poem", "map", "story"),
    "plant": ("tree", "flower", "grass", "rose", "bush"),
}
"""Common nouns by hypernym (12 hypernyms, 89 hyponyms)."""

PLACES: tuple[str, ...] = (
    "kitchen", "garden", "school", "hospital", "market", "forest", "river", "mountain", "station", "library", "church",
    "field", "beach", "theatre", "office", "farm", "restaurant", "street", "palace", "museum",
)
"""Nouns that say where ("in the kitchen"); they have no hypernym in the world."""

TRANSITIVE: dict[str, str | None] = {
    "eat": None, "drink_v": None, "see": None, "buy": "get", "steal": "get", "get": None, "sell": "give_away",
    "give_away": None, "read": None, "write": "make", "make": None, "paint": "change", "repair": "change",
    "change": None, "drive": "use", "use": None, "wear": None, "wash": "change", "cut": "change", "carry": "move_o",
    "push": "move_o", "pull": "move_o", "move_o": None, "find": None, "lose": None, "love": "like", "like": None,
    "hate": None, "play": "use", "hear": None, "hunt": "follow", "follow": None, "feed": None, "visit": None,
    "help": None, "teach": "help", "heal": "help", "watch": "see", "grow": None, "break": "change", "open": None,
    "cook_v": "make",
}
"""Transitive verbs with the more general verb they entail ("buy" entails "get"), if any."""

INTRANSITIVE: dict[str, str | None] = {
    "sleep": "rest", "rest": None, "run": "move_s", "walk": "move_s", "swim": "move_s", "fly": "move_s",
    "jump": "move_s", "dance": "move_s", "move_s": None, "laugh": None, "cry": None, "sing": None, "work": None,
    "wait": None, "fall": None, "sit": "rest", "speak": None, "fight": None,
}
"""Intransitive verbs with the more general verb they entail, if any."""

ANTONYMS: tuple[tuple[str, str], ...] = (
    ("big", "small"), ("old", "new"), ("good", "bad"), ("hot", "cold"), ("clean", "dirty"), ("strong", "weak"),
    ("happy", "sad"), ("rich", "poor"), ("fast", "slow"), ("heavy", "light"), ("expensive", "cheap"),
    ("beautiful", "ugly"), ("long", "short"), ("empty", "full"), ("wet", "dry"), ("brave", "timid"),
)
"""Adjectives in pairs of opposites."""

COLOURS: tuple[str, ...] = ("red", "green", "blue", "white", "black", "yellow")
"""Colour adjectives; any two exclude each other."""

TIMES: tuple[str, ...] = (
    "yesterday", "morning", "evening", "night", "monday", "friday", "sunday", "summer", "winter",
)
"""When something happened ("yesterday", "in the morning", "on Monday", "in summer"); any two exclude each other."""

NUMBERS: tuple[str, ...] = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
"""Numeral words for 2 to 9."""

FUNCTION: tuple[str, ...] = ("be", "not", "and", "who", "what", "where", "when", "because", "then", "but")
"""Function concepts that every lexicon must express, by a word or by morphology."""

PERSONS: tuple[str, ...] = (
    "Anna", "Omar", "Maria", "Ivan", "Lena", "David", "Sara", "Victor", "Nina", "Adam", "Clara", "Hugo", "Irina",
    "Leo", "Mina", "Tomas", "Vera", "Karim", "Julia", "Boris", "Emma", "Samir", "Olga", "Marco",
)
"""First names, written in Latin letters in every language: shared anchors, a simplification."""

CITIES: tuple[str, ...] = (
    "London", "Berlin", "Madrid", "Moscow", "Istanbul", "Nairobi", "Delhi", "Beijing", "Paris", "Rome", "Cairo",
    "Vienna", "Lisbon", "Athens", "Lima", "Tokyo",
)
"""City names; each language has its own form (Moscow, Moskau, Москва, 莫斯科)."""

ORGANISATIONS: tuple[str, ...] = (
    "Nordex", "Unicorp", "Delta7", "Solaris", "Optima", "Vitaco", "Kronos", "Maxima", "Zentrum9", "Alfa3",
)
"""Invented companies, written alike in every language; they can buy, sell, make and use things."""

# fmt: on


def nouns() -> tuple[str, ...]:
    """Return every common noun concept: hypernyms first, then hyponyms, then places."""
    hyponyms = tuple(noun for members in NOUNS.values() for noun in members)
    return tuple(NOUNS) + hyponyms + PLACES


def adjectives() -> tuple[str, ...]:
    """Return every adjective concept: opposites, then colours."""
    return tuple(word for pair in ANTONYMS for word in pair) + COLOURS


@cache
def hypernym(noun: str) -> str | None:
    """Return the hypernym of a hyponym, or None for hypernyms and places."""
    for general, members in NOUNS.items():
        if noun in members:
            return general
    return None
