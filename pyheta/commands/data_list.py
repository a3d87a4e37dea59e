"""The data sets that have a name, what they are, and whether their files are here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from pyheta.commands.library import Library
from pyheta.pipeline.data.catalogue import CATALOGUE, Entry, files_in
from pyheta.pipeline.data.own import SYNTHETIC
from pyheta.screen import moment, plain, right, table


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A data set with a name. `path` is where its file lies or is to lie, None if there is none."""

    name: str
    about: str
    kind: str  # made, known, own, file, store
    path: str | None
    present: bool = True
    rows: int | None = None
    step: str = ""
    season: int | None = None
    target: str = ""
    columns: Sequence[str] = ()
    licence: str = ""
    origin: str = ""
    sha256: str | None = None
    urls: Sequence[str] = ()


def named_datasets(library: Library) -> Sequence[NamedDataset]:
    """All of them: made, well-known, one's own, files of the data folder, files of the store."""
    made = NamedDataset(SYNTHETIC, "Made hourly data with a known answer", "made", None)
    return [made, *_entries(library), *_files(library), *_stored(library)]


def _entries(library: Library) -> Iterator[NamedDataset]:
    for kind, entries in (("known", CATALOGUE), ("own", library.own)):
        for name, entry in entries.items():
            yield _of_entry(name, entry, kind, library.place(name))


def _of_entry(name: str, entry: Entry, kind: str, path: Path) -> NamedDataset:
    return NamedDataset(
        name=name,
        about=entry.about,
        kind=kind,
        path=str(path),
        present=path.is_file(),
        rows=entry.rows,
        step=entry.step,
        season=entry.season,
        target=entry.target,
        columns=entry.columns,
        licence=entry.licence,
        origin=entry.origin,
        sha256=entry.sha256,
        urls=entry.urls,
    )


def _files(library: Library) -> Iterator[NamedDataset]:
    for name, path in files_in(library.settings.data).items():
        if name not in library.own:
            yield NamedDataset(name, "A file of the data folder", "file", str(path))


def _stored(library: Library) -> Iterator[NamedDataset]:
    for each in library.shelf.all() if library.shelf else ():
        about = f"{each.file}, in the store since {moment(each.added_at)}"
        yield NamedDataset(each.name, about, "store", None, sha256=each.sha256)


def datasets_view(listed: Sequence[NamedDataset]) -> RenderableType:
    shown = table("data set", "what it is", *right("rows"), "step", "target", "file")
    for each in listed:
        rows = "" if each.rows is None else f"{each.rows:,}"
        about = plain(each.about)
        shown.add_row(each.name, about, rows, each.step, plain(each.target), _state(each))
    return shown


def _state(dataset: NamedDataset) -> str:
    if dataset.path is None:
        return "made" if dataset.kind == "made" else "in the store"
    return "here" if dataset.present else "missing"
