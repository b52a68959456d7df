"""Measure the effect of each difference between tools that compute XTREME scores, on small slices of the data.

Example: python benchmarks/xtreme_differences.py --shared FOLDER --json benchmarks/results/xtreme_differences.json

FOLDER holds `data/` (data sets in their published layouts) and `parity/` (the official scorers' mock data and sentence
vectors). Nothing is trained: the same rows are read in two ways, or the same predictions scored in two ways.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from adaptstilts.evaluate.metrics import bucc_scores
from adaptstilts.evaluate.qa import mlqa_scores, squad_scores
from adaptstilts.evaluate.retrieval import (
    MINING,
    SEARCH,
    Side,
    fit_threshold,
    mine_pairs,
    normalise,
    pairs_above,
    search,
)
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.submission.folder import match_to_labels, read_labels, read_predictions, submission_path
from adaptstilts.submission.score import score_folder
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def quoting(data, name):
    """Count the rows whose text depends on how doubled quotation marks are read."""
    roots = [DataRoot(data, options={"quoting": way}) for way in ("clean", "xtreme")]
    task = get_task(name)
    changed = rows = 0
    by_language = {}
    for language in roots[0].languages(task, Split.DEV):
        clean, raw = (root.load(task, Split.DEV, language) for root in roots)
        differ = sum((a.first, a.second) != (b.first, b.second) for a, b in zip(clean, raw, strict=True))
        by_language[language] = 100 * differ / len(clean)
        changed, rows = changed + differ, rows + len(clean)
    most = max(by_language, key=by_language.get)
    return {
        "rows": rows,
        "changed": changed,
        "percent": 100 * changed / rows,
        "most": most,
        "most_percent": by_language[most],
    }


def fused_tokens(data):
    """Count the words of UD test files, the multiword tokens that XTREME keeps whole, and the resulting tokens."""
    root, task = DataRoot(data), get_task("udpos")
    found = {}
    for folder in sorted((data / "ud").glob("UD_*")):
        for path in sorted(folder.glob("*-test.conllu")):
            language = path.name.split("_")[0]
            lines = path.read_text(encoding="utf-8").splitlines()
            words = sum(line.split("\t")[0].isdigit() for line in lines)
            ranges = sum("-" in line.split("\t")[0] for line in lines if not line.startswith("#"))
            before = found.get(language, (0, 0))
            found[language] = (before[0] + words, before[1] + ranges)
    tokens = {
        language: sum(len(example.words) for example in root.load(task, Split.TEST, language))
        for language in found
        if language in task.languages
    }
    return {
        language: {"syntactic_words": found[language][0], "fused": found[language][1], "tokens": tokens[language]}
        for language in tokens
    }


def mock_scores(mock):
    """Score XTREME's mock submission in different ways."""
    scores = score_folder(mock / "predictions", mock / "labels").scores
    udpos = scores["udpos"].values()
    figures = {
        "udpos_seqeval_0.0.12": mean(one["f1"] for one in udpos),
        "udpos_seqeval_1.2.2": mean(one["chunk_f1_seqeval1"] for one in udpos),
        "udpos_token_accuracy": mean(one["token_accuracy"] for one in udpos),
    }
    for name in ("xquad", "mlqa", "tydiqa"):
        parts = {metric: mean(one[metric] for one in scores[name].values()) for metric in ("exact_match", "f1")}
        figures[f"{name}_f1_only"] = parts["f1"]
        figures[f"{name}_mean"] = mean(parts.values())
    task = get_task("mlqa")
    own, other = [], []
    for language in scores["mlqa"]:
        labels = read_labels(submission_path(mock / "labels", task, language), task)
        predictions = read_predictions(submission_path(mock / "predictions", task, language), task)
        answers = match_to_labels(predictions, labels)
        own.append(mlqa_scores(answers, labels.content, language)["f1"])
        other.append(squad_scores(answers, labels.content)["f1"])
    return {**figures, "mlqa_own_normaliser_f1": mean(own), "mlqa_squad_normaliser_f1": mean(other)}


def retrieval(parity):
    """Compare directions, duplicate rules and margins on the same sentence vectors."""
    record = json.loads((parity / "retrieval.json").read_text(encoding="utf-8"))
    vectors = np.load(parity / "retrieval.npz")
    foreign = Side(record["source_ids"], record["source_sentences"], normalise(vectors["source"]))
    english = Side(record["target_ids"], record["target_sentences"], normalise(vectors["target"]))
    gold = {tuple(pair) for pair in record["gold"]}
    figures = {}
    for rule in ("xtreme", "jiant"):
        pairs = mine_pairs(foreign, english, settings=replace(MINING, duplicates=rule))
        kept = pairs_above(pairs, fit_threshold(pairs, gold))
        figures[f"bucc_duplicates_{rule}"] = {"pairs": len(kept), "f1": bucc_scores(kept, gold)["f1"]}
    for margin in ("ratio", "none"):
        pairs = mine_pairs(foreign, english, settings=replace(MINING, margin=margin))
        figures[f"bucc_margin_{margin}"] = {
            "f1": bucc_scores(pairs_above(pairs, fit_threshold(pairs, gold)), gold)["f1"]
        }
    partner = dict(record["gold"])
    rows = [
        (index, record["target_ids"].index(partner[name])) for index, name in enumerate(foreign.ids) if name in partner
    ]
    left = foreign.vectors[[row for row, _ in rows]]
    right = english.vectors[[row for _, row in rows]]
    for direction in ("english_to_foreign", "foreign_to_english"):
        found = search(left, right, settings=replace(SEARCH, direction=direction)).rows
        figures[f"tatoeba_{direction}"] = {
            "sentences": len(rows),
            "accuracy": 100 * float(np.mean(found == np.arange(len(rows)))),
        }
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/ and parity/")
    parser.add_argument("--json", type=Path, help="file to write")
    arguments = parser.parse_args()
    data, parity = arguments.shared / "data", arguments.shared / "parity"
    found = {
        "quoting": {name: quoting(data, name) for name in ("xnli", "pawsx")},
        "mock": mock_scores(parity / "xtreme_mock"),
        "retrieval": retrieval(parity),
        "udpos_tokens": fused_tokens(data),
    }
    text = json.dumps(found, indent=1, ensure_ascii=False)
    print(text)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
