"""All about one run: configuration, steps, what they cost, metrics, products, attempts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pyheta.commands.status_view import describe
from pyheta.ops.registry import fit_on
from pyheta.pipeline.leakage import leaks
from pyheta.pipeline.splits import PARTS
from pyheta.report.labels import leaves
from pyheta.screen import STATE_STYLE, duration, parts, plain, right, table, volume
from pyheta.steps import Cost, Key, Metric, State
from pyheta.store.seam import AttemptRow, Reads, StepRow


@dataclass(frozen=True, slots=True)
class StepCost:
    """What a step cost, and what it did for that; None where a step has no such number."""

    op: str
    key: Key
    cost: Cost
    parameters: int | None  # of the net
    engine: str | None  # what computed the gradients
    examples_per_second: float | None  # windows gone through in training, by the step's wall time


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with its steps (needs first, its score last) and their attempts (oldest first)."""

    sweep: str
    ordinal: int
    role: str
    seed: int
    fold: int | None
    config: Mapping[str, Any]
    state: State
    reason: str | None
    steps: Sequence[StepRow]
    attempts: Sequence[AttemptRow]
    costs: Sequence[StepCost]

    @property
    def score(self) -> StepRow:
        return self.steps[-1]


async def read_details(reads: Reads, text: str) -> RunDetails:
    """What the store knows of the run that `text` names. Raises InputError if there is none."""
    run = await reads.find_run(text)
    steps = await reads.steps_of(run.score)
    attempts = await reads.attempts([step.id for step in steps])
    return RunDetails(
        sweep=run.sweep,
        ordinal=run.ordinal,
        role=run.role,
        seed=run.seed,
        fold=run.fold,
        config=run.config,
        state=run.state,
        reason=run.reason,
        steps=steps,
        attempts=attempts,
        costs=list(_costs_of(steps, attempts)),
    )


def _costs_of(steps: Sequence[StepRow], attempts: Sequence[AttemptRow]) -> Iterator[StepCost]:
    costs = {attempt.step: attempt.cost for attempt in attempts if attempt.cost}
    for step in steps:
        if cost := costs.get(step.id):
            facts = step.summary or {}
            rate = examples_per_second(facts, cost.wall_seconds)
            yield StepCost(
                step.op, step.key, cost, facts.get("parameters"), facts.get("engine"), rate
            )


def examples_per_second(summary: Mapping[str, Any], seconds: float) -> float | None:
    """How fast a fit went through its training windows; None where it trained in no epoch.

    Epochs that an earlier fit had computed do not count.
    """
    examples = summary.get("windows", 0) * (summary.get("epochs", 0) - summary.get("resumed", 0))
    return examples / seconds if examples > 0 and seconds > 0 else None


def details_view(details: RunDetails) -> RenderableType:
    """Configuration, steps, what they cost, metrics, products."""
    costs = [_costs(details.costs)] if details.costs else []
    return parts(_header(details), _config(details), _steps(details), *costs, *_results(details))


def _header(details: RunDetails) -> Text:
    head = Text.assemble(
        (f"run {details.ordinal}", "bold"), f" {details.score.key[:12]} ({details.role}): "
    )
    head.append(details.state, STATE_STYLE[details.state])
    if details.reason:
        head.append(f", {plain(details.reason)}", "red")
    for reason in leaks(details.config):
        head.append(f", saw the future: {reason}", "magenta")
    return head


def _config(details: RunDetails) -> Table:
    shown = table("option", "value")
    repetition = [("seed", details.seed), ("fold", details.fold)]
    options = [*leaves(details.config), *(it for it in repetition if it[1] is not None)]
    for key, value in sorted(options):
        shown.add_row(key, plain(str(value)))
    return shown


def _steps(details: RunDetails) -> Table:
    shown = table("step", "what", "learns from", "state", *right("attempts", "took"), "products")
    for step in details.steps:
        tries = sum(attempt.step == step.id for attempt in details.attempts)
        took = "" if step.seconds is None else duration(step.seconds)
        state = Text(step.state, STATE_STYLE[step.state])
        products = ", ".join(f"{product.name} ({product.size:,} B)" for product in step.products)
        name = f"{step.op} {step.key[:12]}"
        learns_from = str(fit_on(step.op, step.params))
        shown.add_row(name, describe(step.params), learns_from, state, str(tries), took, products)
    return shown


def _costs(costs: Sequence[StepCost]) -> Table:
    """One line for each step that was measured; its wall time stands in the table of steps."""
    numbers = right("CPU", "threads", "lanes", "memory", "parameters", "examples/s")
    shown = table("cost of", *numbers, "engine")
    for step in costs:
        cost = step.cost
        shown.add_row(
            f"{step.op} {step.key[:12]}" + (" (cold)" if cost.cold else ""),
            duration(cost.cpu_seconds),
            str(cost.threads),
            str(cost.shared),
            volume(cost.peak_memory) + ("" if cost.peak_of == "step" else " (process)"),
            "" if step.parameters is None else f"{step.parameters:,}",
            "" if step.examples_per_second is None else f"{step.examples_per_second:,.0f}",
            step.engine or "",
        )
    return shown


def _results(details: RunDetails) -> Iterator[RenderableType]:
    if details.score.metrics:
        yield _metrics(details.score.metrics)
    yield Group(*(_facts(step) for step in details.steps if step.summary))


def _facts(step: StepRow) -> Text:
    """What a step says of itself; each metric that it could not compute has a line of its own."""
    summary = dict(step.summary or {})
    omitted = summary.pop("omitted", {})
    facts = ", ".join(f"{key} {_fact(value)}" for key, value in sorted(leaves(summary)))
    lines = [facts, *(f"no {metric}: {_fact(why)}" for metric, why in sorted(omitted.items()))]
    return Text("\n".join(f"{step.op}: {line}" for line in lines if line), style="dim")


def _metrics(metrics: Sequence[Metric]) -> Table:
    """One line for each metric over all steps ahead, the parts beside each other."""
    shown = table("metric", *right(*PARTS))
    values = {
        (metric.name, metric.split): metric.value for metric in metrics if metric.horizon == 0
    }
    for name in sorted({name for name, _ in values}):
        each = [values.get((name, part)) for part in PARTS]
        shown.add_row(name, *("" if value is None else f"{value:.6g}" for value in each))
    return shown


def _fact(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else plain(str(value))
