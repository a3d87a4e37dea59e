"""Prices from Yahoo Finance, through the package yfinance, which is no service of Yahoo's."""

from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field

from pyheta.errors import ConfigError, DataError, Unreachable
from pyheta.fetch.source import Date, Means, Source, write_table

Interval = Literal["1m", "2m", "5m", "15m", "30m", "60m", "90m", "1h", "1d", "5d", "1wk", "1mo"]


class Yfinance(Source):
    """`source: {yfinance: PETR4.SA, start: 2015-01-01}`: open, high, low, close and volume."""

    yfinance: str = Field(pattern=r"^[A-Za-z0-9.^=-]{1,32}$")
    start: Date | None = None  # the first there is
    end: Date | None = None  # not included; the last there is
    interval: Interval = "1d"
    adjust: bool = True  # for dividends and splits

    def place(self, means: Means) -> str:
        del means
        return f"yfinance {self.yfinance}"

    def write(self, to: Path, means: Means) -> None:
        del means
        prices = self._ask(_package())
        if prices is None or prices.empty:
            cure = "check the ticker, as in PETR4.SA, and the dates"
            raise DataError("gives no prices", where=f"yfinance {self.yfinance}", cure=cure)
        write_table(to, _table(prices))

    def _ask(self, package: Any) -> Any:
        """A pandas table by time, or None."""
        try:
            return package.download(
                self.yfinance,
                start=self.start,
                end=self.end,
                period=None if self.start or self.end else "max",
                interval=self.interval,
                auto_adjust=self.adjust,
                progress=False,
                threads=False,
                multi_level_index=False,
            )
        except Exception as error:
            text = str(error).partition("\n")[0]
            what = f"gives no answer: {type(error).__name__}: {text}"
            cure = "check the network, then try again later"
            raise Unreachable(what, where=f"yfinance {self.yfinance}", cure=cure) from error


def _package() -> Any:
    try:
        import yfinance
    except ImportError as error:
        cure = "install it: pip install 'pyheta[finance]'"
        raise ConfigError("source 'yfinance' needs the package yfinance", cure=cure) from error
    return yfinance


def _table(prices: Any) -> pl.DataFrame:
    """A pandas table as ours, its index as the first column; times of a zone are in UTC."""
    zoned = prices.index.tz is not None
    index = prices.index.tz_convert("UTC").tz_localize(None) if zoned else prices.index
    time = pl.Series("time", index.to_numpy().astype("datetime64[us]"))
    columns = [pl.Series(str(name), prices[name].to_numpy(float)) for name in prices.columns]
    return pl.DataFrame([time.dt.replace_time_zone("UTC") if zoned else time, *columns])
