"""Where a data set comes from: a catalogue name, a file, or the synthetic generator.

A *source* is what the `load` step gets as parameters: {"time": "date"} for a file, or
{"synthetic": {"rows": 4000, "seed": 0}}. It names no path, so that the same bytes are the same
data set wherever they lie.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyheta.errors import DataError, nearest
from pyheta.pipeline.data import synthetic
from pyheta.pipeline.data.catalogue import CATALOGUE, files_in, find_file
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.draft import TIME
from pyheta.pipeline.data.facts import ColumnFacts, DatasetFacts
from pyheta.pipeline.data.files.opened import open_file
from pyheta.pipeline.data.files.rawfile import read_bytes
from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, Spoil, check, read
from pyheta.pipeline.data.rows import panels
from pyheta.settings import masked

#: Gives a `dataset` section a `path` if its file has to be brought from somewhere else first.
Bring = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def as_it_is(dataset: Mapping[str, Any]) -> Mapping[str, Any]:
    """Brings nothing."""
    return dataset


def inspect(
    dataset: Mapping[str, Any], *, base: Path, data: Path | None
) -> tuple[DatasetFacts, Path | None]:
    """Read and check a data set where the user is: its facts, and the file that the store needs.

    `dataset` is a `dataset` section: {"name": "etth1"}, {"path": …} or {"name": "synthetic"}, with
    options. Paths are relative to `base`; files that have a name lie in the folder `data`. Raises
    DataError.
    """
    if dataset.get("name") == "synthetic":
        made = _synthetic_source(dataset)
        return _facts(made, {}, table(made, None)), None
    path, options = _locate(dataset, base, data)
    opened = open_file(path, options)
    reading = check(opened.table, options)
    found = options.model_copy(update={"time": reading.times})
    files = {"raw": opened.sha256}
    return _facts(found.as_params(), files, reading), path


def series_of(dataset: Mapping[str, Any], *, base: Path, data: Path | None) -> list[str]:
    """The names of a panel's series, in the order of the file. Raises DataError."""
    path, options = _locate(dataset, base, data)
    if not options.series:
        cure = "name the column that tells them apart with `series:`"
        raise DataError("nothing says which column names the series", cure=cure)
    return panels.series_of(open_file(path, options).table, options)


def table(source: Mapping[str, Any], path: Path | None, spoil: Spoil = lambda it: it) -> Reading:
    """The checked table of a source. Raises DataError."""
    if path is None:
        return synthetic.reading(source["synthetic"], spoil)
    return read(read_bytes(path), path.name, DataOptions.of(source), spoil)


def _synthetic_source(dataset: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in dataset.items() if key != "name"}
    return {"synthetic": {"rows": synthetic.ROWS, "seed": 0, **given}}


def _locate(dataset: Mapping[str, Any], base: Path, data: Path | None) -> tuple[Path, DataOptions]:
    """The file of a data set, and how it is read."""
    given = {key: value for key, value in dataset.items() if key not in ("name", "path")}
    if "path" in dataset:
        return _local(str(dataset["path"]), base), DataOptions.of(given)
    name = str(dataset["name"])
    if data is None:
        cure = "set PYHETA_DATA to the folder in which its file lies"
        raise DataError(f"no data folder is set, so data set '{name}' cannot be found", cure=cure)
    path = find_file(name, data)
    if path is None:
        raise missing(name, data)
    options = CATALOGUE[name].options if name in CATALOGUE else {}
    return path, DataOptions.of({**options, **given})


def missing(name: str, data: Path, more: Iterable[str] = ()) -> DataError:
    """Why no file has this name, and what to do. `more` are further names that there are."""
    if name not in CATALOGUE:
        names = ["synthetic", *CATALOGUE, *more, *files_in(data)]
        cure = f"{nearest(name, names)} (a file is named by its path, such as ./{name}.csv)"
        return DataError(f"unknown data set '{name}'", cure=cure)
    entry = CATALOGUE[name]
    cure = f"get it with: pyheta data fetch {name}"
    if not entry.urls:
        cure = f"get it from {entry.origin} and put it there, as .csv or .parquet"
    return DataError("no such file", where=str(data / entry.file), cure=cure)


def _local(path: str, base: Path) -> Path:
    if "://" in path:
        cure = "write `source: {url: …}` under dataset, then its bytes are kept"
        raise DataError("URLs are not read as paths", where=masked(path), cure=cure)
    return Path(path).expanduser() if path.startswith("~/") else base / path


def _facts(source: Mapping[str, Any], files: Mapping[str, str], reading: Reading) -> DatasetFacts:
    frame = reading.frame
    times = frame[TIME].to_physical().to_numpy()
    values = {column.name: column.to_numpy() for column in frame.drop(TIME)}
    return DatasetFacts(
        source=source,
        files=files,
        columns=tuple(frame.columns[1:]),
        rows=frame.height,
        first=frame[TIME][0],
        last=frame[TIME][-1],
        cadence=reading.cadence,
        counted=reading.counted,
        content=Content(times, values),
        times=times,
        by_column={name: column_facts(column) for name, column in values.items()},
        left_out=reading.left_out,
        notes=reading.notes,
        meaning=reading.meaning,
    )


def column_facts(values: NDArray[np.float64]) -> ColumnFacts:
    """What a plan has to know of a column (rows,), NaN where it is not known yet."""
    first = int(np.isfinite(values).argmax())
    slopes = np.sign(np.diff(values[first:]))
    turns = np.diff(slopes[slopes != 0])  # a plateau turns once
    others = values[first:] != values[first]
    return ColumnFacts(
        constant=not slopes.any(),
        extrema=int(np.count_nonzero(turns)),
        digest=hashlib.sha256(values.tobytes()).hexdigest(),
        first=first,
        at_first=float(values[first]),
        changes_at=first + int(others.argmax()) if others.any() else None,
    )
