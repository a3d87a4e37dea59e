"""What all commands share: the options before a command, and the settings, screen and services.

Nothing heavy is imported before it is used, so that `pyheta --help` answers at once.
"""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pyheta.commands.library import Library
    from pyheta.plan.prepare import CheckedSweep
    from pyheta.screen import Screen
    from pyheta.settings import Settings
    from pyheta.wiring import Services

T = TypeVar("T")


@dataclass
class Session:
    """One call of `pyheta`."""

    home: Path | None = None
    data: Path | None = None
    debug: bool = False
    quiet: bool = False

    @cached_property
    def settings(self) -> "Settings":
        from pyheta.settings import Settings

        settings = Settings.read(os.environ, Path.cwd(), home=self.home, data=self.data)
        for warning in settings.warnings:
            self.screen.warn(warning)
        return settings

    @cached_property
    def screen(self) -> "Screen":
        from pyheta.screen import Screen

        return Screen(quiet=self.quiet)

    @cached_property
    def library(self) -> "Library":
        from pyheta.commands.library import Library
        from pyheta.commands.shelf import Shelf

        return Library(self.settings, self.screen, Shelf(self))

    def prepare(self, sweep: Path, overrides: Sequence[str] | None = None) -> "CheckedSweep":
        """Read and check a sweep file, and say what was decided on the way."""
        from pyheta.plan.prepare import prepare

        prepared = prepare(sweep, overrides or (), self.settings.data, self.library.bring)
        for note in (*prepared.notes, *prepared.remarks):
            self.screen.note(note)
        return prepared

    def call(self, service: "Callable[[Services], Awaitable[T]]") -> T:
        """Run one service with store, broker and artifacts open."""
        import asyncio

        from pyheta.wiring import open_services

        async def opened() -> T:
            async with open_services(self.settings) as services:
                return await service(services)

        return asyncio.run(opened())

    def change(self, service: "Callable[[Services], Awaitable[T]]") -> T:
        """Run one service that may make steps ready, and announce those to the broker."""

        async def announced(services: "Services") -> T:
            result = await service(services)
            if warning := await services.announce():
                self.screen.warn(warning)
            return result

        return self.call(announced)

    def print(self, value: T, view: "Callable[[T], RenderableType]", *, as_json: bool) -> None:
        """Print one result, for people or as JSON."""
        if as_json:
            self.screen.json(value)
        else:
            self.screen.show(view(value))
