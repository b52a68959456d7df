import unicodedata

import numpy as np
import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.decode import (
    SpanScore,
    Window,
    answer_question,
    best_spans,
    decode_choices,
    decode_classes,
    decode_tags,
    merge_windows,
)
from adaptstilts.models.backbone import load_tokenizer
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.shipped import mini_backbone_folder
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

CONTEXT = "Anna saw a red fox."
# <s> question </s> Anna saw a red fox . </s>
OFFSETS = np.array([[-1, -1], [-1, -1], [-1, -1], [0, 4], [5, 8], [9, 10], [11, 14], [15, 18], [18, 19], [-1, -1]])


def logits(**values: float) -> np.ndarray:
    """Zeros for every token, but for those named ``t<position>``."""
    array = np.zeros(len(OFFSETS), dtype=np.float32)
    for name, value in values.items():
        array[int(name[1:])] = value
    return array


def spans_by_hand(
    start: np.ndarray, end: np.ndarray, offsets: np.ndarray, max_length: int, n_best: int
) -> list[tuple[int, int, float]]:
    """Every span one by one."""
    found = [
        (-(float(start[first]) + float(end[last])), first, last)
        for first in range(len(start))
        for last in range(first, min(len(start), first + max_length))
        if offsets[first, 0] >= 0 and offsets[last, 0] >= 0 and offsets[last, 1] > offsets[first, 0]
    ]
    return [(int(offsets[i, 0]), int(offsets[j, 1]), -score) for score, i, j in sorted(found)[:n_best]]


def test_decode_classes_takes_the_highest_and_the_lowest_index_of_equal_ones():
    assert decode_classes(np.array([[0.1, 0.7, 0.2], [0.5, 0.1, 0.5]])) == [1, 0]


def test_decode_classes_raises_naming_the_shape_when_it_is_not_a_table():
    with pytest.raises(EvaluationError, match=r"shape \(3,\).*Allowed: \(examples, classes\)"):
        decode_classes(np.zeros(3))


def test_decode_classes_raises_when_a_logit_is_not_a_number():
    with pytest.raises(EvaluationError, match="not a number"):
        decode_classes(np.array([[0.0, np.nan]]))


def test_decode_choices_allows_examples_with_different_numbers_of_choices():
    assert decode_choices([np.array([0.1, 0.9]), np.array([1.0, 2.0, 3.0, 0.0])]) == [1, 2]


def test_decode_tags_reads_the_first_sub_token_of_each_word():
    word_of_token = np.array([-1, 0, 0, 1, 2, -1])
    labels = np.eye(4)[[3, 1, 2, 0, 3, 3]]
    assert decode_tags([(labels, word_of_token)], 3) == [1, 0, 3]


def test_decode_tags_rejoins_the_parts_of_a_long_sentence_and_trusts_the_first():
    first = (np.eye(3)[[0, 1, 2]], np.array([-1, 0, 1]))
    second = (np.eye(3)[[0, 0, 1]], np.array([-1, 1, 2]))
    assert decode_tags([first, second], 3) == [1, 2, 1]


def test_decode_tags_raises_when_a_word_has_no_sub_token():
    with pytest.raises(EvaluationError, match=r"word 1 \(counted from 0\) of 2 has no sub-token"):
        decode_tags([(np.zeros((2, 3)), np.array([-1, 0]))], 2)


def test_decode_tags_raises_when_a_word_number_is_out_of_range():
    with pytest.raises(EvaluationError, match="belongs to word 5"):
        decode_tags([(np.zeros((2, 3)), np.array([0, 5]))], 2)


def test_decode_tags_raises_when_shapes_disagree():
    with pytest.raises(EvaluationError, match=r"\(2, 3\) do not fit word numbers of shape \(3,\)"):
        decode_tags([(np.zeros((2, 3)), np.array([0, 1, 1]))], 2)


def test_best_spans_orders_by_sum_of_logits():
    spans = best_spans(logits(t5=2, t6=3), logits(t7=4, t8=1.5), OFFSETS, n_best=3)
    assert spans == [SpanScore(11, 18, 7.0), SpanScore(9, 18, 6.0), SpanScore(11, 19, 4.5)]


def test_best_spans_leaves_out_the_question_and_spans_that_end_before_they_start():
    spans = best_spans(logits(t0=50, t1=50, t7=1), logits(t2=50, t9=50, t4=1), OFFSETS, n_best=100)
    assert len(spans) == 6 * 7 / 2
    assert spans[0] == SpanScore(0, 8, 1.0)


def test_best_spans_keeps_to_the_longest_length():
    spans = best_spans(logits(t3=5), logits(t8=5), OFFSETS, max_length=2, n_best=100)
    assert {(span.start_char, span.end_char) for span in spans} == {
        *((0, 4), (5, 8), (9, 10), (11, 14), (15, 18), (18, 19)),
        *((0, 8), (5, 10), (9, 14), (11, 18), (15, 19)),
    }


def test_best_spans_breaks_ties_by_start_then_by_length():
    spans = best_spans(logits(), logits(), OFFSETS, max_length=2, n_best=3)
    assert spans == [SpanScore(0, 4, 0.0), SpanScore(0, 8, 0.0), SpanScore(5, 8, 0.0)]


def test_best_spans_leaves_out_spans_without_characters():
    offsets = np.array([[0, 0], [0, 3], [3, 3], [3, 3]])
    zeros = np.zeros(4)
    assert {span[:2] for span in best_spans(zeros, zeros, offsets)} == {(0, 3)}


def test_best_spans_is_empty_without_context():
    assert best_spans(np.zeros(2), np.zeros(2), np.full((2, 2), -1)) == []


def test_best_spans_never_returns_tokens_ruled_out_by_minus_infinity():
    start = np.full(len(OFFSETS), -np.inf)
    start[4] = 1.0
    assert {span.start_char for span in best_spans(start, logits(), OFFSETS)} == {5}


def test_best_spans_equals_trying_every_span():
    rng = np.random.default_rng(7)
    for _ in range(20):
        tokens = 60
        first = np.cumsum(rng.integers(0, 4, tokens))
        offsets = np.stack([first, first + rng.integers(0, 3, tokens)], axis=1)
        offsets[:9] = offsets[-3:] = -1
        start, end = rng.integers(-5, 5, (2, tokens)).astype(np.float32)
        assert best_spans(start, end, offsets, 7, 20) == spans_by_hand(start, end, offsets, 7, 20)


def test_best_spans_raises_naming_all_shapes_when_they_disagree():
    with pytest.raises(EvaluationError, match=r"\(10,\), \(9,\) and \(10, 2\).*Allowed: \(tokens,\)"):
        best_spans(logits(), logits()[:9], OFFSETS)


def test_best_spans_raises_when_a_logit_is_not_a_number():
    with pytest.raises(EvaluationError, match="not a number"):
        best_spans(logits(t4=np.nan), logits(), OFFSETS)


def test_best_spans_raises_when_a_limit_is_below_one():
    with pytest.raises(EvaluationError, match="up to 0 tokens"):
        best_spans(logits(), logits(), OFFSETS, max_length=0)


def test_merge_windows_keeps_the_highest_score_of_a_span_once():
    merged = merge_windows(
        [[SpanScore(0, 4, 1.0), SpanScore(5, 8, 0.5)], [SpanScore(5, 8, 2.0), SpanScore(9, 10, 1.0)]], n_best=2
    )
    assert merged == [SpanScore(5, 8, 2.0), SpanScore(0, 4, 1.0)]


def test_answer_question_cuts_the_text_from_the_original_context():
    answer = answer_question(CONTEXT, [Window(logits(t6=3), logits(t7=4), OFFSETS)])
    assert answer.text == "red fox"
    assert answer.best[0] == SpanScore(11, 18, 7.0)
    assert len(answer.best) == 20


def test_answer_question_takes_the_best_window():
    weak = Window(logits(t3=1), logits(t3=1), OFFSETS)
    strong = Window(logits(t7=3), logits(t7=2), OFFSETS)
    assert answer_question(CONTEXT, [weak, strong]).text == "fox"


@pytest.mark.parametrize(
    ("unanswerable", "threshold", "expected"), [(False, 0.0, "fox"), (True, 0.0, ""), (True, 1.0, "fox")]
)
def test_answer_question_says_no_answer_only_when_allowed_and_clearly_better(
    unanswerable: bool, threshold: float, expected: str
):
    # Best span 4, no answer 5 in one window and 7 in the other: the lower one counts.
    windows = [Window(logits(t0=2, t7=2), logits(t0=3, t7=2), OFFSETS), Window(logits(t0=4), logits(t0=3), OFFSETS)]
    answer = answer_question(CONTEXT, windows, unanswerable=unanswerable, null_threshold=threshold)
    assert (answer.text, answer.null_score) == (expected, 5.0)


def test_answer_question_prefers_the_span_when_no_answer_scores_the_same():
    windows = [Window(logits(t0=2, t7=2), logits(t0=2, t7=2), OFFSETS)]
    assert answer_question(CONTEXT, windows, unanswerable=True).text == "fox"


def test_answer_question_is_empty_when_no_window_holds_context():
    window = Window(np.zeros(2), np.zeros(2), np.full((2, 2), -1))
    assert answer_question(CONTEXT, [window]).text == ""


def test_answer_question_never_answers_with_white_space():
    window = Window(np.array([9.0, 1.0]), np.array([9.0, 1.0]), np.array([[4, 5], [5, 8]]))
    answer = answer_question(CONTEXT, [window])
    assert answer.text == "saw"
    assert (4, 5) not in {span[:2] for span in answer.best}


def test_answer_question_raises_when_offsets_leave_the_context():
    with pytest.raises(EvaluationError, match="ends at character 19, but the context has 5"):
        answer_question("short", [Window(logits(), logits(), OFFSETS)])


def test_answer_question_raises_without_windows():
    with pytest.raises(EvaluationError, match="no window"):
        answer_question(CONTEXT, [])


@pytest.mark.parametrize(
    ("context", "span", "expected"),
    [
        ("a red fox\u200b ran", (2, 9), "red fox\u200b"),
        ("a red fox\u200e\u200b", (2, 9), "red fox\u200e\u200b"),
        ("a \u200ered fox", (3, 10), "\u200ered fox"),
        ("\u200fred fox", (1, 8), "\u200fred fox"),
        ("a\u200bred fox\u200bran", (2, 9), "red fox"),
        ("a red\u200c\u200bfox ran", (2, 5), "red"),
        ("a red fox , ran", (2, 10), "red fox"),
    ],
    ids=["behind", "two at the end", "before", "at the beginning", "between words", "within a word", "none"],
)
def test_format_characters_at_the_edge_of_words_reach_the_answer(context, span, expected):
    offsets = np.array([[-1, -1], span])
    window = Window(np.array([0.0, 3.0], dtype=np.float32), np.array([0.0, 3.0], dtype=np.float32), offsets)
    assert answer_question(context, [window]).text == expected


def test_spanish_gold_answers_of_mlqa_are_found_with_their_format_characters(shared_root):
    tokenizer = load_tokenizer(str(mini_backbone_folder()))
    rows = DataRoot(shared_root / "data").load(get_task("mlqa"), Split.DEV, "es")
    edges = [row for row in rows if any(unicodedata.category(mark) == "Cf" for mark in row.answers[0].text[-1:])]
    assert len(edges) == 10
    for row in edges:
        encoded = tokenizer(row.context, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
        answer = row.answers[0]
        last = answer.start + len(answer.text.rstrip("\u200b"))
        inside = [at for at, (_, after) in enumerate(encoded) if answer.start < after <= last]
        start, end = np.zeros(len(encoded), dtype=np.float32), np.zeros(len(encoded), dtype=np.float32)
        start[inside[0]] = end[inside[-1]] = 5
        window = Window(start, end, np.array(encoded))
        assert answer_question(row.context, [window], max_length=len(encoded)).text == answer.text
