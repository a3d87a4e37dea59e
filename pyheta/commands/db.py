"""Care for the store: upgrade its schema, start and stop the embedded server."""

from pyheta.settings import Settings
from pyheta.wiring import migrate_store, own_server


async def upgrade(settings: Settings) -> str:
    """Bring the schema to this version of PyHeta; a line for each migration that was applied."""
    applied = await migrate_store(settings)
    return "\n".join(f"applied {name}" for name in applied) or "the schema is up to date"


def start(settings: Settings) -> str:
    """Start the embedded server, to run until it is stopped."""
    own_server(settings).keep()
    return "running; stop it with: pyheta db stop"


def stop(settings: Settings) -> str:
    """Stop the embedded server, at the latest when the last process that uses it ends."""
    stopped = own_server(settings).stop()
    return "stopped" if stopped else "others use it: it stops when the last of them ends"
