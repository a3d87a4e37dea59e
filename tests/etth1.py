"""The one place that knows where tests find ETTh1: real data that are no part of the repository."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from pyheta.pipeline.arrays import Floats


def path() -> Path:
    """ETTh1.csv in the folder PYHETA_DATA. Where it is not, the test that asks is skipped."""
    file = Path(os.environ.get("PYHETA_DATA") or "nowhere") / "ETTh1.csv"
    if not file.is_file():
        pytest.skip("PYHETA_DATA has no ETTh1.csv")
    return file


def columns(path: Path) -> dict[str, Floats]:
    """Every column but the time, each (17420,)."""
    with path.open(newline="") as file:
        names, *rows = csv.reader(file)
    table = np.array([row[1:] for row in rows], float)
    return dict(zip(names[1:], table.T.copy(), strict=True))
