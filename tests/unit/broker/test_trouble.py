"""Lasting trouble is said once a minute, with the number of times it was not said."""

import logging
import time

import pytest

from pyheta.broker.trouble import Trouble


def test_a_warning_is_repeated_after_a_minute_with_the_number_left_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(logging.getLogger("test"))

    for now in (10.0, 11.0, 69.9, 70.0, 131.0):
        monkeypatch.setattr(time, "monotonic", lambda now=now: now)
        trouble.warn(f"broken at {now:g}")

    assert [record.getMessage() for record in caplog.records] == [
        "broken at 10",
        "broken at 70 (2 more since the last warning)",
        "broken at 131",
    ]
