"""Seasonal-trend decomposition by loess (Cleveland et al. 1990)."""

from pyheta.errors import StepError
from pyheta.pipeline.decomposition.method import Computation, Method, Options


def _components(_options: Options) -> tuple[str, ...]:
    return ("Seasonal", "Trend", "Remainder")


def _load() -> Computation:
    from pyheta.pipeline.decomposition.linear import Linear
    from pyheta.pipeline.decomposition.stl import stl_rows

    return Linear(stl_rows)


def _least_rows(options: Options) -> int:
    return 2 * int(options["period"])


def _refuse_unfit(rows: int, options: Options) -> None:
    if rows < _least_rows(options):
        what = f"{rows:,} rows are fewer than two seasons of decompose.period {options['period']:,}"
        raise StepError(what, where="decompose.period", cure="use a shorter period or more rows")


STL = Method(
    "stl",
    _components,
    _load,
    options=("period",),
    least_rows=_least_rows,
    refuse_unfit=_refuse_unfit,
    package="statsmodels",
)
