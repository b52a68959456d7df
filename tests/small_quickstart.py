"""The quickstart, cut down to seconds, and what its artefacts contain."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from repository import CONFIGS

QUICKSTART = CONFIGS / "quickstart.yaml"
CUT = (
    "workers=1",
    "methods=[direct, stack]",
    "intermediate.tasks=[mnli, squad1]",
    "target.tasks=[xnli, tydiqa]",
    "data.mini_train=32",
    "data.mini_evaluation=8",
    "data.mini_low_resource=16",
    "evaluation.languages=[en, de, tr]",
    "target.overrides={}",
    *(f"{phase}.{family}.epochs=1" for phase in ("intermediate", "target") for family in ("full", "adapter")),
)
TIMED = {"train": {"training.json"}, "analyse": {"runs.csv"}, "report": {"report.md", "pages.json"}}
"""Files that tell how long training took, by the kind of stage; docs/store.md names them."""


def artefacts(store: Path) -> dict[str, dict[str, str]]:
    """SHA-256 of every file of every artefact by key, as read from the files, without those that hold times."""
    found = {}
    for path in sorted(store.glob("*/*/manifest.json")):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        names = sorted(set(manifest["files"]) - TIMED.get(manifest["kind"], set()))
        found[manifest["key"]] = {name: hashlib.sha256((path.parent / name).read_bytes()).hexdigest() for name in names}
    return found
