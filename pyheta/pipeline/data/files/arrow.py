"""How large the content of an Arrow file or stream is, before anything of it is made.

A buffer that is compressed says how large it will be, and whoever reads it believes that. So the
messages are looked through first (Arrow columnar format, "Serialization and Interprocess
Communication").
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"ARROW1"  # of a file
CONTINUES = 0xFFFFFFFF
PREFIX = 8  # bytes before a message: that mark, and its length
DICTIONARY, BATCH = 2, 3  # kinds of messages
BUFFER, BLOCK = 16, 24  # bytes that say where one is
FAULTS = (struct.error, ValueError)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of FlatBuffers, at a position in a message."""

    data: memoryview
    position: int

    def at(self, field: int) -> int | None:
        """Where the value of a field is, if it has one."""
        (back,) = struct.unpack_from("<i", self.data, self.position)
        (size,) = struct.unpack_from("<H", self.data, self.position - back)
        slot = 4 + 2 * field
        if slot >= size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, self.position - back + slot)
        return self.position + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        place = self.at(field)
        return 0 if place is None else int(struct.unpack_from(kind, self.data, place)[0])

    def referred(self, field: int) -> int | None:
        """Where the table or the vector is to which a field refers."""
        place = self.at(field)
        return None if place is None else place + struct.unpack_from("<I", self.data, place)[0]


def sizes(raw: bytes) -> list[tuple[int, int]]:
    """Rows and bytes of each batch, as they are promised. Raises one of FAULTS if it is damaged."""
    data = memoryview(raw)
    places = _of_file(data) if raw.startswith(MAGIC) else _of_stream(data)
    return [size for place in places for size in _of_message(data, place)]


def _of_file(data: memoryview) -> Iterator[int]:
    """Where the messages of dictionaries and of rows are: the footer says it."""
    end = len(data) - len(MAGIC) - 4
    (length,) = struct.unpack_from("<i", data, end)
    footer = data[end - length : end]
    table = _Table(footer, struct.unpack_from("<I", footer)[0])
    for vector in filter(None, (table.referred(2), table.referred(3))):
        (count,) = struct.unpack_from("<I", footer, vector)
        for block in range(min(count, length // BLOCK)):
            yield struct.unpack_from("<q", footer, vector + 4 + BLOCK * block)[0]


def _of_stream(data: memoryview) -> Iterator[int]:
    """Where its messages are, one after the other."""
    position = 0
    while position + PREFIX <= len(data):
        mark, length = struct.unpack_from("<II", data, position)
        if mark != CONTINUES or not length:
            return
        yield position
        message, body = _message(data, position)
        position = body + max(0, message.number(3, "<q"))


def _message(data: memoryview, position: int) -> tuple[_Table, int]:
    """A message, and where its body begins."""
    mark, length = struct.unpack_from("<II", data, position)
    if mark != CONTINUES or position < 0:
        raise ValueError("no message where one should be")
    start = position + PREFIX
    (root,) = struct.unpack_from("<I", data, start)
    return _Table(data[start : start + length], root), start + length


def _of_message(data: memoryview, position: int) -> Iterator[tuple[int, int]]:
    message, start = _message(data, position)
    body = data[start : start + max(0, message.number(3, "<q"))]
    header, kind = message.referred(2), message.number(1, "<B")
    if header is not None and kind in {DICTIONARY, BATCH}:
        yield _size(_Table(message.data, header), body, kind)


def _size(batch: _Table, body: memoryview, kind: int) -> tuple[int, int]:
    inner = batch.referred(1) if kind == DICTIONARY else batch.position
    if inner is None:
        return 0, 0
    batch = _Table(batch.data, inner)
    rows = batch.number(0, "<q")
    if rows < 0:
        raise ValueError("less than no rows")
    vector = batch.referred(2)
    if vector is None or batch.at(3) is None:  # no buffers, or none that is compressed
        return rows, len(body)
    (count,) = struct.unpack_from("<I", batch.data, vector)
    places = [vector + 4 + BUFFER * i for i in range(min(count, len(batch.data) // BUFFER))]
    return rows, sum(_promised(batch.data, place, body) for place in places)


def _promised(data: memoryview, place: int, body: memoryview) -> int:
    """How large a buffer says that it will be; -1 stands for one that is not compressed."""
    offset, length = struct.unpack_from("<qq", data, place)
    if not length:
        return 0
    if offset < 0 or length < 0:
        raise ValueError("a buffer outside of its batch")
    (size,) = struct.unpack_from("<q", body, offset)
    return int(length) if size == -1 else int(size) if size >= 0 else 1 << 62
