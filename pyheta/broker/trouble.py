"""Warnings about trouble that lasts: one a minute instead of one a try."""

import logging
import time

SECONDS_BETWEEN = 60.0


class Trouble:
    """One kind of trouble: the first time is logged at once, then at most one line a minute."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._quiet_until = float("-inf")
        self._unsaid = 0

    def warn(self, text: str) -> None:
        """Log `text` as a warning, with the number of warnings left out since the last one."""
        now = time.monotonic()
        if now < self._quiet_until:
            self._unsaid += 1
            return
        more = f" ({self._unsaid} more since the last warning)" if self._unsaid else ""
        self._log.warning("%s%s", text, more)
        self._quiet_until = now + SECONDS_BETWEEN
        self._unsaid = 0
