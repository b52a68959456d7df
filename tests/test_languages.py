import pytest

from adaptstilts.errors import ConfigError
from adaptstilts.languages import SOURCE_LANGUAGE, all_languages, get_language


def test_all_languages_are_fifty_with_distinct_codes():
    languages = all_languages()
    assert len(languages) == 50
    for field in ("code", "code3", "uriel", "name"):
        assert len({getattr(language, field) for language in languages}) == 50, field


def test_forty_languages_are_xtremes():
    assert sum(language.in_xtreme for language in all_languages()) == 40


def test_source_language_has_no_distance_to_itself():
    distances = get_language(SOURCE_LANGUAGE).distances
    assert (distances.syntax, distances.phonology, distances.family, distances.geography) == (0, 0, 0, 0)


@pytest.mark.parametrize("language", all_languages(), ids=lambda language: language.code)
def test_every_language_has_a_family_a_script_and_distances_in_range(language):
    assert language.family
    assert all(len(script) == 4 for script in language.script.split("/"))
    distances = language.distances
    for distance in (distances.syntax, distances.phonology, distances.inventory, distances.family, distances.geography):
        assert 0 <= distance <= 1
    assert 0 <= language.wals_features <= 103


@pytest.mark.parametrize(
    ("code", "code3", "uriel"),
    [("fa", "pes", "pes"), ("zh", "cmn", "cmn"), ("sw", "swh", "swh"), ("ar", "ara", "arb"), ("az", "aze", "azj")],
)
def test_macro_languages_have_the_code_of_the_tatoeba_files_and_the_one_of_uriel(code, code3, uriel):
    language = get_language(code)
    assert (language.code3, language.uriel) == (code3, uriel)


def test_languages_keep_branch_word_order_and_names_with_spaces():
    assert get_language("hi").branch == "Indo-Aryan"
    assert get_language("hi").word_order == "SOV"
    assert get_language("tr").branch == ""
    assert get_language("ms").word_order is None
    assert get_language("ht").name == "Haitian Creole"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("xx", r"'xx' is not a known language code\. Allowed: af, ar"),
        ("German", "Write 'de' for German"),
        ("cmn", "Write 'zh' for Mandarin"),
        ("EN", "Write 'en' for English"),
    ],
)
def test_get_language_says_what_was_meant_when_code_is_unknown(wrong, message):
    with pytest.raises(ConfigError, match=message):
        get_language(wrong)
