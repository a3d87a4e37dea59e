"""Sources that ask a service, against stand-ins that answer as the services are documented to.

The services themselves are never asked here.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import polars as pl
import pytest
from web import Web

from pyheta.errors import ConfigError, DataError, Unreachable
from pyheta.fetch.http import silent
from pyheta.fetch.keep import Keep
from pyheta.fetch.registry import read_source
from pyheta.fetch.source import Means
from pyheta.fetch.sources import btg, meteoswiss

KEY = "s3cret-key"
BTG = {"btg": "PETR4", "start": "2026-01-05", "end": "2026-01-07"}
CANDLES = [
    {"date": "2026-01-05", "open": 30.5, "close": 31, "volume": 1_000},
    {"date": "2026-01-06", "open": 31.5, "close": 31.25, "volume": 2_000},
]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return Keep(tmp_path / "sources", Means({btg.KEY: KEY}, silent))


def nothing_kept(keep: Keep) -> bool:
    return not keep.folder.exists() or list(keep.folder.iterdir()) == []


class TestYfinance:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """A package yfinance that gives `prices` and notes what it was asked for."""
        asked: dict[str, Any] = {"prices": prices()}

        def download(ticker: str, **options: Any) -> Any:
            asked.update(options, ticker=ticker)
            if isinstance(asked["prices"], Exception):
                raise asked["prices"]
            return asked["prices"]

        monkeypatch.setitem(sys.modules, "yfinance", SimpleNamespace(download=download))
        return asked

    def test_prices_are_kept_as_a_table(self, keep: Keep, asked: dict[str, Any]) -> None:
        frame = pl.read_parquet(keep.bring({"yfinance": "PETR4.SA"}).path)

        assert frame.schema == {
            "time": pl.Datetime("us"),
            "Close": pl.Float64,
            "Volume": pl.Float64,
        }
        assert frame["Close"].to_list() == [30.5, 31.5]
        assert (asked["ticker"], asked["period"], asked["start"]) == ("PETR4.SA", "max", None)
        assert (asked["multi_level_index"], asked["progress"]) == (False, False)

    def test_dates_take_the_place_of_the_whole_period(
        self, keep: Keep, asked: dict[str, Any]
    ) -> None:
        keep.bring({"yfinance": "PETR4.SA", "start": "2026-01-05", "interval": "1h"})
        assert (asked["start"], asked["period"], asked["interval"]) == ("2026-01-05", None, "1h")

    def test_times_of_a_zone_are_in_utc(self, keep: Keep, asked: dict[str, Any]) -> None:
        asked["prices"] = prices(zone="America/Sao_Paulo")

        frame = pl.read_parquet(keep.bring({"yfinance": "PETR4.SA"}).path)

        assert frame.schema["time"] == pl.Datetime("us", "UTC")
        assert frame["time"].dt.hour().to_list() == [3, 3]

    @pytest.mark.parametrize("answer", [None, pd.DataFrame()])
    def test_no_prices_are_no_data_set(
        self, keep: Keep, asked: dict[str, Any], answer: Any
    ) -> None:
        asked["prices"] = answer
        with pytest.raises(DataError, match=r"yfinance XYZ: gives no prices; check the ticker"):
            keep.bring({"yfinance": "XYZ"})
        assert nothing_kept(keep)

    def test_trouble_of_the_package_is_told_in_one_sentence(
        self, keep: Keep, asked: dict[str, Any]
    ) -> None:
        asked["prices"] = RuntimeError("Too Many Requests\nlong story")
        with pytest.raises(Unreachable, match=r"RuntimeError: Too Many Requests; check the net"):
            keep.bring({"yfinance": "XYZ"})
        assert nothing_kept(keep)

    def test_without_the_package_the_extra_is_named(
        self, keep: Keep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "yfinance", None)
        with pytest.raises(ConfigError, match=r"pip install 'pyheta\[finance\]'"):
            keep.bring({"yfinance": "XYZ"})


def prices(zone: str | None = None) -> Any:
    index = pd.DatetimeIndex(["2026-01-05", "2026-01-06"], name="Date", tz=zone)
    return pd.DataFrame({"Close": [30.5, 31.5], "Volume": [1, 2]}, index=index)


class TestBtg:
    @pytest.fixture
    def service(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
        monkeypatch.setattr(btg, "SERVICE", web.url)
        web.put("/v2/authenticate", json.dumps({"AccessToken": "t0ken"}).encode())
        candles(web, CANDLES)
        return web

    def test_candles_are_kept_as_a_table(self, keep: Keep, service: Web) -> None:
        frame = pl.read_parquet(keep.bring(BTG).path)

        assert frame["close"].to_list() == [31, 31.25]
        assert frame.columns == ["date", "open", "close", "volume"]

    def test_the_key_goes_into_the_question_for_a_token_alone(
        self, keep: Keep, service: Web
    ) -> None:
        kept = keep.bring(BTG)

        path, headers = service.asked[-1]
        assert json.loads(service.posted[0])["api_key"] == KEY
        assert headers["Authorization"] == "authorization t0ken"
        assert "ticker=PETR4&start_date=2026-01-05&end_date=2026-01-07" in path
        assert "corporate_events_adj=true" in path
        files = "".join(file.read_text(errors="replace") for file in keep.folder.iterdir())
        for secret in (KEY, "t0ken"):
            assert secret not in files + path + repr(kept)

    def test_a_key_that_is_missing_is_named(self, tmp_path: Path, service: Web) -> None:
        with pytest.raises(ConfigError, match=f"the variable {btg.KEY} is not set"):
            Keep(tmp_path / "sources", Means({}, silent)).bring(BTG)
        assert service.asked == []

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_key_that_is_refused_is_not_shown(
        self, keep: Keep, service: Web, status: int
    ) -> None:
        service.put("/v2/authenticate", f"bad key {KEY}".encode(), status=status)
        with pytest.raises(ConfigError, match=f"the key in {btg.KEY} is refused") as refusal:
            keep.bring(BTG)
        assert KEY not in str(refusal.value)
        assert nothing_kept(keep)

    @pytest.mark.parametrize(
        ("answer", "kind", "message"),
        [
            ([], DataError, "gives no prices"),
            ({"ApiClientError": "?"}, DataError, "answers with no table"),
            ("?", DataError, "answers with no table"),
            ([1], DataError, "answers with no table"),
            ([{"a": 1}, {"a": [1]}], DataError, "answers with a table of mixed types"),
        ],
    )
    def test_an_answer_that_is_no_table_is_refused(
        self, keep: Keep, service: Web, answer: Any, kind: type[Exception], message: str
    ) -> None:
        candles(service, answer)
        with pytest.raises(kind, match=message):
            keep.bring(BTG)
        assert nothing_kept(keep)

    @pytest.mark.parametrize("body", [b"<html>", b'{"token": 1}'])
    def test_an_answer_without_a_token_is_refused(
        self, keep: Keep, service: Web, body: bytes
    ) -> None:
        service.put("/v2/authenticate", body)
        with pytest.raises(Unreachable, match=r"answers with(out a token| no JSON)"):
            keep.bring(BTG)

    def test_the_token_is_not_taken_to_another_host(self, keep: Keep, service: Web) -> None:
        elsewhere = service.url.replace("127.0.0.1", "localhost") + "/there"
        service.put("/there", json.dumps(CANDLES).encode())
        moved = {"Location": elsewhere}
        service.put(HISTORY, b"", status=302, headers=moved)

        keep.bring(BTG)

        assert service.asked[-1][0] == "/there"
        assert "Authorization" not in service.headers()


HISTORY = "/v3/marketdata/history/candles/interday/stocks"


def candles(web: Web, answer: Any) -> None:
    web.put(HISTORY, json.dumps(answer).encode())


class TestMeteoswiss:
    @pytest.mark.parametrize(
        ("source", "path"),
        [
            ({"meteoswiss": "BER"}, "smn/ber/ogd-smn_ber_d_historical.csv"),
            (
                {"meteoswiss": "PLS", "network": "pollen", "every": "hour", "period": "recent"},
                "pollen/pls/ogd-pollen_pls_h_recent.csv",
            ),
            (
                {"meteoswiss": "BER", "every": "10min", "period": "historical_2020-2029"},
                "smn/ber/ogd-smn_ber_t_historical_2020-2029.csv",
            ),
            ({"meteoswiss": "BER", "every": "year"}, "smn/ber/ogd-smn_ber_y.csv"),
        ],
    )
    def test_a_station_is_a_file(
        self,
        keep: Keep,
        web: Web,
        monkeypatch: pytest.MonkeyPatch,
        source: dict[str, str],
        path: str,
    ) -> None:
        monkeypatch.setattr(meteoswiss, "SERVICE", web.url)
        body = b"station_abbr;reference_timestamp;tre200d0\nBER;01.01.2025 00:00;-1.5\n"
        web.put(f"/ch.meteoschweiz.ogd-{path}", body)

        assert keep.bring(source).path.read_bytes() == body

    def test_a_station_that_is_not_there_says_where_to_look(
        self, keep: Keep, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(meteoswiss, "SERVICE", web.url)
        with pytest.raises(DataError, match=r"no such file \(404\); see which stations"):
            keep.bring({"meteoswiss": "XYZ"})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"yfinance": "PETR4.SA", "start": "1/1/2020"}, "start: expected a day as 2026-01-31"),
        ({"yfinance": "PETR4.SA", "intervall": "1d"}, "unknown key 'intervall'; did you mean"),
        ({"yfinance": "a b"}, "yfinance: string should match"),
        ({"btg": "PETR4"}, "missing key 'start'"),
        ({"meteoswiss": "BERN"}, "meteoswiss: string should match"),
        ({"meteoswiss": "BER", "every": "week"}, "every: input should be"),
    ],
)
def test_a_mistake_in_the_options_is_named(source: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_source(source)
    assert message in str(refusal.value)
