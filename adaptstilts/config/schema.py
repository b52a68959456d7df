"""The sections of a study's configuration: the only home of defaults, units and ranges.

Each field carries its meaning, unit and source. A field of `TrainSection` left at null takes the value of the recipe of
its task (`adaptstilts.config.recipes`).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
DEVICE_PATTERN = r"^(auto|cpu|cuda(:\d+)?)$"

MethodName = Literal["direct", "full", "adapter", "stack", "continue", "fuse"]
"""The six ways of using (or not using) an intermediate task; `adaptstilts.train.setup` says what each one trains."""

Family = Literal["full", "adapter", "fusion"]
"""What is trained: the whole model, a bottleneck adapter, or an AdapterFusion layer (each with its head)."""

Pooling = Literal["mean", "mean_no_specials", "cls"]
"""How token vectors become a sentence vector: mean of all real sub-tokens, of all but `<s>` and `</s>`, or `<s>`."""

Similarity = Literal["cosine", "dot", "l2"]
"""How two sentence vectors are compared; l2 is 1 / (1 + d), d the squared Euclidean distance (XTREME)."""

Margin = Literal["ratio", "distance", "none"]
"""What becomes of a similarity: divided by that of the neighbourhoods, less it, or left as it is."""

Direction = Literal["english_to_foreign", "foreign_to_english"]
"""Which sentences are the queries of a search: English ones (XTREME's Tatoeba), or foreign ones."""

CandidateRule = Literal["max", "forward", "backward", "intersection"]
"""Who proposes the pairs that are mined: both sides, each sentence once; the foreign; the English; both agreeing."""

DuplicateRule = Literal["xtreme", "jiant"]
"""What becomes of a text that occurs more than once on its side: no pair is given, or all pairs of its ids."""

PresetName = Literal["xtreme-paper", "xtreme-head", "jiant"]
"""Named settings of retrieval; `adaptstilts.config.retrieval` says what they are and why."""

TrackerName = Literal["tensorboard", "wandb"]
"""Where training runs can be followed; `adaptstilts.train.trackers` says what they are told."""


class Section(BaseModel):
    """Base of all sections: immutable, and closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataSection(Section):
    """Where examples come from and how many are used."""

    root: str = Field(
        "mini",
        description="`mini` for the embedded world; a folder with data sets in their published layouts; or `official` "
        "to plan from what the benchmarks publish before any file is there.",
    )
    quoting: Literal["clean", "xtreme"] = Field(
        "clean",
        description="How the doubled quotation marks of XNLI's and PAWS-X's files are read: clean undoes them; xtreme "
        "leaves them in the text, as XTREME's scripts do.",
    )
    leaks: Literal["stop", "report"] = Field(
        "stop",
        description="What follows when an English training set holds other languages: stop ends before training; "
        "report trains on it and says so in the report. Texts that training and evaluation sets share are reported.",
    )
    max_train: int | None = Field(None, ge=1, description="Most training examples per task; null for all of them.")
    max_evaluation: int | None = Field(
        None, ge=1, description="Most evaluation examples per task and language; null for all, as benchmarks require."
    )
    mini_seed: int = Field(1, ge=0, description="Seed of the generated mini world.")
    mini_train: int = Field(2000, ge=32, description="Training examples per task of the mini world.")
    mini_evaluation: int = Field(200, ge=8, description="Evaluation examples per task and language of the mini world.")
    mini_low_resource: int = Field(150, ge=8, description="Training examples of the mini world's TyDiQA.")


class TrainSection(Section):
    """How one family of weights is trained; null means: as the task's recipe says."""

    learning_rate: float | None = Field(None, gt=0, lt=1, description="Peak learning rate of AdamW.")
    epochs: int | None = Field(None, ge=1, description="Passes over the training set.")
    max_steps: int | None = Field(None, ge=1, description="Most optimiser steps; ends training before `epochs` do.")
    batch_size: int | None = Field(None, ge=1, description="Examples per optimiser step.")
    max_length: int | None = Field(None, ge=16, le=8192, description="Most sub-tokens per input.")
    doc_stride: int = Field(128, ge=8, description="Sub-tokens by which windows over a long context move (SQuAD).")
    max_query_length: int | None = Field(
        None, ge=8, description="Most sub-tokens of a question (SQuAD: 64) or a query (LAReQA: 96, Mewsli-X: 64)."
    )
    accumulation: int = Field(1, ge=1, description="Micro-batches per optimiser step; `batch_size` is their sum.")
    warmup: float | None = Field(None, ge=0, le=1, description="Share of the steps in which the learning rate rises.")
    weight_decay: float | None = Field(None, ge=0, description="AdamW weight decay, not on biases and LayerNorm.")
    adam_epsilon: float = Field(1e-8, gt=0, description="AdamW epsilon (jiant's default).")
    clip_norm: float = Field(1.0, gt=0, description="Largest norm of the accumulated gradient (jiant's default).")
    evaluate_every: int | None = Field(
        None, ge=1, description="Optimiser steps between two scores on the English dev set; null: once per epoch."
    )
    evaluate_examples: int | None = Field(
        500, ge=1, description="Dev examples used to pick the best checkpoint; 500 in jiant; null for all."
    )
    patience: int | None = Field(None, ge=1, description="Dev scores without a gain after which training stops.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="Arithmetic of forward passes; auto is bf16 on a GPU that has it, else fp32."
    )
    gradient_checkpointing: bool = Field(False, description="Recompute activations in the backward pass: less memory.")


class TrainOverride(Section):
    """Settings for one task, over those of its phase."""

    learning_rate: float | None = Field(None, gt=0, lt=1, description="See `TrainSection`.")
    epochs: int | None = Field(None, ge=1, description="See `TrainSection`.")
    max_steps: int | None = Field(None, ge=1, description="See `TrainSection`.")
    batch_size: int | None = Field(None, ge=1, description="See `TrainSection`.")
    max_length: int | None = Field(None, ge=16, le=8192, description="See `TrainSection`.")
    accumulation: int | None = Field(None, ge=1, description="See `TrainSection`.")
    evaluate_every: int | None = Field(None, ge=1, description="See `TrainSection`.")
    patience: int | None = Field(None, ge=1, description="See `TrainSection`.")


class PhaseSection(Section):
    """One phase: which tasks, and how their weights are trained."""

    tasks: tuple[str, ...] = Field((), description="Task names; `adaptstilts tasks` lists them.")
    full: TrainSection = Field(TrainSection(), description="Training of full models.")
    adapter: TrainSection = Field(TrainSection(), description="Training of adapters.")
    fusion: TrainSection = Field(TrainSection(), description="Training of AdapterFusion layers (target phase).")
    overrides: dict[str, TrainOverride] = Field(
        default_factory=dict, description="Settings by task name that differ from those of the phase, for all families."
    )


class AdapterSection(Section):
    """Shape of the bottleneck adapters."""

    kind: Literal["seq_bn", "double_seq_bn", "par_bn"] = Field(
        "seq_bn",
        description="seq_bn: one after the feed-forward block (Pfeiffer et al. 2021); double_seq_bn: also after "
        "attention (Houlsby et al. 2019); par_bn: beside the feed-forward block (He et al. 2022).",
    )
    reduction_factor: float = Field(16, ge=1, le=1024, description="Model width divided by bottleneck width.")
    activation: Literal["relu", "gelu", "swish", "tanh"] = Field("relu", description="Non-linearity of the bottleneck.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout inside the adapter.")


class FusionSection(Section):
    """AdapterFusion (Pfeiffer et al. 2021)."""

    kind: Literal["dynamic", "static"] = Field(
        "dynamic", description="dynamic: query, key and value; static: no value matrix, two thirds of the weights."
    )
    regularisation: float = Field(
        0.01, ge=0, description="Weight of the squared distance of the value matrix from identity (AdapterFusion)."
    )
    tasks: tuple[str, ...] = Field((), description="Intermediate adapters to fuse; empty for all of the study.")
    retrieval: str = Field(
        "average",
        description="What stands in for a trained fusion on targets without training data: `average` (equal weights) "
        "or the intermediate task on whose training set a fusion is trained.",
    )


class RetrievalOverride(Section):
    """Sentence vectors and their comparison; null means: as the preset says for the task."""

    layer: int | Literal["dev"] | None = Field(
        None,
        description="Hidden layer that is pooled, from 0 for the embeddings; dev: the layer with the best mean score "
        "on the task's dev split, one for all languages.",
    )
    pooling: Pooling | None = Field(None, description="How token vectors become a sentence vector.")
    similarity: Similarity | None = Field(None, description="How two sentence vectors are compared.")
    margin: Margin | None = Field(None, description="What becomes of a similarity.")
    neighbours: int | None = Field(None, ge=1, description="Neighbours that a margin looks at on each side.")
    direction: Direction | None = Field(None, description="Which side's sentences are the queries (Tatoeba).")
    candidates: CandidateRule | None = Field(None, description="Which side proposes pairs (BUCC2018).")
    duplicates: DuplicateRule | None = Field(None, description="What becomes of repeated texts (BUCC2018).")
    max_length: int | None = Field(None, ge=16, description="Most sub-tokens per sentence.")

    @field_validator("layer", mode="before")
    @classmethod
    def _check_layer(cls, value: object) -> object:
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is None or value == "dev" or is_number:
            return value
        raise PydanticCustomError("layer", "not a layer. Allowed: a whole number from 0 for the embeddings, or dev")


class RetrievalSection(RetrievalOverride):
    """Retrieval: a preset, settings for all retrieval tasks that stand over it, and for single tasks over both."""

    preset: PresetName = Field(
        "xtreme-paper",
        description="Where nothing else is said: xtreme-paper, as the published numbers were made as far as is known; "
        "xtreme-head, as XTREME's last scripts do it; jiant, as X-STILTs' own code does it.",
    )
    sweep: bool = Field(False, description="Also score every hidden layer, at one forward pass per sentence.")
    overrides: dict[str, RetrievalOverride] = Field(
        default_factory=dict, description="Settings by task name, over those for all retrieval tasks."
    )


class EvaluationSection(Section):
    """Zero-shot evaluation."""

    benchmark: Literal["xtreme", "xtreme_r"] = Field(
        "xtreme",
        description="Whose languages are the official ones: XTREME's (40) or XTREME-R's (50). Targets of the other may "
        "be named too; the report says that they count in none of its averages.",
    )
    languages: Literal["official", "present"] | tuple[str, ...] = Field(
        "official",
        description="official: those of `benchmark` that the data root has; present: every known language it has; "
        "or a list.",
    )
    submission: bool = Field(
        False,
        description="Also predict the split that XTREME's leaderboard wants where its labels are hidden, so that "
        "`adaptstilts submit` can write every file; it is not scored.",
    )
    batch_tokens: int = Field(8192, ge=128, description="Sub-tokens per evaluation batch, padding included.")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="Arithmetic of evaluation; auto is bf16 on a GPU that has it, else fp32."
    )


class SlurmSection(Section):
    """How stages become SLURM jobs, through submitit; every field but `cluster` is what ``sbatch`` calls it."""

    cluster: Literal["slurm", "local", "debug"] = Field(
        "slurm", description="slurm; local runs the same jobs as processes of this machine; debug in this process."
    )
    partition: str | None = Field(None, description="Partition; null for the cluster's own choice.")
    account: str | None = Field(None, description="Account to charge.")
    qos: str | None = Field(None, description="Quality of service.")
    constraint: str | None = Field(None, description="Features that a node must have.")
    timeout_minutes: int = Field(240, ge=1, description="Most minutes of one job; a job that needs more is requeued.")
    signal_seconds: int = Field(90, ge=10, description="Seconds before the end at which a job is told to save.")
    most_jobs: int = Field(64, ge=1, description="Most jobs of one array that run at a time.")
    setup: tuple[str, ...] = Field((), description="Shell lines before each job, such as `module load cuda`.")


class EngineSection(Section):
    """What carries stages out; nothing of it is in a key."""

    name: Literal["local", "ray", "slurm"] = Field(
        "local", description="local: processes of this machine; ray: wherever Ray runs; slurm: jobs through submitit."
    )
    retries: int = Field(2, ge=0, le=100, description="Times a stage is tried again after its worker was lost.")
    gpus_per_stage: float | Literal["auto"] = Field(
        "auto",
        description="GPUs of one stage that computes; a fraction packs several on one GPU. auto: by the estimated "
        "memory of the stage and that of the GPU.",
    )
    cpus_per_stage: int | None = Field(None, ge=1, description="CPU cores of one stage; null: `threads`, or 1.")
    memory_gb: float | None = Field(
        None, gt=0, description="Main memory of one stage in GB; null: not limited (ray), the cluster's choice (slurm)."
    )
    address: str | None = Field(
        None, description="Ray cluster to join, such as `auto` or ray://head:10001; null starts one on this machine."
    )
    slurm: SlurmSection = Field(SlurmSection(), description="SLURM jobs.")

    @field_validator("gpus_per_stage", mode="before")
    @classmethod
    def _check_gpus(cls, value: object) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value == "auto" or (
            is_number and float(str(value)) > 0 and (float(str(value)) <= 1 or float(str(value)) % 1 == 0)
        ):
            return value
        raise PydanticCustomError("gpus", "not a number of GPUs. Allowed: auto, a share up to 1, or a whole number")


class ResumeSection(Section):
    """Checkpoints within a training stage, to go on from after an interruption; they decide nothing of its result."""

    every_steps: int | None = Field(None, ge=1, description="Optimiser steps between two checkpoints; null: by time.")
    every_minutes: float | None = Field(
        10, gt=0, description="Minutes between two checkpoints; null: by steps. Whichever comes first."
    )
    keep: int = Field(2, ge=1, le=100, description="Checkpoints kept; an older one stands in for a damaged one.")


class ParallelSection(Section):
    """Several processes, each with a GPU of its own, that carry out one training stage together."""

    processes: int = Field(
        1, ge=1, le=64, description="Processes per training stage; process n computes on GPU n, or on the CPU."
    )
    backbone: Literal["replicated", "sharded"] = Field(
        "replicated",
        description="Where the frozen backbone lies: whole in every process, or a part in each, which takes less "
        "memory and more communication; what trains is whole in every process.",
    )


class StudyConfig(Section):
    """A whole study: backbone, tasks of both phases, methods, and how to train and evaluate."""

    name: str = Field(..., pattern=NAME_PATTERN, description="Name of the study's result folder.")
    title: str = Field("", description="One line for people.")
    backbone: str = Field(
        "mini",
        description="`mini` for the embedded miniature, a folder of any Hugging Face XLM-R checkpoint, or a hub id.",
    )
    revision: str | None = Field(None, description="Revision of a hub backbone.")
    methods: tuple[MethodName, ...] = Field(
        ("direct", "full", "adapter", "stack", "continue", "fuse"),
        min_length=1,
        description="Which methods to compare.",
    )
    seeds: tuple[int, ...] = Field((1,), min_length=1, description="Every method is trained once per seed.")
    data: DataSection = Field(DataSection(), description="Data.")
    intermediate: PhaseSection = Field(PhaseSection(), description="The intermediate phase.")
    target: PhaseSection = Field(PhaseSection(), description="The target phase.")
    adapter: AdapterSection = Field(AdapterSection(), description="Adapters.")
    fusion: FusionSection = Field(FusionSection(), description="Fusion.")
    retrieval: RetrievalSection = Field(RetrievalSection(), description="Retrieval.")
    evaluation: EvaluationSection = Field(EvaluationSection(), description="Evaluation.")
    sweep: tuple[dict[str, Any], ...] = Field(
        (),
        description="Variants of the study: values by dotted key. In a file: `key: [value, value]` lines, every "
        "combination a variant, or a list of mappings whose keys change together. A list where a single value belongs "
        "does the same.",
    )
    resume: ResumeSection = Field(ResumeSection(), description="Checkpoints within a training stage.")
    parallel: ParallelSection = Field(ParallelSection(), description="Several processes for one training stage.")
    store: str = Field(
        "checkpoints",
        description="Folder of the artefact store, or its address in any file system that fsspec knows, such as "
        "s3://bucket/folder.",
    )
    store_cache: str | None = Field(
        None,
        description="Local folder for a store that is an address: what is being made, and copies of what is used; "
        "null for checkpoints/cache/<digits of the address>.",
    )
    results: str = Field("checkpoints/studies", description="Folder below which the study's results are written.")
    device: str = Field("auto", pattern=DEVICE_PATTERN, description="auto, cpu, cuda or cuda:N.")
    threads: int | None = Field(
        None, ge=1, le=1024, description="CPU threads per process; null for torch's own choice."
    )
    tracking: tuple[TrackerName, ...] = Field(
        (),
        description="Where training runs are also followed: tensorboard (files below the store's logs/tensorboard), "
        "wandb (Weights & Biases, project named after the study); each is an extra of the package.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes of this machine that carry out independent stages side by side (engine local). On GPUs "
        "they take turns over the GPUs there are; more workers than GPUs share them as far as memory allows.",
    )
    engine: EngineSection = Field(EngineSection(), description="What carries stages out.")
