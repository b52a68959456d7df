"""The nine English intermediate tasks of X-STILTs (Phang et al. 2020).

Training set sizes: the dataset cards of the Hugging Face hub for the single sets, their sum for ANLI+.
"""

from __future__ import annotations

from dataclasses import replace

from adaptstilts.tasks import layouts
from adaptstilts.tasks.hub_layouts import hub
from adaptstilts.tasks.spec import Hub, Kind, Layout, Metric, Phase, Split, Task

NLI_LABELS = ("contradiction", "entailment", "neutral")
"""Label order of every NLI task, as in XTREME's and jiant's processors."""

_ENGLISH = ("en",)
_ANLI_KEYS = (("first", "context"), ("second", "hypothesis"), ("label", "label"), ("id", "uid"), ("words", "c e n"))

# XTREME's download has MNLI only as the training file of XNLI.
_MNLI_TRAIN = Layout(
    "pairs_jsonl",
    layouts.unpacked("mnli", "multinli_1.0", "multinli_1.0_train.jsonl"),
    otherwise=layouts.first_of(
        Layout("pairs_tsv", (("xnli/train-en.tsv",),), layouts.QUOTING),
        layouts.xnli_train(),
        hub("mnli", Split.TRAIN),
    ),
)
_MNLI_DEV = Layout(
    "pairs_jsonl",
    layouts.unpacked("mnli", "multinli_1.0", "multinli_1.0_dev_matched.jsonl"),
    otherwise=hub("mnli", Split.DEV),
)
"""XNLI's English dev file is no substitute: those rows may be what is scored."""


def _snli(split: Split) -> Layout:
    name = split.value
    parallel = (f"snli/s1.{name}", f"snli/s2.{name}", f"snli/labels.{name}")
    files = layouts.unpacked("snli", "snli_1.0", f"snli_1.0_{name}.jsonl")
    return layouts.first_of(Layout("pairs_jsonl", files), Layout("pairs_parallel", (parallel,)), hub("snli", split))


def _anli(split: Split) -> tuple[Layout, ...]:
    return tuple(
        Layout(
            "pairs_jsonl",
            layouts.unpacked("anli", "anli_v1.0", f"R{part}/{split.value}.jsonl"),
            _ANLI_KEYS,
            otherwise=hub(f"anli {part}", split),
        )
        for part in (1, 2, 3)
    )


def _squad(name: str, folder: str, *rows: Layout) -> Layout:
    return layouts.first_of(Layout("squad", ((f"squad/{folder}/{name}",), (f"squad/{name}",))), *rows)


ANLI = Task(
    name="anli",
    title="ANLI+",
    phase=Phase.INTERMEDIATE,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_ENGLISH,
    labels=NLI_LABELS,
    layouts={
        Split.TRAIN: replace(_MNLI_TRAIN, parts=(_snli(Split.TRAIN), *_anli(Split.TRAIN))),
        Split.DEV: replace(_MNLI_DEV, parts=(_snli(Split.DEV), *_anli(Split.DEV))),
    },
    rows=1_104_934,
    hub=Hub("facebook/anli", note="ANLI alone; ANLI+ pools it with MNLI and SNLI"),
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
    labels=NLI_LABELS,
    layouts={Split.TRAIN: _MNLI_TRAIN, Split.DEV: _MNLI_DEV},
    rows=392_702,
    hub=Hub("nyu-mll/glue", "mnli", "labels in the order entailment, neutral, contradiction"),
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
    labels=("0", "1"),
    layouts={
        Split.TRAIN: Layout("qqp", (("qqp/train.tsv",), ("QQP/train.tsv",)), otherwise=hub("qqp", Split.TRAIN)),
        Split.DEV: Layout("qqp", (("qqp/dev.tsv",), ("QQP/dev.tsv",)), otherwise=hub("qqp", Split.DEV)),
    },
    rows=363_846,
    hub=Hub("nyu-mll/glue", "qqp"),
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
    layouts={
        Split.TRAIN: _squad("train-v1.1.json", "v1.1", hub("squad1", Split.TRAIN), hub("xtreme squad", Split.TRAIN)),
        Split.DEV: _squad("dev-v1.1.json", "v1.1", hub("squad1", Split.DEV), hub("xtreme squad", Split.DEV)),
    },
    rows=87_599,
    hub=Hub("rajpurkar/squad"),
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
    layouts={
        Split.TRAIN: _squad("train-v2.0.json", "v2.0", hub("squad2", Split.TRAIN)),
        Split.DEV: _squad("dev-v2.0.json", "v2.0", hub("squad2", Split.DEV)),
    },
    rows=130_319,
    unanswerable=True,
    hub=Hub("rajpurkar/squad_v2"),
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
    layouts={
        Split.TRAIN: layouts.first_of(
            Layout("hellaswag", (("hellaswag/hellaswag_train.jsonl",),)),
            hub("hellaswag", Split.TRAIN),
            Layout("hellaswag", (("hellaswag/hellaswag_train.from_val.jsonl",),)),
        ),
        Split.DEV: Layout("hellaswag", (("hellaswag/hellaswag_val.jsonl",),), otherwise=hub("hellaswag", Split.DEV)),
    },
    rows=39_905,
    hub=Hub("Rowan/hellaswag"),
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
    layouts={
        Split.TRAIN: layouts.first_of(
            Layout("cosmosqa", (("cosmosqa/train.csv",),)),
            hub("cosmosqa", Split.TRAIN),
            Layout("cosmosqa", (("cosmosqa/train.from_valid.csv",),)),
        ),
        Split.DEV: Layout("cosmosqa", (("cosmosqa/valid.csv",),), otherwise=hub("cosmosqa", Split.DEV)),
    },
    rows=25_262,
    hub=Hub("allenai/cosmos_qa"),
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
    layouts={
        Split.TRAIN: Layout(
            "commonsenseqa",
            (("commonsenseqa/train_rand_split.jsonl",),),
            otherwise=hub("commonsenseqa", Split.TRAIN),
        ),
        Split.DEV: Layout(
            "commonsenseqa",
            (("commonsenseqa/dev_rand_split.jsonl",),),
            otherwise=hub("commonsenseqa", Split.DEV),
        ),
    },
    rows=9_741,
    hub=Hub("tau/commonsense_qa"),
    citation="Talmor et al. 2019",
    licence="MIT",
)

TASKS = (ANLI, MNLI, QQP, SQUAD2, SQUAD1, HELLASWAG, CCG, COSMOSQA, COMMONSENSEQA)
"""The intermediate tasks in the order of the paper's tables."""
