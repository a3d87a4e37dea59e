"""A sweep's status, and the list of sweeps, on a screen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pyheta.commands.status import Status, table_of_counts
from pyheta.device import Device
from pyheta.pipeline.decomposition.components import WHOLE
from pyheta.screen import STATE_STYLE, count, duration, moment, parts, plain, right, table
from pyheta.steps import Kind, State
from pyheta.store.seam import RunningStep, SweepRow, WorkerRow

BAR_WIDTH = 40


def view(status: Status) -> RenderableType:
    """The whole status."""
    return parts(*_parts(status))


def line(status: Status) -> str:
    """The status in one line, for logs and pipes."""
    failed = status.runs.get(State.FAILED, 0)
    parts = [
        f"{status.sweep.name}: {status.done:,} of {count(status.total, 'step')}",
        f"{status.runs.get(State.SUCCEEDED, 0):,} of {count(status.sweep.runs, 'run')} done",
        *([f"{failed:,} failed"] if failed else []),
        *([] if status.finished else [f"{len(status.running)} running", _speed(status)]),
    ]
    return ", ".join(parts)


def sweeps_view(sweeps: Sequence[SweepRow]) -> RenderableType:
    """Sweeps, the newest first."""
    shown = table("sweep", "id", *right("runs"), "submitted", "")
    for sweep in sweeps:
        note = "cancelled" if sweep.cancelled_at else ""
        shown.add_row(
            sweep.title, sweep.id[:12], f"{sweep.runs:,}", moment(sweep.submitted_at), note
        )
    return shown


def _parts(status: Status) -> Iterator[RenderableType]:
    yield Group(_header(status), _bar(status))
    yield _counts(status)
    if status.running:
        yield _running(status)
    if status.failures:
        yield _failures(status)
    if status.workers:
        yield _workers(status)
    if notes := [*_broker(status), *(Text(f"hint: {hint}", "yellow") for hint in status.hints)]:
        yield Group(*notes)


def _header(status: Status) -> Text:
    sweep = status.sweep
    head = Text.assemble((sweep.title, "bold"), f" {sweep.id[:12]}, {count(sweep.runs, 'run')}: ")
    states = [(state, status.runs.get(state, 0)) for state in State]
    words = [Text(f"{number:,} {state}", STATE_STYLE[state]) for state, number in states if number]
    return head.append_text(Text(", ").join(words))


def _bar(status: Status) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=max(status.total, 1), completed=status.done, width=BAR_WIDTH)
    ending = "" if status.finished else _speed(status)
    grid.add_row(bar, f"{status.done:,} of {count(status.total, 'step')}", ending)
    return grid


def _speed(status: Status) -> str:
    if not status.workers or status.seconds_left is None:
        return "time left unknown"
    return f"{60 * status.speed:.1f} steps/min, {duration(status.seconds_left)} left"


def _counts(status: Status) -> Table:
    shown = table("step", *right(*State, "mean time"))
    means = {c.op: c.mean_seconds for c in status.steps if c.state is State.SUCCEEDED}
    for op, by_state in table_of_counts(status.steps).items():
        mean = means.get(op)
        cells = [_counted(state, by_state.get(state, 0)) for state in State]
        shown.add_row(op, *cells, "" if mean is None else duration(mean))
    return shown


def _counted(state: State, number: int) -> Text:
    return Text(f"{number:,}", STATE_STYLE[state]) if number else Text("")


def _running(status: Status) -> Table:
    shown = table("running", "what", "worker", *right("since"), "progress")
    for step in status.running:
        since = duration(max((status.at - step.since).total_seconds(), 0.0))
        worker = f"{step.host}:{step.pid}"
        shown.add_row(
            f"{step.op} {step.key[:12]}", describe(step.params), worker, since, _progress(step)
        )
    return shown


def describe(params: Mapping[str, Any]) -> str:
    """The words of a step's parameters that tell it from its siblings."""
    component, net = params.get("component", WHOLE), params.get("net") or {}
    words = [
        "" if component == WHOLE else component,
        net.get("name", ""),
        params.get("column") or " ".join(_columns(params)),
        params.get("method", ""),
    ]
    if "seed" in params and net:
        words.append(f"seed {params['seed']}")
    if params.get("keep") == "metrics":  # of a score; a decomposition keeps a number of rows
        words.append("metrics alone")
    return plain(" ".join(word for word in words if word))


def _columns(params: Mapping[str, Any]) -> Iterator[str]:
    """The exogenous columns that a net reads, each once."""
    if "sources" in params:
        columns = [source["column"] for source in params["sources"]]
        targets = columns[: params.get("targets", 1)]  # of version 2 there was one
        yield from dict.fromkeys(column for column in columns if column not in targets)


def _progress(step: RunningStep) -> str:
    progress = step.progress or {}
    if "done" in progress:
        return f"{progress['done']:,}/{progress.get('of', 0):,}"
    if "epoch" not in progress:
        return str(progress.get("stage", ""))
    words = f"epoch {progress['epoch']}/{progress.get('epochs', '?')}"
    return f"{words}, val {progress['val_loss']:.4g}" if "val_loss" in progress else words


def _failures(status: Status) -> Table:
    shown = table(*right("failed"), "step", "reason", "example")
    for group in status.failures:
        reason = Text(plain(group.reason), style="red")
        shown.add_row(f"{group.count:,}", group.op, reason, f"pyheta logs {group.example[:12]}")
    return shown


def _workers(status: Status) -> Table:
    shown = table("worker", "takes", *right("processes", "holds", "up"), "")
    for worker in status.workers:
        up = duration(max((status.at - worker.started_at).total_seconds(), 0.0))
        name, kinds = f"{worker.host}:{worker.pid}", ", ".join(takes(worker))
        silent = "" if worker.lease_seconds > 0 else "silent: its lease ran out"
        shown.add_row(name, kinds, str(worker.procs), str(worker.held), up, Text(silent, "yellow"))
    return shown


def takes(worker: WorkerRow) -> Iterator[str]:
    """A worker's kinds of steps; where it trains, unless that is on a CPU."""
    for kind in worker.kinds:
        elsewhere = kind is Kind.TRAIN and worker.device is not Device.CPU
        yield f"{kind} on {worker.device}" if elsewhere else kind


def _broker(status: Status) -> Iterator[Text]:
    if status.broker:
        waiting = ", ".join(f"{number:,} {kind}" for kind, number in status.broker.ready.items())
        dead = f", {status.broker.dead:,} dead letters" if status.broker.dead else ""
        yield Text(f"broker: {waiting} waiting{dead}", style="dim")
    if status.broker_trouble:
        yield Text(f"broker: {status.broker_trouble}", style="yellow")
