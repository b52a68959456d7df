"""Into how many micro-batches a batch is cut. Free of torch."""

from __future__ import annotations

import math

from adaptstilts.tasks.spec import Kind


def micro_batch_count(kind: Kind, accumulation: int, processes: int) -> int:
    """Return into how many micro-batches a step's batch is cut.

    Args:
        kind: Kind of task.
        accumulation: Micro-batches asked for.
        processes: Processes that share them.

    Returns:
        A multiple of ``processes``, at least ``accumulation``; for dual encoders, whose loss depends on which
        candidates share a micro-batch, just ``accumulation``.
    """
    return accumulation if kind is Kind.MATCH else processes * math.ceil(accumulation / processes)
