"""A sweep: one YAML file, read, checked and expanded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyheta.errors import nearest
from pyheta.nets.configs.base import NetConfig
from pyheta.pipeline.metrics import METRICS
from pyheta.pipeline.own_metrics import titles
from pyheta.sweep.config import KEYS
from pyheta.sweep.expand import Run, expand
from pyheta.sweep.file import Explain, Report, SweepFile
from pyheta.sweep.given import FOLD, PICK, SERIES, Look, write_down
from pyheta.sweep.grid import Grid, read_grid
from pyheta.sweep.layers import read_layers
from pyheta.sweep.problems import Problems, shorten, unknown_key
from pyheta.sweep.syntax import Document


@dataclass(frozen=True, slots=True)
class Sweep:
    """A name and its runs. The same text gives the same runs in the same order.

    `text` is the file as it was written, `overrides` what the command line added; `axes` are the
    dotted keys that vary, and SERIES; `baselines` are the nets that run beside it, and
    `default_baselines` says that nobody has written any; relative paths of data sets start at the
    folder of `path`.
    """

    name: str
    seeds: tuple[int, ...]
    leakage: Literal["forbid", "allow"]
    priority: int
    explain: Explain
    report: Report
    axes: tuple[str, ...]
    baselines: tuple[NetConfig, ...]
    default_baselines: bool
    path: Path
    text: str
    overrides: tuple[str, ...]
    _runs: tuple[Run, ...] = field(repr=False)

    def runs(self) -> list[Run]:
        """All runs in their fixed order: the nets', then the baselines'."""
        return list(self._runs)


def read_sweep(path: Path, overrides: Sequence[str] = (), look: Look | None = None) -> Sweep:
    """Read a sweep file and expand it; `overrides` are `key=value` or `key=value,value`.

    `look` is asked where only the data can say which runs there are. Raises SweepError, or
    SweepErrors with up to twenty of them, each with its `file:line:column`; DataError for data that
    were looked at.
    """
    problems = Problems()
    document = read_layers(path, overrides, problems)
    default_baselines = "baselines" not in document.data
    file = _top_level(document, problems)
    write_down(document, look, problems)
    grid = read_grid(document, problems)
    _check_report(document, grid, problems)
    runs = expand(grid, file, document, problems)
    problems.raise_any()
    return Sweep(
        name=file.name,
        seeds=file.seeds,
        leakage=file.leakage,
        priority=file.priority,
        explain=file.explain,
        report=file.report,
        axes=tuple(SERIES if key == PICK else key for key in grid.varied_keys()),
        baselines=file.baselines,
        default_baselines=default_baselines,
        path=path,
        text=document.text,
        overrides=tuple(overrides),
        _runs=runs,
    )


def _top_level(document: Document, problems: Problems) -> SweepFile:
    if "name" not in document.data:
        if not problems:
            problems.add("missing key 'name'", where=document.file)
        document.data["name"] = "unnamed"
    return SweepFile.model_validate(document.data)


def _check_report(document: Document, grid: Grid, problems: Problems) -> None:
    report = document.data.get("report", {})
    known = [*METRICS, *(title for written in grid.values("metrics") for title in titles(written))]
    if (metric := report.get("metric")) and metric not in known:
        what = f"unknown report.metric '{shorten(metric)}'"
        where = document.where(("report", "metric"))
        problems.add(what, where=where, cure=nearest(metric, known))
    for side in ("rows", "cols"):
        for index, key in enumerate(report.get(side, [])):
            if key not in (SERIES, FOLD, *KEYS):
                where = document.where(("report", side, index))
                problems.note(unknown_key(key, KEYS, where=where))
