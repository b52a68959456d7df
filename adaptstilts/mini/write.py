"""Writing of the mini world's eighteen tasks in the published file layouts, so that the ordinary readers read them.

Training sets exist in English only. Dev and test sets of the target tasks hold the same meanings in every language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from adaptstilts.errors import DataError
from adaptstilts.mini import layouts, tasks_choice, tasks_pairs, tasks_retrieval, tasks_spans, tasks_tags
from adaptstilts.mini.corpus import realise, text
from adaptstilts.mini.languages.base import Grammar
from adaptstilts.mini.languages.registry import CODES3, grammars
from adaptstilts.mini.tasks_choice import Choice
from adaptstilts.mini.tasks_pairs import Pair
from adaptstilts.mini.tasks_spans import Reading

_SQUAD_LENGTHS = (3, 4, 5)
_MLQA_LENGTHS = (4, 5, 6)
_TYDIQA_LENGTHS = (2, 3)
_MINED_SHARE = 0.5
"""Share of the sentences on each side of the miniature BUCC2018 that have a translation on the other."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of examples to write.

    Attributes:
        train: For each training set.
        evaluation: For each dev and test set, per language.
        low_resource: For the training set of TyDiQA.
    """

    train: int
    evaluation: int
    low_resource: int


def write_mini(root: Path, *, seed: int, train: int, evaluation: int, low_resource: int) -> None:
    """Write all eighteen tasks below a folder, replacing earlier files; equal seeds and sizes give equal files.

    For the sizes see `Sizes`; a study takes them from `adaptstilts.config.schema.DataSection`.

    Raises:
        DataError: If a size is not positive.
    """
    for key, value in (("train", train), ("evaluation", evaluation), ("low_resource", low_resource)):
        if value < 1:
            raise DataError(f"{value} is not a number of examples", key=key, value=value, hint="Give at least 1.")
    sizes = Sizes(train, evaluation, low_resource)
    for name, write in _WRITERS.items():
        write(Path(root), sizes, Random(f"{seed}:{name}"))


def _inference(root: Path, sizes: Sizes, rng: Random) -> None:
    """Write MNLI, SNLI, ANLI and XNLI; no pair occurs in two of them."""
    seen: set[tuple[str, str]] = set()
    xnli = [tasks_pairs.inference(sizes.evaluation, rng, seen) for _ in range(2)]
    _write_pairs_by_language(root / "xnli", xnli)
    for corpus, folder in (("multinli", "mnli"), ("snli", "snli")):
        for split, count in (("train", sizes.train), ("dev", sizes.evaluation)):
            pairs = tasks_pairs.inference(count, rng, seen)
            matched = "_matched" if corpus == "multinli" and split == "dev" else ""
            rows = _nli_rows(pairs, unlabelled=corpus == "snli")
            layouts.write_json_lines(root / folder / f"{corpus}_1.0_{split}{matched}.jsonl", rows)
    for level in (1, 2, 3):
        for split, count in (("train", max(sizes.train // 3, 1)), ("dev", sizes.evaluation)):
            pairs = tasks_pairs.inference(count, rng, seen, sentences=(level + 1,), steps=level)
            rows = [
                {"uid": f"r{level}-{split}-{index}", "context": _pair_text(pair, 0), "hypothesis": _pair_text(pair, 1),
                 "label": pair.label[0]}
                for index, pair in enumerate(pairs)
            ]  # fmt: skip
            layouts.write_json_lines(root / "anli" / f"R{level}" / f"{split}.jsonl", rows)


def _nli_rows(pairs: Sequence[Pair], *, unlabelled: bool) -> list[dict[str, Any]]:
    """Return rows of the MultiNLI layout; with ``unlabelled``, one in fifty has no agreed label, as in SNLI."""
    return [
        {
            "gold_label": "-" if unlabelled and index % 50 == 49 else pair.label,
            "sentence1": _pair_text(pair, 0),
            "sentence2": _pair_text(pair, 1),
            "pairID": f"{index}{pair.label[0]}",
            "promptID": str(index),
            "annotator_labels": [pair.label],
        }
        for index, pair in enumerate(pairs)
    ]


def _pair_text(pair: Pair, side: int, grammar: Grammar | None = None) -> str:
    return text(realise(grammar or grammars()["en"], pair.second if side else pair.first))


def _write_pairs_by_language(folder: Path, splits: Sequence[Sequence[Pair]]) -> None:
    for code, grammar in grammars().items():
        for split, pairs in zip(("dev", "test"), splits, strict=True):
            rows = [(_pair_text(pair, 0, grammar), _pair_text(pair, 1, grammar), pair.label) for pair in pairs]
            layouts.write_table(folder / f"{split}-{code}.tsv", rows, ending="\r\n")


def _duplicates(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[tuple[str, str]] = set()
    for split, count in (("dev", sizes.evaluation), ("train", sizes.train)):
        pairs = tasks_pairs.duplicates(count, rng, seen)
        rows = [(index, 2 * index, 2 * index + 1, _pair_text(pair, 0), _pair_text(pair, 1), pair.label)
                for index, pair in enumerate(pairs)]  # fmt: skip
        header = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
        layouts.write_table(root / "qqp" / f"{split}.tsv", [header, *rows])


def _paraphrases(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[tuple[str, str]] = set()
    _write_pairs_by_language(root / "pawsx", [tasks_pairs.paraphrases(sizes.evaluation, rng, seen) for _ in range(2)])
    train = tasks_pairs.paraphrases(sizes.train, rng, seen)
    rows = [(_pair_text(pair, 0), _pair_text(pair, 1), pair.label) for pair in train]
    layouts.write_table(root / "pawsx" / "train-en.tsv", rows, ending="\r\n")


def _reading(root: Path, sizes: Sizes, rng: Random) -> None:
    """Write SQuAD 1.1 and 2.0, XQuAD, MLQA and TyDiQA; no story occurs in two of them."""
    seen: set[str] = set()
    xquad = tasks_spans.readings(sizes.evaluation, rng, seen, sentences=_SQUAD_LENGTHS)
    mlqa = [tasks_spans.readings(sizes.evaluation, rng, seen, sentences=_MLQA_LENGTHS) for _ in range(2)]
    tydiqa = tasks_spans.readings(sizes.evaluation, rng, seen, sentences=_TYDIQA_LENGTHS, short_questions=True)
    for code, grammar in grammars().items():
        layouts.write_squad(root / "xquad" / f"xquad.{code}.json", "1.1", _paragraphs(xquad, grammar, "x"))
        for split, items in zip(("dev", "test"), mlqa, strict=True):
            path = root / "mlqa" / "MLQA_V1" / split / f"{split}-context-{code}-question-{code}.json"
            layouts.write_squad(path, "1.0", _paragraphs(items, grammar, f"m{split}"))
        path = root / "tydiqa" / "tydiqa-goldp-v1.1-dev" / f"tydiqa.goldp.{code}.dev.json"
        layouts.write_squad(path, "TyDiQA-GoldP-1.1-for-SQuAD-1.1", _paragraphs(tydiqa, grammar, f"{code}-dev"))
    english = grammars()["en"]
    for split, count in (("dev", sizes.evaluation), ("train", sizes.train)):
        items = tasks_spans.readings(count, rng, seen, sentences=_SQUAD_LENGTHS)
        path = root / "squad" / "v1.1" / f"{split}-v1.1.json"
        layouts.write_squad(path, "1.1", _paragraphs(items, english, f"s{split}"))
        items = tasks_spans.readings(count, rng, seen, sentences=_SQUAD_LENGTHS, unanswerable=1 / 3)
        path = root / "squad" / "v2.0" / f"{split}-v2.0.json"
        layouts.write_squad(path, "v2.0", _paragraphs(items, english, f"t{split}", flagged=True))
    few = tasks_spans.readings(sizes.low_resource, rng, seen, sentences=_TYDIQA_LENGTHS, short_questions=True)
    path = root / "tydiqa" / "tydiqa-goldp-v1.1-train" / "tydiqa.goldp.en.train.json"
    layouts.write_squad(path, "TyDiQA-GoldP-1.1-for-SQuAD-1.1", _paragraphs(few, english, "en-train"))


def _paragraphs(
    items: Iterable[Reading], grammar: Grammar, prefix: str, *, flagged: bool = False
) -> list[dict[str, Any]]:
    """Express readings in one language; with ``flagged``, each question states whether it is impossible to answer."""
    paragraphs: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        sentences = realise(grammar, item.context)
        context = text(sentences)
        questions: list[dict[str, Any]] = []
        for number, question in enumerate(item.questions):
            span = tasks_spans.answer_span(sentences, question)
            answers = [] if span is None else [{"text": context[span[0] : span[1]], "answer_start": span[0]}]
            asked = text([grammar.ask(question.clause, question.role)])
            flag = {"is_impossible": span is None} if flagged else {}
            questions.append({"id": f"{prefix}-{index}-{number}", "question": asked, "answers": answers, **flag})
        paragraphs.append({"context": context, "qas": questions})
    return paragraphs


def _continuations(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    for split, count in (("val", sizes.evaluation), ("train", sizes.train)):
        rows = [
            {"ind": index, "activity_label": item.topic, "ctx_a": item.context, "ctx_b": "", "ctx": item.context,
             "endings": list(item.answers), "label": item.label, "split": split, "split_type": "indomain",
             "source_id": f"mini~{split}~{index}"}
            for index, item in enumerate(tasks_choice.continuations(count, rng, seen))
        ]  # fmt: skip
        layouts.write_json_lines(root / "hellaswag" / f"hellaswag_{split}.jsonl", rows)


def _explanations(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    header = ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label")
    for split, count in (("valid", sizes.evaluation), ("train", sizes.train)):
        items = tasks_choice.explanations(count, rng, seen)
        rows = [(f"{split}-{index}", item.context, item.question, *item.answers, item.label)
                for index, item in enumerate(items)]  # fmt: skip
        layouts.write_table(root / "cosmosqa" / f"{split}.csv", [header, *rows], comma=True)


def _common_sense(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    for split, count in (("dev", sizes.evaluation), ("train", sizes.train)):
        items = tasks_choice.common_sense(count, rng, seen)
        rows = [_common_sense_row(f"{split}-{index}", item) for index, item in enumerate(items)]
        layouts.write_json_lines(root / "commonsenseqa" / f"{split}_rand_split.jsonl", rows)


def _common_sense_row(name: str, item: Choice) -> dict[str, Any]:
    choices = [{"label": letter, "text": answer} for letter, answer in zip("ABCDE", item.answers, strict=True)]
    question = {"question_concept": item.topic, "choices": choices, "stem": item.question}
    return {"answerKey": "ABCDE"[item.label], "id": name, "question": question}


def _supertags(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    for split, count in (("dev", sizes.evaluation), ("train", sizes.train)):
        tagged = [tasks_tags.supertags(line) for line in tasks_tags.sentences(count, rng, seen, questions=0.3)]
        lines = ("\t".join(" ".join(part) for part in zip(*sentence, strict=True)) for sentence in tagged)
        layouts.write_lines(root / "ccg" / f"ccg.{split}", lines)


def _parts_of_speech(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    for split in ("dev", "test"):
        lines = tasks_tags.sentences(sizes.evaluation, rng, seen)
        for code, grammar in grammars().items():
            tagged = [tasks_tags.parts_of_speech(realise(grammar, line)[0]) for line in lines]
            layouts.write_tagged(root / "udpos" / f"{split}-{code}.tsv", tagged)
    lines = tasks_tags.sentences(sizes.train, rng, seen)
    tagged = [tasks_tags.parts_of_speech(realise(grammars()["en"], line)[0]) for line in lines]
    layouts.write_tagged(root / "udpos" / "train-en.tsv", tagged)


def _names(root: Path, sizes: Sizes, rng: Random) -> None:
    seen: set[str] = set()
    languages = list(grammars().values())
    for split in ("dev", "test"):
        lines = tasks_tags.named_sentences(sizes.evaluation, rng, seen, train=False)
        tagged = [tasks_tags.names(line, languages, rng, train=False) for line in lines]
        for code in grammars():
            layouts.write_tagged(root / "panx" / f"{split}-{code}.tsv", [item[code] for item in tagged])
    lines = tasks_tags.named_sentences(sizes.train, rng, seen, train=True)
    english = [tasks_tags.names(line, languages[:1], rng, train=True)["en"] for line in lines]
    layouts.write_tagged(root / "panx" / "train-en.tsv", english)


def _retrieval(root: Path, sizes: Sizes, rng: Random) -> None:
    """Write BUCC2018 and Tatoeba; no sentence occurs in two of their files."""
    seen: set[str] = set()
    pairs = max(1, round(sizes.evaluation * _MINED_SHARE))
    for split in ("dev", "test"):
        texts = tasks_retrieval.parallel(2 * sizes.evaluation - pairs, rng, seen)
        for code in CODES3:
            if code in grammars():
                _write_mining(root / "bucc2018" / f"{code}-en.{split}", code, texts, pairs, rng)
    texts = tasks_retrieval.parallel(sizes.evaluation, rng, seen)
    for code, code3 in CODES3.items():
        if code in grammars():
            stem = f"tatoeba.{code3}-eng"
            layouts.write_lines(root / "tatoeba" / f"{stem}.{code3}", (item[code] for item in texts))
            layouts.write_lines(root / "tatoeba" / f"{stem}.eng", (item["en"] for item in texts))


def _write_mining(stem: Path, code: str, texts: list[tasks_retrieval.Parallel], pairs: int, rng: Random) -> None:
    mined = tasks_retrieval.mining(code, texts, pairs, rng)
    for ending, rows in ((code, mined.foreign), ("en", mined.english), ("gold", mined.gold)):
        layouts.write_lines(stem.with_name(f"{stem.name}.{ending}"), (f"{left}\t{right}" for left, right in rows))


_WRITERS = {
    "inference": _inference,
    "duplicates": _duplicates,
    "paraphrases": _paraphrases,
    "reading": _reading,
    "continuations": _continuations,
    "explanations": _explanations,
    "common_sense": _common_sense,
    "supertags": _supertags,
    "parts_of_speech": _parts_of_speech,
    "names": _names,
    "retrieval": _retrieval,
}
