"""How the bytes of a file are taken for a table. All of it is found by looking at the file."""

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pyheta.errors import nearest
from pyheta.section import Section

ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1250", "cp1251", "cp1252"),
    *("cp1253", "cp1254", "cp437", "cp850", "iso-8859-15", "mac-roman", "koi8-r"),
    *("shift-jis", "euc-jp", "euc-kr", "gb18030", "big5"),
)


def _encoding_of_text(name: str) -> str:
    try:
        "".encode(codecs.lookup(name).name)  # some that Python knows are of bytes, not of text
    except LookupError as error:
        raise ValueError(f"unknown encoding '{name}'; {nearest(name, ENCODINGS)}") from error
    return name


def _separating(sign: str) -> str:
    if not sign.isascii() or sign.isalnum() or sign in '"\r\n\0.-+':
        raise ValueError(f"{sign!r} cannot separate cells; ',', ';', '\\t', '|' or ' ' can")
    return sign


class Format(Section):
    """Options of `pipeline.data.files.rawfile`."""

    separator: Annotated[str, AfterValidator(_separating)] | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="What stands between two cells; a space stands for any number of them.",
    )
    decimal: Literal[".", ","] | None = Field(
        default=None,
        description="The decimal sign; the other one then stands between thousands, if anywhere.",
    )
    encoding: Annotated[str, AfterValidator(_encoding_of_text)] | None = Field(
        default=None, max_length=40, description="utf-8, utf-16, latin-1, …"
    )
    sheet: str | None = Field(default=None, max_length=100, description="Of an Excel file.")
    skip_rows: int | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Lines before the one with the names; 0 where that is the first line.",
    )
    comment: str | None = Field(
        default=None, min_length=1, max_length=10, description="How lines begin that say nothing."
    )
