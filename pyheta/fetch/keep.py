"""What sources gave, kept: a source is asked once, and its bytes are a file like any other."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyheta.fetch.registry import read_source
from pyheta.fetch.source import Means, Source
from pyheta.steps import digest


@dataclass(frozen=True, slots=True)
class Kept:
    """The file of a source: where it came from, when, and its hash."""

    place: str
    path: Path
    size: int
    sha256: str
    at: datetime
    new: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """A folder with what sources gave. `NAME.json` says where `NAME` is from."""

    folder: Path
    means: Means

    def bring(self, written: Mapping[str, Any], *, refresh: bool = False) -> Kept:
        """The file of a source, which is asked if there is none, or to `refresh` it.

        Raises DataError, ConfigError or Unreachable; what was kept before then stays.
        """
        name, source = read_source(written)
        place = source.place(self.means)
        identity = digest([name, source.model_dump(mode="json"), place])
        path = self.folder / f"{name}-{identity[:16]}{source.ending}"
        if not refresh and (kept := _noted(path, place)):
            return kept
        return self._ask(source, place, path)

    def _ask(self, source: Source, place: str, path: Path) -> Kept:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # rows may be confidential
        source.write(path, self.means)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        kept = Kept(place, path, path.stat().st_size, sha256, datetime.now(UTC), new=True)
        note = {"place": place, "sha256": sha256, "size": kept.size, "at": kept.at.isoformat()}
        _note_of(path).write_text(json.dumps(note), encoding="utf-8")
        return kept


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _noted(path: Path, place: str) -> Kept | None:
    """What is kept; None if nothing is, or if it is not what was noted of it."""
    try:
        note = json.loads(_note_of(path).read_text(encoding="utf-8"))
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        at = datetime.fromisoformat(note["at"])
        whole = sha256 == note["sha256"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return Kept(place, path, path.stat().st_size, sha256, at, new=False) if whole else None
