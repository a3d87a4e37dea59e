"""What `data show` draws and counts, also of a file that is refused."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from rich.console import Console
from statsmodels.tsa.stattools import acf

from pyheta.commands.data_show import Shown, show, shown_json, shown_view
from pyheta.commands.drawing import HEIGHT, LinePlot, number
from pyheta.errors import DataError, InputError
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.data.look import Course, _unmasked
from pyheta.pipeline.data.profile import autocorrelation, longest, profile

BLANK = "\u2800"  # a character of dots without one
HOUR = 3_600_000_000


def printed(what: object, width: int = 80, encoding: str = "utf-8") -> list[str]:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    Console(file=out, width=width, color_system=None).print(what)
    out.seek(0)
    return [line.rstrip(" \n") for line in out.readlines()]


def hours(path: Path, **columns: Sequence[object] | NDArray[np.number]) -> Path:
    rows = len(next(iter(columns.values())))
    times = [datetime(2020, 1, 1) + timedelta(hours=row) for row in range(rows)]  # noqa: DTZ001
    pd.DataFrame({"date": times, **columns}).to_csv(path, index=False)
    return path


def seen(path: Path, *columns: str, options: Sequence[str] = ()) -> Shown:
    return show(str(path), columns, options, None)


def course(values: Sequence[float], step: int = HOUR) -> Course:
    return Course(np.arange(len(values)) * step, np.asarray(values, dtype=float))


def dots(lines: Sequence[str]) -> list[str]:
    """The drawing alone, without its sides."""
    return [line.split("┤" if "┤" in line else "│")[1] for line in lines[:HEIGHT]]


# ---- the drawing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 133, 200])
@pytest.mark.parametrize("rows", [1, 2, 50, 5000])
def test_a_drawing_is_as_wide_as_the_screen(width: int, rows: int) -> None:
    plot = LinePlot(course(np.sin(np.arange(rows) / 9).tolist()), counted=False, even=True)
    lines = printed(plot, width)
    assert len(lines) == HEIGHT + 2
    assert max(map(len, lines)) <= width
    assert len(lines[0]) >= width - 2


def test_a_line_that_rises_is_drawn_from_the_lower_left_to_the_upper_right() -> None:
    drawn = dots(printed(LinePlot(course(list(range(100))), counted=True, even=True)))
    marks = [[at for at, dot in enumerate(line) if dot != BLANK] for line in drawn]
    assert all(min(above) >= max(below) - 1 for above, below in pairwise(marks))
    assert marks[-1][0] == 0
    assert marks[0][-1] == len(drawn[0]) - 1


def test_the_sides_say_the_range_and_the_times() -> None:
    lines = printed(LinePlot(course([0.0, 5.0, 10.0]), counted=False, even=True))
    assert [lines[at].split(" ┤")[0].strip() for at in (0, HEIGHT // 2, HEIGHT - 1)] == [
        *("10", "5", "0")
    ]
    assert lines[-1].split("  ")[-1] == "01-01 02:00"
    assert lines[-1].strip().startswith("01-01 00:00")


def test_counted_rows_have_numbers_below() -> None:
    lines = printed(LinePlot(course(list(range(2001)), step=1), counted=True, even=True))
    assert lines[-1].split()[0] == "0"
    assert lines[-1].endswith("2,000")


def test_a_stretch_without_values_or_rows_is_blank() -> None:
    values = np.ones(300)
    values[100:200] = np.nan
    missing = dots(printed(LinePlot(course(values.tolist()), counted=True, even=True)))
    rows = np.r_[0:100, 200:300]
    absent = Course(rows * HOUR, np.ones(200))
    gap = dots(printed(LinePlot(absent, counted=True, even=False)))
    width = len(gap[0])
    for drawn in (missing, gap):
        middle = "".join(line[width * 3 // 8 : width * 5 // 8] for line in drawn)
        assert set(middle) == {BLANK}
        assert set("".join(drawn)) != {BLANK}
    # business days are even, although weekends lie between them
    assert dots(printed(LinePlot(absent, counted=True, even=True))) != gap


def test_an_extreme_is_never_lost_among_very_many_rows() -> None:
    values = np.zeros(100_000)
    values[54_321] = 1
    drawn = dots(printed(LinePlot(course(values.tolist()), counted=True, even=True)))
    assert set(drawn[0]) != {BLANK}


def test_a_screen_without_dots_is_told_so() -> None:
    (line,) = printed(LinePlot(course([1.0, 2.0]), counted=True, even=True), encoding="ascii")
    assert line == "A drawing needs a terminal in UTF-8; this one has ascii."


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-1.5, "-1.5"), (123456.7, "123,457"), (1.23456789, "1.2346"), (1e12, "1e+12")],
)
def test_a_number_has_five_digits(value: float, text: str) -> None:
    assert number(value) == text


# ---- the numbers ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(hnp.arrays(float, st.integers(5, 60), elements=st.floats(-100, 100, width=16)))
def test_autocorrelation_is_that_of_statsmodels(values: Floats) -> None:
    if np.ptp(values) < 1e-3:
        return
    expected = acf(values, nlags=3, fft=False)
    assert [autocorrelation(values, lag) for lag in (1, 2, 3)] == pytest.approx(
        list(expected[1:4]), abs=1e-9
    )


def test_autocorrelation_goes_over_known_pairs_and_the_size_does_not_matter() -> None:
    wave = np.sin(np.arange(480) * 2 * np.pi / 24)
    holed = wave.copy()
    holed[::17] = np.nan
    assert autocorrelation(holed, 24) == pytest.approx(0.9, abs=0.05)
    assert autocorrelation(wave * 1e200, 24) == pytest.approx(autocorrelation(wave, 24))
    assert autocorrelation(np.ones(50), 1) is None
    assert autocorrelation(np.full(50, np.nan), 1) is None
    assert autocorrelation(wave[:20], 24) is None


@given(st.lists(st.booleans()))
def test_the_longest_stretch_is_that_of_a_text(mask: list[bool]) -> None:
    text = "".join("x" if part else " " for part in mask)
    expected = max(map(len, text.split()), default=0)
    assert longest(np.array(mask, dtype=bool)) == expected


def test_a_profile_counts_what_is_missing_zero_and_constant() -> None:
    of = profile(np.array([0, 0, 3, 3, 3, np.nan, np.nan, 9, np.nan, 0]), lags=[1])
    assert (of.rows, of.missing, of.longest_missing) == (10, 3, 2)
    assert (of.least, of.most) == (0, 9)
    assert of.mean == pytest.approx(18 / 7)
    assert (of.zeros, of.longest_constant) == (3, 3)


def test_a_profile_of_nothing_is_empty() -> None:
    of = profile(np.full(3, np.nan), lags=[1])
    assert (of.missing, of.least, of.mean, of.most) == (3, None, None, None)
    assert (of.longest_constant, of.autocorrelation) == (0, {})


# ---- the command ---------------------------------------------------------------------------------


def test_the_target_is_guessed_and_its_last_seasons_are_drawn(tmp_path: Path) -> None:
    wave = np.sin(np.arange(1000) * 2 * np.pi / 24)
    shown = seen(hours(tmp_path / "x.csv", temp=wave, other=wave**2))
    lines = printed(shown_view(shown))
    assert lines[0] == "temp: probably the one to forecast, targets are often called so"
    assert "its last 8 seasons, of 24 rows each" in lines
    assert any(line.startswith("24 rows later     0.98   ████████") for line in lines)
    assert lines[-1].startswith("1,000 rows, one every ")


def test_columns_are_drawn_in_the_order_asked_for(tmp_path: Path) -> None:
    path = hours(tmp_path / "x.csv", a=range(30), b=range(30), c=range(30))
    lines = printed(shown_view(seen(path, "c", "a")))
    assert [line for line in lines if line in ("a", "b", "c")] == ["c", "a"]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    names = [f"a rather long name of a column, number {number}" for number in range(40)]
    path = hours(tmp_path / "x.csv", **{name: np.arange(50) * 1e7 for name in names})
    lines = printed(shown_view(seen(path)), width)
    assert max(map(len, lines)) <= width
    assert "10 more columns; --json has all of them." in lines


def test_a_column_with_missing_values_is_drawn_with_its_question(tmp_path: Path) -> None:
    values = np.arange(50.0)
    values[20:25] = np.nan
    shown = seen(hours(tmp_path / "x.csv", y=values, other=range(50)), "y")
    lines = " ".join(printed(shown_view(shown), 400))
    assert "y: 5 of 50 values (10 %) are missing, at most 5 rows at a time." in lines
    assert f"No run can use it: {shown.sight.unused['y']}" in lines
    assert shown.sight.refused is None


def test_a_value_that_is_carried_on_and_marked_is_missing() -> None:
    y, mask = course([1, 1, 1, 4]), course([0, 1, 1, 0])
    seen = _unmasked({"y": y, "y missing": mask}, {"y": "y missing"})
    assert list(seen) == ["y"]
    _, values = seen["y"]
    assert values.tolist() == pytest.approx([1, np.nan, np.nan, 4], nan_ok=True)


def test_a_file_with_a_gap_is_drawn_with_its_question(tmp_path: Path) -> None:
    path = hours(tmp_path / "x.csv", y=range(50))
    rows = path.read_text().splitlines()
    path.write_text("\n".join(rows[:20] + rows[29:]) + "\n")
    shown = seen(path)
    told = shown_json(shown)
    assert str(shown.sight.refused) == told["refused"]
    assert (told["gaps"], told["step"]) == ({"count": 1, "longest": 36_000.0}, None)
    assert "1 gap between rows, the longest 10 h 00 min." in printed(shown_view(shown))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,y\n2020-01-02,1\n2020-01-01,2\n2020-01-03,1\n", "row 3"),
        ("", "empty"),
    ],
)
def test_where_nothing_can_be_drawn_the_question_remains(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        seen(path)


def test_a_column_that_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    path = hours(tmp_path / "x.csv", load=range(30), station=["KZRH"] * 30)
    with pytest.raises(InputError, match="no column 'laod'; did you mean 'load'"):
        seen(path, "laod")
    with pytest.raises(DataError, match="KZRH"):
        seen(path, "station")
    with pytest.raises(InputError, match="9 columns to draw; name at most 8"):
        seen(path, *["load"] * 9)
    with pytest.raises(DataError, match="no such file"):
        seen(tmp_path / "y.csv")
