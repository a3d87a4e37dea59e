"""Transforms of a target and the way back, beside the same written row by row."""

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.channels import Channel
from pyheta.pipeline.transforms import (
    CHANGES,
    NEEDS,
    Method,
    first_unfit,
    invert,
    transform,
    transformed,
)

METHODS: tuple[Method, ...] = get_args(Method)
every_method = pytest.mark.parametrize("method", METHODS)


def row_of(method: Method, before: float | None, value: float) -> float:
    """One row of the transformed series, from the value before it and its own."""
    if method == "none":
        return value
    if method == "log":
        return math.log(value)
    if before is None:
        return math.nan
    if method == "diff":
        return value - before
    return math.log(value) - math.log(before) if method == "log_diff" else value / before - 1


def next_value(method: Method, last: float, change: float) -> float:
    """The value after `last` whose transform is `change`."""
    if method == "diff":
        return last + change
    if method == "log_diff":
        return last * math.exp(change)
    if method == "returns":
        return last * (1 + change)
    return math.exp(change) if method == "log" else change


def series(method: Method, least: int = 2) -> st.SearchStrategy[Floats]:
    """Series that have such a transform, of any sign where it may be any."""
    size = st.floats(1e-3, 1e3)
    signed = method in {"none", "diff", "returns"}
    values = st.tuples(size, st.sampled_from([-1, 1])).map(math.prod) if signed else size
    return st.lists(values, min_size=least, max_size=40).map(np.array)


@every_method
@given(data=st.data())
def test_a_series_is_transformed_row_by_row(method: Method, data: st.DataObject) -> None:
    values = data.draw(series(method))

    want = [row_of(method, before, value) for before, value in zip([None, *values], values)]  # noqa: B905

    np.testing.assert_allclose(transform(method, values), want, rtol=1e-9, atol=1e-12)


@every_method
@given(data=st.data(), horizon=st.integers(1, 5))
def test_the_way_back_goes_from_the_last_known_value_step_by_step(
    method: Method, data: st.DataObject, horizon: int
) -> None:
    last = data.draw(series(method, least=1))
    shape = (len(last), horizon)
    small = st.lists(st.floats(-2, 2), min_size=len(last) * horizon, max_size=len(last) * horizon)
    forecast = np.array(data.draw(small)).reshape(shape)

    found = invert(method, forecast.copy(), last)

    want = np.empty(shape)
    for window, step in np.ndindex(shape):
        before = float(want[window, step - 1] if step else last[window])
        want[window, step] = next_value(method, before, float(forecast[window, step]))
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-9 * np.abs(last).max())


@every_method
@given(data=st.data(), horizon=st.integers(1, 5))
def test_the_transform_of_the_truth_leads_back_to_the_truth(
    method: Method, data: st.DataObject, horizon: int
) -> None:
    values = data.draw(series(method, least=horizon + 1))
    rows = np.arange(1, len(values) - horizon + 1)
    ahead = rows[:, np.newaxis] + np.arange(horizon)

    back = invert(method, transform(method, values)[ahead].astype(float), values[rows - 1])

    np.testing.assert_allclose(back, values[ahead], rtol=1e-9, atol=1e-9 * np.abs(values).max())


@every_method
@given(data=st.data())
def test_no_row_depends_on_a_later_one(method: Method, data: st.DataObject) -> None:
    values, others = data.draw(series(method)), data.draw(series(method))
    row = data.draw(st.integers(1, len(values)))

    spoilt = np.concatenate([values[:row], others])

    np.testing.assert_array_equal(transform(method, spoilt)[:row], transform(method, values)[:row])


@every_method
@given(unknown=st.integers(0, 5))
def test_a_series_that_begins_unknown_does_so_for_one_row_more_where_changes_are_asked_for(
    method: Method, unknown: int
) -> None:
    values = np.concatenate([np.full(unknown, np.nan), np.arange(1.0, 9.0)])

    found = transform(method, values)

    first = unknown + (1 if method in CHANGES else 0)
    assert Channel(found).first == first
    assert np.isfinite(found[first:]).all()


def test_levels_that_float32_cannot_tell_apart_come_back_to_the_last_digit() -> None:
    values = 1e9 + np.array([0.0, 0.25, -0.5, 1.0])

    for method in (*CHANGES, "log"):
        changes = transform(method, values)[1:, np.newaxis].astype(float)
        back = invert(method, changes, values[:-1])
        np.testing.assert_allclose(
            back[:, 0], values[1:], rtol=4e-16 * (1 + 20 * ("log" in method))
        )


@pytest.mark.parametrize(
    ("method", "values", "row"),
    [
        ("log", [1, 2, 0, -1], 2),
        ("log_diff", [math.nan, 1, -3], 2),
        ("returns", [1, -2, 0], 2),
        ("returns", [1, -2, 3], None),
        ("diff", [0, -1, 0], None),
        ("none", [0, -1, 0], None),
        ("log", [math.nan, 1e-300], None),
    ],
)
def test_the_first_value_without_a_transform_is_found(
    method: Method, values: list[float], row: int | None
) -> None:
    assert first_unfit(method, np.array(values, float)) == row


def test_a_value_without_a_transform_is_refused() -> None:
    for method, needed in NEEDS.items():
        with pytest.raises(StepError, match=f"row 1,001 is 0, and {method} needs {needed}"):
            transform(method, np.append(np.ones(1000), 0.0))


def test_a_net_that_has_diverged_gives_infinity_and_no_warning() -> None:
    for method in ("log", "log_diff", "returns"):
        found = invert(method, np.full((1, 400), 1e4), np.ones(1))
        assert np.isposinf(found[0, -1])


def test_targets_alone_are_transformed_and_keep_what_else_is_known_of_them() -> None:
    # Given a target of which the rows 2 and 3 are carried on, and a column beside it
    observed = np.array([True, True, False, False, True])
    target = Channel(np.array([1.0, 3.0, 3.0, 3.0, 8.0]), observed=observed)
    beside = Channel(np.array([5.0, 4.0, 3.0, 2.0, 1.0]), ahead=2)

    first, second = transformed([target, beside], 1, "diff")

    # Then nothing changes while the value is carried on, and all of it does in the row after that
    np.testing.assert_array_equal(first.values, [np.nan, 2.0, 0.0, 0.0, 5.0])
    assert first.observed is observed
    np.testing.assert_array_equal(first.known((0, 5)), [2.0, 5.0])
    assert second is beside
