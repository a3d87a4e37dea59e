"""From a sweep file to a checked plan: read, complete, check, compile. Nothing is written."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyheta.errors import DataError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import Bring, as_it_is, inspect, series_of
from pyheta.plan.compile import Plan, compile_plan
from pyheta.plan.notes import data_notes, found_notes, split_notes, split_remarks
from pyheta.plan.resolve import complete, equal_to_baselines, offer_of_subsets
from pyheta.section import Section
from pyheta.steps import canonical
from pyheta.sweep import Run, Sweep, read_sweep
from pyheta.sweep.selection import Offer


@dataclass(frozen=True, slots=True)
class CheckedSweep:
    """A sweep whose runs fit their data sets, and the steps that they need.

    `runs` are complete: nothing is left to the data. `notes` say what was decided on the way,
    `remarks` what a reader of the results has to know of the data; a sentence each. `as_baselines`
    are the ordinals of runs that equal a baseline.
    """

    sweep: Sweep
    runs: Sequence[Run]
    plan: Plan
    datasets: Mapping[str, DatasetFacts]  # by `RunConfig.dataset_key`
    files: Mapping[str, Path]  # what its steps read, by SHA-256
    notes: Sequence[str] = ()
    remarks: Sequence[str] = ()
    as_baselines: Sequence[int] = ()


def prepare(
    path: Path, overrides: Sequence[str], data: Path | None, bring: Bring = as_it_is
) -> CheckedSweep:
    """Read and check a sweep and its data sets. Writes nothing but what `bring` keeps.

    Raises SweepError or DataError.
    """
    datasets = _DataSets(path.parent, data, bring)
    sweep = read_sweep(path, overrides, datasets)
    written = sweep.runs()
    facts = {section: datasets.facts(section, where) for section, where in _sections(written)}
    completed = complete(written, facts, default_baselines=sweep.default_baselines)
    runs, by_key = completed.runs, datasets.read
    plan = compile_plan(runs, by_key, sweep.explain)
    notes = (*found_notes(by_key.values()), *completed.notes, *split_notes(runs, facts))
    remarks = (*data_notes(runs, facts), *split_remarks(runs, facts))
    equal = equal_to_baselines(runs, sweep.baselines, facts)
    return CheckedSweep(sweep, runs, plan, by_key, datasets.files, notes, remarks, equal)


def _sections(runs: Iterable[Run]) -> Iterable[tuple[Section, str]]:
    """The data sets of the runs, each with its place."""
    first = {run.config.dataset: run for run in runs}
    return [(section, run.where("dataset")) for section, run in first.items()]


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """A DataError that is raised inside names the place in the sweep, and then its own."""
    try:
        yield
    except DataError as error:
        error.where = ": ".join(filter(None, (where, error.where)))
        raise


@dataclass
class _DataSets:
    """Data sets, each of which is read once. Paths are relative to `base`.

    An error says where in the sweep file the data set is named.
    """

    base: Path
    data: Path | None
    bring: Bring
    read: dict[str, DatasetFacts] = field(default_factory=dict)  # by the sections' texts
    files: dict[str, Path] = field(default_factory=dict)  # what the store needs, by SHA-256

    def facts(self, dataset: Section, where: str) -> DatasetFacts:
        key = canonical(dataset.model_dump(mode="json"))
        if key not in self.read:
            with _placed(where):
                facts, file = inspect(self.bring(json.loads(key)), base=self.base, data=self.data)
            self.read[key] = facts
            if file:
                self.files[facts.files["raw"]] = file
        return self.read[key]

    def columns(self, dataset: Section, where: str) -> Offer:
        return offer_of_subsets(self.facts(dataset, where))

    def series(self, dataset: Section, where: str) -> Sequence[str]:
        with _placed(where):
            brought = self.bring(dataset.model_dump(mode="json"))
            return series_of(brought, base=self.base, data=self.data)
