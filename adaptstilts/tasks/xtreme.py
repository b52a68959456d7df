"""The nine target tasks of XTREME (Hu et al. 2020): languages, labels and files as in its repository.

Six of them are tasks of XTREME-R too (Ruder et al. 2021), three of these in more languages.

Training set sizes: the dataset table of the RemBERT paper (Chung et al. 2021). Sources of other sizes and of recipes:
`adaptstilts.tasks.spec.Size` and `adaptstilts.config.recipes`.
"""

from __future__ import annotations

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.tasks import layouts
from adaptstilts.tasks.hub_layouts import (
    NLI_COLUMNS,
    ONLY_VALIDATION,
    QUESTIONS,
    SENTENCES,
    TAGGED,
    columns,
    hub_rows,
    refused,
)
from adaptstilts.tasks.intermediate import NLI_LABELS
from adaptstilts.tasks.spec import BenchmarkName, Group, Hub, Kind, Layout, Metric, Phase, Size, Split, Task
from adaptstilts.tasks.xtreme_retrieval import BUCC2018, TATOEBA

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip
"""The 17 universal part-of-speech tags."""

ENTITY_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

_BENCHMARK = "google/xtreme"
"""The copy of the benchmark on the hub; the repositories of single data sets stand beside it."""
_XNLI_HUB = Hub("facebook/xnli", "{language}", reader="hub_pairs", columns=NLI_COLUMNS)
_XNLI_XTREME = Hub(
    _BENCHMARK,
    "XNLI",
    "all languages in one configuration; no training split",
    reader="hub_pairs",
    columns=columns(first="sentence1", second="sentence2", label="gold_label", language="language"),
    languages="ar bg de el en es fr hi ru sw th tr ur vi zh",
)
_PAWSX_HUB = Hub("google-research-datasets/paws-x", "{language}", reader="hub_pairs", columns=SENTENCES)
_PAWSX_XTREME = Hub(
    _BENCHMARK,
    "PAWS-X.{language}",
    "lacks the rows that its CSV reader could not parse",
    reader="hub_pairs",
    columns=SENTENCES,
)
_UDPOS_HUB = Hub(
    "izhx/xtreme-r-udpos",
    "{language}",
    "google/xtreme's udpos mixes in other treebanks (Ancient Greek, Old French, Classical Chinese and others)",
    reader="hub_tags",
    columns=columns(words="tokens", tags="pos_tags"),
)
_WIKIANN_HUB = Hub("unimelb-nlp/wikiann", "{language}", reader="hub_tags", columns=TAGGED)
_PANX_XTREME = Hub(_BENCHMARK, "PAN-X.{language}", reader="hub_tags", columns=TAGGED)
_XQUAD_HUB = Hub("google/xquad", "xquad.{language}", reader="hub_spans", columns=QUESTIONS, splits=ONLY_VALIDATION)
_XQUAD_XTREME = Hub(_BENCHMARK, "XQuAD.{language}", reader="hub_spans", columns=QUESTIONS, splits=ONLY_VALIDATION)
_MLQA_HUB = Hub("facebook/mlqa", "mlqa.{language}.{language}", reader="hub_spans", columns=QUESTIONS)
_MLQA_XTREME = Hub(_BENCHMARK, "MLQA.{language}.{language}", reader="hub_spans", columns=QUESTIONS)
_TYDIQA_HUB = Hub("juletxara/tydiqa_xtreme", "{language}", reader="hub_spans", columns=QUESTIONS)
_TYDIQA_XTREME = Hub(
    _BENCHMARK,
    "tydiqa",
    reader="hub_spans",
    columns=(*QUESTIONS, ("language", "id")),
    languages="ar bn en fi id ko ru sw te",
)

_BOTH = (BenchmarkName.XTREME, BenchmarkName.XTREME_R)
_XTREME_ONLY = (BenchmarkName.XTREME,)


def _codes(text: str) -> tuple[str, ...]:
    """Return language codes, English first."""
    return tuple(sorted(text.split(), key=lambda code: (code != "en", code)))


def _pairs(*names: str) -> Layout:
    """Return the layout of XTREME's sentence pairs, from one file or from texts and labels."""
    return Layout("pairs_tsv", (names,), layouts.QUOTING, same_rows=True)


def _hub_pairs(split: Split, *sources: Hub) -> tuple[Layout, ...]:
    return tuple(hub_rows(source, split, quoting=True) for source in sources)


def _tagged(folder: str, split: Split, *published: Layout) -> Layout:
    """Return XTREME's file and the publishers' as alternatives; XTREME's test files have no tags, so they come last."""
    name = f"{folder}/{split.value}-{{language}}.tsv"
    ours = Layout("word_lines", ((name,),), same_rows=True)
    return layouts.first_of(*published, ours) if split is Split.TEST else layouts.first_of(ours, *published)


def _udpos(split: Split) -> Layout:
    wrong = refused(
        Hub(_BENCHMARK, "udpos.{name}"),
        split,
        why="google/xtreme's udpos is not XTREME's: it mixes in treebanks of other languages (Ancient Greek, Old "
        "French, Classical Chinese and others) and splits words that XTREME fuses",
        instead="Use the treebanks of Universal Dependencies 2.5 (folder ud-treebanks-v2.5) or izhx/xtreme-r-udpos",
    )
    return layouts.first_of(_tagged("udpos", split, layouts.treebanks(split), hub_rows(_UDPOS_HUB, split)), wrong)


_XNLI_LANGUAGES = _codes("ar bg de el en es fr hi ru sw th tr ur vi zh")

XNLI = Task(
    name="xnli",
    title="XNLI",
    phase=Phase.TARGET,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_XNLI_LANGUAGES,
    size=Size(40, mini_length=21),
    benchmarks=_BOTH,
    labels=NLI_LABELS,
    train_task="mnli",
    layouts={
        Split.DEV: layouts.first_of(
            _pairs("xnli/dev-{language}.tsv"),
            layouts.xnli(Split.DEV, _XNLI_LANGUAGES),
            *_hub_pairs(Split.DEV, _XNLI_HUB, _XNLI_XTREME),
        ),
        Split.TEST: layouts.first_of(
            _pairs("xnli/test-{language}.tsv", "xnli/test-labels.txt"),
            layouts.xnli(Split.TEST, _XNLI_LANGUAGES),
            *_hub_pairs(Split.TEST, _XNLI_HUB, _XNLI_XTREME),
            _pairs("xnli/test-{language}.tsv"),
        ),
    },
    group=Group.CLASSIFICATION,
    rows=392_702,
    hub=_XNLI_XTREME,
    citation="Conneau et al. 2018",
    licence="CC BY-NC 4.0",
)

PAWSX = Task(
    name="pawsx",
    title="PAWS-X",
    phase=Phase.TARGET,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_codes("de en es fr ja ko zh"),
    size=Size(58, mini_length=40),
    benchmarks=_XTREME_ONLY,
    labels=("0", "1"),
    layouts={
        Split.TRAIN: layouts.first_of(
            _pairs("pawsx/train-{language}.tsv"),
            layouts.pawsx(Split.TRAIN),
            *_hub_pairs(Split.TRAIN, _PAWSX_HUB, _PAWSX_XTREME),
            Layout("pairs_tsv", (("pawsx/train-{language}.from_dev.tsv",),), layouts.QUOTING),
        ),
        Split.DEV: layouts.first_of(
            _pairs("pawsx/dev-{language}.tsv"),
            layouts.pawsx(Split.DEV),
            *_hub_pairs(Split.DEV, _PAWSX_HUB, _PAWSX_XTREME),
        ),
        Split.TEST: layouts.first_of(
            layouts.pawsx(Split.TEST),
            *_hub_pairs(Split.TEST, _PAWSX_HUB, _PAWSX_XTREME),
            _pairs("pawsx/test-{language}.tsv"),
        ),
    },
    group=Group.CLASSIFICATION,
    rows=49_401,
    recipe=Recipe(full_target=PartialSettings(epochs=5, batch_size=32, max_length=256)),
    hub=_PAWSX_XTREME,
    citation="Yang et al. 2019",
    licence="free for any purpose, with acknowledgement of Google",
)

UDPOS = Task(
    name="udpos",
    title="UDPOS",
    phase=Phase.TARGET,
    kind=Kind.TAG,
    metric=Metric.CHUNK_F1,
    languages=_codes(
        "af ar bg de el en es et eu fa fi fr he hi hu id it ja kk ko mr nl pt ru ta te th tl tr ur vi yo zh"
    ),
    languages_r=_codes("lt pl ro uk wo"),
    size=Size(26, evaluation_rows=2_500, mini_length=10),
    benchmarks=_BOTH,
    labels=UPOS,
    layouts={split: _udpos(split) for split in Split},
    group=Group.STRUCTURED,
    rows=21_253,
    recipe=Recipe(full_target=PartialSettings(epochs=10, batch_size=32, max_length=256)),
    hub=_UDPOS_HUB,
    citation="Nivre et al. 2018 (Universal Dependencies 2.5)",
    licence="per treebank",
)

PANX = Task(
    name="panx",
    title="PAN-X",
    phase=Phase.TARGET,
    kind=Kind.TAG,
    metric=Metric.CHUNK_F1,
    languages=_codes(
        "af ar bg bn de el en es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th tl tr "
        "ur vi yo zh"
    ),
    languages_r=_codes("az gu lt pa pl qu ro uk"),
    size=Size(15, mini_length=9),
    benchmarks=_BOTH,
    labels=ENTITY_TAGS,
    layouts={
        split: _tagged(
            "panx", split, layouts.wikiann(split), *(hub_rows(source, split) for source in (_WIKIANN_HUB, _PANX_XTREME))
        )
        for split in Split
    },
    group=Group.STRUCTURED,
    rows=20_000,
    recipe=Recipe(full_target=PartialSettings(epochs=10, batch_size=32, max_length=256)),
    hub=_PANX_XTREME,
    citation="Pan et al. 2017, splits of Rahimi et al. 2019",
    licence="none stated",
)

XQUAD = Task(
    name="xquad",
    title="XQuAD",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.SQUAD,
    languages=_codes("ar de el en es hi ru th tr vi zh"),
    languages_r=("ro",),
    size=Size(256, english_length=223, mini_length=40),
    benchmarks=_BOTH,
    train_task="squad1",
    layouts={
        Split.TEST: layouts.first_of(
            Layout("squad", (("xquad/xquad.{language}.json",),)),
            hub_rows(_XQUAD_HUB, Split.TEST),
            hub_rows(_XQUAD_XTREME, Split.TEST),
        )
    },
    group=Group.QA,
    rows=87_599,
    hub=_XQUAD_HUB,
    citation="Artetxe et al. 2020",
    licence="CC BY-SA 4.0",
)


def _mlqa(split: Split) -> Layout:
    name = f"{split.value}/{split.value}-context-{{language}}-question-{{language}}.json"
    files = ((f"mlqa/MLQA_V1/{name}",), (f"mlqa/{name}",), (f"MLQA_V1/{name}",))
    return layouts.first_of(Layout("squad", files), hub_rows(_MLQA_HUB, split), hub_rows(_MLQA_XTREME, split))


MLQA = Task(
    name="mlqa",
    title="MLQA",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.MLQA,
    languages=_codes("ar de en es hi vi zh"),
    size=Size(256, english_length=223, mini_length=44),
    benchmarks=_BOTH,
    train_task="squad1",
    layouts={Split.DEV: _mlqa(Split.DEV), Split.TEST: _mlqa(Split.TEST)},
    group=Group.QA,
    rows=87_599,
    hub=_MLQA_HUB,
    citation="Lewis et al. 2020",
    licence="CC BY-SA 3.0",
)

_TYDIQA_LANGUAGES = _codes("ar bn en fi id ko ru sw te")


def _tydiqa(split: str) -> Layout:
    name = f"tydiqa/tydiqa-goldp-v1.1-{split}/tydiqa.goldp.{{language}}.{split}.json"
    return Layout("squad", ((name,),), same_rows=True)


def _hub_tydiqa(split: Split) -> tuple[Layout, Layout]:
    return hub_rows(_TYDIQA_HUB, split), hub_rows(_TYDIQA_XTREME, split)


TYDIQA = Task(
    name="tydiqa",
    title="TyDiQA-GoldP",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.SQUAD,
    languages=_TYDIQA_LANGUAGES,
    size=Size(171, evaluation_rows=564, mini_length=30),
    benchmarks=_BOTH,
    layouts={
        Split.TRAIN: layouts.first_of(
            _tydiqa("train"), layouts.tydiqa(Split.TRAIN, _TYDIQA_LANGUAGES), *_hub_tydiqa(Split.TRAIN)
        ),
        # XTREME blanks the answers of its copies.
        Split.DEV: layouts.first_of(
            layouts.tydiqa(Split.DEV, _TYDIQA_LANGUAGES), *_hub_tydiqa(Split.DEV), _tydiqa("dev")
        ),
    },
    group=Group.QA,
    rows=3_696,
    low_resource=True,
    recipe=Recipe(
        full_target=PartialSettings(epochs=2, batch_size=16, max_length=384),
        adapter=PartialSettings(batch_size=16, max_length=384),  # not among Poth et al.'s tasks: as their SQuAD
    ),
    hub=_TYDIQA_HUB,
    citation="Clark et al. 2020",
    licence="Apache-2.0",
)


TASKS = (XNLI, PAWSX, UDPOS, PANX, XQUAD, MLQA, TYDIQA, BUCC2018, TATOEBA)
"""The target tasks in XTREME's order."""
