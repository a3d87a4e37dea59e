"""A data set as a command line names it: a name or a path, and options as KEY=VALUE."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pyheta.sweep.config import MODELS, SECTIONS
from pyheta.sweep.longform import flat
from pyheta.sweep.overrides import parsed_among
from pyheta.sweep.problems import Problems, describe, findings

_SECTION = "dataset"

#: The options that data sets of any kind have, beside a name or a path.
OPTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        info.alias or name
        for model in MODELS[_SECTION]
        for name, info in model.model_fields.items()
        if name not in ("name", "path")
    )
)


def read_dataset(named: str, options: Sequence[str] = ()) -> Mapping[str, Any]:
    """The `dataset` section of a sweep that says the same; options are written as overrides are.

    Raises SweepError or SweepErrors.
    """
    problems = Problems()
    given: dict[str, Any] = {}
    places: dict[str, str] = {}
    for text in options:
        with problems.collect():
            key, value, where = parsed_among(OPTIONS, text)
            places[key] = where
            given[key] = list(value) if isinstance(value, tuple) else value
    problems.raise_any()
    return _checked({**_written(named), **_leaves(given)}, places)


def _written(named: str) -> dict[str, Any]:
    """A file that is there is a path; else `etth1` is a name, `load.csv` a path, as in a sweep."""
    if Path(named).is_file():
        return {"path": named}
    return {key.removeprefix(f"{_SECTION}."): value for key, value in flat(_SECTION, named)}


def _leaves(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options in their long form."""
    leaves = (leaf for key, value in given.items() for leaf in flat(f"{_SECTION}.{key}", value))
    return {key.removeprefix(f"{_SECTION}."): value for key, value in leaves}


def _checked(values: Mapping[str, Any], places: Mapping[str, str]) -> Mapping[str, Any]:
    problems = Problems()
    try:
        section: BaseModel = SECTIONS[_SECTION].validate_python(values)
        return section.model_dump(mode="json")
    except ValidationError as error:
        for detail in findings(error):
            loc = [part for part in detail["loc"][1:] if isinstance(part, str)]
            what, cure = describe(detail, ".".join(loc), OPTIONS)
            problems.add(what, where=places.get(loc[0] if loc else "", "command line"), cure=cure)
    problems.raise_any()
    raise AssertionError("a section that is wrong has a problem")
