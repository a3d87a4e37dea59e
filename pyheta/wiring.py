"""The composition root: the only module that knows which adapters stand behind the seams."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pyheta.broker.jobtable import TableBroker
from pyheta.broker.relay import Relay
from pyheta.broker.seam import Broker, MessageBroker
from pyheta.errors import BrokerError, ConfigError, InputError
from pyheta.settings import Settings
from pyheta.store.artifacts import ObjectArtifacts
from pyheta.store.embedded import EmbeddedServer, embedded_server
from pyheta.store.migrate import migrate
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Artifacts


@dataclass(frozen=True, slots=True)
class Services:
    """What a command works with, open until the command ends.

    `messages` and `relay` are None where the store itself is the queue.
    """

    settings: Settings
    store: PostgresStore
    artifacts: Artifacts
    broker: Broker
    messages: MessageBroker | None = None
    relay: Relay | None = None

    def without_broker(self) -> "Services":
        """The same with the store itself as the queue."""
        return Services(self.settings, self.store, self.artifacts, TableBroker(self.store))

    async def announce(self) -> str:
        """Tell the broker which steps are ready; a warning if that fails, since no step is lost."""
        try:
            if self.relay:
                await self.relay.drain()
        except (BrokerError, ConfigError) as error:
            return (
                f"the steps are in the store, but the broker was not told: {error}; the next "
                "worker tells it"
            )
        return ""


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Store, artifacts and broker as the settings say: by default all in the embedded server.

    Raises ConfigError or StoreUnavailable. A broker that is out of reach is noticed when it is
    used.
    """
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(_store(settings))
        url = settings.artifacts_url
        artifacts = ObjectArtifacts(url, store.id) if url else store.artifacts
        if settings.broker_url is None:
            yield Services(settings, store, artifacts, TableBroker(store))
        else:
            messages = _message_broker(settings.broker_url, store, settings.time_scale)
            stack.push_async_callback(messages.close)
            relay = Relay(store, messages, time_scale=settings.time_scale)
            yield Services(settings, store, artifacts, messages, messages, relay)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[PostgresStore]:
    if settings.database_url:
        opened = PostgresStore.open(
            settings.database_url, time_scale=settings.time_scale, limits=_limits
        )
        async with opened as store:
            yield store
        return
    async with embedded_server(settings.home) as server:
        opened = PostgresStore.open(
            server.url,
            time_scale=settings.time_scale,
            heal=server.ensure,
            private=True,
            limits=_limits,
        )
        async with opened as store:
            yield store


def _limits() -> Sequence[str]:
    from pyheta.nets.training.options import LIMITS  # loads pydantic: only when a step is claimed

    return LIMITS


def _message_broker(url: str, store: PostgresStore, time_scale: float) -> MessageBroker:
    from pyheta.broker.rabbitmq import RabbitBroker  # only where there is one

    return RabbitBroker(url, store.id, time_scale=time_scale)


async def migrate_store(settings: Settings) -> list[str]:
    """Bring the schema to this version; the names of the migrations that were applied."""
    if settings.database_url:
        return await migrate(settings.database_url)
    async with embedded_server(settings.home) as server:
        return await migrate(server.url)


def own_server(settings: Settings) -> EmbeddedServer:
    """The embedded server, to be started or stopped by hand.

    Raises InputError where the settings name another server.
    """
    if settings.database_url:
        cure = "start and stop it with its own tools"
        raise InputError("PYHETA_DATABASE_URL names a server that is not PyHeta's", cure=cure)
    return EmbeddedServer(settings.home)
