"""Task heads: layers that turn token vectors into class, choice, tag or span scores, or into a sentence vector.

Each head has the layers, and so the tensor names, of the `adapters` library's head of the same type, so that the
library can load saved heads. It has no head for dual encoders: theirs loads as a classification head of one layer with
as many classes as the vectors are wide, whose scores are the vectors before tanh and scaling to unit length. A network
holds at most one head.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from adaptstilts.models.architecture import Pooling, architecture_of
from adaptstilts.models.library_errors import library_errors
from adaptstilts.models.model_files import check_attached_json
from adaptstilts.models.safetensors_files import check_finite, check_tensors
from adaptstilts.models.strict_json import refuse
from adaptstilts.tasks.kinds import FACTS
from adaptstilts.tasks.spec import Kind

if TYPE_CHECKING:
    from transformers import PretrainedConfig

CONFIG_FILE = "head_config.json"
WEIGHTS_FILE = "model_head.safetensors"
INITIAL_SPREAD = 0.02
"""Standard deviation of initial weights where a backbone states none (BERT's, Devlin et al. 2019)."""


@dataclass(frozen=True)
class HeadSpec:
    """Shape of a head.

    Attributes:
        kind: Kind of task.
        outputs: Scores per token or sequence: number of classes or tags, 1 for choices, 2 for spans (start and end), 0
            for a vector as wide as the encoder's.
        labels: Label names in the order of the scores; empty if the kind has none.
    """

    kind: Kind
    outputs: int
    labels: tuple[str, ...] = ()


def spec_for(kind: Kind, labels: tuple[str, ...]) -> HeadSpec:
    """Determine the shape of the head for a kind of task.

    Args:
        kind: Any kind except retrieval, which has no head.
    """
    facts = FACTS[kind]
    outputs = len(labels) if facts.outputs is None else facts.outputs
    return HeadSpec(kind=kind, outputs=outputs, labels=labels if facts.has_labels else ())


@dataclass(frozen=True)
class _Form:
    """Properties of a head that follow from the kind of task.

    Attributes:
        library_type: Head type in the `adapters` library.
        library_options: Further entries of the head's configuration in the library.
        finish: Turns the output of the last layer into that of the head.
        has_dropout: Whether there is dropout before the layers.
    """

    library_type: str
    library_options: Mapping[str, bool]
    finish: Callable[[Tensor], Tensor] = lambda scores: scores
    has_dropout: bool = True


_FORMS: dict[Kind, _Form] = {
    Kind.CLASSIFY: _Form("classification", {"use_pooler": False, "bias": True}),
    Kind.CHOOSE: _Form("multiple_choice", {"use_pooler": False}, lambda scores: scores.squeeze(-1)),
    Kind.TAG: _Form("tagging", {}),
    Kind.EXTRACT: _Form("question_answering", {}),
    Kind.MATCH: _Form(
        "classification",
        {"use_pooler": False, "bias": True},
        lambda vectors: normalize(vectors.tanh(), dim=-1),
        has_dropout=False,
    ),
}


class Head(nn.Sequential):
    """A task head: dropout and a linear layer, or two with tanh between them (XLM-R's classification head).

    The head of a dual encoder is one linear layer without dropout on the vector of the sequence, then tanh (BERT's
    pooler) and scaling to unit length (google-research/xtreme, third_party/bert.py).

    Args:
        width: Width of the token vectors.
        dropout: Dropout before each linear layer.
        std: Standard deviation of the initial weights; biases are initialised to 0 (as in BERT).
        pooling: Vector of a sequence that the head reads, if it does not score tokens.
    """

    def __init__(
        self, spec: HeadSpec, width: int, dropout: float, std: float = INITIAL_SPREAD, *, pooling: Pooling = "first"
    ) -> None:
        layers: list[nn.Module] = []
        dropout = dropout if _FORMS[spec.kind].has_dropout else 0.0
        if FACTS[spec.kind].head_layers == 2:
            layers += [nn.Dropout(dropout), nn.Linear(width, width), nn.Tanh()]
        layers += [nn.Dropout(dropout), nn.Linear(width, spec.outputs or width)]
        super().__init__(*layers)
        self.spec = spec
        self.pooling = pooling
        for layer in self:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)

    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Compute the scores of tokens or sequences.

        Args:
            hidden: Token vectors, shape (batch, tokens, width).
            attention_mask: 1 for real tokens, 0 for padding, shape (batch, tokens); None if all are real.

        Returns:
            (batch, classes) for classification, (batch,) for choices, (batch, tokens, tags) for tagging,
            (batch, tokens, 2) for spans, unit vectors of shape (batch, width) for dual encoders.
        """
        if not FACTS[self.spec.kind].scores_tokens:
            hidden = hidden[:, 0] if self.pooling == "first" else _mean(hidden, attention_mask)
        return _FORMS[self.spec.kind].finish(super().forward(hidden))  # type: ignore[no-untyped-call]


def _mean(hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Average the vectors of the real tokens of each sequence."""
    if attention_mask is None:
        return hidden.mean(1)
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1)


def library_config(spec: HeadSpec, width: int, choices: int = 2) -> dict[str, Any]:
    """Build the ``config`` entry of a head's ``head_config.json`` in the `adapters` library's format.

    Args:
        width: Width of the token vectors.
        choices: Alternatives per question, which the library fixes per multiple-choice head.
    """
    facts, form = FACTS[spec.kind], _FORMS[spec.kind]
    sizes = {"num_choices": choices} if facts.sequences is None else {"num_labels": spec.outputs or width}
    return {
        "head_type": form.library_type,
        "layers": facts.head_layers,
        "activation_function": "tanh",
        "label2id": {label: index for index, label in enumerate(spec.labels)} or None,
        "dropout_prob": None if form.has_dropout else 0.0,
        **sizes,
        **form.library_options,
    }


def new_head(
    spec: HeadSpec, width: int, dropout: float, *, seed: int, std: float = INITIAL_SPREAD, pooling: Pooling = "first"
) -> Head:
    """Build a head with fresh weights that depend only on the seed."""
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    head = Head(spec, width, dropout, std, pooling=pooling)
    torch.random.set_rng_state(state)
    return head


def save_head(head: Head, name: str, folder: Path, config: PretrainedConfig, *, choices: int = 2) -> None:
    """Write a head and its labels in the `adapters` library's format.

    Args:
        name: Name under which the library loads it.
        folder: Created if missing.
        choices: Alternatives per question, which the library fixes per multiple-choice head.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "config": library_config(head.spec, config.hidden_size, choices),
        "hidden_size": config.hidden_size,
        "kind": head.spec.kind.value,
        "labels": list(head.spec.labels),
        "model_class": architecture_of(config).adapter_class or type(config).__name__.replace("Config", "Model"),
        "model_name": config._name_or_path,
        "model_type": config.model_type,
        "name": name,
        "version": f"adapters.{metadata.version('adapters')}",
    }
    text = json.dumps(record, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    tensors = {f"heads.{name}.{key}": tensor.detach().cpu().contiguous() for key, tensor in head.state_dict().items()}
    save_file(tensors, folder / WEIGHTS_FILE)
    torch.save(tensors, folder / "pytorch_model_head.bin")


def load_head(folder: Path, width: int, dropout: float, pooling: Pooling = "first") -> Head:
    """Read a head written by `save_head`.

    Args:
        width: Width of the backbone's token vectors.
        dropout: Dropout before each linear layer.
        pooling: Vector of a sequence that the head reads.

    Raises:
        CheckpointError: If files are missing or unreadable, or the weights do not fit the width.
    """
    spec, name = _spec(folder / CONFIG_FILE)
    head, path = Head(spec, width, dropout, pooling=pooling), folder / WEIGHTS_FILE
    hint = "Use the head that was saved with this network."
    wanted = {f"heads.{name}.{key}": tensor.shape for key, tensor in head.state_dict().items()}
    check_tensors(wanted, path, f"the head does not fit a backbone {width} wide", hint)
    with library_errors("the head cannot be loaded", path, hint):
        tensors = load_file(path)
        head.load_state_dict({key.split(".", 2)[-1]: tensor for key, tensor in tensors.items()})
    check_finite(tensors, path)
    return head


def _spec(path: Path) -> tuple[HeadSpec, str]:
    """Read the shape of a saved head and the name of its tensors."""
    record = check_attached_json(path)
    kinds = [kind.value for kind in Kind if kind in _FORMS]
    if record.get("kind") not in kinds:
        refuse(path, "kind", record.get("kind"), "heads are of other kinds", kinds)
    kind, labels, name = Kind(record["kind"]), tuple(record.get("labels", ())), record.get("name")
    outputs = spec_for(kind, labels).outputs
    if FACTS[kind].has_labels and not (labels and record["config"].get("num_labels") == outputs):
        stated = record["config"].get("num_labels")
        refuse(path, "config.num_labels", stated, f"it must be the number of the labels, {outputs}")
    if not name or "." in name:
        refuse(path, "name", name, "it must be the name of the tensors in the head's weights")
    return HeadSpec(kind, outputs, labels), name
