"""Benchmarks beyond XTREME: AfriXNLI, SIB-200 and Belebele, in no benchmark's averages.

Files as on the Hugging Face hub (``hub/<owner>/<repository>/data`` below the data root) or in a folder of the task.
Belebele is a test set; its authors train on what ``assemble_training_set.py`` of facebookresearch/belebele makes from
RACE, SciQ, MultiRC, MCTest, MCScript 2.0 and ReClor, which is `BELEBELE_TRAIN` here.
"""

from __future__ import annotations

from adaptstilts.config.recipes import PartialSettings, Recipe
from adaptstilts.tasks import flores, layouts
from adaptstilts.tasks.intermediate import NLI_LABELS
from adaptstilts.tasks.spec import Hub, Kind, Phase, Size, Split, Task

_AFRIXNLI_CODES = (
    ("en", "eng"), ("am", "amh"), ("ee", "ewe"), ("fr", "fra"), ("ha", "hau"), ("ig", "ibo"), ("lg", "lug"),
    ("ln", "lin"), ("om", "orm"), ("rw", "kin"), ("sn", "sna"), ("st", "sot"), ("sw", "swa"), ("tw", "twi"),
    ("wo", "wol"), ("xh", "xho"), ("yo", "yor"), ("zu", "zul"),
)  # fmt: skip

AFRIXNLI = Task(
    name="afrixnli",
    title="AfriXNLI",
    kind=Kind.CLASSIFY,
    languages=tuple(code for code, _ in _AFRIXNLI_CODES),
    size=Size(evaluation_rows=600),
    labels=NLI_LABELS,
    train_task="mnli",
    layouts={
        split: layouts.texts(
            f"afrixnli/{{language}}/{split.value}.tsv",
            f"hub/masakhane/afrixnli/data/{{language}}/{split.value}.tsv",
            codes=_AFRIXNLI_CODES,
            first="premise",
            second="hypothesis",
            words="contradiction|2 entailment|0 neutral|1",
        )
        for split in (Split.DEV, Split.TEST)
    },
    rows=392_702,
    hub=Hub("masakhane/afrixnli", "{language}", "ISO 639-3 codes; the English rows are XNLI's"),
    citation="Adelani et al. 2024 (IrokoBench)",
    licence="Apache-2.0",
)

SIB200 = Task(
    name="sib200",
    title="SIB-200",
    kind=Kind.CLASSIFY,
    languages=tuple(code for code, _ in flores.SIB_200),
    size=Size(training_rows=700, evaluation_rows=200),
    labels=("science/technology", "travel", "politics", "sports", "health", "entertainment", "geography"),
    layouts={
        split: layouts.texts(
            f"sib200/{{language}}/{split.value}.tsv",
            f"hub/Davlan/sib200/data/{{language}}/{split.value}.tsv",
            codes=flores.SIB_200,
            label="category",
        )
        for split in Split
    },
    low_resource=True,
    # Epochs and length of code/xlmr_all.sh in its repository, for XLM-R Large.
    recipe=Recipe(full=PartialSettings(epochs=10, max_length=164), adapter=PartialSettings(max_length=164)),
    hub=Hub("Davlan/sib200", "{language}", "codes of FLORES-200"),
    citation="Adelani et al. 2024",
    licence="CC BY-SA 4.0",
)

BELEBELE_TRAIN = Task(
    name="belebele_train",
    title="Belebele training set",
    phase=Phase.TRAINING,
    kind=Kind.CHOOSE,
    languages=("en",),
    size=Size(200, choices=4, training_rows=67_500),
    layouts=dict.fromkeys(
        (Split.TRAIN, Split.DEV),
        layouts.choices(
            "belebele/belebele_training_set.tsv",
            prompt="passage question",
            choices="answer1 answer2 answer3 answer4",
            label="correct_answer_num",
            first="1",
            split="split",
        ),
    ),
    # Its passages have up to 25 sentences.
    recipe=Recipe(
        full=PartialSettings(max_length=512),
        adapter=PartialSettings(batch_size=16, max_length=512),
    ),
    citation="Bandarkar et al. 2024, from six data sets",
    licence="CC BY-NC 4.0 for the most part; those of its six data sets",
)

BELEBELE = Task(
    name="belebele",
    title="Belebele",
    kind=Kind.CHOOSE,
    languages=tuple(code for code, _ in flores.BELEBELE),
    size=Size(150, choices=4, evaluation_rows=900),
    train_task="belebele_train",
    layouts={
        Split.TEST: layouts.choices(
            "belebele/{language}.jsonl",
            "hub/facebook/belebele/data/{language}.jsonl",
            codes=flores.BELEBELE,
            prompt="flores_passage question",
            choices="mc_answer1 mc_answer2 mc_answer3 mc_answer4",
            label="correct_answer_num",
            first="1",
        )
    },
    hub=Hub("facebook/belebele", "{language}", "codes of FLORES-200"),
    citation="Bandarkar et al. 2024",
    licence="CC BY-SA 4.0",
)

TASKS = (AFRIXNLI, SIB200, BELEBELE, BELEBELE_TRAIN)
