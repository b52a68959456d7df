"""The command line: verbs, flags, exit codes. The only module that prints."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from adaptstilts import __version__
from adaptstilts.cli_data import data_app
from adaptstilts.errors import AdaptstiltsError

if TYPE_CHECKING:
    from adaptstilts.study.session import StudyResult

app = typer.Typer(
    name="adaptstilts",
    help="Intermediate-task transfer for cross-lingual models, with full models and with reusable adapters.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data_app)

_OUTSIDE = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EISDIR, errno.ENOTDIR,
}  # fmt: skip
"""What a system refuses for reasons outside of this program; no bug, wherever it happens."""

ConfigArgument = Annotated[Path, typer.Argument(help="A study's YAML file, such as configs/quickstart.yaml.")]
OverrideArgument = Annotated[list[str] | None, typer.Argument(help="key=value settings over those of the file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Words after the program's name; those of the process when None.

    Returns:
        Exit status: 0 done, 2 input that cannot be used, 130 interrupted. Bugs raise.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other on a busy machine
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what deterministic matrix products on GPUs need
    try:
        app(args=None if arguments is None else list(arguments))
    except AdaptstiltsError as error:
        typer.echo(str(error), err=True)
        return 2
    except OSError as error:
        if error.errno not in _OUTSIDE or error.filename is None:
            raise
        hint = "Check its permissions and the room on its disk."
        typer.echo(
            str(AdaptstiltsError(f"cannot be used ({error.strerror})", path=error.filename, hint=hint)), err=True
        )
        return 2
    except SystemExit as stop:
        if isinstance(getattr(stop.__context__, "__cause__", None), KeyboardInterrupt):  # typer says 1
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
    """List all intermediate and target tasks.

    Example: adaptstilts tasks --json
    """
    from adaptstilts.tasks.registry import all_tasks  # noqa: PLC0415
    from adaptstilts.tasks.summary import summarise, table  # noqa: PLC0415

    if as_json:
        _print_json([summarise(task) for task in all_tasks()])
    else:
        typer.echo(table(all_tasks()))


@app.command()
def validate(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """Check a study before anything is computed.

    Settings, tasks, languages, backbone, and every row of its files.

    Example: adaptstilts validate configs/slices.yaml data.root=my_data
    """
    from adaptstilts.config.load import load_study, placed  # noqa: PLC0415
    from adaptstilts.study.setup import check_study  # noqa: PLC0415

    with placed(config, overrides or ()):
        plan = check_study(load_study(config, overrides or ()))
    record = {"config": str(config), "stages": len(plan.stages), "cells": len(plan.cells), "ok": True}
    if as_json:
        _print_json(record)
    else:
        typer.echo(f"{config}: fine, {len(plan.stages)} stages for {len(plan.cells)} table cells")


@app.command()
def plan(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """List a study's stages and what sharing saves.

    Example: adaptstilts plan configs/xtreme_xlmr_large.yaml
    """
    from adaptstilts.config.load import load_study, placed  # noqa: PLC0415
    from adaptstilts.study.outline import outline, outline_text  # noqa: PLC0415
    from adaptstilts.study.setup import open_store, plan_study  # noqa: PLC0415

    with placed(config, overrides or ()):
        study = load_study(config, overrides or ())
        rows = outline(plan_study(study), open_store(study), study.retrieval)
    if as_json:
        _print_json(rows)
    else:
        typer.echo(outline_text(rows))


@app.command()
def run(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """Carry a study out and write its report.

    Trains what is missing, evaluates zero-shot, writes tables and figures; finished stages are skipped.

    Example: adaptstilts run configs/quickstart.yaml "seeds=[1,2]"
    """
    from adaptstilts.config.load import load_study, placed  # noqa: PLC0415
    from adaptstilts.console import TerminalWatcher  # noqa: PLC0415
    from adaptstilts.study.session import run_study  # noqa: PLC0415

    console = Console(stderr=True)
    try:
        with placed(config, overrides or ()):
            study = load_study(config, overrides or ())
            result = run_study(study, lambda plan: TerminalWatcher(plan, console, workers=study.workers))
    except KeyboardInterrupt:
        typer.echo("interrupted; finished stages are kept, and the same command goes on from them", err=True)
        raise typer.Exit(130) from None
    _show_result(result, as_json=as_json)
    if result.failed:
        raise typer.Exit(2)


@app.command()
def report(config: ConfigArgument, overrides: OverrideArgument = None, as_json: JsonOption = False) -> None:
    """Write the report of what is finished.

    Example: adaptstilts report configs/quickstart.yaml
    """
    from adaptstilts.config.load import load_study, placed  # noqa: PLC0415
    from adaptstilts.study.session import report_study  # noqa: PLC0415

    with placed(config, overrides or ()):
        result = report_study(load_study(config, overrides or ()))
    _show_result(result, as_json=as_json)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="Folder <task>/test-<language>.tsv|json of predictions.")],
    gold: Annotated[Path, typer.Option("--gold", help="Folder of the same layout with labels.")],
    task: Annotated[list[str] | None, typer.Option("--task", help="Only this task; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="Only this one; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Score a folder in XTREME's submission layout.

    Example: adaptstilts score predictions --gold labels --json
    """
    from adaptstilts.evaluate.score import score_folder, score_text  # noqa: PLC0415

    scores = score_folder(predictions, gold, task, language)
    _show(scores.scores if as_json else score_text(scores), as_json=as_json)


@app.command()
def pretrain(
    config: Annotated[Path, typer.Argument(help="A pretraining file, such as configs/pretrain_mini.yaml.")],
    overrides: OverrideArgument = None,
) -> None:
    """Train a small backbone from text.

    Tokenizer, masked and translation language modelling; goes on where it stopped.

    Example: adaptstilts pretrain configs/pretrain_mini.yaml output=checkpoints/my_mini
    """
    from adaptstilts.config.load import load  # noqa: PLC0415
    from adaptstilts.config.pretrain import PretrainSection  # noqa: PLC0415
    from adaptstilts.train.pretrain import pretrain as start  # noqa: PLC0415

    section = load(config, overrides or (), PretrainSection)
    start(section, Path(section.output), lambda line: typer.echo(line, err=True))


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
