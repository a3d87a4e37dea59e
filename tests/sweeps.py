"""Sweep files for tests: a smallest valid one, and how to read one from text."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from pyheta.errors import SweepError
from pyheta.sweep import Sweep, read_sweep

# Line 7 is the first that a test adds.
BASE = """\
name: small
baselines: []
config:
  dataset: synthetic
  target: load
  net: lstm
"""
WINDOW = "  window: {input: 8}\n"


def sweep(folder: Path, text: str, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep of a text, read from `sweep.yaml` in the folder."""
    path = folder / "sweep.yaml"
    path.write_text(text, encoding="utf-8")
    return read_sweep(path, overrides)


def small(folder: Path, added: str = "", overrides: Sequence[str] = ()) -> Sweep:
    """The smallest sweep with some text added at the top level."""
    return sweep(folder, BASE + WINDOW + added, overrides)


def complaint(folder: Path, text: str, overrides: Sequence[str] = ()) -> str:
    """What is said about a text that is not a valid sweep, without the folder."""
    with pytest.raises(SweepError) as caught:
        sweep(folder, text, overrides)
    return str(caught.value).replace(f"{folder}/", "")
