"""Every source of the packaged manifest, in a small edition written here: what fetching leaves is what readers read.

The files have the names, the folders and the columns in which their publishers release them.
"""

import io
import json
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from adaptstilts.data.archives import is_archive
from adaptstilts.data.fetch import FetchOptions, fetch
from adaptstilts.data.lock import read_lock
from adaptstilts.data.sources import COLUMNS, packaged
from adaptstilts.languages import get_language
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.examples import Bitext
from adaptstilts.tasks.registry import all_tasks, get_task
from adaptstilts.tasks.spec import Split

CODES = ("en", "de", "zh", "ro", "et")
NLI = (("contradiction", "c"), ("entailment", "e"), ("neutral", "n"))
COMMIT = "c0ffee" * 6 + "0000"
MANY = range(3)
BLANK = "\t_"
PAWSX = ("id", "sentence1", "sentence2", "label")
QQP = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def tsv(*rows):
    return "".join("\t".join(row) + "\n" for row in rows)


def squad(names):
    questions = []
    for name in names:
        question = {"id": name, "question": "Who?", "answers": [{"text": name, "answer_start": 7}]}
        questions.append({"context": f"It was {name}.", "qas": [question]})
    return json.dumps({"version": "1.1", "data": [{"paragraphs": questions}]})


def questions(file):
    return squad([f"{file.task}-{file.language}-{n}" for n in MANY])


def nli(file):
    if file.name.endswith("multinli.train.en.tsv"):
        words = ("contradictory", "entailment", "neutral")
        return tsv(("premise", "hypo", "label"), *((f"premise {word}", "hypothesis", word) for word in words))
    if file.name.startswith("anli"):
        return lines(*({"uid": f"{n}", "context": "It rained.", "hypothesis": "Wet.", "label": "cen"[n]} for n in MANY))
    rows = [(word, f"premise {letter}", letter) for word, letter in NLI]
    keys = ("gold_label", "sentence1", "pairID")
    records = [dict(zip(keys, row, strict=True), sentence2="hypothesis") for row in [*rows, ("-", "undecided", "x")]]
    return lines(*records)


def xnli(_):
    head = (
        *("language", "gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse"),
        *("sentence2_parse", "sentence1", "sentence2", "promptID", "pairID", "genre", "label1", "label2", "label3"),
        *("label4", "label5", "sentence1_tokenized", "sentence2_tokenized", "match"),
    )
    rows = [
        [code, word, "", "", "", "", f'{code} "one" {letter}', "two", "1", "2", "g", *[word] * 5, "a", "b", "T"]
        for code in get_task("xnli").languages
        for word, letter in NLI
    ]
    return tsv(head, *rows)


def pawsx(file):
    return tsv(PAWSX, *((str(n), f'{file.language} "{n}"', "b", str(n % 2)) for n in MANY))


def qqp(_):
    return tsv(QQP, *((str(n), "1", "2", f"Who {n}?", "Who?", str(n % 2)) for n in MANY))


def tydiqa(file):
    codes = get_task("tydiqa").languages if file.split is Split.TRAIN else (file.language,)
    return squad([f"{get_language(code).name.lower()}-{n}-{n}" for code in codes for n in MANY])


def conllu(file):
    return "".join(
        f"# text = x\n1\t{file.language}{n}\t_\tNOUN\t_\t_\t0\troot\t_\t_\n2-3\tzum{BLANK * 8}\n"
        "2\tzu\t_\tADP\t_\t_\t1\tcase\t_\t_\n3\tdem\t_\tDET\t_\t_\t1\tdet\t_\t_\n\n"
        for n in MANY
    )


def bucc(file):
    side = file.name.rpartition(".")[2]
    rows = {"gold": ("x-{0}", "en-{0}"), "en": ("en-{0}", "sentence {0}")}.get(side, ("x-{0}", "Satz {0}"))
    return tsv(*([cell.format(n) for cell in rows] for n in MANY))


def tatoeba(file):
    return "".join(f"{file.name} {n}\n" for n in MANY)


def hellaswag(_):
    row = {"activity_label": "a", "ctx_a": "He", "ctx_b": "then", "ctx": "He then", "split_type": "indomain"}
    return lines(*({"ind": n, **row, "label": n, "endings": ["a", "b", "c", "d"]} for n in MANY))


def cosmosqa(_):
    head = "id,context,question,answer0,answer1,answer2,answer3,label\n"
    return head + "".join(f'q{n},"A long,\nlong day.",Why?,a,b,c,d,{n}\n' for n in MANY)


def commonsenseqa(_):
    options = [{"label": letter, "text": f"answer {letter}"} for letter in "ABCDE"]
    question = {"question_concept": "x", "choices": options, "stem": "Why?"}
    return lines(*({"answerKey": "ABCDE"[n], "id": f"c{n}", "question": question} for n in MANY))


def siqa(file):
    if file.name.endswith(".lst"):
        return "1\n2\n3\n"
    row = {"context": "Kim ran.", "question": "Why?", "answerA": "a", "answerB": "b", "answerC": "c"}
    return lines(row, row, row)


def copa(_):
    row = {"premise": "It rained.", "choice1": "a", "choice2": "b", "question": "cause"}
    return lines(*({**row, "idx": n, "label": n % 2} for n in MANY))


def lareqa(_):
    text = "Kim ran. It rained."
    question = {"question": "Who?", "answers": [{"text": "Kim", "answer_start": 0}]}
    qas = [{"id": f"q{n}", **question} for n in MANY]
    paragraph = {"context": text, "qas": qas, "sentence_breaks": [[0, 8], [9, 19]]}
    return json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]})


def parquet(words):
    import datasets

    tag = datasets.ClassLabel(names=list(get_task("panx").labels))
    columns = {"tokens": [[word, "und", "Anna"] for word in words], "ner_tags": [[0, 0, 1]] * 3}
    features = datasets.Features({"tokens": [datasets.Value("string")], "ner_tags": [tag]})
    buffer = io.BytesIO()
    datasets.Dataset.from_dict(columns, features=features).to_parquet(buffer)
    return buffer.getvalue()


WRITERS = {
    "mnli": nli, "anli": nli, "qqp": qqp, "hellaswag": hellaswag, "cosmosqa": cosmosqa, "commonsenseqa": commonsenseqa,
    "xnli": xnli, "pawsx": pawsx, "udpos": conllu, "tydiqa": tydiqa, "bucc2018": bucc, "tatoeba": tatoeba,
    "tatoeba_r": tatoeba, "siqa": siqa, "copa": copa, "xcopa": copa,
    "lareqa": lareqa,
}  # fmt: skip


@dataclass(frozen=True)
class File:
    """One file of a small edition."""

    task: str
    split: Split
    language: str
    name: str

    def text(self):
        return WRITERS.get(self.task, questions)(self)


def concrete(pattern):
    """A file that a pattern fits."""
    return pattern.replace("*/", "UD_Some-Test/").replace("_*-", "_test-")


def archive(name, files):
    buffer = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(buffer, "w") as packed:
            for inside, text in files.items():
                packed.writestr(inside, text)
        return buffer.getvalue()
    with tarfile.open(fileobj=buffer, mode="w:bz2" if name.endswith("bz2") else "w:gz") as unrolled:
        for inside, text in files.items():
            member = tarfile.TarInfo(inside)
            member.size = len(text.encode())
            unrolled.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.fixture
def editions(site, monkeypatch):
    """The packaged manifest with its addresses on this machine, without checksums and rows, and its files there."""
    manifest = packaged()
    sources = {
        name: source.model_copy(
            update={
                "sha256": None,
                "url": tuple(f"{site.address}/{name}/{url.rpartition('/')[2]}" for url in source.url),
            }
        )
        for name, source in manifest.sources.items()
    }
    tasks = {name: task.model_copy(update={"rows": {}}) for name, task in manifest.tasks.items()}
    manifest = manifest.model_copy(update={"sources": sources, "tasks": tasks})
    packed: dict[str, dict[str, str]] = {}
    for name in (task.name for task in all_tasks() if task.name in manifest.tasks):
        for entry in manifest.entries(name):
            if entry.language not in CODES:
                continue
            for part in entry.parts:
                publish(site, packed, entry, part)
    for path, files in packed.items():
        site.files[path] = archive(path, files)
    monkeypatch.setenv("HF_ENDPOINT", site.address)
    return manifest


def publish(site, packed, entry, part):
    for url in part.urls:
        path = url.removeprefix(site.address)
        for pattern, _ in part.place:
            name = concrete(pattern)
            text = File(entry.task, entry.split, entry.language, name if is_archive(Path(url)) else path).text()
            if is_archive(Path(url)):
                packed.setdefault(path, {})[name] = text
            else:
                site.files[path] = text.encode()
    for pattern in part.patterns:
        site.repositories[part.source.hub] = COMMIT
        name = pattern.replace("*", "00000-of-00001")
        body = parquet([f"{entry.language}{n}" for n in range(3)])
        site.files[f"/datasets/{part.source.hub}/resolve/{COMMIT}/{name}"] = body


class Silent:
    def line(self, text):
        pass

    def arrived(self, name, done, total):
        pass

    def converted(self, name, done, total):
        pass


def test_every_source_is_fetched_and_read_as_its_publisher_releases_it(editions, tmp_path):
    result = fetch(tmp_path, [], Silent(), FetchOptions(languages=CODES, manifest=editions))
    names = [task.name for task in all_tasks() if task.name in editions.tasks]
    wanted = [entry for name in names for entry in editions.entries(name) if entry.language in CODES]
    assert len(result.fetched) == len(wanted) >= 60
    data, lock = DataRoot(tmp_path), read_lock(tmp_path)
    for entry in wanted:
        rows = data.load(get_task(entry.task), entry.split, entry.language)
        count = {"anli": 15}.get(entry.task, 3)
        found = len(rows.gold) if isinstance(rows, Bitext) else len(rows)
        assert found == count == lock.rows(entry.task, entry.split, entry.language), entry
        for path in data.files(get_task(entry.task), entry.split, entry.language):
            assert path.suffix == (".arrow" if get_task(entry.task).kind in COLUMNS else ".json")
    xnli_rows = data.load(get_task("xnli"), Split.TEST, "de")
    assert [(row.first, row.label) for row in xnli_rows][:2] == [('de "one" c', 0), ('de "one" e', 1)]
    assert [row.question for row in data.load(get_task("tydiqa"), Split.TRAIN, "en")] == ["Who?"] * 3
    assert all("english" in row.context for row in data.load(get_task("tydiqa"), Split.TRAIN, "en"))
    assert data.load(get_task("udpos"), Split.TEST, "de")[0].words == ("de0", "zum")
    assert data.load(get_task("panx"), Split.DEV, "ro")[0].words == ("ro0", "und", "Anna")
    bitext = data.load(get_task("bucc2018"), Split.TEST, "de")
    assert bitext.gold == {("x-0", "en-0"), ("x-1", "en-1"), ("x-2", "en-2")}
