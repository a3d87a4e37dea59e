"""The commands: parse, call one service, print, exit code.

Nothing heavy is imported before a command needs it, so that `pyheta --help` answers at once.
"""

import os
import sys
import traceback
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyheta import __version__
from pyheta.commands.session import Session
from pyheta.device import Device, available_cpus
from pyheta.errors import Exit, InputError, PyhetaError
from pyheta.report.views import About, Form

if TYPE_CHECKING:
    from pyheta.wiring import Services

app = typer.Typer(
    name="pyheta",
    help="Time-series experiments: one YAML sweep, every distinct step computed once.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to import than everything else here together
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Look at data sets.", no_args_is_help=True, rich_markup_mode=None)
db_app = typer.Typer(help="Care for the store.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")
app.add_typer(db_app, name="db")


class Takes(StrEnum):
    """Which steps a worker takes."""

    DATA = "data"
    TRAIN = "train"
    ALL = "all"


class Split(StrEnum):
    """Which part of the data a report's metrics are about."""

    TEST = "test"
    VAL = "val"
    TRAIN = "train"


SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP", help="The sweep file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the file, as in `train.epochs=3`."),
]
Dataset = Annotated[str, typer.Argument(metavar="FILE", help="A file, or a known name.")]
DataOptions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        help="What a sweep says under `dataset:`, as in `season=7`.",
    ),
]
SweepName = Annotated[
    str | None,
    typer.Argument(
        metavar="[SWEEP]", help="A sweep's name, id or beginning of an id; else the newest."
    ),
]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="SWEEP/NUMBER, or the beginning of a run's key.")
]
Procs = Annotated[
    int | None,
    typer.Option(min=1, max=4096, metavar="N", help="Processes; by default one for each CPU."),
]
Lanes = Annotated[
    int | None,
    typer.Option(min=1, max=1024, metavar="N", help="Most nets that one child trains at once."),
]
WhichDevice = Annotated[
    Device,
    typer.Option("--device", help="Where nets are trained; auto is cuda where torch finds it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
ReportForm = Annotated[Form, typer.Option("--format", help="How the report is written.")]


class Context(typer.Context):
    """What a command gets from the options before it."""

    obj: Session


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pyheta {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: Context,
    home: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the embedded store lives.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where named data sets lie.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print results only.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    context.obj.home, context.obj.data = home, data
    context.obj.debug, context.obj.quiet = debug, quiet


@app.command()
def init(
    context: Context,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE] [DIR] [KEY=VALUE]...",
            help="A data set, where to write its sweep, and what to say under `dataset:`.",
        ),
    ] = None,
) -> None:
    """Write a sweep to begin with: sweep.yaml, with comments; of FILE, else of made data."""
    from pyheta.commands.init import init

    made = init(arguments or (), context.obj.settings.data, context.obj.library.bring)
    typer.echo(f"wrote {made.path}; now: pyheta run {made.path}")
    for sentence in made.sentences:
        typer.echo(sentence)


@app.command()
def schema() -> None:
    """Print the JSON Schema of sweep files, for editors."""
    from pyheta.screen import to_json
    from pyheta.sweep import json_schema

    typer.echo(to_json(json_schema()))


@app.command()
def plan(
    context: Context,
    sweep: SweepFile,
    overrides: Overrides = None,
    procs: Procs = None,
    as_json: AsJson = False,
) -> None:
    """Show what a sweep would compute, and how long that would take."""
    from pyheta.commands.plan import preview, preview_view

    prepared, processes = context.obj.prepare(sweep, overrides), procs or available_cpus()
    shown = context.obj.call(lambda services: preview(prepared, services.store, processes))
    context.obj.print(shown, preview_view, as_json=as_json)


@app.command()
def run(
    context: Context,
    sweep: SweepFile,
    overrides: Overrides = None,
    procs: Procs = None,
    lanes: Lanes = None,
    device: WhichDevice = Device.AUTO,
    form: ReportForm = Form.TABLE,
) -> None:
    """Compute a sweep on this machine and report it."""
    from pyheta.commands.run import run_sweep
    from pyheta.commands.worker import worker_options
    from pyheta.report.formats import show_answer
    from pyheta.steps import Kind

    prepared, screen = context.obj.prepare(sweep, overrides), context.obj.screen
    screen.log("WARNING")
    options = worker_options(tuple(Kind), procs, lanes, device)
    outcome = context.obj.call(lambda services: run_sweep(services, prepared, screen, options))
    if outcome.table:
        show_answer(outcome.table, form, screen)
    raise typer.Exit(outcome.code)


@app.command()
def submit(context: Context, sweep: SweepFile, overrides: Overrides = None) -> None:
    """Hand a sweep to the workers. Submitting it again adds nothing."""
    from pyheta.commands.submit import anew, in_words, submit

    prepared = context.obj.prepare(sweep, overrides)
    receipt = context.obj.change(
        lambda services: submit(prepared, services.store, services.artifacts)
    )
    if why := anew(prepared, receipt):
        typer.echo(why)
    typer.echo(in_words(prepared, receipt))


@app.command()
def worker(
    context: Context,
    kind: Annotated[Takes, typer.Option(help="Which steps it takes.")] = Takes.ALL,
    procs: Procs = None,
    lanes: Lanes = None,
    device: WhichDevice = Device.AUTO,
    exit_when_idle: Annotated[
        bool, typer.Option("--exit-when-idle", help="Leave when no step is left.")
    ] = False,
) -> None:
    """Compute steps of all sweeps until stopped (Ctrl-C once: in order; twice: at once)."""
    from signal import SIGINT

    from pyheta.commands.worker import get_ready, work, worker_options
    from pyheta.steps import Kind

    context.obj.screen.log("WARNING" if context.obj.quiet else "INFO")
    kinds = tuple(Kind) if kind is Takes.ALL else (Kind(kind),)
    options = worker_options(kinds, procs, lanes, device, until_idle=exit_when_idle)
    get_ready(options, context.obj.screen.note)
    stopped_by = context.obj.call(lambda services: work(services, options))
    raise typer.Exit(Exit.INTERRUPTED if stopped_by is SIGINT else Exit.DONE)


@app.command()
def status(
    context: Context,
    sweep: SweepName = None,
    watch: Annotated[bool, typer.Option("--watch", help="Until the sweep is finished.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List the sweeps instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a sweep stands: progress, failures, workers, time left."""
    from pyheta.commands.status import Status, read_status
    from pyheta.commands.status_view import sweeps_view, view

    if watch and as_json:
        raise InputError("--watch and --json do not go together", cure="leave one of them out")

    async def look(services: "Services") -> Status:
        from pyheta.commands.follow import follow_sweep

        row = await services.store.find_sweep(sweep)
        once = partial(read_status, services.store, services.messages, row)
        return await (follow_sweep(once, context.obj.screen) if watch else once())

    if every:
        sweeps = context.obj.call(lambda services: services.store.sweeps())
        context.obj.print(sweeps, sweeps_view, as_json=as_json)
    else:
        context.obj.print(context.obj.call(look), view, as_json=as_json)


@app.command()
def report(
    context: Context,
    sweep: SweepName = None,
    about: Annotated[About, typer.Option(help="The runs, or what explains them.")] = About.RUNS,
    form: ReportForm = Form.TABLE,
    metric: Annotated[str, typer.Option(metavar="NAMES", help="Such as `rmse,mae`.")] = "",
    rows: Annotated[str, typer.Option(metavar="KEYS", help="Such as `net.name,exog`.")] = "",
    cols: Annotated[str, typer.Option(metavar="KEYS", help="Such as `window.horizon`.")] = "",
    split: Annotated[Split, typer.Option(help="Which part of the data.")] = Split.TEST,
) -> None:
    """Show a sweep's results: means over the seeds of each configuration, beside baselines."""
    from pyheta.report.formats import show_answer
    from pyheta.report.query import ReportQuery
    from pyheta.report.read import read_answer

    query = ReportQuery(_names(metric), _names(rows), _names(cols), split)
    answer = context.obj.call(
        lambda services: read_answer(services.store, services.artifacts, sweep, query, about)
    )
    show_answer(answer, form, context.obj.screen)


@app.command()
def runs(context: Context, sweep: SweepName = None, as_json: AsJson = False) -> None:
    """List a sweep's runs: number, configuration, state, result."""
    from pyheta.commands.runs import documents, listing_view, read_listing

    listing = context.obj.call(lambda services: read_listing(services.store, sweep))
    if as_json:
        context.obj.screen.json(documents(listing))
    else:
        context.obj.screen.show(listing_view(listing))


@app.command()
def show(context: Context, run: RunName, as_json: AsJson = False) -> None:
    """Show one run: its configuration, steps, metrics and files."""
    from pyheta.commands.show import details_view, read_details

    details = context.obj.call(lambda services: read_details(services.store, run))
    context.obj.print(details, details_view, as_json=as_json)


@app.command()
def logs(context: Context, run: RunName, as_json: AsJson = False) -> None:
    """Show every attempt of a run's steps: outcome, traceback, log."""
    from pyheta.commands.logs import logs_view
    from pyheta.commands.show import read_details

    details = context.obj.call(lambda services: read_details(services.store, run))
    context.obj.print(details, logs_view, as_json=as_json)


@app.command()
def retry(
    context: Context,
    sweep: SweepName = None,
    runs: Annotated[
        list[int] | None, typer.Option("--run", min=0, metavar="N", help="Only this run's steps.")
    ] = None,
) -> None:
    """Give the failed and cancelled steps of a sweep another try."""
    from pyheta.commands.retry import retry_sweep

    typer.echo(context.obj.change(lambda services: retry_sweep(services.store, sweep, runs)))


@app.command()
def cancel(context: Context, sweep: SweepName = None) -> None:
    """Cancel a sweep: those of its steps that no other sweep needs."""
    from pyheta.commands.cancel import cancel_sweep

    typer.echo(context.obj.call(lambda services: cancel_sweep(services.store, sweep)))


@app.command()
def gc(
    context: Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what no sweep needs: cancel a sweep, then gc removes it and all that only it had."""
    from pyheta.commands.gc import collect, in_words

    removed = context.obj.call(
        lambda services: collect(services.store, services.artifacts, dry_run=dry_run)
    )
    context.obj.print(removed, in_words, as_json=as_json)


@data_app.command("list")
def list_data(context: Context, as_json: AsJson = False) -> None:
    """List the data sets that are known by name."""
    from pyheta.commands.data_list import datasets_view, named_datasets

    context.obj.print(named_datasets(context.obj.library), datasets_view, as_json=as_json)


@data_app.command("fetch")
def fetch_data(
    context: Context,
    what: Annotated[
        str, typer.Argument(metavar="NAME", help="A known name, or a sweep file: all it needs.")
    ],
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Another address, or a file of this machine."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Get it anew although it is here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Get the file of a named data set, and check it."""
    from pyheta.commands.data_fetch import fetch, in_words

    fetched = fetch(context.obj.library, what, source=source, refresh=refresh)
    context.obj.print(fetched, in_words, as_json=as_json)


@data_app.command("add")
def add_data(
    context: Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file.")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Else that of the file, up to a point.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a file into the store under a name, for all who use the store."""
    from pyheta.commands.data_add import add, check_addition, in_words

    chosen = check_addition(context.obj.library, file, name)
    added = context.obj.call(lambda services: add(services.store, services.artifacts, file, chosen))
    context.obj.print(added, in_words, as_json=as_json)


@data_app.command("remove")
def remove_data(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A file's name in the store.")],
) -> None:
    """Take the name of a file of the store away. Its sweeps are not touched."""
    from pyheta.commands.data_add import remove

    typer.echo(context.obj.call(lambda services: remove(services.store, name)))


@data_app.command("check")
def check_data(
    context: Context,
    dataset: Dataset,
    options: DataOptions = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="As time=COLUMN.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read a data set as a sweep would: what it holds, or what is wrong with it."""
    from pyheta.commands.answers import answered
    from pyheta.commands.data_check import check, facts_json, facts_view
    from pyheta.sweep.written import written

    given = [*(options or ()), *([f"time={written(time)}"] if time else ())]
    with answered():
        facts = check(dataset, given, context.obj.settings.data, context.obj.library.bring)
    if as_json:
        context.obj.screen.json(facts_json(facts))
    else:
        context.obj.screen.show(facts_view(facts))


@data_app.command("show")
def show_data(
    context: Context,
    dataset: Dataset,
    columns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COLUMN]... [KEY=VALUE]...",
            help="What to draw, else what is probably to be forecast; options as for check.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw columns of a data set, and show their range, gaps and autocorrelation."""
    from pyheta.commands.answers import answered
    from pyheta.commands.data_show import show, shown_json, shown_view

    options = [text for text in columns or () if "=" in text]
    named = [text for text in columns or () if "=" not in text]
    with answered():
        library, data = context.obj.library, context.obj.settings.data
        shown = show(dataset, named, options, data, library.bring)
        if as_json:
            context.obj.screen.json(shown_json(shown))
        else:
            context.obj.screen.show(shown_view(shown))
        if shown.sight.refused:
            raise shown.sight.refused


@app.command()
def doctor(
    context: Context,
    leakage: Annotated[
        Path | None,
        typer.Option(
            metavar="SWEEP", help="Instead: replace the future by noise under a sweep's steps."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that everything works here, and say what to do where it does not."""
    import asyncio

    from pyheta.commands.doctor import examine, examine_leakage, exit_code, findings_view
    from pyheta.wiring import open_services

    if leakage:
        findings = examine_leakage(context.obj.prepare(leakage), context.obj.screen.note)
    else:
        findings = asyncio.run(examine(context.obj.settings, open_services))
    context.obj.print(findings, findings_view, as_json=as_json)
    raise typer.Exit(exit_code(findings))


@db_app.command("upgrade")
def upgrade_store(context: Context) -> None:
    """Bring the store's schema to this version of PyHeta."""
    import asyncio

    from pyheta.commands.db import upgrade

    typer.echo(asyncio.run(upgrade(context.obj.settings)))


@db_app.command("start")
def start_store(context: Context) -> None:
    """Start the embedded server, to run until it is stopped."""
    from pyheta.commands.db import start

    typer.echo(start(context.obj.settings))


@db_app.command("stop")
def stop_store(context: Context) -> None:
    """Stop the embedded server."""
    from pyheta.commands.db import stop

    typer.echo(stop(context.obj.settings))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def main() -> None:
    """The `pyheta` command. Every error ends in one short paragraph and an exit code."""
    session = Session()
    if sys.stdout is None:  # closed by the shell (`>&-`): what is printed goes nowhere
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 -- for the rest of the process
    try:
        app(obj=session)
    except Exception as error:  # noqa: BLE001 (the last resort: nobody above would catch it)
        sys.exit(_report_error(error, debug=session.debug))
    finally:
        _ignore_closed_pipe()


def _report_error(error: Exception, *, debug: bool) -> int:
    """Print what went wrong in one paragraph; the exit code."""
    if debug:
        traceback.print_exception(error)
    while isinstance(error, ExceptionGroup):  # of tasks that ran side by side: the first will do
        error = error.exceptions[0]
    if isinstance(error, PyhetaError):
        typer.echo(f"pyheta: {error}", err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:  # such as a full disk
        typer.echo(f"pyheta: {error.filename or 'output'}: {error.strerror}", err=True)
        return Exit.CONFIG
    cure = "" if debug else "; where it happened: pyheta --debug …"
    typer.echo(f"pyheta: unexpected {type(error).__name__}: {error}{cure}", err=True)
    return Exit.RUNS_FAILED


def _ignore_closed_pipe() -> None:
    """A reader that left (`pyheta report | head`) is no error, so Python shall report none."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
