"""Checklist tests: templates in ten languages, cases, and files that the task reads back."""

import itertools
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from adaptstilts.data.checklist.generate import generate
from adaptstilts.data.checklist.templates import FOLDER, TemplateGroup, parse_templates, read_templates
from adaptstilts.data.checklist.write import write_checklist
from adaptstilts.errors import ConfigError, DataError
from adaptstilts.languages import get_language
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.checklist import CHECKLIST_TESTS, MULTICHECKLIST
from adaptstilts.tasks.examples import SpanExample
from adaptstilts.tasks.spec import Split

LANGUAGES = MULTICHECKLIST.languages
EVERY = pytest.mark.parametrize(("test", "language"), list(itertools.product(CHECKLIST_TESTS, LANGUAGES)))


def fillings(group: TemplateGroup) -> Iterator[dict[str, str]]:
    """Every choice of words that a group allows."""
    people = [dict(zip("ab", pair, strict=True)) for pair in itertools.permutations(group.names, 2)] or [{}]
    for parts in itertools.product(people, *group.words):
        yield {place: word for part in parts for place, word in part.items()}


def contexts_of(group: TemplateGroup) -> Iterator[str]:
    return (template.format(**words) for words in fillings(group) for template in group.contexts)


def test_templates_are_there_for_each_of_ten_languages_and_no_other():
    assert len(LANGUAGES) == 10
    assert sorted(path.stem for path in FOLDER.glob("*")) == sorted(LANGUAGES)
    assert {get_language(code).code for code in LANGUAGES} == set(LANGUAGES)


@EVERY
def test_every_filling_of_every_template_holds_each_answer_once_and_no_empty_place(test: str, language: str):
    for group in read_templates(language)[test]:
        for words in fillings(group):
            for context in (template.format(**words) for template in group.contexts):
                for question in group.questions:
                    counts = [context.count(answer.format(**words)) for answer in question.answers]
                    assert set(counts) == {1}, (context, question)
        # Every place of the group is used, so that no list of words is there in vain.
        texts = [*group.contexts, *(text for item in group.questions for text in (item.ask, *item.answers))]
        assert group.placeholders == {
            place for place in group.placeholders if any(f"{{{place}}}" in text for text in texts)
        }


@EVERY
def test_words_and_names_of_a_group_stand_once_in_their_list(test: str, language: str):
    for group in read_templates(language)[test]:
        assert len(set(group.names)) == len(group.names)
        for words in group.words:
            assert len({tuple(word.values()) for word in words}) == len(words) > 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_adjectives_of_comparisons_come_in_pairs_of_opposites(language: str):
    for group in read_templates(language)["comparison"]:
        (adjectives,) = group.words
        by_more = {word["more"]: word["less"] for word in adjectives}
        assert len(by_more) == len(adjectives)
        assert all(by_more[less] == more for more, less in by_more.items())


@EVERY
def test_generate_gives_as_many_different_cases_as_asked_for_from_every_group(test: str, language: str):
    cases = generate(test, language)
    assert len(cases) == len({case.context for case in cases}) == 200
    ids = [question.id for case in cases for question in case.questions]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{test}-{language}-") for name in ids)
    assert {len(case.questions) for case in cases} == ({3} if test == "property" else {2})
    for case in cases:
        for question in case.questions:
            assert question.text.strip()
            assert "{" not in case.context + question.text
            for answer in question.answers:
                assert case.context[answer.start : answer.start + len(answer.text)] == answer.text != ""
    # Groups take turns, but for draws that were repetitions.
    contexts = [set(contexts_of(group)) for group in read_templates(language)[test]]
    shares = [sum(case.context in own for case in cases) for own in contexts]
    assert sum(shares) == 200
    assert max(shares) - min(shares) <= 12


@pytest.mark.parametrize("test", ["comparison", "intensifier"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_both_people_of_a_case_are_asked_for_and_either_may_come_first(test: str, language: str):
    first = Counter()
    for case in generate(test, language):
        more, less = (question.answers[0] for question in case.questions)
        assert more.text != less.text
        assert case.questions[0].text != case.questions[1].text
        first[more.start < less.start] += 1
    assert min(first[True], first[False]) >= 40


def test_generate_gives_the_same_for_the_same_seed_and_others_for_another():
    assert generate("property", "ru", cases=20, seed=3) == generate("property", "ru", cases=20, seed=3)
    assert generate("property", "ru", cases=20, seed=3) != generate("property", "ru", cases=20, seed=4)


def test_generate_begins_with_the_same_cases_however_many_are_wanted():
    assert generate("comparison", "tr", cases=50)[:20] == generate("comparison", "tr", cases=20)


def test_generate_says_how_many_there_are_when_asked_for_too_many():
    with pytest.raises(
        DataError,
        match=r"property-id: 9,999 cases requested, but the templates give only 19\d\d different\. Request",
    ):
        generate("property", "id", cases=9999)


def test_generate_names_the_tests_when_one_is_unknown():
    with pytest.raises(DataError, match=r"'comparisons' is not a checklist test\. Did you mean 'comparison'\?"):
        generate("comparisons", "en")


def test_read_templates_names_the_languages_when_one_has_none():
    with pytest.raises(ConfigError, match=r"no checklist templates in 'ja'.* Allowed: en, de"):
        read_templates("ja")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("property:", "properties:", "has templates for comparison, intensifier, properties\\. Allowed: comparison,"),
        ("names: *names", "name: *names", "intensifier: 'name' is not a key of a group. Did you mean 'names'\\?"),
        ("- tall | taller | shorter", "- tall | taller", r"comparison: 'tall \| taller' has 2 forms, expected 3"),
        ("{a} is {more} than", "{a} is {mroe} than", r"comparison: no word for the placeholder \{mroe\} in"),
    ],
    ids=["test", "key", "forms", "place"],
)
def test_templates_that_are_malformed_are_refused_with_file_and_test(tmp_path: Path, old: str, new: str, message: str):
    text = (FOLDER / "en.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "en.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"en.yaml: {message}"):
        parse_templates(path)


# ---- Files


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    write_checklist(folder, cases=12, seed=7)
    return folder


def test_write_gives_one_file_for_each_test_and_language(root: Path):
    names = {path.name for path in (root / "multichecklist").iterdir()}
    assert names == {f"{test}-{language}.json" for test in CHECKLIST_TESTS for language in LANGUAGES}


def test_written_cases_are_read_back_as_the_tasks_test_split(root: Path):
    data = DataRoot(root)
    assert data.evaluation_languages(MULTICHECKLIST) == LANGUAGES
    assert data.evaluation_split(MULTICHECKLIST, "sw") is Split.TEST
    for language in LANGUAGES:
        expected = [
            SpanExample(question.id, question.text, case.context, question.answers)
            for test in CHECKLIST_TESTS
            for case in generate(test, language, cases=12, seed=7)
            for question in case.questions
        ]
        assert data.load_examples(MULTICHECKLIST, Split.TEST, language, labelled=True) == expected
        assert len(expected) == 12 * (2 + 2 + 3)


def test_write_replaces_files_with_the_same_bytes_for_the_same_seed(root: Path, tmp_path: Path):
    again = write_checklist(tmp_path, ("hi",), cases=12, seed=7)
    assert [path.name for path in again] == ["comparison-hi.json", "intensifier-hi.json", "property-hi.json"]
    for path in again:
        assert path.read_bytes() == (root / "multichecklist" / path.name).read_bytes()
    assert json.loads(again[0].read_text(encoding="utf-8"))["version"] == "adaptstilts checklist 1, seed 7"


def test_task_is_not_read_when_one_of_its_files_is_missing(root: Path, tmp_path: Path):
    shutil.copytree(root, tmp_path / "root")
    (tmp_path / "root" / "multichecklist" / "property-de.json").unlink()
    data = DataRoot(tmp_path / "root")
    assert "de" not in data.evaluation_languages(MULTICHECKLIST)
    with pytest.raises(
        DataError, match=r"comparison-de\.json: is not read without 'multichecklist/property-de\.json', which"
    ):
        data.load_examples(MULTICHECKLIST, Split.TEST, "de")


def test_write_says_so_when_a_folder_cannot_be_made(tmp_path: Path):
    (tmp_path / "multichecklist").write_text("in the way", encoding="utf-8")
    with pytest.raises(DataError, match=r"comparison-en\.json: cannot be written: .*Choose another folder"):
        write_checklist(tmp_path, ("en",), cases=2)
