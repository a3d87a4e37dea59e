"""How values and axes are written: dotted settings, lists, grids of numbers, subsets."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, combinations, pairwise
from math import comb
from typing import Annotated, Any, Literal, Self, assert_never

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from pyheta.errors import SweepError
from pyheta.pipeline.data.options.named import Column
from pyheta.section import Section
from pyheta.steps import canonical
from pyheta.sweep.longform import flat
from pyheta.sweep.problems import describe, shown
from pyheta.sweep.selection import AllBut, long_form
from pyheta.sweep.syntax import Document, KeyPath

MAX_VALUES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """One value of one dotted key, and where it is written. Compared by identity, for speed."""

    key: str
    value: Any
    where: str

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]


# What is set together: the settings of one value of an axis, by dotted key.
Choice = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Axis:
    """One dimension of a sweep: choices in a fixed order, each of which sets some keys."""

    name: str
    where: str
    choices: tuple[Choice, ...]

    def all_keys(self) -> tuple[str, ...]:
        """The keys that any of the choices sets, in the order in which they appear."""
        return tuple(dict.fromkeys(chain.from_iterable(self.choices)))

    def varied_keys(self) -> tuple[str, ...]:
        """The keys that do not have the same value in all choices."""
        return tuple(key for key in self.all_keys() if len(self._values(key)) > 1)

    def _values(self, key: str) -> set[str]:
        return {identity(choice[key].value) if key in choice else "" for choice in self.choices}


def settings(key: str, value: Any, where: str) -> dict[str, Setting]:
    """A value as flat settings: `net: lstm` sets `net.name`, a mapping sets each of its keys."""
    return {leaf: Setting(leaf, inner, where) for leaf, inner in flat(key, value)}


def identity(value: object) -> str:
    """A text that is the same for equal values, however written: 1 is 1.0 and [1], but not true."""
    return canonical(_normalised(value))


def _normalised(value: object) -> object:
    if isinstance(value, list | tuple):
        return _normalised(value[0]) if len(value) == 1 else [_normalised(item) for item in value]
    if isinstance(value, dict):
        return {key: _normalised(item) for key, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ValuesAxis(Section):
    """`{values: [...]}`; a bare list is short for it."""

    values: list[Any]

    def points(self) -> list[Any]:
        return self.values


class ValueAxis(Section):
    """`{value: x}`: one value, also where x is itself a list."""

    value: Any

    def points(self) -> list[Any]:
        return [self.value]


class GridAxis(Section):
    """`num` numbers from `min` to `max`, evenly spaced, or evenly spaced in their logarithm."""

    min: float
    max: float
    num: int = Field(ge=1, le=10_000)
    distribution: Literal["uniform", "log_uniform"] = "uniform"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min or (self.num > 1 and self.max == self.min):
            raise ValueError(f"max {self.max:g} has to be more than min {self.min:g}")
        if self.distribution == "log_uniform" and self.min <= 0:
            raise ValueError(f"log_uniform needs min > 0, got {self.min:g}")
        return self

    def points(self) -> list[int | float]:
        """Rounded to 12 digits, so that 1e-4 … 1e-2 in 3 points has 0.001; integers if all are."""
        numbers = [float(f"{self._point(index):.12g}") for index in range(self.num)]
        if all(number.is_integer() for number in numbers):
            return [int(number) for number in numbers]
        return list(numbers)

    def _point(self, index: int) -> float:
        share = index / max(self.num - 1, 1)
        match self.distribution:
            case "uniform":
                return self.min * (1 - share) + self.max * share
            case "log_uniform":
                return float(self.min ** (1 - share) * self.max**share)
            case _:
                assert_never(self.distribution)


Columns = Annotated[tuple[Column, ...], Field(strict=False)]


class SubsetsAxis(Section):
    """All subsets of some columns, small ones first, each with the columns of `always`.

    `subsets` is a list of names and patterns, all, or {all_but: [...]}.
    """

    subsets: Annotated[
        Columns,
        BeforeValidator(long_form, json_schema_input_type=list[Column] | Literal["all"] | AllBut),
    ]
    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)
    always: Columns = ()

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        listed = self.subsets + self.always
        if twice := [column for column in listed if listed.count(column) > 1]:
            raise ValueError(f"column '{twice[0]}' is listed twice")
        if self.count() > MAX_VALUES:
            raise ValueError(f"{self.count():,} subsets; limit {MAX_VALUES:,}")
        return self

    def sizes(self) -> range:
        most = len(self.subsets) if self.max is None else min(self.max, len(self.subsets))
        return range(self.min, most + 1)

    def count(self) -> int:
        """How many there are, without making them."""
        return sum(comb(len(self.subsets), size) for size in self.sizes())

    def points(self) -> list[list[str]]:
        chosen = chain.from_iterable(combinations(self.subsets, size) for size in self.sizes())
        return [[*self.always, *columns] for columns in chosen]


AxisForm = ValuesAxis | ValueAxis | GridAxis | SubsetsAxis

# Each way to write an axis, by the key that tells it.
AXIS_FORMS: Mapping[str, type[AxisForm]] = {
    "values": ValuesAxis,
    "value": ValueAxis,
    "subsets": SubsetsAxis,
    "num": GridAxis,
    "min": GridAxis,
}


def read_axis(document: Document, path: KeyPath, value: Any) -> Axis:
    """The axis written at `path`, whose last part is its dotted key. Raises SweepError."""
    key = str(path[-1])
    choices = tuple(settings(key, each, where) for each, where in _points(document, path, value))
    return _checked(Axis(key, document.where_key(path), choices))


def read_zip(document: Document, path: KeyPath, columns: Mapping[str, list[Any]]) -> Axis:
    """The zip group written at `path`: the n-th values of all its keys make the n-th choice."""
    _same_length(document, path, columns)
    choices = tuple(
        _row(document, path, columns, index)
        for index in range(max(map(len, columns.values()), default=0))
    )
    return _checked(Axis(str(path[-1]), document.where_key(path), choices))


def _same_length(document: Document, path: KeyPath, columns: Mapping[str, list[Any]]) -> None:
    for first, second in pairwise(columns):
        lengths = len(columns[first]), len(columns[second])
        if lengths[0] != lengths[1]:
            raise SweepError(
                f"'{first}' has {lengths[0]} values but '{second}' has {lengths[1]}",
                where=document.where((*path, second)),
                cure="the keys of a zip group advance together",
            )


def _row(document: Document, path: KeyPath, columns: Mapping[str, list[Any]], index: int) -> Choice:
    choice: dict[str, Setting] = {}
    for key, column in columns.items():
        own = settings(key, column[index], document.where((*path, key, index)))
        if twice := sorted(own.keys() & choice):
            where = document.where_key((*path, key))
            raise SweepError(f"'{twice[0]}' is set twice in this zip group", where=where)
        choice |= own
    return choice


def _points(document: Document, path: KeyPath, value: Any) -> list[tuple[Any, str]]:
    """The values of an axis, each with its place."""
    if isinstance(value, list):
        return [(item, document.where((*path, index))) for index, item in enumerate(value)]
    if isinstance(value, dict) and "values" in value and isinstance(value["values"], list):
        _form(document, path, value)
        return _points(document, (*path, "values"), value["values"])
    where = document.where(path)
    return [(point, where) for point in _form(document, path, value).points()]


def _form(document: Document, path: KeyPath, value: Any) -> AxisForm:
    where = document.where(path)
    if not isinstance(value, dict):
        raise SweepError(
            f"{path[-1]}: expected a list of values, got {shown(value)}",
            where=where,
            cure="a single value belongs in 'config'",
        )
    model = next((AXIS_FORMS[name] for name in AXIS_FORMS if name in value), None)
    if model is None:
        raise SweepError(
            f"{path[-1]}: not an axis",
            where=where,
            cure="write a list, {values: […]}, {value: …}, {min: …, max: …, num: …} or "
            "{subsets: […]}",
        )
    try:
        return model.model_validate(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        name = ".".join(map(str, (path[-1], *detail["loc"])))
        what, cure = describe(detail, name, tuple(model.model_fields))
        raise SweepError(what, where=document.where((*path, *detail["loc"])), cure=cure) from error


def _checked(axis: Axis) -> Axis:
    if not axis.choices:
        raise SweepError(f"{axis.name}: empty list: the sweep would have 0 runs", where=axis.where)
    seen: dict[str, str] = {}
    for choice in axis.choices:
        text = identity({key: setting.value for key, setting in choice.items()})
        where = next((setting.where for setting in choice.values()), axis.where)
        if text in seen:
            raise SweepError(f"{axis.name}: duplicate value (first at {seen[text]})", where=where)
        seen[text] = where
    return axis
