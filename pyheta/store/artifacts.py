"""Artifacts: bytes under the SHA-256 of themselves, in PostgreSQL or in an object store."""

import asyncio
import hashlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import ObjectStore, from_url

from pyheta.atomic import write_whole
from pyheta.errors import ConfigError, StoreError, StoreUnavailable
from pyheta.settings import masked
from pyheta.steps import Product
from pyheta.store.database import LONG_SECONDS, Database, Record
from pyheta.store.seam import StoredArtifact
from pyheta.store.sql import load

if TYPE_CHECKING:
    from obstore import ObjectMeta  # exists in the library's stubs only

#: The largest artifact in PostgreSQL, in bytes. Its own limit is 1 GiB; every copy takes memory.
LARGEST_BLOB: Final = 512 * 2**20
#: So many artifacts are listed, checked and removed at once.
BATCH: Final = 200
_STORES: Final = "stores"
_OBJECT: Final = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})")
_SQL = load("blobs")


class HashNamed(ABC):
    """See `Artifacts`: put and fetch, given three operations on bytes under their hash."""

    where: str

    @abstractmethod
    async def _keep(self, sha256: str, content: bytes) -> None:
        """Keep the bytes; if they are there already, they are young again."""

    @abstractmethod
    async def _read(self, sha256: str) -> bytes | None:
        """The bytes; None if they are not there."""

    @abstractmethod
    async def _remove(self, sha256: str) -> None: ...

    async def put(self, path: Path) -> Product:
        content = await asyncio.to_thread(path.read_bytes)
        sha256 = hashlib.sha256(content).hexdigest()
        await self._keep(sha256, content)
        return Product(path.stem, sha256, len(content))

    async def fetch(self, sha256: str, to: Path) -> None:
        content = await self._read(sha256)
        if content is None:
            raise StoreError(f"artifact {sha256[:12]} is not there", where=self.where)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StoreError(
                f"artifact {sha256[:12]} is damaged: its bytes have another hash", where=self.where
            )
        await asyncio.to_thread(write_whole, to, content)

    async def check(self) -> str:
        content = secrets.token_bytes(32)  # nobody else's artifact
        sha256 = hashlib.sha256(content).hexdigest()
        await self._keep(sha256, content)
        try:
            if await self._read(sha256) != content:
                raise StoreError(
                    "artifacts do not come back as they were written", where=self.where
                )
        finally:
            await self._remove(sha256)
        return self.where


class PostgresArtifacts(HashNamed):
    """In the table `blob`, beside everything else: nothing more to set up, up to 512 MiB each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.where = f"PostgreSQL at {database.where}"

    async def others(self) -> int:
        return 0  # the table is this store's own

    async def stored(self, grace: float) -> AsyncIterator[Sequence[StoredArtifact]]:
        last = ""
        while rows := await self._rows("page", last, BATCH, timedelta(seconds=grace)):
            yield [StoredArtifact(row["sha256"], row["size"], row["young"]) for row in rows]
            last = rows[-1]["sha256"]

    async def remove(self, artifacts: Sequence[str], grace: float) -> Collection[str]:
        removed = await self._rows("remove_unnamed", artifacts, timedelta(seconds=grace))
        return {row["sha256"] for row in removed}

    async def _keep(self, sha256: str, content: bytes) -> None:
        if await self._value("renew", sha256):
            return  # it was there: only the hash has been sent
        if len(content) > LARGEST_BLOB:
            what = f"an artifact of {len(content) / 2**20:.0f} MiB is too large for PostgreSQL"
            cure = (
                "set PYHETA_ARTIFACTS_URL to a folder (file://…) or a bucket that all "
                "machines reach"
            )
            raise ConfigError(what, where=self.where, cure=cure)
        await self._value("put", sha256, content)

    async def _read(self, sha256: str) -> bytes | None:
        return await self._value("get", sha256)

    async def _remove(self, sha256: str) -> None:
        await self._value("remove", sha256)

    async def _value(self, query: str, *args: object) -> bytes | None:
        return await self._database.run(
            lambda connection: connection.fetchval(_SQL[query], *args, timeout=LONG_SECONDS)
        )

    async def _rows(self, query: str, *args: object) -> list[Record]:
        return await self._database.run(
            lambda connection: connection.fetch(_SQL[query], *args, timeout=LONG_SECONDS)
        )


class ObjectArtifacts(HashNamed):
    """In a folder or bucket, as `<first two digits>/<hash>`.

    An object is only ever replaced by the same bytes.

    An empty object `stores/<id>` marks that the store with this id keeps artifacts here.
    """

    def __init__(self, url: str, store: UUID) -> None:
        """`url`: file://, s3://, gs:// or az://; credentials come from the provider's variables."""
        self.where = masked(url)
        self._objects = _object_store(url)
        self._marker = f"{_STORES}/{store}"
        self._is_marked = False

    async def put(self, path: Path) -> Product:
        if not self._is_marked:
            with _translated(self.where):
                await obstore.put_async(self._objects, self._marker, b"")
            self._is_marked = True
        return await super().put(path)

    async def others(self) -> int:
        with _translated(self.where):
            markers = await obstore.list(self._objects, prefix=_STORES).collect_async()
        return len({marker["path"] for marker in markers} - {self._marker})

    async def stored(self, grace: float) -> AsyncIterator[Sequence[StoredArtifact]]:
        with _translated(self.where):
            async for page in obstore.list(self._objects, chunk_size=BATCH):
                yield [_stored(meta, grace) for meta in page if _OBJECT.fullmatch(meta["path"])]

    async def remove(self, artifacts: Sequence[str], grace: float) -> Collection[str]:
        removed = await asyncio.gather(*(self._remove_old(sha256, grace) for sha256 in artifacts))
        return {sha256 for sha256, gone in zip(artifacts, removed, strict=True) if gone}

    async def _remove_old(self, sha256: str, grace: float) -> bool:
        """Look at its age again, then remove it at once: it must not be put again in between."""
        with _translated(self.where), suppress(FileNotFoundError, NotFoundError):
            meta = await obstore.head_async(self._objects, _name(sha256))
            if not _stored(meta, grace).young:
                await self._remove(sha256)
                return True
        return False

    async def _keep(self, sha256: str, content: bytes) -> None:
        with _translated(self.where):
            await obstore.put_async(self._objects, _name(sha256), content)

    async def _read(self, sha256: str) -> bytes | None:
        with _translated(self.where), suppress(FileNotFoundError, NotFoundError):
            answer = await obstore.get_async(self._objects, _name(sha256))
            return bytes(await answer.bytes_async())
        return None

    async def _remove(self, sha256: str) -> None:
        with _translated(self.where), suppress(FileNotFoundError, NotFoundError):
            await obstore.delete_async(self._objects, _name(sha256))


def _object_store(url: str) -> ObjectStore:
    try:
        return from_url(url, mkdir=True) if url.startswith("file:") else from_url(url)
    except (BaseError, OSError, ValueError) as error:
        what = f"artifacts cannot be kept here: {_first_line(error)}"
        raise ConfigError(what, where=masked(url), cure="check PYHETA_ARTIFACTS_URL") from error


def _name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _stored(meta: "ObjectMeta", grace: float) -> StoredArtifact:
    """An artifact; its age is taken by this machine's clock.

    Providers refuse requests from clocks that are wrong by a quarter of an hour.
    """
    young = datetime.now(UTC) - meta["last_modified"] < timedelta(seconds=grace)
    return StoredArtifact(meta["path"].rpartition("/")[2], meta["size"], young)


@contextmanager
def _translated(where: str) -> Iterator[None]:
    try:
        yield
    except (
        PermissionDeniedError,
        UnauthenticatedError,
        UnknownConfigurationKeyError,
        ValueError,
    ) as error:
        what = f"no access to the artifacts: {_first_line(error)}"
        raise ConfigError(
            what, where=where, cure="check PYHETA_ARTIFACTS_URL and its credentials"
        ) from error
    except (BaseError, OSError) as error:
        what = f"cannot reach the artifacts: {_first_line(error)}"
        raise StoreUnavailable(
            what, where=where, cure="check that they can be reached, then try again"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
