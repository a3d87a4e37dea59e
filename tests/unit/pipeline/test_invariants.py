"""What is computed on a series does not depend on its unit or on where that has its zero.

With k·y + c for y, components and shaped columns are those of y times k, one of them with the level
c on top; measures, scaled values and metrics are the same. The lists of the house say what is
tested, so whatever is added to one is tested by that.

Held to 1e-9 of the series' spread, and to what the level's own rounding costs (32 times half a step
of float64 at c). What is made of FARM's local relevance is held to 1e-7, since its root makes 1e-8
of a rounding of 1e-16 where two windows are alike. k goes from 1e-6 to 1e6 in size and c up to a
million spreads; k may be negative where a method is odd. The series are random walks: where two
values are equal but for rounding, as in a sine of whole periods, a sift may decide either way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.compute import Causal, causal, whole
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.metrics import METRICS
from pyheta.pipeline.relevance.measures import MEASURES
from pyheta.pipeline.relevance.measuring import measure
from pyheta.pipeline.relevance.shaping import shaped
from pyheta.pipeline.relevance.shaping_methods import FACTORS, RELEVANCES, VALUES
from pyheta.pipeline.scaling import Method, Scaler
from pyheta.pipeline.scoring import Evaluation, Measured, Scales, errors_of
from pyheta.pipeline.scoring import measure as measure_errors

#: What is not the same for y and k·y + c, and why. It says so where users choose it.
NOT_INVARIANT = {
    "none": "values that are not scaled keep their unit",
    "raw": "published shaping damps towards 0, wherever the unit has that",
    "mape": "a share of the truth, wherever the unit has its zero",
    "smape": "a share of truth and forecast, wherever the unit has its zero",
    "wape": "a share of the truth, wherever the unit has its zero",
}
#: What is not the same, but for its sign, for -y (of a pair of series: for -x and -y), and why.
NOT_ODD = {
    "eemd": "its noise keeps its sign",
    "ceemdan": "its noise keeps its sign",
    "minmax": "0 and 1 change places",
    "mutual_information": "of an odd number of ranks the middle one falls into the upper bin",
}

FARM_TOLERANCE = 1e-7
ROWS, TRAIN_STOP, WINDOW = 150, 100, 60
OPTIONS = {
    "max_imf": 3,
    "trials": 3,
    "noise": 0.05,
    "seed": 0,
    "window": WINDOW,
    "wavelet": "db2",
    "period": 12,
}


@dataclass(frozen=True)
class Unit:
    """y becomes k·y + c; c is `level` spreads of k·y."""

    k: float
    level: float

    def of(self, values: Floats) -> Floats:
        return self.k * values + self.c(values)

    def c(self, values: Floats) -> float:
        return float(self.level * abs(self.k) * values.std())

    def tolerance(self, values: Floats) -> float:
        """In the new unit."""
        return float(1e-9 * abs(self.k) * values.std() + 32 * np.spacing(abs(self.c(values))) / 2)


def sizes(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda power: 10.0**power)


SIGNS = st.sampled_from([-1.0, 1.0])
LEVELS = st.one_of(st.just(0.0), st.builds(lambda sign, size: sign * size, SIGNS, sizes(-2, 6)))
KEPT = st.builds(Unit, sizes(-6, 6), LEVELS)
TURNED = st.builds(Unit, sizes(-6, 6).map(lambda k: -k), LEVELS)
SEEDS = st.integers(0, 2**32 - 1)


def units(name: str) -> st.SearchStrategy[Unit]:
    """Those in which a method of this name has to say the same."""
    return KEPT if name in NOT_ODD else st.one_of(KEPT, TURNED)


def walk(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=ROWS).cumsum()


def pair(seed: int) -> tuple[Floats, Floats]:
    """A target, and a column that has something of it."""
    target = walk(seed)
    return target, target + walk(seed + 1)


def level_of(found: Floats, want: Floats, values: Floats, unit: Unit) -> int:
    """Which component has the level. All others are those of y times k; the last axis is time."""
    off = found - unit.k * want
    of_level = [
        number
        for number, rows in enumerate(off)
        if np.allclose(rows, unit.c(values), rtol=0, atol=unit.tolerance(values))
    ]
    assert of_level, "no component has the level"
    number = of_level[-1]
    others = np.delete(off, number, axis=0)
    np.testing.assert_allclose(others, 0, rtol=0, atol=unit.tolerance(values))
    return number


def same_level(found: int, unit: Unit, name: str) -> None:
    """A level that is to be seen stands where it always does."""
    if unit.level:
        assert found == LEVEL.get(name, found)


LEVEL = {"none": 0, "emd": 3, "eemd": 3, "ceemdan": 3, "wavelet": 3, "stl": 1}


def cases(*names: str) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("name", names)


# ---------------------------------------------------------------------------------- decompositions


@cases(*METHODS)
@hypothesis_settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=SEEDS)
def test_components_of_a_whole_series(name: str, data: st.DataObject, seed: int) -> None:
    values, unit = walk(seed), data.draw(units(name))

    def run(series: Floats) -> Floats:
        return whole(series, OPTIONS | {"method": name}, lambda _: None)

    number = level_of(run(unit.of(values)), run(values), values, unit)
    same_level(number, unit, name)


@pytest.mark.parametrize("grow", [False, True])
@cases(*METHODS)
@hypothesis_settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=SEEDS)
def test_components_of_every_window(name: str, grow: bool, data: st.DataObject, seed: int) -> None:
    values, unit = walk(seed), data.draw(units(name))

    def run(series: Floats) -> Causal:
        options = OPTIONS | {"method": name, "grow": grow}
        return causal(series, options, keep=5, progress=lambda _: None)

    found, want, known = run(unit.of(values)), run(values), slice(WINDOW - 1, None)
    number = level_of(found.values[:, known], want.values[:, known], values, unit)
    same_level(number, unit, name)
    # Tails are differences, so no level is left in them; they are float32.
    size = np.abs(want.tails[:, known]).max() * abs(unit.k)
    atol = float(1e-6 * size + unit.tolerance(values))
    np.testing.assert_allclose(found.tails[:, known], unit.k * want.tails[:, known], 0, atol)


# ----------------------------------------------------------------------- scalers, shaping, measures


@cases(*(name for name in get_args(Method) if name not in NOT_INVARIANT))
@given(data=st.data(), seed=SEEDS)
def test_scaled_values(name: Any, data: st.DataObject, seed: int) -> None:
    values, unit = walk(seed), data.draw(units(name))

    def run(series: Floats) -> Floats:
        return Scaler.fit(name, series[:TRAIN_STOP]).apply(series)

    sign = np.sign(unit.k)
    spread = abs(unit.k) * values[:TRAIN_STOP].std()
    atol = 10 * unit.tolerance(values) / spread
    np.testing.assert_allclose(run(unit.of(values)), sign * run(values), rtol=1e-9, atol=atol)


WAYS = list(product(RELEVANCES, FACTORS, [name for name in VALUES if name not in NOT_INVARIANT]))


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
@given(data=st.data(), seed=SEEDS, fuzzy=st.booleans(), align=st.booleans())
def test_shaped_columns(
    way: tuple[str, str, str], data: st.DataObject, seed: int, fuzzy: bool, align: bool
) -> None:
    relevance, factor, values = way
    options = {"relevance": relevance, "factor": factor, "values": values, "fuzzy": fuzzy}
    options |= {"align": align and not RELEVANCES[relevance].causal}
    (target, column), (one, other) = pair(seed), data.draw(both(units(relevance)))

    def run(first: Floats, second: Floats) -> Floats:
        return shaped(first, second, options, training=(0, TRAIN_STOP))

    found = run(one.of(target), other.of(column))
    want = other.k * run(target, column) + other.c(column)
    atol = (FARM_TOLERANCE + 10 * relative(one, target)) * abs(other.k) * column.std()
    atol += 10 * other.tolerance(column)
    np.testing.assert_allclose(found, want, rtol=0, atol=atol)


@cases(*MEASURES)
@hypothesis_settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=SEEDS)
def test_measures_of_relevance(name: str, data: st.DataObject, seed: int) -> None:
    (target, column), (one, other) = pair(seed), data.draw(both(units(name)))

    def run(first: Floats, second: Floats) -> dict[str, Any]:
        return measure([name], first, second, max_lag=4, draws=5, seed=0)[name]

    found, want = run(one.of(target), other.of(column)), run(target, column)
    atol = FARM_TOLERANCE * (name == "farm")
    atol += 10 * (relative(one, target) + relative(other, column))
    assert found == pytest.approx(want, rel=0, abs=atol)


def both(drawn: st.SearchStrategy[Unit]) -> st.SearchStrategy[tuple[Unit, Unit]]:
    """A unit for each of two series, which keep their signs or turn them together."""
    return st.tuples(drawn, drawn).filter(lambda two: two[0].k * two[1].k > 0)


def relative(unit: Unit, values: Floats) -> float:
    """The tolerance in spreads."""
    return unit.tolerance(values) / (abs(unit.k) * float(values.std()))


@cases(*METRICS)
@hypothesis_settings(max_examples=25, deadline=None)
@given(unit=KEPT, seed=SEEDS)
def test_metrics(name: str, unit: Unit, seed: int) -> None:
    """Those in the target's unit grow with it; what is a share of a level has none here."""
    if name in NOT_INVARIANT:
        unit = Unit(unit.k, 0.0)
    series = walk(seed)
    spread = series[:TRAIN_STOP].std()

    def run(unit: Unit) -> dict[str, float]:
        values = unit.of(series)
        truth = sliding_window_view(values[TRAIN_STOP:], 4)
        noise = np.random.default_rng(seed).normal(size=truth.shape) * spread
        scales = Scales.of(values[:TRAIN_STOP], season=3, unit=unit.k * float(spread), exact=False)
        last = values[TRAIN_STOP - 1 :][: len(truth), np.newaxis]
        given = Evaluation(truth, truth + unit.k * noise, last, scales)
        metrics, omitted = score(given)
        assert not omitted
        return {metric.name: metric.value for metric in metrics}

    def score(given: Evaluation) -> Measured:
        return measure_errors("test", errors_of(given, 0.9), 0.9)

    size = unit.k ** METRICS[name].power
    rounding = unit.tolerance(series) / (unit.k * float(spread))
    want = size * run(Unit(1.0, 0.0))[name]
    assert run(unit)[name] == pytest.approx(want, rel=1e-8 + 100 * rounding, abs=size * 1e-9)


# ----------------------------------------------------------------------- what is not, and says so


def test_raw_shaping_depends_on_the_level_and_says_so() -> None:
    target, column = pair(0)
    celsius = shaped(target, column, {"values": "raw"}, training=(0, TRAIN_STOP))
    kelvin = shaped(target, column + 273.15, {"values": "raw"}, training=(0, TRAIN_STOP))

    assert np.abs(kelvin - 273.15 - celsius).max() > 50
    assert "°C is shaped otherwise than in K" in VALUES["raw"].what


def test_what_is_excepted_exists() -> None:
    known = {*METHODS, *MEASURES, *get_args(Method), *RELEVANCES, *FACTORS, *VALUES, *METRICS}
    assert {*NOT_INVARIANT, *NOT_ODD} <= known
