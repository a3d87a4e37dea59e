"""Columns are named, matched by patterns, or all but some; which there are is what the data say."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from builders import BASE, WINDOW
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import SweepError
from pyheta.section import Section
from pyheta.steps import canonical
from pyheta.sweep import Sweep, read_sweep
from pyheta.sweep.selection import Offer, would_take

COLUMNS = ("load", "T_in", "T_out", "wind", "all", "a*", "!b", "b", "x[1]", "x1")
OFFER = Offer(COLUMNS, COLUMNS)


@pytest.mark.parametrize(
    ("written", "chosen"),
    [
        (["wind", "load"], ["wind", "load"]),
        (["T_*"], ["T_in", "T_out"]),
        (["T_??"], ["T_in"]),
        (["T_*", "!T_out"], ["T_in"]),
        (["T_*", "T_in", "wind"], ["T_in", "T_out", "wind"]),
        (["!T_*", "T_*", "wind"], ["wind"]),
        (["x[*"], ["x[1]"]),  # a bracket is a letter
        # What is the name of a column means that column
        (["all"], ["all"]),
        (["a*"], ["a*"]),
        (["!b", "b"], ["!b", "b"]),
        (["*", "!!b"], [name for name in COLUMNS if name != "!b"]),
        # What is not there is left for those who check
        (["absent"], ["absent"]),
        ([], []),
    ],
)
def test_names_patterns_and_exceptions(written: list[str], chosen: list[str]) -> None:
    assert list(OFFER.select(written)) == chosen


def test_all_are_those_that_are_offered() -> None:
    offer = Offer(("a", "b"), ("a", "b", "a missing"), {"place": ("place=x", "place=y")})

    assert offer.select(["all"]) == ("a", "b")
    assert offer.select(["a missing", "place", "b"]) == ("a missing", "place=x", "place=y", "b")
    assert offer.without(["a"]).select(["*"]) == ("b",)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["q*"], "'q*' matches no column that can be taken; known: load, T_in"),
        (["*", "!q*"], "'q*' matches no column"),
        (["*", "!T_int"], "the data set has no column 'T_int'; did you mean 'T_in'?"),
    ],
)
def test_what_means_no_column_is_refused(written: list[str], said: str) -> None:
    with pytest.raises(SweepError) as caught:
        OFFER.select(written)

    assert said in str(caught.value)


def test_a_pattern_of_many_stars_is_answered() -> None:
    assert not would_take(["*a" * 90 + "b"], "a" * 200)


@hypothesis_settings(deadline=None)
@given(st.sets(st.sampled_from(["a", "ab", "abc", "b"])), st.sampled_from(["a*", "?", "*b*"]))
def test_what_a_pattern_would_take_is_what_it_takes(names: set[str], pattern: str) -> None:
    taken = [name for name in sorted(names) if would_take([pattern, "!b"], name)]

    with suppress(SweepError):
        assert list(Offer(sorted(names), ["b", *names]).select([pattern, "!b"])) == taken


# ---- subsets and series: axes that only the data can spell ---------------------------------------


@dataclass
class Data:
    """A data set of some columns, and a panel of three series."""

    columns_: Sequence[str] = ("load", "a", "b", "c")
    groups: tuple[str, ...] = ()
    names: Sequence[str] = ("MSFT", "AAPL", "7")
    looks: int = 0

    def columns(self, _dataset: Section, _where: str) -> Offer:
        self.looks += 1
        return Offer([*self.columns_, *self.groups], [*self.columns_, *self.groups])

    def series(self, _dataset: Section, _where: str) -> Sequence[str]:
        self.looks += 1
        return self.names


def read(folder: Path, text: str, data: Data | None = None, overrides: Sequence[str] = ()) -> Sweep:
    path = folder / "sweep.yaml"
    path.write_text(text)
    return read_sweep(path, overrides, data or Data())


def refused(folder: Path, text: str, overrides: Sequence[str] = ()) -> str:
    with pytest.raises(SweepError) as caught:
        read(folder, text, overrides=overrides)
    return str(caught.value).replace(f"{folder}/", "")


def exogs(sweep: Sweep) -> list[tuple[str, ...]]:
    return [run.config.exog for run in sweep.runs()]


def powerset(*names: str) -> list[tuple[str, ...]]:
    sizes = range(len(names) + 1)
    return list(chain.from_iterable(combinations(names, size) for size in sizes))


@pytest.mark.parametrize(
    ("subsets", "columns"),
    [
        ("all", ["a", "b", "c"]),
        ('["?"]', ["a", "b", "c"]),
        ("{all_but: [b]}", ["a", "c"]),
        ('[all, "!c"]', ["a", "b"]),
        ("[c, a]", ["c", "a"]),
    ],
)
def test_subsets_of_all_columns_but_the_target(
    tmp_path: Path, subsets: str, columns: list[str]
) -> None:
    text = BASE + WINDOW + f"parameters: {{exog: {{subsets: {subsets}}}}}\n"

    sweep = read(tmp_path, text)

    assert [set(exog) for exog in exogs(sweep)] == [set(exog) for exog in powerset(*columns)]
    assert sweep.axes == ("exog",)


def test_a_target_of_any_run_is_in_no_subset(tmp_path: Path) -> None:
    text = BASE.replace("  target: load\n", "") + WINDOW
    axes = "parameters: {target: [load, [b, load]], exog: {subsets: all, max: 1}}\n"

    sweep = read(tmp_path, text + axes)

    assert exogs(sweep) == 2 * [(), ("a",), ("c",)]


def test_what_is_in_each_subset_is_not_chosen_from(tmp_path: Path) -> None:
    text = BASE + WINDOW + "parameters: {exog: {subsets: all, always: [b]}}\n"

    assert exogs(read(tmp_path, text)) == [("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")]


def test_a_group_of_columns_is_chosen_as_one(tmp_path: Path) -> None:
    text = BASE + WINDOW + "parameters: {exog: {subsets: all}}\n"

    sweep = read(tmp_path, text, Data(("load",), ("station",)))

    assert exogs(sweep) == [(), ("station",)]


def test_subsets_may_be_asked_for_on_the_command_line_and_under_a_condition(tmp_path: Path) -> None:
    when = "when: [{if: {net: lstm}, parameters: {exog: {subsets: all}}}]\n"

    assert len(read(tmp_path, BASE + WINDOW, overrides=["exog={subsets: all}"]).runs()) == 8
    assert len(read(tmp_path, BASE + WINDOW + when).runs()) == 8


def test_data_are_looked_at_where_they_have_something_to_say(tmp_path: Path) -> None:
    data = Data()

    read(tmp_path, BASE + WINDOW + "  exog: all\nparameters: {net.hidden: [1, 2]}\n", data)
    read(tmp_path, BASE + WINDOW + "parameters: {exog: {subsets: [a, b]}}\n", data)

    assert data.looks == 0


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        (
            "{exog: {subsets: [q*]}}",
            "8:30: exog: 'q*' matches no column that can be taken; known: a, b, c",
        ),
        (
            "{exog: {subsets: all}, dataset.seed: [0, 1]}",
            (
                "8:30: which columns there are depends on the data set, and that is an axis here; "
                "list the columns, as in {subsets: [a, b]}"
            ),
        ),
        ("{exog: {subsets: all, min: 4}}", "exog: empty list"),
    ],
)
def test_subsets_that_mean_nothing_are_refused_at_their_place(
    tmp_path: Path, axes: str, said: str
) -> None:
    assert said in refused(tmp_path, BASE + WINDOW + f"parameters: {axes}\n")


PANEL = BASE.replace("dataset: synthetic", "dataset: {path: p.csv, series: symbol, pick: PICK}")


@pytest.mark.parametrize(
    ("pick", "series"),
    [
        ("all", ["MSFT", "AAPL", "7"]),
        ("[AAPL, MSFT]", ["AAPL", "MSFT"]),
        ("[7]", ["7"]),
        ("MSFT", ["MSFT"]),
        ("7", ["7"]),
    ],
)
def test_several_series_are_an_axis(tmp_path: Path, pick: str, series: list[str]) -> None:
    sweep = read(tmp_path, PANEL.replace("PICK", pick) + WINDOW + "parameters: {scale: [none]}\n")

    assert [run.config.as_json()["dataset"]["pick"] for run in sweep.runs()] == series
    assert sweep.axes == (("series",) if len(series) > 1 else ())


def test_each_series_has_its_own_baselines(tmp_path: Path) -> None:
    text = PANEL.replace("PICK", "all").replace("[]", "[last]") + WINDOW

    sweep = read(tmp_path, text + "report: {rows: [series]}\n")

    assert [run.role for run in sweep.runs()] == 3 * ["net"] + 3 * ["baseline"]
    assert len({run.config.dataset_key() for run in sweep.runs()}) == 3


def test_a_series_that_is_called_all_is_meant_by_its_name(tmp_path: Path) -> None:
    sweep = read(tmp_path, PANEL.replace("PICK", "all") + WINDOW, Data(names=("all", "one")))

    assert sweep.axes == ()


@pytest.mark.parametrize("written", ["dataset.pick=all", "dataset.pick=[MSFT,AAPL,7]"])
def test_series_may_be_picked_on_the_command_line(tmp_path: Path, written: str) -> None:
    plain = PANEL.replace(", pick: PICK", "") + WINDOW

    assert read(tmp_path, plain, overrides=[written]).axes == ("series",)
    whole = "dataset={path: p.csv, series: symbol, pick: all}"
    assert read(tmp_path, BASE + WINDOW, overrides=[whole]).axes == ("series",)


def test_one_series_twice_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, PANEL.replace("PICK", "[a, b, a]") + WINDOW)

    assert "4:55: dataset.pick: duplicate value" in said


@pytest.mark.parametrize(
    ("written", "config"),
    [
        ("all", ("all",)),
        ("[b, a]", ("a", "b")),
        ('["T_*", "!T_out"]', ("!T_out", "T_*")),
        ("{all_but: [b]}", ("!b", "*")),
    ],
)
def test_what_is_written_stays_until_the_data_are_known(
    tmp_path: Path, written: str, config: tuple[str, ...]
) -> None:
    (run,) = read(tmp_path, BASE + WINDOW + f"  exog: {written}\n").runs()

    assert run.config.exog == config


def test_whole_columns_are_values_of_an_axis(tmp_path: Path) -> None:
    text = BASE + WINDOW + "parameters: {exog: [all, [], {all_but: [a]}]}\nexclude: [{exog: all}]\n"

    assert exogs(read(tmp_path, text)) == [(), ("!a", "*")]


pieces = st.sampled_from(
    [
        *("config", "parameters", "zip", "when", "if", "exog", "target", "subsets", "always"),
        *("all", "all_but", "dataset", "dataset.pick", "pick", "path", "values", "value"),
        *("q*", "!a", "a"),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | pieces,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(pieces, inner, max_size=4),
    max_leaves=20,
)


@hypothesis_settings(deadline=None, max_examples=300)
@given(st.dictionaries(pieces, values, max_size=6), values, values)
def test_any_structure_is_a_sweep_or_is_refused_also_where_data_are_looked_at(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any], exog: Any, target: Any
) -> None:
    axes = {"exog": {"subsets": exog, "always": target}, "target": target}
    whole = {"name": "any", "parameters": axes, **data}
    path = tmp_path_factory.getbasetemp() / "any-columns.yaml"
    path.write_text(json.dumps(whole))
    with suppress(SweepError):
        read_sweep(path, (), Data())


def test_the_ways_to_say_all_but_one_are_one(tmp_path: Path) -> None:
    texts = ["{all_but: [b]}", '["*", "!b"]', '["!b", "*"]']

    runs = [read(tmp_path, BASE + WINDOW + f"  exog: {text}\n").runs()[0] for text in texts]

    assert len({canonical(run.config.as_json()) for run in runs}) == 1
