"""How the tokenizers of a study's backbones read the languages of its data. Free of torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from adaptstilts.data.contamination.overlap import rows_of, texts
from adaptstilts.data.tokenizer_check import MOST_ROWS, Reading, read_language, sampled
from adaptstilts.data.tokenizer_findings import TokenizerCheck, judged
from adaptstilts.errors import CheckpointError
from adaptstilts.languages import SOURCE_LANGUAGE
from adaptstilts.models.backbone import locate_backbone
from adaptstilts.models.tokenizer_core import TokenizerCore, load_core
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.study.plan.data_facts import MINI_ROOT, OFFICIAL_ROOT
from adaptstilts.study.plan.jobs import OverlapCheck
from adaptstilts.study.plan.variants import by_data
from adaptstilts.study.stages.contamination import data_roots
from adaptstilts.study.study import Study
from adaptstilts.tasks.registry import get_task
from adaptstilts.tasks.spec import Split, Task

Texts = dict[str, dict[str, list[str]]]
"""Language -> task -> texts."""
_NO_TEXTS = {
    MINI_ROOT: "the mini data is not generated yet; validate again once `run` has generated it",
    OFFICIAL_ROOT: "there is no data yet; validate again with data.root=FOLDER",
}
"""Why there are no texts, by data root."""


def check_tokenizers(study: Study) -> tuple[TokenizerCheck, ...]:
    """Measure how the tokenizer of each backbone reads each language, on a sample of the rows that are there.

    Returns:
        One check per backbone and data set-up of the study; without readings where the data is not there yet.

    Raises:
        AdaptstiltsError: If the study cannot be planned, or a file is malformed.
    """
    plan, found = study.plan, []
    roots = data_roots(study.config.data, plan, study.store)
    for group, compared, root in zip(by_data(study.variants), plan.report.compared, roots, strict=True):
        by_language = {} if root is None else sample_texts(compared, root)
        for name, revision in dict.fromkeys((item.config.backbone, item.config.revision) for item in group):
            found.append(_check(name, revision, by_language))
    return tuple(found)


def unmeasured(study: Study, checks: Sequence[TokenizerCheck]) -> tuple[str, ...]:
    """Return a line about each tokenizer that was not measured because there are no texts yet."""
    names = dict.fromkeys(check.backbone for check in checks if not check.readings and not check.problem)
    reason = _NO_TEXTS.get(study.config.data.root, "none of them has a text")
    return tuple(f"how the tokenizer of {name} reads the languages: {reason}" for name in names)


def _check(name: str, revision: str | None, by_language: Texts) -> TokenizerCheck:
    if not by_language:
        return judged(name, ())
    try:
        core = load_core(locate_backbone(name), revision)
    except CheckpointError as error:
        hint, error.hint = error.hint or "", None
        return TokenizerCheck(name, (), (), str(error).removesuffix("."), hint)
    return judged(name, tuple(readings(core, by_language)))


def readings(core: TokenizerCore, by_language: Texts) -> Iterator[Reading]:
    """Measure how a tokenizer reads each language."""
    for language, by_task in sorted(by_language.items()):
        together = [text for part in by_task.values() for text in part]
        yield read_language(core.backend, core.unknown_id, language, together, by_task)


def sample_texts(compared: OverlapCheck, root: DataRoot) -> Texts:
    """Draw texts of every task and language that are compared; see `adaptstilts.data.tokenizer_check.sampled`."""
    found: Texts = defaultdict(dict)
    for name, pairs in compared.scored:
        for language, split in pairs:
            _add(found, root, get_task(name), split, language)
    for name in compared.trained:
        # The dev set is the smaller one.
        for split in (Split.DEV, Split.TRAIN):
            if name not in found.get(SOURCE_LANGUAGE, {}):
                _add(found, root, get_task(name), split, SOURCE_LANGUAGE)
    return found


def _add(found: Texts, root: DataRoot, task: Task, split: Split, language: str) -> None:
    if not root.has_files(task, split, language):
        return
    rows = rows_of(root.load(task, split, language, MOST_ROWS))
    drawn = sampled([text for row in rows for text in texts(row) if text.strip()], f"{task.name} {language}")
    if drawn:
        found[language][task.name] = drawn
