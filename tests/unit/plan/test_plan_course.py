"""Which decompositions may take over rows of which others."""

from dataclasses import replace
from typing import Any

import pytest

from pyheta.ops.params import DecomposeParams
from pyheta.plan.course import course_of_decompose

OPTIONS = {"method": "emd", "mode": "causal", "window": 64, "grow": False, "max_imf": 3}
PARAMS = DecomposeParams(column="load", options=OPTIONS, rows=900, keep=32)


def course(**changed: Any) -> str | None:
    return course_of_decompose(replace(PARAMS, options=OPTIONS | changed), "a")


def test_how_many_rows_there_are_does_not_matter() -> None:
    assert course_of_decompose(replace(PARAMS, rows=100), "a") == course()


def test_columns_that_begin_alike_are_decomposed_on_one_course() -> None:
    assert course() == course_of_decompose(PARAMS, "a")
    assert course() != course_of_decompose(PARAMS, "b")


@pytest.mark.parametrize(
    "changed", [{"method": "eemd"}, {"window": 65}, {"grow": True}, {"max_imf": 4}]
)
def test_another_way_is_another_course(changed: dict[str, Any]) -> None:
    assert course(**changed) != course()


def test_tails_of_another_length_are_another_course() -> None:
    assert course_of_decompose(replace(PARAMS, keep=64), "a") != course()


@pytest.mark.parametrize("mode", ["full", "parts"])
def test_what_depends_on_later_rows_has_no_course(mode: str) -> None:
    assert course(mode=mode) is None
