"""Which options let a net see what lies in its forecasts' future."""

from collections.abc import Iterator, Mapping
from typing import Any

REASONS = {
    "full": "whole-series decomposition",
    "parts": "decomposition of training, validation and test apart",
    "centred": "centred shaping",
}


def leaks(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons why a run's nets may have seen the future, none for an honest run.

    `config` is a run's configuration as plain data; sections that it lacks are taken at their defaults.
    """
    return tuple(REASONS[option] for option in _options(config))


def _options(config: Mapping[str, Any]) -> Iterator[str]:
    decompose, shaping = config.get("decompose", {}), config.get("shaping", {})
    if decompose.get("method", "none") != "none" and decompose["mode"] in REASONS:
        yield decompose["mode"]
    if shaping.get("method", "none") != "none" and shaping["relevance"] in REASONS and _shapes(config):
        yield shaping["relevance"]


def _shapes(config: Mapping[str, Any]) -> bool:
    """Whether any net of the run reads shaped columns."""
    own = [changes["exog"] for changes in config.get("components", {}).values() if "exog" in changes]
    return config["exog_form"] != "original" and any([config["exog"], *own])
