"""One tree of errors. Each says what is wrong, where, and the cure; its class has the exit code.

Driver errors (asyncpg, aio-pika, obstore, polars, pydantic) are translated into these at the edge
where the driver is called, with the driver's error as `__cause__`.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """Exit codes of every command (the numbers above 63 are those of sysexits.h)."""

    DONE = 0
    RUNS_FAILED = 1
    INPUT = 2
    LOST = 75  # store, broker or lease lost or out of reach: trying again later may help
    CONFIG = 78  # configuration, access or version: trying again does not help
    INTERRUPTED = 130


class PyhetaError(Exception):
    """The root. `where` is a `file:line:column`, a URL without its password, a column or a row."""

    exit_code: ClassVar[Exit] = Exit.RUNS_FAILED

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        self.what = what
        self.where = where
        self.cure = cure
        super().__init__(what)

    def __str__(self) -> str:
        """One short paragraph: `where: what; cure`."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.cure}" if self.cure else head


class InputError(PyhetaError):
    """Something the user wrote or passed is wrong: a sweep, a data set, an option."""

    exit_code = Exit.INPUT


class SweepError(InputError):
    """A sweep file is not a valid sweep."""


class SweepErrors(SweepError):
    """Several errors of one sweep file, shown together so that one edit can correct all."""

    def __init__(self, errors: Sequence[SweepError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in errors))


class DataError(InputError):
    """A data set cannot be used: unreadable, columns missing, values or timestamps wrong."""


class ConfigError(PyhetaError):
    """Settings, access rights or versions do not fit: a person has to change something first."""

    exit_code = Exit.CONFIG


class StoreError(PyhetaError):
    """The store could not do what was asked."""

    exit_code = Exit.LOST


class StoreUnavailable(StoreError):
    """The store is out of reach for now (network, restart, too many connections): try again."""


class BrokerError(PyhetaError):
    """The broker could not do what was asked. Nothing is lost by it: the store holds the truth."""

    exit_code = Exit.LOST


class Unreachable(PyhetaError):
    """A place that gives data is out of reach for now: try again."""

    exit_code = Exit.LOST


class LeaseLost(PyhetaError):
    """This worker's lease ran out: others may have taken its steps, so it must stop."""

    exit_code = Exit.LOST


class StepError(PyhetaError):
    """A step failed for a reason that stays (bad data, bad configuration): no retry helps."""


class Diverged(StepError):
    """Training produced a loss that is not finite."""


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint for a misspelt name: "did you mean 'epochs'?", else up to twelve known names."""
    if close := get_close_matches(name, known, n=1, cutoff=0.6):
        return f"did you mean '{close[0]}'?"
    return "known: " + ", ".join(known[:12]) + (", …" if len(known) > 12 else "")  # noqa: PLR2004
