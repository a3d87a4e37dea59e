"""Kernels are compiled for nets that they can train, and the user hears of it once."""

import subprocess
from typing import Any

import pytest

from pyheta.nets.engines import warmup
from pyheta.nets.engines.warmup import kernels_of, warm_up
from pyheta.steps import Kind, Step


def fit_of(net: dict[str, Any]) -> Step:
    params = {"net": net, "sources": [{}], "targets": 1, "window": {"input": 8, "horizon": 1}}
    return Step("fit", 3, Kind.TRAIN, params)


def test_only_nets_that_a_kernel_can_train_ask_for_it() -> None:
    load = Step("load", 1, Kind.DATA, {})
    nets: list[dict[str, Any]] = [
        {"name": "lstm"},
        {"name": "lstm", "hidden": 32},
        {"name": "mlp", "dropout": 0.1},
        {"name": "gru", "layers": 2},
        {"name": "ridge"},
        {"name": "rlinear"},
    ]
    assert kernels_of([load, *map(fit_of, nets)]) == {"lstm"}


@pytest.mark.parametrize(("ready", "begun"), [({"lstm", "mlp"}, False), ({"mlp"}, True)])
def test_what_is_ready_is_not_compiled_again(
    monkeypatch: pytest.MonkeyPatch, ready: set[str], begun: bool
) -> None:
    commands: list[list[str]] = []
    notes: list[str] = []

    class Process:
        def __init__(self, command: list[str], **_: Any) -> None:
            commands.append(command)

        def wait(self) -> None:
            pass

    monkeypatch.setattr(warmup, "ready", lambda kernel: kernel in ready)
    monkeypatch.setattr(subprocess, "Popen", Process)

    warm_up(["lstm", "mlp"], notes.append)

    assert bool(commands) == bool(notes) == begun
