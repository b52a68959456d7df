"""Tasks that XTREME-R adds to XTREME (Ruder et al. 2021): new targets, and the tasks that train only these.

Languages, labels, inputs and files as in XTREME's repository (google-research/xtreme: evaluate.py, utils_preprocess.py,
scripts and third_party), numbers of rows counted in the published files or taken from the data sets' own pages.
"""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.tasks.hub_layouts import columns
from adaptstilts.tasks.intermediate import SQUAD1
from adaptstilts.tasks.spec import BenchmarkName, Group, Hub, Kind, Layout, Metric, Phase, Size, Split, Task
from adaptstilts.tasks.xtreme_retrieval import TATOEBA

_XTREME_R = (BenchmarkName.XTREME_R,)
_ENGLISH = (SOURCE_LANGUAGE,)


def _recipe(
    learning_rate: float, epochs: int, batch_size: int, max_length: int, max_query_length: int | None = None
) -> Recipe:
    """Recipe of XTREME's scripts, all without warm-up and weight decay."""
    adapter = PartialSettings(batch_size=batch_size, max_length=max_length, max_query_length=max_query_length)
    full = replace(adapter, learning_rate=learning_rate, epochs=epochs, warmup=0.0, weight_decay=0.0)
    return Recipe(full=full, adapter=adapter)


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
    size=Size(35, choices=3, training_rows=33_000),
    layouts={Split.TRAIN: _siqa("trn", "train"), Split.DEV: _siqa("dev", "dev")},
    recipe=_recipe(3e-5, 5, 32, 128),
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
    size=Size(20, choices=2),
    after="siqa",
    layouts={
        Split.TRAIN: Layout("copa", (("xcopa/train-en.jsonl",), ("xcopa/copa-en/train-en.jsonl",))),
        Split.DEV: Layout("copa", (("xcopa/val-en.jsonl",), ("xcopa/copa-en/val-en.jsonl",))),
    },
    rows=400,
    recipe=_recipe(3e-5, 5, 32, 128),
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
    size=Size(20, choices=2, evaluation_rows=500),
    benchmarks=_XTREME_R,
    train_task="copa",
    layouts={Split.DEV: _xcopa("dev", "val"), Split.TEST: _xcopa("test", "test")},
    group=Group.CLASSIFICATION,
    rows=400,
    # Not among its layouts, since keys of stages count these.
    hub=Hub("cambridgeltl/xcopa", "{language}", reader="hub_records", columns=columns(records="copa")),
    citation="Ponti et al. 2020",
    licence="CC BY 4.0",
)

TATOEBA_R = replace(
    TATOEBA,
    name="tatoeba_r",
    title="Tatoeba, encoder trained on SQuAD",
    languages=(*TATOEBA.languages, "az", "lt", "pl", "ro", "uk"),
    size=Size(12),
    benchmarks=_XTREME_R,
    train_task="squad1",
    trains=True,
    folder="tatoeba",
    rows=87_599,
)
"""Sentences are compared as in XTREME's Tatoeba, but by the encoder of a model that was trained on SQuAD 1.1."""

# In XTREME's scripts for dual encoders a step is four micro-batches, whose candidates are not compared with each other:
# `accumulation: 4` does the same; without it each query has four times as many candidates.
SQUAD_R = Task(
    name="squad_r",
    title="SQuAD 1.1, answer sentences",
    phase=Phase.TRAINING,
    kind=Kind.MATCH,
    metric=Metric.MAP20,
    languages=_ENGLISH,
    size=Size(90),
    layouts={split: Layout("squad_sentences", SQUAD1.layouts[split].files) for split in (Split.TRAIN, Split.DEV)},
    rows=87_599,
    recipe=_recipe(2e-5, 3, 16, 256, max_query_length=96),
    hub=SQUAD1.hub,
    citation=SQUAD1.citation,
    licence=SQUAD1.licence,
)

_XQUAD_R = (("lareqa/xquad-r/{language}.json",), ("xquad-r/{language}.json",))

LAREQA = Task(
    name="lareqa",
    title="LAReQA",
    phase=Phase.TARGET,
    kind=Kind.MATCH,
    metric=Metric.MAP20,
    languages=("en", "ar", "de", "el", "es", "hi", "ru", "th", "tr", "vi", "zh"),
    size=Size(90, evaluation_rows=1_190, pool=13_014),
    benchmarks=_XTREME_R,
    train_task="squad_r",
    layouts={Split.TEST: Layout("xquad_r", _XQUAD_R)},
    pool=Layout("xquad_r_candidates", _XQUAD_R),
    group=Group.RETRIEVAL,
    rows=87_599,
    hub=Hub("google-research-datasets/xquad_r", "{language}"),
    citation="Roy et al. 2020",
    licence="CC BY-SA 4.0",
)

WIKIPAIRS = Task(
    name="wikipairs",
    title="Wikipedia mentions and entities",
    phase=Phase.TRAINING,
    kind=Kind.MATCH,
    metric=Metric.MAP20,
    languages=_ENGLISH,
    size=Size(55),
    layouts={
        split: Layout("entity_pairs", ((f"mewslix/wikipedia_pairs-{split.value}.jsonl",),))
        for split in (Split.TRAIN, Split.DEV)
    },
    rows=167_719,
    recipe=_recipe(1e-5, 2, 32, 64, max_query_length=64),
    hub=Hub("izhx/mewsli-x"),
    citation="Ruder et al. 2021",
    licence="none stated with the files",
)


_MEWSLIX_LANGUAGES = ("en", "ar", "de", "es", "fa", "ja", "pl", "ro", "ta", "tr", "uk")


def _mentions(split: str) -> Layout:
    # The publisher's file holds all languages; XTREME's download has one for each, labels of test blanked.
    one = f"mewslix/wikinews_mentions/{split}-{{language}}.jsonl"
    labels = f"mewslix/wikinews_labels/{split}-{{language}}.json"
    published = Layout("mentions", ((f"mewslix/wikinews_mentions-{split}.jsonl",),), holds=_MEWSLIX_LANGUAGES)
    return replace(published, otherwise=Layout("mentions", ((one, labels), (one,)), same_rows=True))


MEWSLIX = Task(
    name="mewslix",
    title="Mewsli-X",
    phase=Phase.TARGET,
    kind=Kind.MATCH,
    metric=Metric.MAP20,
    languages=_MEWSLIX_LANGUAGES,
    size=Size(55, evaluation_rows=1_330, pool=1_003_893),
    benchmarks=_XTREME_R,
    train_task="wikipairs",
    layouts={Split.DEV: _mentions("dev"), Split.TEST: _mentions("test")},
    pool=Layout("entities", (("mewslix/candidate_set_entities.jsonl",),)),
    group=Group.RETRIEVAL,
    rows=167_719,
    hub=Hub("izhx/mewsli-x", note="release 20220518_6, not the one that the paper's numbers are of"),
    citation="Ruder et al. 2021",
    licence="none stated with the files",
)

TASKS = (XCOPA, TATOEBA_R, MEWSLIX, LAREQA)
"""The target tasks that XTREME-R adds."""

TRAINING_TASKS = (SIQA, COPA, WIKIPAIRS, SQUAD_R)
"""Tasks that train the targets above and are neither intermediate tasks of the paper nor scored themselves."""
