"""The JSON Schema of a sweep file, for editors: completion, descriptions, errors while typing."""

from typing import Any

from pydantic.json_schema import models_json_schema

from pyheta.sweep.axes import AXIS_FORMS
from pyheta.sweep.config import KEYS, MODELS, RunConfig
from pyheta.sweep.file import SweepFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

#: Several series are an axis, wherever one could be picked.
SEVERAL: Schema = {
    "type": "array",
    "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    "minItems": 1,
}


def json_schema() -> Schema:
    """The schema as plain data, JSON Schema 2020-12.

    It accepts a little more than the reader: it requires no key in `config`, since each may stand
    in `parameters`.
    """
    models = (SweepFile, RunConfig, *dict.fromkeys(AXIS_FORMS.values()))
    _, shared = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Schema] = shared["$defs"]
    sweep, run = definitions.pop("SweepFile"), definitions.pop("RunConfig")
    for model in (model for section in MODELS.values() for model in section):
        definitions[model.__name__].pop("required", None)
    for definition in definitions.values():
        if pick := definition.get("properties", {}).get("pick"):
            pick["anyOf"].append(SEVERAL)
    written = {key: _value(key, run["properties"], definitions) for key in KEYS}
    sweep["properties"]["config"] |= _only(written)
    sweep["properties"]["parameters"] |= _only(dict.fromkeys(KEYS, _axis()))
    definitions["When"]["properties"]["parameters"] |= _only(dict.fromkeys(KEYS, _axis()))
    sweep.pop("required")  # a file that others extend needs no name
    return {"$schema": DIALECT, **sweep, "$defs": definitions}


def _only(properties: dict[str, Schema]) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _axis() -> Schema:
    names = dict.fromkeys(model.__name__ for model in AXIS_FORMS.values())
    forms = [{"$ref": f"#/$defs/{name}"} for name in names]
    return {"anyOf": [{"type": "array", "minItems": 1}, *forms]}


def _value(key: str, sections: dict[str, Schema], definitions: dict[str, Schema]) -> Schema:
    """The schema of the values of a dotted key of `config`."""
    section, _, field = key.partition(".")
    if field:
        names = [model.__name__ for model in MODELS[section] if field in model.model_fields]
        return {"anyOf": [definitions[name]["properties"][field] for name in names]}
    schema = dict(sections[section])
    schema.pop("discriminator", None)
    if "oneOf" in schema:  # one of several models, for which a name or a path is short
        schema["anyOf"] = [{"type": "string"}, *schema.pop("oneOf")]
    return schema
