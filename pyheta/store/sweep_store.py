"""The writes of the people who ask: submit, cancel, retry. Statements are in `sql/sweeps.sql`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyheta.steps import Key, State, Step, StepId
from pyheta.store.database import LONG_SECONDS, Connection, Database, Record
from pyheta.store.seam import MeanSeconds, NewRun, Receipt, Submission
from pyheta.store.sql import load
from pyheta.store.step_store import end_dependants

_SQL = load("sweeps")


class PostgresSweeps:
    """See `SweepStore`."""

    _database: Database

    async def known(self, keys: Sequence[Key]) -> Mapping[Key, State]:
        rows = await self._database.fetch(_SQL["known"], keys)
        return {Key(row["key"]): State(row["state"]) for row in rows}

    async def mean_seconds(self, names: Sequence[str]) -> MeanSeconds:
        rows = await self._database.fetch(_SQL["mean_seconds"], names)
        return {(row["op"], tuple(row["given"])): row["seconds"] for row in rows}

    async def submit(self, submission: Submission) -> Receipt:
        async def work(connection: Connection) -> Receipt:
            await _run(connection, "lock")
            new = await _add_sweep(connection, submission)
            added = await _add_graph(connection, submission) if new else 0
            outdated = await _outdated(connection, submission.name) if new else 0
            await _run(connection, "resubmit_steps", submission.id, submission.priority)
            revived = await _fetch(connection, "lock_steps", submission.id, [State.CANCELLED])
            await _restart(connection, submission.id, _ids(revived))
            steps = _counts(await _fetch(connection, "states", submission.id))
            return Receipt(submission.id, new, added, len(revived), steps, outdated)

        return await self._database.run(work)

    async def cancel(self, sweep: str) -> Mapping[State, int]:
        async def work(connection: Connection) -> Mapping[State, int]:
            await _run(connection, "lock")
            if not await connection.fetchval(_SQL["cancel_sweep"], sweep):
                return {}
            return _counts(await _fetch(connection, "cancel_steps", sweep))

        return await self._database.run(work)

    async def retry(self, sweep: str, *, runs: Sequence[int] | None = None) -> int:
        query, which = ("lock_steps", ()) if runs is None else ("lock_steps_of_runs", (runs,))

        async def work(connection: Connection) -> int:
            await _run(connection, "lock")
            ended = await _fetch(connection, query, sweep, [State.FAILED, State.CANCELLED], *which)
            for query_of_all in ("revive_sweep", "clear_stop_requests"):
                await _run(connection, query_of_all, sweep)
            await _restart(connection, sweep, _ids(ended))
            return len(ended)

        return await self._database.run(work)


async def _add_sweep(connection: Connection, submission: Submission) -> bool:
    """True: it is new. False: it was there, and is live again as this submission describes it."""
    s = submission
    words = (s.source, s.overrides, s.axes, s.report)
    rest = (s.leakage, s.priority, len(s.runs), s.asked)
    if await connection.fetchval(_SQL["add_sweep"], s.id, s.name, *words, *rest):
        return True
    await _run(connection, "resubmit_sweep", s.id, *words, s.priority)
    return False


async def _add_graph(connection: Connection, submission: Submission) -> int:
    """Add the steps, needs, files and runs of a new sweep; the number of steps that are new."""
    await connection.execute(_SQL["stage"])
    await _stage(connection, submission)
    await _run(connection, "place_known")
    await connection.execute(_SQL["analyze"], timeout=LONG_SECONDS)
    await _run(connection, "lock_known_needs")
    await _run(connection, "add_steps", submission.priority)
    for query in ("add_needs", "add_files"):
        await _run(connection, query)
    for query in ("add_sweep_steps", "add_runs"):
        await _run(connection, query, submission.id)
    return int(await connection.fetchval(_SQL["count_added"]))


async def _outdated(connection: Connection, name: str) -> int:
    """How many fits of an older version of the code sweeps of this name have."""
    return int(await connection.fetchval(_SQL["count_outdated"], name, timeout=LONG_SECONDS))


async def _stage(connection: Connection, submission: Submission) -> None:
    """COPY the submission into its staging tables; a step is named by its place."""
    place = {step.key: ordinal for ordinal, step in enumerate(submission.steps)}
    tables = {
        "asked_step": _step_rows(submission.steps),
        "asked_need": _need_rows(submission.steps, place),
        "asked_file": _file_rows(submission.steps),
        "asked_run": _run_rows(submission.runs, place),
    }
    for table, rows in tables.items():
        await connection.copy_records_to_table(
            table, schema_name="pg_temp", records=rows, timeout=LONG_SECONDS
        )


async def _restart(connection: Connection, sweep: str, ended: Sequence[StepId]) -> None:
    """Restart ended steps, end those that wait for a failed step at once, and wake the workers."""
    await _run(connection, "lock_needs", ended)
    await _run(connection, "restart", ended)
    await end_dependants(connection, _ids(await _fetch(connection, "failed_steps", sweep)))
    await _run(connection, "announce", sweep)


async def _run(connection: Connection, query: str, *args: object) -> None:
    await connection.execute(_SQL[query], *args, timeout=LONG_SECONDS)


async def _fetch(connection: Connection, query: str, *args: object) -> list[Record]:
    return await connection.fetch(_SQL[query], *args, timeout=LONG_SECONDS)


def _ids(rows: Iterable[Record]) -> list[StepId]:
    return [StepId(row["id"]) for row in rows]


def _counts(rows: Iterable[Record]) -> Mapping[State, int]:
    return {State(row["state"]): row["count"] for row in rows}


Row = tuple[Any, ...]


def _step_rows(steps: Iterable[Step]) -> Iterable[Row]:
    for ordinal, step in enumerate(steps):
        yield (
            ordinal,
            step.key,
            step.op,
            step.version,
            step.kind,
            step.params,
            step.bundle,
            step.course,
        )


def _need_rows(steps: Iterable[Step], place: Mapping[Key, int]) -> Iterable[Row]:
    for ordinal, step in enumerate(steps):
        for role, need in step.needs.items():
            yield ordinal, role, place[need]


def _file_rows(steps: Iterable[Step]) -> Iterable[Row]:
    for ordinal, step in enumerate(steps):
        for role, sha256 in step.files.items():
            yield ordinal, role, sha256


def _run_rows(runs: Iterable[NewRun], place: Mapping[Key, int]) -> Iterable[Row]:
    for ordinal, run in enumerate(runs):
        pooled = None if run.pooled is None else place[run.pooled]
        yield ordinal, run.role, run.config, run.seed, place[run.score], run.fold, pooled
