"""Inference with a network on encoded examples: raw scores, predictions, sentence vectors.

The network is on its device. ``batch_tokens`` is the maximum number of sub-tokens per batch, padding included;
``precision`` is explained in `adaptstilts.runtime.autocast`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptstilts.config.schema import Pooling
from adaptstilts.encoding.features import Encoded, SpanFeature, TagFeature
from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.decode import N_BEST, Window, answer_question, decode_choices, decode_classes, decode_tags
from adaptstilts.models.batches import Batch, sorted_batches
from adaptstilts.models.network import TaskNetwork
from adaptstilts.runtime import autocast
from adaptstilts.tasks.examples import SpanExample, TagExample
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind, Task


@dataclass(frozen=True)
class Predicted:
    """Predictions with the raw scores they were chosen from.

    Attributes:
        predictions: As `adaptstilts.evaluate.metrics.score_examples` takes them.
        raw: Named arrays: ``logits`` (examples, classes or choices; -inf where a question has fewer); for tags
            ``logits`` (words, tags) and ``lengths`` (sentences,); for spans ``starts``, ``ends`` (characters) and
            ``scores`` (questions, 20; -1 and NaN where there are fewer) and ``null_scores`` (questions,).
    """

    predictions: Any
    raw: dict[str, NDArray[Any]]


def predict(
    network: TaskNetwork,
    task: Task,
    labels: tuple[str, ...],
    encoded: Encoded,
    *,
    batch_tokens: int,
    precision: str = "auto",
) -> Predicted:
    """Predict a task that has a head; predictions are in the order of the examples."""
    logits = raw_scores(network, encoded, batch_tokens=batch_tokens, precision=precision)
    return _DECODERS[task.kind](task, labels, encoded, logits)


def raw_scores(
    network: TaskNetwork,
    encoded: Encoded,
    *,
    batch_tokens: int,
    precision: str = "auto",
) -> list[NDArray[np.float32]]:
    """Return the head's scores of every feature, without padding.

    Returns:
        One array per feature: (classes,), (choices,), (tokens, tags), (tokens, 2), or (width,) for a query or a
        candidate of a dual encoder.
    """
    network.eval()
    network.check_active()
    device = next(network.parameters()).device
    found: list[NDArray[np.float32] | None] = [None] * len(encoded.features)
    with torch.inference_mode():
        for indices in sorted_batches(encoded.features, batch_tokens):
            features = [encoded.features[index] for index in indices]
            batch = network.batch(features, encoded.kind)
            with autocast(device, precision):
                scores = batch.scores(network)
            array = scores.float().cpu().numpy()
            for row, index in enumerate(indices):
                found[index] = _unpadded(array[row], encoded, index)
    return [scores for scores in found if scores is not None]


def _unpadded(scores: NDArray[np.float32], encoded: Encoded, index: int) -> NDArray[np.float32]:
    feature, facts = encoded.features[index], FACTS[encoded.kind]
    if facts.scores_tokens:
        return scores[: feature.size].copy()
    is_choice = facts.sequences is None
    return scores[: len(feature.rows)].copy() if is_choice else scores.copy()


def _classes(_: Task, __: tuple[str, ...], encoded: Encoded, logits: Sequence[NDArray[np.float32]]) -> Predicted:
    table = np.stack(logits)
    return Predicted(decode_classes(table), {"logits": table})


def _choices(_: Task, __: tuple[str, ...], encoded: Encoded, logits: Sequence[NDArray[np.float32]]) -> Predicted:
    table = np.full((len(logits), max(map(len, logits))), -np.inf, dtype=np.float32)
    for row, scores in zip(table, logits, strict=True):
        row[: len(scores)] = scores
    return Predicted(decode_choices(logits), {"logits": table})


def _tags(_: Task, labels: tuple[str, ...], encoded: Encoded, logits: Sequence[NDArray[np.float32]]) -> Predicted:
    predictions: list[list[str]] = []
    words: list[NDArray[np.float32]] = []
    for example, indices in zip(encoded.examples, encoded.by_example(), strict=True):
        if not isinstance(example, TagExample):
            raise TypeError("tags need tagged sentences")
        parts = []
        for index in indices:
            feature = encoded.features[index]
            if not isinstance(feature, TagFeature):
                raise TypeError("tags need tagged sentences")
            parts.append((logits[index], feature.words))
            words.append(logits[index][np.asarray(feature.positions)])
        predictions.append([labels[tag] for tag in decode_tags(parts, len(example.words))])
    lengths = np.array([len(tags) for tags in predictions], dtype=np.int32)
    return Predicted(predictions, {"logits": np.concatenate(words), "lengths": lengths})


def _spans(task: Task, _: tuple[str, ...], encoded: Encoded, logits: Sequence[NDArray[np.float32]]) -> Predicted:
    count = len(encoded.examples)
    starts = np.full((count, N_BEST), -1, dtype=np.int32)
    ends = np.full((count, N_BEST), -1, dtype=np.int32)
    scores = np.full((count, N_BEST), np.nan, dtype=np.float32)
    nulls = np.zeros(count, dtype=np.float32)
    predictions: dict[str, str] = {}
    for row, (example, indices) in enumerate(zip(encoded.examples, encoded.by_example(), strict=True)):
        if not isinstance(example, SpanExample):
            raise TypeError("spans need questions")
        windows = [_window(encoded, index, logits[index]) for index in indices]
        answer = answer_question(example.context, windows, unanswerable=task.unanswerable, n_best=N_BEST)
        predictions[example.id] = answer.text
        nulls[row] = answer.null_score
        for column, span in enumerate(answer.best):
            starts[row, column], ends[row, column], scores[row, column] = span
    return Predicted(predictions, {"starts": starts, "ends": ends, "scores": scores, "null_scores": nulls})


def _window(encoded: Encoded, index: int, logits: NDArray[np.float32]) -> Window:
    feature = encoded.features[index]
    if not isinstance(feature, SpanFeature):
        raise TypeError("spans need questions")
    return Window(start=logits[:, 0], end=logits[:, 1], offsets=feature.offsets)


_DECODERS = {Kind.CLASSIFY: _classes, Kind.CHOOSE: _choices, Kind.TAG: _tags, Kind.EXTRACT: _spans}


def sentence_vectors(
    network: TaskNetwork,
    encoded: Encoded,
    *,
    layer: int,
    pooling: Pooling,
    batch_tokens: int,
    precision: str = "auto",
) -> NDArray[np.float32]:
    """Return one vector per sentence, shape (sentences, width), pooled as in `pool`.

    ``layer`` is 0 for the embeddings, n for the output of the n-th block; blocks above are not run, and a block that
    the encoder lacks is an error.
    """
    blocks = network.encoder.config.num_hidden_layers
    if layer > blocks:
        raise EvaluationError(
            f"the encoder has {blocks} blocks and no layer {layer}", key="retrieval.layer", allowed=(f"0 to {blocks}",)
        )
    vectors = np.zeros((len(encoded.features), network.encoder.config.hidden_size), dtype=np.float32)

    def take(indices: list[int], batch: Batch) -> None:
        hidden = network.hidden(batch.input_ids, batch.attention_mask, layer, batch.token_type_ids)
        vectors[indices] = pool(hidden.float(), batch.attention_mask, pooling, encoded.specials).cpu().numpy()

    _each_batch(network, encoded, take, batch_tokens=batch_tokens, precision=precision)
    return vectors


def layer_vectors(
    network: TaskNetwork,
    encoded: Encoded,
    *,
    pooling: Pooling,
    into: NDArray[np.float32],
    batch_tokens: int,
    precision: str = "auto",
) -> None:
    """Write one vector per sentence and layer, with one forward pass per sentence.

    Token vectors are pooled layer by layer during the pass, so that no more than one layer of a batch is held.
    ``into``, in memory or on disk, has shape (blocks + 1, sentences, width), from the embeddings up. Each layer equals
    what `sentence_vectors` gives for it.
    """

    def take(indices: list[int], batch: Batch) -> None:
        def keep(layer: int, hidden: Tensor) -> None:
            into[layer, indices] = pool(hidden.float(), batch.attention_mask, pooling, encoded.specials).cpu().numpy()

        network.visit_layers(batch.input_ids, batch.attention_mask, keep, batch.token_type_ids)

    _each_batch(network, encoded, take, batch_tokens=batch_tokens, precision=precision)


def _each_batch(
    network: TaskNetwork,
    encoded: Encoded,
    take: Callable[[list[int], Batch], None],
    *,
    batch_tokens: int,
    precision: str,
) -> None:
    """Call ``take`` with the positions and the batch, on the network's device, of every batch of sentences."""
    network.eval()
    network.check_active()
    device = next(network.parameters()).device
    with torch.inference_mode():
        for indices in sorted_batches(encoded.features, batch_tokens):
            features = [encoded.features[index] for index in indices]
            batch = network.batch(features, encoded.kind)
            with autocast(device, precision):
                take(indices, batch)


def pool(hidden: Tensor, mask: Tensor, pooling: Pooling, specials: tuple[int, int] = (1, 1)) -> Tensor:
    """Reduce token vectors (batch, tokens, width), padded on the right, to sentence vectors (batch, width).

    ``mean`` averages all real sub-tokens (``mask`` is 1), specials included (XTREME's way); ``mean_no_specials`` leaves
    the special tokens before and after the text out, as many as ``specials`` says (its ``--pool_skip_special_token``,
    one of each); ``cls`` takes the first. A sentence without sub-tokens to average gives zeros.
    """
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "mean_no_specials":
        places = torch.arange(mask.shape[1], device=mask.device)
        mask = mask * (places >= specials[0]) * (places < mask.sum(1, keepdim=True) - specials[1])
    weights = mask[..., None].to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
