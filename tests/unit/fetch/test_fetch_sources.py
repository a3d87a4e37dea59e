"""Sources give bytes once, which are kept; what is wrong with one is said in one sentence."""

import hashlib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from web import Web

from pyheta.errors import ConfigError, DataError, Unreachable
from pyheta.fetch import registry
from pyheta.fetch.http import silent
from pyheta.fetch.keep import Keep
from pyheta.fetch.registry import SOURCES, read_source
from pyheta.fetch.source import Means, Source, write_bounded

CSV = b"date,OT\n2026-01-01,1\n2026-01-02,2\n"


class Counting(Source):
    """A plug-in of somebody else."""

    counting: int

    def place(self, means: Means) -> str:
        return means.variable("COUNTER", "anything")

    def write(self, to: Path, means: Means) -> None:
        write_bounded(to, b"n\n" + b"\n".join(b"%d" % n for n in range(self.counting)))


class Broken(Counting):
    def write(self, to: Path, means: Means) -> None:
        raise Unreachable("is closed", where="counter")


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return Keep(tmp_path / "sources", Means({"COUNTER": "here"}, silent))


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, f"{__name__}:Counting")
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.value.partition(":")[2]])


def plug_in(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Install a package that has a source called `counting`."""
    found = (EntryPoint("counting", where, registry.GROUP),)
    monkeypatch.setattr(registry, "entry_points", lambda group: found)


def left(keep: Keep) -> list[str]:
    return sorted(path.name for path in keep.folder.iterdir())


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_has_an_option_of_its_name(name: str) -> None:
    kind = registry._own(name)

    assert name in kind.model_fields
    assert issubclass(kind, Source)


def test_the_bytes_of_a_url_are_asked_for_once_and_kept(keep: Keep, web: Web) -> None:
    source = {"url": web.put("/a.csv", CSV)}

    first, second = keep.bring(source), keep.bring(source)

    assert (first.new, second.new) == (True, False)
    assert first.path.read_bytes() == CSV
    assert first.sha256 == second.sha256 == hashlib.sha256(CSV).hexdigest()
    assert (first.place, first.at) == (second.place, second.at)
    assert first.path.suffix == ".csv"
    assert len(web.asked) == 1


def test_a_source_is_asked_again_when_it_is_wished(keep: Keep, web: Web) -> None:
    source = {"url": web.put("/a.csv", CSV)}
    before = keep.bring(source)
    web.put("/a.csv", CSV + b"2026-01-03,3\n")

    after = keep.bring(source, refresh=True)

    assert after.sha256 != before.sha256
    assert keep.bring(source).sha256 == after.sha256


def test_when_asking_again_fails_what_was_kept_stays(keep: Keep, web: Web) -> None:
    source = {"url": web.put("/a.csv", CSV)}
    before = keep.bring(source)
    del web.pages["/a.csv"]

    with pytest.raises(DataError, match=r"there is no such file \(404\)"):
        keep.bring(source, refresh=True)

    assert keep.bring(source).sha256 == before.sha256


def test_a_kept_file_that_somebody_changed_is_asked_for_again(keep: Keep, web: Web) -> None:
    source = {"url": web.put("/a.csv", CSV)}
    keep.bring(source).path.write_bytes(b"edited")

    assert keep.bring(source).path.read_bytes() == CSV


def test_other_options_are_another_file(keep: Keep, web: Web) -> None:
    url = web.put("/a.csv", CSV)
    sha256 = hashlib.sha256(CSV).hexdigest()

    assert keep.bring({"url": url}).path != keep.bring({"url": url, "sha256": sha256}).path


def test_a_key_in_an_address_is_used_and_not_shown(keep: Keep, web: Web) -> None:
    web.put("/a.csv", CSV)

    kept = keep.bring({"url": f"{web.url}/a.csv?api_key=s3cret"})

    assert web.asked[-1][0] == "/a.csv?api_key=s3cret"
    assert "s3cret" not in kept.place
    assert all("s3cret" not in path.name + path.read_text() for path in keep.folder.iterdir())


def test_half_a_download_is_not_kept_as_a_whole_one(keep: Keep, web: Web) -> None:
    source = {"url": web.put("/a.csv", CSV, breaks_after=10)}

    with pytest.raises(Unreachable, match="broke off"):
        keep.bring(source)

    assert all(".part" in name for name in left(keep))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "no source is named; known: url, postgresql"),
        ({"ulr": "https://host/a.csv"}, "unknown source 'ulr'; did you mean 'url'"),
        ({"url": "https://h/a", "postgresql": "DB"}, "two sources at once: url and postgresql"),
        ({"url": "https://h/a", "sha": "0"}, "'url': unknown key 'sha'; did you mean 'sha256'"),
        ({"url": 3}, "source 'url': url: input should be a valid string"),
        ({"postgresql": "DB"}, "source 'postgresql': missing key 'query'"),
        (
            {"postgresql": "postgresql://u:s3cret@h/d", "query": "select 1"},
            "source 'postgresql': postgresql: write the name of the variable",
        ),
    ],
)
def test_a_mistake_in_a_source_is_named(source: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_source(source)

    assert message in str(refusal.value)
    assert "s3cret" not in str(refusal.value)


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_is_a_source_like_any_other(keep: Keep) -> None:
    kept = keep.bring({"counting": 3})

    assert kept.path.read_bytes() == b"n\n0\n1\n2"
    assert kept.place == "here"
    with pytest.raises(DataError, match=r"known: url, postgresql.*counting"):
        read_source({"xyz": 1})


@pytest.mark.usefixtures("plugin")
def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    keep = Keep(tmp_path, Means({}, silent))
    with pytest.raises(ConfigError, match="the variable COUNTER is not set; set it to anything"):
        keep.bring({"counting": 3})


@pytest.mark.usefixtures("plugin")
def test_a_source_that_fails_leaves_nothing(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, f"{__name__}:Broken")
    with pytest.raises(Unreachable, match="is closed"):
        keep.bring({"counting": 3})
    assert left(keep) == []


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("no_such_package:Source", "'counting' cannot be loaded: ModuleNotFoundError"),
        ("pathlib:Path", "'counting' is no subclass of Source"),
    ],
)
def test_a_plug_in_that_does_not_work_is_named(
    monkeypatch: pytest.MonkeyPatch, where: str, message: str
) -> None:
    plug_in(monkeypatch, where)
    with pytest.raises(ConfigError, match=message):
        read_source({"counting": 1})
