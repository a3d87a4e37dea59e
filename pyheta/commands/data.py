"""Data sets: those that have a name, and what one file holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import CATALOGUE, inspect
from pyheta.screen import duration, plain, table

SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A data set with a name. `path` is None if it is made, or while no data folder is set."""

    name: str
    path: Path | None
    present: bool


def named_datasets(data: Path | None) -> Sequence[NamedDataset]:
    """The data sets of the catalogue, and whether their files lie in the data folder."""
    paths = {name: data / file if data else None for name, (file, _) in CATALOGUE.items()}
    listed = [
        NamedDataset(name, path, path is not None and path.is_file())
        for name, path in paths.items()
    ]
    return [NamedDataset(SYNTHETIC, None, present=True), *listed]


def check(name_or_path: str, time: str | None, data: Path | None) -> DatasetFacts:
    """Read and check a data set by its name or its path. Raises DataError."""
    by_name = name_or_path == SYNTHETIC or name_or_path in CATALOGUE
    dataset = (
        {"name": name_or_path}
        if by_name
        else {"path": name_or_path} | ({"time": time} if time else {})
    )
    facts, _ = inspect(dataset, base=Path.cwd(), data=data)
    return facts


def facts_json(facts: DatasetFacts) -> Mapping[str, Any]:
    """What machines are told of a data set."""
    return {
        "source": facts.source,
        "files": facts.files,
        "columns": facts.columns,
        "rows": facts.rows,
        "first": facts.first,
        "last": facts.last,
        "step_seconds": facts.cadence.seconds,
        "season": facts.cadence.season,
        "left_out": {name: str(error) for name, error in facts.left_out.items()},
        "notes": facts.notes,
    }


def datasets_view(listed: Sequence[NamedDataset]) -> RenderableType:
    shown = table("data set", "file", "")
    for dataset in listed:
        where = "made" if dataset.present else "no data folder set"
        place = str(dataset.path) if dataset.path else where
        shown.add_row(dataset.name, place, "" if dataset.present else "missing")
    return shown


def facts_view(facts: DatasetFacts) -> RenderableType:
    shown = table("in order", "")
    shown.add_row("rows", f"{facts.rows:,}, one every {duration(facts.cadence.seconds)}")
    shown.add_row("from", facts.first.isoformat(" "))
    shown.add_row("to", facts.last.isoformat(" "))
    shown.add_row("columns", plain(", ".join(facts.columns)))
    for name, error in facts.left_out.items():
        shown.add_row("left out", plain(f"{name}: {error}"))
    for note in facts.notes:
        shown.add_row("", plain(note))
    return shown
