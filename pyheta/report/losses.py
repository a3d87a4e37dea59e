"""The losses that scores keep, out of the store."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pyheta.errors import StepError, StoreError, StoreUnavailable
from pyheta.pipeline.losses import Losses, read_losses
from pyheta.steps import Key
from pyheta.store.seam import Artifacts, Reads

#: The name of the product.
LOSSES: Final = "losses"
#: So many files are under way at once.
AT_ONCE: Final = 8


async def kept_losses(
    reads: Reads, artifacts: Artifacts, scores: Sequence[Key], *, each_target: bool
) -> Mapping[Key, Losses]:
    """The losses of those of the scores that keep any that can be read."""
    hashes = await reads.products(scores, LOSSES) if scores else {}
    with TemporaryDirectory(prefix="pyheta-losses-") as folder:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(sha256: str) -> Losses | None:
            async with free:
                return await _fetched(artifacts, sha256, Path(folder), each_target=each_target)

        found = await asyncio.gather(*map(one, hashes.values()))
    return {key: losses for key, losses in zip(hashes, found, strict=True) if losses}


async def _fetched(
    artifacts: Artifacts, sha256: str, folder: Path, *, each_target: bool
) -> Losses | None:
    """None for a file that was lost or damaged: a table is worth showing without it."""
    path = folder / sha256
    try:
        await artifacts.fetch(sha256, path)
        return read_losses(path, each_target=each_target)
    except StoreUnavailable:
        raise
    except (StepError, StoreError):
        return None
    finally:
        path.unlink(missing_ok=True)
