"""Networks of finished stages, with their tokenizers, for use outside a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from adaptstilts.encoding.encode import encode
from adaptstilts.errors import EvaluationError
from adaptstilts.evaluate.predict import predict
from adaptstilts.models.backbone import TOKEN_TYPES, load_tokenizer
from adaptstilts.models.network import TaskNetwork, assemble
from adaptstilts.runtime import quiet_libraries
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.jobs import PredictJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.weights import prediction_assembly
from adaptstilts.tasks.examples import Example
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class FinishedNetwork(TaskNetwork):
    """A network in evaluation mode that predicts one target, with its tokenizer.

    Args:
        network: The network.
        tokenizer: The tokenizer of its backbone.
        job: A job that predicts with it.
    """

    def __init__(self, network: TaskNetwork, tokenizer: PreTrainedTokenizerFast, job: PredictJob) -> None:
        super().__init__(network.encoder, network.head, network.attached)
        self.tokenizer = tokenizer
        self.task = get_task(job.task)
        self._job = job
        self.eval()

    @property
    def labels(self) -> tuple[str, ...]:
        """Words of the classes or tags, in the order of the scores; empty where a task has none."""
        return () if self.head is None else self.head.spec.labels

    def encode(self, texts: str | Sequence[str], pairs: str | Sequence[str] | None = None) -> dict[str, Tensor]:
        """Encode texts, or pairs of texts, as arguments of the network: ``network(**network.encode("A text."))``.

        Args:
            texts: One text or several.
            pairs: The second text of each pair; None for single texts.

        Returns:
            Tensors of shape (texts, tokens) on the network's device; longer texts are cut to the study's `max_length`.
        """
        listed = [texts] if isinstance(texts, str) else list(texts)
        seconds = [pairs] if isinstance(pairs, str) else None if pairs is None else list(pairs)
        found: Any = self.tokenizer(
            listed, seconds, padding=True, truncation=True, max_length=self._job.max_length, return_tensors="pt"
        )
        names = ["input_ids", "attention_mask", *([TOKEN_TYPES] if TOKEN_TYPES in found else [])]
        device = next(self.parameters()).device
        return {name: found[name].to(device) for name in names}

    def predict(self, examples: Sequence[Example]) -> Any:  # noqa: ANN401 - one type per kind of task
        """Predict examples just as the study does.

        Args:
            examples: Examples of the task's kind, such as `adaptstilts.tasks.examples.SpanExample`; their gold labels
                may be None.

        Returns:
            Label words of classes; indices of choices; label words per word of tagged sentences; answers by id.

        Raises:
            EvaluationError: If the task has no head: retrieval compares the vectors that `hidden` gives.
        """
        facts = FACTS[self.task.kind]
        if not facts.has_head or facts.has_candidates:
            problem = f"'{self.task.name}' compares vectors and has no predictions of single examples"
            raise EvaluationError(problem, hint="For token vectors of encoded texts, call hidden(...).")
        if not examples:
            raise EvaluationError("no example to predict")
        encoded = encode(self.task, examples, self.tokenizer, self._job.lengths)
        found = predict(
            self,
            self.task,
            self.labels,
            encoded,
            batch_tokens=self._job.batch_tokens,
            precision=self._job.precision,
        )
        is_class = facts.has_labels and not facts.scores_tokens
        return [self.labels[index] for index in found.predictions] if is_class else found.predictions


def finished_network(job: PredictJob, stages: tuple[Stage, ...], store: Store) -> FinishedNetwork:
    """Load the network of a prediction.

    Args:
        job: The prediction, which need not be finished itself.
        stages: The finished training runs that its weights come from.

    Raises:
        DamagedError: If a file of theirs is damaged.
        CheckpointError: If a part does not fit the encoder.
    """
    quiet_libraries()
    network = assemble(prediction_assembly(job, Inputs(stages, store)))
    return FinishedNetwork(network, load_tokenizer(job.backbone.location, job.backbone.revision), job)
