"""The broker's message: what is written is read, and nothing else is."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.broker.message import LARGEST_STEP, LIMIT, Undecodable, decode, encode
from pyheta.steps import Bell, Kind, StepId

BELLS = st.builds(Bell, st.integers(1, LARGEST_STEP).map(StepId), st.sampled_from(Kind))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["version", "kind", "step"]), inner)
    ),
    max_leaves=8,
)


@given(BELLS)
@settings(deadline=None, max_examples=100)
def test_a_message_that_was_written_is_read_as_the_same_bell(bell: Bell) -> None:
    body = encode(bell)

    assert decode(body, bell.kind) == bell
    assert len(body) <= 64


@given(BELLS, st.sampled_from(Kind))
@settings(deadline=None, max_examples=50)
def test_a_message_is_read_in_the_queue_of_its_kind_only(bell: Bell, kind: Kind) -> None:
    if kind == bell.kind:
        assert decode(encode(bell), kind) == bell
    else:
        with pytest.raises(Undecodable):
            decode(encode(bell), kind)


@given(
    st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(Kind),
)
@settings(deadline=None, max_examples=300)
def test_any_bytes_give_a_bell_or_are_undecodable(body: bytes, kind: Kind) -> None:
    with contextlib.suppress(Undecodable):
        bell = decode(body, kind)

        assert decode(encode(bell), kind) == bell


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"ring", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * LIMIT, "not JSON"),
        (b'{"version":1,"kind":"train","step":' + b"9" * 4000 + b"}", "out of range"),
        (b" " * (LIMIT + 1), "more than 4096"),
        (b'["version", "kind", "step"]', "exactly"),
        (b'{"version":1,"kind":"train"}', "exactly"),
        (b'{"version":1,"kind":"train","step":7,"step":8}', "twice"),
        (b'{"version":1,"kind":"train","step":7,"run":"now"}', "exactly"),
        (b'{"version":1,"kind":"train","step":NaN}', "NaN"),
        (b'{"version":1,"kind":"train","step":7.0}', "exactly"),
        (b'{"version":1,"kind":"train","step":"7"}', "exactly"),
        (b'{"version":1,"kind":"train","step":true}', "true or false"),
        (b'{"version":1,"kind":"train","step":0}', "out of range"),
        (b'{"version":1,"kind":"train","step":-7}', "out of range"),
        (b'{"version":1,"kind":"train","step":9223372036854775808}', "out of range"),
        (b'{"version":1,"kind":"gpu","step":7}', "exactly"),
        (b'{"version":1,"kind":["train"],"step":7}', "exactly"),
        (b'{"version":2,"kind":"train","step":7}', "version 2"),
        (b'{"version":1.0,"kind":"train","step":7}', "exactly"),
        (b"\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.", "not JSON"),
    ],
)
def test_what_is_not_a_message_is_undecodable_and_says_why(body: bytes, why: str) -> None:
    with pytest.raises(Undecodable, match=why):
        decode(body, Kind.TRAIN)
