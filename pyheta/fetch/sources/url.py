"""A file of the web."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from pyheta.fetch.http import download
from pyheta.fetch.source import Means, Source
from pyheta.settings import masked

_ENDING = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}$")


class Url(Source):
    """`source: {url: https://host/file.csv}`."""

    url: str = Field(min_length=1, max_length=4096)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")

    @property
    def ending(self) -> str:
        """That of the address."""
        found = _ENDING.search(urlsplit(self.url).path)
        return found[0] if found else ""

    def place(self, means: Means) -> str:
        del means
        return masked(self.url)

    def write(self, to: Path, means: Means) -> None:
        download([self.url], to, sha256=self.sha256, tell=means.tell)
