"""One AMQP connection with one channel, replaced after trouble; driver errors are translated."""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AMQPConnectionError,
    AuthenticationError,
    ChannelPreconditionFailed,
    InvalidFrameError,
    ProbableAuthenticationError,
    ProtocolSyntaxError,
    PublishError,
)
from aiormq.connection import DEFAULT_PORTS
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from yarl import URL

from pyheta.errors import BrokerError, ConfigError
from pyheta.settings import masked

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
#: However times are scaled, a healthy broker on a busy machine gets so many seconds.
SHORTEST_SECONDS = 1.0
CLOSE_SECONDS = 3.0
HEARTBEAT_SECONDS = 30

_INEQUIVALENT = re.compile(
    r"inequivalent arg '(.+?)' for (\w+ '.+?') in vhost '.*?': (.*)", re.DOTALL
)

# The drivers also log, with tracebacks, what they raise. Whoever catches it logs it once.
for _driver in ("aiormq", "aio_pika"):
    logging.getLogger(_driver).setLevel(logging.CRITICAL)


class Link:
    """Connects when it is first used, and anew after trouble.

    Every use ends within `ANSWER_SECONDS` (times `time_scale`). If the broker is blocked by an
    alarm, frozen or behind a dead network, it raises BrokerError: no caller waits for ever.
    """

    def __init__(
        self,
        url: str,
        prepare: Callable[[AbstractChannel], Awaitable[object]],
        *,
        time_scale: float = 1.0,
    ) -> None:
        self._url = _parsed(url)
        self._prepare = prepare
        self._connect_seconds = max(CONNECT_SECONDS * time_scale, SHORTEST_SECONDS)
        self._answer_seconds = max(ANSWER_SECONDS * time_scale, SHORTEST_SECONDS)
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def where(self) -> str:
        """host:port/vhost, for messages."""
        port = self._url.port or DEFAULT_PORTS[self._url.scheme]
        return f"{self._url.host}:{port}{self._url.raw_path.rstrip('/')}"

    @property
    def encrypted(self) -> bool:
        return self._url.scheme == "amqps"

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[AbstractChannel]:
        """The open channel, with publisher confirms.

        Raises BrokerError or ConfigError, also for what the body does with the channel.
        """
        try:
            with self._driver_errors():
                async with asyncio.timeout(self._answer_seconds):
                    yield await self._open_channel()
        except BaseException:
            # The broker may still take this channel for open. Once it is gone, the broker delivers
            # again what was not acknowledged on it.
            self._drop()
            raise

    async def acknowledge(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        """Let the broker forget a message. If that fails, it comes again, which is harmless."""
        with contextlib.suppress(BrokerError, ConfigError), self._driver_errors():
            async with asyncio.timeout(self._answer_seconds):
                await message.ack()

    async def close(self) -> None:
        self._drop()
        if self._closing:
            await asyncio.wait(self._closing)

    async def _open_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._drop()
                async with asyncio.timeout(self._connect_seconds):
                    self._channel = await self._connect()
            return self._channel

    async def _connect(self) -> AbstractChannel:
        self._connection = await aio_pika.connect(self._url)
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        await self._prepare(channel)
        return channel

    def _drop(self) -> None:
        """Close the connection in the background: the broker may never confirm it."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            closing = asyncio.create_task(_close(connection), name="close AMQP connection")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    @contextlib.contextmanager
    def _driver_errors(self) -> Iterator[None]:
        """Translate the driver's errors; a requested cancellation stays a cancellation.

        The driver cancels tasks that wait on a connection that it closes, though nobody asked for
        it. Conversely, it may answer a requested cancellation with the error of a connection that
        ends in the same moment or, on Python 3.11, with a result.
        """
        before = _cancellations()
        try:
            yield
        except (asyncio.CancelledError, Exception) as error:
            if _cancellations() > before:
                raise asyncio.CancelledError from error
            if translated := _translated(error, self.where):
                raise translated from error
            raise
        if _cancellations() > before:
            raise asyncio.CancelledError


def _parsed(url: str) -> URL:
    try:
        parsed = URL(url)
    except ValueError as error:
        raise ConfigError("not a usable broker URL", where=masked(url)) from error
    return parsed.update_query(
        {"heartbeat": str(HEARTBEAT_SECONDS), "name": "pyheta", **parsed.query}
    )


async def _close(connection: AbstractConnection) -> None:
    with contextlib.suppress(Exception):  # it is gone either way
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()


def _cancellations() -> int:
    """How often somebody asked this task to end."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def _translated(error: BaseException, where: str) -> BrokerError | ConfigError | None:
    """None: not an error of the driver.

    A bare Exception is one: the driver raises it when a connection ends.
    """
    if isinstance(error, asyncio.CancelledError) or type(error) is Exception:
        return BrokerError("the connection was closed", where=where)
    if isinstance(error, CONNECTION_EXCEPTIONS):
        return _refused(error, where)
    return None


def _refused(error: Exception, where: str) -> BrokerError | ConfigError:
    text = _one_line(error)
    match error:
        case AuthenticationError() | ProbableAuthenticationError():
            what, cure = "the broker refuses this user or password", "correct PYHETA_BROKER_URL"
        case ConnectionNotAllowed() | InvalidFrameError() if (
            "Connection.Close" in text or "vhost" in text
        ):
            # The driver does not pass on what the broker said about the virtual host.
            what = "the virtual host does not exist, is down, or is closed to this user"
            cure = "correct PYHETA_BROKER_URL or grant access"
        case ChannelAccessRefused():
            what, cure = text, r"grant this user configure, write and read on 'pyheta\..*'"
        case ChannelPreconditionFailed() if differing := _INEQUIVALENT.search(text):
            what = f"{differing[2]} exists with another {differing[1]}: {differing[3]}"
            cure = "delete it; PyHeta then declares it anew, and no step is lost"
        case FileNotFoundError():
            what, cure = "a certificate file that the URL names does not exist", "correct cafile, …"
        case _ if tls := _tls_error(error):
            what, cure = (
                f"TLS failed: {_one_line(tls)}",
                "check amqps:// or amqp://, port and cafile",
            )
        case _:
            return _out_of_reach(error, text, where)
    return ConfigError(what, where=where, cure=cure)


def _out_of_reach(error: Exception, text: str, where: str) -> BrokerError:
    match error:
        case TimeoutError():
            return BrokerError(
                "no answer in time (frozen, blocked by an alarm, or no route)", where=where
            )
        case PublishError():
            return BrokerError(
                "a queue is gone", where=where, cure="the next try declares it again"
            )
        case (
            ProtocolSyntaxError()
            | AMQPConnectionError(__cause__=asyncio.IncompleteReadError() | ConnectionResetError())
        ):
            cure = "if this lasts, check that it is RabbitMQ's port, and whether it wants TLS (amqps://)"
            return BrokerError("the connection broke off", where=where, cure=cure)
    return BrokerError(text, where=where)


def _tls_error(error: Exception) -> ssl.SSLError | None:
    """The TLS error in an error or its cause; a stream that ends early is none."""
    for candidate in (error, error.__cause__):
        if isinstance(candidate, ssl.SSLError) and not isinstance(candidate, ssl.SSLEOFError):
            return candidate
    return None


def _one_line(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or repr(error)
    return " ".join(text.split())
