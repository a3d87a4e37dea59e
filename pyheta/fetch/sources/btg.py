"""Daily prices of the Brazilian exchange, from BTG Pactual's data service."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlencode

import polars as pl
from pydantic import Field

from pyheta.errors import ConfigError, DataError, Unreachable
from pyheta.fetch.http import LARGEST, Refused, ask
from pyheta.fetch.source import Date, Means, Source, write_table

SERVICE: Final = "https://dataservices.btgpactualsolutions.com/api"
KEY: Final = "SOLUTIONS_DATASERVICES_API_KEY"


class Btg(Source):
    """`source: {btg: PETR4, start: 2015-01-01, end: 2025-01-01}`.

    The key is in the environment. It goes to the service alone and is never shown.
    """

    btg: str = Field(pattern=r"^[A-Za-z0-9]{1,32}$")
    start: Date
    end: Date
    market: Literal["stocks", "derivatives"] = "stocks"
    adjust: bool = True  # for corporate events

    def place(self, means: Means) -> str:
        del means
        return f"btg {self.btg}"

    def write(self, to: Path, means: Means) -> None:
        rows = self._rows(_token(means.variable(KEY, "your key of BTG's data service")))
        if not rows:
            cure = "check the ticker and the dates"
            raise DataError("gives no prices", where=f"btg {self.btg}", cure=cure)
        write_table(to, _table(rows))

    def _rows(self, token: str) -> Any:
        options = {
            "ticker": self.btg,
            "start_date": self.start,
            "end_date": self.end,
            "corporate_events_adj": str(self.adjust).lower(),
            "rmv_after_market": "true",
            "timezone": "America/Sao_Paulo",
        }
        url = f"{SERVICE}/v3/marketdata/history/candles/interday/{self.market}?{urlencode(options)}"
        return _answer(url, {"Authorization": f"authorization {token}"})


def _token(key: str) -> str:
    body = json.dumps({"api_key": key, "client_id": "pyheta"}).encode()
    headers = {"Content-Type": "application/json"}
    answer = _answer(f"{SERVICE}/v2/authenticate", headers, body)
    token = answer.get("AccessToken") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise Unreachable("answers without a token", where=SERVICE, cure="try again later")
    return token


def _answer(url: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:
    """The JSON that is answered. Raises ConfigError if the key is refused."""
    try:
        with ask(url, headers, body) as response:
            answer = response.read(LARGEST)
    except Refused as error:
        if error.status in (401, 403):
            raise ConfigError(f"the key in {KEY} is refused", where=SERVICE) from error
        raise
    try:
        return json.loads(answer)
    except ValueError as error:
        raise Unreachable("answers with no JSON", where=SERVICE, cure="try again later") from error


def _table(rows: Any) -> pl.DataFrame:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError("answers with no table", where=SERVICE)
    try:
        return pl.DataFrame(rows, infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise DataError("answers with a table of mixed types", where=SERVICE) from error
