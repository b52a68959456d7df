"""Sections of a pretraining configuration (`adaptstilts pretrain`) with all their defaults.

The objectives are those of Conneau & Lample 2019 (MLM and TLM) with two options: code-switched lines and a translation
ranking term. The architecture is XLM-R's (Conneau et al. 2020).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from adaptstilts.config.schema import NAME_PATTERN, Seed
from adaptstilts.config.section import Section


class TextSection(Section):
    """Text to pretrain on: the mini world, folders of plain text, or both."""

    root: str | None = Field(None, description="Folder that contains `folders`; null for the working folder.")
    folders: tuple[str, ...] = Field(
        (),
        description="Folders of files {language}.txt with one sentence per line. Translations have the same line "
        "number, or the same key before the first tab if every line has one. An empty line is a missing translation.",
    )
    languages: tuple[str, ...] | None = Field(None, description="ISO 639-1 codes to use; null for all that are found.")
    held_out: int = Field(400, ge=0, description="Parallel lines excluded from training, for the held-out loss.")
    mini_lines: int = Field(0, ge=0, description="Parallel lines of the mini world; 0 for none.")
    mini_seed: Seed = Field(7, description="Seed of these lines, independent of the seed of the mini world's tasks.")
    mini_word_spaced: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of the mini world's lines written with a space between all words, as in tagged data sets.",
    )
    mini_replaced: float = Field(
        0.3, ge=0, le=1, description="Share of the words in a code-switched line that are translated."
    )


class VocabularySection(Section):
    """The SentencePiece unigram vocabulary."""

    pieces: int = Field(
        4000, ge=100, le=250000, description="Pieces learnt from text, not counting `alphabets` and `whole_words`."
    )
    whole_words: int | None = Field(
        None,
        ge=1,
        description="Mini world words seen at least this often become one piece each; null for none.",
    )
    alphabets: bool = Field(True, description="Add the letters of the scripts of XTREME's and XTREME-R's languages.")
    character_coverage: float = Field(0.9995, gt=0, le=1, description="Share of the text's characters that are pieces.")
    sample_lines: int = Field(20000, ge=100, description="Parallel lines from which pieces are learnt.")


class ArchitectureSection(Section):
    """Shape of the XLM-R encoder."""

    layers: int = Field(4, ge=1, le=48, description="Transformer layers.")
    width: int = Field(128, ge=8, le=4096, description="Width of token vectors.")
    heads: int = Field(4, ge=1, le=64, description="Attention heads; must divide the width.")
    feed_forward: int = Field(512, ge=8, le=16384, description="Width inside the feed-forward blocks.")
    positions: int = Field(
        514, ge=34, le=8194, description="Position embeddings: two more than the longest input has sub-tokens."
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of hidden vectors and attention (BERT's 0.1).")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> ArchitectureSection:
        if self.width % self.heads:
            raise ValueError(f"heads {self.heads} do not divide width {self.width}")
        return self


class ObjectiveSection(Section):
    """Training objectives and their proportions."""

    mlm: float = Field(1.0, ge=0, description="Relative number of MLM batches: passages in one language.")
    tlm: float = Field(1.0, ge=0, description="Relative number of TLM batches: a line and its translation.")
    switched: float = Field(
        0.0, ge=0, description="Relative number of batches of MLM on code-switched lines (mini world only)."
    )
    mask_rate: float = Field(
        0.15, gt=0, lt=1, description="Share of sub-tokens to predict; 80 % masked, 10 % random, 10 % kept (BERT)."
    )
    language_exponent: float = Field(
        0.7, ge=0, le=1, description="Languages are sampled in proportion to (number of lines) ** exponent (XLM: 0.7)."
    )
    passage_lines: int = Field(3, ge=1, description="Most consecutive lines joined into one MLM row.")
    pivot: str | None = Field("en", description="Language on one side of `pivot_share` of the pairs.")
    pivot_share: float = Field(0.5, ge=0, le=1, description="Share of the pairs that have the pivot on one side.")
    same_share: float = Field(
        0.0, ge=0, le=1, description="Share of the TLM rows that join a line with itself instead of its translation."
    )
    matching_weight: float = Field(
        0.0,
        ge=0,
        description="Weight of classifying from <s> whether both halves of a TLM row mean the same (Huang et al. "
        "2019).",
    )
    mismatch_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the TLM rows whose second half is made wrong: one sub-token exchanged, or a nearby line.",
    )
    reset_positions: bool = Field(False, description="Start counting positions anew at the translation (XLM).")
    ranking_weight: float = Field(
        0.0, ge=0, description="Weight of the translation ranking term: in-batch contrast of mean-pooled vectors."
    )
    ranking_every: int = Field(3, ge=1, description="Steps between two ranking terms.")
    ranking_until: float = Field(1.0, ge=0, le=1, description="Share of the steps after which the ranking term ends.")
    ranking_pairs: int = Field(48, ge=2, description="Parallel lines per ranking term.")
    ranking_layer: int = Field(2, ge=0, description="Hidden layer that is pooled, 0 for the embeddings.")
    ranking_temperature: float = Field(0.1, gt=0, description="Temperature: cosines are divided by it.")

    @model_validator(mode="after")
    def _something_is_learnt(self) -> ObjectiveSection:
        if self.mlm + self.tlm + self.switched == 0:
            raise ValueError("mlm, tlm and switched are all 0, so there is nothing to learn")
        return self


class OptimisationSection(Section):
    """Optimiser, schedule and bookkeeping."""

    steps: int = Field(1000, ge=1, description="Optimiser steps of the whole run.")
    batch_rows: int = Field(64, ge=1, description="Rows per MLM batch; TLM batches have half as many pairs.")
    max_length: int = Field(128, ge=8, description="Most sub-tokens per row; longer rows are cut.")
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="Peak learning rate of AdamW.")
    warmup: float = Field(0.06, ge=0, le=1, description="Share of the steps during which the learning rate rises.")
    weight_decay: float = Field(0.01, ge=0, description="AdamW weight decay, not on biases and LayerNorm (BERT).")
    clip_norm: float = Field(1.0, gt=0, description="Gradients are scaled down to at most this norm.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Arithmetic of forward passes; auto is bf16 on a GPU that has it, else fp32."
    )
    save_every: int = Field(500, ge=1, description="Steps between two saved states from which a run can resume.")
    log_every: int = Field(100, ge=1, description="Steps between two lines of progress and in the training log.")


class PretrainSection(Section):
    """A whole pretraining run."""

    name: str = Field(..., pattern=NAME_PATTERN, description="Name of the backbone.")
    title: str = Field("", description="One line for people.")
    output: str = Field(
        ...,
        min_length=1,
        description="Folder of the finished backbone; saved states are in {output}.part beside it.",
    )
    seed: Seed = Field(1, description="Seed of weights, order and masks.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    threads: int | None = Field(None, ge=1, description="CPU threads; null for torch's own choice.")
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="Minutes after which the command stops and saves; the next call resumes. Null: run to the end.",
    )
    data: TextSection = Field(TextSection(), description="Text.")
    vocabulary: VocabularySection = Field(VocabularySection(), description="Vocabulary.")
    architecture: ArchitectureSection = Field(ArchitectureSection(), description="Architecture.")
    objective: ObjectiveSection = Field(ObjectiveSection(), description="Objectives.")
    optimisation: OptimisationSection = Field(OptimisationSection(), description="Optimisation.")
