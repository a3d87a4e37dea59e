"""One attempt: a claimed step's inputs come in, a child computes, its products go out, an outcome is left."""

import errno
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyheta.errors import StoreError, StoreUnavailable
from pyheta.steps import Claim, Ending, Failure, Success
from pyheta.worker import wire
from pyheta.worker.slot import ChildDied, Slot
from pyheta.worker.staging import Staging


class Attempt:
    """A claim in a slot. Its task may be anywhere between staging and recording; `stop` ends it early."""

    def __init__(self, claim: Claim, slot: Slot, staging: Staging) -> None:
        self.claim = claim
        self.slot = slot
        self.progress: Mapping[str, Any] = {}
        self._last_sign = time.monotonic()
        self._staging = staging
        self._stopped: Failure | None = None
        self._computing = False

    def stop(self, failure: Failure) -> None:
        """Kill the child; the attempt then ends with `failure`. Too late once it has computed."""
        if self._stopped is None:
            self._stopped = failure
            if self._computing:
                self.slot.kill()

    def silent_for(self) -> float:
        """Seconds since the last sign of progress."""
        return time.monotonic() - self._last_sign

    async def outcome(self) -> Success | Failure:
        """Never raises for what can go wrong with a step: that is an outcome."""
        out = self._staging.out(self.claim)
        try:
            return await self._compute(out)
        except ChildDied as death:
            return self._stopped or self._crash(death)
        except (StoreUnavailable, OSError) as error:  # the machine's trouble, not the step's
            return Failure(Ending.RELEASE, _trouble(error))
        except StoreError as error:
            return Failure(Ending.ERROR, str(error))
        finally:
            shutil.rmtree(out, ignore_errors=True)

    async def _compute(self, out: Path) -> Success | Failure:
        inputs = await self._staging.bring(self.claim.inputs)
        if self._stopped:
            return self._stopped
        order = wire.Order(self.claim.op, self.claim.params, inputs, str(out))
        self._computing = True
        try:
            answer = await self.slot.compute(order, self._sign)
        finally:
            self._computing = False
        log = self.slot.log.text()
        if isinstance(answer, wire.Raised):
            return Failure(Ending.ERROR, answer.reason, answer.detail, retry=answer.retry, log=log)
        products = await self._staging.keep(answer.paths(), out)
        return Success(products, answer.metrics, answer.summary, answer.seconds, log)

    def _sign(self, progress: Mapping[str, Any]) -> None:
        self.progress = progress
        self._last_sign = time.monotonic()

    def _crash(self, death: ChildDied) -> Failure:
        log = self.slot.log.text()
        return Failure(Ending.CRASH, f"the child process was {death.status}", detail=log, log=log)


def _trouble(error: StoreUnavailable | OSError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space left on this machine: {error.filename or error}"
    return str(error)
