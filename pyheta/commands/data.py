"""What one data set holds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from pyheta.commands.library import Library
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.own import NAME
from pyheta.screen import duration, plain, table


def check(name_or_path: str, time: str | None, library: Library) -> DatasetFacts:
    """Read and check a data set by its name or its path. Raises DataError."""
    kind = "path" if Path(name_or_path).exists() or not NAME.fullmatch(name_or_path) else "name"
    options = {"time": time} if time else {}
    return library.look({kind: name_or_path, **options}, Path.cwd())


def facts_json(facts: DatasetFacts) -> Mapping[str, Any]:
    """What machines are told of a data set."""
    return {
        "source": facts.source,
        "files": facts.files,
        "columns": facts.columns,
        "rows": facts.rows,
        "first": facts.first,
        "last": facts.last,
        "step_seconds": facts.cadence.seconds,
        "season": facts.cadence.season,
        "left_out": {name: str(error) for name, error in facts.left_out.items()},
        "notes": facts.notes,
    }


def facts_view(facts: DatasetFacts) -> RenderableType:
    shown = table("in order", "")
    shown.add_row("rows", f"{facts.rows:,}, one every {duration(facts.cadence.seconds)}")
    shown.add_row("from", facts.first.isoformat(" "))
    shown.add_row("to", facts.last.isoformat(" "))
    shown.add_row("columns", plain(", ".join(facts.columns)))
    for name, error in facts.left_out.items():
        shown.add_row("left out", plain(f"{name}: {error}"))
    for note in facts.notes:
        shown.add_row("", plain(note))
    return shown
