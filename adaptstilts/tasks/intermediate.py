"""The nine English intermediate tasks of X-STILTs (Phang et al. 2020).

Training set sizes: the dataset cards of the Hugging Face hub for the single sets, their sum for ANLI+. Sources of sizes
and recipes: `adaptstilts.tasks.spec.Size` and `adaptstilts.config.recipes`.
"""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.tasks import layouts
from adaptstilts.tasks.hub_layouts import NLI_COLUMNS, QUESTIONS, SPLITS, columns, hub_rows
from adaptstilts.tasks.spec import Hub, Kind, Layout, Metric, Phase, Size, Split, Task

NLI_LABELS = ("contradiction", "entailment", "neutral")
"""Label order of every NLI task, as in XTREME's and jiant's processors."""

_ENGLISH = ("en",)
_ANLI_KEYS = (("first", "context"), ("second", "hypothesis"), ("label", "label"), ("id", "uid"), ("words", "c e n"))

_MNLI_HUB = Hub(
    "nyu-mll/glue",
    "mnli",
    "labels in the order entailment, neutral, contradiction",
    reader="hub_pairs",
    columns=NLI_COLUMNS,
    splits=((Split.DEV, ("validation_matched",)),),
)
_QQP_HUB = Hub(
    "nyu-mll/glue",
    "qqp",
    reader="hub_pairs",
    columns=columns(first="question1", second="question2", label="label"),
    words="not_duplicate duplicate",
)
_SNLI_HUB = Hub("stanfordnlp/snli", "plain_text", reader="hub_pairs", columns=NLI_COLUMNS)
_ANLI_HUB = Hub(
    "facebook/anli",
    "plain_text",
    "ANLI alone; ANLI+ pools it with MNLI and SNLI",
    reader="hub_pairs",
    columns=(*NLI_COLUMNS, ("id", "uid")),
)
_SQUAD1_HUB = Hub("rajpurkar/squad", "plain_text", reader="hub_spans", columns=QUESTIONS)
_SQUAD1_XTREME = Hub("google/xtreme", "SQuAD", reader="hub_spans", columns=QUESTIONS)
_SQUAD2_HUB = Hub("rajpurkar/squad_v2", "squad_v2", reader="hub_spans", columns=QUESTIONS)
_HELLASWAG_HUB = Hub("Rowan/hellaswag", reader="hub_records", columns=columns(records="hellaswag"))
_COSMOSQA_HUB = Hub("allenai/cosmos_qa", reader="hub_records", columns=columns(records="cosmosqa"))
_COMMONSENSEQA_HUB = Hub("tau/commonsense_qa", reader="hub_records", columns=columns(records="commonsenseqa"))

# XTREME's download has MNLI only as the training file of XNLI.
_MNLI_TRAIN = Layout(
    "pairs_jsonl",
    layouts.unpacked("mnli", "multinli_1.0", "multinli_1.0_train.jsonl"),
    otherwise=layouts.first_of(
        Layout("pairs_tsv", (("xnli/train-en.tsv",),), layouts.QUOTING),
        layouts.xnli_train(),
        hub_rows(_MNLI_HUB, Split.TRAIN),
    ),
)
_MNLI_DEV = Layout(
    "pairs_jsonl",
    layouts.unpacked("mnli", "multinli_1.0", "multinli_1.0_dev_matched.jsonl"),
    otherwise=hub_rows(_MNLI_HUB, Split.DEV),
)
"""XNLI's English dev file is no substitute: those rows may be what is scored."""


def _snli(split: Split) -> Layout:
    name = split.value
    parallel = (f"snli/s1.{name}", f"snli/s2.{name}", f"snli/labels.{name}")
    files = layouts.unpacked("snli", "snli_1.0", f"snli_1.0_{name}.jsonl")
    return layouts.first_of(
        Layout("pairs_jsonl", files), Layout("pairs_parallel", (parallel,)), hub_rows(_SNLI_HUB, split)
    )


def _anli(split: Split) -> tuple[Layout, ...]:
    return tuple(
        Layout(
            "pairs_jsonl",
            layouts.unpacked("anli", "anli_v1.0", f"R{part}/{split.value}.jsonl"),
            _ANLI_KEYS,
            otherwise=hub_rows(_anli_hub(part), split),
        )
        for part in (1, 2, 3)
    )


def _anli_hub(part: int) -> Hub:
    splits = tuple((split, tuple(f"{name}_r{part}" for name in names)) for split, names in SPLITS.items())
    return replace(_ANLI_HUB, splits=splits)


def _squad(name: str, folder: str, *rows: Layout) -> Layout:
    return layouts.first_of(Layout("squad", ((f"squad/{folder}/{name}",), (f"squad/{name}",))), *rows)


ANLI = Task(
    name="anli",
    title="ANLI+",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    size=Size(40, mini_length=27),
    labels=NLI_LABELS,
    layouts={
        Split.TRAIN: replace(_MNLI_TRAIN, parts=(_snli(Split.TRAIN), *_anli(Split.TRAIN))),
        Split.DEV: replace(_MNLI_DEV, parts=(_snli(Split.DEV), *_anli(Split.DEV))),
    },
    rows=1_104_934,
    hub=_ANLI_HUB,
    citation="Nie et al. 2020, with MNLI and SNLI (Bowman et al. 2015)",
    licence="ANLI CC BY-NC 4.0; SNLI CC BY-SA 4.0; MNLI see there",
)

MNLI = Task(
    name="mnli",
    title="MNLI",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    size=Size(40, mini_length=22),
    labels=NLI_LABELS,
    layouts={Split.TRAIN: _MNLI_TRAIN, Split.DEV: _MNLI_DEV},
    rows=392_702,
    recipe=Recipe(
        full_target=PartialSettings(epochs=2, batch_size=32, max_length=256),
        adapter=PartialSettings(batch_size=32, max_length=128),
    ),
    hub=_MNLI_HUB,
    citation="Williams et al. 2018",
    licence="by genre: OANC, CC BY-SA, CC BY, public domain",
)

QQP = Task(
    name="qqp",
    title="QQP",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY_F1,
    languages=_ENGLISH,
    size=Size(40, mini_length=20),
    labels=("0", "1"),
    layouts={
        Split.TRAIN: Layout("qqp", (("qqp/train.tsv",), ("QQP/train.tsv",)), otherwise=hub_rows(_QQP_HUB, Split.TRAIN)),
        Split.DEV: Layout("qqp", (("qqp/dev.tsv",), ("QQP/dev.tsv",)), otherwise=hub_rows(_QQP_HUB, Split.DEV)),
    },
    rows=363_846,
    hub=_QQP_HUB,
    citation="Iyer et al. 2017, in GLUE (Wang et al. 2019)",
    licence="Quora's terms of service",
)

SQUAD1 = Task(
    name="squad1",
    title="SQuAD 1.1",
    phase=Phase.INTERMEDIATE,
    kind=Kind.EXTRACT,
    metric=Metric.SQUAD,
    languages=_ENGLISH,
    size=Size(171, mini_length=43),
    layouts={
        split: _squad(name, "v1.1", hub_rows(_SQUAD1_HUB, split), hub_rows(_SQUAD1_XTREME, split))
        for split, name in ((Split.TRAIN, "train-v1.1.json"), (Split.DEV, "dev-v1.1.json"))
    },
    rows=87_599,
    recipe=Recipe(
        full=PartialSettings(max_length=384),
        full_target=PartialSettings(epochs=2, batch_size=16, max_length=384),
        adapter=PartialSettings(batch_size=16, max_length=384),
    ),
    hub=_SQUAD1_HUB,
    citation="Rajpurkar et al. 2016",
    licence="CC BY-SA 4.0",
)

SQUAD2 = Task(
    name="squad2",
    title="SQuAD 2.0",
    phase=Phase.INTERMEDIATE,
    kind=Kind.EXTRACT,
    metric=Metric.SQUAD2,
    languages=_ENGLISH,
    size=Size(171, mini_length=44),
    layouts={
        Split.TRAIN: _squad("train-v2.0.json", "v2.0", hub_rows(_SQUAD2_HUB, Split.TRAIN)),
        Split.DEV: _squad("dev-v2.0.json", "v2.0", hub_rows(_SQUAD2_HUB, Split.DEV)),
    },
    rows=130_319,
    unanswerable=True,
    recipe=Recipe(
        full=PartialSettings(max_length=384),
        adapter=PartialSettings(batch_size=16, max_length=384),
    ),
    hub=_SQUAD2_HUB,
    citation="Rajpurkar et al. 2018",
    licence="CC BY-SA 4.0",
)

HELLASWAG = Task(
    name="hellaswag",
    title="HellaSwag",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    size=Size(90, choices=4, mini_length=31),
    layouts={
        Split.TRAIN: layouts.first_of(
            Layout("hellaswag", (("hellaswag/hellaswag_train.jsonl",),)),
            hub_rows(_HELLASWAG_HUB, Split.TRAIN),
            Layout("hellaswag", (("hellaswag/hellaswag_train.from_val.jsonl",),)),
        ),
        Split.DEV: layouts.first_of(
            Layout("hellaswag", (("hellaswag/hellaswag_val.jsonl",),)), hub_rows(_HELLASWAG_HUB, Split.DEV)
        ),
    },
    rows=39_905,
    recipe=Recipe(adapter=PartialSettings(batch_size=16, max_length=200)),
    hub=_HELLASWAG_HUB,
    citation="Zellers et al. 2019",
    licence="MIT",
)

CCG = Task(
    name="ccg",
    title="CCG",
    phase=Phase.INTERMEDIATE,
    kind=Kind.TAG,
    metric=Metric.TOKEN_ACCURACY,
    languages=_ENGLISH,
    # Tags: the supertags of CCGbank, as jiant's task lists them.
    size=Size(26, training_rows=38_000, tags=1_363, mini_length=10, mini_tags=20),
    layouts={
        Split.TRAIN: Layout("sentence_lines", (("ccg/ccg.train",),)),
        Split.DEV: Layout("sentence_lines", (("ccg/ccg.dev",),)),
    },
    labels_from_data=True,
    citation="Hockenmaier and Steedman 2007",
    licence="Linguistic Data Consortium",
)

COSMOSQA = Task(
    name="cosmosqa",
    title="Cosmos QA",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    size=Size(115, choices=4, mini_length=60),
    layouts={
        Split.TRAIN: layouts.first_of(
            Layout("cosmosqa", (("cosmosqa/train.csv",),)),
            hub_rows(_COSMOSQA_HUB, Split.TRAIN),
            Layout("cosmosqa", (("cosmosqa/train.from_valid.csv",),)),
        ),
        Split.DEV: Layout("cosmosqa", (("cosmosqa/valid.csv",),), otherwise=hub_rows(_COSMOSQA_HUB, Split.DEV)),
    },
    rows=25_262,
    recipe=Recipe(adapter=PartialSettings(batch_size=16, max_length=128)),
    hub=_COSMOSQA_HUB,
    citation="Huang et al. 2019",
    licence="none stated in its repository",
)

COMMONSENSEQA = Task(
    name="commonsenseqa",
    title="CommonsenseQA",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CHOOSE,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    size=Size(22, choices=5, mini_length=12),
    layouts={
        Split.TRAIN: Layout(
            "commonsenseqa",
            (("commonsenseqa/train_rand_split.jsonl",),),
            otherwise=hub_rows(_COMMONSENSEQA_HUB, Split.TRAIN),
        ),
        Split.DEV: Layout(
            "commonsenseqa",
            (("commonsenseqa/dev_rand_split.jsonl",),),
            otherwise=hub_rows(_COMMONSENSEQA_HUB, Split.DEV),
        ),
    },
    rows=9_741,
    recipe=Recipe(adapter=PartialSettings(batch_size=16, max_length=80)),
    hub=_COMMONSENSEQA_HUB,
    citation="Talmor et al. 2019",
    licence="MIT",
)

TASKS = (ANLI, MNLI, QQP, SQUAD2, SQUAD1, HELLASWAG, CCG, COSMOSQA, COMMONSENSEQA)
"""The intermediate tasks in the order of the paper's tables."""
