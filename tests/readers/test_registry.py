import re
from pathlib import Path

import pytest

from adaptstilts.errors import ConfigError, DataError
from adaptstilts.tasks.examples import Answer, ChoiceExample, PairExample
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split


@pytest.fixture
def read(data_root, task_files):
    """A function that reads a split of a task from its three rows, with some files replaced (None: left out)."""

    def load(task, split, language="en", replaced=None, **options):
        files = {**task_files[task], **(replaced or {})}
        root = data_root({name: text for name, text in files.items() if text is not None}, **options)
        return root.load(get_task(task), split, language)

    return load


# Pairs


def test_mnli_gives_both_sentences_the_class_and_the_publishers_id(read):
    assert read("mnli", Split.TRAIN)[0] == PairExample("1e", "It rained all day.", "It was wet.", 1)
    assert [row.label for row in read("mnli", Split.TRAIN)] == [1, 2, 0]


def test_mnli_leaves_out_rows_without_an_agreed_label(read, task_files):
    text = task_files["mnli"]["mnli/multinli_1.0_train.jsonl"].replace('"neutral"', '"-"')
    assert [row.id for row in read("mnli", Split.TRAIN, replaced={"mnli/multinli_1.0_train.jsonl": text})] == [
        "1e",
        "3c",
    ]


def test_anli_pools_five_parts_whose_letters_mean_the_same_classes(read):
    rows = read("anli", Split.TRAIN)
    assert [row.label for row in rows] == [1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 0, 2, 1, 0, 2]
    assert len({row.id for row in rows}) == 15


def test_snli_is_read_from_parallel_files_when_there_is_no_json(read):
    replaced = {
        "mnli/multinli_1.0_dev_matched.jsonl": None,
        "snli/snli_1.0_dev.jsonl": None,
        **{f"anli/R{part}/dev.jsonl": None for part in (1, 2, 3)},
        "snli/s1.dev": "A dog runs . \nA dog runs . \n",
        "snli/s2.dev": "It moves .\nIt sleeps .\n",
        "snli/labels.dev": "entailment\ncontradiction\n",
    }
    assert read("anli", Split.DEV, replaced=replaced) == [
        PairExample("0", "A dog runs .", "It moves .", 1),
        PairExample("1", "A dog runs .", "It sleeps .", 0),
    ]


def test_qqp_takes_quotation_marks_as_they_are(read):
    rows = read("qqp", Split.TRAIN)
    assert rows[0] == PairExample("0", 'What is "tea"?', "What does tea mean?", 1)
    assert rows[1].first == '"Why" is it late?'


@pytest.mark.parametrize(
    "broken",
    [
        '7\t8\t9\t"Was he real?\n"\tDid he live?\t1\n',
        '7\t8\t9\tWas he real?\t"Did\n\nhe live?"\t1\n',
        '7\t8\t9\t"Was\nhe\nreal?"\tDid he live?\t1\n',
    ],
    ids=["first question", "second question", "over three lines"],
)
def test_qqp_leaves_out_records_that_a_line_end_inside_a_question_breaks(read, task_files, broken):
    header, first, *rest = task_files["qqp"]["qqp/train.tsv"].splitlines(keepends=True)
    rows = read("qqp", Split.TRAIN, replaced={"qqp/train.tsv": header + first + broken + "".join(rest)})
    assert [row.first for row in rows] == ['What is "tea"?', '"Why" is it late?', "Who came?"]
    assert [row.label for row in rows] == [1, 0, 0]


def test_xnli_undoes_csv_quoting_and_carriage_returns(read):
    rows = read("xnli", Split.DEV, "de")
    assert rows[0] == PairExample("0", "Es regnet.", "Es ist nass.", 1)
    assert rows[1].first == 'Er sagte "ja" zu ihr.'
    assert [row.label for row in rows] == [1, 2, 0]


def test_xnli_keeps_doubled_quotes_when_read_as_xtreme_does(read):
    rows = read("xnli", Split.DEV, "de", quoting="xtreme")
    assert rows[1].first == '"Er sagte ""ja"" zu ihr."'
    assert [row.label for row in rows] == [1, 2, 0]


def test_xnli_test_has_hidden_labels_when_it_has_two_columns(read):
    rows = read("xnli", Split.TEST, "de", {"xnli/test-de.tsv": "Ja.\tNein.\r\nEins.\tZwei.\r\n"})
    assert [row.label for row in rows] == [None, None]


def test_xnli_test_takes_labels_from_the_file_beside_it(read):
    replaced = {"xnli/test-de.tsv": "Ja.\tNein.\r\nEins.\tZwei.\r\n", "xnli/test-labels.txt": "neutral\nentailment\n"}
    assert [row.label for row in read("xnli", Split.TEST, "de", replaced)] == [2, 1]


def test_pawsx_reads_digits_as_classes(read):
    assert [row.label for row in read("pawsx", Split.TRAIN)] == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ja.\tNein.\tneutral\r\nEins.\r\n", r"dev-de\.tsv:2: expected 3 columns, found 1"),
        ("Ja.\r\n", r"dev-de\.tsv:1: expected 2 or 3 columns, found 1"),
        ("Ja.\tNein.\tneutral\r\nA.\tB.\tentailmnet\r\n",
         r"dev-de\.tsv:2: label: 'entailmnet' is not a label of this task\. Did you mean 'entailment'\?"),
        ('"Ja\tNein.\tneutral\nEins\tZwei\tneutral\n', r"dev-de\.tsv:1: .*quoting=xtreme to read it unchanged"),
        ('"Ja" sagte er\tNein.\tneutral\n', r"dev-de\.tsv:1: broken quoting.*quoting=xtreme"),
        ("", r"dev-de\.tsv: holds no examples of xnli in 'de'"),
    ],
    ids=["too few", "too few in the first row", "bad label", "unclosed", "text after quote", "empty"],
)  # fmt: skip
def test_table_of_pairs_is_refused_with_file_and_line_when_malformed(read, text, message):
    with pytest.raises(DataError, match=message):
        read("xnli", Split.DEV, "de", {"xnli/dev-de.tsv": text})


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("neutral\n", r"test-labels\.txt:1: has 1 label, test-de\.tsv has more rows"),
        ("neutral\nneutral\nneutral\n", r"test-labels\.txt:3: has 3 labels for 2 rows of test-de\.tsv"),
        ("neutral\nyes\n", r"test-labels\.txt:2: label: 'yes' is not a label"),
    ],
)
def test_labels_beside_a_table_are_refused_when_they_do_not_fit(read, labels, message):
    with pytest.raises(DataError, match=message):
        read("xnli", Split.TEST, "de", {"xnli/test-de.tsv": "A\tB\nC\tD\n", "xnli/test-labels.txt": labels})


def test_labels_beside_a_table_are_refused_when_the_table_says_otherwise(read):
    replaced = {"xnli/test-labels.txt": "entailment\nneutral\nneutral\n"}
    with pytest.raises(
        DataError, match=r"test-de\.tsv:3: label: 'contradiction' here but 'neutral' in test-labels\.txt"
    ):
        read("xnli", Split.TEST, "de", replaced)


def test_table_is_refused_when_quoting_is_not_a_known_way_to_read(read):
    with pytest.raises(
        ConfigError, match=r"quoting: 'raw' is not a value of this reader option.*Allowed: clean, xtreme"
    ):
        read("xnli", Split.DEV, "de", quoting="raw")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id\tquestion1\tis_duplicate\n", r"train\.tsv:1: question2: no such column. Did you mean 'question1'"),
        ("question1\tquestion2\tis_duplicate\nA?\tB?\n", r"train\.tsv:2: expected 3 columns, found 2"),
        ("question1\tquestion2\tis_duplicate\nA?\tB?\nC?\tD?\n", r"train\.tsv:2: expected 3 columns, found 2"),
        ('question1\tquestion2\tis_duplicate\nA?\t"B?\n', r"train\.tsv:2: expected 3 columns, found 2"),
        ('question1\tquestion2\tis_duplicate\nA?\t"B?\nC?\tD?\t1\n', r"train\.tsv:2: expected 3 columns, found 2"),
        ("question1\tquestion2\tis_duplicate\nA?\tB?\t1\t1\n", r"train\.tsv:2: expected 3 columns, found 4"),
        ("question1\tquestion2\tis_duplicate\nA?\tB?\t2\n", r"train\.tsv:2: is_duplicate: '2' is not a label"),
        ("", r"train\.tsv: holds no examples of qqp"),
    ],
)
def test_qqp_is_refused_with_line_when_malformed(read, text, message):
    with pytest.raises(DataError, match=message):
        read("qqp", Split.TRAIN, replaced={"qqp/train.tsv": text})


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"train\.jsonl:2: not JSON \(.* at column 2\)"),
        ("[1]", r"train\.jsonl:2: expected a JSON object, found list"),
        ('{"gold_label": "neutral", "sentence1": "A"}', r"train\.jsonl:2: sentence2: missing.*'sentence1'"),
        ('{"gold_label": 1}', r"train\.jsonl:2: gold_label: expected text, found 1"),
        ('{"gold_label": "e", "sentence1": "A", "sentence2": "B"}', r"train\.jsonl:2: label: 'e' is not a label"),
    ],
)
def test_json_pairs_are_refused_with_line_when_malformed(read, task_files, line, message):
    name = "mnli/multinli_1.0_train.jsonl"
    first = task_files["mnli"][name].splitlines()[0]
    with pytest.raises(DataError, match=message):
        read("mnli", Split.TRAIN, replaced={name: f"{first}\n{line}\n"})


def test_parallel_files_are_refused_when_one_is_shorter(read):
    replaced = {
        "snli/snli_1.0_dev.jsonl": None,
        "snli/s1.dev": "A\nB\n",
        "snli/s2.dev": "C\n",
        "snli/labels.dev": "neutral\nneutral\n",
    }
    with pytest.raises(DataError, match=r"s2\.dev:1: has 1 line, fewer than the parallel files"):
        read("anli", Split.DEV, replaced=replaced)


# Multiple choice


def test_hellaswag_puts_the_opening_of_the_sentence_before_each_ending(read):
    rows = read("hellaswag", Split.TRAIN)
    assert rows[0] == ChoiceExample("4", "A man runs.", ("he falls.", "he flies.", "he reads.", "he melts."), 0)
    assert rows[1].choices[0] == "Then eats."
    assert rows[1].label == 3


def test_hellaswag_takes_the_whole_context_when_it_is_not_split(read):
    assert read("hellaswag", Split.TRAIN)[2] == ChoiceExample("9", "A bird sits. it", ("sings.", "types."), 1)


def test_cosmosqa_joins_context_and_question_and_reads_quoted_line_ends(read):
    rows = read("cosmosqa", Split.TRAIN)
    assert rows[0].prompt == "I was late, so\nI ran . Why did I run ?"
    assert rows[0].choices == ('I was "late" .', "No", "Maybe", "None of the above choices .")
    assert [row.label for row in rows] == [0, 1, 3]


def test_commonsenseqa_turns_letters_into_positions(read):
    rows = read("commonsenseqa", Split.TRAIN)
    assert rows[1] == ChoiceExample("s1", "Who flies?", ("a-1", "b-1", "c-1", "d-1", "e-1"), 4)


@pytest.mark.parametrize(
    ("task", "name", "text", "message"),
    [
        ("hellaswag", "hellaswag/hellaswag_train.jsonl", '{"ctx": "A", "endings": ["b", "c"], "label": 2}\n',
         r"train\.jsonl:1: label: '2' is not a label.*Allowed: 0, 1"),
        ("hellaswag", "hellaswag/hellaswag_train.jsonl", '{"ctx": "A", "endings": ["b"], "label": 0}\n',
         r"train\.jsonl:1: endings: expected a list of at least two texts, found \['b'\]"),
        ("cosmosqa", "cosmosqa/train.csv", "id,context,question,answer0,answer1,answer2,label\n",
         r"train\.csv:1: answer3: no such column"),
        ("cosmosqa", "cosmosqa/train.csv",
         "id,context,question,answer0,answer1,answer2,answer3,label\n1,a,b,c,d,e,f,4\n",
         r"train\.csv:2: label: '4' is not a label.*Allowed: 0, 1, 2, 3"),
        ("cosmosqa", "cosmosqa/train.csv",
         "id,context,question,answer0,answer1,answer2,answer3,label\n1,a,b,c\n",
         r"train\.csv:2: expected 8 columns, found 4"),
        ("commonsenseqa", "commonsenseqa/train_rand_split.jsonl", '{"question": {"stem": "A", "choices": [1, 2]}}\n',
         r"split\.jsonl:1: choices: expected objects with label and text"),
        ("commonsenseqa", "commonsenseqa/train_rand_split.jsonl", '{"question": {"stem": "A"}}\n',
         r"split\.jsonl:1: question: expected an object with a list of choices"),
        ("commonsenseqa", "commonsenseqa/train_rand_split.jsonl", '{"question": {"stem": "A", "choices": [1, "b"]}}\n',
         r"split\.jsonl:1: choices: expected objects with label and text"),
        ("commonsenseqa", "commonsenseqa/train_rand_split.jsonl",
         '{"answerKey": "A", "question": {"stem": "A", "choices": [{"label": "A", "text": "x"}, '
         '{"label": "A", "text": "y"}]}}\n',
         r"split\.jsonl:1: choices: two choices have the same label"),
        ("commonsenseqa", "commonsenseqa/train_rand_split.jsonl",
         '{"answerKey": "C", "question": {"stem": "A", "choices": [{"label": "A", "text": "x"}, '
         '{"label": "B", "text": "y"}]}}\n',
         r"split\.jsonl:1: answerKey: 'C' is not a label.*Allowed: A, B"),
    ],
)  # fmt: skip
def test_multiple_choice_is_refused_with_line_when_malformed(read, task, name, text, message):
    with pytest.raises(DataError, match=message):
        read(task, Split.TRAIN, replaced={name: text})


# Tags


def test_udpos_reads_sentences_between_blank_lines(read):
    rows = read("udpos", Split.DEV, "de")
    assert [row.words for row in rows] == [("Hunde", "bellen", "."), ("Ja", "!"), ("sie",)]
    labels = get_task("udpos").labels
    assert [labels[tag] for tag in rows[0].tags] == ["NOUN", "VERB", "PUNCT"]


def test_panx_reads_the_last_sentence_when_no_blank_line_follows(read):
    rows = read("panx", Split.DEV, "de", {"panx/dev-de.tsv": "in\tO\n\n\nBern\tB-LOC"})
    assert [row.words for row in rows] == [("in",), ("Bern",)]


def test_udpos_test_has_hidden_tags_when_it_has_one_column(read):
    rows = read("udpos", Split.TEST, "de", {"udpos/test-de.tsv": "Hunde\nbellen\n\nJa\n\n"})
    assert [(row.words, row.tags) for row in rows] == [(("Hunde", "bellen"), None), (("Ja",), None)]


def test_words_keep_characters_that_python_takes_for_line_ends(read):
    rows = read("udpos", Split.DEV, "de", {"udpos/dev-de.tsv": "a\u2028b\tX\nc\x85d\tX\n\n"})
    assert rows[0].words == ("a\u2028b", "c\x85d")


def test_ccg_learns_its_tags_from_all_its_files(read, data_root, task_files):
    root = data_root(task_files["ccg"])
    labels = root.labels(get_task("ccg"))
    assert labels == tuple(sorted({"NP/N", "N", "S\\NP", "NP", "S", "(S\\NP)\\(S\\NP)"}))
    rows = read("ccg", Split.DEV)
    assert rows[1].words == ("Cats", "run", "fast")
    assert [labels[tag] for tag in rows[1].tags] == ["NP", "S\\NP", "(S\\NP)\\(S\\NP)"]


@pytest.mark.parametrize(
    ("task", "name", "text", "message"),
    [
        ("udpos", "udpos/dev-de.tsv", "Hunde\tNOUN\nbellen\n", r"dev-de\.tsv:2: expected 2 columns, found 1"),
        ("udpos", "udpos/dev-de.tsv", "Hunde\tNOUN\tx\n", r"dev-de\.tsv:1: expected 1 or 2 columns, found 3"),
        (
            "udpos",
            "udpos/dev-de.tsv",
            "Hunde\tNOUNS\n",
            r"dev-de\.tsv:1: tag: 'NOUNS' is not a tag of this task\. Did you mean 'NOUN'",
        ),
        ("panx", "panx/dev-de.tsv", "\tO\n", r"dev-de\.tsv: holds no examples of panx in 'de'"),
        ("panx", "panx/dev-de.tsv", "\n\n", r"dev-de\.tsv: holds no examples of panx in 'de'"),
    ],
)
def test_word_lines_are_refused_with_line_when_malformed(read, task, name, text, message):
    with pytest.raises(DataError, match=message):
        read(task, Split.DEV, "de", {name: text})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b\tX\n", r"ccg\.dev:1: 2 words but 1 tag"),
        ("a X\n", r"ccg\.dev:1: expected 2 columns, found 1"),
    ],
)
def test_ccg_is_refused_with_line_when_malformed(read, text, message):
    with pytest.raises(DataError, match=message):
        read("ccg", Split.DEV, replaced={"ccg/ccg.dev": text})


# Spans


def test_xquad_counts_offsets_in_characters(read):
    rows = read("xquad", Split.TEST, "zh")
    assert rows[1].answers == (Answer("शिक्षक", 0),)
    assert rows[2].answers == (Answer("noon", 17), Answer("at noon", 14))


def test_squad2_gives_no_answers_when_question_is_unanswerable(read):
    assert [row.answers for row in read("squad2", Split.TRAIN)] == [
        (Answer("noon", 17),),
        (),
        (Answer("The queen", 0),),
    ]


@pytest.mark.parametrize("answers", [None, [("", 0)]], ids=["missing", "blank"])
def test_squad_file_has_hidden_answers_when_all_are_missing_or_blank(read, make_squad, answers):
    text = make_squad(("Ctx.", "Q?", answers), ("Ctx.", "R?", answers))
    rows = read("xquad", Split.TEST, "zh", {"xquad/xquad.zh.json": text})
    assert [row.answers for row in rows] == [None, None]


def test_squad_file_makes_ids_unique_by_position_when_they_repeat(read, make_squad):
    text = make_squad(("A b.", "Q?", [("b", 2)]), ("A c.", "R?", [("c", 2)])).replace('"q1"', '"q0"')
    rows = read("xquad", Split.TEST, "zh", {"xquad/xquad.zh.json": text})
    assert [row.id for row in rows] == ["q0#0", "q0#1"]


def test_squad_file_is_refused_with_both_texts_when_an_offset_is_wrong(read, make_squad):
    text = make_squad(("The king left.", "Who?", [("king", 3)]))
    message = r"xquad\.zh\.json:1: q0: the answer is 'king', but the context has ' kin' at offset 3"
    with pytest.raises(DataError, match=message):
        read("xquad", Split.TEST, "zh", {"xquad/xquad.zh.json": text})


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([[("", 0)], [("b", 2)]], "q0: this answer is blank, others in the file are not"),
        ([[], [("b", 2)]], "q0: has no answer.*This task has no unanswerable questions"),
        ([[("b", -1)]], "q0: answer_start is -1"),
        ([[("b", "2")]], "q0: answer_start is '2'"),
        ([[("b", True)]], "q0: answer_start is true.*counts characters from 0"),
    ],
)
def test_squad_file_is_refused_with_id_when_an_answer_is_malformed(read, make_squad, answers, message):
    text = make_squad(*(("A b.", "Q?", item) for item in answers))
    with pytest.raises(DataError, match=message):
        read("xquad", Split.TEST, "zh", {"xquad/xquad.zh.json": text})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"data": [\n{]}', r"xquad\.zh\.json:2: not JSON"),
        ('{"rows": []}', r"xquad\.zh\.json:1: data: expected a list.*SQuAD's format"),
        (
            '{"data": [{"paragraphs": [{"context": "A", "qas": [{}]}]}]}',
            r"xquad\.zh\.json:1: qas: a question without an id",
        ),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"xquad\.zh\.json:1: context: missing"),
        ('{"data": [{"paragraphs": ["A"]}]}', r"xquad\.zh\.json:1: context: expected a JSON object, found 'A'"),
        (
            '{"data": [{"paragraphs": [{"context": "A", "qas": [{"id": "q0", "answers": {"text": ["A"]}}]}]}]}',
            r"xquad\.zh\.json:1: q0: expected a list of answers, found {'text': \['A'\]}.*Write a list such as",
        ),
        (
            '{"data": [{"paragraphs": [{"context": "A", "qas": [{"id": "q0", "answers": ["A"]}]}]}]}',
            r"xquad\.zh\.json:1: q0: expected a list of answers, found \['A'\]",
        ),
        ('{"data": []}', r"xquad\.zh\.json: holds no examples"),
        ("[" * 100_000, r"xquad\.zh\.json:1: the JSON is nested too deeply to be read"),
    ],
)
def test_squad_file_is_refused_when_it_has_another_form(read, text, message):
    with pytest.raises(DataError, match=message):
        read("xquad", Split.TEST, "zh", {"xquad/xquad.zh.json": text})


# Retrieval


def test_bucc_reads_ids_sentences_and_gold_pairs(read):
    bitext = read("bucc2018", Split.TEST, "de")
    assert [sentence.id for sentence in bitext.foreign] == ["de-1", "de-2", "de-3"]
    assert bitext.english[1].text == "Hello world"
    assert bitext.gold == {("de-1", "en-2"), ("de-2", "en-1")}


def test_bucc_has_hidden_gold_when_there_is_no_file_of_pairs(read):
    assert read("bucc2018", Split.TEST, "de", {"bucc2018/de-en.test.gold": None}).gold is None


def test_tatoeba_pairs_lines_with_the_same_number(read):
    bitext = read("tatoeba", Split.TEST, "de")
    assert bitext.language == "de"
    assert bitext.foreign[1].text == "Es regnet"
    assert bitext.gold == {("0", "0"), ("1", "1"), ("2", "2")}


@pytest.mark.parametrize(("english", "hidden"), [("Good day\nI go\nIt rains\n", True), ("It\nGood\nI\n", False)])
def test_tatoeba_in_xtremes_layout_has_hidden_gold_when_english_is_sorted(read, english, hidden):
    replaced = {
        "tatoeba/tatoeba.deu-eng.deu": None,
        "tatoeba/de-en.de": "Eins\nZwei\nDrei\n",
        "tatoeba/de-en.en": english,
    }
    assert (read("tatoeba", Split.TEST, "de", replaced).gold is None) == hidden


@pytest.mark.parametrize(
    ("task", "name", "text", "message"),
    [
        ("bucc2018", "bucc2018/de-en.test.gold", "", r"test\.gold: holds no pairs\. Remove an empty file"),
        ("bucc2018", "bucc2018/de-en.test.gold", "de-1\ten-9\n", r"gold:1: no sentence has id 'en-9'"),
        ("bucc2018", "bucc2018/de-en.test.en", "en-1\tA\nen-1\tB\n", r"test\.en:2: id 'en-1' occurs twice"),
        ("bucc2018", "bucc2018/de-en.test.de", "de-1 A\n", r"test\.de:1: expected 2 columns, found 1"),
        ("tatoeba", "tatoeba/tatoeba.deu-eng.eng", "A\n \nC\n", r"eng:2: is blank\. Lines are paired by their numbers"),
        ("tatoeba", "tatoeba/tatoeba.deu-eng.deu", "\nB\nC\n", r"deu:1: is blank\. Lines are paired by their numbers"),
        ("tatoeba", "tatoeba/tatoeba.deu-eng.eng", "A\n", r"deu:2: has 3 lines, tatoeba\.deu-eng\.eng has 1"),
    ],
)
def test_retrieval_files_are_refused_when_malformed(read, task, name, text, message):
    with pytest.raises(DataError, match=message):
        read(task, Split.TEST, "de", {name: text})


def test_retrieval_files_are_refused_when_empty(read):
    replaced = {"tatoeba/tatoeba.deu-eng.deu": "", "tatoeba/tatoeba.deu-eng.eng": ""}
    with pytest.raises(DataError, match=r"tatoeba\.deu-eng\.deu: holds no sentences of tatoeba"):
        read("tatoeba", Split.TEST, "de", replaced)


# All files


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_byte_order_mark_is_no_part_of_the_first_column(read, mark):
    rows = read("xnli", Split.DEV, "de", {"xnli/dev-de.tsv": mark + "Öl.\tFett.\tneutral\r\n".encode()})
    assert rows[0].first == "Öl."


def test_file_is_refused_with_line_when_it_is_not_utf8(read):
    text = b"Ja.\tNein.\tneutral\n" + "Öl.\tFett.\tneutral\n".encode("latin-1")
    with pytest.raises(DataError, match=r"dev-de\.tsv:2: byte 0xd6 is not UTF-8 .*Convert the file to UTF-8"):
        read("xnli", Split.DEV, "de", {"xnli/dev-de.tsv": text})


def test_file_is_refused_when_it_cannot_be_opened(tmp_path: Path):
    from adaptstilts.readers.lines import text_lines

    with pytest.raises(DataError, match=r"gone\.txt: cannot be read: No such file or directory"):
        list(text_lines(tmp_path / "gone.txt"))


# Social IQa, COPA, XCOPA


def test_siqa_asks_the_question_after_the_context_and_knows_letters(read):
    rows = read("siqa", Split.TRAIN)
    assert rows[1] == ChoiceExample("1", "Ann met Bo by the sea. How did Bo feel?", ("glad", "sad", "late"), 2)
    assert [row.label for row in rows] == [0, 2, 1]


def test_siqa_is_read_from_hub_columns_and_from_the_publishers_two_files(read, task_files, tmp_path):
    name = "siqa/socialIQa_v1.4_trn.jsonl"
    letters = task_files["siqa"][name]
    numbers = letters
    for letter, number in zip("ABC", "123", strict=True):
        numbers = numbers.replace(f'"correct": "{letter}"', f'"label": "{number}"')
    bare = re.sub(r', "correct": "."', "", letters)
    published = {"socialiqa-train-dev/train.jsonl": bare, "socialiqa-train-dev/train-labels.lst": "1\n3\n2\n"}
    rows = read("siqa", Split.TRAIN)
    assert read("siqa", Split.TRAIN, replaced={name: numbers}) == rows
    assert {row.label for row in read("siqa", Split.TRAIN, replaced={name: bare})} == {None}
    (tmp_path / name).unlink()
    assert read("siqa", Split.TRAIN, replaced={name: None, **published}) == rows


@pytest.mark.parametrize("labels", ["1\n3\n", "1\n3\n2\n1\n"])
def test_siqa_refuses_another_number_of_labels(read, task_files, labels):
    name = "siqa/socialIQa_v1.4_trn.jsonl"
    files = {name: None, "siqa/train.jsonl": task_files["siqa"][name], "siqa/train-labels.lst": labels}
    with pytest.raises(DataError, match=r"train-labels\.lst:\d: has \d labels for 3 questions of train\.jsonl"):
        read("siqa", Split.TRAIN, replaced=files)


def test_xcopa_asks_for_cause_or_effect_in_english(read):
    rows = read("xcopa", Split.TEST, "et")
    assert rows[1] == ChoiceExample("5", "The cup broke. What was the cause?", ("It was full.", "It fell."), 1)
    assert rows[0].prompt == "It rained. What was the effect?"
    assert read("copa", Split.TRAIN) == rows


def test_xcopa_of_xtremes_download_hides_its_test_labels_and_keeps_those_of_dev(read, task_files):
    text = task_files["copa"]["xcopa/train-en.jsonl"]
    blanked = text.replace('"label": 1', '"label": 0')
    files = {"xcopa/data/et/test.et.jsonl": None, "xcopa/data/et/val.et.jsonl": None, "xcopa/val-et.jsonl": blanked}
    hidden = read("xcopa", Split.TEST, "et", {**files, "xcopa/test-et.jsonl": blanked})
    shown = read("xcopa", Split.TEST, "et", {**files, "xcopa/test-et.jsonl": text})
    assert [row.label for row in hidden] == [None, None, None]
    assert [row.label for row in shown] == [0, 1, 0]
    assert [row.label for row in read("xcopa", Split.DEV, "et", files)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("task", "name", "old", "new", "message"),
    [
        ("siqa", "siqa/socialIQa_v1.4_trn.jsonl", '"C"', '"D"', r"trn\.jsonl:2: correct: 'D' is not a label.*A, B, C"),
        (
            "copa",
            "xcopa/train-en.jsonl",
            '"effect"',
            '"reason"',
            r"train-en\.jsonl:1: question: 'reason' is not a question",
        ),
        ("copa", "xcopa/train-en.jsonl", '"label": 1', '"label": 2', r"train-en\.jsonl:2: label: '2' is not a label"),
        (
            "copa",
            "xcopa/train-en.jsonl",
            '"choice2": "He sat."',
            '"choice3": ""',
            r"train-en\.jsonl:3: choice2: missing",
        ),
    ],
)
def test_siqa_and_copa_name_file_and_line_when_a_record_is_broken(read, task_files, task, name, old, new, message):
    broken = task_files[task][name].replace(old, new)
    with pytest.raises(DataError, match=message):
        read(task, Split.TRAIN, replaced={name: broken})
