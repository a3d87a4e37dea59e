"""What a run's steps have cost, from the store to the screen."""

import io
import json
from dataclasses import replace
from typing import Any

import builders
import pytest
import tables
from asyncpg import CheckViolationError
from rich.console import Console

from pyheta.commands.show import RunDetails, details_view, examples_per_second, read_details
from pyheta.screen import to_json
from pyheta.steps import Success
from pyheta.store.postgres import PostgresStore

TRAINED = {"windows": 300, "epochs": 5, "resumed": 2, "parameters": 1234, "engine": "compiled"}
MEASURED = replace(builders.a_success(), summary=TRAINED)


async def shown_after(store: PostgresStore, *successes: Success) -> RunDetails:
    """A run whose load, fit and score have succeeded so, the fit at its second attempt."""
    await store.submit(builders.submission(*builders.chain()))
    worker = await builders.new_worker(store)
    for number, success in enumerate(successes):
        claim = await builders.claim_one(store, worker)
        if number == 1:
            await store.fail(claim.step, claim.fence, builders.RELEASE)
            claim = await builders.claim_one(store, worker)
        assert await store.succeed(claim.step, claim.fence, success)
    return await read_details(store, "sweep/0")


def printed(details: RunDetails) -> str:
    text = io.StringIO()
    Console(file=text, width=200, color_system=None).print(details_view(details))
    return text.getvalue()


async def test_each_step_that_was_measured_has_its_line(store: PostgresStore) -> None:
    # Given a run whose fit was measured, and went on where an earlier one stood
    details = await shown_after(store, builders.DONE, MEASURED, builders.DONE)

    # Then the fit alone has a line, with three epochs of 300 windows in 1.5 seconds
    [fit] = details.costs
    assert (fit.op, fit.cost) == ("fit", builders.A_COST)
    lines = printed(details).splitlines()
    head, _, line = lines[next(n for n, text in enumerate(lines) if text.startswith("cost of")) :][
        :3
    ]
    titles = [
        "cost",
        "of",
        "CPU",
        "threads",
        "lanes",
        "memory",
        "parameters",
        "examples/s",
        "engine",
    ]
    assert head.split() == titles
    cells = f"fit {fit.key[:12]} 1.2 s 1 2 300 MiB 1,234 600 compiled"
    assert " ".join(line.split()) == cells


async def test_json_has_what_each_attempt_and_each_step_cost(store: PostgresStore) -> None:
    details = await shown_after(store, builders.DONE, MEASURED, builders.DONE)

    told = json.loads(to_json(details))

    time = {"wall_seconds": 1.5, "cpu_seconds": 1.25, "shared": 2, "threads": 1, "cold": False}
    cost = time | {"peak_memory": 300 << 20, "peak_of": "step"}
    fit = {"op": "fit", "key": details.steps[1].key, "cost": cost}
    trained = {"parameters": 1234, "engine": "compiled", "examples_per_second": 600.0}
    assert told["costs"] == [fit | trained]
    assert [attempt["cost"] for attempt in told["attempts"]] == [None, None, cost, None]


async def test_a_peak_of_the_whole_process_and_a_cold_step_say_so(store: PostgresStore) -> None:
    cost = replace(builders.A_COST, peak_of="process", cold=True)

    details = await shown_after(store, *[replace(MEASURED, cost=cost)] * 3)

    assert "300 MiB (process)" in printed(details)
    assert f"fit {details.costs[1].key[:12]} (cold)" in printed(details)


async def test_a_run_from_before_costs_were_measured_is_shown_without(store: PostgresStore) -> None:
    details = await shown_after(store, *[replace(MEASURED, cost=None)] * 3)

    assert details.costs == []
    assert "cost of" not in printed(details)
    assert "parameters 1234" in printed(details)


@pytest.mark.parametrize(
    ("outcome", "change"),
    [
        ("error", {}),
        ("ok", {"wall_seconds": -0.1}),
        ("ok", {"cpu_seconds": -0.1}),
        ("ok", {"shared": 0}),
        ("ok", {"threads": None}),
        ("ok", {"peak_memory": 0}),
        ("ok", {"peak_of": "moment"}),
        ("ok", {"cold": 1}),
    ],
)
async def test_a_cost_that_cannot_be_is_not_recorded(
    store: PostgresStore, database_url: str, outcome: str, change: dict[str, Any]
) -> None:
    details = await shown_after(store, *[MEASURED] * 3)
    cost = json.dumps(json.loads(to_json(builders.A_COST)) | change)

    with pytest.raises(CheckViolationError):
        await tables.execute(
            database_url,
            "UPDATE pyheta.attempt SET outcome = $1::pyheta.outcome, cost = $2 WHERE step_id = $3",
            *(outcome, cost, details.steps[0].id),
        )


@pytest.mark.parametrize(
    "summary", [{}, {"windows": 300}, {"windows": 300, "epochs": 4, "resumed": 4}]
)
def test_what_trained_in_no_epoch_has_no_speed(summary: dict[str, Any]) -> None:
    assert examples_per_second(summary, 2.0) is None
