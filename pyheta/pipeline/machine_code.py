"""Where compiled code is kept: one folder, named by a digest of all that the code depends on.

What a compiled function calls is compiled into it. numba itself looks at the file of the calling
function only, and at its path, so it would go on with stale code after a change elsewhere. With the
digest in the name, code is never stale, and an equal copy of the package finds it again.
"""

import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

#: Files whose decorators compile. Every file that imports one of them has compiled functions.
DECORATORS = {"pyheta/pipeline/compiled.py", "pyheta/nets/engines/kernels/compiling.py"}

#: numba's settings that change how it works, not what it compiles. A worker sets some for a child.
_WITHOUT_EFFECT = ("NUMBA_NUM_THREADS", "NUMBA_THREADING_", "NUMBA_CACHE_", "NUMBA_DEBUG_CACHE")

_IMPORT = re.compile(rb"^(?:from|import) (pyheta[\w.]*)(?: import (\([^)]*\)|.*))?", re.MULTILINE)

KEPT = 3  # folders: other versions may be in use, as in another environment
UNUSED = 3600.0  # seconds after which no process can still be compiling into a folder


@cache
def folder() -> Path:
    """The folder for the code of exactly this package, compiler and CPU, in the user's cache."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not caches.is_absolute():  # the XDG specification says to ignore relative ones
        caches = Path(os.path.expanduser("~/.cache"))  # noqa: PTH111 (never raises)
    return caches / "pyheta" / f"compiled-{_digest()}"


@cache
def used_folder() -> Path:
    """The folder, made where possible and marked as used now. Removes old ones beside it."""
    with suppress(OSError):
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(folder())
        remove_unused(folder().parent)
    return folder()


def is_own(file: Path) -> bool:
    """Whether the file is there and this user's: others' code would run with this one's rights."""
    try:
        return file.stat().st_uid == os.geteuid()
    except OSError:
        return False


def remove_unused(caches: Path) -> None:
    """Remove the folders that have not been used for a while, but for the KEPT used last."""
    last_used = {place: place.stat().st_mtime for place in caches.glob("compiled-*")}
    newest_first = sorted(last_used, key=lambda place: last_used[place], reverse=True)
    for place in newest_first[KEPT:]:
        if last_used[place] < time.time() - UNUSED:
            with suppress(OSError):  # renamed first: nobody must find half of a folder
                gone = place.rename(place.with_name(f"{place.name}.removed-{os.getpid()}"))
                shutil.rmtree(gone)


def sources(package: Path) -> Mapping[str, bytes]:
    """Name and content of all files with compiled functions, and of those that they import.

    From an imported file comes another compiled function, or a constant, which is compiled in too.
    """
    files = {
        path.relative_to(package.parent).as_posix(): path.read_bytes()
        for path in package.rglob("*.py")
    }
    waiting = [name for name, text in files.items() if _has_compiled_functions(text)]
    reached = set(DECORATORS)
    while waiting:
        name = waiting.pop()
        if name in files and name not in reached:
            waiting += _imported(files[name])
            reached.add(name)
    return {name: files[name] for name in sorted(reached)}


def _has_compiled_functions(text: bytes) -> bool:
    return b"compil" in text and not DECORATORS.isdisjoint(_imported(text))


def _imported(text: bytes) -> set[str]:
    """Names of the files that a module's imports may mean: `a.b` may be a module or in one."""
    modules = set()
    for module, names in _IMPORT.findall(text):
        modules |= {module, *(module + b"." + name for name in re.findall(rb"\w+", names))}
    paths = {module.decode().replace(".", "/") for module in modules}
    return {path + end for path in paths for end in (".py", "/__init__.py")}


def _digest() -> str:
    from llvmlite import binding

    cpu = (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    compiler = (sys.version, version("numba"), version("llvmlite"), *_settings())
    facts = repr((cpu, compiler, *sources(PACKAGE).items()))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def _settings() -> list[tuple[str, str]]:
    return sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and not name.startswith(_WITHOUT_EFFECT)
    )
