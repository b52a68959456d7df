"""What XTREME-R adds to XTREME (Ruder et al. 2021): its new target tasks, and the tasks that train nothing but them.

Languages, labels, inputs and files as in XTREME's repository (google-research/xtreme: evaluate.py, utils_preprocess.py,
scripts and third_party), numbers of rows counted in the published files or taken from the data sets' own pages.
"""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.tasks.spec import Benchmark, Group, Hub, Kind, Layout, Metric, Phase, Split, Task
from adaptstilts.tasks.xtreme import TATOEBA

_XTREME_R = (Benchmark.XTREME_R,)
_ENGLISH = (SOURCE_LANGUAGE,)


def _siqa(xtreme: str, published: str) -> Layout:
    folders = ("siqa", "socialiqa-train-dev")
    parts = tuple((f"{folder}/{published}.jsonl", f"{folder}/{published}-labels.lst") for folder in folders)
    return Layout("siqa", ((f"siqa/socialIQa_v1.4_{xtreme}.jsonl",), *parts))


SIQA = Task(
    name="siqa",
    title="Social IQa",
    phase=Phase.TRAINING,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    layouts={Split.TRAIN: _siqa("trn", "train"), Split.DEV: _siqa("dev", "dev")},
    hub=Hub("allenai/social_i_qa"),
    citation="Sap et al. 2019",
    licence="CC BY 4.0",
)

COPA = Task(
    name="copa",
    title="COPA",
    phase=Phase.TRAINING,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    after="siqa",
    layouts={
        Split.TRAIN: Layout("copa", (("xcopa/train-en.jsonl",), ("xcopa/copa-en/train-en.jsonl",))),
        Split.DEV: Layout("copa", (("xcopa/val-en.jsonl",), ("xcopa/copa-en/val-en.jsonl",))),
    },
    rows=400,
    hub=Hub("aps/super_glue", "copa"),
    citation="Roemmele et al. 2011",
    licence="BSD 2-clause",
)


def _xcopa(split: str, published: str) -> Layout:
    # XTREME's copy of the test files has every label set to 0.
    copy = Layout("copa", ((f"xcopa/{published}-{{language}}.jsonl",),), (("labels", "unless_all_zero"),))
    names = tuple((f"xcopa/{folder}{{language}}/{published}.{{language}}.jsonl",) for folder in ("data/", ""))
    return Layout("copa", names, otherwise=copy if split == "test" else Layout("copa", copy.files))


XCOPA = Task(
    name="xcopa",
    title="XCOPA",
    phase=Phase.TARGET,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh"),
    benchmarks=_XTREME_R,
    train_task="copa",
    layouts={Split.DEV: _xcopa("dev", "val"), Split.TEST: _xcopa("test", "test")},
    group=Group.CLASSIFICATION,
    rows=400,
    hub=Hub("cambridgeltl/xcopa", "{language}"),
    citation="Ponti et al. 2020",
    licence="CC BY 4.0",
)

TATOEBA_R = replace(
    TATOEBA,
    name="tatoeba_r",
    title="Tatoeba, encoder trained on SQuAD",
    languages=(*TATOEBA.languages, "az", "lt", "pl", "ro", "uk"),
    benchmarks=_XTREME_R,
    train_task="squad1",
    trains=True,
    folder="tatoeba",
    rows=87_599,
)
"""Sentences are compared as in XTREME's Tatoeba, but by the encoder of a model that was trained on SQuAD 1.1."""

TASKS = (XCOPA, TATOEBA_R)
"""The target tasks that XTREME-R adds."""

TRAINING_TASKS = (SIQA, COPA)
"""Tasks that train the targets above and are neither intermediate tasks of the paper nor scored themselves."""
