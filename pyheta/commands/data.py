"""Data sets before any sweep uses them: which are known by name, and what one file holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import CATALOGUE, inspect
from pyheta.screen import duration, plain, table

SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Known:
    """A data set with a name. `path` is None if it is made, or while no data folder is set."""

    name: str
    path: Path | None
    present: bool


def known(data: Path | None) -> Sequence[Known]:
    """The data sets of the catalogue, and whether their files lie in the data folder."""
    paths = {name: data / file if data else None for name, (file, _) in CATALOGUE.items()}
    listed = [
        Known(name, path, path is not None and path.is_file()) for name, path in paths.items()
    ]
    return [Known(SYNTHETIC, None, present=True), *listed]


def check(text: str, time: str | None, data: Path | None) -> DatasetFacts:
    """Read and check a data set by its name or its path. Raises DataError."""
    by_name = text == SYNTHETIC or text in CATALOGUE
    dataset = {"name": text} if by_name else {"path": text, "time": time}
    facts, _ = inspect(dataset, base=Path.cwd(), data=data)
    return facts


def known_view(listed: Sequence[Known]) -> RenderableType:
    shown = table("data set", "file", "")
    for one in listed:
        place = str(one.path) if one.path else "made" if one.present else "no data folder set"
        shown.add_row(one.name, place, "" if one.present else "missing")
    return shown


def facts_view(facts: DatasetFacts) -> RenderableType:
    shown = table("in order", "")
    shown.add_row("rows", f"{facts.rows:,}, one every {duration(facts.step_seconds)}")
    shown.add_row("from", facts.first.isoformat(" "))
    shown.add_row("to", facts.last.isoformat(" "))
    shown.add_row("columns", plain(", ".join(facts.columns)))
    return shown
