"""A web server on this machine, whose answers tests write down: files, and all kinds of trouble."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is answered at one path. `breaks_after`: the connection ends after so many bytes."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_after: int | None = None
    ranges: bool = True  # whether a part may be asked for


@dataclass
class Web:
    """A running server: `pages` by path, and the requests that it got."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)

    def put(self, path: str, body: bytes, **page: object) -> str:
        """Answer with these bytes at a path; the address."""
        self.pages[path] = Page(body, **page)  # type: ignore[arg-type]
        return self.url + path

    def headers(self, index: int = -1) -> Mapping[str, str]:
        return self.asked[index][1]


@contextlib.contextmanager
def serve() -> Iterator[Web]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    web = Web(f"http://127.0.0.1:{server.server_port}")
    server.web = web  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        web.asked.append((self.path, dict(self.headers)))
        self._answer(web.pages.get(self.path.partition("?")[0], Page(status=404)))

    def do_POST(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        web.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def _answer(self, page: Page) -> None:
        body, status, headers = page.body, page.status, dict(page.headers)
        wanted = self.headers.get("Range")
        fresh = self.headers.get("If-Range") in (None, headers.get("ETag"))
        if wanted and page.ranges and fresh and status == 200:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(body) else 416
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: page.breaks_after])
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Nothing is printed."""
