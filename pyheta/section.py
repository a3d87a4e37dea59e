"""The base of all sections that people write: data, nets and training declare theirs themselves."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from pyheta.errors import nearest


class Section(BaseModel):
    """Nothing unknown, nothing coerced, nothing infinite, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Complaint(NamedTuple):
    """What is wrong with one key of a section, and what to do."""

    key: str
    what: str
    cure: str


def complaint(error: ValidationError, known: Sequence[str]) -> Complaint:
    """The first thing that pydantic found wrong. `known` are the keys of the section."""
    detail = error.errors(include_url=False)[0]
    key = str(detail["loc"][0]) if detail["loc"] else ""
    match detail["type"]:
        case "extra_forbidden":
            return Complaint(key, f"unknown key '{key}'", nearest(key, known))
        case "missing":
            return Complaint(key, f"missing key '{key}'", "")
        case "value_error":
            return Complaint(key, f"{key}: {detail['ctx']['error']}", "")
        case _:
            message = detail["msg"][:1].lower() + detail["msg"][1:]
            return Complaint(key, f"{key}: {message}", "")
