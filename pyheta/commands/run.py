"""A sweep on this machine alone: submit it, work until it is done, show how it gets on."""

import asyncio
from dataclasses import dataclass, replace

from pyheta.commands.follow import follow
from pyheta.commands.status import Status, read_status
from pyheta.commands.submit import submit
from pyheta.commands.worker import work
from pyheta.device import Device
from pyheta.errors import Exit
from pyheta.nets.engines.warmup import kernels_of, warm_up
from pyheta.ops.registry import OPS
from pyheta.plan.prepare import CheckedSweep
from pyheta.report.read import Wish, read_table
from pyheta.report.table import Table
from pyheta.screen import Screen, count
from pyheta.steps import State
from pyheta.wiring import Services
from pyheta.worker.supervisor import Duty

#: How long the view may take to show the end; a retry from elsewhere may have begun anew meanwhile.
LAST_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sweep on this machine ended. There is no table when it was stopped."""

    code: Exit
    table: Table | None = None


async def run_sweep(
    services: Services, prepared: CheckedSweep, screen: Screen, duty: Duty
) -> Outcome:
    """Submit a sweep and compute all of it in this process, showing how it gets on.

    `duty` says how; that it ends with this sweep is added here.
    No broker is asked, even where there is one: it would bring steps of other sweeps.
    """
    services, store = services.without_broker(), services.store
    receipt = await submit(prepared, store, services.artifacts)
    sweep = await store.find_sweep(receipt.sweep)
    if failed := receipt.steps.get(State.FAILED, 0):
        screen.note(
            f"{count(failed, 'step')} failed earlier; another try: pyheta retry {sweep.id[:12]}"
        )
    if duty.device is Device.CPU:
        warm_up(kernels_of(prepared.plan.steps.values()), screen.note)
    duty = replace(duty, sweep=sweep.id, until_idle=True)
    watching = asyncio.create_task(follow(lambda: read_status(store, None, sweep), screen))
    try:
        if await work(services, duty):
            screen.note("stopped; the same command goes on where this one stood")
            return Outcome(Exit.INTERRUPTED)
        await asyncio.wait({watching}, timeout=LAST_LOOK_SECONDS)
    finally:
        watching.cancel()
    status = await read_status(store, None, sweep)
    if silent := _failed_explaining(status):
        screen.warn(
            f"{count(silent, 'step')} that would explain the runs failed: pyheta status "
            f"{sweep.id[:12]}"
        )
    code = Exit.RUNS_FAILED if status.runs.get(State.FAILED) else Exit.DONE
    return Outcome(code, await read_table(store, sweep.id, Wish()))


def _failed_explaining(status: Status) -> int:
    """Failed steps that no run needs: no run's state tells of them."""
    return sum(
        steps.count
        for steps in status.steps
        if OPS[steps.op].explains and steps.state is State.FAILED
    )
