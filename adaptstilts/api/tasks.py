"""Tasks of one's own, registered so that studies can name them."""

from __future__ import annotations

from adaptstilts.tasks.registry import register as register_task

__all__ = ["register_task"]
