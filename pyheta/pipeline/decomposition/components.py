"""The components of a series, by name: known before anything is decomposed, so that a plan can name
them.

IMFs are counted from 0, the fastest first. What a decomposition leaves over has a name too, so that
the components of a series always add up to it.
"""

from collections.abc import Mapping
from typing import Any

#: The undecomposed series as its own, only component.
WHOLE = "target"


#: Sections of a configuration that are one value, although they are written as mappings.
WHOLE_VALUES = ("components",)


def component_names(decompose: Mapping[str, Any]) -> tuple[str, ...]:
    """The components of any column under the options of a `decompose` section, in their order."""
    match decompose["method"]:
        case "none":
            return (WHOLE,)
        case "stl":
            return ("Seasonal", "Trend", "Remainder")
        case "wavelet":
            return (*_numbered("Detail", decompose["max_imf"]), "Approximation")
        case _:
            return (*_numbered("IMF", decompose["max_imf"]), "Residue")


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for number in range(count))
