"""The worker's times in seconds. All scale together, so that tests can live through an hour."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Timing:
    """`fence` < `lease`: a worker stops its children before others may start what they computed.

    Recovery from a lost worker: lease + reap + a second for the claim, at most 75 s.
    """

    lease: float = 45.0  # how long a claim outlives its worker's last sign of life
    beat: float = 10.0  # from heartbeat to heartbeat: three may be missed
    fence: float = 38.0  # after the start of the last successful heartbeat: kill the children
    reap: float = 10.0
    #: Without a ring for so long, look for ready steps anyway: the message may be lost
    poll: float = 5.0
    drain: float = 20.0  # after a first signal: what the running steps get to finish
    #: A child without a message for so long has stalled: nets send one an epoch, others none
    stall: float = 3600.0
    #: First pause after trouble with store, broker or disk; pauses double up to a minute
    pause: float = 5.0
    patience: float = 600.0  # how long the store may be away before a worker gives up

    def scaled(self, factor: float) -> "Timing":
        return Timing(**{field.name: getattr(self, field.name) * factor for field in fields(self)})


def backoff(attempt: int, first: float) -> float:
    """Seconds before try number `attempt` + 1: doubling, at most a minute."""
    return min(first * 2.0 ** min(attempt, 16), 60.0)
