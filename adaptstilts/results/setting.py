"""Settings of a study that its report mentions; a module of its own, so that planning need not load reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunSetting:
    """Settings that matter in a comparison with published scores.

    Attributes:
        backbone: Its name.
        is_large: Whether it is XLM-R Large, or has its shape.
        max_train: Most training rows per task; None for all.
        max_evaluation: Most evaluation rows per task and language; None for all.
        retrieval: By retrieval target, a line on how sentence vectors are made and compared, layer included.
    """

    backbone: str
    is_large: bool
    max_train: int | None = None
    max_evaluation: int | None = None
    retrieval: Mapping[str, str] = field(default_factory=dict)
