"""A first sweep for a data set of one's own: its text, and what to say about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any

from pyheta.commands.data_check import step_in_words
from pyheta.errors import InputError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.pipeline.data.sources import Bring, as_it_is, inspect, series_of
from pyheta.plan.suggest import FirstSweep, suggest
from pyheta.screen import count
from pyheta.sweep.dataset import read_dataset
from pyheta.sweep.problems import shorten
from pyheta.sweep.written import can_be_written, written

COMMENTS = 31  # the column in which comments begin, where a line leaves room
UNNAMED = "first"  # a sweep whose file has no letter or digit in its name


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a sweep, and what to say about it, a line each."""

    text: str
    sentences: Sequence[str]


def first_sweep(
    named: str,
    folder: Path,
    options: Sequence[str],
    data: Path | None,
    bring: Bring = as_it_is,
) -> Draft:
    """The sweep that is to stand in `folder`. Raises InputError if its data cannot be read."""
    dataset, told = _with_pick(read_dataset(named, options), data, bring)
    facts, _ = inspect(bring(dataset), base=Path.cwd(), data=data)
    advice = suggest(facts)
    section = {**_place(dataset, folder), **_options(dataset, facts)}
    lines = _lines(named, section, facts, advice)
    return Draft("".join(f"{line}\n" for line in lines), [*told, *_sentences(facts, advice)])


def _with_pick(
    dataset: Mapping[str, Any], data: Path | None, bring: Bring
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Of a panel the first series, where none is picked; and a sentence that says so."""
    if "series" not in dataset or "pick" in dataset:
        return dataset, ()
    names = series_of(bring(dataset), base=Path.cwd(), data=data)
    if not names:
        return dataset, ()  # reading it says so
    return {**dataset, "pick": names[0]}, [f"series: '{names[0]}', the first of {len(names)}"]


def _absolute(path: str) -> Path:
    return Path.cwd() / Path(path).expanduser()


def _place(dataset: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """The name of a data set, or the way from the sweep's folder to its file."""
    if "path" not in dataset:
        return {"name": dataset["name"]}
    path = relpath(_absolute(dataset["path"]).resolve(), folder.resolve())
    if not can_be_written(path):
        raise InputError("its path cannot be written in a sweep", where=path, cure="rename it")
    return {"path": path}


def _options(dataset: Mapping[str, Any], facts: DatasetFacts) -> Mapping[str, Any]:
    """What was given, and the time column that was found in a file."""
    given = {key: value for key, value in dataset.items() if key not in ("name", "path")}
    found = facts.source.get("time") if "path" in dataset else None
    return {"time": found, **given} if found else given


def _lines(
    named: str, section: Mapping[str, Any], facts: DatasetFacts, advice: FirstSweep
) -> Iterator[str]:
    yield f"# A first sweep of {_printable(named)}: two nets beside naive forecasts and ridge."
    yield "#   pyheta plan   sweep.yaml      what it would compute"
    yield "#   pyheta run    sweep.yaml      compute it on this machine and show the table"
    yield "#   pyheta submit sweep.yaml      or hand it to workers"
    yield "# Change anything on the command line: pyheta run sweep.yaml seeds=1 train.epochs=3"
    yield "version: 1"
    yield f"name: {written(_sweep_name(named))}"
    yield _line("seeds: 2", "0 and 1: the table shows mean and standard deviation over them")
    yield ""
    yield _line("config:", "one value each, for all runs")
    yield from _config(section, facts, advice)
    yield ""
    yield _line("parameters:", "each key is an axis")
    yield _line(
        "  net.name: [nlinear, mlp]", "nlinear and the naive forecasts read the target alone"
    )
    if advice.exog:
        yield _line("  exog:", "columns that a net sees beside the target")
        yield "    - []"
        yield f"    - {written(advice.exog)}"
    yield ""
    yield f"baselines: {written(_baselines(advice))}"
    rows = ["net.name", "exog"] if advice.exog else ["net.name"]
    yield f"report: {written({'rows': rows, 'metric': 'rmse'})}"


def _config(section: Mapping[str, Any], facts: DatasetFacts, advice: FirstSweep) -> Iterator[str]:
    yield _line("  dataset:", f"{count(facts.rows, 'row')}, {step_in_words(facts.cadence)}")
    yield from (f"    {key}: {written(value)}" for key, value in section.items())
    yield _line(f"  target: {written(advice.target.column)}", f"a guess: {advice.target.why}")
    yield _line(
        f"  split: {written(advice.split)}", "by time; validation decides, test is read once"
    )
    window = written({"input": advice.input, "horizon": advice.horizon})
    yield _line(f"  window: {window}", "rows that a net sees, rows that it forecasts")
    yield _line("  scale: standard", "fitted on the training rows alone")
    train = {"lr": 0.003, "batch_size": advice.batch_size, "epochs": advice.epochs, "patience": 5}
    yield f"  train: {written(train)}"


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(COMMENTS)} # {comment}"


def _baselines(advice: FirstSweep) -> Sequence[str]:
    return ["last", *(["seasonal"] if advice.season else []), "drift", "ridge"]


def _printable(named: str) -> str:
    """The file's name in a comment."""
    name = shorten(Path(named).name)
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _sweep_name(named: str) -> str:
    """The file's name as far as a sweep may be called so."""
    stem = Path(named).name.partition(".")[0]
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    return letters.strip("-")[:40].strip("-") or UNNAMED


def _sentences(facts: DatasetFacts, advice: FirstSweep) -> Iterator[str]:
    yield f"target: '{advice.target.column}' ({advice.target.why})"
    season = f"; a season has {count(advice.season, 'row')}" if advice.season else ""
    yield f"window: {count(advice.horizon, 'row')} ahead from the last {advice.input}{season}"
    if facts.left_out:
        yield f"left out: {count(len(facts.left_out), 'column')}; pyheta data check says why"
    yield from facts.notes
