"""What is done about values that are missing: for all columns, and for some of them otherwise."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from pyheta.errors import nearest
from pyheta.pipeline.data.options.named import Column, mapping
from pyheta.section import Section

Code = float | int | str

_EXACT = 1e15  # whole numbers below it are written without a point


def _canonical(codes: tuple[Code, ...]) -> tuple[Code, ...]:
    """Each once, in one order: numbers (as floats), then texts."""
    distinct = {_number(code) for code in codes}
    return tuple(sorted(distinct, key=lambda code: (isinstance(code, str), code)))


def _number(code: Code) -> float | str:
    """A text that is a number is one; what is infinite is a text, as JSON has no such number."""
    try:
        number = float(code)
    except ValueError:
        return str(code)
    return number if isfinite(number) else str(number)


def _written(codes: tuple[Code, ...] | None) -> list[Code] | None:
    return None if codes is None else [short(code) for code in codes]


def short(code: Code) -> Code:
    """As people write it: -999, not -999.0."""
    whole = isinstance(code, float) and code.is_integer() and abs(code) < _EXACT
    return int(code) if whole else code


Codes = Annotated[
    tuple[Code, ...], Field(strict=False), AfterValidator(_canonical), PlainSerializer(_written)
]


class Policy(Section):
    """What is done about the missing values of a column. `values` are missing too."""

    how: Literal["drop", "mask"] | None = Field(
        default=None,
        description="drop: rows that lack it are left out. mask: the last value is carried on, and "
        "a column that is 1 there tells so.",
    )
    fill: Literal["forward", "linear", "seasonal"] | None = Field(
        default=None,
        description="forward: the last value. linear, seasonal: between the values around it, or "
        "around it at the same time of other seasons; both need `leakage: allow`.",
    )
    limit: int | None = Field(
        default=None, ge=1, le=1_000_000_000, description="Rows of the longest gap that is filled."
    )
    values: Codes | None = Field(
        default=None, description="Numbers and texts that stand for missing; [] if none does."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.how and self.fill:
            raise ValueError(f"'{self.how}' and 'fill' are two ways: write one of them")
        if self.limit and not self.fill:
            raise ValueError("'limit' is that of a 'fill', and there is none")
        return self

    @property
    def decides(self) -> bool:
        """Whether it says what is done."""
        return bool(self.how or self.fill)


OWN_KEYS = tuple(Policy.model_fields)


class Missing(Policy):
    """The policy of all columns that `columns` do not name."""

    columns: tuple[tuple[Column, Policy], ...] = Field(default=(), strict=False)

    def of(self, column: str) -> Policy:
        """A column's policy: what its own does not say is as it is for all."""
        own = dict(self.columns).get(column, Policy())
        ways = own if own.decides else self
        values = self.values if own.values is None else own.values
        return Policy(how=ways.how, fill=ways.fill, limit=ways.limit, values=values)

    def as_written(self) -> Any:
        """The shortest form that means the same: a word, or a mapping."""
        own = {name: as_written(policy) for name, policy in self.columns}
        general = as_written(Policy(**{key: getattr(self, key) for key in OWN_KEYS}))
        return general if isinstance(general, str) and not own else {**_mapped(general), **own}


def as_written(policy: Policy) -> Any:
    """`drop` and `mask` alone are a word, anything else is a mapping."""
    said = policy.model_dump(exclude_none=True)
    return said["how"] if said.keys() == {"how"} else said


def _mapped(general: Any) -> Any:
    return {"how": general} if isinstance(general, str) else general


def _long_form(written: object) -> object:
    """`drop` is {how: drop}; keys that are no option of a policy are columns."""
    if isinstance(written, Missing):
        return written
    value = mapping(_as_mapping(written))
    if not isinstance(value, Mapping) or not value:
        raise ValueError("expected drop, mask, or a mapping such as {fill: forward, limit: 3}")
    own = {key: inner for key, inner in value.items() if key in OWN_KEYS}
    columns = tuple(
        (key, _known(_as_mapping(inner))) for key, inner in value.items() if key not in own
    )
    return {**own, "columns": columns}


def _as_mapping(written: object) -> object:
    return {"how": written} if isinstance(written, str) else written


def _known(policy: object) -> object:
    """Keys inside a value have no place of their own to be pointed at."""
    if not isinstance(policy, Mapping | Policy):
        raise ValueError("expected for a column: drop, mask, or a mapping such as {fill: forward}")  # noqa: TRY004
    for key in policy if isinstance(policy, Mapping) else ():
        if key not in OWN_KEYS:
            raise ValueError(f"unknown key '{key}'; {nearest(str(key), OWN_KEYS)}")
    return policy


#: Written in short, kept in full.
MissingOption = Annotated[
    Missing,
    BeforeValidator(_long_form),
    PlainSerializer(Missing.as_written),
    WithJsonSchema({"anyOf": [{"enum": ["drop", "mask"]}, {"type": "object"}]}),
]
