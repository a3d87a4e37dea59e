"""One sweep on this machine alone, and through RabbitMQ and several workers: one answer."""

from pathlib import Path

import pytest
from processes import FAST, PATIENCE, assert_complete, pyheta, rows, wait_for

# In a hurry: leases of a second or two, which another such test beside it may cost.
pytestmark = pytest.mark.xdist_group("hurried")

SWEEP = """
version: 1
name: cluster
seeds: 2
config:
  dataset: {name: synthetic, rows: 900}
  target: load
  split: {train: 0.6, val: 0.2, test: 0.2}
  window: {input: 8, horizon: 2}
  scale: standard
  train: {lr: 1.0e-3, batch_size: 64, epochs: 3, patience: 5}
  decompose: {method: ceemdan, window: 100, trials: 2, max_imf: 2}
  components: {Residue: {exog: []}}
parameters:
  net:  # by one engine, always
    - {name: mlp, hidden: [16], dropout: 0.1}
    - {name: lstm, hidden: 8, layers: 2}
  decompose.method: [none, ceemdan]
  shaping.method: [none, farm]
  exog: [[], [leading]]
explain: {relevance: [farm, pearson], permutations: 1}
"""


def test_a_cluster_computes_what_one_machine_computes_each_step_once(
    tmp_path: Path, database_url: str, home: Path, store_broker_url: str
) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP)

    # Given the sweep's results on the embedded server, without any broker
    with pyheta(tmp_path, PYHETA_HOME=str(home)) as alone:
        alone.run("run", "sweep.yaml")
        expected = alone.json("report", "--format", "json")

    # When it is handed to a data worker and two train workers through RabbitMQ
    cluster_environment = {
        "PYHETA_DATABASE_URL": database_url,
        "PYHETA_BROKER_URL": store_broker_url,
        "PYHETA_HOME": str(tmp_path / "cluster"),
        "PYHETA_TIME_SCALE": str(FAST * 3),
    }
    with pyheta(tmp_path, **cluster_environment) as cluster:
        cluster.run("submit", "sweep.yaml")
        workers = [
            cluster.start("worker", "--kind", "data", "--procs", "1", "--exit-when-idle"),
            cluster.start("worker", "--kind", "train", "--procs", "2", "--exit-when-idle"),
            cluster.start("worker", "--kind", "train", "--procs", "2", "--exit-when-idle"),
        ]
        assert [worker.wait(timeout=PATIENCE) for worker in workers] == [0, 0, 0], cluster.logs()
        computed = cluster.json("report", "--format", "json")
        status = cluster.json("status", "--json")

        # Then the numbers are the same to the last bit
        assert computed["rows"] == expected["rows"]

        # And each step was computed once
        assert_complete(database_url)
        assert rows(database_url, "SELECT DISTINCT outcome::text FROM pyheta.attempt") == [("ok",)]
        assert status["broker"]["dead"] == 0

        # And rings that are left, of steps that came as siblings of others, lead the next worker
        # to nothing
        cluster.start("worker", "--procs", "1")
        wait_for(
            lambda: cluster.json("status", "--json")["broker"]["ready"] == {"data": 0, "train": 0},
            "an empty broker",
        )
        assert_complete(database_url)
