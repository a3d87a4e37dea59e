"""Questions: what is refused, and every answer as lines that say what the answer holds."""

from typing import Any

import pytest
import yaml

from pyheta.errors import DataError
from pyheta.pipeline.data.questions import Answer, Question, flow

FILL = Answer({"missing": {"fill": "forward", "limit": 2}}, "to fill them")
COUNT = Answer({"step": "rows"}, "to count rows as they are")


@pytest.mark.parametrize(
    "value",
    [
        {"missing": {"fill": "forward", "limit": 3, "values": [-999, 1e20, "no data"]}},
        {"pick": "7", "series": ["a b", "c:d", "no", "é"], "sort": True, "x": None},
        {"a, b": {"c]": [1.5, -1.7976931348623157e308]}, "null": "true", "": "#", "q": 'x"\\'},
    ],
)
def test_lines_are_yaml_that_says_the_same(value: dict[str, Any]) -> None:
    assert yaml.safe_load(flow(value).replace("1e+20", "1.0e+20")) == value


def test_all_answers_stand_in_one_sentence_each_with_its_case() -> None:
    asked = Question("gaps", FILL, COUNT, where="x.csv: row 3")
    assert isinstance(asked, DataError)
    assert str(asked) == (
        "x.csv: row 3: gaps; write under dataset: `missing: {fill: forward, limit: 2}` to fill "
        "them, or `step: rows` to count rows as they are"
    )
    assert asked.answers == (FILL, COUNT)


def test_an_answer_alone_needs_no_case_and_what_else_helps_is_said_before() -> None:
    asked = Question("not a number 'x'", Answer({"sort": True}), lead="mend the value, or")
    assert asked.cure == "mend the value, or write under dataset: `sort: true`"


def test_what_has_no_answer_has_no_cure() -> None:
    assert str(Question("empty")) == "empty"


def test_several_options_are_one_answer() -> None:
    asked = Question("twice", Answer({"sort": True, "duplicates": "first"}))
    assert asked.cure == "write under dataset: `sort: true, duplicates: first`"
