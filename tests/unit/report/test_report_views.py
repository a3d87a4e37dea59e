"""What explains a sweep: relevance beside chance, importance, components, shares of columns."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations
from typing import Any, cast

import pytest
from builders import NOW, run_row, sweep_row
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pyheta.errors import InputError
from pyheta.report.formats import (
    grid_as_json,
    grid_to_csv,
    grid_to_markdown,
    grid_to_terminal,
    to_markdown,
)
from pyheta.report.grid import Grid
from pyheta.report.importance import importance_grid
from pyheta.report.query import ReportQuery
from pyheta.report.read import read_answer
from pyheta.report.relevance import relevance_grid
from pyheta.report.shapley import shapley, shapley_grid, subsets
from pyheta.report.table import Table
from pyheta.report.views import About
from pyheta.steps import Key, Kind, State, StepId, digest
from pyheta.store import seam
from pyheta.store.seam import RunRow, StepRow, SweepRow

SWEEP = sweep_row("exog", report={"metric": "rmse"})


def step(op: str, params: dict[str, Any], summary: dict[str, Any] | None) -> StepRow:
    state = State.SUCCEEDED if summary else State.QUEUED
    key = Key(digest([op, params]))
    return StepRow(
        StepId(1), key, op, Kind.DATA, params, state, None, None, summary, 1.0, NOW, NOW, (), ()
    )


def run(
    exog: Sequence[str] = (),
    *,
    seed: int = 0,
    config: dict[str, Any] | None = None,
    metrics: dict[str, float] | None = None,
    role: str = "net",
    **values: Any,
) -> RunRow:
    full = {
        "exog": list(exog),
        "exog_form": "original",
        "split": {"train": 0.6},
        "net": {"name": "lstm"},
        "decompose": {"method": "none", "mode": "causal"},
        "shaping": {"method": "none", "relevance": "trailing"},
        "components": {},
    } | (config or {})
    return run_row(full, seed, role=role, metrics=(metrics or {}) | values)


def terminal(grid: Grid) -> str:
    text = io.StringIO()
    Console(width=200, file=text, markup=False).print(grid_to_terminal(grid))
    return text.getvalue()


def measured(value: float, chance: float, high: float, lag: int = 0) -> dict[str, Any]:
    beats = abs(value) > high
    return {
        "value": value,
        "lag": lag,
        "chance": chance,
        "chance_high": high,
        "beats_chance": beats,
    }


# ---- relevance -----------------------------------------------------------------------------------


def relevance_step(
    column: str, component: str = "target", summary: dict[str, Any] | None = None
) -> StepRow:
    asked = list((summary or {}).get("measures", {})) or ["pearson", "farm"]
    params = {"target": "OT", "column": column, "component": component, "measures": asked}
    return step("relevance", params, summary)


def test_relevance_stands_beside_its_level_of_chance() -> None:
    # Given one column beyond chance by one measure, and within it by another
    found = {"pearson": measured(-0.6, 0.2, 0.3, lag=3), "farm": measured(0.5, 0.5, 0.52)}
    grid = relevance_grid(
        SWEEP, [relevance_step("HUFL", "IMF0", {"measures": found}), relevance_step("LULL")]
    )

    # Then both show it, only what is beyond is marked, and what is still open is said
    assert grid.rows[0].labels == ("HUFL", "IMF0", "-")
    assert [word.text for word in grid.rows[0].words] == [
        "-0.600+ lag 3 (0.200 … 0.300)",
        "0.500  (0.500 … 0.520)",
    ]
    assert [word.style for word in grid.rows[0].words] == ["green", "dim"]
    assert grid.notes[0].startswith("1 of 2 steps are open or failed")
    assert grid.rows[0].facts["pearson.lag"] == 3


def test_where_nothing_moves_in_training_relevance_says_so() -> None:
    found = {"pearson": measured(-0.6, 0.2, 0.3), "farm": measured(0.5, 0.5, 0.52)}
    moving, still = (
        relevance_step("HUFL", part, {"measures": measures})
        for part, measures in (("IMF0", found), ("IMF9", {}))
    )

    both, alone = relevance_grid(SWEEP, [moving, still]), relevance_grid(SWEEP, [still])

    for grid in (both, alone):
        assert grid.columns == ("pearson", "farm")
        assert [word.text for word in grid.rows[-1].words] == ["constant", "constant"]
        assert "constant: the column or the target" in grid.notes[-1]
    assert not any("constant" in note for note in relevance_grid(SWEEP, [moving]).notes)


def test_relevance_to_several_targets_says_to_which() -> None:
    found = {"measures": {"farm": measured(0.5, 0.5, 0.52)}}
    params = {"column": "HUFL", "component": "target", "measures": ["farm"]}
    steps = [step("relevance", params | {"target": target}, found) for target in ("OT", "LULL")]

    grid = relevance_grid(SWEEP, steps)

    assert grid.keys == ("target", "column", "component", "decompose")
    assert [row.labels[0] for row in grid.rows] == ["OT", "LULL"]
    assert grid.title == "study: relevance to OT, LULL"


def test_a_sweep_that_did_not_ask_for_relevance_is_told_how() -> None:
    with pytest.raises(InputError, match="did not ask for relevance; add `explain"):
        relevance_grid(SWEEP, [])


# ---- importance ----------------------------------------------------------------------------------


def importance_step(component: str, columns: dict[str, float], seed: int = 0) -> StepRow:
    params = {
        "targets": ["OT"],
        "horizon": 1,
        "component": component,
        "net": {"name": "lstm"},
        "fit": seed,
    }
    risen = {label: {"rise": rise, "std": 0.0} for label, rise in columns.items()}
    return step("importance", params, {"rmse": 1.0, "columns": risen})


def test_importance_is_averaged_over_the_nets_that_read_a_column() -> None:
    # Given three nets, two of which read `a`
    steps = [
        importance_step("IMF0", {"a IMF0": 0.10, "b IMF0 shaped": 0.0}, 1),
        importance_step("IMF0", {"a IMF0": 0.30}, 2),
        importance_step("Residue", {"b Residue shaped": -0.01}, 3),
    ]

    grid = importance_grid(SWEEP, steps)

    assert grid.columns == ("a", "b shaped")
    assert [row.labels for row in grid.rows] == [
        ("OT", "IMF0", "lstm", "-"),
        ("OT", "Residue", "lstm", "-"),
    ]
    assert grid.rows[0].words[0].text == "20.0 ± 14.1 (2)"
    assert grid.rows[0].facts["a.rise"] == pytest.approx(0.2)
    assert [word.text for word in grid.rows[1].words] == ["", "-1.0 (1)"]


def test_one_net_has_no_standard_deviation_and_proves_nothing() -> None:
    grid = importance_grid(SWEEP, [importance_step("IMF0", {"a IMF0": 0.1})])

    assert grid.rows[0].words[0] == ("10.0 (1)", "")
    assert "a.std" not in grid.rows[0].facts


def test_a_column_that_is_called_like_its_component_keeps_its_name() -> None:
    columns = {"Residue Residue shaped": 0.1, "Residue Residue": 0.2}
    found = importance_grid(SWEEP, [importance_step("Residue", columns)])
    whole = importance_grid(SWEEP, [importance_step("target", {"my target": 0.1})])

    assert (found.columns, whole.columns) == (("Residue", "Residue shaped"), ("my target",))


def test_a_sweep_that_did_not_ask_for_importance_is_told_how() -> None:
    with pytest.raises(InputError, match="permutations: 5"):
        importance_grid(SWEEP, [])


# ---- Shapley -------------------------------------------------------------------------------------

COLUMNS = ("a", "b", "c")
every_worth = st.lists(st.floats(-100, 100), min_size=8, max_size=8).map(
    lambda values: dict(zip(subsets(COLUMNS), values, strict=True))
)


@settings(deadline=None, max_examples=100)
@given(every_worth)
def test_the_shares_add_up_to_what_all_columns_gain(worth: dict[frozenset[str], float]) -> None:
    gain = worth[frozenset(COLUMNS)] - worth[frozenset()]

    assert sum(shapley(worth).values()) == pytest.approx(gain, abs=1e-9)


@settings(deadline=None, max_examples=100)
@given(every_worth)
def test_columns_that_are_alike_get_the_same_share_and_one_that_does_nothing_none(
    worth: dict[frozenset[str], float],
) -> None:
    # Given that `a` and `b` may be exchanged and `c` changes nothing
    def alike(subset: frozenset[str]) -> float:
        return worth[frozenset(COLUMNS[: len(subset - {"c"})])]

    shares = shapley({subset: alike(subset) for subset in subsets(COLUMNS)})

    assert shares["a"] == pytest.approx(shares["b"], abs=1e-9)
    assert shares["c"] == pytest.approx(0, abs=1e-9)


def test_a_share_is_the_mean_of_what_a_column_adds_in_every_order() -> None:
    # Given a game worked out by hand: `a` alone 1, `b` alone 2, both 6
    worth = {frozenset(): 0.0, frozenset("a"): 1.0, frozenset("b"): 2.0, frozenset("ab"): 6.0}

    assert shapley(worth) == {"a": 2.5, "b": 3.5}


def study(skip: Sequence[tuple[str, ...]] = (), **changed: Any) -> list[RunRow]:
    """Runs over all subsets of two columns: `a` lowers the error by 0.2, `b` raises it by 0.1."""
    chosen = chain.from_iterable(combinations("ab", size) for size in range(3))
    return [
        run(
            exog,
            seed=seed,
            rmse=1.0 - 0.2 * ("a" in exog) + 0.1 * ("b" in exog) + 0.01 * seed,
            **changed,
        )
        for exog in chosen
        for seed in range(2)
        if exog not in skip
    ]


def test_each_columns_share_in_the_error_is_shown() -> None:
    grid = shapley_grid(SWEEP, study(), "rmse", "test")

    (row,) = grid.rows
    assert [word.text for word in row.words] == ["1.005", "+0.2", "-0.1", "0.905"]
    assert [word.style for word in row.words] == ["", "green", "yellow", ""]
    assert row.facts["a"] == pytest.approx(0.2)


def test_subsets_that_lack_are_named_instead_of_numbers() -> None:
    (row,) = shapley_grid(SWEEP, study(skip=[("a",)]), "rmse", "test").rows

    assert row.words[0].text == "1 of 4 subsets lack, such as a"
    assert row.facts == {"missing": 1}


def test_shares_from_runs_that_saw_the_future_are_marked() -> None:
    leaky = {"decompose": {"method": "emd", "mode": "full"}}
    sweep = sweep_row("exog", "decompose.mode", leakage="allow")
    grid = shapley_grid(sweep, [*study(), *study(config=leaky)], "rmse", "test")

    assert [row.labels for row in grid.rows] == [("lstm", "causal"), ("lstm", "full")]
    assert [row.facts["leaks"] for row in grid.rows] == [False, True]
    assert grid.rows[1].words[1].text == "+0.2~"
    assert grid.notes[-1].startswith("~ saw the future")


def test_columns_too_many_for_all_their_subsets_are_counted_and_not_tried() -> None:
    # Given as many columns as a grid of meters has
    meters = [f"meter {number:04}" for number in range(2000)]

    (row,) = shapley_grid(SWEEP, [run(rmse=1.0), run(meters, rmse=0.5)], "rmse", "test").rows

    assert row.facts == {"missing": 2**2000 - 2}
    assert row.words[0].text == "all but 2 of 2^2000 subsets lack, such as meter 0000"


def test_a_column_that_raises_the_skill_of_a_component_has_a_positive_share() -> None:
    runs = [
        run(
            exog,
            config={"decompose": {"method": "emd", "mode": "causal"}},
            metrics={"IMF0/skill": skill},
        )
        for exog, skill in (((), 0.1), (("a",), 0.3))
    ]

    grid = shapley_grid(SWEEP, runs, "IMF0/skill", "test")

    assert grid.rows[0].words[1].text == "+0.2"
    assert "+ raises IMF0/skill" in grid.notes[0]


def test_shares_in_a_metric_that_no_run_has_name_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'rmse'"):
        shapley_grid(SWEEP, study(), "rmze", "test")


def test_shares_are_taken_over_the_seeds_that_every_subset_has() -> None:
    # Given a subset without columns of which the second seed failed
    runs = [run(rmse=1.0), run(["a"], rmse=1.0), run(["a"], seed=1, rmse=3.0)]

    (row,) = shapley_grid(SWEEP, runs, "rmse", "test").rows

    assert (row.facts["none"], row.facts["a"], row.facts["all"]) == (1.0, 0.0, 1.0)


def test_decompositions_that_differ_in_an_option_alone_are_told_apart() -> None:
    found = {"measures": {"farm": measured(0.5, 0.5, 0.52)}}
    steps = [
        replace(
            one,
            params=dict(one.params)
            | {"decompose": {"method": "emd", "mode": "causal", "max_imf": n}},
        )
        for n in (2, 3)
        for one in [relevance_step("a", "IMF0", found)]
    ]

    grid = relevance_grid(SWEEP, steps)

    assert [row.labels[-1] for row in grid.rows] == ["emd causal max_imf 2", "emd causal max_imf 3"]


def test_without_exogenous_columns_there_is_nothing_to_share() -> None:
    with pytest.raises(InputError, match="no run of this sweep reads exogenous columns"):
        shapley_grid(SWEEP, [run(rmse=1.0)], "rmse", "test")


# ---- forms ---------------------------------------------------------------------------------------


def test_a_grid_is_written_in_every_form() -> None:
    grid = shapley_grid(SWEEP, study(), "rmse", "test")

    assert "+0.2" in terminal(grid)
    assert "| net.name | none | a | b | all |" in grid_to_markdown(grid)
    (line,) = csv.DictReader(io.StringIO(grid_to_csv(grid)))
    assert float(line["b"]) == pytest.approx(-0.1)
    assert grid_as_json(grid)["rows"][0]["row"] == {"net.name": "lstm"}


def test_a_columns_name_cannot_break_a_markdown_table() -> None:
    heads = grid_to_markdown(importance_grid(SWEEP, [importance_step("IMF0", {"a|b* IMF0": 0.1})]))

    assert heads.splitlines()[0] == "| target | component | net.name | decompose | a\\|b\\* |"


class Reads:
    """A store with one sweep."""

    def __init__(
        self, runs: Sequence[RunRow], steps: Sequence[StepRow] = (), sweep: SweepRow = SWEEP
    ) -> None:
        self._runs, self._steps, self._sweep = runs, steps, sweep

    async def find_sweep(self, text: str) -> SweepRow:
        return self._sweep

    async def runs(self, sweep: str, *, pooled: bool = False) -> Sequence[RunRow]:
        return self._runs

    async def products(self, steps: Sequence[Key], name: str) -> Mapping[Key, str]:
        return {}

    async def steps(self, sweep: str, op: str) -> list[StepRow]:
        return [step for step in self._steps if step.op == op]


#: No run keeps losses, so no file is asked for.
NOTHING = cast(seam.Artifacts, None)


def reads(*rows: Any, **changed: Any) -> seam.Reads:
    return cast(seam.Reads, Reads(*rows, **changed))


@pytest.mark.parametrize("target", ["OT", "IMF0"])
async def test_components_are_shown_beside_what_they_add_up_to(target: str) -> None:
    # Given a decomposed run and a baseline that is not
    decomposed = run(
        config={"target": target, "decompose": {"method": "emd", "mode": "causal"}},
        metrics={"IMF0/rmse": 0.3, "Residue/rmse": 0.9},
        rmse=0.8,
    )
    plain = run(role="baseline", config={"target": target, "net": {"name": "last"}}, rmse=0.6)

    # When the table of components is asked for
    table = await read_answer(
        reads([decomposed, plain]), NOTHING, None, ReportQuery(rows=("net.name",)), About.COMPONENTS
    )

    # Then every component has a column, which is empty where nothing was decomposed
    assert [column.metric for column in table.columns] == ["rmse", "IMF0/rmse", "Residue/rmse"]
    means = [[cell.mean if cell else None for cell in row.cells] for row in table.rows]
    assert means == [[0.8, 0.3, 0.9], [0.6, None, None]]


async def test_components_of_several_targets_have_no_column_for_all_of_them() -> None:
    # Given a decomposed run of two targets, whose common errors are in scaled units
    decomposed = run(
        config={"target": ["a", "b"], "decompose": {"method": "emd", "mode": "causal"}},
        metrics={
            "rmse_scaled": 0.5,
            "a/rmse": 2.0,
            "b/rmse": 7.0,
            "a/IMF0/rmse": 0.3,
            "b/IMF0/rmse": 0.9,
        },
    )

    table = await read_answer(
        reads([decomposed]), NOTHING, None, ReportQuery(rows=("net.name",)), About.COMPONENTS
    )

    assert [column.metric for column in table.columns] == ["a/IMF0/rmse", "b/IMF0/rmse"]
    assert [cell.mean for cell in table.rows[0].cells] == [0.3, 0.9]


async def test_components_come_in_their_order_and_only_where_there_are_such() -> None:
    # Given eleven components, fewer of them, one net for all of them, and a run that is still open
    def decomposed(*names: str, nets: str = "each", state: State = State.SUCCEEDED) -> RunRow:
        found = {f"{name}/rmse": 0.3 for name in names}
        options = {"method": "emd", "mode": "causal", "nets": nets, "max_imf": len(names)}
        return replace(run(config={"decompose": options}, metrics=found, rmse=0.8), state=state)

    runs = [
        decomposed(*(f"IMF{number}" for number in (10, 2, 0)), "Residue"),
        decomposed("IMF0", "Residue"),
        decomposed(nets="one"),
        decomposed(state=State.QUEUED),
    ]

    # When
    query = ReportQuery(rows=("decompose.max_imf", "decompose.nets"))
    table = await read_answer(reads(runs), NOTHING, None, query, About.COMPONENTS)

    # Then no cell is called undefined for a component that there is not
    assert [column.metric for column in table.columns[1:]] == [
        *("IMF0/rmse", "IMF2/rmse", "IMF10/rmse", "Residue/rmse"),
    ]
    there = {row.labels: [cell is not None for cell in row.cells[1:]] for row in table.rows}
    assert there == {
        ("4", "each"): [True, True, True, True],
        ("2", "each"): [True, False, False, True],
        ("0", "one"): [False, False, False, False],
        ("0", "each"): [True, True, True, True],
    }


async def test_a_row_without_the_component_that_is_asked_for_is_empty() -> None:
    options = {"decompose": {"method": "emd", "mode": "causal"}}
    runs = [run(config=options, metrics={"IMF0/rmse": 0.3}), run(role="baseline", rmse=0.6)]
    query = ReportQuery(metrics=("IMF0/rmse",), rows=("decompose.method",))

    table = await read_answer(reads(runs), NOTHING, None, query, About.RUNS)

    assert isinstance(table, Table)
    assert [line.split("|")[-3:-1] for line in to_markdown(table).splitlines()[2:4]] == [
        [" 0.3000 ", " 1 "],
        ["  ", "  "],
    ]


async def test_the_best_skill_of_a_component_is_the_highest() -> None:
    options = {"decompose": {"method": "emd", "mode": "causal"}}
    runs = [
        run(config=options | {"net": {"name": net}}, metrics={"IMF0/skill": skill}, skill=0.0)
        for net, skill in (("lstm", 0.5), ("mlp", 0.1))
    ]
    query = ReportQuery(metrics=("skill",), rows=("net.name",))

    table = await read_answer(reads(runs), NOTHING, None, query, About.COMPONENTS)

    assert [row.cells[1].best for row in table.rows] == [True, False]


def test_what_explains_runs_that_saw_the_future_is_marked_and_stands_apart() -> None:
    # Given the same component of an honest and of a leaky decomposition
    causal, full = ({"decompose": {"method": "emd", "mode": mode}} for mode in ("causal", "full"))
    relevant = {"measures": {"farm": measured(0.5, 0.5, 0.52)}}
    important = {"a IMF0": 0.1}
    relevances = [
        replace(one, params=dict(one.params) | treated)
        for one in [relevance_step("a", "IMF0", relevant)]
        for treated in (causal, full)
    ]
    importances = [
        replace(one, params=dict(one.params) | treated)
        for one in [importance_step("IMF0", important)]
        for treated in (causal, full)
    ]

    # When both are shown
    for grid in (relevance_grid(SWEEP, relevances), importance_grid(SWEEP, importances)):
        # Then each has its row, and one of them its mark
        assert [row.labels[-1] for row in grid.rows] == ["emd causal", "emd full"]
        assert [row.words[0].text.endswith("~") for row in grid.rows] == [False, True]
        assert [row.facts["leaks"] for row in grid.rows] == [False, True]
        assert grid.notes[-1].startswith("~ saw the future (whole-series decomposition)")


async def test_components_of_a_sweep_without_any_are_an_error() -> None:
    with pytest.raises(InputError, match="no run has rmse of components"):
        await read_answer(reads([run(rmse=0.6)]), NOTHING, None, ReportQuery(), About.COMPONENTS)


@pytest.mark.parametrize("metric", ["rmze", "IMF0/rmse"])
async def test_what_is_no_metric_of_components_is_an_error(metric: str) -> None:
    with pytest.raises(InputError, match=f"no run has {metric} of components"):
        await read_answer(
            reads([run(rmse=0.6)]), NOTHING, None, ReportQuery((metric,)), About.COMPONENTS
        )


@pytest.mark.parametrize("about", [About.RELEVANCE, About.IMPORTANCE])
async def test_views_ask_the_store_for_the_steps_of_their_operation(about: About) -> None:
    with pytest.raises(InputError, match=about):
        await read_answer(reads([]), NOTHING, None, ReportQuery(), about)


# ---- several targets -----------------------------------------------------------------------------

BOTH = {"target": ["OT", "HUFL"]}
OF_BOTH = {"OT/rmse": 2.0, "HUFL/rmse": 5.0}


async def test_several_targets_are_shown_together_and_by_name() -> None:
    # Given a run of two targets, a decomposed one, a baseline, and one that is still open
    plain = run(config=BOTH, metrics=OF_BOTH, rmse_scaled=0.5, skill=0.1)
    treated = {"decompose": {"method": "emd", "mode": "causal"}}
    decomposed = run(
        config=BOTH | treated, metrics={"OT/rmse": 1.0, "OT/IMF0/rmse": 0.3, "HUFL/rmse": 6.0}
    )
    last = run(
        role="baseline", config=BOTH | {"net": {"name": "last"}}, metrics=OF_BOTH, rmse_scaled=0.7
    )
    waiting = replace(run(seed=1, config=BOTH | {"exog": ["a"]}), state=State.QUEUED)
    runs = [plain, decomposed, last, waiting]
    rows = ("net.name", "exog", "decompose.method")

    # When they are asked for
    usual = await read_answer(
        reads(runs, sweep=replace(SWEEP, report={})),
        NOTHING,
        None,
        ReportQuery(rows=rows),
        About.RUNS,
    )
    table = await read_answer(reads(runs), NOTHING, None, ReportQuery(rows=rows), About.TARGETS)

    # Then the usual metric has no unit, and each target's has a column in which all runs compete
    assert [column.metric for column in usual.columns] == ["rmse_scaled", "skill"]
    assert [column.metric for column in table.columns] == ["rmse", "OT/rmse", "HUFL/rmse"]
    means = [[cell.mean if cell else None for cell in row.cells] for row in table.rows]
    assert means == [[None, 2.0, 5.0], [None, 1.0, 6.0], [None, None, None], [None, 2.0, 5.0]]
    best = [[cell.best if cell else False for cell in row.cells] for row in table.rows]
    assert best == [[False, False, True], [False, True, False], [False] * 3, [False, False, True]]
    assert table.rows[2].cells[1].open == 1


async def test_one_target_needs_no_table_of_targets() -> None:
    with pytest.raises(InputError, match="no run has several targets"):
        await read_answer(reads([run(rmse=0.5)]), NOTHING, None, ReportQuery(), About.TARGETS)


async def test_targets_are_no_components() -> None:
    with pytest.raises(InputError, match="no run has rmse of components"):
        await read_answer(
            reads([run(config=BOTH, metrics=OF_BOTH)]),
            NOTHING,
            None,
            ReportQuery(),
            About.COMPONENTS,
        )


def test_importance_names_all_targets_and_reads_older_steps() -> None:
    def targets_in(params: dict[str, Any]) -> str:
        found = step(
            "importance",
            dict(importance_step("target", {"a": 0.1}).params) | params,
            {"columns": {}},
        )
        return importance_grid(SWEEP, [found]).rows[0].labels[0]

    assert targets_in({"targets": ["OT", "HUFL"]}) == "OT HUFL"
    params = {"component": "target", "net": {"name": "lstm"}, "horizon": 1, "target": "OT"}
    old = importance_grid(SWEEP, [step("importance", params, {"columns": {}})])
    assert old.rows[0].labels[0] == "OT"
