"""A store of made runs that keep losses, for tests of what reports say of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from pyheta.pipeline.losses import Loss, Losses, PartLosses, write_losses
from pyheta.pipeline.splits import Part
from pyheta.steps import Key, digest
from pyheta.store import seam
from pyheta.store.seam import RunRow, SweepRow


def losses(
    square: ArrayLike, *, first: int = 1000, part: Part = "test", unit: float = 1.0
) -> Losses:
    """What a run keeps whose squared errors are these, of windows from a row on."""
    exact = np.asarray(square, dtype=np.float32)
    loss = Loss(exact, np.sqrt(exact), unit)
    return Losses({part: PartLosses(np.arange(first, first + len(exact)), loss, {})})


class Stored:
    """Reads and artifacts of a store with one sweep. `fetched` counts the files asked for."""

    def __init__(self, sweep: SweepRow, runs: Sequence[RunRow], kept: Mapping[Key, Losses]) -> None:
        self._sweep, self._runs = sweep, runs
        self._kept = {digest(["file", key]): of_run for key, of_run in kept.items()}
        self._files = {key: digest(["file", key]) for key in kept}
        self.fetched = 0

    @property
    def reads(self) -> seam.Reads:
        return cast(seam.Reads, self)

    @property
    def artifacts(self) -> seam.Artifacts:
        return cast(seam.Artifacts, self)

    async def find_sweep(self, text: str) -> SweepRow:
        return self._sweep

    async def runs(self, sweep: str, *, pooled: bool = False) -> Sequence[RunRow]:
        return self._runs

    async def products(self, steps: Sequence[Key], name: str) -> Mapping[Key, str]:
        assert name == "losses"
        return {step: self._files[step] for step in steps if step in self._files}

    async def fetch(self, sha256: str, to: Path) -> None:
        self.fetched += 1
        write_losses(to, self._kept[Key(sha256)])
