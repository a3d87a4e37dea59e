"""Files that have a name. Statements are in `sql/datasets.sql`."""

from collections.abc import Sequence

from pyheta.store.database import Connection, Database, Record
from pyheta.store.seam import StoredDataset
from pyheta.store.sql import load

_SQL = load("datasets")


class PostgresDatasets:
    """See `Datasets`."""

    _database: Database

    async def add_dataset(self, name: str, sha256: str, file: str, size: int) -> StoredDataset:
        async def work(connection: Connection) -> StoredDataset:
            await connection.execute(_SQL["add"], name, sha256, file, size)
            [row] = await connection.fetch(_SQL["find"], name)
            return _stored(row)

        return await self._database.run(work)

    async def find_dataset(self, name: str) -> StoredDataset | None:
        rows = await self._database.fetch(_SQL["find"], name)
        return _stored(rows[0]) if rows else None

    async def datasets(self) -> Sequence[StoredDataset]:
        return [_stored(row) for row in await self._database.fetch(_SQL["all"])]

    async def remove_dataset(self, name: str) -> bool:
        return bool(await self._database.fetch(_SQL["remove"], name))


def _stored(row: Record) -> StoredDataset:
    return StoredDataset(row["name"], row["sha256"], row["file"], row["size"], row["added_at"])
