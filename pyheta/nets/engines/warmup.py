"""Compile the kernels of small nets in the background, once per machine and version."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyheta.nets.configs.union import config_of
from pyheta.nets.engines.kernels.readiness import ready
from pyheta.nets.engines.programs import Program, program
from pyheta.pipeline.windows import Shape
from pyheta.steps import Step


def kernels_of(steps: Iterable[Step]) -> set[str]:
    """The kernels by which these steps can train their nets."""
    programs = (_program(step.params) for step in steps if step.op == "fit")
    return {program.kernel for program in programs if program}


def _program(params: Mapping[str, Any]) -> Program | None:
    window = params["window"]
    shape = Shape(len(params["sources"]), window["input"], window["horizon"], params["targets"])
    return program(config_of(params["net"]), shape)


def warm_up(kernels: Iterable[str], note: Callable[[str], None]) -> None:
    """Start to compile, and tell the user, if one of these kernels is not ready.

    The compiling process has the lowest priority and may outlive this one: otherwise short runs
    would never finish it.
    """
    if all(map(ready, kernels)):
        return
    note(
        "compiling the kernels of small nets, once, in about a minute; until then they train "
        "on torch"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pyheta.nets.engines.kernels"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Waited for, so that it does not become a zombie
    threading.Thread(target=process.wait, daemon=True).start()
