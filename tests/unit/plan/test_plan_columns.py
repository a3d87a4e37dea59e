"""Columns that cannot be what a sweep takes them for are refused at their place in the sweep."""

from pathlib import Path

import polars as pl
import pytest

from pyheta.errors import InputError
from pyheta.plan.prepare import prepare

ROWS = 600
TRAIN = 360

SWEEP = """\
name: s
baselines: []
config:
  dataset: {dataset}
  target: {target}
  exog: [{exog}]
  split: {{train: 0.6, val: 0.2, test: 0.2}}
  window: {{input: 24, horizon: 3}}
  net: ridge
"""


def write_table(folder: Path) -> None:
    """600 hours: `plan` lacks the last five, `late` the first 450; place C comes in row 501."""
    row = pl.int_range(ROWS, eager=True)
    values = {name: ((row * step) % 101).cast(pl.Float64) for name, step in NAMES.items()}
    place = ["C" if n == 500 else "AB"[n % 3 == 0] for n in row]
    table = pl.DataFrame(
        {
            "date": pl.datetime_range(
                pl.datetime(2020, 1, 1), pl.datetime(2020, 1, 25, 23), "1h", eager=True
            ),
            **values,
            "place": place,
            "until": ["old" if n < TRAIN + 9 else None for n in row],
        }
    )
    table = table.with_columns(
        pl.when(row < ROWS - 5).then("plan").alias("plan"),
        pl.when(row >= 450).then("late").alias("late"),
    )
    table.write_csv(folder / "d.csv")


NAMES = {"load": 7, "plan": 13, "cpi": 17, "late": 19}


def refusal(
    folder: Path, dataset: str, exog: str = "", target: str = "load", *overrides: str
) -> str:
    """What is said, in one paragraph; empty if the sweep is accepted."""
    write_table(folder)
    path = folder / "s.yaml"
    path.write_text(SWEEP.format(dataset=dataset, exog=exog, target=target), encoding="utf-8")
    try:
        prepare(path, overrides, None)
    except InputError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


SHORT = "split={train: 50, val: 100, test: 100}"
REFUSED = {
    "a delayed target": (
        ("{path: d.csv, columns: {cpi: {delay: 20}}}", "", "cpi"),
        (
            "s.yaml:5:11: column 'cpi' becomes known 20 rows late, so it cannot be a target; take "
            "away its delay"
        ),
    ),
    "a delayed target that is made": (
        ("{name: synthetic, columns: {load: {delay: 20}}}",),
        "s.yaml:5:11: column 'load' becomes known 20 rows late, so it cannot be a target",
    ),
    "a target that is known": (
        ("{path: d.csv, columns: {load: {role: known}}}",),
        (
            "s.yaml:5:11: column 'load' is known ahead, so there is nothing to forecast; take "
            "away its role, or forecast another column"
        ),
    ),
    "a target that is known and made": (
        ("{name: synthetic, columns: {load: {role: known}}}",),
        "s.yaml:5:11: column 'load' is known ahead",
    ),
    "a feature as target that is known": (
        ("{path: d.csv, features: {calendar: hour}}", "", "hour"),
        "s.yaml:5:11: column 'hour' is known ahead, so there is nothing to forecast; forecast",
    ),
    "a category that is new after training": (
        ("{path: d.csv, columns: {place: {type: category}}}", "place"),
        (
            "s.yaml:6:9: 'place' is 'C' first in row 501 of the table (2020-01-21 20:00:00), after "
            "training; leave out 'place' or train on more rows"
        ),
    ),
    "a category that is the same in training": (
        ("{path: d.csv, columns: {until: {type: category}}}", "until"),
        "s.yaml:6:9: 'until' is 'old' throughout training, until row 370 of the table",
    ),
    "a delay longer than a window": (
        ("{path: d.csv, columns: {cpi: {delay: 25}}}", "cpi"),
        "s.yaml:6:9: column 'cpi' becomes known 25 rows late, after a whole window; use a longer",
    ),
    "a delay longer than the data": (
        ("{path: d.csv, columns: {cpi: {delay: 600}}}", "cpi"),
        "s.yaml:4:19: d.csv: column 'cpi': a delay of 600 rows, and there are 600",
    ),
    "a delay that leaves no window": (
        ("{path: d.csv, columns: {cpi: {delay: 24}}}", "cpi", "load", SHORT),
        (
            "s.yaml:8:19: ridge: the train part has 50 of 600 rows (24 of them before "
            "'cpi' is known), a window of 24 and a horizon of 3 need 27; shorten the window or give"
        ),
    ),
    "a known column that ends": (
        ("{path: d.csv, columns: {plan: {role: known}}}", "plan"),
        (
            "s.yaml:6:9: column 'plan' cannot be used: d.csv: row 597, column 'plan': it is to be "
            "known ahead, and from here on it is not; write under dataset: "
        ),
    ),
    "a known column that would be carried on": (
        ("{path: d.csv, missing: {fill: forward}, columns: {plan: {role: known}}}", "plan"),
        "s.yaml:6:9: column 'plan' cannot be used: d.csv: row 597, column 'plan'",
    ),
    "a column that begins after training": (
        ("{path: d.csv, missing: mask}", "late"),
        (
            "s.yaml:6:9: column 'late' has its first value in row 451 of the table (2020-01-19 "
            "18:00:00), after training; leave it out or train on more rows"
        ),
    ),
}


@pytest.mark.parametrize(("sweep", "said"), REFUSED.values(), ids=REFUSED)
def test_a_column_that_cannot_be_meant_is_refused_at_its_place(
    tmp_path: Path, sweep: tuple[str, ...], said: str
) -> None:
    found = refusal(tmp_path, *sweep)

    assert found.startswith(said)
    assert len(found.splitlines()) == 1


def test_a_known_column_may_end_where_the_rows_do(tmp_path: Path) -> None:
    # Given the answer that is printed, and rows that are dropped
    until = '"2020-01-25 18:00:00"'
    answered = f"{{path: d.csv, columns: {{plan: {{role: known}}}}, to: {until}}}"
    dropped = "{path: d.csv, missing: drop, columns: {plan: {role: known}}}"

    assert until in refusal(tmp_path, *REFUSED["a known column that ends"][0])
    assert refusal(tmp_path, answered, "plan") == ""
    assert refusal(tmp_path, dropped, "plan") == ""
