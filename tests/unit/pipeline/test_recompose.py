"""Components' forecasts add up by the time they are about, whatever their order and length."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import StepError
from pyheta.pipeline.recompose import Forecast, recompose, refuse_gap


def forecast(times: Sequence[int], scale: float) -> Forecast:
    """A forecast whose truth is scale * time and whose values are one more."""
    time = np.asarray(times, np.int64)
    truth = scale * time[:, None].astype(float) + np.arange(2)
    return Forecast(time, truth, truth + 1)


@hypothesis_settings(deadline=None, max_examples=50)
@given(st.permutations(range(5, 15)), st.integers(0, 3), st.integers(1, 4))
def test_each_time_gets_the_sum_of_what_was_forecast_for_it(
    order: list[int], earlier: int, parts: int
) -> None:
    # Given components in any order of time, some of which begin earlier than the first
    first = forecast(range(5, 15), 1.0)
    others = {
        f"IMF{k}": forecast([*range(5 - earlier, 5), *order], float(k + 2)) for k in range(1, parts)
    }

    # When they are added up
    whole = recompose({"IMF0": first, **others})

    # Then every time has the sum of all that is about it
    scale = 1.0 + sum(k + 2 for k in range(1, parts))
    assert whole.time.tolist() == list(range(5, 15))
    np.testing.assert_allclose(whole.truth[:, 0], scale * whole.time)
    np.testing.assert_allclose(whole.values, whole.truth + parts)


def test_a_component_that_lacks_a_time_is_refused_with_that_time() -> None:
    hour = 3_600_000_000
    whole = forecast([0, hour, 2 * hour], 1.0)
    part = forecast([0, 2 * hour, 3 * hour], 1.0)

    with pytest.raises(StepError, match="no forecast for 1970-01-01T01:00:00"):
        recompose({"IMF0": whole, "Residue": part})


def test_what_does_not_add_up_to_the_series_is_refused() -> None:
    whole = recompose({"IMF0": forecast([1, 2], 1.0), "Residue": forecast([1, 2], 2.0)})

    refuse_gap(whole, whole.truth + 1e-9)
    with pytest.raises(StepError, match="miss the series that they should add up to by"):
        refuse_gap(whole, whole.truth + 0.5)
