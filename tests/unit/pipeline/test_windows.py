"""Windows are views that line up with their targets and never let a target leave its part."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from pyheta.errors import StepError
from pyheta.ops.params import LoadParams
from pyheta.pipeline.channels import Channel, Source, read_channels
from pyheta.pipeline.seen import Seen
from pyheta.pipeline.windows import Shape, cut


def numbered(channels: int, rows: int) -> np.ndarray:
    """A series whose every value tells its channel and row: 1000 * channel + row."""
    return np.arange(rows) + 1000.0 * np.arange(channels)[:, None]


def series(channels: int, rows: int) -> list[Channel]:
    return [Channel(values) for values in numbered(channels, rows)]


@hypothesis_settings(deadline=None)
@given(
    rows=st.integers(1, 60),
    channels=st.integers(1, 3),
    lookback=st.integers(1, 12),
    horizon=st.integers(1, 6),
    data=st.data(),
)
def test_every_block_of_targets_inside_the_part_has_its_window(
    rows: int, channels: int, lookback: int, horizon: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, rows - 1))
    stop = data.draw(st.integers(start, rows))
    first_targets = [t for t in range(start, stop - horizon + 1) if t >= lookback]
    assume(first_targets)

    windows = cut(series(channels, rows), (start, stop), Shape(channels, lookback, horizon))

    assert len(windows) == stop - horizon + 1 - max(start, lookback)
    assert windows.rows.tolist() == first_targets
    for i, t in enumerate(first_targets):
        expected = numbered(channels, rows)[:, t - lookback : t]
        np.testing.assert_array_equal(windows.inputs[i], expected)
        assert windows.targets[i].tolist() == [list(range(t, t + horizon))]


def test_a_worked_example() -> None:
    windows = cut(series(2, 10), (6, 9), Shape(channels=2, lookback=3, horizon=2))

    assert windows.rows.tolist() == [6, 7]
    assert windows.inputs[0].tolist() == [[3, 4, 5], [1003, 1004, 1005]]
    assert windows.targets.tolist() == [[[6, 7]], [[7, 8]]]


def test_the_first_channels_are_the_targets() -> None:
    windows = cut(series(3, 10), (6, 8), Shape(channels=3, lookback=2, horizon=2, targets=2))

    assert windows.inputs[0].tolist() == [[4, 5], [1004, 1005], [2004, 2005]]
    assert windows.targets.tolist() == [[[6, 7], [1006, 1007]]]


def test_windows_overlap_in_memory() -> None:
    windows = cut(series(3, 1000), (0, 1000), Shape(3, 100, 50))

    assert windows.inputs.strides[0] == windows.inputs.strides[2]
    assert np.shares_memory(windows.inputs[0], windows.inputs[1])
    assert np.shares_memory(windows.targets[0], windows.targets[1])


def test_a_channel_with_tails_shows_the_past_as_it_looked_from_the_row_before() -> None:
    # Given a channel whose tails tell the row they look from, beside an ordinary one, known from
    # row 4 on
    rows, keep = 12, 3
    looked = Channel(
        np.where(np.arange(rows) < 4, np.nan, np.arange(rows)),
        100.0 * np.arange(rows)[:, None] + np.arange(keep),
    )

    # When windows of two rows are cut
    windows = cut([looked, Channel(np.arange(rows, dtype=float))], (0, rows), Shape(2, 2, 1))

    # Then the first target is the row after the first known one, and the inputs end at the row
    # before it
    assert windows.rows.tolist() == list(range(5, 12))
    assert windows.inputs[0].tolist() == [[401, 402], [3, 4]]
    assert windows.targets[:, 0, 0].tolist() == list(range(5, 12))


def test_a_window_longer_than_the_tails_is_refused(tmp_path: Path) -> None:
    # Given components of which three rows are kept
    kept = {"IMF0/values": np.arange(30.0), "IMF0/tails": np.zeros((30, 3), np.float32)}
    save_file(kept, tmp_path / "components.safetensors")
    products = {"decompose/a": {"components": tmp_path / "components.safetensors"}}
    seen = Seen.of(LoadParams(options={}), products)

    # When a net wants to see three, and four, Then the second is refused
    (channel,) = read_channels([Source("a", "IMF0")], seen, lookback=3)
    assert channel.tails is not None
    assert channel.tails[7].tolist() == [7, 7, 7]
    with pytest.raises(StepError, match="a window of 4 rows where 3 were kept"):
        read_channels([Source("a", "IMF0")], seen, lookback=4)


def test_all_windows_of_training_lie_inside_training() -> None:
    windows = cut(series(1, 100), (0, 60), Shape(1, 8, 4))

    assert windows.inputs.min() == 0
    assert windows.inputs.max() < windows.targets.max() == 59


def test_a_part_without_room_for_one_window_is_refused_with_both_lengths() -> None:
    with pytest.raises(
        StepError, match="rows 5 to 9 have no room for a window of 8 rows and 3 targ"
    ):
        cut(series(1, 30), (5, 10), Shape(1, 8, 3))


# ---- columns that are known ahead, and values that are carried on --------------------------------


@hypothesis_settings(deadline=None)
@given(
    rows=st.integers(2, 60),
    lookback=st.integers(1, 12),
    horizon=st.integers(1, 6),
    unknown=st.integers(0, 10),
    data=st.data(),
)
def test_a_channel_that_is_known_ahead_ends_so_many_rows_later(
    rows: int, lookback: int, horizon: int, unknown: int, data: st.DataObject
) -> None:
    # Given a column that is known ahead, and maybe not from the first row on
    ahead = data.draw(st.integers(0, horizon))
    stop = data.draw(st.integers(1, rows))
    own, other = numbered(2, rows)
    other[:unknown] = np.nan
    firsts = range(max(lookback, unknown + lookback - ahead), stop - horizon + 1)
    assume(unknown < rows and len(firsts))

    # When windows are cut of the rows up to one alone
    channels = [Channel(own).head(stop), Channel(other, ahead=ahead).head(stop)]
    windows = cut(channels, (0, stop), Shape(2, lookback, horizon))

    # Then every one of them is there, and shows no row after its last target
    assert windows.rows.tolist() == list(firsts)
    for seen, t in zip(windows.inputs, firsts, strict=True):
        np.testing.assert_array_equal(seen[0], own[t - lookback : t])
        np.testing.assert_array_equal(seen[1], other[t - lookback + ahead : t + ahead])


def test_tails_of_a_channel_that_is_known_ahead_are_those_of_later_rows() -> None:
    tails = 100.0 * np.arange(12)[:, None] + np.arange(3)
    looked = Channel(np.arange(12.0), tails, ahead=2)

    windows = cut([Channel(np.arange(12.0)), looked], (4, 12), Shape(2, 2, 2))

    assert windows.inputs[0].tolist() == [[2, 3], [501, 502]]  # as they look from row 5
    assert windows.inputs[-1].tolist() == [[8, 9], [1101, 1102]]


def test_windows_of_a_channel_that_is_known_ahead_are_views_too() -> None:
    own, other = (np.arange(1000.0) for _ in range(2))
    windows = cut([Channel(own), Channel(other, ahead=3)], (0, 1000), Shape(2, 100, 50))

    assert np.shares_memory(windows.inputs[0], windows.inputs[1])


@hypothesis_settings(deadline=None)
@given(
    observed=st.lists(st.booleans(), min_size=8, max_size=40),
    lookback=st.integers(1, 4),
    horizon=st.integers(1, 4),
)
def test_no_target_is_a_value_that_is_carried_on(
    observed: list[bool], lookback: int, horizon: int
) -> None:
    rows = len(observed)
    firsts = [t for t in range(lookback, rows - horizon + 1) if all(observed[t : t + horizon])]
    own, other = numbered(2, rows)
    channels = [Channel(own, observed=np.array(observed)), Channel(other)]
    shape = Shape(2, lookback, horizon)
    if not firsts:
        with pytest.raises(StepError, match=f"have no {horizon} targets in a row"):
            cut(channels, (0, rows), shape)
        return

    windows = cut(channels, (0, rows), shape)

    assert windows.rows.tolist() == firsts
    for seen, targets, t in zip(windows.inputs, windows.targets, firsts, strict=True):
        np.testing.assert_array_equal(seen, [own[t - lookback : t], other[t - lookback : t]])
        np.testing.assert_array_equal(targets, [own[t : t + horizon]])


def test_an_exogenous_value_that_is_carried_on_leaves_no_window_out() -> None:
    carried = Channel(np.arange(10.0), observed=np.arange(10) < 5)

    assert len(cut([Channel(np.arange(10.0)), carried], (0, 10), Shape(2, 2, 1))) == 8


def test_what_is_known_of_a_channel_is_neither_unknown_nor_carried_on() -> None:
    values = np.array([np.nan, np.nan, 2, 2, 4, 5])
    channel = Channel(values, observed=np.array([0, 0, 1, 0, 1, 1], bool))

    assert channel.known((0, 5)).tolist() == [2, 4]
    assert Channel(values).known((0, 5)).tolist() == [2, 2, 4]
    with pytest.raises(StepError, match="no value is known in the rows 0 to 1"):
        channel.known((0, 2))
