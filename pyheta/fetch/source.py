"""What every source is: options that say what to get, and a way to get it once."""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from pyheta.atomic import write_whole
from pyheta.errors import ConfigError, DataError
from pyheta.fetch.http import LARGEST, Tell
from pyheta.section import Section

if TYPE_CHECKING:
    import polars as pl


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("expected a day as 2026-01-31") from None


#: A day, as in 2026-01-31.
Date = Annotated[str, AfterValidator(_day)]


@dataclass(frozen=True, slots=True)
class Means:
    """What a source may use: variables of the environment, and somebody to tell how far it is."""

    environ: Mapping[str, str]
    tell: Tell

    def variable(self, name: str, what: str) -> str:
        """A variable's value, which is never shown. Raises ConfigError if it is not set."""
        if value := self.environ.get(name):
            return value
        raise ConfigError(f"the variable {name} is not set", cure=f"set it to {what}")


class Source(Section, ABC):
    """One source as it is written under `dataset: source:`.

    A subclass declares its options as fields. One of them has the name of the source and says the
    main thing, as in `url: https://…`. No option holds a secret: those come from the environment.
    """

    @property
    def ending(self) -> str:
        """Of the kept file's name."""
        return ".parquet"

    @abstractmethod
    def place(self, means: Means) -> str:
        """Where the bytes come from, for people and to tell sources apart; without secrets."""

    @abstractmethod
    def write(self, to: Path, means: Means) -> None:
        """Put the bytes at `to`, whole or not at all. CSV, Parquet, or what else a file may be.

        Raises DataError, ConfigError or Unreachable.
        """


def write_table(to: Path, frame: "pl.DataFrame") -> None:
    """A table as Parquet, all of it or nothing."""
    content = io.BytesIO()
    frame.write_parquet(content)
    write_bounded(to, content.getvalue())


def write_bounded(to: Path, content: bytes) -> None:
    """All of it or nothing. Raises DataError for more than a data set may have."""
    if len(content) > LARGEST:
        raise DataError(f"larger than {LARGEST >> 20} MiB", where=to.name)
    to.parent.mkdir(parents=True, exist_ok=True)
    write_whole(to, content)
