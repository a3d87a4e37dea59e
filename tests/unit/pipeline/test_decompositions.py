"""Every decomposition adds up; what is called causal does not change when the future does."""

import sys
from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.compute import Causal, causal, whole
from pyheta.pipeline.decomposition.methods import METHODS, component_names

NAMES = [name for name in METHODS if name != "none"]
OPTIONS = {
    "max_imf": 3,
    "trials": 2,
    "noise": 0.01,
    "seed": 0,
    "window": 60,
    "grow": False,
    "wavelet": "db2",
    "period": 12,
}


def walk(seed: int = 0, rows: int = 150) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows).cumsum()


def run(values: Floats, method: str, keep: int = 5, **changed: Any) -> Causal:
    return causal(
        values, OPTIONS | {"method": method} | changed, keep=keep, progress=lambda _: None
    )


def run_whole(values: Floats, method: str, **changed: Any) -> Floats:
    return whole(values, OPTIONS | {"method": method} | changed, lambda _: None)


@pytest.mark.parametrize("method", NAMES)
def test_the_components_of_a_series_add_up_to_it_in_the_order_of_their_names(method: str) -> None:
    values = 100 + walk()
    rows = run_whole(values, method)

    assert rows.shape == (len(component_names(OPTIONS | {"method": method})), 150)
    np.testing.assert_allclose(rows.sum(axis=0), values, rtol=1e-12)


@pytest.mark.parametrize("method", ["emd", "eemd", "ceemdan"])
def test_missing_modes_are_zero_and_the_residue_comes_last(method: str) -> None:
    values = walk(rows=100) + np.arange(100.0)
    rows = run_whole(values, method, max_imf=110)

    assert rows.shape == (111, 100)
    modes = int(np.any(rows[:-1], axis=1).sum())
    assert 0 < modes < 20
    assert not rows[modes:-1].any()
    np.testing.assert_allclose(rows.sum(axis=0), values, rtol=0, atol=1e-10)


def test_wavelet_details_come_from_the_finest_on() -> None:
    rows = run_whole(np.sin(np.arange(300) * 2.8) + np.sin(np.arange(300) / 40), "wavelet")
    assert np.argmax(rows[:-1].std(axis=1)) == 0
    assert rows[-1].std() > 0.5


def test_stl_finds_a_season_of_the_given_period() -> None:
    season = np.tile(np.arange(12.0), 20)
    rows = run_whole(season + np.arange(240) / 10, "stl")
    np.testing.assert_allclose(rows[0], season - season.mean(), atol=0.1)


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("method", NAMES)
def test_causal_components_of_every_row_add_up_to_it(method: str, grow: bool) -> None:
    values = 100 + walk()
    found = run(values, method, grow=grow)

    assert found.values.dtype == np.float64
    assert found.tails.dtype == np.float32
    assert np.isnan(found.values[:, :59]).all()
    assert np.isnan(found.tails[:, :59]).all()
    np.testing.assert_allclose(found.values[:, 59:].sum(axis=0), values[59:], rtol=1e-12)
    assert not found.tails[:, 59:, -1].any()
    looked = found.values[:, :, np.newaxis] + found.tails
    for age in range(5):
        tail = looked[:, 59:, 4 - age].sum(axis=0)
        np.testing.assert_allclose(tail, values[59 - age : 150 - age], rtol=1e-7)


@pytest.mark.parametrize("method", NAMES)
def test_a_large_level_costs_no_precision(method: str) -> None:
    # Given a walk of small steps very far from zero
    values = 1e9 + walk()
    found = run(values, method)

    # Then the components look back on the movements that they had in the window
    for t in (59, 101, 149):
        alone = run_whole(values[t - 59 : t + 1], method)[:, -5:]
        np.testing.assert_allclose(found.tails[:, t], alone - alone[:, -1:], atol=1e-5)


@pytest.mark.parametrize("method", NAMES)
def test_a_causal_row_is_the_end_of_its_window_decomposed_alone(method: str) -> None:
    values = walk()
    found = run(values, method)

    for t in range(59, 150, 7):
        alone = run_whole(values[t - 59 : t + 1], method)
        np.testing.assert_allclose(found.values[:, t], alone[:, -1], rtol=0, atol=1e-11)
        looked = found.values[:, t, np.newaxis] + found.tails[:, t]
        np.testing.assert_allclose(looked, alone[:, -5:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["emd", "wavelet", "stl"])
def test_a_growing_window_begins_at_the_first_row(method: str) -> None:
    values = walk()
    found = run(values, method, grow=True)

    for t in (59, 100, 149):
        np.testing.assert_allclose(
            found.values[:, t], run_whole(values[: t + 1], method)[:, -1], atol=1e-11
        )


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("method", NAMES)
@hypothesis_settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), now=st.integers(59, 148), size=st.floats(1e-3, 1e6))
def test_the_future_does_not_reach_back(
    method: str, grow: bool, seed: int, now: int, size: float
) -> None:
    values = walk(seed)
    other = values.copy()
    other[now + 1 :] = size * np.random.default_rng(seed + 1).normal(size=149 - now)

    one, two = run(values, method, grow=grow), run(other, method, grow=grow)

    np.testing.assert_array_equal(one.values[:, : now + 1], two.values[:, : now + 1])
    np.testing.assert_array_equal(one.tails[:, : now + 1], two.tails[:, : now + 1])


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("method", NAMES)
def test_rows_that_are_appended_change_nothing_before_them(method: str, grow: bool) -> None:
    values = walk()

    long, short = run(values, method, grow=grow), run(values[:120], method, grow=grow)

    np.testing.assert_array_equal(long.values[:, :120], short.values)
    np.testing.assert_array_equal(long.tails[:, :120], short.tails)


@pytest.mark.parametrize("method", ["emd", "eemd", "ceemdan"])
def test_the_number_of_threads_changes_no_causal_row(method: str) -> None:
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = run(walk(rows=700), method)
        numba.set_num_threads(2)
        two = run(walk(rows=700), method)
    finally:
        numba.set_num_threads(before)

    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.tails, two.tails)


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("method", ["emd", "eemd", "ceemdan"])
def test_a_constant_window_is_all_residue(method: str, grow: bool) -> None:
    values = np.concatenate([np.full(100, 0.1), walk(rows=50)])
    found = run(values, method, grow=grow)

    assert not found.values[:-1, 59:100].any()
    np.testing.assert_array_equal(found.values[-1, 59:100], 0.1)
    assert found.values[:-1, 120:].any()


@pytest.mark.parametrize("method", NAMES)
def test_progress_ends_at_the_last_row(method: str) -> None:
    seen: list[Mapping[str, Any]] = []
    causal(walk(), OPTIONS | {"method": method}, keep=1, progress=seen.append)

    assert seen[-1] == {"done": 91, "of": 91}
    assert [fact["done"] for fact in seen] == sorted({fact["done"] for fact in seen})


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize(
    ("values", "keep", "what"),
    [
        (np.full(100, 3.0), 5, "all 100 rows are the same"),
        (np.append(walk(), np.nan), 5, "the value in row 150 is not a finite number"),
        (walk(rows=59), 5, "a window of 60 rows does not fit into 59 rows"),
        (walk(), 61, "61 rows cannot be kept of a window of 60"),
    ],
)
def test_what_cannot_be_decomposed_is_refused_with_a_cure(
    method: str, values: Floats, keep: int, what: str
) -> None:
    with pytest.raises(StepError, match=what) as caught:
        run(values, method, keep=keep)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("method", "changed", "what"),
    [
        ("wavelet", {"wavelet": "db99"}, "no discrete wavelet 'db99'"),
        ("wavelet", {"max_imf": 9}, "have room for"),
        ("stl", {"period": 31}, "60 rows are fewer than two seasons of decompose.period 31"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_a_cure(
    method: str, changed: dict[str, Any], what: str
) -> None:
    with pytest.raises(StepError, match=what) as caught:
        run(walk(), method, **changed)
    assert caught.value.cure


@pytest.mark.parametrize(
    ("method", "changed"),
    [("wavelet", {"wavelet": name}) for name in ("haar", "db2", "db7", "sym4")] + [("stl", {})],
)
def test_the_least_rows_fit_and_one_fewer_does_not(method: str, changed: dict[str, Any]) -> None:
    options = OPTIONS | changed
    least = METHODS[method].least_rows(options)

    METHODS[method].refuse_unfit(least, options)
    with pytest.raises(StepError):
        METHODS[method].refuse_unfit(least - 1, options)


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    with pytest.raises(StepError) as caught:
        run_whole(walk(), "stl")
    assert caught.value.cure == "pip install statsmodels"


def test_without_a_decomposition_the_series_is_its_only_component() -> None:
    values = walk()

    np.testing.assert_array_equal(run_whole(values, "none"), values[np.newaxis])
    np.testing.assert_array_equal(run(values, "none").values[:, 59:], values[np.newaxis, 59:])
