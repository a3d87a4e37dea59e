"""What a second sweep computes beside a finished one, as `pyheta plan` says before and after."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from processes import Pyheta, pyheta
from servers import embedded_home

ROWS = 600
START = datetime(2024, 1, 1)  # noqa: DTZ001 (the files have no zone)

SWEEP = """\
name: first
seeds: 2
config:
  dataset: ./data.csv
  target: load
  split: {train: 300, val: 100, test: 100}
  window: {input: 12, horizon: 2}
  train: {epochs: 1}
parameters:
  net.name: [nlinear, ridge]
  exog: [[], [wind]]
baselines: [last]
"""

#: Distinct ones: two seeds of nlinear, which does not see wind, and ridge with and without it.
FITS, SEES_WIND = 4, 1
RESULTS = FITS + 1  # and the last value

MINE = """\
def asymmetric(truth, forecast, last, scale):
    error = forecast - truth
    return (error**2 * (1 + (error < 0))).mean()


def broken(truth, forecast, last, scale):
    raise ValueError("never on Mondays")


def undefined(truth, forecast, last, scale):
    return float("nan")
"""

DECOMPOSED = """\
name: {name}
config:
  dataset: ./{file}.csv
  target: load
  split: {{train: 300, val: 100, test: {test}}}
  window: {{input: 12}}
  net: ridge
  decompose: {{method: emd, window: 60, max_imf: 1}}
baselines: []
"""

#: Every mean of a report, to the last digit, by its row, column and metric.
Means = Mapping[tuple[str, ...], Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pyheta]:
    """`pyheta` in a folder with a sweep that has been run. Tests add files and sweeps beside it."""
    folder = tmp_path_factory.mktemp("finished")
    write(folder / "data.csv")
    (folder / "s.yaml").write_text(SWEEP)
    (folder / "mine.py").write_text(MINE)
    with embedded_home() as home, pyheta(folder, PYHETA_HOME=str(home), PYTHONPATH=".") as tool:
        tool.run("db", "start")
        tool.run("run", "s.yaml")
        yield tool


def table(rows: int = ROWS) -> dict[str, Any]:
    """Two columns with a day in them; the first rows are the same however many there are."""
    random = np.random.default_rng(4)
    noise = np.round(random.normal(0, 1, (2 * ROWS, 2)), 3)[:rows]
    day = np.sin(2 * np.pi * np.arange(rows) / 24)
    return {
        "time": [START + timedelta(hours=row) for row in range(rows)],
        "load": np.round(20 + 5 * day + noise[:, 0], 3),
        "wind": np.round(5 + day + noise[:, 1], 3),
    }


def write(path: Path, rows: int = ROWS, **columns: Any) -> None:
    made = pl.DataFrame(table(rows) | columns)
    if path.suffix == ".parquet":
        made.write_parquet(path)
    else:
        made.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")


def todo(tool: Pyheta, *changes: str) -> Mapping[str, int]:
    """How many steps of each operation a sweep would compute, those of baselines among them.

    Operations without any are left out.
    """
    counted: Counter[str] = Counter()
    for op in tool.json("plan", "s.yaml", *changes, "--json")["ops"]:
        counted[op["op"].removesuffix(" (baselines)")] += op["todo"]
    return +counted


def report(tool: Pyheta, *options: str) -> Means:
    return means(tool.json("report", "--format", "json", *options))


def means(document: Mapping[str, Any]) -> Means:
    return {
        (*row["row"].values(), *cell["column"].values(), cell["metric"]): cell["mean"]
        for row in document["rows"]
        for cell in row["cells"]
    }


# ---- data that are the same as far as a step may see them ----------------------------------------


def test_the_same_sweep_computes_nothing(finished: Pyheta) -> None:
    assert todo(finished) == {}


def test_another_test_part_costs_no_fit(finished: Pyheta) -> None:
    assert todo(finished, "split.test=150") == {"forecast": RESULTS, "score": RESULTS}


def test_rows_after_the_used_ones_cost_the_reading_alone(finished: Pyheta) -> None:
    # Given a file that goes on
    write(finished.folder / "longer.csv", rows=ROWS + 40)
    longer = ("s.yaml", "dataset=./longer.csv", "name=longer")
    assert todo(finished, *longer[1:]) == {"load": 1}
    before = report(finished, "first")

    # When
    finished.run("run", *longer)

    # Then every number is there, and none is another
    assert report(finished, "longer") == before


@pytest.mark.parametrize("name", ["same.parquet", "wider.csv"])
def test_the_same_rows_in_another_file_cost_the_reading_alone(finished: Pyheta, name: str) -> None:
    more: dict[str, Any] = {"rain": np.arange(ROWS) % 7} if name == "wider.csv" else {}
    write(finished.folder / name, **more)
    assert todo(finished, f"dataset=./{name}") == {"load": 1}


@pytest.mark.parametrize(
    ("column", "row", "fits", "forecasts"),
    [
        ("wind", 200, SEES_WIND, SEES_WIND),
        # The last value has a fit as well, which takes milliseconds.
        ("load", 200, FITS + 1, RESULTS),
        ("wind", 350, SEES_WIND, SEES_WIND),  # validation
        ("wind", 450, 0, SEES_WIND),  # test
        ("load", 450, 0, RESULTS),
        ("load", 550, 0, 0),  # after the test part
    ],
)
def test_a_changed_value_costs_the_steps_that_see_it(
    finished: Pyheta, column: str, row: int, fits: int, forecasts: int
) -> None:
    values = table()[column]
    values[row] += 1
    write(finished.folder / "changed.csv", **{column: values})
    expected = {"load": 1, "fit": fits, "forecast": forecasts, "score": forecasts}
    assert todo(finished, "dataset=./changed.csv") == {op: n for op, n in expected.items() if n}


# ---- metrics of one's own ------------------------------------------------------------------------


def test_a_metric_of_ones_own_costs_scores_alone(finished: Pyheta) -> None:
    # Given
    wanted = ("s.yaml", "metrics=[mine:asymmetric]", "name=judged")
    assert todo(finished, *wanted[1:]) == {"score": RESULTS}
    before = report(finished, "first", "--metric", "rmse,mae,direction")

    # When
    finished.run("run", *wanted)

    # Then its values are those of its formula, which lie between MSE and twice that
    both = report(finished, "judged", "--metric", "asymmetric,mse")
    own = {key[:-1]: value for key, value in both.items() if key[-1] == "asymmetric"}
    assert len(own) == 5
    assert all(both[*key, "mse"] < value < 2 * both[*key, "mse"] for key, value in own.items())
    assert report(finished, "judged", "--metric", "rmse,mae,direction") == before


def test_a_metric_that_raises_leaves_the_others_and_the_run_says_why(finished: Pyheta) -> None:
    wanted = "metrics=[mine:asymmetric,mine:broken,mine:undefined]"

    finished.run("run", "s.yaml", wanted, "name=broken")

    assert report(finished, "broken") == report(finished, "first")
    assert None not in report(finished, "broken", "--metric", "asymmetric").values()
    assert set(report(finished, "broken", "--metric", "broken").values()) == {None}
    shown = " ".join(finished.run("show", "broken/0").stdout.split())
    assert "it raised ValueError: never on Mondays" in shown
    assert "it gave nan" in shown


# ---- decompositions of longer files --------------------------------------------------------------


def test_a_longer_file_is_decomposed_from_where_the_shorter_one_ended(finished: Pyheta) -> None:
    # Given a decomposition of a file that goes on in another, of which more is asked
    write(finished.folder / "grown.csv", rows=ROWS + 100)
    for name, test, file in (("before", 200, "data"), ("after", 300, "grown")):
        text = DECOMPOSED.format(name=name, test=test, file=file)
        (finished.folder / f"{name}.yaml").write_text(text)
    finished.run("run", "before.yaml")

    # When it is run, and run in a store that knows nothing
    finished.run("run", "after.yaml")
    resumed = finished.json("show", "after/0", "--json")["steps"]
    with embedded_home() as home, pyheta(finished.folder, PYHETA_HOME=str(home)) as fresh:
        fresh.run("run", "after.yaml")
        anew = fresh.json("show", "after/0", "--json")["steps"]

    # Then most rows were taken over, and no number is another
    here, there = (
        [step for step in steps if step["op"] == "decompose"][-1] for steps in (resumed, anew)
    )
    assert here["summary"]["resumed"] > ROWS / 2
    assert there["summary"]["resumed"] == 0
    assert [p["sha256"] for p in here["products"]] == [p["sha256"] for p in there["products"]]
    assert resumed[-1]["op"] == anew[-1]["op"] == "score"
    assert resumed[-1]["metrics"] == anew[-1]["metrics"] != []
