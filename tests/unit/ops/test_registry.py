"""Of tasks that are computed together each gets exactly one outcome, whatever happens."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pyheta.errors import StepError
from pyheta.ops.params import Params
from pyheta.ops.registry import OPS, Op, compute, compute_lanes
from pyheta.steps import Kind
from pyheta.task import Outcomes, Result, Task

HERE = Path()


def double(task: Task) -> Result:
    return Result({}, summary={"double": 2 * task.params["number"]})


def from_the_last(tasks: Sequence[Task]) -> Outcomes:
    for lane in reversed(range(len(tasks))):
        yield lane, double(tasks[lane])


def break_down(tasks: Sequence[Task]) -> Outcomes:
    """Answers for the first lane only."""
    yield 0, double(tasks[0])
    raise MemoryError("no room")


def give_up(tasks: Sequence[Task]) -> Outcomes:
    yield 0, double(tasks[0])


def repeat(tasks: Sequence[Task]) -> Outcomes:
    yield 0, double(tasks[0])
    yield 0, double(tasks[0])


def outcomes(
    function: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    *numbers: object,
    lanes: bool = True,
) -> list[tuple[int, Any]]:
    """What became of tasks with these numbers; errors as their texts."""
    op = Op(Kind.TRAIN, 1, f"{__name__}:{function.__name__}", Params, lanes=lanes)
    monkeypatch.setitem(OPS, "arithmetic", op)
    tasks = [Task({"number": number}, {}, HERE) for number in numbers]
    return [
        (lane, repr(outcome) if isinstance(outcome, Exception) else outcome.summary["double"])
        for lane, outcome in compute_lanes("arithmetic", tasks)
    ]


def test_an_operation_on_one_task_computes_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert outcomes(double, monkeypatch, 1, 2, lanes=False) == [(0, 2), (1, 4)]


def test_a_task_that_raises_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = outcomes(double, monkeypatch, 1, None, 3, lanes=False)

    assert (first, third) == ((0, 2), (2, 6))
    assert second[0] == 1
    assert "TypeError" in second[1]


def test_lanes_answer_in_the_order_in_which_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(from_the_last, monkeypatch, 1, 2) == [(1, 4), (0, 2)]


def test_what_is_raised_apart_from_any_lane_is_the_outcome_of_those_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = "MemoryError('no room')"

    assert outcomes(break_down, monkeypatch, 1, 2, 3) == [(0, 2), (1, broken), (2, broken)]


@pytest.mark.parametrize("function", [give_up, repeat])
def test_a_lane_that_never_gets_an_answer_has_an_error(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]
) -> None:
    (first, error) = outcomes(function, monkeypatch, 1, 2)

    assert first == (0, 2)
    assert error[0] == 1
    assert "Error" in error[1]


def test_an_unknown_operation_is_an_error_of_every_lane() -> None:
    lanes = list(compute_lanes("nonsense", [Task({}, {}, HERE)] * 2))

    assert [(lane, type(error)) for lane, error in lanes] == [(0, KeyError), (1, KeyError)]


def test_a_single_task_gives_its_result_or_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        OPS, "one", Op(Kind.TRAIN, 1, f"{__name__}:from_the_last", Params, lanes=True)
    )

    assert compute("one", Task({"number": 4}, {}, HERE)).summary == {"double": 8}
    with pytest.raises(TypeError):
        compute("one", Task({"number": None}, {}, HERE))


def test_an_operation_that_says_nothing_raises_for_a_single_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(
        OPS, "mute", Op(Kind.TRAIN, 1, f"{__name__}:say_nothing", Params, lanes=True)
    )

    with pytest.raises(StepError, match="mute ended without a result"):
        compute("mute", Task({}, {}, HERE))


def say_nothing(_: Sequence[Task]) -> Outcomes:
    return iter(())
