"""Dramatiq's side of `queues.py`: an actor that does nothing but say when it was done.

As a program it publishes that many messages; `dramatiq peer_dramatiq` computes them.
"""

import os
import sys
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

LEDGER = Path(os.environ["BENCH_LEDGER"]).open("ab", buffering=0)  # noqa: SIM115 -- open as long as the process

dramatiq.set_broker(RabbitmqBroker(url=os.environ["BENCH_BROKER_URL"], confirm_delivery=True))


@dramatiq.actor(queue_name=os.environ["BENCH_QUEUE"])
def noop() -> None:
    LEDGER.write(b"%.6f\n" % time.monotonic())


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        noop.send()
