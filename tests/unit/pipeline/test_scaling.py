"""Scalers know training rows only, belong to one column by name, and can be undone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.scaling import Scaler

METHODS = ["minmax", "standard", "none"]
SERIES = arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6))


@pytest.mark.parametrize("method", METHODS)
@hypothesis_settings(deadline=None, max_examples=50)
@given(values=SERIES)
def test_inverting_undoes_applying(method: Any, values: Floats) -> None:
    scaler = Scaler.fit(method, values)
    size = np.abs(values).max() + 1
    np.testing.assert_allclose(scaler.invert(scaler.apply(values)), values, atol=1e-9 * size)


@hypothesis_settings(deadline=None, max_examples=50)
@given(SERIES)
def test_minmax_maps_training_values_to_zero_and_one(values: Floats) -> None:
    assume(np.ptp(values) > 1e-3)
    inside = Scaler.fit("minmax", values).apply(values)
    assert (inside.min(), inside.max()) == (0.0, 1.0)


@hypothesis_settings(deadline=None, max_examples=50)
@given(SERIES)
def test_standard_gives_mean_zero_and_population_deviation_one(values: Floats) -> None:
    assume(np.ptp(values) > 1e-3)
    inside = Scaler.fit("standard", values).apply(values)
    np.testing.assert_allclose([inside.mean(), inside.std()], [0, 1], atol=1e-6)


@pytest.mark.parametrize("method", ["minmax", "standard"])
def test_a_column_that_is_constant_in_training_is_shifted_only(method: Any) -> None:
    scaler = Scaler.fit(method, np.full(7, 0.1))  # whose computed deviation is not exactly zero

    assert scaler == Scaler(0.1, 1.0)
    np.testing.assert_allclose(scaler.apply(np.array([0.1, 5.1])), [0.0, 5.0])


@hypothesis_settings(deadline=None, max_examples=200)
@given(values=SERIES, level=st.floats(-1e12, 1e12))
def test_no_scaling_takes_a_level_off_only_where_float32_would_lose_the_rest(
    values: Floats, level: float
) -> None:
    raised = values + level
    # What a float64 can tell, and is not too small for a float32 at any level
    assume(raised.std() > max(1e-9 * np.abs(raised).max(), 1e-30))
    scaler = Scaler.fit("none", raised)

    bits = np.log2(np.abs(raised).max() / raised.std())
    assert scaler.unit == 1
    assert scaler.offset == (raised.mean() if bits > 12 else 0)
    # At least half of the 24 bits of a float32 are left for what the values do
    kept = scaler.invert(scaler.apply(raised).astype(np.float32).astype(np.float64))
    assert np.abs(kept - raised).max() <= 2**-12 * raised.std()


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_what_is_constant_is_not_shifted_without_scaling(value: float) -> None:
    assert Scaler.fit("none", np.full(7, value)) == Scaler(0.0, 1.0)


def test_a_deviation_too_small_for_a_float_is_not_divided_by() -> None:
    assert Scaler.fit("standard", np.array([0.0, 4e-274])).unit == 1.0
