"""The table of a sweep: means over seeds, what is missing, what is best, and its forms."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev
from typing import Any

import pytest
from builders import run_row
from builders import sweep_row as sweep
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pyheta.errors import InputError
from pyheta.report.cells import Cell
from pyheta.report.formats import as_json, to_csv, to_markdown, to_terminal
from pyheta.report.query import ReportQuery
from pyheta.report.table import Row, Table, build
from pyheta.report.wording import lines, notes
from pyheta.screen import to_json
from pyheta.steps import State
from pyheta.store.seam import RunRow

RMSE = ReportQuery(metrics=("rmse",))


def run(
    net: str,
    seed: int = 0,
    *,
    role: str = "net",
    state: State = State.SUCCEEDED,
    score: object = None,
    config: Mapping[str, Any] | None = None,
    **metrics: Any,
) -> RunRow:
    """One run; `score` tells results apart (runs with equal ones share a step)."""
    full = {
        "split": {"train": 0.6, "val": 0.1, "test": 0.3},
        "scale": "standard",
        "net": {"name": net},
        "train": {"lr": 0.001},
    } | dict(config or {})
    return run_row(full, seed, role=role, state=state, score=score, metrics=metrics)


def baseline(net: str, **metrics: Any) -> RunRow:
    return run(net, role="baseline", **metrics)


def cell(table: Table, *labels: str, column: int = 0) -> Cell:
    found = next(row for row in table.rows if row.labels == labels).cells[column]
    assert found is not None
    return found


def terminal(table: Table) -> str:
    console = Console(width=160, file=io.StringIO(), markup=False)
    console.print(to_terminal(table))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


# ---- cells ---------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=8))
def test_a_cell_is_mean_and_sample_standard_deviation_over_seeds(values: list[float]) -> None:
    # Given one configuration with several seeds
    runs = [run("lstm", seed, rmse=value) for seed, value in enumerate(values)]
    # When
    found = cell(build(sweep("net.name"), runs, RMSE), "lstm")
    # Then
    assert found.n == found.asked == len(values)
    assert found.mean == pytest.approx(fmean(values))
    assert found.std == pytest.approx(stdev(values))


def test_one_result_has_no_standard_deviation() -> None:
    found = cell(build(sweep("net.name"), [run("lstm", rmse=0.5)], RMSE), "lstm")
    assert (found.mean, found.std, found.n) == (0.5, None, 1)


def test_runs_that_share_one_score_count_once() -> None:
    # Given a deterministic net: all its seeds are answered by the same step
    runs = [run("ridge", seed, score="same", rmse=0.5) for seed in range(3)]
    # When
    found = cell(build(sweep("net.name"), runs, RMSE), "ridge")
    # Then
    assert (found.n, found.asked, found.std) == (1, 1, None)


def test_a_metric_without_a_value_in_any_run_is_shown_as_undefined() -> None:
    # Given a run whose skill could not be computed, since the last value is exact
    table = build(sweep("net.name"), [run("mlp", rmse=0.5)], ReportQuery(("rmse", "skill")))

    assert "undefined 1/1" in to_markdown(table)


def test_failed_and_open_runs_are_counted_and_never_made_up() -> None:
    # Given one success beside one of each other ending
    runs = [
        run("lstm", 0, rmse=0.5),
        run("lstm", 1, state=State.FAILED),
        run("lstm", 2, state=State.CANCELLED),
        run("lstm", 3, state=State.WAITING),
        run("lstm", 4, state=State.RUNNING),
    ]
    # When
    table = build(sweep("net.name"), runs, RMSE)
    # Then
    found = cell(table, "lstm")
    assert (found.asked, found.n, found.failed, found.cancelled, found.open) == (5, 1, 1, 1, 2)
    assert found.mean == 0.5
    assert "failed 1/5, cancelled 1/5, open 2/5" in terminal(table)
    assert "1 of 5 runs finished, 1 failed (why: pyheta status aaaaaaaaaaaa)." in notes(table)


def test_a_configuration_without_any_result_shows_no_number() -> None:
    table = build(
        sweep("net.name"), [run("lstm", seed, state=State.FAILED) for seed in range(3)], RMSE
    )
    assert cell(table, "lstm").mean is None
    assert "failed 3/3" in terminal(table)


def test_a_metric_without_a_value_is_called_undefined() -> None:
    runs = [run("lstm", 0, rmse=1.0, mape=0.1), run("lstm", 1, rmse=1.0)]
    table = build(sweep("net.name"), runs, ReportQuery(metrics=("mape",)))
    assert cell(table, "lstm").undefined == 1
    assert "undefined 1/2" in terminal(table)


# ---- comparison ----------------------------------------------------------------------------------


def test_the_lowest_error_and_the_highest_skill_are_best() -> None:
    runs = [run("lstm", rmse=0.5, skill=0.2), run("mlp", rmse=0.6, skill=0.1)]
    table = build(sweep("net.name"), runs, ReportQuery(metrics=("rmse", "skill")))
    assert [cell(table, "lstm", column=at).best for at in (0, 1)] == [True, True]
    assert [cell(table, "mlp", column=at).best for at in (0, 1)] == [False, False]


def test_all_that_tie_are_best() -> None:
    runs = [run("lstm", rmse=0.5), run("mlp", rmse=0.5), run("gru", rmse=0.6)]
    table = build(sweep("net.name"), runs, RMSE)
    assert [cell(table, net).best for net in ("lstm", "mlp", "gru")] == [True, True, False]


def test_nobody_is_best_alone() -> None:
    assert not cell(build(sweep("net.name"), [run("lstm", rmse=0.5)], RMSE), "lstm").best


def test_errors_are_compared_only_where_the_same_values_are_forecast() -> None:
    # Given an easy and a hard horizon
    near, far = ({"window": {"input": 8, "horizon": steps}} for steps in (1, 96))
    runs = [
        run(net, config=config, rmse=rmse)
        for net, config, rmse in [
            ("lstm", near, 0.5),
            ("mlp", near, 0.6),
            ("lstm", far, 5.0),
            ("mlp", far, 4.0),
        ]
    ]
    # When
    table = build(sweep("net.name", "window.horizon"), runs, RMSE)
    # Then
    best = {row.labels for row in table.rows if row.cells[0] and row.cells[0].best}
    assert best == {("lstm", "1"), ("mlp", "96")}


def test_what_a_net_learned_from_and_how_often_it_forecast_are_two_questions() -> None:
    # Given nets that learn from more, and a baseline that learns nothing
    parts = {"train": 0.6, "val": 0.1, "test": 0.3}
    runs = [
        run("lstm", rmse=0.6),
        run("lstm", config={"split": {**parts, "final": "train+val"}}, rmse=0.5),
        run("lstm", config={"window": {"input": 8, "horizon": 1, "stride": 6}}, rmse=0.4),
        baseline("last", rmse=0.55),
    ]

    table = build(sweep("net.name", "split.final", "window.stride"), runs, RMSE)

    assert not cell(table, "lstm", "-", "-").best
    assert cell(table, "lstm", "-", "-").worse_than == ("last",)
    assert cell(table, "lstm", "train+val", "-").best
    assert not cell(table, "lstm", "-", "6").best  # it is the only one that forecast these


def test_scaled_errors_are_compared_only_under_the_same_scaling() -> None:
    runs = [
        run("lstm", config={"scale": scale}, rmse_scaled=value)
        for scale, value in (("minmax", 0.05), ("standard", 0.5))
    ]
    table = build(sweep("scale"), runs, ReportQuery(metrics=("rmse_scaled",)))
    assert not any(found.best for row in table.rows for found in row.cells if found)


def test_a_net_that_does_not_beat_a_baseline_is_shown_as_such() -> None:
    # Given a net between two baselines, one that ties and one that beats both
    runs = [
        run("lstm", rmse=0.65),
        run("mlp", rmse=0.7),
        run("gru", rmse=0.5),
        baseline("last", rmse=0.7),
        baseline("ridge", rmse=0.6),
    ]
    # When
    table = build(sweep("net.name"), runs, RMSE)
    # Then
    assert cell(table, "lstm").worse_than == ("ridge",)
    assert cell(table, "lstm").better_than == ("last",)
    assert (cell(table, "mlp").worse_than, cell(table, "mlp").tied_with) == (("ridge",), ("last",))
    assert cell(table, "gru").better_than == ("last", "ridge")
    assert cell(table, "last") == replace(cell(table, "last"), worse_than=(), better_than=())
    assert "no better than" in terminal(table)
    assert [line.remark for line in lines(table)] == ["ridge", "ridge, ? last", "", "", ""]


@pytest.mark.parametrize("as_run", [False, True])
def test_a_run_that_equals_a_baseline_is_that_baseline_for_all_marks(*, as_run: bool) -> None:
    # Given ridge beside a sweep, or among its own nets
    ridge = [run("ridge", seed, score="same", rmse=0.6) for seed in (0, 1)]
    runs = [
        run("lstm", rmse=0.65),
        run("gru", rmse=0.5),
        *(ridge if as_run else [baseline("ridge", rmse=0.6)]),
        baseline("last", rmse=0.55),
    ]
    runs = [replace(one, ordinal=ordinal) for ordinal, one in enumerate(runs)]
    equal = {"as_baselines": [2, 3]} if as_run else {}
    # When
    table = build(sweep("net.name", report=equal), runs, RMSE)
    # Then the nets are held against it, and it is held against others where the sweep asks for it
    assert set(cell(table, "lstm").worse_than) == {"last", "ridge"}
    assert cell(table, "gru").worse_than == ()
    assert cell(table, "ridge").worse_than == (("last",) if as_run else ())
    assert cell(table, "last").worse_than == ()


def test_what_averages_a_baseline_with_other_runs_is_none() -> None:
    # Given a row of ridge on the series as it is, and on its components
    runs = [run("ridge", rmse=0.6), run("ridge", rmse=0.7, score="other"), run("lstm", rmse=0.65)]
    runs = [replace(one, ordinal=ordinal) for ordinal, one in enumerate(runs)]

    table = build(sweep("net.name", report={"as_baselines": [0]}), runs, RMSE)

    assert cell(table, "lstm").worse_than == ()


def seasonal(period: int, dataset: str = "etth1", **metrics: Any) -> RunRow:
    config = {"net": {"name": "seasonal", "period": period}, "dataset": {"name": dataset}}
    return run("seasonal", config=config, role="baseline", **metrics)


def test_options_of_baselines_are_rows_of_their_own() -> None:
    # Given the seasonal baseline of three periods, and ridge of one kind
    runs = [run("lstm", rmse=4.9), baseline("ridge", rmse=5.0)]
    runs += [seasonal(7, rmse=4.8), seasonal(24, rmse=5.6), seasonal(365, rmse=4.9)]
    # When
    table = build(sweep("net.name"), runs, RMSE)
    # Then each has its row and its name, also where it beats a net
    labels = [row.labels[0] for row in table.rows]
    names = [f"seasonal (period {period})" for period in (7, 24, 365)]
    assert labels == ["lstm", "ridge", *names]
    assert [cell(table, name).n for name in names] == [1, 1, 1]
    assert cell(table, "lstm").worse_than == (names[0],)
    assert cell(table, "lstm").tied_with == (names[2],)


def test_a_column_that_tells_periods_apart_says_enough() -> None:
    runs = [run("lstm", rmse=4.9), seasonal(7, rmse=4.8), seasonal(24, rmse=5.6)]
    query = ReportQuery(("rmse",), rows=("net.name", "net.period"))

    table = build(sweep("net.name"), runs, query)

    assert [row.labels for row in table.rows] == [
        ("lstm", "-"),
        ("seasonal", "7"),
        ("seasonal", "24"),
    ]


def test_a_season_that_follows_from_the_data_tells_nothing_apart() -> None:
    # Given a mean over two data sets with seasons of their own
    runs = [
        run("lstm", config={"dataset": {"name": name}}, rmse=1.0) for name in ("etth1", "ettm1")
    ]
    runs += [seasonal(24, rmse=1.0), seasonal(96, "ettm1", rmse=3.0)]

    table = build(sweep("dataset.name"), runs, ReportQuery(("rmse",), rows=("net.name",)))

    assert [row.labels for row in table.rows] == [("lstm",), ("seasonal",)]
    assert cell(table, "seasonal").mean == 2.0


def test_a_run_of_the_sweep_that_is_a_baseline_is_told_apart_from_others_too() -> None:
    own = replace(seasonal(24, rmse=0.6), role="net", ordinal=1)
    runs = [run("lstm", rmse=0.7), own, seasonal(7, rmse=0.5)]

    table = build(sweep("net.name", report={"as_baselines": [1]}), runs, RMSE)

    assert cell(table, "seasonal (period 24)").worse_than == ("seasonal (period 7)",)


# ---- layout --------------------------------------------------------------------------------------


def test_rows_are_all_axes_and_baselines_stand_below_the_nets() -> None:
    runs = [
        baseline("last", rmse=0.7),
        *(run("lstm", config={"exog": exog}, rmse=0.5) for exog in ([], ["HUFL", "HULL"])),
    ]
    table = build(sweep("exog"), runs, RMSE)
    assert table.row_keys == ("net.name", "exog")
    assert [row.labels for row in table.rows] == [
        ("lstm", "-"),
        ("lstm", "HUFL HULL"),
        ("last", "-"),
    ]
    assert [row.baseline for row in table.rows] == [False, False, True]


def test_columns_split_the_rows_and_an_empty_cell_stays_empty() -> None:
    runs = [
        run(net, config={"window": {"input": 8, "horizon": steps}}, rmse=1.0)
        for net, steps in [("lstm", 1), ("lstm", 96), ("mlp", 1)]
    ]
    table = build(
        sweep("net.name", "window.horizon"), runs, ReportQuery(("rmse",), cols=("window.horizon",))
    )
    assert [column.labels for column in table.columns] == [("1",), ("96",)]
    mlp = next(row for row in table.rows if row.labels == ("mlp",))
    assert mlp.cells[0] is not None
    assert mlp.cells[1] is None


def test_an_axis_that_is_left_out_is_averaged_over_and_said_so() -> None:
    runs = [
        run("lstm", config={"exog": exog}, rmse=rmse) for exog, rmse in (([], 1.0), (["x"], 3.0))
    ]
    table = build(sweep("net.name", "exog"), runs, ReportQuery(("rmse",), rows=("net.name",)))
    assert cell(table, "lstm").mean == 2.0
    assert table.averaged == ("exog",)
    assert any("over seeds, exog" in note for note in notes(table))


def test_a_key_that_follows_from_another_is_not_averaged_over() -> None:
    # Given an axis over two keys that advance together, one of which heads the rows
    runs = [
        run("lstm", config={"scale": scale, "exog": exog}, rmse=1.0)
        for scale, exog in (("none", ["x"]), ("minmax", ["y"]))
    ]
    table = build(sweep("scale", "exog"), runs, ReportQuery(("rmse",), rows=("scale",)))
    assert table.averaged == ()
    assert any("over seeds;" in note for note in notes(table))


def test_an_axis_over_a_whole_section_counts_as_the_keys_that_vary() -> None:
    nets = (
        {"name": "lstm", "hidden": 32, "layers": 1},
        {"name": "lstm", "hidden": 64, "layers": 1},
    )
    runs = [run("lstm", config={"net": net}, rmse=1.0) for net in nets]
    table = build(sweep("net"), runs, RMSE)
    assert table.row_keys == ("net.hidden",)
    assert [row.labels for row in table.rows] == [("32",), ("64",)]


def test_what_is_not_trained_by_gradient_has_no_training_options() -> None:
    lr = {"train": {"lr": 0.1}}
    runs = [
        run("lstm", config=lr, rmse=1.0),
        run("ridge", config=lr, rmse=1.0),
        baseline("last", rmse=1.0),
    ]
    runs.append(run("ridge", config=lr | {"components": {"IMF0": {"net": "lstm"}}}, rmse=1.0))
    table = build(sweep("net.name", "train.lr"), runs, RMSE)
    assert [row.labels for row in table.rows] == [
        ("lstm", "0.1"),
        ("ridge", "-"),
        ("ridge", "0.1"),
        ("last", "-"),
    ]


def test_the_seed_may_be_a_row() -> None:
    runs = [run("lstm", seed, rmse=1.0) for seed in (0, 1)]
    table = build(sweep("net.name"), runs, ReportQuery(("rmse",), rows=("net.name", "seed")))
    assert [row.labels for row in table.rows] == [("lstm", "0"), ("lstm", "1")]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (ReportQuery(metrics=("rmze",)), "did you mean 'rmse'"),
        (ReportQuery(metrics=("rmse",), rows=("net.nam",)), "did you mean 'net.name'"),
    ],
)
def test_an_unknown_metric_or_key_names_the_nearest(asked: ReportQuery, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build(sweep("net.name"), [run("lstm", rmse=0.5)], asked)


def test_before_any_result_every_metric_may_be_asked_for() -> None:
    table = build(
        sweep("net.name"), [run("lstm", state=State.QUEUED)], ReportQuery(metrics=("mase",))
    )
    assert "0 of 1 runs finished." in notes(table)


@pytest.mark.parametrize(
    ("section", "query", "metrics", "rows", "cols"),
    [
        ({}, ReportQuery(), ("rmse", "skill"), (), ()),
        ({"metric": "mae", "rows": ["exog"]}, ReportQuery(), ("mae", "skill"), ("exog",), ()),
        ({"cols": ["scale"]}, ReportQuery(), ("rmse",), (), ("scale",)),
        ({"metric": "mae"}, ReportQuery(metrics=("mse",), cols=("exog",)), ("mse",), (), ("exog",)),
    ],
)
def test_a_query_goes_over_the_report_section(
    section: Mapping[str, Any],
    query: ReportQuery,
    metrics: Sequence[str],
    rows: Sequence[str],
    cols: Sequence[str],
) -> None:
    assert query.completed(section, [run("lstm")]) == ReportQuery(metrics, rows, cols)


# ---- forms ---------------------------------------------------------------------------------------


@pytest.fixture
def table() -> Table:
    runs = [
        run("lstm", 0, rmse=0.6, skill=0.05),
        run("lstm", 1, rmse=0.62, skill=0.03),
        run("a|b*", rmse=0.7, skill=-0.1),
        baseline("last", rmse=0.63, skill=0.0),
    ]
    return build(sweep("net.name"), runs, ReportQuery(metrics=("rmse", "skill")))


def test_markdown_has_one_cell_for_each_head_and_marks_the_best_bold(table: Table) -> None:
    lines = [line for line in to_markdown(table).splitlines() if line.startswith("|")]
    bars = [line.replace("\\|", "").count("|") for line in lines]
    assert set(bars) == {len(lines[0].split("|")) - 1}
    assert "**0.6100 ± 0.0141**" in lines[2]
    assert "a\\|b\\*" in lines[3]


def test_csv_has_numbers_in_full_and_one_line_for_each_cell(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(table))))
    assert len(rows) == 3 * 2
    assert float(rows[0]["mean"]) == fmean([0.6, 0.62])
    assert rows[0]["best"] == "True"


def test_json_round_trips_and_keeps_keys_beside_values(table: Table) -> None:
    document = json.loads(to_json(as_json(table)))
    first = document["rows"][0]
    assert first["row"] == {"net.name": "lstm"}
    assert math.isclose(first["cells"][0]["std"], stdev([0.6, 0.62]))
    assert (document["runs"], document["finished"]) == (4, 4)


def test_the_terminal_form_marks_best_and_beaten_and_explains_both(table: Table) -> None:
    shown = terminal(table)
    assert "0.6100 ± 0.0141 *" in shown
    assert "0.7000          !" in shown
    assert "* lowest error or highest skill of those" in shown
    assert "! worse than" in shown


def leaky(net: str, **metrics: Any) -> RunRow:
    return run(net, config={"decompose": {"method": "emd", "mode": "full"}}, **metrics)


def test_leakage_that_is_allowed_but_not_used_is_said_below_the_table() -> None:
    table = build(sweep("net.name", leakage="allow"), [run("lstm", rmse=0.5)], RMSE)
    assert notes(table)[-1] == "Leakage is allowed, but no run here saw the future."


def test_what_saw_the_future_is_marked_and_compared_with_nothing() -> None:
    # Given a leaky run that looks best by far, an honest one and a baseline
    runs = [leaky("lstm", rmse=0.1), run("mlp", rmse=0.5), baseline("last", rmse=0.4)]
    # When
    table = build(sweep("net.name", leakage="allow"), runs, RMSE)
    # Then the honest ones are compared with each other, and the leaky one is marked
    assert cell(table, "lstm").leaks == ("whole-series decomposition",)
    assert not cell(table, "lstm").best
    assert cell(table, "last").best
    assert cell(table, "mlp").worse_than == ("last",)
    assert "0.1000 ~" in terminal(table)
    assert (
        notes(table)[-1] == "~ saw the future (whole-series decomposition): compared with nothing."
    )
    assert "whole-series decomposition" in to_csv(table)
    assert as_json(table)["rows"][0]["cells"][0]["leaks"] == ("whole-series decomposition",)


def test_a_baseline_that_is_worse_than_a_leaky_run_beats_it_neither_way() -> None:
    table = build(sweep("net.name"), [leaky("lstm", rmse=0.9), baseline("last", rmse=0.4)], RMSE)
    assert cell(table, "lstm").worse_than == ()


@pytest.mark.parametrize("target", ["OT", "IMF0"])
def test_components_compete_only_where_they_were_decomposed_alike(target: str) -> None:
    # Given the errors of a component of two decompositions, whatever their target is called
    query = ReportQuery(metrics=("IMF0/rmse",), rows=("net.name", "decompose.max_imf"))
    methods = [{"method": "emd", "mode": "causal", "max_imf": n} for n in (3, 3, 4)]
    configs = [{"target": target, "decompose": method} for method in methods]
    runs = [
        run(net, config=config, **dict[str, Any]({"IMF0/rmse": value}))
        for net, config, value in zip(("lstm", "mlp", "mlp"), configs, (0.3, 0.2, 0.1), strict=True)
    ]
    # When
    table = build(sweep("net.name", "decompose.max_imf"), runs, query)
    # Then only those of the first are compared
    best = [row.labels for row in table.rows if row.cells[0] and row.cells[0].best]
    assert best == [("mlp", "3")]


def test_honest_and_leaky_runs_are_never_averaged() -> None:
    # Given a layout that leaves out what makes one of two runs leaky
    runs = [run("lstm", rmse=0.5), leaky("lstm", rmse=0.1), baseline("last", rmse=0.6)]
    # When
    table = build(sweep("net.name"), runs, ReportQuery(("rmse",), rows=("net.name",)))
    # Then each has a row of its own, and the honest one still competes
    assert [(row.labels, row.cells[0].mean) for row in table.rows if row.cells[0]] == [
        (("lstm",), 0.5),
        (("lstm",), 0.1),
        (("last",), 0.6),
    ]
    assert [row.cells[0].best for row in table.rows if row.cells[0]] == [True, False, False]


def test_honest_and_leaky_columns_stand_side_by_side() -> None:
    runs = [
        run("lstm", config={"decompose": {"method": "emd", "mode": mode}}, rmse=value)
        for mode, value in (("causal", 0.6), ("full", 0.2))
    ]
    table = build(
        sweep("decompose.mode", leakage="allow"),
        runs,
        ReportQuery(("rmse",), rows=("net.name",), cols=("decompose.mode",)),
    )
    assert [cell and cell.mean for cell in table.rows[0].cells] == [0.6, 0.2]


def test_a_baseline_is_not_averaged_with_a_net_of_its_name() -> None:
    runs = [
        run("ridge", config={"decompose": {"method": "emd", "mode": "causal"}}, rmse=0.8),
        baseline("ridge", rmse=0.6),
    ]
    table = build(sweep("net.name"), runs, RMSE)
    assert [(row.baseline, row.cells[0].n) for row in table.rows if row.cells[0]] == [
        (False, 1),
        (True, 1),
    ]


def test_settings_of_components_are_told_apart() -> None:
    # Given an axis over what is different for one component
    runs = [
        run("lstm", config={"components": {"Residue": {"train.lr": rate}}}, rmse=rate)
        for rate in (0.1, 0.2)
    ]
    # When
    table = build(sweep("components"), runs, RMSE)
    # Then each has its row
    assert [row.labels for row in table.rows] == [
        ('{"Residue":{"train.lr":0.1}}',),
        ('{"Residue":{"train.lr":0.2}}',),
    ]


def test_the_reasons_of_failures_stand_below_the_table() -> None:
    # Given three runs that failed, two of them because of one step
    why = ["needs fit 0123456789ab: the loss is not finite"] * 2 + [
        "needs decompose ba9876543210: constant"
    ]
    runs = [
        replace(run("lstm", seed, state=State.FAILED), reason=reason)
        for seed, reason in enumerate(why)
    ]
    # When
    said = notes(build(sweep("net.name"), runs, RMSE))
    # Then each reason is told once, with its runs
    assert said[1:3] == [f"2 failed: {why[0]}", f"1 failed: {why[2]}"]


def test_a_table_is_the_same_whatever_the_order_of_equal_parts() -> None:
    runs = [run("lstm", seed, rmse=0.5 + seed) for seed in range(3)]
    forwards, backwards = (build(sweep("net.name"), order, RMSE) for order in (runs, runs[::-1]))
    assert forwards == backwards
    assert isinstance(forwards.rows[0], Row)


@settings(deadline=None, max_examples=50)
@given(
    near=st.lists(st.floats(0.5, 2.0), min_size=1, max_size=4),
    far=st.lists(st.floats(5e3, 1e300), max_size=3),
    unit=st.sampled_from([1e-4, 1.0, 1e4]),
)
def test_a_run_that_diverged_costs_the_others_no_digit(
    near: list[float], far: list[float], unit: float
) -> None:
    means = [unit * mean for mean in (*near, *far)]
    runs = [run(f"net{number}", rmse=mean) for number, mean in enumerate(means)]

    shown = lines(build(sweep("net.name"), runs, RMSE))
    alone = lines(build(sweep("net.name"), runs[: len(near)], RMSE))

    # Those that are alike are written as without it, and each shows what it is
    for line, other in zip(shown, alone, strict=False):
        assert line.cells[0].mean == other.cells[0].mean
    for line, mean in zip(shown, means, strict=True):
        assert float(line.cells[0].mean) == pytest.approx(mean, rel=2e-3)
        assert len(line.cells[0].mean) <= 10


def test_a_skill_that_diverged_is_written_by_its_own_size() -> None:
    means = {"lstm": 0.12345, "mlp": -123456.7, "last": 0.0, "drift": -0.0002, "gru": -19.5}
    runs = [run(name, skill=mean) for name, mean in means.items()]
    runs += [run("mlp", 1, skill=-133456.7)]

    shown = lines(build(sweep("net.name"), runs, ReportQuery(metrics=("skill",))))

    words = {line.labels[0]: str(line.cells[0]._replace(marks="")) for line in shown}
    assert words == {
        "lstm": "0.1235",
        "mlp": "-1.285e+05 ± 7.1e+03",
        "last": "0.0000",
        "drift": "-0.0002",
        "gru": "-19.50",
    }


def test_a_mean_that_rounds_to_zero_has_no_sign() -> None:
    table = build(sweep("net.name"), [run("last", skill=-1e-9)], ReportQuery(metrics=("skill",)))

    shown = to_markdown(table)

    assert "0.000" in shown
    assert "-0.0" not in shown
