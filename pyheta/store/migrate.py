"""Migrations of the schema: all missing ones in one transaction, by one process at a time."""

from pyheta.errors import ConfigError
from pyheta.store.database import Connection, place, session
from pyheta.store.driver_errors import translated
from pyheta.store.sql import load, migrations

_SQL = load("migrate")


async def migrate(url: str) -> list[str]:
    """Bring the schema to this version, creating it if need be; the names of what was applied.

    Raises:
        ConfigError: the schema is newer than this code, or not PyHeta's.
        StoreUnavailable: the server is out of reach.
    """
    async with session(url) as connection:
        with translated(place(url)):
            return await upgrade(connection)


async def upgrade(connection: Connection) -> list[str]:
    """`migrate` on an open connection."""
    async with connection.transaction():
        await connection.execute(_SQL["lock"])
        await _bootstrap(connection)
        version = _not_newer(await schema_version(connection))
        missing = [migration for migration in migrations() if migration.version > version]
        for migration in missing:
            await connection.execute(migration.text)
            await connection.execute(_SQL["record"], migration.version, migration.name)
    return [f"{migration.version:04} {migration.name}" for migration in missing]


async def check_schema(connection: Connection) -> int:
    """The schema's version, which is this code's.

    Raises:
        ConfigError: it is missing, older, newer or not PyHeta's; the cure says what to run.
    """
    version, newest = _not_newer(await schema_version(connection)), migrations()[-1].version
    if version < newest:
        what = f"has version {version}, this PyHeta needs {newest}" if version else "is missing"
        raise ConfigError(f"the schema `pyheta` {what}", cure="run `pyheta db upgrade`")
    return version


async def schema_version(connection: Connection) -> int:
    """The newest migration applied; 0: there is no schema, or an empty one."""
    look = await connection.fetchrow(_SQL["look"])
    if not look or not look["filled"]:
        return 0
    if not look["ours"]:
        what = "the schema `pyheta` holds something that is not PyHeta's"
        raise ConfigError(what, cure="use another database")
    return int(await connection.fetchval(_SQL["version"]))


async def _bootstrap(connection: Connection) -> None:
    look = await connection.fetchrow(_SQL["look"])
    if look and not look["present"]:
        await connection.execute(_SQL["create_schema"])
    if look and not look["filled"]:
        await connection.execute(_SQL["create_migration"])


def _not_newer(version: int) -> int:
    newest = migrations()[-1].version
    if version > newest:
        what = f"the schema `pyheta` has version {version}, this PyHeta knows {newest}"
        raise ConfigError(what, cure="upgrade PyHeta")
    return version
