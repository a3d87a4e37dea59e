"""Write a first sweep file, to be edited."""

from importlib.resources import files
from pathlib import Path

from pyheta.errors import InputError


def write_starter(folder: Path) -> Path:
    """Write `sweep.yaml` into the folder. Raises InputError if it is there already or cannot be."""
    path = folder / "sweep.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(files("pyheta").joinpath("starter.yaml").read_text("utf-8"))
    except OSError as error:
        cure = "choose another folder" if path.exists() else "make the folder first"
        raise InputError(
            f"cannot write it: {error.strerror}", where=str(path), cure=cure
        ) from error
    return path
