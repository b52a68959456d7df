"""The table of kinds, and the tables of other modules that are keyed by kind."""

import pytest

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.encoding.encode import _ENCODERS
from adaptstilts.evaluate.gold import _GOLD as _GOLD_OF_EXAMPLES
from adaptstilts.evaluate.predict import _DECODERS
from adaptstilts.models.heads import _FORMS
from adaptstilts.predictions.columns import COLUMNS
from adaptstilts.predictions.known import _KNOWN
from adaptstilts.predictions.scores import _ARGUMENTS
from adaptstilts.readers.arrow import _READERS
from adaptstilts.readers.registry import EXAMPLES
from adaptstilts.study.pricing.cost import _PREDICTION_BYTES
from adaptstilts.study.stages.predict import _PREDICT
from adaptstilts.study.stages.score import _GOLD
from adaptstilts.submission.check_file import _CHECKS
from adaptstilts.submission.folder import _FORMATS
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import all_tasks
from adaptstilts.tasks.spec import Kind
from adaptstilts.train.losses import _LOSSES

WITH_HEAD = {kind for kind in Kind if FACTS[kind].has_head}


def test_every_kind_has_its_facts():
    assert set(FACTS) == set(Kind)
    assert set(Kind) - {Kind.RETRIEVE} == WITH_HEAD


TABLES = {
    "encoders": (_ENCODERS, set(Kind)),
    "readers": ({Kind(name) for name in _READERS}, set(Kind)),
    "examples": (EXAMPLES, set(Kind)),
    "checks": (_CHECKS, set(Kind)),
    "formats": (_FORMATS, set(Kind)),
    "predictions": (_PREDICT, set(Kind)),
    "scores": (_GOLD, set(Kind)),
    "columns of frames": (COLUMNS, set(Kind)),
    "ids and gold of frames": (_KNOWN, set(Kind)),
    "scores of frames": (_ARGUMENTS, set(Kind)),
    "prices": (_PREDICTION_BYTES, set(Kind)),
    "heads": (_FORMS, WITH_HEAD),
    "losses": (_LOSSES, WITH_HEAD),
    "gold": (_GOLD_OF_EXAMPLES, WITH_HEAD),
    # queries are not decoded one by one: they search a pool
    "decoders": (_DECODERS, {kind for kind in WITH_HEAD if not FACTS[kind].has_candidates}),
}


@pytest.mark.parametrize(("table", "kinds"), TABLES.values(), ids=TABLES)
def test_tables_by_kind_leave_out_no_kind(table, kinds):
    assert set(table) == kinds


@pytest.mark.parametrize("kind", Kind)
def test_facts_of_a_kind_agree_with_each_other(kind):
    facts = FACTS[kind]
    assert (facts.head_layers > 0) == facts.has_head
    assert ("max_query_length" in facts.lengths) == (facts.query != "none")
    assert ("doc_stride" in facts.lengths) == (facts.query == "beside_context")
    assert all(hasattr(TrainSettings, name) or name == "max_length" for name in facts.lengths)
    assert not facts.has_labels or facts.outputs is None
    assert facts.has_candidates == (facts.sequences == 2)


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.name)
def test_tasks_declare_what_their_kind_says(task):
    facts = FACTS[task.kind]
    assert bool(task.labels or task.labels_from_data) == facts.has_labels
    assert facts.has_candidates or task.pool is None
    assert not facts.is_bitext or "en" not in task.languages
