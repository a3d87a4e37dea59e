"""The message that announces a ready step: a few bytes of JSON, without data and without authority.

    {"version":1,"kind":"train","step":42}

A body comes from outside. Whatever it holds, reading it gives a Bell or raises Undecodable.
"""

import json
from typing import Any, Never

from pyheta.steps import Bell, Kind, StepId

VERSION = 1
LIMIT = 4096  # bytes; no message of ours is longer
LARGEST_STEP = 2**63 - 1  # PostgreSQL's bigint


class Undecodable(Exception):
    """A body is not a message of this version. The text says why, in one line, without the body."""


def encode(bell: Bell) -> bytes:
    content = {"version": VERSION, "kind": bell.kind, "step": bell.step}
    return json.dumps(content, separators=(",", ":")).encode()


def decode(body: bytes, kind: Kind) -> Bell:
    """The bell in a message from the queue of `kind`.

    Raises Undecodable unless `encode` could have written the message.
    """
    match _content(body):
        case {"version": int(version)} if version != VERSION:
            raise Undecodable(f"message version {version}, expected {VERSION}")
        case {"version": int(), "kind": kind.value, "step": int(step), **more} if not more:
            return Bell(_step(step), kind)
    raise Undecodable(f"not an object with exactly version, kind ({kind}) and step")


def _content(body: bytes) -> Any:
    if len(body) > LIMIT:
        raise Undecodable(f"{len(body)} bytes, more than {LIMIT}")
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant)
    # Not UTF-8, not JSON, or too many digits or brackets.
    except (ValueError, RecursionError) as error:
        raise Undecodable(f"not JSON: {error}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no key stands twice and no value is a boolean (Python's 1 and 0)."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise Undecodable("the same key twice")
    if any(isinstance(value, bool) for value in content.values()):
        raise Undecodable("true or false where a number belongs")
    return content


def _refuse_constant(name: str) -> Never:
    raise Undecodable(f"{name} is not JSON")


def _step(number: int) -> StepId:
    if not 0 < number <= LARGEST_STEP:
        raise Undecodable("the step's number is out of range")
    return StepId(number)
