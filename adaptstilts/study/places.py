"""Where the relative paths of a study lead: from the folder in which it was loaded, whichever is the working folder."""

from __future__ import annotations

from pathlib import Path

from adaptstilts.config.schema import StudyConfig
from adaptstilts.files import expanded
from adaptstilts.models.backbone import MINI_BACKBONE
from adaptstilts.store.remote import is_address
from adaptstilts.store.shared import default_cache
from adaptstilts.study.plan.data_facts import MINI_ROOT, OFFICIAL_ROOT


def working_folder() -> Path | None:
    """Return the working folder; None if it has been removed."""
    try:
        return Path.cwd()
    except OSError:
        return None


def absolute_places(config: StudyConfig, base: Path | None) -> StudyConfig:
    """Return a configuration whose folders are absolute: those of store, results, data and backbone.

    Addresses, hub ids and the names of what comes with the package stay as they are.

    Args:
        config: The configuration as it is written.
        base: Folder from which its relative paths lead.
    """

    def absolute(name: str) -> str:
        return name if base is None or "://" in name else str(base / expanded(name))

    def backbone(name: str) -> str:
        placed = absolute(name)
        return placed if name != MINI_BACKBONE and Path(placed).is_dir() else name

    root, cache = config.data.root, config.store_cache
    if config.engine.name == "local":  # elsewhere, workers have caches of their own
        cache = str(default_cache(config.store)) if cache is None and is_address(config.store) else cache
        cache = None if cache is None else absolute(cache)
    update = {
        "store": absolute(config.store),
        "store_cache": cache,
        "results": absolute(config.results),
        "backbone": backbone(config.backbone),
        "data": config.data.model_copy(update={"root": root if root in {MINI_ROOT, OFFICIAL_ROOT} else absolute(root)}),
    }
    return config.model_copy(update=update)
