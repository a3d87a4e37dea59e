"""EMD equals EMD-signal's, mode by mode, and always adds up to the series.

EMD-signal is not the same for y and k·y + c: two of its limits are absolute, and its first stop
test and its last limit see the level. So it is given the series without level and with unit spread,
and its modes get the unit back.
"""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PyEMD import EMD

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.emd import count_extrema, emd

# EMD-signal divides by zeros in its third stop test.
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in divide:RuntimeWarning")

T = np.arange(2000)


def noise(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows)


SERIES = {
    "white noise": noise(0, 2000),
    "random walk": noise(1, 2000).cumsum(),
    "quantised walk": np.round(noise(2, 2000).cumsum()),
    "quantised noise": np.round(noise(3, 2000)),
    "sines and a trend": np.sin(T / 5) + np.sin(T / 50) + T / 1000,
    "sines of whole periods": np.sin(T * np.pi / 10) + np.sin(T * np.pi / 100),
    "a plateau at the start": np.concatenate([np.zeros(5), noise(4, 200)]),
    "a plateau after the start": np.concatenate([[1.0], np.zeros(5), noise(5, 200)]),
    "a plateau at the end": np.concatenate([noise(6, 200), np.zeros(5)]),
    "alternating": np.where(T[:101] % 2, 1.0, -1.0),
}


def assert_equals_emd_signal(values: np.ndarray, max_imf: int) -> None:
    peer, unit = EMD(), values.std()
    peer.emd((values - values.mean()) / unit, max_imf=max_imf)
    found = emd(values, max_imf)
    modes = unit * peer.imfs
    want = np.concatenate([modes, [values - modes.sum(axis=0)]])
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-8)


@pytest.mark.parametrize("max_imf", [1, 4, 30])
@pytest.mark.parametrize("name", SERIES)
def test_every_mode_equals_emd_signals(name: str, max_imf: int) -> None:
    assert_equals_emd_signal(SERIES[name], max_imf)


@pytest.mark.slow
def test_every_mode_of_a_real_series_equals_emd_signals(etth1: dict[str, Floats]) -> None:
    assert_equals_emd_signal(etth1["OT"], 4)


@pytest.mark.parametrize("seed", range(60))
def test_modes_of_short_series_equal_emd_signals(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=random.integers(30, 61))
    values = (values, values.cumsum(), np.round(values), np.round(values.cumsum()))[seed % 4]
    assert_equals_emd_signal(values, int(random.integers(1, 6)))


@hypothesis_settings(max_examples=100)
@given(arrays(np.float64, st.integers(5, 80), elements=st.floats(-1e6, 1e6)), st.integers(1, 8))
def test_components_add_up_to_the_values(values: Floats, max_imf: int) -> None:
    assume(count_extrema(values) > 2)
    rows = emd(values, max_imf)

    assert 1 <= len(rows) <= max_imf + 1
    np.testing.assert_allclose(rows.sum(axis=0), values, rtol=0, atol=1e-12 * np.abs(rows).max())


def test_the_values_are_left_alone() -> None:
    values = noise(0, 100)
    values.flags.writeable = False

    emd(values, 3)

    np.testing.assert_array_equal(values, noise(0, 100))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (np.full(50, 3.0), "all 50 rows are the same"),
        (np.arange(50.0), "fewer than three maxima and minima"),
        (np.array([0.0, 2.0, 1.0, 3.0]), "fewer than three maxima and minima"),
        (np.array([0.0, 1.0, np.nan, 1.0]), "the value in row 2 is not a finite number"),
        (np.array([np.inf, 1.0, 0.0, 1.0]), "the value in row 0 is not a finite number"),
        (np.zeros(0), "all 0 rows are the same"),
    ],
)
def test_what_has_no_modes_is_refused_with_a_cure(values: Floats, what: str) -> None:
    with pytest.raises(StepError, match=what) as caught:
        emd(values, 3)
    assert caught.value.cure
