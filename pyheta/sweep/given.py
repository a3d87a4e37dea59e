"""What of a sweep only its data can say: which columns `all` are, and which series.

It is written into the document before axes are read. Without a look at the data what is written
stays as it is.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import chain
from typing import Any, Protocol, TypeGuard

from pydantic import ValidationError

from pyheta.errors import SweepError
from pyheta.section import Section
from pyheta.sweep.config import SECTIONS
from pyheta.sweep.longform import flat
from pyheta.sweep.problems import Problems
from pyheta.sweep.selection import ALL, Offer, chooses, long_form
from pyheta.sweep.syntax import Document, KeyPath

PICK = "dataset.pick"

#: What an axis over `dataset.pick` is called.
SERIES = "series"

#: What the fold of a rolling origin is called; a report may have one row for each.
FOLD = "fold"

#: Keys whose axes may be subsets of the columns of the data set.
OF_COLUMNS = ("exog", "target")

# The axes of `parameters`, or of one block of `when`, with their place.
Home = tuple[KeyPath, MutableMapping[str, Any]]


class Look(Protocol):
    """A look at data sets. `where` is the place of the section, for what is wrong with it.

    Both raise DataError.
    """

    def columns(self, dataset: Section, where: str) -> Offer:
        """The columns that subsets are made of; a group counts as one."""

    def series(self, dataset: Section, where: str) -> Sequence[str]:
        """The names of a panel's series, in the order of the file."""


def write_down(document: Document, look: Look | None, problems: Problems) -> None:
    """Put into the document what its data say. What is wrong is noted. Raises DataError."""
    _flatten_dataset(document)
    with problems.collect():
        _series_as_axis(document, look)
    if look:
        for path, axes in _homes(document):
            for key in OF_COLUMNS:
                with problems.collect():
                    _name_columns(document, (*path, key), axes, look)


def _flatten_dataset(document: Document) -> None:
    """`config: {dataset: {path: x}}`, as the command line writes it, is `dataset.path`."""
    config = document.data.setdefault("config", {})
    if isinstance(config.get("dataset"), dict):
        where = document.where(("config", "dataset"))
        for key, value in flat("dataset", config.pop("dataset")):
            config[key] = value
            _place(document, ("config", key), where)


def _place(document: Document, path: KeyPath, where: str) -> None:
    document.keys[path] = document.values[path] = where


def _homes(document: Document) -> Iterator[Home]:
    yield ("parameters",), document.data.get("parameters", {})
    for index, block in enumerate(document.data.get("when", [])):
        yield ("when", index, "parameters"), block["parameters"]


def _series_as_axis(document: Document, look: Look | None) -> None:
    """`dataset: {pick: [a, b]}` is an axis of series; `pick: all` is one of all that there are."""
    config, axes = document.data["config"], document.data.get("parameters", {})
    if PICK in axes:
        axes[PICK] = _picked(document, ("parameters", PICK), axes[PICK], look)
    elif PICK in config:
        picked = _picked(document, ("config", PICK), config[PICK], look)
        if isinstance(picked, list):
            del config[PICK]
            document.data["parameters"] = {PICK: picked, **axes}
            _place_series(document, len(picked))


def _place_series(document: Document, count: int) -> None:
    """An axis of series stands where they are listed under `dataset`."""
    where = document.where(("config", PICK))
    _place(document, ("parameters", PICK), where)
    for index in range(count):
        own = document.values.get(("config", "dataset", "pick", index), where)
        _place(document, ("parameters", PICK, index), own)


def _picked(document: Document, path: KeyPath, written: object, look: Look | None) -> object:
    """The names of all series where all are wanted, unless one of them is called so."""
    if written != ALL or not look or not (dataset := _dataset(document)):
        return written
    names = look.series(dataset, document.where(path))
    return ALL if ALL in names else list(names)


def _name_columns(
    document: Document, path: KeyPath, axes: MutableMapping[str, Any], look: Look
) -> None:
    """`{subsets: all}` and patterns as the columns that they mean."""
    key, axis = str(path[-1]), axes.get(str(path[-1]))
    if not _has_subsets(axis) or not chooses(_texts(long_form(axis["subsets"]))):
        return
    where = document.where((*path, "subsets"))
    _refuse_several(document, where)
    if not (dataset := _dataset(document)):
        return  # it is wrong in itself, which is noted where it is checked
    offer = look.columns(dataset, document.where(("config", "dataset")))
    targets = tuple(_targets(document)) if key == "exog" else ()
    try:
        axes[key] = {**axis, "subsets": _columns(axis, targets, offer)}
    except SweepError as error:
        raise SweepError(f"{key}: {error.what}", where=where, cure=error.cure) from error


def _columns(axis: Mapping[str, Any], targets: Iterable[str], offer: Offer) -> list[str]:
    """What subsets are made of: neither a target nor a column that is in each of them."""
    taken = offer.select([*_texts(axis.get("always", [])), *targets])
    names = offer.without(taken).select(_texts(long_form(axis["subsets"])))
    return [name for name in names if name not in taken]


def _has_subsets(axis: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(axis, dict) and "subsets" in axis


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _refuse_several(document: Document, where: str) -> None:
    """Raises SweepError where an axis varies the data set: each would have its own columns."""
    zips = document.data.get("zip", {}).values()
    keys = chain(*(axes for _, axes in _homes(document)), *zips)
    if any(key.partition(".")[0] == "dataset" and key != PICK for key in keys):
        cure = "list the columns, as in {subsets: [a, b]}"
        what = "which columns there are depends on the data set, and that is an axis here"
        raise SweepError(what, where=where, cure=cure)


def _dataset(document: Document) -> Section | None:
    """The one data set of a sweep, of several series the first; None if it cannot be read."""
    config: Mapping[str, Any] = document.data["config"]
    written = {
        leaf.removeprefix("dataset."): value
        for key in config
        if key.partition(".")[0] == "dataset" and key != PICK
        for leaf, value in flat(key, config[key])
    }
    picked = document.data.get("parameters", {}).get(PICK)
    pick = picked[0] if picked and isinstance(picked, list) else config.get(PICK)
    chosen = {} if pick in (None, ALL) else {"pick": str(pick)}
    try:
        dataset: Section = SECTIONS["dataset"].validate_python(written | chosen)
    except ValidationError:
        return None
    return dataset


def _targets(document: Document) -> Iterator[str]:
    """The columns that any run may forecast, as they are written."""
    data = document.data
    yield from _texts(long_form(data["config"].get("target", [])))
    groups = chain((axes for _, axes in _homes(document)), data.get("zip", {}).values())
    for axes in groups:
        axis = axes.get("target", [])
        values = axis.get("values", axis.get("value")) if isinstance(axis, dict) else axis
        for value in values if isinstance(values, list) else [values]:
            yield from _texts(long_form(value))
