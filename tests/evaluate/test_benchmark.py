import pytest

from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.benchmark import XTREME, XTREME_R, Average, benchmark_scores, counts_more, mean_over_languages
from adaptstilts.tasks.registry import get_task

SCORES = {
    "xnli": {"en": {"accuracy": 80.0}, "de": {"accuracy": 70.0}, "sw": {"accuracy": 45.0}},
    "pawsx": {"en": {"accuracy": 90.0}},
    "xquad": {"en": {"exact_match": 60.0, "f1": 80.0}, "de": {"exact_match": 50.0, "f1": 71.0}},
    "tatoeba": {"de": {"accuracy": 40.0}, "pl": {"accuracy": 90.0}},
    "qqp": {"en": {"accuracy": 90.0, "f1": 80.0}},
}


def test_benchmarks_have_the_published_numbers_of_languages():
    assert {entry.task: len(entry.languages) for entry in XTREME.entries} == {
        "xnli": 15, "pawsx": 7, "udpos": 33, "panx": 40, "xquad": 11, "mlqa": 7, "tydiqa": 9, "bucc2018": 4,
        "tatoeba": 36,
    }  # fmt: skip
    assert {entry.task: len(entry.languages) for entry in XTREME_R.entries} == {
        "xnli": 15, "xcopa": 11, "udpos": 38, "panx": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9, "tatoeba_r": 41,
        "mewslix": 11, "lareqa": 11,
    }  # fmt: skip
    assert len({language for entry in XTREME.entries for language in entry.languages}) == 40
    assert len({language for entry in XTREME_R.entries for language in entry.languages}) == 50


def test_task_average_has_english_in_the_score_and_out_of_the_zero_shot_mean():
    found = benchmark_scores(XTREME, SCORES).tasks
    assert list(found) == ["xnli", "pawsx", "xquad", "tatoeba"]
    missing = ("ar", "bg", "el", "es", "fr", "hi", "ru", "th", "tr", "ur", "vi", "zh")
    assert found["xnli"] == Average(65.0, 80.0, 57.5, 22.5, missing)
    assert (found["pawsx"].score, found["pawsx"].zero_shot, found["pawsx"].gap) == (90.0, None, None)
    # Exact match 55 and F1 75.5 on average; 70 in English, 60.5 in German.
    assert (found["xquad"].score, found["xquad"].english, found["xquad"].zero_shot, found["xquad"].gap) == (
        65.25, 70.0, 60.5, 9.5,
    )  # fmt: skip


def test_task_average_leaves_out_languages_that_the_benchmark_does_not_count():
    assert benchmark_scores(XTREME, SCORES).tasks["tatoeba"].score == 40.0
    assert benchmark_scores(XTREME_R, SCORES, by_folder=True).tasks["tatoeba_r"].score == 65.0
    assert "tatoeba_r" not in benchmark_scores(XTREME_R, SCORES).tasks


def test_groups_and_overall_average_tasks_that_count_the_same():
    found = benchmark_scores(XTREME, SCORES)
    assert {group: average.score for group, average in found.groups.items()} == {
        "classification": 77.5,
        "question_answering": 65.25,
        "retrieval": 40.0,
    }
    overall = found.overall
    assert overall is not None
    assert overall.score == (65.0 + 90.0 + 65.25 + 40.0) / 4
    assert overall.english == 80.0
    assert overall.zero_shot == pytest.approx((57.5 + 60.5 + 40.0) / 3)
    assert overall.gap == 16.0  # of xnli and xquad; pawsx and tatoeba have none


def test_partial_averages_say_what_is_missing():
    found = benchmark_scores(XTREME, SCORES)
    assert not found.is_complete
    assert found.missing_tasks == ("udpos", "panx", "mlqa", "tydiqa", "bucc2018")
    assert found.missing_languages["pawsx"] == ("de", "es", "fr", "ja", "ko", "zh")
    assert found.groups["classification"].missing == (
        "xnli (ar bg el es fr hi ru th tr ur vi zh)",
        "pawsx (de es fr ja ko zh)",
    )
    assert found.groups["retrieval"].missing[0] == "bucc2018"
    assert found.record()["overall"]["is_partial"]
    assert found.record()["missing_tasks"] == list(found.missing_tasks)


def test_scores_are_complete_when_every_task_has_all_its_languages():
    names = ("accuracy", "f1", "exact_match")
    scores = {
        entry.task: {language: dict.fromkeys(names, float(rank)) for language in entry.languages}
        for rank, entry in enumerate(XTREME.entries)
    }
    found = benchmark_scores(XTREME, scores)
    assert found.is_complete
    assert found.overall is not None
    assert found.overall.score == 4.0
    assert {group: average.score for group, average in found.groups.items()} == {
        "classification": 0.5,
        "structured_prediction": 2.5,
        "question_answering": 5.0,
        "retrieval": 7.5,
    }
    assert not any(average.is_partial for average in (*found.tasks.values(), *found.groups.values()))


def test_overall_is_none_when_no_counted_task_has_scores():
    found = benchmark_scores(XTREME, {"qqp": SCORES["qqp"], "xnli": {"pl": {"accuracy": 3.0}}})
    assert (found.tasks, found.groups, found.overall, found.is_complete) == ({}, {}, None, False)


def test_xtreme_r_counts_more_only_where_its_own_tasks_or_languages_are_scored():
    assert counts_more(XTREME_R, XTREME, SCORES, by_folder=True)
    assert not counts_more(XTREME_R, XTREME, {"xnli": SCORES["xnli"]}, by_folder=True)
    assert counts_more(XTREME, XTREME_R, {"pawsx": SCORES["pawsx"]})


def test_averaging_raises_when_a_task_has_no_language():
    with pytest.raises(EvaluationError, match="'xnli' has no language"):
        benchmark_scores(XTREME, {"xnli": {}})
    with pytest.raises(EvaluationError, match="'qqp' has no language"):
        mean_over_languages(get_task("qqp"), {})


def test_averaging_raises_when_a_score_is_missing():
    with pytest.raises(EvaluationError, match="'exact_match' of metric 'mlqa' is missing"):
        benchmark_scores(XTREME, {"mlqa": {"en": {"f1": 3.0}}})
