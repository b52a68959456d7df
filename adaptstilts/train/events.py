"""What a training run tells while it is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StepNumbers:
    """What a step of a training run is measured by.

    Attributes:
        loss: Mean loss of the step; not finite where training fails.
        learning_rate: Learning rate of the step.
        examples: Examples of the step, in all processes together.
    """

    loss: float
    learning_rate: float
    examples: int = 0


class CheckpointLog(Protocol):
    """Told what becomes of the checkpoints of a run."""

    def checkpoint(self, step: int, seconds: float) -> None:
        """A checkpoint was written after a step, which took so many seconds."""
        ...

    def resumed(self, step: int) -> None:
        """The run goes on after a step that an earlier attempt has done."""
        ...

    def noted(self, text: str) -> None:
        """A checkpoint is damaged, or cannot be written."""
        ...
