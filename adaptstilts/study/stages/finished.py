"""Networks of finished stages, with their tokenizers, for use outside a study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from torch import Tensor

from adaptstilts.arguments import texts_of
from adaptstilts.contents import BEFORE
from adaptstilts.encoding.encode import encode
from adaptstilts.errors import ConfigError, EvaluationError
from adaptstilts.evaluate.predict import predict
from adaptstilts.formatting import number_text
from adaptstilts.models.backbone import TOKEN_TYPES, load_tokenizer
from adaptstilts.models.network import TaskNetwork, assemble
from adaptstilts.readers.registry import EXAMPLES
from adaptstilts.runtime import quiet_libraries
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.backbones import check_backbone_content
from adaptstilts.study.plan.jobs import PredictJob
from adaptstilts.study.stages.inputs import Inputs
from adaptstilts.study.stages.weights import prediction_assembly
from adaptstilts.tasks.examples import ChoiceExample, Example, TagExample
from adaptstilts.tasks.fields import checked_fields
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Kind, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


_FEWEST_CHOICES = 2


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

        Raises:
            ConfigError: If there is no text, an argument is no text, or some texts have no second one.
        """
        listed = texts_of("texts", texts)
        if not listed:
            raise ConfigError("there is no text to encode", key="texts", hint="Give one text or several.")
        seconds = None if pairs is None else list(texts_of("pairs", pairs))
        if seconds is not None and len(seconds) != len(listed):
            problem = f"{len(listed)} first and {len(seconds)} second texts do not make pairs"
            raise ConfigError(problem, key="pairs", hint="Give one second text for each of the texts.")
        found: Any = self.tokenizer(
            list(listed), seconds, padding=True, truncation=True, max_length=self._job.max_length, return_tensors="pt"
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
            ConfigError: If an example is not of the task's kind, or has a wrong value.
            EvaluationError: If there is none, or the task has no head: retrieval compares the vectors that `hidden`
                gives.
        """
        facts = FACTS[self.task.kind]
        if not facts.has_head or facts.has_candidates:
            problem = f"'{self.task.name}' compares vectors and has no predictions of single examples"
            raise EvaluationError(problem, hint="For token vectors of encoded texts, call hidden(...).")
        checked = _checked_examples(examples, self.task)
        encoded = encode(self.task, checked, self.tokenizer, self._job.lengths)
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


def _checked_examples(examples: Any, task: Task) -> list[Any]:  # noqa: ANN401 - what a caller gave
    """Return examples that a caller gave, each of the kind of the task.

    Raises:
        ConfigError: If one is not, has a wrong value, or is a question with the id of another.
        ProblemsError: If one has several wrong values.
        EvaluationError: If there is none.
    """
    kind: Any = EXAMPLES[task.kind]
    hint = f"'{task.name}' is of kind {task.kind.value}: give a list of adaptstilts.tasks.examples.{kind.__name__}."
    if not isinstance(examples, Iterable):
        raise ConfigError(f"{shortened(examples)} is not a list of examples", key="examples", hint=hint)
    checked: list[Any] = []
    ids: set[str] = set()
    for place, example in enumerate(examples):
        key = f"examples[{place}]"
        if not isinstance(example, kind):
            raise ConfigError(f"{shortened(example)} is not a {kind.__name__}", key=key, hint=hint)
        checked.append(replace(example, **checked_fields(example, f"{key}.")))
        _require_parts(checked[-1], key)
        if example.id in ids and task.kind is Kind.EXTRACT:  # answers are returned by id
            problem, next_step = f"another example has the id '{example.id}'", "Give each an id of its own."
            raise ConfigError(problem, key=f"{key}.id", value=example.id, hint=next_step)
        ids.add(example.id)
    if not checked:
        raise EvaluationError("no example to predict", key="examples", hint=hint)
    return checked


def _require_parts(example: Example, key: str) -> None:
    """Refuse a sentence without words, and a question without alternatives.

    Raises:
        ConfigError: If the example is one.
    """
    if isinstance(example, TagExample) and not example.words:
        raise ConfigError("there is no word to tag", key=f"{key}.words", hint="Give a list of words.")
    if isinstance(example, ChoiceExample) and len(example.choices) < _FEWEST_CHOICES:
        problem = f"{number_text(len(example.choices), 'alternative')}: nothing to choose from"
        raise ConfigError(problem, key=f"{key}.choices", hint=f"Give at least {_FEWEST_CHOICES}.")


def finished_network(job: PredictJob, stages: tuple[Stage, ...], store: Store) -> FinishedNetwork:
    """Load the network of a prediction.

    Args:
        job: The prediction, which need not be finished itself.
        stages: The finished training runs that its weights come from.

    Raises:
        DamagedError: If a file of theirs is damaged.
        CheckpointError: If a part does not fit the encoder.
        ChangedError: If a file of the backbone has changed since the study was planned.
    """
    quiet_libraries()
    inputs = Inputs(stages, store)
    inputs.backbone[:] = check_backbone_content(job.backbone, inputs.pins, BEFORE)
    assembly = prediction_assembly(job, inputs)
    with inputs.reading():
        network = assemble(assembly)
        tokenizer = load_tokenizer(job.backbone.location, job.backbone.revision)
    return FinishedNetwork(network, tokenizer, job)
