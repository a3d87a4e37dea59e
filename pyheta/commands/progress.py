"""How far a download is: a bar on a terminal, now and then a line elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyheta.fetch.http import Tell
from pyheta.screen import Screen, volume

#: In a pipe there is a line for each so many bytes.
STEP = 32 << 20


@contextmanager
def progress(name: str, screen: Screen) -> Iterator[Tell]:
    """Shows what it is told, under this name."""
    if not screen.live:
        yield _Lines(name, screen)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    with Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=screen.err,
        transient=True,
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


class _Lines:
    """Says at each step how much is there."""

    def __init__(self, name: str, screen: Screen) -> None:
        self._name = name
        self._screen = screen
        self._next = STEP

    def __call__(self, have: int, total: int | None) -> None:
        if have >= self._next:
            self._next = have - have % STEP + STEP
            of = f" of {volume(total)}" if total else ""
            self._screen.note(f"{self._name}: {volume(have)}{of}")
