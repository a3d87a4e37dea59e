"""A causal decomposition takes over the rows of an earlier one that hold, and computes the others.

What it makes is the same to the last bit, so nothing in a product tells whether it was resumed.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.ops.decompose import decompose
from pyheta.pipeline.arrays import Floats
from pyheta.pipeline.decomposition.linear import BLOCK
from pyheta.pipeline.decomposition.methods import METHODS
from pyheta.pipeline.decomposition.rolling import Modes
from pyheta.task import Result, Task

NAMES = [name for name in METHODS if name != "none"]
WINDOW = 24
OPTIONS = {
    "mode": "causal",
    "max_imf": 2,
    "trials": 2,
    "noise": 0.01,
    "seed": 0,
    "window": WINDOW,
    "wavelet": "db2",
    "period": 8,
}

Step = Callable[..., Result]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return step_in(tmp_path)


def step_in(folder: Path) -> Step:
    """Decomposes a column, with what an earlier step has made."""
    count = 0

    def computed(values: Floats, earlier: Result | None = None, **changed: Any) -> Result:
        nonlocal count
        count += 1
        out = folder / str(count)
        out.mkdir()
        times = pl.Series(range(len(values))).cast(pl.Datetime("us"))
        pl.DataFrame({"time": times, "load": values}).write_parquet(out / "table.parquet")
        inputs = {"load": {"table": out / "table.parquet"}}
        if earlier:
            inputs["earlier"] = dict(earlier.products)
        same = {"column": "load", "rows": len(values), "keep": 9, "grow": False}
        params = same | OPTIONS | changed
        return decompose(Task(params, inputs, out))

    return computed


def product(result: Result) -> bytes:
    return result.products["components"].read_bytes()


def walk(rows: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=rows).cumsum()


@pytest.mark.parametrize("grow", [False, True])
@pytest.mark.parametrize("method", NAMES)
@hypothesis_settings(max_examples=8)
@given(data=st.data())
def test_rows_are_taken_over_as_far_as_the_values_are_the_same(
    method: str, grow: bool, data: st.DataObject
) -> None:
    # Given two columns that end somewhere and differ from some row on, if at all
    most = 3 * BLOCK if method in ("wavelet", "stl") and not grow else 160
    lengths = st.integers(2 * WINDOW, most)
    seed, unknown = data.draw(st.integers(0, 99)), data.draw(st.integers(0, WINDOW))
    values = walk(most, seed)
    values[:unknown] = np.nan
    before, now = (values[: data.draw(lengths)].copy() for _ in range(2))
    changed = data.draw(st.integers(unknown, most))
    now[changed:] += 1.0
    same = min(len(before), len(now), changed) - unknown

    # When the second is decomposed with what the first has left
    with TemporaryDirectory() as folder:
        step = step_in(Path(folder))
        earlier = step(before, method=method, grow=grow)
        resumed = step(now, earlier, method=method, grow=grow)
        whole = step(now, method=method, grow=grow)

        # Then it takes over the rows before the first that differs, if they have a window
        assert resumed.summary["resumed"] == (same if same >= WINDOW else 0)
        assert product(resumed) == product(whole)


@pytest.mark.parametrize("method", NAMES)
def test_the_same_again_takes_over_all_of_it(method: str, step: Step) -> None:
    first = step(walk(100), method=method)

    again = step(walk(100), first, method=method)

    assert (again.summary["rows"], again.summary["resumed"]) == (100, 100)
    assert product(again) == product(first)
    assert {**first.summary, "resumed": 100} == again.summary


def test_only_the_other_rows_are_computed(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a decomposition of 100 rows, and a record of what is computed from then on
    earlier = step(walk(100), method="emd")
    begun: list[int] = []
    roll = Modes.roll

    def recorded(self: Modes, values: Floats, options: Any, first: int, *others: Any) -> None:
        begun.append(first)
        roll(self, values, options, first, *others)

    monkeypatch.setattr(Modes, "roll", recorded)

    # When the column has become longer, and when its row 60 was corrected as well
    values = walk(130)
    step(values, earlier, method="emd")
    values[60] += 1
    step(values, earlier, method="emd")

    # Then the rows are computed that follow what both have in common
    assert begun == [100, 60]


def test_a_zero_of_the_other_sign_is_another_value(step: Step) -> None:
    values = walk(100)
    values[50] = 0.0
    earlier = step(values, method="emd")
    values[50] = -0.0

    assert step(values, earlier, method="emd").summary["resumed"] == 50


def test_what_is_not_a_number_is_equal_however_it_is_written(step: Step) -> None:
    # Given a column whose first rows are unknown
    values = walk(100)
    values[:3] = np.nan
    earlier = step(values, method="emd")

    # When those are written with another bit pattern
    values[:3] = np.array([0xFFF8000000000001], np.uint64).view(np.float64)
    again = step(values, earlier, method="emd")

    assert again.summary["resumed"] == 97
    assert product(again) == product(earlier)
