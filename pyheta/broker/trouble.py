"""Warnings about lasting trouble: one a minute instead of one a try."""

import logging
import time

SECONDS_BETWEEN = 60.0


class Trouble:
    """One kind of trouble: the first time is logged at once, then at most one line a minute."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._quiet_until = float("-inf")
        self._left_out = 0

    def warn(self, text: str) -> None:
        """Log `text` as a warning, with the number of warnings left out since the last one."""
        now = time.monotonic()
        if now < self._quiet_until:
            self._left_out += 1
            return
        more = f" ({self._left_out} more since the last warning)" if self._left_out else ""
        self._log.warning("%s%s", text, more)
        self._quiet_until = now + SECONDS_BETWEEN
        self._left_out = 0
