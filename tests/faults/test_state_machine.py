"""The store against a model of it: any order of submissions, claims, endings, losses,
cancellations, retries.

Workers die and come back under other names, and every lease that was ever given tries to end its
step, again and again. After each move the store's states are those of the model, and its tables
agree with each other.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import partial
from math import ceil
from typing import Any, TypeVar, cast

import asyncpg
import builders
import pytest
from builders import BOTH
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pyheta.errors import LeaseLost
from pyheta.steps import (
    Claim,
    Ending,
    Failure,
    Fence,
    Key,
    Metric,
    Product,
    State,
    Success,
    WorkerId,
    digest,
)
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import Submission

L1, L2 = builders.load("1"), builders.load("2")
F1, F2 = builders.fit("1", L1, bundle="alike"), builders.fit("2", L1, L2, bundle="alike")
S1 = builders.score("1", F1)
STEPS = {step.key: step for step in (L1, L2, F1, F2, S1)}
SWEEPS = [builders.submission(L1, F1, S1, name="one"), builders.submission(L1, L2, F2, name="two")]
OPEN = {State.WAITING, State.QUEUED, State.RUNNING}
BUDGETS = {Ending.ERROR: 3, Ending.CRASH: 3, Ending.LOST: 3, Ending.RELEASE: 100}
ENDINGS = st.sampled_from([Ending.ERROR, Ending.CRASH, Ending.RELEASE])
BACK = st.integers(0, 3)  # so many before the newest
Run = Callable[[Coroutine[Any, Any, Any]], Any]
T = TypeVar("T")
OPEN = {State.WAITING, State.QUEUED, State.RUNNING}


class Model:
    """What the store promises, in the plainest words."""

    def __init__(self) -> None:
        self.states: dict[Key, State] = {}  # in the order in which steps were added
        self.spent: dict[Key, Counter[Ending]] = {}
        self.holders: dict[Key, Claim] = {}
        self.told_to_stop: set[Key] = set()
        self.outcomes: dict[Fence, str] = {}
        self.submitted: set[str] = set()
        self.live: set[str] = set()

    def submit(self, sweep: Submission) -> None:
        self.submitted.add(sweep.id)
        self.live.add(sweep.id)
        self.told_to_stop -= {step.key for step in sweep.steps}
        self.start_afresh(sweep, {None, State.CANCELLED})

    def retry(self, sweep: Submission) -> int:
        if sweep.id not in self.submitted:
            return 0
        self.live.add(sweep.id)
        self.told_to_stop -= {step.key for step in sweep.steps}
        return self.start_afresh(sweep, {State.FAILED, State.CANCELLED})

    def start_afresh(self, sweep: Submission, which: set[State | None]) -> int:
        keys = [step.key for step in sweep.steps if self.states.get(step.key) in which]
        for key in keys:
            self.spent[key] = Counter()
            self.states[key] = State.WAITING
        self.settle()
        return len(keys)

    def settle(self) -> None:
        """Move what waits, needs first."""
        for key, step in STEPS.items():
            if self.states.get(key) is State.WAITING:
                self.states[key] = outlook({self.states[need] for need in step.needs.values()})

    def cancel(self, sweep: Submission) -> dict[State, int]:
        if sweep.id not in self.live:
            return {}
        self.live.remove(sweep.id)
        wanted = {step.key for other in SWEEPS if other.id in self.live for step in other.steps}
        ending = [
            step.key
            for step in sweep.steps
            if step.key not in wanted and self.states[step.key] in OPEN
        ]
        counts = Counter(self.states[key] for key in ending)
        for key in ending:
            if self.states[key] is State.RUNNING:
                self.told_to_stop.add(key)
            else:
                self.states[key] = State.CANCELLED
        return counts

    def ready(self) -> list[Key]:
        return [key for key, state in self.states.items() if state is State.QUEUED]

    def siblings(self, claim: Claim, limit: int, procs: int) -> list[Key]:
        alike = [key for key in self.ready() if STEPS[key].bundle == claim.bundle is not None]
        untried = [key for key in alike if not self.spent[key].keys() - {Ending.RELEASE}]
        return untried[: min(limit, ceil((len(untried) + 1) / procs) - 1)]

    def claim(self, claim: Claim) -> None:
        self.states[claim.key] = State.RUNNING
        self.holders[claim.key] = claim

    def succeed(self, lease: Claim) -> bool:
        if self.holders.get(lease.key) == lease:
            self.let_go(lease, "ok")
            self.states[lease.key] = State.SUCCEEDED
            self.settle()
        return self.outcomes.get(lease.fence) == "ok"

    def fail(self, lease: Claim, ending: Ending, *, retry: bool) -> State | None:
        if self.holders.get(lease.key) == lease:
            stopped = lease.key in self.told_to_stop
            self.let_go(lease, ending)
            spent = self.spent[lease.key]
            spent[ending] += 1
            again = retry and all(spent[each] < budget for each, budget in BUDGETS.items())
            after = State.QUEUED if again else State.FAILED
            self.states[lease.key] = State.CANCELLED if stopped else after
            self.settle()
        return self.states[lease.key] if self.outcomes.get(lease.fence) == ending else None

    def let_go(self, lease: Claim, outcome: str) -> None:
        del self.holders[lease.key]
        self.told_to_stop.discard(lease.key)
        self.outcomes[lease.fence] = outcome


def outlook(needs: set[State]) -> State:
    """What becomes of a waiting step whose needs are in these states."""
    if needs & {State.FAILED, State.CANCELLED}:
        return State.FAILED if State.FAILED in needs else State.CANCELLED
    return State.QUEUED if needs <= {State.SUCCEEDED} else State.WAITING


def pick(things: Sequence[T], back: int) -> T:
    return things[-1 - back % len(things)]


class StoreMachine(RuleBasedStateMachine):
    """Every rule acts on the store and on the model, and compares their answers."""

    def __init__(self, run: Run, store: PostgresStore, behind: asyncpg.Connection) -> None:
        super().__init__()
        self.run, self.store, self.behind = run, store, behind
        self.model = Model()
        self.workers: list[WorkerId] = []  # all that ever were
        self.alive: dict[
            WorkerId, bool
        ] = {}  # False: its lease ran out, and nobody has buried it yet
        self.leases: list[Claim] = []  # all that were ever given
        self.holding: dict[Fence, WorkerId] = {}
        run(behind.execute(EMPTY))
        for sweep in SWEEPS:
            self.submit(sweep)
        for _ in range(2):
            self.register()

    @rule()
    def register(self) -> None:
        worker = self.run(builders.new_worker(self.store))
        self.workers.append(worker)
        self.alive[worker] = True

    @rule(sweep=st.sampled_from(SWEEPS))
    def submit(self, sweep: Submission) -> None:
        receipt = self.run(self.store.submit(sweep))
        self.model.submit(sweep)
        assert receipt.steps == Counter(self.model.states[step.key] for step in sweep.steps)

    @rule(sweep=st.sampled_from(SWEEPS))
    def cancel(self, sweep: Submission) -> None:
        assert self.run(self.store.cancel(sweep.id)) == self.model.cancel(sweep)

    @rule(sweep=st.sampled_from(SWEEPS))
    def retry(self, sweep: Submission) -> None:
        assert self.run(self.store.retry(sweep.id)) == self.model.retry(sweep)

    @rule(which_worker=BACK, limit=st.integers(1, 3))
    def claim_next(self, which_worker: int, limit: int) -> None:
        worker = pick(self.workers, which_worker)
        self.run(self.behind.execute(NO_DELAY))
        claims = self.run(self.store.claim_next(worker, BOTH, limit))
        expected = self.model.ready()[:limit] if self.alive.get(worker) else []
        assert [claim.key for claim in claims] == expected
        self.note(worker, claims)

    @rule(which_worker=BACK, step=BACK, ready=st.booleans())
    def claim(self, which_worker: int, step: int, ready: bool) -> None:
        worker = pick(self.workers, which_worker)
        key = pick(self.model.ready() if ready and self.model.ready() else list(STEPS), step)
        self.run(self.behind.execute(NO_DELAY))
        number = self.run(self.behind.fetchval("SELECT id FROM pyheta.step WHERE key = $1", key))
        claim = self.run(self.store.claim(worker, number))
        assert bool(claim) == (key in self.model.ready() and self.alive.get(worker, False))
        self.note(worker, [claim] if claim else [])

    @precondition(lambda self: self.leases)
    @rule(which_worker=BACK, which_lease=BACK, limit=st.integers(1, 3))
    def claim_siblings(self, which_worker: int, which_lease: int, limit: int) -> None:
        worker, lease = pick(self.workers, which_worker), pick(self.leases, which_lease)
        self.run(self.behind.execute(NO_DELAY))
        claims = self.run(self.store.claim_siblings(worker, lease, limit))
        procs = sum(self.alive.values())
        expected = self.model.siblings(lease, limit, procs) if self.alive.get(worker) else []
        assert [claim.key for claim in claims] == expected
        self.note(worker, claims)

    def note(self, worker: WorkerId, claims: Sequence[Claim]) -> None:
        newest = max(self.holding, default=0)
        for claim in claims:
            assert claim.fence > newest
            self.holding[claim.fence] = worker
            self.model.claim(claim)
        self.leases += claims

    @precondition(lambda self: self.leases)
    @rule(which_lease=BACK)
    def succeed(self, which_lease: int) -> None:
        lease = pick(self.leases, which_lease)
        product = Product("fence", digest(lease.fence), lease.fence)
        success = Success(products=(product,), metrics=(Metric("test", "rmse", 0, 1.0),))
        said = self.run(self.store.succeed(lease.step, lease.fence, success))
        assert said == self.model.succeed(lease)

    @precondition(lambda self: self.leases)
    @rule(which_lease=BACK, ending=ENDINGS, retry=st.booleans())
    def fail(self, which_lease: int, ending: Ending, retry: bool) -> None:
        lease = pick(self.leases, which_lease)
        said = self.run(
            self.store.fail(lease.step, lease.fence, Failure(ending, "boom", retry=retry))
        )
        assert said == self.model.fail(lease, ending, retry=retry)

    @precondition(lambda self: self.model.holders)
    @rule(which_worker=BACK, ending=ENDINGS)
    def stumble(self, which_worker: int, ending: Ending) -> None:
        """Whatever runs fails once and is taken up again."""
        for lease in list(self.model.holders.values()):
            said = self.run(self.store.fail(lease.step, lease.fence, Failure(ending, "boom")))
            assert said == self.model.fail(lease, ending, retry=True)
        self.claim_next(which_worker, 3)

    @precondition(lambda self: len(self.leases) > len(self.model.holders) > 0)
    @rule(ending=ENDINGS)
    def zombies(self, ending: Ending) -> None:
        """Those who held a step before its present holder come back and report, in vain."""
        for old in self.leases:
            if self.model.holders.get(old.key, old) != old:
                assert not self.run(self.store.succeed(old.step, old.fence, Success(products=())))
                said = self.run(self.store.fail(old.step, old.fence, Failure(ending, "boom")))
                assert said == self.model.fail(old, ending, retry=True)

    @rule(which_worker=BACK, buried=st.booleans())
    def lose(self, which_worker: int, buried: bool) -> None:
        """Its heartbeats stay away until its lease has run out."""
        worker = pick(self.workers, which_worker)
        if worker in self.alive:
            self.alive[worker] = False
            self.run(self.behind.execute(EXPIRE, worker))
        if buried:
            self.reap()

    @rule(which_worker=BACK)
    def heartbeat(self, which_worker: int) -> None:
        """It holds on to a lease that nobody has taken; it never wakes the dead."""
        worker = pick(self.workers, which_worker)
        if worker not in self.alive:
            with pytest.raises(LeaseLost):
                self.run(self.store.heartbeat(worker, lease_seconds=600, progress={}))
            return
        holdings = self.run(self.store.heartbeat(worker, lease_seconds=600, progress={}))
        self.alive[worker] = True
        assert {(held.step, held.fence, held.cancel_requested) for held in holdings} == {
            (held.step, held.fence, held.key in self.model.told_to_stop)
            for held in self.held_by(worker)
        }

    def reap(self) -> None:
        dead = [worker for worker, alive in self.alive.items() if not alive]
        orphans = [lease for worker in dead for lease in self.held_by(worker)]
        assert self.run(self.store.reap()) == len(orphans)
        for worker in dead:
            del self.alive[worker]
        for lease in orphans:
            self.model.fail(lease, Ending.LOST, retry=True)

    def held_by(self, worker: WorkerId) -> list[Claim]:
        return [
            lease for lease in self.model.holders.values() if self.holding[lease.fence] == worker
        ]

    @invariant()
    def store_and_model_agree(self) -> None:
        steps = [tuple(row) for row in self.run(self.behind.fetch(STATES))]
        assert steps == [
            (
                key,
                state,
                key in self.model.told_to_stop,
                *(self.model.spent[key][each] for each in BUDGETS),
            )
            for key, state in self.model.states.items()
        ]

    @invariant()
    def tables_agree(self) -> None:
        assert self.run(self.behind.fetch(CONTRADICTIONS)) == []


EMPTY = """
    TRUNCATE pyheta.sweep, pyheta.run, pyheta.sweep_step, pyheta.step, pyheta.need, pyheta.file,
        pyheta.attempt, pyheta.product, pyheta.metric, pyheta.worker
"""
EXPIRE = "UPDATE pyheta.worker SET lease_until = now() - interval '1 second' WHERE id = $1"
STATES = (
    "SELECT key, state, cancel_requested, tries, crashes, lost, releases FROM pyheta.step "
    "ORDER BY id"
)
NO_DELAY = (
    "UPDATE pyheta.step SET available_at = now() WHERE state = 'queued' AND available_at > now()"
)
CONTRADICTIONS = """
    SELECT 'a result without success, or success without its very own result' AS what, step.id
    FROM pyheta.step LEFT JOIN pyheta.product ON product.step_id = step.id
    LEFT JOIN pyheta.metric ON metric.step_id = step.id
    WHERE (step.state = 'succeeded') IS DISTINCT FROM (product.step_id IS NOT NULL)
        OR product.fence <> step.fence OR product.size <> step.fence
        OR metric.fence IS DISTINCT FROM product.fence
    UNION ALL
    SELECT 'running without an open attempt of its worker', step.id
    FROM pyheta.step LEFT JOIN pyheta.attempt
        ON attempt.step_id = step.id AND attempt.fence = step.fence
        AND attempt.worker_id = step.worker_id AND attempt.ended_at IS NULL
    WHERE step.state = 'running' AND attempt.step_id IS NULL
    UNION ALL
    SELECT 'an open attempt of a step that does not run under it', attempt.step_id
    FROM pyheta.attempt JOIN pyheta.step ON step.id = attempt.step_id
    WHERE attempt.ended_at IS NULL AND (step.state <> 'running' OR step.fence <> attempt.fence)
    UNION ALL
    SELECT 'the count of needs that it waits for is wrong', step.id
    FROM pyheta.step
    WHERE step.state = 'waiting' AND unmet <> (
        SELECT count(DISTINCT cause.id)
        FROM pyheta.need JOIN pyheta.step AS cause ON cause.id = need.need_id
        WHERE need.step_id = step.id AND cause.state <> 'succeeded'
    )
    UNION ALL
    SELECT 'blocked without naming the first cause', step.id
    FROM pyheta.step JOIN pyheta.step AS cause ON cause.id = step.blocked_by
    WHERE step.state <> 'failed' OR cause.blocked_by IS NOT NULL
        OR step.reason NOT LIKE 'needs ' || cause.op || ' ' || left(cause.key, 12) || ': %'
"""


def test_any_history_keeps_the_promises(database_url: str) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        store = runner.run(stack.enter_async_context(PostgresStore.open(database_url)))
        behind = runner.run(
            asyncpg.connect(database_url, server_settings={"synchronous_commit": "off"})
        )
        try:
            run_state_machine_as_test(
                cast(Any, partial(StoreMachine, runner.run, store, behind)),
                settings=settings(
                    max_examples=40,
                    stateful_step_count=60,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(behind.close())
            runner.run(stack.aclose())
