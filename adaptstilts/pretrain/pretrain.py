"""Pretraining of small XLM-R backbones, from text and vocabulary to the finished folder."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adaptstilts.config.pretrain import PretrainSection
from adaptstilts.formatting import number_text
from adaptstilts.pretrain.corpora import Corpus, gather, sample
from adaptstilts.pretrain.files import (
    PretrainReport,
    find_finished,
    finish,
    open_log,
    open_states,
    restore_state,
    save_state,
)
from adaptstilts.pretrain.run import PretrainingRun, build_run, held_out_losses, take_step
from adaptstilts.pretrain.tokenizer import train_tokenizer
from adaptstilts.pretrain.xlmr import open_tokenizer
from adaptstilts.runtime import set_threads

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def pretrain(settings: PretrainSection, output: Path, log: Callable[[str], None]) -> PretrainReport:
    """Train a backbone from scratch, or resume where an earlier call stopped.

    States are kept in ``{output}.part``; equal settings and threads give equal weights, in however many parts.

    Raises:
        ConfigError: If settings do not fit together, or ``output`` or its parts belong to another run.
        DataError: If text cannot be read.
        TrainingError: If the loss is not finite.
        StoreError: If a saved state is damaged.
    """
    done = find_finished(settings, output)
    if done is not None:
        log(f"{output} is finished already; choose another output folder to train again")
        return done
    set_threads(settings.threads)
    part = output.with_name(f"{output.name}.part")
    open_states(settings, part)
    started = time.perf_counter()
    training, held_out = gather(settings.data, switched=settings.objective.switched > 0).split(settings.data.held_out)
    tokenizer = _tokenizer(settings, training, part)
    run = build_run(settings, training, tokenizer)
    restore_state(run, part)
    log(_describe(run, training, len(tokenizer), time.perf_counter() - started))
    losses = _train(run, part, log)
    report = PretrainReport(
        folder=output,
        steps=run.step,
        planned_steps=settings.optimisation.steps,
        parameters=sum(weights.numel() for weights in run.model.parameters()),
        pieces=len(tokenizer),
        tokens=run.tokens,
        seconds=round(run.seconds, 1),
        losses=losses,
        held_out=held_out_losses(run, held_out, tokenizer) if run.step == settings.optimisation.steps else {},
    )
    if not report.is_finished:
        log(f"part ended at step {run.step} of {report.planned_steps}; run again to resume")
        return report
    finish(run, training, report, part, output)
    log(f"finished: {output}")
    return report


def _tokenizer(settings: PretrainSection, corpus: Corpus, part: Path) -> PreTrainedTokenizerFast:
    """Train the tokenizer, or open the one of an earlier part."""
    folder = part / "tokenizer"
    if (folder / "tokenizer.json").is_file():
        return open_tokenizer(folder)
    vocabulary = settings.vocabulary
    least = vocabulary.whole_words
    words = {} if least is None else {word: count for word, count in corpus.words.items() if count >= least}
    return train_tokenizer(
        sample(corpus, vocabulary.sample_lines, settings.seed),
        vocabulary,
        folder,
        whole_words=words,
        unspaced_words=corpus.unspaced,
        max_length=settings.architecture.positions - 2,
    )


def _describe(run: PretrainingRun, corpus: Corpus, pieces: int, seconds: float) -> str:
    lines = sum(len(lines) for lines in corpus.lines.values())
    size = sum(weights.numel() for weights in run.model.parameters())
    return (
        f"{number_text(lines, 'line')} in {number_text(len(corpus.languages), 'language')}, {pieces:,} pieces, "
        f"{size / 1e6:.2f} M weights, prepared in {seconds:.0f} s; "
        f"step {run.step} of {run.settings.optimisation.steps} on {run.device}"
    )


def _train(run: PretrainingRun, part: Path, log: Callable[[str], None]) -> dict[str, float]:
    """Train until the steps or the minutes are used up; return the losses of the last log entry."""
    optimisation = run.settings.optimisation
    limit = math.inf if run.settings.max_minutes is None else run.settings.max_minutes * 60
    before, first = run.seconds, run.step
    started = time.perf_counter()
    recent: dict[str, list[float]] = {}
    losses: dict[str, float] = {}
    run.model.train()
    with open_log(part, run.step) as write:
        while run.step < optimisation.steps:
            for name, value in take_step(run).items():
                recent.setdefault(name, []).append(value)
            run.seconds = before + time.perf_counter() - started
            if run.step % optimisation.log_every == 0 or run.step == optimisation.steps:
                losses = {name: round(sum(values) / len(values), 4) for name, values in sorted(recent.items())}
                recent.clear()
                write({"step": run.step, "tokens": run.tokens, "seconds": round(run.seconds, 1), **losses})
                log(_progress(run, losses, run.step - first, run.seconds - before))
            over = run.seconds - before >= limit
            if over or run.step % optimisation.save_every == 0:
                save_state(run, part)
            if over:
                break
    return losses


def _progress(run: PretrainingRun, losses: dict[str, float], fresh: int, seconds: float) -> str:
    """Return a line with step, losses, speed and the time that is left."""
    steps = run.settings.optimisation.steps
    left = seconds / max(1, fresh) * (steps - run.step)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
    speed = run.tokens / max(run.seconds, 1e-9)
    return f"step {run.step} of {steps}: {shown}; {speed:,.0f} sub-tokens/s, {left / 60:.1f} min left"
