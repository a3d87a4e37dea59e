"""Slots and their child processes: real processes, really killed."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import failing
import pytest
from builders import fit_params

from pyheta.worker import wire
from pyheta.worker.slot import ChildDied, Slot

MLP = {"name": "mlp", "hidden": [4]}
SYNTHETIC = {"synthetic": {"rows": 320, "seed": 0}}

#: Seconds of CPU time that libraries' own threads may take beside the one that computes.
SLACK = 0.5


@pytest.fixture
async def slot(tmp_path: Path) -> AsyncIterator[Slot]:
    slot = Slot(folder=tmp_path)
    yield slot
    await slot.close()


def order(
    tmp_path: Path, op: str = "load", lanes: Sequence[dict[str, Any]] = (SYNTHETIC,)
) -> wire.Order:
    return wire.Order(op, tuple(wire.LaneOrder(params, {}, str(tmp_path)) for params in lanes))


async def ask(slot: Slot, asked: wire.Order) -> list[wire.Reply]:
    """The child's replies to an order."""
    messages: list[wire.LaneMessage] = []
    await slot.compute(asked, messages.append)
    return replies(messages)


def replies(messages: Sequence[wire.LaneMessage]) -> list[wire.Reply]:
    return [message for message in messages if not isinstance(message, wire.LaneProgress)]


async def order_of_fits(slot: Slot, tmp_path: Path, *nets: dict[str, Any]) -> wire.Order:
    """Fits of these nets, of which each has a folder to write into; `failing` nets are found."""
    failing.write_net(tmp_path)
    slot.environment["PYTHONPATH"] = str(tmp_path)
    [load] = await ask(slot, order(tmp_path))
    assert isinstance(load, wire.Done)
    outs = [tmp_path / f"out-{number}" for number in range(len(nets))]
    for out in outs:
        out.mkdir()
    inputs = {"load": load.products}
    lanes = [
        wire.LaneOrder(fit_params(net, train={"epochs": 1}), inputs, str(out))
        for net, out in zip(nets, outs, strict=True)
    ]
    return wire.Order("fit", tuple(lanes))


async def test_a_child_computes_and_is_used_again(slot: Slot, tmp_path: Path) -> None:
    # When a slot computes twice
    [first] = await ask(slot, order(tmp_path))
    pid = slot.pid
    [second] = await ask(slot, order(tmp_path))

    # Then both answers name the product, and one process gave them
    assert isinstance(first, wire.Done)
    assert isinstance(second, wire.Done)
    assert Path(first.products["table"]).exists()
    assert slot.pid == pid


async def test_an_operation_that_raises_is_an_answer_and_the_child_lives_on(
    slot: Slot, tmp_path: Path
) -> None:
    [raised] = await ask(slot, order(tmp_path, op="no-such-operation"))
    pid = slot.pid

    assert isinstance(raised, wire.Raised)
    assert not raised.retry
    assert "no-such-operation" in raised.reason
    assert "Traceback" in raised.detail
    assert isinstance((await ask(slot, order(tmp_path)))[0], wire.Done)
    assert slot.pid == pid


def pid_of(slot: Slot) -> int:
    assert slot.pid is not None
    return slot.pid


async def frozen(slot: Slot, tmp_path: Path) -> "asyncio.Task[list[wire.Reply]]":
    """A computation that cannot end: its child is stopped before it gets the order."""
    await ask(slot, order(tmp_path))
    os.kill(pid_of(slot), signal.SIGSTOP)
    task = asyncio.create_task(ask(slot, order(tmp_path)))
    await asyncio.sleep(0)
    return task


async def test_a_lane_that_raises_leaves_its_neighbours_alone(slot: Slot, tmp_path: Path) -> None:
    # When a child computes three lanes of which the second cannot be computed
    answers = await ask(
        slot, order(tmp_path, lanes=[SYNTHETIC, {"synthetic": {"rows": "many"}}, SYNTHETIC])
    )

    # Then each lane has its own answer
    assert [(answer.lane, type(answer)) for answer in answers] == [
        (0, wire.Done),
        (1, wire.Raised),
        (2, wire.Done),
    ]


async def test_lanes_that_are_computed_in_turns_each_have_their_own_cost(
    slot: Slot, tmp_path: Path
) -> None:
    # Given a child that is warm, and one long table among short ones
    [first] = await ask(slot, order(tmp_path))
    long = {"synthetic": {"rows": 400_000, "seed": 0}}
    begin = time.perf_counter()

    # When it makes them
    answers = await ask(slot, order(tmp_path, lanes=[SYNTHETIC, long, SYNTHETIC, SYNTHETIC]))
    elapsed = time.perf_counter() - begin

    # Then the long one has cost the most though it came second, and all not more than passed
    costs = [answer.cost for answer in answers if isinstance(answer, wire.Done) and answer.cost]
    cpu = [cost.cpu_seconds for cost in costs]
    assert len(costs) == 4
    assert all(cpu[1] > 2 * short for short in (cpu[0], *cpu[2:]))
    assert sum(cost.wall_seconds for cost in costs) <= elapsed
    assert isinstance(first, wire.Done)
    assert first.cost
    assert (first.cost.cold, [cost.cold for cost in costs]) == (True, [False] * 4)
    for cost in costs:
        assert 0 <= cost.cpu_seconds <= cost.wall_seconds * cost.threads + SLACK
        assert (cost.shared, cost.threads) == (1, 1)
        assert cost.peak_memory > 1 << 20


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_child_that_dies_says_how_and_is_replaced(
    slot: Slot, tmp_path: Path, number: signal.Signals
) -> None:
    # Given a child in the middle of a computation
    computing = await frozen(slot, tmp_path)
    pid = pid_of(slot)

    # When it is killed
    os.kill(pid, number)
    with contextlib.suppress(ProcessLookupError):  # SIGKILL alone may have been enough
        os.kill(pid, signal.SIGCONT)

    # Then the death is told with the signal's name, and the next order gets a new child
    with pytest.raises(ChildDied, match=number.name):
        await computing
    assert isinstance((await ask(slot, order(tmp_path)))[0], wire.Done)
    assert slot.pid != pid


async def test_a_child_whose_device_has_failed_says_so_and_is_replaced(
    slot: Slot, tmp_path: Path
) -> None:
    # Given three nets, during the second of which the device fails
    broken = failing.net("AcceleratorError", f"{failing.ILLEGAL}\nFor debugging consider …")
    asked = await order_of_fits(slot, tmp_path, MLP, broken, MLP)
    pid, messages = slot.pid, list[wire.LaneMessage]()

    # When a child computes them, Then it ends without answers for the second and the third
    with pytest.raises(ChildDied) as death:
        await slot.compute(asked, messages.append)
    assert [(reply.lane, type(reply)) for reply in replies(messages)] == [(0, wire.Done)]
    assert str(death.value) == f"the device failed: {failing.ILLEGAL}"
    assert not Path(f"/proc/{pid}").exists()

    # And its log has what was printed and tells where, and the next order gets a new child
    for text in ("a net is about to fail\n", "Traceback", "in forward"):
        assert text in slot.log.text()
    assert isinstance((await ask(slot, order(tmp_path)))[0], wire.Done)
    assert slot.pid != pid


@pytest.mark.parametrize(
    ("error", "text"),
    [("StepError", failing.ILLEGAL), ("OutOfMemoryError", "CUDA out of memory. Tried …")],
)
async def test_a_child_whose_device_works_lives_on_whatever_a_step_says(
    slot: Slot, tmp_path: Path, error: str, text: str
) -> None:
    asked = await order_of_fits(slot, tmp_path, failing.net(error, text), MLP)
    pid = slot.pid

    raised, done = await ask(slot, asked)

    assert isinstance(raised, wire.Raised)
    assert not raised.retry
    assert text in raised.reason
    assert isinstance(done, wire.Done)
    assert slot.pid == pid


async def test_a_segmentation_fault_leaves_its_stack_in_the_log(slot: Slot, tmp_path: Path) -> None:
    computing = await frozen(slot, tmp_path)

    os.kill(pid_of(slot), signal.SIGSEGV)
    os.kill(pid_of(slot), signal.SIGCONT)

    with pytest.raises(ChildDied):
        await computing
    assert "Segmentation fault" in slot.log.text()
    assert "child.py" in slot.log.text()


async def test_a_computation_that_is_given_up_takes_its_child_along(
    slot: Slot, tmp_path: Path
) -> None:
    computing = await frozen(slot, tmp_path)
    pid = slot.pid

    computing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await computing
    assert not Path(f"/proc/{pid}").exists()
    assert isinstance((await ask(slot, order(tmp_path)))[0], wire.Done)


async def test_a_child_that_died_while_idle_costs_nothing(slot: Slot, tmp_path: Path) -> None:
    # Given a child that was killed between two computations, and reaped
    await ask(slot, order(tmp_path))
    os.kill(pid_of(slot), signal.SIGKILL)
    while slot._child.returncode is None:  # noqa: ASYNC110 -- nobody tells but the event loop itself
        await asyncio.sleep(0.01)

    # Then the next computation does not notice
    assert isinstance((await ask(slot, order(tmp_path)))[0], wire.Done)


async def test_a_child_knows_no_password(
    slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given connection strings in the supervisor's environment
    monkeypatch.setenv("PYHETA_DATABASE_URL", "postgresql://me:secret-1@host/db")
    monkeypatch.setenv("PGPASSWORD", "secret-2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-3")

    await ask(slot, order(tmp_path))

    # Then neither the child's environment nor its command line holds them
    process = Path(f"/proc/{slot.pid}")
    seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert b"secret" not in seen


async def test_a_child_computes_on_one_thread(slot: Slot, tmp_path: Path) -> None:
    await ask(slot, order(tmp_path))

    environment = Path(f"/proc/{slot.pid}/environ").read_bytes().split(b"\0")
    assert b"OMP_NUM_THREADS=1" in environment
    assert b"POLARS_MAX_THREADS=1" in environment
