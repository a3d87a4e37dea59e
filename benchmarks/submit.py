"""How long does it take to submit a sweep of 100,000 runs, twice?

Every station of `pyheta submit`: reading and expanding the file, compiling runs into steps,
recording them in one transaction. Each run has a fit and a score of its own, so there are twice as
many steps as runs, and one `load`. Only that one is ready at first; announcing all fits, which
follows it, is timed with RabbitMQ alone.

The last row writes the rows of a sample one by one (`executemany`, which sends them without waiting
for each answer; one transaction, no look at what is there already) and scales the time to all runs.

Needs: PostgreSQL and RabbitMQ at PYHETA_DATABASE_URL and PYHETA_BROKER_URL, else this machine's; a
database and queues are made for this run and removed.
Run: python benchmarks/submit.py [--thousands 100]
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import servers

from pyheta.broker.rabbitmq import RabbitBroker
from pyheta.broker.topology import Topology
from pyheta.commands.submit import submission
from pyheta.plan.prepare import prepare
from pyheta.steps import Bell, Kind, StepId
from pyheta.store.database import Connection, session
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Submission

BROKER = os.environ.get("PYHETA_BROKER_URL", servers.RABBITMQ.usual_url)
SERVER = os.environ.get("PYHETA_DATABASE_URL", servers.POSTGRES.usual_url)
SAMPLE = 2_000
SWEEP = """
name: many-{runs}
seeds: {seeds}
run_cap: {runs}
baselines: []
config:
  dataset: synthetic
  target: load
  exog: [leading, coincident]
  window: {{input: 24}}
  net: lstm
parameters:
  train.lr: {{min: 1.0e-4, max: 1.0e-1, num: 1000, distribution: log_uniform}}
"""
T = TypeVar("T")
Watch = Callable[[str], None]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--thousands", type=int, default=100, help="of runs")
    runs = 1000 * parser.parse_args().thousands
    print(f"{runs:,} runs, {2 * runs + 1:,} steps\n")
    whole = planned(runs, stopwatch())
    with servers.database(SERVER) as url:
        seconds = asyncio.run(submit_twice(url, whole, stopwatch()))
    asyncio.run(announced(runs, stopwatch()))
    sample = planned(SAMPLE, lambda _: None)
    with servers.database(SERVER) as url:
        scaled = asyncio.run(row_by_row(url, sample)) * runs / SAMPLE
    print(f"{f'store, row by row (from {SAMPLE:,} runs, scaled)':48}{scaled:8.2f} s")
    print(f"\nsubmit-{runs // 1000}k ratio={scaled / seconds:.1f}")


def stopwatch() -> Watch:
    """Prints the seconds since the station before."""
    last = time.perf_counter()

    def lap(station: str) -> None:
        nonlocal last
        now = time.perf_counter()
        print(f"{station:48}{now - last:8.2f} s")
        last = now

    return lap


def planned(runs: int, lap: Watch) -> Submission:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sweep.yaml")
        path.write_text(SWEEP.format(runs=runs, seeds=runs // 1000))
        prepared = prepare(path, (), None)
    lap("read, expand, compile")
    asked = submission(prepared)
    lap("gather what is to be recorded")
    return asked


async def submit_twice(url: str, asked: Submission, lap: Watch) -> float:
    """Seconds of the first submission."""
    async with PostgresStore.open(url) as store:
        lap("open an empty database, create the schema")
        started = time.perf_counter()
        receipt = await store.submit(asked)
        seconds = time.perf_counter() - started
        lap("store")
        assert receipt.added == len(asked.steps)
        again = await store.submit(asked)
        lap("store, submitted again")
        assert again.added == 0
        await store.step_counts(asked.id)
        lap("count its steps, as `pyheta status` does")
    return seconds


async def announced(runs: int, lap: Watch) -> None:
    """Ring once for each run, confirmed by the broker."""
    topology = Topology(uuid4())
    broker = RabbitBroker(BROKER, topology.store_id)
    await broker.depth()  # connected, queues declared
    lap("connect to RabbitMQ, declare queues")
    await broker.ring([Bell(StepId(number), Kind.TRAIN) for number in range(1, runs + 1)])
    lap("announce, confirmed")
    await broker.close()
    await servers.delete_queues(BROKER, [topology.dead, *map(topology.queue, Kind)])


async def row_by_row(url: str, asked: Submission) -> float:
    """Seconds that the rows of a submission take without staging."""
    async with PostgresStore.open(url), session(url) as connection, connection.transaction():
        started = time.perf_counter()
        await insert_one_by_one(connection, asked)
        return time.perf_counter() - started


async def insert_one_by_one(connection: Connection, asked: Submission) -> None:
    place = {step.key: number for number, step in enumerate(asked.steps, start=1)}
    await connection.execute(
        "INSERT INTO pyheta.sweep (id, name, source, overrides, axes, report, leakage, "
        "priority, runs, asked)"
        " VALUES ($1, 'rows', '', '{}', '{}', '{}', 'forbid', 0, $2, '{}')",
        asked.id,
        len(asked.runs),
    )
    await connection.executemany(
        "INSERT INTO pyheta.step (key, op, version, kind, params, unmet) VALUES ($1, $2, $3, "
        "$4, $5, $6)",
        [(step.key, step.op, step.version, step.kind, step.params, 1) for step in asked.steps],
    )
    await connection.executemany(
        "INSERT INTO pyheta.need VALUES ($1, $2, $3)",
        [(place[s.key], role, place[need]) for s in asked.steps for role, need in s.needs.items()],
    )
    await connection.executemany(
        "INSERT INTO pyheta.sweep_step VALUES ($1, $2)",
        [(asked.id, number) for number in place.values()],
    )
    await connection.executemany(
        "INSERT INTO pyheta.run VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (asked.id, n, run.role, run.config, run.seed, place[run.score])
            for n, run in enumerate(asked.runs)
        ],
    )


if __name__ == "__main__":
    main()
