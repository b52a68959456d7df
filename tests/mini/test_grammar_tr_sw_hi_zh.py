"""Turkish, Swahili, Hindi and Chinese: hand-checked sentences, and what must hold for every clause."""

import unicodedata
from itertools import groupby
from random import Random

import pytest

from adaptstilts.mini import concepts
from adaptstilts.mini.languages import chinese, hindi, swahili, turkish
from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.words import asked_as
from adaptstilts.mini.meaning import Clause, Phrase, Role, Sentence

GRAMMARS: dict[str, Grammar] = {
    "tr": turkish.GRAMMAR,
    "sw": swahili.GRAMMAR,
    "hi": hindi.GRAMMAR,
    "zh": chinese.GRAMMAR,
}
CODES = tuple(GRAMMARS)
XTREME_TAGS = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ",
    "SYM", "VERB", "X",
})  # fmt: skip
SPAN_ROLES = (Role.SUBJECT, Role.OBJECT, Role.PLACE, Role.TIME)
QUESTION_WORDS = {
    "tr": {"kim", "kimi", "kime", "kimden", "ne", "neyi", "neye", "neyden", "nerede", "zaman"},
    "sw": {"nani", "nini", "wapi", "lini"},
    "hi": {"कौन", "किसने", "किसको", "किसकी", "किसका", "किससे", "क्या", "कहाँ", "कब"},
    "zh": {"谁", "什么", "哪里", "什么时候"},
}


def the(head: str, adjective: str | None = None, number: int = 1) -> Phrase:
    return Phrase(head, adjective, number)


def some(head: str, adjective: str | None = None, number: int = 1) -> Phrase:
    return Phrase(head, adjective, number, definite=False)


ANNA, OMAR = the("Anna"), the("Omar")
BUY = Clause("buy", ANNA, the("book"), the("market"), "yesterday")
HELP = Clause("help", some("elephant", "big"), the("student", "sad"), the("garden"), "summer")
FOLLOW = Clause("follow", OMAR, the("judge"))

# What is said, how (connective, asked role or None), and the Turkish, Swahili, Hindi and Chinese sentence.
SENTENCES: tuple[tuple[Clause, str | Role | None, str, str, str, str], ...] = (
    (
        BUY,
        None,
        "Anna dün çarşıda kitabı satın aldı .",
        "Anna alinunua kitabu kwenye soko jana .",
        "Anna ने कल बाज़ार में किताब ख़रीदी ।",
        "昨天 Anna 在 市场 上 买 了 书 。",
    ),
    (
        BUY,
        "then",
        "Sonra Anna dün çarşıda kitabı satın aldı .",
        "Kisha Anna alinunua kitabu kwenye soko jana .",
        "फिर Anna ने कल बाज़ार में किताब ख़रीदी ।",
        "然后 昨天 Anna 在 市场 上 买 了 书 。",
    ),
    (
        BUY,
        Role.SUBJECT,
        "Dün çarşıda kitabı kim satın aldı ?",
        "Nani alinunua kitabu kwenye soko jana ?",
        "किसने कल बाज़ार में किताब ख़रीदी ?",
        "昨天 谁 在 市场 上 买 了 书 ？",
    ),
    (
        BUY,
        Role.OBJECT,
        "Anna dün çarşıda neyi satın aldı ?",
        "Anna alinunua nini kwenye soko jana ?",
        "Anna ने कल बाज़ार में क्या ख़रीदा ?",
        "昨天 Anna 在 市场 上 买 了 什么 ？",
    ),
    (
        BUY,
        Role.PLACE,
        "Anna dün kitabı nerede satın aldı ?",
        "Anna alinunua kitabu wapi jana ?",
        "Anna ने कल किताब कहाँ ख़रीदी ?",
        "昨天 Anna 在 哪里 买 了 书 ？",
    ),
    (
        BUY,
        Role.TIME,
        "Anna çarşıda kitabı ne zaman satın aldı ?",
        "Anna alinunua kitabu kwenye soko lini ?",
        "Anna ने बाज़ार में किताब कब ख़रीदी ?",
        "Anna 什么时候 在 市场 上 买 了 书 ？",
    ),
    (
        Clause("buy", OMAR, some("book", "new"), the("Moscow"), negated=True),
        "but",
        "Ama Omar Moskova'da yeni bir kitap satın almadı .",
        "Lakini Omar hakununua kitabu kipya jijini Moscow .",
        "लेकिन Omar ने मॉस्को में एक नई किताब नहीं ख़रीदी ।",
        "但是 Omar 没有 在 莫斯科 买 一 本 新 书 。",
    ),
    (
        Clause("see", some("cat", "small"), the("lion", "old"), the("forest"), "night", negated=True),
        None,
        "Küçük bir kedi gece ormanda yaşlı aslanı görmedi .",
        "Paka mdogo hakumwona simba mzee katika msitu usiku .",
        "एक छोटी बिल्ली ने रात को जंगल में बूढ़े शेर को नहीं देखा ।",
        "夜里 一 只 小 猫 没有 在 森林 里 看见 老 狮子 。",
    ),
    (
        HELP,
        "because",
        "Çünkü büyük bir fil yazın bahçede üzgün öğrenciye yardım etti .",
        "Kwa sababu tembo mkubwa alimsaidia mwanafunzi mwenye huzuni katika bustani wakati wa kiangazi .",
        "क्योंकि एक बड़े हाथी ने गर्मियों में बगीचे में दुखी छात्र की मदद की ।",
        "因为 夏天 一 头 大 的 大象 在 花园 里 帮助 了 悲伤 的 学生 。",
    ),
    (
        HELP,
        Role.OBJECT,
        "Büyük bir fil yazın bahçede kime yardım etti ?",
        "Tembo mkubwa alimsaidia nani katika bustani wakati wa kiangazi ?",
        "एक बड़े हाथी ने गर्मियों में बगीचे में किसकी मदद की ?",
        "夏天 一 头 大 的 大象 在 花园 里 帮助 了 谁 ？",
    ),
    (
        FOLLOW,
        None,
        "Omar yargıcı takip etti .",
        "Omar alimfuata jaji .",
        "Omar ने न्यायाधीश का पीछा किया ।",
        "Omar 跟随 了 法官 。",
    ),
    (
        FOLLOW,
        Role.OBJECT,
        "Omar kimi takip etti ?",
        "Omar alimfuata nani ?",
        "Omar ने किसका पीछा किया ?",
        "Omar 跟随 了 谁 ？",
    ),
    (
        Clause("eat", the("dog", number=3), some("apple", "red", 5)),
        "and",
        "Ve üç köpek beş kırmızı elma yedi .",
        "Na mbwa watatu walikula matufaha mekundu matano .",
        "और तीन कुत्तों ने पाँच लाल सेब खाए ।",
        "而且 那 三 只 狗 吃 了 五 个 红 苹果 。",
    ),
    (
        Clause("wash", some("woman", number=2), the("dog", "dirty", 2), negated=True),
        None,
        "İki kadın iki kirli köpeği yıkamadı .",
        "Wanawake wawili hawakuwaosha mbwa wachafu wawili .",
        "दो औरतों ने दो गंदे कुत्तों को नहीं धोया ।",
        "两 个 女人 没有 洗 那 两 只 脏 狗 。",
    ),
    (
        Clause("read", the("child", "timid", 2), some("letter", "blue", 2)),
        None,
        "İki ürkek çocuk iki mavi mektup okudu .",
        "Watoto waoga wawili walisoma barua za buluu mbili .",
        "दो डरपोक बच्चों ने दो नीले पत्र पढ़े ।",
        "那 两 个 胆小 的 孩子 读 了 两 封 蓝 信 。",
    ),
    (
        Clause("read", the("king"), some("story", "long", 4)),
        None,
        "Kral dört uzun öykü okudu .",
        "Mfalme alisoma hadithi ndefu nne .",
        "राजा ने चार लंबी कहानियाँ पढ़ीं ।",
        "国王 读 了 四 个 长 故事 。",
    ),
    (
        Clause("drink_v", the("water"), some("tea"), the("station", "big"), negated=True),
        None,
        "Su büyük istasyonda çay içmedi .",
        "Maji hayakunywa chai kwenye kituo kikubwa .",
        "पानी ने बड़े स्टेशन पर चाय नहीं पी ।",
        "水 没有 在 大 车站 喝 茶 。",
    ),
    (
        Clause("move_s", the("snake"), None, the("street"), "evening", negated=True),
        "then",
        "Sonra yılan akşam sokakta hareket etmedi .",
        "Kisha nyoka hakusogea kwenye barabara jioni .",
        "फिर साँप शाम को सड़क पर नहीं हिला ।",
        "然后 晚上 蛇 没有 在 街道 上 动 。",
    ),
    (
        Clause("sell", the("Nordex"), some("hat", "expensive"), the("Cairo"), "winter"),
        None,
        "Nordex kışın Kahire'de pahalı bir şapka sattı .",
        "Nordex iliuza kofia ghali jijini Kairo wakati wa kipupwe .",
        "Nordex ने सर्दियों में काहिरा में एक महँगी टोपी बेची ।",
        "冬天 Nordex 在 开罗 卖 了 一 顶 贵 的 帽子 。",
    ),
    (
        Clause("sleep", the("cat", number=2), None, the("bed", "old")),
        None,
        "İki kedi eski yatakta uyudu .",
        "Paka wawili walilala katika kitanda kikuukuu .",
        "दो बिल्लियाँ पुराने पलंग में सोईं ।",
        "那 两 只 猫 在 旧 床 睡觉 了 。",
    ),
    (
        Clause("love", the("nurse"), the("animal", "slow")),
        None,
        "Hemşire yavaş hayvanı seviyor .",
        "Muuguzi anampenda mnyama wa polepole .",
        "नर्स धीमे जानवर से प्यार करती है ।",
        "护士 爱 慢 的 动物 。",
    ),
    (
        Clause("like", ANNA, the("soup"), negated=True),
        None,
        "Anna çorbayı beğenmiyor .",
        "Anna hafurahii supu .",
        "Anna सूप पसंद नहीं करती है ।",
        "Anna 不 喜欢 汤 。",
    ),
    (
        Clause("hate", the("friend", number=3), some("man", number=2)),
        Role.SUBJECT,
        "Kim iki adamdan nefret ediyor ?",
        "Nani anawachukia wanaume wawili ?",
        "कौन दो आदमियों से नफ़रत करता है ?",
        "谁 讨厌 两 个 男人 ？",
    ),
    (
        Clause("visit", the("student"), OMAR),
        None,
        "Öğrenci Omar'ı ziyaret etti .",
        "Mwanafunzi alimtembelea Omar .",
        "छात्र ने Omar से मुलाक़ात की ।",
        "学生 拜访 了 Omar 。",
    ),
    (
        Clause("visit", the("student"), the("Athens")),
        None,
        "Öğrenci Atina'yı ziyaret etti .",
        "Mwanafunzi alitembelea Athene .",
        "छात्र ने एथेंस का दौरा किया ।",
        "学生 参观 了 雅典 。",
    ),
    (
        Clause("drink_v", the("child"), the("juice")),
        None,
        "Çocuk meyve suyunu içti .",
        "Mtoto alikunywa juisi .",
        "बच्चे ने रस पिया ।",
        "孩子 喝 了 果汁 。",
    ),
    (
        Clause("be", ANNA, predicate="happy", negated=True),
        None,
        "Anna mutlu değil .",
        "Anna si mwenye furaha .",
        "Anna ख़ुश नहीं है ।",
        "Anna 不 高兴 。",
    ),
    (
        Clause("be", the("egg"), predicate="good"),
        Role.SUBJECT,
        "Ne iyi ?",
        "Nini ni kizuri ?",
        "क्या अच्छा है ?",
        "什么 很 好 ？",
    ),
    (
        Clause("be", the("shoe", number=2), predicate="wet"),
        None,
        "İki ayakkabı ıslak .",
        "Viatu viwili vimelowa .",
        "दो जूते गीले हैं ।",
        "那 两 只 鞋子 很 湿 。",
    ),
    (
        Clause("be", the("bus"), predicate="full", negated=True),
        None,
        "Otobüs dolu değil .",
        "Basi halijajaa .",
        "बस भरी नहीं है ।",
        "公交车 不 满 。",
    ),
    (
        Clause("be", some("milk"), predicate="cold"),
        None,
        "Süt soğuk .",
        "Maziwa ni baridi .",
        "दूध ठंडा है ।",
        "牛奶 很 冷 。",
    ),
    (
        Clause("be", ANNA, kind="singer"),
        None,
        "Anna şarkıcı .",
        "Anna ni mwimbaji .",
        "Anna गायिका है ।",
        "Anna 是 歌手 。",
    ),
    (
        Clause("be", OMAR, kind="nurse", negated=True),
        None,
        "Omar hemşire değil .",
        "Omar si muuguzi .",
        "Omar नर्स नहीं है ।",
        "Omar 不 是 护士 。",
    ),
    (
        Clause("be", the("mouse"), kind="animal"),
        None,
        "Fare bir hayvan .",
        "Panya ni mnyama .",
        "चूहा एक जानवर है ।",
        "老鼠 是 动物 。",
    ),
    (
        Clause("be", the("dog", number=4), kind="friend", negated=True),
        None,
        "Dört köpek arkadaş değil .",
        "Mbwa wanne si marafiki .",
        "चार कुत्ते दोस्त नहीं हैं ।",
        "那 四 只 狗 不 是 朋友 。",
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


def forms(sentence: Sentence) -> str:
    return " ".join(word.form for word in sentence.words)


def assert_words_are_sound(sentence: Sentence) -> None:
    for word in sentence.words:
        assert word.form
        assert " " not in word.form
        assert unicodedata.is_normalized("NFC", word.form)
        assert word.upos in XTREME_TAGS
        assert word.entity in {"", "PER", "LOC", "ORG"}
        assert (word.upos == "PROPN") == bool(word.entity)
    assert sentence.words[-1].upos == "PUNCT"


@pytest.mark.parametrize(("code", "clause", "manner", "expected"), CASES)
def test_sentence_is_as_checked_by_hand(code: str, clause: Clause, manner: str | Role | None, expected: str) -> None:
    grammar = GRAMMARS[code]
    sentence = grammar.ask(clause, manner) if isinstance(manner, Role) else grammar.say(clause, manner)
    assert forms(sentence) == unicodedata.normalize("NFC", expected)
    assert sentence.spaced == grammar.spaced == (code != "zh")


@pytest.mark.parametrize("code", CODES)
def test_lexicon_has_a_form_of_its_own_for_every_concept(code: str) -> None:
    lexicon = GRAMMARS[code].lexicon
    assert set(lexicon) == every_concept()
    assert all(form.strip() == form != "" for form in lexicon.values())
    assert len(set(lexicon.values())) == len(lexicon)


@pytest.mark.parametrize("code", CODES)
def test_lexicon_keeps_names_in_latin_letters_except_cities(code: str) -> None:
    lexicon = GRAMMARS[code].lexicon
    assert all(lexicon[name] == name for name in (*concepts.PERSONS, *concepts.ORGANISATIONS))
    assert {lexicon[city].isascii() for city in ("London", "Lima")} == {code in ("tr", "sw")}


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


@pytest.mark.parametrize("code", ("hi", "zh"))
def test_say_has_a_word_for_the_negation_when_it_is_no_affix(code: str) -> None:
    rng = Random(3)
    for _ in range(500):
        clause = random_clause(rng)
        said = [word.concept for word in GRAMMARS[code].say(clause).words]
        assert said.count("not") == clause.negated


@pytest.mark.parametrize("code", CODES)
def test_say_differs_when_the_clause_is_negated(code: str) -> None:
    rng = Random(4)
    for _ in range(500):
        clause = random_clause(rng)
        denied = Clause(**{**vars(clause), "negated": not clause.negated})
        assert GRAMMARS[code].say(clause) != GRAMMARS[code].say(denied)


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
        assert sentence.words[-1].form == ("？" if code == "zh" else "?")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("asked", (Role.PLACE, Role.TIME))
def test_ask_works_when_the_clause_does_not_tell(code: str, asked: Role) -> None:
    sentence = GRAMMARS[code].ask(Clause("eat", ANNA, the("soup")), asked)
    assert runs(sentence).count(asked) == 1


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
        assert (clause.predicate or clause.kind or clause.verb) in said


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


@pytest.mark.parametrize(
    ("verb", "name", "expected"),
    (
        ("see", "Anna", "Anna'yı"),
        ("see", "Victor", "Victor'u"),
        ("see", "Leo", "Leo'yu"),
        ("see", "Delta7", "Delta7'yi"),
        ("see", "Zentrum9", "Zentrum9'u"),
        ("see", "Alfa3", "Alfa3'ü"),
        ("help", "Emma", "Emma'ya"),
        ("help", "Nordex", "Nordex'e"),
        ("hate", "Boris", "Boris'ten"),
        ("hate", "Nordex", "Nordex'ten"),
        ("hate", "Unicorp", "Unicorp'tan"),
        ("hate", "Delta7", "Delta7'den"),
    ),
)
def test_turkish_ending_follows_how_the_name_is_spoken(verb: str, name: str, expected: str) -> None:
    words = turkish.GRAMMAR.say(Clause(verb, the("king"), the(name))).words
    assert [word.form for word in words if word.role is Role.OBJECT] == [expected]


@pytest.mark.parametrize(
    ("place", "expected"),
    (
        ("kitchen", "mutfakta"),
        ("river", "nehirde"),
        ("office", "ofiste"),
        ("street", "sokakta"),
        ("Istanbul", "İstanbul'da"),
        ("Paris", "Paris'te"),
        ("Beijing", "Pekin'de"),
    ),
)
def test_turkish_locative_has_vowel_and_consonant_harmony(place: str, expected: str) -> None:
    assert forms(turkish.GRAMMAR.say(Clause("rest", ANNA, None, the(place)))) == f"Anna {expected} dinlendi ."


@pytest.mark.parametrize(
    ("subject", "expected"),
    (
        (the("king"), "Mfalme alianguka ."),
        (the("bread"), "Mkate ulianguka ."),
        (the("tree", number=2), "Miti miwili ilianguka ."),
        (the("egg"), "Yai lilianguka ."),
        (the("egg", number=8), "Mayai manane yalianguka ."),
        (the("book", "white"), "Kitabu cheupe kilianguka ."),
        (the("book", "white", 6), "Vitabu vyeupe sita vilianguka ."),
        (the("lamp", "black"), "Taa nyeusi ilianguka ."),
        (the("lamp", number=5), "Taa tano zilianguka ."),
        (the("key"), "Ufunguo ulianguka ."),
        (the("key", number=3), "Funguo tatu zilianguka ."),
        (the("car", "fast"), "Gari lenye kasi lilianguka ."),
        (the("cat", "full"), "Paka aliyejaa alianguka ."),
    ),
)
def test_swahili_words_agree_with_the_noun_class(subject: Phrase, expected: str) -> None:
    assert forms(swahili.GRAMMAR.say(Clause("fall", subject))) == expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    (
        ("king", "Mfalme hakuanguka ."),
        ("bread", "Mkate haukuanguka ."),
        ("book", "Kitabu hakikuanguka ."),
        ("lamp", "Taa haikuanguka ."),
    ),
)
def test_swahili_negation_keeps_the_class_except_the_first(subject: str, expected: str) -> None:
    assert forms(swahili.GRAMMAR.say(Clause("fall", the(subject), negated=True))) == expected


@pytest.mark.parametrize(
    ("clause", "expected"),
    (
        (Clause("eat", OMAR, some("bread")), "Omar ने रोटी खाई ।"),
        (Clause("eat", ANNA, some("mango", number=2)), "Anna ने दो आम खाए ।"),
        (Clause("open", OMAR, the("letter", number=2)), "Omar ने दो पत्र खोले ।"),
        (Clause("use", OMAR, the("key", "old", 2)), "Omar ने दो पुरानी चाबियाँ इस्तेमाल कीं ।"),
        (Clause("heal", ANNA, some("cow", "weak")), "Anna ने एक कमज़ोर गाय ठीक की ।"),
        (Clause("heal", ANNA, the("cow", "weak")), "Anna ने कमज़ोर गाय को ठीक किया ।"),
        (Clause("run", ANNA), "Anna दौड़ी ।"),
        (Clause("run", the("horse", number=2)), "दो घोड़े दौड़े ।"),
        (Clause("work", the("horse", number=2)), "दो घोड़ों ने काम किया ।"),
        (Clause("be", the("story"), predicate="sad"), "कहानी दुखद है ।"),
    ),
)
def test_hindi_verb_agrees_with_the_unmarked_noun(clause: Clause, expected: str) -> None:
    assert forms(hindi.GRAMMAR.say(clause)) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize(
    ("clause", "expected"),
    (
        (Clause("wear", ANNA, some("hat", "red")), "Anna 戴 了 一 顶 红 帽子 。"),
        (Clause("wear", ANNA, some("coat", "expensive")), "Anna 穿 了 一 件 贵 的 大衣 。"),
        (Clause("cut", ANNA, the("tree", "old")), "Anna 砍 了 老 树 。"),
        (Clause("cut", ANNA, some("meat")), "Anna 切 了 肉 。"),
        (Clause("carry", ANNA, OMAR), "Anna 背 了 Omar 。"),
        (Clause("find", ANNA, some("boat", number=2)), "Anna 找到 了 两 艘 船 。"),
        (Clause("find", ANNA, the("person")), "Anna 找到 了 那 个 人 。"),
        (Clause("find", ANNA, some("violin", "small")), "Anna 找到 了 一 把 小 的 小提琴 。"),
    ),
)
def test_chinese_chooses_classifier_and_verb_by_the_object(clause: Clause, expected: str) -> None:
    assert forms(chinese.GRAMMAR.say(clause)) == expected


def test_asked_as_tells_people_and_companies_from_the_rest() -> None:
    assert {asked_as(head) for head in ("Anna", "king", "person", "Nordex")} == {"who"}
    assert {asked_as(head) for head in ("dog", "book", "London", "museum")} == {"what"}
