"""Files and command line overrides as layers: of a key's values that of the last layer counts."""

from collections.abc import Iterator, Mapping, Sequence
from os.path import realpath
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from pyheta.errors import SweepError
from pyheta.sweep.axes import settings
from pyheta.sweep.config import KEYS
from pyheta.sweep.file import Explain, SweepFile
from pyheta.sweep.longform import VALUE_KEYS
from pyheta.sweep.problems import UNKNOWN, Problems, describe, shorten, unknown_key
from pyheta.sweep.syntax import Document, parse, read_document

# What may be given on the command line beside the keys of `config`.
OPTIONS = ("name", "seeds", "leakage", "baselines", "run_cap", "priority")

# Top-level keys whose entries are merged one by one; all others are replaced as a whole.
_MERGED = ("config", "parameters", "zip", "explain", "report")


def read_layers(path: Path, overrides: Sequence[str], problems: Problems) -> Document:
    """One document with everything in it: inherited files, the file itself, then the overrides.

    `config` comes out flat, with a dotted key for each value. Wrong keys of the top level are noted
    and left out, so that reading can continue. Raises SweepError for a file that cannot be read.
    """
    document = _file(path, (), problems)
    text = document.text
    for override in overrides:
        with problems.collect():
            layer = _override(override)
            _drop_wrong_keys(layer, problems)
            document = _merge(document, layer)
    document.text = text
    return document


def _file(path: Path, including: tuple[str, ...], problems: Problems) -> Document:
    """A file on top of those that it extends; `including` are the files that extend it."""
    document = read_document(path)
    _drop_wrong_keys(document, problems)
    _flatten(document, problems)
    below = Document(document.file, document.text, {})
    above = (*including, realpath(path))
    for index, name in enumerate(document.data.pop("extends", [])):
        base = path.parent / name
        if realpath(base) in above:
            where = document.where(("extends", index))
            raise SweepError(f"'{shorten(name)}' extends itself", where=where)
        below = _merge(below, _file(base, above, problems))
    return _merge(below, document)


def _drop_wrong_keys(document: Document, problems: Problems) -> None:
    """Note what is wrong with the top level, and take those keys out. A name may be missing."""
    try:
        SweepFile.model_validate({"name": "unnamed", **document.data})
    except ValidationError as error:
        details = error.errors(include_url=False)
        misspelt = any(detail["type"] in UNKNOWN for detail in details)
        for detail in details:
            if not (misspelt and detail["type"] == "missing"):
                _note(detail, document, problems)
            document.data.pop(detail["loc"][0], None)


def _note(detail: ErrorDetails, document: Document, problems: Problems) -> None:
    loc = detail["loc"]
    where = document.where_key(loc) if detail["type"] in UNKNOWN else document.where(loc)
    what, cure = describe(detail, ".".join(map(str, loc)), _siblings(loc))
    problems.add(what, where=where, cure=cure)


def _siblings(loc: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that are known beside the last part of `loc`."""
    if loc[0] == "report" and len(loc) > 1:
        return ("rows", "cols", "metric")
    if loc[0] == "explain" and len(loc) > 1:
        return tuple(Explain.model_fields)
    return ("if", "parameters") if loc[0] == "when" else tuple(SweepFile.model_fields)


def _flatten(document: Document, problems: Problems) -> None:
    """`config: {train: {lr: 1}}` and `config: {train.lr: 1}` are the same; both are an error."""
    flat: dict[str, Any] = {}
    first: dict[str, str] = {}
    places = Document(document.file, "")
    for path, value in _leaves(document.data.get("config", {}), ("config",)):
        key, where = ".".join(path[1:]), document.where_key(path)
        for leaf in settings(key, value, where):
            if leaf in first:
                problems.add(f"'{leaf}' is given twice (first at {first[leaf]})", where=where)
            first[leaf] = where
        flat[key] = value
        places.keys["config", key] = where
        places.values["config", key] = document.where(path)
    document.data["config"] = flat
    document.keys |= places.keys
    document.values |= places.values


def _leaves(
    mapping: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in mapping.items():
        if isinstance(value, dict) and ".".join((*path[1:], name)) not in VALUE_KEYS:
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _override(text: str) -> Document:
    """`train.epochs=3` sets a value, `net.name=lstm,mlp` makes an axis, `seeds=2` an option."""
    key, items = read_override(text, (*OPTIONS, *KEYS))
    where = f"command line, {shorten(text)}"
    if key in OPTIONS:
        return _layer((key,), items[0] if len(items) == 1 else items, where)
    if len(items) > 1:
        return _layer(("parameters", key), items, where)
    return _layer(("config", key), items[0], where)


def read_override(text: str, known: Sequence[str]) -> tuple[str, list[Any]]:
    """The key of `key=value,value`, one of those that are known, and its values."""
    key, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise SweepError(
            f"'{shorten(text)}' is not an override", where="command line", cure="write key=value"
        )
    if key not in known:
        raise unknown_key(key, known, where="command line")
    items: list[Any] = parse(f"[{value}]", "command line").data
    return key, items


def _layer(path: tuple[str, ...], value: Any, where: str) -> Document:
    """A layer with one value."""
    data = value
    for name in reversed(path):
        data = {name: data}
    return Document(where, "", data, {path: where}, {path: where})


def _merge(below: Document, above: Document) -> Document:
    """Both documents as one. A key in `above` replaces whatever `below` has for it."""
    data = _without(below.data, _keys(above.data))
    for key, value in above.data.items():
        if key in _MERGED and isinstance(value, dict):
            data[key] = {**data.get(key, {}), **value}
        else:
            data[key] = value
    return Document(
        above.file, above.text, data, below.keys | above.keys, below.values | above.values
    )


def _keys(data: Mapping[str, Any]) -> list[str]:
    """The dotted keys that a layer sets or varies."""
    zipped = (key for group in data.get("zip", {}).values() for key in group)
    return [*data.get("config", {}), *data.get("parameters", {}), *zipped]


def _without(data: Mapping[str, Any], replaced: Sequence[str]) -> dict[str, Any]:
    """A layer without the `replaced` keys and those below them."""

    def stays(key: str) -> bool:
        return not any(key == name or key.startswith(f"{name}.") for name in replaced)

    def kept(mapping: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in mapping.items() if stays(key)}

    config = {
        key: value
        for key, value in data.get("config", {}).items()
        if all(stays(leaf) for leaf in settings(key, value, ""))
    }
    zips = {
        name: columns for name, group in data.get("zip", {}).items() if (columns := kept(group))
    }
    whens = [block | {"parameters": kept(block["parameters"])} for block in data.get("when", [])]
    return {
        **data,
        "config": config,
        "parameters": kept(data.get("parameters", {})),
        "zip": zips,
        "when": whens,
    }
