"""The rows of a table: those of a stretch of time, in order, one at each time."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.cells import read_cells
from pyheta.pipeline.data.draft import ROW, Draft
from pyheta.pipeline.data.files.rawfile import RawTable
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.questions import Question
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.rows.order import arrange, cut
from pyheta.pipeline.data.times.axis import TimeAxis

START = datetime(2019, 1, 30)  # noqa: DTZ001


def text(*hours: int, values: list[float] | None = None) -> bytes:
    """A row for each of these hours after START, with its number as the value."""
    numbers = values or list(map(float, range(len(hours))))
    rows = [
        f"{START + timedelta(hours=hour)},{number}"
        for hour, number in zip(hours, numbers, strict=True)
    ]
    return "\n".join(["date,y", *rows]).encode()


def reading(raw: bytes, **options: Any) -> Reading:
    return read(raw, "x.csv", DataOptions.of(options))


def refused(raw: bytes, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        reading(raw, **options)
    return str(caught.value)


def test_rows_out_of_order_are_sorted_where_that_is_wanted() -> None:
    raw = text(0, 2, 1, 3)
    assert refused(raw) == (
        "x.csv: row 4, column 'date': times must grow, but 2019-01-30 01:00:00 follows "
        "2019-01-30 02:00:00; write under dataset: `sort: true`"
    )
    found = reading(raw, sort=True)
    assert found.frame["y"].to_list() == [0, 2, 1, 3]
    assert found.notes[-1] == "sorted: 2 rows moved"


def test_rows_out_of_order_with_a_time_twice_get_both_answers_at_once() -> None:
    raw = text(0, 3, 1, 1, 2)
    assert refused(raw).endswith("write under dataset: `sort: true, duplicates: first`")
    assert reading(raw, sort=True, duplicates="first").frame["y"].to_list() == [0, 2, 4, 1]


@pytest.mark.parametrize(
    ("which", "values", "changed"),
    [("first", [0, 1, 4], []), ("last", [0, 3, 5], []), ("mean", [0, 2, 4.5], [1, 2])],
)
def test_of_the_rows_of_one_time_one_is_taken(
    which: str, values: list[float], changed: list[int]
) -> None:
    raw = text(0, 1, 1, 1, 2, 2)
    assert refused(raw) == (
        "x.csv: row 4, column 'date': 2019-01-30 01:00:00 stands in the row before too "
        "(3 such rows); write under dataset: `duplicates: first` (or last, or mean)"
    )
    found = reading(raw, duplicates=which)
    assert found.frame["y"].to_list() == values
    assert "3 rows dropped whose time stands in another" in found.notes[-1]
    assert list(found.meaning.changed.get("y", [])) == changed


def test_the_mean_is_that_of_what_is_known() -> None:
    raw = b"date,a,b\n2020-01-01,1,5\n2020-01-01,3,\n2020-01-02,4,4\n"
    frame = reading(raw, duplicates="mean").frame
    assert frame["a"].to_list() == [2, 4]
    assert frame["b"].to_list() == [5, 4]


@pytest.mark.parametrize(
    ("zone", "year", "minutes"),
    [
        ("Europe/Zurich", 2019, 60),
        ("Europe/London", 2021, 15),
        ("America/New_York", 2020, 30),
        ("Australia/Sydney", 2021, 15),
        ("Australia/Lord_Howe", 2021, 15),
        ("America/Sao_Paulo", 2018, 60),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_clocks_that_were_put_back_are_asked_about_first_and_their_zone_is_the_answer(
    zone: str, year: int, minutes: int, newest_first: bool
) -> None:
    moments = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq=f"{minutes}min", tz="UTC")
    shown = pd.DataFrame({"date": moments.tz_convert(zone).tz_localize(None)})
    shown["y"] = range(len(shown))
    raw = shown[:: -1 if newest_first else 1].to_csv(index=False).encode()
    with pytest.raises(Question) as caught:
        reading(raw)
    order = {"sort": True} if newest_first else {}
    assert caught.value.answers[0].options == {"time_zone": zone, **order}
    found = reading(raw, **caught.value.answers[0].options).frame
    assert found["time"].to_list() == list(moments.tz_localize(None).to_pydatetime())
    assert found["y"].to_list() == list(range(len(shown)))


def test_a_night_of_a_clock_change_that_the_file_had_not_is_not_asked_about() -> None:
    night = datetime(2019, 10, 27)  # noqa: DTZ001
    stamps = [night + timedelta(hours=hour) for hour in (0, 1, 2, 3, 4, 5, 5, 6)]
    raw = "\n".join(["date,y", *(f"{stamp},1" for stamp in stamps)]).encode()
    assert "time_zone" not in refused(raw)


draft_rows = st.lists(
    st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(-9, 9))), min_size=1, max_size=30
)


def drafted(rows: list[tuple[int, int | None]]) -> Draft:
    frame = pl.DataFrame({"y": pl.Series([value for _, value in rows], dtype=pl.Float64)})
    hours = pl.Series([START + timedelta(hours=hour) for hour, _ in rows], dtype=pl.Datetime("us"))
    raw = RawTable(frame.with_columns(x=1.0), "x", pl.Series(range(len(rows)), dtype=pl.UInt32))
    return read_cells(raw, TimeAxis(("date",), hours), DataOptions())


@hypothesis_settings(deadline=None, max_examples=100)
@given(draft_rows, st.sampled_from(["first", "last", "mean"]))
def test_order_and_choice_are_those_of_pandas(
    rows: list[tuple[int, int | None]], which: str
) -> None:
    draft = drafted(rows)
    options = DataOptions.of({"sort": True, "duplicates": which})
    ours = arrange(draft, options).frame.drop(ROW).to_pandas()

    theirs = draft.frame.drop(ROW).to_pandas().sort_values("time", kind="stable")
    if which == "mean":
        theirs = theirs.groupby("time", as_index=False).mean()[list(theirs.columns)]
    else:
        theirs = theirs.drop_duplicates("time", keep=which)
    pd.testing.assert_frame_equal(ours, theirs.reset_index(drop=True))


HOURS = text(*range(24 * 40))


@pytest.mark.parametrize(
    ("options", "first", "last"),
    [
        ({"from": "2019-02"}, "2019-02-01 00", "2019-03-10 23"),
        ({"to": "2019-02"}, "2019-01-30 00", "2019-02-28 23"),
        ({"from": "2019-02", "to": "2019-02"}, "2019-02-01 00", "2019-02-28 23"),
        ({"from": "2019-02-03", "to": "2019-02-04"}, "2019-02-03 00", "2019-02-04 23"),
        ({"from": "2019-02-03 07:00", "to": "2019-02-04T09:00"}, "2019-02-03 07", "2019-02-04 09"),
        ({"from": "2019-02-03T07:00+02:00"}, "2019-02-03 05", "2019-03-10 23"),
        ({"from": 2019, "to": "2019"}, "2019-01-30 00", "2019-03-10 23"),
        ({"from": "2018-01-01", "to": "2030-01-01"}, "2019-01-30 00", "2019-03-10 23"),
    ],
)
def test_a_stretch_of_time_is_cut_out_with_both_its_ends(
    options: dict[str, Any], first: str, last: str
) -> None:
    found = reading(HOURS, **options)
    assert str(found.frame["time"][0])[:13] == first
    assert str(found.frame["time"][-1])[:13] == last
    assert found.notes[-1] == f"{found.frame.height:,} of 960 rows are taken"


def test_a_stretch_outside_the_file_is_answered_with_its_ends() -> None:
    assert refused(HOURS, **{"from": 2021, "to": "2022-05"}) == (
        "x.csv: no row from 2021 to 2022-05: the file goes from 2019-01-30 00:00:00 to "
        "2019-03-10 23:00:00; take a stretch between them"
    )


def test_what_is_outside_of_the_stretch_is_no_trouble() -> None:
    raw = text(0, 1, 1, 30, 31, 32, values=[1, 2, 3, 4, 5, 6])
    assert reading(raw, **{"from": "2019-01-31"}).frame["y"].to_list() == [4, 5, 6]


def test_counted_rows_are_cut_by_their_numbers() -> None:
    frame = pl.DataFrame({"y": [float(value) for value in range(9)]})
    raw = RawTable(frame, "x", pl.Series(range(9), dtype=pl.UInt32))
    count = pl.Series(range(100, 109)).cast(pl.Datetime("us"))
    draft = read_cells(raw, TimeAxis((), count, counted=True), DataOptions())
    some = cut(draft, DataOptions.of({"from": 102, "to": 104}))
    assert some.frame["y"].to_list() == [2, 3, 4]
    with pytest.raises(DataError, match="no row from 200: the file goes from 100 to 108"):
        cut(draft, DataOptions.of({"from": 200}))
    with pytest.raises(DataError, match="rows are counted here; write the number of a row"):
        cut(draft, DataOptions.of({"from": "2019-01"}))


@pytest.mark.parametrize("moment", ["yesterday", "2019-13", "2019-02-30", "31.12.2019", ""])
def test_what_is_no_time_is_said_before_the_file_is_read(moment: str) -> None:
    with pytest.raises(ValueError, match="expected a time such as 2019, 2019-01"):
        DataOptions.of({"from": moment})


def test_the_file_without_options_has_no_parameters_and_with_them_it_has_theirs() -> None:
    assert DataOptions.of({}).as_params() == {}
    written = {"from": "2019-02", "to": 2020, "sort": True, "duplicates": "mean"}
    assert DataOptions.of(written).as_params() == written
