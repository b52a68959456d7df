"""A study in Python, on the quickstart cut down to seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from commandline import say
from small_quickstart import CUT, QUICKSTART

import adaptstilts
from adaptstilts.tasks.examples import PairExample, SpanExample


def words(folder: Path) -> tuple[str, ...]:
    """The words by which the command line names the study."""
    return (str(QUICKSTART), *CUT, f"store={folder / 'store'}", f"results={folder / 'results'}")


def test_plan_prints_as_on_the_command_line_and_gives_its_stages_as_a_frame(
    before: tuple[Any, ...], finished: adaptstilts.Study, python_folder: Path
):
    plan = before[0]
    assert list(plan.stages.columns) == ["name", "kind", "key", "done", "used_by"]
    assert not plan.stages["done"].any()
    assert tuple(plan.stages["key"]) == finished.keys
    now = finished.plan("cpu")
    assert now.stages["done"].all()
    assert f"{now}\n" == say("plan", *words(python_folder), "--device", "cpu").out
    assert now.record == say("plan", *words(python_folder), "--device", "cpu", "--json").json
    assert now._repr_html_().count("monospace") == 2  # the tables and the tree, else their columns are ragged
    assert str(now.why("train direct*")) == str(finished.why("train direct*"))
    with pytest.raises(adaptstilts.ConfigError, match="'train stak' is not a stage"):
        now.why("train stak")
    with pytest.raises(adaptstilts.ConfigError, match=r"^device: 'h1oo' is not a device"):
        finished.plan("h1oo")
    with pytest.raises(adaptstilts.ConfigError, match=r"^utilisation: 'x' is not a number"):
        finished.plan("cpu", "x")
    with pytest.raises(adaptstilts.ConfigError, match=r"^stage: 3 is not text"):
        now.why(3)


def test_run_makes_every_stage_and_prints_as_on_the_command_line(
    ran: Any, study: adaptstilts.Study, python_folder: Path
):
    assert (ran.made, ran.skipped, ran.failed) == (len(study.keys), 0, ())
    again = say("run", *words(python_folder))
    assert again.code == 0
    assert again.out == f"{ran}\n"
    assert again.err.startswith(f"skipping {ran.made} finished stages")


def test_run_renders_tables_and_figures_in_a_notebook(ran: Any):
    html = ran._repr_html_()
    assert html.count("data:image/png;base64,") == len(ran.figures) == 2
    assert "&#x27;direct&#x27;, mean over all" in html
    assert ran.files.report.is_file()


def test_run_takes_engine_and_workers_like_settings(finished: adaptstilts.Study):
    assert finished.run(engine="local", workers=3, progress=False).made == 0
    with pytest.raises(adaptstilts.ConfigError, match=r"engine\.name: 'rye' is not allowed.*Did you mean 'ray'"):
        finished.run(engine="rye")
    with pytest.raises(adaptstilts.ConfigError, match=r"^workers: \[1\] is not a whole number"):
        finished.run(workers=[1])
    with pytest.raises(adaptstilts.ConfigError, match="workers: 0 is out of range"):
        finished.run(workers=0)


def test_run_with_other_workers_is_of_the_settings_that_were_loaded(finished: adaptstilts.Study, python_folder: Path):
    settings = finished.config.model_dump(mode="json", exclude_unset=True) | {"results": str(python_folder / "others")}
    loaded = adaptstilts.load_study(settings)
    settings["seeds"] = [7]
    assert loaded.run(workers=2, progress=False).made == 0
    assert loaded.config.workers == finished.config.workers


def test_run_shows_its_progress_unless_told_not_to(finished: adaptstilts.Study, capfd: pytest.CaptureFixture[str]):
    finished.run()
    shown = capfd.readouterr()
    assert (shown.out, shown.err.startswith("skipping ")) == ("", True)
    finished.run(progress=False)
    assert capfd.readouterr() == ("", "")


def test_report_gives_what_the_run_gave(ran: Any, finished: adaptstilts.Study):
    assert str(finished.report()) == str(ran)


def test_validate_answers_as_the_command_line_does(finished: adaptstilts.Study, python_folder: Path):
    told: list[str] = []
    checked = finished.validate(on_message=told.append)
    said = say("validate", *words(python_folder))
    assert (f"{checked}\n", checked.notes) == (said.out, tuple(told))
    assert tuple(said.err.splitlines()) == checked.notes
    assert checked.record["ok"]


def test_status_tells_before_and_after_and_names_the_next_command(
    before: tuple[Any, ...], finished: adaptstilts.Study, python_folder: Path
):
    assert before[1].status.total("done") == 0
    now = finished.status()
    assert now.status.is_over
    assert f"{now}\n" == say("status", *words(python_folder)).out
    assert now.record["go_on"].startswith("adaptstilts report ")
    assert (
        finished.status(options=["--tasks-from", "my tasks.py"]).record["go_on"].endswith(" --tasks-from 'my tasks.py'")
    )
    finished.watch()  # returns at once, as all is done


def test_results_are_the_rows_of_the_csv_file_with_numbers_as_numbers(ran: Any, finished: adaptstilts.Study):
    frame = finished.results()
    read = pd.read_csv(ran.files.results, keep_default_na=False, dtype={"variant": str})
    pd.testing.assert_frame_equal(frame, read, check_dtype=False)
    kinds = frame.dtypes.to_dict()
    assert kinds["value"].kind == "f"
    assert (kinds["seed"].kind, kinds["examples"].kind) == ("i", "i")
    assert kinds["is_major"].kind == "b"


def test_what_is_not_finished_is_an_error_that_says_so(before: tuple[Any, ...]):
    results, network = (str(error) for error in before[2:])
    assert "no finished score" in results
    assert "study.run()" in results
    assert "not finished: train direct: mnli, seed 1" in network


def test_predictions_are_those_that_its_arguments_name(finished: adaptstilts.Study):
    frame = finished.predictions(task="xnli", language="de", method="stack", source="mnli")
    assert len(frame) == 8
    assert set(frame["method"]) == {"stack"}
    with pytest.raises(adaptstilts.ConfigError, match=r"^task: 'xnly' is not a target task of this study"):
        finished.predictions(task="xnly")
    with pytest.raises(
        adaptstilts.ConfigError, match=r"^source: this study has no predictions with method='direct' and"
    ):
        finished.predictions(method="direct", source="mnli")


# ---- Networks


def test_network_is_a_module_in_evaluation_mode_that_gives_the_stored_scores(
    finished: adaptstilts.Study, python_folder: Path
):
    import numpy as np

    network = finished.network("xnli", method="stack", source="mnli")
    assert isinstance(network, torch.nn.Module)
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())
    (stored,) = (python_folder / "store" / "predict").glob("stack-mnli-xnli-de*/raw/de.npz")
    (world,) = (python_folder / "store" / "data").iterdir()
    lines = (world / "files" / "xnli" / "test-de.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    with torch.inference_mode():
        scores = network(**network.encode([row[0] for row in rows], [row[1] for row in rows]))
    expected = np.load(stored)["logits"]
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-5)
    examples = [PairExample(str(number), row[0], row[1], None) for number, row in enumerate(rows)]
    assert network.predict(examples) == [network.labels[index] for index in expected.argmax(1)]


def test_network_answers_questions_as_the_study_does(finished: adaptstilts.Study):
    reader = finished.network("tydiqa", method="stack", source="squad1", seed=1)
    context = "Anna has the book. " * 40
    answers = reader.predict([SpanExample("a", "Who has the book?", context, None)])
    assert answers["a"]
    assert answers["a"] in context
    assert reader.labels == ()
    with pytest.raises(adaptstilts.EvaluationError, match="no example to predict"):
        reader.predict([])
    with pytest.raises(adaptstilts.ConfigError, match=r"^examples\[1\]\.id: another example has the id 'a'"):
        reader.predict([SpanExample("a", "Who?", context, None), SpanExample("a", "What?", context, None)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3,), r"^texts: 3 is neither a text nor a list of texts"),
        (([],), r"^texts: there is no text to encode"),
        ((["A cat.", 3],), r"^texts\[1\]: 3 is not text"),
        (([("A cat.", "A dog.")],), r"^texts\[0\]: \('A cat\.', 'A dog\.'\) is not text"),
        (({"a": "A cat."},), r"^texts: .* is neither a text nor a list"),
        (("A cat.", 3), r"^pairs: 3 is neither a text nor a list of texts"),
        ((["A cat."], [None]), r"^pairs\[0\]: None is not text"),
        ((["A cat.", "A dog."], "It."), r"^pairs: 2 first and 1 second texts do not make pairs\. Give one second text"),
    ],
)
def test_texts_that_cannot_be_encoded_are_an_error_that_names_the_argument(
    finished: adaptstilts.Study, arguments: tuple[Any, ...], message: str
):
    with pytest.raises(adaptstilts.ConfigError, match=message):
        finished.network("xnli", method="direct").encode(*arguments)


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (3, r"^examples: 3 is not a list of examples\. 'xnli' is of kind classify: give a list of .*PairExample"),
        (["A cat."], r"^examples\[0\]: 'A cat\.' is not a PairExample\. 'xnli' is of kind classify"),
        ([SpanExample("1", "Who?", "Anna.", None)], r"^examples\[0\]: SpanExample\(.* is not a PairExample"),
        ([PairExample("1", 3, None, None)], r"^examples\[0\]\.first: 3 is not text"),
    ],
)
def test_examples_that_cannot_be_predicted_are_an_error_that_names_them(
    finished: adaptstilts.Study, examples: Any, message: str
):
    with pytest.raises(adaptstilts.ConfigError, match=message):
        finished.network("xnli", method="direct").predict(examples)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"task": "xnly", "method": "direct"},
            r"^task: 'xnly' is not a target task of this study\. Did you mean 'xnli'",
        ),
        (
            {"task": "xnli", "method": "fuse"},
            r"^method: 'fuse' is not a method of this study\. Allowed: direct, stack\.$",
        ),
        (
            {"task": "xnli", "source": "mnly"},
            r"^source: 'mnly' is not a source .*'mnli'\? Allowed: none, mnli, squad1\.$",
        ),
        ({"task": "xnli", "method": "direct", "seed": 7}, r"^seed: 7 is not a seed of this study\. Allowed: 1\.$"),
        ({"task": "xnli", "method": "direct", "seed": "1"}, r"^seed: '1' is not a seed .*number, without quotation"),
        ({"task": "xnli", "method": "direct", "seed": True}, r"^seed: True is not a seed"),
        (
            {"task": "xnli", "method": "direct", "variant": "a=1"},
            r"^variant: 'a=1' is not a variant: .* no sweep\. Leave",
        ),
        ({"task": "xnli", "method": 3.5}, r"^method: 3\.5 is neither a method nor a list of them"),
        (
            {"task": "xnli", "method": "direct", "source": "mnli"},
            r"^source: this study has no network with method='direct' and source='mnli'\. Allowed: "
            r"\(method='direct', source='none'\), \(method='stack', source='mnli'\)\. Give one of these comb",
        ),
        (
            {"task": "xnli", "method": "stack"},
            r"^2 networks fit, .*differ in source\. .*\(source='squad1'\)\. Give the arg",
        ),
        (
            {"task": "xnli"},
            r"^3 networks fit, .*differ in method, source\. Allowed: \(method='direct', source='none'\), ",
        ),
        ({}, r"^6 networks fit, .*differ in task, method, source\. Allowed: \(task='xnli', method="),
    ],
)
def test_network_that_is_not_named_exactly_is_an_error_that_names_the_argument(
    finished: adaptstilts.Study, arguments: dict[str, Any], message: str
):
    with pytest.raises(adaptstilts.ConfigError, match=message):
        finished.network(**arguments)


def test_network_takes_what_follows_from_the_other_arguments(finished: adaptstilts.Study):
    network = finished.network("tydiqa", source="squad1")
    stored = finished.network("tydiqa", method="stack", source="squad1", seed=1).state_dict()
    assert all(torch.equal(value, stored[name]) for name, value in network.state_dict().items())


# ---- Elsewhere


def test_store_functions_answer_as_their_commands(finished: adaptstilts.Study, python_folder: Path):
    store = str(python_folder / "store")
    assert f"{adaptstilts.verify_artefacts(store=store)}\n" == say("store", "verify", "--store", store).out
    trained = finished.plan("cpu").stages["kind"].value_counts()["train"]
    assert len(adaptstilts.list_artefacts(store, kinds=["train"]).record) == trained
    assert adaptstilts.unused_artefacts(finished).record == say("store", "gc", *words(python_folder), "--json").json
    assert adaptstilts.store_status(store).status().status.total("done") == len(finished.keys)
    key = finished.keys[0]
    assert key in str(adaptstilts.show_artefact(key, store))


def test_study_from_a_dict_is_the_study_from_its_file(finished: adaptstilts.Study, python_folder: Path):
    import yaml

    text = QUICKSTART.read_text(encoding="utf-8").replace("5e-4", "0.0005").replace("3e-3", "0.003")
    content = yaml.safe_load(text.replace("1e-3", "0.001"))
    same = adaptstilts.load_study(content, *words(python_folder)[1:])
    assert same.keys == finished.keys
    assert (same.place, repr(same)) == ("<dict>", "<study 'quickstart' from <dict>>")
    assert same.status().record["go_on"].startswith("adaptstilts report CONFIG ")
