"""Sections that write down only what was written."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from pyheta.errors import nearest
from pyheta.section import Section


class Sparse(Section):
    """Dumped, it has what is not the default: no option that is new changes what was written.

    Fields in `ALWAYS` are dumped whatever they are.
    """

    ALWAYS: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(serialize_by_alias=True)

    @model_serializer(mode="wrap")
    def _without_defaults(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        kept = {
            info.alias or name
            for name, info in type(self).model_fields.items()
            if name in self.ALWAYS or info.is_required() or getattr(self, name) != info.default
        }
        return {key: value for key, value in written(self).items() if key in kept}

    def as_params(self) -> dict[str, Any]:
        """Plain data: what decides the table, beside the file."""
        return self.model_dump(mode="json")

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """The options that `as_params` wrote down."""
        return cls.model_validate_json(json.dumps(params))  # in JSON a list may be a tuple


class Inner(Sparse):
    """What stands inside a value: there is no key to point at, so it says itself what is wrong."""

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, value: Any) -> Any:
        for key in value if isinstance(value, Mapping) else ():
            if key not in cls.model_fields:
                raise ValueError(
                    f"unknown key '{key}'; {nearest(str(key), list(cls.model_fields))}"
                )
        return value
