"""What stands in a file's cells: numbers, words that are numbers, nothing, or something else."""

import io
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from pyheta.errors import DataError
from pyheta.pipeline.data.numbers import MISSING, kinds_of
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.rows.sentinels import standing_out

START = datetime(2026, 1, 1)  # noqa: DTZ001


def days(count: int) -> list[datetime]:
    return [START + timedelta(days=day) for day in range(count)]


def written(**columns: list[Any]) -> bytes:
    """A daily series as CSV."""
    count = len(next(iter(columns.values())))
    frame = pl.DataFrame({"day": days(count), **columns}, strict=False)
    return frame.write_csv().encode()


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    count = len(next(iter(columns.values())))
    pl.DataFrame({"day": days(count), **columns}).write_parquet(buffer)
    return buffer.getvalue()


def reading(raw: bytes, **options: Any) -> Reading:
    return read(raw, "x.csv", DataOptions.of(options))


def refused(raw: bytes, column: str, **options: Any) -> str:
    """Why a column is left out."""
    try:
        return str(reading(raw, **options).left_out[column])
    except DataError as error:
        return str(error)


def test_columns_that_are_no_numbers_are_left_out_and_say_why() -> None:
    found = reading(written(y=[1, 2, 3], station=["Bern", "Bern", "Chur"], spare=["", "", ""]))
    assert found.frame.columns == ["time", "y"]
    assert found.notes == ()
    assert str(found.left_out["station"]) == (
        "x.csv: column 'station': holds texts such as 'Bern', not numbers; write under "
        "dataset: `columns: {station: {type: category}}` to see it as a category"
    )


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["true", "False", "TRUE"], [1, 0, 1]),
        (["yes", "no", " no "], [1, 0, 0]),
        (["no", "no", "no"], [0, 0, 0]),
    ],
)
def test_words_for_yes_and_no_are_one_and_zero(words: list[str], values: list[int]) -> None:
    found = reading(written(holiday=words))
    assert found.frame["holiday"].to_list() == values
    assert any(note.startswith("holiday: ") for note in found.notes)


def test_a_word_for_yes_among_others_is_text() -> None:
    assert "holds texts such as 'yes'" in refused(written(y=[1, 2], a=["yes", "maybe"]), "a")


@pytest.mark.parametrize("token", [*MISSING, "NA", "N/A", "NULL", "#N/A", " ? ", "NaN", "-NaN"])
def test_a_token_for_missing_is_missing(token: str) -> None:
    raw = b"day,y\n2026-01-01,1\n2026-01-02,%s\n2026-01-03,3\n" % token.encode()
    assert "row 3, column 'y': a missing value" in refused(raw, "y")


def test_the_types_of_parquet_are_numbers_where_they_can_be() -> None:
    columns: dict[str, Any] = {
        "flag": [True, False, True],
        "small": pl.Series([1, 2, 3], dtype=pl.Int8),
        "half": pl.Series([0.5, 0.1, 0.25], dtype=pl.Float32),
        "exact": pl.Series(["1.10", "2.20", "3.30"]).cast(pl.Decimal(10, 2)),
        "lasting": [timedelta(seconds=90), timedelta(0), timedelta(milliseconds=1)],
        "class": pl.Series(["3", "4", "3"], dtype=pl.Categorical),
    }
    found = reading(parquet(**columns))
    table = found.frame.drop("time").to_dict(as_series=False)
    assert table.pop("half") == [0.5, float(np.float32(0.1)), 0.25]
    assert table == {
        "flag": [1, 0, 1],
        "small": [1, 2, 3],
        "exact": [1.1, 2.2, 3.3],
        "lasting": [90, 0, 0.001],
        "class": [3, 4, 3],
    }
    assert set(found.frame.drop("time").dtypes) == {pl.Float64}


def test_the_types_of_parquet_that_are_no_numbers_are_left_out_with_their_kind() -> None:
    columns: dict[str, Any] = {
        "y": [1.0, 2.0],
        "zone": pl.Series(["A", "B"], dtype=pl.Categorical),
        "kind": pl.Series(["A", "B"], dtype=pl.Enum(["A", "B"])),
        "seen": days(2),
        "parts": [[1, 2], [3]],
        "nothing": pl.Series([None, None], dtype=pl.Null),
    }
    found = reading(parquet(**columns), time="day")
    assert found.frame.columns == ["time", "y"]
    assert kinds_of(found.left_out) == {
        "zone": "category",
        "kind": "category",
        "seen": "times",
        "parts": "list",
        "nothing": "empty",
    }


@pytest.mark.parametrize("value", ["1e200", "-1.7976931348623157e308", "inf", "1e400"])
def test_a_number_that_no_series_has_is_out_of_range_unless_it_stands_for_missing(
    value: str,
) -> None:
    raw = written(y=[1, 2, value, 4, 5])
    message = refused(raw, "y")
    assert "x.csv: row 4, column 'y': out of range: " in message
    assert "missing: {fill: forward, limit: 1, values: [" in message
    missing = {"values": [value], "fill": "forward"}
    assert reading(raw, missing=missing).frame["y"].to_list() == [1, 2, 2, 4, 5]


def test_a_column_of_huge_numbers_wants_another_unit() -> None:
    assert "larger unit" in refused(written(y=[1e200, 2e200, 3e200]), "y")


WAVE = [round(20 + 5 * np.sin(i / 4), 2) for i in range(60)]


def with_code(code: float, *rows: int) -> list[float]:
    return [code if row in rows else value for row, value in enumerate(WAVE)]


@pytest.mark.parametrize("code", [-999, -9999, -99.9, 9999, 1e20, 9.96920996838687e36, -32768])
def test_a_number_that_is_written_for_missing_is_asked_about(code: float) -> None:
    raw = written(y=with_code(code, 7, 8), other=WAVE)
    found = reading(raw)
    assert found.frame.columns == ["time", "other"]
    message = str(found.left_out["y"])
    assert "row 9, column 'y': " in message
    assert "stands out (2 cells, the first here): is it missing?" in message
    real = reading(raw, missing={"values": []})
    assert real.frame["y"].to_list() == with_code(code, 7, 8)
    filled = reading(raw, missing={"values": [code], "fill": "forward", "limit": 2})
    assert filled.frame["y"].to_list() == [*WAVE[:7], WAVE[6], WAVE[6], *WAVE[9:]]


def test_a_code_of_32_bits_is_the_number_that_people_write() -> None:
    column = pl.Series(with_code(-999.9, 3), dtype=pl.Float32)
    found = reading(parquet(y=column), missing={"values": [-999.9], "fill": "forward"})
    assert found.frame["y"].min() > 0  # type: ignore[operator]


def test_one_column_may_have_another_answer() -> None:
    raw = written(a=with_code(-999, 7), b=with_code(-999, 7))
    missing = {"fill": "forward", "values": [-999], "b": {"values": []}}
    frame = reading(raw, missing=missing).frame
    assert (frame["a"][7], frame["b"][7]) == (WAVE[6], -999)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 50 + [1.0] * 10,  # a flag
        [0.0] * 30 + [float(i) for i in range(30)],  # rain
        [float(i % 100) for i in range(300)],  # 99 is a number like others
        [float(i) for i in range(980, 1010)],  # 999 lies among others
        [5.0, 5.0, 5.0, 7.0, 7.0, 7.0, 90.0, 90.0, 90.0, 5.0],  # few kinds of values
        [1.0, 2.0, 9999.0],  # too few
        [-999.0] * 40 + [1.0, 2.0, 3.0, 4.0, 5.0],  # most of all
        [0.0] + [1000.0 + i for i in range(40)],  # zero never is
    ],
)
def test_what_a_series_may_have_is_no_question(values: list[float]) -> None:
    assert standing_out(pl.Series(values)) == []


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_any_shape_is_no_question(seed: int) -> None:
    random = np.random.default_rng(seed)
    shapes = [
        random.normal(size=500),
        random.normal(size=500).round(1),
        random.exponential(size=500).round(2),
        random.poisson(0.1, 500),
        random.poisson(5, 500) * 100,
        random.lognormal(0, 1, 500),
        random.integers(0, 1000, 500),
        np.cumsum(random.normal(size=500)),
    ]
    assert [standing_out(pl.Series(shape.astype(float))) for shape in shapes] == [[]] * len(shapes)


@pytest.mark.parametrize("seed", range(20))
def test_a_code_in_noise_stands_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(10, 3, 300)
    values[random.integers(0, 300, 4)] = -777.7  # nobody's code, but it stands there often
    assert standing_out(pl.Series(values)) == [-777.7]


def test_a_mistake_among_numbers_is_named_with_its_row_and_may_stand_for_missing() -> None:
    raw = written(y=["1", "closed", "3", "4"])
    assert refused(raw, "y") == (
        "x.csv: row 3, column 'y': not a number 'closed'; mend the value, or write under "
        "dataset: `missing: {fill: forward, limit: 1, values: [closed]}` if it stands for missing"
    )
    missing = {"fill": "forward", "limit": 1, "values": ["closed"]}
    assert reading(raw, missing=missing).frame["y"].to_list() == [1, 1, 3, 4]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            "day,city\n2026-01-01,Bern\n2026-01-02,Chur\n",
            "nothing to forecast: no column of numbers beside the times, only city (text)",
        ),
        ("day,y\n2026-01-01,\n2026-01-02,\n", "only y (empty)"),
        ("day\n2026-01-01\n2026-01-02\n", "no column beside the time column 'day'"),
        ("day,y\n2026-01-01,1\n", "only one row; a series needs at least two rows"),
    ],
)
def test_a_file_with_nothing_to_forecast_is_called_so(raw: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        reading(raw.encode())
    assert message in str(caught.value)


def test_a_column_named_time_beside_the_times_is_left_out() -> None:
    found = reading(b"date,time,y\n2026-01-01,5,1\n2026-01-02,6,2\n")
    assert found.frame.columns == ["time", "y"]
    assert "both 'date' and 'time' are columns" in str(found.left_out["time"])
