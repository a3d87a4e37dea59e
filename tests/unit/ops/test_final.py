"""A net that is trained once more, on training and validation, as validation has chosen."""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import fit_params
from numpy.typing import NDArray
from safetensors.numpy import load_file

from pyheta.errors import Diverged
from pyheta.nets.checkpoint import Checkpoint
from pyheta.nets.engines.kernels import readiness
from pyheta.nets.training.schedules import SCHEDULES
from pyheta.ops.fit import fit
from pyheta.ops.fit_stacked import fit_stacked
from pyheta.ops.forecast import forecast
from pyheta.ops.score import score
from pyheta.pipeline.channels import Source
from pyheta.pipeline.data.synthetic import generate
from pyheta.task import Result, Task

SPLIT = {"train": [0, 240], "val": [240, 320]}
TRAIN = {"lr": 1e-2, "batch_size": 32, "epochs": 12, "patience": 3}
COMPILED = {"name": "mlp", "hidden": [8]}
ON_TORCH = {"name": "mlp", "hidden": [8], "dropout": 0.3}
RIDGE = {"name": "ridge", "alpha": [1e-3, 1.0, 1e2, 1e4]}

Fits = Callable[..., Task]


@pytest.fixture(scope="module", autouse=True)
def _kernels() -> None:
    for kernel in readiness.KERNELS:
        readiness.load(kernel)


@pytest.fixture
def task(tmp_path: Path) -> Fits:
    """Makes tasks on one table, each with a folder of its own."""
    numbers = count()
    table = tmp_path / "table.parquet"
    frame = generate(rows=400, seed=0)
    growth = np.where(np.arange(400) < SPLIT["val"][0], 1.0, 1e12)
    frame.with_columns(late=frame["load"] * growth).write_parquet(table)

    def make(net: Mapping[str, Any], train: Mapping[str, Any] = TRAIN, **changed: Any) -> Task:
        out = tmp_path / f"out-{next(numbers)}"
        out.mkdir()
        window = {"input": 6, "horizon": 2}
        inputs = {"load": {"table": table}, **changed.pop("inputs", {})}
        params = {**fit_params(net, ["leading"], split=SPLIT, window=window), **changed}
        if net["name"] != "ridge":
            params |= {"train": dict(train), "seed": 3}
        return Task(params, inputs, out)

    return make


def by_hand(task: Fits, net: Mapping[str, Any], epochs: int, **train: Any) -> Checkpoint:
    """The net of a fit whose training part is both parts, after so many epochs."""
    both = {"train": [0, 320], "val": [240, 320]}
    chosen = {**TRAIN, **train, "epochs": epochs, "weights": "last"}
    plain = task(net, chosen)
    result = fit(Task({**plain.params, "split": both}, plain.inputs, plain.out))
    return Checkpoint.read(result.products["weights"])


def assert_equal(one: Checkpoint, other: Checkpoint) -> None:
    assert one.scalers == other.scalers
    assert one.state.keys() - {"alpha"} == other.state.keys() - {"alpha"}
    for name, values in other.state.items():
        np.testing.assert_array_equal(one.state[name], values)


@pytest.mark.parametrize(
    ("net", "engine"), [(COMPILED, "compiled"), (ON_TORCH, "torch")], ids=["compiled", "torch"]
)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_it_is_the_net_that_both_parts_give_after_the_epochs_that_validation_chose(
    task: Fits, net: Mapping[str, Any], engine: str, schedule: str
) -> None:
    result = fit(task(net, {**TRAIN, "schedule": schedule}, final=True))

    epochs = result.summary["kept_epoch"]
    assert result.summary["engine"] == engine
    assert result.summary["final_epochs"] == epochs
    final = Checkpoint.read(result.products["final"])
    assert_equal(final, by_hand(task, net, epochs, schedule=schedule))


def test_a_learning_rate_that_was_found_stays(task: Fits) -> None:
    result = fit(task(COMPILED, {**TRAIN, "find_lr": True}, final=True))

    expected = by_hand(task, COMPILED, result.summary["kept_epoch"], lr=result.summary["lr"])
    assert_equal(Checkpoint.read(result.products["final"]), expected)


@pytest.mark.parametrize("alpha", [RIDGE["alpha"], 10.0], ids=["chosen", "given"])
def test_a_ridge_keeps_the_penalty_that_validation_chose(task: Fits, alpha: Any) -> None:
    net = {"name": "ridge", "alpha": alpha}
    result = fit(task(net, final=True))

    first = Checkpoint.read(result.products["weights"]).state
    chosen = float(np.ravel(first.get("alpha", alpha))[0])
    final = Checkpoint.read(result.products["final"])
    assert_equal(final, by_hand(task, {"name": "ridge", "alpha": chosen}, 1))
    assert final.net["alpha"] in (chosen, [chosen])
    assert "final_epochs" not in result.summary


@pytest.mark.parametrize("net", [COMPILED, ON_TORCH, RIDGE], ids=["compiled", "torch", "ridge"])
def test_the_first_net_is_what_it_is_without(task: Fits, net: Mapping[str, Any]) -> None:
    plain, twice = fit(task(net)), fit(task(net, final=True))

    assert "final" not in plain.products
    for name, path in plain.products.items():
        assert path.read_bytes() == twice.products[name].read_bytes()
    assert plain.summary.items() <= twice.summary.items()


def test_a_fit_that_resumes_another_has_the_same_final_net(task: Fits) -> None:
    train = {**TRAIN, "resumable": True, "patience": 12}
    shorter = fit(task(COMPILED, {**train, "epochs": 5}))
    whole = fit(task(COMPILED, train, final=True))

    resumed = fit(task(COMPILED, train, final=True, inputs={"earlier": dict(shorter.products)}))

    assert resumed.summary["resumed"] == 5
    assert resumed.products["final"].read_bytes() == whole.products["final"].read_bytes()


def test_nothing_is_trained_again_but_the_final_net_where_the_first_is_there(task: Fits) -> None:
    plain = fit(task(COMPILED))

    added = fit(task(COMPILED, final=True, inputs={"earlier": dict(plain.products)}))

    assert added.summary["resumed"] == added.summary["epochs"]
    assert (
        added.products["final"].read_bytes()
        == fit(task(COMPILED, final=True)).products["final"].read_bytes()
    )


def test_on_a_gpu_the_final_nets_are_a_stack_of_their_own(task: Fits) -> None:
    kinds: list[dict[str, Any]] = [
        {"net": COMPILED, "final": True},
        {"net": COMPILED, "final": True, "train": {**TRAIN, "lr": 1e-3}},
        {"net": COMPILED},
        {"net": ON_TORCH, "final": True},
        {"net": RIDGE, "final": True},
    ]

    outcomes = dict(fit_stacked([task(**kind) for kind in kinds]))

    assert outcomes.keys() == set(range(len(kinds)))
    for lane, kind in enumerate(kinds):
        outcome, alone = outcomes[lane], fit(task(**kind))
        assert isinstance(outcome, Result), outcome
        assert outcome.products.keys() == alone.products.keys()
        if "final" in kind:
            stacked = Checkpoint.read(outcome.products["final"])
            expected = Checkpoint.read(alone.products["final"])
            for name, values in expected.state.items():
                np.testing.assert_allclose(stacked.state[name], values, atol=1e-3)
            assert stacked.scalers == expected.scalers
            assert outcome.summary.get("final_epochs") == alone.summary.get("final_epochs")


def test_a_lane_that_diverges_in_its_last_training_ends_alone(task: Fits) -> None:
    # Given a column that is too much for a net only where validation begins
    options = {**TRAIN, "optimizer": "sgd", "lr": 1e-4, "epochs": 2}
    late = [Source(column).as_params() for column in ("late", "leading")]
    kinds: list[dict[str, Any]] = [
        {"net": COMPILED, "train": options, "scale": "none", "sources": late, **final}
        for final in ({"final": True}, {})
    ]
    kinds.append({**kinds[0], "sources": [Source("load").as_params(), late[1]]})

    outcomes = dict(fit_stacked([task(**kind) for kind in kinds]))

    assert isinstance(outcomes[0], Diverged)
    assert isinstance(outcomes[1], Result)
    assert isinstance(outcomes[2], Result)
    with pytest.raises(Diverged):
        fit(task(**kinds[0]))


# ---- forecasts and metrics -----------------------------------------------------------------------


class Judged:
    """A net's forecasts and metrics."""

    def __init__(self, fitted: Result, ready: Task, *, keep: bool = True, stride: int = 1) -> None:
        split = {**SPLIT, "test": [320, 400]}
        asked: dict[str, Any] = {"targets": ["load"], "components": ["target"]}
        asked |= {"stride": stride} if stride > 1 else {}
        inputs = {"load": ready.inputs["load"], "fit/target": dict(fitted.products)}
        made = forecast(Task({**asked, "split": split}, inputs, ready.out))
        self.arrays: dict[str, NDArray[Any]] = load_file(made.products["forecast"])
        scored = {"load": inputs["load"]}
        if keep:
            scored["0/forecast"] = dict(made.products)
        else:
            scored["0/load"], scored["0/fit/target"] = inputs["load"], inputs["fit/target"]
        params = {**asked, "folds": [split], "scale": "standard"}
        self.metrics = {
            (it.split, it.name): it.value
            for it in score(Task(params, scored, ready.out)).metrics
            if it.horizon == 0
        }

    def of(self, part: str) -> dict[str, float]:
        return {name: value for (split, name), value in self.metrics.items() if split == part}


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
@pytest.mark.parametrize("net", [COMPILED, RIDGE], ids=["mlp", "ridge"])
def test_the_final_net_forecasts_the_test_part_and_no_other(
    task: Fits, net: Mapping[str, Any], keep: bool
) -> None:
    ready = task(net)
    plain = Judged(fit(ready), ready, keep=keep)
    twice = fit(task(net, final=True))
    judged = Judged(twice, ready, keep=keep)

    for part in ("train", "val"):
        assert judged.of(part) == plain.of(part)
        np.testing.assert_array_equal(
            judged.arrays[f"{part}/forecast"], plain.arrays[f"{part}/forecast"]
        )
    assert judged.of("test") != plain.of("test")
    alone = Judged(Result({"weights": twice.products["final"]}), ready)
    np.testing.assert_array_equal(judged.arrays["test/forecast"], alone.arrays["test/forecast"])


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
@pytest.mark.parametrize("stride", [2, 7, 79])
def test_with_a_stride_forecasts_and_metrics_are_those_of_every_nth_window(
    task: Fits, stride: int, keep: bool
) -> None:
    ready = task(RIDGE)
    fitted = fit(ready)
    every = Judged(fitted, ready)

    thinned = Judged(fitted, ready, keep=keep, stride=stride)

    rows = {"train": np.arange(6, 239), "val": np.arange(240, 319), "test": np.arange(320, 399)}
    starts = {"train": 0, "val": 240, "test": 320}
    load = generate(rows=400, seed=0)["load"].to_numpy()
    for part, origins in rows.items():
        taken = (origins - starts[part]) % stride == 0
        for name in ("time", "forecast"):
            expected = every.arrays[f"{part}/{name}"][taken]
            np.testing.assert_array_equal(thinned.arrays[f"{part}/{name}"], expected)
        truth = load[origins[taken][:, None] + np.arange(2)]
        errors = np.abs(thinned.arrays[f"{part}/forecast"] - truth)
        assert thinned.of(part)["mae"] == pytest.approx(errors.mean(), rel=1e-5)
