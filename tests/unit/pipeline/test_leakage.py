"""Which configurations let a net see the future: told from plain data, whatever wrote it."""

from typing import Any

import pytest

from pyheta.pipeline.leakage import leaks
from pyheta.sweep.config import RunConfig

SHAPED = {
    "exog": ["a"],
    "exog_form": "shaped",
    "shaping": {"method": "farm", "relevance": "centred"},
}


def config(**changes: Any) -> dict[str, Any]:
    """A run's configuration as the store has it."""
    full = {
        "dataset": {"name": "etth1"},
        "target": "OT",
        "window": {"input": 8},
        "net": {"name": "lstm"},
    }
    return RunConfig.model_validate(full | changes).as_json()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"decompose": {"method": "emd", "mode": "full"}}, "whole-series decomposition"),
        (
            {"decompose": {"method": "stl", "mode": "parts"}},
            "decomposition of training, validation and test apart",
        ),
        (SHAPED, "centred shaping"),
        (SHAPED | {"exog_form": "both"}, "centred shaping"),
    ],
)
def test_what_looks_ahead_is_named(changes: dict[str, Any], reason: str) -> None:
    assert leaks(config(**changes)) == (reason,)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"decompose": {"method": "ceemdan", "mode": "causal"}},
        {"decompose": {"method": "none", "mode": "full"}},
        SHAPED | {"exog_form": "original"},
        SHAPED | {"exog": []},
        SHAPED | {"shaping": {"method": "farm", "relevance": "trailing"}},
        SHAPED | {"shaping": {"method": "none", "relevance": "centred"}},
    ],
)
def test_what_looks_back_alone_is_honest(changes: dict[str, Any]) -> None:
    assert leaks(config(**changes)) == ()


def test_a_configuration_from_before_there_were_such_options_is_honest() -> None:
    assert leaks({"target": "OT", "exog": ["a"], "net": {"name": "lstm"}}) == ()


@pytest.mark.parametrize(
    "components",
    [
        {"IMF0": {"exog_form": "shaped"}},
        {"IMF0": {"exog_form": "both"}, "Residue": {"exog": []}},
    ],
)
def test_one_component_that_reads_shaped_columns_is_enough(components: dict[str, Any]) -> None:
    # Given a run whose nets read columns as they are, but for one component
    changes = SHAPED | {
        "exog_form": "original",
        "decompose": {"method": "ceemdan"},
        "components": components,
    }
    # When, Then that one net makes the run leak
    assert leaks(config(**changes)) == ("centred shaping",)


def test_a_component_may_have_columns_where_the_run_has_none() -> None:
    changes = SHAPED | {
        "exog": [],
        "decompose": {"method": "emd"},
        "components": {"IMF*": {"exog": ["a"]}},
    }
    assert leaks(config(**changes)) == ("centred shaping",)
