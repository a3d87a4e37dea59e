"""What a run is called in a table: the values of the keys by which the table is laid out."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyheta.errors import InputError, nearest
from pyheta.nets.configs.union import NETS
from pyheta.steps import canonical
from pyheta.store.seam import RunRow
from pyheta.sweep.given import FOLD, PICK, SERIES
from pyheta.sweep.longform import VALUE_SECTIONS

ABSENT = "-"

NET = "net.name"
BASELINE = "baseline"  # the role of a run that stands beside a sweep

# Runs that agree in these forecast the same values, so that their errors may be compared.
QUESTION = ("dataset", "target", "split", "window.horizon", "window.stride", FOLD)

#: Options of a split about what trains a net, and not about what it has to forecast.
OF_TRAINING = ("window", "refit", "final")

#: What people call a key: an axis over the series of a panel sets which of them is picked.
ALIASES = {SERIES: PICK}


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Dotted keys and values of nested mappings, in their order."""
    if isinstance(value, Mapping) and key not in VALUE_SECTIONS:
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


def value_at(config: Mapping[str, Any], key: str) -> object:
    """The value under a dotted key; None where there is none."""
    value: object = config
    for name in key.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def targets_of(run: RunRow) -> Sequence[str]:
    """The columns that a run forecasts together."""
    target = run.config.get("target", "")
    return [target] if isinstance(target, str) else target


def named_targets(run: RunRow) -> Sequence[str]:
    """The targets that have metrics under their names: those that are forecast together.

    A single one has the metrics without a name. What is called like it is a component of it.
    """
    targets = targets_of(run)
    return targets if len(targets) > 1 else ()


def keys_of(axes: Iterable[str], runs: Sequence[RunRow]) -> tuple[str, ...]:
    """The leaf keys of the axes; an axis that sets a section counts as its keys that vary.

    Raises InputError for an axis that no run has.
    """
    return tuple(dict.fromkeys(key for axis in axes for key in _keys(axis, runs)))


def _keys(axis: str, runs: Sequence[RunRow]) -> Iterator[str]:
    values: dict[str, set[str]] = {}
    for run in runs:
        for key, value in leaves(_option(run, axis), axis):
            values.setdefault(key, set()).add(canonical(value))
    if set(values) == {axis}:
        if values[axis] == {"null"} and runs:
            raise InputError(f"no run has an option '{axis}'", cure=_nearest(axis, runs))
        yield axis
    else:
        yield from (key for key, distinct in values.items() if len(distinct) > 1)


def _option(run: RunRow, key: str) -> object:
    of_run = {"seed": run.seed, FOLD: run.fold}
    return of_run[key] if key in of_run else value_at(run.config, ALIASES.get(key, key))


def _nearest(axis: str, runs: Sequence[RunRow]) -> str:
    return nearest(axis, [key for key, _ in leaves(runs[0].config)])


@dataclass(frozen=True, slots=True)
class Naming:
    """Which runs of a table are baselines, and what all of its runs are called.

    `equal`: ordinals of runs of the sweep that a baseline would be. `told`: net -> its options that
    tell baselines of one question apart.
    """

    equal: Container[int]
    told: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, runs: Iterable[RunRow], keys: Container[str], equal: Container[int]) -> "Naming":
        """A key of the table tells baselines apart without more words."""
        unnamed = cls(equal, {})
        nets = defaultdict[tuple[str, str], dict[str, object]](dict)
        for run in filter(unnamed.is_baseline, runs):
            net = value_at(run.config, "net")
            nets[net_of(run), question(run)][canonical(net)] = net
        told = defaultdict[str, dict[str, None]](dict)
        for (name, _), distinct in nets.items():
            varied = (key for key in _varied(distinct.values()) if key not in keys)
            told[name] |= dict.fromkeys(varied)
        return cls(equal, {name: tuple(options) for name, options in told.items()})

    def is_baseline(self, run: RunRow) -> bool:
        return run.role == BASELINE or run.ordinal in self.equal

    def label(self, run: RunRow, key: str) -> str:
        """A run's value of a key as text; beside a baseline's name what others of it lack."""
        text = label(run, key)
        if key != NET or not self.is_baseline(run):
            return text
        options = self.told.get(text, ())
        words = [f"{option.removeprefix('net.')} {label(run, option)}" for option in options]
        return f"{text} ({', '.join(words)})" if words else text


def _varied(nets: Iterable[object]) -> Iterator[str]:
    """The options in which nets of one name differ."""
    values = defaultdict[str, set[str]](set)
    for net in nets:
        for key, value in leaves(net, "net"):
            values[key].add(canonical(value))
    return (key for key, distinct in values.items() if len(distinct) > 1)


def net_of(run: RunRow) -> str:
    """The name of a run's net."""
    return str(value_at(run.config, NET))


def question(run: RunRow, keys: Iterable[str] = QUESTION) -> str:
    """Equal for runs that forecast the same values."""
    return canonical([_asked(run, key) for key in keys])


def _asked(run: RunRow, key: str) -> object:
    """A run's value of a key, as far as it decides which values are forecast."""
    value = _option(run, key)
    if key == "split" and isinstance(value, Mapping):
        return {name: given for name, given in value.items() if name not in OF_TRAINING}
    return value


def label(run: RunRow, key: str) -> str:
    """A run's value of a key as text; a dash where it has none."""
    if key.startswith("train.") and not (_trained(run) or _judges(run, key)):
        return ABSENT
    value = _option(run, key)
    if isinstance(value, Mapping):
        return canonical(value) if value else ABSENT
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or ABSENT
    if value is None:
        return ABSENT
    return f"{value:g}" if isinstance(value, float) else str(value)


def _judges(run: RunRow, key: str) -> bool:
    """Whether a baseline is judged by it as the runs beside it are: see `RunConfig.quantile`."""
    judging = ("train.loss", "train.quantile")
    return key in judging and value_at(run.config, "train.loss") == "quantile"


def _trained(run: RunRow) -> bool:
    """Whether a net of it is trained by gradient, as far as its names tell: one's own nets are."""
    if run.config.get("components"):
        return True
    kind = NETS.get(net_of(run))
    return kind is None or kind.trained_by_gradient
