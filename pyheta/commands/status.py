"""Where a sweep stands: counts, speed, time left, failures, workers, and what to do next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyheta.broker.seam import Depth, MessageBroker
from pyheta.errors import BrokerError, ConfigError
from pyheta.ops.registry import OPS
from pyheta.steps import OPEN, Kind, State
from pyheta.store.seam import FailureGroup, Reads, RunningStep, StepCount, SweepRow, WorkerRow

#: Speed is measured over the last minutes: long enough to be calm, short enough to notice new
#: workers.
SPEED_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Status:
    """One look at a sweep. `speed` is in steps a second; `seconds_left` None: nobody can tell."""

    sweep: SweepRow
    at: datetime
    runs: Mapping[State, int]
    steps: Sequence[StepCount]
    speed: float
    seconds_left: float | None
    running: Sequence[RunningStep]
    failures: Sequence[FailureGroup]
    workers: Sequence[WorkerRow]
    broker: Depth | None
    broker_trouble: str | None
    hints: Sequence[str]

    @property
    def done(self) -> int:
        """Steps that will not change any more."""
        return sum(count.count for count in self.steps if count.state not in OPEN)

    @property
    def total(self) -> int:
        return sum(count.count for count in self.steps)

    @property
    def finished(self) -> bool:
        return self.done == self.total


async def read_status(reads: Reads, broker: MessageBroker | None, sweep: SweepRow) -> Status:
    """Look once. A broker that does not answer is reported, not raised."""
    at = datetime.now(UTC)
    steps = await reads.step_counts(sweep.id)
    workers = await reads.workers()
    failures = await reads.failures(sweep.id)
    depth, trouble = await _depth(broker)
    window = min(SPEED_SECONDS, max((at - sweep.submitted_at).total_seconds(), 1.0))
    speed = await reads.finished_since(sweep.id, window) / window
    return Status(
        sweep=sweep,
        at=at,
        runs=await reads.run_counts(sweep.id),
        steps=steps,
        speed=speed,
        seconds_left=seconds_left(steps, speed),
        running=await reads.running(sweep.id),
        failures=failures,
        workers=workers,
        broker=depth,
        broker_trouble=trouble,
        hints=list(hints(sweep, steps, failures, workers)),
    )


async def _depth(broker: MessageBroker | None) -> tuple[Depth | None, str | None]:
    if broker is None:
        return None, None
    try:
        return await broker.depth(), None
    except (BrokerError, ConfigError) as error:
        return None, str(error)


def seconds_left(steps: Sequence[StepCount], speed: float) -> float | None:
    """How long the open steps will take at `speed` (steps a second); None if nobody can tell.

    Steps of a slow operation count for more, in the ratio of the operations' mean seconds.
    """
    open_steps: Counter[str] = Counter()
    for count in steps:
        if count.state in OPEN:
            open_steps[count.op] += count.count
    if not open_steps:
        return 0.0
    if speed <= 0:
        return None
    weights = _weights(steps)
    return sum(number * weights.get(op, 1.0) for op, number in open_steps.items()) / speed


def _weights(steps: Sequence[StepCount]) -> Mapping[str, float]:
    """Mean seconds of each operation, in units of the mean over all steps that succeeded."""
    measured = [c for c in steps if c.state is State.SUCCEEDED and c.count and c.mean_seconds]
    seconds = sum(c.count * (c.mean_seconds or 0.0) for c in measured)
    number = sum(c.count for c in measured)
    return {c.op: (c.mean_seconds or 0.0) * number / seconds for c in measured}


def hints(
    sweep: SweepRow,
    steps: Sequence[StepCount],
    failures: Sequence[FailureGroup],
    workers: Sequence[WorkerRow],
) -> Iterator[str]:
    """What a user might do now, each with its command."""
    served = {kind for worker in workers for kind in worker.kinds}
    for kind in Kind:
        ready = sum(c.count for c in steps if c.kind is kind and c.state is State.QUEUED)
        if ready and kind not in served:
            steps_are = "step is" if ready == 1 else "steps are"
            yield (
                f"{ready:,} {kind} {steps_are} ready and no worker takes them: pyheta worker "
                f"--kind {kind}"
            )
    for failure in failures[:1]:
        yield f"why steps failed: pyheta logs {failure.example[:12]}"
        yield f"another try for what failed: pyheta retry {sweep.name}"
    if sweep.cancelled_at and any(c.state is State.CANCELLED for c in steps):
        yield "this sweep was cancelled; submit it again to continue"


def table_of_counts(steps: Sequence[StepCount]) -> Mapping[str, Mapping[State, int]]:
    """Counts by operation and state, in the order in which operations follow each other."""
    order = {op: at for at, op in enumerate(OPS)}
    ops = sorted({count.op for count in steps}, key=lambda op: order.get(op, len(order)))
    return {op: {c.state: c.count for c in steps if c.op == op} for op in ops}
