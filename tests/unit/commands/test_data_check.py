"""What `data check` says of a data set: in words, for machines, and of what it cannot use."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pyheta.commands.answers import answered
from pyheta.commands.data_check import check, facts_json, facts_view
from pyheta.errors import DataError
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.draft import Meaning
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.questions import Answer, Question
from pyheta.pipeline.data.steps.cadence import Cadence, Unit

START = datetime(2020, 1, 1)  # noqa: DTZ001 (tables have no zone)
HOURS = Cadence(Unit.SECOND, 3600, 3600, 24, "every hour")
DAYS = Cadence(Unit.SECOND, 86_400, 86_400, 7, "every day")
COUNTED = Cadence(Unit.ROW, 1, 1)


def facts(
    *columns: str,
    rows: int = 8760,
    cadence: Cadence = HOURS,
    counted: bool = False,
    left_out: dict[str, DataError] | None = None,
    notes: tuple[str, ...] = (),
    meaning: Meaning | None = None,
) -> DatasetFacts:
    step = timedelta(microseconds=1) if counted else timedelta(seconds=cadence.seconds)
    first = datetime(1970, 1, 1) if counted else START  # noqa: DTZ001
    return DatasetFacts(
        source={"time": "date"},
        files={"raw": "0" * 64},
        columns=columns,
        rows=rows,
        first=first,
        last=first + (rows - 1) * step,
        cadence=cadence,
        content=Content(np.zeros(0, np.int64), {}),
        counted=counted,
        left_out=left_out or {},
        notes=notes,
        meaning=meaning or Meaning(),
    )


def shown(of: DatasetFacts, width: int = 80) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(facts_view(of))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_hours_are_described_in_six_lines() -> None:
    assert shown(facts("load", "temp"))[2:] == [
        "rows       8,760, one every hour",
        "from       2020-01-01 00:00:00",
        "to         2020-12-30 23:00:00",
        "season     24 rows",
        "columns    load, temp",
    ]


def test_days_have_no_hour() -> None:
    lines = shown(facts("y", rows=31, cadence=DAYS))
    assert lines[2:5] == [
        "rows       31, one every day",
        "from       2020-01-01",
        "to         2020-01-31",
    ]


def test_counted_rows_have_numbers() -> None:
    of = facts("y", rows=2000, cadence=COUNTED, counted=True)
    assert shown(of)[2:5] == ["rows       2,000, counted", "from       0", "to         1,999"]
    told = facts_json(of)
    assert (told["first"], told["last"], told["season"]) == (0, 1999, None)


def test_columns_are_told_by_what_they_are() -> None:
    meaning = Meaning(
        known=frozenset({"hour", "promo"}),
        declared=frozenset({"promo"}),
        masks={"temp": "temp missing"},
        groups={"station": ("station=a", "station=b")},
        changed={"temp": np.arange(12)},
    )
    names = ("load", "temp", "temp missing", "promo", "hour", "station=a", "station=b")
    of = facts(*names, meaning=meaning)
    assert shown(of)[6:] == [
        "columns       load, temp",
        "known ahead   promo, hour",
        "gaps marked   temp missing",
        "category      station: station=a, station=b",
        "changed       temp: 12 of 8,760 cells (0.14 %)",
    ]
    told = facts_json(of)
    assert (told["known"], told["declared"]) == (["hour", "promo"], ["promo"])
    assert told["changed"] == {"temp": 12}


def test_a_column_that_is_left_out_has_one_line_that_says_why() -> None:
    error = DataError(
        "12 missing values, the first here",
        where="x.csv: row 17, column 'temp'",
        cure="write under dataset: missing: drop",
    )
    lines = shown(facts("y", left_out={"temp": error}, notes=("Two lines were skipped.",)), 200)
    assert lines[7:] == [
        f"left out   temp (row 17): {error.what}; {error.cure}",
        "           Two lines were skipped.",
    ]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_very_many_columns_are_counted(width: int) -> None:
    names = [f"client_{number:03}" for number in range(300)]
    left_out = {name: DataError("not numbers", where=f"x.csv: column '{name}'") for name in names}
    lines = shown(facts(*names, left_out=left_out), width)
    assert " ".join(lines).count("client_") == 40 + 40
    assert max(map(len, lines)) <= width
    assert "and 260 more" in " ".join(" ".join(lines).split())
    assert lines[-1].endswith("260 more columns; --json has all of them")


def test_a_name_from_a_file_moves_no_cursor() -> None:
    assert "\x1b[" not in "".join(shown(facts("a\x1b[2Jb")))


def test_a_file_is_read_with_its_options(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("when,date,y\n2020-01-01,2021-01-01,1\n2020-01-02,2021-01-02,2\n")
    of = check(str(path), ["time=when"], None)
    assert (of.first, of.source) == (START, {"time": "when"})


SORT = Answer({"sort": True}, "to sort them")
MISSING = {"fill": "forward", "values": [-999, "no data"]}


@pytest.mark.parametrize(
    ("error", "here"),
    [
        (Question("?", SORT), "; here: sort=true"),
        (Question("?", SORT, Answer({"step": "rows"})), "; here: sort=true, or step=rows"),
        (
            Question("?", Answer({"series": "a b", "pick": "x / y"})),
            "; here: 'series=a b' 'pick=x / y'",
        ),
        (
            Question("?", Answer({"missing": MISSING}), where="x.csv", lead="mend it, or"),
            "; here: 'missing={fill: forward, values: [-999, no data]}'",
        ),
        (Question("?"), ""),
        (DataError("?", cure="mend the value"), ""),
    ],
)
def test_an_answer_can_be_given_where_it_was_asked(error: DataError, here: str) -> None:
    before = str(error)
    with pytest.raises(DataError) as caught, answered():
        raise error
    assert caught.value is error
    assert str(error) == before + here
