"""Artifacts on this machine: what steps read and write lies here as files, each under its hash.

One cache per home, shared by all workers of a user. Files appear in it whole (written aside, then renamed)
and are never changed, so any number of processes may read them at once.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self
from uuid import uuid4

from pyheta.errors import StoreError
from pyheta.steps import Claim, Input, Product
from pyheta.store.seam import Artifacts

#: The cache is trimmed to this size when a worker starts; the files used longest ago go first.
CACHE_BYTES = 4 * 1024**3


class Staging:
    """`with Staging(home, artifacts) as staging:` owns a work folder that vanishes with its process."""

    def __init__(self, home: Path, artifacts: Artifacts) -> None:
        self.artifacts = artifacts
        self.cache = home / "cache"
        self.work = home / "work"
        self.folder = self.work / uuid4().hex
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.cache.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, mode=0o700)
        self._lock = _locked(self.folder)
        _remove_abandoned(self.work)
        _trim(self.cache, CACHE_BYTES)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock:
            self._lock.close()

    def out(self, claim: Claim) -> Path:
        """An empty folder for this attempt alone; its fence is in the name, so a zombie writes elsewhere."""
        out = self.folder / f"{claim.step}-{claim.fence}"
        out.mkdir(mode=0o700)
        return out

    async def bring(self, inputs: Iterable[Input]) -> dict[str, dict[str, str]]:
        """Paths of a step's inputs by role and name, fetched where they are not here yet."""
        paths: dict[str, dict[str, str]] = {}
        for item in inputs:
            paths.setdefault(item.role, {})[item.name] = str(await self._bring(item.sha256))
        return paths

    async def keep(self, products: Mapping[str, Path], out: Path) -> tuple[Product, ...]:
        """Put a step's products into the store, and into the cache: the next step is likely to read them."""
        return tuple([await self._keep(name, path, out) for name, path in products.items()])

    async def _bring(self, sha256: str) -> Path:
        path = self._cached(sha256)
        if path.exists():
            with suppress(OSError):
                os.utime(path)  # used now: trimming takes it later
        else:
            path.parent.mkdir(exist_ok=True)
            await self.artifacts.fetch(sha256, path)
        return path

    async def _keep(self, name: str, path: Path, out: Path) -> Product:
        if not path.resolve().is_relative_to(out.resolve()):
            raise StoreError(f"product {name!r} lies outside the attempt's folder", where=str(path))
        stored = await self.artifacts.put(path)
        cached = self._cached(stored.sha256)
        cached.parent.mkdir(exist_ok=True)
        path.replace(cached)
        return Product(name, stored.sha256, stored.size)

    def _cached(self, sha256: str) -> Path:
        return self.cache / sha256[:2] / sha256


def _locked(folder: Path) -> IO[bytes]:
    """A lock that the kernel drops when this process ends, however it ends."""
    lock = (folder / "lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _remove_abandoned(work: Path) -> None:
    """Remove the folders of workers that were killed: nobody holds their locks any more."""
    for folder in work.iterdir():
        with suppress(OSError), (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


def _trim(cache: Path, limit: int) -> None:
    files = sorted((f for f in cache.glob("??/*") if f.is_file()), key=lambda f: f.stat().st_mtime)
    excess = sum(f.stat().st_size for f in files) - limit
    for file in files:
        if excess <= 0:
            return
        excess -= file.stat().st_size
        file.unlink(missing_ok=True)
