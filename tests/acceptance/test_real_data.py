"""Data as they come: prices of business days, and weather with the faults of the literature's file.

Both are made here, with the traits of the real ones.
"""

import re
import shlex
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from processes import Call

# ---- prices --------------------------------------------------------------------------------------

FIRST_DAY = date(2020, 1, 1)
CLOSED = {(1, 1), (5, 1), (9, 7), (11, 15), (12, 25)}  # month and day

PRICES = """\
name: prices
config:
  dataset:
    path: prices.csv
    features: {returns: [Close], range: [High, Low]}
  target: Close
  window: {input: 10}
  split: {train: 0.7, val: 0.1, test: 0.2}
  train: {epochs: 2}
parameters:
  net.name: [ridge, nlinear]
  exog:
    - []
    - [Close return, High-Low range]
baselines: [last]
report: {rows: [net.name, exog], metric: rmse}
"""


def write_prices(path: Path, days: int = 1000) -> None:
    """A random walk on weekdays; on holidays nothing is traded."""
    random = np.random.default_rng(1)
    each = (FIRST_DAY + timedelta(days=n) for n in range(days))
    traded = [day for day in each if day.weekday() < 5 and (day.month, day.day) not in CLOSED]
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.02, len(traded))))
    opened = close * np.exp(random.normal(0, 0.005, len(traded)))
    high = np.maximum(opened, close) * (1 + np.abs(random.normal(0, 0.01, len(traded))))
    low = np.minimum(opened, close) * (1 - np.abs(random.normal(0, 0.01, len(traded))))
    volume = random.integers(1_000_000, 9_000_000, len(traded))
    lines = ["Date,Open,High,Low,Close,Volume"]
    for day, *prices, traded_shares in zip(traded, opened, high, low, close, volume, strict=True):
        lines.append(f"{day},{','.join(f'{price:.2f}' for price in prices)},{traded_shares}")
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def test_prices_of_business_days_run_with_what_is_made_of_them(
    pyheta: Call, tmp_path: Path
) -> None:
    # Given a file of prices, of which nothing is asked
    write_prices(tmp_path / "prices.csv")
    checked = pyheta("data", "check", "prices.csv")
    assert checked.returncode == 0, checked.stderr
    said = " ".join(checked.stdout.split())
    assert "one each business day" in said
    assert "weekdays are missing and taken for holidays: 2020-05-01, 2020-09-07" in said
    assert "season 5 rows" in said

    # When nets read its returns and ranges
    (tmp_path / "s.yaml").write_text(PRICES)
    done = pyheta("run", "s.yaml", "--format", "csv")

    # Then all of them stand in the table
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows[1:]} >= {"last", "nlinear", "ridge"}
    assert any("Close return" in line and "ridge" in line for line in done.stdout.splitlines())


# ---- weather -------------------------------------------------------------------------------------

WEATHER = [
    *("p (mbar)", "T (degC)", "Tpot (K)", "Tdew (degC)", "rh (%)", "VPmax (mbar)", "VPact (mbar)"),
    *("VPdef (mbar)", "sh (g/kg)", "H2OC (mmol/mol)", "rho (g/m**3)", "wv (m/s)", "max. wv (m/s)"),
    *("wd (deg)", "rain (mm)", "raining (s)", "SWDR (W/m²)", "PAR (µmol/m²/s)"),
    *("max. PAR (µmol/m²/s)", "Tlog (degC)", "OT"),
]
TEN_MINUTES = timedelta(minutes=10)

SWEEP = """\
name: weather
config:
  dataset:
    path: weather.csv
    {options}
  target: OT
  window: {{input: 36}}
  train: {{epochs: 2}}
  split: {{train: 0.7, val: 0.1, test: 0.2}}
parameters:
  net.name: [ridge, nlinear]
  exog:
    - []
    - [T (degC), rho (g/m**3), wv (m/s), "PAR*"]
baselines: [last]
"""


def write_weather(path: Path, rows: int = 3000) -> None:
    """Ten minutes apart, one row twice and one not there; the wind is -9999 where it failed."""
    random = np.random.default_rng(2)
    day = np.sin(2 * np.pi * np.arange(rows) / 144)
    values = day[:, np.newaxis] + np.cumsum(random.normal(0, 0.05, (rows, len(WEATHER))), axis=0)
    values = np.round(50 + values, 2)
    values[1200:1202, WEATHER.index("wv (m/s)")] = -9999
    start = datetime(2020, 1, 1, 0, 10)  # noqa: DTZ001 (the file has no zone)
    lines = [
        f"{start + row * TEN_MINUTES},{','.join(map(str, each))}" for row, each in enumerate(values)
    ]
    lines.insert(801, lines[800])
    del lines[2000]
    text = "\n".join([",".join(["date", *WEATHER]), *lines, ""])
    path.write_text(text, encoding="latin-1")


def answers(said: str) -> list[str]:
    """What an error prints as KEY=VALUE, the first of several answers."""
    here = re.search(r"; here: (.*)$", said.strip())
    assert here, said
    return shlex.split(here[1].split(", or ")[0])


def test_weather_with_a_double_row_and_a_gap_runs_when_its_questions_are_answered(
    pyheta: Call, tmp_path: Path
) -> None:
    write_weather(tmp_path / "weather.csv")

    # Given the answers that the questions print, one after the other
    options: dict[str, str] = {}
    asked: list[str] = []
    while (done := pyheta("data", "check", "weather.csv", *written(options))).returncode:
        assert done.returncode == 2
        assert done.stderr not in asked
        asked.append(done.stderr)
        options |= dict(answer.split("=", 1) for answer in answers(done.stderr))
    assert [re.search(r"row (\d+)", question).group(1) for question in asked] == ["803", "2002"]

    # And the one that a sweep is asked which reads the wind
    (tmp_path / "s.yaml").write_text(sweep(options))
    wind = pyheta("plan", "s.yaml").stderr
    assert "s.yaml:15:7: column 'wv (m/s)' cannot be used: weather.csv: row 1203" in wind
    options["missing"] = re.search(r"`missing: ([^`]*)` if it is,", wind).group(1)

    # When they stand under `dataset:`
    (tmp_path / "s.yaml").write_text(sweep(options))
    run = pyheta("run", "s.yaml", "--format", "csv")

    # Then there is a table
    assert run.returncode == 0, run.stderr
    assert {"last", "nlinear", "ridge"} <= {line.split(",")[0] for line in run.stdout.splitlines()}


def written(options: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in options.items()]


def sweep(options: dict[str, str]) -> str:
    return SWEEP.format(options="\n    ".join(f"{key}: {it}" for key, it in options.items()))
