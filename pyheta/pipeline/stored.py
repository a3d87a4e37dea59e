"""Named arrays with facts about them in one safetensors file: data only, no code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from pyheta.steps import canonical

#: The only entry of the file's header: safetensors writes several in any order.
ENTRY = "pyheta"


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any] | None = None
) -> None:
    """Named arrays as safetensors, with facts about them; equal content gives equal bytes."""
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    save_file(tensors, path, metadata={ENTRY: canonical(facts)} if facts else None)


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What `write_arrays` has written with facts. Raises whatever comes of another file."""
    with safe_open(path, framework="numpy") as file:
        facts: dict[str, Any] = json.loads(file.metadata()[ENTRY])
        return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 (no dict)
