"""SQL by name. A `.sql` file beside this module is a sequence of blocks, each with a purpose line:

--- name: what the statement is for
SELECT …
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple

_HEADER = re.compile(r"^--- (\w+): \S.*$", re.MULTILINE)
_MIGRATION = re.compile(r"(\d{4})_(\w+)\.sql")


def load(stem: str) -> Mapping[str, str]:
    """The statements of `<stem>.sql` by name."""
    text = files(__package__).joinpath(f"{stem}.sql").read_text(encoding="utf-8")
    _, *parts = _HEADER.split(text)
    statements = {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
    if len(statements) * 2 != len(parts):
        raise ValueError(f"{stem}.sql names a statement twice")
    return statements


class Migration(NamedTuple):
    """One numbered change of the schema. Versions count from 1 without gaps."""

    version: int
    name: str
    text: str


def migrations() -> Sequence[Migration]:
    """All migrations, the oldest first."""
    numbered = []
    for file in files(__package__).joinpath("migrations").iterdir():
        if match := _MIGRATION.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            numbered.append(Migration(int(match[1]), match[2], text))
    return sorted(numbered)
