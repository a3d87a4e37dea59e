"""Keys whose values are names of what is declared elsewhere: metrics, decompositions, measures."""

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError
from pydantic_core.core_schema import no_info_plain_validator_function


class NameOf:
    """Annotates a `str` that has to be a name in `declared`, as a `Literal` of them all would.

    The names are looked up when a value is checked, so one that is declared later is known too.
    `or_own`: a sweep may declare others, so another word is left to whoever knows the whole sweep.
    """

    def __init__(self, declared: Mapping[str, object], *, or_own: bool = False) -> None:
        self._declared = declared
        self._or_own = or_own

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_plain_validator_function(self._checked)

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        names = {"enum": list(self._declared), "type": "string"}
        return {"anyOf": [names, {"type": "string"}]} if self._or_own else names

    def _checked(self, value: object) -> str:
        if isinstance(value, str) and (self._or_own or value in self._declared):
            return value
        raise PydanticKnownError("literal_error", {"expected": self._expected()})

    def _expected(self) -> str:
        *others, last = map(repr, self._declared)
        return f"{', '.join(others)} or {last}"
