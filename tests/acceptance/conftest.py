"""The installed `pyheta` as a process: what a user types and what a user sees."""

import os
import subprocess
from pathlib import Path

import pytest
from processes import PYHETA, Call


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """A user's environment with an embedded store of its own. Code that is compiled stays so."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    compiled = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
    return kept | compiled | {"HOME": str(home), "PYHETA_HOME": str(home / "pyheta")}


@pytest.fixture
def pyheta(environment: dict[str, str], tmp_path: Path) -> Call:
    """Run `pyheta` in an empty folder; keywords become variables of its environment."""

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PYHETA, *arguments],
            cwd=tmp_path,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    return call
