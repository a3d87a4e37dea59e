"""What a supervisor and its child send each other survives the pipe."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyheta.steps import Cost, Metric
from pyheta.worker import wire

NAMES = st.text(min_size=1, max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
LANES = st.integers(0, 1023)
METRICS = st.builds(
    Metric,
    split=st.sampled_from(["val", "test"]),
    name=NAMES,
    horizon=st.integers(0, 720),
    value=NUMBERS,
)
SECONDS = st.floats(0, 1e9)
COSTS = st.builds(
    Cost,
    wall_seconds=SECONDS,
    cpu_seconds=SECONDS,
    shared=st.integers(1, 256),
    peak_memory=st.integers(0, 1 << 50),
    peak_of=st.sampled_from(["step", "process"]),
    threads=st.integers(1, 1024),
    cold=st.booleans(),
)
MESSAGES = st.one_of(
    st.builds(wire.LaneProgress, lane=LANES, progress=st.dictionaries(NAMES, NUMBERS)),
    st.builds(wire.DeviceLost, reason=st.text()),
    st.builds(wire.Raised, lane=LANES, reason=st.text(), detail=st.text(), retry=st.booleans()),
    st.builds(
        wire.Done,
        lane=LANES,
        products=st.dictionaries(NAMES, NAMES),
        metrics=st.lists(METRICS, max_size=5).map(tuple),
        summary=st.dictionaries(NAMES, NUMBERS),
        cost=st.none() | COSTS,
    ),
)


@given(MESSAGES)
@settings(deadline=None)
def test_every_message_survives_the_pipe_as_one_line(message: wire.LaneMessage) -> None:
    line = wire.encode(message)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert wire.decode(line) == message


def test_an_order_survives_the_pipe() -> None:
    lanes = [
        wire.LaneOrder({"seed": n}, {"load": {"table": "cache/a b"}}, f"work/{n}") for n in range(3)
    ]
    order = wire.Order("fit", tuple(lanes))

    assert wire.Order.decode(order.encode()) == order


def test_an_unknown_message_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown message 'Shout'"):
        wire.decode(json.dumps({"Shout": {}}).encode())


def test_a_number_that_is_not_finite_never_reaches_the_pipe() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        wire.encode(wire.LaneProgress(0, {"val_loss": float("nan")}))
