"""The manifest of data sets: complete, tied to the declared tasks, and with nothing that cannot be resolved."""

import re
from pathlib import Path
from string import Formatter

import pytest
from commandline import say

from adaptstilts.data.sources import COLUMNS, Entry, entries, expected_rows, packaged, read_manifest
from adaptstilts.errors import AdaptstiltsError, ConfigError
from adaptstilts.languages import all_languages
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Split

GENERATED = {"multichecklist"}  # written by this package, so there is nothing to fetch
DECLARED = {task.name for task in all_tasks()} - GENERATED


def every_entry() -> list[Entry]:
    return [entry for name in packaged().tasks for entry in entries(name)]


def test_manifest_names_every_declared_task_and_no_other():
    assert set(packaged().tasks) == DECLARED


@pytest.mark.parametrize("name", sorted(DECLARED & set(packaged().tasks)))
def test_entries_cover_every_split_and_official_language_of_a_task(name: str):
    task = get_task(name)
    if packaged().by_hand(name):
        assert not entries(name)
        return
    found = {(entry.split, entry.language) for entry in entries(name)}
    assert {split for split, _ in found} == set(task.layouts)
    evaluated = [split for split in (Split.TEST, Split.DEV) if split in task.layouts]
    if len(task.languages) > 1:
        assert {code for split, code in found if split is evaluated[0]} >= set(task.languages)
    assert (Split.TRAIN, "en") in found or Split.TRAIN not in task.layouts
    assert {code for split, code in found if split is Split.TRAIN} <= {"en"}, "only English is trained on"


def test_every_entry_has_licence_citation_and_columns():
    known = set(COLUMNS.values()) | {()}
    for entry in every_entry():
        assert entry.licence and entry.citation, entry.task
        assert entry.columns in known, entry.task


def test_published_training_rows_agree_with_the_declared_task():
    agreeing = [name for name in DECLARED & set(packaged().tasks) if expected_rows(name, Split.TRAIN, "en") is not None]
    assert len(agreeing) >= 12
    for name in agreeing:
        assert get_task(name).rows == expected_rows(name, Split.TRAIN, "en"), name


@pytest.mark.parametrize(
    ("task", "split", "language", "rows"),
    [
        ("xnli", Split.TEST, "sw", 5010),
        ("tydiqa", Split.TRAIN, "en", 3696),
        ("panx", Split.TEST, "eu", 10_000),
        ("panx", Split.DEV, "yo", 100),
        ("mlqa", Split.TEST, "en", 11_590),
        ("bucc2018", Split.DEV, "zh", 257),
        ("tatoeba", Split.TEST, "te", 234),
        ("udpos", Split.TRAIN, "en", 21_253),
        ("udpos", Split.TEST, "de", None),
        ("panx", Split.TEST, "qu", None),
        ("nothing", Split.TEST, "de", None),
        ("mnli", Split.TEST, "en", None),
    ],
)
def test_expected_rows_of_language_and_split(task: str, split: Split, language: str, rows: int | None):
    assert expected_rows(task, split, language) == rows


def test_panx_rows_are_known_for_its_forty_languages():
    assert [code for code in get_task("panx").languages if expected_rows("panx", Split.TEST, code) is None] == []


def test_row_languages_are_known_codes_named_once():
    codes = {language.code for language in all_languages()}
    for name, description in packaged().tasks.items():
        for split, rows in description.rows.items():
            if isinstance(rows, dict):
                named = " ".join(rows).split()
                assert set(named) <= codes, (name, split)
                assert len(named) == len(set(named)), (name, split)


def test_sources_are_all_used_and_each_is_an_address_or_a_hub_repository():
    used = {part.source for task in packaged().tasks.values() for part in task.parts}
    assert used == set(packaged().sources)
    for name, source in packaged().sources.items():
        assert bool(source.url) != bool(source.hub), name
        assert bool(source.files) == bool(source.hub), name
        assert all(url.startswith("https://") for url in source.url), name


def test_checksums_are_sha256_and_belong_to_files_that_are_fetched():
    names: dict[str, set[str]] = {}
    for entry in every_entry():
        for part in entry.parts:
            names.setdefault(part.name, set()).update(url.rpartition("/")[2] for url in part.urls)
    for name, source in packaged().sources.items():
        given = source.sha256 if isinstance(source.sha256, dict) else {None: source.sha256} if source.sha256 else {}
        assert all(re.fullmatch("[0-9a-f]{64}", value) for value in given.values()), name
        if isinstance(source.sha256, dict):
            assert set(given) <= names[name], f"{name}: a checksum of a file that is never fetched"
        else:
            assert not given or len(names[name]) == 1, f"{name}: one checksum for several files"


def test_files_of_a_source_have_names_of_their_own():
    addresses: dict[tuple[str, str], set[str]] = {}
    for entry in every_entry():
        for part in entry.parts:
            for url in part.urls:
                addresses.setdefault((part.name, url.rpartition("/")[2]), set()).add(url)
    assert len(addresses) > 150
    assert [key for key, urls in addresses.items() if len(urls) > 1] == []


def test_addresses_with_a_commit_name_the_recorded_revision():
    for name, source in packaged().sources.items():
        for url in source.url:
            commit = re.search("/([0-9a-f]{40})/", url)
            assert (commit.group(1) if commit else None) == source.revision, name


def test_templates_use_known_placeholders_only():
    known = {"language", "language3", "name", "split", "part"}
    texts = [text for source in packaged().sources.values() for text in (*source.url, *source.files)]
    texts += [
        text
        for task in packaged().tasks.values()
        for part in task.parts
        for pair in part.place.items()
        for text in pair
    ]
    found = {field for text in texts for _, field, _, _ in Formatter().parse(text) if field is not None}
    assert found <= known


def test_udpos_takes_old_languages_from_2_5_and_new_ones_from_2_7():
    release = {entry.language: {part.name for part in entry.parts} for entry in entries("udpos")}
    assert release["de"] == release["en"] == {"ud-2.5"}
    assert {code for code, names in release.items() if names == {"ud-2.7"}} == {"lt", "pl", "ro", "uk", "wo"}
    assert ("kk" in {entry.language for entry in entries("udpos") if entry.split is Split.DEV}) is False


def test_anli_is_pooled_from_three_sources():
    train = next(entry for entry in entries("anli") if entry.split is Split.TRAIN)
    assert [part.name for part in train.parts] == ["multinli", "snli", "anli"]


def test_by_hand_says_what_to_do_for_ccg():
    assert "Linguistic Data Consortium" in packaged().by_hand("ccg")
    assert packaged().by_hand("xnli") == ""


def test_entries_name_the_allowed_tasks_when_the_task_is_unknown():
    with pytest.raises(ConfigError, match=r"'xnly' is not a data set that can be fetched\. Did you mean 'xnli'\?"):
        entries("xnly")


def test_read_manifest_names_line_and_key_when_a_setting_is_unknown(tmp_path: Path):
    path = tmp_path / "own.yaml"
    path.write_text("sources:\n  xnli:\n    adress: http://x\ntasks: {}\n", encoding="utf-8")
    with pytest.raises(AdaptstiltsError, match=r"own.yaml:3: sources\.xnli\.adress: .*Did you mean|own.yaml:3: "):
        read_manifest(path)


def test_read_manifest_raises_when_a_task_names_a_source_that_is_not_there(tmp_path: Path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "sources: {xnli: {url: 'http://x/y.zip'}}\n"
        "tasks: {xnli: {parts: [{source: xnly, languages: {test: all}, place: {}}]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"own.yaml: there is no source 'xnly'\. Did you mean 'xnli'\?"):
        read_manifest(path)


def test_read_manifest_says_what_to_copy_when_there_is_no_such_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.yaml: no such manifest\. Copy adaptstilts/data/sources\.yaml"):
        read_manifest(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("task", "next_step"),
    [("xnli", "Add it there, or leave out the list: the one of the package has it."), ("foo", "Add it there.")],
)
def test_task_that_an_own_list_lacks_is_refused_with_its_file_and_the_next_step(tmp_path: Path, task, next_step):
    path = tmp_path / "sources.yaml"
    path.write_text("sources: {}\ntasks: {bar: {}}\n", encoding="utf-8")
    said = say("data", "fetch", task, "--root", tmp_path / "data", "--manifest", path)
    problem = f"{path}: '{task}' is not among the tasks of this list of sources. Allowed: bar. {next_step}\n"
    assert (said.code, said.err) == (2, problem)
    assert not (tmp_path / "data").exists()
