"""Sections of a study's configuration, with all defaults, units and ranges.

Each field's description gives its meaning, unit and source. A field of `TrainSection` that is null takes the value of
its task's recipe (`adaptstilts.config.recipes`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from adaptstilts.config.plain import shown
from adaptstilts.config.runtime import ParallelSection, ResumeSection, RuntimeSection
from adaptstilts.config.section import Section, wrong_kind

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
FUSION_AVERAGE = "average"
"""Value of ``fusion.retrieval`` for the plain average of the adapters."""
DEVICE_PATTERN = r"^(auto|cpu|cuda(:\d+)?)$"

Seed = Annotated[int, Field(ge=0)]
"""Start of a random generator."""

MethodName = Literal["direct", "full", "adapter", "stack", "continue", "fuse"]
"""The six ways of using (or not using) an intermediate task; `adaptstilts.train.methods` says what each one trains."""

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Family = Literal["full", "adapter", "fusion"]
"""What is trained: the whole model, a bottleneck adapter, or an AdapterFusion layer (each with its head)."""

Pooling = Literal["mean", "mean_no_specials", "cls"]
"""How token vectors become a sentence vector: mean of all real sub-tokens, of all but `<s>` and `</s>`, or `<s>`."""

Similarity = Literal["cosine", "dot", "l2"]
"""How two sentence vectors are compared; l2 is 1 / (1 + d), d the squared Euclidean distance (XTREME)."""

Margin = Literal["ratio", "distance", "none"]
"""How a similarity is corrected by the mean similarity of both neighbourhoods: divided by it, less it, or not."""

Direction = Literal["english_to_foreign", "foreign_to_english"]
"""Which sentences are the queries of a search: English ones (XTREME's Tatoeba), or foreign ones."""

CandidateRule = Literal["max", "forward", "backward", "intersection"]
"""Which side proposes mined pairs: both, each sentence used once; the foreign; the English; both in agreement."""

DuplicateRule = Literal["xtreme", "jiant"]
"""What a text that occurs more than once on its side yields: no pair, or all pairs of its ids."""

PresetName = Literal["xtreme-paper", "xtreme-head", "jiant"]
"""Named retrieval settings; `adaptstilts.config.retrieval` lists them with their sources."""

TrackerName = Literal["tensorboard", "wandb"]
"""Experiment trackers that can log training runs; see `adaptstilts.train.trackers`."""


class DataSection(Section):
    """Where examples come from and how many are used."""

    root: str = Field(
        "mini",
        min_length=1,
        description="`mini` for the built-in generated data; a folder with data sets in their published layouts; or "
        "`official` to plan from the benchmarks' published sizes before any file is there.",
    )
    quoting: Literal["clean", "xtreme"] = Field(
        "clean",
        description="How doubled quotation marks in XNLI's and PAWS-X's files are read: clean makes them single; "
        "xtreme leaves them in the text, as XTREME's scripts do.",
    )
    leaks: Literal["stop", "report"] = Field(
        "stop",
        description="What to do when an English training set contains other languages: stop ends the run before "
        "training; report trains on it and says so in the report. Texts that training and evaluation sets share are "
        "only reported.",
    )
    max_train: int | None = Field(None, ge=1, description="Most training examples per task; null for all of them.")
    max_evaluation: int | None = Field(
        None, ge=1, description="Most evaluation examples per task and language; null for all, as benchmarks require."
    )
    mini_seed: Seed = Field(1, description="Seed of the generated mini world.")
    mini_train: int = Field(2000, ge=32, description="Training examples per task of the mini world.")
    mini_evaluation: int = Field(200, ge=8, description="Evaluation examples per task and language of the mini world.")
    mini_low_resource: int = Field(150, ge=8, description="Training examples of the mini world's TyDiQA.")


class TrainSection(Section):
    """Training settings of one family of weights; null takes the value of the task's recipe."""

    learning_rate: float | None = Field(None, gt=0, lt=1, description="Peak learning rate of AdamW.")
    epochs: int | None = Field(None, ge=1, description="Passes over the training set.")
    max_steps: int | None = Field(None, ge=1, description="Most optimiser steps; ends training before `epochs` do.")
    batch_size: int | None = Field(None, ge=1, description="Examples per optimiser step.")
    max_length: int | None = Field(None, ge=16, le=8192, description="Most sub-tokens per input.")
    doc_stride: int = Field(
        128, ge=8, description="Sub-tokens between the starts of two windows over a long context (SQuAD)."
    )
    max_query_length: int | None = Field(
        None, ge=8, description="Most sub-tokens of a question (SQuAD: 64) or a query (LAReQA: 96, Mewsli-X: 64)."
    )
    accumulation: int = Field(1, ge=1, description="Micro-batches per optimiser step; `batch_size` is their sum.")
    warmup: float | None = Field(
        None, ge=0, le=1, description="Share of the steps during which the learning rate rises."
    )
    weight_decay: float | None = Field(None, ge=0, description="AdamW weight decay, not on biases and LayerNorm.")
    adam_epsilon: float = Field(1e-8, gt=0, description="AdamW epsilon (jiant's default).")
    clip_norm: float = Field(
        1.0, gt=0, description="Accumulated gradients are scaled down to at most this norm (jiant's default)."
    )
    evaluate_every: int | None = Field(
        None, ge=1, description="Optimiser steps between two evaluations on the English dev set; null: once per epoch."
    )
    evaluate_examples: int | None = Field(
        500, ge=1, description="Dev examples used to pick the best checkpoint; 500 in jiant; null for all."
    )
    patience: int | None = Field(
        None, ge=1, description="Training stops after this many dev evaluations without a gain."
    )
    precision: Precision = Field(
        "auto", description="Arithmetic of forward passes; auto is bf16 on a GPU that has it, else fp32."
    )
    gradient_checkpointing: bool = Field(
        False, description="Recompute activations in the backward pass: less memory, more time."
    )


class TrainOverride(Section):
    """Training settings of one task, which override those of its phase."""

    learning_rate: float | None = Field(None, gt=0, lt=1, description="As in `target.full`.")
    epochs: int | None = Field(None, ge=1, description="As in `target.full`.")
    max_steps: int | None = Field(None, ge=1, description="As in `target.full`.")
    batch_size: int | None = Field(None, ge=1, description="As in `target.full`.")
    max_length: int | None = Field(None, ge=16, le=8192, description="As in `target.full`.")
    accumulation: int | None = Field(None, ge=1, description="As in `target.full`.")
    evaluate_every: int | None = Field(None, ge=1, description="As in `target.full`.")
    patience: int | None = Field(None, ge=1, description="As in `target.full`.")


class PhaseSection(Section):
    """One phase: which tasks, and how their weights are trained."""

    tasks: tuple[str, ...] = Field((), description="Task names; `adaptstilts tasks` lists them.")
    full: TrainSection = Field(TrainSection(), description="Training of full models.")
    adapter: TrainSection = Field(TrainSection(), description="Training of adapters.")
    fusion: TrainSection = Field(TrainSection(), description="Training of AdapterFusion layers (target phase).")
    overrides: dict[str, TrainOverride] = Field(
        default_factory=dict, description="Settings by task name that override those of the phase, for all families."
    )


class AdapterSection(Section):
    """Shape of the bottleneck adapters."""

    kind: Literal["seq_bn", "double_seq_bn", "par_bn"] = Field(
        "seq_bn",
        description="seq_bn: after the feed-forward block (Pfeiffer et al. 2021); double_seq_bn: also after attention "
        "(Houlsby et al. 2019); par_bn: parallel to the feed-forward block (He et al. 2022).",
    )
    reduction_factor: float = Field(16, ge=1, le=1024, description="Model width divided by bottleneck width.")
    activation: Literal["relu", "gelu", "swish", "tanh"] = Field("relu", description="Non-linearity of the bottleneck.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout inside the adapter.")


class FusionSection(Section):
    """AdapterFusion layers (Pfeiffer et al. 2021)."""

    kind: Literal["dynamic", "static"] = Field(
        "dynamic",
        description="dynamic: query, key and value matrices; static: no value matrix, two thirds of the weights.",
    )
    regularisation: float = Field(
        0.01, ge=0, description="Weight of the squared distance of the value matrix from identity (AdapterFusion)."
    )
    tasks: tuple[str, ...] = Field((), description="Intermediate adapters to fuse; empty for all of the study's.")
    retrieval: str = Field(
        FUSION_AVERAGE,
        description="What replaces a trained fusion on targets without training data: `average` (equal weights) or "
        "the name of the intermediate task on whose training set the fusion is trained.",
    )


class RetrievalOverride(Section):
    """How sentence vectors are made and compared; null takes the preset's value for the task."""

    layer: int | Literal["dev"] | None = Field(
        None,
        description="Hidden layer that is pooled, from 0 for the embeddings; dev: the layer with the best mean score "
        "on the task's dev split, one for all languages.",
    )
    pooling: Pooling | None = Field(None, description="How token vectors become a sentence vector.")
    similarity: Similarity | None = Field(None, description="How two sentence vectors are compared.")
    margin: Margin | None = Field(
        None, description="How neighbouring similarities correct a similarity: ratio, distance or none."
    )
    neighbours: int | None = Field(None, ge=1, description="Neighbours that a margin looks at on each side.")
    direction: Direction | None = Field(None, description="Which side's sentences are the queries (Tatoeba).")
    candidates: CandidateRule | None = Field(None, description="Which side proposes pairs (BUCC2018).")
    duplicates: DuplicateRule | None = Field(
        None, description="What repeated texts yield: no pair (xtreme), or all pairs of their ids (jiant) (BUCC2018)."
    )
    max_length: int | None = Field(None, ge=16, description="Most sub-tokens per sentence.")

    @field_validator("layer", mode="before")
    @classmethod
    def _check_layer(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is None or value == "dev" or is_number:
            return value
        hint = "Allowed: a whole number from 0 for the embeddings, or dev."
        raise wrong_kind(shown(value), "is not a layer", hint=hint)


class RetrievalSection(RetrievalOverride):
    """Sentence retrieval: a preset, settings for all retrieval tasks that override it, and settings of single tasks."""

    preset: PresetName = Field(
        "xtreme-paper",
        description="Settings used unless others are given. xtreme-paper: how the published numbers were made as far "
        "as is known; xtreme-head: XTREME's last scripts; jiant: X-STILTs' own code.",
    )
    sweep: bool = Field(False, description="Also score every hidden layer, at one forward pass per sentence.")
    overrides: dict[str, RetrievalOverride] = Field(
        default_factory=dict, description="Settings by task name that override those for all retrieval tasks."
    )


class EvaluationSection(Section):
    """Zero-shot evaluation."""

    benchmark: Literal["xtreme", "xtreme_r"] = Field(
        "xtreme",
        description="Benchmark whose languages are the official ones: XTREME (40) or XTREME-R (50). Targets of the "
        "other may be named too; they count in none of the averages, and the report says so.",
    )
    languages: Literal["official", "present"] | tuple[str, ...] = Field(
        "official",
        description="Languages of every target that are scored. official: those that `benchmark` has of it; present: "
        "those that the data root has; or a list of ISO 639-1 codes, as far as one of the two has them of it.",
    )
    missing: Literal["error", "leave_out"] | None = Field(
        None,
        description="What to do where the data root has no labelled file in one of `languages`. error: end before any "
        "work; leave_out: score the others, and mark means as partial. Null: error for a list, leave_out for official.",
    )
    submission: bool = Field(
        False,
        description="Also predict test splits whose labels are hidden, without scoring them, so that `adaptstilts "
        "submit` can write every file of XTREME's leaderboard.",
    )
    batch_tokens: int = Field(8192, ge=128, description="Sub-tokens per evaluation batch, padding included.")
    precision: Precision = Field(
        "auto", description="Arithmetic of evaluation; auto is bf16 on a GPU that has it, else fp32."
    )


class SlurmSection(Section):
    """Options of SLURM jobs, which are submitted through submitit."""

    cluster: Literal["slurm", "local", "debug"] = Field(
        "slurm",
        description="slurm: SLURM jobs; local: the same jobs as processes of this machine; debug: in this process.",
    )
    partition: str | None = Field(None, description="Partition; null for the cluster's default.")
    account: str | None = Field(None, description="Account to charge.")
    qos: str | None = Field(None, description="Quality of service.")
    constraint: str | None = Field(None, description="Features that a node must have.")
    timeout_minutes: int = Field(240, ge=1, description="Most minutes of one job; a job that needs more is requeued.")
    signal_seconds: int = Field(
        90, ge=10, description="Seconds before its time limit at which a job is signalled to save its state."
    )
    most_jobs: int = Field(64, ge=1, description="Most jobs of one array that run at the same time.")
    setup: tuple[str, ...] = Field((), description="Shell lines before each job, such as `module load cuda`.")


class EngineSection(Section):
    """Where stages run, and with which resources; no setting here is part of a content key."""

    name: Literal["local", "ray", "slurm"] = Field(
        "local", description="local: processes of this machine; ray: wherever Ray runs; slurm: jobs through submitit."
    )
    retries: int = Field(2, ge=0, le=100, description="How often a stage is tried again after its worker was lost.")
    gpus_per_stage: float | Literal["auto"] = Field(
        "auto",
        description="GPUs per stage that runs a network; a fraction packs several stages on one GPU. auto: from the "
        "estimated memory of the stage and the memory of the GPU.",
    )
    cpus_per_stage: int | None = Field(
        None, ge=1, description="CPU cores per stage; null: `threads`, or 1 if that is null too."
    )
    memory_gb: float | None = Field(
        None, gt=0, description="Main memory per stage in GB; null: not limited (ray), the cluster's default (slurm)."
    )
    address: str | None = Field(
        None, description="Ray cluster to join, such as `auto` or ray://head:10001; null starts one on this machine."
    )
    slurm: SlurmSection = Field(SlurmSection(), description="Options of SLURM jobs.")

    @field_validator("gpus_per_stage", mode="before")
    @classmethod
    def _check_gpus(cls, value: object) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value == "auto" or (
            is_number and float(str(value)) > 0 and (float(str(value)) <= 1 or float(str(value)) % 1 == 0)
        ):
            return value
        hint = "Allowed: auto, a share up to 1, or a whole number."
        raise wrong_kind(shown(value), "is not a number of GPUs", hint=hint)


class StudyConfig(Section):
    """Configuration of a whole study: backbone, tasks of both phases, methods, training and evaluation."""

    name: str = Field(..., pattern=NAME_PATTERN, description="Name of the study's result folder.")
    title: str = Field("", description="One line for people.")
    backbone: str = Field(
        "mini",
        min_length=1,
        description="`mini` for the miniature that comes with the package, a folder in Hugging Face's format with "
        "an encoder of a known type (docs/backbones.md), or a hub id with its owner.",
    )
    revision: str | None = Field(None, description="Revision of a backbone on the hub: branch, tag or commit.")
    methods: tuple[MethodName, ...] = Field(
        ("direct", "full", "adapter", "stack", "continue", "fuse"),
        min_length=1,
        description="Methods to compare.",
    )
    seeds: tuple[Seed, ...] = Field((1,), min_length=1, description="Every method is trained once per seed.")
    data: DataSection = Field(DataSection(), description="Data.")
    intermediate: PhaseSection = Field(PhaseSection(), description="The intermediate phase.")
    target: PhaseSection = Field(PhaseSection(), description="The target phase.")
    adapter: AdapterSection = Field(AdapterSection(), description="Adapters.")
    fusion: FusionSection = Field(FusionSection(), description="Fusion.")
    retrieval: RetrievalSection = Field(RetrievalSection(), description="Retrieval.")
    evaluation: EvaluationSection = Field(EvaluationSection(), description="Evaluation.")
    sweep: tuple[dict[str, Any], ...] = Field(
        (),
        description="Variants of the study. In a file: `key: [value, value]` lines, of which every combination is a "
        "variant, or a list of mappings whose keys change together. A list anywhere a single value belongs is swept "
        "too.",
    )
    resume: ResumeSection = Field(ResumeSection(), description="Checkpoints within a training stage.")
    parallel: ParallelSection = Field(ParallelSection(), description="Several processes for one training stage.")
    runtime: RuntimeSection = Field(RuntimeSection(), description="How the machine computes.")
    store: str = Field(
        "checkpoints",
        min_length=1,
        description="Folder of the artefact store, or its address in any file system that fsspec knows, such as "
        "s3://bucket/folder.",
    )
    store_cache: str | None = Field(
        None,
        min_length=1,
        description="Local folder for a store that is an address; it holds unfinished work and copies of what is "
        "read. Null: checkpoints/cache/<digits of the address>.",
    )
    results: str = Field(
        "checkpoints/studies",
        min_length=1,
        description="The study's tables and report go to the folder `name` in here.",
    )
    device: str = Field("auto", pattern=DEVICE_PATTERN, description="auto, cpu, cuda or cuda:N.")
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads per process; null for torch's own choice."
    )
    tracking: tuple[TrackerName, ...] = Field(
        (),
        description="Experiment trackers that also log training runs: tensorboard (files in the store's "
        "logs/tensorboard), wandb (Weights & Biases, project named after the study). Each needs the extra of its name.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes of this machine that run independent stages at the same time (engine local). They are "
        "spread over the GPUs; more workers than GPUs share them as far as memory allows.",
    )
    engine: EngineSection = Field(EngineSection(), description="Where stages run, and with which resources.")
