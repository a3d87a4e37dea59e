"""Configurations of the nets that read a window row by row."""

from typing import ClassVar, Literal

from pydantic import Field

from pyheta.nets.configs.base import Dropout, InstanceNormConfig, LayerCount, Width


class RecurrentConfig(InstanceNormConfig):
    """What recurrent nets share."""

    paddable: ClassVar[bool] = True

    hidden: Width = Field(default=64, description="Cells of each recurrent layer.")
    layers: LayerCount = Field(default=1, description="Recurrent layers, one on top of the other.")
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")

    @property
    def has_kernel(self) -> bool:
        return self.layers == 1 and self.dropout == 0 and not self.instance_norm


class LSTMConfig(RecurrentConfig):
    """Long short-term memory: `layers` recurrent layers of `hidden` cells, then a linear one."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.lstm:LSTM"

    name: Literal["lstm"] = "lstm"


class GRUConfig(RecurrentConfig):
    """Gated recurrent units: `layers` recurrent layers of `hidden` cells, then a linear one."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.gru:GRU"

    name: Literal["gru"] = "gru"
