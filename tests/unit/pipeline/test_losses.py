"""The losses of windows are what their forecasts say, come back from a file, and are small."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.numpy import load_file, save_file

from pyheta.errors import StepError
from pyheta.pipeline.arrays import Rows
from pyheta.pipeline.losses import (
    LARGEST,
    Judged,
    Losses,
    PartLosses,
    joined,
    losses_of,
    read_losses,
    write_losses,
)


def judged(seed: int, windows: int, steps: int, unit: float = 2.0) -> Judged:
    random = np.random.default_rng(seed)
    truth = random.normal(size=(windows, steps))
    forecast = (truth + random.normal(size=truth.shape)).astype(np.float32)
    return Judged(truth, forecast, unit)


def both(rows: Rows, targets: int = 1, steps: int = 3) -> Losses:
    def part(seed: int) -> PartLosses:
        made = {f"T{k}": judged(seed + k, len(rows), steps) for k in range(targets)}
        return losses_of(rows, made)

    return Losses({"val": part(0), "test": part(100)})


def rewritten(path: Path, name: str, value: np.ndarray | None) -> None:
    """The file with one array replaced, or without it."""
    arrays = load_file(path)
    del arrays[name]
    header = {"pyheta": '{"parts":["test","val"],"targets":[],"version":1}'}
    save_file(arrays if value is None else {**arrays, name: value}, path, metadata=header)


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 999),
    st.integers(1, 40),
    st.integers(1, 30),
    st.integers(1, 3),
    st.sampled_from([1, 7, 64, 1 << 20]),
)
def test_a_loss_is_the_mean_over_steps_and_targets_of_scaled_errors(
    seed: int, windows: int, steps: int, targets: int, block: int
) -> None:
    made = {f"T{k}": judged(seed + k, windows, steps, unit=k + 0.5) for k in range(targets)}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyheta.pipeline.losses.BLOCK", block)
        found = losses_of(np.arange(windows), made)

    squares = np.zeros((targets, windows))
    absolutes = np.zeros((targets, windows))
    for number, each in enumerate(made.values()):
        for window in range(windows):
            scaled = [
                (float(each.forecast[window, step]) - float(each.truth[window, step])) / each.unit
                for step in range(steps)
            ]
            squares[number, window] = sum(error**2 for error in scaled) / steps
            absolutes[number, window] = sum(abs(error) for error in scaled) / steps
    np.testing.assert_allclose(found.mean.square, squares.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.mean.absolute, absolutes.mean(axis=0), rtol=1e-6)
    assert list(found.own) == (list(made) if targets > 1 else [])
    for number, own in enumerate(found.own.values()):
        np.testing.assert_allclose(own.square, squares[number], rtol=1e-6)
        np.testing.assert_allclose(own.absolute, absolutes[number], rtol=1e-6)


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=60),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
)
def test_what_is_written_is_read_for_rows_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
    numbers: list[int],
    stride: int,
    targets: int,
    once: bool,
) -> None:
    rows = stride * np.array(sorted(set(numbers)) if once else numbers)
    losses = both(rows, targets)
    folder = tmp_path_factory.mktemp("losses")

    write_losses(folder / "one", losses)
    write_losses(folder / "two", read_losses(folder / "one", each_target=True))

    found = read_losses(folder / "one", each_target=True)
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()
    assert found.rows("test").dtype == np.int64
    for part in losses.parts:
        assert found.rows(part).tolist() == rows.tolist()
        for target in (None, *losses.parts[part].own):
            assert np.array_equal(found.square(part, target), losses.square(part, target))
            assert np.array_equal(found.absolute(part, target), losses.absolute(part, target))


def test_a_run_on_etth1_keeps_42_kb_of_its_test_part(tmp_path: Path) -> None:
    series = np.arange(5_226.0)
    truth = sliding_window_view(series, 24)
    path = tmp_path / "losses.safetensors"

    made = losses_of(np.arange(12_194, 12_194 + 5_203), {"OT": Judged(truth, truth + 0.5, 2.0)})
    write_losses(path, Losses({"test": made}))

    assert path.stat().st_size <= 42_500
    assert np.all(read_losses(path).square("test") == np.float32(1 / 16))


def test_windows_that_are_left_out_cost_a_few_bytes(tmp_path: Path) -> None:
    rows = np.delete(np.arange(1_000), [200, 201, 202, 700])
    write_losses(tmp_path / "gaps", both(rows))
    write_losses(tmp_path / "none", both(np.arange(996)))

    more = (tmp_path / "gaps").stat().st_size - (tmp_path / "none").stat().st_size
    assert more <= 2 * 2 * 24 + 8  # two spans more in each part, and the header's padding
    assert read_losses(tmp_path / "gaps").rows("test").tolist() == rows.tolist()


def test_folds_come_one_after_the_other_also_where_they_overlap(tmp_path: Path) -> None:
    folds = [both(np.arange(start, start + 6), targets=2) for start in (100, 104, 110)]

    parts = {part: joined([fold.parts[part] for fold in folds]) for part in folds[0].parts}
    write_losses(tmp_path / "pooled", Losses(parts))

    pooled = read_losses(tmp_path / "pooled", each_target=True)
    assert pooled.rows("test").tolist() == [*range(100, 106), *range(104, 110), *range(110, 116)]
    for target in (None, "T0", "T1"):
        assert np.array_equal(
            pooled.square("test", target),
            np.concatenate([fold.square("test", target) for fold in folds]),
        )


def test_targets_with_the_names_of_arrays_are_kept_apart(tmp_path: Path) -> None:
    names = ["square", "spans", "square/square", "a/b"]
    made = losses_of(np.arange(4), {name: judged(k, 4, 2) for k, name in enumerate(names)})
    write_losses(tmp_path / "file", Losses({"test": made}))

    found = read_losses(tmp_path / "file", each_target=True)

    for name in names:
        assert np.array_equal(found.square("test", name), made.own[name].square)


def test_a_run_that_diverged_has_the_largest_loss_and_not_infinity(tmp_path: Path) -> None:
    truth = np.zeros((2, 3))
    made = losses_of(np.arange(2), {"OT": Judged(truth, np.full((2, 3), 1e30), 1e-200)})
    write_losses(tmp_path / "file", Losses({"test": made}))

    assert read_losses(tmp_path / "file").square("test")[0] == np.float32(LARGEST)


def test_parts_and_targets_that_are_not_kept_are_refused() -> None:
    losses = both(np.arange(3))

    with pytest.raises(StepError, match="no losses are kept of part 'train'"):
        losses.rows("train")
    with pytest.raises(StepError, match="'OT' has no losses of its own"):
        losses.square("test", "OT")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test/square", None),
        ("test/spans", None),
        ("test/square", np.zeros(4, np.float32)),
        ("test/square", np.zeros(5, np.float64)),
        ("test/square", np.zeros((5, 1), np.float32)),
        ("test/absolute", np.full(5, np.nan, np.float32)),
        ("test/absolute", np.full(5, -1, np.float32)),
        ("test/spans", np.array([[0, 4, 1]])),
        ("test/spans", np.array([[-1, 5, 1]])),
        ("test/spans", np.array([[0, 1 << 60, 1]])),
        ("test/spans", np.array([[0, 6, 1], [9, -1, 1]])),
        ("test/spans", np.array([[0, 5]])),
        ("test/spans", np.zeros((0, 3), np.int64)),
        ("test/spans", np.array([[0.0, 5.0, 1.0]])),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, value: np.ndarray | None) -> None:
    path = tmp_path / "losses.safetensors"
    write_losses(path, both(np.arange(5)))
    rewritten(path, name, value)

    with pytest.raises(StepError, match="damaged"):
        read_losses(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "losses.safetensors"
    write_losses(path, both(np.arange(5)))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(StepError, match="not a file of losses"):
        read_losses(path)

    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(StepError, match="not a file of losses"):
        read_losses(path)

    save_file({"x": np.zeros(3)}, path, metadata={"pyheta": '{"version": 2}'})
    with pytest.raises(StepError, match="losses of version 2, where 1 can be read"):
        read_losses(path)

    with pytest.raises(StepError, match="not a file of losses"):
        read_losses(tmp_path / "none")
