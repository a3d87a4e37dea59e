"""How long does `pyheta --help` take, beside importing the package and a bare interpreter?

Needs: PyHeta installed for this interpreter.
Run: python benchmarks/startup.py [--rounds 15]
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

COMMANDS = {
    "bare python": [sys.executable, "-c", "pass"],
    "import pyheta": [sys.executable, "-c", "import pyheta"],
    "pyheta --help": [str(Path(sys.executable).with_name("pyheta")), "--help"],
    "pyheta run --help": [str(Path(sys.executable).with_name("pyheta")), "run", "--help"],
}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    """Take turns, so that a busy moment of the machine hits all commands alike."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            taken[name].append(seconds(command))
    print(f"{'command':<20}{'median ms':>10}{'least ms':>10}   ({rounds} each)")
    for name, times in taken.items():
        print(f"{name:<20}{1000 * median(times):>10.0f}{1000 * min(times):>10.0f}")
    ratio = median(taken["pyheta --help"]) / median(taken["bare python"])
    print(f"startup ratio={ratio:.2f}")


if __name__ == "__main__":
    main()
