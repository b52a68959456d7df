"""Measure how long frames of predictions take, and how much memory, on made-up predictions of a given size.

Example: python benchmarks/frames.py --scratch FOLDER

Writes data files and stored predictions of one language into FOLDER, nothing being trained: sentence pairs, questions
of five to a context, tagged sentences of 20 words. Each frame is made in a process of its own. Times are processor
times of one thread, so other work on the machine changes them little; memory is that of the whole process at its peak,
and before the frame.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from adaptstilts.predictions.frame import predictions_frame
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.plan.jobs import PredictJob, job_of
from adaptstilts.study.stages.predictions import LanguageResult, save_predictions
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split

WORDS = ("anna", "boat", "letter", "river", "winter", "teacher", "morning", "garden", "yellow", "slowly")
SPANS = 20
PER_CONTEXT = 5


def pairs(count, drawn):
    """Make sentence pairs, three hypotheses on each premise."""
    labels = get_task("xnli").labels
    rows = [f"{sentence(drawn, row // 3, 20)}\t{sentence(drawn, row, 10)}\t{labels[row % 3]}" for row in range(count)]
    return {"xnli/test-en.tsv": "\n".join(rows) + "\n"}


def questions(count, drawn):
    """Make questions, five on each context of 120 words."""
    articles = []
    for first in range(0, count, PER_CONTEXT):
        context = sentence(drawn, first, 120)
        answers = [{"text": context.split()[3], "answer_start": len(" ".join(context.split()[:3])) + 1}]
        numbers = range(first, min(first + PER_CONTEXT, count))
        asked = [{"id": f"q{row}", "question": sentence(drawn, row, 10), "answers": answers} for row in numbers]
        articles.append({"context": context, "qas": asked})
    return {"xquad/xquad.en.json": json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": articles}]})}


def sentences(count, drawn):
    """Make tagged sentences of 20 words."""
    tags = get_task("udpos").labels
    rows = (
        "".join(f"{word}\t{drawn.choice(tags)}\n" for word in sentence(drawn, row, 20).split()) for row in range(count)
    )
    return {"udpos/test-en.tsv": "\n".join(rows) + "\n"}


def sentence(drawn, number, length):
    return " ".join([f"row{number}", *drawn.choices(WORDS, k=length - 1)])


def classes(rows, random_numbers):
    logits = random_numbers.normal(size=(len(rows), 3)).astype(np.float32)
    return logits.argmax(axis=1).tolist(), {"logits": logits}


def spans(rows, random_numbers):
    starts = random_numbers.integers(0, 500, size=(len(rows), SPANS), dtype=np.int32)
    ends = starts + random_numbers.integers(1, 40, size=starts.shape, dtype=np.int32)
    scores = -np.sort(-random_numbers.normal(size=starts.shape).astype(np.float32))
    found = zip(rows, starts[:, 0].tolist(), ends[:, 0].tolist(), strict=True)
    texts = {row.id: row.context[start:end] for row, start, end in found}
    return texts, {"starts": starts, "ends": ends, "scores": scores, "null_scores": scores[:, 0] - 1}


def tags(rows, random_numbers):
    labels = get_task("udpos").labels
    lengths = np.array([len(row.words) for row in rows])
    logits = random_numbers.normal(size=(int(lengths.sum()), len(labels))).astype(np.float32)
    parts = np.split(logits.argmax(axis=1), np.cumsum(lengths)[:-1])
    return [[labels[tag] for tag in part] for part in parts], {"logits": logits, "lengths": lengths}


TRAINING = {
    "xnli": {
        "mnli/multinli_1.0_train.jsonl": '{"gold_label": "neutral", "sentence1": "a", "sentence2": "b", "pairID": "1"}',
        "xnli/dev-en.tsv": "a\tb\tneutral\n",
    },
    "xquad": {
        f"squad/v1.1/{split}-v1.1.json": '{"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": "a b", '
        '"qas": [{"id": "q", "question": "b", "answers": [{"text": "a", "answer_start": 0}]}]}]}]}'
        for split in ("train", "dev")
    },
    "udpos": {f"udpos/{split}-en.tsv": "a\tDET\n\n" for split in ("train", "dev")},
}
"""Files without which a study cannot be planned."""
KINDS = {"xnli": (pairs, classes), "xquad": (questions, spans), "udpos": (sentences, tags)}
"""By task: functions that make the data file, and predictions of its rows."""


def study_of(folder, name):
    return Study.load({
        "name": "frames", "backbone": "mini", "methods": ["direct"], "data": {"root": str(folder / name / "data")},
        "intermediate": {"tasks": []}, "target": {"tasks": [name]}, "evaluation": {"languages": ["en"]},
        "store": str(folder / name / "store"), "results": str(folder / name / "results"),
    })  # fmt: skip


def prepare(folder, name, count):
    """Write the data and the predictions of a task."""
    from adaptstilts.evaluate.predict import Predicted  # noqa: PLC0415 - loads torch, which frames do without

    files, predicted = KINDS[name]
    for path, text in {**TRAINING[name], **files(count, random.Random(1))}.items():
        (folder / name / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / "data" / path).write_text(text, encoding="utf-8")
    study = study_of(folder, name)
    rows = DataRoot(folder / name / "data").load_examples(get_task(name), Split.TEST, "en")
    predictions, raw = predicted(rows, np.random.default_rng(1))
    found = LanguageResult("en", Split.TEST, Predicted(predictions, raw), len(rows))
    for stage in study.plan.stages:
        if job_of(stage, PredictJob) is not None:
            with study.store.writing(stage, {}) as place:
                save_predictions(found, place)


def measure(folder, name):
    """Print the seconds of reading the file alone and of the whole frame, and the memory before and at the peak."""
    study = study_of(folder, name)
    assert study.plan.stages  # planned before the clock starts
    import pandas  # noqa: F401, PLC0415 - not counted

    before, start = resident(), time.process_time()
    frame = predictions_frame(study)
    seconds, peak = time.process_time() - start, resident()
    start = time.process_time()
    rows = DataRoot(folder / name / "data").load_examples(get_task(name), Split.TEST, "en")
    reading = time.process_time() - start
    assert len(frame) == len(rows)
    print(json.dumps({"rows": len(rows), "reading": reading, "seconds": seconds, "before": before, "peak": peak}))


def resident():
    """Return the largest memory of this process so far, in bytes, as Linux counts it."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(line) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=100_000)
    parser.add_argument("--sentences", type=int, default=100_000)
    parser.add_argument("--only", choices=KINDS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        measure(arguments.scratch, arguments.only)
        return
    print(f"{'task':<8}{'rows':>11}{'frame':>9}{'of it reading':>16}{'memory':>10}{'of it before':>15}")
    for name, count in zip(KINDS, (arguments.pairs, arguments.questions, arguments.sentences), strict=True):
        prepare(arguments.scratch, name, count)
        command = [sys.executable, __file__, "--scratch", str(arguments.scratch), "--only", name]
        single = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        found = json.loads(subprocess.run(command, env=single, check=True, capture_output=True, text=True).stdout)
        print(
            f"{name:<8}{found['rows']:>11,}{found['seconds']:>7.1f} s{found['reading']:>14.1f} s"
            f"{found['peak'] / 1e9:>7.2f} GB{found['before'] / 1e9:>12.2f} GB",
            flush=True,
        )


if __name__ == "__main__":
    main()
