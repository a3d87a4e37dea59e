"""Watch a sweep until it is finished: a redrawn view on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from time import monotonic

from rich.live import Live

from pyheta.commands.status import Status
from pyheta.commands.status_view import line, view
from pyheta.errors import StoreUnavailable
from pyheta.screen import Screen

Look = Callable[[], Awaitable[Status]]

REDRAW_SECONDS = 1.0
LOOK_SECONDS = 2.0
#: Without a terminal: a line every so many seconds, or whenever this share more of it is done.
LINE_SECONDS = 10.0
LINE_SHARE = 0.1


async def follow_sweep(look: Look, screen: Screen) -> Status:
    """Show a sweep's progress until it is finished; the last status."""
    return await (_redraw(look, screen) if screen.live else _print_lines(look, screen))


async def _redraw(look: Look, screen: Screen) -> Status:
    with Live(console=screen.err, auto_refresh=False, transient=True) as live:
        async for status in _looks(look, REDRAW_SECONDS):
            live.update(view(status), refresh=True)
    return status


async def _print_lines(look: Look, screen: Screen) -> Status:
    printed_at, printed_share = monotonic(), -1.0
    async for status in _looks(look, LOOK_SECONDS):
        share = status.done / max(status.total, 1)
        due = monotonic() - printed_at >= LINE_SECONDS or share - printed_share >= LINE_SHARE
        if due or status.finished:
            screen.note(line(status))
            printed_at, printed_share = monotonic(), share
    return status


async def _looks(look: Look, pause: float) -> AsyncIterator[Status]:
    """Look until the sweep is finished. While the store is away, nothing is yielded."""
    finished = False
    while not finished:
        with suppress(StoreUnavailable):
            status = await look()
            finished = status.finished
            yield status
        if not finished:
            await asyncio.sleep(pause)
