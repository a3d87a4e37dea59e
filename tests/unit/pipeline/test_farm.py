"""FARM gives the numbers of its specification: by hand, on made-up waves, and on ETTh1."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dtw import dtw
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.relevance import farm
from pyheta.pipeline.scaling import Scaler

EXACT = 6e-7  # the vectors have six digits


def near(values: Any, expected: Any) -> None:
    np.testing.assert_allclose(values, expected, rtol=0, atol=EXACT)


def standardised(values: Floats) -> Floats:
    return Scaler.fit("standard", values).apply(values)


def aligned(target: Floats, column: Floats) -> Floats:
    """As published for series of one unit: angles of the series as they are."""
    return farm.align(column, farm.forward_path(target, column))


# ----------------------------------------------------------------------------------------- distance

DISTANCES = [
    (1, 1, 0, 0),
    (1, 0, 0.707107, 0.707107),
    (1, -1, 1, 1),
    (2, -2, 1, 0.999984),
    (0.5, -0.5, 0.8, 0.990308),
    (0.23, -2.85, 0.993803, 0.999322),
    (0.1, 0.2, 0.097571, 0.097571),
    (5, 0.5, 0.789352, 0.789352),
    (0.1, -0.1, 0.19802, 0.6309),
    (10, -10, 1, 1),
    (0, 3, 0.948683, 0.948683),
]


@pytest.mark.parametrize(("first", "second", "metric", "other"), DISTANCES)
def test_the_distance_of_two_slopes_is_the_sine_of_their_angle(
    first: float, second: float, metric: float, other: float
) -> None:
    near(farm.angular_distance(first, second), metric)
    near(farm.angular_distance(first, second, metric=False), other)


def test_a_missing_slope_is_as_far_as_can_be_or_has_no_distance() -> None:
    assert farm.angular_distance(np.nan, 1.0) == 1.0
    assert np.isnan(farm.angular_distance(np.nan, 1.0, metric=False))


@pytest.mark.parametrize("metric", [True, False])
@given(slopes=arrays(np.float64, (2, 7), elements=st.floats(-1e6, 1e6)))
def test_distances_are_symmetric_broadcast_and_lie_between_0_and_1(
    metric: bool, slopes: Floats
) -> None:
    first, second = slopes

    table = farm.angular_distance(first[:, None], second, metric=metric)

    assert table.shape == (7, 7)
    assert ((table >= 0) & (table <= 1)).all()
    np.testing.assert_array_equal(
        table.T, farm.angular_distance(second[:, None], first, metric=metric)
    )
    np.testing.assert_array_equal(farm.angular_distance(first, first, metric=metric), 0)


# ---------------------------------------------------------------------------- a pair of twelve rows

TARGET = np.array([0, 1, 3, 2, 2, 5, 4, 1, 0, 2, 3, 3], float)
LEADING = np.array([1, 3, 2, 2, 5, 4, 1, 0, 2, 3, 3, 1], float)  # by one row
FOLLOWED = np.array([1, 2, 3, 2, 2, 5, 4, 1, 0, 2, 3, 1], float)  # LEADING, aligned


def numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def test_local_relevance_of_an_unaligned_pair() -> None:
    local = farm.local_relevance(TARGET, LEADING)

    near(
        local,
        numbers(
            ".438758 .426433 .416079 .358518 .260625 .418120 .409376 .479181 .337153 .393661 "
            ".292893 .168289"
        ),
    )
    near(farm.global_relevance(local), 0.426617)


def test_end_spot_relevance_of_an_unaligned_pair() -> None:
    near(
        farm.end_spot_relevance(TARGET, LEADING),
        numbers(
            ".805465 .099070 .140408 .356022 .080443 .252713 .031969 .233551 .137990 .193688 "
            ".300813 .075771"
        ),
    )


def test_smoothed_relevance_of_an_unaligned_pair() -> None:
    smooth = farm.fuzzified(farm.local_relevance(TARGET, LEADING))

    near(
        smooth,
        numbers(
            ".299167 .388861 .394972 .359020 .342961 .379869 .410505 .419021 .385120 .346609 "
            ".268267 .162599"
        ),
    )
    near(farm.global_relevance(smooth), 0.384436)


@pytest.mark.parametrize("metric", [True, False])
def test_alignment_delays_a_leading_column_onto_the_target(metric: bool) -> None:
    path = farm.forward_path(TARGET, LEADING, metric=metric)

    assert path.target.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert path.column.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert path.lag == 1
    np.testing.assert_array_equal(farm.align(LEADING, path), FOLLOWED)


def test_the_cost_of_a_path_is_the_sum_of_the_distances_it_took() -> None:
    near(farm.forward_path(TARGET, LEADING).cost, 0.316228)


def test_relevances_of_an_aligned_pair() -> None:
    local = farm.local_relevance(TARGET, FOLLOWED)
    smooth = farm.fuzzified(local)

    near(local, numbers(".837100 .824801 .813266 .860127 1 1 1 1 1 .639403 .625826 .268109"))
    near(
        smooth,
        numbers(
            ".574859 .764249 .842940 .889633 .953358 .989241 1 .972262 .888003 .718662 .527051 "
            ".296725"
        ),
    )
    near(
        farm.end_spot_relevance(TARGET, FOLLOWED),
        numbers(
            ".782997 .419638 .742960 .807680 .804812 .834484 .960631 .958600 .960906 .985369 "
            ".966851 .130471"
        ),
    )
    near(farm.global_relevance(smooth), 0.898841)
    near(farm.global_relevance(local), 0.915510)
    shaped = (
        ".574859 1.528497 2.528819 1.779267 1.906715 4.946203 4 .972262 0 1.437324 1.581154 .296725"
    )
    near(FOLLOWED * smooth, numbers(shaped))


def test_a_shorter_column_is_stretched_to_the_length_of_the_target() -> None:
    path = farm.forward_path(TARGET, LEADING[:9])

    column = farm.align(LEADING[:9], path)

    assert path.column.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    near(column, [1, 2, 3, 2, 2, 5, 4, 1, 0, 2 / 3, 4 / 3, 2])
    near(farm.global_relevance(farm.fuzzified(farm.local_relevance(TARGET, column))), 0.878608)


# ------------------------------------------------------------------------------------ made-up waves


def lehmer(count: int) -> Floats:
    """Noise in [-1, 1] that needs no library: s <- (1103515245 s + 12345) mod 2^31."""
    state, values = 1, []
    for _ in range(count):
        state = (1103515245 * state + 12345) % 2**31
        values.append(2 * state / 2**31 - 1)
    return np.array(values)


STEPS = np.arange(96)
NOISE = lehmer(96)


def wave(lead: int = 0) -> Floats:
    return np.sin(2 * np.pi * (STEPS + lead) / 24)


WAVES = {
    "same": (wave(), 1, 1, 1, 0.996002, 1, 1, 1, 0.996002, 0),
    "3r+7": (3 * wave() + 7, 1, 1, 1, 0.996002, 0.856635, 0.830445, 0.903606, 0.876113, 3),
    "leads by 3": (
        wave(3),
        0.707107,
        0.641974,
        0.801299,
        0.795665,
        0.985313,
        0.976356,
        0.988249,
        0.985749,
        3,
    ),
    "lags by 3": (
        wave(-3),
        0.707107,
        0.645196,
        0.802592,
        0.796785,
        0.636532,
        0.631526,
        0.795633,
        0.763968,
        1,
    ),
    "leads by 6": (
        wave(6),
        0,
        0.378999,
        0.64873,
        0.618293,
        0.960048,
        0.923247,
        0.962389,
        0.960312,
        6,
    ),
    "-r": (-wave(), -1, 0, 0, 0, 0.680999, 0.796596, 0.904037, 0.902832, 13),
    "constant": (np.full(96, 2.0), None, 0, 0, 0, None, 0, 0, 0, 24),
    "t/10": (
        STEPS / 10,
        -0.19382,
        0.404506,
        0.744889,
        0.739821,
        -0.181781,
        0.390321,
        0.719841,
        0.691397,
        7,
    ),
    "noise": (
        NOISE,
        -0.094604,
        0.338804,
        0.55324,
        0.496656,
        0.088026,
        0.360107,
        0.623756,
        0.529531,
        3,
    ),
    "half": (
        np.where(STEPS < 48, wave(), NOISE),
        *(0.479198, 0.655854, 0.84562, 0.843597, 0.534526, 0.668924, 0.850723, 0.848659, 2),
    ),
    "noisy lead": (
        wave(3) + 0.05 * NOISE,
        *(0.702455, 0.639585, 0.801628, 0.790128, 0.954137, 0.838434, 0.905464, 0.885169, 4),
    ),
}


def test_the_noise_is_that_of_the_vectors() -> None:
    near(NOISE[:4], [0.02774, -0.648517, -0.382697, 0.069068])


@pytest.mark.parametrize("case", WAVES)
def test_relevance_of_waves_before_and_after_alignment(case: str) -> None:
    column, *expected, lag = WAVES[case]
    path = farm.forward_path(wave(), column)

    found = [*summary(wave(), column), *summary(wave(), farm.align(column, path))]

    for value, wanted in zip(found, expected, strict=True):
        if wanted is not None:
            near(value, wanted)
    assert path.lag == lag


def summary(target: Floats, column: Floats) -> tuple[float | None, ...]:
    """Pearson's correlation, mean local, global, and global smoothed relevance."""
    local = farm.local_relevance(target, column)
    constant = np.ptp(column) == 0
    pearson = None if constant else np.corrcoef(target, column)[0, 1]
    return (
        pearson,
        local.mean(),
        farm.global_relevance(local),
        farm.global_relevance(farm.fuzzified(local)),
    )


# -------------------------------------------------------------------------------------------- ETTh1


# Pearson; mean, share of 0.5 or more, zeros, global: as they are; mean, share, global: smoothed;
# means of trailing and end-spot relevance.
UNALIGNED = {
    "HUFL": ".059916 .275574 .198220 365 .534232 .275568 .146269 .471834 .275546 .107101",
    "HULL": ".224354 .314007 .232491 368 .555003 .314005 .180597 .497973 .314003 .140819",
    "MUFL": ".050854 .274713 .199828 385 .533025 .274707 .148106 .470176 .274682 .104036",
    "MULL": ".220004 .321013 .244834 387 .560042 .321012 .190815 .503604 .321007 .145606",
    "LUFL": ".118836 .315630 .246900 505 .569882 .315610 .192824 .511791 .315742 .138770",
    "LULL": ".067455 .335389 .268025 518 .572949 .335369 .213375 .516084 .335496 .143537",
}
AT = [0, 1, 2, 100, 5000, 10000, 17418, 17419]
LOCAL = {
    "HUFL": ".015083 .047034 .536852 .350441 .161651 .159067 .240096 .246872",
    "HULL": ".061328 .088102 .333936 .069324 .609687 .564503 .064538 .007747",
    "MUFL": ".004708 .018328 .396487 .196145 .120438 .159633 .256289 .294961",
    "MULL": ".008696 .023315 .261352 .076605 .542070 .561251 .082506 .027758",
    "LUFL": ".880820 .852430 .568372 .643424 .458124 .217715 .006298 .003443",
    "LULL": ".889399 .839629 .431792 .463564 .689702 .713766 .057359 .006059",
}
SMOOTH = {
    "HUFL": ".057951 .163146 .284366 .351641 .205185 .221775 .152269 .150576",
    "LULL": ".569052 .643152 .487489 .406572 .587828 .552797 .242315 .070297",
}
END_SPOT = {
    "HUFL": "0 .000188 .000445 .020428 .064911 .213179 .013402 .000898",
    "LULL": ".650349 .617946 .488717 .055201 0 .028635 .058844 .049439",
}


@pytest.mark.parametrize("name", UNALIGNED)
def test_relevance_of_etth1_columns(etth1: dict[str, Floats], name: str) -> None:
    target, column = etth1["OT"], etth1[name]

    local = farm.local_relevance(target, column)
    smooth = farm.fuzzified(local)
    trailing = farm.local_relevance(target, column, trailing=True)
    end_spot = farm.end_spot_relevance(target, column)

    asis = [local.mean(), (local >= 0.5).mean(), (local == 0).sum(), farm.global_relevance(local)]
    fuzzy = [smooth.mean(), (smooth >= 0.5).mean(), farm.global_relevance(smooth)]
    pearson = np.corrcoef(target, column)[0, 1]
    near([pearson, *asis, *fuzzy, trailing.mean(), end_spot.mean()], numbers(UNALIGNED[name]))
    near(local[AT], numbers(LOCAL[name]))
    if name in SMOOTH:
        near(smooth[AT], numbers(SMOOTH[name]))
        near(end_spot[AT], numbers(END_SPOT[name]))


# Steps of the path, its cost, the longest delay; Pearson, mean, share, global, global smoothed.
ALIGNED = {
    "HUFL": "21735 2206.230531 36 .042698 .334681 .288289 .601357 .539372",
    "HULL": "21679 2338.515079 31 .236531 .381049 .345235 .628846 .575521",
    "MUFL": "21733 2104.408687 45 .034721 .333675 .289667 .600650 .539996",
    "MULL": "21640 2313.723806 45 .234350 .388496 .358553 .632088 .579578",
    "LUFL": "21702 2151.039672 76 .124048 .362287 .328588 .619317 .562567",
    "LULL": "21663 1517.818416 84 .067365 .400534 .376636 .643119 .593353",
}
MOVED_AT = [1, 2, 100, 5000, 10000, 17418, 17419]
MOVED = {
    "HUFL": "5.693 5.157 11.320 6.631 7.904 9.243 10.114",
    "HULL": "2.0425 2.076 4.8565 -2.210 6.229 3.818 3.550",
    "MUFL": "1.492 1.279 6.858 4.868 -14.001 5.472 6.183",
    "MULL": ".426 .355 2.310 -3.198 7.267 2.097 1.564",
    "LUFL": "4.1725 4.142 3.655 1.736 4.538 3.716 3.716",
    "LULL": "1.3555 1.371 2.010 .4415 1.066 1.432 1.462",
}


@pytest.mark.parametrize("name", ALIGNED)
def test_alignment_of_etth1_columns_by_standardised_slopes(
    etth1: dict[str, Floats], name: str
) -> None:
    target, column = etth1["OT"], etth1[name]

    path = farm.forward_path(standardised(target), standardised(column))
    moved = farm.align(column, path)

    pearson, mean, whole, smooth = summary(target, moved)
    share = (farm.local_relevance(target, moved) >= 0.5).mean()
    found = [len(path.target), path.cost, path.lag, pearson, mean, share, whole, smooth]
    near(found, numbers(ALIGNED[name]))
    near(moved[MOVED_AT], numbers(MOVED[name]))


# Longest delay and global relevance with slopes in raw units; mean and global relevance with w =
# 501.
RAW_AND_WIDE = {
    "HUFL": "50 .645210 .246018 .343246",
    "HULL": "146 .663903 .314890 .388178",
    "MUFL": "118 .660698 .241554 .326159",
    "MULL": "195 .654718 .306673 .379787",
    "LUFL": "983 .650251 .325431 .436661",
    "LULL": "2571 .615966 .351923 .429533",
}


@pytest.mark.parametrize("name", RAW_AND_WIDE)
def test_etth1_columns_in_raw_units_and_with_a_wide_window(
    etth1: dict[str, Floats], name: str
) -> None:
    target, column = etth1["OT"], etth1[name]

    path = farm.forward_path(target, column)
    moved = farm.local_relevance(target, farm.align(column, path))
    wide = farm.local_relevance(target, column, window=501)

    found = [path.lag, farm.global_relevance(moved), wide.mean(), farm.global_relevance(wide)]
    near(found, numbers(RAW_AND_WIDE[name]))


# Of the first 400 rows: Pearson, DTW raw and standardised, global relevance off and on, longest
# delay.
BESIDE_OTHERS = {
    "HUFL": ".338398 7781.976765 229.086725 .548795 .638576 8",
    "HULL": "-.139559 14100.348031 297.660590 .538870 .632675 15",
    "MUFL": ".379576 11080.228796 218.117876 .532012 .623101 9",
    "MULL": "-.095904 16596.520962 281.308248 .552801 .659382 10",
    "LUFL": ".008760 15399.264986 297.312866 .554147 .660518 14",
    "LULL": "-.301709 17098.696938 278.582968 .574249 .634946 16",
}


@pytest.mark.parametrize("name", BESIDE_OTHERS)
def test_farm_beside_pearson_and_dtw_on_the_first_rows_of_etth1(
    etth1: dict[str, Floats], name: str
) -> None:
    raw = etth1["OT"][:400], etth1[name][:400]
    target, column = (standardised(values) for values in raw)
    path = farm.forward_path(target, column)

    warped = [
        dtw(*pair, dist_method="cityblock", distance_only=True).distance
        for pair in (raw, (target, column))
    ]
    off, on = summary(target, column), summary(target, farm.align(column, path))

    near([off[0], *warped, off[2], on[2], path.lag], numbers(BESIDE_OTHERS[name]))


# ------------------------------------------------------------------------------- rules of the edges


def test_the_highest_values_are_at_least_one_row() -> None:
    near(farm.global_relevance(np.array([0.0, 0.6]), top_percent=1), np.sqrt((0.36 + 0.09) / 2))


def test_relevance_of_a_constant_series_is_zero() -> None:
    constant = np.full(12, 0.1)  # whose computed deviation is not exactly zero

    np.testing.assert_array_equal(farm.local_relevance(TARGET, constant), 0)
    np.testing.assert_array_equal(farm.end_spot_relevance(constant, TARGET), 0)


def test_a_flat_window_is_irrelevant_however_its_values_round() -> None:
    plateau = np.concatenate([np.arange(20) * 0.1, np.full(20, 7.123), np.arange(20) * 0.1])

    local = farm.local_relevance(plateau, np.sin(np.arange(60)))

    np.testing.assert_array_equal(local[22:38], 0)
    assert (local[[20, 21, 38, 39]] > 0).any()


def test_windows_far_from_zero_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    target, column = rng.integers(-50, 50, (2, 200)).astype(float)

    near(farm.local_relevance(target + 2.0**40, column), farm.local_relevance(target, column))


def test_smoothing_attenuates_at_the_ends_and_its_trailing_form_at_the_start_alone() -> None:
    ones = np.ones(6)

    near(farm.fuzzified(ones), np.array([9, 12, 13, 13, 12, 9]) / 13)
    near(farm.fuzzified(ones, trailing=True), np.array([5, 8, 9, 9, 9, 9]) / 9)
    np.testing.assert_array_equal(farm.fuzzified(TARGET / 5, (1,)), TARGET / 5)


def test_trailing_smoothing_weighs_the_row_itself_most() -> None:
    spike = np.array([0, 0, 1, 0, 0, 0], float)

    near(farm.fuzzified(spike, trailing=True), np.array([0, 0, 5, 3, 1, 0]) / 9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: farm.local_relevance(TARGET, LEADING, window=4), "no middle"),
        (lambda: farm.local_relevance(TARGET, LEADING, window=1), "no middle"),
        (lambda: farm.local_relevance(TARGET, LEADING, window=13), "12 rows are too few"),
        (lambda: farm.local_relevance(TARGET, LEADING[:9]), "align the column first"),
        (
            lambda: farm.local_relevance(np.append(TARGET[1:], np.nan), LEADING),
            "row 11: a value is not finite",
        ),
        (
            lambda: farm.forward_path(TARGET, np.append(LEADING, np.inf)),
            "row 12: a value is not finite",
        ),
        (lambda: farm.forward_path(TARGET[:1], LEADING), "1 rows are too few"),
        (lambda: farm.align(LEADING[:5], farm.forward_path(TARGET, LEADING)), "does not fit"),
        (lambda: farm.fuzzified(TARGET, (1, 1)), "odd number of weights"),
        (lambda: farm.fuzzified(TARGET, (1, -1, 1)), "none below 0"),
        (lambda: farm.fuzzified(TARGET, (0, 0, 1), trailing=True), "not all 0"),
        (lambda: farm.fuzzified(TARGET[:2], (1, 1, 1, 1, 1)), "fewer than twice the rows"),
        (lambda: farm.global_relevance(TARGET, top_percent=0), "1 to 100 percent"),
        (lambda: farm.global_relevance(TARGET[:0]), "0 rows"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_reason(
    call: Callable[..., Any], said: str
) -> None:
    with pytest.raises(StepError, match=said):
        call()


# Whole numbers, so that a window is flat or clearly not.
PAIRS = arrays(
    np.float64,
    st.tuples(st.just(2), st.integers(5, 60)),
    elements=st.integers(-999, 999).map(float),
)


@given(pair=PAIRS)
def test_every_form_of_relevance_lies_between_0_and_1(pair: Floats) -> None:
    local = farm.local_relevance(*pair)
    forms = [local, farm.local_relevance(*pair, trailing=True), farm.end_spot_relevance(*pair)]
    forms += [
        farm.fuzzified(form, trailing=trailing)
        for form in tuple(forms)
        for trailing in (True, False)
    ]

    for form in forms:
        assert form.shape == pair[0].shape
        assert ((form >= 0) & (form <= 1)).all()
        assert 0 <= farm.global_relevance(form) <= 1


@given(pair=PAIRS, scale=st.floats(1e-3, 1e3), shift=st.integers(-999, 999))
def test_relevance_does_not_depend_on_the_units_of_either_series(
    pair: Floats, scale: float, shift: int
) -> None:
    target, column = pair

    for form in (farm.local_relevance, farm.end_spot_relevance):
        # Near a correlation of 1 the root turns an error of 1e-15 into one of 3e-8.
        np.testing.assert_allclose(
            form(target, column * scale + shift), form(target, column), rtol=0, atol=1e-5
        )


@given(pair=PAIRS)
def test_a_path_delays_only_and_ends_at_both_ends(pair: Floats) -> None:
    target, column = pair

    path = farm.forward_path(target, column)

    assert (path.target >= path.column).all()
    assert path.target[-1] == path.column[-1] == len(target) - 2
    assert farm.align(column, path).shape == target.shape
    np.testing.assert_array_equal(aligned(target, target), target)
