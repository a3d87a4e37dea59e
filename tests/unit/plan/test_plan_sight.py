"""Keys are made of what a step may see: what it does not see makes nothing anew."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import facts, small
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.content import Content
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.compile import Plan, compile_plan
from pyheta.plan.sight import Sight

ROWS = 1000
DATA = facts("load", "a", "b", rows=ROWS)
SPLIT = "  split: {train: 600, val: 100, test: 200}\n"


def plan(tmp_path: Path, text: str, data: DatasetFacts, overrides: Sequence[str] = ()) -> Plan:
    runs = small(tmp_path, text, overrides).runs()
    return compile_plan(runs, {run.config.dataset_key(): data for run in runs})


def anew(before: Plan, after: Plan) -> Counter[str]:
    """How many steps of each operation the second plan has that the first one lacks."""
    return Counter(step.op for key, step in after.steps.items() if key not in before.steps)


def changed(column: str, row: int) -> DatasetFacts:
    """Another file, in which one value of a column is another."""
    values = {name: array.copy() for name, array in DATA.content.columns.items()}
    values[column][row] += 1
    return other(values)


def other(columns: Mapping[str, NDArray[Any]]) -> DatasetFacts:
    content = Content(DATA.content.time, columns)
    return replace(DATA, files={"raw": "cd" * 32}, content=content, columns=tuple(columns))


def longer(rows: int) -> DatasetFacts:
    """The same file with rows more at its end."""
    more = facts("load", "a", "b", rows=ROWS + rows, files={"raw": "cd" * 32})
    columns = {
        name: np.concatenate([values, more.content.columns[name][:rows]])
        for name, values in DATA.content.columns.items()
    }
    return replace(more, content=Content(more.content.time, columns))


EVERYTHING = [
    [],
    ["exog=[a]"],
    ["net=ridge", "exog=[a, b]"],
    ["decompose={method: emd, window: 64, max_imf: 2}", "exog=[a]"],
    ["decompose={method: emd, window: 64, max_imf: 2}", "exog=[a]", "shaping=farm"],
    ["shaping=farm", "exog=[a]", "exog_form=both"],
]
every_way = pytest.mark.parametrize("overrides", EVERYTHING, ids=" ".join)


@every_way
def test_another_test_part_fits_nothing_anew(tmp_path: Path, overrides: list[str]) -> None:
    before = plan(tmp_path, SPLIT, DATA, overrides)

    split = "split={train: 600, val: 100, test: 300}"
    after = plan(tmp_path, SPLIT, DATA, [*overrides, split])

    # What is decomposed or shaped goes on to the end of the longer test part
    assert anew(before, after).keys() <= {"decompose", "shape", "forecast", "score"}
    assert anew(before, after)["forecast"] == anew(before, after)["score"] == 1


@every_way
def test_rows_after_the_last_used_one_compute_nothing_anew_but_the_load(
    tmp_path: Path, overrides: list[str]
) -> None:
    before, after = (plan(tmp_path, SPLIT, data, overrides) for data in (DATA, longer(1)))

    assert anew(before, after) == Counter(load=1)


@every_way
def test_another_file_with_the_same_rows_is_loaded_and_nothing_else(
    tmp_path: Path, overrides: list[str]
) -> None:
    before = plan(tmp_path, SPLIT, DATA, overrides)
    same = {**DATA.content.columns, "new": np.arange(float(ROWS))}

    for columns in (DATA.content.columns, same):
        assert anew(before, plan(tmp_path, SPLIT, other(columns), overrides)) == Counter(load=1)


@every_way
@pytest.mark.parametrize(("row", "learned"), [(50, True), (699, True), (700, False), (899, False)])
def test_a_changed_value_computes_what_sees_it(
    tmp_path: Path, overrides: list[str], row: int, *, learned: bool
) -> None:
    before = plan(tmp_path, SPLIT, DATA, overrides)

    after = plan(tmp_path, SPLIT, changed("load", row), overrides)

    fits = sum(step.op == "fit" for step in after.steps.values())
    assert anew(before, after)["fit"] == (fits if learned else 0)
    assert anew(before, after)["score"] == 1


def test_a_changed_value_fits_exactly_the_nets_that_see_its_column(tmp_path: Path) -> None:
    text = SPLIT + "parameters: {exog: {subsets: [a, b]}}\n"
    before, after = (plan(tmp_path, text, data) for data in (DATA, changed("b", 300)))

    new = [step for key, step in after.steps.items() if key not in before.steps]
    assert anew(before, after) == Counter(load=1, fit=2, forecast=2, score=2)
    for fit in (step for step in new if step.op == "fit"):
        assert "b" in [source["column"] for source in fit.params["sources"]]


@pytest.mark.parametrize("mode", ["full", "parts"])
def test_what_looks_ahead_sees_as_much_as_it_looks_at(tmp_path: Path, mode: str) -> None:
    text = SPLIT + "leakage: allow\n"
    how = [f"decompose={{method: emd, mode: {mode}, max_imf: 1}}"]
    before = plan(tmp_path, text, DATA, how)

    # A value of the test part reaches a fit where the whole series is decomposed at once
    after = plan(tmp_path, text, changed("load", 800), how)

    assert anew(before, after)["fit"] == (2 if mode == "full" else 0)
    assert anew(before, after)["decompose"] == 1


def test_runs_with_other_borders_share_their_decompositions(tmp_path: Path) -> None:
    axis = "{train: 600, val: 100, test: 200}, {train: 500, val: 100, test: 100}"
    text = (
        f"  exog: [a]\n  decompose: {{method: emd, window: 64}}\nparameters:\n  split: [{axis}]\n"
    )

    made = plan(tmp_path, text, DATA)

    assert made.distinct["decompose"] == 2
    (rows,) = {step.params["rows"] for step in made.steps.values() if step.op == "decompose"}
    assert rows == 900


SLIDING = "  split: {train: 300, val: 50, test: 50, folds: 3, window: sliding}\n  exog: [a]\n"


@pytest.mark.parametrize(
    ("overrides", "first"),
    [
        (["window.input=8"], 500 - 8),  # the first row of the first window of the first fold
        (["window.input=8", "transform=diff"], 500 - 9),  # whose change starts from a row earlier
    ],
)
def test_a_fold_that_slides_sees_no_row_before_its_windows(
    tmp_path: Path, overrides: list[str], first: int
) -> None:
    before = plan(tmp_path, SLIDING, DATA, overrides)

    unseen, seen = (
        anew(before, plan(tmp_path, SLIDING, changed("load", row), overrides))["fit"]
        for row in (first - 1, first)
    )

    assert (unseen, seen) == (0, 1)


def test_a_column_that_is_called_like_another_one_ahead_is_told_apart() -> None:
    columns = {"a": np.arange(9.0), "a ahead 2": np.ones(9)}
    others = {**columns, "a": np.zeros(9)}

    def told(values: Mapping[str, NDArray[Any]]) -> dict[str, str]:
        def none(_: Source) -> Any:
            raise AssertionError("nothing is decomposed")

        sight = Sight(Content(np.arange(9), values), none, none)
        return sight.of_sources([Source("a", ahead=2), Source("a ahead 2")], (0, 9))

    assert told(columns) != told(others)


# ---- the digests themselves ----------------------------------------------------------------------

VALUES = st.floats(allow_nan=True, allow_infinity=False, width=64)


@hypothesis_settings(deadline=None)
@given(st.lists(VALUES, min_size=2, max_size=20), st.data())
def test_rows_are_equal_by_their_digests_exactly_if_they_are(
    values: list[float], data: st.DataObject
) -> None:
    first, second = np.array(values), np.array(values)
    place = data.draw(st.integers(0, len(values) - 1))
    second[place] = data.draw(VALUES)
    stop = data.draw(st.integers(0, len(values)))

    digests = [
        Content(np.arange(len(values)), {"a": array}).column("a", (0, stop))
        for array in (first, second)
    ]

    same = first[:stop].tobytes() == second[:stop].tobytes()
    unknown = np.array_equal(np.isnan(first[:stop]), np.isnan(second[:stop]))
    known = np.nan_to_num(first[:stop]).tobytes() == np.nan_to_num(second[:stop]).tobytes()
    assert (digests[0] == digests[1]) == (same or (unknown and known))
