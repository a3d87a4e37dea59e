"""YAML text to plain data, with the place where each value stands.

Only what a sweep needs: YAML 1.2 core scalars, so that `1e-3` is a number and `no` is text; one
document; no tags. Nothing is executed, and size, depth and aliases are bounded: no file does harm.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml

from pyheta.errors import SweepError

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_ALIASES = 1_000

# The keys and indices that lead from the top of a file to a value.
KeyPath = tuple[str | int, ...]
Scalar = str | int | float | bool | None

# libyaml where the wheel has it: a file at the size limit then takes milliseconds, not seconds.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CREDENTIALS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:'\"]*:[^\s/@'\"]+@")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True)
class Document:
    """One file: its text, its data, and where each key and each value stands in it."""

    file: str
    text: str
    data: Any = None
    keys: dict[KeyPath, str] = field(default_factory=dict)
    values: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """`file:line:column` of the value at `path`, or of the nearest thing around it."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path, self.file)

    def where_key(self, path: KeyPath) -> str:
        """`file:line:column` of the key at `path`."""
        return self.keys.get(path) or self.where(path)


def read_document(path: Path) -> Document:
    """Read a YAML file; its top level is a mapping. Raises SweepError, with the place."""
    return parse_mapping(_read_bytes(path), str(path))


def parse_mapping(raw: bytes, file: str) -> Document:
    """As `read_document`, for bytes; `file` is the name that errors show."""
    document = parse(_decode(raw, file), file)
    if document.data is None:
        raise SweepError("is empty; a sweep has at least 'name' and 'config'", where=file)
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        raise SweepError(f"expected a mapping, got {kind}", where=document.where(()))
    return document


def parse(text: str, file: str) -> Document:
    """Any one YAML value; used for files and for what stands after `=` on the command line."""
    _refuse(_CONTROL, text, file, "control character", "remove it")
    _refuse(
        _CREDENTIALS,
        text,
        file,
        "credentials do not belong in a sweep file",
        "give them in the environment",
    )
    document = Document(file, text)
    root = _Composer(text, file).document()
    if root is not None:
        document.data = _Builder(document).build(root, ())
    return document


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise SweepError("is a directory, not a sweep file", where=str(path))
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise SweepError("is not a regular file", where=str(path))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise SweepError("no such file", where=str(path)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SweepError(f"cannot be read: {reason}", where=str(path)) from error
    if len(raw) > MAX_BYTES:
        raise SweepError("is larger than 1 MiB, the most a sweep file may be", where=str(path))
    return raw


def _decode(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise SweepError(
            f"not UTF-8 at byte {error.start}",
            where=_place(file, before, len(before)),
            cure="save the file as UTF-8",
        ) from error


def _place(file: str, text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"{file}:{line}:{column}"


def _mark(file: str, mark: Any) -> str:
    return f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file


def _refuse(pattern: re.Pattern[str], text: str, file: str, what: str, cure: str) -> None:
    if match := pattern.search(text):
        raise SweepError(what, where=_place(file, text, match.start()), cure=cure)


@dataclass(slots=True, eq=False)
class _Node:
    """A value as it is written, before aliases are followed."""

    where: str
    content: "Scalar | list[_Node] | list[_Pair]" = None
    is_mapping: bool = False


_Pair = tuple[str, str, _Node]  # a key, where it stands, its value


class _Composer:
    """Parser events to nodes. Bounds depth while reading, so that recursion is safe afterwards."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.events = self._events(text)
        self.anchors: dict[str, _Node] = {}
        self.aliases = 0

    def document(self) -> _Node | None:
        """The one document of the stream; None when it is empty."""
        next(self.events)  # start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self.events), 1)
        next(self.events)  # end of the document
        if not isinstance(after := next(self.events), yaml.StreamEndEvent):
            self._fail(after, "a second document begins here; a sweep file has one")
        return root

    def _events(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            where = _mark(self.file, error.problem_mark or error.context_mark)
            what = " ".join(filter(None, (error.context, error.problem)))
            if "nesting depth" in what:  # PyYAML 6.0.4 has a limit of its own, maybe below ours
                raise SweepError(f"nested deeper than {MAX_DEPTH}", where=where) from error
            raise SweepError(f"not valid YAML: {what}", where=where) from error
        except yaml.YAMLError as error:
            raise SweepError(f"not valid YAML: {error}", where=self.file) from error

    def _node(self, event: yaml.Event, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            self._fail(event, f"nested deeper than {MAX_DEPTH}")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._refuse_tag(event)
        node = _Node(self._at(event), None, isinstance(event, yaml.MappingStartEvent))
        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = node
        if isinstance(event, yaml.ScalarEvent):
            node.content = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.content = self._items(depth + 1)
        else:
            node.content = self._pairs(depth + 1)
        return node

    def _items(self, depth: int) -> list[_Node]:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth))
        return items

    def _pairs(self, depth: int) -> list[_Pair]:
        """A key is its text, whatever number or truth value it may look like."""
        pairs = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self._fail(event, "a key has to be text")
            self._refuse_tag(event)
            pairs.append((event.value, self._at(event), self._node(next(self.events), depth)))
        return pairs

    def _alias(self, event: yaml.AliasEvent) -> _Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self._fail(event, f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self.anchors:
            self._fail(event, f"alias '*{event.anchor}' has no anchor before it")
        return self.anchors[event.anchor]

    def _refuse_tag(self, event: yaml.Event) -> None:
        if (tag := getattr(event, "tag", None)) not in (None, "", "!"):
            self._fail(event, f"tag '{tag}' is not allowed", "remove it")

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text: str = event.value
        if _CONTROL.search(text):  # written as an escape
            self._fail(event, "control character", "remove it")
        if not event.implicit[0]:  # quoted or block text
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return self._integer(event, text)
        if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
            return self._float(event, text)
        return text

    def _integer(self, event: yaml.Event, text: str) -> int:
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        if len(text) > 20 or abs(number := int(text, base)) >= 1 << 63:  # noqa: PLR2004 (64 bits)
            self._fail(event, "number out of range", "whole numbers have at most 64 bits")
        return number

    def _float(self, event: yaml.Event, text: str) -> float:
        if _NOT_FINITE.fullmatch(text) or not isfinite(number := float(text)):
            self._fail(event, f"'{text[:20]}' is not a finite number", "values must be finite")
        return number + 0.0  # -0.0 would be a second zero

    def _at(self, event: yaml.Event) -> str:
        return _mark(self.file, event.start_mark)

    def _fail(self, event: yaml.Event, what: str, cure: str = "") -> NoReturn:
        raise SweepError(what, where=self._at(event), cure=cure)


class _Builder:
    """Nodes to plain data. Aliases are followed here, so nodes are counted and cycles are seen."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.built = 0
        self.open: list[_Node] = []

    def build(self, node: _Node, path: KeyPath) -> Any:
        self._enter(node)
        self.document.values[path] = node.where
        built: Any = node.content
        if node.is_mapping:
            built = self._mapping(node, path)
        elif isinstance(node.content, list):
            items = cast("list[_Node]", node.content)
            built = [self.build(item, (*path, index)) for index, item in enumerate(items)]
        self.open.pop()
        return built

    def _enter(self, node: _Node) -> None:
        self.built += 1
        if self.built > MAX_NODES:
            raise SweepError(f"aliases expand to more than {MAX_NODES:,} nodes", where=node.where)
        if node in self.open:
            raise SweepError("recursive alias: a value contains itself", where=node.where)
        if len(self.open) > MAX_DEPTH:
            raise SweepError(f"aliases nest deeper than {MAX_DEPTH}", where=node.where)
        self.open.append(node)

    def _mapping(self, node: _Node, path: KeyPath) -> dict[str, Any]:
        mapping = {}
        for key, where, value in self._pairs(node).values():
            self.document.keys[*path, key] = where
            mapping[key] = self.build(value, (*path, key))
        return mapping

    def _pairs(self, node: _Node) -> dict[str, _Pair]:
        """A mapping's pairs by key; those that `<<` merges in yield to its own."""
        own: dict[str, _Pair] = {}
        merged: dict[str, _Pair] = {}
        for pair in cast("list[_Pair]", node.content):
            key, where, value = pair
            if key == "<<":
                merged = self._merge(value) | merged
            elif key in own:
                raise SweepError(f"duplicate key '{key}' (first at {own[key][1]})", where=where)
            else:
                own[key] = pair
        return own | {key: pair for key, pair in merged.items() if key not in own}

    def _merge(self, node: _Node) -> dict[str, _Pair]:
        """The pairs of `<<: *a` or `<<: [*a, *b]`; the earlier of two with one key wins."""
        self._enter(node)
        merged: dict[str, _Pair] = {}
        if node.is_mapping:
            merged = self._pairs(node)
        elif isinstance(node.content, list):
            for item in cast("list[_Node]", node.content):
                merged = self._merge(item) | merged
        else:
            raise SweepError("'<<' takes a mapping or a list of mappings", where=node.where)
        self.open.pop()
        return merged
