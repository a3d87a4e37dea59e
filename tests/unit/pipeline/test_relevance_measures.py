"""Measures at lags agree with SciPy and closed forms; each stands beside chance."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.signal import lfilter

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance import farm
from pyheta.pipeline.relevance.chance import shifts
from pyheta.pipeline.relevance.correlation import best_lag, pearson, spearman
from pyheta.pipeline.relevance.dtw import dtw_distance
from pyheta.pipeline.relevance.measures import DTW_DRAWS, MEASURES
from pyheta.pipeline.relevance.measuring import _thinned, measure
from pyheta.pipeline.relevance.mutual_information import mutual_information

LEAD = 3
ALL = list(MEASURES)


def leading(rows: int = 400, seed: int = 0, step: float = 1.0) -> tuple[Floats, Floats]:
    """A random walk and a noisy column that leads it by 3 rows; multiples of `step`, with ties."""
    rng = np.random.default_rng(seed)
    walk = np.round(rng.normal(size=rows + LEAD).cumsum() / step) * step
    return walk[:rows], walk[LEAD:] + np.round(rng.normal(size=rows) / step) * step


def unrelated(seed: int, rows: int = 300) -> Floats:
    """Two series that forget slowly (autocorrelation 0.9) and know nothing of each other."""
    noise = np.random.default_rng(seed).normal(size=(2, rows))
    coloured: Floats = lfilter([1.0], [1.0, -0.9], noise)
    return coloured


# -------------------------------------------------------------------------------------- correlation


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(pearson, stats.pearsonr), (spearman, stats.spearmanr)],
    ids=["pearson", "spearman"],
)
@pytest.mark.parametrize("step", [0.001, 1.0])
def test_correlation_at_every_lag_is_that_of_scipy(
    ours: Callable[..., Any], theirs: Callable[..., Any], step: float
) -> None:
    target, column = leading(step=step)

    found = ours(target, column, max_lag=12)

    pairs = [(target[lag:], column[: len(column) - lag]) for lag in range(13)]
    np.testing.assert_allclose(
        found, [theirs(*pair).statistic for pair in pairs], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("ours", [pearson, spearman, mutual_information])
def test_the_best_lag_is_that_by_which_the_column_leads(ours: Callable[..., Any]) -> None:
    assert best_lag(ours(*leading(), max_lag=12)) == LEAD


def test_the_best_lag_may_be_that_of_an_inverse_relation() -> None:
    target, column = leading()

    assert best_lag(pearson(target, -column, max_lag=12)) == LEAD
    assert best_lag(np.array([0.2, -0.9, 0.9])) == 1


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_a_straight_line_correlates_perfectly_however_far_from_zero(offset: float) -> None:
    line = np.arange(50.0)

    np.testing.assert_allclose(
        pearson(line, 2 * line + offset, max_lag=40), 1.0, rtol=0, atol=1e-12
    )


# ------------------------------------------------------------------------------- mutual information


def normal_pairs(correlation: float, rows: int = 20_000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    target = rng.normal(size=rows)
    return target, correlation * target + math.sqrt(1 - correlation**2) * rng.normal(size=rows)


def bias(bins: int, rows: int = 20_000) -> float:
    """Where every cell is occupied."""
    return (bins - 1) ** 2 / (2 * rows)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
def test_information_of_normal_pairs_is_that_of_their_bins_plus_the_known_bias(
    correlation: float,
) -> None:
    edges = stats.norm.ppf(np.linspace(0, 1, 9)).clip(-9, 9)
    corners = np.stack(np.meshgrid(edges, edges), axis=-1)
    below = stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]]).cdf(corners)
    shares = np.diff(np.diff(below, axis=0), axis=1)
    expected = (shares * np.log(shares * 64)).sum()

    found = mutual_information(*normal_pairs(correlation), max_lag=0, bins=8)[0]

    assert found - bias(8) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9])
def test_information_of_normal_pairs_lies_between_loss_and_bias_of_the_closed_form(
    correlation: float,
) -> None:
    closed = -0.5 * math.log(1 - correlation**2)

    found = mutual_information(*normal_pairs(correlation), max_lag=0, bins=20)[0]

    assert 0.94 * closed - 0.001 < found < closed + bias(20) + 0.001


@pytest.mark.parametrize("bins", [2, 5, 10])
def test_a_series_tells_all_about_itself_and_about_any_monotonic_copy(bins: int) -> None:
    values = np.random.default_rng(0).permutation(100).astype(float)

    for copy in (values, -values, np.exp(values / 20)):
        assert mutual_information(values, copy, max_lag=0, bins=bins)[0] == pytest.approx(
            math.log(bins)
        )


def test_there_are_as_many_bins_as_the_cube_root_of_the_rows() -> None:
    values = np.random.default_rng(0).permutation(1000).astype(float)

    assert mutual_information(values, values, max_lag=0)[0] == pytest.approx(math.log(10))


def test_independent_grids_tell_nothing() -> None:
    target, column = np.repeat(np.arange(6.0), 6), np.tile(np.arange(6.0), 6)

    assert mutual_information(target, column, max_lag=0, bins=3)[0] == pytest.approx(0, abs=1e-15)


def test_information_of_a_table_by_hand() -> None:
    # Pairs (low, low), (low, high), (high, low), (high, high) occur 3, 1, 1 and 3 times.
    target = np.array([0, 0, 0, 0, 1, 1, 1, 1], float)
    column = np.array([0, 0, 0, 1, 0, 1, 1, 1], float)

    found = mutual_information(target, column, max_lag=0, bins=2)[0]

    assert found == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


def test_equal_values_share_a_bin_and_bins_may_stay_empty() -> None:
    target = np.array([0.0] * 90 + [1.0] * 10)

    found = mutual_information(target, target, max_lag=0, bins=4)[0]

    assert found == pytest.approx(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))


def test_information_sees_a_relation_that_no_correlation_sees() -> None:
    target = np.linspace(-1, 1, 501)

    assert abs(pearson(target, target**2, max_lag=0)[0]) < 1e-12
    assert mutual_information(target, target**2, max_lag=0)[0] > 1


# -------------------------------------------------------------------------------- what has no value


@pytest.mark.parametrize("ours", [pearson, spearman, mutual_information])
@pytest.mark.parametrize(
    ("target", "column", "max_lag", "said"),
    [
        (np.arange(9.0), np.full(9, 0.1), 0, "column: a constant series"),
        (np.full(9, 0.1), np.arange(9.0), 0, "target: a constant series"),
        (np.arange(9.0), np.arange(8.0), 0, "9 rows and the column 8"),
        (np.arange(9.0), np.append(np.arange(8.0), np.nan), 0, "column: a value is not finite"),
        (np.arange(9.0), np.arange(9.0), 7, "no 3 pairs at lag 7"),
        (np.arange(9.0), np.arange(9.0), -1, "lag -1"),
    ],
)
def test_what_has_no_value_is_refused_with_a_reason(
    ours: Callable[..., Any], target: Floats, column: Floats, max_lag: int, said: str
) -> None:
    with pytest.raises(StepError, match=said):
        ours(target, column, max_lag=max_lag)


def test_a_column_that_is_constant_in_the_rows_of_a_lag_is_refused() -> None:
    late = np.append(np.zeros(9), 1.0)

    with pytest.raises(StepError, match="constant in the rows of a lag"):
        pearson(np.arange(10.0), late, max_lag=1)


def test_one_bin_is_refused() -> None:
    with pytest.raises(StepError, match="2 bins or more"):
        mutual_information(*leading(), max_lag=0, bins=1)


# ------------------------------------------------------------------------------------ beside chance


def test_every_measure_beats_chance_for_a_column_that_moves_with_the_target() -> None:
    target, _ = leading()
    column = 5 + 0.1 * target

    found = measure(ALL, target, column, max_lag=6, draws=19, seed=0)

    assert list(found) == ALL
    assert all(entry["beats_chance"] is True for entry in found.values())
    assert {name: entry["lag"] for name, entry in found.items()} == dict.fromkeys(MEASURES, 0)


def test_a_column_that_leads_is_found_with_its_lead() -> None:
    found = measure(
        ["pearson", "spearman", "mutual_information"], *leading(), max_lag=6, draws=19, seed=0
    )

    assert {entry["lag"] for entry in found.values()} == {LEAD}
    assert all(entry["beats_chance"] for entry in found.values())


def test_unrelated_columns_beat_chance_about_one_time_in_twenty() -> None:
    names, seeds = ["farm", "pearson", "dtw"], range(60)

    found = [measure(names, *unrelated(seed), max_lag=6, draws=19, seed=seed) for seed in seeds]

    for name in names:
        assert (
            sum(entry[name]["beats_chance"] for entry in found) <= 8
        )  # 3 expected, more with p = 0.3 %
    assert (
        np.mean([entry["pearson"]["chance"] for entry in found]) > 0.15
    )  # although it is far from zero
    assert np.mean([entry["farm"]["chance"] for entry in found]) > 0.4


def test_an_inverse_relation_keeps_its_sign_and_beats_chance_by_its_size() -> None:
    target, column = leading()

    found = measure(["pearson"], target, -column, max_lag=6, draws=19, seed=0)["pearson"]

    assert found["value"] < 0 < found["chance"] <= found["chance_high"]
    assert found["beats_chance"] is True


def test_dtw_is_a_distance_so_that_less_of_it_beats_chance() -> None:
    target, column = leading()

    found = measure(["dtw"], target, column, max_lag=6, draws=19, seed=0)["dtw"]

    assert found["value"] < found["chance_high"] <= found["chance"]


def test_the_values_are_those_of_the_single_measures() -> None:
    target, column = leading()
    one, other = ((values - values.mean()) / values.std() for values in (target, column))
    smooth = farm.fuzzified(farm.local_relevance(target, column, window=7))

    found = measure(ALL, target, column, max_lag=6, draws=2, seed=0, farm_window=7, band=0.05)

    assert found["farm"]["value"] == farm.global_relevance(smooth)
    assert found["pearson"]["value"] == pearson(target, column, max_lag=6)[LEAD]
    assert found["spearman"]["value"] == spearman(target, column, max_lag=6)[LEAD]
    assert (
        found["mutual_information"]["value"] == mutual_information(target, column, max_lag=6)[LEAD]
    )
    assert found["dtw"]["value"] == pytest.approx(dtw_distance(one, other, band=20) / 800)


def test_the_level_of_chance_is_that_of_shifted_columns_each_at_its_best_lag() -> None:
    target, column = leading()
    shifted = [np.roll(column, shift) for shift in shifts(400, 6, 19, seed=5)]
    best = [np.abs(pearson(target, other, max_lag=6)).max() for other in shifted]

    found = measure(["pearson"], target, column, max_lag=6, draws=19, seed=5)["pearson"]

    assert found["chance"] == pytest.approx(np.mean(best))
    assert found["chance_high"] == max(best)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_another_level() -> None:
    runs = [measure(ALL, *leading(), max_lag=3, draws=6, seed=seed) for seed in (7, 7, 8)]

    assert runs[0] == runs[1]
    assert runs[0]["farm"]["chance"] != runs[2]["farm"]["chance"]
    assert runs[0]["farm"]["value"] == runs[2]["farm"]["value"]


def test_the_numbers_can_be_written_as_strict_json() -> None:
    found = measure(ALL, *leading(), max_lag=3, draws=2, seed=0)

    assert json.loads(json.dumps(found, allow_nan=False)) == found


@given(
    rows=st.integers(200, 20_000),
    max_lag=st.integers(0, 48),
    draws=st.integers(1, 20),
    seed=st.integers(0, 99),
)
def test_shifts_stay_away_from_no_shift_and_from_each_other(
    rows: int, max_lag: int, draws: int, seed: int
) -> None:
    offsets = np.array(shifts(rows, max_lag, draws, seed))
    clear = max_lag + rows // 20
    part = (rows - 2 * clear) / draws

    assert len(offsets) == draws
    assert offsets.min() > clear
    assert offsets.max() < rows - clear
    assert (np.diff(offsets) > part / 2 - 1).all()


def test_dtw_gets_few_draws_spread_around_the_circle() -> None:
    assert _thinned(range(95), DTW_DRAWS) == list(range(2, 95, 5))
    assert _thinned(range(19), DTW_DRAWS) == range(19)


@pytest.mark.parametrize("name", MEASURES)
def test_a_constant_series_is_refused_by_every_measure(name: str) -> None:
    target, constant = np.arange(200.0), np.full(200, 0.1)

    for pair, where in (((target, constant), "column"), ((constant, target), "target")):
        with pytest.raises(StepError, match=f"{where}: a constant series"):
            measure([name], *pair, max_lag=3, draws=2, seed=0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"names": ["perason"]}, "did you mean 'pearson'"),
        ({"column": np.arange(199.0)}, "200 rows and the column 199"),
        (
            {"column": np.append(np.arange(199.0), np.inf)},
            "column: a value is missing or not finite",
        ),
        ({"draws": 0}, "0 shifts"),
        ({"draws": 100}, "200 rows have no room for 100 shifts"),
        ({"max_lag": 90}, "beyond a lag of 90"),
        ({"max_lag": -1}, "lag of -1"),
        ({"band": 1.5}, "band of 1.5"),
        ({"farm_window": 4}, "no middle"),
    ],
)
def test_options_that_cannot_work_are_refused_with_a_reason(
    changed: dict[str, Any], said: str
) -> None:
    options = {"max_lag": 3, "draws": 2, "seed": 0} | changed
    series: dict[str, Any] = {
        "names": ["farm"],
        "target": np.arange(200.0) ** 2,
        "column": np.arange(200.0),
    }

    with pytest.raises(StepError, match=said):
        measure(**(series | options))
