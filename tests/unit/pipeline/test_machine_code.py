"""Compiled code is never stale, is found again by an equal copy, and goes when nobody uses it."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from numba import njit

import pyheta
from pyheta.pipeline import machine_code
from pyheta.pipeline.compiled import kept

PACKAGE = Path(pyheta.__file__).parent

#: Two compiled functions that call one of another file each.
CALLERS = """
from numba import int64
from pyheta.pipeline.arrays import Floats
from pyheta.nets.engines.kernels.compiling import entry
from pyheta.nets.engines.kernels.memory import lined
from pyheta.pipeline.compiled import compiled
from pyheta.pipeline.decomposition.sifting import count_crossings

@compiled
def crossings(signal: Floats) -> int:
    return count_crossings(signal)

@entry(int64(int64))
def line(count: int) -> int:
    return lined(count)
"""
CALL = """
import json, numpy, pyheta
from pyheta.pipeline.callers import crossings, line
print(json.dumps({
    "package": pyheta.__file__,
    "results": [crossings(numpy.array([-1.0, 1.0, -1.0])), line(1)],
    "hits": sum(sum(f.stats.cache_hits.values()) for f in (crossings, line)),
    "misses": sum(sum(f.stats.cache_misses.values()) for f in (crossings, line)),
}))
"""
NEW_CROSSINGS = "\n\n@compiled\ndef count_crossings(signal: Floats) -> int:\n    return 123\n"
NEW_LINE = "\n\n@kernel\ndef lined(count: int) -> int:\n    return 456\n"


def copied(place: Path) -> Path:
    """A copy of the package, newer than the original, with the callers in it."""
    ignored = shutil.ignore_patterns("__pycache__")
    package = place / "pyheta"
    shutil.copytree(PACKAGE, package, ignore=ignored, copy_function=shutil.copyfile)
    (package / "pipeline/callers.py").write_text(CALLERS)
    return package


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def call(package: Path, caches: Path) -> dict[str, Any]:
    paths = {"PYTHONPATH": str(package.parent), "XDG_CACHE_HOME": str(caches)}
    done = subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=package.parent,
        env=os.environ | paths,
        check=True,
        capture_output=True,
        text=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    assert Path(answer.pop("package")).parent == package
    return answer


def test_a_changed_file_is_compiled_anew_and_an_equal_copy_is_not(tmp_path: Path) -> None:
    # Given code that was compiled for one copy of the package
    caches = tmp_path / "caches"
    first = call(copied(tmp_path / "first"), caches)
    assert first == {"results": [2, 16], "hits": 0, "misses": 2}
    kept_files = sorted(caches.rglob("*.*"))

    # When it is called from an equal copy, and from one where the called functions have changed
    second = call(copied(tmp_path / "second"), caches)
    equal_files = sorted(caches.rglob("*.*"))
    changed = copied(tmp_path / "changed")
    append(changed / "pipeline/decomposition/sifting.py", NEW_CROSSINGS)
    append(changed / "nets/engines/kernels/memory.py", NEW_LINE)
    third = call(changed, caches)

    # Then the equal copy compiles nothing, and the changed one does not run the old code
    assert second == {"results": [2, 16], "hits": 2, "misses": 0}
    assert equal_files == kept_files
    assert third == {"results": [123, 456], "hits": 0, "misses": 2}
    assert len(list(caches.glob("pyheta/compiled-*"))) == 2


def test_every_source_of_compiled_code_counts_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = copied(tmp_path)
    monkeypatch.setattr(machine_code, "PACKAGE", package)
    sources = list(machine_code.sources(package))
    digests = {machine_code._digest()}

    for name in sources:
        append(package.parent / name, "# changed\n")
        digests.add(machine_code._digest())
    assert len(digests) == 1 + len(sources)
    append(package / "report/table.py", "# changed\n")
    assert machine_code._digest() in digests

    kernels = {f"pyheta/nets/engines/kernels/{path.name}" for path in kernel_files(package)}
    others = {"pipeline/arrays", "pipeline/callers", "pipeline/compiled", "pipeline/relevance/dtw"}
    assert kernels | {f"pyheta/{name}.py" for name in others} <= set(sources)


def kernel_files(package: Path) -> set[Path]:
    """All but those that only load kernels."""
    files = set((package / "nets/engines/kernels").glob("*.py"))
    return {path for path in files if path.stem not in {"__main__", "readiness"}}


def test_settings_of_the_compiler_count_and_the_number_of_threads_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = machine_code._digest()
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    assert machine_code._digest() == before
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert machine_code._digest() != before


@pytest.mark.parametrize(
    ("set_to", "caches"), [("/x", "/x"), ("x", "/home/ann/.cache"), ("", "/home/ann/.cache")]
)
def test_the_folder_is_in_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, set_to: str, caches: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_CACHE_HOME", set_to)
    assert machine_code.folder.__wrapped__().parent == Path(caches, "pyheta")


@pytest.mark.parametrize(
    ("hours", "kept_names"),
    [
        ({"a": 50, "b": 40, "c": 30, "d": 20, "e": 10}, "cde"),
        ({"a": 50, "b": 0.9, "c": 0.8, "d": 0.7, "e": 0}, "bcde"),
        ({"a": 50, "b": 40}, "ab"),
    ],
)
def test_folders_that_nobody_uses_go(
    tmp_path: Path, hours: dict[str, float], kept_names: str
) -> None:
    (tmp_path / "other").mkdir()
    for name, age in hours.items():
        folder = tmp_path / f"compiled-{name}"
        folder.mkdir()
        (folder / "some.code").write_bytes(b"code")
        os.utime(folder, 2 * (time.time() - 3600 * age,))

    machine_code.remove_unused(tmp_path)

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [*(f"compiled-{name}" for name in kept_names), "other"]


def compile_and_call() -> dict[str, int]:
    """Numbers of signatures that were found and not found."""

    def double(x: float) -> float:
        return 2 * x

    dispatcher = kept(njit(double))
    assert dispatcher(4) == 8
    assert dispatcher(0.5) == 1.0
    stats = dispatcher.stats
    return {"hits": sum(stats.cache_hits.values()), "misses": sum(stats.cache_misses.values())}


def test_each_signature_is_kept_and_what_is_broken_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_code, "used_folder", lambda: tmp_path)

    assert compile_and_call() == {"hits": 0, "misses": 2}
    assert compile_and_call() == {"hits": 2, "misses": 0}
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".code", ".code"]
    files[0].write_bytes(files[0].read_bytes()[:1000])
    files[1].write_bytes(b"")
    assert compile_and_call() == {"hits": 0, "misses": 2}
    assert compile_and_call() == {"hits": 2, "misses": 0}


def test_the_code_of_another_user_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_code, "used_folder", lambda: tmp_path)
    assert compile_and_call() == {"hits": 0, "misses": 2}
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    assert compile_and_call() == {"hits": 0, "misses": 2}


def test_where_nothing_can_be_written_code_is_compiled_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(machine_code, "used_folder", lambda: tmp_path / "file/folder")

    assert compile_and_call() == {"hits": 0, "misses": 2}
