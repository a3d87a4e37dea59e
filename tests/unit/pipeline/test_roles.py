"""Columns are taken, known ahead, late or categories as the options say, and else refused."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import DataError
from pyheta.pipeline.data import synthetic
from pyheta.pipeline.data.draft import ROW, TIME, Draft, Meaning
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.roles import assign

START = datetime.fromisoformat("2020-01-01")

CSV = """time,a,b,station,code
2026-01-01,1,10,ZRH,2
2026-01-02,2,20,KLO,1
2026-01-03,3,30,,1
2026-01-04,4,40,ZRH,10
"""


def table(columns: Any = (), text: str = CSV, **options: Any) -> Reading:
    given = {"columns": columns, **options} if columns else options
    return read(text.encode(), "f.csv", DataOptions.of(given))


def test_a_list_says_which_columns_to_take() -> None:
    assert table(["b", "a"]).frame.columns == ["time", "a", "b"]
    assert table(["a", "time"]).frame.columns == ["time", "a"]
    assert table().frame.columns == ["time", "a", "b", "code"]


def test_a_column_that_is_not_taken_may_be_what_made_the_file_a_riddle() -> None:
    text = "date,time,a\n2026-01-01,x,1\n2026-01-02,y,2\n"

    assert table(["a"], text, time="date").frame.columns == ["time", "a"]


def test_a_mapping_says_what_some_columns_are_and_the_others_stay() -> None:
    read = table({"a": {"role": "known"}})

    assert read.frame.equals(table().frame)
    assert read.meaning.known == read.meaning.declared == {"a"}


ENDED = "time,a,plan\n" + "".join(f"{n},{n},{n if n < 8 else ''}\n" for n in range(10))


@pytest.mark.parametrize("missing", [None, "mask", {"fill": "forward"}])
def test_a_column_that_is_known_ahead_has_to_be_so_to_the_end(missing: Any) -> None:
    options = {"missing": missing} if missing else {}

    left = table({"plan": {"role": "known"}}, ENDED, **options).left_out["plan"]

    assert left.where == "f.csv: row 10, column 'plan'"
    assert "known ahead, and from here on it is not" in left.what
    assert "to: 7" in left.cure
    cut = table({"plan": {"role": "known"}}, ENDED, to=7, **options)
    assert cut.frame.height == 8
    assert cut.meaning.declared == {"plan"}


def test_a_known_column_may_lack_values_within_or_in_rows_that_are_dropped() -> None:
    within = ENDED.replace("\n5,5,5", "\n5,5,").replace("9,9,", "9,9,9").replace("8,8,", "8,8,8")
    known = {"plan": {"role": "known"}}

    assert table(known, within, missing={"fill": "forward"}).meaning.known == {"plan"}
    assert table(known, ENDED, missing="drop").frame.height == 8
    assert table({}, ENDED, missing={"fill": "forward"}).frame["plan"][-1] == 7


def test_a_delayed_column_stands_later_and_says_so() -> None:
    read = table({"b": {"delay": 2}})

    np.testing.assert_array_equal(read.frame["b"].to_numpy(), [np.nan, np.nan, 10, 20])
    assert read.frame.drop("b").equals(table().frame.drop("b"))
    assert read.meaning.delayed == {"b": 2}


@hypothesis_settings(deadline=None)
@given(delay=st.integers(0, 19), first=st.integers(0, 5), data=st.data())
def test_a_delay_moves_a_column_its_mask_and_what_was_changed(
    delay: int, first: int, data: st.DataObject
) -> None:
    # Given a masked column that is known from some row on
    rows = np.arange(20)
    changed = np.array(sorted(data.draw(st.sets(st.integers(first, 19)))), dtype=np.intp)
    mask = np.isin(rows, changed) | (rows < first)
    values = np.where(rows < first, np.nan, rows.astype(float))
    hours = [START + timedelta(hours=int(row)) for row in rows]
    columns = {TIME: hours, ROW: rows, "a": values, "a missing": mask.astype(float)}
    meaning = Meaning(masks={"a": "a missing"}, changed={"a": changed})
    given = Draft(
        name="f", frame=pl.DataFrame(columns), times="time", counted=False, meaning=meaning
    )

    # When it becomes known late
    late = assign(given, Columns.of({"columns": {"a": {"delay": delay}}}))

    # Then all of it stands at later rows
    values_late, mask_late = (late.frame[name].to_numpy() for name in ("a", "a missing"))
    for row in rows:
        before = row - delay
        if before < 0:
            assert np.isnan(values_late[row])
            assert mask_late[row] == 1
        else:
            np.testing.assert_equal(values_late[row], values[before])
            assert mask_late[row] == mask[before]
    assert late.meaning.changed["a"].tolist() == [r + delay for r in changed if r + delay < 20]


def test_a_category_becomes_a_column_for_each_value() -> None:
    read = table({"station": {"type": "category"}, "code": {"type": "category", "role": "known"}})

    assert read.frame.columns[1:] == [
        "a",
        "b",
        "station=KLO",
        "station=ZRH",
        "code=1",
        "code=10",
        "code=2",
    ]
    assert read.frame["station=KLO"].to_list() == [0, 1, 0, 0]
    assert read.frame["station=ZRH"].to_list() == [1, 0, 0, 1]
    assert read.meaning.groups == {
        "station": ("station=KLO", "station=ZRH"),
        "code": ("code=1", "code=10", "code=2"),
    }
    assert read.meaning.declared == {"code=1", "code=10", "code=2"}
    assert "one row has no value of 'station': all its columns are 0 there" in read.notes


@hypothesis_settings(deadline=None)
@given(st.lists(st.sampled_from(["x", "y", "z", ""]), min_size=2, max_size=30))
def test_a_category_is_what_polars_calls_dummies(values: list[str]) -> None:
    lines = [f"{START + timedelta(days=d)},{v}" for d, v in enumerate(values)]
    read = table({"c": {"type": "category"}}, "time,c,a\n" + "".join(f"{x},1\n" for x in lines))

    texts = pl.Series("c", [value or None for value in values])
    for value in {value for value in values if value}:
        expected = (texts == value).fill_null(value=False).cast(pl.Float64)
        assert read.frame[f"c={value}"].to_list() == expected.to_list()


def test_integers_of_a_typed_file_are_categories_and_other_numbers_are_not() -> None:
    days = [START.replace(day=day) for day in (1, 2, 3)]
    frame = pl.DataFrame(
        {"time": days, "n": [3, 1, 3], "on": [True, False, True], "x": [0.5, 1, 2]}
    )
    raw = BytesIO()
    frame.write_parquet(raw)

    kinds = {"n": {"type": "category"}, "on": {"type": "category"}}
    read_frame = read(raw.getvalue(), "f", DataOptions.of({"columns": kinds})).frame
    assert read_frame.columns == ["time", "n=1", "n=3", "on=false", "on=true", "x"]
    with pytest.raises(DataError, match="holds Float64: a category is text or whole numbers"):
        read(raw.getvalue(), "f", DataOptions.of({"columns": {"x": {"type": "category"}}}))


def many(count: int) -> str:
    return "time,a,c\n" + "".join(
        f"{START + timedelta(days=day)},1,v{day % count}\n" for day in range(200)
    )


@pytest.mark.parametrize(
    ("columns", "text", "message"),
    [
        (["a", "bb"], CSV, "f.csv: columns: no column 'bb'; did you mean 'b'?"),
        ({"statoin": {"delay": 1}}, CSV, "no column 'statoin'; did you mean 'station'?"),
        ({"b": {"delay": 4}}, CSV, "f.csv: column 'b': a delay of 4 rows, and there are 4"),
        ({"c": {"type": "category"}}, many(51), "column 'c' has 51 values; a category has at"),
        (
            {"c": {"type": "category"}},
            "time,c,c=x\n2020-01-01,x,1\n2020-01-02,y,2\n",
            "a value of 'c' would be called 'c=x', and so is a column",
        ),
        (
            {"c": {"type": "category"}},
            f"time,c\n2020-01-01,{'x' * 101}\n2020-01-02,y\n",
            "column 'c': a value of 101 characters",
        ),
    ],
)
def test_what_does_not_fit_the_file_is_refused(columns: Any, text: str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        table(columns, text)
    assert message in str(raised.value)


def test_fifty_values_are_a_category() -> None:
    assert len(table({"c": {"type": "category"}}, many(50)).meaning.groups["c"]) == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"a": {"role": "known", "delay": 2}}}, "known ahead has no delay"),
        ({"columns": {"a": {"rolle": "known"}}}, "unknown key 'rolle'; did you mean 'role'?"),
        ({"features": {"calender": ["hour"]}}, "unknown key 'calender'; did you mean 'calendar'?"),
        (
            {"features": {"holidays": "Switzerland"}},
            "expected a country's code such as CH or CH-ZH",
        ),
        ({"features": {"fourier": {"day": 3}}}, "expected a number of rows, got 'day'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        DataOptions.of(options)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [
        {"columns": ["a", "b"]},
        {"columns": {"a": {"role": "known"}, "b": {"delay": 20}, "c": {"type": "category"}}},
        {
            "features": {
                "calendar": ["hour"],
                "fourier": {"24": 3, "365.25": 2},
                "holidays": "CH",
                "lags": {"a": [24, 168]},
                "rolling": {"24": ["mean", "std"], "a": {"3": ["max"]}},
                "returns": ["a"],
                "range": ["a", "b"],
                "noise": {"like": "a"},
                "shuffled": ["b"],
            }
        },
    ],
)
def test_options_are_written_as_they_were_and_nothing_more(options: dict[str, Any]) -> None:
    read = DataOptions.of(options)

    assert read.as_params() == options
    assert DataOptions.of(read.as_params()) == read
    assert isinstance(hash(read), int)


def test_made_data_have_roles_and_features_too() -> None:
    source = {
        "rows": 300,
        "seed": 1,
        "columns": {"leading": {"delay": 3}},
        "features": {"calendar": ["hour"]},
    }
    read, plain = synthetic.reading(source), synthetic.generate(300, 1)

    assert read.frame.columns == [*plain.columns, "hour"]
    assert read.frame["leading"][3:].to_list() == plain["leading"][:-3].to_list()
    with pytest.raises(
        DataError, match="synthetic: columns: no column 'laod'; did you mean 'load'"
    ):
        synthetic.reading({"columns": {"laod": {"delay": 3}}})
