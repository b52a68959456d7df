"""Words of Hindi for every concept of the mini world, with what its grammar needs to inflect them."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs

MASCULINE: dict[str, str] = read_pairs(
    """
    person व्यक्ति  teacher शिक्षक  doctor डॉक्टर  farmer किसान  student छात्र  soldier सैनिक  singer गायक  cook बावर्ची
    driver चालक  writer लेखक  king राजा  child बच्चा  man आदमी  friend दोस्त  judge न्यायाधीश
    animal जानवर  dog कुत्ता  horse घोड़ा  bird पक्षी  lion शेर  mouse चूहा  snake साँप  elephant हाथी  monkey बंदर
    food भोजन  rice चावल  meat मांस  soup सूप  cheese पनीर  egg अंडा  cake केक  salad सलाद
    fruit फल  apple सेब  banana केला  orange संतरा  grape अंगूर  lemon नींबू  mango आम
    drink पेय  water पानी  milk दूध  juice रस
    vehicle वाहन  plane विमान
    tool औज़ार  hammer हथौड़ा  knife चाकू  brush ब्रश
    clothing कपड़ा  shoe जूता  coat कोट  scarf स्कार्फ़
    furniture फ़र्नीचर  bed पलंग  lamp लैंप  mirror दर्पण  carpet कालीन
    instrument वाद्य  guitar गिटार  piano पियानो  drum ढोल  violin वायलिन
    text पाठ  letter पत्र  newspaper अख़बार  map नक्शा
    plant पौधा  tree पेड़  flower फूल  rose गुलाब
    garden बगीचा  school विद्यालय  hospital अस्पताल  market बाज़ार  forest जंगल  mountain पहाड़  station स्टेशन
    library पुस्तकालय  church गिरजाघर  field खेत  beach समुद्रतट  theatre थिएटर  office दफ़्तर  farm फ़ार्म
    restaurant रेस्तराँ  palace महल  museum संग्रहालय
    """
)
"""Masculine noun -> its form."""

FEMININE: dict[str, str] = read_pairs(
    """
    nurse नर्स  woman औरत  cat बिल्ली  cow गाय  fish मछली  sheep भेड़  bread रोटी  tea चाय  coffee कॉफ़ी  wine शराब
    car कार  bus बस  train रेलगाड़ी  boat नाव  bicycle साइकिल  key चाबी  rope रस्सी  needle सुई  shirt कमीज़  hat टोपी
    dress पोशाक  table मेज़  chair कुर्सी  flute बाँसुरी  book किताब  poem कविता  story कहानी  grass घास  bush झाड़ी
    kitchen रसोई  river नदी  street सड़क
    """
)
"""Feminine noun -> its form."""

UNCHANGED: frozenset[str] = frozenset(("राजा",))
"""Masculine nouns in -ā that keep it."""

PLACES_WITH_ON: frozenset[str] = frozenset(("station", "beach", "mountain", "street", "farm"))
"""Places one is on rather than in."""

KINDS_OF_WOMEN: dict[str, str] = read_pairs(
    "teacher शिक्षिका  student छात्रा  singer गायिका  writer लेखिका  king रानी  child बच्ची"
)
"""What a woman is said to be."""

TRANSITIVE: dict[str, str] = read_pairs(
    """
    eat खा  drink_v पी  see देख  buy ख़रीद  steal चुरा  get ले  sell बेच  give_away दान+कर  read पढ़  write लिख  make बना
    paint रँग  repair सुधार  change बदल  drive चला  use इस्तेमाल+कर  wear पहन  wash धो  cut काट  carry उठा  push धकेल
    pull खींच  move_o खिसका  find पा  lose खो  play बजा  hear सुन  feed खिला  teach सिखा  heal ठीक+कर  watch निहार
    grow उगा  break तोड़  open खोल  cook_v पका  like पसंद+कर
    rest आराम+कर  work काम+कर  wait इंतज़ार+कर  sing गा
    """
)
"""Verb whose past has a subject with "ne" -> its stem, after the word it is said with, if any."""

OF_OBJECT: dict[str, tuple[str, str, str]] = {
    "help": ("की", "मदद", "f"),
    "hunt": ("का", "शिकार", "m"),
    "follow": ("का", "पीछा", "m"),
    "visit": ("का", "दौरा", "m"),
    "love": ("से", "प्यार", "m"),
    "hate": ("से", "नफ़रत", "f"),
}
"""Verb said with a noun and "do" -> the postposition of its object, the noun, the gender of the noun."""

OF_PERSON: dict[str, tuple[str, str, str]] = {"visit": ("से", "मुलाक़ात", "f")}
"""Verb -> the same where the object is a person, where it differs."""

INTRANSITIVE: dict[str, str] = read_pairs(
    """
    sleep सो  run दौड़  walk चल  swim तैर  fly उड़  jump कूद  dance नाच  move_s हिल  laugh हँस  cry रो  fall गिर
    sit बैठ  speak बोल  fight लड़
    """
)
"""Verb whose past agrees with its subject -> its stem."""

PERFECTS: dict[str, tuple[str, str, str, str]] = {
    "पी": ("पिया", "पिए", "पी", "पीं"),
    "ले": ("लिया", "लिए", "ली", "लीं"),
    "कर": ("किया", "किए", "की", "कीं"),
}
"""Stem -> irregular past: masculine singular and plural, feminine singular and plural."""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big बड़ा  small छोटा  old पुराना  new नया  good अच्छा  bad बुरा  hot गरम  cold ठंडा  clean साफ़  dirty गंदा
    strong मज़बूत  weak कमज़ोर  happy ख़ुश  sad दुखी  rich अमीर  poor ग़रीब  fast तेज़  slow धीमा  heavy भारी
    light हल्का  expensive महँगा  cheap सस्ता  beautiful सुंदर  ugly बदसूरत  long लंबा  short लघु  empty ख़ाली
    full भरा  wet गीला  dry सूखा  brave बहादुर  timid डरपोक  red लाल  green हरा  blue नीला  white सफ़ेद
    black काला  yellow पीला
    """
)
"""Adjective -> masculine singular; those in -ā agree."""

OF_LIVING: dict[str, str] = {"old": "बूढ़ा"}
"""Adjective -> its word for people and animals, where it differs."""

OF_THINGS: dict[str, str] = {"sad": "दुखद"}
"""Adjective -> its word for things, where it differs."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("कल",),
    "morning": ("सुबह",),
    "evening": ("शाम", "को"),
    "night": ("रात", "को"),
    "monday": ("सोमवार", "को"),
    "friday": ("शुक्रवार", "को"),
    "sunday": ("रविवार", "को"),
    "summer": ("गर्मियों", "में"),
    "winter": ("सर्दियों", "में"),
}
"""Time -> its words."""

NUMBERS: tuple[str, ...] = ("दो", "तीन", "चार", "पाँच", "छह", "सात", "आठ", "नौ")
"""Numerals from 2 to 9."""

CITIES: dict[str, str] = read_pairs(
    """
    London लंदन  Berlin बर्लिन  Madrid मैड्रिड  Moscow मॉस्को  Istanbul इस्तांबुल  Nairobi नैरोबी  Delhi दिल्ली
    Beijing बीजिंग  Paris पेरिस  Rome रोम  Cairo काहिरा  Vienna वियना  Lisbon लिस्बन  Athens एथेंस  Lima लीमा
    Tokyo टोक्यो
    """
)
"""City -> its Hindi name."""

FUNCTION: dict[str, str] = read_pairs(
    """
    be होना  not नहीं  and और  who कौन  what क्या  where कहाँ  when कब  because क्योंकि  then फिर  but लेकिन
    """
)
"""Function words."""
