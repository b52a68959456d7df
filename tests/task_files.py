"""Three rows of every task, written for the tests, in the published layouts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from adaptstilts.readers.data_root import DataRoot

Files = dict[str, "str | bytes"]


def json_lines(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def squad(*questions: tuple[str, str, list[tuple[str, int]] | None], version: str = "1.1") -> str:
    """A file in SQuAD's format; one paragraph per question, given as (context, question, answers)."""
    paragraphs = []
    for number, (context, question, answers) in enumerate(questions):
        qa: dict[str, object] = {"id": f"q{number}", "question": question}
        if answers is not None:
            qa["answers"] = [{"text": text, "answer_start": start} for text, start in answers]
            if version == "v2.0":
                qa["is_impossible"] = not answers
        paragraphs.append({"context": context, "qas": [qa]})
    return json.dumps({"version": version, "data": [{"title": "t", "paragraphs": paragraphs}]}, ensure_ascii=False)


MNLI = json_lines(
    {"gold_label": "entailment", "sentence1": "It rained all day.", "sentence2": "It was wet.", "pairID": "1e"},
    {"gold_label": "neutral", "sentence1": "She sings.", "sentence2": "She sings for money.", "pairID": "2n"},
    {"gold_label": "contradiction", "sentence1": "He left.", "sentence2": "He stayed.", "pairID": "3c"},
)
ANLI_ROWS = json_lines(
    {"uid": "a", "context": "Ten people came.", "hypothesis": "Some came.", "label": "e"},
    {"uid": "b", "context": "Ten people came.", "hypothesis": "Nobody came.", "label": "c"},
    {"uid": "c", "context": "Ten people came.", "hypothesis": "They were late.", "label": "n"},
)
QQP = (
    "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
    '0\t1\t2\tWhat is "tea"?\tWhat does tea mean?\t1\n'
    '1\t3\t4\t"Why" is it late?\tHow late is it?\t0\n'
    "2\t5\t6\tWho came?\tWhere is the sea?\t0\n"
)
HELLASWAG = json_lines(
    {"ind": 4, "ctx_a": "A man runs.", "ctx_b": "he", "ctx": "A man runs. he",
     "endings": ["falls.", "flies.", "reads.", "melts."], "label": 0},
    {"ind": 5, "ctx_a": "A cook waits.", "ctx_b": "", "ctx": "A cook waits.",
     "endings": ["Then eats.", "Then sings.", "Then snows.", "Then is blue."], "label": "3"},
    {"ind": 9, "ctx": "A bird sits. it", "endings": ["sings.", "types."], "label": 1},
)  # fmt: skip
COSMOS = (
    "id,context,question,answer0,answer1,answer2,answer3,label\n"
    '"c1","I was late, so\nI ran .","Why did I run ?","I was ""late"" .",No,Maybe,None of the above choices .,0\n'
    "c2,We ate .,What did we do ?,Sleep,Eat,Run,Sing,1\n"
    "c3,It rains .,Is it dry ?,Yes,A,B,No,3\n"
)
COMMONSENSE = json_lines(
    *(
        {"id": f"s{number}", "answerKey": key, "question": {"stem": stem, "question_concept": "", "choices": [
            {"label": letter, "text": f"{letter.lower()}-{number}"} for letter in "ABCDE"]}}
        for number, (stem, key) in enumerate([("Where is milk?", "A"), ("Who flies?", "E"), ("What cuts?", "C")])
    )
)  # fmt: skip
CCG_TRAIN = "The dog barks\tNP/N N S\\NP\nDogs bark\tNP S\\NP\nGo\tS\n"
CCG_DEV = "The cat\tNP/N N\nCats run fast\tNP S\\NP (S\\NP)\\(S\\NP)\nRun\tS\n"
XNLI = (
    "Es regnet.\tEs ist nass.\tentailment\r\n"
    '"Er sagte ""ja"" zu ihr."\tEr sprach.\tneutral\r\n'
    "Sie kam.\tSie kam nicht.\tcontradiction\r\n"
)
PAWSX = 'A flew to B.\tB flew to A.\t0\r\n"The ""old"" house"\tThe old house\t1\r\nOne.\tTwo.\t0\r\n'
UDPOS = "Hunde\tNOUN\nbellen\tVERB\n.\tPUNCT\n\nJa\tINTJ\n!\tPUNCT\n\nsie\tPRON\n\n"
PANX = "Anna\tB-PER\nKurz\tI-PER\nkam\tO\n\nin\tO\nBern\tB-LOC\n\nUNO\tB-ORG\n\n"
XQUAD = squad(
    ("老师早上打开了图书馆。", "谁打开了图书馆？", [("老师", 0)]),
    ("शिक्षक ने पुस्तकालय खोला।", "पुस्तकालय किसने खोला?", [("शिक्षक", 0)]),
    ("The king left at noon.", "When did he leave?", [("noon", 17), ("at noon", 14)]),
)
SQUAD2 = squad(
    ("The king left at noon.", "When did he leave?", [("noon", 17)]),
    ("The king left at noon.", "Why did he leave?", []),
    ("The queen slept.", "Who slept?", [("The queen", 0)]),
    version="v2.0",
)
BUCC: Files = {
    "bucc2018/de-en.test.de": "de-1\tHallo Welt\nde-2\tEs regnet\nde-3\tNur hier\n",
    "bucc2018/de-en.test.en": "en-1\tIt rains\nen-2\tHello world\nen-3\tOnly there\n",
    "bucc2018/de-en.test.gold": "de-1\ten-2\nde-2\ten-1\n",
}
TATOEBA: Files = {
    "tatoeba/tatoeba.deu-eng.deu": "Guten Tag\nEs regnet\nIch gehe\n",
    "tatoeba/tatoeba.deu-eng.eng": "Good day\nIt rains\nI go\n",
}

CHECKLIST: Files = {
    f"multichecklist/{test}-de.json": json.dumps(
        {"data": [{"paragraphs": [{"context": context, "qas": [
            {"id": f"{test}-de-0000-0", "question": question, "answers": [{"text": answer, "answer_start": 0}]}
        ]}]}]}
    )
    for test, context, question, answer in (
        ("comparison", "Anna ist klein, Lena klug.", "Wer ist klein?", "Anna"),
        ("intensifier", "Peter ist sehr froh.", "Wer ist froh?", "Peter"),
        ("property", "Rotes Holz lag dort.", "Was lag dort?", "Rotes Holz"),
    )
}  # fmt: skip
SIQA = json_lines(
    *(
        {"context": f"Ann met Bo {place}.", "question": "How did Bo feel?", "answerA": "glad", "answerB": "sad",
         "answerC": "late", "correct": letter}
        for place, letter in (("at home", "A"), ("by the sea", "C"), ("in town", "B"))
    )
)  # fmt: skip
COPA = json_lines(
    {"premise": "It rained.", "choice1": "We got wet.", "choice2": "We ate.", "question": "effect", "label": 0,
     "idx": 4},
    {"premise": "The cup broke.", "choice1": "It was full.", "choice2": "It fell.", "question": "cause", "label": 1,
     "idx": 5},
    {"premise": "He ran.", "choice1": "He was late.", "choice2": "He sat.", "question": "cause", "label": 0, "idx": 6},
)  # fmt: skip


def _span(text: str, words: str) -> dict[str, int]:
    return {"start": text.index(words), "end": text.index(words) + len(words)}


def _article(text: str, sentences: list[str], language: str) -> dict[str, object]:
    return {"document_id": f"{language}-1", "document_title": "t", "document_url": "u", "language": language,
            "text": text, "sentence_spans": [_span(text, sentence) for sentence in sentences]}  # fmt: skip


def _mention(text: str, words: str, name: str, entity: str) -> dict[str, object]:
    return {"example_id": name, "mention_span": {**_span(text, words), "text": words}, "entity_id": entity}


def _entity(number: int, *sentences: str) -> dict[str, object]:
    text = "\n".join(sentences)
    return {"entity_id": f"Q{number}", "title": "t", "description": text, "description_language": "de",
            "description_url": "u", "sentence_spans": [_span(text, sentence) for sentence in sentences]}  # fmt: skip


MENTION_TEXT = "Die Ärztin schläft. Anna {rief}  Berlin\nan, und Berlin kam."
MENTIONS = json_lines(
    {"context": _article(MENTION_TEXT, ["Die Ärztin schläft.", "Anna {rief}  Berlin\nan, und Berlin kam."], "de"),
     "mentions": [_mention(MENTION_TEXT, "Berlin", "m1", "Q2"), _mention(MENTION_TEXT, "Ärztin", "m2", "Q1")]},
    {"context": _article("Anna slept.", ["Anna slept."], "en"),
     "mentions": [_mention("Anna slept.", "Anna", "m3", "Q3")]},
    {"context": _article("Anna kam.", ["Anna kam."], "de"), "mentions": [_mention("Anna kam.", "Anna", "m4", "Q3")]},
)  # fmt: skip
ENTITIES = json_lines(
    _entity(1, "Die Ärztin."), _entity(2, "Berlin ist", "alt und  groß."), _entity(3, "Anna, a woman.")
)
ENTITY_PAIRS = json_lines(
    *(
        {"contextual_mention": {"context": _article(text, [text], "en"),
                                "mention": _mention(text, "Anna", f"w{number}", "Q3")},
         "entity": _entity(number, f"Woman {number}.")}
        for number, text in enumerate(("Anna ran.", "So Anna sat.", "It was Anna."))
    )
)  # fmt: skip


def xquad_r(*paragraphs: tuple[list[str], list[tuple[str, str, str]]]) -> str:
    """A file in LAReQA's format; a paragraph is its sentences and its questions as (id, question, answer)."""
    records = []
    for sentences, questions in paragraphs:
        context = " ".join(sentences)
        starts = [context.index(sentence) for sentence in sentences]
        breaks = [[start, start + len(sentence)] for start, sentence in zip(starts, sentences, strict=True)]
        qas = [
            {"id": name, "question": question, "answers": [{"text": text, "answer_start": context.index(text)}]}
            for name, question, text in questions
        ]
        records.append({"context": context, "qas": qas, "sentence_breaks": breaks, "sentences": sentences})
    return json.dumps({"data": [{"title": "t", "paragraphs": records}]}, ensure_ascii=False)


LAREQA_DE = xquad_r(
    (["Anna kaufte das Boot.", "Es war rot."], [("q1", "Wer kaufte es?", "Anna"), ("q2", "Wie war es?", "rot")]),
    (["Der Zug war langsam."], [("q3", "Was war langsam?", "Der Zug")]),
)
LAREQA_ZH = xquad_r(
    (["安娜买了船。", "它是红色的。"], [("q1", "谁买了它？", "安娜"), ("q2", "它怎么样？", "红色")]),
    (["火车很慢。"], [("q3", "什么很慢？", "火车")]),
)

AFRIXNLI = """premise\thypothesis\tlabel
It rained all day.\tIt was wet.\t0
"She said ""no""."\tShe agreed.\t2
She sings.\tShe sings for money.\t1
"""
SIB200 = """index_id\tcategory\ttext
7\tscience/technology\tThe probe sent its first pictures.
3\ttravel\tTrains leave every hour.
9\tgeography\t"The lake is called ""deep"" by those who live there."
"""
BELEBELE = json_lines(
    *(
        {
            "link": f"https://example.org/{number}",
            "question_number": 1,
            "flores_passage": "Ann met Bo by the sea. They swam until noon.",
            "question": "Where did they meet?",
            **{
                f"mc_answer{place}": answer
                for place, answer in enumerate(("At home", "By the sea", "At work", "In town"), 1)
            },
            "correct_answer_num": correct,
            "dialect": "eng_Latn",
            "ds": "2023-05-03",
        }
        for number, correct in enumerate(("2", "2", "4"))
    )
)
BELEBELE_TRAIN = (
    "\tdataset\tsplit\tpassage_id\tquestion_id\tpassage\tquestion\tanswer1\tanswer2\tanswer3\tanswer4\tcorrect_answer"
    "\tcorrect_answer_num\n"
) + "".join(
    f'{number}\tRACE\t{split}\tp{number}\t0\t"Bo sat down.\nHe read ""a book""."\tWhat did Bo do?'
    "\tRead\tSleep\tRun\tEat\tRead\t1\n"
    for number, split in enumerate(("train", "dev", "train", "dev", "train", "dev"))
)

TASK_FILES: dict[str, Files] = {
    "anli": {
        "mnli/multinli_1.0_train.jsonl": MNLI,
        "mnli/multinli_1.0_dev_matched.jsonl": MNLI,
        **{f"snli/snli_1.0_{split}.jsonl": MNLI for split in ("train", "dev")},
        **{f"anli/R{part}/{split}.jsonl": ANLI_ROWS for part in (1, 2, 3) for split in ("train", "dev")},
    },
    "mnli": {"mnli/multinli_1.0_train.jsonl": MNLI, "mnli/multinli_1.0_dev_matched.jsonl": MNLI},
    "qqp": {"qqp/train.tsv": QQP, "qqp/dev.tsv": QQP},
    "squad1": {f"squad/v1.1/{split}-v1.1.json": XQUAD for split in ("train", "dev")},
    "squad2": {f"squad/v2.0/{split}-v2.0.json": SQUAD2 for split in ("train", "dev")},
    "hellaswag": {"hellaswag/hellaswag_train.jsonl": HELLASWAG, "hellaswag/hellaswag_val.jsonl": HELLASWAG},
    "ccg": {"ccg/ccg.train": CCG_TRAIN, "ccg/ccg.dev": CCG_DEV},
    "cosmosqa": {"cosmosqa/train.csv": COSMOS, "cosmosqa/valid.csv": COSMOS},
    "commonsenseqa": {f"commonsenseqa/{split}_rand_split.jsonl": COMMONSENSE for split in ("train", "dev")},
    "xnli": {"xnli/dev-de.tsv": XNLI, "xnli/test-de.tsv": XNLI},
    "pawsx": {"pawsx/train-en.tsv": PAWSX, "pawsx/dev-de.tsv": PAWSX, "pawsx/test-de.tsv": PAWSX},
    "udpos": {"udpos/train-en.tsv": UDPOS, "udpos/dev-de.tsv": UDPOS, "udpos/test-de.tsv": UDPOS},
    "panx": {"panx/train-en.tsv": PANX, "panx/dev-de.tsv": PANX, "panx/test-de.tsv": PANX},
    "xquad": {"xquad/xquad.zh.json": XQUAD},
    "mlqa": {f"mlqa/MLQA_V1/{split}/{split}-context-zh-question-zh.json": XQUAD for split in ("dev", "test")},
    "tydiqa": {
        "tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.en.train.json": XQUAD,
        "tydiqa/tydiqa-goldp-v1.1-dev/tydiqa.goldp.sw.dev.json": XQUAD,
    },
    "bucc2018": BUCC,
    "tatoeba": TATOEBA,
    "multichecklist": CHECKLIST,
    "tatoeba_r": TATOEBA,
    "mewslix": {
        "mewslix/wikinews_mentions/test-de.jsonl": MENTIONS,
        "mewslix/candidate_set_entities.jsonl": ENTITIES,
    },
    "lareqa": {"lareqa/xquad-r/de.json": LAREQA_DE, "lareqa/xquad-r/zh.json": LAREQA_ZH},
    "wikipairs": {f"mewslix/wikipedia_pairs-{split}.jsonl": ENTITY_PAIRS for split in ("train", "dev")},
    "squad_r": {f"squad/v1.1/{split}-v1.1.json": XQUAD for split in ("train", "dev")},
    "siqa": {"siqa/socialIQa_v1.4_trn.jsonl": SIQA, "siqa/socialIQa_v1.4_dev.jsonl": SIQA},
    "copa": {"xcopa/train-en.jsonl": COPA, "xcopa/val-en.jsonl": COPA},
    "xcopa": {"xcopa/data/et/val.et.jsonl": COPA, "xcopa/data/et/test.et.jsonl": COPA},
    "afrixnli": {
        f"hub/masakhane/afrixnli/data/{code}/{split}.tsv": AFRIXNLI
        for code in ("eng", "swa")
        for split in ("dev", "test")
    },
    "sib200": {
        f"hub/Davlan/sib200/data/{code}/{split}.tsv": SIB200
        for code in ("eng_Latn", "deu_Latn", "ast_Latn")
        for split in ("train", "dev", "test")
    },
    "belebele": {f"hub/facebook/belebele/data/{code}.jsonl": BELEBELE for code in ("eng_Latn", "zho_Hant")},
    "belebele_train": {"belebele/belebele_training_set.tsv": BELEBELE_TRAIN},
}


@pytest.fixture
def data_root(tmp_path: Path) -> Callable[[Files], DataRoot]:
    """A function that writes files and returns the root they lie in."""

    def write(files: Files, **options: str) -> DataRoot:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return DataRoot(tmp_path, options=options)

    return write


@pytest.fixture(scope="session")
def task_files() -> dict[str, Files]:
    """Three rows of every split of every task, by task name and file name."""
    return TASK_FILES


@pytest.fixture(scope="session")
def make_xquad_r() -> Callable[..., str]:
    """A function that makes the text of a file in LAReQA's format."""
    return xquad_r


@pytest.fixture(scope="session")
def make_squad() -> Callable[..., str]:
    """A function that makes the text of a file in SQuAD's format."""
    return squad
