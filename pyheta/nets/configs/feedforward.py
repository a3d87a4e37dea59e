"""Configurations of the nets that read a whole window at once, for short horizons."""

from typing import ClassVar, Literal

from pydantic import Field

from pyheta.nets.configs.base import Dropout, InstanceNormConfig, LayerCount, Width, Widths


class TCNConfig(InstanceNormConfig):
    """Temporal convolutions: a level sees twice as far back as the one below (Bai et al. 2018)."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.tcn:TCN"

    name: Literal["tcn"] = "tcn"
    channels: Width = Field(default=64, description="Channels of each convolution.")
    levels: LayerCount = Field(default=4, description="Residual blocks; each doubles the dilation.")
    kernel: int = Field(default=3, ge=2, le=1024, description="Taps of each convolution.")
    dropout: Dropout = Field(default=0.0, description="Share of channels left out while training.")


class MLPConfig(InstanceNormConfig):
    """Multilayer perceptron on the flattened window."""

    built_by: ClassVar[str] = "pyheta.nets.zoo.mlp:MLP"
    paddable: ClassVar[bool] = True

    name: Literal["mlp"] = "mlp"
    hidden: Widths = Field(
        default=(64,), description="Widths of the hidden layers; one number is one layer."
    )
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")

    @property
    def has_kernel(self) -> bool:
        return self.dropout == 0 and not self.instance_norm
