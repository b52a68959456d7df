"""Table of the kinds of task: the facts that the rest of the package needs about each. Free of torch.

Code for a kind (encoding, loss, decoding, layers of the head) stands in tables of the modules that contain it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from adaptstilts.tasks.spec import Kind

Length = Literal["max_length", "doc_stride", "max_query_length"]


@dataclass(frozen=True)
class KindFacts:
    """Facts that hold for every task of a kind.

    Attributes:
        has_head: Whether a head is trained; without one the encoder's own vectors are compared, as the section
            `retrieval` of a configuration says.
        head_layers: Linear layers of the head.
        outputs: Scores of the head per sequence or sub-token; None for one per label, 0 for a vector as wide as the
            encoder's.
        scores_tokens: Whether the head scores every sub-token; else it reads the first one for the whole sequence.
        has_labels: Whether the task has label words: its classes or tags.
        sequences: Sequences of one training example; None for one per choice.
        is_bitext: Whether the examples are two collections of sentences, one English, to be matched across languages;
            English itself is no language of such a task.
        has_candidates: Whether queries search for candidates: in training for their own among those of a micro-batch,
            at prediction for the right ones in a pool that all languages share.
        query: Place of a question or query: in the row of its context, in a row of its own, or nowhere.
        lengths: Settings of length that have an effect.
    """

    has_head: bool = True
    head_layers: int = 1
    outputs: int | None = None
    scores_tokens: bool = False
    has_labels: bool = False
    sequences: int | None = 1
    is_bitext: bool = False
    has_candidates: bool = False
    query: Literal["none", "beside_context", "own_row"] = "none"
    lengths: tuple[Length, ...] = ("max_length",)

    @property
    def labels_words(self) -> bool:
        """Whether each word has a label of its own, which its first sub-token carries."""
        return self.has_labels and self.scores_tokens


FACTS: dict[Kind, KindFacts] = {
    Kind.CLASSIFY: KindFacts(head_layers=2, has_labels=True),
    Kind.CHOOSE: KindFacts(head_layers=2, outputs=1, sequences=None),
    Kind.TAG: KindFacts(scores_tokens=True, has_labels=True),
    Kind.EXTRACT: KindFacts(
        outputs=2,  # start and end
        scores_tokens=True,
        query="beside_context",
        lengths=("max_length", "doc_stride", "max_query_length"),
    ),
    Kind.RETRIEVE: KindFacts(has_head=False, head_layers=0, is_bitext=True),
    Kind.MATCH: KindFacts(
        outputs=0, sequences=2, has_candidates=True, query="own_row", lengths=("max_length", "max_query_length")
    ),
}


def micro_batch_count(kind: Kind, accumulation: int, processes: int) -> int:
    """Return the number of micro-batches of a training step.

    Args:
        accumulation: Micro-batches requested.
        processes: Processes that share them.

    Returns:
        A multiple of ``processes``, at least ``accumulation``; for queries with candidates, whose loss depends on which
        of them share a micro-batch, exactly ``accumulation``.
    """
    return accumulation if FACTS[kind].has_candidates else processes * math.ceil(accumulation / processes)
