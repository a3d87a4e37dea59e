"""Editors get a JSON Schema that knows every key."""

import json
import subprocess
import sys
from collections.abc import Iterator

from pyheta.nets.configs.union import NETS
from pyheta.sweep import json_schema
from pyheta.sweep.config import KEYS
from pyheta.sweep.file import SweepFile


def references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"]
        for inner in schema.values():
            yield from references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from references(inner)


def test_it_is_json_and_complete_in_itself() -> None:
    schema = json_schema()

    assert json.loads(json.dumps(schema)) == schema
    assert {ref.removeprefix("#/$defs/") for ref in references(schema)} <= schema["$defs"].keys()


def test_it_knows_every_top_level_key_and_no_other() -> None:
    schema = json_schema()

    assert set(schema["properties"]) == set(SweepFile.model_fields)
    assert schema["additionalProperties"] is False


def test_every_dotted_key_can_be_a_value_or_an_axis() -> None:
    properties = json_schema()["properties"]

    for place in ("config", "parameters"):
        assert set(properties[place]["properties"]) == set(KEYS)
        assert properties[place]["additionalProperties"] is False


def test_options_have_descriptions_and_nets_their_names() -> None:
    definitions = json_schema()["$defs"]

    assert all("description" in definitions[net.__name__] for net in NETS.values())
    assert {
        definitions[net.__name__]["properties"]["name"]["const"] for net in NETS.values()
    } == set(NETS)
    assert "description" in definitions["Train"]["properties"]["patience"]


def test_every_call_gives_a_new_copy() -> None:
    json_schema()["properties"].clear()

    assert json_schema()["properties"]


def test_reading_sweeps_loads_no_heavy_library() -> None:
    code = (
        "import sys, pyheta.sweep; print(sorted({'torch', 'polars', 'numpy'} & set(sys.modules)))"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"
