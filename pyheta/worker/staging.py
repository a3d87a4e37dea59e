"""Artifacts on this machine: steps read and write them as files, each named after its hash.

All workers of a user share one cache in their home folder. A file appears in it whole (written
elsewhere, then renamed) and never changes, so any number of processes may read it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import IO, Self
from uuid import uuid4

from pyheta.errors import StepError, StoreError, StoreUnavailable
from pyheta.steps import EARLIER, Claim, Input, Product
from pyheta.store.seam import Artifacts

#: The cache is trimmed to this size. The files used longest ago go first: no child reads those.
CACHE_BYTES = 4 * 1024**3
#: A worker trims the cache when it starts and whenever it has added so many bytes.
TRIM_AFTER_BYTES = 512 * 1024**2


class Staging:
    """`with Staging(home, artifacts) as staging:` owns a work folder that goes with its process."""

    def __init__(self, home: Path, artifacts: Artifacts) -> None:
        self.artifacts = artifacts
        self.cache = home / "cache"
        self.work = home / "work"
        self.folder = self.work / uuid4().hex
        self._lock: IO[bytes] | None = None
        self._added = 0

    def __enter__(self) -> Self:
        self.cache.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.work.mkdir(mode=0o700, exist_ok=True)
        with _locked(self.work):  # or another worker might find the new folder before its lock
            self.folder.mkdir(mode=0o700)
            self._lock = _locked(self.folder)
            _remove_abandoned(self.work)
        _trim(self.cache, CACHE_BYTES)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock:
            self._lock.close()

    def out(self, claim: Claim) -> Path:
        """An empty folder named after step and fence, so that a zombie writes into another one."""
        out = self.folder / f"{claim.step}-{claim.fence}"
        out.mkdir(mode=0o700)
        return out

    async def bring(self, inputs: Iterable[Input]) -> dict[str, dict[str, str]]:
        """Paths of a step's inputs by role and name, fetched where they are not here yet.

        The products of an earlier step may have been removed since the claim: then the step is
        computed from the start.
        """
        paths: dict[str, dict[str, str]] = {}
        for role, items in groupby(sorted(inputs, key=attrgetter("role")), attrgetter("role")):
            try:
                paths[role] = {item.name: str(await self._bring(item.sha256)) for item in items}
            except StoreError as error:
                if role != EARLIER or isinstance(error, StoreUnavailable):
                    raise
        return paths

    async def keep(self, products: Mapping[str, Path], out: Path) -> tuple[Product, ...]:
        """Put a step's products into the store, then into the cache for the next step.

        No file is moved before the store has all of them, so this can be repeated after an outage.
        """
        kept = [(path, await self._put(name, path, out)) for name, path in products.items()]
        for path, product in kept:
            self._move_to_cache(path, product)
        return tuple(product for _, product in kept)

    async def _bring(self, sha256: str) -> Path:
        path = self._cached(sha256)
        if path.exists():
            with suppress(OSError):
                os.utime(path)  # so that trimming takes it later
        else:
            path.parent.mkdir(exist_ok=True)
            await self.artifacts.fetch(sha256, path)
            self._count(path)
        return path

    async def _put(self, name: str, path: Path, out: Path) -> Product:
        if not path.resolve().is_relative_to(out.resolve()) or not path.is_file():
            raise StepError(
                f"product {name!r} is not a file in the attempt's folder", where=str(path)
            )
        stored = await self.artifacts.put(path)
        return Product(name, stored.sha256, stored.size)

    def _move_to_cache(self, path: Path, product: Product) -> None:
        cached = self._cached(product.sha256)
        cached.parent.mkdir(exist_ok=True)
        _make_durable(path)
        path.replace(cached)
        self._count(cached)

    def _count(self, added: Path) -> None:
        self._added += added.stat().st_size
        if self._added > TRIM_AFTER_BYTES:
            self._added = 0
            _trim(self.cache, CACHE_BYTES)

    def _cached(self, sha256: str) -> Path:
        return self.cache / sha256[:2] / sha256


def _locked(folder: Path) -> IO[bytes]:
    """A lock that the kernel releases when this process ends, however it ends."""
    lock = (folder / "lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _make_durable(path: Path) -> None:
    """Flush it to disk: after a power cut, the cache must hold whole files only."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _remove_abandoned(work: Path) -> None:
    """Remove the folders of workers that were killed: nobody holds their locks any more."""
    for folder in work.iterdir():
        with suppress(OSError), (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _trim(cache: Path, limit: int) -> None:
    files = sorted(_sizes(cache))
    excess = sum(size for _, size, _ in files) - limit
    for _, size, path in files:
        if excess <= 0:
            return
        excess -= size
        path.unlink(missing_ok=True)


def _sizes(cache: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, size and path of each file. Another worker may remove some meanwhile."""
    for path in cache.glob("??/*"):
        with suppress(FileNotFoundError):
            state = path.stat()
            yield state.st_mtime, state.st_size, path
