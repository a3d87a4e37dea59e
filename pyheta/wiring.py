"""The composition root: the only module that knows which store, broker and artifacts stand behind the seams."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyheta.broker.seam import Broker
from pyheta.settings import Settings
from pyheta.store.seam import Artifacts

if TYPE_CHECKING:
    from pyheta.store.postgres import PostgresStore
    from pyheta.worker.relay import Relay


@dataclass(frozen=True, slots=True)
class Services:
    """What a command works with, open until the command ends."""

    settings: Settings
    store: "PostgresStore"
    artifacts: Artifacts
    broker: Broker
    relay: "Relay | None"
