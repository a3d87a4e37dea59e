"""Training, validation and test share out the rows in the order of time."""

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.pipeline.splits import Split


def test_borders_of_the_usual_shares_of_etth1():
    split = Split.of({"train": 0.6, "val": 0.1, "test": 0.3}, rows=17_420)

    assert split.targets("train") == (0, 10_452)
    assert split.targets("val") == (10_452, 12_194)
    assert split.targets("test") == (12_194, 17_420)


def test_borders_are_those_of_the_decimals_that_were_written():
    assert int(10 * (0.7 + 0.1)) == 7  # what binary floating point makes of it
    assert Split.of({"train": 0.7, "val": 0.1, "test": 0.2}, rows=10).targets("val") == (7, 8)


@hypothesis_settings(deadline=None)
@given(st.integers(1, 98), st.integers(1, 98), st.integers(0, 10**7))
def test_the_parts_cover_every_row_once_and_come_close_to_their_shares(train, val, rows):
    if train + val > 99:
        train, val = train // 2, val // 2
    split = Split.of({"train": train / 100, "val": val / 100}, rows)

    parts = [split.targets(part) for part in ("train", "val", "test")]

    assert [parts[0][0], parts[1][0], parts[2][0]] == [0, parts[0][1], parts[1][1]]
    assert parts[2][1] == rows
    for (start, stop), share in zip(parts, (train, val, 100 - train - val), strict=True):
        assert abs((stop - start) - rows * share / 100) <= 1
