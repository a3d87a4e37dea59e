"""What the characters of a text file are written in."""

import codecs
import re

from pyheta.errors import DataError
from pyheta.pipeline.data.questions import Answer, Question

UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: Not in a text: what stands between a tab and a space but ends no line.
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
HEAD = 4096


def to_utf8(raw: bytes, name: str, encoding: str | None) -> tuple[bytes, str]:
    r"""The text in UTF-8 with \n at the ends of lines, and the encoding that it was in.

    Raises DataError if it is not in the wanted encoding, or no text at all.
    """
    found = codecs.lookup(encoding).name if encoding else _found(raw, name)
    is_plain = found == "utf-8" and not encoding
    text = raw if is_plain else _transcoded(raw, name, found)
    if UTF8_MARK in text:  # where files were joined, it stands inside too
        text = text.replace(UTF8_MARK, b"")
    _refuse_no_text(text, name)
    if b"\r" in text:
        for ending in (b"\r\r\n", b"\r\n", b"\r"):
            text = text.replace(ending, b"\n")
    return text, found


def _found(raw: bytes, name: str) -> str:
    if raw.startswith(UTF16_MARKS):
        return "utf-16"
    head = raw[:HEAD]
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.8 * half and not head[::2].count(0):
        return "utf-16-le"
    if half and head[::2].count(0) > 0.8 * half and not head[1::2].count(0):
        return "utf-16-be"
    if _decodes(raw, "utf-8"):
        return "utf-8"
    _refuse_mixed(raw, name)
    return "cp1252"


def _refuse_mixed(raw: bytes, name: str) -> None:
    """Raises DataError where characters of UTF-8 stand beside bytes that are none."""
    if raw.decode(errors="ignore").isascii():
        return
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        what = f"most is in UTF-8, but byte {error.start} is not"
        answer = Answer({"encoding": "cp1252"}, "(or what else all of it is in)")
        lead = "mend the line, or"
        raise Question(what, answer, where=f"{name}: row {row}", lead=lead) from error


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        return raw.isascii() or bool(raw.decode(encoding))
    except UnicodeDecodeError:
        return False


def _transcoded(raw: bytes, name: str, encoding: str) -> bytes:
    try:
        return raw.decode(encoding).encode()
    except UnicodeError as error:
        place = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        cure = "name the right one with `encoding:` (utf-8, utf-16, latin-1, cp1250, gb18030, …)"
        raise DataError(f"not in {encoding}{place}", where=name, cure=cure) from error


def _refuse_no_text(text: bytes, name: str) -> None:
    if (position := text.find(b"\x00")) >= 0:
        cure = "is this a text file, undamaged?"
        raise DataError(f"NUL at byte {position}", where=name, cure=cure)
    if len(CONTROL.findall(text[:HEAD])) > HEAD // 100:
        raise DataError("not a text, and no other file that is known", where=name)
