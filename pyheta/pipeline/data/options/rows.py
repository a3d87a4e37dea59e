"""Which rows there are, and what is done about those that are missing, double or out of order."""

from typing import Literal

from pydantic import Field

from pyheta.pipeline.data.options.named import Column
from pyheta.section import Section


class Rows(Section):
    """Options of `pipeline.data.panels`, `pipeline.data.rows` and `pipeline.data.missing`."""

    series: Column | None = Field(
        default=None, description="The column that tells the series of a panel apart."
    )
    pick: Column | None = Field(default=None, description="Which series of a panel.")
    sort: bool = Field(default=False, description="Sort rows that are out of order.")
    duplicates: Literal["first", "last", "mean"] | None = Field(
        default=None, description="Which of several rows of one time is taken."
    )
