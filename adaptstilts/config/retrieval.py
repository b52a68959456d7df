"""Presets of sentence retrieval, and how settings stand over them.

Layers of presets are written for the 24 blocks of XLM-R Large; `layer_at` maps them to other depths.

What is known of XTREME's runs, from its public repository (google-research/xtreme):

- **Tatoeba**: ``scripts/run_tatoeba.sh`` has, for XLM-R Large, asked for index 13 of the last 24 hidden states since
  March 2020: layer 14, counted from 0 for the embeddings. ``third_party/utils_retrieve.py`` puts the foreign side into
  the index and queries it with English, by cosine, without a margin. Pull request 104 (2024) reports that the published
  figures come out at layer 10 only.
- **BUCC2018, pooling**: ``scripts/run_bucc2018.sh`` passes ``--pool_type cls``, but the script it called never handed
  the option on, so that mean pooling ran until the change of 7 October 2021; from then on it is cls.
- **BUCC2018, layer**: the same file asks for index 7 and never says ``--num_layers``, whose default is 12: index 7 of
  the last 12 hidden states is layer 20 of 24 (8 of 12). Which layer the published figures used is said nowhere.
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
"""What a retrieval task asks for: pairs out of two collections (BUCC2018), or the nearest sentence (Tatoeba)."""

FITTED: Literal["dev"] = "dev"
"""In place of a layer: the one that is best on the dev split."""
PRESET_BLOCKS = 24
"""Depth of XLM-R Large, for which the presets' layers are written."""


@dataclass(frozen=True)
class RetrievalSettings:
    """What decides the result of one retrieval task; None stands where a setting has no effect on it.

    Attributes:
        layer: Hidden layer, from 0 for the embeddings; ``dev`` for the best on the dev split.
        blocks: Depth for which ``layer`` is written and from which it is mapped to others; None: taken as it is.
        pooling: How token vectors become a sentence vector.
        similarity: How two sentence vectors are compared.
        margin: What becomes of a similarity.
        neighbours: Neighbours that the margin looks at; None without a margin.
        direction: Which side's sentences are the queries; None for mining.
        candidates: Which side proposes pairs; None for search.
        duplicates: What becomes of repeated texts; None for search.
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
  pooling for both. For BUCC2018 it takes layer 14 too, which X-STILTs used: the released script's own layer with mean
  pooling is ``retrieval.overrides.bucc2018.layer=20``.
- ``xtreme-head``: what the last version of XTREME's scripts (commit 838c13b) does with XLM-R Large: BUCC2018 with cls
  pooling of layer 20, Tatoeba as before. Its Tatoeba script also names a model trained on SQuAD; that is a matter of
  the intermediate task, not of this preset.
- ``jiant``: X-STILTs' own code (nyu-mll/jiant, ``c_tokenize_and_cache.sh`` and ``evaluate/core.py``): layer 14 and mean
  pooling for both tasks, and a pair of repeated texts stands for all pairs of their ids.

The three agree on Tatoeba, so that they share its predictions.
"""

_OF_USE: dict[Use, frozenset[str]] = {
    "mine": frozenset({"candidates", "duplicates"}),
    "search": frozenset({"direction"}),
}


def resolve_retrieval(section: RetrievalSection, task: str, use: Use) -> RetrievalSettings:
    """Combine preset, settings for all tasks and those of one task; the later wins where it says something.

    Args:
        section: Retrieval section of a study.
        task: Name of the retrieval task.
        use: What the task asks for.

    Returns:
        The settings that decide the task's result, and no others.
    """
    preset = PRESETS[section.preset][use]
    chosen = {name: value for name, value in _said(section).items() if name not in without_effect(use)}
    override = section.overrides.get(task)
    chosen |= {} if override is None else _said(override)
    settings = replace(preset, **chosen)  # type: ignore[arg-type]
    if "layer" in chosen:
        settings = replace(settings, blocks=None)
    if settings.margin == "none":
        settings = replace(settings, neighbours=None)
    elif settings.neighbours is None:
        settings = replace(settings, neighbours=_MINE.neighbours)
    return replace(settings, sweep=section.sweep or settings.layer == FITTED)


def without_effect(use: Use) -> frozenset[str]:
    """Return the names of the settings that tasks of this use do not have."""
    return frozenset().union(*(names for other, names in _OF_USE.items() if other != use))


def changes(section: RetrievalSection, task: str, use: Use) -> dict[str, object]:
    """Return the settings of a task that differ from the preset's, by name: what a reader must know beside its name."""
    preset, settings = PRESETS[section.preset][use], resolve_retrieval(section, task, use)
    skipped = {"blocks", "sweep"}
    return {
        item.name: getattr(settings, item.name)
        for item in fields(settings)
        if item.name not in skipped and getattr(settings, item.name) != getattr(preset, item.name)
    } | ({"layer": settings.layer} if settings.blocks is None else {})


def layer_at(layer: int, blocks: int, written_for: int | None = PRESET_BLOCKS) -> int:
    """Map a layer to another depth: the same share of the blocks, rounded, but never below the first block.

    Args:
        layer: Layer, from 0 for the embeddings.
        blocks: Blocks of the encoder.
        written_for: Blocks of the encoder for which the layer was written; None leaves it as it is.

    Returns:
        The layer of the encoder.
    """
    if written_for is None or layer == 0:
        return layer
    return max(1, round(layer * blocks / written_for))


def _said(section: RetrievalOverride) -> dict[str, object]:
    names = RetrievalOverride.model_fields
    return {name: value for name in names if (value := getattr(section, name)) is not None}
