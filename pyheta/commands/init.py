"""Write a first sweep file, to be edited: one of made data, or one for a data set of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pyheta.errors import InputError

if TYPE_CHECKING:
    from pyheta.pipeline.data.sources import Bring


@dataclass(frozen=True, slots=True)
class Written:
    """A sweep file, and a sentence each about what it does."""

    path: Path
    sentences: Sequence[str] = ()


def init(arguments: Sequence[str], data: Path | None, bring: "Bring | None" = None) -> Written:
    """`[FILE] [DIR] [KEY=VALUE]...`; a FILE that is a folder is the DIR.

    Raises InputError where the sweep is there already, cannot be written, or has no data to read.
    """
    names = [text for text in arguments if "=" not in text]
    options = [text for text in arguments if "=" in text]
    if not names or Path(names[0]).is_dir():
        _refuse_rest([*names[1:], *options])
        return Written(_write(Path(*names), _starter()))
    _refuse_rest(names[2:])
    return _for_data(names[0], Path(*names[1:]), options, data, bring)


def _refuse_rest(arguments: Sequence[str]) -> None:
    if arguments:
        cure = "write pyheta init [FILE] [DIR] [KEY=VALUE]..."
        raise InputError(f"'{arguments[0]}' is one argument too many", cure=cure)


def _starter() -> str:
    return files("pyheta").joinpath("starter.yaml").read_text("utf-8")


def _for_data(
    named: str,
    folder: Path,
    options: Sequence[str],
    data: Path | None,
    bring: "Bring | None",
) -> Written:
    from pyheta.commands.answers import answered
    from pyheta.commands.first_sweep import first_sweep
    from pyheta.pipeline.data.sources import as_it_is

    with answered():
        draft = first_sweep(named, folder, options, data, bring or as_it_is)
    return Written(_write(folder, draft.text), draft.sentences)


def _write(folder: Path, text: str) -> Path:
    path = folder / "sweep.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        cure = "choose another folder" if path.exists() else "make the folder first"
        raise InputError(
            f"cannot write it: {error.strerror}", where=str(path), cure=cure
        ) from error
    return path
