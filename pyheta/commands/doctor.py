"""Is everything in order on this machine? One finding a line, each with its cure."""

import importlib.metadata
import platform
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from pyheta import __version__
from pyheta.errors import Exit, PyhetaError, StepError
from pyheta.pipeline.data.facts import DatasetFacts
from pyheta.plan.prepare import CheckedSweep
from pyheta.plan.probe import Verdict, probe, small_runs
from pyheta.screen import count, plain, table
from pyheta.settings import Settings
from pyheta.sweep import Run
from pyheta.wiring import Services

OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was examined, and the result. `code` is DONE if it is in order."""

    what: str
    found: str
    code: Exit = Exit.DONE


async def examine(settings: Settings, open_services: OpenServices) -> Sequence[Finding]:
    """Examine everything, whatever is wrong with some of it."""
    findings = [_versions(), _home(settings.home), _data(settings)]
    findings += [Finding("setting", warning, Exit.CONFIG) for warning in settings.warnings]
    try:
        async with open_services(settings) as services:
            findings += [finding async for finding in _services(services)]
    except PyhetaError as error:
        findings.append(Finding("store", str(error), error.exit_code))
    return findings


def examine_leakage(prepared: CheckedSweep, note: Callable[[str], None]) -> Sequence[Finding]:
    """Replace the future by noise under each kind of run; a finding for each kind of step."""
    findings = [_declared(facts) for facts in prepared.datasets.values() if facts.meaning.declared]
    for run, small in small_runs(prepared.runs, prepared.datasets, prepared.files):
        note(
            f"run {run.ordinal}: {count(len(small.steps), 'step')} on {len(small.frame):,} "
            "rows, four times"
        )
        try:
            verdicts = probe(small)
        except StepError as error:
            findings.append(
                Finding(_name(run), f"cannot be probed in small: {error}", Exit.RUNS_FAILED)
            )
            continue
        ops = dict.fromkeys(verdict.step.op for verdict in verdicts)
        findings += [
            _leakage(run, [verdict for verdict in verdicts if verdict.step.op == op]) for op in ops
        ]
    return findings


def _declared(facts: DatasetFacts) -> Finding:
    """A future in such a column shows in no number."""
    columns = ", ".join(sorted(facts.meaning.declared))
    found = f"known ahead because the sweep says so, which no probe can check: {columns}"
    return Finding("columns", found)


def _leakage(run: Run, verdicts: Sequence[Verdict]) -> Finding:
    """The probe's result for one run's steps of one operation."""
    op, sees = verdicts[0].step.op, verdicts[0].fit_on
    what = f"{_name(run)}: {op} x {len(verdicts)}"
    leaking = sum(verdict.leaks for verdict in verdicts)
    if leaking:
        found = (
            f"LEAK: {leaking} changed with what came later, though declared '{sees}'; "
            "please report it"
        )
        return Finding(what, found, Exit.RUNS_FAILED)
    if any(verdict.changed for verdict in verdicts):
        return Finding(
            what, "saw what came later, which `leakage: allow` permits: tables mark the run"
        )
    return Finding(what, f"{sees}: nothing changed that later rows must not change")


def _name(run: Run) -> str:
    """A run with its net and how its series are preprocessed."""
    config = run.config.reduced()
    decompose, shaping = config.decompose, config.shaping
    words: list[str] = [config.net.name]
    if decompose.method != "none":
        words.append(f"{decompose.method} {decompose.mode}")
    if shaping.method != "none":
        words.append(f"{shaping.method} {shaping.relevance}")
    return f"run {run.ordinal} ({', '.join(words)})"


def exit_code(findings: Sequence[Finding]) -> Exit:
    """CONFIG counts most, since a person has to change something; then LOST, which may pass."""
    codes = {finding.code for finding in findings}
    return next((code for code in (Exit.CONFIG, Exit.LOST) if code in codes), max(codes))


def findings_view(findings: Sequence[Finding]) -> Table:
    shown = table("", "what", "found")
    for finding in findings:
        good = finding.code is Exit.DONE
        mark = Text("OK", "green") if good else Text("wrong", "bold red")
        shown.add_row(mark, finding.what, Text(plain(finding.found)))
    return shown


def _versions() -> Finding:
    python = f"pyheta {__version__}, Python {platform.python_version()} on {platform.system()}"
    try:
        return Finding("versions", f"{python}, torch {importlib.metadata.version('torch')}")
    except importlib.metadata.PackageNotFoundError:
        return Finding("versions", f"{python}, no torch; install PyHeta again", Exit.CONFIG)


def _home(home: Path) -> Finding:
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return Finding("home", str(home))
    except OSError as error:
        cure = "set PYHETA_HOME to a folder of your own"
        return Finding("home", f"{home}: {error.strerror}; {cure}", Exit.CONFIG)


def _data(settings: Settings) -> Finding:
    data = settings.data
    if data.is_dir():
        return Finding("data", str(data))
    if data == settings.home / "data":
        return Finding("data", f"{data}, which `pyheta data fetch` makes")
    return Finding("data", f"{data} is no folder; set PYHETA_DATA", Exit.CONFIG)


async def _services(services: Services) -> AsyncIterator[Finding]:
    yield await _store(services)
    yield await _checked("artifacts", services.artifacts.check)
    if services.messages:
        yield await _checked("broker", services.messages.check)
    else:
        yield Finding("broker", "none: the store is the queue")
    workers = await services.store.workers()
    kinds = ", ".join(sorted({kind for worker in workers for kind in worker.kinds}))
    yield Finding(
        "workers", f"{count(len(workers), 'worker')} {f'({kinds})' if kinds else ''}".rstrip()
    )


async def _store(services: Services) -> Finding:
    facts = await services.store.facts()
    found = f"PostgreSQL {facts.version} at {facts.where}, schema {facts.schema}"
    if facts.risks:
        found += (
            f"; {' and '.join(facts.risks)} off: a crash of the server can lose results; switch on"
        )
    return Finding("store", found, Exit.CONFIG if facts.risks else Exit.DONE)


async def _checked(what: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(what, await check())
    except PyhetaError as error:
        return Finding(what, str(error), error.exit_code)
