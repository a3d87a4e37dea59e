"""A child that has trained 1,000 nets holds no more memory than one that has trained 200."""

import subprocess
import sys
from pathlib import Path

import pytest

from pyheta.nets.engines.kernels import readiness
from pyheta.pipeline.data.synthetic import generate

LANES, BUNDLE, SETTLED = 1008, 16, 208
GROWTH = 16  # MiB: what allocators keep varies by a few

# Trains bundle after bundle as a child does, and tells its memory in KiB when it has settled and at
# the end.
CHILD = f"""
import sys
from pathlib import Path
from pyheta.ops.registry import compute_lanes
from pyheta.task import Result, Task

folder = Path(sys.argv[1])
nets = [{{"name": "lstm", "hidden": 8}}, {{"name": "mlp", "hidden": [8]}}]
nets += [{{"name": "mlp", "dropout": 0.1}}, {{"name": "ridge"}}, {{"name": "nlinear"}}]

def task(number):
    out = folder / str(number)
    out.mkdir()
    gradient = {{"train": {{"epochs": 1, "batch_size": 32}}, "seed": number}}
    net = nets[number // {BUNDLE} % len(nets)]
    params = {{
        "component": "target",
        "sources": [{{"column": "load", "component": "target", "shaped": False}}], "targets": 1,
        "split": {{"train": [0, 240], "val": [240, 320]}}, "window": {{"input": 8, "horizon": 1}},
        "scale": "standard", "net": net, **({{}} if net["name"] == "ridge" else gradient),
    }}
    return Task(params, {{"load": {{"table": folder / "table.parquet"}}}}, out)

def memory():
    status = Path("/proc/self/status").read_text()
    return next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))

for start in range(0, {LANES}, {BUNDLE}):
    if start == {SETTLED}:
        print(memory())
    outcomes = dict(compute_lanes("fit", [task(start + lane) for lane in range({BUNDLE})]))
    assert all(isinstance(outcome, Result) for outcome in outcomes.values()), outcomes
print(memory())
"""


@pytest.mark.slow
def test_memory_stays_flat_over_a_thousand_lanes(tmp_path: Path) -> None:
    # Given kernels that are ready, and a table
    for kernel in readiness.KERNELS:
        readiness.load(kernel)
    generate(rows=400, seed=0).write_parquet(tmp_path / "table.parquet")

    # When a process trains a thousand nets of several kinds
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)

    # Then it holds little more at the end than after the first two hundred
    settled, end = map(int, done.stdout.split())
    assert end - settled < GROWTH * 1024
