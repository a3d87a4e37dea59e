"""Downloads: whole or not at all, resumed, checked; and each kind of trouble in one sentence."""

import hashlib
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web import Web

from pyheta.errors import DataError, Exit, PyhetaError, Unreachable
from pyheta.fetch import http
from pyheta.fetch.http import check_address, copy, download

BODY = b"time,a\n" + b"".join(b"2020-01-%02d,%d\n" % (day, day) for day in range(1, 32))
SHA = hashlib.sha256(BODY).hexdigest()
OTHER = "0" * 64


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "data" / "a.csv"


def test_a_file_is_put_in_its_place_with_its_hash(web: Web, to: Path) -> None:
    told: list[tuple[int, int | None]] = []

    sha256 = download(
        [web.put("/a.csv", BODY)], to, sha256=SHA, tell=lambda *how_far: told.append(how_far)
    )

    assert (sha256, to.read_bytes()) == (SHA, BODY)
    assert left(to.parent) == {"a.csv"}
    assert (told[0], told[-1]) == ((0, len(BODY)), (len(BODY), len(BODY)))


def test_half_a_download_stays_and_is_resumed_with_the_same_version(web: Web, to: Path) -> None:
    # Given a server that breaks off after 100 bytes
    url = web.put("/a.csv", BODY, headers={"ETag": '"v1"'}, breaks_after=100)
    with pytest.raises(Unreachable, match=f"broke off after 100 of {len(BODY)} bytes; the same"):
        download([url], to)
    assert left(to.parent) == {"a.csv.part", "a.csv.part.from"}
    # When it is asked again
    web.put("/a.csv", BODY, headers={"ETag": '"v1"'})
    download([url], to)
    # Then only the rest was asked for, and the file is whole
    assert (web.headers()["Range"], web.headers()["If-Range"]) == ("bytes=100-", '"v1"')
    assert to.read_bytes() == BODY
    assert left(to.parent) == {"a.csv"}


def test_a_version_that_changed_meanwhile_is_got_from_its_beginning(web: Web, to: Path) -> None:
    url = web.put("/a.csv", b"x" * 200, headers={"ETag": '"v1"'}, breaks_after=100)
    with pytest.raises(Unreachable):
        download([url], to)
    web.put("/a.csv", BODY, headers={"ETag": '"v2"'})

    download([url], to)

    assert to.read_bytes() == BODY


@pytest.mark.parametrize("page", [{"ranges": False}, {}])
def test_without_a_version_only_a_known_hash_lets_it_resume(
    web: Web, to: Path, page: dict[str, object]
) -> None:
    url = web.put("/a.csv", BODY, breaks_after=100, **page)
    with pytest.raises(Unreachable):
        download([url], to)
    web.put("/a.csv", BODY, **page)

    download([url], to, sha256=SHA)
    assert web.headers()["Range"] == "bytes=100-"
    assert to.read_bytes() == BODY


def test_without_a_version_and_a_hash_it_begins_anew(web: Web, to: Path) -> None:
    url = web.put("/a.csv", BODY, breaks_after=100)
    with pytest.raises(Unreachable):
        download([url], to)
    web.put("/a.csv", BODY)

    download([url], to)

    assert "Range" not in web.headers()
    assert to.read_bytes() == BODY


def test_a_part_that_was_whole_already_is_got_anew(web: Web, to: Path) -> None:
    to.parent.mkdir()
    to.with_name("a.csv.part").write_bytes(BODY)

    assert download([web.put("/a.csv", BODY)], to, sha256=SHA) == SHA


def test_a_wrong_hash_removes_the_file_and_shows_both(web: Web, to: Path) -> None:
    with pytest.raises(DataError, match=f"has the SHA-256 {SHA}, but {OTHER} was asked for"):
        download([web.put("/a.csv", BODY)], to, sha256=OTHER)

    assert left(to.parent) == set()


def test_the_next_address_is_tried(web: Web, to: Path) -> None:
    urls = [f"{web.url}/gone", web.put("/wrong", b"other"), web.put("/a.csv", BODY)]

    download(urls, to, sha256=SHA)

    assert to.read_bytes() == BODY


def test_when_no_address_has_it_all_are_named(web: Web, to: Path) -> None:
    urls = [f"{web.url}/gone", web.put("/busy", b"", status=503)]

    with pytest.raises(Unreachable, match=r"busy: .*\(503\) \(and .*gone: there is no such file"):
        download(urls, to)

    assert left(to.parent) == set()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, DataError, "there is no such file (404)"),
        (403, DataError, "gives no access (403)"),
        (418, DataError, "the server refuses (418)"),
        (429, Unreachable, "cannot give it now (429)"),
        (500, Unreachable, "cannot give it now (500)"),
    ],
)
def test_a_refusal_is_one_sentence(
    web: Web, to: Path, status: int, kind: type[PyhetaError], message: str
) -> None:
    with pytest.raises(kind) as refusal:
        download([web.put("/a.csv", b"", status=status)], to)

    assert message in str(refusal.value)
    assert left(to.parent) == set()


def test_a_server_that_is_not_there_is_unreachable(to: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="connection refused; check the address") as refusal:
        download([f"http://127.0.0.1:{port}/a.csv"], to)
    assert refusal.value.exit_code == Exit.LOST


def test_a_host_that_is_not_there_is_unreachable(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="no such host, or no network"):
        download(["http://nowhere.example/a.csv"], to)


def test_a_server_that_says_nothing_is_given_up(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.csv"
        with pytest.raises(Unreachable, match="no answer in"):
            download([url], to)


def test_a_redirect_is_followed(web: Web, to: Path) -> None:
    web.put("/a.csv", BODY)
    download([web.put("/moved", b"", status=302, headers={"Location": "/a.csv"})], to)
    assert to.read_bytes() == BODY


def test_redirects_in_a_circle_are_given_up(web: Web, to: Path) -> None:
    with pytest.raises(DataError, match="from address to address"):
        download([web.put("/a", b"", status=302, headers={"Location": "/a"})], to)


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://host/a", "http://u:s3cret@host/"])
def test_a_redirect_away_from_the_web_is_refused(web: Web, to: Path, place: str) -> None:
    with pytest.raises(DataError) as refusal:
        download([web.put("/a", b"", status=302, headers={"Location": place})], to)
    assert "s3cret" not in str(refusal.value)


def test_a_file_beyond_the_limit_is_refused(
    web: Web, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST", 100)
    with pytest.raises(DataError, match="larger than"):
        download([web.put("/a.csv", BODY)], to)
    assert left(to.parent) == set()


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"<HTML><body>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git LFS pointer"),
    ],
)
def test_what_only_looks_like_a_file_is_named(web: Web, to: Path, body: bytes, what: str) -> None:
    with pytest.raises(DataError, match=f"gives {what}"):
        download([web.put("/a.csv", body)], to)
    assert left(to.parent) == set()


def test_a_file_of_this_machine_is_copied_and_checked(tmp_path: Path, to: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(BODY)

    assert copy(tmp_path / "mine.csv", to, sha256=SHA) == SHA
    with pytest.raises(DataError, match="SHA-256"):
        copy(tmp_path / "mine.csv", to.with_name("b.csv"), sha256=OTHER)
    with pytest.raises(DataError, match="no such file"):
        copy(tmp_path / "absent.csv", to)

    assert left(to.parent) == {"a.csv"}


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.csv", "/a.csv", "file:///a.csv", "ftp://host/a", "data:,a", "javascript:1"),
        *(
            "http://",
            "https:///a",
            "http://host:port/",
            "http://[::1",
            "http://h/a b",
            "http://h/\n",
        ),
    ],
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(DataError, match="not an address"):
        check_address(url)


@given(st.text(st.characters(categories=["L", "N"]), min_size=4))
def test_a_password_in_an_address_is_refused_and_never_shown(password: str) -> None:
    with pytest.raises(DataError) as refusal:
        check_address(f"https://ann:q{password}q@host/a.csv")
    assert f"q{password}q" not in str(refusal.value)
