"""The plan of a study: its stages, their prices, and why a stage would run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from adaptstilts.api.shown import Shown, preformatted
from adaptstilts.arguments import choice_of, text_of
from adaptstilts.errors import DamagedError
from adaptstilts.study.pricing.outline import outline
from adaptstilts.study.pricing.outline_text import View, outline_text
from adaptstilts.study.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class StudyPlan(Shown):
    """The stages of a study, what they cost on a device, and what sharing saves.

    Attributes:
        study: The study.
    """

    study: Study = field(kw_only=True)

    @property
    def stages(self) -> pd.DataFrame:
        """One row per stage: name, kind, key, whether it is done, and how many stages use it."""
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame(self.record["stages"], columns=["name", "kind", "key", "done", "used_by"])

    def view(self, what: View = "both", *, every_stage: bool = False) -> str:
        """Return the tree, the tables or both as text, after a list of all stages if asked for."""
        return outline_text(self.record, choice_of("what", what, get_args(View)), every_stage=every_stage)

    def why(self, stage: str) -> Shown:
        """Explain why a stage would run: how it differs from the most similar finished one in the store.

        Args:
            stage: Name, folder or key of a stage, or a pattern of names such as ``train stack*``.

        Raises:
            ConfigError: If the study has no such stage.
        """
        return why_stage(self.study, text_of("stage", stage))

    def _repr_html_(self) -> str:
        tree = preformatted(self.view("tree"))
        return f"{preformatted(self.view('table'))}<details><summary>Tree of training runs</summary>{tree}</details>"


def plan_study(study: Study, *, device: str, utilisation: float) -> StudyPlan:
    """Plan a study and estimate what it costs on a device; damaged artefacts are problems of the answer.

    Raises:
        AdaptstiltsError: If the study cannot be planned, the device is unknown, or the utilisation is out of range.
    """
    damaged: list[DamagedError] = []
    record: dict[str, Any] = outline(
        study.plan,
        study.variants,
        study.store,
        device=text_of("device", device),
        utilisation=utilisation,
        on_damage=damaged.append,
    )
    return StudyPlan(record, outline_text(record), problems=tuple(damaged), study=study)


def why_stage(study: Study, stage: str) -> Shown:
    """Explain why a stage of a study would run; see `StudyPlan.why`."""
    from adaptstilts.study.explain import explain, explain_text  # noqa: PLC0415 - planning needs none of it

    found = explain(study.plan, study.store, stage)
    return Shown(found, explain_text(found))
