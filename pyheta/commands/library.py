"""All data sets that have a name here: well-known ones, one's own, files of the data folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pyheta.errors import DataError
from pyheta.pipeline.data.catalogue import CATALOGUE, Entry, find_file
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.own import own_entries
from pyheta.pipeline.data.sources import inspect, missing
from pyheta.settings import Settings


@dataclass(frozen=True)
class Library:
    """Finds data sets by name, and brings those whose files are not here yet."""

    settings: Settings

    @cached_property
    def own(self) -> Mapping[str, Entry]:
        """The entries of `pyheta.toml`. Raises ConfigError."""
        return own_entries(self.settings.datasets, self.settings.file)

    def entry(self, name: str) -> Entry:
        """The entry of a name. Raises DataError if there is none."""
        if entry := CATALOGUE.get(name) or self.own.get(name):
            return entry
        raise missing(name, self.settings.data, self.own)

    def place(self, name: str) -> Path:
        """Where the file of an entry lies, or is to lie."""
        found = find_file(name, self.settings.data) if name in CATALOGUE else None
        return found or self.settings.data / self.entry(name).file

    def bring(self, dataset: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Bring`. A file in the data folder needs no bringing."""
        name = str(dataset.get("name", ""))
        if name in self.own:
            return self._as_file(name, dataset)
        return dataset

    def look(self, dataset: Mapping[str, Any], base: Path) -> DatasetFacts:
        """Read and check a data set; paths count from `base`. Raises DataError."""
        facts, _ = inspect(self.bring(dataset), base=base, data=self.settings.data)
        return facts

    def _as_file(self, name: str, dataset: Mapping[str, Any]) -> Mapping[str, Any]:
        """A data set of one's own, as the file that it is."""
        entry = self.own[name]
        if entry.urls and not Path(entry.file).exists():
            cure = f"get it with: pyheta data fetch {name}"
            raise DataError("no such file", where=entry.file, cure=cure)
        given = {key: value for key, value in dataset.items() if key != "name"}
        return {**entry.options, **given, "path": entry.file}
