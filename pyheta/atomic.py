"""Files that are there as a whole or not at all, whenever a process or a machine stops."""

import os
import secrets
from pathlib import Path


def write_whole(to: Path, content: bytes) -> None:
    """Write into another file beside it, flush that to disk, and rename it.

    The folder has to be there.
    """
    beside = to.with_name(f".{to.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(to)
    finally:
        beside.unlink(missing_ok=True)
