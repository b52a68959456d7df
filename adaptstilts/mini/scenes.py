"""Scenes of the mini world: who does what where, and in which order.

A script is a list of steps ``subject verb [object] [@place]``. ``A``, ``B`` and ``C`` are people, ``O`` is an
organisation, other capitals are slots that the scene fills; a slot keeps its filler through a story. ``be +x/y`` says
one of the adjectives of the subject, ``be =x/y`` what it is. Lower-case words stand for themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True)
class Step:
    """One step of a script.

    Attributes:
        subject: Slot or noun concept.
        verb: Verb concept or ``be``.
        object: Slot or noun concept.
        place: Usual place of the step.
        predicates: Adjectives to choose from, with ``be``.
        kinds: Nouns to choose from, with ``be``.
    """

    subject: str
    verb: str
    object: str | None = None
    place: str | None = None
    predicates: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """A topic with its own people, places, times, things and scripts; all fillers are listed most frequent first.

    Attributes:
        people: Nouns for people without a name.
        scripts: Usual courses of events.
    """

    name: str
    people: tuple[str, ...]
    places: tuple[str, ...]
    times: tuple[str, ...]
    slots: dict[str, tuple[str, ...]] = field(hash=False)
    scripts: tuple[tuple[Step, ...], ...] = ()


# name: (people, places, times, slots, scripts)
_SCENES: dict[str, tuple[str, str, str, dict[str, str], tuple[str, ...]]] = {
    "meal": (
        "cook woman man child friend", "kitchen restaurant market", "evening sunday friday night",
        {"F": "soup rice meat egg bread", "D": "water tea wine coffee", "K": "knife"},
        (
            "A buy F @market; A carry F @street; A cut F @kitchen; A cook_v F @kitchen; A eat F @kitchen; "
            "A be +happy/sad",
            "A open restaurant; A cook_v F @restaurant; B visit restaurant; B eat F @restaurant; "
            "B drink_v D @restaurant; "
            "B like F; A wash K @kitchen",
            "A find K @kitchen; A wash K; A cut meat @kitchen; A cook_v meat; F be +hot/good; A eat F @kitchen; A rest",
            "A make cake @kitchen; B see cake; B steal cake; B eat cake @garden; A follow B; B laugh",
        ),
    ),
    "garden": (
        "woman farmer friend child", "garden field market", "summer morning sunday",
        {"G": "flower rose tree bush", "R": "apple lemon orange grape mango banana", "H": "bird"},
        (
            "A grow G @garden; G be +big/beautiful/green; A cut G @garden; A carry G @street; A give_away G; B love G",
            "A grow R @garden; R be +good/big/green; B steal R @garden; B eat R; A hate B; B cry",
            "A find R @garden; A wash R; A cut R @kitchen; A make salad; A make juice; B drink_v juice @garden; "
            "B like juice",
            "A paint G @garden; H sing @garden; A hear H; A watch H; H fly; A be +happy/sad",
        ),
    ),
    "farm": (
        "farmer man woman child", "farm field market", "morning summer monday",
        {"N": "cow sheep horse", "V": "bread meat milk egg cheese"},
        (
            "A feed N @farm; N eat grass @field; A wash N @farm; A carry water @farm; N rest; A sell N @market; "
            "A be +rich/happy",
            "A work @field; A cut grass @field; A pull rope; A grow rice @field; A sell rice @market; A buy N @market",
            "A get V @farm; A make cheese @farm; A sell V @market; B buy V @market; B eat V; B like V",
            "A lose N @field; A follow N @forest; A cry; B find N @forest; B help A; A be +happy",
        ),
    ),
    "travel": (
        "driver student friend woman man", "station street museum", "summer friday sunday morning",
        {"M": "car bus train", "Y": "museum palace church theatre", "X": "bicycle car"},
        (
            "A buy map @station; A read map; A wait @station; A drive M @street; A visit Y; A paint mountain; "
            "A be +happy/poor",
            "A get M; A drive M @street; A lose map; A find map @street; A follow B @station; A see elephant",
            "X be +old/slow/dirty; A push X @street; A wash X; A repair X; A sell X @market; A buy plane",
            "plane fly; A see plane; A wait @station; B speak @station; A visit B; A sleep",
        ),
    ),
    "school": (
        "student child teacher", "school library museum", "monday morning winter",
        {"T": "book story poem newspaper map", "W": "letter story poem"},
        (
            "A be =teacher; A work @school; A teach B @school; B read T @school; B write W; A read W; B be +happy/good",
            "A find T @library; A open T; A read T @library; A like T; A carry T @street; A give_away T",
            "A lose T @school; A cry @school; B find T @street; B help A; A be +happy; A laugh",
            "A walk @street; A sit @school; A hear story @school; A write W @school; A sleep; B wait",
        ),
    ),
    "concert": (
        "singer friend woman student", "theatre church restaurant", "evening friday night",
        {"I": "guitar piano violin flute drum"},
        (
            "A carry I @street; A play I @theatre; B hear I @theatre; B love I; B dance @theatre; A be +happy/rich",
            "A be =singer; A wear dress @theatre; A sing @theatre; B hear A; B cry; B love A",
            "A break I; I be +old/bad; A be +sad; B repair I; A play I @church; C dance @church",
            "A buy I @market; A teach B; B play I @theatre; C hear B; C laugh; B sell I",
        ),
    ),
    "hospital": (
        "nurse doctor child man woman", "hospital street", "winter night monday",
        {"D": "tea water soup milk", "J": "bed"},
        (
            "A fall @street; A cry @street; B help A; B carry A @hospital; C heal A @hospital; A be +strong/happy",
            "A be =doctor/nurse; A work @hospital; B visit A; A heal B @hospital; B rest @hospital; B give_away D",
            "A be +weak/old; A sleep @hospital; B feed A; A drink_v D @hospital; A walk @garden; A laugh",
            "A drive bus @street; A see B; B fall @street; A carry B; C heal B @hospital; C wash J; B love C",
        ),
    ),
    "war": (
        "soldier king man", "palace mountain river", "winter night morning",
        {"U": "horse", "L": "letter map"},
        (
            "A be =king; A be +rich/bad; A write L @palace; B carry L @mountain; C read L; C fight @mountain",
            "A be =soldier; A be +brave/strong/timid; A fight @mountain; A fall @river; B heal A; A love B",
            "A follow B @mountain; A run @mountain; A steal U; B hunt A; A hate B; B lose U @river",
            "A hate B; A steal L @palace; A jump @river; B follow A; A swim @river; A rest @mountain",
        ),
    ),
    "forest": (
        "farmer man child", "forest river mountain", "night summer morning",
        {"L": "lion snake dog", "S": "sheep monkey mouse bird", "E": "elephant monkey lion"},
        (
            "L see S @forest; L follow S @forest; S run @forest; L hunt S; L eat meat @forest; L sleep",
            "A walk @forest; A see E @forest; E be +big/strong/ugly; A be +timid/brave; A run; A fall @river",
            "A watch bird @forest; bird fly; A find flower @forest; A cut tree @forest; A move_o tree; A make table",
            "E move_s @forest; E drink_v water @river; A watch E; E swim @river; E eat fruit @forest; A paint E",
        ),
    ),
    "sea": (
        "man child friend student", "beach river", "summer sunday morning",
        {"Z": "boat", "Q": "fish"},
        (
            "A push boat @river; A drive boat @river; A pull rope; A hunt fish; A sell fish @market; "
            "B cook_v fish @kitchen",
            "A walk @beach; A swim @beach; A be +wet; A drink_v juice @beach; A rest @beach; A sleep @beach",
            "A paint boat @beach; boat be +white/blue/new; B buy boat; B watch fish @river; B fall; B be +wet/sad",
            "fish swim @river; A see fish; A jump @river; A lose hat @beach; B find hat; B wear hat",
        ),
    ),
    "clothes": (
        "woman friend man singer", "market street theatre", "friday winter monday",
        {"W": "shirt dress coat hat scarf shoe"},
        (
            "A sell W @market; B buy W @market; B wear W @street; W be +dirty/wet; B wash W; B love W",
            "A find needle; A make W; A use needle; W be +beautiful/expensive; A sell W @market; B wear W @theatre",
            "A lose W @street; B steal W; B wear W @street; A see B; A follow B @market; B run",
            "A change W; W be +short/long; A wear W @office; B hate W; A cry; A give_away W @church",
        ),
    ),
    "workshop": (
        "man friend woman driver", "farm garden street", "monday sunday morning",
        {"F": "chair table lamp bed mirror carpet", "T": "hammer brush knife rope", "V": "bicycle car boat"},
        (
            "A break F; A find T @garden; A use T; A repair F; A paint F @garden; A sell F @market",
            "A buy F @market; A carry F @street; A move_o F; A wash F; F be +new/clean/heavy; A like F",
            "A lose key @street; A be +sad; B find key; B use key; B steal V; A hunt B",
            "A see V; V be +old/dirty; A buy V @market; A use hammer; A repair V; A drive V @street",
        ),
    ),
    "home": (
        "child woman friend", "kitchen garden street", "night evening winter",
        {"P": "dog cat", "D": "milk water", "J": "bed chair carpet"},
        (
            "P see mouse @kitchen; P follow mouse; mouse run @garden; P hunt mouse; P eat mouse; P sleep",
            "A feed P @kitchen; P drink_v D @kitchen; A wash P @garden; P be +clean/wet; A play guitar; P rest",
            "A lose P @street; A cry; B see P @garden; B carry P @street; A love P; A sleep",
            "A make J; A open book; A read book; B sleep; P jump @garden; P break lamp; A hate P",
        ),
    ),
    "crime": (
        "judge man driver woman", "street office market palace", "night friday winter",
        {"X": "car key bicycle coat horse letter", "Y": "mirror lamp"},
        (
            "A steal X @street; B see A; B follow A @street; C hear B @office; C hate A; A be +poor/sad",
            "A be =judge; A work @office; A hear B @office; B cry; A help B; B be +poor/happy",
            "A break Y @office; A open letter; A steal letter; A run @street; B watch A; B hunt A",
            "A fight @market; B fight @market; C speak; A fall @market; B run @street; C help A",
        ),
    ),
    "company": (
        "driver writer cook man", "office market restaurant", "monday friday winter summer",
        {"V": "car plane bus train boat bicycle", "G": "shirt lamp chair table coffee juice shoe"},
        (
            "O make V; V be +new/expensive/fast; A buy V @market; A drive V @street; A like V; O be +rich",
            "A work @office; O help A; A write letter @office; B read letter; B visit O; B be +happy",
            "O buy G @market; O change G; O sell G @market; A get G; A use G; A hate O",
            "A be =driver/writer/cook; A work @office; O open restaurant; A cook_v egg @restaurant; "
            "B eat salad @restaurant; "
            "O give_away cake",
        ),
    ),
    "writing": (
        "writer woman student king", "library office museum", "winter evening night",
        {"W": "book poem story", "D": "coffee tea wine"},
        (
            "A be =writer; A sit @library; A drink_v D @office; A write W @office; B read W @library; B love W",
            "A find W @library; A read W; W be +long/sad/beautiful; A change W; A sell W @market; A be +rich/poor",
            "A write letter @office; A wait; B open letter; B read letter @museum; B love A; B speak @museum",
            "A read newspaper @library; A hear story; A write story; B paint rose; A get newspaper; A laugh",
        ),
    ),
}  # fmt: skip


def _step(text: str) -> Step:
    subject, verb, *rest = text.split()
    place = next((word[1:] for word in rest if word[0] == "@"), None)
    predicates = next((word[1:].split("/") for word in rest if word[0] == "+"), [])
    kinds = next((word[1:].split("/") for word in rest if word[0] == "="), [])
    thing = next((word for word in rest if word[0] not in "@+="), None)
    return Step(subject, verb, thing, place, tuple(predicates), tuple(kinds))


@cache
def scenes() -> tuple[Scene, ...]:
    """Return all scenes, parsed."""
    return tuple(
        Scene(
            name,
            tuple(people.split()),
            tuple(places.split()),
            tuple(times.split()),
            {slot: tuple(fillers.split()) for slot, fillers in slots.items()},
            tuple(tuple(_step(text) for text in script.split(";")) for script in scripts),
        )
        for name, (people, places, times, slots, scripts) in _SCENES.items()
    )
