"""The list of nets: a net that stands here can be named in a sweep. There is no other list."""

from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.closed_form import (
    DriftConfig,
    LastConfig,
    RidgeConfig,
    SeasonalConfig,
)
from pyheta.nets.configs.deep import (
    ITransformerConfig,
    NHiTSConfig,
    PatchTSTConfig,
    TiDEConfig,
    TSMixerConfig,
)
from pyheta.nets.configs.feedforward import MLPConfig, TCNConfig
from pyheta.nets.configs.linear import (
    CycleNetConfig,
    DLinearConfig,
    NLinearConfig,
    RLinearConfig,
    SparseTSFConfig,
)
from pyheta.nets.configs.recurrent import GRUConfig, LSTMConfig

CATALOGUE: tuple[type[NetConfig], ...] = (
    LSTMConfig,
    GRUConfig,
    TCNConfig,
    MLPConfig,
    NHiTSConfig,
    DLinearConfig,
    NLinearConfig,
    RLinearConfig,
    SparseTSFConfig,
    CycleNetConfig,
    TSMixerConfig,
    TiDEConfig,
    PatchTSTConfig,
    ITransformerConfig,
    LastConfig,
    SeasonalConfig,
    DriftConfig,
    RidgeConfig,
)
