"""A fitted net with all that it takes to use it, in one safetensors file: data only, no code."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from pyheta.errors import StepError
from pyheta.nets.training.trainer_state import State
from pyheta.pipeline.channels import Source
from pyheta.pipeline.scaling import Scaler
from pyheta.pipeline.stored import read_arrays, write_arrays
from pyheta.pipeline.transforms import Method
from pyheta.pipeline.windows import Shape


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A fitted net. `sources` are its channels, targets first; `scalers` has one for each.

    `transform` is that of the targets: scalers of targets are scalers of transformed series.
    """

    net: Mapping[str, Any]
    shape: Shape
    sources: Sequence[Source]
    scalers: Sequence[Scaler]
    state: State
    transform: Method = "none"

    def save(self, path: Path) -> None:
        header = {
            "net": self.net,
            "shape": asdict(self.shape),
            "sources": [source.as_params() for source in self.sources],
            "scalers": [astuple(scaler) for scaler in self.scalers],
            "transform": self.transform,
        }
        write_arrays(path, self.state, header)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Raises StepError if the file is not a checkpoint."""
        try:
            state, header = read_arrays(path)
            sources = [Source(**source) for source in header["sources"]]
            scalers = [Scaler(*scaler) for scaler in header["scalers"]]
            shape, method = Shape(**header["shape"]), header["transform"]
            return cls(header["net"], shape, sources, scalers, state, method)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise StepError("not a checkpoint, or a damaged one", where=path.name) from error
