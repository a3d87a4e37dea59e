"""A web server on this machine for each test."""

from collections.abc import Iterator

import pytest
import web as webserver


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[webserver.Web]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with webserver.serve() as served:
        yield served
