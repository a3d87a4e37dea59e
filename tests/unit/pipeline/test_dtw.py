"""DTW distance equals dtw-python's, with and without a band, for equal and unequal lengths."""

import itertools

import numpy as np
import pytest
from dtw import dtw
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance.dtw import dtw_distance

SERIES = arrays(np.float64, st.integers(1, 12), elements=st.floats(-100, 100))


def oracle(first: Floats, second: Floats, band: int | None = None) -> float:
    within = (
        {} if band is None else {"window_type": "sakoechiba", "window_args": {"window_size": band}}
    )
    distance: float = dtw(
        first, second, dist_method="cityblock", distance_only=True, **within
    ).distance
    return distance


def walks(rows: int, columns: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng([rows, columns])
    return rng.normal(size=rows).cumsum(), rng.normal(size=columns).cumsum()


@pytest.mark.parametrize("band", [None, 7, 8, 20, 1000])
@pytest.mark.parametrize(
    ("rows", "columns"), [(150, 150), (150, 143), (143, 150), (1, 8), (8, 1), (1, 1)]
)
def test_the_distance_is_that_of_dtw_python(rows: int, columns: int, band: int | None) -> None:
    first, second = walks(rows, columns)

    assert dtw_distance(first, second, band=band) == pytest.approx(
        oracle(first, second, band), rel=1e-12
    )


def test_a_band_of_no_rows_leaves_the_plain_sum_of_twice_the_differences() -> None:
    first, second = walks(40, 40)
    apart = np.abs(first - second)

    assert dtw_distance(first, second, band=0) == pytest.approx(2 * apart.sum() - apart[0])


def test_waiting_costs_what_the_moves_say() -> None:
    # The second waits a row at 1 and another at 3: |2 - 3| is paid once, with the weight of a
    # single move.
    assert dtw_distance(np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 3.0])) == 1.0


@pytest.mark.parametrize("lengths", [(50, 43), (43, 50)])
def test_a_band_too_narrow_for_unequal_lengths_is_refused(lengths: tuple[int, ...]) -> None:
    with pytest.raises(StepError, match=r"band of 6 rows.*at least 7 rows"):
        dtw_distance(*walks(*lengths), band=6)


def test_a_negative_band_is_refused() -> None:
    with pytest.raises(StepError, match="band of -1 rows"):
        dtw_distance(*walks(5, 5), band=-1)


@pytest.mark.parametrize("bad", [np.array([]), np.array([1.0, np.nan]), np.array([np.inf])])
def test_missing_rows_and_values_are_refused_on_either_side(bad: Floats) -> None:
    for pair in itertools.permutations([bad, np.ones(3)]):
        with pytest.raises(StepError, match="all of them finite"):
            dtw_distance(*pair)


@given(first=SERIES, second=SERIES)
def test_a_distance_is_symmetric_and_no_band_makes_it_smaller(
    first: Floats, second: Floats
) -> None:
    free = dtw_distance(first, second)

    assert dtw_distance(second, first) == pytest.approx(free, rel=1e-12)
    assert dtw_distance(first, first) == 0
    for band in range(abs(len(first) - len(second)), 12):
        assert dtw_distance(first, second, band=band) >= free * (1 - 1e-12)


@given(first=SERIES, second=SERIES)
def test_any_two_series_are_as_far_apart_as_dtw_python_says(first: Floats, second: Floats) -> None:
    assert dtw_distance(first, second) == pytest.approx(
        oracle(first, second), rel=1e-12, abs=1e-300
    )
