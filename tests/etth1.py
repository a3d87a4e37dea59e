"""The one place that knows where tests find ETTh1: real data that are no part of the repository."""

import os
from pathlib import Path

import pytest


def path() -> Path:
    """ETTh1.csv in the folder that PYHETA_DATA names. Where it is not, the test that asks is
    skipped.
    """
    file = Path(os.environ.get("PYHETA_DATA") or "nowhere") / "ETTh1.csv"
    if not file.is_file():
        pytest.skip("PYHETA_DATA has no ETTh1.csv")
    return file
