"""A net of one's own that raises what it is told: how steps go wrong in a child."""

from pathlib import Path
from typing import Any

NAME = "failing_net:Net"

#: What torch says after an access that the device does not forgive.
ILLEGAL = "CUDA error: an illegal memory access was encountered"

SOURCE = """
from pathlib import Path

import torch
from torch import nn

from pyheta import errors


class Net(nn.Module):
    def __init__(self, shape, error, text, once=""):
        super().__init__()
        self.layer = nn.Linear(shape.lookback, shape.horizon)
        self.once = once
        self.error = (getattr(errors, error, None) or getattr(torch, error))(text)

    def forward(self, windows):
        if self.training and not (self.once and Path(self.once).exists()):
            print("a net is about to fail")
            if self.once:
                Path(self.once).touch()
            raise self.error
        return self.layer(windows[:, :1])
"""


def write_net(folder: Path) -> None:
    """Put the net into a folder, which has to be in the PYTHONPATH of children."""
    (folder / "failing_net.py").write_text(SOURCE)


def net(error: str, text: str, **options: Any) -> dict[str, Any]:
    """A step's net. `error`: torch's or PyHeta's class; `once`: a file by which it raises once."""
    return {"name": NAME, "options": {"error": error, "text": text, **options}}
