"""The query of a real PostgreSQL as a data set: typed, bounded, and only read."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import polars as pl
import pytest
import servers
import tables

from pyheta.errors import ConfigError, DataError, PyhetaError, Unreachable
from pyheta.fetch.http import silent
from pyheta.fetch.keep import Keep, Kept
from pyheta.fetch.source import Means
from pyheta.fetch.sources import postgresql

SERIES = """
    SELECT time, (extract(hour FROM time) + 0.25)::numeric AS load, n::int AS n, n > 2 AS late,
        CASE WHEN n = 2 THEN NULL ELSE n::real END AS gap, 'a' || n AS label, time::date AS day,
        time AT TIME ZONE 'UTC' AS moment
    FROM generate_series(0, 4) AS n, LATERAL (SELECT timestamp '2026-01-01' + n * interval '1 h')
        AS made (time)
    ORDER BY time
"""


@pytest.fixture
def url(empty_database_url: str) -> str:
    return empty_database_url


def ask(folder: Path, url: str, query: str, **how: Any) -> Kept:
    keep = Keep(folder / "sources", Means({"MY_DB": url}, silent))
    return keep.bring({"postgresql": "MY_DB", "query": query}, **how)


def refusal(folder: Path, url: str, query: str = "SELECT 1") -> PyhetaError:
    with pytest.raises(PyhetaError) as caught:
        ask(folder, url, query)
    sources = folder / "sources"
    assert not sources.exists() or list(sources.iterdir()) == []  # nothing is half stored
    return caught.value


def test_columns_keep_their_types(tmp_path: Path, url: str) -> None:
    frame = pl.read_parquet(ask(tmp_path, url, SERIES).path)

    assert frame.schema == {
        "time": pl.Datetime("us"),
        "load": pl.Float64,
        "n": pl.Int64,
        "late": pl.Boolean,
        "gap": pl.Float64,
        "label": pl.String,
        "day": pl.Date,
        "moment": pl.Datetime("us", "UTC"),
    }
    assert frame["load"].to_list() == [0.25, 1.25, 2.25, 3.25, 4.25]
    assert frame["gap"].to_list() == [0, 1, None, 3, 4]
    assert frame["moment"].dt.hour().to_list() == [0, 1, 2, 3, 4]


def test_more_rows_than_one_batch_come_in_their_order(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "BATCH", 7)
    query = "SELECT n FROM generate_series(1, 100) AS n ORDER BY n DESC"

    frame = pl.read_parquet(ask(tmp_path, url, query).path)

    assert frame["n"].to_list() == list(range(100, 0, -1))


def test_the_database_is_asked_once_and_again_only_when_wished(tmp_path: Path, url: str) -> None:
    asyncio.run(servers.fetch(url, "CREATE TABLE load (n int)"))
    asyncio.run(servers.fetch(url, "INSERT INTO load VALUES (1)"))
    query = "SELECT n FROM load"
    first = ask(tmp_path, url, query)
    asyncio.run(servers.fetch(url, "INSERT INTO load VALUES (2)"))

    assert ask(tmp_path, url, query).sha256 == first.sha256
    assert ask(tmp_path, url, query, refresh=True).sha256 != first.sha256


def test_equal_rows_are_equal_bytes(tmp_path: Path, url: str) -> None:
    hashes = {
        hashlib.sha256(ask(tmp_path / name, url, SERIES).path.read_bytes()).hexdigest()
        for name in ("a", "b")
    }
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 WHERE false", "the query gives no rows"),
        ("SELEC 1", 'the query is refused: syntax error at or near "SELEC"'),
        ("SELECT n FROM nowhere", 'the query is refused: relation "nowhere" does not exist'),
        ("SELECT 1; SELECT 2", "the query is refused: cannot insert multiple commands"),
        ("SELECT $1::int", "the query is refused: the server expects 1 argument"),
        ("SELECT 1 / 0", "the query is refused: division by zero"),
        ("CREATE TABLE t (n int)", "the query gives no table"),
        ("SET TRANSACTION READ WRITE", "the query gives no table"),
        ("SELECT 1 AS a, 2 AS a", "two columns are called 'a'"),
        ("SELECT '{}'::jsonb AS j", "column 'j' has the type jsonb"),
        ("SELECT ARRAY[1] AS a", "column 'a' has the type int4[]"),
    ],
)
def test_a_query_that_gives_no_series_is_refused(
    tmp_path: Path, url: str, query: str, message: str
) -> None:
    error = refusal(tmp_path, url, query)

    assert isinstance(error, DataError)
    assert message in str(error)


def test_a_query_cannot_change_the_database(tmp_path: Path, url: str) -> None:
    asyncio.run(servers.fetch(url, "CREATE TABLE load (n int)"))
    asyncio.run(
        tables.run_script(
            url,
            "CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS "
            "$$ INSERT INTO load VALUES (1) RETURNING n $$",
        )
    )
    for query in (
        "INSERT INTO load VALUES (1) RETURNING n",
        "SELECT sly() AS n",
        "WITH made AS (DELETE FROM load RETURNING n) SELECT n FROM made",
    ):
        assert "the query would change the database" in str(refusal(tmp_path, url, query))
    assert asyncio.run(servers.fetch(url, "SELECT count(*) FROM load")) == 0


def test_a_query_that_takes_too_long_is_stopped(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "SECONDS", 0.2)
    error = refusal(tmp_path, url, "SELECT 1 AS n FROM pg_sleep(60)")
    assert "the query takes longer" in str(error)


def test_more_than_fits_is_refused(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LARGEST", 10_000)
    error = refusal(tmp_path, url, "SELECT n FROM generate_series(1, 100000) AS n")
    assert "the query gives more than" in str(error)


def test_a_database_that_is_not_there_is_named_without_user_and_password(
    tmp_path: Path, url: str
) -> None:
    parts = urlsplit(url)
    secret = f"ann:s3cret@{parts.hostname}"
    absent = urlunsplit(parts._replace(netloc=f"{secret}:{parts.port}", path="/absent"))
    closed = urlunsplit(parts._replace(netloc=f"{secret}:1"))

    no_user, nobody = refusal(tmp_path, absent), refusal(tmp_path, closed)

    assert isinstance(no_user, ConfigError)
    assert isinstance(nobody, Unreachable)
    assert "connection refused" in str(nobody)
    for error in (no_user, nobody):
        assert "s3cret" not in str(error)
        assert "ann:" not in str(error)


@pytest.mark.parametrize(
    "address",
    [
        *("mysql://u:s3cret@h/d", "host=h password=s3cret", "postgresql://u:s3/cret@h/d"),
        *("postgresql://u:1s3?cret@h/d", "postgresql://u:3?s3cret@h/d"),
        *("postgresql://u:s3cret@x@h/d", "postgresql://u:s3?cret@h/d", "postgresql://u:s3#c@h/d"),
    ],
)
def test_an_address_that_is_none_is_refused_and_nothing_of_it_shown(
    tmp_path: Path, address: str
) -> None:
    error = refusal(tmp_path, address)

    assert isinstance(error, ConfigError)
    assert "MY_DB" in str(error)
    assert "s3" not in str(error)


def test_a_port_that_is_none_is_refused_without_the_password(tmp_path: Path) -> None:
    error = refusal(tmp_path, "postgresql://u:s3cret@127.0.0.1:port/d")
    assert "s3cret" not in str(error)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert "the variable MY_DB is not set" in str(refusal(tmp_path, ""))
