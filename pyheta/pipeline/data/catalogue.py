"""Data sets that have a name: what they are, where they come from, and how their files are read.

A hash stands here only where the very file was seen. Where there is none, nothing is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyheta.errors import DataError

#: The files that a name may stand for. The first is what is there when several are.
KINDS = (".csv", ".parquet", ".tsv", ".txt", ".feather", ".arrow", ".jsonl", ".ndjson", ".xlsx")
PACKED = ("", ".gz", ".zst", ".bz2", ".zip")
ENDINGS = tuple(kind + packed for packed in PACKED for kind in KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One named data set.

    `file` is its name in the data folder, or a path of one's own. `urls` are addresses of the same
    bytes, the best first. `columns` are the value columns of the file, as far as they are known.
    `options` are what stands under `dataset:` beside the name.
    """

    about: str
    file: str
    urls: tuple[str, ...] = ()
    sha256: str | None = None
    licence: str = ""
    origin: str = ""
    columns: tuple[str, ...] = ()
    rows: int | None = None
    step: str = ""
    season: int | None = None  # in rows
    target: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


_ETT = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/"
_PILE = (
    "https://huggingface.co/datasets/AutonLab/Timeseries-PILE/resolve/main/forecasting/autoformer/"
)
_METEO = "https://data.geo.admin.ch/ch.meteoschweiz.ogd-"
_UNKNOWN = "not stated where it is published"


def _numbered(count: int) -> tuple[str, ...]:
    """The columns of a benchmark file: all but the last have numbers."""
    return (*map(str, range(count - 1)), "OT")


def _ett(name: str, *, hourly: bool, sha256: str | None = None) -> Entry:
    return Entry(
        about=f"Oil temperature and loads of transformer {name[-1]} (Zhou et al., AAAI 2021)",
        file=f"{name}.csv",
        # Two addresses may give other bytes, so a second one needs a hash.
        urls=(f"{_ETT}{name}.csv", *([f"{_PILE}{name}.csv"] if sha256 else [])),
        sha256=sha256,
        licence="CC BY-ND 4.0",
        origin="https://github.com/zhouhaoyi/ETDataset",
        columns=("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"),
        rows=17_420 if hourly else 69_680,
        step="1 hour" if hourly else "15 minutes",
        season=24 if hourly else 96,
        target="OT",
        options={"time": "date"},
    )


def _benchmark(file: str, **facts: Any) -> Entry:
    """A file of the long-term forecasting benchmarks, as Autoformer (Wu et al., 2021) cut it."""
    return Entry(
        file=f"{file}.csv",
        urls=(f"{_PILE}{file}.csv",),
        target="OT",
        options={"time": "date"},
        **facts,
    )


CATALOGUE: Mapping[str, Entry] = {
    "etth1": _ett(
        "ETTh1",
        hourly=True,
        sha256="f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
    ),
    "etth2": _ett("ETTh2", hourly=True),
    "ettm1": _ett("ETTm1", hourly=False),
    "ettm2": _ett("ETTm2", hourly=False),
    "electricity": _benchmark(
        "electricity",
        about="Electricity consumption of 321 clients in Portugal, 2012 to 2014",
        licence="CC BY 4.0 (the original at UCI)",
        origin="https://archive.ics.uci.edu/dataset/321/electricityloaddiagrams20112014",
        columns=_numbered(321),
        rows=26_304,
        step="1 hour",
        season=24,
    ),
    "traffic": _benchmark(
        "traffic",
        about="Occupancy of 862 road sensors in the San Francisco Bay Area, 2015 and 2016",
        licence=_UNKNOWN,
        origin="https://pems.dot.ca.gov",
        columns=_numbered(862),
        rows=17_544,
        step="1 hour",
        season=24,
    ),
    "weather": _benchmark(
        "weather",
        about="21 measurements of the weather station of Jena, 2020; one row twice, one gap",
        licence=_UNKNOWN,
        origin="https://www.bgc-jena.mpg.de/wetter",
        rows=52_696,
        step="10 minutes",
        season=144,
    ),
    "exchange_rate": _benchmark(
        "exchange_rate",
        about="Exchange rates of 8 currencies (Lai et al., SIGIR 2018)",
        licence=_UNKNOWN,
        origin="https://github.com/laiguokun/multivariate-time-series-data",
        columns=_numbered(8),
        rows=7_588,
        step="1 day",
        season=7,
    ),
    "ili": _benchmark(
        "national_illness",
        about="Visits to doctors in the USA for influenza-like illness",
        licence=_UNKNOWN,
        origin="https://gis.cdc.gov/grasp/fluview/fluportaldashboard.html",
        rows=966,
        step="1 week",
        season=52,
    ),
    "meteoswiss-pollen": Entry(
        about="Pollen in the air at Lausanne by species; a longer file each year",
        file="ogd-pollen_pls_d_historical.csv",
        urls=(f"{_METEO}pollen/pls/ogd-pollen_pls_d_historical.csv",),
        licence="CC BY 4.0, source: MeteoSwiss",
        origin="https://opendatadocs.meteoswiss.ch",
        step="1 day",
        season=7,
    ),
    "meteoswiss-weather": Entry(
        about="Weather at Bern/Zollikofen; a longer file each year",
        file="ogd-smn_ber_d_historical.csv",
        urls=(f"{_METEO}smn/ber/ogd-smn_ber_d_historical.csv",),
        licence="CC BY 4.0, source: MeteoSwiss",
        origin="https://opendatadocs.meteoswiss.ch",
        step="1 day",
        season=7,
        target="tre200d0",
    ),
    "epex-de": Entry(
        about="Day-ahead electricity prices in Germany with forecasts of load and of wind and sun",
        file="DE.csv",
        urls=("https://zenodo.org/records/4624805/files/DE.csv?download=1",),
        licence="see the record",
        origin="https://zenodo.org/records/4624805",
        rows=52_416,
        step="1 hour",
        season=24,
    ),
    "rapt": Entry(
        about="iHomeLab RAPT: power in five houses near Lucerne, with sun and batteries",
        file="rapt.csv",
        licence="CC BY",
        origin="https://zenodo.org/records/3581895",
        step="5 minutes",
        season=288,
    ),
    "b3": Entry(
        about="Prices of a stock in Brazil; or write `dataset: {source: {yfinance: PETR4.SA}}`",
        file="b3.csv",
        licence=_UNKNOWN,
        origin="https://www.b3.com.br",
        step="business days",
        season=5,
    ),
}


def find_file(name: str, folder: Path) -> Path | None:
    """The file in a folder that a name stands for. Raises DataError if there are several."""
    if (entry := CATALOGUE.get(name)) and (folder / entry.file).is_file():
        return folder / entry.file
    stem = entry.file.removesuffix(".csv") if entry else name
    found = [path for path in (folder / f"{stem}{end}" for end in ENDINGS) if path.is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found[:2])
        cure = f"name one by its path, as in {found[0]}"
        raise DataError(f"'{name}' may be {names}", where=str(folder), cure=cure)
    return found[0] if found else None


def files_in(folder: Path) -> Mapping[str, Path]:
    """The files of a folder that a name stands for, by that name; not those of the catalogue."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(ENDINGS))
    except OSError:
        return {}
    known = {entry.file for entry in CATALOGUE.values()}
    return {_name_of(path.name): path for path in paths if path.name not in known}


def _name_of(file: str) -> str:
    return next(file.removesuffix(end) for end in reversed(ENDINGS) if file.endswith(end))
