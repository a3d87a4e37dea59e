"""How a data set is read: all that may stand under `dataset:` beside its name or its path.

Sweeps are checked with these sections, and steps of `load` carry what of them is not the default.
Nothing heavy is imported here: sweeps are read by commands that only look.
"""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, SerializerFunctionWrapHandler, model_serializer

from pyheta.pipeline.data.options.columns import Columns
from pyheta.pipeline.data.options.format import Format
from pyheta.pipeline.data.options.rows import Rows
from pyheta.pipeline.data.options.times import Times

#: Options whose value is one, although it is written as a mapping: their names are no keys.
MAPPINGS = ("columns", "features", "missing", "resample", "source")


class DataOptions(Format, Times, Rows, Columns):
    """What is not written is off, or found by looking at the file.

    Dumped, it has what is not the default: no option that is new changes what was written before.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    @model_serializer(mode="wrap")
    def _without_defaults(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        kept = {
            info.alias or name
            for name, info in type(self).model_fields.items()
            if info.is_required() or getattr(self, name) != info.default
        }
        return {key: value for key, value in written(self).items() if key in kept}

    def as_params(self) -> dict[str, Any]:
        """Plain data: what decides the table, beside the file."""
        return self.model_dump(mode="json")

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Self:
        """The options that `as_params` wrote down."""
        return cls.model_validate_json(json.dumps(params))  # in JSON a list may be a tuple
