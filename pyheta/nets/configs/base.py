"""What the configurations of all nets share. No torch: sweeps are read where nothing is trained."""

from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field

from pyheta.section import Section

if TYPE_CHECKING:  # numpy takes longer to import than most commands that only look
    from pyheta.pipeline.windows import Shape


def as_tuple(value: object) -> object:
    """`hidden: 64` is one hidden layer, `hidden: [64, 32]` are two."""
    if isinstance(value, list | tuple):
        return tuple(value)
    return (value,)


Width = Annotated[int, Field(ge=1, le=65_536)]
LayerCount = Annotated[int, Field(ge=1, le=16)]
Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]
Period = Annotated[int, Field(ge=1, le=1_000_000)]
Widths = Annotated[
    tuple[Width, ...],
    Field(min_length=1, max_length=16),
    BeforeValidator(as_tuple, json_schema_input_type=Width | list[Width]),
]

HOURS_OF_DAY = 24

INSTANCE_NORM = "Whether each window is forecast free of its own mean and standard deviation."


class Misfit(NamedTuple):
    """Why a net cannot read a window, and which of the net's options is at fault."""

    what: str
    option: str
    cure: str


class NetConfig(Section):
    """A net declares itself here: its options are fields, facts about it are class attributes.

    Facts decide which of a run's options can change the outcome; the others are left out of a
    step's parameters, so that they never make a distinct step.
    """

    #: module:callable that makes the net of (config, shape); imported when a net is built.
    #: It gives a torch module if the net is trained by gradient, else a `Forecaster`.
    built_by: ClassVar[str]

    stochastic: ClassVar[bool] = False  # the seed matters
    trained_by_gradient: ClassVar[bool] = False  # the `train` section matters
    uses_exog: ClassVar[bool] = True  # exogenous columns matter
    paddable: ClassVar[bool] = False  # columns of zeros after the others change nothing
    reads_rows: ClassVar[bool] = False  # it is told where in time a window lies: forward(x, rows)
    additive: ClassVar[bool] = False  # forecasts of components add up to that of their series
    resumable: ClassVar[bool] = False  # its weights and optimizer state are all its state
    stackable: ClassVar[bool] = False  # a GPU may train several at once, unless its layers forbid
    in_own_units: ClassVar[bool] = False  # it repeats what it reads: the scale cannot matter
    baseline: ClassVar[bool] = False  # it runs beside every sweep that does not say otherwise
    lookback_option: ClassVar[str | None] = None  # the option that `lookback` follows
    seasonal: ClassVar[bool] = False  # its `period` is the season of the data where left open

    name: str

    def lookback(self, window_input: int) -> int:
        """Rows before the first target that the net reads: a step's `window.input`."""
        return window_input

    def misfit(self, lookback: int) -> Misfit | None:  # noqa: ARG002 (most nets read any window)
        """Why the net cannot read windows of `lookback` rows; None if it can."""
        return None

    def excess(self, shape: "Shape", windows: int) -> Misfit | None:  # noqa: ARG002 (as above)
        """Why so many training windows of this shape are too much for it; None if they are not."""
        return None

    @property
    def follows_level(self) -> bool:
        """Whether its forecasts go with the level of a window, whatever level it learned from."""
        return self.in_own_units

    @property
    def has_kernel(self) -> bool:
        """Whether compiled code can train it: `engines.programs` says how, and up to which size."""
        return False


class GradientConfig(NetConfig):
    """What all nets share that are trained by gradient."""

    stochastic: ClassVar[bool] = True
    trained_by_gradient: ClassVar[bool] = True
    resumable: ClassVar[bool] = True
    stackable: ClassVar[bool] = True


class SeasonalNetConfig(NetConfig):
    """What nets share that know of one season."""

    seasonal: ClassVar[bool] = True

    period: Period | None = Field(
        default=None, description="Rows of one season; that of the data set where it is absent."
    )

    @property
    def season(self) -> int:
        """Rows of one season; a day of hours where no plan has filled in the data set's."""
        return self.period or HOURS_OF_DAY


class InstanceNormConfig(GradientConfig):
    """What nets share that can be put inside an instance normalisation."""

    instance_norm: bool = Field(default=False, description=INSTANCE_NORM)

    @property
    def follows_level(self) -> bool:
        return self.instance_norm
