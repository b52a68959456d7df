"""XTREME's two tasks of sentence retrieval: BUCC2018 and Tatoeba. Neither has training data."""

from __future__ import annotations

from adaptstilts.tasks import layouts
from adaptstilts.tasks.hub_layouts import ONLY_VALIDATION, columns, hub_rows, refused
from adaptstilts.tasks.spec import BenchmarkName, Group, Hub, Kind, Layout, Metric, Phase, Size, Split, Task

_XTREME = (BenchmarkName.XTREME,)

_BUCC_XTREME = Hub(
    "google/xtreme", "bucc18.{language}", "gold pairs only, no distractors: mining cannot be scored on it"
)
_TATOEBA_HUB = Hub(
    "mteb/tatoeba-bitext-mining",
    "{language3}-eng",
    reader="hub_bitext",
    columns=columns(foreign="sentence1", english="sentence2"),
)
_TATOEBA_XTREME = Hub(
    "google/xtreme",
    "tatoeba.{language3}",
    reader="hub_bitext",
    columns=columns(foreign="source_sentence", english="target_sentence"),
    splits=ONLY_VALIDATION,
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
            _BUCC_XTREME,
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
    languages=("de", "fr", "ru", "zh"),
    size=Size(32, sentences=660_000, mini_length=14),
    benchmarks=_XTREME,
    layouts=_BUCC_LAYOUTS,
    group=Group.RETRIEVAL,
    trains=False,
    hub=_BUCC_XTREME,
    citation="Zweigenbaum et al. 2018",
    licence="none stated",
)

_TATOEBA_LANGUAGES = (
    "af", "ar", "bg", "bn", "de", "el", "es", "et", "eu", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "jv",
    "ka", "kk", "ko", "ml", "mr", "nl", "pt", "ru", "sw", "ta", "te", "th", "tl", "tr", "ur", "vi", "zh",
)  # fmt: skip

TATOEBA = Task(
    name="tatoeba",
    title="Tatoeba",
    phase=Phase.TARGET,
    kind=Kind.RETRIEVE,
    metric=Metric.TATOEBA_ACCURACY,
    languages=_TATOEBA_LANGUAGES,
    size=Size(12, evaluation_rows=936, mini_length=11),
    benchmarks=_XTREME,
    layouts={
        Split.TEST: Layout(
            "tatoeba",
            (("tatoeba/tatoeba.{language3}-eng.{language3}", "tatoeba/tatoeba.{language3}-eng.eng"),),
            otherwise=layouts.first_of(
                hub_rows(_TATOEBA_HUB, Split.TEST),
                hub_rows(_TATOEBA_XTREME, Split.TEST),
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
    hub=_TATOEBA_HUB,
    citation="Artetxe and Schwenk 2019",
    licence="CC BY 2.0 FR",
)
