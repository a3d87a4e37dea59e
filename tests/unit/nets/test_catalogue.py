"""The list of nets is complete, and so is every other that has to keep pace with it."""

import inspect
from collections.abc import Collection
from importlib import import_module
from pkgutil import iter_modules
from typing import get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

from pyheta.nets import configs, zoo
from pyheta.nets.configs.base import NetConfig
from pyheta.nets.configs.catalogue import CATALOGUE
from pyheta.nets.configs.own import OwnNetConfig
from pyheta.nets.configs.union import NETS
from pyheta.nets.engines import programs
from pyheta.nets.engines.kernels import readiness
from pyheta.nets.forecaster import Forecaster
from pyheta.nets.gradient import GradientForecaster
from pyheta.nets.registry import build, class_of
from pyheta.pipeline.windows import Shape, Windows

NAMES = {config: name for name, config in NETS.items()}
SHAPE = Shape(channels=2, lookback=48, horizon=2)

every_net = pytest.mark.parametrize("config", CATALOGUE, ids=lambda config: config.__name__)
every_program = pytest.mark.parametrize(
    "config", programs.PROGRAMS, ids=lambda config: config.__name__
)


def declared() -> set[type[NetConfig]]:
    """The configurations in the files of `configs` that say which class makes their net."""
    names = (f"{configs.__name__}.{file.name}" for file in iter_modules(configs.__path__))
    files = [import_module(name) for name in names]
    classes = {value for file in files for value in vars(file).values() if isinstance(value, type)}
    return {net for net in classes if issubclass(net, NetConfig) and "built_by" in vars(net)}


def unlisted(catalogue: Collection[type[NetConfig]]) -> set[type[NetConfig]]:
    """The nets that are declared and missing in a list of nets."""
    return declared() - set(catalogue) - {OwnNetConfig}


def test_every_net_that_is_declared_is_listed() -> None:
    assert not unlisted(CATALOGUE)


@every_net
def test_a_net_that_is_not_listed_is_noticed(config: type[NetConfig]) -> None:
    assert unlisted([other for other in CATALOGUE if other is not config]) == {config}


def test_no_two_nets_have_one_name_or_one_class() -> None:
    assert len(NETS) == len(CATALOGUE)
    assert len({config.built_by for config in CATALOGUE}) == len(CATALOGUE)


@every_net
def test_a_configuration_names_the_class_that_takes_it(config: type[NetConfig]) -> None:
    made = class_of(config)
    assert get_type_hints(made.__init__)["config"] is config
    assert issubclass(made, nn.Module if config.trained_by_gradient else Forecaster)


def windows(inputs: NDArray[np.float64]) -> Windows:
    """Windows of which nothing is known but what a net sees."""
    return Windows(inputs, inputs[:, :0], np.arange(len(inputs)))


def source_of(module: str) -> str:
    return inspect.getsource(import_module(module))


def test_every_file_of_a_net_is_named_by_a_configuration() -> None:
    files = {f"{zoo.__name__}.{file.name}" for file in iter_modules(zoo.__path__)}
    texts = [source_of(module) for module in (*files, build.__module__)]
    shared = {file for file in files if any(f"from {file} import" in text for text in texts)}
    nets: list[type[NetConfig]] = [*CATALOGUE, OwnNetConfig]
    assert {net.built_by.partition(":")[0] for net in nets} == files - shared


@every_net
def test_an_option_that_a_configuration_names_is_one_of_its_own(config: type[NetConfig]) -> None:
    assert config.lookback_option is None or config.lookback_option in config.model_fields


@pytest.mark.parametrize("config", [config for config in CATALOGUE if config.additive])
def test_forecasts_of_additive_nets_add_up(config: type[NetConfig]) -> None:
    net = build({"name": NAMES[config]}, SHAPE)
    one, other = np.random.default_rng(0).integers(0, 100, (2, 5, 2, 48)).astype(np.float64)

    together = net.predict(windows(one + other))

    np.testing.assert_array_equal(together, net.predict(windows(one)) + net.predict(windows(other)))


def test_nets_with_a_kernel_have_a_program_and_no_others() -> None:
    with_kernel = {net for net in CATALOGUE if net.has_kernel is not NetConfig.has_kernel}
    assert with_kernel == set(programs.PROGRAMS)


@every_program
def test_a_net_with_a_kernel_but_no_program_is_noticed(
    config: type[NetConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(programs.PROGRAMS, config)
    with pytest.raises(KeyError, match=config.__name__):
        build({"name": NAMES[config]}, SHAPE)


def test_every_kernel_trains_a_net_and_every_program_has_a_kernel() -> None:
    made = [programs.program(config(name=NAMES[config]), SHAPE) for config in programs.PROGRAMS]
    assert {program.kernel for program in made if program} == set(readiness.KERNELS)


@every_net
def test_a_net_without_a_program_is_left_to_torch(config: type[NetConfig]) -> None:
    forecaster = build({"name": NAMES[config]}, SHAPE)
    if isinstance(forecaster, GradientForecaster):
        assert (forecaster.program is None) == (config not in programs.PROGRAMS)
    assert isinstance(forecaster, GradientForecaster) == config.trained_by_gradient
