"""Numbers with a unit, a sign of money or brackets are numbers; labels that look so are none."""

from collections.abc import Callable

import pytest

from pyheta.pipeline.data.options import DataOptions
from pyheta.pipeline.data.read import Reading, read

VALUES = [1603.75, -2.5, 0.25, -1234567.5, 12.0, 99.5]


def checked(cells: list[str], separator: str = ";") -> Reading:
    rows = [f"2026-01-{day:02}{separator}{cell}" for day, cell in enumerate(cells, start=1)]
    raw = "\n".join([f"day{separator}x", *rows])
    return read(raw.encode(), "x.csv", DataOptions())


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def negative(value: float, form: str) -> str:
    return form.format(f"{-value:,.2f}") if value < 0 else f"{value:,.2f}"


@pytest.mark.parametrize(
    ("write", "unit"),
    [
        (lambda v: f"{german(v)} €", "€"),
        (lambda v: f"€ {german(v)}", "€"),
        (lambda v: f"${v:,.2f}", "$"),
        (lambda v: f"-${-v:,.2f}" if v < 0 else f"${v:,.2f}", "$"),
        (lambda v: f"(R$ {-v:,.2f})" if v < 0 else f"R$ {v:,.2f}", "R$"),
        (lambda v: f"{v:.2f} %", "%"),
        (lambda v: f"{v:.2f}%", "%"),
        (lambda v: f"{v:,.2f} kW", "kW"),
        (lambda v: f"{v:.2f}M", "M"),
        (lambda v: f"{v:.2f} °C", "°C"),
    ],
)
def test_the_same_unit_beside_all_numbers_is_told(write: Callable[[float], str], unit: str) -> None:
    found = checked([*map(write, VALUES)])
    assert found.frame["x"].to_list() == VALUES
    assert f"numbers in 'x' are in {unit}" in found.notes


@pytest.mark.parametrize("form", ["({})", "{}-", "\u2212{}"])
def test_what_is_below_zero_may_stand_in_brackets_or_before_its_minus(form: str) -> None:
    assert checked([negative(v, form) for v in VALUES]).frame["x"].to_list() == VALUES


@pytest.mark.parametrize(
    "labels",
    [
        ["A1", "A2", "A3"],  # series, not amperes
        ["1A", "2A", "3A"],
        ["(1)", "(2)", "(3)"],
        ["1.5 kW", "2.5 MW", "3.5 kW"],
        ["19.07M", "950.10K", "1.50M"],
        ["5 kg of 3", "6 kg of 3", "7 kg of 3"],
    ],
)
def test_labels_and_several_units_stay_texts(labels: list[str]) -> None:
    rows = "\n".join(f"2026-01-{day:02},{label},1" for day, label in enumerate(labels, start=1))
    found = read(f"day,x,y\n{rows}".encode(), "x.csv", DataOptions())
    assert f"holds texts such as '{labels[0]}'" in str(found.left_out["x"])


def test_a_cell_without_a_number_is_missing_as_elsewhere() -> None:
    raw = "day,x,y\n2026-01-01,1.5 kW,1\n2026-01-02,-,1\n2026-01-03,2.5 kW,1\n"
    found = read(raw.encode(), "x.csv", DataOptions())
    assert "row 3, column 'x': a missing value" in str(found.left_out["x"])
