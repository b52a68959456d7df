"""Cache of the examples of one data root, which are read and encoded once for all stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.contents import Pins
from adaptstilts.encoding.encode import encode
from adaptstilts.encoding.features import Encoded, EncodeSettings
from adaptstilts.formatting import number_text
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.models.backbone import load_tokenizer
from adaptstilts.readers.data_root import DataRoot, TrainingData
from adaptstilts.readers.sampling import held_out_count, sample
from adaptstilts.readers.sampling import hold_out as cut_in_two
from adaptstilts.study.plan.backbones import backbone_files
from adaptstilts.study.plan.jobs import BackboneRef
from adaptstilts.tasks.examples import Bitext, Candidate, Example, Sentence
from adaptstilts.tasks.spec import Split, Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_MAX_ENCODED = 400
"""Number of encoded sets in the cache; enough for every language of every target."""
_MAX_ROWS = 500_000
"""Maximum rows of an encoded set in the cache; the sides of BUCC2018 are larger and are encoded each time."""


@dataclass(frozen=True)
class _EncodedKey:
    backbone: str
    what: tuple[object, ...]
    settings: EncodeSettings


class Examples:
    """Examples of one data root, cached after they are read and encoded.

    Args:
        root: Folder with data sets in their published layouts.
        quoting: Option of the readers; see `adaptstilts.config.schema.DataSection`.
        pins: What files must hold, those of backbones included; reading another content, or rows of a data file that
            they do not hold, is an error.
    """

    def __init__(self, root: Path, *, quoting: str = "clean", pins: Pins | None = None) -> None:
        self.root = DataRoot(root, options={"quoting": quoting}, pins=pins, only_held=pins is not None)
        self._tokenizers: dict[str, PreTrainedTokenizerFast] = {}
        self._training: dict[tuple[object, ...], TrainingData] = {}
        self._evaluation: dict[tuple[object, ...], list[Example] | Bitext] = {}
        self._encoded: dict[_EncodedKey, Encoded] = {}

    def training(self, task: Task, most: int | None, *, hold_out: bool) -> TrainingData:
        """Return the English training and dev examples of a training task.

        Args:
            most: Maximum number of training examples; None for all.
            hold_out: Whether to split dev examples off the training set.
        """
        key = (task.name, most, hold_out)
        if key not in self._training:
            self._training[key] = self._held_out(task, most) if hold_out else self.root.training_data(task, most)
        return self._training[key]

    def _held_out(self, task: Task, most: int | None) -> TrainingData:
        """Split dev examples off the training set: a tenth, at most 500, independent of ``most``.

        The dev set is not read, so that it cannot influence the run.
        """
        rows = self.root.load_examples(task, Split.TRAIN, SOURCE_LANGUAGE, labelled=True)
        train, dev = cut_in_two(rows, held_out_count(len(rows)))
        note = (
            f"{task.name}: {number_text(len(dev), 'training row')} held out to pick the checkpoint, "
            "since the dev set is what is scored"
        )
        return TrainingData(sample(train, most), dev, (*self.root.notes(task, Split.TRAIN, SOURCE_LANGUAGE), note))

    def evaluation(self, task: Task, split: Split, language: str, most: int | None) -> list[Example]:
        """Return the evaluation examples of a task other than retrieval; hidden labels are None."""
        key = (task.name, split, language, most)
        if key not in self._evaluation:
            self._evaluation[key] = self.root.load_examples(task, split, language, most)
        found = self._evaluation[key]
        if isinstance(found, Bitext):
            raise TypeError(f"{task.name} is retrieval")
        return found

    def bitext(self, task: Task, split: Split, language: str, most: int | None) -> Bitext:
        """Return the two sides of a retrieval task."""
        key = (task.name, split, language, most)
        if key not in self._evaluation:
            self._evaluation[key] = self.root.load_bitext(task, split, language, most)
        found = self._evaluation[key]
        if not isinstance(found, Bitext):
            raise TypeError(f"{task.name} is not retrieval")
        return found

    def tokenizer(self, backbone: BackboneRef) -> PreTrainedTokenizerFast:
        """Return the tokenizer of a backbone."""
        if backbone.fingerprint not in self._tokenizers:
            with self.root.pins.reading(backbone_files(backbone)):
                found = load_tokenizer(backbone.location, backbone.revision)
            self._tokenizers[backbone.fingerprint] = found
        return self._tokenizers[backbone.fingerprint]

    def encoded(
        self,
        task: Task,
        examples: list[Example] | tuple[Sentence, ...] | tuple[Candidate, ...],
        backbone: BackboneRef,
        settings: EncodeSettings,
        *,
        what: tuple[object, ...],
    ) -> Encoded:
        """Encode examples with a backbone's tokenizer, or return them from the cache.

        Args:
            what: Cache key of the examples within the task; equal keys must mean equal examples.
        """
        key = _EncodedKey(backbone.fingerprint, (task.name, *what), settings)
        if key not in self._encoded:
            if len(self._encoded) >= _MAX_ENCODED:
                self._encoded.pop(next(iter(self._encoded)))
            encoded = encode(task, examples, self.tokenizer(backbone), settings)
            if len(examples) > _MAX_ROWS:
                return encoded
            self._encoded[key] = encoded
        return self._encoded[key]
