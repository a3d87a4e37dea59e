"""Get the file of a named data set: from its addresses, another one, or a path."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyheta.commands.library import Library
from pyheta.errors import DataError, Unreachable
from pyheta.fetch.http import Tell, copy, download
from pyheta.pipeline.data.catalogue import Entry
from pyheta.screen import Screen, volume

#: In a pipe there is a line for each so many bytes.
STEP = 32 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file of a data set. `checked`: it has the hash that the catalogue knows."""

    name: str
    path: Path
    size: int
    sha256: str
    checked: bool
    new: bool


def fetch_named(
    library: Library, name: str, screen: Screen, *, source: str | None = None, refresh: bool = False
) -> Fetched:
    """Get the file of a name unless it is here. `source` is an address or a path to take instead.

    Raises DataError or Unreachable, which say what to get by hand and where to put it.
    """
    entry, path = library.entry(name), library.place(name)
    if path.exists() and not refresh:
        return _here(name, entry, path)
    try:
        sha256 = _get(name, entry, path, source, screen)
    except (DataError, Unreachable) as error:
        raise _by_hand(error, entry, path) from error
    return Fetched(name, path, path.stat().st_size, sha256, entry.sha256 is not None, new=True)


def in_words(fetched: Fetched) -> str:
    """Where the file is, and its hash."""
    checked = "as it should be" if fetched.checked else "no hash is known to check it by"
    there = "" if fetched.new else " (was here; to get it anew: --refresh)"
    return (
        f"{fetched.name}: {fetched.path}, {volume(fetched.size)}{there}\n"
        f"sha256 {fetched.sha256}, {checked}"
    )


def _here(name: str, entry: Entry, path: Path) -> Fetched:
    sha256 = _digest(path)
    if entry.sha256 and sha256 != entry.sha256 and path.name == Path(entry.file).name:
        what = f"the file that is here has the SHA-256 {sha256}, the data set {entry.sha256}"
        cure = f"to replace it: pyheta data fetch {name} --refresh"
        raise DataError(what, where=str(path), cure=cure)
    checked = sha256 == entry.sha256
    return Fetched(name, path, path.stat().st_size, sha256, checked, new=False)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _get(name: str, entry: Entry, path: Path, source: str | None, screen: Screen) -> str:
    if source and "://" not in source:
        return copy(Path(source).expanduser(), path, sha256=entry.sha256)
    urls = (source,) if source else entry.urls
    if not urls:
        raise DataError(f"no address of '{name}' is known", where=str(path))
    screen.note(f"{name}: from {urls[0]}")
    with progress(name, screen) as tell:
        return download(urls, path, sha256=entry.sha256, tell=tell)


def _by_hand(error: DataError | Unreachable, entry: Entry, path: Path) -> DataError | Unreachable:
    """The error with what to do without a network."""
    kind = Unreachable if isinstance(error, Unreachable) else DataError
    origin = f" from {entry.origin}" if entry.origin else ""
    hand = f"by hand: get {path.name}{origin} and put it at {path}"
    return kind(error.what, where=error.where, cure="; ".join(filter(None, [error.cure, hand])))


@contextmanager
def progress(name: str, screen: Screen) -> Iterator[Tell]:
    """Shows how far a download is: a bar on a terminal, now and then a line elsewhere."""
    if not screen.live:
        yield _Lines(name, screen)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    with Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=screen.err,
        transient=True,
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


class _Lines:
    """Says at each step how much is there."""

    def __init__(self, name: str, screen: Screen) -> None:
        self._name = name
        self._screen = screen
        self._next = STEP

    def __call__(self, have: int, total: int | None) -> None:
        if have >= self._next:
            self._next = have - have % STEP + STEP
            of = f" of {volume(total)}" if total else ""
            self._screen.note(f"{self._name}: {volume(have)}{of}")
