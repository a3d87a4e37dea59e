"""The data sets of the store: files that somebody gave a name to, for all who use it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pyheta.store.seam import StoredDataset

if TYPE_CHECKING:
    from pyheta.commands.session import Session
    from pyheta.wiring import Services


@dataclass(frozen=True, slots=True)
class Shelf:
    """Looks into the store, if there is one: none is set up to look for a name."""

    session: "Session"

    def all(self) -> Sequence[StoredDataset]:
        return self.session.call(lambda services: services.store.datasets()) if self._open else []

    def take(self, name: str) -> Path | None:
        """The file that has this name, fetched to this machine; None if there is none."""
        return (
            self.session.call(lambda services: self._take(services, name)) if self._open else None
        )

    @property
    def _open(self) -> bool:
        settings = self.session.settings
        return bool(settings.database_url) or (settings.home / "postgres").exists()

    async def _take(self, services: "Services", name: str) -> Path | None:
        found = await services.store.find_dataset(name)
        if found is None:
            return None
        folder = services.settings.home / "sources" / found.sha256
        path = folder / Path(found.file).name
        if not _is(path, found.sha256):
            folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(exist_ok=True)
            await services.artifacts.fetch(found.sha256, path)
        return path


def _is(path: Path, sha256: str) -> bool:
    """Whether the file was fetched before and nobody has changed it since."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False
