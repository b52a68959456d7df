"""Presets of sentence retrieval, and how a study's settings override them.

Layers of presets are given for the 24 blocks of XLM-R Large; `layer_at` maps them to other depths.

What is known of XTREME's runs, from its public repository (google-research/xtreme):

- **Tatoeba**: ``scripts/run_tatoeba.sh`` has, for XLM-R Large, used index 13 of the last 24 hidden states since
  March 2020: layer 14, counted from 0 for the embeddings. ``third_party/utils_retrieve.py`` puts the foreign side into
  the index and queries it with English, by cosine, without a margin. Pull request 104 (2024) reports that the published
  figures are reproduced at layer 10 only.
- **BUCC2018, pooling**: ``scripts/run_bucc2018.sh`` passes ``--pool_type cls``, but the script it called ignored the
  option, so mean pooling was used until the change of 7 October 2021, and cls since then.
- **BUCC2018, layer**: the same file asks for index 7 and does not set ``--num_layers``, whose default is 12: index 7 of
  the last 12 hidden states is layer 20 of 24 (8 of 12). Which layer the published figures used is not documented.
- **BUCC2018, mining**: ratio margin, 4 neighbours in both directions, candidates by the rule ``max``; ids of sentences
  that occur more than once are dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from adaptstilts.config.schema import (
    CandidateRule,
    Direction,
    DuplicateRule,
    Margin,
    Pooling,
    PresetName,
    RetrievalOverride,
    RetrievalSection,
    Similarity,
)

Use = Literal["mine", "search"]
"""What a retrieval task looks for: pairs in two collections (BUCC2018), or each sentence's nearest (Tatoeba)."""

FITTED: Literal["dev"] = "dev"
"""Value of ``layer`` that stands for the layer with the best score on the dev split."""
PRESET_BLOCKS = 24
"""Depth of XLM-R Large, for which the presets' layers are given."""


@dataclass(frozen=True)
class RetrievalSettings:
    """All settings that decide the result of one retrieval task; None if a setting has no effect on it.

    Attributes:
        layer: Hidden layer, from 0 for the embeddings; ``dev`` for the best on the dev split.
        blocks: Depth for which ``layer`` is given and from which it is mapped to other depths; None: used unmapped.
        neighbours: Neighbours on each side that the margin averages over.
        candidates: Which side proposes pairs (mining).
        duplicates: What happens to repeated texts (mining).
        max_length: Most sub-tokens per sentence.
        sweep: Whether every layer is scored, for a table or to choose one.
    """

    layer: int | Literal["dev"]
    blocks: int | None
    pooling: Pooling
    similarity: Similarity
    margin: Margin
    neighbours: int | None
    direction: Direction | None
    candidates: CandidateRule | None
    duplicates: DuplicateRule | None
    max_length: int
    sweep: bool = False


_SEARCH = RetrievalSettings(
    layer=14,
    blocks=PRESET_BLOCKS,
    pooling="mean",
    similarity="cosine",
    margin="none",
    neighbours=None,
    direction="english_to_foreign",
    candidates=None,
    duplicates=None,
    max_length=512,
)
_MINE = replace(_SEARCH, margin="ratio", neighbours=4, direction=None, candidates="max", duplicates="xtreme")

PRESETS: dict[PresetName, dict[Use, RetrievalSettings]] = {
    "xtreme-paper": {"search": _SEARCH, "mine": _MINE},
    "xtreme-head": {"search": _SEARCH, "mine": replace(_MINE, layer=20, pooling="cls")},
    "jiant": {"search": _SEARCH, "mine": replace(_MINE, duplicates="jiant")},
}
"""Settings by preset and use.

- ``xtreme-paper`` (default): how XTREME's published figures were made as far as is known: Tatoeba at layer 14, mean
  pooling for both. BUCC2018 uses layer 14 too, as X-STILTs did; for the released script's own layer with mean pooling,
  set ``retrieval.overrides.bucc2018.layer=20``.
- ``xtreme-head``: what the last version of XTREME's scripts (commit 838c13b) does with XLM-R Large: BUCC2018 with cls
  pooling of layer 20, Tatoeba as before. Its Tatoeba script also names a model trained on SQuAD; choose that as the
  intermediate task, as no preset does.
- ``jiant``: X-STILTs' own code (nyu-mll/jiant, ``c_tokenize_and_cache.sh`` and ``evaluate/core.py``): layer 14 and mean
  pooling for both tasks, and a pair of repeated texts stands for all pairs of their ids.

The three agree on Tatoeba and so share its predictions.
"""

_OF_USE: dict[Use, frozenset[str]] = {
    "mine": frozenset({"candidates", "duplicates"}),
    "search": frozenset({"direction"}),
}


def resolve_retrieval(section: RetrievalSection, task: str, use: Use) -> RetrievalSettings:
    """Combine the preset, the settings for all retrieval tasks and those of one task; the last one given wins.

    Settings that have no effect on the task are None in the result.
    """
    preset = PRESETS[section.preset][use]
    chosen = {name: value for name, value in _given(section).items() if name not in without_effect(use)}
    override = section.overrides.get(task)
    chosen |= {} if override is None else _given(override)
    settings = replace(preset, **chosen)  # type: ignore[arg-type]
    if "layer" in chosen:
        settings = replace(settings, blocks=None)
    if settings.margin == "none":
        settings = replace(settings, neighbours=None)
    elif settings.neighbours is None:
        settings = replace(settings, neighbours=_MINE.neighbours)
    return replace(settings, sweep=section.sweep or settings.layer == FITTED)


def without_effect(use: Use) -> frozenset[str]:
    """Return the names of the settings that have no effect on tasks of this use."""
    return frozenset().union(*(names for other, names in _OF_USE.items() if other != use))


def changes(section: RetrievalSection, task: str, use: Use) -> dict[str, object]:
    """Return the settings of a task that differ from its preset's, by name; results name them beside the preset."""
    preset, settings = PRESETS[section.preset][use], resolve_retrieval(section, task, use)
    skipped = {"blocks", "sweep"}
    return {
        item.name: getattr(settings, item.name)
        for item in fields(settings)
        if item.name not in skipped and getattr(settings, item.name) != getattr(preset, item.name)
    } | ({"layer": settings.layer} if settings.blocks is None else {})


def layer_at(layer: int, blocks: int, written_for: int | None = PRESET_BLOCKS) -> int:
    """Map a layer to an encoder of another depth: the same share of its blocks, rounded, at least the first block.

    Layers count from 0 for the embeddings, which stay 0. ``written_for`` is the depth for which the layer was given;
    with None it is returned unmapped.
    """
    if written_for is None or layer == 0:
        return layer
    return max(1, round(layer * blocks / written_for))


def _given(section: RetrievalOverride) -> dict[str, object]:
    names = RetrievalOverride.model_fields
    return {name: value for name in names if (value := getattr(section, name)) is not None}
