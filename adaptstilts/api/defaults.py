"""Defaults of arguments that the help of a command shows."""

from __future__ import annotations

from adaptstilts.data.checklist import DEFAULT_CASES, DEFAULT_SEED

__all__ = ["DEFAULT_CASES", "DEFAULT_SEED"]
