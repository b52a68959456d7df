import random
import time

import pytest

from adaptstilts.errors import DataError
from adaptstilts.readers.conllu import ancestor_counts, read_conllu
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.readers.lines import Request
from adaptstilts.readers.tags import read_word_lines
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

UDPOS = get_task("udpos")


def conllu(*rows: str) -> str:
    """One sentence; a row is `id form tag head [enhanced]` with `~` for a space in the form."""
    lines = ["# text = written for the test"]
    for row in rows:
        number, form, tag, head, *deps = row.split(" ")
        columns = [number, form.replace("~", " "), "_", tag, "_", "_", head, "_", deps[0] if deps else "_", "_"]
        lines.append("\t".join(columns))
    return "\n".join(lines) + "\n\n"


@pytest.fixture
def read(data_root):
    """A function that reads the words and tags of sentences in a language."""

    def load(*sentences: str, language: str = "de", root: str = "ud"):
        name = f"{root}/UD_Some-Test/{language}_test-ud-dev.conllu"
        rows = data_root({name: "".join(sentences)}).load(UDPOS, Split.DEV, language)
        return [[f"{word}/{UDPOS.labels[tag]}" for word, tag in zip(row.words, row.tags, strict=True)] for row in rows]

    return load


def test_words_and_tags_are_read_and_comments_left_out(read):
    assert read(conllu("1 Hunde NOUN 2", "2 bellen VERB 0"), conllu("1 Ja INTJ 0")) == [
        ["Hunde/NOUN", "bellen/VERB"],
        ["Ja/INTJ"],
    ]


def test_last_sentence_is_read_without_a_blank_line_after_it(read):
    assert read(conllu("1 Ja INTJ 0").rstrip("\n")) == [["Ja/INTJ"]]


def test_fused_token_takes_the_tag_of_its_word_nearest_the_root(read):
    sentence = conllu(
        "1 geht VERB 0", "2-3 zum _ _", "2 zu ADP 4", "3 dem DET 2", "4 Haus NOUN 1", "5-6 gibs _ _",
        "5 gib VERB 1", "6 es PRON 5",
    )  # fmt: skip
    assert read(sentence) == [["geht/VERB", "zum/ADP", "Haus/NOUN", "gibs/VERB"]]


@pytest.mark.parametrize(
    ("language", "tags", "expected"),
    [
        ("de", "ADP DET", "ADP"),
        ("de", "DET ADP", "ADP"),
        ("de", "PRON NOUN", "NOUN"),
        ("de", "SYM PUNCT", "PUNCT"),
        ("fr", "NOUN PRON", "PRON"),
        ("fr", "CCONJ SCONJ", "SCONJ"),
        ("es", "DET PRON", "PRON"),
        ("es", "NOUN DET", "DET"),
        ("it", "PRON ADV", "ADV"),
        ("it", "NOUN INTJ", "INTJ"),
    ],
)
def test_words_as_near_the_root_as_each_other_are_ranked_by_the_languages_list(read, language, tags, expected):
    one, two = tags.split()
    sentence = conllu("1-2 ab _ _", f"1 a {one} 3", f"2 b {two} 3", "3 c VERB 0")
    assert read(sentence, language=language) == [[f"ab/{expected}", "c/VERB"]]


def test_first_of_two_words_of_the_same_rank_is_the_head(read):
    sentence = conllu("1-2 ab _ _", "1 a X 3", "2 b X 3", "3 c VERB 0")
    assert read(sentence) == [["ab/X", "c/VERB"]]


def test_enhanced_edges_count_as_a_way_to_the_root(read):
    basic = conllu("1 a VERB 0", "2-3 bc _ _", "2 b ADV 1", "3 c ADP 1")
    enhanced = conllu("1 a VERB 0", "2-3 bc _ _", "2 b ADV 1 1:x|4:y|4.1:z", "3 c ADP 1", "4 d NOUN 1")
    assert read(basic) == [["a/VERB", "bc/ADV"]]
    assert read(enhanced) == [["a/VERB", "bc/ADP", "d/NOUN"]]


def test_cycle_of_enhanced_edges_comes_to_an_end(read):
    sentence = conllu("1-2 ab _ _", "1 a ADP 2 2:x", "2 b DET 0 1:y")
    assert read(sentence) == [["ab/ADP"]]


def test_empty_nodes_are_left_out(read):
    assert read(conllu("1 Ja INTJ 0", "1.1 kommt VERB _", "2 ! PUNCT 1")) == [["Ja/INTJ", "!/PUNCT"]]


def test_spaces_and_joiners_within_forms_are_left_out(read):
    assert read(conllu("1 Việt~Nam PROPN 0", "2 می\u200cروم VERB 1", "3 \u200c X 1")) == [
        ["ViệtNam/PROPN", "میروم/VERB"]
    ]


def test_blanked_sentences_are_left_out_and_counted(data_root):
    sentences = (
        conllu("1 _ NOUN 0", "2 _ VERB 1", "3 . PUNCT 1"),
        conllu("1 _ NOUN 0"),
        conllu("1 _ NOUN 0", "2 a VERB 1", "3 . PUNCT 1"),
    )
    root = data_root({"ud/UD_Some-Test/de_test-ud-train.conllu": "".join(sentences)})
    assert [row.words for row in root.load(UDPOS, Split.TRAIN, "de")] == [("_", "a", ".")]
    assert root.notes(UDPOS, Split.TRAIN, "de") == (
        "udpos: 2 sentences without text (with `_` for its words) left out of de_test-ud-train.conllu",
    )


def test_treebanks_of_a_language_follow_one_another_in_the_order_of_their_files(data_root):
    files = {
        f"ud/{folder}/{name}-ud-test.conllu": conllu(f"1 {name} X 0")
        for folder, name in [("UD_German-A", "de_z"), ("UD_German-Z", "de_a"), ("UD_Low_Saxon-L", "nds_a"),
                             ("UD_Dutch-B", "nl_b")]
    }  # fmt: skip
    rows = data_root(files).load(UDPOS, Split.TEST, "de")
    assert [row.words for row in rows] == [("de_a",), ("de_z",)]
    assert [row.id for row in rows] == ["0", "1"]
    assert data_root({}).languages(UDPOS, Split.TEST) == ("de", "nl")


def test_languages_of_xtreme_are_read_from_version_2_5_and_later_ones_from_2_7(data_root):
    files = {
        f"ud-treebanks-v{version}/UD_X-Y/{code}_y-ud-test.conllu": conllu(f"1 v{version} X 0")
        for version in ("2.5", "2.7")
        for code in ("de", "pl")
    }
    root = data_root(files)
    assert [root.load(UDPOS, Split.TEST, code)[0].words for code in ("de", "pl")] == [("v2.5",), ("v2.7",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\tJa\tINTJ\n", r"conllu:1: expected 10 columns, found 3"),
        (conllu("1 Ja NN 0"), r"conllu:2: tag: 'NN' is not a tag of this task"),
        (conllu("2 Ja INTJ 0"), r"conllu:2: ID: word 2 follows word 0"),
        (conllu("x Ja INTJ 0"), r"conllu:2: ID: 'x' is not the number of a word"),
        (
            conllu("1-3 zum _ _", "1 zu ADP 0", "2 dem DET 1"),
            r"conllu:5: ID: 'zum' spans words 1-3, but the sentence has 2",
        ),
        (conllu("1 Ja INTJ 7"), r"conllu:3: HEAD: word 1 has head 7, but the sentence has 1 word"),
    ],
)
def test_treebank_is_refused_with_file_and_line_when_malformed(read, text, message):
    with pytest.raises(DataError, match=message):
        read(text)


# Real treebanks


def test_every_treebank_has_the_counted_sentences_but_for_blanked_ones(shared_root):
    root = DataRoot(shared_root / "data")
    read = 0
    for split in (Split.DEV, Split.TEST):
        files = sorted((root.path / "ud").glob(f"*/*-ud-{split.value}.conllu"))
        for code in sorted({file.name.partition("_")[0] for file in files}):
            if list((root.path / "udpos").glob(f"{split.value}-{code}.tsv")):
                continue
            own = [file for file in files if file.name.startswith(f"{code}_")]
            sentences = sum(file.read_text(encoding="utf-8").count("\n\n") for file in own)
            assert len(root.load(UDPOS, split, code)) == sentences
            read += 1
    assert read >= 22


def test_words_of_real_treebanks_are_the_surface_words(shared_root):
    """A sentence's text without white space is what its words are without white space."""
    root = DataRoot(shared_root / "data")
    compared = 0
    for code in ("de", "es", "fr", "tr", "fi"):
        path = next((root.path / "ud").glob(f"*/{code}_*-ud-test.conllu"))
        lines = path.read_text(encoding="utf-8").splitlines()
        texts = [line.partition(" = ")[2] for line in lines if line.startswith("# text = ")]
        for text, row in zip(texts, root.load(UDPOS, Split.TEST, code), strict=True):
            assert "".join(row.words) == "".join(text.replace("\u200c", "").split())
            compared += 1
    assert compared == 750


@pytest.mark.parametrize(("code", "sentences", "fused"), [("fr", 60, 42), ("de", 59, 7)])
def test_fused_tokens_have_the_tags_of_xtremes_own_file(shared_root, code, sentences, fused):
    """Newer treebanks than XTREME took: compared are sentences of the same words, at words that are fused somewhere."""
    data = shared_root / "data"
    path = next((data / "ud").glob(f"*/{code}_*-ud-dev.conllu"))
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")]
    forms = {columns[1] for columns in rows if "-" in columns[0] and len(columns) == 10}
    published = read_word_lines(Request((data / "udpos" / f"dev-{code}.tsv",), UDPOS.labels, code))
    tags = {row.words: row.tags for row in published}
    ours = [row for row in read_conllu(Request((path,), UDPOS.labels, code)) if row.words in tags]
    pairs = [
        (ours_tag, its_tag)
        for row in ours
        for word, ours_tag, its_tag in zip(row.words, row.tags, tags[row.words], strict=True)
        if word in forms
    ]
    assert (len(ours), len(pairs)) == (sentences, fused)
    assert all(one == other for one, other in pairs)


def test_blanked_treebank_is_left_out_whole(shared_root, data_root):
    name = "UD_Hindi_English-HIENCS/qhe_hiencs-ud-test.conllu"
    text = (shared_root / "data" / "codeswitch" / name).read_text(encoding="utf-8")
    root = data_root({"ud/UD_Hindi-HIENCS/hi_hiencs-ud-test.conllu": text})
    with pytest.raises(DataError, match=r"hi_hiencs-ud-test\.conllu: holds no examples of udpos in 'hi'"):
        root.load(UDPOS, Split.TEST, "hi")


def test_sentences_left_out_of_several_treebanks_are_not_put_down_to_the_first(data_root):
    blank, kept = conllu("1 _ X 0", "2 _ X 1"), conllu("1 Ja INTJ 0")
    root = data_root({"ud/UD_A/de_a-ud-test.conllu": kept, "ud/UD_B/de_b-ud-test.conllu": kept + blank})
    root.load(UDPOS, Split.TEST, "de")
    assert any("1 sentence without" in note and note.endswith("left out of de_a-ud-test.conllu and 1 more") for note in
               root.notes(UDPOS, Split.TEST, "de"))  # fmt: skip


def test_ancestors_are_counted_as_by_following_every_edge():
    def followed(word, heads):
        seen, waiting = set(), list(heads[word - 1])
        while waiting:
            head = waiting.pop()
            if head not in seen:
                seen.add(head)
                waiting += heads[head - 1] if head else ()
        return len(seen - {word})

    draw = random.Random(5)
    for _ in range(300):
        size = draw.randint(1, 12)
        heads = [set(draw.sample(range(size + 1), draw.randint(0, min(3, size)))) for _ in range(size)]
        words = draw.sample(range(1, size + 1), draw.randint(1, size))
        assert ancestor_counts(heads, words) == {word: followed(word, heads) for word in words}


@pytest.mark.parametrize(
    ("heads", "first"),
    [
        ([{word} for word in range(20_000)], 1),
        ([{word + 2} if word < 19_999 else {1} for word in range(20_000)], 19_999),
        ([{20_000}] * 19_999 + [set(range(20_000))], 20_000),
    ],
    ids=["chain", "circle", "star"],
)
def test_long_chains_are_followed_in_linear_time(heads, first):
    started = time.process_time()
    assert ancestor_counts(heads, range(1, 20_001))[1] == first
    assert time.process_time() - started < 5


def long_sentence(words, span=""):
    rows = [f"{span}\tx\t_\t_\t_\t_\t_\t_\t_\t_\n"] if span else []
    return (
        "".join(rows) + "".join(f"{n}\tx\t_\tX\t_\t_\t{n - 1}\t_\t{n - 1}:a\t_\n" for n in range(1, words + 1)) + "\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (long_sentence(30_000), r"conllu:20001: the sentence goes on after 20,000 words\. Put a blank line"),
        (long_sentence(3, "1-" + "9" * 5000), r"conllu:1: ID: '9{100}\.\.\.' is not the number of a word"),
        (long_sentence(3, "1-999999999"), r"'x' spans words 1-999999999, but the sentence has 3"),
        (long_sentence(1).replace("\t0\t", "\t" + "9" * 5000 + "\t"), r"conllu:1: HEAD: '9{100}\.\.\.' is not"),
        (long_sentence(1).replace("1\tx", "9" * 5000 + "\tx", 1), r"conllu:1: ID: '9{100}\.\.\.' is not the number"),
        ("1-2\ta" + 8 * "\t_" + "\n" + long_sentence(3, "2-3"), r"spans words 2-3, of which an earlier span has 2"),
        (long_sentence(2, "1-7").rstrip("\n"), r"conllu:3: ID: 'x' spans words 1-7, but the sentence has 2"),
    ],
    ids=["long sentence", "long range", "wide range", "long head", "long id", "overlap", "end of the file"],
)  # fmt: skip
def test_sentences_without_end_are_refused_in_one_line(data_root, text, message):
    started = time.process_time()
    with pytest.raises(DataError, match=message) as caught:
        data_root({"ud/UD_A/de_a-ud-dev.conllu": text}).load(UDPOS, Split.DEV, "de")
    assert len(str(caught.value)) < 500
    assert time.process_time() - started < 10


def test_a_long_sentence_with_one_long_span_is_read(data_root):
    root = data_root({"ud/UD_A/de_a-ud-dev.conllu": long_sentence(20_000, "1-20000")})
    assert [row.words for row in root.load(UDPOS, Split.DEV, "de")] == [("x",)]
