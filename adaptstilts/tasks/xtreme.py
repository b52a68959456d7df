"""The nine target tasks of XTREME (Hu et al. 2020): languages, labels and files as in its repository.

Six of them are tasks of XTREME-R too (Ruder et al. 2021), three of these in more languages.

Training set sizes: the dataset table of the RemBERT paper (Chung et al. 2021).
"""

from __future__ import annotations

from adaptstilts.tasks import layouts
from adaptstilts.tasks.hub_layouts import hub, refused
from adaptstilts.tasks.intermediate import NLI_LABELS
from adaptstilts.tasks.spec import BenchmarkName, Group, Hub, Kind, Layout, Metric, Phase, Split, Task

UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM",
    "VERB", "X",
)  # fmt: skip
"""The 17 universal part-of-speech tags."""

ENTITY_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

_BOTH = (BenchmarkName.XTREME, BenchmarkName.XTREME_R)
_XTREME_ONLY = (BenchmarkName.XTREME,)


def _codes(text: str) -> tuple[str, ...]:
    """Return language codes, English first."""
    return tuple(sorted(text.split(), key=lambda code: (code != "en", code)))


def _pairs(*names: str) -> Layout:
    """Return the layout of XTREME's sentence pairs, with or without a file of labels."""
    return Layout("pairs_tsv", (names,), layouts.QUOTING, same_rows=True)


def _hub_pairs(name: str, split: Split) -> tuple[Layout, Layout]:
    return hub(name, split, quoting=True), hub(f"xtreme {name}", split, quoting=True)


def _tagged(folder: str, split: Split, *published: Layout) -> Layout:
    """Chain XTREME's file and the publishers'; XTREME's test files have no tags, so they come last."""
    name = f"{folder}/{split.value}-{{language}}.tsv"
    ours = Layout("word_lines", ((name,),), same_rows=True)
    return layouts.first_of(*published, ours) if split is Split.TEST else layouts.first_of(ours, *published)


def _udpos(split: Split) -> Layout:
    wrong = refused(
        "google/xtreme",
        "udpos.{name}",
        split,
        why="google/xtreme's udpos is not XTREME's: it mixes in treebanks of other languages (Ancient Greek, Old "
        "French, Classical Chinese and others) and splits words that XTREME fuses",
        instead="Use the treebanks of Universal Dependencies 2.5 (folder ud-treebanks-v2.5) or izhx/xtreme-r-udpos",
    )
    return layouts.first_of(_tagged("udpos", split, layouts.treebanks(split), hub("udpos", split)), wrong)


_XNLI_LANGUAGES = _codes("ar bg de el en es fr hi ru sw th tr ur vi zh")

XNLI = Task(
    name="xnli",
    title="XNLI",
    phase=Phase.TARGET,
    kind=Kind.CLASSIFY,
    metric=Metric.ACCURACY,
    languages=_XNLI_LANGUAGES,
    benchmarks=_BOTH,
    labels=NLI_LABELS,
    train_task="mnli",
    layouts={
        Split.DEV: layouts.first_of(
            _pairs("xnli/dev-{language}.tsv"),
            layouts.xnli(Split.DEV, _XNLI_LANGUAGES),
            *_hub_pairs("xnli", Split.DEV),
        ),
        Split.TEST: layouts.first_of(
            _pairs("xnli/test-{language}.tsv", "xnli/test-labels.txt"),
            layouts.xnli(Split.TEST, _XNLI_LANGUAGES),
            *_hub_pairs("xnli", Split.TEST),
            _pairs("xnli/test-{language}.tsv"),
        ),
    },
    group=Group.CLASSIFICATION,
    rows=392_702,
    hub=Hub("google/xtreme", "XNLI", "all languages in one configuration; no training split"),
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
    benchmarks=_XTREME_ONLY,
    labels=("0", "1"),
    layouts={
        Split.TRAIN: layouts.first_of(
            _pairs("pawsx/train-{language}.tsv"),
            layouts.pawsx(Split.TRAIN),
            *_hub_pairs("pawsx", Split.TRAIN),
            Layout("pairs_tsv", (("pawsx/train-{language}.from_dev.tsv",),), layouts.QUOTING),
        ),
        Split.DEV: layouts.first_of(
            _pairs("pawsx/dev-{language}.tsv"), layouts.pawsx(Split.DEV), *_hub_pairs("pawsx", Split.DEV)
        ),
        Split.TEST: layouts.first_of(
            layouts.pawsx(Split.TEST), *_hub_pairs("pawsx", Split.TEST), _pairs("pawsx/test-{language}.tsv")
        ),
    },
    group=Group.CLASSIFICATION,
    rows=49_401,
    hub=Hub("google/xtreme", "PAWS-X.{language}", "lacks the rows that its CSV reader could not parse"),
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
    benchmarks=_BOTH,
    labels=UPOS,
    layouts={split: _udpos(split) for split in Split},
    group=Group.STRUCTURED,
    rows=21_253,
    hub=Hub(
        "izhx/xtreme-r-udpos",
        "{language}",
        "google/xtreme's udpos mixes in other treebanks (Ancient Greek, Old French, Classical Chinese and others)",
    ),
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
    benchmarks=_BOTH,
    labels=ENTITY_TAGS,
    layouts={
        split: _tagged("panx", split, layouts.wikiann(split), hub("wikiann", split), hub("xtreme panx", split))
        for split in Split
    },
    group=Group.STRUCTURED,
    rows=20_000,
    hub=Hub("google/xtreme", "PAN-X.{language}"),
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
    benchmarks=_BOTH,
    train_task="squad1",
    layouts={
        Split.TEST: layouts.first_of(
            Layout("squad", (("xquad/xquad.{language}.json",),)),
            hub("xquad", Split.TEST),
            hub("xtreme xquad", Split.TEST),
        )
    },
    group=Group.QA,
    rows=87_599,
    hub=Hub("google/xquad", "xquad.{language}"),
    citation="Artetxe et al. 2020",
    licence="CC BY-SA 4.0",
)


def _mlqa(split: Split) -> Layout:
    name = f"{split.value}/{split.value}-context-{{language}}-question-{{language}}.json"
    files = ((f"mlqa/MLQA_V1/{name}",), (f"mlqa/{name}",), (f"MLQA_V1/{name}",))
    return layouts.first_of(Layout("squad", files), hub("mlqa", split), hub("xtreme mlqa", split))


MLQA = Task(
    name="mlqa",
    title="MLQA",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.MLQA,
    languages=_codes("ar de en es hi vi zh"),
    benchmarks=_BOTH,
    train_task="squad1",
    layouts={Split.DEV: _mlqa(Split.DEV), Split.TEST: _mlqa(Split.TEST)},
    group=Group.QA,
    rows=87_599,
    hub=Hub("facebook/mlqa", "mlqa.{language}.{language}"),
    citation="Lewis et al. 2020",
    licence="CC BY-SA 3.0",
)

_TYDIQA_LANGUAGES = _codes("ar bn en fi id ko ru sw te")


def _tydiqa(split: str) -> Layout:
    name = f"tydiqa/tydiqa-goldp-v1.1-{split}/tydiqa.goldp.{{language}}.{split}.json"
    return Layout("squad", ((name,),), same_rows=True)


def _hub_tydiqa(split: Split) -> tuple[Layout, Layout]:
    return hub("tydiqa", split), hub("xtreme tydiqa", split)


TYDIQA = Task(
    name="tydiqa",
    title="TyDiQA-GoldP",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.SQUAD,
    languages=_TYDIQA_LANGUAGES,
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
    hub=Hub("juletxara/tydiqa_xtreme", "{language}"),
    citation="Clark et al. 2020",
    licence="Apache-2.0",
)


def _bucc(split: Split, *sides: str) -> Layout:
    files = tuple(f"bucc2018/{{language}}-en.{split.value}.{side}" for side in sides)
    return Layout("bucc", (files,), same_rows=True)


_BUCC_SIDES = ("{language}", "en")
# XTREME takes the gold pairs of the test set away.
_BUCC_LAYOUTS = {
    split: layouts.first_of(
        _bucc(split, *_BUCC_SIDES, "gold"),
        layouts.bucc(split),
        _bucc(split, *_BUCC_SIDES),
        refused(
            "google/xtreme",
            "bucc18.{language}",
            split,
            why="google/xtreme's bucc18 holds the gold pairs alone, without the sentences among which to find them",
            instead="Use the archives of the shared task (bucc2018/de-en/de-en.sample.de and so on)",
        ),
    )
    for split in (Split.DEV, Split.TEST)
}

BUCC2018 = Task(
    name="bucc2018",
    title="BUCC2018",
    phase=Phase.TARGET,
    kind=Kind.RETRIEVE,
    metric=Metric.BUCC_F1,
    languages=_codes("de fr ru zh"),
    benchmarks=_XTREME_ONLY,
    layouts=_BUCC_LAYOUTS,
    group=Group.RETRIEVAL,
    trains=False,
    hub=Hub("google/xtreme", "bucc18.{language}", "gold pairs only, no distractors: mining cannot be scored on it"),
    citation="Zweigenbaum et al. 2018",
    licence="none stated",
)

TATOEBA = Task(
    name="tatoeba",
    title="Tatoeba",
    phase=Phase.TARGET,
    kind=Kind.RETRIEVE,
    metric=Metric.TATOEBA_ACCURACY,
    languages=_codes(
        "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr nl pt ru sw ta te th tl tr ur vi zh"
    ),
    benchmarks=_XTREME_ONLY,
    layouts={
        Split.TEST: Layout(
            "tatoeba",
            (("tatoeba/tatoeba.{language3}-eng.{language3}", "tatoeba/tatoeba.{language3}-eng.eng"),),
            otherwise=layouts.first_of(
                hub("tatoeba", Split.TEST),
                hub("xtreme tatoeba", Split.TEST),
                Layout(
                    "tatoeba",
                    (("tatoeba/{language}-en.{language}", "tatoeba/{language}-en.en"),),
                    (("aligned", "unless_sorted"),),
                ),
            ),
        )
    },
    group=Group.RETRIEVAL,
    trains=False,
    hub=Hub("mteb/tatoeba-bitext-mining", "{language3}-eng"),
    citation="Artetxe and Schwenk 2019",
    licence="CC BY 2.0 FR",
)

TASKS = (XNLI, PAWSX, UDPOS, PANX, XQUAD, MLQA, TYDIQA, BUCC2018, TATOEBA)
"""The target tasks in XTREME's order."""
