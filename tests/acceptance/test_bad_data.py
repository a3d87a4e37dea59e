"""Bad data: one paragraph with the place and the cure, an exit code, nothing half stored."""

import io
import subprocess
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from processes import Call
from web import Web

ROWS = 120
START = datetime.fromisoformat("2020-01-01")

SWEEP = """\
name: s
baselines: []
config:
  dataset: DATASET
  target: load
  exog: EXOG
  window: {input: 6, horizon: 2}
  net: ridge
"""


def table() -> str:
    """Hours; `plan` lacks the last three values, `temp` three within; place C comes late."""
    lines = ["date,load,plan,temp,place"]
    for row in range(ROWS):
        plan = "" if row >= ROWS - 3 else row % 5
        temp = "" if 30 <= row < 33 else row % 7
        place = "C" if row == ROWS - 20 else "AB"[row % 2]
        lines.append(f"{START + timedelta(hours=row)},{row % 11},{plan},{temp},{place}")
    return "\n".join([*lines, ""])


def sweep(dataset: str, exog: str) -> str:
    return SWEEP.replace("DATASET", dataset).replace("EXOG", exog)


BAD_OPTIONS = {
    "a gap longer than the limit": (
        ("{path: d.csv, missing: {fill: forward, limit: 2}}", "[temp]"),
        ["s.yaml:6:9", "d.csv: row 32, column 'temp'", "3 values in a row", "limit: 3"],
    ),
    "an unknown zone": (
        ("{path: d.csv, time_zone: Europe/Zurch}", "[]"),
        ["s.yaml:4:37", "unknown zone 'Europe/Zurch'", "did you mean 'Europe/Zurich'"],
    ),
    "an unknown country": (
        ("{path: d.csv, features: {holidays: CHX}}", "[]"),
        ["s.yaml:4:", "no holidays are known of 'CHX'", "did you mean 'C"],
    ),
    "a name in place of a country's code": (
        ("{path: d.csv, features: {holidays: Switzerland}}", "[]"),
        ["s.yaml:4:", "holidays", "such as CH", "Switzerland"],
    ),
    "a known column that ends": (
        ("{path: d.csv, columns: {plan: {role: known}}}", "[plan]"),
        ["s.yaml:6:9", "d.csv: row 119, column 'plan'", "known ahead", "to: ", "2020-01-05 20:00"],
    ),
    "a delay longer than the window": (
        ("{path: d.csv, columns: {temp: {delay: 9}}, missing: mask}", "[temp]"),
        ["s.yaml:6:9", "column 'temp' becomes known 9 rows late", "window"],
    ),
    "a delay longer than the data": (
        ("{path: d.csv, columns: {temp: {delay: 900}}, missing: mask}", "[temp]"),
        ["s.yaml:4:", "column 'temp'", "a delay of 900 rows, and there are 120"],
    ),
    "a category unseen in training": (
        ("{path: d.csv, columns: {place: {type: category}}}", "[place]"),
        ["s.yaml:6:9", "'place' is 'C' first in row 101", "2020-01-05 04:00", "after training"],
    ),
    "a finer step": (
        ("{path: d.csv, resample: {every: 15min}}", "[]"),
        ["s.yaml:4:", "d.csv", "finer step", "1:00:00", "15m"],
    ),
}


def refused(done: subprocess.CompletedProcess[str], code: int, words: list[str]) -> None:
    """One paragraph on standard error, and this exit code."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.startswith("pyheta: ")
    assert len(done.stderr.splitlines()) == 1
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("asked", "words"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_what_the_data_do_not_allow_is_refused_at_its_place(
    pyheta: Call, home: Path, tmp_path: Path, asked: tuple[str, str], words: list[str]
) -> None:
    (tmp_path / "d.csv").write_text(table())
    (tmp_path / "s.yaml").write_text(sweep(*asked))

    refused(pyheta("run", "s.yaml"), 2, words)

    assert not (home / "pyheta").exists()


def test_the_answer_about_a_gap_accepts_the_file(pyheta: Call, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(table())
    (tmp_path / "s.yaml").write_text(
        sweep("{path: d.csv, missing: {fill: forward, limit: 3}}", "[temp]")
    )

    assert pyheta("plan", "s.yaml").returncode == 0


def clocks_put_back() -> bytes:
    """A night in Zurich without a zone: two rows at 02:00."""
    hours = [0, 1, 2, 2, *range(3, 24)]
    lines = [f"2021-10-31 {hour:02}:00,{row}" for row, hour in enumerate(hours)]
    return "\n".join(["date,load", *lines, ""]).encode()


def two_in_a_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("a.csv", table())
        files.writestr("b.csv", table())
    return packed.getvalue()


BAD_FILES: dict[str, tuple[str, Callable[[], bytes], list[str]]] = {
    "two rows in one hour of a clock change": (
        "d.csv",
        clocks_put_back,
        ["d.csv: row 5, column 'date'", "2021-10-31 02:00:00", "time_zone", "duplicates: first"],
    ),
    "a zip with two files": ("d.zip", two_in_a_zip, ["d.zip", "a.csv", "b.csv"]),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_can_be_read_in_two_ways_is_asked_about(
    pyheta: Call,
    home: Path,
    tmp_path: Path,
    *,
    name: str,
    content: Callable[[], bytes],
    words: list[str],
) -> None:
    (tmp_path / name).write_bytes(content())

    refused(pyheta("data", "check", name), 2, words)

    assert not (home / "pyheta").exists()


# ---- what comes from somewhere else --------------------------------------------------------------


def kept(home: Path) -> list[str]:
    """Whole files of sources, and what stands about them."""
    folder = home / "pyheta" / "sources"
    names = [path.name for path in folder.rglob("*")] if folder.exists() else []
    return [name for name in names if ".part" not in name]


OTHER = "0" * 64

BAD_ADDRESSES = {
    "an address without a file": ({"status": 404}, "", 2, ["there is no such file (404)"]),
    "half a download": ({"breaks_after": 100}, "", 75, ["broke off"]),
    "a wrong checksum": ({}, f", sha256: '{OTHER}'", 2, [OTHER, "SHA-256"]),
}


@pytest.mark.parametrize(
    ("page", "more", "code", "words"), BAD_ADDRESSES.values(), ids=BAD_ADDRESSES
)
def test_what_an_address_does_not_give_is_said_and_not_kept(
    pyheta: Call,
    home: Path,
    tmp_path: Path,
    web: Web,
    *,
    page: dict[str, int],
    more: str,
    code: int,
    words: list[str],
) -> None:
    url = web.put("/d.csv", table().encode(), **page)
    (tmp_path / "s.yaml").write_text(sweep(f"{{source: {{url: '{url}'{more}}}}}", "[]"))

    refused(pyheta("run", "s.yaml", no_proxy="127.0.0.1"), code, ["/d.csv", *words])

    assert kept(home) == []
    assert not (home / "pyheta" / "postgres").exists()


def test_a_query_that_gives_nothing_is_said_and_not_kept(
    pyheta: Call, home: Path, tmp_path: Path, empty_database_url: str
) -> None:
    source = "{postgresql: MY_DB, query: SELECT 1 AS load WHERE false}"
    (tmp_path / "s.yaml").write_text(sweep(f"{{source: {source}}}", "[]"))

    done = pyheta("run", "s.yaml", MY_DB=empty_database_url)

    refused(done, 2, ["the query gives no rows"])
    assert kept(home) == []


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("{btg: PETR4, start: 2026-01-05, end: 2026-01-07}", "SOLUTIONS_DATASERVICES_API_KEY"),
        ("{postgresql: MY_DB, query: SELECT 1}", "MY_DB"),
    ],
)
def test_a_key_that_is_missing_is_named(
    pyheta: Call, home: Path, tmp_path: Path, source: str, variable: str
) -> None:
    (tmp_path / "s.yaml").write_text(sweep(f"{{source: {source}}}", "[]"))

    refused(pyheta("run", "s.yaml"), 78, [f"the variable {variable} is not set"])

    assert kept(home) == []
