"""Measurements of MeteoSwiss, its open data: CC BY 4.0, "Source: MeteoSwiss"."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from pyheta.errors import DataError
from pyheta.fetch.http import Refused, download
from pyheta.fetch.source import Means, Source

SERVICE: Final = "https://data.geo.admin.ch"
NETWORKS: Final[Mapping[str, str]] = {"weather": "smn", "pollen": "pollen"}
STEPS: Final[Mapping[str, str]] = {
    "10min": "t",
    "hour": "h",
    "day": "d",
    "month": "m",
    "year": "y",
}


class Meteoswiss(Source):
    """`source: {meteoswiss: BER, every: day}`: all that one station measures."""

    meteoswiss: str = Field(pattern="^[A-Za-z]{3}$")
    network: Literal["weather", "pollen"] = "weather"
    every: Literal["10min", "hour", "day", "month", "year"] = "day"
    # Up to the end of last year, this year's until yesterday, since yesterday; long files are cut
    # into decades.
    period: str = Field(default="historical", pattern=r"^(historical(_\d{4}-\d{4})?|recent|now)$")

    @property
    def ending(self) -> str:
        return ".csv"

    def place(self, means: Means) -> str:
        del means
        network, station = NETWORKS[self.network], self.meteoswiss.lower()
        period = "" if self.every == "year" else f"_{self.period}"
        file = f"ogd-{network}_{station}_{STEPS[self.every]}{period}.csv"
        return f"{SERVICE}/ch.meteoschweiz.ogd-{network}/{station}/{file}"

    def write(self, to: Path, means: Means) -> None:
        try:
            download([self.place(means)], to, tell=means.tell)
        except Refused as error:
            cure = "see which stations, steps and periods there are: opendatadocs.meteoswiss.ch"
            raise DataError(error.what, where=error.where, cure=cure) from error
