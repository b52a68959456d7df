"""Optimiser and learning-rate schedule."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from adaptstilts.config.recipes import TrainSettings


def build_optimizer(network: nn.Module, settings: TrainSettings) -> AdamW:
    """Return AdamW over the parameters that require gradients, in the order of their names.

    Biases and LayerNorm weights are not decayed (as in jiant and BERT), nor are the value matrices of a fusion: its
    regularisation pulls them to identity, decay would pull them to zero (the trainer of the `adapters` library means to
    exempt them too).
    """
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for name, parameter in sorted(network.named_parameters()):
        if parameter.requires_grad:
            (plain if _is_plain(name) else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=settings.learning_rate, eps=settings.adam_epsilon)


def _is_plain(name: str) -> bool:
    is_fusion_value = ".adapter_fusion_layer." in name and name.endswith(".value.weight")
    return name.endswith(".bias") or "LayerNorm" in name or is_fusion_value


def build_schedule(optimizer: AdamW, settings: TrainSettings, total_steps: int) -> LambdaLR:
    """Return linear warm-up from 0 followed by linear decay to 0; step it once per optimiser step."""
    return LambdaLR(optimizer, lambda step: _factor(step, settings, total_steps))


def learning_rate(step: int, settings: TrainSettings, total_steps: int) -> float:
    """Return the learning rate that the schedule of `build_schedule` gives a step, counted from 1."""
    return settings.learning_rate * _factor(step - 1, settings, total_steps)


def _factor(done: int, settings: TrainSettings, total_steps: int) -> float:
    warmup = round(total_steps * settings.warmup)
    if done < warmup:
        return (done + 1) / (warmup + 1)
    return max(0.0, (total_steps - done) / max(1, total_steps - warmup))
