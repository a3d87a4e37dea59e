"""The commands: parse, call one service, print, exit code.

Nothing heavy is imported before a command needs it, so that `pyheta --help` answers at once.
"""

import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pyheta import __version__
from pyheta.errors import Exit, InputError, PyhetaError

if TYPE_CHECKING:
    from pyheta.screen import Screen
    from pyheta.settings import Settings
    from pyheta.wiring import Services

T = TypeVar("T")

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


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    MARKDOWN = "md"
    CSV = "csv"
    JSON = "json"


class Workers(StrEnum):
    """Which steps a worker takes."""

    DATA = "data"
    TRAIN = "train"
    ALL = "all"


class Split(StrEnum):
    """Which part of the data a report's metrics are about."""

    TEST = "test"
    VAL = "val"


SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP", help="The sweep file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the file, as in `train.epochs=3`."),
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
    typer.Option(min=1, max=4096, metavar="N", help="Processes; one for each processor core."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
ReportFormat = Annotated[Format, typer.Option("--format", help="How the report is written.")]


@dataclass
class Options:
    """The options before the command, and what follows from them."""

    home: Path | None = None
    data: Path | None = None
    debug: bool = False
    quiet: bool = False

    @cached_property
    def settings(self) -> "Settings":
        from pyheta.settings import Settings

        settings = Settings.read(os.environ, Path.cwd(), home=self.home, data=self.data)
        for warning in settings.warnings:
            self.screen.warn(warning)
        return settings

    @cached_property
    def screen(self) -> "Screen":
        from pyheta.screen import Screen

        return Screen(quiet=self.quiet)

    def call(self, service: "Callable[[Services], Awaitable[T]]") -> T:
        """Run one service with store, broker and artifacts open."""
        import asyncio

        from pyheta.wiring import open_services

        async def opened() -> T:
            async with open_services(self.settings) as services:
                return await service(services)

        return asyncio.run(opened())


class Context(typer.Context):
    """What a command gets from the options before it."""

    obj: Options


def _version(wanted: bool) -> None:  # noqa: FBT001 (typer calls it with the flag's value)
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
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    context.obj.home, context.obj.data = home, data
    context.obj.debug, context.obj.quiet = debug, quiet


@app.command()
def run(
    context: Context,
    sweep: SweepFile,
    overrides: Overrides = None,
    procs: Procs = None,
    output: ReportFormat = Format.TABLE,
) -> None:
    """Compute a sweep on this machine and report it."""
    from pyheta.run import run_sweep
    from pyheta.submit import prepare

    screen, prepared = context.obj.screen, prepare(sweep, overrides or (), context.obj.settings)
    table, code = context.obj.call(lambda services: run_sweep(services, prepared, screen, procs))
    _print_report(context.obj.screen, table, output)
    raise typer.Exit(code)


def main() -> None:
    """The `pyheta` command. Every error ends in one short paragraph and an exit code."""
    given = Options()
    try:
        app(obj=given)
    except Exception as error:  # noqa: BLE001 (the last resort: nobody above would catch it)
        sys.exit(_complain(error, debug=given.debug))


def _complain(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    if isinstance(error, PyhetaError):
        typer.echo(f"pyheta: {error}", err=True)
        return error.exit_code
    cure = "" if debug else "; `pyheta --debug …` shows where"
    typer.echo(f"pyheta: unexpected {type(error).__name__}: {error}{cure}", err=True)
    return Exit.RUNS_FAILED
