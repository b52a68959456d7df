"""What XTREME-R adds to XTREME (Ruder et al. 2021): its new target tasks, and the tasks that train nothing but them.

Languages, labels, inputs and files as in XTREME's repository (google-research/xtreme: evaluate.py, utils_preprocess.py,
scripts and third_party), numbers of rows counted in the published files or taken from the data sets' own pages.
"""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.tasks.intermediate import SQUAD1
from adaptstilts.tasks.spec import BenchmarkName, Group, Hub, Kind, Layout, Metric, Phase, Split, Task
from adaptstilts.tasks.xtreme import TATOEBA

_XTREME_R = (BenchmarkName.XTREME_R,)
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

SQUAD_R = Task(
    name="squad_r",
    title="SQuAD 1.1, answer sentences",
    phase=Phase.TRAINING,
    kind=Kind.MATCH,
    metric=Metric.MAP20,
    languages=_ENGLISH,
    layouts={split: Layout("squad_sentences", SQUAD1.layouts[split].files) for split in (Split.TRAIN, Split.DEV)},
    rows=87_599,
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
    layouts={
        split: Layout("entity_pairs", ((f"mewslix/wikipedia_pairs-{split.value}.jsonl",),))
        for split in (Split.TRAIN, Split.DEV)
    },
    rows=167_719,
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
