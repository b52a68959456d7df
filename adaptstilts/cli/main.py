"""The command line: commands, options, exit status. A command calls a public function and prints its answer."""

from __future__ import annotations

import errno
import io
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer

import adaptstilts
from adaptstilts.addresses import shown_address
from adaptstilts.cli.backbone import convert
from adaptstilts.cli.data import data_app
from adaptstilts.cli.output import JsonOption, show
from adaptstilts.cli.outside_tasks import TasksFromOption
from adaptstilts.cli.pages import point_to_pages
from adaptstilts.cli.start import add_start_commands
from adaptstilts.cli.status import status
from adaptstilts.cli.store import store_app
from adaptstilts.cli.streams import (
    echo,
    echo_error,
    flush_streams,
    prepare_streams,
    raise_unwritten,
)
from adaptstilts.errors import AdaptstiltsError, ConfigError, UnfinishedError, raise_all
from adaptstilts.formatting import system_reason

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
add_start_commands(app)

_SYSTEM_REFUSALS = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EISDIR, errno.ENOTDIR,
    errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip
"""Errors of the operating system that are not bugs of this program, wherever they occur."""

_NO_OUTPUT = {errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EBADF, errno.EDQUOT, errno.EFBIG}
"""Errors of a write to standard output, where they name no file."""

ConfigArgument = Annotated[Path, typer.Argument(help="A YAML file, or a name such as quickstart.")]
OverrideArgument = Annotated[
    list[str] | None, typer.Argument(help="key=value settings that override those of the file.")
]
_TERMINATED = 143
"""Exit status of a process ended by SIGTERM, as shells report it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on words (by default those of the process) and return its exit status.

    Returns:
        0 done, 2 input that cannot be used or output that cannot be written, 130 interrupted, 141 if the reader of the
        output has gone, 143 ended by SIGTERM. Bugs raise.
    """
    point_to_pages(app)
    if arguments is None:
        sys.excepthook = _show_bug
    prepare_streams()
    words = None if arguments is None else list(arguments)
    code = _status_of(lambda: app(args=words, standalone_mode=False))
    left = _status_of(flush_streams)
    return code or left


def _status_of(act: Callable[[], object]) -> int:
    """Return the exit status of an act; what the user should know of its end is written to standard error."""
    try:
        status = act()
    except AdaptstiltsError as error:
        echo_error(str(error))
        return 2
    except OSError as error:
        if error.errno in _NO_OUTPUT and error.filename is None:
            return _status_of(partial(raise_unwritten, error))
        if error.errno not in _SYSTEM_REFUSALS or error.filename is None:
            raise
        hint = "Check its permissions and the free space on its disk."
        echo_error(str(AdaptstiltsError(f"cannot be used: {system_reason(error)}", path=error.filename, hint=hint)))
        return 2
    except typer.Abort:  # Ctrl-C, in older versions of typer
        return 130
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # typer would exit with 1
            return _status_of(partial(raise_unwritten, stop.__context__))
        return stop.code if isinstance(stop.code, int) else 0
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _refused(error)
    return status if isinstance(status, int) else 0


def _refused(error: Any) -> int:  # noqa: ANN401 - typer's class is not public
    """Write typer's error about a word or an option, without what logs in to an address; return its exit status."""
    text = io.StringIO()
    error.show(text)
    echo_error(shown_address(text.getvalue().rstrip("\n")))
    return int(error.exit_code)


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a bug, without what logs in to an address."""
    sys.stderr.write(shown_address("".join(traceback.format_exception(kind, error, trace))))


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        echo(f"adaptstilts {adaptstilts.__version__}")
        raise typer.Exit


@app.command()
def tasks(tasks_from: TasksFromOption = None, as_json: JsonOption = False) -> None:
    """List all tasks.

    With phase, benchmark, kind, metric, the training set it uses, and languages.

    Example: adaptstilts tasks --json
    """
    show(adaptstilts.tasks(), as_json=as_json)


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
    show(adaptstilts.published_scores(task), as_json=as_json)


@app.command()
def validate(
    config: ConfigArgument,
    overrides: OverrideArgument = None,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a study before anything is computed.

    Reads settings, task and language names, the backbone's files and every row of the data; finds leaks and overlaps,
    and what the tokenizer does to the words of each language (docs/tokenizers.md).

    Example: adaptstilts validate slices data.root=my_data
    """
    study = adaptstilts.load_study(config, *(overrides or ()))
    show(study.validate(on_message=echo_error), as_json=as_json)


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
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a study's stages, what they cost, and what sharing saves.

    Prints a tree and tables with parameters, bytes, operations, hours and memory on a device. With --why STAGE, says
    how a stage differs from the most similar finished one in the store.

    Example: adaptstilts plan xtreme_xlmr_large --device a100
    """
    study = adaptstilts.load_study(config, *(overrides or ()))
    if why is not None:
        show(study.why(why), as_json=as_json)
        return
    planned = study.plan(device, utilisation)
    if as_json:
        show(planned, as_json=True)
    else:
        echo(planned.view("both" if tree == table else "tree" if tree else "table", every_stage=every))
        raise_all(planned.problems)


@app.command()
def run(
    config: ConfigArgument,
    overrides: OverrideArgument = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="local, ray or slurm; the same as engine.name=...")
    ] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Find damaged artefacts and make them again.")] = False,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a study and write its report.

    Trains what is missing, evaluates zero-shot, and writes tables and figures; finished stages are skipped.

    Example: adaptstilts run quickstart "seeds=[1,2]"
    """
    try:
        result = adaptstilts.load_study(config, *(overrides or ())).run(engine=engine, rebuild=rebuild)
    except (KeyboardInterrupt, SystemExit) as stop:
        echo_error("interrupted; finished stages are kept, and the same command resumes")
        raise typer.Exit(_TERMINATED if isinstance(stop, SystemExit) else 130) from None
    except UnfinishedError as error:
        echo_error(error.summary)  # progress has shown the causes
        raise typer.Exit(2) from None
    show(result, as_json=as_json)
    if result.failed:
        raise typer.Exit(2)


app.command()(status)
app.command()(convert)


@app.command()
def report(
    config: ConfigArgument,
    overrides: OverrideArgument = None,
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of the stages that are finished.

    Example: adaptstilts report quickstart
    """
    reported = adaptstilts.load_study(config, *(overrides or ())).report()
    show(reported, as_json=as_json)
    if reported.failed:
        raise typer.Exit(2)


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
    show(adaptstilts.score_predictions(predictions, gold, tasks=task, languages=language), as_json=as_json)


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
    tasks_from: TasksFromOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write or check predictions for XTREME's leaderboard.

    CONFIG --to DIR writes a study's predictions as <task>/test-<language>.tsv|json, and says what is missing. --check
    DIR lists everything that is wrong with a folder, and scores it if --gold gives labels.

    Example: adaptstilts submit quickstart --method stack --source mnli --to predictions
    """
    if check is not None and config is None and to is None:
        show(adaptstilts.check_submission(check, gold, tasks=task, benchmark=benchmark or "xtreme"), as_json=as_json)
    elif config is not None and to is not None and check is None and gold is None and task is None:
        study = adaptstilts.load_study(config, *(overrides or ()))
        submitted = study.submit(
            to,
            method=method,
            source=source,
            seed=seed,
            variant=variant,
            best=best,
            benchmark=benchmark,
            any_split=any_split,
            force=force,
        )
        show(submitted, as_json=as_json)
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
    config: Annotated[Path, typer.Argument(help="A YAML file, or a name such as pretrain_mini.")],
    overrides: OverrideArgument = None,
) -> None:
    """Train a small backbone from text.

    Learns a tokenizer, then trains with masked and translation language modelling; resumes where it stopped.

    Example: adaptstilts pretrain pretrain_mini output=checkpoints/my_mini
    """
    adaptstilts.pretrain_backbone(config, *(overrides or ()), on_message=echo_error)
