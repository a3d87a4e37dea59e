"""`pyheta gc` as a user meets it: cancel a sweep, and gc forgets it."""

import json
from pathlib import Path

import processes
from processes import FAST, Call, rows

SWEEP = """\
name: {name}
seeds: 1
config:
  dataset: {{name: synthetic, rows: 400}}
  target: load
  window: {{input: 6}}
  train: {{epochs: 1}}
  net: {{name: {net}}}
baselines: [last]
"""


def write(folder: Path, name: str, net: str) -> None:
    (folder / f"{name}.yaml").write_text(SWEEP.format(name=name, net=net))


def test_gc_forgets_cancelled_sweeps_and_leaves_the_others_whole(
    tmp_path: Path, database_url: str
) -> None:
    store = {"PYHETA_DATABASE_URL": database_url, "PYHETA_HOME": str(tmp_path / "home")}
    with processes.pyheta(tmp_path, PYHETA_TIME_SCALE=str(FAST * 3), **store) as tool:
        # Given two sweeps that share the data and the baseline, one of them cancelled
        for name, net in (("kept", "ridge"), ("dropped", "mlp")):
            write(tmp_path, name, net)
            tool.run("run", f"{name}.yaml", "--procs", "1")
        report = tool.run("report", "kept").stdout
        steps = rows(database_url, "SELECT count(*) FROM pyheta.step")
        assert (
            tool.run("gc").stdout
            == "nothing to remove: first cancel a sweep (pyheta cancel SWEEP)\n"
        )
        tool.run("cancel", "dropped")
        rows_before = rows(database_url, "SELECT id FROM pyheta.sweep ORDER BY id")
        # When gc is tried, then run, before and after the bytes have grown old
        would = tool.run("gc", "--dry-run").stdout
        assert rows(database_url, "SELECT id FROM pyheta.sweep ORDER BY id") == rows_before
        did = tool.run("gc").stdout
        rows(
            database_url,
            "UPDATE pyheta.blob SET created_at = now() - interval '2 hours' RETURNING true",
        )
        later = tool.json("gc", "--json")
        # Then it has said what it did
        assert would.replace("would remove", "removed") == did
        assert did.startswith("removed 1 sweep, 3 steps\n")
        assert "of the last hour left to a later gc" in did
        assert (later["sweeps"], later["dry_run"]) == (0, False)
        assert later["freed"]["artifacts"] > 0
        # And the other sweep is whole, and the only one
        assert tool.run("report", "kept").stdout == report
        assert [sweep["name"] for sweep in tool.json("status", "--all", "--json")] == ["kept"]
        # And the forgotten one can be computed afresh
        tool.run("run", "dropped.yaml", "--procs", "1")
        assert rows(database_url, "SELECT count(*) FROM pyheta.step") == steps


def test_gc_works_on_the_embedded_store(pyheta: Call, tmp_path: Path) -> None:
    write(tmp_path, "small", "ridge")
    assert pyheta("submit", "small.yaml").returncode == 0
    assert pyheta("cancel").returncode == 0

    assert json.loads(pyheta("gc", "--dry-run", "--json").stdout)["sweeps"] == 1
    assert pyheta("gc").stdout.startswith("removed 1 sweep, ")
    assert json.loads(pyheta("status", "--all", "--json").stdout) == []
