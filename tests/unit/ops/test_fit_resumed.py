"""A fit that resumes an earlier one of its course becomes what it becomes from the start."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import fit_params
from safetensors.numpy import load_file

from pyheta.nets.engines.kernels import readiness
from pyheta.nets.training.options import Train
from pyheta.nets.training.resume import EarlierFit, can_resume
from pyheta.ops.fit import fit
from pyheta.ops.fit_stacked import fit_stacked
from pyheta.pipeline.data.synthetic import generate
from pyheta.task import Result, Task

COMPILED = [
    {"name": "lstm", "hidden": 8},
    {"name": "gru", "hidden": 8},
    {"name": "mlp", "hidden": [8]},
    {"name": "dlinear", "kernel": 3},
]
ON_TORCH = [
    {"name": "mlp", "hidden": [8], "dropout": 0.3},
    {"name": "lstm", "hidden": 4, "layers": 2},
]
TRAIN = {"lr": 1e-3, "batch_size": 32, "epochs": 7, "patience": 7, "resumable": True}

every_net = pytest.mark.parametrize("net", [*COMPILED, *ON_TORCH], ids=str)


@pytest.fixture(scope="module", autouse=True)
def _kernels() -> None:
    for kernel in readiness.KERNELS:
        readiness.load(kernel)


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Task]:
    """Makes tasks on one table; `earlier` is what another fit has given."""
    numbers = count()
    table = tmp_path / "table.parquet"
    generate(rows=400, seed=0).write_parquet(table)

    def make(
        net: dict[str, Any],
        earlier: Result | None = None,
        told: list[Any] | None = None,
        **train: Any,
    ) -> Task:
        out = tmp_path / f"out-{next(numbers)}"
        out.mkdir()
        window = {"input": 6, "horizon": 2}
        params = fit_params(net, ["leading"], window=window, train=TRAIN | train, seed=3)
        inputs = {"load": {"table": table}} | (
            {"earlier": dict(earlier.products)} if earlier else {}
        )
        return Task(params, inputs, out, (told if told is not None else []).append)

    return make


def files(result: Result) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in result.products.items()}


def facts(result: Result) -> dict[str, Any]:
    return {name: value for name, value in result.summary.items() if name != "resumed"}


def assert_same(ours: Result, expected: Result) -> None:
    """To the last bit, what it leaves for others to go on from too."""
    assert facts(ours) == facts(expected)
    assert files(ours) == files(expected)


@every_net
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"optimizer": "sgd", "lr": 0.02},
        {"optimizer": "sgd", "lr": 0.02, "momentum": 0.0},
        {"schedule": "step", "step_epochs": 2},
        {"shuffle": False, "clip": 0.1},
        {"find_lr": True},
        {"loss": "quantile", "min_delta": 0.001},
        {"weights": "last"},
    ],
    ids=str,
)
def test_becomes_what_it_becomes_from_the_start(
    task: Callable[..., Task], net: dict[str, Any], changed: dict[str, Any]
) -> None:
    # Given a fit of three epochs
    first = fit(task(net, epochs=3, **changed))

    # When one of seven goes on from there
    told: list[dict[str, Any]] = []
    whole = fit(task(net, first, told, **changed))

    # Then it has computed four, and is what it would have been without
    assert (first.summary["resumed"], whole.summary["resumed"]) == (0, 3)
    assert [news["epoch"] for news in told] == [4, 5, 6, 7]
    assert_same(whole, fit(task(net, **changed)))


@every_net
def test_goes_on_from_one_that_had_gone_on_itself(
    task: Callable[..., Task], net: dict[str, Any]
) -> None:
    first = fit(task(net, epochs=2))
    second = fit(task(net, first, epochs=5))

    assert_same(fit(task(net, second)), fit(task(net)))


def test_computes_nothing_where_patience_has_ended_the_earlier_one(
    task: Callable[..., Task],
) -> None:
    # Given a fit that patience ended, which has not left its standing
    net, few = COMPILED[2], {"lr": 0.5, "patience": 2, "resumable": False}
    first = fit(task(net, epochs=50, **few))
    assert first.summary["stopped"] == "patience"

    # When one is asked for that may have more epochs
    told: list[dict[str, Any]] = []
    again = fit(task(net, first, told, epochs=500, **few))

    # Then there is nothing left to do
    assert told == []
    assert again.summary["resumed"] == again.summary["epochs"] == first.summary["epochs"]
    assert again.summary["engine"] == first.summary["engine"]
    assert_same(again, first)


def test_goes_on_with_more_patience_where_patience_has_ended_the_earlier_one(
    task: Callable[..., Task],
) -> None:
    net, fast = COMPILED[0], {"lr": 0.1, "epochs": 30}
    first = fit(task(net, patience=1, **fast))
    assert first.summary["stopped"] == "patience"

    more = fit(task(net, first, patience=4, **fast))

    assert more.summary["resumed"] == first.summary["epochs"] < more.summary["epochs"]
    assert_same(more, fit(task(net, patience=4, **fast)))


def test_begins_anew_where_it_cannot_know_how_the_earlier_one_stood(
    task: Callable[..., Task],
) -> None:
    net = COMPILED[0]
    first = fit(task(net, epochs=3, resumable=False))
    assert "standing" not in first.products

    assert fit(task(net, first)).summary["resumed"] == 0


def test_goes_on_in_another_engine(
    task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within what engines agree to."""
    net = COMPILED[0]
    first = fit(task(net, epochs=3))
    monkeypatch.setattr(readiness, "ready", lambda _: False)
    on_torch = fit(task(net, first))
    monkeypatch.undo()

    back = fit(task(net, on_torch, epochs=9))
    assert on_torch.summary["engine"] == "compiled, torch"
    assert (back.summary["engine"], back.summary["resumed"]) == ("compiled, torch", 7)
    for name, expected in load_file(fit(task(net, epochs=9)).products["weights"]).items():
        np.testing.assert_allclose(load_file(back.products["weights"])[name], expected, atol=1e-4)


class TestStacked:
    def outcomes(self, tasks: Sequence[Task]) -> list[Result]:
        outcomes = dict(fit_stacked(tasks))
        results = [outcomes[lane] for lane in range(len(tasks))]
        return [result for result in results if isinstance(result, Result)]

    def test_lanes_begin_at_different_epochs(self, task: Callable[..., Task]) -> None:
        # Given lanes of which one is new, one can go on after two epochs and one has nothing left
        # to do
        net, few = COMPILED[0], {"epochs": 2}
        short, ended = self.outcomes([task(net, **few), task(net, lr=0.5, patience=1)])
        assert ended.summary["stopped"] == "patience"
        told = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()

        # When they are trained as one stack
        tasks = [
            task(net, told=told[0]),
            task(net, short, told[1]),
            task(net, ended, told[2], lr=0.5, patience=1, epochs=9),
        ]
        results = self.outcomes(tasks)

        # Then each has gone its own way
        assert [result.summary["resumed"] for result in results] == [0, 2, ended.summary["epochs"]]
        assert [[news["epoch"] for news in one] for one in told] == [
            [*range(1, 8)],
            [*range(3, 8)],
            [],
        ]
        assert_near(results[1], results[0])
        assert_near(results[2], ended)

    def test_the_widest_lane_has_nothing_left_to_do(self, task: Callable[..., Task]) -> None:
        net, few = COMPILED[0], {"lr": 0.5, "patience": 1, "epochs": 50}
        (ended,) = self.outcomes([task(net, **few)])
        narrow = task(net)
        del narrow.params["sources"][1]

        again, other = self.outcomes([task(net, ended, **few | {"epochs": 60}), narrow])

        assert_same(again, ended)
        assert_near(other, self.outcomes([narrow])[0])

    def test_all_lanes_have_nothing_left_to_do(self, task: Callable[..., Task]) -> None:
        few = {"lr": 0.5, "patience": 1}
        (ended,) = self.outcomes([task(COMPILED[2], epochs=50, **few)])

        (again,) = self.outcomes([task(COMPILED[2], ended, epochs=60, **few)])

        assert_same(again, ended)


def assert_near(ours: Result, expected: Result) -> None:
    assert facts(ours).keys() == facts(expected).keys()
    for product in ("weights", "standing"):
        theirs = load_file(expected.products[product])
        for name, values in load_file(ours.products[product]).items():
            np.testing.assert_allclose(values, theirs[name], atol=1e-5, err_msg=name)


def earlier(losses: Sequence[float], *, standing: bool = False) -> EarlierFit:
    kept = object() if standing else None
    return EarlierFit([(0.0, loss) for loss in losses], 1e-3, "torch", {}, kept)  # type: ignore[arg-type]


FALLING = [5.0, 4.0, 3.0]
STUCK = [5.0, 4.0, 6.0, 6.0]  # the best is the second


@pytest.mark.parametrize(
    ("given", "options", "serves"),
    [
        (earlier(FALLING), {"epochs": 5}, False),  # how it stood is not known
        (earlier(FALLING, standing=True), {"epochs": 5}, True),
        (earlier(FALLING), {"epochs": 3}, True),
        (earlier(FALLING), {"epochs": 2}, False),  # the weights of the second epoch are gone
        (earlier(STUCK), {"epochs": 50, "patience": 2}, True),
        (earlier(STUCK), {"epochs": 3, "patience": 2}, True),
        (
            earlier(STUCK),
            {"epochs": 50, "patience": 1},
            True,
        ),  # it ends an epoch earlier, with the same weights
        (earlier(STUCK), {"epochs": 50, "patience": 3}, False),
        (earlier(STUCK, standing=True), {"epochs": 50, "patience": 3}, True),
        (earlier(STUCK), {"epochs": 50, "patience": 2, "resumable": True}, False),
        (earlier(STUCK, standing=True), {"epochs": 50, "patience": 2, "resumable": True}, True),
        (earlier(STUCK, standing=True), {"epochs": 50, "patience": 1, "resumable": True}, False),
        (earlier(STUCK), {"epochs": 4, "patience": 2, "weights": "last"}, True),
        (
            earlier(STUCK),
            {"epochs": 3, "patience": 2, "weights": "last"},
            False,
        ),  # they are gone
        (earlier(STUCK), {"epochs": 5, "patience": 2, "weights": "last"}, False),
        (earlier(STUCK, standing=True), {"epochs": 5, "patience": 2, "weights": "last"}, True),
    ],
)
def test_serves_where_nothing_is_left_open(
    given: EarlierFit, options: dict[str, Any], serves: bool
) -> None:
    assert can_resume(given, Train(**{"patience": 9} | options)) is serves
