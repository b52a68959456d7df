"""Evaluate a miniature backbone: zero-shot transfer after English training, and retrieval before and after it.

Example: python benchmarks/probe_mini.py checkpoints/mini --json probe.json

Fine-tunes the whole model on English NLI (mnli -> xnli) and POS (udpos) of the mini world and scores every language;
retrieval (tatoeba direction, mean-pooled, each layer) needs no training and is repeated with the fine-tuned encoders.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch

from adaptstilts.config.recipes import TrainSettings
from adaptstilts.config.schema import DataSection
from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import EncodeSettings
from adaptstilts.evaluate.predict import predict, sentence_vectors
from adaptstilts.evaluate.retrieval import search
from adaptstilts.mini.write import write_mini
from adaptstilts.models.backbone import load_encoder, load_tokenizer
from adaptstilts.models.heads import spec_for
from adaptstilts.models.network import Assembly, TaskNetwork
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.tasks.registry import get_task, training_task
from adaptstilts.tasks.spec import Split
from adaptstilts.train.loop import fit
from adaptstilts.train.methods import METHODS
from adaptstilts.train.setup import build_network

BATCH_TOKENS = 4096
SETTINGS = EncodeSettings(128, 64, 32)
RECIPE = {"learning_rate": 5e-4, "batch_size": 32, "warmup": 0.1, "weight_decay": 0.01}


def fine_tune(folder, tokenizer, root, task, *, seed, epochs):
    """Fine-tune the full model on a task's English training set."""
    trained_on = training_task(task)
    examples = root.training_data(trained_on, None).train
    encoded = encode(trained_on, examples, tokenizer, SETTINGS)
    network = build_network(
        METHODS["direct"],
        Assembly(folder),
        task=trained_on.name,
        head=spec_for(trained_on.kind, root.labels(trained_on)),
        seed=seed,
    )
    recipe = TrainSettings(epochs=epochs, max_length=128, patience=None, **RECIPE)
    fit(network, encoded.features, recipe, kind=task.kind, seed=seed, score_dev=None)
    return network


def zero_shot(network, tokenizer, root, task):
    """Compute the accuracy in percent per language, of classes, or of tags over all words."""
    scores = {}
    labels = root.labels(training_task(task))
    for language in root.languages(task, Split.TEST):
        examples = root.load_examples(task, Split.TEST, language, None, labelled=True)
        encoded = encode(task, examples, tokenizer, SETTINGS)
        found = predict(network, task, labels, encoded, batch_tokens=BATCH_TOKENS).predictions
        if task.name == "udpos":
            gold = [labels[tag] for example in examples for tag in example.tags]
            flat = [tag for tags in found for tag in tags]
        else:
            gold, flat = [example.label for example in examples], list(found)
        right = sum(one == other for one, other in zip(gold, flat, strict=True))
        scores[language] = round(100 * right / len(gold), 1)
    return scores


def retrieval(network, tokenizer, root):
    """Compute the accuracy in percent of English queries among the foreign sentences, by layer and language."""
    task = get_task("tatoeba")
    scores = {}
    for language in root.languages(task, Split.TEST):
        bitext = root.load_bitext(task, Split.TEST, language)
        foreign, english = (encode(task, side, tokenizer, SETTINGS) for side in (bitext.foreign, bitext.english))
        gold = {right: left for left, right in bitext.gold}
        for layer in range(network.encoder.config.num_hidden_layers + 1):
            vectors = [
                sentence_vectors(network, side, layer=layer, pooling="mean", batch_tokens=BATCH_TOKENS)
                for side in (foreign, english)
            ]
            best = search(vectors[0], vectors[1]).rows.tolist()
            texts = {sentence.id: sentence.text for sentence in bitext.foreign}
            right = sum(
                bitext.foreign[index].text == texts[gold[sentence.id]]
                for index, sentence in zip(best, bitext.english, strict=True)
            )
            scores.setdefault(layer, {})[language] = round(100 * right / len(best), 1)
    return scores


def show(title, scores):
    """Print the scores of all languages, and the mean of those other than English."""
    mean = sum(score for code, score in scores.items() if code != "en") / max(1, len(scores.keys() - {"en"}))
    print(f"{title:<28}" + " ".join(f"{code} {score:5.1f}" for code, score in scores.items()) + f" | mean {mean:5.1f}",
          flush=True)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backbone", help="folder of the backbone")
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--evaluation", type=int, default=300)
    parser.add_argument("--epochs", type=int, nargs=2, default=(8, 3), help="epochs of NLI and of POS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokenizer = load_tokenizer(arguments.backbone)
    with tempfile.TemporaryDirectory() as folder:
        low_resource = DataSection().mini_low_resource
        write_mini(
            Path(folder), seed=1, train=arguments.train, evaluation=arguments.evaluation, low_resource=low_resource
        )
        root = DataRoot(folder)
        figures = probe(arguments, tokenizer, root)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def probe(arguments, tokenizer, root):
    """Evaluate the backbone untrained and after each fine-tuning."""
    figures = {}
    untrained = TaskNetwork(load_encoder(arguments.backbone).eval(), None, None)
    figures["untrained"] = retrieval(untrained, tokenizer, root)
    for layer, scores in figures["untrained"].items():
        show(f"retrieval untrained, layer {layer}", scores)
    for name, epochs in zip(("xnli", "udpos"), arguments.epochs, strict=True):
        started = time.perf_counter()
        task = get_task(name)
        network = fine_tune(arguments.backbone, tokenizer, root, task, seed=arguments.seed, epochs=epochs)
        figures[name] = zero_shot(network, tokenizer, root, task)
        show(f"{name} ({time.perf_counter() - started:.0f} s)", figures[name])
        figures[f"after_{name}"] = retrieval(TaskNetwork(network.encoder, None, None), tokenizer, root)
        for layer, scores in figures[f"after_{name}"].items():
            if layer:
                show(f"retrieval after {name}, layer {layer}", scores)
    return figures


if __name__ == "__main__":
    main()
