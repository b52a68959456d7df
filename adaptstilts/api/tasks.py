"""Tasks of one's own, registered so that studies can name them."""

from __future__ import annotations

from adaptstilts.tasks.outside import register_from_file as register_tasks_from
from adaptstilts.tasks.registry import register as register_task

__all__ = ["register_task", "register_tasks_from"]
