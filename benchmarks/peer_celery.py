"""Celery's side of `queues.py`: a task that does nothing but say when it was done.

As a program it publishes that many messages; `celery -A peer_celery worker` computes them.
"""

import os
import sys
import time
from pathlib import Path

from celery import Celery
from kombu import Queue

LEDGER = Path(os.environ["BENCH_LEDGER"]).open("ab", buffering=0)  # noqa: SIM115 -- open as long as the process

app = Celery("peer_celery", broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(
    task_queues=[Queue(os.environ["BENCH_QUEUE"], queue_arguments={"x-queue-type": "quorum"})],
    task_default_queue=os.environ["BENCH_QUEUE"],
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"confirm_publish": True},
)


@app.task(name="noop")
def noop() -> None:
    LEDGER.write(b"%.6f\n" % time.monotonic())


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        noop.delay()
