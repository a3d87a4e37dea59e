"""The one place that knows the driver's errors. Outside of it there are only PyHeta's own."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from pyheta.errors import ConfigError, PyhetaError, StoreError, StoreUnavailable

_URL = "check PYHETA_DATABASE_URL"
_DIRECT = "connect to PostgreSQL itself, or to a pooler in session mode"
_TRY_LATER = "check that PostgreSQL runs and can be reached, then try again"

# What a person has to change first: error, what is wrong ({said}: the server's own words), cure.
_TO_CHANGE: tuple[tuple[type[Exception], str, str], ...] = (
    (asyncpg.InvalidPasswordError, "the server refuses the password: {said}", _URL),
    (asyncpg.InvalidAuthorizationSpecificationError, "the server lets nobody in: {said}", _URL),
    (asyncpg.InvalidCatalogNameError, "no such database: {said}", f"create it, or {_URL}"),
    (
        asyncpg.InsufficientPrivilegeError,
        "this user lacks a right: {said}",
        "grant it, or use another user",
    ),
    (
        asyncpg.ReadOnlySQLTransactionError,
        "the database is read-only: {said}",
        "name the primary server",
    ),
    (ssl.SSLError, "TLS failed: {said}", "check sslmode and certificates in PYHETA_DATABASE_URL"),
    (asyncpg.InvalidSQLStatementNameError, "a pooler mixes up sessions: {said}", _DIRECT),
    (asyncpg.DuplicatePreparedStatementError, "a pooler mixes up sessions: {said}", _DIRECT),
    (asyncpg.ProtocolViolationError, "the server refuses the session: {said}", _DIRECT),
    (asyncpg.ClientConfigurationError, "not usable: {said}", _URL),
    (asyncpg.UndefinedTableError, "the schema is not PyHeta's: {said}", "run `pyheta db upgrade`"),
    (asyncpg.UndefinedColumnError, "the schema is not PyHeta's: {said}", "run `pyheta db upgrade`"),
)

# What goes away by itself or by trying again.
_PASSING = (
    OSError,  # refused, reset, unknown host; TimeoutError is one too
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, start-up, statement timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process was frozen, or too busy to go on
    # The schema was upgraded; the driver has forgotten the plan now
    asyncpg.InvalidCachedStatementError,
    asyncpg.InterfaceError,  # the connection was closed under the statement
    asyncpg.InternalClientError,
)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn the driver's errors into ConfigError, StoreUnavailable or StoreError at `where`.

    Wrap calls of the driver only: an OSError of anything else would be taken for the network's.
    """
    try:
        yield
    except (
        asyncpg.PostgresError,
        *_PASSING,
        ssl.SSLError,
        asyncpg.ClientConfigurationError,
    ) as error:
        raise _translation(error, where) from error


def _translation(error: Exception, where: str) -> PyhetaError:
    said = _said(error)
    if isinstance(
        error, asyncpg.exceptions.DataError | ValueError
    ):  # a value that no column can hold
        return StoreError(f"the store refused: {said}", where=where)
    if isinstance(error, ConnectionError) and "SSL" in said:  # the driver has no class of its own
        return ConfigError(said, where=where, cure="check sslmode in PYHETA_DATABASE_URL")
    for kind, what, cure in _TO_CHANGE:
        if isinstance(error, kind):
            return ConfigError(what.format(said=said), where=where, cure=cure)
    if isinstance(error, _PASSING):
        return StoreUnavailable(f"cannot reach the store: {said}", where=where, cure=_TRY_LATER)
    return StoreError(f"the store refused: {said}", where=where)


def _said(error: Exception) -> str:
    """The error in one line, without the server's *detail*, which holds rows and parameters."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    text = getattr(error, "strerror", None) or str(error)
    return text.strip().partition("\n")[0] or type(error).__name__
