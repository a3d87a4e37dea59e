"""Data sets to which a user gives names, in `pyheta.toml`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from pyheta.errors import ConfigError
from pyheta.pipeline.data.catalogue import CATALOGUE, Entry
from pyheta.pipeline.data.options import DataOptions
from pyheta.section import complaint

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SYNTHETIC = "synthetic"


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class _Written(DataOptions):
    """What may stand below `[data.NAME]`: what the file is, and how it is read."""

    path: str = Field(min_length=1, max_length=4096)
    url: Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(strict=False)] = ()
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    about: str = ""
    licence: str = ""
    origin: str = ""
    target: str = ""


def own_entries(tables: Mapping[str, Any], file: Path) -> Mapping[str, Entry]:
    """The entries of a settings file; paths in them count from its folder. Raises ConfigError."""
    return {name: _entry(name, table, file) for name, table in tables.items()}


def name_trouble(name: str) -> str:
    """What is wrong with a name that somebody gives to a data set; empty if it will do."""
    if name in CATALOGUE or name == SYNTHETIC:
        return f"'{name}' is the name of a well-known data set"
    if not NAME.fullmatch(name):
        return f"'{name}' is no name: up to 64 letters, digits, '-' and '_'"
    return ""


def _entry(name: str, table: Mapping[str, Any], file: Path) -> Entry:
    if trouble := name_trouble(name):
        raise ConfigError(trouble, where=f"{file}: data.{name}", cure="choose another name")
    written = _checked(name, table, file)
    named = {key for key in _Written.model_fields if key not in DataOptions.model_fields}
    return Entry(
        about=written.about,
        file=str(file.parent / Path(written.path).expanduser()),
        urls=written.url,
        sha256=written.sha256,
        licence=written.licence,
        origin=written.origin,
        season=written.season,
        target=written.target,
        options={key: value for key, value in written.as_params().items() if key not in named},
    )


def _checked(name: str, table: Mapping[str, Any], file: Path) -> _Written:
    try:
        return _Written.of(json.loads(json.dumps(table, default=str)))  # TOML has dates
    except ValidationError as error:
        known = [info.alias or key for key, info in _Written.model_fields.items()]
        key, what, cure = complaint(error, known)
        raise ConfigError(what, where=f"{file}: data.{name}.{key}", cure=cure) from error
