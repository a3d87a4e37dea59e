"""Configurations of the deep nets for long horizons, with the defaults of their papers for hourly
ETT.
"""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from pyheta.nets.configs.base import INSTANCE_NORM, Dropout, GradientConfig, Layers, Width, Widths


class NHiTSConfig(GradientConfig):
    """Stacks of perceptrons, each for one scale of time (Challu et al. 2023)."""

    name: Literal["nhits"] = "nhits"
    pooling: Widths = Field(
        default=(8, 4, 1),
        description="For each stack, the rows of the window that are pooled into one.",
    )
    spacing: Widths = Field(
        default=(24, 12, 1),
        description="For each stack, the rows between the points of its forecast.",
    )
    blocks: Layers = Field(default=1, description="Blocks of each stack.")
    layers: Layers = Field(default=2, description="Hidden layers of each block.")
    hidden: Width = Field(default=512, description="Width of each hidden layer.")
    dropout: Dropout = Field(default=0.0, description="Share of cells left out while training.")

    @model_validator(mode="after")
    def _paired(self) -> Self:
        if len(self.pooling) != len(self.spacing):
            stacks = f"{len(self.pooling)} and {len(self.spacing)}"
            raise ValueError(f"pooling and spacing need one number for each stack, got {stacks}")
        return self


class TSMixerConfig(GradientConfig):
    """Perceptrons along time and across channels by turns (Chen et al. 2023)."""

    name: Literal["tsmixer"] = "tsmixer"
    layers: Layers = Field(default=2, description="Mixing layers, one after the other.")
    hidden: Width = Field(default=64, description="Hidden width of the mixing across channels.")
    dropout: Dropout = Field(default=0.9, description="Share of cells left out while training.")


class TiDEConfig(GradientConfig):
    """A dense encoder and decoder with residuals, and a linear skip over both (Das et al. 2023)."""

    name: Literal["tide"] = "tide"
    hidden: Width = Field(default=256, description="Width of the encoder and the decoder.")
    encoder_layers: Layers = Field(default=2, description="Residual blocks of the encoder.")
    decoder_layers: Layers = Field(default=2, description="Residual blocks of the decoder.")
    decoder_output: Width = Field(
        default=8, description="Numbers that are decoded for each step ahead."
    )
    temporal_hidden: Width = Field(
        default=128, description="Hidden width from those to the forecast."
    )
    dropout: Dropout = Field(default=0.3, description="Share of cells left out while training.")


class AttentionConfig(GradientConfig):
    """What nets of attention layers share."""

    layers: Layers
    width: Width
    heads: int
    feed_forward: Width
    dropout: Dropout

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads")
        return self


class PatchTSTConfig(AttentionConfig):
    """Attention between patches of the window, each target alone (Nie et al. 2023)."""

    uses_exog: ClassVar[bool] = False

    name: Literal["patchtst"] = "patchtst"
    patch: Width = Field(default=16, description="Rows of one patch; no more than the window has.")
    stride: Width = Field(default=8, description="Rows from one patch to the next.")
    layers: Layers = Field(default=3, description="Attention layers.")
    width: Width = Field(default=16, description="Width of a token: a multiple of the heads.")
    heads: int = Field(default=4, ge=1, le=64, description="Heads of the attention.")
    feed_forward: Width = Field(
        default=128, description="Hidden width of the perceptron of each layer."
    )
    dropout: Dropout = Field(default=0.3, description="Share of cells left out while training.")
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)


class ITransformerConfig(AttentionConfig):
    """Attention between channels, each of which is one token (Liu et al. 2024)."""

    name: Literal["itransformer"] = "itransformer"
    layers: Layers = Field(default=2, description="Attention layers.")
    width: Width = Field(default=256, description="Width of a token: a multiple of the heads.")
    heads: int = Field(default=8, ge=1, le=64, description="Heads of the attention.")
    feed_forward: Width = Field(
        default=256, description="Hidden width of the perceptron of each layer."
    )
    dropout: Dropout = Field(default=0.1, description="Share of cells left out while training.")
    instance_norm: bool = Field(default=True, description=INSTANCE_NORM)
