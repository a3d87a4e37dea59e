"""The section `split`: training, validation and test, once or as folds of a rolling origin."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from pyheta.pipeline.data.options.sparse import Sparse
from pyheta.pipeline.rolling import Rolling, folds_of
from pyheta.pipeline.spans import Length, moment_of, without_zone
from pyheta.pipeline.splits import PARTS, rows_by_date, rows_by_length
from pyheta.pipeline.splits import Split as RowSplit
from pyheta.sweep.problems import shown

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.data.facts import DatasetFacts

TOLERANCE = 1e-9
MOST_FOLDS = 10_000

#: What says nothing without folds.
OF_FOLDS = ("step", "window", "refit", "until")


def _share(value: object) -> object:
    """A fraction of the rows, a number of rows, a length of time or a date. Raises ValueError."""
    if isinstance(value, str) and (Length.of(value) or moment_of(value)):
        return value
    if isinstance(value, float) and 0 < value < 1:
        return value
    if type(value) is int and value >= 1:
        return value
    raise ValueError(
        "expected a fraction below 1, a number of rows, a length of time as 8d or 12mo, or a date "
        f"as 2019-01-31, got {shown(value)}"
    )


def _kind_of_share(share: float | str) -> str:
    if isinstance(share, str):
        return "lengths of time" if Length.of(share) else "dates"
    return "rows" if type(share) is int else "fractions"


def _until(value: object) -> object:
    """A number of rows, or a date. Raises ValueError."""
    if _is_date(value) or value is None or (type(value) is int and value >= 1):
        return value
    raise ValueError(f"expected a number of rows, or a date as 2019-01-31, got {shown(value)}")


def _refit(value: object) -> object:
    """How often a net is fitted. Raises ValueError."""
    if value in ("every", "never") or (type(value) is int and value >= 1):
        return value
    raise ValueError(f"expected every, never, or a number of folds, got {shown(value)}")


Share = Annotated[
    float | int | str, PlainValidator(_share, json_schema_input_type=float | int | str)
]
Until = Annotated[int | str | None, PlainValidator(_until, json_schema_input_type=int | str | None)]
Refit = Annotated[
    int | Literal["every", "never"],
    PlainValidator(_refit, json_schema_input_type=int | Literal["every", "never"]),
]


class Split(Sparse):
    """Three stretches of time, one after the other.

    Fractions that add up to 1, rows (600), or lengths of time (8d, 36h, 12mo): rows after the last
    stretch are not used. Or the dates at which validation and test begin; training begins with the
    data, and the test part ends with it. With `folds` there are several such splits, each a step
    later than the one before; the last one ends with the data.
    """

    ALWAYS = frozenset(PARTS)

    train: Share | None = 0.6
    val: Share = 0.1
    test: Share = 0.3
    folds: int | None = Field(
        default=None,
        ge=1,
        le=MOST_FOLDS,
        description="A rolling origin of so many folds, each with a test part of its own.",
    )
    step: Share | None = Field(
        default=None, description="From one fold to the next; by default the length of `test`."
    )
    window: Literal["expanding", "sliding"] = Field(
        default="expanding",
        description="Whether every fold trains from the same row on, or on as many rows.",
    )
    refit: Refit = Field(
        default="every", description="every fold, never after the first, or each so many folds."
    )
    gap: int = Field(
        default=0,
        ge=0,
        le=10_000_000,
        description="Rows before the test part that are in none of the parts.",
    )
    until: Until = Field(
        default=None, description="Where the last fold ends: a number of rows, or a date."
    )

    final: Literal["train", "train+val"] = Field(
        default="train",
        description="What the net learns from that forecasts the test part. train+val: it is "
        "trained once more, on both, as validation has chosen.",
    )

    @model_validator(mode="before")
    @classmethod
    def _dates_need_no_train(cls, value: Any) -> Any:
        """Where validation begins at a date, training ends there: it has no share of its own."""
        if isinstance(value, Mapping) and "train" not in value and _is_date(value.get("val")):
            return {**value, "train": None}
        return value

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        written = {**self._parts(), **({"step": self.step} if self.step else {})}
        written = {part: share for part, share in written.items() if share is not None}
        kinds = {_kind_of_share(share) for share in written.values()}
        if "dates" in kinds:
            self._check_dates(kinds)
        elif len(kinds) > 1 or self.train is None:
            words = ", ".join(f"{part} {share}" for part, share in written.items())
            count = {3: "three", 4: "four"}.get(len(written), "")
            raise ValueError(
                f"write all {count} as fractions, as rows or as lengths of time (8d, 12mo), not as "
                f"{words}".replace("  ", " ")
            )
        elif kinds == {"fractions"} and not self.folds:
            self._check_sum()
        return self

    @model_validator(mode="after")
    def _of_folds(self) -> Self:
        if not self.folds:
            for key in OF_FOLDS:
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ValueError(f"{key} is about folds: write `folds` too, or leave it out")
        elif type(self.refit) is int and self.refit > self.folds:
            raise ValueError(
                f"refit is {self.refit:,}, more than the {self.folds:,} folds: write never to fit "
                "once"
            )
        return self

    def _check_sum(self) -> None:
        total = sum(self._parts().values())
        if abs(total - 1) > TOLERANCE:
            raise ValueError(f"train, val and test add up to {total:.10g}, not to 1")

    def _check_dates(self, kinds: set[str]) -> None:
        if self.folds:
            raise ValueError(
                "folds are counted back from the end of the data, so their parts have lengths, not "
                "dates: write rows, fractions or lengths of time (8d, 12mo)"
            )
        if kinds != {"dates"} or self.train is not None:
            val, test = (share if _is_date(share) else "…" for share in (self.val, self.test))
            raise ValueError(
                "dates say when val and test begin, and training begins with the data: write "
                f"split: {{val: {val}, test: {test}}}"
            )
        if _instant(self.val) >= _instant(self.test):
            raise ValueError(f"test has to begin after val, not {self.test} after {self.val}")

    @property
    def fold_numbers(self) -> Sequence[int | None]:
        """Which folds a configuration has: each is a run. None where there is no rolling origin."""
        return range(self.folds) if self.folds else (None,)

    def splits(self, facts: "DatasetFacts") -> tuple[RowSplit, ...]:
        """The rows of the three parts of each fold; one where there are no folds.

        Without folds they may go beyond the data set's. Raises StepError, with the key as `where`,
        where the data have no such rows.
        """
        if self.folds:
            return folds_of(self._rolling(self.folds), facts)
        return (self._once(facts).apart(self.gap, self._spared),)

    @property
    def _spared(self) -> Literal["train", "val", "none"]:
        """Which part gives its rows to the gap: none where each is as long as is written."""
        if self.train is None:
            return "val"
        return "train" if _kind_of_share(self.train) == "fractions" else "none"

    def _rolling(self, folds: int) -> Rolling:
        return Rolling(
            train=self.train or 0,
            val=self.val,
            test=self.test,
            step=self.step or self.test,
            folds=folds,
            sliding=self.window == "sliding",
            refit={"every": 1, "never": folds}.get(str(self.refit)) or int(self.refit),
            gap=self.gap,
            until=self.until,
        )

    def _once(self, facts: "DatasetFacts") -> RowSplit:
        shares = self._parts()
        if self.train is None:
            shares = rows_by_date(str(self.val), str(self.test), facts)
        elif isinstance(self.val, str):
            shares = rows_by_length(shares, facts)
        return RowSplit.by_shares(shares, facts.rows)

    def _parts(self) -> dict[str, Any]:
        return {part: getattr(self, part) for part in PARTS}


def _is_date(value: object) -> bool:
    return isinstance(value, str) and not Length.of(value) and moment_of(value) is not None


def _instant(share: object) -> datetime:
    """To compare dates with, whichever of them have an offset."""
    return without_zone(moment_of(str(share)) or datetime.min, None)  # noqa: DTZ901
