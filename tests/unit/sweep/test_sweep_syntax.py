"""YAML is read by the rules of version 1.2, each value with its place, and does no harm."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pyheta.errors import SweepError
from pyheta.sweep.syntax import MAX_BYTES, parse, parse_mapping, read_document


def refusal(raw: bytes | str) -> str:
    with pytest.raises(SweepError) as caught:
        parse_mapping(raw if isinstance(raw, bytes) else raw.encode(), "s.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.0e-3", 0.001),
        (".5", 0.5),
        ("-0.0", 0.0),
        ("5.", 5.0),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2020-01-01", "2020-01-01"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("=", "="),
        ("${SECRET}", "${SECRET}"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: float | str | bool | None) -> None:
    read = parse(f"key: {text}", "s.yaml").data["key"]

    assert read == value
    assert type(read) is type(value)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert parse("{no: 1, 1: 2, null: 3}", "s.yaml").data == {"no": 1, "1": 2, "null": 3}


def test_every_key_and_value_has_its_place() -> None:
    document = parse("a: 1\nb:\n  - x\n  - {c: 2}\n", "s.yaml")

    assert document.where_key(("b",)) == "s.yaml:2:1"
    assert document.where(("b", 0)) == "s.yaml:3:5"
    assert document.where(("b", 1, "c")) == "s.yaml:4:9"
    assert document.where(("b", 1, "c", "deeper")) == "s.yaml:4:9"


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert parse_mapping(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "s.yaml").data == {"a": 1, "b": 2}


def test_aliases_and_merge_keys_work() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nboth: {<<: [*b, {z: 4, x: 0}]}\nsame: *b\n"

    data = parse(text, "s.yaml").data

    assert data["more"] == {"y": 3, "x": 1}
    assert data["both"] == {"x": 1, "y": 2, "z": 4}
    assert data["same"] == data["base"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "s.yaml: is empty"),
        ("# nothing\n", "s.yaml: is empty"),
        ("- 1\n", "s.yaml:1:1: expected a mapping, got a list"),
        ("5\n", "s.yaml:1:1: expected a mapping, got a single value"),
        ("a: 1\nb: 2\na: 3\n", "s.yaml:3:1: duplicate key 'a' (first at s.yaml:1:1)"),
        ("a: 1\n---\nb: 1\n", "s.yaml:2:1: a second document begins here"),
        ("a:\n\t- b\n", "s.yaml:2:1: not valid YAML"),
        ("a: [1, 2\n", "s.yaml:2:1: not valid YAML"),
        ("a: {b: ${x}}\n", "s.yaml:1:9: not valid YAML"),
        ("a: *x\n", "s.yaml:1:4: alias '*x' has no anchor before it"),
        ("a: &a [*a]\n", "recursive alias"),
        ("a: &a {b: {<<: *a}}\n", "recursive alias"),
        ("a: {<<: 3}\n", "s.yaml:1:9: '<<' takes a mapping"),
        ("a: !!str 1\n", "s.yaml:1:4: tag 'tag:yaml.org,2002:str' is not allowed"),
        ("a: !env HOME\n", "s.yaml:1:4: tag '!env' is not allowed"),
        ("!env a: 1\n", "s.yaml:1:1: tag '!env' is not allowed"),
        ("[1]: 2\n", "s.yaml:1:1: a key has to be text"),
        ("a: .inf\n", "s.yaml:1:4: '.inf' is not a finite number"),
        ("a: -.INF\n", "is not a finite number"),
        ("a: .nan\n", "is not a finite number"),
        ("a: 1e400\n", "s.yaml:1:4: '1e400' is not a finite number"),
        ("a: 1" + 30 * "0", "s.yaml:1:4: number out of range"),
        ("a: " + 5000 * "9", "number out of range"),
        ("a: 9223372036854775808\n", "number out of range"),
        ("a: 1\nb: x\0y\n", "s.yaml:2:5: control character"),
        ('a: "\\0"\n', "s.yaml:1:4: control character"),
        ("a: " + 64 * "[" + 64 * "]", "s.yaml:1:67: nested deeper than 64"),
        (10_000 * "[", "nested deeper than 64"),
        (5_000 * "- ", "nested deeper than 64"),
        ("a: &x 1\nb: [" + 1_001 * "*x, " + "]", "more than 1000 aliases"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    assert said in refusal(text)


def test_bytes_that_are_not_utf_8_are_refused_with_their_place() -> None:
    assert refusal(b"a: 1\nb: caf\xe9\n").startswith("s.yaml:2:7: not UTF-8 at byte 11")
    assert refusal("a: 1\n".encode("utf-16")).startswith("s.yaml:1:1: not UTF-8 at byte 0")


def test_aliases_cannot_blow_a_small_file_up() -> None:
    # Given nine levels, each of nine aliases of the level below
    lists = ["a0: &a0 [x]"] + [
        f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]" for n in range(1, 10)
    ]
    merges = ["a0: &a0 {x: 1}"]
    merges += [f"a{n}: &a{n} {{<<: [{', '.join(9 * [f'*a{n - 1}'])}]}}" for n in range(1, 10)]

    # Then both are refused after a bounded amount of work
    assert "aliases expand to more than 100,000 nodes" in refusal("\n".join(lists))
    assert "aliases expand to more than 100,000 nodes" in refusal("\n".join(merges))


def test_aliases_cannot_nest_a_file_deeper_than_it_may_be() -> None:
    nested = ["a0: &a0 x"] + [f"a{n}: &a{n} [[[[*a{n - 1}]]]]" for n in range(1, 40)]

    assert "aliases nest deeper than 64" in refusal("\n".join(nested))


def test_a_python_tag_runs_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    said = refusal(f"a: !!python/object/apply:os.system ['touch {canary}']\n")

    assert "is not allowed" in said
    assert not canary.exists()


def test_credentials_are_refused_and_not_repeated() -> None:
    for text in ("a: amqp://guest:hunter2@host/", "# postgresql://me:hunter2@host\na: 1"):
        said = refusal(text)

        assert "credentials do not belong in a sweep file" in said
        assert "hunter2" not in said


def test_a_url_without_a_password_is_no_secret() -> None:
    assert parse("a: http://example.org/x@y:z", "s.yaml").data == {"a": "http://example.org/x@y:z"}


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    os.mkfifo(tmp_path / "pipe.yaml")
    for name, said in {
        "absent.yaml": "no such file",
        ".": "is a directory",
        "big.yaml": "is larger than 1 MiB",
        "pipe.yaml": "is not a regular file",
        "x" * 300: "cannot be read",
    }.items():
        with pytest.raises(SweepError, match=said):
            read_document(tmp_path / name)


@hypothesis_settings(deadline=None, max_examples=200)
@given(
    st.binary(max_size=200) | st.text("ab:-[]{}&*!<>#'\"|\n ,?~0.e\t", max_size=60).map(str.encode)
)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(SweepError):
        assert isinstance(parse_mapping(raw, "s.yaml").data, dict)


words = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cn", "Cs", "Zl", "Zp"]), max_size=9)
keys = words.filter(lambda key: key != "<<")  # which merges mappings
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e9, 1e9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(plain)
def test_json_is_yaml(data: dict[str, Any] | int | list[dict[str, Any]] | None) -> None:
    assert parse(json.dumps(data, ensure_ascii=False), "s.yaml").data == data
