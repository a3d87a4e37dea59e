"""Public holidays of a country, or of a part of it: `holiday` is 1 on them, else 0."""

from collections.abc import Iterator, Mapping

import numpy as np

from pyheta.errors import DataError, nearest
from pyheta.pipeline.features.feature import Given, Made


def holidays(place: str, given: Given) -> Iterator[Made]:
    """`place` is CH or CH-ZH. Raises DataError where it, or the package, is not known."""
    try:
        from holidays import country_holidays, list_supported_countries
    except ImportError as error:
        what = "the feature 'holidays' needs the package holidays"
        raise DataError(what, cure="pip install 'pyheta[holidays]'") from error
    country, _, part = place.upper().partition("-")
    _refuse_unknown(country, part, list_supported_countries())
    dates = given.times("holidays").dt.date()
    years = range(dates.min().year, dates.max().year + 1)  # type: ignore[union-attr]
    free = country_holidays(country, subdiv=part or None, years=years)
    days = dates.unique()
    closed = days.filter([day in free for day in days])
    yield Made("holiday", dates.is_in(closed.implode()).to_numpy().astype(np.float64), known=True)


def _refuse_unknown(country: str, part: str, known: Mapping[str, list[str]]) -> None:
    if country not in known:
        cure = nearest(country, sorted(code for code in known if len(code) == len(country)))
        raise DataError(f"no holidays are known of '{country}'", where="features", cure=cure)
    if part and part not in known[country]:
        cure = nearest(part, known[country]) if known[country] else f"write {country}"
        what = f"no holidays are known of '{part}' in {country}"
        raise DataError(what, where="features", cure=cure)
