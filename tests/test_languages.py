import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.languages import SOURCE_LANGUAGE, all_languages, get_language


def test_all_languages_are_fifty_with_distinct_codes():
    languages = all_languages()
    assert len(languages) == 50
    for field in ("code", "code3", "variety", "name"):
        assert len({getattr(language, field) for language in languages}) == 50, field
    assert SOURCE_LANGUAGE in {language.code for language in languages}


@pytest.mark.parametrize(
    ("code", "code3", "variety"),
    [("fa", "pes", "pes"), ("zh", "cmn", "cmn"), ("sw", "swh", "swh"), ("ar", "ara", "arb"), ("az", "aze", "azj")],
)
def test_macro_languages_have_the_code_of_the_tatoeba_files_and_that_of_one_variety(code, code3, variety):
    language = get_language(code)
    assert (language.code3, language.variety) == (code3, variety)


def test_names_of_languages_keep_their_spaces():
    assert get_language("ht").name == "Haitian Creole"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("xx", r"'xx' is not a known language code\. Allowed: af, ar"),
        ("German", "Write 'de' for German"),
        ("cmn", "Write 'zh' for Mandarin"),
        ("EN", "Write 'en' for English"),
        ("zh-CN", "Write 'zh' for Mandarin"),
        ("zh_Hans", "Write 'zh' for Mandarin"),
        ("Chinese", "Write 'zh' for Mandarin"),
        ("jw", "Write 'jv' for Javanese"),
        ("iw", "Write 'he' for Hebrew"),
        ("in", "Write 'id' for Indonesian"),
        ("ger", "Write 'de' for German"),
    ],
)
def test_get_language_says_what_was_meant_when_code_is_unknown(wrong, message):
    with pytest.raises(ConfigError, match=message):
        get_language(wrong)
