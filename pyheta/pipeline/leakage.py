"""Which options let a net see what lies in its forecasts' future."""

from collections.abc import Iterator, Mapping
from typing import Any

from pyheta.pipeline.relevance.shaping_methods import RELEVANCES

#: What lets a net see the future, by the mode of a decomposition; empty for the honest one.
MODES: Mapping[str, str] = {
    "causal": "",
    "full": "whole-series decomposition",
    "parts": "decomposition of training, validation and test apart",
}

#: How gaps can be filled that takes a value from later rows.
FILLS_AHEAD = ("linear", "seasonal")

#: What a data set's `missing` lets them see of it.
FILLED = "a fill from later values"

#: The keys of a configuration that decide what `leaks` says of it; of `exog`, whether it is empty.
DECISIVE = ("dataset", "decompose", "shaping", "components", "exog_form", "exog")


def leaks(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The reasons why a run's nets may have seen the future, none for an honest run.

    `config` is a run's configuration as plain data; sections that it lacks are taken at their
    defaults.
    """
    return tuple(filter(None, _reasons(config)))


def looks_ahead(params: Mapping[str, Any]) -> bool:
    """Whether a `decompose` or `shape` step with these parameters sees rows after each row."""
    if "mode" in params:
        return bool(MODES[params["mode"]])
    return "relevance" in params and not RELEVANCES[params["relevance"]].causal


def fills_from_later(dataset: Mapping[str, Any]) -> bool:
    """Whether the `missing` of a data set, as plain data, makes values from later ones."""
    missing = dataset.get("missing")
    policies = [missing, *missing.values()] if isinstance(missing, Mapping) else []
    return any(isinstance(way, Mapping) and way.get("fill") in FILLS_AHEAD for way in policies)


def _reasons(config: Mapping[str, Any]) -> Iterator[str]:
    if fills_from_later(config.get("dataset", {})):
        yield FILLED
    decompose, shaping = config.get("decompose", {}), config.get("shaping", {})
    if decompose.get("method", "none") != "none":
        yield MODES[decompose["mode"]]
    if shaping.get("method", "none") != "none" and looks_ahead(shaping) and _shapes(config):
        yield f"{shaping['relevance']} shaping"


def _shapes(config: Mapping[str, Any]) -> bool:
    """Whether any net of the run may read shaped columns.

    Several patterns can mean one component, so what each of them changes counts for all.
    """
    sections = [config, *config.get("components", {}).values()]
    forms = {section["exog_form"] for section in sections if "exog_form" in section}
    return forms != {"original"} and any(section.get("exog") for section in sections)
