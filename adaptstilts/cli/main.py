"""The command line: commands, options, exit status. Only modules of this folder write to the terminal."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptstilts import __version__
from adaptstilts.cli.data import data_app
from adaptstilts.cli.status import status
from adaptstilts.cli.store import store_app
from adaptstilts.errors import AdaptstiltsError, ConfigError

if TYPE_CHECKING:
    from adaptstilts.study.select import Wanted
    from adaptstilts.study.session import StudyResult
    from adaptstilts.study.study import Study

app = typer.Typer(
    name="adaptstilts",
    help="Intermediate-task transfer for cross-lingual models, with full models and with reusable adapters.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app)
app.add_typer(store_app)

_SYSTEM_REFUSALS = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EISDIR, errno.ENOTDIR,
}  # fmt: skip
"""Errors of the operating system that are not bugs of this program, wherever they occur."""

ConfigArgument = Annotated[Path, typer.Argument(help="The study's YAML file, such as configs/quickstart.yaml.")]
OverrideArgument = Annotated[
    list[str] | None, typer.Argument(help="key=value settings that override those of the file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on words (by default those of the process) and return its exit status.

    Returns:
        0 done, 2 input that cannot be used, 130 interrupted, 143 ended by SIGTERM. Bugs raise.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other on a busy machine
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products on GPUs need
    try:
        app(args=None if arguments is None else list(arguments))
    except AdaptstiltsError as error:
        typer.echo(str(error), err=True)
        return 2
    except OSError as error:
        if error.errno not in _SYSTEM_REFUSALS or error.filename is None:
            raise
        hint = "Check its permissions and the free space on its disk."
        typer.echo(
            str(AdaptstiltsError(f"cannot be used ({error.strerror})", path=error.filename, hint=hint)), err=True
        )
        return 2
    except SystemExit as stop:
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):  # typer would exit with 1
            return 130
        return stop.code if isinstance(stop.code, int) else 0
    return 0


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"adaptstilts {__version__}")
        raise typer.Exit


@app.command()
def tasks(as_json: JsonOption = False) -> None:
    """List all tasks.

    With phase, benchmark, kind, metric, the training set it uses, and languages.

    Example: adaptstilts tasks --json
    """
    from adaptstilts.tasks.registry import all_tasks  # noqa: PLC0415
    from adaptstilts.tasks.summary import summarise, table  # noqa: PLC0415

    if as_json:
        _print_json([summarise(task) for task in all_tasks()])
    else:
        typer.echo(table(all_tasks()))


@app.command()
def published(
    task: Annotated[
        str | None, typer.Argument(help="A task, to list all its figures; by default the mean of every task.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List published scores with their sources and settings.

    Example: adaptstilts published pawsx
    """
    from adaptstilts.results.published import of_task, published_text  # noqa: PLC0415

    found = of_task(task)
    _show([asdict(item) for item in found] if as_json else published_text(found), as_json=as_json)


@app.command()
def validate(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """Check a study before anything is computed.

    Reads settings, task and language names, the backbone's files and every row of the data; finds leaks and overlaps.

    Example: adaptstilts validate configs/slices.yaml data.root=my_data
    """
    from adaptstilts.study.session import validate_study  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    plan = validate_study(Study.load(config, overrides or ()), lambda line: typer.echo(line, err=True))
    record = {"config": str(config), "stages": len(plan.stages), "cells": len(plan.cells), "ok": True}
    if as_json:
        _print_json(record)
    else:
        typer.echo(f"{config}: fine, {len(plan.stages)} stages for {len(plan.cells)} table cells")


@app.command()
def plan(  # noqa: PLR0913, PLR0917 - a flag each
    config: ConfigArgument,
    overrides: OverrideArgument = None,
    device: Annotated[
        str, typer.Option("--device", help="Device to estimate for: h100, a100, rtx4090, t4, cpu ...")
    ] = "h100",
    utilisation: Annotated[
        float, typer.Option("--utilisation", help="Share of the device's peak rate that training reaches.")
    ] = 0.4,
    tree: Annotated[bool, typer.Option("--tree", help="Print only the tree.")] = False,
    table: Annotated[bool, typer.Option("--table", help="Print only the tables.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also list every stage.")] = False,
    why: Annotated[
        str | None,
        typer.Option("--why", help="Explain why a stage would run: its name, folder or key, or a pattern of names."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a study's stages, what they cost, and what sharing saves.

    Prints a tree and tables with parameters, bytes, operations, hours and memory on a device. With --why STAGE, says
    how a stage differs from the most similar finished one in the store.

    Example: adaptstilts plan configs/xtreme_xlmr_large.yaml --device a100
    """
    from adaptstilts.study.study import Study  # noqa: PLC0415

    study = Study.load(config, overrides or ())
    planned, store = study.plan, study.store
    if why is not None:
        from adaptstilts.study.explain import explain, explain_text  # noqa: PLC0415

        found = explain(planned, store, why)
        _show(found if as_json else explain_text(found), as_json=as_json)
        return
    from adaptstilts.study.pricing.outline import outline  # noqa: PLC0415
    from adaptstilts.study.pricing.outline_text import View, outline_text  # noqa: PLC0415

    record = outline(planned, study.variants, store, device=device, utilisation=utilisation)
    view: View = "both" if tree == table else "tree" if tree else "table"
    _show(record if as_json else outline_text(record, view, every_stage=every), as_json=as_json)


@app.command()
def run(
    config: ConfigArgument,
    overrides: OverrideArgument = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="local, ray or slurm; the same as engine.name=...")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Find damaged artefacts and make them again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a study and write its report.

    Trains what is missing, evaluates zero-shot, and writes tables and figures; finished stages are skipped.

    Example: adaptstilts run configs/quickstart.yaml "seeds=[1,2]"
    """
    from rich.console import Console  # noqa: PLC0415

    from adaptstilts.engine.signals import TERMINATED  # noqa: PLC0415
    from adaptstilts.progress.dashboard import TerminalWatcher  # noqa: PLC0415
    from adaptstilts.study.session import run_study  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    console = Console(stderr=True)
    words = [*(overrides or ()), *([f"engine.name={engine}"] if engine is not None else [])]
    try:
        study = Study.load(config, words)
        store = study.store.root
        result = run_study(
            study,
            lambda plan: TerminalWatcher(plan, console, workers=study.config.workers, store=store),
            rebuild=rebuild,
        )
    except (KeyboardInterrupt, SystemExit) as stop:
        typer.echo("interrupted; finished stages are kept, and the same command resumes", err=True)
        raise typer.Exit(TERMINATED if isinstance(stop, SystemExit) else 130) from None
    _show_result(result, as_json=as_json)
    if result.failed:
        raise typer.Exit(2)


app.command()(status)


@app.command()
def report(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """Write the report of the stages that are finished.

    Example: adaptstilts report configs/quickstart.yaml
    """
    from adaptstilts.study.session import report_study  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    _show_result(report_study(Study.load(config, overrides or ())), as_json=as_json)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="Folder of predictions: <task>/test-<language>.tsv|json.")],
    gold: Annotated[Path, typer.Option("--gold", help="Folder of labels in the same layout.")],
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this task; may be repeated.")] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Only this language; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a folder of predictions in XTREME's submission layout.

    Prints scores per language, task, group and overall as XTREME averages them, with and without English, and names
    what is missing.

    Example: adaptstilts score predictions --gold labels --json
    """
    from adaptstilts.submission.score import score_folder, score_record, score_text  # noqa: PLC0415

    scores = score_folder(predictions, gold, task, language)
    _show(score_record(scores) if as_json else score_text(scores), as_json=as_json)


@app.command()
def submit(  # noqa: PLR0913, PLR0917 - a flag each
    config: Annotated[Path | None, typer.Argument(help="A finished study's YAML file; with --to.")] = None,
    overrides: OverrideArgument = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write the study's predictions to.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Method whose predictions are written.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Its intermediate task, or `none`.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Its seed.")] = None,
    variant: Annotated[str | None, typer.Option("--variant", help="In a sweep, its variant, by label.")] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Choose the setting for each task, by the English dev score.")
    ] = False,
    any_split: Annotated[
        bool, typer.Option("--any-split", help="Also write predictions on other splits than the leaderboard's.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier submission.")] = False,
    check: Annotated[Path | None, typer.Option("--check", help="Folder to check instead of writing one.")] = None,
    gold: Annotated[
        Path | None, typer.Option("--gold", help="Folder of labels for --check, in the same layout.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="Check only this task; may be repeated.")] = None,
    benchmark: Annotated[
        str | None,
        typer.Option("--benchmark", help="xtreme or xtreme_r; by default that of the study, or xtreme with --check."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write or check predictions for XTREME's leaderboard.

    CONFIG --to DIR writes a study's predictions as <task>/test-<language>.tsv|json, and says what is missing. --check
    DIR lists everything that is wrong with a folder, and scores it if --gold gives labels.

    Example: adaptstilts submit configs/quickstart.yaml --method stack --source mnli --to predictions
    """
    from adaptstilts.study.select import Wanted  # noqa: PLC0415
    from adaptstilts.study.study import Study  # noqa: PLC0415

    if check is not None and config is None and to is None:
        _check_submission(check, gold, task, benchmark or "xtreme", as_json=as_json)
    elif config is not None and to is not None and check is None and gold is None and task is None:
        wanted = Wanted(method, source, seed, best, variant)
        study = Study.load(config, overrides or ())
        _write_submission(study, to, wanted, benchmark, any_split=any_split, force=force, as_json=as_json)
    else:
        raise ConfigError(
            "give either a study and a folder to write to, or a folder to check",
            allowed=(
                "submit CONFIG --to DIR [--method M --source S --seed N --variant V | --best]",
                "submit --check DIR [--gold DIR]",
            ),
        )


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(help="A pretraining configuration, such as configs/pretrain_mini.yaml.")],
    overrides: OverrideArgument = None,
) -> None:
    """Train a small backbone from text.

    Learns a tokenizer, then trains with masked and translation language modelling; resumes where it stopped.

    Example: adaptstilts pretrain configs/pretrain_mini.yaml output=checkpoints/my_mini
    """
    from adaptstilts.config.load import load  # noqa: PLC0415
    from adaptstilts.config.pretrain import PretrainSection  # noqa: PLC0415
    from adaptstilts.pretrain.pretrain import pretrain as start  # noqa: PLC0415

    section = load(config, overrides or (), PretrainSection)
    start(section, Path(section.output), lambda line: typer.echo(line, err=True))


def _check_submission(
    folder: Path, gold: Path | None, tasks: list[str] | None, benchmark: str, *, as_json: bool
) -> None:
    from adaptstilts.errors import raise_all  # noqa: PLC0415
    from adaptstilts.submission.check_folder import check_folder, get_benchmark  # noqa: PLC0415

    checked = check_folder(folder, gold, get_benchmark(benchmark), tasks)
    _show(checked.record() if as_json else checked.text(), as_json=as_json)
    raise_all(checked.problems)


def _write_submission(
    study: Study,
    folder: Path,
    wanted: Wanted,
    benchmark: str | None,
    *,
    any_split: bool,
    force: bool,
    as_json: bool,
) -> None:
    from adaptstilts.study.submit import submit_study  # noqa: PLC0415
    from adaptstilts.submission.check_folder import get_benchmark  # noqa: PLC0415

    which = get_benchmark(benchmark or study.config.evaluation.benchmark)
    submitted = submit_study(study, folder, wanted, which, any_split=any_split, force=force)
    _show(submitted.record() if as_json else submitted.text(), as_json=as_json)


def _show_result(result: StudyResult, *, as_json: bool) -> None:
    if as_json:
        _print_json(result.json_record())
        return
    typer.echo(result.files.text)
    for line in (*result.failed, *(f"wrote {path}" for path in result.files.paths)):
        typer.echo(line)


def _show(value: Any, *, as_json: bool) -> None:  # noqa: ANN401 - JSON values or text
    if as_json:
        _print_json(value)
    else:
        typer.echo(value)


def _print_json(value: Any) -> None:  # noqa: ANN401 - JSON values
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
