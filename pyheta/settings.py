"""Where store, broker, artifacts and data sets are: flag over environment over `pyheta.toml`.

Every setting may be left out: a private PostgreSQL in `home` is then store, queue and artifacts.
"""

import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from pyheta.errors import ConfigError, nearest

FILE = "pyheta.toml"
PREFIX = "PYHETA_"
KEYS = ("database_url", "broker_url", "artifacts_url", "data", "home", "time_scale")
# Read by the embedded server: the folder of PostgreSQL's programs.
OTHER_VARIABLES = ("PYHETA_PG_BIN",)
# The test suite's own.
TEST_PREFIX = "PYHETA_TEST_"

HIDDEN = "***"
# Greedy up to the last "@": a password that is not percent-encoded may itself hold "@", "/" or "?".
_PASSWORD = re.compile(r"^([^:]*://[^:]*):.*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(
    r"([?&][^=&]*(?:passw|secret|token|credential|sig|[_-]key)[^=&]*)=[^&]*",
    re.IGNORECASE,
)
_HOST = r"(\[[0-9A-Fa-f:.%]+\]|[^][:,/?#@]*)(:\d{1,5})?"
_USER = r"([^/?#]*@)?"
_REST = r"([/?#].*)?"


def masked(url: str) -> str:
    """The URL without its password and secret query values; all of it is hidden if it is no URL."""
    if "://" not in url:
        return HIDDEN
    return _SECRET_PARAMETER.sub(rf"\1={HIDDEN}", _PASSWORD.sub(rf"\1:{HIDDEN}@", url))


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """What a command works with. URLs are complete, with their passwords; `repr` hides those."""

    home: Path  # the embedded server's and the caches' folder, absolute
    database_url: str | None = None  # postgresql://…; None: the embedded server in `home`
    broker_url: str | None = None  # amqp:// or amqps://; None: the step table is the queue
    artifacts_url: str | None = None  # file://, s3://, gs://, az://; None: kept in PostgreSQL
    data: Path = Path("data")  # the folder in which named data sets lie, absolute
    datasets: Mapping[str, Any] = field(default_factory=dict)  # one's own, as they are written
    file: Path = Path(FILE)  # where those are written
    time_scale: float = 1.0  # multiplies all times (leases, polls); tests make it small
    warnings: tuple[str, ...] = ()  # about misspelt variables and keys

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        cwd: Path,
        *,
        home: Path | None = None,
        data: Path | None = None,
    ) -> Self:
        """The settings for a command started in `cwd`; `home` and `data` are its flags.

        Relative paths count from `cwd`, an empty variable counts as unset.

        Raises:
            ConfigError: a value is malformed, or `pyheta.toml` shows a password to others.
        """
        table, datasets = _without_datasets(_read_file(cwd / FILE), cwd / FILE)
        flags = {"home": home, "data": data}
        given = _from_file(table, cwd / FILE) | _from_environ(environ) | _from_flags(flags)
        home = _path(given.get("home"), cwd) or _default_home(environ)
        return cls(
            home=home,
            database_url=_url(given.get("database_url"), _DATABASE),
            broker_url=_url(given.get("broker_url"), _BROKER),
            artifacts_url=_url(given.get("artifacts_url"), _ARTIFACTS),
            data=_path(given.get("data"), cwd) or home / "data",
            datasets=datasets,
            file=cwd / FILE,
            time_scale=_factor(given.get("time_scale")),
            warnings=(*_unknown_keys(table, cwd / FILE), *_unknown_variables(environ)),
        )

    def __repr__(self) -> str:
        shown = (f"{each.name}={_shown(getattr(self, each.name))}" for each in fields(self))
        return f"Settings({', '.join(shown)})"


class _Given(NamedTuple):
    """One value as the user gave it, and where, for messages."""

    where: str
    text: str


class _UrlForm(NamedTuple):
    name: str
    pattern: str
    example: str


_DATABASE = _UrlForm(
    "a postgresql://",
    rf"postgres(ql)?://{_USER}{_HOST}(,{_HOST})*{_REST}",  # libpq allows several hosts
    "postgresql://user@host/database",
)
_BROKER = _UrlForm(
    "an amqp:// or amqps://",
    rf"amqps?://{_USER}{_HOST}{_REST}",
    "amqp://user@host/vhost",
)
_ARTIFACTS = _UrlForm(
    "a file://, s3://, gs:// or az://",
    r"file:///.*|(s3|gs|az)://[^/?#].*",
    "s3://bucket/prefix or file:///folder",
)


def _shown(value: object) -> str:
    return repr(masked(value) if isinstance(value, str) else value)


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
            mode = os.fstat(file.fileno()).st_mode & 0o777
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:  # its text names the line and column, or the byte if not UTF-8
        raise ConfigError(f"not valid TOML: {error}", where=str(path)) from error
    if mode & 0o077 and any(_holds_secret(value) for value in table.values()):
        cure = f"make it readable by you alone: chmod 600 {path}"
        raise ConfigError(f"holds a password but has mode {mode:04o}", where=str(path), cure=cure)
    return table


def _holds_secret(value: object) -> bool:
    return isinstance(value, str) and "://" in value and masked(value) != value


def _without_datasets(
    table: Mapping[str, Any], path: Path
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The settings, and the data sets, which are the tables `[data.NAME]`.

    Beside those the data folder is `folder` in `[data]`, since `data` itself is then a table.
    """
    data = table.get("data")
    if not isinstance(data, dict):
        return table, {}
    datasets = {name: value for name, value in data.items() if isinstance(value, dict)}
    if wrong := sorted(data.keys() - datasets.keys() - {"folder"}):
        what = "expected a table, which describes a data set"
        cure = f'write [data.{wrong[0]}] and below it path = "…", or folder = "…" in [data]'
        raise ConfigError(what, where=f"{path}: data.{wrong[0]}", cure=cure)
    folder = {"data": data["folder"]} if "folder" in data else {}
    return {key: value for key, value in table.items() if key != "data"} | folder, datasets


def _from_file(table: Mapping[str, Any], path: Path) -> dict[str, _Given]:
    return {key: _from_toml(f"{path}: {key}", table[key]) for key in KEYS if key in table}


def _from_toml(where: str, value: object) -> _Given:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ConfigError("expected a string", where=where, cure="put the value in quotes")
    return _Given(where, str(value))


def _from_environ(environ: Mapping[str, str]) -> dict[str, _Given]:
    variables = {key: PREFIX + key.upper() for key in KEYS}
    return {
        key: _Given(name, environ[name]) for key, name in variables.items() if environ.get(name)
    }


def _from_flags(flags: Mapping[str, Path | None]) -> dict[str, _Given]:
    return {
        key: _Given(f"--{key}", str(value)) for key, value in flags.items() if value is not None
    }


def _unknown_keys(table: Mapping[str, Any], path: Path) -> Iterable[str]:
    for key in sorted(table.keys() - set(KEYS)):
        yield f"{path}: unknown key '{key}'; {nearest(key, KEYS)}"


def _unknown_variables(environ: Mapping[str, str]) -> Iterable[str]:
    names = (*(PREFIX + key.upper() for key in KEYS), *OTHER_VARIABLES)
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in names:
            yield f"unknown variable {name}; {nearest(name, names)}"


def _url(given: _Given | None, form: _UrlForm) -> str | None:
    if given is None:
        return None
    if not (given.text.isprintable() and re.fullmatch(form.pattern, given.text)):
        what = f"not {form.name} URL: {masked(given.text)}"
        cure = f"write it like {form.example}, with special characters percent-encoded"
        raise ConfigError(what, where=given.where, cure=cure)
    try:
        urlsplit(given.text.partition(",")[0]).port  # noqa: B018 -- looked at, since that checks it
    except ValueError:  # whose text may hold a piece of the password
        what = f"the port is not a number up to 65535: {masked(given.text)}"
        raise ConfigError(what, where=given.where) from None
    return given.text


def _path(given: _Given | None, cwd: Path) -> Path | None:
    if given is None:
        return None
    if "\0" in given.text:
        raise ConfigError("a path cannot hold a NUL character", where=given.where)
    return cwd / _expanded(given)


def _expanded(given: _Given) -> Path:
    try:
        return Path(given.text).expanduser()
    except RuntimeError as error:  # "~name" of an unknown user, "~" of a user without an account
        what = f"cannot tell which folder '{given.text}' is"
        raise ConfigError(what, where=given.where, cure=f"set {PREFIX}HOME") from error


def _default_home(environ: Mapping[str, str]) -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Windows has no such thing
        return Path("/var/lib/pyheta")
    base = Path(environ.get("XDG_DATA_HOME", ""))
    if not base.is_absolute():  # the XDG specification says to ignore relative ones
        base = _expanded(_Given("home folder", environ.get("HOME") or "~")) / ".local" / "share"
    return base / "pyheta"


def _factor(given: _Given | None) -> float:
    if given is None:
        return 1.0
    try:
        factor = float(given.text)
    except ValueError:
        factor = math.nan
    if not 0 < factor < math.inf:
        raise ConfigError(f"expected a number above 0, got '{given.text}'", where=given.where)
    return factor
