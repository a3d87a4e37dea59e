"""What a step may see: no row after its border, no value of columns before its beginning."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders import fit_params
from safetensors.numpy import save_file

from pyheta.errors import StepError
from pyheta.ops.params import FitParams
from pyheta.pipeline.seen import Seen


@dataclass(frozen=True)
class Limits:
    border: int | None
    beginning: int = 0


@pytest.fixture
def products(tmp_path: Path) -> dict[str, dict[str, Path]]:
    """Ten rows of a table, and of a component with tails."""
    times = pl.Series(range(10)).cast(pl.Datetime("us"))
    table, made = tmp_path / "table.parquet", tmp_path / "components.safetensors"
    pl.DataFrame({"time": times, "a": np.arange(10.0)}).write_parquet(table)
    save_file({"IMF0/values": np.arange(10.0), "IMF0/tails": np.ones((10, 3))}, made)
    return {"load": {"table": table}, "decompose/a": {"components": made}}


def test_rows_from_the_border_on_are_not_there(products: dict[str, dict[str, Path]]) -> None:
    seen = Seen.of(Limits(6), products)

    assert seen.table().columns["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert seen.table().rows == 6
    arrays = seen.arrays("decompose/a", "components", "IMF0/values", "IMF0/tails", "IMF1/values")
    assert {name: array.shape for name, array in arrays.items()} == {
        "IMF0/values": (6,),
        "IMF0/tails": (6, 3),
    }


def test_a_border_beyond_the_rows_hides_none(products: dict[str, dict[str, Path]]) -> None:
    for border in (None, 10, 12):
        seen = Seen.of(Limits(border), products)
        assert seen.table().rows == 10
        assert len(seen.arrays("decompose/a", "components", "IMF0/values")["IMF0/values"]) == 10


def test_columns_are_unknown_before_the_beginning(products: dict[str, dict[str, Path]]) -> None:
    seen = Seen.of(Limits(6, beginning=4), products)

    np.testing.assert_array_equal(seen.table().columns["a"], [np.nan] * 4 + [4, 5])
    # What was made of all rows up to each is not: it tells of them all the same
    assert seen.arrays("decompose/a", "components", "IMF0/values")["IMF0/values"][0] == 0


def test_a_fit_sees_its_parts_and_the_windows_before_them() -> None:
    split = {"train": [100, 300], "val": [300, 400]}
    window = {"input": 12, "horizon": 2}

    plain = FitParams.of(fit_params({"name": "ridge"}, split=split, window=window))
    changes = FitParams.of(
        fit_params({"name": "ridge"}, split=split, window=window, transform="diff")
    )

    assert (plain.beginning, plain.border) == (88, 400)
    assert (changes.beginning, changes.border) == (87, 400)


def test_a_fit_cannot_be_told_of_test_rows() -> None:
    split = {"train": [0, 300], "val": [300, 400], "test": [400, 500]}

    with pytest.raises(StepError, match="a fit that is told of test rows"):
        _ = FitParams.of(fit_params({"name": "ridge"}, split=split)).border
