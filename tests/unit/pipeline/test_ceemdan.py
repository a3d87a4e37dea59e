"""CEEMDAN and EEMD equal EMD-signal's with the same noise, whatever the number of threads.

EMD-signal is not the same for y and k·y + c: the limits of its EMD are absolute, CEEMDAN's last one
and every first stop test see the level, and EEMD counts a trial's residue, level and all, as a
mode. So it is given the series without level and with unit spread, and its modes get the unit back.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PyEMD import CEEMDAN, EEMD

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition import ceemdan as module
from pyheta.pipeline.decomposition.ceemdan import ceemdan, noise_modes, white_noise
from pyheta.pipeline.decomposition.eemd import eemd

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in divide:RuntimeWarning")

T = np.arange(600)
RANDOM = np.random.default_rng(0)
SERIES = {
    "white noise": RANDOM.normal(size=600),
    "random walk": RANDOM.normal(size=600).cumsum(),
    "quantised walk": np.round(RANDOM.normal(size=600).cumsum()),
    "sines and a trend": np.sin(T / 5) + np.sin(T / 50) + T / 100,
    "pure sine": np.sin(T / 7),
    "thirty rows": RANDOM.normal(size=30),
    "sixty rows of a walk": RANDOM.normal(size=60).cumsum(),
}


def run(method: Callable[..., Floats], values: Floats, **changed: Any) -> Floats:
    options = {"max_imf": 4, "trials": 3, "noise": 0.01, "seed": 0, "progress": lambda _: None}
    return method(values, **(options | changed))


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Numba's number of threads, to be set by a test."""
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


def standardised(values: Floats) -> Floats:
    signal: Floats = (values - values.mean()) / values.std()
    return signal


def peer_ceemdan(values: Floats, *, max_imf: int, trials: int, noise: float, seed: int) -> Floats:
    peer = CEEMDAN(trials=trials, epsilon=noise, seed=seed, parallel=False)
    components: Floats = values.std() * peer.ceemdan(standardised(values), max_imf=max_imf)
    components[-1] += values.mean()
    return components


def assert_ceemdan_equals_emd_signals(values: Floats, **options: Any) -> None:
    want = peer_ceemdan(values, **options)
    found = run(ceemdan, values, **options)
    assert found.shape == want.shape
    np.testing.assert_allclose(found, want, rtol=0, atol=1e-8)


@pytest.mark.parametrize("max_imf", [1, 3, 20])
@pytest.mark.parametrize("name", SERIES)
def test_every_ceemdan_mode_equals_emd_signals(name: str, max_imf: int) -> None:
    assert_ceemdan_equals_emd_signals(SERIES[name], max_imf=max_imf, trials=3, noise=0.005, seed=1)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_ceemdan_without_and_with_much_noise_equals_emd_signals(noise: float) -> None:
    assert_ceemdan_equals_emd_signals(
        SERIES["random walk"], max_imf=4, trials=1, noise=noise, seed=2
    )


def test_every_ceemdan_mode_of_a_real_series_equals_emd_signals(etth1: dict[str, Floats]) -> None:
    assert_ceemdan_equals_emd_signals(etth1["OT"][:3000], max_imf=4, trials=3, noise=0.005, seed=0)


@pytest.mark.parametrize("max_imf", [1, 3, 20])
@pytest.mark.parametrize("name", SERIES)
def test_every_eemd_mode_equals_emd_signals(name: str, max_imf: int) -> None:
    peer = EEMD(trials=3, noise_width=0.05, parallel=False)
    peer.noise_seed(1)
    want = SERIES[name].std() * peer.eemd(standardised(SERIES[name]), max_imf=max_imf)

    found = run(eemd, SERIES[name], max_imf=max_imf, noise=0.05, seed=1)

    modes = len(found) - 1
    assert len(want) - 1 <= modes <= max_imf
    np.testing.assert_allclose(found[:-1], want[:modes], rtol=0, atol=1e-8)


OPTIONS = st.fixed_dictionaries(
    {
        "max_imf": st.integers(1, 8),
        "trials": st.integers(1, 5),
        "noise": st.floats(0, 1),
        "seed": st.integers(0, 2**32 - 1),
    }
)


@hypothesis_settings(max_examples=50)
@given(st.sampled_from([ceemdan, eemd]), st.integers(5, 200), st.floats(1e-3, 1e6), OPTIONS)
def test_components_add_up_and_a_seed_repeats_them(
    method: Callable[..., Any], rows: int, scale: float, options: dict[str, Any]
) -> None:
    values = scale * np.random.default_rng(options["seed"]).normal(size=rows)
    values[:5] = scale * np.array([1.0, -1.0, 1.0, -1.0, 1.0])  # so that there are three extrema

    found = run(method, values, **options)

    assert 1 <= len(found) <= options["max_imf"] + 1
    np.testing.assert_allclose(found.sum(axis=0), values, rtol=0, atol=1e-12 * np.abs(found).max())
    np.testing.assert_array_equal(found, run(method, values, **options))


@pytest.mark.parametrize("method", [ceemdan, eemd])
def test_the_number_of_threads_changes_nothing(
    method: Callable[..., Any], threads: Callable[[int], None]
) -> None:
    threads(1)
    one = run(method, SERIES["random walk"], trials=11)
    threads(2)
    two = run(method, SERIES["random walk"], trials=11)

    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("method", [ceemdan, eemd])
def test_another_seed_gives_another_result(method: Callable[..., Any]) -> None:
    values = SERIES["random walk"]
    assert not np.array_equal(run(method, values, seed=0), run(method, values, seed=1))


def test_progress_counts_up_to_all_trials() -> None:
    seen: list[dict[str, int]] = []
    run(ceemdan, SERIES["random walk"], progress=seen.append)
    assert seen == [{"done": i, "of": 12} for i in range(1, 13)]
    seen.clear()
    run(eemd, SERIES["random walk"], progress=seen.append)
    assert seen == [{"done": i, "of": 3} for i in range(1, 4)]


@pytest.mark.parametrize("method", [ceemdan, eemd])
def test_a_trend_is_refused(method: Callable[..., Any]) -> None:
    with pytest.raises(StepError, match="fewer than three maxima and minima"):
        run(method, np.arange(100.0))


def test_noise_modes_are_those_of_emd_signal() -> None:
    peer = CEEMDAN(trials=3, seed=5, parallel=False)
    peer.all_noises = peer.generate_noise(1.0, (3, 200))
    want = peer._decompose_noise()

    rows, counts = noise_modes(white_noise(5, 3, 200), 12)

    for found, count, modes in zip(rows, counts, want, strict=True):
        assert count == min(12, len(modes))
        np.testing.assert_allclose(found[:count], modes[:12], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", SERIES)
def test_the_short_cut_past_the_costly_stop_test_does_not_change_its_outcome(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = SERIES[name] / SERIES[name].std()
    modes = np.zeros((2, len(values)))
    modes[0] = run(ceemdan, values)[0]

    quick = module.is_exhausted(values, modes, 1)
    monkeypatch.setattr(module, "PLENTY", len(values))
    assert quick == cast(Any, module.is_exhausted).py_func(values, modes, 1)
