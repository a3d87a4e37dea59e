"""How many steps a second go through the queue? Steps that do nothing, with 1, 2 and 4 takers.

Both of PyHeta's bells, from the claim to the recorded success, beside Celery (acks late, prefetch
1, quorum queue) and Dramatiq (prefetch 1, one thread a process) where installed (extra `bench`).
These peers keep no durable state of a task: their fair neighbour is the row "RabbitMQ alone", which
hears and settles without a store. All queues are filled before the clock starts.

Needs: PostgreSQL and RabbitMQ at PYHETA_DATABASE_URL and PYHETA_BROKER_URL, else those of this
machine; database and queues are made for this run and removed. The extra `bench` for the peers.
Run: python benchmarks/queues.py [--steps 1000]
"""

import argparse
import asyncio
import contextlib
import importlib.util
import itertools
import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from uuid import UUID, uuid4

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests"))

import builders
import servers

from pyheta.broker.jobtable import TableBroker
from pyheta.broker.rabbitmq import RabbitBroker
from pyheta.broker.seam import Broker
from pyheta.broker.topology import Topology
from pyheta.steps import Kind
from pyheta.store.migrate import migrate
from pyheta.store.postgres import PostgresStore

DATABASE = os.environ.get("PYHETA_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
BROKER = os.environ.get("PYHETA_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672/")
KINDS = [Kind.TRAIN]
TAKERS = (1, 2, 4)
QUIET = 1.0  # seconds without a ring after which a taker leaves
LIMIT_SECONDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=1000)
    steps = parser.parse_args().steps
    rates = {name: [rate(row, steps, count) for count in TAKERS] for name, row in rows()}
    print(f"{steps} steps; steps a second")
    print(f"{'takers':18}" + "".join(f"{count:>9}" for count in TAKERS))
    for name, row in rates.items():
        print(f"{name:18}" + "".join(f"{value:9,.0f}" for value in row))
    for mine, peer in itertools.product(OURS, sorted(PEERS.keys() & rates.keys())):
        ratio = rates[mine][TAKERS.index(2)] / rates[peer][TAKERS.index(2)]
        print(
            f"queue-{'-'.join(mine.lower().replace(',', '').split())}-vs-{peer.lower()} "
            f"ratio={ratio:.2f}"
        )


@dataclass(frozen=True)
class Place:
    """Where one measurement takes place. Each step that is done adds its time to the ledger."""

    database: str
    store_id: UUID
    ledger: Path


Row = Callable[[int, int, Path], None]


def rows() -> Iterator[tuple[str, Row]]:
    for name, take in OURS.items():
        yield name, partial(ours, take)
    for name, (publish, work) in PEERS.items():
        if importlib.util.find_spec(name.lower()):
            yield name, partial(theirs, publish, work)


def rate(row: Row, steps: int, count: int) -> float:
    """Steps a second between the first and the last tenth of the ledger: no start, no stop."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder, "ledger")
        ledger.touch()
        row(steps, count, ledger)
        times = sorted(map(float, ledger.read_text().split()))
    assert len(times) == steps, f"{len(times)} of {steps} steps were done"
    tenth = steps // 10
    return (steps - 2 * tenth) / (times[-tenth - 1] - times[tenth])


# ---- PyHeta --------------------------------------------------------------------------------------


def ours(take: "Take", steps: int, count: int, ledger: Path) -> None:
    with servers.database(DATABASE) as database:
        place = Place(database, uuid4(), ledger)
        try:
            asyncio.run(announce(place, steps))
            in_processes(take, place, count)
        finally:
            topology = Topology(place.store_id)
            names = [topology.dead, *map(topology.queue, Kind)]
            asyncio.run(servers.delete_queues(BROKER, names))


async def announce(place: Place, steps: int) -> None:
    await migrate(place.database)
    broker = RabbitBroker(BROKER, place.store_id)
    async with PostgresStore.open(place.database) as store:
        await store.submit(builders.submission(*builders.some_steps(steps)))
        async with store.unrung(Kind.TRAIN, limit=steps, stale_after=3600) as bells:
            await broker.ring(bells)
    await broker.close()


def in_processes(take: "Take", place: Place, count: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(count)
    processes = [
        spawn.Process(target=run_taker, args=(take, place, together)) for _ in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT_SECONDS)
        process.kill()


def run_taker(take: "Take", place: Place, together: Barrier) -> None:
    with place.ledger.open("ab", buffering=0) as ledger:
        together.wait(LIMIT_SECONDS)
        asyncio.run(take(place, lambda: ledger.write(b"%.6f\n" % time.monotonic())))


async def take_from_table(place: Place, done: Callable[[], object]) -> None:
    async with PostgresStore.open(place.database) as store:
        await answer(store, TableBroker(store), done)


async def take_from_rabbitmq(place: Place, done: Callable[[], object]) -> None:
    async with PostgresStore.open(place.database) as store:
        await answer(store, RabbitBroker(BROKER, place.store_id), done)


async def answer(store: PostgresStore, broker: Broker, done: Callable[[], object]) -> None:
    worker = await builders.new_worker(store, KINDS)
    async with broker.listen(KINDS) as listener:
        while delivery := await listener.next(QUIET):
            for _ in await builders.answer(store, worker, KINDS, delivery):
                done()


async def hear_only(place: Place, done: Callable[[], object]) -> None:
    async with RabbitBroker(BROKER, place.store_id).listen(KINDS) as listener:
        while delivery := await listener.next(QUIET):
            await delivery.settle(claimed=True)
            done()


Take = Callable[[Place, Callable[[], object]], Coroutine[None, None, None]]
OURS: Mapping[str, Take] = {
    "step table": take_from_table,
    "RabbitMQ, store": take_from_rabbitmq,
    "RabbitMQ alone": hear_only,
}

# ---- peers ---------------------------------------------------------------------------------------


def theirs(publish: str, work: Sequence[str], steps: int, count: int, ledger: Path) -> None:
    queue = f"pyheta-bench-{secrets.token_hex(6)}"
    environ = os.environ | {
        "BENCH_BROKER_URL": BROKER,
        "BENCH_LEDGER": str(ledger),
        "BENCH_QUEUE": queue,
        "dramatiq_queue_prefetch": "1",
    }
    try:
        subprocess.run([sys.executable, publish, str(steps)], cwd=HERE, env=environ, check=True)
        with worker([sys.executable, "-m", *work, str(count)], environ):
            wait_for_lines(ledger, steps)
    finally:
        names = [queue, f"{queue}.DQ", f"{queue}.XQ"]
        asyncio.run(servers.delete_queues(BROKER, names))


@contextlib.contextmanager
def worker(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=HERE, env=environ, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait(LIMIT_SECONDS)


def wait_for_lines(ledger: Path, count: int) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while ledger.read_bytes().count(b"\n") < count and time.monotonic() < deadline:
        time.sleep(0.1)


PEERS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Celery": (
        "peer_celery.py",
        [
            "celery",
            "-A",
            "peer_celery",
            "worker",
            "--without-gossip",
            "--without-mingle",
            "--concurrency",
        ],
    ),
    "Dramatiq": (
        "peer_dramatiq.py",
        ["dramatiq", "peer_dramatiq", "--threads", "1", "--processes"],
    ),
}

if __name__ == "__main__":
    main()
