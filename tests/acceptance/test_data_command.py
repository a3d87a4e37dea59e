"""`pyheta data`: from a file or an address to a name that a sweep can use."""

import hashlib
import json
from pathlib import Path

from processes import Call
from web import Web

CSV = "date,load\n" + "".join(f"2026-01-{day:02},{day % 7}\n" for day in range(1, 32))
SHA = hashlib.sha256(CSV.encode()).hexdigest()
SWEEP = """
name: s
baselines: [last]
config: {dataset: DATASET, target: load, window: {input: 3}, net: ridge}
"""


def write_sweep(folder: Path, dataset: str) -> None:
    (folder / "s.yaml").write_text(SWEEP.replace("DATASET", dataset))


def test_a_file_is_named_for_all_users_of_the_store(
    pyheta: Call, tmp_path: Path, home: Path
) -> None:
    # Given a file with a name in the store, which is then gone from this machine
    (tmp_path / "prices.csv").write_text(CSV)
    added = pyheta("data", "add", "prices.csv", "--json")
    assert json.loads(added.stdout)["sha256"] == SHA
    (tmp_path / "prices.csv").unlink()
    # When a sweep names it
    write_sweep(tmp_path, "prices")
    done = pyheta("run", "s.yaml", "--format", "csv")
    # Then it is computed
    assert done.returncode == 0, done.stderr
    assert "ridge" in done.stdout
    # And it is listed, and its name can be taken away
    listed = json.loads(pyheta("data", "list", "--json").stdout)
    assert ("prices", "store", SHA) in [(it["name"], it["kind"], it["sha256"]) for it in listed]
    assert "no name any more" in pyheta("data", "remove", "prices").stdout
    missing = pyheta("plan", "s.yaml")
    assert (missing.returncode, "unknown data set 'prices'" in missing.stderr) == (2, True)


def test_what_cannot_be_added_is_refused(pyheta: Call, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    for arguments, message in {
        ("no.csv",): "no.csv: no such file; did you mean 'a.csv'",
        (".",): "is a directory",
        ("a.csv", "--name", "a b"): "'a b' is no name",
        ("a.csv", "--name", "etth1"): "'etth1' is the name of a well-known data set",
    }.items():
        done = pyheta("data", "add", *arguments)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_data_set_of_ones_own_is_fetched_and_used_without_any_setting(
    pyheta: Call, tmp_path: Path, web: Web
) -> None:
    url = web.put("/mine.csv", CSV.encode())
    (tmp_path / "pyheta.toml").write_text(
        f'[data.mine]\npath = "sets/mine.csv"\nurl = "{url}"\ntime = "date"\nsha256 = "{SHA}"\n'
    )
    write_sweep(tmp_path, "mine")

    before = pyheta("plan", "s.yaml")
    fetched = pyheta("data", "fetch", "s.yaml", no_proxy="127.0.0.1")
    after = pyheta("plan", "s.yaml")

    assert (before.returncode, "pyheta data fetch mine" in before.stderr) == (2, True)
    assert f"sha256 {SHA}, as it should be" in fetched.stdout
    assert after.returncode == 0, after.stderr


def test_a_known_data_set_lands_in_the_home_where_no_folder_is_set(
    pyheta: Call, tmp_path: Path, home: Path, web: Web
) -> None:
    url = web.put("/a.csv", CSV.encode())
    fetched = pyheta("data", "fetch", "etth2", "--from", url, no_proxy="127.0.0.1")

    assert fetched.returncode == 0, fetched.stderr
    assert (home / "pyheta/data/ETTh2.csv").read_text() == CSV
    assert json.loads(pyheta("data", "check", "etth2", "--json").stdout)["rows"] == 31


def test_trouble_with_the_network_has_its_exit_code(pyheta: Call, web: Web, home: Path) -> None:
    busy = web.put("/busy", b"", status=503)
    for url, code in {f"{web.url}/gone": 2, busy: 75, "file:///etc/passwd": 2}.items():
        done = pyheta("data", "fetch", "etth1", "--from", url, no_proxy="127.0.0.1")
        assert done.returncode == code
        assert f"put it at {home}/pyheta/data/ETTh1.csv" in done.stderr
        assert len(done.stderr.splitlines()) == 1
