"""Words of Swahili for every concept of the mini world, with what its grammar needs to make them agree."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs

_CLASSES: dict[tuple[int, int], str] = {
    (1, 2): """
        person mtu/watu  teacher mwalimu/walimu  doctor daktari/madaktari  farmer mkulima/wakulima
        student mwanafunzi/wanafunzi  soldier mwanajeshi/wanajeshi  singer mwimbaji/waimbaji  cook mpishi/wapishi
        driver dereva/madereva  writer mwandishi/waandishi  nurse muuguzi/wauguzi  king mfalme/wafalme
        child mtoto/watoto  woman mwanamke/wanawake  man mwanaume/wanaume  friend rafiki/marafiki
        judge jaji/majaji
        animal mnyama/wanyama  dog mbwa  cat paka  horse farasi  cow ng'ombe  bird ndege  fish samaki  lion simba
        mouse panya  sheep kondoo  snake nyoka  elephant tembo  monkey tumbili
        """,
    (3, 4): """
        bread mkate/mikate  plant mmea/mimea  tree mti/miti  forest msitu/misitu  river mto/mito
        mountain mlima/milima  restaurant mkahawa/mikahawa
        """,
    (5, 6): """
        egg yai/mayai  fruit tunda/matunda  apple tufaha/matufaha  orange chungwa/machungwa  lemon limau/malimau
        mango embe/maembe  car gari/magari  bus basi/mabasi  clothing vazi/mavazi  shirt shati/mashati
        coat koti/makoti  dress gauni/magauni  carpet zulia/mazulia  guitar gitaa/magitaa  text andiko/maandiko
        newspaper gazeti/magazeti  poem shairi/mashairi  flower ua/maua  rose waridi/mawaridi
        kitchen jiko/majiko  market soko/masoko  church kanisa/makanisa  field konde/makonde
        farm shamba/mashamba  palace kasri/makasri
        """,
    (6, 6): "water maji  milk maziwa  museum makumbusho",
    (7, 8): """
        food chakula/vyakula  drink kinywaji/vinywaji  vehicle chombo/vyombo  knife kisu/visu  shoe kiatu/viatu
        chair kiti/viti  bed kitanda/vitanda  mirror kioo/vioo  book kitabu/vitabu  bush kichaka/vichaka
        station kituo/vituo
        """,
    (9, 10): """
        meat nyama  soup supu  cheese jibini  cake keki  salad saladi  banana ndizi  grape zabibu  tea chai
        coffee kahawa  juice juisi  wine divai  train treni  boat mashua  bicycle baiskeli  plane eropleni
        tool zana  hammer nyundo  rope kamba  needle sindano  brush brashi  hat kofia  scarf skafu  furniture samani
        table meza  lamp taa  instrument ala  piano piano  drum ngoma  violin fidla  flute filimbi  letter barua
        map ramani  story hadithi
        garden bustani  school shule  hospital hospitali  library maktaba  office ofisi  street barabara
        """,
    (10, 10): "grass nyasi",
    (11, 10): "rice wali  key ufunguo/funguo  beach ufukwe/fukwe  theatre ukumbi/kumbi",
}

NOUNS: dict[str, tuple[str, str, int, int]] = {
    noun: (forms.split("/")[0], forms.split("/")[-1], *classes)
    for classes, table in _CLASSES.items()
    for noun, forms in read_pairs(table).items()
}
"""Noun -> singular, plural, their noun classes; people and animals agree as classes 1 and 2 whatever their form."""

SUBJECTS: dict[int, str] = {
    1: "a", 2: "wa", 3: "u", 4: "i", 5: "li", 6: "ya", 7: "ki", 8: "vi", 9: "i", 10: "zi", 11: "u",
}  # fmt: skip
"""Class -> subject prefix of the verb."""

RELATIVES: dict[int, str] = {
    1: "aliye", 2: "walio", 3: "ulio", 4: "iliyo", 5: "lililo", 6: "yaliyo", 7: "kilicho", 8: "vilivyo", 9: "iliyo",
    10: "zilizo", 11: "ulio",
}  # fmt: skip
"""Class -> subject, tense and relative prefix of a verb that describes a noun."""

CONNECTORS: dict[int, str] = {
    1: "wa", 2: "wa", 3: "wa", 4: "ya", 5: "la", 6: "ya", 7: "cha", 8: "vya", 9: "ya", 10: "za", 11: "wa",
}  # fmt: skip
"""Class -> "of", which makes an adjective of another word."""

HAVING: dict[int, str] = {
    1: "mwenye", 2: "wenye", 3: "wenye", 4: "yenye", 5: "lenye", 6: "yenye", 7: "chenye", 8: "vyenye", 9: "yenye",
    10: "zenye", 11: "wenye",
}  # fmt: skip
"""Class -> "having", which makes an adjective of a noun."""

BEFORE_CONSONANT: dict[int, str] = {1: "m", 2: "wa", 3: "m", 4: "mi", 5: "", 6: "ma", 7: "ki", 8: "vi", 11: "m"}
BEFORE_VOWEL: dict[int, str] = {1: "mw", 2: "w", 3: "mw", 4: "my", 5: "j", 6: "m", 7: "ch", 8: "vy", 11: "mw"}
"""Class -> prefix of an adjective before a consonant and before a vowel; classes 9 and 10 are listed by adjective."""

AGREEING: dict[str, tuple[str, str]] = {
    "big": ("kubwa", "kubwa"), "small": ("dogo", "ndogo"), "old": ("kuukuu", "kuukuu"), "new": ("pya", "mpya"),
    "good": ("zuri", "nzuri"), "bad": ("baya", "mbaya"), "dirty": ("chafu", "chafu"), "heavy": ("zito", "nzito"),
    "light": ("epesi", "nyepesi"), "beautiful": ("rembo", "rembo"), "long": ("refu", "ndefu"),
    "short": ("fupi", "fupi"), "empty": ("tupu", "tupu"), "dry": ("kavu", "kavu"), "timid": ("oga", "nyoga"),
    "red": ("ekundu", "nyekundu"), "white": ("eupe", "nyeupe"), "black": ("eusi", "nyeusi"),
}  # fmt: skip
"""Adjective -> its stem, its form in classes 9 and 10."""

OF_LIVING: dict[str, tuple[str, str]] = {"old": ("zee", "zee")}
"""Adjective -> its forms for people and animals, where it differs."""

FIXED: dict[str, str] = read_pairs(
    "hot moto cold baridi clean safi weak dhaifu rich tajiri poor maskini expensive ghali cheap rahisi brave jasiri"
)
"""Adjective -> its only form."""

WITH_OF: dict[str, str] = read_pairs("slow polepole  ugly kuchukiza  green kijani  blue buluu  yellow njano")
"""Adjective -> the word after "of" that says it."""

WITH_HAVING: dict[str, str] = read_pairs("happy furaha  sad huzuni  strong nguvu  fast kasi")
"""Adjective -> the noun after "having" that says it."""

STATES: dict[str, str] = read_pairs("full jaa  wet lowa")
"""Adjective -> the verb that says it: "imejaa" (it is full), "iliyojaa" (which is full)."""

VERBS: dict[str, str] = read_pairs(
    """
    eat la  drink_v nywa  see ona  buy nunua  steal iba  get pata  sell uza  give_away toa  read soma  write andika
    make tengeneza  paint paka+rangi  repair karabati  change badilisha  drive endesha  use tumia  wear vaa
    wash osha  cut kata  carry beba  push sukuma  pull vuta  move_o sogeza  find kuta  lose poteza  love penda
    like furahia  hate chukia  play piga  hear sikia  hunt winda  follow fuata  feed lisha  visit tembelea
    help saidia  teach fundisha  heal ponya  watch tazama  grow kuza  break vunja  open fungua  cook_v pika
    sleep lala  rest pumzika  run kimbia  walk tembea  swim ogelea  fly paa  jump ruka  dance cheza
    move_s sogea  laugh cheka  cry lia  sing imba  work fanya+kazi  wait subiri  fall anguka  sit keti
    speak zungumza  fight pigana
    """
)
"""Verb -> its stem, before the noun it is said with, if any ("fanya kazi")."""

SHORT_STEMS: frozenset[str] = frozenset(("la", "nywa"))
"""Stems of one syllable, which keep "ku" where nothing else bears the stress ("alikula")."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("jana",),
    "morning": ("asubuhi",),
    "evening": ("jioni",),
    "night": ("usiku",),
    "monday": ("Jumatatu",),
    "friday": ("Ijumaa",),
    "sunday": ("Jumapili",),
    "summer": ("wakati", "wa", "kiangazi"),
    "winter": ("wakati", "wa", "kipupwe"),
}
"""Time -> its words."""

NUMBERS: tuple[str, ...] = ("wili", "tatu", "nne", "tano", "sita", "saba", "nane", "tisa")
"""Stems of the numerals from 2 to 9."""

FIXED_NUMBERS: frozenset[str] = frozenset(("sita", "saba", "tisa"))
"""Numerals that do not agree."""

CITIES: dict[str, str] = {"Rome": "Roma", "Cairo": "Kairo", "Athens": "Athene"}
"""City -> its Swahili name, where it differs from the English one."""

OPEN_PLACES: frozenset[str] = frozenset(("river", "mountain", "beach", "street", "station", "field", "farm", "market"))
"""Places one is at ("kwenye") rather than in ("katika")."""

FUNCTION: dict[str, str] = {
    "be": "kuwa",
    "not": "si",
    "and": "na",
    "who": "nani",
    "what": "nini",
    "where": "wapi",
    "when": "lini",
    "because": "kwa sababu",
    "then": "kisha",
    "but": "lakini",
}
"""Function words."""
