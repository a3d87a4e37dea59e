"""One AMQP connection with one channel, rebuilt whole after any trouble; driver errors become PyHeta's."""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ChannelPreconditionFailed,
    ProbableAuthenticationError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionClosed, ConnectionNotAllowed
from yarl import URL

from pyheta.errors import BrokerError, ConfigError, PyhetaError
from pyheta.settings import masked

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
#: Less than this would give up on a healthy broker on a busy machine, however times are scaled.
SHORTEST_SECONDS = 1.0
HEARTBEAT_SECONDS = 30
NOT_ALLOWED = 530  # reply code of connection.close: the vhost does not exist or is closed to this user
DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671}

_INEQUIVALENT = re.compile(r"inequivalent arg '(.+?)' for (\w+) '(.+?)' in vhost '.*?': (.*)", re.DOTALL)

# The drivers log, with tracebacks, what they also raise; it is said once, by whoever catches it.
for _driver in ("aiormq", "aio_pika"):
    logging.getLogger(_driver).setLevel(logging.CRITICAL)


class Link:
    """Connects when it is first used and again after trouble. Not more than one connection at a time.

    Every use ends within `ANSWER_SECONDS` (times `time_scale`): a broker that is blocked by an alarm, frozen or
    behind a dead network raises BrokerError instead of keeping its caller for ever.
    """

    def __init__(self, url: str, *, time_scale: float = 1.0) -> None:
        self.where = address(url)
        self._url = url
        self._connect_seconds = max(CONNECT_SECONDS * time_scale, SHORTEST_SECONDS)
        self._answer_seconds = max(ANSWER_SECONDS * time_scale, SHORTEST_SECONDS)
        self._opening = asyncio.Lock()
        self._session: tuple[AbstractConnection, AbstractChannel] | None = None
        self._closing: set[asyncio.Task[None]] = set()
