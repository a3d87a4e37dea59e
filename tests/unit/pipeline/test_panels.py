"""A file of several series is recognised, and one of them is taken."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from pyheta.errors import DataError
from pyheta.pipeline.data.files.rawfile import parse
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, read
from pyheta.pipeline.data.rows.panels import series_of

START = datetime(2020, 1, 1)  # noqa: DTZ001
DAYS = [START + timedelta(days=day) for day in range(50)]


def panel(**ids: list[Any]) -> pl.DataFrame:
    """Fifty days of each series, one after the other; `ids` tell them apart together."""
    random = np.random.default_rng(0)
    series = pl.DataFrame(ids, strict=False)
    days = pl.DataFrame({"ds": DAYS})
    long = series.join(days, how="cross")
    noise = random.normal(10, 2, long.height).round(1)
    return long.with_columns(y=pl.Series(noise), visits=pl.Series(random.poisson(3, long.height)))


def reading(frame: pl.DataFrame, **options: Any) -> Reading:
    return read(frame.write_csv().encode(), "x.csv", DataOptions.of(options))


def refused(frame: pl.DataFrame, **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        reading(frame, **options)
    return str(caught.value)


ORDERS = {
    "one after the other": lambda frame: frame,
    "interleaved": lambda frame: frame.sort("ds", maintain_order=True),
    "shuffled": lambda frame: frame.sample(fraction=1, shuffle=True, seed=1),
    "unbalanced": lambda frame: frame.filter((pl.col("ds") > DAYS[20]) | (pl.col("id") == "b")),
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_panel_is_called_one_with_the_lines_that_take_its_first_series(order: str) -> None:
    frame = ORDERS[order](panel(id=["b", "a", "c"]))
    first = frame["id"][0]
    message = refused(frame)
    assert message.startswith("x.csv: a panel of 3 series, told apart by 'id': ")
    assert message.endswith(
        f"; write under dataset: `series: id, pick: {first}` (or another of them)"
    )
    shuffled = {"sort": True} if order == "shuffled" else {}
    found = reading(frame, series="id", pick=first, **shuffled)
    expected = frame.filter(pl.col("id") == first).sort("ds")
    assert found.frame["y"].to_list() == expected["y"].to_list()
    assert found.frame.columns == ["time", "y", "visits"]
    assert f"one of 3 series: {first}" in found.notes


def test_series_may_be_numbered() -> None:
    frame = panel(unique_id=[1, 2]).sort("ds", maintain_order=True)
    assert refused(frame).endswith('`series: unique_id, pick: "1"` (or another of them)')
    assert reading(frame, series="unique_id", pick=2).frame.height == 50


def test_several_columns_may_tell_series_apart_together() -> None:
    frame = panel(country=["CH", "CH", "DE", "DE"], sex=["f", "m", "f", "m"])
    line = "write under dataset: `series: [country, sex], pick: CH / f` (or another of them)"
    assert refused(frame).endswith(line)
    assert refused(frame, series="country", pick="CH").endswith(line)
    found = reading(frame, series=["country", "sex"], pick="DE / m")
    assert found.frame["y"].to_list() == frame["y"][150:].to_list()


def test_shops_and_items_that_are_numbered_are_found_too() -> None:
    frame = panel(shop=[1, 1, 1, 2, 2, 2], item=[1, 2, 3, 1, 2, 3])
    assert "told apart by 'shop' and 'item'" in refused(frame)


def test_series_whose_times_never_meet_are_a_panel_if_each_stands_in_one_piece() -> None:
    frame = panel(id=["a", "b"]).with_columns(
        ds=pl.when(pl.col("id") == "b").then(pl.col("ds").dt.offset_by("12h")).otherwise("ds")
    )
    assert "a panel of 2 series, told apart by 'id'" in refused(frame)


def test_a_single_double_row_makes_no_panel_of_a_label() -> None:
    frame = panel(id=["a"]).with_columns(weather=pl.Series(["sun", "rain"] * 25)).drop("id")
    twice = pl.concat([frame[:7], frame[6:]]).with_columns(
        weather=pl.Series(["sun", "rain"] * 25 + ["sun"])
    )
    assert "duplicates: first" in refused(twice)


def test_rows_that_stand_twice_make_no_panel_of_their_numbers() -> None:
    frame = pl.concat([panel(id=["a"]).drop("id")] * 2)
    assert "sort: true, duplicates: first" in refused(frame)


def test_whoever_says_which_row_is_taken_is_believed() -> None:
    frame = panel(id=["a", "b"]).sort("ds", maintain_order=True)
    assert reading(frame, duplicates="mean").frame.height == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"series": "id"},
            "column 'id': a panel of 3 series, and none is picked: b, a, c; write under dataset: ",
        ),
        ({"series": "id", "pick": "B"}, "no series 'B' in a panel of 3; known: b, a, c"),
        ({"series": "isd", "pick": "b"}, "no column 'isd'; did you mean 'id'?"),
        ({"pick": "b"}, "`pick` is of a panel's series; name the column"),
    ],
)
def test_a_pick_that_cannot_be_made_is_answered(options: dict[str, Any], message: str) -> None:
    assert message in refused(panel(id=["b", "a", "c"]), **options)


def test_an_unknown_pick_is_answered_with_the_nearest() -> None:
    assert "did you mean 'MSFT'?" in refused(panel(id=["MSFT", "AAPL"]), series="id", pick="MFST")


def test_messages_name_the_rows_of_the_file() -> None:
    frame = panel(id=["a", "b"]).with_columns(
        y=pl.when(pl.int_range(pl.len()) == 70).then(None).otherwise("y")
    )
    found = reading(frame, series="id", pick="b")
    assert "x.csv: row 72, column 'y': a missing value" in str(found.left_out["y"])


def test_the_series_of_a_file_are_listed_in_its_order() -> None:
    frame = panel(id=["b", "a", "c"])
    options = DataOptions.of({"series": "id"})
    assert series_of(parse(frame.write_csv().encode(), "x", options), options) == ["b", "a", "c"]
