import random

import numpy as np
import pytest
from encoded import join_tags, span_text

from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import IGNORED, EncodeSettings
from adaptstilts.encoding.subtokens import frame_of, tokenise, tokenise_with_offsets
from adaptstilts.errors import CheckpointError, ConfigError
from adaptstilts.tasks.examples import (
    Answer,
    Bitext,
    Candidate,
    ChoiceExample,
    MatchExample,
    PairExample,
    Sentence,
    SpanExample,
    TagExample,
)
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Kind, Split

MNLI, HELLASWAG, UDPOS, XQUAD, TATOEBA, LAREQA = (
    get_task(name) for name in ("mnli", "hellaswag", "udpos", "xquad", "tatoeba", "lareqa")
)
LENGTHS = EncodeSettings()
WITH_CONTEXT = EncodeSettings(max_length=384)
WITH_QUERY = EncodeSettings(max_query_length=96)
WORDS = [
    "The",
    "teacher",
    "opened",
    "the",
    "old",
    "library",
    "in",
    "the",
    "morning",
    "老师",
    "नदी",
    "река",
    "1987",
    ".",
]


def text(rng: random.Random, most: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most)))


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_three_rows_of_every_task_become_features_with_targets(data_root, task_files, tiny_tokenizer, task):
    root = data_root(task_files[task.name])
    split = next(split for split in (Split.TRAIN, Split.TEST, Split.DEV) if root.languages(task, split))
    rows = root.load(task, split, root.languages(task, split)[0])
    examples = rows.foreign if isinstance(rows, Bitext) else rows
    encoded = encode(task, examples, tiny_tokenizer, WITH_CONTEXT)
    assert [len(group) for group in encoded.by_example()] == [1] * len(examples)
    is_target = task.kind is not Kind.RETRIEVE and task.pool is None
    assert encoded.kind is task.kind
    for feature in encoded.features:
        assert all(row[0] == tiny_tokenizer.cls_token_id for row in feature.rows)
        assert all(row[-1] == tiny_tokenizer.sep_token_id for row in feature.rows)
        assert (feature.target is not None) == is_target
        assert feature.size == max(len(row) for row in feature.rows)


# Pairs


def test_pair_is_framed_as_xlm_r_frames_it(tiny_tokenizer):
    encoded = encode(MNLI, [PairExample("0", "The teacher", "the river", 1)], tiny_tokenizer, LENGTHS)
    assert list(encoded.features[0].input_ids) == tiny_tokenizer("The teacher", "the river")["input_ids"]
    assert encoded.features[0].target == 1


def test_single_sentence_is_framed_without_a_second(tiny_tokenizer):
    encoded = encode(MNLI, [PairExample("0", "The teacher", None, None)], tiny_tokenizer, LENGTHS)
    assert list(encoded.features[0].input_ids) == tiny_tokenizer("The teacher")["input_ids"]
    assert encoded.features[0].target is None


def test_pairs_are_truncated_as_the_fast_tokenizer_does_and_counted(tiny_tokenizer):
    rng = random.Random(3)
    pairs = [PairExample(str(index), text(rng, 12), text(rng, 12), 0) for index in range(200)]
    for length in (16, 17, 24, 33):
        encoded = encode(MNLI, pairs, tiny_tokenizer, EncodeSettings(max_length=length))
        expected = [
            tiny_tokenizer(pair.first, pair.second, truncation="longest_first", max_length=length)["input_ids"]
            for pair in pairs
        ]
        assert [list(feature.input_ids) for feature in encoded.features] == expected
        whole = [len(tiny_tokenizer(pair.first, pair.second)["input_ids"]) for pair in pairs]
        assert encoded.truncated == sum(size > length for size in whole) > 0


def test_long_single_sentence_is_cut_at_its_end(tiny_tokenizer):
    long = " ".join(WORDS * 5)
    encoded = encode(MNLI, [PairExample("0", long, None, 0)], tiny_tokenizer, EncodeSettings(max_length=20))
    expected = tiny_tokenizer(long, truncation=True, max_length=20)["input_ids"]
    assert list(encoded.features[0].input_ids) == expected
    assert encoded.truncated == 1


# Choices


def test_choices_become_one_row_each_with_the_same_prompt(tiny_tokenizer):
    examples = [
        ChoiceExample("0", "The farmer followed", ("the river", "the letter", "Berlin"), 2),
        ChoiceExample("1", "Anna bought", ("it", "a boat"), None),
    ]
    encoded = encode(HELLASWAG, examples, tiny_tokenizer, LENGTHS)
    assert [len(feature.rows) for feature in encoded.features] == [3, 2]
    assert [feature.target for feature in encoded.features] == [2, None]
    expected = tiny_tokenizer("The farmer followed", "the letter")["input_ids"]
    assert list(encoded.features[0].rows[1]) == expected
    assert encoded.truncated == 0


def test_prompt_is_cut_at_its_start_when_a_choice_does_not_fit(tiny_tokenizer):
    example = ChoiceExample("0", " ".join(WORDS * 4), ("the river ended", "a"), 0)
    encoded = encode(HELLASWAG, [example], tiny_tokenizer, EncodeSettings(max_length=32))
    prompt = tiny_tokenizer(example.prompt, add_special_tokens=False)["input_ids"]
    for row, choice in zip(encoded.features[0].rows, example.choices, strict=True):
        ids = tiny_tokenizer(choice, add_special_tokens=False)["input_ids"]
        kept = prompt[-(32 - 4 - len(ids)) :]
        assert list(row) == [0, *kept, 2, 2, *ids, 2]
    assert encoded.truncated == 1


def test_choice_is_cut_at_its_end_only_when_it_fills_the_row(tiny_tokenizer):
    example = ChoiceExample("0", " ".join(WORDS * 4), (" ".join(WORDS * 4), "a"), 0)
    encoded = encode(HELLASWAG, [example], tiny_tokenizer, EncodeSettings(max_length=32))
    ids = tiny_tokenizer(example.prompt, add_special_tokens=False)["input_ids"]
    assert list(encoded.features[0].rows[0]) == [0, *ids[-7:], 2, 2, *ids[:21], 2]


# Tags


def test_labels_stand_on_first_sub_tokens_only(tiny_tokenizer):
    words = ("The", "bookkeepers", "слово", "老师们")
    encoded = encode(UDPOS, [TagExample("0", words, (1, 2, 3, 4))], tiny_tokenizer, LENGTHS)
    feature = encoded.features[0]
    sizes = [len(tiny_tokenizer(word, add_special_tokens=False)["input_ids"]) for word in words]
    assert max(sizes) > 1
    target, at = [IGNORED], 1
    for tag, size in zip((1, 2, 3, 4), sizes, strict=True):
        target += [tag] + [IGNORED] * (size - 1)
        at += size
    assert list(feature.target) == [*target, IGNORED]
    words_of_tokens = [-1] + [word for word, size in enumerate(sizes) for _ in range(size)] + [-1]
    assert feature.words.tolist() == words_of_tokens


def test_words_give_the_sub_tokens_of_a_split_sentence(tiny_tokenizer):
    words = ("Anna", "bought", "the", "red", "bicycle")
    encoded = encode(UDPOS, [TagExample("0", words, (0, 1, 2, 3, 4))], tiny_tokenizer, LENGTHS)
    expected = tiny_tokenizer(list(words), is_split_into_words=True)["input_ids"]
    assert list(encoded.features[0].input_ids) == expected


def test_long_sentence_is_split_between_words_and_joined_again(tiny_tokenizer):
    rng = random.Random(5)
    examples = []
    for index in range(30):
        words = tuple(rng.choice(WORDS) for _ in range(rng.randint(1, 60)))
        examples.append(TagExample(str(index), words, tuple(rng.randrange(17) for _ in words)))
    encoded = encode(UDPOS, examples, tiny_tokenizer, EncodeSettings(max_length=24))
    assert len(encoded.features) > len(examples)
    assert max(feature.size for feature in encoded.features) <= 24
    assert encoded.truncated == 0
    predictions = [list(feature.target) for feature in encoded.features]
    assert join_tags(encoded, predictions) == [list(example.tags) for example in examples]
    for example, group in zip(examples, encoded.by_example(), strict=True):
        numbers = np.concatenate([encoded.features[index].words for index in group])
        assert np.unique(numbers[numbers >= 0]).tolist() == list(range(len(example.words)))


def test_words_without_or_with_too_many_sub_tokens_become_unknown(tiny_tokenizer):
    words = ("a", "\u200b", "b" * 60)
    encoded = encode(UDPOS, [TagExample("0", words, (0, 1, 2))], tiny_tokenizer, EncodeSettings(max_length=24))
    feature = encoded.features[0]
    unknown = tiny_tokenizer.unk_token_id
    assert [feature.input_ids[position] for position in feature.positions][1:] == [unknown, unknown]
    assert encoded.replaced == 2
    assert join_tags(encoded, [list(feature.target)]) == [[0, 1, 2]]


def test_hidden_tags_leave_no_target(tiny_tokenizer):
    encoded = encode(UDPOS, [TagExample("0", ("a", "b"), None)], tiny_tokenizer, LENGTHS)
    assert encoded.features[0].target is None


# Spans

CONTEXTS = {
    "zh": ("安娜星期五在北京从朋友那里买了一辆红色的自行车。", "北京"),
    "hi": ("किसान नौ दिनों तक नदी के किनारे चलता रहा।", "नौ दिनों"),
    "de": ("Die Ärztin schläft nicht, weil der Zug langsam ist.", "Ärztin"),
    "combining": ("Cafe\u0301 und A\u0308rztin, na\u0308chste Strasse.", "A\u0308rztin"),
    "full width": ("價格是４５０元，不是½元。", "４５０元"),
    "spaces": ("One   two\u00a0three\u3000four\nfive  six", "three\u3000four\nfive"),
    "fraction": ("½ Liter Milch.", "½ Liter"),
    "ligature": ("The ﬁne oﬃce in №5.", "ﬁne oﬃce"),
    "arabic": ("فتح المعلم المكتبة القديمة في الصباح.", "المكتبة القديمة"),
}


def question(context: str, *answers: tuple[str, int], name: str = "0") -> SpanExample:
    return SpanExample(name, "Who?", context, tuple(Answer(*answer) for answer in answers))


@pytest.mark.parametrize("name", CONTEXTS)
def test_answer_comes_back_exactly_from_the_target(tiny_tokenizer, name):
    context, answer = CONTEXTS[name]
    example = question(context, (answer, context.index(answer)))
    encoded = encode(XQUAD, [example], tiny_tokenizer, WITH_CONTEXT)
    start, end = encoded.features[0].target
    found = span_text(encoded, 0, start, end)
    assert answer in found
    assert found == found.strip()
    assert len(found) <= len(answer) + 3


@pytest.mark.parametrize("name", CONTEXTS)
def test_offsets_cover_every_visible_character_once_and_in_order(tiny_tokenizer, name):
    context, _ = CONTEXTS[name]
    encoded = encode(XQUAD, [question(context, (context[:1], 0))], tiny_tokenizer, WITH_CONTEXT)
    feature = encoded.features[0]
    offsets = feature.offsets
    assert offsets.shape == (feature.size, 2)
    assert (offsets[: feature.context_first] == -1).all()
    assert (offsets[-1] == -1).all()
    inside = offsets[feature.context_first : -1]
    assert (inside >= 0).all()
    assert (inside[:, 0] <= inside[:, 1]).all()
    covered = {at for start, end in inside for at in range(start, end)}
    visible = {at for at, character in enumerate(context) if not character.isspace()}
    assert covered >= visible
    for start, end in inside:
        assert context[start:end] == context[start:end].strip()


def test_windows_move_by_the_stride_and_overlap(tiny_tokenizer):
    context = " ".join(WORDS * 12)
    settings = EncodeSettings(max_length=64, doc_stride=20, max_query_length=16)
    encoded = encode(XQUAD, [question(context, ("teacher", 4))], tiny_tokenizer, settings)
    ids, _ = tokenise_with_offsets(tiny_tokenizer, [context])[context]
    query = len(tiny_tokenizer("Who?", add_special_tokens=False)["input_ids"])
    room = 64 - 4 - query
    starts = [0]
    while starts[-1] + room < len(ids):
        starts.append(starts[-1] + 20)
    windows = [list(ids[start : start + room]) for start in starts]
    first = encoded.features[0].context_first
    assert first == query + 3
    assert [list(feature.input_ids)[first:-1] for feature in encoded.features] == windows
    assert all(feature.size <= 64 for feature in encoded.features)


def test_windows_leave_no_gap_when_the_stride_exceeds_them(tiny_tokenizer):
    context = " ".join(WORDS * 12)
    settings = EncodeSettings(max_length=40, doc_stride=500, max_query_length=16)
    encoded = encode(XQUAD, [question(context, ("teacher", 4))], tiny_tokenizer, settings)
    joined = [token for feature in encoded.features for token in list(feature.input_ids)[feature.context_first : -1]]
    assert joined == tiny_tokenizer(context, add_special_tokens=False)["input_ids"]


def test_target_is_no_answer_in_windows_that_lack_part_of_it(tiny_tokenizer):
    context = " ".join(WORDS * 12)
    at = context.rindex("library")
    settings = EncodeSettings(max_length=64, doc_stride=40, max_query_length=16)
    encoded = encode(XQUAD, [question(context, ("library", at))], tiny_tokenizer, settings)
    targets = [feature.target for feature in encoded.features]
    assert targets[0] == (0, 0)
    hits = [index for index, target in enumerate(targets) if target != (0, 0)]
    assert hits
    for index in hits:
        assert span_text(encoded, index, *targets[index]) == "library"
        feature = encoded.features[index]
        assert feature.offsets[targets[index][0], 0] == at


@pytest.mark.parametrize(("answers", "target"), [((), (0, 0)), (None, None)], ids=["unanswerable", "hidden"])
def test_target_is_no_answer_when_unanswerable_and_none_when_hidden(tiny_tokenizer, answers, target):
    example = SpanExample("0", "Who?", "The teacher left.", answers)
    assert encode(XQUAD, [example], tiny_tokenizer, WITH_CONTEXT).features[0].target == target


def test_first_of_several_answers_is_the_target(tiny_tokenizer):
    example = question("The king left at noon.", ("noon", 17), ("at noon", 14))
    encoded = encode(XQUAD, [example], tiny_tokenizer, WITH_CONTEXT)
    assert span_text(encoded, 0, *encoded.features[0].target) == "noon"


def test_white_space_around_an_answer_is_left_aside(tiny_tokenizer):
    encoded = encode(XQUAD, [question("The king left.", (" king ", 3))], tiny_tokenizer, WITH_CONTEXT)
    assert span_text(encoded, 0, *encoded.features[0].target) == "king"


def test_empty_context_gives_one_window_without_answer(tiny_tokenizer):
    encoded = encode(XQUAD, [question("", ("", 0))], tiny_tokenizer, WITH_CONTEXT)
    assert [feature.target for feature in encoded.features] == [(0, 0)]
    assert span_text(encoded, 0, 0, 0) == ""


def test_long_question_is_cut_and_counted(tiny_tokenizer):
    example = SpanExample("0", " ".join(WORDS * 9), "The king left.", (Answer("king", 4),))
    encoded = encode(XQUAD, [example], tiny_tokenizer, EncodeSettings(128, 64, 20))
    assert encoded.truncated == 1
    assert encoded.features[0].context_first == 23
    assert span_text(encoded, 0, *encoded.features[0].target) == "king"


# Retrieval, settings, tokenizer


def test_sentences_are_framed_and_cut(tiny_tokenizer):
    sentences = [Sentence("0", "The river"), Sentence("1", " ".join(WORDS * 5))]
    encoded = encode(TATOEBA, sentences, tiny_tokenizer, EncodeSettings(max_length=16))
    assert list(encoded.features[0].input_ids) == tiny_tokenizer("The river")["input_ids"]
    assert encoded.features[1].size == 16
    assert encoded.truncated == 1


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        (MNLI, EncodeSettings(max_length=8), "max_length: 8 sub-tokens are too few.*Allowed: 16 or more"),
        (XQUAD, EncodeSettings(64, 32, 64), "max_length: 64 sub-tokens are too few.*Allowed: 80 or more"),
        (XQUAD, EncodeSettings(doc_stride=0), "doc_stride: 0 sub-tokens are too few"),
        (XQUAD, EncodeSettings(max_query_length=0), "max_query_length: 0 sub-tokens are too few"),
        (LAREQA, EncodeSettings(max_query_length=15), "max_query_length: 15 sub-tokens are too few.*16 or more"),
    ],
)
def test_encode_is_refused_when_a_length_leaves_no_room(tiny_tokenizer, task, settings, message):
    with pytest.raises(ConfigError, match=message):
        encode(task, [], tiny_tokenizer, settings)


# Dual encoders


def test_query_and_candidate_are_rows_of_their_own_and_equal_candidates_have_one_number(tiny_tokenizer):
    one, two = Candidate("c1", "the river", "Anna bought the river", ("c1",)), Candidate("c2", "a boat", None, ("c2",))
    pairs = [MatchExample(str(at), "Who is it?", item.id, item) for at, item in enumerate((one, two, one))]
    encoded = encode(LAREQA, pairs, tiny_tokenizer, WITH_QUERY)
    assert [feature.target for feature in encoded.features] == [0, 1, 0]
    query = tiny_tokenizer("Who is it?")["input_ids"]
    rows = [[list(row) for row in feature.rows] for feature in encoded.features]
    paired = tiny_tokenizer("the river", "Anna bought the river")["input_ids"]
    assert rows == [[query, paired], [query, tiny_tokenizer("a boat")["input_ids"]], [query, paired]]


def test_pool_and_queries_give_the_rows_that_training_gives(tiny_tokenizer):
    item = Candidate("c1", "the river", "Anna bought the river", ("c1",))
    trained = encode(LAREQA, [MatchExample("0", "Who is it?", "c1", item)], tiny_tokenizer, WITH_QUERY).features[0]
    (candidate,) = encode(LAREQA, [item], tiny_tokenizer, WITH_QUERY).features
    (query,) = encode(LAREQA, [MatchExample("0", "Who is it?", "c1")], tiny_tokenizer, WITH_QUERY).features
    assert trained.rows == (*query.rows, *candidate.rows)
    assert (query.target, candidate.target) == (None, None)


def test_long_queries_and_candidates_are_cut_to_their_own_lengths_as_the_fast_tokenizer_does(tiny_tokenizer):
    rng = random.Random(5)
    texts = [(text(rng, 30), text(rng, 12), text(rng, 30)) for _ in range(60)]
    pairs = [
        MatchExample(str(at), query, str(at), Candidate(str(at), sentence, context, ()))
        for at, (query, sentence, context) in enumerate(texts)
    ]
    encoded = encode(LAREQA, pairs, tiny_tokenizer, EncodeSettings(max_length=33, max_query_length=20))
    cut = 0
    for feature, (query, sentence, context) in zip(encoded.features, texts, strict=True):
        short = tiny_tokenizer(query, truncation=True, max_length=20)["input_ids"]
        pair = tiny_tokenizer(sentence, context, truncation="longest_first", max_length=33)["input_ids"]
        assert [list(row) for row in feature.rows] == [short, pair]
        whole = len(tiny_tokenizer(query)["input_ids"]), len(tiny_tokenizer(sentence, context)["input_ids"])
        cut += whole[0] > 20 or whole[1] > 33
    assert encoded.truncated == cut
    assert 0 < cut < 60


def test_tokenise_cuts_each_distinct_text_once(tiny_tokenizer):
    found = tokenise(tiny_tokenizer, ["a river", "a boat", "a river"])
    assert list(found) == ["a river", "a boat"]
    assert list(found["a boat"]) == tiny_tokenizer("a boat", add_special_tokens=False)["input_ids"]


def test_tokenise_cuts_nothing_off_after_a_call_that_truncates(tiny_tokenizer):
    long = " ".join(WORDS * 3)
    tiny_tokenizer(long, truncation=True, max_length=5, padding="max_length")
    ids = tokenise(tiny_tokenizer, [long])[long]
    with_offsets, _ = tokenise_with_offsets(tiny_tokenizer, [long])[long]
    assert list(ids) == list(with_offsets) == tiny_tokenizer(long, add_special_tokens=False)["input_ids"]


def test_frame_is_refused_when_tokenizer_is_slow():
    class Slow:
        is_fast = False
        cls_token_id = 0
        sep_token_id = 2
        name_or_path = "folder/slow"

    with pytest.raises(CheckpointError, match=r"folder/slow: tokenizer Slow is not a fast tokenizer\. Use the fast"):
        frame_of(Slow())
