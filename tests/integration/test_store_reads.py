"""What status, report, show and logs read."""

import json
from collections import Counter
from dataclasses import replace

import builders
import pytest
import tables
from builders import BOTH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyheta.device import Device
from pyheta.errors import InputError
from pyheta.screen import to_json
from pyheta.steps import Ending, Failure, Kind, State, digest
from pyheta.store.postgres import PostgresStore
from pyheta.store.seam import NewRun, Submission

FATAL = Failure(Ending.ERROR, "boom", detail="Traceback …", retry=False, log="epoch 1")


async def finish(store: PostgresStore, count: int) -> None:
    worker = await builders.new_worker(store)
    for _ in range(count):
        claim = await builders.claim_one(store, worker)
        await store.succeed(claim.step, claim.fence, builders.a_success())


def rolling() -> Submission:
    """Two folds of one configuration, and a run that is none."""
    folds = builders.load("first"), builders.load("second")
    pooled, other = builders.score("pooled", *folds), builders.load("other")
    config = {"net": {"name": "lstm"}}
    runs = [
        *(NewRun("net", config, 0, step.key, fold, pooled.key) for fold, step in enumerate(folds)),
        NewRun("net", config, 1, other.key),
    ]
    return replace(builders.submission(*folds, pooled, other), runs=runs)


class TestSweeps:
    async def test_are_listed_newest_submission_first(self, store: PostgresStore) -> None:
        old, new = (
            builders.submission(builders.load(), name="old"),
            builders.submission(builders.load(), name="new"),
        )
        for submission in (old, new, old):
            await store.submit(submission)

        assert [sweep.name for sweep in await store.sweeps()] == ["old", "new"]
        assert [sweep.name for sweep in await store.sweeps(limit=1)] == ["old"]

    async def test_keep_how_they_were_asked_for(self, store: PostgresStore) -> None:
        await store.submit(builders.submission(*builders.chain()))

        sweep = await store.find_sweep(None)

        assert (sweep.runs, sweep.axes, sweep.overrides) == (1, ["net.name"], ["seeds=1"])
        assert (sweep.report, sweep.leakage, sweep.asked) == (
            {"metric": "rmse"},
            "forbid",
            {"score": 1},
        )

    async def test_are_found_by_name_id_and_beginning(self, store: PostgresStore) -> None:
        first = builders.submission(builders.load("a"), name="same")
        second = builders.submission(builders.load("b"), name="same")
        await store.submit(first)
        await store.submit(second)

        assert (await store.find_sweep("same")).id == second.id
        assert (await store.find_sweep(first.id)).id == first.id
        assert (await store.find_sweep(first.id[:12])).id == first.id

    async def test_that_do_not_exist_are_said_so(self, store: PostgresStore) -> None:
        with pytest.raises(InputError, match="no sweep yet"):
            await store.find_sweep(None)
        await store.submit(builders.submission(builders.load(), name="ablation"))
        with pytest.raises(InputError, match="did you mean 'ablation'"):
            await store.find_sweep("ablatoin")

    async def test_several_with_one_beginning_are_not_guessed(self, store: PostgresStore) -> None:
        for number in range(17):  # more than there are first digits
            await store.submit(
                builders.submission(builders.load(str(number)), name=f"sweep-{number}")
            )
        digits = Counter(sweep.id[0] for sweep in await store.sweeps())

        with pytest.raises(InputError, match="several sweeps"):
            await store.find_sweep(digits.most_common(1)[0][0])


class TestCounts:
    async def test_follow_the_steps_and_runs_of_one_sweep(self, store: PostgresStore) -> None:
        sweep = builders.submission(*builders.chain())
        await store.submit(sweep)
        await store.submit(builders.submission(builders.load("other"), name="other"))
        await finish(store, 1)

        counts = await store.step_counts(sweep.id)

        assert [
            (count.op, count.kind, count.state, count.count, count.mean_seconds) for count in counts
        ] == [
            ("load", Kind.DATA, State.SUCCEEDED, 1, 1.5),
            ("fit", Kind.TRAIN, State.QUEUED, 1, None),
            ("score", Kind.TRAIN, State.WAITING, 1, None),
        ]
        assert await store.run_counts(sweep.id) == {State.WAITING: 1}
        assert await store.finished_since(sweep.id, 3600) == 1
        assert await store.finished_since(sweep.id, 0) == 0

    async def test_group_failures_by_reason_without_their_followers(
        self, store: PostgresStore
    ) -> None:
        sweep = builders.submission(builders.load("x"), builders.load("y"), *builders.chain())
        await store.submit(sweep)
        worker = await builders.new_worker(store)
        for claim in await store.claim_next(worker, BOTH, 3):
            await store.fail(claim.step, claim.fence, FATAL)

        [group] = await store.failures(sweep.id)

        assert (group.op, group.reason, group.count) == ("load", "boom", 3)
        assert await store.run_counts(sweep.id) == {State.FAILED: 3}


class TestRuns:
    async def test_come_in_order_with_their_overall_metrics(self, store: PostgresStore) -> None:
        sweep = builders.submission(builders.load("a"), builders.load("b"))
        await store.submit(sweep)
        await finish(store, 1)

        first, second = await store.runs(sweep.id)

        assert (first.ordinal, first.state, first.config["tag"]) == (0, State.SUCCEEDED, "a")
        assert first.metrics == {("test", "rmse", 0): 0.5, ("val", "rmse", 0): 0.6}
        assert (second.ordinal, second.state, second.metrics) == (1, State.QUEUED, {})

    async def test_of_a_rolling_origin_are_folds_or_one_pooled(self, store: PostgresStore) -> None:
        sweep = rolling()
        await store.submit(sweep)
        await finish(store, 4)

        folds, pooled = await store.runs(sweep.id), await store.runs(sweep.id, pooled=True)

        assert [(run.ordinal, run.fold, run.score) for run in folds] == [
            (number, run.fold, run.score) for number, run in enumerate(sweep.runs)
        ]
        assert [run.fold for run in folds] == [0, 1, None]
        assert [(run.ordinal, run.fold, run.score) for run in pooled] == [
            (0, None, sweep.runs[0].pooled),
            (2, None, sweep.runs[2].score),
        ]
        assert [run.metrics[("test", "rmse", 0)] for run in pooled] == [0.5, 0.5]
        assert await store.run_counts(sweep.id) == {State.SUCCEEDED: 3}

    async def test_that_are_folds_are_found_by_their_own_steps(self, store: PostgresStore) -> None:
        sweep = rolling()
        await store.submit(sweep)
        first, second, _ = sweep.runs
        assert first.pooled

        for key, ordinal in ((first.score, 0), (second.score, 1), (first.pooled, 0)):
            assert (await store.find_run(key)).ordinal == ordinal
        assert (await store.find_run("sweep/1")).fold == 1

    async def test_that_are_folds_are_retried_with_what_pools_them(
        self, store: PostgresStore
    ) -> None:
        sweep = rolling()
        await store.submit(sweep)
        worker = await builders.new_worker(store)
        for claim in await store.claim_next(worker, BOTH, 3):
            await store.fail(claim.step, claim.fence, FATAL)

        assert await store.retry(sweep.id, runs=[1]) == 3  # both folds, which are pooled

    async def test_are_found_with_the_metrics_of_every_horizon(self, store: PostgresStore) -> None:
        load = builders.load()
        sweep = builders.submission(load)
        await store.submit(sweep)
        await finish(store, 1)

        for text in ("sweep/0", f"{sweep.id[:8]}/0", load.key, load.key[:6]):
            run = await store.find_run(text)
            assert (run.sweep, run.ordinal, run.score) == (sweep.id, 0, load.key)
            assert run.metrics[("test", "rmse", 1)] == 0.4

    async def test_are_found_by_any_step_that_they_need(self, store: PostgresStore) -> None:
        load, fit, score = builders.chain()
        await store.submit(builders.submission(load, fit, score))

        assert [(await store.find_run(step.key[:8])).score for step in (load, fit)] == [
            score.key
        ] * 2

    @pytest.mark.parametrize(
        "text",
        ["", "sweep/7", "sweep/999999999", "sweep/-1", "abc", "zzzz", "0000", "/0", "sweep/"],
    )
    async def test_that_do_not_exist_are_said_so(self, store: PostgresStore, text: str) -> None:
        await store.submit(builders.submission(builders.load()))

        with pytest.raises(InputError):
            await store.find_run(text)

    async def test_never_ask_the_server_nonsense(self, store: PostgresStore) -> None:
        @settings(max_examples=50, suppress_health_check=list(HealthCheck))
        @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
        def texts(text: str) -> None:
            asked.append(text)

        asked: list[str] = []
        texts()
        for text in asked:
            with pytest.raises(InputError):
                await store.find_run(text)


class TestSteps:
    async def test_of_a_score_come_needs_first(self, store: PostgresStore) -> None:
        steps = builders.chain()
        await store.submit(builders.submission(*steps))

        assert [row.key for row in await store.steps_of(steps[-1].key)] == [
            step.key for step in steps
        ]

    async def test_of_one_operation_are_those_of_the_sweep_alone(
        self, store: PostgresStore
    ) -> None:
        # Given two sweeps that share one of their steps
        shared, own, other = builders.load("a"), builders.load("b"), builders.load("c")
        sweep = builders.submission(shared, own, builders.score("x", shared, own), name="one")
        await store.submit(sweep)
        await store.submit(
            builders.submission(shared, other, builders.score("y", shared, other), name="two")
        )
        await finish(store, 1)

        # When those of one operation are asked for, Then each comes once, finished or not
        found = await store.steps(sweep.id, "load")
        assert [row.key for row in found] == [shared.key, own.key]
        assert found[0].state is State.SUCCEEDED
        assert await store.steps(sweep.id, "relevance") == []

    async def test_that_made_a_file_have_its_hash(self, store: PostgresStore) -> None:
        # Given a chain of which two steps are done, and a step that nobody knows
        steps = builders.chain()
        await store.submit(builders.submission(*steps))
        await finish(store, 2)
        keys = [*(step.key for step in steps), digest("none")]

        found = await store.products(keys, "forecast")

        assert found == {step.key: digest("forecast") for step in steps[:2]}
        assert await store.products(keys[1:2], "forecast") == {keys[1]: digest("forecast")}
        assert await store.products(keys, "losses") == await store.products([], "forecast") == {}

    async def test_that_run_show_where_and_how_far(
        self, store: PostgresStore, database_url: str
    ) -> None:
        sweep = builders.submission(builders.load())
        await store.submit(sweep)
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)
        said = {(claim.step, claim.fence): {"epoch": 3}}
        await store.heartbeat(worker, lease_seconds=60, progress=said)

        [running] = await store.running(sweep.id)

        assert (running.step, running.host, running.pid) == (claim.step, "here", 1)
        assert running.progress == {"epoch": 3}
        assert await store.running("0" * 64) == []

    async def test_keep_the_history_of_their_attempts(self, store: PostgresStore) -> None:
        await store.submit(builders.submission(builders.load()))
        worker = await builders.new_worker(store)
        claim = await builders.claim_one(store, worker)
        await store.fail(claim.step, claim.fence, builders.RELEASE)
        again = await builders.claim_one(store, worker)
        await store.fail(again.step, again.fence, FATAL)

        first, second = await store.attempts([claim.step])

        assert (first.fence, first.outcome, first.reason) == (claim.fence, "release", "drained")
        assert (second.outcome, second.detail, second.log) == ("error", "Traceback …", "epoch 1")


async def test_workers_are_listed_with_where_they_train(store: PostgresStore) -> None:
    plain = await builders.new_worker(store, procs=4)
    quick = await builders.new_worker(store, kinds=[Kind.TRAIN], device=Device.CUDA)

    rows = {row.id: row for row in await store.workers()}

    assert (rows[plain].device, rows[plain].procs) == (Device.CPU, 4)
    assert (rows[quick].device, rows[quick].kinds) == (Device.CUDA, (Kind.TRAIN,))
    shown = json.loads(to_json(rows[quick]))
    assert shown["device"] == "cuda"


async def test_looking_changes_nothing(store: PostgresStore, database_url: str) -> None:
    # Given a store in which something of everything has happened
    sweep = builders.submission(*builders.chain(), builders.load("b"))
    await store.submit(sweep)
    await finish(store, 1)
    before = await tables.fetch(database_url, "SELECT xmin, ctid, * FROM pyheta.step ORDER BY id")
    # When everything is looked at
    await store.sweeps()
    await store.find_sweep(None)
    await store.step_counts(sweep.id)
    await store.run_counts(sweep.id)
    await store.running(sweep.id)
    await store.failures(sweep.id)
    await store.workers()
    await store.runs(sweep.id)
    await store.steps(sweep.id, "load")
    await store.products([step.key for step in sweep.steps], "forecast")
    await store.facts()
    # Then no row has been written
    assert (
        await tables.fetch(database_url, "SELECT xmin, ctid, * FROM pyheta.step ORDER BY id")
        == before
    )
