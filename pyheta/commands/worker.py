"""Work as a supervisor in this process, which signals stop in order."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pyheta.device import LANES, Device, available_cpus, resolve_device
from pyheta.screen import count
from pyheta.steps import Kind
from pyheta.wiring import Services
from pyheta.worker.options import WorkerOptions
from pyheta.worker.supervisor import Supervisor
from pyheta.worker.timing import Timing

log = logging.getLogger(__name__)

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def worker_options(
    kinds: Sequence[Kind],
    procs: int | None,
    lanes: int | None,
    device: Device,
    *,
    until_idle: bool = False,
) -> WorkerOptions:
    """A worker's options; what the user left out suits this machine.

    Raises ConfigError if the user chose a GPU and there is none.
    """
    place = resolve_device(device)
    # One large stack on the GPU is quicker than several processes that share it.
    one_process = place is Device.CUDA and tuple(kinds) == (Kind.TRAIN,)
    return WorkerOptions(
        tuple(kinds),
        procs or (1 if one_process else available_cpus()),
        lanes=lanes or LANES[place],
        device=place,
        until_idle=until_idle,
    )


def get_ready(options: WorkerOptions, note: Callable[[str], None]) -> None:
    """Say what the worker takes, and compile what it needs to train on a CPU."""
    from pyheta.nets.engines.kernels.readiness import KERNELS  # these load numpy
    from pyheta.nets.engines.warmup import warm_up

    processes = count(options.procs, "process", "processes")
    note(f"takes {', '.join(options.kinds)} steps with {processes}")
    if Kind.TRAIN in options.kinds and options.device is Device.CPU:
        warm_up(KERNELS, note)


async def work(services: Services, options: WorkerOptions) -> signal.Signals | None:
    """Take steps until none is left, if so told, or until Ctrl-C or SIGTERM, which is returned.

    After a first signal the running steps may finish; a second one gives them back at once.
    """
    settings, relay = services.settings, services.relay
    supervisor = Supervisor(
        services.store,
        services.broker,
        services.artifacts,
        options=options,
        home=settings.home,
        timing=Timing().scaled(settings.time_scale),
        relay=relay.run if relay else None,
    )

    def stop() -> None:
        log.warning(
            "stopping: running steps have %.0f s to finish; a second signal gives them back now",
            supervisor.timing.drain,
        )
        supervisor.stop()

    with _signals(stop) as signals:
        await supervisor.run()
    return signals[0] if signals else None


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[Sequence[signal.Signals]]:
    """Meanwhile each ending signal calls `stop`. The list has those that came."""
    came: list[signal.Signals] = []
    loop = asyncio.get_running_loop()

    def take(number: signal.Signals) -> None:
        came.append(number)
        stop()

    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, take, number)
    try:
        yield came
    finally:
        for number in ENDING_SIGNALS:
            loop.remove_signal_handler(number)
