"""The data sets that have a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from pyheta.pipeline.data.sources import CATALOGUE
from pyheta.screen import table

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


def datasets_view(listed: Sequence[NamedDataset]) -> RenderableType:
    shown = table("data set", "file", "")
    for dataset in listed:
        where = "made" if dataset.present else "no data folder set"
        place = str(dataset.path) if dataset.path else where
        shown.add_row(dataset.name, place, "" if dataset.present else "missing")
    return shown
