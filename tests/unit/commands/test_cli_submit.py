"""From a sweep file to a submission: checked first, put once, and what it would take."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from pyheta.commands.plan import preview
from pyheta.commands.submit import in_words, submission, submit
from pyheta.errors import DataError
from pyheta.ops.params import TIMED_BY, timed_as
from pyheta.plan.prepare import CheckedSweep, prepare
from pyheta.report.cells import SEASONS, season_key
from pyheta.steps import Key, Product, State
from pyheta.store.seam import MeanSeconds, Receipt, Submission

SWEEP = """\
name: study
seeds: 2
config:
  dataset: {name: synthetic, rows: 400}
  target: load
  window: {input: 6}
parameters:
  net.name: [mlp, ridge]
baselines: [last]
"""


def fits_of(net: str) -> tuple[str, tuple[str | None, ...]]:
    """Under what the durations of a net's fits are kept."""
    return "fit", timed_as({"net": {"name": net}})


class Store:
    """A store that knows some keys and some durations, and keeps what is submitted."""

    def __init__(self, known: Mapping[Key, State] | None = None) -> None:
        self.states = known or {}
        self.means = {("load", timed_as({})): 1.0, fits_of("mlp"): 10.0, fits_of("ridge"): 0.5}
        self.submitted: list[Submission] = []

    async def known(self, keys: Sequence[Key]) -> Mapping[Key, State]:
        return {key: self.states[key] for key in keys if key in self.states}

    async def mean_seconds(self, names: Sequence[str]) -> MeanSeconds:
        assert names == TIMED_BY
        return self.means

    async def submit(self, submission: Submission) -> Receipt:
        self.submitted.append(submission)
        return Receipt(submission.id, new=True, added=len(submission.steps), revived=0, steps={})


class Shelf:
    """Artifacts that are noted; `name` is the hash that it gives to all that is put."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.put_paths: list[Path] = []

    async def put(self, path: Path) -> Product:
        self.put_paths.append(path)
        return Product(path.stem, self.name, 1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(SWEEP)
    return path


def prepared_with_file(file: Path, tmp_path: Path) -> tuple[CheckedSweep, str]:
    """A sweep on a CSV file, and the file's hash."""
    rows = "\n".join(
        f"2020-01-{day:02} {hour:02}:00:00,{hour}" for day in range(1, 11) for hour in range(24)
    )
    (tmp_path / "data.csv").write_text(f"time,load\n{rows}\n")
    prepared = prepare(file, ["dataset=./data.csv"], None)
    (sha256,) = prepared.files
    return prepared, sha256


# ---- submit --------------------------------------------------------------------------------------


def test_the_same_runs_under_the_same_name_are_the_same_sweep(file: Path) -> None:
    # Given the same file, and files that differ in one thing
    first, again, other_name, other_value = (
        submission(prepare(file, overrides, None)).id
        for overrides in ([], [], ["name=other"], ["train.epochs=3"])
    )
    # Then
    assert first == again
    assert len({first, other_name, other_value}) == 3


def test_how_the_answer_is_shown_does_not_make_another_sweep(file: Path) -> None:
    plain = submission(prepare(file, (), None))
    file.write_text(SWEEP + "report: {metric: mae}\n")
    assert submission(prepare(file, (), None)).id == plain.id


def test_reports_are_told_how_many_rows_make_a_season(file: Path, tmp_path: Path) -> None:
    prepared, _ = prepared_with_file(file, tmp_path)

    made = submission(prepared)

    assert made.report[SEASONS] == {season_key(made.runs[0].config["dataset"]): 24}


def test_a_submission_has_a_score_for_every_run_and_needs_come_first(file: Path) -> None:
    made = submission(prepare(file, (), None))
    seen: set[Key] = set()
    for step in made.steps:
        assert set(step.needs.values()) <= seen
        seen.add(step.key)
    assert {run.score for run in made.runs} <= seen
    assert [run.role for run in made.runs] == ["net"] * 4 + ["baseline"]


def test_a_file_is_put_with_every_submission_so_that_it_is_not_removed_before(
    file: Path, tmp_path: Path
) -> None:
    prepared, sha256 = prepared_with_file(file, tmp_path)
    shelf: Any = Shelf(sha256)
    for _ in range(2):
        asyncio.run(submit(prepared, cast(Any, Store()), shelf))
    assert [path.name for path in shelf.put_paths] == ["data.csv"] * 2


def test_a_file_that_changed_meanwhile_is_refused_and_nothing_is_submitted(
    file: Path, tmp_path: Path
) -> None:
    prepared, _ = prepared_with_file(file, tmp_path)
    store: Any = Store()
    with pytest.raises(DataError, match="changed while it was read"):
        asyncio.run(submit(prepared, store, cast(Any, Shelf("0" * 64))))
    assert store.submitted == []


def test_an_unknown_data_set_is_an_error_at_its_place_in_the_sweep(file: Path) -> None:
    file.write_text(SWEEP.replace("{name: synthetic, rows: 400}", "nowhere"))
    with pytest.raises(DataError) as caught:
        prepare(file, (), None)
    assert caught.value.where.endswith("study.yaml:4:12")


@pytest.mark.parametrize(
    ("added", "steps", "words"),
    [
        (9, {State.QUEUED: 1, State.WAITING: 8}, "9 steps added, 9 to compute; now: pyheta worker"),
        (0, {State.SUCCEEDED: 9}, "nothing to do, all 5 runs are there; now: pyheta report study"),
        (0, {State.RUNNING: 1, State.SUCCEEDED: 8}, "0 steps added, 1 to compute"),
        (
            0,
            {State.FAILED: 2, State.SUCCEEDED: 7},
            "2 steps failed earlier; now: pyheta retry study",
        ),
    ],
)
def test_a_receipt_is_put_into_words(
    file: Path, added: int, steps: Mapping[State, int], words: str
) -> None:
    receipt = Receipt("a" * 64, new=True, added=added, revived=0, steps=steps)
    assert words in in_words(prepare(file, (), None), receipt)


def test_a_sweep_that_was_there_already_is_said_to_be(file: Path) -> None:
    receipt = Receipt("a" * 64, new=False, added=0, revived=0, steps={State.QUEUED: 1})
    assert "5 runs (submitted before)" in in_words(prepare(file, (), None), receipt)


# ---- plan ----------------------------------------------------------------------------------------


def test_a_preview_tells_asked_from_distinct_and_present_from_missing(file: Path) -> None:
    # Given that the data are loaded and the first fit failed earlier
    prepared = prepare(file, (), None)
    load, fit = (
        next(key for key, step in prepared.plan.steps.items() if step.op == op)
        for op in ("load", "fit")
    )
    store: Any = Store({load: State.SUCCEEDED, fit: State.FAILED})
    # When
    shown = asyncio.run(preview(prepared, store, procs=2))
    # Then
    counts = {op.op: (op.asked, op.distinct, op.present, op.failed, op.todo) for op in shown.ops}
    assert counts == {
        "load": (5, 1, 1, 0, 0),
        "fit": (4, 3, 0, 1, 2),
        "forecast": (4, 3, 0, 0, 3),
        "score": (4, 3, 0, 0, 3),
        "fit (baselines)": (1, 1, 0, 0, 1),
        "forecast (baselines)": (1, 1, 0, 0, 1),
        "score (baselines)": (1, 1, 0, 0, 1),
    }
    assert (shown.runs, shown.baselines) == (4, 1)


def test_the_time_is_unknown_while_one_kind_of_step_was_never_measured(file: Path) -> None:
    shown = asyncio.run(preview(prepare(file, (), None), cast(Any, Store()), procs=2))
    seconds = {op.op: op.seconds for op in shown.ops}
    assert (seconds["load"], seconds["fit"], seconds["score"]) == (1.0, 10 + 10 + 0.5, None)
    assert shown.seconds is None


def test_the_time_is_the_work_shared_among_processes(file: Path) -> None:
    store: Any = Store()
    store.means |= {fits_of("last"): 0.5}
    store.means |= {("forecast", timed_as({})): 0.125, ("score", timed_as({})): 0.25}
    shown = asyncio.run(preview(prepare(file, (), None), store, procs=2))
    assert shown.seconds == (1.0 + (10 + 10 + 0.5 + 0.5) + 4 * 0.375) / 2
