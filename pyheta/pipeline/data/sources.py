"""Where a data set comes from: a catalogue name, a file, or the synthetic generator.

A *source* is what the `load` step gets as parameters: {"time": "date"} for a file, or
{"synthetic": {"rows": 4000, "seed": 0}}. It names no path, so that the same bytes are the same
data set wherever they lie.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data import checks, rawfile, synthetic
from pyheta.pipeline.data.facts import ColumnFacts, DatasetFacts
from pyheta.pipeline.data.rawfile import RawTable

# Electricity Transformer Temperature (Zhou et al., AAAI 2021): name -> file and time column.
CATALOGUE = {
    "etth1": ("ETTh1.csv", "date"),
    "etth2": ("ETTh2.csv", "date"),
    "ettm1": ("ETTm1.csv", "date"),
    "ettm2": ("ETTm2.csv", "date"),
}


def inspect(
    dataset: Mapping[str, Any], *, base: Path, data: Path | None
) -> tuple[DatasetFacts, Path | None]:
    """Read and check a data set where the user is: its facts, and the file that the store needs.

    `dataset` is {"name": "etth1"}, {"path": …} with an optional "time", or {"name": "synthetic"}
    with optional "rows" and "seed". Paths are relative to `base`; catalogue files lie in `data`.
    Raises DataError.
    """
    if dataset.get("name") == "synthetic":
        made = _synthetic_source(dataset)
        return _facts(made, {}, table(made, None)), None
    path, time = _locate(dataset, base, data)
    raw = rawfile.read_bytes(path)
    parsed = rawfile.parse(raw, path.name)
    source = {"time": checks.find_time(parsed, time)}
    files = {"raw": hashlib.sha256(raw).hexdigest()}
    return _facts(source, files, _checked(source, parsed)), path


def table(source: Mapping[str, Any], path: Path | None) -> pl.DataFrame:
    """The checked table of a source: `time`, then Float64 columns. Raises DataError."""
    if path is None:
        return synthetic.generate(**source["synthetic"])
    return _checked(source, rawfile.parse(rawfile.read_bytes(path), path.name))


def _synthetic_source(dataset: Mapping[str, Any]) -> dict[str, Any]:
    rows = dataset.get("rows", synthetic.ROWS)
    return {"synthetic": {"rows": rows, "seed": dataset.get("seed", 0)}}


def _checked(source: Mapping[str, Any], parsed: RawTable) -> pl.DataFrame:
    return checks.check(parsed, checks.find_time(parsed, source["time"]))


def _locate(dataset: Mapping[str, Any], base: Path, data: Path | None) -> tuple[Path, str | None]:
    """The file of a data set and, where it is known, its time column."""
    if "path" in dataset:
        return _local(str(dataset["path"]), base), dataset.get("time")
    name = str(dataset["name"])
    if name not in CATALOGUE:
        names = ["synthetic", *CATALOGUE]
        cure = f"{nearest(name, names)} (a file is named by its path, such as ./{name}.csv)"
        raise DataError(f"unknown data set '{name}'", cure=cure)
    file, time = CATALOGUE[name]
    if data is None:
        cure = f"set PYHETA_DATA to the folder that holds {file}"
        raise DataError(f"no data folder is set, so data set '{name}' cannot be found", cure=cure)
    return data / file, time


def _local(path: str, base: Path) -> Path:
    if "://" in path:
        raise DataError("URLs are not read", where=path, cure="download the file and give its path")
    return Path(path).expanduser() if path.startswith("~/") else base / path


def _facts(
    source: Mapping[str, Any], files: Mapping[str, str], frame: pl.DataFrame
) -> DatasetFacts:
    return DatasetFacts(
        source=source,
        files=files,
        columns=tuple(frame.columns[1:]),
        rows=frame.height,
        first=frame["time"][0],
        last=frame["time"][-1],
        step_seconds=checks.step_microseconds(frame) / 1e6,
        by_column={column.name: _column_facts(column.to_numpy()) for column in frame.drop("time")},
    )


def _column_facts(values: NDArray[np.float64]) -> ColumnFacts:
    slopes = np.sign(np.diff(values))
    turns = np.diff(slopes[slopes != 0])  # a plateau turns once
    return ColumnFacts(
        constant=not slopes.any(),
        extrema=int(np.count_nonzero(turns)),
        digest=hashlib.sha256(values.tobytes()).hexdigest(),
    )
