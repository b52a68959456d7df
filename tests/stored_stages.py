"""Two stages, one made from the other, with which tests fill stores, and disks that fail."""

from __future__ import annotations

import errno
import os

from adaptstilts.store.stage import make_stage
from adaptstilts.study.plan.jobs import DataJob, ScoreJob

WORLD = make_stage("generate the world", "world", DataJob(1, 1, 10, 10, 10))
SCORE = make_stage("score nli", "nli", ScoreJob("nli", (), WORLD.key, None), (WORLD.key,))


def refuse(monkeypatch, name, part, number=errno.EIO):
    """Make a function of the system fail for every path that ends with this part, as a broken disk does."""
    ask = getattr(os, name)

    def asked(path, *more, **options):
        if str(path).endswith(part):
            raise OSError(number, os.strerror(number), str(path))
        return ask(path, *more, **options)

    monkeypatch.setattr(f"os.{name}", asked)
