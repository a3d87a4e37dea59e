"""Every attempt of a run's steps: outcome, traceback, log."""

from collections.abc import Iterator
from itertools import chain

from rich.console import Group, RenderableType
from rich.text import Text

from pyheta.commands.show import RunDetails
from pyheta.screen import moment, plain
from pyheta.store.seam import AttemptRow


def logs_view(details: RunDetails) -> RenderableType:
    """Every attempt with its outcome, its traceback and its log."""
    if not details.attempts:
        return Text("no attempt yet")
    keys = {step.id: step.key for step in details.steps}
    shown = (_attempt(attempt, keys[attempt.step]) for attempt in details.attempts)
    return Group(*chain.from_iterable(shown))


def _attempt(attempt: AttemptRow, key: str) -> Iterator[Text]:
    outcome = attempt.outcome or "running"
    style = "green" if outcome == "ok" else "cyan" if attempt.outcome is None else "bold red"
    place = f"{attempt.host}:{attempt.pid}, fence {attempt.fence}, {moment(attempt.started_at)}"
    yield Text.assemble((f"{attempt.op} {key[:12]} ", "bold"), (outcome, style), f" {place}")
    for text in (attempt.reason, attempt.detail, attempt.log):
        if text and text.strip():
            yield Text(plain(text).rstrip(), style="dim" if text is attempt.log else "")
