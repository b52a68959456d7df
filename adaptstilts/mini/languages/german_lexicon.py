"""Words of German for every concept of the mini world, with what its grammar needs to inflect them."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs, read_table

NOUNS: dict[str, tuple[str, ...]] = read_table(
    """
    person      Person            f Personen            =
    teacher     Lehrer            m =                   =
    doctor      Arzt              m Ärzte               =
    farmer      Bauer             m Bauern              Bauern
    student     Student           m Studenten           Studenten
    soldier     Soldat            m Soldaten            Soldaten
    singer      Sänger            m =                   =
    cook        Koch              m Köche               =
    driver      Fahrer            m =                   =
    writer      Schriftsteller    m =                   =
    nurse       Krankenschwester  f Krankenschwestern   =
    king        König             m Könige              =
    child       Kind              n Kinder              =
    woman       Frau              f Frauen              =
    man         Mann              m Männer              =
    friend      Freund            m Freunde             =
    judge       Richter           m =                   =
    animal      Tier              n Tiere               =
    dog         Hund              m Hunde               =
    cat         Katze             f Katzen              =
    horse       Pferd             n Pferde              =
    cow         Kuh               f Kühe                =
    bird        Vogel             m Vögel               =
    fish        Fisch             m Fische              =
    lion        Löwe              m Löwen               Löwen
    mouse       Maus              f Mäuse               =
    sheep       Schaf             n Schafe              =
    snake       Schlange          f Schlangen           =
    elephant    Elefant           m Elefanten           Elefanten
    monkey      Affe              m Affen               Affen
    food        Nahrung           f =                   =
    bread       Brot              n Brote               =
    rice        Reis              m =                   =
    meat        Fleisch           n =                   =
    soup        Suppe             f Suppen              =
    cheese      Käse              m =                   =
    egg         Ei                n Eier                =
    cake        Kuchen            m =                   =
    salad       Salat             m Salate              =
    fruit       Frucht            f Früchte             =
    apple       Apfel             m Äpfel               =
    banana      Banane            f Bananen             =
    orange      Orange            f Orangen             =
    grape       Traube            f Trauben             =
    lemon       Zitrone           f Zitronen            =
    mango       Mango             f Mangos              =
    drink       Getränk           n Getränke            =
    water       Wasser            n =                   =
    milk        Milch             f =                   =
    tea         Tee               m Tees                =
    coffee      Kaffee            m Kaffees             =
    juice       Saft              m Säfte               =
    wine        Wein              m Weine               =
    vehicle     Fahrzeug          n Fahrzeuge           =
    car         Auto              n Autos               =
    bus         Bus               m Busse               =
    train       Zug               m Züge                =
    boat        Boot              n Boote               =
    bicycle     Fahrrad           n Fahrräder           =
    plane       Flugzeug          n Flugzeuge           =
    tool        Werkzeug          n Werkzeuge           =
    hammer      Hammer            m Hämmer              =
    knife       Messer            n =                   =
    key         Schlüssel         m =                   =
    rope        Seil              n Seile               =
    needle      Nadel             f Nadeln              =
    brush       Bürste            f Bürsten             =
    clothing    Kleidung          f =                   =
    shirt       Hemd              n Hemden              =
    hat         Hut               m Hüte                =
    shoe        Schuh             m Schuhe              =
    coat        Mantel            m Mäntel              =
    dress       Kleid             n Kleider             =
    scarf       Schal             m Schals              =
    furniture   Möbelstück        n Möbelstücke         =
    table       Tisch             m Tische              =
    chair       Stuhl             m Stühle              =
    bed         Bett              n Betten              =
    lamp        Lampe             f Lampen              =
    mirror      Spiegel           m =                   =
    carpet      Teppich           m Teppiche            =
    instrument  Instrument        n Instrumente         =
    guitar      Gitarre           f Gitarren            =
    piano       Klavier           n Klaviere            =
    drum        Trommel           f Trommeln            =
    violin      Geige             f Geigen              =
    flute       Flöte             f Flöten              =
    text        Text              m Texte               =
    book        Buch              n Bücher              =
    letter      Brief             m Briefe              =
    newspaper   Zeitung           f Zeitungen           =
    poem        Gedicht           n Gedichte            =
    map         Landkarte         f Landkarten          =
    story       Geschichte        f Geschichten         =
    plant       Pflanze           f Pflanzen            =
    tree        Baum              m Bäume               =
    flower      Blume             f Blumen              =
    grass       Gras              n Gräser              =
    rose        Rose              f Rosen               =
    bush        Busch             m Büsche              =
    kitchen     Küche             f Küchen              =
    garden      Garten            m Gärten              =
    school      Schule            f Schulen             =
    hospital    Krankenhaus       n Krankenhäuser       =
    market      Markt             m Märkte              =
    forest      Wald              m Wälder              =
    river       Fluss             m Flüsse              =
    mountain    Berg              m Berge               =
    station     Bahnhof           m Bahnhöfe            =
    library     Bibliothek        f Bibliotheken        =
    church      Kirche            f Kirchen             =
    field       Feld              n Felder              =
    beach       Strand            m Strände             =
    theatre     Theater           n =                   =
    office      Büro              n Büros               =
    farm        Bauernhof         m Bauernhöfe          =
    restaurant  Restaurant        n Restaurants         =
    street      Straße            f Straßen             =
    palace      Palast            m Paläste             =
    museum      Museum            n Museen              =
    """,
    columns=4,
)
"""Noun -> singular, gender, plural, accusative and dative singular; ``=`` stands for the singular."""

KINDS_OF_WOMEN: dict[str, str] = read_pairs(
    """
    teacher Lehrerin  doctor Ärztin  farmer Bäuerin  student Studentin  soldier Soldatin
    singer Sängerin  cook Köchin  driver Fahrerin  writer Schriftstellerin  king Königin
    friend Freundin  judge Richterin
    """
)
"""What a woman is said to be."""

PREPOSITIONS: dict[str, str] = {
    **dict.fromkeys(("river", "station", "beach"), "an"),
    **dict.fromkeys(("market", "mountain", "field", "farm", "street"), "auf"),
}
"""Place -> its preposition, where it is not "in"."""

VERBS: dict[str, tuple[str, ...]] = read_table(
    """
    eat         essen         aß            aßen            acc -
    drink_v     trinken       trank         tranken         acc -
    see         sehen         sah           sahen           acc -
    buy         kaufen        kaufte        kauften         acc -
    steal       stehlen       stahl         stahlen         acc -
    get         bekommen      bekam         bekamen         acc -
    sell        verkaufen     verkaufte     verkauften      acc -
    give_away   weggeben      gab           gaben           acc weg
    read        lesen         las           lasen           acc -
    write       schreiben     schrieb       schrieben       acc -
    make        machen        machte        machten         acc -
    paint       malen         malte         malten          acc -
    repair      reparieren    reparierte    reparierten     acc -
    change      verändern     veränderte    veränderten     acc -
    drive       fahren        fuhr          fuhren          acc -
    use         benutzen      benutzte      benutzten       acc -
    wear        tragen        trug          trugen          acc -
    wash        waschen       wusch         wuschen         acc -
    cut         schneiden     schnitt       schnitten       acc -
    carry       schleppen     schleppte     schleppten      acc -
    push        schieben      schob         schoben         acc -
    pull        ziehen        zog           zogen           acc -
    move_o      bewegen       bewegte       bewegten        acc -
    find        finden        fand          fanden          acc -
    lose        verlieren     verlor        verloren        acc -
    love        lieben        liebt         lieben          acc -
    like        mögen         mag           mögen           acc -
    hate        hassen        hasst         hassen          acc -
    play        spielen       spielte       spielten        acc -
    hear        hören         hörte         hörten          acc -
    hunt        jagen         jagte         jagten          acc -
    follow      folgen        folgte        folgten         dat -
    feed        füttern       fütterte      fütterten       acc -
    visit       besuchen      besuchte      besuchten       acc -
    help        helfen        half          halfen          dat -
    teach       unterrichten  unterrichtete unterrichteten  acc -
    heal        heilen        heilte        heilten         acc -
    watch       beobachten    beobachtete   beobachteten    acc -
    grow        anbauen       baute         bauten          acc an
    break       zerbrechen    zerbrach      zerbrachen      acc -
    open        öffnen        öffnete       öffneten        acc -
    cook_v      kochen        kochte        kochten         acc -
    sleep       schlafen      schlief       schliefen       -   -
    rest        ruhen         ruhte         ruhten          -   -
    run         rennen        rannte        rannten         -   -
    walk        spazieren     spazierte     spazierten      -   -
    swim        schwimmen     schwamm       schwammen       -   -
    fly         fliegen       flog          flogen          -   -
    jump        springen      sprang        sprangen        -   -
    dance       tanzen        tanzte        tanzten         -   -
    move_s      fortbewegen   bewegte       bewegten        -   fort
    laugh       lachen        lachte        lachten         -   -
    cry         weinen        weinte        weinten         -   -
    sing        singen        sang          sangen          -   -
    work        arbeiten      arbeitete     arbeiteten      -   -
    wait        warten        wartete       warteten        -   -
    fall        fallen        fiel          fielen          -   -
    sit         sitzen        saß           saßen           -   -
    speak       sprechen      sprach        sprachen        -   -
    fight       kämpfen       kämpfte       kämpften        -   -
    be          sein          ist           sind            -   -
    """,
    columns=5,
)
"""Verb -> infinitive, third person singular and plural (past, or present for states), case of the object, particle."""

REFLEXIVE: frozenset[str] = frozenset(("move_s",))
"""Verbs that are said with "sich"."""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big groß  small klein  old alt  new neu  good gut  bad schlecht  hot heiß  cold kalt  clean sauber
    dirty schmutzig  strong stark  weak schwach  happy glücklich  sad traurig  rich reich  poor arm
    fast schnell  slow langsam  heavy schwer  light leicht  expensive teuer  cheap billig
    beautiful schön  ugly hässlich  long lang  short kurz  empty leer  full voll  wet nass  dry trocken
    brave mutig  timid ängstlich  red rot  green grün  blue blau  white weiß  black schwarz
    yellow gelb
    """
)
"""Adjective -> uninflected form."""

STEMS: dict[str, str] = {"teuer": "teur"}
"""Adjective -> stem before an ending, where it differs."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("gestern",),
    "morning": ("am", "Morgen"),
    "evening": ("am", "Abend"),
    "night": ("in", "der", "Nacht"),
    "monday": ("am", "Montag"),
    "friday": ("am", "Freitag"),
    "sunday": ("am", "Sonntag"),
    "summer": ("im", "Sommer"),
    "winter": ("im", "Winter"),
}
"""Time -> its words."""

NUMBERS: tuple[str, ...] = ("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
"""Numerals from 2 to 9."""

CITIES: dict[str, str] = read_pairs(
    """
    Moscow Moskau  Beijing Peking  Rome Rom  Cairo Kairo  Vienna Wien  Lisbon Lissabon  Athens Athen
    Tokyo Tokio
    """
)
"""City -> its German name, where it differs from the English one."""

FUNCTION: dict[str, str] = read_pairs(
    """
    be sein  not nicht  and und  who wer  what was  where wo  when wann  because denn  then dann
    but aber
    """
)
"""Function words."""
