import unicodedata

import pytest

from adaptstilts.data.contamination.function_words import ENGLISH, languages_by_word
from adaptstilts.data.contamination.leaks import find_leak, foreign_script, foreign_words, language_of_id
from adaptstilts.languages import all_languages
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Sentence, SpanExample
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import Kind, Split

ENGLISH_TEXT = "The king left at noon because he was tired, and the queen stayed with their children."
TYDIQA = {
    "english": (ENGLISH_TEXT, "When did the king leave?"),
    "arabic": ("غادر الملك عند الظهر.", "متى غادر الملك؟"),
    "bengali": ("রাজা দুপুরে চলে গেলেন।", "রাজা কখন গেলেন?"),
    "finnish": ("Kuningas lähti puolelta päivin, koska hän oli väsynyt, ja kuningatar jäi.", "Milloin kuningas lähti?"),
    "indonesian": ("Raja pergi pada siang hari karena dia lelah dan tidak kembali.", "Kapan raja itu pergi?"),
    "korean": ("왕은 정오에 떠났다.", "왕은 언제 떠났는가?"),
    "russian": ("Король уехал в полдень.", "Когда уехал король?"),
    "swahili": ("Mfalme aliondoka saa sita mchana kwa sababu ya uchovu na hii ni habari.", "Mfalme aliondoka lini?"),
    "telugu": ("రాజు మధ్యాహ్నం వెళ్ళాడు.", "రాజు ఎప్పుడు వెళ్ళాడు?"),
}


def tydiqa(languages, *, prefixed):
    return [
        SpanExample(f"{name}-77{number}-0" if prefixed else f"{number}", TYDIQA[name][1], TYDIQA[name][0], ())
        for number, name in enumerate(languages)
    ]


def test_nine_languages_in_an_english_tydiqa_file_are_found_by_their_ids():
    leak = find_leak(tydiqa(TYDIQA, prefixed=True))
    assert leak.rows == 9
    assert leak.by_id == dict.fromkeys([name for name in TYDIQA if name != "english"], 1)
    assert leak.foreign_rows == 8
    assert leak.example == "arabic-771-0"
    assert leak.is_leak


def test_nine_languages_without_prefixed_ids_are_found_by_script_and_words():
    leak = find_leak(tydiqa(TYDIQA, prefixed=False))
    assert not leak.by_id
    assert leak.by_script == {"arabic": 1, "bengali": 1, "hangul": 1, "cyrillic": 1, "telugu": 1}
    assert leak.by_words == {"fi": 1, "id": 1, "sw": 1}
    assert leak.is_leak
    assert leak.signs() == (
        "by script: arabic 1, bengali 1, hangul 1, cyrillic 1, telugu 1; by words: fi 1, id 1, sw 1"
    )


def test_one_id_of_another_language_is_a_leak_however_many_are_english():
    assert find_leak(tydiqa(["english"] * 4000 + ["finnish"], prefixed=True)).is_leak


@pytest.mark.parametrize(("foreign", "expected"), [(2, False), (3, True), (9, True)])
def test_few_rows_in_another_script_are_no_leak(foreign, expected):
    leak = find_leak(tydiqa(["english"] * 200 + ["russian"] * foreign, prefixed=False))
    assert (leak.foreign_rows, leak.is_leak) == (foreign, expected)


def test_one_row_in_a_hundred_in_another_script_is_a_leak():
    assert not find_leak(tydiqa(["english"] * 991 + ["korean"] * 9, prefixed=False)).is_leak
    assert find_leak(tydiqa(["english"] * 990 + ["korean"] * 10, prefixed=False)).is_leak


def test_an_english_set_has_no_leak():
    leak = find_leak(tydiqa(["english"] * 5, prefixed=True))
    assert (leak.foreign_rows, leak.is_leak, leak.signs(), leak.example) == (0, False, "", "")


@pytest.mark.parametrize(
    ("name", "language"),
    [("finnish-1-0", "finnish"), ("english-1-0", ""), ("haitian creole-1", ""), ("fin-1", ""), ("a1-finnish", "")],
)
def test_language_of_id_knows_english_names_before_a_dash(name, language):
    assert language_of_id(name) == language


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (ENGLISH_TEXT, ""),
        ("Café Zürich – naïve façade", ""),
        ("The word Москва means Moscow.", ""),
        ("Москва (Moscow) столица России", "cyrillic"),
        ("老师打开了图书馆", "cjk"),
        ("αβγ", "greek"),
        ("1234 ?!", ""),
    ],
)
def test_foreign_script_names_the_script_of_most_letters(text, script):
    assert foreign_script(text) == script


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH_TEXT, ""),
        ("Der König ist nicht in der Stadt und die Königin auch nicht.", "de"),
        ("El rey se fue porque estaba cansado y los niños también, pero la reina no.", "es"),
        ("“Ich bin nicht da und das ist gut”, said the king to the queen when he had left them all.", ""),
        ("Guten Tag", ""),
    ],
)
def test_foreign_words_need_three_and_twice_the_english_ones(text, language):
    assert foreign_words(text) == language


def test_function_words_are_of_known_languages_and_not_english():
    by_word = languages_by_word()
    assert not ENGLISH & set(by_word)
    assert {code for codes in by_word.values() for code in codes} <= {language.code for language in all_languages()}
    assert all(unicodedata.name(letter).startswith("LATIN") for word in by_word for letter in word if letter.isalpha())


def test_english_sets_of_the_slices_have_no_leak(shared_root):
    root = DataRoot(shared_root / "data")
    rows = foreign = 0
    for task in all_tasks():
        for split in task.layouts:
            if task.kind is not Kind.RETRIEVE and "en" in root.languages(task, split):
                leak = find_leak(root.load_examples(task, split, "en"))
                assert not leak.is_leak, f"{task.name} {split.value}: {leak.signs()}"
                rows, foreign = rows + leak.rows, foreign + leak.foreign_rows
    assert rows > 40_000
    assert foreign <= 5


@pytest.mark.parametrize(
    ("file", "least"), [("rus", 0.99), ("zho-CN", 0.98), ("deu", 0.55), ("ind", 0.65), ("fin", 0.2), ("hun", 0.15)]
)
def test_share_of_foreign_sentences_that_is_found_is_what_the_module_says(shared_root, file, least):
    lines = (shared_root / "data/ntrex" / f"newstest2019-ref.{file}.txt").read_text(encoding="utf-8").splitlines()
    leak = find_leak(Sentence(str(number), line) for number, line in enumerate(lines))
    assert leak.foreign_rows >= least * leak.rows


def test_english_rows_of_tydiqa_with_nine_languages_mixed_in_are_a_leak_on_the_slices(shared_root, tmp_path):
    root = DataRoot(shared_root / "data")
    task = next(task for task in all_tasks() if task.name == "tydiqa")
    english = root.load_examples(task, Split.TRAIN, "en")
    swahili = root.load_examples(task, Split.TRAIN, "sw")
    assert find_leak([*english, *swahili]).by_words["sw"] > 900
    assert find_leak([*english, *swahili[:25]]).is_leak
