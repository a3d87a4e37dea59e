"""Compute a sweep on this machine: submit it, work until it is done, show its progress."""

import asyncio
from dataclasses import dataclass, replace

from pyheta.commands.follow import follow_sweep
from pyheta.commands.status import Status, read_status
from pyheta.commands.submit import anew, submit
from pyheta.commands.worker import work
from pyheta.device import Device
from pyheta.errors import Exit
from pyheta.nets.engines.warmup import kernels_of, warm_up
from pyheta.ops.registry import OPS
from pyheta.plan.prepare import CheckedSweep
from pyheta.report.query import ReportQuery
from pyheta.report.read import read_table
from pyheta.report.table import Table
from pyheta.screen import Screen, count
from pyheta.steps import State
from pyheta.wiring import Services
from pyheta.worker.options import WorkerOptions

#: So long the view may take to show the end: a retry by somebody else may have restarted steps.
LAST_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sweep on this machine ended. There is no table if it was stopped."""

    code: Exit
    table: Table | None = None


async def run_sweep(
    services: Services, prepared: CheckedSweep, screen: Screen, options: WorkerOptions
) -> Outcome:
    """Submit a sweep and compute all of it in this process, showing its progress.

    `options` say how; that the work ends with this sweep is added here.
    No broker is asked, even where there is one: it would bring steps of other sweeps.
    """
    services, store = services.without_broker(), services.store
    receipt = await submit(prepared, store, services.artifacts)
    sweep = await store.find_sweep(receipt.sweep)
    if why := anew(prepared, receipt):
        screen.note(why)
    if failed := receipt.steps.get(State.FAILED, 0):
        screen.note(
            f"{count(failed, 'step')} failed earlier; another try: pyheta retry {sweep.id[:12]}"
        )
    if options.device is Device.CPU:
        warm_up(kernels_of(prepared.plan.steps.values()), screen.note)
    options = replace(options, sweep=sweep.id, until_idle=True)
    watching = asyncio.create_task(follow_sweep(lambda: read_status(store, None, sweep), screen))
    try:
        if await work(services, options):
            screen.note("stopped; run the same command again to continue")
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
    return Outcome(code, await read_table(store, services.artifacts, sweep.id, ReportQuery()))


def _failed_explaining(status: Status) -> int:
    """Failed steps that no run needs: no run's state tells of them."""
    return sum(
        steps.count
        for steps in status.steps
        if OPS[steps.op].explains and steps.state is State.FAILED
    )
