"""Where settings come from, what is refused, and that passwords stay hidden."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyheta.errors import ConfigError, Exit
from pyheta.settings import Settings, masked

DATABASE = "postgresql://ann:s3cret@db.example/experiments"
VARIABLES = ("DATABASE_URL", "BROKER_URL", "ARTIFACTS_URL", "DATA", "HOME", "TIME_SCALE")


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "pyheta.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_everything_may_be_left_out(tmp_path: Path) -> None:
    settings = Settings.read({"HOME": str(tmp_path)}, tmp_path)
    assert (settings.database_url, settings.broker_url, settings.artifacts_url) == (None,) * 3
    assert (settings.time_scale, settings.warnings, settings.datasets) == (1.0, (), {})
    assert settings.home.is_absolute()
    assert settings.data == settings.home / "data"


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    # Given three sources that disagree
    write(tmp_path, 'home = "/from-file"\ndata = "/from-file"\nbroker_url = "amqp://file"\n')
    environ = {"PYHETA_HOME": "/from-environment", "PYHETA_DATA": "/from-environment"}
    # When they are read with one flag
    settings = Settings.read(environ, tmp_path, home=Path("/from-flag"))
    # Then each value comes from the strongest source that has it
    assert settings.home == Path("/from-flag")
    assert settings.data == Path("/from-environment")
    assert settings.broker_url == "amqp://file"


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    settings = Settings.read({"PYHETA_DATABASE_URL": "", "PYHETA_HOME": "/h"}, tmp_path)
    assert settings.database_url is None


def test_relative_paths_count_from_the_working_folder(tmp_path: Path) -> None:
    write(tmp_path, 'data = "sets"\n')
    settings = Settings.read({"PYHETA_HOME": "state"}, tmp_path)
    assert (settings.data, settings.home) == (tmp_path / "sets", tmp_path / "state")


@pytest.mark.parametrize(
    ("euid", "environ", "home"),
    [
        (0, {"HOME": "/root", "XDG_DATA_HOME": "/x"}, "/var/lib/pyheta"),
        (1000, {"HOME": "/home/ann"}, "/home/ann/.local/share/pyheta"),
        (1000, {"HOME": "/home/ann", "XDG_DATA_HOME": "/x"}, "/x/pyheta"),
        (1000, {"HOME": "/home/ann", "XDG_DATA_HOME": "x"}, "/home/ann/.local/share/pyheta"),
    ],
)
def test_the_default_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, euid: int, environ: dict[str, Any], home: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    assert Settings.read(environ, tmp_path).home == Path(home)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://h/d"),
        ("DATABASE_URL", "postgresql://u:p%40@h1:5432,h2:5433/d?target_session_attrs=primary"),
        ("DATABASE_URL", "postgresql://u@/d?host=%2Frun%2Fpostgresql"),
        ("DATABASE_URL", "postgresql://u@[::1]:5432/d"),
        ("BROKER_URL", "amqps://u:p@h:5671/vhost?cafile=/ca.pem"),
        ("ARTIFACTS_URL", "file:///srv/my artifacts"),
        ("ARTIFACTS_URL", "s3://bucket/prefix"),
        ("ARTIFACTS_URL", "gs://bucket"),
        ("ARTIFACTS_URL", "az://container/prefix"),
    ],
)
def test_urls_that_are_accepted_stay_as_they_are(tmp_path: Path, name: str, value: str) -> None:
    settings = Settings.read({f"PYHETA_{name}": value, "PYHETA_HOME": "/h"}, tmp_path)
    assert getattr(settings, name.lower()) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "foo"),
        ("DATABASE_URL", "mysql://u:s3cret@h/d"),
        ("DATABASE_URL", "host=h password=s3cret"),
        ("DATABASE_URL", "postgresql://u:s3cret@h:port/d"),
        ("DATABASE_URL", "postgresql://u:s3cret@[::1/d"),
        ("DATABASE_URL", "postgresql://u:s3cret/@h/d"),
        ("DATABASE_URL", "postgresql://u:s3cret@h/d\n"),
        ("BROKER_URL", "http://u:s3cret@h"),
        ("BROKER_URL", "amqp://u:s3cret@h1,h2/"),
        ("ARTIFACTS_URL", "/srv/artifacts"),
        ("ARTIFACTS_URL", "file://relative"),
        ("ARTIFACTS_URL", "s3:///prefix"),
        ("TIME_SCALE", "fast"),
        ("TIME_SCALE", "0"),
        ("TIME_SCALE", "-1"),
        ("TIME_SCALE", "nan"),
        ("TIME_SCALE", "inf"),
        ("DATA", "~nobody-has-this-name/sets"),
    ],
)
def test_a_malformed_variable_is_named_and_its_secret_is_not_shown(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        Settings.read({f"PYHETA_{name}": value, "PYHETA_HOME": "/h"}, tmp_path)
    assert refusal.value.where == f"PYHETA_{name}"
    assert "s3cret" not in str(refusal.value)
    assert refusal.value.exit_code == Exit.CONFIG


def test_a_malformed_value_of_the_file_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, 'broker_url = "nowhere"\n')
    with pytest.raises(ConfigError, match="not an amqp") as refusal:
        Settings.read({}, tmp_path)
    assert refusal.value.where == f"{file}: broker_url"


@pytest.mark.parametrize("value", ["true", "[1]", "{folder = 1979-05-27}", "1979-05-27"])
def test_a_value_of_another_type_is_refused(tmp_path: Path, value: str) -> None:
    write(tmp_path, f"data = {value}\n")
    with pytest.raises(ConfigError, match="expected a string"):
        Settings.read({}, tmp_path)


def test_the_data_folder_and_data_sets_of_ones_own_stand_in_one_table(tmp_path: Path) -> None:
    write(tmp_path, '[data]\nfolder = "sets"\n[data.mine]\npath = "a.csv"\nseason = 7\n')
    settings = Settings.read({"PYHETA_HOME": "/h"}, tmp_path)
    assert settings.data == tmp_path / "sets"
    assert settings.datasets == {"mine": {"path": "a.csv", "season": 7}}
    assert settings.warnings == ()


def test_what_is_no_data_set_in_that_table_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, '[data]\nfoldr = "sets"\n')
    with pytest.raises(ConfigError, match="expected a table") as refusal:
        Settings.read({"PYHETA_HOME": "/h"}, tmp_path)
    assert refusal.value.where == f"{file}: data.foldr"
    assert "folder" in refusal.value.cure


def test_a_number_in_the_file_may_stand_without_quotes(tmp_path: Path) -> None:
    write(tmp_path, "time_scale = 0.5\n")
    assert Settings.read({"PYHETA_HOME": "/h"}, tmp_path).time_scale == 0.5


def test_a_path_with_a_nul_character_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 'data = "a\\u0000b"\n')
    with pytest.raises(ConfigError, match="NUL"):
        Settings.read({}, tmp_path)


@pytest.mark.parametrize("text", [b"data = ", b"data = '\xff'", b"\xff\xfe", b"data = 1\ndata = 2"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "pyheta.toml").write_bytes(text)
    with pytest.raises(ConfigError, match="not valid TOML") as refusal:
        Settings.read({}, tmp_path)
    assert refusal.value.where == str(tmp_path / "pyheta.toml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyheta.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.read({}, tmp_path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_password_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    write(tmp_path, f'database_url = "{DATABASE}"\n', mode)
    with pytest.raises(ConfigError, match="chmod 600") as refusal:
        Settings.read({}, tmp_path)
    assert "s3cret" not in str(refusal.value)


def test_a_file_of_the_owner_alone_may_hold_a_password(tmp_path: Path) -> None:
    write(tmp_path, f'database_url = "{DATABASE}"\n', 0o600)
    assert Settings.read({"PYHETA_HOME": "/h"}, tmp_path).database_url == DATABASE


def test_a_file_without_a_password_may_be_open(tmp_path: Path) -> None:
    write(tmp_path, 'database_url = "postgresql://ann@db.example/experiments"\n', 0o644)
    assert Settings.read({"PYHETA_HOME": "/h"}, tmp_path).database_url is not None


def test_misspelt_names_are_warned_of_with_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path, 'databse_url = "postgresql://h/d"\n')
    environ = {"PYHETA_BROKERURL": "amqp://h", "PYHETA_HOME": "/h"}
    assert Settings.read(environ, tmp_path).warnings == (
        f"{file}: unknown key 'databse_url'; did you mean 'database_url'?",
        "unknown variable PYHETA_BROKERURL; did you mean 'PYHETA_BROKER_URL'?",
    )


def test_variables_of_other_parts_are_known(tmp_path: Path) -> None:
    names = ("PYHETA_PG_BIN", "PYHETA_TEST_DATABASE_URL", "PATH")
    environ = {"PYHETA_HOME": "/h"} | dict.fromkeys(names, "value")
    assert Settings.read(environ, tmp_path).warnings == ()


def test_passwords_are_not_in_the_representation(tmp_path: Path) -> None:
    settings = Settings.read({"PYHETA_DATABASE_URL": DATABASE, "PYHETA_HOME": "/h"}, tmp_path)
    assert "s3cret" not in repr(settings)
    assert "postgresql://ann:***@db.example/experiments" in repr(settings)


# Passwords that were not percent-encoded as well: they have to stay hidden all the more.
@given(user=st.text().filter(lambda text: ":" not in text), password=st.text())
def test_a_password_is_masked_whatever_it_is(user: str, password: str) -> None:
    url = f"amqp://{user}:{password}@host/vhost"
    assert masked(url) == f"amqp://{user}:***@host/vhost"


@given(st.text().filter(lambda text: "://" not in text))
def test_what_is_no_url_is_hidden_altogether(text: str) -> None:
    assert masked(text) == "***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann@h:5432/d", "postgresql://ann@h:5432/d"),
        ("amqp://[::1]:5672/v", "amqp://[::1]:5672/v"),
        ("postgresql:///d?host=h&password=pw", "postgresql:///d?host=h&password=***"),
        ("s3://b?aws_secret_access_key=k&region=r", "s3://b?aws_secret_access_key=***&region=r"),
        ("az://c?account_key=k", "az://c?account_key=***"),
        ("postgresql://h/d?sslkey=/key.pem", "postgresql://h/d?sslkey=/key.pem"),
    ],
)
def test_only_secrets_are_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


@given(
    values=st.dictionaries(
        st.sampled_from([f"PYHETA_{name}" for name in VARIABLES]), st.text(), max_size=6
    )
)
def test_hostile_variables_give_settings_or_one_clear_error(values: dict[str, Any]) -> None:
    with suppress(ConfigError):
        assert Settings.read({"PYHETA_HOME": "/h"} | values, Path("/")).time_scale > 0


@pytest.mark.parametrize("name", ["DATABASE", "BROKER"])
def test_a_port_that_no_server_can_have_is_refused_without_showing_the_password(name: str) -> None:
    scheme = {"DATABASE": "postgresql", "BROKER": "amqp"}[name]
    environ = {f"PYHETA_{name}_URL": f"{scheme}://me:secret@127.0.0.1:99999/x"}

    with pytest.raises(ConfigError, match="port") as refused:
        Settings.read(environ, Path("/"))

    assert "secret" not in str(refused.value)
