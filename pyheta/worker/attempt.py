"""One attempt: fetch the inputs, have a child compute, keep the products, return the outcome."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyheta.errors import StoreUnavailable
from pyheta.ops.registry import OPS
from pyheta.steps import Claim, Ending, Failure, Fence, Product, StepId, Success
from pyheta.worker import wire
from pyheta.worker.bundle import BundleLane
from pyheta.worker.slot import ChildDied
from pyheta.worker.staging import Staging

log = logging.getLogger(__name__)

#: A step under the fence by which it is held.
Hold = tuple[StepId, Fence]

#: Seconds between two tries to hand a step's products to a store that is away.
KEEP_PAUSE = 1.0

#: After trouble on this machine, a step is left to other workers for so many seconds.
LEAVE_TO_OTHERS = 30.0


class Attempt:
    """One attempt at a claimed step, in its lane of a bundle."""

    def __init__(self, claim: Claim, lane: BundleLane, staging: Staging) -> None:
        self.claim = claim
        self.progress: Mapping[str, Any] = {}
        self._lane = lane
        self._staging = staging
        self._stopped: Failure | None = None
        self._work: asyncio.Task[Success | Failure] | None = None

    @property
    def hold(self) -> Hold:
        return self.claim.step, self.claim.fence

    def stop(self, failure: Failure) -> None:
        """End the attempt with `failure`. A child that computes nothing else is killed."""
        if self._stopped is None:
            self._stopped = failure
            if self._work:
                self._work.cancel()

    def silent_for(self) -> float:
        """Seconds since the child's last message, about this lane or a neighbour."""
        return self._lane.bundle.silent_for()

    async def outcome(self) -> Success | Failure:
        """Raises nothing: whatever goes wrong is this step's outcome, not the worker's end."""
        try:
            return await self._outcome()
        finally:
            await self._lane.leave()

    async def _outcome(self) -> Success | Failure:
        if mismatch := _version_mismatch(self.claim):
            return mismatch
        self._work = asyncio.create_task(self._in_folder(), name=f"work on step {self.claim.step}")
        if self._stopped:
            self._work.cancel()
        try:
            return await self._work
        except asyncio.CancelledError:
            if self._stopped and self._work.cancelled():
                return self._stopped
            raise
        except ChildDied as death:
            return Failure(Ending.CRASH, str(death), log=self._lane.bundle.log())
        except (StoreUnavailable, OSError) as error:  # trouble on this machine
            return Failure(Ending.RELEASE, str(error), after=LEAVE_TO_OTHERS)
        except Exception as error:  # noqa: BLE001 -- must not end the neighbours' attempts
            return Failure(Ending.ERROR, f"{type(error).__name__}: {error}", retry=False)

    async def _in_folder(self) -> Success | Failure:
        out = self._staging.out(self.claim)
        try:
            return await self._compute(out)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    async def _compute(self, out: Path) -> Success | Failure:
        inputs = await self._staging.bring(self.claim.inputs)
        reply = await self._lane.compute(
            wire.LaneOrder(self.claim.params, inputs, str(out)), self._on_progress
        )
        printed = self._lane.bundle.log()
        if isinstance(reply, wire.Raised):
            after = LEAVE_TO_OTHERS if reply.ending == Ending.RELEASE else 0.0
            ending = Ending(reply.ending)
            return Failure(
                ending, reply.reason, reply.detail, retry=reply.retry, log=printed, after=after
            )
        products = await self._keep(reply, out)
        return Success(products, reply.metrics, reply.summary, reply.cost, printed)

    async def _keep(self, done: wire.Done, out: Path) -> tuple[Product, ...]:
        """Keep the products, however long the store is away: nothing is computed twice."""
        while True:
            try:
                return await self._staging.keep(done.paths(), out)
            except StoreUnavailable as error:
                log.warning(
                    "the products of %s %s wait: %s", self.claim.op, self.claim.key[:12], error
                )
                await asyncio.sleep(KEEP_PAUSE)

    def _on_progress(self, progress: Mapping[str, Any]) -> None:
        self.progress = progress


def _version_mismatch(claim: Claim) -> Failure | None:
    """The failure if this worker's code has another version of the operation than the step."""
    ours = OPS[claim.op].version if claim.op in OPS else 0
    if claim.version == ours:
        return None
    if claim.version < ours:
        what = (
            f"planned by an older PyHeta ({claim.op} version {claim.version}, now {ours}): "
            "submit it again"
        )
        return Failure(Ending.ERROR, what, retry=False)
    what = f"needs {claim.op} version {claim.version}; this worker is older and must be upgraded"
    return Failure(Ending.RELEASE, what, after=LEAVE_TO_OTHERS)
