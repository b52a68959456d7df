"""Checks of a study's inputs before anything is computed: data files, rows, weights, the hub. Free of torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from adaptstilts.config.retrieval import FITTED
from adaptstilts.config.schema import DataSection, StudyConfig
from adaptstilts.errors import AdaptstiltsError, CheckpointError, ConfigError, raise_all
from adaptstilts.files import expanded
from adaptstilts.models.architecture import architecture_of
from adaptstilts.models.backbone import check_backbone, is_of_package, known_config, read_config
from adaptstilts.models.fingerprints import deciding_files
from adaptstilts.models.hub_models import cached_folder, check_blobs, hub_folder, is_whole, list_files
from adaptstilts.readers.data_root import DataRoot
from adaptstilts.store.stage import Stage
from adaptstilts.store.store import Store
from adaptstilts.study.plan.data_facts import MINI_ROOT, OFFICIAL_ROOT, DataFacts
from adaptstilts.study.plan.jobs import BackboneRef, PredictJob, TrainJob, job_of, jobs_of
from adaptstilts.study.plan.plan import Plan
from adaptstilts.study.plan.retrieval import require_dev
from adaptstilts.tasks.registry import get_task, training_chain
from adaptstilts.tasks.spec import Task
from adaptstilts.train.methods import METHODS

Attempt = Callable[[], object]


def check_files(config: StudyConfig, facts: DataFacts) -> None:
    """Check that the files of every task of a study exist; task names must have been checked before.

    Raises:
        AdaptstiltsError: If some are missing; all problems at once.
    """
    targets = [get_task(name) for name in config.target.tasks]
    trained = [each for task in targets if task.trains for each in training_chain(task)]
    if any(METHODS[method].intermediate is not None for method in config.methods):
        trained = [get_task(name) for name in config.intermediate.tasks] + trained
    attempts: list[Attempt] = [partial(facts.training_files, task, dev=True) for task in dict.fromkeys(trained)]
    attempts += [partial(facts.languages, task) for task in targets]
    raise_all(list(_problems(attempts)))


def check_rows(data: DataSection, plan: Plan, store: Store) -> None:
    """Read every row that the unfinished stages of a study need, so that none fails halfway because of its data.

    The mini world and data that is not there yet are skipped.

    Args:
        data: The data that all of these stages read.
        plan: The stages.
        store: Where finished artefacts are.

    Raises:
        AdaptstiltsError: If files are malformed, empty, or lack labels that are needed; all problems at once.
    """
    if data.root in {MINI_ROOT, OFFICIAL_ROOT}:
        return
    root = DataRoot(expanded(data.root), options={"quoting": data.quoting})
    wanted: dict[tuple[object, ...], Attempt] = {}
    hidden = {key for cell in plan.cells for key in cell.hidden}
    done = store.present(plan.stages)
    for stage in plan.stages:
        if stage.key not in done:
            wanted |= _reads(stage, root, labelled=stage.key not in hidden)
    raise_all(list(_problems(wanted.values())))


def _reads(stage: Stage, root: DataRoot, *, labelled: bool) -> dict[tuple[object, ...], Attempt]:
    """Return the reads of a stage as functions, by a key that is equal for equal reads."""
    training, prediction = job_of(stage, TrainJob), job_of(stage, PredictJob)
    if training is not None:
        task = get_task(training.task)
        return {(task.name,): partial(root.training_data, task)}
    if prediction is None:
        return {}
    task = get_task(prediction.task)
    found: dict[tuple[object, ...], Attempt] = {
        (task.name, language, split): partial(root.load, task, split, language, labelled=labelled)
        for language, split in prediction.languages
    }
    if task.pool is not None:
        found[task.name, "pool"] = partial(_read_pool, root, task)
    if prediction.retrieval is not None and prediction.retrieval.layer == FITTED:
        codes = [code for code, _ in prediction.languages]
        found |= {(task.name, code, FITTED): partial(require_dev, root, task, code) for code in codes}
    return found


def _read_pool(root: DataRoot, task: Task) -> None:
    for _ in root.candidates(task):
        pass


def check_data_is_there(data: DataSection) -> None:
    """Refuse to run on a data root that is only for planning.

    Raises:
        ConfigError: If it is.
    """
    if data.root == OFFICIAL_ROOT:
        raise ConfigError(
            f"'{OFFICIAL_ROOT}' stands for data that is not there: a study can be planned with it, but not run",
            key="data.root",
            hint="Set data.root=FOLDER, the folder with the data sets.",
        )


def check_weights(backbone: BackboneRef) -> None:
    """Compare the weights of a backbone's folder with its config.json; a hub id is left to `check_hub`.

    Raises:
        CheckpointError: If the weights are damaged, or of another width or vocabulary.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    path = Path(backbone.location) / "model.safetensors"
    if not path.is_file():
        return
    config = read_config(path.parent)
    architecture = architecture_of(config, path.parent / "config.json")
    embeddings = f"{architecture.word_vectors_path}.weight"
    try:
        with safe_open(path, framework="numpy") as file:
            name = next((name for name in file.keys() if name.endswith(embeddings)), None)  # noqa: SIM118
            shape = [] if name is None else list(file.get_slice(name).get_shape())
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"the weights are damaged: {error}", path=path, hint="Save the backbone again."
        ) from error
    for key, found in zip((architecture.sizes["vocabulary"], architecture.sizes["width"]), shape, strict=False):
        if config.get(key) != found:
            raise CheckpointError(
                f"{config.get(key)} here, but the word vectors of {path.name} have {found}",
                path=path.parent / "config.json",
                key=key,
                hint="Use the config.json that the weights were saved with.",
            )


def unfinished(plan: Plan, store: Store) -> list[Stage]:
    """Return the stages of a plan that are not finished."""
    done = store.present(plan.stages)
    return [stage for stage in plan.stages if stage.key not in done]


def backbones_of(stages: Sequence[Stage]) -> tuple[BackboneRef, ...]:
    """Return the backbones that stages start from, each once."""
    found = dict.fromkeys(job.backbone for _, job in jobs_of(stages, TrainJob))
    return tuple(found | dict.fromkeys(job.backbone for _, job in jobs_of(stages, PredictJob)))


def check_backbones(backbones: Iterable[BackboneRef]) -> tuple[str, ...]:
    """Compare weights and tokenizer of each backbone with its config.json: in its folder, or in the hub's cache.

    The package's own is known to fit, and left out, since building an encoder takes seconds of imports.

    Returns:
        A line about each backbone on the hub of which the cache does not hold everything.

    Raises:
        CheckpointError: If one cannot be used; all problems at once.
        ChangedError: If a file of the hub's cache was written to.
    """
    places = {backbone: _place(backbone) for backbone in backbones}
    others = [place for place in places.values() if place is not None and not is_of_package(place)]
    raise_all(list(_problems(partial(_check_place, place) for place in others)))
    return tuple(_not_checked(backbone) for backbone, place in places.items() if place is None)


def _check_place(place: str) -> None:
    check_blobs(deciding_files(Path(place)))  # those of an ordinary folder are fingerprinted as they are
    check_backbone(place)


def _place(backbone: BackboneRef) -> str | None:
    """Return the folder of a backbone; None for one on the hub that is still to be downloaded, or a part of it."""
    if Path(backbone.location).is_dir():
        return backbone.location
    folder = cached_folder(backbone.location, backbone.revision)
    return str(folder) if folder is not None and is_whole(folder) else None


def _not_checked(backbone: BackboneRef) -> str:
    if known_config(backbone.location, backbone.revision) is None:
        asked = "`run` asks it before anything is computed, and plans anew with the commit that it names"
        return f"whether the hub has the backbone {backbone.location}: {asked}"
    place = f"{backbone.location} on the hub, commit {backbone.revision}"
    return f"the weights of the backbone {place}: the first stage that needs them loads them"


def check_hub(backbones: Iterable[BackboneRef]) -> bool:
    """Check on the hub for backbones that are neither a folder nor cached, so that a wrong id fails once and early.

    Their config.json and tokenizer are downloaded; the first is checked here, the second where it is loaded.

    Returns:
        Whether something was downloaded, so that the limits of a backbone are known that were not.

    Raises:
        CheckpointError: If the hub cannot be reached, has no such repository or one without safetensors, or a file is
            refused.
    """
    lacking = [backbone for backbone in backbones if known_config(backbone.location, backbone.revision) is None]
    for backbone in lacking:
        _check_on_hub(backbone)
    return bool(lacking)


def _check_on_hub(backbone: BackboneRef) -> None:
    try:
        list_files(backbone.location, backbone.revision)
    except CheckpointError as error:
        problem = f"no backbone '{backbone.location}': it is not a folder here, and {error.problem}"
        raise CheckpointError(problem, key="backbone", hint=error.hint) from error
    hub_folder(backbone.location, backbone.revision)


def _problems(attempts: Iterable[Attempt]) -> Iterator[AdaptstiltsError]:
    """Call all attempts, and yield each different problem once."""
    said: set[str] = set()
    for attempt in attempts:
        try:
            attempt()
        except AdaptstiltsError as error:  # noqa: PERF203 - all are tried
            if str(error) not in said:
                said.add(str(error))
                yield error
