"""Equal records give equal examples in whatever layout they lie: rows written for the tests, and real ones."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Sequence, Value

from adaptstilts.data.arrow import write_split
from adaptstilts.languages import get_language
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Answer, Bitext
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

TEXT, TEXTS = Value("string"), Sequence(Value("string"))
NLI_NAMES = ["entailment", "neutral", "contradiction"]
HUB_SPLITS = {Split.TRAIN: "train", Split.DEV: "validation", Split.TEST: "test"}
MOST_LANGUAGES = 3


@dataclass(frozen=True)
class Rows:
    """What is written: the examples of a split by language."""

    task: str
    split: Split
    rows: dict

    @property
    def labels(self) -> tuple[str, ...]:
        return get_task(self.task).labels


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def save_shards(folder: Path, name: str, columns: dict, features: dict) -> None:
    """Save two Arrow files with their state, as `datasets` does."""
    data = Dataset.from_dict(columns, features=Features(features))
    data.save_to_disk(str(folder / name), num_shards=2)


def write_shards(folder: Path, name: str, columns: dict, features: dict) -> None:
    """Write two parquet files, as the hub names them."""
    data = Dataset.from_dict(columns, features=Features(features))
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(2):
        path = folder / f"{name}-0000{shard}-of-00002.parquet"
        data.shard(2, shard, contiguous=True).to_parquet(str(path))


# Publishers


def xnli_1_0(root: Path, data: Rows) -> None:
    header = ["language", "gold_label", *(f"parse{n}" for n in range(4)), "sentence1", "sentence2", "pairID"]
    lines = ["\t".join(header)]
    for position in range(max(map(len, data.rows.values()))):
        for code, rows in data.rows.items():
            if position < len(rows):
                row = rows[position]
                cells = [code, data.labels[row.label], "", "", "", "", f" {row.first}", row.second, "1"]
                lines.append("\t".join(cells))
    write_text(root / f"xnli/XNLI-1.0/xnli.{data.split.value}.tsv", "\n".join(lines) + "\n")


def xnli_mt(root: Path, data: Rows) -> None:
    words = {"contradiction": "contradictory"}
    lines = ["premise\thypo\tlabel"]
    for row in data.rows["en"]:
        label = data.labels[row.label]
        lines.append(f"{row.first}\t{row.second}\t{words.get(label, label)}")
    write_text(root / "XNLI-MT-1.0/multinli/multinli.train.en.tsv", "\n".join(lines) + "\n")


def xtreme_pairs(folder: str) -> Callable[[Path, Rows], None]:
    def write(root: Path, data: Rows) -> None:
        for code, rows in data.rows.items():
            text = io.StringIO()
            writer = csv.writer(text, delimiter="\t")
            writer.writerows((row.first, row.second, data.labels[row.label]) for row in rows)
            write_text(root / folder / f"{data.split.value}-{code}.tsv", text.getvalue())

    return write


def mnli_jsonl(root: Path, data: Rows) -> None:
    records = (
        {"gold_label": data.labels[row.label], "sentence1": row.first, "sentence2": row.second, "pairID": row.id}
        for row in data.rows["en"]
    )
    text = "".join(json.dumps(record) + "\n" for record in records)
    write_text(root / "multinli_1.0/multinli_1.0_train.jsonl", text)


def x_final(root: Path, data: Rows) -> None:
    for code, rows in data.rows.items():
        lines = ["id\tsentence1\tsentence2\tlabel"]
        lines += [f"{7 * n}\t{row.first}\t{row.second}\t{row.label}" for n, row in enumerate(rows)]
        write_text(root / f"x-final/{code}/{data.split.value}_2k.tsv", "\n".join(lines) + "\n")


def conllu(root: Path, data: Rows) -> None:
    for code, sentences in data.rows.items():
        text = ""
        for sentence in sentences:
            for number, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=True), start=1):
                text += "\t".join([str(number), word, "_", data.labels[tag], "_", "_", "0", "_", "_", "_"]) + "\n"
            text += "\n"
        write_text(root / f"ud-treebanks-v2.5/UD_X-Y/{code}_y-ud-{data.split.value}.conllu", text)


def wikiann(root: Path, data: Rows) -> None:
    for code, sentences in data.rows.items():
        blocks = (
            "".join(f"{code}:{word}\t{data.labels[tag]}\n" for word, tag in zip(row.words, row.tags, strict=True))
            for row in sentences
        )
        write_text(root / f"panx_dataset/{code}/{data.split.value}", "\n".join(blocks))


def squad_json(rows, name: Callable[[str], str] = str) -> list:
    articles = []
    for row in rows:
        answers = [{"text": answer.text, "answer_start": answer.start} for answer in row.answers]
        question = {"id": name(row.id), "question": row.question, "answers": answers}
        articles.append({"title": "t", "paragraphs": [{"context": row.context, "qas": [question]}]})
    return articles


def prefixed(code: str) -> Callable[[str], str]:
    return lambda name: f"{get_language(code).name.lower()}-{name}"


def tydiqa_whole(root: Path, data: Rows) -> None:
    articles = [article for code, rows in data.rows.items() for article in squad_json(rows, prefixed(code))]
    path = root / f"tydiqa/tydiqa-goldp-v1.1-{data.split.value}.json"
    write_text(path, json.dumps({"version": "1", "data": articles}))


def tydiqa_single(root: Path, data: Rows) -> None:
    for code, rows in data.rows.items():
        name = f"tydiqa-goldp-dev-{get_language(code).name.lower()}.json"
        text = json.dumps({"version": "1", "data": squad_json(rows, prefixed(code))})
        write_text(root / "tydiqa/tydiqa-goldp-v1.1-dev" / name, text)


def bucc(root: Path, data: Rows) -> None:
    part = {Split.DEV: "sample", Split.TEST: "training"}[data.split]
    for code, bitext in data.rows.items():
        sides = {code: bitext.foreign, "en": bitext.english}
        texts = {side: "".join(f"{item.id}\t{item.text}\n" for item in items) for side, items in sides.items()}
        texts["gold"] = "".join(f"{one}\t{two}\n" for one, two in sorted(bitext.gold))
        for side, text in texts.items():
            write_text(root / f"bucc2018/{code}-en/{code}-en.{part}.{side}", text)


# The hub


def hub_pairs(repository: str, config: str, first: str, second: str, names: list[str] | None, **known):
    """A writer of pairs; without names the labels stay words; `known` gives the column `label`, and a split's name."""

    def write(root: Path, data: Rows) -> None:
        label = known.get("label", "label")
        for code, rows in data.rows.items():
            words = [known.get("words", {}).get(data.labels[row.label], data.labels[row.label]) for row in rows]
            columns = {first: [row.first for row in rows], second: [row.second for row in rows], label: words}
            features = {first: TEXT, second: TEXT, label: ClassLabel(names=names) if names else TEXT}
            folder = root / "hub" / repository / config.format(code)
            write_shards(folder, known.get("split", HUB_SPLITS[data.split]), columns, features)

    return write


def hub_nli(repository: str, config: str, **known) -> Callable[[Path, Rows], None]:
    return hub_pairs(repository, config, "premise", "hypothesis", NLI_NAMES, **known)


def hub_xtreme_xnli(root: Path, data: Rows) -> None:
    rows = [(code, row) for code, several in data.rows.items() for row in several]
    columns = {
        "language": [code for code, _ in rows],
        "sentence1": [row.first for _, row in rows],
        "sentence2": [row.second for _, row in rows],
        "gold_label": [data.labels[row.label] for _, row in rows],
    }
    write_shards(root / "hub/google/xtreme/XNLI", HUB_SPLITS[data.split], columns, dict.fromkeys(columns, TEXT))


def hub_tags(repository: str, config: str, tags: str) -> Callable[[Path, Rows], None]:
    def write(root: Path, data: Rows) -> None:
        for code, rows in data.rows.items():
            names = list(reversed(data.labels))
            columns = {
                "tokens": [list(row.words) for row in rows],
                tags: [[data.labels[tag] for tag in row.tags] for row in rows],
            }
            features = {"tokens": TEXTS, tags: Sequence(ClassLabel(names=names))}
            write_shards(root / "hub" / repository / config.format(code), HUB_SPLITS[data.split], columns, features)

    return write


def question_columns(rows, name: Callable[[str], str] = str) -> tuple[dict, dict]:
    answers = [
        {"text": [answer.text for answer in row.answers], "answer_start": [answer.start for answer in row.answers]}
        for row in rows
    ]
    columns = {
        "id": [name(row.id) for row in rows],
        "context": [row.context for row in rows],
        "question": [row.question for row in rows],
        "answers": answers,
    }
    features = {key: TEXT for key in columns if key != "answers"}
    return columns, {**features, "answers": Sequence({"text": TEXT, "answer_start": Value("int32")})}


def hub_spans(repository: str, config: str, split: str = "") -> Callable[[Path, Rows], None]:
    def write(root: Path, data: Rows) -> None:
        for code, rows in data.rows.items():
            folder = root / "hub" / repository / config.format(code)
            write_shards(folder, split or HUB_SPLITS[data.split], *question_columns(rows))

    return write


def hub_xtreme_tydiqa(root: Path, data: Rows) -> None:
    rows = [replace(row, id=prefixed(code)(row.id)) for code, several in data.rows.items() for row in several]
    write_shards(root / "hub/google/xtreme/tydiqa", HUB_SPLITS[data.split], *question_columns(rows))


def hub_bitext(repository: str, config: str, foreign: str, english: str, end: str = "", split: str = "test"):
    def write(root: Path, data: Rows) -> None:
        for code, bitext in data.rows.items():
            columns = {
                foreign: [item.text + end for item in bitext.foreign],
                english: [item.text + end for item in bitext.english],
            }
            folder = root / "hub" / repository / config.format(get_language(code).code3)
            write_shards(folder, split, columns, dict.fromkeys(columns, TEXT))

    return write


def hub_cosmosqa(root: Path, data: Rows) -> None:
    rows = data.rows["en"]
    prompts = [row.prompt.rpartition(" ") for row in rows]
    columns = {
        "id": [row.id for row in rows],
        "context": [context for context, _, _ in prompts],
        "question": [question for _, _, question in prompts],
    }
    columns |= {f"answer{number}": [row.choices[number] for row in rows] for number in range(4)}
    features = {**dict.fromkeys(columns, TEXT), "label": Value("int32")}
    columns["label"] = [row.label for row in rows]
    write_shards(root / "hub/allenai/cosmos_qa/default", "validation", columns, features)


def hub_hellaswag(root: Path, data: Rows) -> None:
    rows = data.rows["en"]
    columns = {
        "ind": [int(row.id) for row in rows],
        "ctx_a": [row.prompt for row in rows],
        "ctx_b": ["" for _ in rows],
        "endings": [list(row.choices) for row in rows],
        "label": [str(row.label) for row in rows],
    }
    features = {"ind": Value("int32"), "ctx_a": TEXT, "ctx_b": TEXT, "endings": TEXTS, "label": TEXT}
    write_shards(root / "hub/Rowan/hellaswag/data", "validation", columns, features)


def hub_commonsenseqa(root: Path, data: Rows) -> None:
    rows = data.rows["en"]
    columns = {
        "id": [row.id for row in rows],
        "question": [row.prompt for row in rows],
        "choices": [{"label": list("ABCDE"), "text": list(row.choices)} for row in rows],
        "answerKey": ["ABCDE"[row.label] for row in rows],
    }
    features = {"id": TEXT, "question": TEXT, "choices": Sequence({"label": TEXT, "text": TEXT}), "answerKey": TEXT}
    write_shards(root / "hub/tau/commonsense_qa/data", "validation", columns, features)


def own(root: Path, data: Rows) -> None:
    for code, rows in data.rows.items():
        write_split(root, get_task(data.task), data.split, code, rows, data.labels)


POSITION, SAME, PREFIX = "position", "same", "prefix"
"""What becomes of ids: positions, because the layout has none; the same; TyDiQA's with the language before them."""
ANSWER_WORDS = {"0": "not_duplicate", "1": "duplicate"}
CASES = [
    ("xnli", Split.DEV, "XNLI-1.0", xnli_1_0, POSITION),
    ("xnli", Split.DEV, "facebook/xnli", hub_nli("facebook/xnli", "{}"), POSITION),
    ("xnli", Split.TEST, "google/xtreme", hub_xtreme_xnli, POSITION),
    ("mnli", Split.TRAIN, "multinli_1.0", mnli_jsonl, SAME),
    ("mnli", Split.TRAIN, "XNLI-MT-1.0", xnli_mt, POSITION),
    ("mnli", Split.TRAIN, "XTREME", xtreme_pairs("xnli"), POSITION),
    ("mnli", Split.TRAIN, "nyu-mll/glue",
     hub_nli("nyu-mll/glue", "mnli"), POSITION),
    ("mnli", Split.DEV, "nyu-mll/glue",
     hub_nli("nyu-mll/glue", "mnli", split="validation_matched"), POSITION),
    ("qqp", Split.DEV, "nyu-mll/glue",
     hub_pairs("nyu-mll/glue", "qqp", "question1", "question2", ["not_duplicate", "duplicate"], words=ANSWER_WORDS),
     POSITION),
    ("pawsx", Split.DEV, "XTREME", xtreme_pairs("pawsx"), POSITION),
    ("pawsx", Split.DEV, "x-final", x_final, POSITION),
    ("pawsx", Split.DEV, "paws-x",
     hub_pairs("google-research-datasets/paws-x", "{}", "sentence1", "sentence2", ["0", "1"]), POSITION),
    ("pawsx", Split.DEV, "google/xtreme",
     hub_pairs("google/xtreme", "PAWS-X.{}", "sentence1", "sentence2", None), POSITION),
    ("udpos", Split.DEV, "treebanks", conllu, POSITION),
    ("udpos", Split.DEV, "izhx/xtreme-r-udpos", hub_tags("izhx/xtreme-r-udpos", "{}", "pos_tags"), POSITION),
    ("panx", Split.DEV, "panx_dataset", wikiann, POSITION),
    ("panx", Split.DEV, "unimelb-nlp/wikiann", hub_tags("unimelb-nlp/wikiann", "{}", "ner_tags"), POSITION),
    ("panx", Split.DEV, "google/xtreme", hub_tags("google/xtreme", "PAN-X.{}", "ner_tags"), POSITION),
    ("xquad", Split.TEST, "google/xquad", hub_spans("google/xquad", "xquad.{}", "validation"), SAME),
    ("xquad", Split.TEST, "google/xtreme", hub_spans("google/xtreme", "XQuAD.{}", "validation"), SAME),
    ("mlqa", Split.DEV, "facebook/mlqa", hub_spans("facebook/mlqa", "mlqa.{0}.{0}"), SAME),
    ("mlqa", Split.DEV, "google/xtreme", hub_spans("google/xtreme", "MLQA.{0}.{0}"), SAME),
    ("tydiqa", Split.TRAIN, "one file", tydiqa_whole, PREFIX),
    ("tydiqa", Split.TRAIN, "juletxara", hub_spans("juletxara/tydiqa_xtreme", "{}"), SAME),
    ("tydiqa", Split.TRAIN, "google/xtreme", hub_xtreme_tydiqa, PREFIX),
    ("tydiqa", Split.DEV, "files by language", tydiqa_single, PREFIX),
    ("tydiqa", Split.DEV, "one file", tydiqa_whole, PREFIX),
    ("squad1", Split.DEV, "rajpurkar/squad", hub_spans("rajpurkar/squad", "plain_text"), SAME),
    ("squad1", Split.DEV, "google/xtreme", hub_spans("google/xtreme", "SQuAD"), SAME),
    ("squad2", Split.DEV, "rajpurkar/squad_v2", hub_spans("rajpurkar/squad_v2", "squad_v2"), SAME),
    ("hellaswag", Split.DEV, "Rowan/hellaswag", hub_hellaswag, SAME),
    ("commonsenseqa", Split.DEV, "tau/commonsense_qa", hub_commonsenseqa, SAME),
    ("cosmosqa", Split.DEV, "allenai/cosmos_qa", hub_cosmosqa, SAME),
    ("bucc2018", Split.DEV, "shared task", bucc, SAME),
    ("bucc2018", Split.TEST, "shared task", bucc, SAME),
    ("tatoeba", Split.TEST, "mteb", hub_bitext("mteb/tatoeba-bitext-mining", "{}-eng", "sentence1", "sentence2"), SAME),
    ("tatoeba", Split.TEST, "google/xtreme",
     hub_bitext("google/xtreme", "tatoeba.{}", "source_sentence", "target_sentence", "\n", "validation"), SAME),
    *((name, split, "our own", own, SAME) for name, split in
      [("xnli", Split.DEV), ("mnli", Split.TRAIN), ("pawsx", Split.DEV), ("udpos", Split.DEV), ("panx", Split.DEV),
       ("xquad", Split.TEST), ("mlqa", Split.DEV), ("tydiqa", Split.TRAIN), ("bucc2018", Split.DEV),
       ("tatoeba", Split.TEST), ("squad2", Split.DEV), ("cosmosqa", Split.DEV)]),
]  # fmt: skip
IDS = [f"{name}-{split.value}-{layout}" for name, split, layout, _, _ in CASES]


def compared(rows, ids: str, code: str):
    """What the rows should be in a layout that keeps, loses or changes their ids."""
    if isinstance(rows, Bitext) or ids == SAME:
        return rows
    if ids == POSITION:
        return [replace(row, id=str(position)) for position, row in enumerate(rows)]
    return [replace(row, id=prefixed(code)(row.id)) for row in rows]


def write_layout(source: DataRoot, root: Path, case) -> dict:
    """Write rows of a data root in the layout of a case; return them by language."""
    name, split, _, write, _ = case
    task = get_task(name)
    # Rows of another split serve where this one is missing or its labels are hidden.
    taken = next(
        other
        for other in (split, Split.DEV, Split.TEST, Split.TRAIN)
        for code in source.languages(task, other)
        if source.is_labelled(task, other, code)
    )
    rows = {code: source.load(task, taken, code) for code in source.languages(task, taken)[:MOST_LANGUAGES]}
    write(root, Rows(name, split, rows))
    return rows


def check(source: DataRoot, root: Path, case) -> int:
    name, split, layout, _, ids = case
    task = get_task(name)
    rows = write_layout(source, root, case)
    made = DataRoot(root)
    for code, expected in rows.items():
        assert made.load(task, split, code) == compared(expected, ids, code)
        assert made.notes(task, split, code) == () or (name, layout) == ("mnli", "XTREME")
    assert set(made.languages(task, split)) >= set(rows)
    return sum(len(several.foreign) if isinstance(several, Bitext) else len(several) for several in rows.values())


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_rows_written_for_the_tests_are_equal_in_every_layout(data_root, task_files, tmp_path, case):
    assert check(data_root(task_files[case[0]]), tmp_path / "made", case) >= 3


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_real_rows_are_equal_in_every_layout(shared_root, tmp_path, case):
    assert check(DataRoot(shared_root / "data"), tmp_path, case) >= 100


@pytest.mark.parametrize("storage", ["uploaded", "converted", "converted before", "saved", "saved as dict"])
def test_hub_rows_are_found_under_every_name_they_are_stored_by(tmp_path, storage):
    data = Dataset.from_dict(
        {"tokens": [["Anna", "kam"]], "ner_tags": [[1, 0]]},
        features=Features({"tokens": TEXTS, "ner_tags": Sequence(ClassLabel(names=["O", "B-PER"]))}),
    )
    folder = tmp_path / "hub/unimelb-nlp/wikiann/de"
    if storage == "saved":
        data.save_to_disk(str(folder / "validation"), num_shards=1)
    elif storage == "saved as dict":
        DatasetDict({"validation": data}).save_to_disk(str(folder))
    else:
        names = {
            "uploaded": "validation-00000-of-00001.parquet",
            "converted": "validation/0000.parquet",
            "converted before": "wikiann-validation.parquet",
        }
        path = folder / names[storage]
        path.parent.mkdir(parents=True)
        data.to_parquet(str(path))
    (row,) = DataRoot(tmp_path).load(get_task("panx"), Split.DEV, "de")
    assert (row.words, row.tags) == (("Anna", "kam"), (1, 0))


# Options that change the text


@pytest.mark.parametrize(
    "write",
    [
        x_final,
        xtreme_pairs("pawsx"),
        own,
        hub_pairs("google/xtreme", "PAWS-X.{}", "sentence1", "sentence2", None),
    ],
)
def test_quotation_marks_are_doubled_in_every_layout_when_read_as_xtreme_does(data_root, task_files, tmp_path, write):
    task = get_task("pawsx")
    rows = data_root(task_files["pawsx"]).load(task, Split.DEV, "de")
    assert rows[1].first == 'The "old" house'
    write(tmp_path / "made", Rows("pawsx", Split.DEV, {"de": rows}))
    read = DataRoot(tmp_path / "made", options={"quoting": "xtreme"}).load(task, Split.DEV, "de")
    assert read == data_root(task_files["pawsx"], quoting="xtreme").load(task, Split.DEV, "de")
    assert read[1].first == '"The ""old"" house"'


@pytest.mark.parametrize("name", ["xquad", "tydiqa"])
def test_answers_of_stripped_contexts_are_found_where_they_are(shared_root, tmp_path, name):
    """google/xtreme strips contexts, questions and answers, and leaves offsets as they were."""
    task, source = get_task(name), DataRoot(shared_root / "data")
    split = Split.TEST if name == "xquad" else Split.TRAIN
    write = hub_xtreme_tydiqa if name == "tydiqa" else hub_spans("google/xtreme", "XQuAD.{}", "validation")
    moved = 0
    for code in source.languages(task, split):
        if code not in task.languages:
            continue
        rows = source.load(task, split, code)
        stripped = [
            replace(row, context=row.context.strip(), question=row.question.strip(),
                    answers=tuple(Answer(answer.text.strip(), answer.start) for answer in row.answers))
            for row in rows
        ]  # fmt: skip
        folder = tmp_path / code
        write(folder, Rows(name, split, {code: stripped}))
        for row, read in zip(rows, DataRoot(folder).load(task, split, code), strict=True):
            cut = len(row.context) - len(row.context.lstrip())
            for answer, found in zip(row.answers, read.answers, strict=True):
                before = len(answer.text) - len(answer.text.lstrip())
                assert found == Answer(answer.text.strip(), answer.start - cut + before)
                moved += found.start != answer.start
    assert moved >= 3
