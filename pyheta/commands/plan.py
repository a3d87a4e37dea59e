"""What a sweep would compute: runs, steps, those that are there already, and the time it takes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from pyheta.ops.params import TIMED_BY, timed_as
from pyheta.ops.registry import OPS
from pyheta.plan.compile import Plan
from pyheta.plan.prepare import CheckedSweep
from pyheta.screen import count, duration, parts, right, table
from pyheta.steps import Key, State, Step
from pyheta.store.seam import MeanSeconds, SweepStore


@dataclass(frozen=True, slots=True)
class OpPreview:
    """The steps of one operation. `seconds`: to compute the missing ones one by one, if known."""

    op: str
    asked: int
    distinct: int
    present: int
    failed: int
    todo: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`runs` are those of nets. `seconds`: with `procs` busy processes; None if one is unknown."""

    sweep: str
    runs: int
    baselines: int
    procs: int
    ops: Sequence[OpPreview]
    seconds: float | None


async def preview(prepared: CheckedSweep, store: SweepStore, procs: int) -> Preview:
    """Compare a sweep's steps with those that the store has. Writes nothing."""
    plan = prepared.plan
    baselines = sum(run.role == "baseline" for run in prepared.runs)
    states = await store.known(list(plan.steps))
    means = await store.mean_seconds(TIMED_BY)
    steps = _by_label(plan)
    ops = [_preview(label, plan.asked[label], steps[label], states, means) for label in steps]
    estimates = [op.seconds for op in ops if op.seconds is not None]
    return Preview(
        sweep=prepared.sweep.name,
        runs=len(prepared.runs) - baselines,
        baselines=baselines,
        procs=procs,
        ops=ops,
        seconds=sum(estimates) / procs if len(estimates) == len(ops) else None,
    )


def _by_label(plan: Plan) -> Mapping[str, Sequence[Step]]:
    """The operations in the order of the data, what baselines alone ask for last."""
    grouped: dict[str, list[Step]] = {label: [] for label in _in_order(plan.labels.values())}
    for key, step in plan.steps.items():
        grouped[plan.labels[key]].append(step)
    return grouped


def _in_order(labels: Iterable[str]) -> Sequence[str]:
    places = {op: place for place, op in enumerate(OPS)}
    return sorted(set(labels), key=lambda label: ("(" in label, places[label.split(" ")[0]]))


def _preview(
    op: str, asked: int, steps: Sequence[Step], states: Mapping[Key, State], means: MeanSeconds
) -> OpPreview:
    now = Counter(states.get(step.key, State.WAITING) for step in steps)
    open_steps = [
        step for step in steps if states.get(step.key) not in (State.SUCCEEDED, State.FAILED)
    ]
    return OpPreview(
        op=op,
        asked=asked,
        distinct=len(steps),
        present=now[State.SUCCEEDED],
        failed=now[State.FAILED],
        todo=len(open_steps),
        seconds=_seconds(open_steps, means),
    )


def _seconds(steps: Sequence[Step], means: MeanSeconds) -> float | None:
    """The sum of what steps like these took before; None if one was never measured."""
    each = [means.get((step.op, timed_as(step.params))) for step in steps]
    measured = [seconds for seconds in each if seconds is not None]
    return sum(measured) if len(measured) == len(each) else None


def preview_view(shown: Preview) -> RenderableType:
    """The preview as a table with a line of time."""
    heads = right("asked for", "distinct", "present", "failed", "to compute", "work")
    rows = table("step", *heads, title=_title(shown))
    for op in shown.ops:
        numbers = (op.asked, op.distinct, op.present, op.failed, op.todo)
        rows.add_row(op.op, *(f"{number:,}" for number in numbers), _work(op.seconds))
    return parts(rows, Text(_time(shown)))


def _title(shown: Preview) -> str:
    baselines = f" and {count(shown.baselines, 'baseline')}" if shown.baselines else ""
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
