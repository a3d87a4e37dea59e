"""What a sweep would do: runs, steps asked for, distinct, there already, to compute, and for how long."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from pyheta.screen import count, duration, parts, right, table
from pyheta.steps import Key, State, Step
from pyheta.store.seam import SweepStore
from pyheta.submit import Prepared

Means = Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class OpPreview:
    """The steps of one operation. `seconds`: what those to compute will take one by one, if that is known."""

    op: str
    asked: int
    distinct: int
    present: int
    failed: int
    todo: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`seconds`: with `procs` processes that are always busy; None where an operation was never measured."""

    sweep: str
    runs: int
    baselines: int
    procs: int
    ops: Sequence[OpPreview]
    seconds: float | None


async def preview(prepared: Prepared, store: SweepStore, procs: int) -> Preview:
    """Compare a sweep's steps with those that the store has. Writes nothing."""
    plan = prepared.plan
    states = await store.known(list(plan.steps))
    means = await store.mean_seconds()
    steps = _by_op(plan.steps.values())
    ops = [_preview(op, plan.asked[op], steps[op], states, means) for op in steps]
    known = [op.seconds for op in ops if op.seconds is not None]
    return Preview(
        sweep=prepared.sweep.name,
        runs=len(prepared.runs),
        baselines=sum(run.role == "baseline" for run in prepared.runs),
        procs=procs,
        ops=ops,
        seconds=sum(known) / procs if len(known) == len(ops) else None,
    )


def _by_op(steps: Iterable[Step]) -> Mapping[str, Sequence[Step]]:
    grouped: defaultdict[str, list[Step]] = defaultdict(list)
    for step in steps:
        grouped[step.op].append(step)
    return grouped


def _preview(
    op: str, asked: int, steps: Sequence[Step], states: Mapping[Key, State], means: Means
) -> OpPreview:
    now = Counter(states.get(step.key, State.WAITING) for step in steps)
    open_steps = [step for step in steps if states.get(step.key) not in (State.SUCCEEDED, State.FAILED)]
    return OpPreview(
        op=op,
        asked=asked,
        distinct=len(steps),
        present=now[State.SUCCEEDED],
        failed=now[State.FAILED],
        todo=len(open_steps),
        seconds=_seconds(open_steps, means),
    )


def _seconds(steps: Sequence[Step], means: Means) -> float | None:
    """The sum of what steps like these took before; None if one was never measured."""
    each = [means.get((step.op, _net(step))) for step in steps]
    known = [seconds for seconds in each if seconds is not None]
    return sum(known) if len(known) == len(each) else None


def _net(step: Step) -> str:
    return str(step.params.get("net", {}).get("name", ""))


def preview_view(shown: Preview) -> RenderableType:
    """The preview as a table with a line of time."""
    heads = right("asked for", "distinct", "present", "failed", "to compute", "work")
    rows = table("step", *heads, title=_title(shown))
    for op in shown.ops:
        numbers = (op.asked, op.distinct, op.present, op.failed, op.todo)
        rows.add_row(op.op, *(f"{number:,}" for number in numbers), _work(op.seconds))
    return parts(rows, Text(_time(shown)))


def _title(shown: Preview) -> str:
    baselines = f" ({shown.baselines:,} of them baselines)" if shown.baselines else ""
    return f"{shown.sweep}: {count(shown.runs, 'run')}{baselines}"


def _work(seconds: float | None) -> str:
    return "unknown" if seconds is None else duration(seconds)


def _time(shown: Preview) -> str:
    todo = sum(op.todo for op in shown.ops)
    if not todo:
        return "Nothing to compute."
    processes = count(shown.procs, "process", "processes")
    if shown.seconds is None:
        return f"Time with {processes}: unknown, some of these steps were never measured."
    return f"Time with {processes}: about {duration(shown.seconds)}."
