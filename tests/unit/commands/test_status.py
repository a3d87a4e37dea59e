"""Where a sweep stands: time left, hints, and the words for it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from builders import NOW, sweep_row
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.commands.status import Status, hints, seconds_left, table_of_counts
from pyheta.commands.status_view import describe, line, takes
from pyheta.device import Device
from pyheta.steps import Key, Kind, State, WorkerId
from pyheta.store.seam import FailureGroup, StepCount, WorkerRow

SWEEP = sweep_row(runs=4)


def fit(state: State, count: int, mean_seconds: float | None = None) -> StepCount:
    return StepCount("fit", Kind.TRAIN, state, count, mean_seconds)


def score(state: State, count: int, mean_seconds: float | None = None) -> StepCount:
    return StepCount("score", Kind.TRAIN, state, count, mean_seconds)


def worker(*kinds: Kind, device: Device = Device.CPU) -> WorkerRow:
    return WorkerRow(WorkerId(uuid4()), "here", 1, kinds, 2, device, "0", "alive", 0, NOW, 40.0)


def status(*steps: StepCount, **changes: Any) -> Status:
    values: dict[str, Any] = {
        "sweep": SWEEP,
        "at": NOW + timedelta(minutes=1),
        "runs": {State.SUCCEEDED: 1, State.WAITING: 3},
        "steps": steps,
        "speed": 0.5,
        "seconds_left": 90.0,
        "running": (),
        "failures": (),
        "workers": (worker(*Kind),),
        "broker": None,
        "broker_trouble": None,
        "hints": (),
    }
    return Status(**(values | changes))


# ---- time left -----------------------------------------------------------------------------------


def test_equal_steps_take_their_number_over_the_speed() -> None:
    assert seconds_left([fit(State.SUCCEEDED, 10, 2.0), fit(State.QUEUED, 30)], 0.5) == 60.0


def test_slow_operations_count_for_more() -> None:
    # Given fits that take 19 times as long as scores: ten of each took 10 s a pair, so 1 step is 5
    # s of work
    done = [fit(State.SUCCEEDED, 10, 9.5), score(State.SUCCEEDED, 10, 0.5)]
    # When only fits are left, and when only scores are
    fits = seconds_left([*done, fit(State.QUEUED, 10)], 1.0)
    scores = seconds_left([*done, score(State.QUEUED, 10)], 1.0)
    # Then
    assert fits == pytest.approx(19.0)
    assert scores == pytest.approx(1.0)


def test_nobody_can_tell_while_nothing_moves() -> None:
    assert seconds_left([fit(State.QUEUED, 1)], 0.0) is None


def test_nothing_open_takes_no_time() -> None:
    assert seconds_left([fit(State.SUCCEEDED, 3, 1.0), fit(State.FAILED, 1)], 0.0) == 0.0


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 1000), st.integers(1, 1000), st.floats(0.001, 1000), st.floats(0.001, 100))
def test_more_open_steps_never_take_less_time(
    done: int, left: int, mean: float, speed: float
) -> None:
    steps = [fit(State.SUCCEEDED, done, mean), fit(State.RUNNING, left)]
    more = [*steps, score(State.WAITING, 1)]
    assert (seconds_left(more, speed) or 0) > (seconds_left(steps, speed) or 0)


# ---- hints ---------------------------------------------------------------------------------------


def test_ready_steps_that_no_worker_takes_are_pointed_out() -> None:
    load = StepCount("load", Kind.DATA, State.QUEUED, 2, None)
    said = list(hints(SWEEP, [load, fit(State.QUEUED, 1)], [], [worker(Kind.TRAIN)]))
    assert said == ["2 data steps are ready and no worker takes them: pyheta worker --kind data"]


def test_waiting_steps_need_no_worker_yet() -> None:
    assert not list(hints(SWEEP, [fit(State.WAITING, 3)], [], []))


def test_failures_come_with_the_commands_that_show_and_mend_them() -> None:
    failure = FailureGroup("fit", "diverged", 3, Key("b" * 64))
    said = " ".join(hints(SWEEP, [], [failure], []))
    assert "pyheta logs bbbbbbbbbbbb" in said
    assert "pyheta retry study" in said


# ---- words ---------------------------------------------------------------------------------------


def test_the_line_says_what_is_done_runs_and_time() -> None:
    said = line(status(fit(State.SUCCEEDED, 5, 1.0), fit(State.QUEUED, 45)))
    assert (
        said == "study: 5 of 50 steps, 1 of 4 runs done, 0 running, 30.0 steps/min, 1 min 30 s left"
    )


def test_the_line_of_a_finished_sweep_says_what_failed() -> None:
    runs = {State.SUCCEEDED: 3, State.FAILED: 1}
    said = line(status(fit(State.SUCCEEDED, 3, 1.0), fit(State.FAILED, 1), runs=runs))
    assert said == "study: 4 of 4 steps, 3 of 4 runs done, 1 failed"


def test_without_workers_nobody_can_tell_the_time() -> None:
    assert line(status(fit(State.QUEUED, 5), workers=())).endswith("time left unknown")


def test_a_worker_says_where_it_trains_if_that_is_not_on_a_cpu() -> None:
    kinds = [(Kind.TRAIN,), (Kind.DATA, Kind.TRAIN), (Kind.DATA,)]
    said = [list(takes(worker(*each, device=Device.CUDA))) for each in kinds]
    assert said == [["train on cuda"], ["data", "train on cuda"], ["data"]]
    assert list(takes(worker(*Kind))) == ["data", "train"]


def test_operations_are_listed_in_the_order_of_the_work() -> None:
    counts = [score(State.WAITING, 1), fit(State.QUEUED, 2), fit(State.SUCCEEDED, 3, 1.0)]
    assert list(table_of_counts(counts)) == ["fit", "score"]
    assert table_of_counts(counts)["fit"] == {State.QUEUED: 2, State.SUCCEEDED: 3}


def test_a_step_is_described_by_net_columns_and_seed() -> None:
    sources = [{"column": column} for column in ("load", "a", "b", "b")]
    params = {"component": "IMF0", "net": {"name": "lstm"}, "sources": sources, "seed": 1}
    assert describe(params) == "IMF0 lstm a b seed 1"
    assert describe({"column": "a", "method": "emd", "seed": 1}) == "a emd"
    assert describe({"time": "date"}) == ""


def test_columns_that_are_forecast_do_not_describe_a_step() -> None:
    params = {"sources": [{"column": name} for name in ("load", "a", "b")], "net": {"name": "lstm"}}
    assert describe(params | {"targets": 2}) == "lstm b"
    assert describe({"targets": ["load", "a"], "components": ["target"]}) == ""  # a score


def test_a_score_says_that_it_keeps_no_forecasts() -> None:
    assert describe({"targets": ["load"], "keep": "metrics"}) == "metrics alone"
    assert describe({"targets": ["load"], "keep": "forecasts"}) == ""
    assert (
        describe({"column": "a", "method": "emd", "keep": 32}) == "a emd"
    )  # rows of a decomposition's tail


def test_escape_sequences_in_names_do_not_reach_the_screen() -> None:
    assert describe({"column": "\x1b[31mred\x07"}) == "red"
