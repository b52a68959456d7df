"""The frame of predictions: rows, columns, filters and scores of every kind, on small finished studies."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from adaptstilts.cli.main import main
from adaptstilts.errors import ConfigError, DataError, EvaluationError, ProblemsError, StoreError
from adaptstilts.predictions.frame import COLUMNS, LABELS, predictions_frame, token_rows
from adaptstilts.predictions.scores import score_frame
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.stage import StageKind
from adaptstilts.study.layout import DATA_FOLDER, SCORES_FILE
from adaptstilts.study.plan.jobs import PredictJob, jobs_of
from adaptstilts.study.study import Study
from adaptstilts.tasks import registry
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Layout, Size, Split, Task

if TYPE_CHECKING:
    import pandas

Origin = tuple[str, str, int, str, str, str, str, str]
PARTS = ["method", "task", "language", "split"]


@pytest.fixture(scope="session")
def mini_frame(mini_study: Study) -> pandas.DataFrame:
    return predictions_frame(mini_study)


@pytest.fixture(scope="session")
def files_frame(files_study: Study) -> pandas.DataFrame:
    return predictions_frame(files_study)


@pytest.fixture(params=["mini", "files"])
def study(request: pytest.FixtureRequest, mini_study: Study, files_study: Study) -> Study:
    return mini_study if request.param == "mini" else files_study


@pytest.fixture
def frame(study: Study, mini_frame: pandas.DataFrame, files_frame: pandas.DataFrame) -> pandas.DataFrame:
    return mini_frame if study.config.name == "example" else files_frame


def stored_scores(study: Study) -> dict[Origin, dict[str, float]]:
    """The score files of all cells, by what the frame calls their origin."""
    done = study.store.find_all(study.plan.stages)
    found: dict[Origin, dict[str, float]] = {}
    for cell in study.plan.cells:
        for key in cell.score:
            for language, record in done[key].read_json(SCORES_FILE).items():
                origin = (study.config.name, cell.variant, cell.seed, cell.method, cell.source, cell.target, language)
                found[(*origin, record["split"])] = record["scores"]
    return found


def check_scores(frame: pandas.DataFrame, study: Study) -> None:
    found: dict[Origin, dict[str, float]] = {}
    for *origin, metric, value, _ in score_frame(frame).itertuples(index=False):
        found.setdefault(tuple(origin), {})[metric] = value
    expected = stored_scores(study)
    assert set(found) == set(expected)
    for origin, scores in expected.items():
        assert found[origin] == pytest.approx(scores, abs=1e-9), origin


def data_root(study: Study) -> DataRoot:
    world = next((stage for stage in study.plan.stages if stage.kind is StageKind.DATA), None)
    if world is None:
        return DataRoot(study.config.data.root)
    artefact = study.store.find(world)
    assert artefact is not None
    return DataRoot(artefact.file(DATA_FOLDER))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def part(frame: pandas.DataFrame, **values: object) -> pandas.DataFrame:
    for name, value in values.items():
        frame = frame[frame[name] == value]
    assert len(frame) > 0
    return frame


# Rows and columns


def test_studies_have_targets_of_every_kind(mini_frame: pandas.DataFrame, files_frame: pandas.DataFrame):
    tasks = {*mini_frame["task"], *files_frame["task"]}
    assert {get_task(name).kind for name in tasks} == set(Kind)


def test_frame_has_the_columns_in_order(frame: pandas.DataFrame):
    assert tuple(frame.columns) == COLUMNS
    assert frame.index.tolist() == list(range(len(frame)))
    assert (frame["seed"].dtype, frame["row"].dtype) == (np.dtype("int64"), np.dtype("int64"))


def test_rows_are_the_examples_of_the_files_in_order(study: Study, frame: pandas.DataFrame):
    root = data_root(study)
    for (_, name, language, split), rows in frame.groupby(PARTS, sort=False):
        task = get_task(name)
        if FACTS[task.kind].is_bitext:
            bitext = root.load_bitext(task, Split(split), language)
            expected = [item.id for item in (bitext.english if name == "tatoeba" else bitext.foreign)]
        else:
            expected = [row.id for row in root.load_examples(task, Split(split), language)]
        assert rows["id"].tolist() == expected
        assert rows["row"].tolist() == list(range(len(expected)))


def test_every_cell_has_the_rows_of_its_predictions(study: Study, frame: pandas.DataFrame):
    stages = {stage.key: job for stage, job in jobs_of(study.plan.stages, PredictJob)}
    expected = {
        (cell.method, cell.target, language, split.value)
        for cell in study.plan.cells
        for key in (*cell.predict, *cell.hidden)
        for language, split in stages[key].languages
    }
    assert set(frame.groupby(PARTS, sort=False).groups) == expected
    assert not frame.duplicated([*LABELS, "row"]).any()


def test_cells_that_share_a_stage_have_equal_rows(mini_study: Study, mini_frame: pandas.DataFrame):
    direct, adapter = (cell for cell in mini_study.plan.cells if cell.target == "tatoeba")
    assert direct.predict == adapter.predict
    one, other = (part(mini_frame, task="tatoeba", method=method) for method in ("direct", "adapter"))
    assert one["prediction"].tolist() == other["prediction"].tolist()
    assert all(mine is theirs for mine, theirs in zip(one["scores"], other["scores"], strict=True))


def test_frame_of_one_kind_has_columns_of_numbers(mini_study: Study):
    frame = predictions_frame(mini_study, task="xnli")
    assert (str(frame["correct"].dtype), str(frame["confidence"].dtype)) == ("boolean", "float64")
    assert frame["confidence"].between(1 / 3, 1).all()


# Scores come out again


def test_frame_has_the_scores_of_the_score_files(study: Study, frame: pandas.DataFrame):
    check_scores(frame, study)


@pytest.mark.parametrize(
    ("task", "metric"),
    [("xnli", "accuracy"), ("xquad", "exact_match"), ("mlqa", "exact_match"), ("tydiqa", "exact_match"),
     ("tatoeba", "accuracy"), ("xcopa", "accuracy"), ("multichecklist", "question_accuracy")],
)  # fmt: skip
def test_share_of_correct_rows_is_the_score(
    mini_study: Study, files_study: Study, mini_frame: Any, files_frame: Any, task: str, metric: str
):
    compared = 0
    for study, frame in ((mini_study, mini_frame), (files_study, files_frame)):
        for origin, scores in stored_scores(study).items():
            if origin[5] == task:
                rows = part(frame, **dict(zip(LABELS, origin, strict=True)))
                assert 100 * rows["correct"].mean() == pytest.approx(scores[metric], abs=1e-9)
                compared += 1
    assert compared


def test_share_of_correct_words_is_the_token_accuracy(mini_study: Study, mini_frame: pandas.DataFrame):
    words = token_rows(mini_frame)
    for origin, scores in stored_scores(mini_study).items():
        if origin[5] == "udpos":
            rows = part(words, **dict(zip(LABELS, origin, strict=True)))
            assert 100 * rows["correct"].mean() == pytest.approx(scores["token_accuracy"], abs=1e-9)


def test_mined_pairs_of_the_rows_give_the_f1(mini_study: Study, mini_frame: pandas.DataFrame):
    for origin, scores in stored_scores(mini_study).items():
        if origin[5] == "bucc2018":
            rows = part(mini_frame, **dict(zip(LABELS, origin, strict=True)))
            hits = sum(len({*found} & {*gold}) for found, gold in zip(rows["prediction"], rows["gold"], strict=True))
            precision, recall = (hits / rows[name].map(len).sum() for name in ("prediction", "gold"))
            expected = [scores["precision"], scores["recall"], scores["f1"]]
            f1 = 2 * precision * recall / (precision + recall)
            assert [100 * value for value in (precision, recall, f1)] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("task", ["lareqa", "mewslix"])
def test_ranks_of_right_candidates_give_the_mean_average_precision(
    files_study: Study, files_frame: pandas.DataFrame, task: str
):
    for origin, scores in stored_scores(files_study).items():
        if origin[5] == task:
            precisions = []
            for row in part(files_frame, **dict(zip(LABELS, origin, strict=True))).itertuples():
                ranks = [rank for rank, name in enumerate(row.scores["id"], start=1) if name in row.gold]
                total = sum(number / rank for number, rank in enumerate(ranks, start=1))
                precisions.append(total / min(len(row.gold), 20))
            assert 100 * np.mean(precisions) == pytest.approx(scores["map@20"], abs=1e-9)


def test_rows_that_occur_twice_count_twice(frame: pandas.DataFrame):
    import pandas

    twice = score_frame(pandas.concat([frame, frame], ignore_index=True))
    once = score_frame(frame)
    chunks = once["metric"].isin(["accuracy", "exact_match", "token_accuracy", "f1", "map@20"])
    same = chunks & ~once["task"].isin(["multichecklist"])
    assert twice["value"][same].tolist() == pytest.approx(once["value"][same].tolist(), abs=1e-9)
    assert (twice["examples"] == 2 * once["examples"]).all()


# What the columns hold, by kind


def test_classes_are_words_with_the_softmax_of_their_logit(mini_study: Study, mini_frame: pandas.DataFrame):
    labels = mini_frame.attrs["labels"][""]["xnli"]
    assert labels == get_task("xnli").labels
    pairs = data_root(mini_study).load_examples(get_task("xnli"), Split.TEST, "de")
    rows = part(mini_frame, task="xnli", language="de", method="direct")
    for row, pair in zip(rows.itertuples(), pairs, strict=True):
        shares = np.exp(row.scores.astype(float)) / np.exp(row.scores.astype(float)).sum()
        assert row.scores.shape == (3,)
        assert row.prediction == labels[int(row.scores.argmax())]
        assert row.confidence == pytest.approx(shares.max())
        assert (row.gold, row.group) == (labels[pair.label], digest(pair.first))
        assert row.correct == (row.prediction == row.gold)


def test_choices_are_indices_with_one_logit_each(files_frame: pandas.DataFrame):
    rows = part(files_frame, task="xcopa", split="dev")
    assert rows["gold"].tolist() == [0, 0, 1, 1]
    assert rows["prediction"].tolist() == [int(scores.argmax()) for scores in rows["scores"]]
    first, second, third, _ = rows["group"]
    assert first == second == digest("The train was slow on day 0. What was the cause?") != third


def test_tagged_sentences_hold_lists_and_one_row_of_logits_per_word(mini_study: Study, mini_frame: pandas.DataFrame):
    labels = mini_frame.attrs["labels"][""]["udpos"]
    sentences = data_root(mini_study).load_examples(get_task("udpos"), Split.TEST, "de")
    rows = part(mini_frame, task="udpos", language="de", method="adapter")
    for row, sentence in zip(rows.itertuples(), sentences, strict=True):
        assert row.scores.shape == (len(sentence.words), len(labels))
        assert row.prediction == [labels[place] for place in row.scores.argmax(axis=1)]
        assert row.gold == [labels[tag] for tag in sentence.tags]
        assert row.correct == [found == gold for found, gold in zip(row.prediction, row.gold, strict=True)]
        assert all(1 / len(labels) < share < 1 for share in row.confidence)
        assert row.group == ""


def test_token_rows_are_the_words_of_the_sentences_in_order(mini_frame: pandas.DataFrame):
    words, sentences = token_rows(mini_frame), part(mini_frame, task="udpos")
    assert tuple(words.columns) == (*COLUMNS[:9], "word", *COLUMNS[9:])
    for name in ("prediction", "gold", "correct", "confidence"):
        assert words[name].tolist() == [value for values in sentences[name] for value in values]
    assert words["word"].tolist() == [place for tags in sentences["gold"] for place in range(len(tags))]
    assert np.array_equal(np.stack(words["scores"]), np.concatenate(sentences["scores"].tolist()))
    assert words["id"].value_counts(sort=False)["0"] == sum(map(len, part(sentences, id="0")["gold"]))
    assert (str(words["correct"].dtype), str(words["confidence"].dtype)) == ("boolean", "float64")


def test_words_are_not_scored_as_if_they_were_sentences(mini_frame: pandas.DataFrame):
    with pytest.raises(EvaluationError, match=r"^frame: this frame has a row per word") as caught:
        score_frame(token_rows(mini_frame))
    assert "the frame that token_rows was given" in str(caught.value)


@pytest.mark.parametrize("function", [score_frame, token_rows])
def test_frame_of_something_else_is_an_error_that_names_what_it_lacks(function: Any, mini_frame: pandas.DataFrame):
    results = mini_frame[["seed", "method"]].assign(target="xnli", metric="accuracy", value=50.0)
    with pytest.raises(
        EvaluationError, match=r"^frame: .*study\.results\(\) has scores, .*columns .*task, .*gold"
    ) as caught:
        function(results)
    assert "Give a frame of study.predictions(), or" in str(caught.value)
    with pytest.raises(EvaluationError, match=r"^frame: the frame lacks the columns gold\."):
        function(mini_frame.drop(columns=["gold"]))
    with pytest.raises(EvaluationError, match=r"^frame: a value of type Series is not a pandas frame"):
        function(mini_frame["gold"])


def test_token_rows_keep_the_words_of_hidden_sentences(mini_frame: pandas.DataFrame):
    hidden = part(mini_frame, task="udpos").head(2).assign(gold=None, correct=None)
    words = token_rows(hidden)
    assert len(words) == sum(map(len, hidden["prediction"]))
    assert words["gold"].isna().all()
    assert words["correct"].isna().all()


def test_answers_come_first_of_the_best_spans(mini_study: Study, mini_frame: pandas.DataFrame):
    for name in ("xquad", "mlqa", "tydiqa"):
        task = get_task(name)
        rows = part(mini_frame, task=name, language="de", method="direct")
        questions = data_root(mini_study).load_examples(task, Split(rows["split"].iloc[0]), "de")
        for row, question in zip(rows.itertuples(), questions, strict=True):
            spans = row.scores
            assert 1 <= len(spans) <= 20
            assert (np.diff(spans["score"]) <= 0).all()
            for span in spans:
                assert span["text"] == question.context[span["start"] : span["end"]].strip()
            assert row.prediction == spans["text"][0]
            shares = np.exp(spans["score"].astype(float))
            assert row.confidence == pytest.approx(shares[0] / shares.sum())
            assert row.gold == [answer.text for answer in question.answers]
            assert row.group == digest(question.context)


def test_neighbours_come_nearest_first(mini_study: Study, mini_frame: pandas.DataFrame):
    rows = part(mini_frame, task="tatoeba", method="direct")
    assert rows["gold"].tolist() == rows["id"].tolist()
    for row in rows.itertuples():
        assert row.prediction == row.scores["id"][0]
        assert (np.diff(row.scores["similarity"]) <= 0).all()
        shares = np.exp(row.scores["similarity"].astype(float))
        assert row.confidence == pytest.approx(shares[0] / shares.sum())


def test_mined_pairs_are_those_above_the_threshold(mini_study: Study, mini_frame: pandas.DataFrame):
    bitext = data_root(mini_study).load_bitext(get_task("bucc2018"), Split.TEST, "de")
    rows = part(mini_frame, task="bucc2018", method="direct")
    kept = [pair["margin"] for scores in rows["scores"] for pair in scores if pair["kept"]]
    others = [pair["margin"] for scores in rows["scores"] for pair in scores if not pair["kept"]]
    assert kept
    assert min(kept) > max(others, default=-math.inf)
    for row in rows.itertuples():
        assert row.prediction == row.scores["id"][row.scores["kept"]].tolist()
        assert {(row.id, other) for other in row.gold} == {pair for pair in bitext.gold if pair[0] == row.id}
        assert math.isnan(row.confidence)
    is_single = (rows["gold"].map(len) == 0) & (rows["prediction"].map(len) == 0)
    assert is_single.any()
    assert rows["correct"][is_single].all()


def test_candidates_come_nearest_first_with_the_group_of_their_paragraph(files_frame: pandas.DataFrame):
    by_language = [part(files_frame, task="lareqa", language=code) for code in ("en", "de")]
    assert by_language[0]["group"].tolist() == by_language[1]["group"].tolist()
    for row in by_language[1].itertuples():
        number, side = row.row // 2, row.row % 2
        assert row.group == digest(f"Anna sleeps {number}. It is old {number}.")
        assert row.gold == [f"{code}_{number + 1}_{side}" for code in ("en", "de")]
        assert row.prediction == row.scores["id"][0]
        shares = np.exp(100 * (row.scores["similarity"].astype(float) - 1))
        assert row.confidence == pytest.approx(shares[0] / shares.sum(), rel=1e-4)


def test_mentions_of_one_entity_are_a_group(files_frame: pandas.DataFrame):
    rows = part(files_frame, task="mewslix", language="de")
    assert rows["group"].tolist() == ["Q10", "Q11", "Q12", "Q12"]
    assert rows["gold"].tolist() == [["Q10"], ["Q11"], ["Q12"], ["Q12"]]


def test_hidden_labels_leave_gold_and_correct_empty(files_frame: pandas.DataFrame):
    rows = part(files_frame, task="xcopa", language="et")
    assert (len(rows), set(rows["split"])) == (6, {"test"})
    assert rows["gold"].isna().all()
    assert rows["correct"].isna().all()
    assert rows["confidence"].between(0.5, 1).all()
    assert "et" not in set(score_frame(files_frame)["language"])


# Settings that change what is stored


def test_limited_rows_keep_their_position_in_the_files(mini_config: Path):
    overrides = ["data.max_evaluation=5", "methods=[direct]", "target.tasks=[xnli, tatoeba, bucc2018]"]
    assert main(["run", str(mini_config), *overrides]) == 0
    study = Study.load(mini_config, overrides)
    frame = predictions_frame(study)
    check_scores(frame, study)
    whole = predictions_frame(Study.load(mini_config), method="direct").set_index(["task", "language", "row"])
    for row in frame.itertuples():
        same = whole.loc[(row.task, row.language, row.row)]
        assert same["id"] == row.id
        assert row.task == "bucc2018" or (same["gold"], same["group"]) == (row.gold, row.group)
    assert frame.groupby(["task", "language"]).size().tolist() == [5] * 4
    assert part(frame, task="xnli", language="en")["row"].tolist() != list(range(5))


@pytest.mark.parametrize(
    "settings",
    [["retrieval.direction=foreign_to_english", "retrieval.margin=ratio", "retrieval.neighbours=4"],
     ["retrieval.overrides.bucc2018.layer=dev", "retrieval.overrides.bucc2018.candidates=forward",
      "retrieval.overrides.bucc2018.duplicates=jiant"]],
    ids=["direction and margin", "layer, candidates and duplicates"],
)  # fmt: skip
def test_retrieval_by_other_settings_comes_out_too(mini_config: Path, settings: list[str]):
    overrides = [*settings, "methods=[direct]", "target.tasks=[tatoeba, bucc2018]"]
    assert main(["run", str(mini_config), *overrides]) == 0
    study = Study.load(mini_config, overrides)
    check_scores(predictions_frame(study), study)


def test_sweep_has_the_rows_of_each_variant_and_names_what_is_not_finished(mini_config: Path):
    overrides = ["adapter.reduction_factor=[4, 8]", "target.tasks=[xnli]"]
    frame = predictions_frame(Study.load(mini_config, overrides))
    found = list(frame.groupby(["variant", "method"], sort=False).groups)
    four, eight = "reduction_factor=4", "reduction_factor=8"
    assert found == [(four, "direct"), (four, "adapter"), (eight, "direct")]
    assert frame.attrs["unfinished"] == tuple(
        f"predict adapter: xnli {code}, seed 1, reduction_factor=8" for code in ("en", "de")
    )


LEARNT = """\
name: learnt
backbone: {backbone}
methods: [direct]
data: {{root: {folder}/a}}
sweep: {{data.root: [{folder}/a, {folder}/b]}}
intermediate: {{tasks: []}}
target:
  tasks: [learnt_tags]
  full: {{epochs: 1, batch_size: 4, learning_rate: 1e-3, max_length: 32, evaluate_examples: 2}}
threads: 1
store: {folder}/store
results: {folder}/results
"""


def test_tags_that_are_read_from_data_are_those_of_each_variant(
    files_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(registry, "_TASKS", dict(registry._OWN))
    layouts = {split: Layout("sentence_lines", ((f"{split.value}.txt",),)) for split in Split}
    registry.register(
        Task(
            name="learnt_tags",
            kind=Kind.TAG,
            languages=("en",),
            labels_from_data=True,
            size=Size(8, tags=3),
            layouts=layouts,
        )
    )
    for name, tags in (("a", "DET NOUN VERB"), ("b", "d n v")):
        (tmp_path / name).mkdir()
        for split in Split:
            rows = "".join(f"The boat{number} sleeps\t{tags}\n" for number in range(4))
            (tmp_path / name / f"{split.value}.txt").write_text(rows, encoding="utf-8")
    config = tmp_path / "learnt.yaml"
    config.write_text(LEARNT.format(folder=tmp_path, backbone=files_config.parent / "backbone"), encoding="utf-8")
    assert main(["run", str(config)]) == 0
    frame = predictions_frame(Study.load(config))
    labels = frame.attrs["labels"]
    assert [words["learnt_tags"] for words in labels.values()] == [("DET", "NOUN", "VERB"), ("d", "n", "v")]
    assert list(labels) == frame["variant"].unique().tolist()
    for row in frame.itertuples():
        assert row.prediction == [labels[row.variant][row.task][place] for place in row.scores.argmax(axis=1)]


def test_attributes_can_be_stored_as_json(mini_frame: pandas.DataFrame):
    """Pandas stores them so in a Parquet file."""
    assert json.loads(json.dumps(mini_frame.attrs))["labels"][""]["xnli"] == list(get_task("xnli").labels)


# Filters


def test_filters_take_a_value_or_several(mini_study: Study, mini_frame: pandas.DataFrame):
    found = predictions_frame(
        mini_study, task=["xnli", "udpos"], language="de", method="adapter", seed=1, source="none"
    )
    wanted = (mini_frame["method"] == "adapter") & (mini_frame["language"] == "de")
    expected = mini_frame[wanted & mini_frame["task"].isin(["xnli", "udpos"])]
    assert found[[*LABELS, "row", "id"]].values.tolist() == expected[[*LABELS, "row", "id"]].values.tolist()
    assert set(predictions_frame(mini_study, split=Split.DEV)["task"]) == {"tydiqa"}


@pytest.mark.parametrize(
    ("filters", "given", "combinations"),
    [({"task": "tydiqa", "split": "test"}, "task='tydiqa' and split='test'", 7),
     ({"task": ["xnli", "udpos"], "split": "dev", "language": "de"}, "task='xnli' or 'udpos' and split='dev'", 3),
     ({"language": "de", "split": "dev", "task": "xnli", "method": "direct"}, "task='xnli' and split='dev'", 2)],
    ids=["pair", "several values", "smallest part"],
)  # fmt: skip
def test_filters_that_admit_nothing_together_are_an_error_with_the_combinations_there_are(
    mini_study: Study, filters: dict[str, Any], given: str, combinations: int
):
    with pytest.raises(ConfigError) as caught:
        predictions_frame(mini_study, **filters)
    assert caught.value.problem == f"this study has no predictions with {given}"
    assert len(caught.value.allowed) == combinations


@pytest.mark.parametrize(
    ("value", "message"),
    [([], "an empty list chooses nothing"), ({"xnli": 1}, "neither a target task nor a list"), (b"x", "neither a"),
     (1.5, "neither a target task nor a list"), (["xnli", 3], "^task: 3 is not a target task")],
    ids=str,
)  # fmt: skip
def test_filters_of_the_wrong_type_are_an_error_that_names_them(mini_study: Study, value: Any, message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        predictions_frame(mini_study, task=value)
    assert caught.value.key == "task"


def test_filters_take_what_a_frame_holds(mini_study: Study, mini_frame: pandas.DataFrame):
    found = predictions_frame(mini_study, task=mini_frame["task"].iloc[:1], seed=mini_frame["seed"].unique()[0])
    assert set(found["task"]) == {mini_frame["task"].iloc[0]}


def test_an_empty_frame_has_no_scores_and_no_words(mini_frame: pandas.DataFrame):
    empty = mini_frame.head(0)
    assert len(token_rows(empty)) == len(score_frame(empty)) == 0


@pytest.mark.parametrize(
    ("filters", "allowed"),
    [({"task": "xnil"}, ("xnli", "udpos", "xquad", "mlqa", "tydiqa", "tatoeba", "bucc2018")),
     ({"language": ["de", "fr"]}, ("en", "de")), ({"method": "full"}, ("direct", "adapter")),
     ({"source": "mnli"}, ("none",)), ({"seed": 2}, ("1",)), ({"split": "train"}, ("test", "dev"))],
    ids=lambda value: next(iter(value)) if isinstance(value, Mapping) else None,
)  # fmt: skip
def test_unknown_values_are_an_error_that_lists_those_of_the_study(
    mini_study: Study, filters: dict[str, Any], allowed: tuple[str, ...]
):
    with pytest.raises(ConfigError) as caught:
        predictions_frame(mini_study, **filters)
    assert (caught.value.key, caught.value.allowed) == (next(iter(filters)), allowed)


def test_unknown_values_of_several_filters_are_reported_together(mini_study: Study):
    with pytest.raises(ProblemsError) as caught:
        predictions_frame(mini_study, task="xnil", language=["fr", "es"], variant="x")
    assert [problem.key for problem in caught.value.problems] == ["task", "language", "language", "variant"]


# What is missing


def test_study_that_has_not_run_has_no_rows(mini_config: Path, tmp_path: Path):
    frame = predictions_frame(Study.load(mini_config, [f"store={tmp_path / 'store'}"]), task="xnli")
    assert len(frame) == 0
    assert len(frame.attrs["unfinished"]) == 4


def test_removed_world_is_an_error_that_says_how_to_make_it_again(mini_config: Path, tmp_path: Path):
    shutil.copytree(mini_config.parent / "store", tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "data")
    with pytest.raises(StoreError, match="xnli") as caught:
        predictions_frame(Study.load(mini_config, [f"store={tmp_path / 'store'}"]), task="xnli")
    assert "adaptstilts run" in str(caught.value)


def test_changed_data_leave_the_predictions_of_earlier_data_out(files_config: Path, tmp_path: Path):
    shutil.copytree(files_config.parent / "data", tmp_path / "data")
    path = tmp_path / "data" / "xcopa" / "val-en.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    frame = predictions_frame(Study.load(files_config, [f"data.root={tmp_path / 'data'}"]), task="xcopa")
    assert len(frame) == 0
    assert "predict direct: xcopa en, seed 1" in frame.attrs["unfinished"]


def test_data_that_changed_after_the_study_was_planned_are_an_error(files_config: Path, tmp_path: Path):
    shutil.copytree(files_config.parent / "data", tmp_path / "data")
    study = Study.load(files_config, [f"data.root={tmp_path / 'data'}"])
    assert len(predictions_frame(study, task="xcopa", split="dev")) == 4
    path = tmp_path / "data" / "xcopa" / "val-en.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"label": 0', '"label": 1'), encoding="utf-8")
    with pytest.raises(DataError, match="examples of xcopa in 'en' have changed") as caught:
        predictions_frame(study, task="xcopa", split="dev")
    assert caught.value.path == path


def test_candidates_that_changed_after_the_study_was_planned_are_an_error(files_config: Path, tmp_path: Path):
    shutil.copytree(files_config.parent / "data", tmp_path / "data")
    study = Study.load(files_config, [f"data.root={tmp_path / 'data'}"])
    assert len(predictions_frame(study, task="lareqa", language="de")) == 10
    path = tmp_path / "data" / "lareqa" / "xquad-r" / "en.json"
    path.write_text(path.read_text(encoding="utf-8").replace("It is old", "It is new"), encoding="utf-8")
    with pytest.raises(DataError, match="examples of lareqa in 'de' have changed"):
        predictions_frame(study, task="lareqa", language="de")


def test_files_that_are_gone_are_an_error_that_names_them(files_config: Path, tmp_path: Path):
    with pytest.raises(DataError) as caught:
        predictions_frame(Study.load(files_config, [f"data.root={tmp_path / 'gone'}"]))
    assert str(tmp_path / "gone") in str(caught.value)
