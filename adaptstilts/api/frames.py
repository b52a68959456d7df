"""Tables of a study as pandas frames."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from adaptstilts.errors import StoreError
from adaptstilts.results.rows import ResultRow
from adaptstilts.store.stage import StageKind
from adaptstilts.study.stages.collect import result_rows
from adaptstilts.study.study import RUN_HINT, Study

if TYPE_CHECKING:
    import pandas as pd


def results_frame(study: Study) -> pd.DataFrame:
    """Return the finished scores of a study; see `adaptstilts.api.study.Study.results`.

    Raises:
        StoreError: If there is none.
    """
    import pandas as pd  # noqa: PLC0415

    with study.settings_named():
        stages = [stage for stage in study.plan.stages if stage.kind is StageKind.SCORE]
        rows = result_rows(study.plan.tables, study.store.find_all(stages))
        if not rows:
            raise StoreError("no finished score", path=study.config.store, hint=RUN_HINT)
    return pd.DataFrame([asdict(row) for row in rows], columns=[item.name for item in fields(ResultRow)])
