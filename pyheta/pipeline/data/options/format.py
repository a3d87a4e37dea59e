"""How the bytes of a file are taken for a table. All of it is found by looking at the file."""

from typing import Literal

from pydantic import Field

from pyheta.section import Section


class Format(Section):
    """Options of `pipeline.data.rawfile`."""

    separator: str | None = Field(
        default=None, min_length=1, max_length=1, description="What stands between two cells."
    )
    decimal: Literal[".", ","] | None = Field(default=None, description="The decimal sign.")
    encoding: str | None = Field(
        default=None, max_length=40, description="utf-8, utf-16, latin-1, …"
    )
    sheet: str | None = Field(default=None, max_length=100, description="Of an Excel file.")
    skip_rows: int | None = Field(
        default=None, ge=0, le=100_000, description="Lines before the one with the names."
    )
    comment: str | None = Field(
        default=None, min_length=1, max_length=10, description="How lines begin that say nothing."
    )
