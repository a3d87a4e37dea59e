"""Intervals of paired differences: what they cover, and what they cannot depend on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.evaluation.bootstrap import Interval, block_length, interval, means_of_draws
from pyheta.evaluation.paired import Comparison, Refused, compare
from pyheta.evaluation.series import Series, mean_series
from pyheta.pipeline.arrays import Floats


def series(loss: Floats, first: int = 0, step: int = 1) -> Series:
    return Series(np.arange(first, first + step * len(loss), step), loss)


def ar1(random: np.random.Generator, windows: int, size: int, memory: float = 0.7) -> Floats:
    """(windows, size): values that remember those before them, of mean 0."""
    shocks = random.normal(size=(windows + 50, size))
    values = np.zeros_like(shocks)
    for at in range(1, len(shocks)):
        values[at] = memory * values[at - 1] + shocks[at]
    return values[50:]


def pair(difference: Floats, span: int = 1) -> Comparison:
    """A candidate and another that is better by so much in each window."""
    common = np.full(len(difference), 100.0)
    return compare([series(common + difference), series(common)], span)


# ---- draws ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(windows=st.integers(30, 90), block=st.integers(1, 100), seed=st.integers(0, 99))
def test_a_draw_is_a_mean_over_as_many_windows_in_blocks_around_the_end(
    windows: int, block: int, seed: int
) -> None:
    # Given losses that tell windows apart, and the same places drawn by hand
    losses = np.random.default_rng(0).random((windows, 2))
    whole, rest = divmod(windows, block)
    random = np.random.default_rng(seed)
    starts = random.integers(windows, size=(5, whole))
    last = random.integers(windows, size=5) if rest else np.zeros(5, dtype=int)

    means = means_of_draws(losses, block, seed=seed, draws=5)

    for mean, firsts, tail in zip(means, starts, last, strict=True):
        places = [(first + at) % windows for first in firsts for at in range(block)]
        places += [(tail + at) % windows for at in range(rest)]
        assert len(places) == windows
        assert mean == pytest.approx(losses[places].mean(axis=0))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(30, 300), st.integers(1, 20))
def test_a_difference_changes_its_sign_when_the_two_change_places(
    seed: int, windows: int, span: int
) -> None:
    random = np.random.default_rng(seed)
    found = compare([series(loss) for loss in random.random((3, windows))], min(span, windows // 4))

    there, back = found.interval(0, 1), found.interval(1, 0)

    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert there.sign == -back.sign


def test_a_pairs_interval_is_the_same_beside_others_and_in_another_unit() -> None:
    one, other, third = np.random.default_rng(3).random((3, 200))

    alone = compare([series(one), series(other)], 5).interval(0, 1)
    beside = compare([series(third), series(one), series(other)], 5).interval(1, 2)
    scaled = compare([series(1024 * one), series(1024 * other)], 5).interval(0, 1)

    assert alone == beside
    assert (scaled.low / 1024, scaled.high / 1024) == (alone.low, alone.high)


def test_a_run_that_diverged_in_one_window_takes_no_digits_from_its_other_losses() -> None:
    # Given a candidate that is worse by a little everywhere, and by far in one window
    better = np.random.default_rng(5).random(400)
    worse = better + 0.01
    worse[100] = np.finfo(np.float32).max

    found = compare([series(worse), series(better)], 1).interval(0, 1)

    assert found.low == pytest.approx(0.01)
    assert found.sign == 1


@pytest.mark.parametrize(
    ("windows", "span", "block"),
    [(1000, 1, 10), (1001, 1, 11), (27, 1, 3), (5203, 24, 24), (5203, 1, 18), (2881, 720, 720)],
)
def test_a_block_is_a_span_or_the_cube_root_of_the_windows(
    windows: int, span: int, block: int
) -> None:
    assert block_length(windows, span) == block


def test_an_interval_holds_the_middle_of_the_draws() -> None:
    found = interval(np.linspace(0, 1, 1001))

    assert (found.low, found.high) == pytest.approx((0.025, 0.975))
    assert [Interval(*ends).sign for ends in ((1, 2), (-2, -1), (-1, 1), (0, 0), (0, 1))] == [
        *(1, -1, 0, 0, 0),
    ]


# ---- verdicts ------------------------------------------------------------------------------------


def test_who_is_clearly_better_is_told_apart_and_who_is_not_is_not() -> None:
    random = np.random.default_rng(0)
    noise = ar1(random, 500, 1)[:, 0]

    assert pair(noise - noise.mean() + 1).interval(0, 1).sign == 1
    assert pair(noise - noise.mean() - 1).interval(0, 1).sign == -1
    assert pair(noise - noise.mean() + 0.01).interval(0, 1).sign == 0


def test_the_same_forecasts_differ_by_exactly_nothing() -> None:
    loss = np.random.default_rng(0).random(100)
    found = compare([series(loss), series(loss.copy()), series(loss + 1e-9)], 1)

    assert found.interval(0, 1) == Interval(0.0, 0.0)
    assert (found.same(0, 1), found.same(0, 2)) == (True, False)


def test_who_is_better_in_every_window_is_told_apart_however_much_windows_differ() -> None:
    # Given losses that vary by far more than the two differ: pairs do not
    loss = 1e3 * np.random.default_rng(0).random(200)

    assert compare([series(loss), series(loss + 1e-3)], 1).interval(0, 1).sign == -1


@pytest.mark.parametrize(
    ("candidates", "span", "why"),
    [
        ([series(np.ones(100)), series(np.ones(100), first=1)], 1, "different windows"),
        ([series(np.ones(100)), series(np.ones(99))], 1, "different windows"),
        ([series(np.ones(29))] * 2, 1, "29 windows are fewer than 30"),
        ([series(np.ones(95))] * 2, 24, "95 windows are fewer than 4 blocks of 24"),
    ],
)
def test_what_says_too_little_is_refused(candidates: list[Series], span: int, why: str) -> None:
    with pytest.raises(Refused, match=why):
        compare(candidates, span)


def test_four_blocks_say_enough() -> None:
    assert compare([series(np.ones(96))] * 2, 24).block == 24


def test_a_span_is_counted_in_windows_where_they_are_rows_apart() -> None:
    found = compare([series(np.ones(100), step=6)] * 2, 24)

    assert (found.windows, found.block) == (100, 5)
    assert compare([series(np.ones(1000), step=6)] * 2, 100).block == 17


# ---- seeds and folds -----------------------------------------------------------------------------


def test_a_series_is_the_mean_over_seeds_on_the_same_rows() -> None:
    found = mean_series([series(np.array([1.0, 2.0])), series(np.array([3.0, 6.0]))])

    assert found.rows.tolist() == [0, 1]
    assert found.loss.tolist() == [2.0, 4.0]


def test_folds_are_stitched_and_a_row_of_two_of_them_counts_once() -> None:
    # Given two seeds of two folds that overlap, in any order
    folds = [(10, [1.0, 2.0, 3.0]), (12, [5.0, 7.0])]
    seeds = [series(np.array(loss) + seed, first) for seed in (0, 2) for first, loss in folds]

    found = mean_series(seeds[::-1])

    assert found.rows.tolist() == [10, 11, 12, 13]
    assert found.loss.tolist() == [2.0, 3.0, 5.0, 8.0]


# ---- what intervals cover ------------------------------------------------------------------------


@pytest.mark.slow
def test_an_interval_of_dependent_losses_covers_the_true_difference_about_as_often_as_it_says() -> (
    None
):
    # Given many pairs whose losses differ by 0.3 on the whole, and remember the windows before
    random, true = np.random.default_rng(11), 0.3
    differences = true + ar1(random, 1000, 300)
    found = [
        interval(means_of_draws(difference[:, np.newaxis], 24, seed=at, draws=400)[:, 0])
        for at, difference in enumerate(differences.T)
    ]

    covered = np.mean([each.low <= true <= each.high for each in found])

    # Then blocks are a little too sure of themselves, and single windows, which know of no
    # dependence, far too sure
    assert 0.88 <= covered <= 0.98
    careless = [
        interval(means_of_draws(difference[:, np.newaxis], 1, seed=at, draws=400)[:, 0])
        for at, difference in enumerate(differences.T[:100])
    ]
    assert np.mean([each.low <= true <= each.high for each in careless]) < 0.75


@pytest.mark.slow
def test_forecasts_that_are_as_good_as_each_other_are_seldom_told_apart() -> None:
    # Given a random walk, 24 steps ahead, and two ways to forecast it that are equally wrong: the
    # last value, and that with noise of its own, against the same with other noise
    random, windows, horizon = np.random.default_rng(7), 1500, 24
    told = []
    for _ in range(100):
        walk = np.cumsum(random.normal(size=windows + horizon))
        ahead = np.stack([walk[step : step + windows] for step in range(horizon + 1)])
        truth = ahead[1:] - ahead[0]
        ways = [ar1(random, windows, 1)[:, 0] for _ in range(2)]
        losses = [series(np.square(truth - way).mean(axis=0)) for way in ways]
        told.append(compare(losses, horizon).interval(0, 1).sign)

    # Then 5 of 100 would be wrong by chance, and as often one way as the other
    assert 0 <= np.count_nonzero(told) <= 12
    assert abs(sum(told)) <= 8
