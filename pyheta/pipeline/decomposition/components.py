"""The names of a series' components: known before anything is decomposed, so plans can use them.

IMFs are counted from 0, the fastest first. What a decomposition leaves over has a name too, so that
the components of a series always add up to it.
"""

from collections.abc import Mapping
from typing import Any

#: The undecomposed series as its own, only component.
WHOLE = "target"


def imfs(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The components of empirical mode decompositions."""
    return (*numbered("IMF", options["max_imf"]), "Residue")


def numbered(name: str, count: int) -> tuple[str, ...]:
    """IMF0, IMF1, …"""
    return tuple(f"{name}{number}" for number in range(count))
