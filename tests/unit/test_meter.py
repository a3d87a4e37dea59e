"""What lanes cost: in turns each its own, together equal shares."""

import importlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pyheta.meter import THREADS, Meter, measured
from pyheta.steps import Cost
from pyheta.task import Result, Task, one_by_one

PAUSE = 0.05  # seconds in which nothing is computed


def tasks(*sorts: str) -> Sequence[Task]:
    return [Task({"sort": sort}, {}, Path()) for sort in sorts]


def work(task: Task) -> Result:
    match task.params["sort"]:
        case "slow":
            time.sleep(PAUSE)
        case "busy":
            end = time.process_time() + PAUSE
            while time.process_time() < end:
                pass
        case "large":
            np.ones(64 << 20, np.uint8).sum()
        case "failing":
            time.sleep(PAUSE)
            raise ValueError
    return Result({})


def costs(*sorts: str) -> list[Cost | None]:
    """What tasks of these sorts cost, one after the other; None of one that raised."""
    outcomes = dict(one_by_one(work, tasks(*sorts)))
    return [
        outcome.cost if isinstance(outcome, Result) else None
        for _, outcome in sorted(outcomes.items())
    ]


def known(cost: Cost | None) -> Cost:
    assert cost is not None
    return cost


def test_lanes_that_follow_each_other_each_have_their_own_time() -> None:
    # When a lane that takes long stands among some that take nothing
    begin = time.perf_counter()
    quick, slow, last = map(known, costs("quick", "slow", "quick"))
    elapsed = time.perf_counter() - begin

    # Then what it took is no other lane's, and nothing is counted twice
    assert slow.wall_seconds >= PAUSE
    together = quick.wall_seconds + slow.wall_seconds + last.wall_seconds
    assert together <= elapsed
    assert quick.wall_seconds + last.wall_seconds <= elapsed - PAUSE
    assert [cost.shared for cost in (quick, slow, last)] == [1, 1, 1]


def test_a_lane_that_raises_leaves_its_time_to_nobody() -> None:
    begin = time.perf_counter()
    failed, after = costs("failing", "quick")
    elapsed = time.perf_counter() - begin

    assert failed is None
    assert known(after).wall_seconds <= elapsed - PAUSE


def test_waiting_takes_no_cpu_and_computing_does() -> None:
    slow, busy = map(known, costs("slow", "busy"))

    assert slow.cpu_seconds < busy.cpu_seconds
    assert busy.cpu_seconds >= PAUSE


def test_time_between_two_lanes_belongs_to_neither() -> None:
    # Given somebody who takes the outcomes slowly
    begin = time.perf_counter()
    taken = []
    for _, outcome in one_by_one(work, tasks("quick", "quick")):
        assert isinstance(outcome, Result)
        taken.append(known(outcome.cost).wall_seconds)
        time.sleep(PAUSE)

    assert sum(taken) <= time.perf_counter() - begin - 2 * PAUSE


def test_lanes_that_run_together_share_what_passes_until_one_ends() -> None:
    # Given three lanes that begin together, of which one ends before the others
    meters = first, *others = [Meter() for _ in range(3)]
    begin = time.perf_counter()
    with measured(*meters):
        time.sleep(PAUSE)
    with measured(*others):
        time.sleep(PAUSE)
    elapsed = time.perf_counter() - begin

    # Then the two have equal shares, and all shares are what has passed
    ended, one, other = (meter.cost() for meter in (first, *others))
    assert one == other
    assert one.wall_seconds >= ended.wall_seconds + PAUSE / 2
    assert 2 * PAUSE <= ended.wall_seconds + 2 * one.wall_seconds <= elapsed
    assert [cost.shared for cost in (ended, one, other)] == [3, 3, 3]


def test_the_peak_of_memory_is_the_steps_own_where_it_can_be() -> None:
    large, after = map(known, costs("large", "quick"))

    assert after.peak_memory > 0
    if large.peak_of == "step":
        assert large.peak_memory - after.peak_memory > 32 << 20
    else:
        assert large.peak_memory <= after.peak_memory


def test_the_peak_is_the_processs_where_the_system_measures_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pyheta.meter._CLEAR_REFS", Path("/nowhere/clear_refs"))

    large, after = map(known, costs("large", "quick"))

    assert (large.peak_of, after.peak_of) == ("process", "process")
    assert large.peak_memory <= after.peak_memory


def test_a_lane_that_has_modules_imported_is_cold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a module that nobody has imported
    (tmp_path / "never_imported_before.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def importing(_: Task) -> Result:
        importlib.import_module("never_imported_before")
        return Result({})

    first, second = (outcome for _, outcome in one_by_one(importing, tasks("", "")))

    assert isinstance(first, Result)
    assert isinstance(second, Result)
    assert (known(first.cost).cold, known(second.cost).cold) == (True, False)


def test_the_threads_are_those_that_the_worker_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "3")

    assert Meter().cost().threads == 3
