"""Summary of a study in words; every statement is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from adaptstilts.formatting import markdown_text, signed_text
from adaptstilts.results.rows import TaskScore, mean
from adaptstilts.results.tables import source_label
from adaptstilts.results.transfer import Gain, intermediate_gains

NEGLIGIBLE = 1.0
"""Points below which a difference is called no change: a convention for the text, not a significance test."""


def summarise(scores: Sequence[TaskScore]) -> str:
    """Return a paragraph of Markdown on each target: whether intermediate training helped, how much, and where it hurt.

    Full models are compared with ``direct``, adapters and fusions with ``adapter``: the text describes the effect
    of the intermediate task and not that of training fewer parameters. It ends with the number of seeds.
    """
    gains = intermediate_gains(scores)
    if not gains:
        return "No setting with an intermediate task has been scored together with its reference."
    references = ", and ".join(
        f"{_listed(methods)} with `{reference}`"
        for reference in dict.fromkeys(gain.reference for gain in gains)
        if (methods := [f"`{m}`" for m in dict.fromkeys(gain.method for gain in gains if gain.reference == reference)])
    )
    targets = dict.fromkeys(gain.target for gain in gains)
    sentences = [_about_target([gain for gain in gains if gain.target == target]) for target in targets]
    seeds = sorted({score.seed for score in scores})
    certainty = (
        "All figures rest on one seed, so differences of a few points may be chance."
        if len(seeds) == 1
        else f"All figures are means over {_seeds_text(scores, len(seeds))}."
    )
    lead = f"Effect of the intermediate task on the mean over languages, comparing {references}; "
    rule = f"less than {NEGLIGIBLE:g} point either way counts as no change. "
    return lead + rule + " ".join(sentences) + f" {certainty}"


def _seeds_text(scores: Sequence[TaskScore], every: int) -> str:
    """Return the number of seeds; the most, where a setting lacks some."""
    seeds = Counter((score.method, score.source, score.target) for score in scores)
    return f"{'' if min(seeds.values()) == every else 'up to '}{every} seeds"


def _about_target(gains: Sequence[Gain]) -> str:
    """Return the sentence on one target."""
    settings = len(gains)
    helped = [gain for gain in gains if gain.difference >= NEGLIGIBLE]
    hurt = [gain for gain in gains if gain.difference <= -NEGLIGIBLE]
    best = max(gains, key=lambda gain: gain.difference)
    worst = min(gains, key=lambda gain: gain.difference)
    average = f"on average {signed_text(mean([gain.difference for gain in gains]))}"
    name = f"**{markdown_text(gains[0].target)}**"
    if settings == 1:
        verdict = "helped" if helped else "hurt" if hurt else "no change"
        return f"{name}: {verdict} with {_setting(best)}."
    if not helped and not hurt:
        return f"{name}: no change in {settings} settings ({average})."
    parts = []
    if helped:
        parts.append(f"helped in {len(helped)} of {settings} settings, {_most(helped)} {_setting(best)}")
    else:
        parts.append(f"helped in none of {settings} settings")
    if hurt:
        parts.append(f"hurt in {len(hurt)}, {_most(hurt)} {_setting(worst)}")
    return f"{name}: {'; '.join(parts)} ({average})."


def _setting(gain: Gain) -> str:
    return f"`{gain.method}` from {markdown_text(source_label(gain.source))} ({signed_text(gain.difference)})"


def _most(gains: Sequence[Gain]) -> str:
    return "with" if len(gains) == 1 else "most with"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
