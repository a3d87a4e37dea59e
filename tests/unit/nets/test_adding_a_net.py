"""Adding a net takes its configuration, its module and one line in the list of nets.

The line is added in a process of its own, before anything is derived from the list: so nothing that
knows the list is imported at the top of this file.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from pyheta.nets.configs import catalogue
from pyheta.nets.configs.base import InstanceNormConfig, Misfit, Widths
from pyheta.pipeline.windows import Shape


class MeansConfig(InstanceNormConfig):
    """A linear layer on the means of the last rows, over several spans."""

    built_by: ClassVar[str] = f"{__name__}:Means"
    uses_exog: ClassVar[bool] = False

    name: Literal["means"] = "means"
    spans: Widths = Field(default=(1, 4), description="For each mean, how many rows it is of.")

    def misfit(self, lookback: int) -> Misfit | None:
        """A span that is longer than the window."""
        if max(self.spans) <= lookback:
            return None
        return Misfit(f"a span is longer than {lookback:,} rows", "spans", "shorten it")


class Means(nn.Module):
    """The targets share one linear layer."""

    def __init__(self, config: MeansConfig, shape: Shape) -> None:
        super().__init__()
        self.targets, self.spans = shape.targets, config.spans
        self.linear = nn.Linear(len(config.spans), shape.horizon)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, lookback) -> (batch, targets, horizon)."""
        means = [x[:, : self.targets, -span:].mean(-1) for span in self.spans]
        forecast: Tensor = self.linear(torch.stack(means, -1))
        return forecast


def _add() -> None:
    catalogue.CATALOGUE += (MeansConfig,)


def _nets_of_runs(folder: Path, text: str) -> list[dict[str, Any]]:
    from builders import sweep

    return [run.config.as_json()["net"] for run in sweep(folder, text).runs()]


def _complaint(folder: Path, text: str) -> str:
    from builders import complaint

    return complaint(folder, text)


def _refusal(path: Path) -> str:
    from pyheta.errors import SweepError
    from pyheta.plan.prepare import prepare

    with pytest.raises(SweepError) as caught:
        prepare(path, [], None)
    return str(caught.value)


def _schema() -> dict[str, Any]:
    from pyheta.sweep import json_schema

    return json_schema()


def _class_that_is_built(net: dict[str, Any]) -> type[nn.Module]:
    from pyheta.nets.gradient import GradientForecaster
    from pyheta.nets.registry import build

    forecaster = build(net, Shape(channels=2, lookback=8, horizon=3))
    assert isinstance(forecaster, GradientForecaster)
    return type(forecaster.module)


def _fit(path: Path, folder: Path) -> tuple[set[str], list[float]]:
    """The learned arrays' names and the validation losses of the fit that a sweep asks for."""
    from safetensors.numpy import load_file

    from pyheta.ops.fit import fit
    from pyheta.pipeline.data.synthetic import generate
    from pyheta.plan.prepare import prepare
    from pyheta.task import Task

    steps = prepare(path, [], None).plan.steps.values()
    (params,) = (step.params for step in steps if step.op == "fit")
    generate(400).write_parquet(folder / "table.parquet")
    result = fit(Task(params, {"load": {"table": folder / "table.parquet"}}, folder))
    curves = load_file(result.products["curves"])
    return set(load_file(result.products["weights"])), curves["val_loss"].tolist()


InChild = Callable[..., Any]


@pytest.fixture(scope="module")
def with_the_net() -> Iterator[InChild]:
    """Calls a function where the list of nets has one line more."""
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_add) as pool:
        yield lambda function, *args: pool.submit(function, *args).result()


SWEEP = """\
name: added
baselines: []
config:
  dataset: {name: synthetic, rows: 400}
  target: load
  window: {input: 8}
  train: {epochs: 3, lr: 0.05}
"""


def test_a_sweep_may_name_it(with_the_net: InChild, tmp_path: Path) -> None:
    nets = with_the_net(_nets_of_runs, tmp_path, SWEEP + "  net: {name: means, spans: 2}\n")
    assert nets == [{"name": "means", "instance_norm": False, "spans": [2]}]


def test_its_options_are_checked(with_the_net: InChild, tmp_path: Path) -> None:
    said = with_the_net(_complaint, tmp_path, SWEEP + "  net: {name: means, spans: 0}\n")
    assert said.startswith("sweep.yaml:8:29: net.spans: ")


def test_editors_know_it(with_the_net: InChild) -> None:
    schema = with_the_net(_schema)
    config = schema["properties"]["config"]["properties"]
    assert {"$ref": "#/$defs/MeansConfig"} in config["net"]["anyOf"]
    assert schema["$defs"]["MeansConfig"]["properties"]["name"]["const"] == "means"
    assert "how many rows" in json.dumps(config["net.spans"])


def test_an_exclusion_takes_a_list_of_its_options_as_one_value(
    with_the_net: InChild, tmp_path: Path
) -> None:
    spans = "  net: means\nparameters: {net.spans: [[2, 4], [2], [4]]}\n"

    as_one = with_the_net(_nets_of_runs, tmp_path, SWEEP + spans + "exclude: [{net.spans: [2, 4]}]")
    either = with_the_net(
        _nets_of_runs, tmp_path, SWEEP + spans + "exclude: [{net.spans: [[2], [4]]}]"
    )

    assert [net["spans"] for net in as_one] == [[2], [4]]
    assert [net["spans"] for net in either] == [[2, 4]]


def test_a_window_that_it_cannot_read_is_refused_by_the_plan(
    with_the_net: InChild, tmp_path: Path
) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP + "  net: {name: means, spans: 9}\n")
    said = with_the_net(_refusal, tmp_path / "sweep.yaml")
    assert said.endswith("sweep.yaml:8:29: a span is longer than 8 rows; shorten it")


def test_its_module_is_built(with_the_net: InChild) -> None:
    assert with_the_net(_class_that_is_built, {"name": "means"}) is Means


def test_a_fit_of_it_learns(with_the_net: InChild, tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP + "  net: means\n")

    arrays, losses = with_the_net(_fit, tmp_path / "sweep.yaml", tmp_path)

    assert arrays == {"linear.weight", "linear.bias"}
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_elsewhere_the_list_is_as_before(with_the_net: InChild, tmp_path: Path) -> None:
    said = _complaint(tmp_path, SWEEP + "  net: means\n")
    assert "unknown net 'means'" in said
    assert MeansConfig not in catalogue.CATALOGUE
    assert "means" in with_the_net(_complaint, tmp_path, SWEEP + "  net: meens\n")
