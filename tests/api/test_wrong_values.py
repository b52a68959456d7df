"""A value of the wrong type is one clear error that names the argument, for every argument of every public function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import adaptstilts
from adaptstilts.api.plan import StudyPlan
from adaptstilts.api.status import StatusReader
from adaptstilts.predictions.frame import COLUMNS
from adaptstilts.study.stages.finished import FinishedNetwork, _checked_examples
from adaptstilts.tasks.examples import ChoiceExample, SpanExample, TagExample
from adaptstilts.tasks.spec import Kind

OTHER = object()
"""A value of no type that any argument takes."""
WRONG = (None, 3, 3.5, b"a", [3], OTHER)
FUNCTIONS: dict[str, dict[str, Any]] = {
    "check_data": {"root": ".", "tasks": ["xnli"]},
    "check_submission": {"folder": "nothing"},
    "convert_backbone": {"source": "nothing", "to": "made"},
    "copy_config": {"name": "quickstart", "to": "nothing/mine.yaml"},
    "export_artefacts": {"keys": ["a" * 12], "to": "made.tar"},
    "fetch_data": {"root": "made", "tasks": ["xnli"], "offline": True},
    "import_artefacts": {"bundle": "nothing.tar"},
    "init_study": {"to": "nothing/mine.yaml"},
    "list_artefacts": {},
    "load_study": {"source": "quickstart"},
    "pretrain_backbone": {"source": "pretrain_mini"},
    "published_scores": {},
    "register_task": {},
    "register_tasks_from": {},
    "score_frame": {},
    "score_predictions": {"predictions": "nothing", "gold": "nothing"},
    "show_artefact": {"key": "a" * 12},
    "store_status": {"store": "nothing"},
    "token_rows": {},
    "unused_artefacts": {},
    "verify_artefacts": {},
    "write_checklist": {"root": "made", "languages": ["xx"]},
}
"""Public functions, with arguments by which they end without work where the one that is tried does not stop them."""
METHODS: dict[str, dict[str, Any]] = {
    name: {} for name in ("validate", "plan", "why", "run", "status", "watch", "predictions", "network", "submit")
} | {"submit": {"to": "made", "method": "direct"}, "network": {"task": "xnli"}}


def is_taken(parameter: inspect.Parameter, value: object) -> bool:
    """Whether an argument admits a value: flags all, numbers whole ones, lists None, which is an empty one."""
    kinds = {part.strip() for part in str(parameter.annotation).split("|")}
    if "bool" in kinds or (value is None and (kinds & {"None", "Names", "Sequence[str]"} or parameter.default is None)):
        return True
    return (isinstance(value, int | float) and "float" in kinds) or (isinstance(value, int) and "int" in kinds)


def wrong_arguments(called: Callable[..., Any], *, bound: bool = False) -> Iterator[tuple[inspect.Parameter, object]]:
    parameters = list(inspect.signature(called).parameters.values())[1 if bound else 0 :]
    for parameter in parameters:
        for value in WRONG:
            if not is_taken(parameter, value) and not (parameter.name == "seed" and value == [3]):
                yield parameter, value


def check(called: Callable[..., Any], others: dict[str, Any], parameter: inspect.Parameter, value: object) -> None:
    with pytest.raises(adaptstilts.AdaptstiltsError) as raised:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            called(*others.values(), value)
        else:
            called(**{**others, parameter.name: value})
    assert re.match(rf"{parameter.name}\b", str(raised.value)), raised.value


def cases(owner: Any, names: dict[str, dict[str, Any]], *, bound: bool) -> list[Any]:
    return [
        pytest.param(name, parameter, value, id=f"{name}-{parameter.name}-{type(value).__name__}")
        for name in names
        for parameter, value in wrong_arguments(getattr(owner, name), bound=bound)
    ]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()


def test_every_public_function_is_tried():
    functions = {
        name for name in adaptstilts.__all__ if inspect.isfunction(getattr(adaptstilts, name)) and name != "tasks"
    }
    assert functions - {"list_configs"} == set(FUNCTIONS)  # which takes nothing
    methods = {name for name, value in vars(adaptstilts.Study).items() if inspect.isfunction(value) and name[0] != "_"}
    assert methods - {"report", "results"} == set(METHODS)  # these take nothing


@pytest.mark.parametrize(("name", "parameter", "value"), cases(adaptstilts, FUNCTIONS, bound=False))
def test_functions(name: str, parameter: inspect.Parameter, value: object, elsewhere: None):
    check(getattr(adaptstilts, name), FUNCTIONS[name], parameter, value)


@pytest.mark.parametrize(("name", "parameter", "value"), cases(adaptstilts.Study, METHODS, bound=True))
def test_methods_of_a_study(name: str, parameter: inspect.Parameter, value: object, finished: adaptstilts.Study):
    check(getattr(finished, name), METHODS[name], parameter, value)


@pytest.mark.parametrize(("name", "parameter", "value"), cases(StudyPlan, {"view": {}, "why": {}}, bound=True))
def test_methods_of_a_plan(
    name: str, parameter: inspect.Parameter, value: object, before: tuple[Any, ...], finished: adaptstilts.Study
):
    check(getattr(before[0], name), {}, parameter, value)


@pytest.mark.parametrize(("name", "parameter", "value"), cases(StatusReader, {"status": {}, "watch": {}}, bound=True))
def test_methods_of_the_status_of_a_store(name: str, parameter: inspect.Parameter, value: object, elsewhere: None):
    check(getattr(adaptstilts.store_status("checkpoints"), name), {}, parameter, value)


@pytest.mark.parametrize(
    ("name", "parameter", "value"), cases(FinishedNetwork, {"encode": {"texts": "A."}, "predict": {}}, bound=True)
)
def test_methods_of_a_network(name: str, parameter: inspect.Parameter, value: object, finished: adaptstilts.Study):
    others = {"texts": "A."} if name == "encode" else {}
    check(getattr(finished.network("xnli", method="direct"), name), others, parameter, value)


@pytest.mark.parametrize(
    ("task", "example", "message"),
    [
        (Kind.TAG, TagExample("1", (), None), r"^examples\[0\]\.words: there is no word to tag"),
        (
            Kind.TAG,
            TagExample("1", "Anna lives", None),
            r"^examples\[0\]\.words: 'Anna lives' is one text where",
        ),
        (Kind.CHOOSE, ChoiceExample("1", "Why?", (), None), r"^examples\[0\]\.choices: 0 alternatives: nothing"),
        (
            Kind.CHOOSE,
            ChoiceExample("1", "Why?", ("A.",), None),
            r"^examples\[0\]\.choices: 1 alternative: nothing to",
        ),
        (Kind.CHOOSE, ChoiceExample("1", None, ("A.", "B."), None), r"^examples\[0\]\.prompt: None is not text"),
        (Kind.EXTRACT, SpanExample("1", None, "A.", None), r"^examples\[0\]\.question: None is not text"),
    ],
)
def test_examples_without_content(task: Kind, example: Any, message: str):
    found = next(one for one in adaptstilts.tasks() if one.kind is task)
    with pytest.raises(adaptstilts.ConfigError, match=message):
        _checked_examples([example], found)


@pytest.mark.parametrize("function", [adaptstilts.token_rows, adaptstilts.score_frame])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"task": None}, "the column task has the value None, which is not text"),
        ({"prediction": 3}, "row 0: the prediction 3 is not a list of tags"),
        ({"gold": "A"}, "row 0: gold 'A' does not have a tag for each of 1 word"),
    ],
)
def test_frames_with_other_values(function: Callable[..., Any], changed: dict[str, Any], message: str):
    import pandas as pd

    row = dict.fromkeys(COLUMNS, "") | {"task": "udpos", "language": "en", "row": 0, "prediction": ["DET"]}
    frame = pd.DataFrame([row | {"gold": ["DET"], "correct": [True], "confidence": [0.5]} | changed])
    with pytest.raises(adaptstilts.EvaluationError, match=f"^frame: {message}"):
        function(frame)


@pytest.mark.parametrize(
    ("task", "changed", "message"),
    [
        ("xnli", {"prediction": 0}, r"row 7: the prediction 0 is not a label of xnli\. Allowed: contradiction, ent"),
        ("xnli", {"prediction": float("nan")}, r"row 7: the prediction nan is not a label of xnli\. .*to_csv does not"),
        ("xnli", {"gold": "Neutral"}, r"row 7: the gold 'Neutral' is not a label of xnli\. Allowed: contradiction"),
        ("pawsx", {"prediction": 1}, r"row 7: the prediction 1 is not a label of pawsx\. Allowed: 0, 1\."),
        ("udpos", {"prediction": ["det"]}, r"row 7: the prediction \['det'\] is not a list of tags of udpos\. Allowed"),
        ("udpos", {"gold": ["_"]}, r"row 7: the gold \['_'\] is not a list of tags of udpos\. Allowed: ADJ"),
        ("xquad", {"prediction": float("nan")}, r"row 7: the prediction nan is not text\. Give a frame"),
        ("xquad", {"gold": "Anna"}, r"row 7: the gold 'Anna' is not a list of texts\. Give a frame"),
        ("xcopa", {"prediction": "1"}, r"row 7: the prediction '1' is not the number of a choice\. Give a frame"),
        ("tatoeba", {"prediction": 3}, r"row 7: the prediction 3 is not text\. Give a frame"),
        ("bucc2018", {"prediction": "en-1"}, r"row 7: the prediction 'en-1' is not a list of ids\. Give a frame"),
        ("xnli", {"language": float("nan")}, r"the column language has the value nan, which is not text"),
    ],
)
def test_values_that_would_count_as_wrong_answers(task: str, changed: dict[str, Any], message: str):
    import pandas as pd

    right = {
        "xnli": ("neutral", "neutral"),
        "pawsx": ("0", "1"),
        "udpos": (["DET"], ["NOUN"]),
        "xquad": ("Anna", ["Anna"]),
        "xcopa": (0, 1.0),
        "tatoeba": ("3", "2"),
        "bucc2018": (["en-1"], ["en-1"]),
    }
    prediction, gold = right[task]
    row = dict.fromkeys(COLUMNS, "") | {"task": task, "language": "de", "id": "a", "prediction": prediction}
    assert len(adaptstilts.score_frame(pd.DataFrame([row | {"gold": gold}], index=[7])))
    with pytest.raises(adaptstilts.EvaluationError, match=f"^frame: {message}"):
        adaptstilts.score_frame(pd.DataFrame([row | {"gold": gold} | changed], index=[7]))
