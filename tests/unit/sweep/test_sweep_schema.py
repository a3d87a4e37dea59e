"""Editors get a JSON Schema that knows every key."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

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


def accepts(schema: dict[str, Any], value: object) -> bool:
    """Whether a value fits a schema, as far as the schemas of dotted keys go."""
    if "$ref" in schema:
        schema = json_schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema:
        return any(accepts(one, value) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    match value:
        case str():
            fits = schema.get("type") == "string"
        case list():
            items = schema.get("items", {})
            fits = schema.get("type") == "array" and all(accepts(items, item) for item in value)
        case dict():
            fits = schema.get("type") == "object" and set(value) <= schema["properties"].keys()
        case _:
            fits = schema.get("type") == ("null" if value is None else "number")
    return fits


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("exog", "all", True),
        ("exog", ["T_*", "!T_out"], True),
        ("exog", {"all_but": ["a"]}, True),
        ("exog", {"all": ["a"]}, False),
        ("exog", "a", False),
        ("target", "all", True),
        ("target", ["a", "b"], True),
        ("target", {"all_but": ["a"]}, True),
        ("split.val", "2019-01-01", True),
        ("split.train", None, True),
        ("dataset.pick", "MSFT", True),
        ("dataset.pick", ["MSFT", "AAPL"], True),
        ("net.period", None, True),
        ("decompose.period", None, True),
    ],
)
def test_editors_know_every_way_to_write_a_value(key: str, value: object, *, fits: bool) -> None:
    schema = json_schema()["properties"]["config"]["properties"][key]

    assert accepts(schema, value) == fits


def test_editors_know_every_way_to_choose_subsets() -> None:
    subsets = json_schema()["$defs"]["SubsetsAxis"]["properties"]["subsets"]

    for value in ("all", ["a", "T_*"], {"all_but": ["a"]}):
        assert accepts(subsets, value)
