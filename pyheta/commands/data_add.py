"""Give a file a name in the store, so that all its users can read it; or take the name away."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pyheta.commands.library import Library
from pyheta.errors import InputError
from pyheta.pipeline.data.catalogue import find_file
from pyheta.pipeline.data.files.rawfile import read_bytes
from pyheta.pipeline.data.own import name_trouble
from pyheta.screen import volume
from pyheta.store.seam import Artifacts, Datasets, StoredDataset


@dataclass(frozen=True, slots=True)
class Added:
    """A file with a name in the store."""

    name: str
    sha256: str
    size: int


def check_addition(library: Library, path: Path, name: str | None) -> str:
    """The name that a file is to have. Raises InputError if it cannot be.

    A name is taken by a well-known data set, by one's own, or by another file of the data folder.
    """
    sha256 = _digest(path)
    chosen = name if name is not None else path.name.partition(".")[0]
    if trouble := name_trouble(chosen):
        raise InputError(trouble, where=str(path), cure="choose one with --name")
    if chosen in library.own:
        what = f"'{chosen}' is a data set of {library.settings.file}"
        raise InputError(what, where=str(path), cure="choose another with --name")
    here = find_file(chosen, library.settings.data)
    if here and _digest(here) != sha256:
        what = f"'{chosen}' is another file of the data folder, {here}"
        raise InputError(what, where=str(path), cure="choose another with --name")
    return chosen


async def add(store: Datasets, artifacts: Artifacts, path: Path, name: str) -> Added:
    """Put a file into the store and give it a name. Doing it again changes nothing.

    Raises InputError if another file has the name: whoever uses it would get other data.
    """
    if taken := await store.find_dataset(name):  # then nothing is put that nobody needs
        _refuse_another(path, _digest(path), taken)
    product = await artifacts.put(path)
    stored = await store.add_dataset(name, product.sha256, path.name, product.size)
    _refuse_another(path, product.sha256, stored)
    return Added(name, product.sha256, product.size)


async def remove(store: Datasets, name: str) -> str:
    """Take a name away; what was done, in words. Raises InputError if no file has it."""
    if not await store.remove_dataset(name):
        cure = "see pyheta data list"
        raise InputError(f"no file of the store is called '{name}'", cure=cure)
    return f"{name}: no name any more; sweeps keep the file, and pyheta gc removes what none needs"


def _refuse_another(path: Path, sha256: str, stored: StoredDataset) -> None:
    if stored.sha256 != sha256:
        what = f"'{stored.name}' is another file in the store ({stored.file}, {stored.sha256[:12]})"
        cure = f"choose another with --name, or first: pyheta data remove {stored.name}"
        raise InputError(what, where=str(path), cure=cure)


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def in_words(added: Added) -> str:
    size = volume(added.size)
    return f"{added.name}: {size}, sha256 {added.sha256}; in a sweep: dataset: {added.name}"
