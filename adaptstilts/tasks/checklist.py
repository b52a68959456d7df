"""Minimum functionality tests of question answering in the manner of MultiCheckList (Ruder et al. 2021).

The files are made by ``adaptstilts data checklist`` from templates of this project: their scores do not compare with
MultiCheckList's. The target is like XQuAD: trained on SQuAD 1.1, answered zero-shot; in no average of XTREME or
XTREME-R.
"""

from __future__ import annotations

from adaptstilts.errors import EvaluationError
from adaptstilts.tasks.spec import Kind, Layout, Metric, Phase, Size, Split, Task

CHECKLIST_TESTS = ("comparison", "intensifier", "property")
"""The tests: who is taller; who is more tired (very, a little); which size, colour and material a thing has."""

CHECKLIST_HINT = "Make the files with: adaptstilts data checklist --to ROOT (in Python: write_checklist(root))."
_FOLDER = "multichecklist"


def file_of_test(test: str, language: str) -> str:
    """Return the path of a test's file in one language, relative to a data root."""
    return f"{_FOLDER}/{test}-{language}.json"


def case_name(test: str, language: str, number: int) -> str:
    """Return the name of a case; its questions have this name, a hyphen and a number as ids."""
    return f"{test}-{language}-{number:04d}"


def case_of(question: str) -> tuple[str, str]:
    """Return the test and the case of a question, by its id.

    Raises:
        EvaluationError: If the id does not begin with a test.
    """
    test, _, rest = question.partition("-")
    if test not in CHECKLIST_TESTS or not rest:
        raise EvaluationError(
            f"'{question}' is not the id of a checklist question",
            allowed=[f"{name}-..." for name in CHECKLIST_TESTS],
            hint=CHECKLIST_HINT,
        )
    return test, question.rpartition("-")[0]


MULTICHECKLIST = Task(
    name="multichecklist",
    title="MultiCheckList-style tests",
    phase=Phase.TARGET,
    kind=Kind.EXTRACT,
    metric=Metric.CHECKLIST,
    languages=("en", "de", "es", "fr", "hi", "id", "ru", "sw", "tr", "zh"),
    size=Size(60),
    train_task="squad1",
    layouts={Split.TEST: Layout("squad_files", (tuple(file_of_test(test, "{language}") for test in CHECKLIST_TESTS),))},
    rows=87_599,
    citation="after Ruder et al. 2021 and Ribeiro et al. 2020; templates of this project",
    licence="Apache-2.0",
)

TASKS = (MULTICHECKLIST,)
"""Targets of this project's own, in no benchmark."""
