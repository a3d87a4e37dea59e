"""Every refusal prints the lines that accept the file: whoever writes them down gets a table."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.questions import Question
from pyheta.pipeline.data.read import Reading, read

START = datetime(2024, 6, 3)  # noqa: DTZ001


def answered(raw: bytes, wanted: list[str], most: int) -> tuple[Reading, dict[str, Any]]:
    """What is read after the first answers were written down, one message after the other."""
    written: dict[str, Any] = {}
    for _ in range(most + 1):
        try:
            found = read(raw, "x.csv", DataOptions.of(written))
            error = next((found.left_out[n] for n in wanted if n in found.left_out), None)
            if error is None:
                return found, written
        except DataError as refusal:
            error = refusal
        assert isinstance(error, Question), f"no line is printed: {error}"
        written |= yaml.safe_load("{" + str(error).split("`")[1] + "}")
    pytest.fail(f"after {most} lines still: {error}")


def faulty(random: np.random.Generator, faults: set[str]) -> pl.DataFrame:
    """Eighty hours with some of what files have."""
    rows = 80
    series = pl.DataFrame({"date": [START + timedelta(hours=hour) for hour in range(rows)]})
    columns = {name: random.normal(20, 3, rows).round(2) for name in ("temp", "wind speed")}
    if "holes" in faults:
        for values in columns.values():
            values[random.integers(0, rows, 9)] = np.nan
    if "code" in faults:
        columns["temp"][random.integers(0, rows, 3)] = -999
    frame = series.with_columns(**{k: pl.Series(v) for k, v in columns.items()}).fill_nan(None)
    if "panel" in faults:
        other = frame.with_columns(site=pl.lit("Chur"))
        frame = pl.concat([frame.with_columns(site=pl.lit("Bern")), other])
    if "doubles" in faults:
        frame = pl.concat([frame, frame[random.integers(0, frame.height, 1)]])
    if "disorder" in faults:
        frame = frame.sample(fraction=1, shuffle=True, seed=int(random.integers(99)))
    elif "doubles" in faults:
        frame = frame.sort("date", maintain_order=True)
    return frame


FAULTS = ["holes", "code", "panel", "doubles", "disorder"]


@hypothesis_settings(deadline=None, max_examples=80)
@given(st.sets(st.sampled_from(FAULTS)), st.integers(0, 10_000))
def test_the_printed_lines_accept_the_file(faults: set[str], seed: int) -> None:
    raw = faulty(np.random.default_rng(seed), faults).write_csv().encode()
    found, written = answered(raw, ["temp", "wind speed"], most=6)
    assert found.frame.height == 80
    assert found.frame.columns[:3] == ["time", "temp", "wind speed"]
    values = found.frame.drop("time").to_numpy()
    known = np.maximum.accumulate(np.isfinite(values), axis=0)
    assert np.isfinite(values[known]).all()
    assert found.frame["temp"].drop_nans().min() > 0  # type: ignore[operator]
    assert bool(written) == bool(faults)


def test_a_file_in_order_needs_no_line_and_is_the_same_to_the_last_bit() -> None:
    frame = faulty(np.random.default_rng(0), set())
    found, written = answered(frame.write_csv().encode(), list(frame.columns[1:]), most=0)
    assert written == {}
    assert found.notes == ()
    assert found.frame.drop("time").equals(frame.drop("date"))
    assert found.meaning.changed == {}


def test_all_policies_together_are_counted_at_the_rows_of_the_table() -> None:
    # Given rows out of order, one double, one lacking, and missing cells
    lines = ["4,4", "0,1", "1,", "1,3", "5,6", "2,9"]
    raw = "\n".join(["date,y", *(f"2024-01-01 0{line[0]}:00,{line[2:]}" for line in lines)])
    options = {
        "sort": True,
        "duplicates": "first",
        "missing": {"fill": "forward", "limit": 2},
        "from": "2024-01-01 00:00",
    }
    # When
    found = read(raw.encode(), "x.csv", DataOptions.of(options))
    # Then
    assert found.frame["y"].to_list() == [1, 1, 9, 9, 4, 6]
    assert found.meaning.changed["y"].tolist() == [1, 3]


def test_a_stretch_or_a_resampling_that_leaves_a_single_row_is_refused() -> None:
    raw = b"date,y\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"from": "2024-01-03"}, "one row is left: 1 of 3 rows are taken; a series needs"),
        ({"resample": {"every": "1y"}}, "no rows are left: resampled: every 1y, mean"),
    ]
    for options, message in cases:
        with pytest.raises(DataError, match=message):
            read(raw, "x.csv", DataOptions.of(options))
