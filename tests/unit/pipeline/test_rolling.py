"""The folds of a rolling origin end a step apart, and no fold learns from rows that it tests on."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import facts
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pyheta.errors import StepError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.steps.cadence import Cadence, constant, counted, months, weekdays
from pyheta.pipeline.spans import Length
from pyheta.pipeline.splits import PARTS, Split
from pyheta.sweep.split import Split as Section

HOURS = constant(3600.0)
MONTHS = months(1, "end")
BUSINESS = weekdays(("Monday", "…"), usual=True, notes=())


def data(times: pd.DatetimeIndex, cadence: Cadence, **changed: Any) -> DatasetFacts:
    """The facts of a file with these times."""
    micros = times.as_unit("us")
    return facts(
        rows=len(times),
        times=micros.asi8,
        first=micros[0].to_pydatetime(),
        last=micros[-1].to_pydatetime(),
        cadence=cadence,
        **changed,
    )


def hours(rows: int, **changed: Any) -> DatasetFacts:
    given = data(pd.date_range("2020-01-01", periods=rows, freq="h"), HOURS)
    return replace(given, **changed)


def folds(given: DatasetFacts, **written: Any) -> tuple[Split, ...]:
    return Section.model_validate(written).splits(given)


def refusal(given: DatasetFacts, **written: Any) -> StepError:
    with pytest.raises(StepError) as caught:
        folds(given, **written)
    return caught.value


def problem(**written: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Section.model_validate(written)
    return str(caught.value)


# ---- rows ----------------------------------------------------------------------------------------


def test_expanding_folds_begin_at_one_row_and_end_a_step_apart() -> None:
    made = folds(hours(100), train=40, val=10, test=10, folds=3)

    assert made == (
        Split((20, 60), (60, 70), (70, 80)),
        Split((20, 70), (70, 80), (80, 90)),
        Split((20, 80), (80, 90), (90, 100)),
    )


def test_sliding_folds_train_on_as_many_rows() -> None:
    made = folds(hours(100), train=40, val=10, test=10, folds=3, step=5, window="sliding", gap=2)

    assert made == (
        Split((28, 68), (68, 78), (80, 90)),
        Split((33, 73), (73, 83), (85, 95)),
        Split((38, 78), (78, 88), (90, 100)),
    )


def test_folds_of_a_group_share_what_they_learn_from() -> None:
    made = folds(hours(100), train=20, val=10, test=10, folds=5, refit=2)

    assert [fold.learning.as_params() for fold in made] == [
        {"train": [20, 40], "val": [40, 50]},
        {"train": [20, 40], "val": [40, 50]},
        {"train": [20, 60], "val": [60, 70]},
        {"train": [20, 60], "val": [60, 70]},
        {"train": [20, 80], "val": [80, 90]},
    ]
    assert [fold.test for fold in made] == [(n, n + 10) for n in range(50, 100, 10)]


@pytest.mark.parametrize("refit", ["never", 5])
def test_a_net_may_be_fitted_once(refit: str | int) -> None:
    made = folds(hours(100), train=20, val=10, test=10, folds=5, refit=refit)

    assert len({fold.learning for fold in made}) == 1


def test_fractions_are_shares_of_all_rows_up_to_the_end() -> None:
    assert folds(hours(1000), train=0.5, val=0.1, test=0.05, folds=2, step=0.02) == (
        Split((330, 830), (830, 930), (930, 980)),
        Split((330, 850), (850, 950), (950, 1000)),
    )
    until = folds(hours(1000), train=0.5, val=0.1, test=0.05, folds=1, until=500)
    assert until == (Split((175, 425), (425, 475), (475, 500)),)


@pytest.mark.parametrize("until", [48, "2020-01-03", "2020-01-02T23:30"])
def test_the_last_fold_ends_where_it_is_told_to(until: int | str) -> None:
    made = folds(hours(100), train=24, val=6, test=6, folds=2, until=until)

    assert [fold.test for fold in made] == [(36, 42), (42, 48)]


PLANS = st.fixed_dictionaries(
    {
        "train": st.integers(1, 60),
        "val": st.integers(1, 20),
        "test": st.integers(1, 20),
        "folds": st.integers(1, 12),
        "window": st.sampled_from(["expanding", "sliding"]),
        "gap": st.integers(0, 15),
    },
    optional={"step": st.integers(1, 30), "refit": st.sampled_from(["every", "never"])},
)


@hypothesis_settings(deadline=None)
@given(PLANS, st.integers(1, 600))
def test_folds_keep_what_they_promise(plan: dict[str, Any], rows: int) -> None:
    step = plan.get("step", plan["test"])
    needed = plan["train"] + plan["val"] + plan["test"] + plan["gap"]
    most = 1 + (rows - needed) // step if rows >= needed else 0
    if most < plan["folds"]:
        error = refusal(hours(rows), **plan)
        assert (f"{most} do" if most else "not even one") in error.what
        assert error.where == "split.folds"
        if most:  # the largest number that does fit
            assert folds(hours(rows), **{**plan, "folds": most})
        return

    made = folds(hours(rows), **plan)

    assert made[-1].targets("test")[1] == rows
    assert all(two.stop - one.stop == step for one, two in pairwise(made))
    for fold in made:
        (start, train), (val, val_stop), (test, stop) = (fold.targets(part) for part in PARTS)
        assert 0 <= start < train == val < val_stop
        assert val_stop <= test - plan["gap"]
        assert (val_stop - val, stop - test) == (plan["val"], plan["test"])
        assert plan["window"] == "expanding" or train - start == plan["train"]
        if plan.get("refit", "every") == "every":
            assert val_stop == test - plan["gap"]
    first = made[0].train
    assert first[1] - first[0] == plan["train"]
    if plan["window"] == "expanding":
        assert {fold.train[0] for fold in made} == {first[0]}
    if plan.get("refit") == "never":
        assert len({fold.learning for fold in made}) == 1


@hypothesis_settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 12), st.integers(1, 10), st.integers(1, 40))
def test_cutoffs_are_those_of_utilsforecast(folds_: int, test: int, step: int, size: int) -> None:
    processing = pytest.importorskip("utilsforecast.processing")
    rows = 160
    times = pd.date_range("2020-01-01", periods=rows, freq="h")
    frame = pd.DataFrame({"unique_id": "a", "ds": times, "y": np.arange(rows)})
    assume(size + 1 + test + (folds_ - 1) * step <= rows)

    made = folds(hours(rows), train=size, val=1, test=test, step=step, folds=folds_)
    slid = folds(
        hours(rows), train=size, val=1, test=test, step=step, folds=folds_, window="sliding"
    )

    expected = processing.backtest_splits(
        frame, folds_, test, "unique_id", "ds", "h", step_size=step
    )
    for fold, (cutoffs, train, valid) in zip(made, expected, strict=True):
        assert cutoffs["cutoff"].item() == times[fold.val[1] - 1]
        assert train["y"].iloc[-1] == fold.val[1] - 1  # training and validation are both its train
        assert (valid["y"].iloc[0], valid["y"].iloc[-1] + 1) == fold.test
    windows = processing.backtest_splits(
        frame, folds_, test, "unique_id", "ds", "h", step_size=step, input_size=size + 1
    )
    for fold, (_, train, _) in zip(slid, windows, strict=True):
        assert (train["y"].iloc[0], train["y"].iloc[-1] + 1) == (fold.train[0], fold.val[1])


@hypothesis_settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 12), st.integers(1, 10))
def test_cutoffs_are_every_step_back_from_the_end(folds_: int, test: int, step: int) -> None:
    rows = 160
    made = folds(hours(rows), train=20, val=1, test=test, step=step, folds=folds_)

    origins = [rows - test - step * back for back in reversed(range(folds_))]
    assert [fold.val[1] for fold in made] == origins
    assert [fold.test for fold in made] == [(origin, origin + test) for origin in origins]


# ---- lengths of time -----------------------------------------------------------------------------


def test_lengths_of_a_regular_step_are_rows() -> None:
    made = folds(hours(400), train="10d", val="1d", test="12h", folds=4, gap=3)

    assert made == folds(hours(400), train=240, val=24, test=12, folds=4, gap=3)
    assert made == folds(
        replace(hours(400), times=None), train="10d", val="1d", test="12h", folds=4, gap=3
    )


@pytest.mark.parametrize("freq", ["ME", "MS", "BME", "BMS", "WOM-3FRI"])
@pytest.mark.parametrize("periods", [47, 48, 49, 50, 58])
def test_months_of_monthly_rows_are_rows_on_whatever_day_they_are(freq: str, periods: int) -> None:
    given = data(pd.date_range("2001-01-01", periods=periods, freq=freq), MONTHS)

    made = folds(given, train="2y", val="3mo", test="2mo", step="1mo", folds=6)

    assert made == folds(given, train=24, val=3, test=2, step=1, folds=6)


def test_months_of_business_days_are_those_of_the_calendar() -> None:
    times = pd.bdate_range("2018-01-01", "2020-12-31")
    made = folds(data(times, BUSINESS), train="12mo", val="3mo", test="1mo", folds=12)

    for month, fold in enumerate(made, 1):
        start, stop = fold.targets("test")
        assert {(at.year, at.month) for at in times[start:stop]} == {(2020, month)}
        assert start == 0 or times[start - 1].month != month
        assert {at.month for at in times[slice(*fold.val)]} == {
            (month - back - 1) % 12 + 1 for back in (1, 2, 3)
        }


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([("D", constant(86_400.0)), ("B", BUSINESS), ("h", HOURS)]),
    st.sampled_from(["1d", "2w", "1mo", "3mo", "36h"]),
    st.sampled_from(["1d", "1w", "2mo"]),
    st.integers(1, 6),
)
def test_folds_by_time_do_not_overlap_where_the_step_is_the_test_part(
    rows: tuple[str, Cadence], test: str, val: str, count: int
) -> None:
    freq, cadence = rows
    times = pd.date_range("2018-01-01", periods=2000, freq=freq)
    try:
        made = folds(data(times, cadence), train="1w", val=val, test=test, folds=count)
    except StepError as error:
        assert error.where in ("split.folds", "split.step")  # noqa: PT017 (not what is tested)
        return

    assert made[-1].stop == 2000
    for one, two in pairwise(made):
        assert one.targets("test")[1] == two.targets("test")[0]
    for fold in made:
        assert fold.train[1] == fold.val[0]
        assert fold.val[1] == fold.targets("test")[0]


@hypothesis_settings(deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.integers(1, 600))  # noqa: DTZ001
def test_months_before_is_what_pandas_says(end: datetime, count: int) -> None:
    before = Length(months=count).before(end, calendar=True)

    assert before == (pd.Timestamp(end) - pd.DateOffset(months=count)).to_pydatetime()


def test_a_length_before_all_time_begins_when_time_does() -> None:
    for text in ("9999999y", "9999999w", "9999999mo"):
        length = Length.of(text)
        assert length
        assert length.before(datetime(2020, 1, 1), calendar=True).year == 1  # noqa: DTZ001
    assert Length(fixed=timedelta(days=1)) + 2 * Length(months=3) == Length(timedelta(days=1), 6)


# ---- a gap without folds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"train": 50, "val": 10, "test": 20}, Split((0, 50), (50, 60), (65, 85))),
        ({"train": "50h", "val": "10h", "test": "20h"}, Split((0, 50), (50, 60), (65, 85))),
        ({"train": 0.6, "val": 0.1, "test": 0.3}, Split((0, 55), (55, 65), (70, 100))),
        (
            {"val": "2020-01-03", "test": "2020-01-04"},
            Split((0, 48), (48, 67), (72, 100)),
        ),
    ],
)
def test_a_gap_parts_validation_and_test(written: dict[str, Any], expected: Split) -> None:
    assert folds(hours(100), **written, gap=5) == (expected,)


def test_a_gap_that_leaves_nothing_is_refused() -> None:
    error = refusal(hours(100), train=0.6, val=0.1, test=0.3, gap=60)

    assert str(error) == (
        "split.gap: a gap of 60 rows leaves no row to the train part; make it shorter"
    )


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "changed", "said"),
    [
        (
            {"train": 60, "val": 10, "test": 10, "folds": 9},
            {},
            (
                "split.folds: 9 folds do not fit into 100 rows, 3 do: train 60, val 10, test 10; "
                "write folds: 3, or make the parts or the step (10) shorter"
            ),
        ),
        (
            {"train": 90, "val": 10, "test": 10, "folds": 2, "gap": 4},
            {},
            (
                "split.folds: not even one fold fits into 100 rows: train 90, val 10, test 10 and "
                "a gap of 4 rows; make the parts shorter"
            ),
        ),
        (
            {"train": "3d", "val": "6h", "test": "6h", "folds": 50, "step": "1h"},
            {},
            "split.folds: 50 folds do not fit into 100 rows, 17 do: train 3d, val 6h, test 6h",
        ),
        (
            {"train": "3d", "val": "6h", "test": "6h", "folds": 3},
            {"cadence": counted()},
            (
                "split.train: '3d' is a length of time, and the rows of this data set have no "
                "regular step: folds as long as each other would not have as many rows; write "
                "rows, as in split: {train: 600, val: 100, test: 100, folds: 4}"
            ),
        ),
        (
            {"train": "3mo", "val": "6h", "test": "6h", "folds": 3},
            {"counted": True},
            "split.train: '3mo' is a time, and the rows of this data set have none",
        ),
        (
            {"train": 10, "val": 10, "test": 10, "folds": 3, "until": 120},
            {},
            (
                "split.until: the data set has 100 rows, and the last fold ends after 120; leave "
                "it out to end with the data"
            ),
        ),
        (
            {"train": 10, "val": 10, "test": 10, "folds": 3, "until": "2021-01-01"},
            {},
            "split.until: 2021-01-01 is not within the data",
        ),
        (
            {"train": "1d", "val": "6h", "test": "6h", "step": "10min", "folds": 3},
            {},
            "split.step: a step of 10min holds no row from fold",
        ),
        (
            {"train": 0.5, "val": 0.1, "test": 0.001, "folds": 3},
            {},
            "split.test: 0.001 of 100 rows is less than one; give it a larger share",
        ),
    ],
)
def test_folds_that_the_data_do_not_have_are_refused(
    written: dict[str, Any], changed: dict[str, Any], said: str
) -> None:
    assert said in str(refusal(hours(100, **changed), **written))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"val": "2020-01-02", "test": "2020-01-03", "folds": 3}, "lengths, not dates"),
        ({"train": 40, "val": 10, "test": 10, "folds": 3, "step": "1d"}, "write all four as"),
        ({"train": 40, "val": 10, "test": 10, "step": 5}, "step is about folds: write `folds`"),
        ({"window": "sliding"}, "window is about folds"),
        ({"refit": "never"}, "refit is about folds"),
        ({"until": 50}, "until is about folds"),
        ({"folds": 3, "refit": 4}, "refit is 4, more than the 3 folds: write never"),
        ({"folds": 3, "refit": 0}, "expected every, never, or a number of folds, got 0"),
        ({"folds": 3, "refit": "monthly"}, 'expected every, never, or a number of folds, got "mon'),
        ({"folds": 3, "until": 0.5}, "expected a number of rows, or a date as 2019-01-31, got 0.5"),
        ({"folds": 3, "until": "12mo"}, "expected a number of rows, or a date"),
        ({"folds": 0}, "greater than or equal to 1"),
        ({"gap": -1}, "greater than or equal to 0"),
        ({"train": 0.5, "val": 0.1, "test": 0.3}, "add up to 0.9, not to 1"),
    ],
)
def test_what_says_nothing_is_refused(written: dict[str, Any], said: str) -> None:
    assert said in problem(**written)


def test_a_split_without_folds_is_recorded_as_before_there_were_folds() -> None:
    assert Section().model_dump(mode="json") == {"train": 0.6, "val": 0.1, "test": 0.3}
    dated = Section(val="2020-01-02", test="2020-01-03").model_dump(mode="json")
    assert dated == {"train": None, "val": "2020-01-02", "test": "2020-01-03"}
    rolling = Section(train=40, val=10, test=10, folds=3, refit=2, step=10)
    assert rolling.model_dump(mode="json") == {
        "train": 40,
        "val": 10,
        "test": 10,
        "folds": 3,
        "step": 10,
        "refit": 2,
    }
