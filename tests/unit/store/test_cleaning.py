"""Whatever a child process says becomes text and facts that PostgreSQL takes."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyheta.store.cleaning import (
    LONGEST_REASON,
    LONGEST_TEXT,
    clean_facts,
    clean_reason,
    clean_text,
)

dirty = st.text(st.characters(codec=None, categories=None), max_size=200)
facts = st.dictionaries(
    dirty,
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | dirty,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(dirty, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(dirty)
def test_text_can_be_stored(text: str) -> None:
    cleaned = clean_text(text)

    assert "\0" not in cleaned
    cleaned.encode()


@given(st.text(max_size=50), st.integers(min_value=60, max_value=100))
def test_short_good_text_stays_as_it_is(text: str, longest: int) -> None:
    good = text.replace("\0", "")

    assert clean_text(good, longest) == good


@given(st.integers(min_value=1, max_value=10_000), st.integers(min_value=100, max_value=500))
def test_long_text_keeps_its_head_and_its_tail(more: int, longest: int) -> None:
    text = "head" + "x" * (longest + more) + "tail"

    cleaned = clean_text(text, longest)

    assert len(cleaned) == longest
    assert cleaned.startswith("head")
    assert cleaned.endswith("tail")
    assert "characters left out" in cleaned


def test_a_traceback_is_cut_to_what_is_kept() -> None:
    assert len(clean_text("x" * 10 * LONGEST_TEXT)) == LONGEST_TEXT


@given(dirty)
def test_a_reason_is_one_line_that_says_something(text: str) -> None:
    reason = clean_reason(text)

    assert 0 < len(reason) <= LONGEST_REASON
    assert len(reason.splitlines()) == 1


def test_a_reason_is_the_first_line_that_says_something() -> None:
    assert clean_reason("\n \n ValueError: no such column\n  at …") == "ValueError: no such column"


@given(facts)
def test_facts_can_be_stored(said: dict[str, Any]) -> None:
    text = json.dumps(clean_facts(said), allow_nan=False)

    assert "\\u0000" not in text
    json.loads(text)


def test_a_number_that_is_not_finite_becomes_unknown() -> None:
    assert clean_facts({"loss": math.nan, "all": [1.5, math.inf]}) == {
        "loss": None,
        "all": [1.5, None],
    }
