"""When a worker stops claiming, and what its running steps still get."""

import asyncio
from typing import cast

from pyheta.steps import Ending, Failure
from pyheta.worker.attempt import Attempt
from pyheta.worker.shutdown import Shutdown


class Running:
    """Remembers how it was stopped."""

    def __init__(self) -> None:
        self.stopped: list[Failure] = []

    def stop(self, failure: Failure) -> None:
        self.stopped.append(failure)


async def test_what_is_awaited_is_given_up_when_the_shutdown_begins() -> None:
    shutdown = Shutdown()
    assert await shutdown.unless_begun(asyncio.sleep(0, "ready")) == "ready"

    waiting = asyncio.create_task(shutdown.unless_begun(asyncio.sleep(3600, "late")))
    await asyncio.sleep(0)
    shutdown.request()

    assert await waiting is None
    assert shutdown.has_begun


async def test_running_attempts_may_finish_after_one_request_and_are_stopped_after_two() -> None:
    # Given an attempt that runs, and a shutdown that was requested once
    shutdown, attempt = Shutdown(), Running()
    running: asyncio.Task[None] = asyncio.create_task(asyncio.sleep(3600))
    shutdown.request()
    attempts = [cast("Attempt", attempt)]
    finishing = asyncio.create_task(shutdown.let_finish({running}, attempts, 3600))
    await asyncio.sleep(0.01)
    assert attempt.stopped == []

    # When it is requested once more, Then the attempt is given back at no cost
    shutdown.request()
    await finishing
    assert [failure.ending for failure in attempt.stopped] == [Ending.RELEASE]
    running.cancel()


async def test_nobody_waits_where_nothing_runs() -> None:
    await Shutdown().let_finish(set(), [], 3600)
