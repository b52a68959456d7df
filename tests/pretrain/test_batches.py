import numpy as np
import pytest

from adaptstilts.config.pretrain import ObjectiveSection, TextSection, VocabularySection
from adaptstilts.errors import ConfigError, DataError
from adaptstilts.mini.corpus import parallel_sentences
from adaptstilts.pretrain.batches import WINDOW, Objective, RowSource
from adaptstilts.pretrain.corpora import Corpus, gather, read_folder, sample, switch
from adaptstilts.pretrain.tokenizer import train_tokenizer

OBJECTIVE = ObjectiveSection(mlm=1, tlm=1, switched=1, ranking_weight=0.1, ranking_pairs=6)


@pytest.fixture(scope="module")
def corpus():
    return gather(TextSection(mini_lines=120, languages=("en", "de", "ru")), switched=True)


@pytest.fixture(scope="module")
def tokenizer(corpus, tmp_path_factory):
    settings = VocabularySection(pieces=300, alphabets=False)
    return train_tokenizer(
        sample(corpus, 100, 1), settings, tmp_path_factory.mktemp("tokenizer"), whole_words=corpus.words
    )


def source(corpus, tokenizer, settings=OBJECTIVE, **changes):
    return RowSource(corpus, tokenizer, settings, **{"max_length": 40, "batch_rows": 8, "seed": 5, **changes})


def test_read_folder_takes_what_stands_before_the_tab_as_key(tmp_path):
    (tmp_path / "en.txt").write_text("A 1:1\tone\nA 1:2\ttwo\n", encoding="utf-8")
    (tmp_path / "de.txt").write_text("A 1:2\tzwei\n\nA 1:3\t\n", encoding="utf-8")
    assert read_folder(tmp_path) == {"de": {"A 1:2": "zwei"}, "en": {"A 1:1": "one", "A 1:2": "two"}}


def test_read_folder_takes_line_numbers_as_keys_when_there_is_no_tab(tmp_path):
    (tmp_path / "en.txt").write_text("one\n\nthree\n", encoding="utf-8")
    (tmp_path / "sw.txt").write_text("moja\nmbili\ntatu\n", encoding="utf-8")
    found = read_folder(tmp_path, ["en"])
    assert found == {"en": {"00000001": "one", "00000003": "three"}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("k\tone\ntwo\n", r"en\.txt:2: the line has no key"),
        ("k\tone\nk\ttwo\n", r"en\.txt:2: the key 'k' occurs twice"),
    ],
)
def test_read_folder_names_file_and_line_when_a_key_is_wrong(tmp_path, content, message):
    (tmp_path / "en.txt").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_folder(tmp_path)


def test_read_folder_names_the_file_when_it_is_not_utf8(tmp_path):
    (tmp_path / "en.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(DataError, match=r"en\.txt: not UTF-8"):
        read_folder(tmp_path)


def test_gather_says_what_to_set_when_there_is_no_text():
    with pytest.raises(ConfigError, match=r"no text to pretrain on.*mini_lines"):
        gather(TextSection(), switched=False)
    with pytest.raises(ConfigError, match=r"objective\.switched: code-switched lines"):
        gather(TextSection(), switched=True)


def test_gather_names_the_folder_when_it_is_missing(tmp_path):
    with pytest.raises(DataError, match=r"absent: no such folder of text"):
        gather(TextSection(root=str(tmp_path), folders=("absent",)), switched=False)


def test_gather_joins_mini_world_and_folders_without_mixing_keys(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.txt").write_text("1\tx y\n", encoding="utf-8")
    (tmp_path / "texts" / "fi.txt").write_text("1\tz\n", encoding="utf-8")
    corpus = gather(TextSection(root=str(tmp_path), folders=("texts",), mini_lines=5), switched=False)
    assert len(corpus.lines["en"]) == 6
    assert corpus.lines["fi"] == {"texts:1": "z"}


def test_gather_writes_a_share_of_the_lines_with_a_space_before_every_mark(corpus):
    spaced = sum(line.endswith((" .", " ?")) for lines in corpus.lines.values() for line in lines.values())
    assert 0.1 < spaced / 360 < 0.4


def test_split_keeps_whole_keys_apart_and_the_same_ones_in_a_larger_corpus(corpus):
    training, held_out = corpus.split(20)
    assert {len(lines) for lines in held_out.lines.values()} == {20}
    assert len({frozenset(lines) for lines in held_out.lines.values()}) == 1
    assert not set(training.lines["en"]) & set(held_out.lines["en"])


def test_switch_replaces_words_by_the_translations_of_the_same_concept():
    from random import Random

    line = next(line for line in parallel_sentences(3, 50) if len(line["en"][0].words) > 4)
    line = {code: line[code] for code in ("en", "de", "ru")}
    unchanged = {switch(line, ["en", "de", "ru"], 0.0, Random(n)) for n in range(20)}
    assert len(unchanged) == 3
    mixed = switch(line, ["en", "ru"], 1.0, Random(1))
    forms = {word.form for sentences in line.values() for sentence in sentences for word in sentence.words}
    assert set(mixed.rstrip(".?").replace(".", " ").split()) <= {form.rstrip(".") for form in forms} | {""}
    assert mixed not in unchanged


def test_batches_depend_on_seed_and_step_only(corpus, tokenizer):
    one, two, other = (source(corpus, tokenizer, seed=seed) for seed in (5, 5, 6))
    two.batch(3 * WINDOW)
    for step in (0, 7, WINDOW + 1):
        (kind, rows), (again, rows_again) = one.batch(step), two.batch(step)
        assert kind is again
        assert all(np.array_equal(left.ids, right.ids) for left, right in zip(rows, rows_again, strict=True))
    assert any(one.batch(step)[0] is not other.batch(step)[0] for step in range(WINDOW))


def test_batches_hold_rows_of_like_length_within_the_limit(corpus, tokenizer):
    rows = source(corpus, tokenizer)
    for step in range(WINDOW):
        kind, batch = rows.batch(step)
        lengths = [len(row.ids) for row in batch]
        assert len(batch) == (4 if kind is Objective.TLM else 8)
        assert max(lengths) <= 40
        assert lengths == sorted(lengths)


def test_pairs_are_translations_joined_as_xlm_r_joins_two_texts(corpus, tokenizer):
    only_pairs = ObjectiveSection(mlm=0, tlm=1)
    _, batch = source(corpus, tokenizer, only_pairs, max_length=128).batch(0)
    lines = {code: {line: key for key, line in texts.items()} for code, texts in corpus.lines.items()}
    ids = {
        code: {tuple(tokenizer(line).input_ids): key for line, key in texts.items()} for code, texts in lines.items()
    }
    for row in batch:
        left = tuple(row.ids[: row.second])
        right = (0, *row.ids[row.second + 1 :])
        keys = [{known[half] for known in ids.values() if half in known} for half in (left, right)]
        assert row.ids[row.second] == 2
        assert keys[0] & keys[1]


def test_pairs_repeat_the_line_when_all_are_to_be_the_same(corpus, tokenizer):
    repeated = ObjectiveSection(mlm=0, tlm=1, same_share=1.0)
    _, batch = source(corpus, tokenizer, repeated, max_length=128).batch(0)
    assert all(np.array_equal(row.ids[1 : row.second - 1], row.ids[row.second + 1 : -1]) for row in batch)


def test_pairs_say_whether_their_second_half_was_changed(corpus, tokenizer):
    changed = ObjectiveSection(mlm=0, tlm=1, same_share=1.0, mismatch_share=0.5)
    rows = [row for step in range(WINDOW) for row in source(corpus, tokenizer, changed, max_length=128).batch(step)[1]]
    halves = [(row.ids[1 : row.second - 1], row.ids[row.second + 1 : -1]) for row in rows]
    assert 0.4 < sum(row.matches for row in rows) / len(rows) < 0.6
    assert all(np.array_equal(*half) for row, half in zip(rows, halves, strict=True) if row.matches)
    different = [half for row, half in zip(rows, halves, strict=True) if not row.matches]
    one_piece = [len(left) == len(right) and (left != right).sum() == 1 for left, right in different]
    assert 0.3 < sum(one_piece) / len(different) < 0.7


def test_ranking_gives_translations_in_two_languages(corpus, tokenizer):
    left, right = source(corpus, tokenizer).ranking(4)
    assert len(left) == len(right) == 6
    assert any(not np.array_equal(one.ids, two.ids) for one, two in zip(left, right, strict=True))


def test_row_source_says_that_nothing_is_parallel_when_no_key_is_shared(tokenizer):
    apart = Corpus({"en": {"1": "a"}, "de": {"2": "b"}})
    with pytest.raises(DataError, match=r"objective\.tlm: no line has a translation"):
        source(apart, tokenizer)
