"""Words of Russian for every concept of the mini world, with what its grammar needs to inflect them."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs, read_table

NOUNS: dict[str, tuple[str, ...]] = read_table(
    """
    person      человек      m человека     люди         людей
    teacher     учитель      m учителя      учителя      учителей
    doctor      врач         m врача        врачи        врачей
    farmer      фермер       m фермера      фермеры      фермеров
    student     студент      m студента     студенты     студентов
    soldier     солдат       m солдата      солдаты      солдат
    singer      певец        m певца        певцы        певцов
    cook        повар        m повара       повара       поваров
    driver      водитель     m водителя     водители     водителей
    writer      писатель     m писателя     писатели     писателей
    nurse       медсестра    f медсестры    медсёстры    медсестёр
    king        король       m короля       короли       королей
    child       ребёнок      m ребёнка      дети         детей
    woman       женщина      f женщины      женщины      женщин
    man         мужчина      m мужчины      мужчины      мужчин
    friend      друг         m друга        друзья       друзей
    judge       судья        m судьи        судьи        судей
    animal      животное     n животного    животные     животных
    dog         собака       f собаки       собаки       собак
    cat         кошка        f кошки        кошки        кошек
    horse       лошадь       f лошади       лошади       лошадей
    cow         корова       f коровы       коровы       коров
    bird        птица        f птицы        птицы        птиц
    fish        рыба         f рыбы         рыбы         рыб
    lion        лев          m льва         львы         львов
    mouse       мышь         f мыши         мыши         мышей
    sheep       овца         f овцы         овцы         овец
    snake       змея         f змеи         змеи         змей
    elephant    слон         m слона        слоны        слонов
    monkey      обезьяна     f обезьяны     обезьяны     обезьян
    food        еда          f еды          еды          ед
    bread       хлеб         m хлеба        хлеба        хлебов
    rice        рис          m риса         рисы         рисов
    meat        мясо         n мяса         мяса         мяс
    soup        суп          m супа         супы         супов
    cheese      сыр          m сыра         сыры         сыров
    egg         яйцо         n яйца         яйца         яиц
    cake        торт         m торта        торты        тортов
    salad       салат        m салата       салаты       салатов
    fruit       фрукт        m фрукта       фрукты       фруктов
    apple       яблоко       n яблока       яблоки       яблок
    banana      банан        m банана       бананы       бананов
    orange      апельсин     m апельсина    апельсины    апельсинов
    grape       виноград     m винограда    винограды    виноградов
    lemon       лимон        m лимона       лимоны       лимонов
    mango       манго        n манго        манго        манго
    drink       напиток      m напитка      напитки      напитков
    water       вода         f воды         воды         вод
    milk        молоко       n молока       молока       молок
    tea         чай          m чая          чаи          чаёв
    coffee      кофе         m кофе         кофе         кофе
    juice       сок          m сока         соки         соков
    wine        вино         n вина         вина         вин
    vehicle     транспорт    m транспорта   транспорты   транспортов
    car         машина       f машины       машины       машин
    bus         автобус      m автобуса     автобусы     автобусов
    train       поезд        m поезда       поезда       поездов
    boat        лодка        f лодки        лодки        лодок
    bicycle     велосипед    m велосипеда   велосипеды   велосипедов
    plane       самолёт      m самолёта     самолёты     самолётов
    tool        орудие       n орудия       орудия       орудий
    hammer      молоток      m молотка      молотки      молотков
    knife       нож          m ножа         ножи         ножей
    key         ключ         m ключа        ключи        ключей
    rope        верёвка      f верёвки      верёвки      верёвок
    needle      игла         f иглы         иглы         игл
    brush       щётка        f щётки        щётки        щёток
    clothing    одежда       f одежды       одежды       одежд
    shirt       рубашка      f рубашки      рубашки      рубашек
    hat         шляпа        f шляпы        шляпы        шляп
    shoe        ботинок      m ботинка      ботинки      ботинок
    coat        пальто       n пальто       пальто       пальто
    dress       платье       n платья       платья       платьев
    scarf       шарф         m шарфа        шарфы        шарфов
    furniture   мебель       f мебели       мебели       мебелей
    table       стол         m стола        столы        столов
    chair       стул         m стула        стулья       стульев
    bed         кровать      f кровати      кровати      кроватей
    lamp        лампа        f лампы        лампы        ламп
    mirror      зеркало      n зеркала      зеркала      зеркал
    carpet      ковёр        m ковра        ковры        ковров
    instrument  инструмент   m инструмента  инструменты  инструментов
    guitar      гитара       f гитары       гитары       гитар
    piano       пианино      n пианино      пианино      пианино
    drum        барабан      m барабана     барабаны     барабанов
    violin      скрипка      f скрипки      скрипки      скрипок
    flute       флейта       f флейты       флейты       флейт
    text        текст        m текста       тексты       текстов
    book        книга        f книги        книги        книг
    letter      письмо       n письма       письма       писем
    newspaper   газета       f газеты       газеты       газет
    poem        стихотворение n стихотворения стихотворения стихотворений
    map         карта        f карты        карты        карт
    story       рассказ      m рассказа     рассказы     рассказов
    plant       растение     n растения     растения     растений
    tree        дерево       n дерева       деревья      деревьев
    flower      цветок       m цветка       цветы        цветов
    grass       трава        f травы        травы        трав
    rose        роза         f розы         розы         роз
    bush        куст         m куста        кусты        кустов
    kitchen     кухня        f кухни        кухни        кухонь
    garden      сад          m сада         сады         садов
    school      школа        f школы        школы        школ
    hospital    больница     f больницы     больницы     больниц
    market      рынок        m рынка        рынки        рынков
    forest      лес          m леса         леса         лесов
    river       река         f реки         реки         рек
    mountain    гора         f горы         горы         гор
    station     вокзал       m вокзала      вокзалы      вокзалов
    library     библиотека   f библиотеки   библиотеки   библиотек
    church      церковь      f церкви       церкви       церквей
    field       поле         n поля         поля         полей
    beach       пляж         m пляжа        пляжи        пляжей
    theatre     театр        m театра       театры       театров
    office      офис         m офиса        офисы        офисов
    farm        ферма        f фермы        фермы        ферм
    restaurant  ресторан     m ресторана    рестораны    ресторанов
    street      улица        f улицы        улицы        улиц
    palace      дворец       m дворца       дворцы       дворцов
    museum      музей        m музея        музеи        музеев
    """,
    columns=5,
)
"""Noun -> nominative, gender, genitive; plural nominative and genitive. The other cases follow from these."""

LOCATIVES: dict[str, str] = {"garden": "саду", "forest": "лесу"}
"""Place -> its form after "в", where it is not the prepositional."""

ON: frozenset[str] = frozenset({"kitchen", "market", "river", "mountain", "station", "beach", "farm", "street"})
"""Places that take "на" instead of "в"."""

CLUSTER: frozenset[str] = frozenset({"дворце", "дворцах"})
"""Forms before which "в" turns into "во"."""

KINDS_OF_WOMEN: dict[str, str] = read_pairs(
    """
    teacher учительница  student студентка  singer певица  writer писательница  king королева
    friend подруга
    """
)
"""What a woman is said to be; the other professions are the same for women and men."""

VERBS: dict[str, tuple[str, ...]] = read_table(
    """
    eat         съесть         съел         съела         acc -
    drink_v     выпить         выпил        выпила        acc -
    see         увидеть        увидел       увидела       acc -
    buy         купить         купил        купила        acc -
    steal       украсть        украл        украла        acc -
    get         получить       получил      получила      acc -
    sell        продать        продал       продала       acc -
    give_away   отдать         отдал        отдала        acc -
    read        прочитать      прочитал     прочитала     acc -
    write       написать       написал      написала      acc -
    make        сделать        сделал       сделала       acc -
    paint       нарисовать     нарисовал    нарисовала    acc -
    repair      починить       починил      починила      acc -
    change      изменить       изменил      изменила      acc -
    drive       водить         водил        водила        acc -
    use         использовать   использовал  использовала  acc -
    wear        носить         носил        носила        acc -
    wash        вымыть         вымыл        вымыла        acc -
    cut         разрезать      разрезал     разрезала     acc -
    carry       нести          нёс          несла         acc -
    push        толкать        толкал       толкала       acc -
    pull        тянуть         тянул        тянула        acc -
    move_o      передвинуть    передвинул   передвинула   acc -
    find        найти          нашёл        нашла         acc -
    lose        потерять       потерял      потеряла      acc -
    love        любить         любит        любят         acc -
    like        ценить         ценит        ценят         acc -
    hate        ненавидеть     ненавидит    ненавидят     acc -
    play        играть         играл        играла        loc на
    hear        услышать       услышал      услышала      acc -
    hunt        охотиться      охотился     охотилась     acc на
    follow      преследовать   преследовал  преследовала  acc -
    feed        накормить      накормил     накормила     acc -
    visit       посетить       посетил      посетила      acc -
    help        помочь         помог        помогла       dat -
    teach       учить          учил         учила         acc -
    heal        вылечить       вылечил      вылечила      acc -
    watch       смотреть       смотрел      смотрела      acc на
    grow        вырастить      вырастил     вырастила     acc -
    break       сломать        сломал       сломала       acc -
    open        открыть        открыл       открыла       acc -
    cook_v      приготовить    приготовил   приготовила   acc -
    sleep       спать          спал         спала         -   -
    rest        отдыхать       отдыхал      отдыхала      -   -
    run         бегать         бегал        бегала        -   -
    walk        гулять         гулял        гуляла        -   -
    swim        плавать        плавал       плавала       -   -
    fly         летать         летал        летала        -   -
    jump        прыгать        прыгал       прыгала       -   -
    dance       танцевать      танцевал     танцевала     -   -
    move_s      двигаться      двигался     двигалась     -   -
    laugh       смеяться       смеялся      смеялась      -   -
    cry         плакать        плакал       плакала       -   -
    sing        петь           пел          пела          -   -
    work        работать       работал      работала      -   -
    wait        ждать          ждал         ждала         -   -
    fall        упасть         упал         упала         -   -
    sit         сидеть         сидел        сидела        -   -
    speak       говорить       говорил      говорила      -   -
    fight       драться        дрался       дралась       -   -
    """,
    columns=5,
)
"""Verb -> infinitive, past masculine and feminine, case and preposition of the object.

Verbs of feeling have the third person singular and plural of the present instead of the past.
"""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big большой  small маленький  old старый  new новый  good хороший  bad плохой  hot горячий
    cold холодный  clean чистый  dirty грязный  strong сильный  weak слабый  happy счастливый
    sad грустный  rich богатый  poor бедный  fast быстрый  slow медленный  heavy тяжёлый  light лёгкий
    expensive дорогой  cheap дешёвый  beautiful красивый  ugly уродливый  long длинный  short короткий
    empty пустой  full полный  wet мокрый  dry сухой  brave храбрый  timid робкий  red красный
    green зелёный  blue синий  white белый  black чёрный  yellow жёлтый
    """
)
"""Adjective -> nominative masculine."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("вчера",),
    "morning": ("утром",),
    "evening": ("вечером",),
    "night": ("ночью",),
    "monday": ("в", "понедельник"),
    "friday": ("в", "пятницу"),
    "sunday": ("в", "воскресенье"),
    "summer": ("летом",),
    "winter": ("зимой",),
}
"""Time -> its words."""

TIME_NOUNS: dict[str, str] = read_pairs(
    """
    morning утро  evening вечер  night ночь  friday пятница  summer лето  winter зима
    """
)
"""Time -> citation form, where it differs from the form in `TIMES`."""

NUMBERS: dict[str, tuple[str, ...]] = {
    "nom": ("два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"),
    "gen": ("двух", "трёх", "четырёх", "пяти", "шести", "семи", "восьми", "девяти"),
    "dat": ("двум", "трём", "четырём", "пяти", "шести", "семи", "восьми", "девяти"),
}
"""Case -> numerals from 2 to 9; the prepositional is like the genitive."""

CITIES: dict[str, tuple[str, ...]] = read_table(
    """
    London    Лондон    m Лондоне
    Berlin    Берлин    m Берлине
    Madrid    Мадрид    m Мадриде
    Moscow    Москва    f Москве
    Istanbul  Стамбул   m Стамбуле
    Nairobi   Найроби   m Найроби
    Delhi     Дели      m Дели
    Beijing   Пекин     m Пекине
    Paris     Париж     m Париже
    Rome      Рим       m Риме
    Cairo     Каир      m Каире
    Vienna    Вена      f Вене
    Lisbon    Лиссабон  m Лиссабоне
    Athens    Афины     p Афинах
    Lima      Лима      f Лиме
    Tokyo     Токио     m Токио
    """,
    columns=3,
)
"""City -> nominative, gender (``p`` for a plural), prepositional."""

FEMININE_COMPANIES: frozenset[str] = frozenset({"Delta7", "Optima", "Vitaco", "Maxima", "Alfa3"})
"""Companies that are spoken of in the feminine; the others are masculine."""

FUNCTION: dict[str, str] = read_pairs(
    """
    be быть  not не  and и  who кто  what что  where где  when когда  because потому  then потом
    but но
    """
)
"""Function words; "потому" is said with "что"."""
