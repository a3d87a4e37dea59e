"""The sources that there are: those of PyHeta, and those of installed plug-ins.

A plug-in is a package with an entry point in the group `pyheta.sources`: the source's name, and the
class, a subclass of `Source`.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import ValidationError

from pyheta.errors import ConfigError, DataError, nearest
from pyheta.fetch.source import Source
from pyheta.section import complaint

GROUP: Final = "pyheta.sources"

#: PyHeta's own, by name. They are imported when they are used.
SOURCES: Final[Mapping[str, str]] = {
    "url": "pyheta.fetch.sources.url:Url",
    "postgresql": "pyheta.fetch.sources.postgresql:Postgresql",
    "yfinance": "pyheta.fetch.sources.yfinance:Yfinance",
    "btg": "pyheta.fetch.sources.btg:Btg",
    "meteoswiss": "pyheta.fetch.sources.meteoswiss:Meteoswiss",
}


def read_source(written: Mapping[str, Any]) -> tuple[str, Source]:
    """The source that is written, and its name.

    Raises DataError if it is not one, ConfigError if a plug-in does not work.
    """
    plugins = {plugin.name: plugin for plugin in entry_points(group=GROUP)}
    names = [*SOURCES, *(name for name in plugins if name not in SOURCES)]
    name = _name(written, names)
    kind = _own(name) if name in SOURCES else _plugged_in(plugins[name])
    try:
        return name, kind.model_validate(dict(written))
    except ValidationError as error:
        known = list(kind.model_fields)
        _, what, cure = complaint(error, known)
        raise DataError(f"source '{name}': {what}", cure=cure) from error


def _name(written: Mapping[str, Any], names: list[str]) -> str:
    """The key that names the source."""
    found = [key for key in written if key in names]
    if len(found) > 1:
        raise DataError(f"two sources at once: {found[0]} and {found[1]}", cure="leave one out")
    if found:
        return found[0]
    first = next(iter(written), "")
    what = f"unknown source '{first}'" if first else "no source is named"
    raise DataError(what, cure=nearest(first, names))


def _own(name: str) -> type[Source]:
    where, _, kind = SOURCES[name].partition(":")
    found: type[Source] = getattr(import_module(where), kind)
    return found


def _plugged_in(plugin: EntryPoint) -> type[Source]:
    try:
        kind = plugin.load()
    except Exception as error:
        what = f"source '{plugin.name}' cannot be loaded: {type(error).__name__}: {error}"
        raise ConfigError(what, where=plugin.value, cure="mend or remove the package") from error
    if isinstance(kind, type) and issubclass(kind, Source):
        return kind
    raise ConfigError(f"source '{plugin.name}' is no subclass of Source", where=plugin.value)
