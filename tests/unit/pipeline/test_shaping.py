"""Shaping damps a column where it is irrelevant; its causal forms know no later row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance import farm
from pyheta.pipeline.relevance.shaping import Shaper, shaped
from pyheta.pipeline.relevance.shaping_methods import FACTORS, RELEVANCES, VALUES
from pyheta.pipeline.scaling import Scaler
from pyheta.sweep.preprocessing import Shaping

ROWS, TRAIN_STOP = 120, 60
CAUSAL = ("trailing", "end_spot")


def walks(seed: int = 0, rows: int = ROWS) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=rows).cumsum(), 10 + rng.normal(size=rows).cumsum()


def train_scalers(target: Floats, column: Floats, first: int = 0) -> tuple[Scaler, Scaler]:
    rows = slice(first, TRAIN_STOP)
    return Scaler.fit("standard", target[rows]), Scaler.fit("standard", column[rows])


# ------------------------------------------------------------------------------- what shaping gives


def test_trailing_shaping_multiplies_by_relevance_standardised_by_training_rows() -> None:
    target, column = walks()

    values = shaped(
        target, column, {"relevance": "trailing", "fuzzy": False}, training=(0, TRAIN_STOP)
    )

    scalers = train_scalers(target, column)
    relevance = farm.local_relevance(target, column, trailing=True, scalers=scalers)
    np.testing.assert_array_equal(values, column * relevance)


def test_end_spot_shaping_smooths_by_earlier_rows_alone() -> None:
    target, column = walks()

    values = shaped(
        target, column, {"relevance": "end_spot", "window": 7}, training=(0, TRAIN_STOP)
    )

    relevance = farm.end_spot_relevance(
        target, column, window=7, scalers=train_scalers(target, column)
    )
    np.testing.assert_array_equal(values, column * farm.fuzzified(relevance, trailing=True))


def test_centred_shaping_standardises_by_all_rows_as_published() -> None:
    target, column = walks()

    values = shaped(target, column, {"relevance": "centred"}, training=(0, TRAIN_STOP))

    np.testing.assert_array_equal(
        values, column * farm.fuzzified(farm.local_relevance(target, column))
    )


@pytest.mark.parametrize(("relevance", "stop"), [("trailing", TRAIN_STOP), ("centred", ROWS)])
def test_standardised_values_are_damped_towards_the_mean_of_the_rows_that_are_seen(
    relevance: str, stop: int
) -> None:
    target, column = walks()
    options = {"relevance": relevance}

    values = shaped(target, column, options | {"values": "standardised"}, training=(0, TRAIN_STOP))

    factor = shaped(target, column, options, training=(0, TRAIN_STOP)) / column
    mean = column[:stop].mean()
    np.testing.assert_allclose(values - mean, (column - mean) * factor, rtol=0, atol=1e-12)


def test_a_sweep_shapes_standardised_values_and_steps_with_raw_ones_keep_their_keys() -> None:
    assert Shaping(method="farm").as_params()["values"] == "standardised"

    raw = Shaping(method="farm", values="raw").as_params()
    assert "values" not in raw
    assert Shaper.of(raw) == Shaper(**raw, values="raw")


def test_the_factors_pass_damp_or_cut_by_the_threshold() -> None:
    relevance = np.array([0.0, 0.4, 0.5, 0.9])

    assert FACTORS["continuous"].of(relevance, 0.5).tolist() == [0.0, 0.4, 0.5, 0.9]
    assert FACTORS["binary"].of(relevance, 0.5).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert FACTORS["soft"].of(relevance, 0.5).tolist() == [0.0, 0.0, 0.5, 0.9]


def test_a_threshold_of_zero_masks_nothing() -> None:
    target, column = walks()
    target[20:40] = 0.0  # flat, so irrelevant

    values = shaped(target, column, {"factor": "binary", "threshold": 0}, training=(0, TRAIN_STOP))

    np.testing.assert_array_equal(values, column)


def test_a_constant_target_shapes_every_column_to_zero() -> None:
    values = shaped(np.full(ROWS, 0.1), walks()[1], {}, training=(0, TRAIN_STOP))

    np.testing.assert_array_equal(values, 0)


def test_an_aligned_column_is_delayed_onto_the_target_in_its_own_unit() -> None:
    wave = np.sin(2 * np.pi * np.arange(ROWS + 3) / 24)
    target, column = wave[:ROWS], 50 + 20 * wave[3:]  # leads by 3

    values = shaped(
        target, column, {"relevance": "centred", "align": True}, training=(0, TRAIN_STOP)
    )

    inner = slice(30, 100)
    off = np.abs(values[inner] - (50 + 20 * target[inner]))
    assert np.median(off) < 0.5  # of an amplitude of 20; 18 if it were not aligned
    assert np.corrcoef(values[inner], target[inner])[0, 1] > 0.95


def test_options_that_belong_to_other_steps_are_left_alone() -> None:
    target, column = walks()
    params = {"target": "OT", "column": "HUFL", "split": [0.6, 0.2, 0.2]}

    np.testing.assert_array_equal(
        shaped(target, column, params, training=(0, TRAIN_STOP)),
        shaped(target, column, {}, training=(0, TRAIN_STOP)),
    )


# Means of the column; shaped continuous, binary, smoothed, smoothed and binary (threshold 0.5).
MEANS = {
    "HUFL": (7.375141, 1.926093, 1.292379, 1.940033, 0.942679),
    "HULL": (2.242242, 0.685969, 0.489278, 0.686884, 0.379765),
    "MUFL": (4.300239, 1.063752, 0.680239, 1.077839, 0.473022),
    "MULL": (0.881568, 0.269335, 0.196247, 0.270103, 0.150635),
    "LUFL": (3.066062, 0.944935, 0.730483, 0.944519, 0.566758),
    "LULL": (0.856932, 0.290489, 0.231724, 0.290321, 0.186240),
}


@pytest.mark.parametrize("name", MEANS)
def test_centred_shaping_of_etth1_has_the_published_means(
    etth1: dict[str, Floats], name: str
) -> None:
    target, column = etth1["OT"], etth1[name]
    ways = [(factor, fuzzy) for fuzzy in (False, True) for factor in ("continuous", "binary")]

    found = [column.mean()]
    for factor, fuzzy in ways:
        options = {"relevance": "centred", "factor": factor, "fuzzy": fuzzy}
        found.append(shaped(target, column, options, training=(0, 12 * 30 * 24)).mean())

    np.testing.assert_allclose(found, MEANS[name], rtol=0, atol=6e-7)


# ---------------------------------------------------------------------------------- what it may see

OPTIONS = st.fixed_dictionaries(
    {
        "window": st.sampled_from([3, 5, 11, 31]),
        "factor": st.sampled_from(sorted(FACTORS)),
        "values": st.sampled_from(sorted(VALUES)),
        "threshold": st.floats(0, 1),
        "fuzzy": st.booleans(),
    }
)


def spoilt(values: Floats, after: int, seed: int) -> Floats:
    """The same up to row `after`, and noise behind it."""
    noise = np.random.default_rng(seed).normal(0, 1000, len(values) - after - 1)
    return np.concatenate([values[: after + 1], noise])


def changed_rows(
    target: Floats, column: Floats, options: dict[str, Any], after: int, seed: int = 3
) -> NDArray[np.intp]:
    """Rows up to `after` that change a bit when every later row of both series is replaced."""
    before = shaped(target, column, options, training=(0, TRAIN_STOP))
    later = spoilt(target, after, seed), spoilt(column, after, seed + 1)
    spoiled = shaped(*later, options, training=(0, TRAIN_STOP))
    return np.flatnonzero(before[: after + 1].view(np.int64) != spoiled[: after + 1].view(np.int64))


@pytest.mark.parametrize("relevance", CAUSAL)
@given(options=OPTIONS, seed=st.integers(0, 99), after=st.integers(TRAIN_STOP - 1, ROWS - 2))
def test_causal_shaping_does_not_change_by_a_bit_when_the_future_does(
    relevance: str, options: dict[str, Any], seed: int, after: int
) -> None:
    assert not changed_rows(*walks(seed), options | {"relevance": relevance}, after).size


@pytest.mark.parametrize("relevance", CAUSAL)
def test_causal_shaping_of_training_rows_sees_later_training_rows_by_mean_and_deviation_alone(
    relevance: str,
) -> None:
    target, column = walks()
    rows = np.r_[
        0:30, np.arange(TRAIN_STOP - 1, 29, -1), TRAIN_STOP:ROWS
    ]  # the same values, another order

    options = {"relevance": relevance}
    asis = shaped(target, column, options, training=(0, TRAIN_STOP))
    turned = shaped(target[rows], column[rows], options, training=(0, TRAIN_STOP))

    np.testing.assert_allclose(turned[:30], asis[:30], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("align", [False, True])
def test_the_same_probe_finds_that_centred_shaping_sees_the_future(align: bool) -> None:
    options = {"relevance": "centred", "window": 5, "align": align}

    changed = changed_rows(*walks(), options, after=80)

    assert changed.size
    assert changed.max() == 80


def test_the_same_probe_finds_the_two_rows_that_a_centred_window_alone_lets_in() -> None:
    target, column = walks()
    scalers = train_scalers(target, column)

    local = farm.local_relevance(target, column, scalers=scalers)
    spoiled = farm.local_relevance(spoilt(target, 80, 3), spoilt(column, 80, 4), scalers=scalers)

    assert np.flatnonzero(local[:81] != spoiled[:81]).tolist() == [79, 80]


# --------------------------------------------------------------------------------------- properties

# Whole numbers, so that a window is flat or clearly not.
PAIRS = arrays(np.float64, (2, 40), elements=st.integers(-99, 99).map(float))


@pytest.mark.parametrize("relevance", RELEVANCES)
@given(pair=PAIRS, options=OPTIONS)
def test_shaping_never_amplifies_nor_turns_a_sign(
    relevance: str, pair: Floats, options: dict[str, Any]
) -> None:
    target, column = pair

    raw = options | {"relevance": relevance, "values": "raw"}
    values = shaped(target, column, raw, training=(0, 35))

    assert (np.abs(values) <= np.abs(column)).all()
    assert (values * column >= 0).all()


@pytest.mark.parametrize("relevance", RELEVANCES)
@given(pair=PAIRS, scale=st.floats(0.01, 100))
def test_shaping_follows_the_unit_of_the_column_and_ignores_that_of_the_target(
    relevance: str, pair: Floats, scale: float
) -> None:
    target, column = pair
    options = {"relevance": relevance}

    asis = shaped(target, column, options, training=(0, 35))

    scaled = shaped(target, scale * column, options, training=(0, 35))
    np.testing.assert_allclose(scaled / scale, asis, rtol=0, atol=1e-3)
    np.testing.assert_allclose(
        shaped(scale * target, column, options, training=(0, 35)), asis, rtol=0, atol=1e-3
    )


# ------------------------------------------------------------------------------------- unknown rows


@pytest.mark.parametrize("relevance", RELEVANCES)
@pytest.mark.parametrize("unknown", [(0, 0), (7, 0), (0, 7), (7, 20)])
def test_leading_unknown_rows_stay_unknown_and_do_not_touch_the_rest(
    relevance: str, unknown: tuple[int, ...]
) -> None:
    target, column = walks()
    target[: unknown[0]], column[: unknown[1]] = np.nan, np.nan
    first = max(unknown)
    options = {"relevance": relevance}

    values = shaped(target, column, options, training=(0, TRAIN_STOP))

    assert np.isnan(values[:first]).all()
    known = shaped(target[first:], column[first:], options, training=(0, TRAIN_STOP - first))
    np.testing.assert_array_equal(values[first:], known)


def test_shaping_leaves_its_inputs_as_they_were() -> None:
    target, column = walks()

    shaped(target, column, {}, training=(0, TRAIN_STOP))

    np.testing.assert_array_equal([target, column], walks())


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"relevance": "trailling"}, "did you mean 'trailing'"),
        ({"factor": "none"}, "no factor 'none'"),
        ({"values": "scaled"}, "no kind of values 'scaled'"),
        ({"threshold": 1.5}, "threshold of 1.5"),
        ({"threshold": float("nan")}, "threshold of nan"),
        ({"align": True}, "alignment looks ahead"),
        ({"relevance": "end_spot", "align": True}, "alignment looks ahead"),
        ({"window": 4}, "no middle"),
        ({"window": 1}, "no middle"),
        ({"window": 61}, "60 known rows are too few for a window of 61"),
        ({"relevance": "centred", "window": 121}, "120 known rows are too few"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_a_reason(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(StepError, match=said):
        shaped(*walks(), options, training=(0, TRAIN_STOP))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_is_missing_among_known_ones_is_refused_with_its_row(
    value: float, side: int
) -> None:
    pair = walks()
    pair[side][33] = value

    with pytest.raises(StepError, match="row 33: a value is missing"):
        shaped(*pair, {}, training=(0, TRAIN_STOP))


def test_series_without_a_common_known_row_are_refused() -> None:
    target, column = walks()
    target[:60], column[60:] = np.nan, np.nan

    with pytest.raises(StepError, match="no row has both"):
        shaped(target, column, {}, training=(0, TRAIN_STOP))


def test_series_of_unequal_length_are_refused() -> None:
    with pytest.raises(StepError, match="120 rows and the column 119"):
        shaped(walks()[0], walks()[1][1:], {}, training=(0, TRAIN_STOP))


def test_unknown_rows_that_leave_too_few_training_rows_are_refused() -> None:
    target, column = walks()
    target[:57] = np.nan

    with pytest.raises(StepError, match="3 known rows are too few"):
        shaped(target, column, {}, training=(0, TRAIN_STOP))
