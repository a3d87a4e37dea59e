"""Translates the driver's errors into PyHeta's: no other module knows them."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from pyheta.errors import ConfigError, PyhetaError, StoreError, StoreUnavailable

_URL = "check PYHETA_DATABASE_URL"
_DIRECT = "connect to PostgreSQL itself, or to a pooler in session mode"
_TRY_LATER = "check that PostgreSQL runs and can be reached, then try again"

# What a person has to change first: error, what is wrong ({text}: the server's own words), cure.
_TO_CHANGE: tuple[tuple[type[Exception], str, str], ...] = (
    (asyncpg.InvalidPasswordError, "the server refuses the password: {text}", _URL),
    (asyncpg.InvalidAuthorizationSpecificationError, "the server lets nobody in: {text}", _URL),
    (asyncpg.InvalidCatalogNameError, "no such database: {text}", f"create it, or {_URL}"),
    (
        asyncpg.InsufficientPrivilegeError,
        "this user lacks a right: {text}",
        "grant it, or use another user",
    ),
    (
        asyncpg.ReadOnlySQLTransactionError,
        "the database is read-only: {text}",
        "name the primary server",
    ),
    (ssl.SSLError, "TLS failed: {text}", "check sslmode and certificates in PYHETA_DATABASE_URL"),
    (asyncpg.InvalidSQLStatementNameError, "a pooler mixes up sessions: {text}", _DIRECT),
    (asyncpg.DuplicatePreparedStatementError, "a pooler mixes up sessions: {text}", _DIRECT),
    (asyncpg.ProtocolViolationError, "the server refuses the session: {text}", _DIRECT),
    (asyncpg.ClientConfigurationError, "not usable: {text}", _URL),
    (asyncpg.UndefinedTableError, "the schema is not PyHeta's: {text}", "run `pyheta db upgrade`"),
    (asyncpg.UndefinedColumnError, "the schema is not PyHeta's: {text}", "run `pyheta db upgrade`"),
)

# Trouble that passes by itself: trying again helps.
_PASSING = (
    OSError,  # refused, reset, unknown host; TimeoutError is one too
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutdown, start-up, statement timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,  # this process was frozen or too busy
    # The schema was upgraded; the driver has now dropped the old plan.
    asyncpg.InvalidCachedStatementError,
    asyncpg.InterfaceError,  # the connection was closed under the statement
    asyncpg.InternalClientError,
)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn the driver's errors into ConfigError, StoreUnavailable or StoreError at `where`.

    Wrap calls of the driver only: any OSError is taken for trouble with the network.
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
    text = _one_line(error)
    if isinstance(error, asyncpg.exceptions.DataError | ValueError):  # no column can hold it
        return StoreError(f"the store refused: {text}", where=where)
    if isinstance(error, ConnectionError) and "SSL" in text:  # the driver has no class of its own
        return ConfigError(text, where=where, cure="check sslmode in PYHETA_DATABASE_URL")
    for kind, what, cure in _TO_CHANGE:
        if isinstance(error, kind):
            return ConfigError(what.format(text=text), where=where, cure=cure)
    if isinstance(error, _PASSING):
        return StoreUnavailable(f"cannot reach the store: {text}", where=where, cure=_TRY_LATER)
    return StoreError(f"the store refused: {text}", where=where)


def _one_line(error: Exception) -> str:
    """The error in one line, without the server's *detail*, which holds rows and parameters."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    text = getattr(error, "strerror", None) or str(error)
    return text.strip().partition("\n")[0] or type(error).__name__
