"""Two stages, one made from the other, with which tests fill stores."""

from __future__ import annotations

from adaptstilts.store.stage import make_stage
from adaptstilts.study.plan.jobs import DataJob, ScoreJob

WORLD = make_stage("generate the world", "world", DataJob(1, 1, 10, 10, 10))
SCORE = make_stage("score nli", "nli", ScoreJob("nli", (), WORLD.key, None), (WORLD.key,))
