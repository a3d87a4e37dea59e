"""What is only looked at. Statements are in `sql/reads.sql`."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from unicodedata import normalize

from pyheta.device import Device
from pyheta.errors import InputError, nearest
from pyheta.steps import Cost, Key, Kind, Metric, Product, State, StepId, WorkerId
from pyheta.store.database import Database, Record
from pyheta.store.seam import (
    AttemptRow,
    FailureGroup,
    RunningStep,
    RunRow,
    StepCount,
    StepRow,
    SweepRow,
    WorkerRow,
)
from pyheta.store.sql import load

#: So many running steps and reasons of failures are shown at most.
MOST_RUNNING: Final = 50
MOST_REASONS: Final = 20
_SQL = load("reads")
_EVERY_HORIZON: Final = 2**31 - 1
_BY_FOLD: Final = False  # not pooled
_ORDINAL = re.compile(r"[0-9]{1,9}")
_BEGINNING = re.compile(r"[0-9a-f]{4,64}")


class PostgresReads:
    """See `Reads`."""

    _database: Database

    async def sweeps(self, *, limit: int = 20) -> Sequence[SweepRow]:
        return [SweepRow(**row) for row in await self._database.fetch(_SQL["sweeps"], limit)]

    async def find_sweep(self, text: str | None) -> SweepRow:
        if text is None:
            return await self._newest_sweep()
        text = normalize("NFC", text)  # as names are recorded
        rows = await self._database.fetch(_SQL["find_sweep"], text)
        if not rows:
            names = [sweep.name for sweep in await self.sweeps()]
            raise InputError(
                f"no sweep '{text}'", cure=nearest(text, names) if names else "none was submitted"
            )
        if len(rows) > 1 and rows[0]["name"] != text:
            raise InputError(f"several sweeps begin with '{text}'", cure="write more of the id")
        return SweepRow(**rows[0])

    async def _newest_sweep(self) -> SweepRow:
        newest = await self.sweeps(limit=1)
        if not newest:
            raise InputError("there is no sweep yet", cure="submit one: pyheta submit SWEEP.yaml")
        return newest[0]

    async def step_counts(self, sweep: str) -> Sequence[StepCount]:
        rows = await self._database.fetch(_SQL["step_counts"], sweep)
        return [
            StepCount(
                row["op"], Kind(row["kind"]), State(row["state"]), row["count"], row["mean_seconds"]
            )
            for row in rows
        ]

    async def run_counts(self, sweep: str) -> Mapping[State, int]:
        rows = await self._database.fetch(_SQL["run_counts"], sweep)
        return {State(row["state"]): row["count"] for row in rows}

    async def finished_since(self, sweep: str, seconds: float) -> int:
        rows = await self._database.fetch(_SQL["finished_since"], sweep, timedelta(seconds=seconds))
        return int(rows[0]["count"])

    async def running(self, sweep: str) -> Sequence[RunningStep]:
        return [
            RunningStep(*row)
            for row in await self._database.fetch(_SQL["running"], sweep, MOST_RUNNING)
        ]

    async def failures(self, sweep: str) -> Sequence[FailureGroup]:
        rows = await self._database.fetch(_SQL["failures"], sweep, MOST_REASONS)
        return [FailureGroup(**row) for row in rows]

    async def workers(self) -> Sequence[WorkerRow]:
        return [_worker_row(row) for row in await self._database.fetch(_SQL["workers"])]

    async def runs(self, sweep: str, *, pooled: bool = False) -> Sequence[RunRow]:
        rows = await self._database.fetch(_SQL["runs"], sweep, None, 0, pooled)
        return [_run_row(row) for row in rows]

    async def find_run(self, text: str) -> RunRow:
        sweep, ordinal = await self._locate_run(text)
        rows = await self._database.fetch(_SQL["runs"], sweep, ordinal, _EVERY_HORIZON, _BY_FOLD)
        if not rows:
            raise InputError(f"no run {ordinal} in this sweep", cure="`pyheta runs` lists them")
        return _run_row(rows[0])

    async def _locate_run(self, text: str) -> tuple[str, int]:
        sweep, _, ordinal = text.rpartition("/")
        if sweep and _ORDINAL.fullmatch(ordinal):
            return (await self.find_sweep(sweep)).id, int(ordinal)
        if not _BEGINNING.fullmatch(text):
            cure = "write SWEEP/NUMBER, or at least 4 digits of the key of one of its steps"
            raise InputError(f"'{text}' is not a run", cure=cure)
        rows = await self._database.fetch(
            _SQL["locate_run"], text, text + "g"
        )  # "g" follows every digit
        if not rows:
            raise InputError(f"no run needs a step whose key begins with '{text}'")
        return rows[0]["sweep_id"], rows[0]["ordinal"]

    async def steps_of(self, score: Key) -> Sequence[StepRow]:
        return [_step_row(row) for row in await self._database.fetch(_SQL["steps_of"], score)]

    async def steps(self, sweep: str, op: str) -> Sequence[StepRow]:
        return [_step_row(row) for row in await self._database.fetch(_SQL["steps"], sweep, op)]

    async def products(self, steps: Sequence[Key], name: str) -> Mapping[Key, str]:
        rows = await self._database.fetch(_SQL["products"], steps, name)
        return {Key(row["key"]): row["sha256"] for row in rows}

    async def attempts(self, steps: Sequence[StepId]) -> Sequence[AttemptRow]:
        return [_attempt_row(row) for row in await self._database.fetch(_SQL["attempts"], steps)]


def _worker_row(row: Record) -> WorkerRow:
    kinds = tuple(Kind(kind) for kind in row["kinds"])
    facts = {"id": WorkerId(row["id"]), "kinds": kinds, "device": Device(row["device"])}
    return WorkerRow(**dict(row) | facts)


def _run_row(row: Record) -> RunRow:
    columns = [row[name] or () for name in ("splits", "names", "horizons", "values")]
    return RunRow(
        sweep=row["sweep_id"],
        ordinal=row["ordinal"],
        role=row["role"],
        config=row["config"],
        seed=row["seed"],
        fold=row["fold"],
        score=Key(row["key"]),
        state=State(row["state"]),
        reason=row["reason"],
        metrics={
            (split, name, horizon): value
            for split, name, horizon, value in zip(*columns, strict=True)
        },
    )


def _attempt_row(row: Record) -> AttemptRow:
    cost = Cost(**row["cost"]) if row["cost"] else None
    return AttemptRow(**dict(row) | {"cost": cost})


def _step_row(row: Record) -> StepRow:
    return StepRow(
        id=StepId(row["id"]),
        key=Key(row["key"]),
        op=row["op"],
        kind=Kind(row["kind"]),
        params=row["params"],
        state=State(row["state"]),
        reason=row["reason"],
        blocked_by=row["cause"],
        summary=row["summary"],
        seconds=row["seconds"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        products=tuple(Product(*product) for product in row["products"] or ()),
        metrics=tuple(Metric(*metric) for metric in row["metrics"] or ()),
    )
