"""Which options let a net see what lies in its forecasts' future."""

from collections.abc import Iterator, Mapping
from typing import Any

REASONS = {
    "full": "whole-series decomposition",
    "parts": "decomposition of training, validation and test apart",
    "centred": "centred shaping",
}


#: The keys of a configuration that decide what `leaks` says of it; of `exog`, whether it is empty.
DECISIVE = ("decompose", "shaping", "components", "exog_form", "exog")


def leaks(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons why a run's nets may have seen the future, none for an honest run.

    `config` is a run's configuration as plain data; sections that it lacks are taken at their
    defaults.
    """
    return tuple(REASONS[option] for option in _options(config))


def looks_ahead(params: Mapping[str, Any]) -> bool:
    """Whether a `decompose` or `shape` step with these parameters sees rows after each row."""
    return params.get("mode") in REASONS or params.get("relevance") in REASONS


def _options(config: Mapping[str, Any]) -> Iterator[str]:
    decompose, shaping = config.get("decompose", {}), config.get("shaping", {})
    if decompose.get("method", "none") != "none" and decompose["mode"] in REASONS:
        yield decompose["mode"]
    if (
        shaping.get("method", "none") != "none"
        and shaping["relevance"] in REASONS
        and _shapes(config)
    ):
        yield shaping["relevance"]


def _shapes(config: Mapping[str, Any]) -> bool:
    """Whether any net of the run may read shaped columns.

    Several patterns can mean one component, so what each of them changes counts for all.
    """
    said = [config, *config.get("components", {}).values()]
    forms = {each["exog_form"] for each in said if "exog_form" in each}
    return forms != {"original"} and any(each.get("exog") for each in said)
