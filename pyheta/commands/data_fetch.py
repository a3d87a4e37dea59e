"""Get files of data sets: of a name, from its addresses, another one or a path; or of a sweep."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyheta.commands.library import Library
from pyheta.commands.progress import progress
from pyheta.errors import DataError, InputError, Unreachable
from pyheta.fetch.http import copy, download
from pyheta.fetch.keep import Kept
from pyheta.pipeline.data.catalogue import Entry
from pyheta.screen import volume
from pyheta.sweep import read_sweep


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file of a data set. `checked`: it has the hash that the catalogue knows."""

    name: str
    path: Path
    size: int
    sha256: str
    checked: bool
    new: bool
    licence: str = ""


def fetch(
    library: Library, what: str, *, source: str | None = None, refresh: bool = False
) -> Sequence[Fetched]:
    """Get the file of a name, or all files of a sweep, unless they are here.

    Raises DataError or Unreachable, which say what to get by hand and where to put it.
    """
    if not what.endswith((".yaml", ".yml")):
        return [fetch_named(library, what, source=source, refresh=refresh)]
    if source:
        raise InputError("--from is for one data set", cure="name it in place of the sweep")
    return fetch_sweep(library, Path(what), refresh=refresh)


def fetch_sweep(library: Library, path: Path, *, refresh: bool = False) -> Sequence[Fetched]:
    """Get what a sweep's data sets need and is not here.

    With `refresh`, sources are asked again. Well-known files stay: they do not change.
    """
    sections = {run.config.dataset_key() for run in read_sweep(path).runs()}
    datasets = [json.loads(section) for section in sorted(sections)]
    kept = [library.ask(each["source"], refresh=refresh) for each in datasets if "source" in each]
    names = sorted({name for each in datasets if library.has_entry(name := each.get("name", ""))})
    return [*map(_of_source, kept), *(fetch_named(library, name) for name in names)]


def fetch_named(
    library: Library, name: str, *, source: str | None = None, refresh: bool = False
) -> Fetched:
    """Get the file of a name unless it is here. `source`: an address or a path to take instead."""
    if not library.has_entry(name):
        path = library.file(name)
        return Fetched(name, path, path.stat().st_size, _digest(path), checked=False, new=False)
    entry, path = library.entry(name), library.place(name)
    if path.exists() and not refresh:
        return _here(name, entry, path)
    try:
        sha256 = _get(library, name, path, source)
    except (DataError, Unreachable) as error:
        raise _by_hand(error, entry, path) from error
    return _of_entry(name, entry, path, sha256, new=True)


def in_words(fetched: Sequence[Fetched]) -> str:
    """Where the files are, and their hashes."""
    return "\n".join(map(_line, fetched)) or "every file of this sweep is named by its path"


def _line(fetched: Fetched) -> str:
    checked = "as it should be" if fetched.checked else "no hash is known to check it by"
    there = "" if fetched.new else " (was here; to get it anew: --refresh)"
    licence = f"\nlicence: {fetched.licence}" if fetched.licence else ""
    return (
        f"{fetched.name}: {fetched.path}, {volume(fetched.size)}{there}\n"
        f"sha256 {fetched.sha256}, {checked}{licence}"
    )


def _of_source(kept: Kept) -> Fetched:
    return Fetched(kept.place, kept.path, kept.size, kept.sha256, checked=False, new=kept.new)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _here(name: str, entry: Entry, path: Path) -> Fetched:
    sha256 = _digest(path)
    if entry.sha256 and sha256 != entry.sha256 and path.name == Path(entry.file).name:
        what = f"the file that is here has the SHA-256 {sha256}, the data set {entry.sha256}"
        cure = f"to replace it: pyheta data fetch {name} --refresh"
        raise DataError(what, where=str(path), cure=cure)
    return _of_entry(name, entry, path, sha256, new=False)


def _of_entry(name: str, entry: Entry, path: Path, sha256: str, *, new: bool) -> Fetched:
    size, checked = path.stat().st_size, sha256 == entry.sha256
    return Fetched(name, path, size, sha256, checked, new, entry.licence)


def _get(library: Library, name: str, path: Path, source: str | None) -> str:
    entry = library.entry(name)
    if source and "://" not in source:
        return copy(Path(source).expanduser(), path, sha256=entry.sha256)
    urls = (source,) if source else entry.urls
    if not urls:
        raise DataError(f"no address of '{name}' is known", where=str(path))
    with progress(name, library.screen) as tell:
        return download(urls, path, sha256=entry.sha256, tell=tell)


def _by_hand(error: DataError | Unreachable, entry: Entry, path: Path) -> DataError | Unreachable:
    """The error with what to do without a network."""
    kind = Unreachable if isinstance(error, Unreachable) else DataError
    origin = f" from {entry.origin}" if entry.origin else ""
    hand = f"by hand: get {path.name}{origin} and put it at {path}"
    return kind(error.what, where=error.where, cure="; ".join(filter(None, [error.cure, hand])))
