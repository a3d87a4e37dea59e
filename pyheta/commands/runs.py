"""The runs of a sweep, one a line: configuration, state, result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from pyheta.pipeline.leakage import leaks
from pyheta.report.labels import keys_of, label
from pyheta.report.metrics import usual_metric
from pyheta.screen import STATE_STYLE, plain, right, table
from pyheta.store.seam import Reads, RunRow, SweepRow


@dataclass(frozen=True, slots=True)
class Listing:
    """A sweep and its runs in order."""

    sweep: SweepRow
    runs: Sequence[RunRow]


async def read_listing(reads: Reads, text: str | None) -> Listing:
    """The runs of the sweep that `text` names. Raises InputError if there is none."""
    sweep = await reads.find_sweep(text)
    return Listing(sweep, await reads.runs(sweep.id))


def documents(listing: Listing) -> Sequence[Mapping[str, Any]]:
    """Every run with its configuration and, by split and name, its metrics over all steps ahead."""
    return [
        {
            "run": f"{listing.sweep.name}/{run.ordinal}",
            "role": run.role,
            "seed": run.seed,
            **({} if run.fold is None else {"fold": run.fold}),
            "config": run.config,
            "score": run.score,
            "state": run.state,
            "reason": run.reason,
            "leaks": leaks(run.config),
            "metrics": _by_split(run),
        }
        for run in listing.runs
    ]


def listing_view(listing: Listing) -> RenderableType:
    """One line a run: axes, seed, fold, state, metric, and why it failed or how it leaks."""
    metric = listing.sweep.report.get("metric") or usual_metric(listing.runs)
    keys = keys_of(("net.name", *listing.sweep.axes), listing.runs)
    folds = any(run.fold is not None for run in listing.runs)
    repeated = ("seed", "fold") if folds else ("seed",)
    shown = table("run", *keys, *repeated, "state", *right(metric, "skill"), "remark")
    for run in listing.runs:
        shown.add_row(
            str(run.ordinal),
            *(label(run, key) for key in (*keys, *repeated)),
            Text(run.state, STATE_STYLE[run.state]),
            _number(run, metric),
            _number(run, "skill"),
            plain(run.reason or _leakage(run)),
        )
    return shown


def _leakage(run: RunRow) -> str:
    return "; ".join(f"saw the future: {reason}" for reason in leaks(run.config))


def _by_split(run: RunRow) -> Mapping[str, Mapping[str, float]]:
    splits = dict.fromkeys(split for split, _, _ in run.metrics)
    return {
        s: {name: v for (split, name, _), v in run.metrics.items() if split == s} for s in splits
    }


def _number(run: RunRow, metric: str) -> str:
    value = run.metrics.get(("test", metric, 0))
    return "" if value is None else f"{value:.4g}"
