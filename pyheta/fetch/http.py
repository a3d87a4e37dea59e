"""Files from the web: resumed where they broke off, checked, and there as a whole or not at all.

Until a file is whole it is called `NAME.part`. Beside it, `NAME.part.from` says where it came from:
it goes on only with bytes of the same version, or where a known hash would tell.
"""

import fcntl
import hashlib
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from shutil import copyfileobj
from socket import gaierror
from typing import IO, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from pyheta import __version__
from pyheta.errors import DataError, PyhetaError, Unreachable
from pyheta.settings import masked

#: Files that are larger are not read as data sets either.
LARGEST: Final = 1 << 30
#: A server that says nothing for so many seconds is given up.
PATIENCE: Final = 30.0
REDIRECTS: Final = 5
CHUNK: Final = 1 << 18
SCHEMES: Final = ("http", "https")

#: What servers give in place of a file that they do not have: how it begins, and what it is.
IMPOSTORS: Final = {
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "a Git LFS pointer, which only names the file",
}

#: Is told how many bytes are there, and of how many if that is known.
Tell = Callable[[int, int | None], None]


def silent(_have: int, _total: int | None) -> None:
    """Tells nobody."""


def download(
    urls: Sequence[str], to: Path, *, sha256: str | None = None, tell: Tell = silent
) -> str:
    """Put the file at one of these addresses, which are tried in turn, at `to`; its SHA-256.

    Raises:
        DataError: an address is none, has no such file, or gives another one than was asked for.
        Unreachable: no server answers, or the connection broke off; what came stays for next time.
    """
    for url in urls:
        check_address(url)
    with _part_of(to) as part:
        trouble: list[DataError | Unreachable] = []
        for url in urls:
            try:
                _get(url, part, sha256, tell)
                return _accept(part, sha256, url)
            except (DataError, Unreachable) as error:
                trouble.append(error)
        raise _all_of(trouble)


def copy(source: Path, to: Path, *, sha256: str | None = None) -> str:
    """Put a file of this machine at `to`, as `download` does; its SHA-256. Raises DataError."""
    with _part_of(to) as part:
        try:
            if source.stat().st_size > LARGEST:
                raise _too_large(str(source))
            with source.open("rb") as file, part.path.open("wb") as copied:
                copyfileobj(file, copied, CHUNK)
        except OSError as error:
            raise DataError((error.strerror or str(error)).lower(), where=str(source)) from error
        return _accept(part, sha256, str(source))


def check_address(url: str) -> None:
    """Raise DataError if this is not an address that may be asked."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # its text may hold a piece of a password
        raise DataError("not an address", where=masked(url)) from None
    if parts.scheme not in SCHEMES or not named or not url.isprintable() or " " in url:
        cure = "write it like https://host/file.csv"
        raise DataError("not an address that is fetched from", where=_shown(url), cure=cure)
    if parts.username is not None or parts.password is not None:
        cure = "take user and password out: they would be stored with the data set"
        raise DataError("an address must not hold a password", where=masked(url), cure=cure)


def ask(url: str, headers: Mapping[str, str], body: bytes | None = None) -> HTTPResponse:
    """A server's answer, to a question with a body if there is one.

    Raises Refused, another DataError, or Unreachable.
    """
    check_address(url)
    where = _shown(url)
    agent = {"User-Agent": f"pyheta/{__version__}"}
    request = Request(url, body, {**agent, **headers})  # noqa: S310 -- the address was checked
    try:
        response: HTTPResponse = _opener().open(request, timeout=PATIENCE)
    except HTTPError as error:
        error.close()
        raise _refusal(error.code, where) from error
    except URLError as error:
        reason = error.reason if isinstance(error.reason, Exception) else error
        raise _no_answer(reason, where) from error
    except (OSError, HTTPException) as error:
        raise _no_answer(error, where) from error
    return response


class Refused(DataError):
    """A server says no, with a status."""

    def __init__(self, status: int, what: str, *, where: str) -> None:
        super().__init__(what, where=where)
        self.status = status


class _Redirects(HTTPRedirectHandler):
    """Follows a few, never from TLS to none, and never with a key to another host."""

    max_redirections = max_repeats = REDIRECTS

    def redirect_request(  # noqa: PLR0917 -- urllib asks so
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        fp.close()
        check_address(newurl)
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if before.scheme == "https" and after.scheme != "https":
            raise DataError("leads from https to http", where=_shown(req.full_url))
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request and before.netloc != after.netloc:
            request.remove_header("Authorization")
        return request


def _opener() -> OpenerDirector:
    """Speaks http and https alone; certificates are checked."""
    opener = OpenerDirector()
    tls = HTTPSHandler(context=ssl.create_default_context())
    errors = (HTTPErrorProcessor(), HTTPDefaultErrorHandler(), _Redirects())
    for handler in (ProxyHandler(), HTTPHandler(), tls, *errors):
        opener.add_handler(handler)
    return opener


@dataclass(frozen=True, slots=True)
class _Part:
    """A file that is not whole yet."""

    to: Path

    @property
    def path(self) -> Path:
        return self.to.with_name(f"{self.to.name}.part")

    @property
    def _note(self) -> Path:
        return self.to.with_name(f"{self.to.name}.part.from")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def version(self, url: str) -> str:
        """What the server called the version of these bytes; empty if that is not known."""
        try:
            noted = json.loads(self._note.read_text(encoding="utf-8"))
            return str(noted["version"]) if noted["url"] == url else ""
        except (OSError, ValueError, LookupError, TypeError):
            return ""

    def begin(self, url: str, version: str) -> None:
        """From here on these are bytes of this address."""
        note = json.dumps({"url": url, "version": version})
        self._note.write_text(note, encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self) -> None:
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.to)
        self._note.unlink(missing_ok=True)


@contextmanager
def _part_of(to: Path) -> Iterator[_Part]:
    """The unfinished file of `to`, for this process alone."""
    to.parent.mkdir(parents=True, exist_ok=True)
    lock = to.parent / f".{to.name}.lock"
    with lock.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            cure = "wait for the other process"
            raise Unreachable("is being fetched already", where=str(to), cure=cure) from error
        try:
            yield _Part(to)
        finally:
            lock.unlink(missing_ok=True)


def _get(url: str, part: _Part, sha256: str | None, tell: Tell) -> None:
    """Bring the part to its end with the bytes of one address."""
    version = part.version(url)
    have = part.size() if version or sha256 else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-"} | ({"If-Range": version} if version else {})
    try:
        response = ask(url, headers)
    except Refused as error:
        if not (have and error.status == 416):  # noqa: PLR2004 -- there is nothing after these
            raise
        part.drop()
        _get(url, part, sha256, tell)
    else:
        with response:
            _receive(response, url, part, have, tell)


def _receive(response: HTTPResponse, url: str, part: _Part, have: int, tell: Tell) -> None:
    start = _start(response, url, have)
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else None
    part.begin(url, _version(response.headers))
    with part.path.open("ab" if start else "wb") as file:
        size = start
        tell(size, total)
        for chunk in _chunks(response, url):
            size += len(chunk)
            if max(size, total or 0) > LARGEST:
                part.drop()
                raise _too_large(_shown(url))
            file.write(chunk)
            tell(size, total)
    if total is not None and size < total:
        what = f"the connection broke off after {size:,} of {total:,} bytes"
        cure = "the same command again goes on from there"
        raise Unreachable(what, where=_shown(url), cure=cure)


def _chunks(response: HTTPResponse, url: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, HTTPException) as error:
        cure = "the same command again goes on from there"
        what = f"the connection broke off: {_reason(error)}"
        raise Unreachable(what, where=_shown(url), cure=cure) from error


def _start(response: HTTPResponse, url: str, have: int) -> int:
    """Which byte comes first: the one after those that are here, if the server goes on there."""
    if response.status != 206:  # noqa: PLR2004 -- all of it comes
        return 0
    if have and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return have
    raise Unreachable("answers with another part than was asked for", where=_shown(url))


def _version(headers: Message) -> str:
    """A strong mark of the version of the bytes, for `If-Range`."""
    tag = str(headers.get("ETag", ""))
    return tag if tag and not tag.startswith("W/") else str(headers.get("Last-Modified", ""))


def _accept(part: _Part, sha256: str | None, where: str) -> str:
    """The whole part becomes the file if it is what was asked for; else it is removed."""
    with part.path.open("rb") as file:
        head = file.read(64).lstrip().lower()
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()
    for beginning, what in IMPOSTORS.items():
        if head.startswith(beginning):
            part.drop()
            raise DataError(f"gives {what}, not a data file", where=_shown(where))
    if sha256 and found != sha256:
        part.drop()
        what = f"has the SHA-256 {found}, but {sha256} was asked for"
        cure = "it was removed: look for another address that has the file"
        raise DataError(what, where=_shown(where), cure=cure)
    part.finish()
    return found


def _all_of(trouble: Sequence[DataError | Unreachable]) -> PyhetaError:
    """One error for all addresses: trying again helps if it may help with one."""
    first = next((error for error in trouble if isinstance(error, Unreachable)), trouble[0])
    if len(trouble) == 1:
        return first
    others = "; ".join(f"{error.where}: {error.what}" for error in trouble if error is not first)
    kind = Unreachable if isinstance(first, Unreachable) else DataError
    return kind(f"{first.what} (and {others})", where=first.where, cure=first.cure)


def _refusal(status: int, where: str) -> DataError | Unreachable:
    if status in (404, 410):
        return Refused(status, f"there is no such file ({status})", where=where)
    if status in (401, 403):
        return Refused(status, f"gives no access ({status})", where=where)
    if status in (408, 429) or status >= 500:  # noqa: PLR2004 -- the server's own trouble
        return Unreachable(f"the server cannot give it now ({status})", where=where)
    what = "leads from address to address" if status in range(300, 400) else "the server refuses"
    return Refused(status, f"{what} ({status})", where=where)


def _no_answer(error: Exception, where: str) -> DataError | Unreachable:
    if isinstance(error, ssl.SSLCertVerificationError):
        return DataError(f"its certificate is not valid: {error.verify_message}", where=where)
    cure = "check the address and the network, then try again"
    return Unreachable(_reason(error), where=where, cure=cure)


def _reason(error: Exception) -> str:
    if isinstance(error, gaierror):
        return "no such host, or no network"
    if isinstance(error, TimeoutError):
        return f"no answer in {PATIENCE:.0f} seconds"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _too_large(where: str) -> DataError:
    return DataError(f"larger than {LARGEST >> 20} MiB", where=where)


def _shown(url: str) -> str:
    """An address without what may be secret in it; a path as it is."""
    return masked(url) if "://" in url else url
