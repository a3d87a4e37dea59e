"""Training, validation and test share out the rows in the order of time."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.pipeline.splits import Part, Split
from pyheta.sweep.config import Split as SplitSection

PARTS: tuple[Part, ...] = ("train", "val", "test")


def test_borders_of_the_usual_shares_of_etth1() -> None:
    split = Split.of({"train": 0.6, "val": 0.1, "test": 0.3}, rows=17_420)

    assert split.targets("train") == (0, 10_452)
    assert split.targets("val") == (10_452, 12_194)
    assert split.targets("test") == (12_194, 17_420)


def test_borders_are_those_of_the_decimals_that_were_written() -> None:
    assert int(10 * (0.7 + 0.1)) == 7  # what binary floating point makes of it
    assert Split.of({"train": 0.7, "val": 0.1, "test": 0.2}, rows=10).targets("val") == (7, 8)


@hypothesis_settings(deadline=None)
@given(st.integers(1, 98), st.integers(1, 98), st.integers(0, 10**7))
def test_the_parts_cover_every_row_once_and_come_close_to_their_shares(
    train: int, val: int, rows: int
) -> None:
    if train + val > 99:
        train, val = train // 2, val // 2
    split = Split.of(
        {"train": train / 100, "val": val / 100, "test": (100 - train - val) / 100}, rows
    )

    parts = [split.targets(part) for part in PARTS]

    assert [parts[0][0], parts[1][0], parts[2][0]] == [0, parts[0][1], parts[1][1]]
    assert parts[2][1] == rows
    for (start, stop), share in zip(parts, (train, val, 100 - train - val), strict=True):
        assert abs((stop - start) - rows * share / 100) <= 1


def test_a_split_in_rows_leaves_later_rows_alone() -> None:
    split = Split.of({"train": 8640, "val": 2880, "test": 2880}, rows=17_420)

    assert [split.targets(part) for part in PARTS] == [(0, 8640), (8640, 11_520), (11_520, 14_400)]


@hypothesis_settings(deadline=None)
@given(st.tuples(*[st.integers(1, 10**6)] * 3), st.integers(0, 10**6))
def test_parts_in_rows_have_so_many_rows_whatever_the_series(
    rows: tuple[int, int, int], more: int
) -> None:
    train, val, test = rows

    split = Split.of({"train": train, "val": val, "test": test}, sum(rows) + more)

    parts = [split.targets(part) for part in PARTS]
    assert [stop - start for start, stop in parts] == list(rows)
    assert [start for start, _ in parts] == [0, train, train + val]


@pytest.mark.parametrize(
    ("step_seconds", "rows"), [(3600.0, 8640), (900.0, 34_560), (86_400.0, 360)]
)
def test_months_are_thirty_days_of_rows(step_seconds: float, rows: int) -> None:
    config = SplitSection(train="12mo", val="4mo", test="4mo")

    assert config.as_params(step_seconds) == {"train": rows, "val": rows // 3, "test": rows // 3}


def test_fractions_and_rows_are_what_they_are() -> None:
    assert SplitSection().as_params(3600.0) == {"train": 0.6, "val": 0.1, "test": 0.3}
    assert SplitSection(train=5, val=1, test=2).as_params(3600.0) == {
        "train": 5,
        "val": 1,
        "test": 2,
    }
