"""Every fault of a data file is refused with its place and what to do; nothing is repaired."""

import io
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import parse
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import read
from pyheta.pipeline.data.times.axis import find_time


def checked(raw: bytes | str, time: str | None = None) -> pl.DataFrame:
    options = DataOptions.of({"time": time} if time else {})
    return read(raw.encode() if isinstance(raw, str) else raw, "x.csv", options).frame


def rows(*values: str, head: str = "time,a") -> str:
    """A daily series with these values, one line each."""
    days = [f"2026-01-{day:02},{value}" for day, value in enumerate(values, start=1)]
    return "\n".join([head, *days]) + "\n"


def times(*stamps: str) -> str:
    return "\n".join(["time,a", *(f"{stamp},1" for stamp in stamps)]) + "\n"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "x.csv: the file is empty"),
        (b"\n \n", "x.csv: the file is empty"),
        ("time,a\n", "only a header, no rows; a series needs at least two"),
        ("time,a\n2026-01-01,1\n", "only one row"),
        ("time\n2026-01-01\n2026-01-02\n", "no column beside the time column 'time'"),
        ("date,time\n2026-01-01,1\n2026-01-02,2\n", "both 'date' and 'time' are columns"),
        ("1.5,2\n3,4\n5,6\n", "its first line is data"),
        (rows("1", "2", head="time,"), "column 2 has no name"),
        ("time,a, a\n2026-01-01,1,2\n", "duplicate column 'a' (2 and 3)"),
        (b"\x1f\x8b\x08\x00", "damaged gzip; get the file again"),
        (b"PK\x03\x04zip", "damaged zip"),
        (b"PAR1 but no more", "not a readable Parquet file"),
        (b"time,a\n2026-01-01,\x00\n", "NUL at byte 18"),
        (rows("1", "2,7", "3"), "x.csv: row 3: 3 fields, but the header has 2"),
        (rows("1", '"2', "3"), "x.csv: row 3: not well-formed CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(raw: bytes | str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        checked(raw)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1", "x", "2"], "x.csv: row 3, column 'a': not a number 'x'; mend the value, or"),
        (["1", "x", "y", "2", "3"], "not a number 'x' (2 such cells); mend the value, or"),
        (["x", "y"], "nothing to forecast: no column of numbers beside the times, only a (text)"),
        (["1", "", "3", "NaN", " NA "], "row 3, column 'a': 3 missing values, the first here"),
        (
            ["", "", ""],
            "nothing to forecast: no column of numbers beside the times, only a (empty)",
        ),
        (["1", "inf"], "row 3, column 'a': out of range: inf"),
        (["1", "-1e400"], "row 3, column 'a': out of range: -inf"),
        (["1", "1e101"], "row 3, column 'a': out of range: 1e+101; numbers up to 1e+100 are read"),
        (["1", "2", "3", "y" * 10_000], "y…'"),
    ],
)
def test_a_cell_that_is_no_finite_number_is_named(cells: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        checked(rows(*cells))
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (["tomorrow", "later"], "row 2, column 'time': not a time that is known: 'tomorrow'"),
        (["2026-01-01", "2026-01-02 00:00"], "row 3, column 'time': not a time like the others"),
        (
            ["2026-01-01T00:00Z", "2026-01-01T01:00"],
            "row 3, column 'time': not a time like the others",
        ),
        (["2026-01-01", ""], "row 3, column 'time': a missing time"),
        (
            ["2026-01-01", "2026-01-01"],
            "row 3, column 'time': 2026-01-01 00:00:00 stands in the row",
        ),
        (["2026-01-02", "2026-01-01"], "row 3, column 'time': times must grow, but 2026-01-01 00"),
        (["2026-01-03", "2026-01-04", "2026-01-07", "2026-01-08"], "row 4, column 'time': 3 days"),
        (["2026-02-28", "2026-02-30"], "row 3, column 'time': not a time like the others"),
    ],
)
def test_times_that_do_not_step_regularly_are_named(stamps: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        checked(times(*stamps))
    assert message in str(caught.value)


def test_the_number_of_gaps_is_told() -> None:
    stamps = [f"2026-01-01 {hour:02}:00" for hour in (0, 1, 2, 4, 5, 6, 9, 10)]
    with pytest.raises(DataError, match=r"2:00:00 after .* every hour \(2 such places, 3 rows\)"):
        checked(times(*stamps))


def test_an_empty_line_is_no_row() -> None:
    assert checked(rows("1", "2") + "\n\n").height == 2
    assert checked("time,a\n2026-01-01,1\n\n2026-01-02,2\n").height == 2


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%MZ",
        "%Y-%m-%d %H:%M:%S+00:00",
    ],
)
def test_iso_times_are_read_in_all_their_forms(form: str) -> None:
    stamps = [datetime(2026, 1, 1, hour) for hour in range(3)]  # noqa: DTZ001
    frame = checked(times(*(stamp.strftime(form) for stamp in stamps)))
    assert frame["time"].to_list() == stamps


def test_times_with_an_offset_become_utc_so_that_a_clock_change_is_no_gap() -> None:
    frame = checked(times("2026-03-29 01:00+01:00", "2026-03-29 03:00+02:00"))
    assert [stamp.hour for stamp in frame["time"]] == [0, 1]
    assert frame["time"].diff()[1] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("header", "found"),
    [("b,Date,a", "Date"), ("time,date,a", "date"), ("when,b,a", "when")],
)
def test_the_time_column_is_found_by_name_or_by_content(header: str, found: str) -> None:
    cells = {"when": "2026-01-01", "Date": "2026-01-01", "date": "2026-01-01", "time": "1"}
    line = ",".join(cells.get(name, "1") for name in header.split(","))
    assert find_time(parse(f"{header}\n{line}\n".encode(), "x", DataOptions()), DataOptions()) == (
        found,
    )


def test_a_wanted_time_column_that_is_missing_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="no column 'tmie'; did you mean 'time'"):
        checked(rows("1", "2"), time="tmie")


def test_a_byte_order_mark_crlf_and_spaces_are_accepted() -> None:
    frame = checked(b"\xef\xbb\xbftime, a\r\n2026-01-01, 1\r\n2026-01-02,2 \r\n")
    assert frame.columns == ["time", "a"]
    assert frame["a"].to_list() == [1.0, 2.0]


def test_parquet_rows_are_counted_from_one_and_their_types_are_checked() -> None:
    def written(frame: pl.DataFrame) -> bytes:
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        return buffer.getvalue()

    days = pl.date_range(datetime(2026, 1, 1), datetime(2026, 1, 2), eager=True)  # noqa: DTZ001
    with pytest.raises(DataError, match="row 2, column 'a': a missing value"):
        checked(written(pl.DataFrame({"day": days, "a": [1.0, float("nan")]})))
    with pytest.raises(DataError, match=r"nothing to forecast: .* only a \(list\)"):
        checked(written(pl.DataFrame({"day": days, "a": [[1], [2]]})))
    with pytest.raises(DataError, match="column 'time' holds List"):
        checked(written(pl.DataFrame({"time": [[1], [2]], "a": [1, 2]})), time="time")
    assert checked(written(pl.DataFrame({"day": days, "a": [1, 2]})))["a"].to_list() == [1.0, 2.0]


@hypothesis_settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-1e100, 1e100), min_size=2, max_size=30),
    st.integers(1, 10**6),
)
def test_what_is_written_is_what_is_read(values: list[float], seconds: int) -> None:
    start = datetime(2000, 1, 1)  # noqa: DTZ001
    stamps = [start + timedelta(seconds=seconds * i) for i in range(len(values))]
    lines = [f"{stamp.isoformat()},{value!r}" for stamp, value in zip(stamps, values, strict=True)]

    options = DataOptions.of({"missing": {"values": []}})  # no number stands for missing
    frame = read("\n".join(["time,a", *lines]).encode(), "x.csv", options).frame

    assert frame["time"].to_list() == stamps
    np.testing.assert_array_equal(frame["a"].to_numpy(), values)


@hypothesis_settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_the_answer_is_a_table_or_a_data_error(raw: bytes) -> None:
    try:
        assert checked(raw).width >= 2
    except DataError as error:
        assert str(error)  # noqa: PT017 (either outcome is right)
