"""All data sets that have a name here: well-known ones, one's own, files of the data folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pyheta.commands.progress import progress
from pyheta.commands.shelf import Shelf
from pyheta.errors import DataError
from pyheta.fetch.keep import Keep, Kept
from pyheta.fetch.source import Means
from pyheta.pipeline.data.catalogue import CATALOGUE, Entry, find_file
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.own import NAME, SYNTHETIC, own_entries
from pyheta.pipeline.data.sources import inspect, missing
from pyheta.screen import Screen, moment
from pyheta.settings import Settings


@dataclass(frozen=True)
class Library:
    """Finds data sets by name, and brings those whose files are not here yet."""

    settings: Settings
    screen: Screen
    shelf: Shelf | None = None

    @cached_property
    def own(self) -> Mapping[str, Entry]:
        """The entries of `pyheta.toml`. Raises ConfigError."""
        return own_entries(self.settings.datasets, self.settings.file)

    def has_entry(self, name: str) -> bool:
        return name in CATALOGUE or name in self.own

    def entry(self, name: str) -> Entry:
        """The entry of a name that has one."""
        return CATALOGUE.get(name) or self.own[name]

    def place(self, name: str) -> Path:
        """Where the file of an entry lies, or is to lie."""
        found = find_file(name, self.settings.data) if name in CATALOGUE else None
        return found or self.settings.data / self.entry(name).file

    def file(self, name: str) -> Path:
        """The file of a name without an entry: of the data folder, else of the store.

        Raises DataError if there is none.
        """
        if name == SYNTHETIC:
            raise DataError(f"'{name}' is made when it is needed: it has no file")
        found = find_file(name, self.settings.data) if NAME.fullmatch(name) else None
        found = found or (self.shelf.take(name) if self.shelf else None)
        if found is None:
            stored = [each.name for each in self.shelf.all()] if self.shelf else []
            raise missing(name, self.settings.data, (*self.own, *stored))
        return found

    def bring(self, dataset: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Bring`."""
        if "source" in dataset:
            return self._from_source(dataset)
        name = str(dataset.get("name", ""))
        if name in self.own:
            return self._as_file(name, dataset)
        if not name or name == SYNTHETIC or name in CATALOGUE:
            return dataset
        return {**_without(dataset, "name"), "path": str(self.file(name))}

    def look(self, dataset: Mapping[str, Any], base: Path) -> DatasetFacts:
        """Read and check a data set; paths count from `base`. Raises DataError."""
        facts, _ = inspect(self.bring(dataset), base=base, data=self.settings.data)
        return facts

    def ask(self, source: Mapping[str, Any], *, refresh: bool = False) -> Kept:
        """The kept file of a source. Raises DataError, ConfigError or Unreachable."""
        with progress(next(iter(source), ""), self.screen) as tell:
            keep = Keep(self.settings.home / "sources", Means(os.environ, tell))
            return keep.bring(source, refresh=refresh)

    def _from_source(self, dataset: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a source gave, as the file that is kept of it."""
        kept = self.ask(dataset["source"])
        self.screen.note(in_words(kept))
        return {**_without(dataset, "source"), "path": str(kept.path)}

    def _as_file(self, name: str, dataset: Mapping[str, Any]) -> Mapping[str, Any]:
        """A data set of one's own, as the file that it is."""
        entry = self.own[name]
        if entry.urls and not Path(entry.file).exists():
            cure = f"get it with: pyheta data fetch {name}"
            raise DataError("no such file", where=entry.file, cure=cure)
        return {**entry.options, **_without(dataset, "name"), "path": entry.file}


def _without(dataset: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {name: value for name, value in dataset.items() if name != key}


def in_words(kept: Kept) -> str:
    """Where a source's bytes are from, and since when they are kept."""
    since = "now" if kept.new else f"as kept since {moment(kept.at)}"
    anew = "" if kept.new else "; to ask again: pyheta data fetch SWEEP --refresh"
    return f"{kept.place}: {since}, sha256 {kept.sha256[:12]}{anew}"
