"""The rows of a query to a PostgreSQL database. It is only read from, and only for a while."""

import asyncio
import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
import polars as pl
from pydantic import Field, field_validator

from pyheta.errors import ConfigError, DataError, Unreachable
from pyheta.fetch.http import LARGEST, Tell
from pyheta.fetch.source import Means, Source, write_table

Record = asyncpg.Record
Connection: TypeAlias = "asyncpg.Connection[Record]"  # takes a parameter in the stubs only

CONNECT_SECONDS: Final = 10.0
SECONDS: Final = 600.0  # for all of it
BATCH: Final = 10_000  # rows

#: PostgreSQL's types and those of the kept file.
TYPES: Final[Mapping[str, pl.DataType]] = {
    "int2": pl.Int64(),
    "int4": pl.Int64(),
    "int8": pl.Int64(),
    "float4": pl.Float64(),
    "float8": pl.Float64(),
    "numeric": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "timestamptz": pl.Datetime("us", "UTC"),
    "text": pl.String(),
    "varchar": pl.String(),
    "bpchar": pl.String(),
}

#: User and password hold no sign of those that part an address, and nothing after them an @: so
#: what is shown as the place is never a piece of a password that was not percent-encoded.
_HOST = r"(\[[0-9A-Fa-f:.%]+\]|[^][:,/?#@\s]*)(:\d{1,5})?"
_ADDRESS = re.compile(
    rf"postgres(ql)?://([^/?#@\s]*@)?(?P<place>{_HOST}(,{_HOST})*(/[^?#@\s]*)?)(\?[^@\s]*)?"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_ACCESS = (
    asyncpg.InvalidPasswordError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    ssl.SSLError,
)
_PASSING = (
    OSError,  # refused, reset, unknown host, no answer in time
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
)


class Postgresql(Source):
    """`source: {postgresql: MY_DATABASE, query: "select …"}`.

    `postgresql` names the variable of the environment that has the address.
    """

    postgresql: str = Field(max_length=4096)
    query: str = Field(min_length=1, max_length=100_000)

    @field_validator("postgresql")
    @classmethod
    def _names_a_variable(cls, name: str) -> str:
        if not _VARIABLE.fullmatch(name):
            raise ValueError("write the name of the variable that has the address, as in MY_DB")
        return name

    def place(self, means: Means) -> str:
        """Host and database: no user, no password."""
        address = means.variable(self.postgresql, "the database's address, postgresql://…")
        found = _ADDRESS.fullmatch(address)
        if not found:  # nothing of it is shown: any part may be one of the password
            what = f"the variable {self.postgresql} has no address of PostgreSQL"
            cure = "write it like postgresql://user@host/database, with @ as %40 and / as %2F"
            raise ConfigError(what, cure=cure)
        return f"postgresql at {found['place']}"

    def write(self, to: Path, means: Means) -> None:
        place = self.place(means)
        address = means.variable(self.postgresql, "the database's address")
        frame = asyncio.run(_rows(address, place, self.query, means.tell))
        if frame.is_empty():
            raise DataError("the query gives no rows", where=place, cure="try it in psql")
        write_table(to, frame)


async def _rows(address: str, place: str, query: str, tell: Tell) -> pl.DataFrame:
    connection = await _connect(address, place)
    try:
        with _query_translated(place):
            async with asyncio.timeout(SECONDS), connection.transaction(readonly=True):
                await connection.execute(f"SET LOCAL statement_timeout = {SECONDS * 1000:.0f}")
                return await _all_of(connection, query, tell)
    finally:
        connection.terminate()


async def _connect(address: str, place: str) -> Connection:
    try:
        return await asyncpg.connect(address, timeout=CONNECT_SECONDS)
    except _NO_ACCESS as error:
        what = f"gives no access: {_first_line(error)}"
        raise ConfigError(what, where=place, cure="check the address in the variable") from error
    except _PASSING as error:
        what = f"cannot be reached: {_first_line(error)}"
        cure = "check that it runs and can be reached, then try again"
        raise Unreachable(what, where=place, cure=cure) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        # The text of a malformed address may hold a piece of the password.
        what = "cannot be connected to with the address in the variable"
        raise ConfigError(what, where=place, cure="try it with psql") from error


async def _all_of(connection: Connection, query: str, tell: Tell) -> pl.DataFrame:
    statement = await connection.prepare(query)
    schema = _schema(statement.get_attributes())
    cursor = await statement.cursor()
    frames, size = [pl.DataFrame(schema=schema)], 0
    while rows := await cursor.fetch(BATCH):
        frames.append(_frame(rows, schema))
        size += int(frames[-1].estimated_size())
        if size > LARGEST:
            raise DataError(f"the query gives more than {LARGEST >> 20} MiB", cure="take less")
        tell(size, None)
    return pl.concat(frames)


def _schema(attributes: Sequence[asyncpg.Attribute]) -> dict[str, pl.DataType]:
    """The columns of the answer. Raises DataError if one cannot be kept."""
    if not attributes:
        raise DataError("the query gives no table", cure="write one that begins with SELECT")
    schema: dict[str, pl.DataType] = {}
    for attribute in attributes:
        name, kind = attribute.name, attribute.type.name
        if name in schema:
            cure = "name them with AS in the query"
            raise DataError(f"two columns are called '{name}'", cure=cure)
        if kind not in TYPES:
            what = f"column '{name}' has the type {kind}, which no series has"
            raise DataError(what, cure=f"leave it out, or cast it, as in {name}::float8")
        schema[name] = TYPES[kind]
    return schema


def _frame(rows: Sequence[Record], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [
            pl.Series(name, _floats(values) if kind == pl.Float64 else values, kind)
            for (name, kind), values in zip(schema.items(), columns, strict=True)
        ]
    )


def _floats(values: Sequence[Any]) -> list[float | None]:
    """Numbers of the type `numeric` are decimals."""
    return [None if value is None else float(value) for value in values]


@contextmanager
def _query_translated(place: str) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, asyncpg.QueryCanceledError) as error:
        what = f"the query takes longer than {SECONDS:.0f} seconds"
        raise DataError(
            what, where=place, cure="ask for less, or for a table made before"
        ) from error
    except asyncpg.ReadOnlySQLTransactionError as error:
        what = "the query would change the database"
        raise DataError(what, where=place, cure="write one that only reads") from error
    except _PASSING as error:
        what = f"broke off: {_first_line(error)}"
        raise Unreachable(what, where=place, cure="try again") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        what = f"the query is refused: {_first_line(error)}"
        raise DataError(what, where=place, cure="try it in psql") from error
    except DataError as error:
        error.where = error.where or place
        raise


def _first_line(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = getattr(error, "strerror", None) or str(error)
    return text.strip().partition("\n")[0] or type(error).__name__
