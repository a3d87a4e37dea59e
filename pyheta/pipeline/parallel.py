"""Many compiled calls on several threads, with results in order and few of them in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numba

Given = TypeVar("Given")
Got = TypeVar("Got")
WORTHWHILE = 10_000  # samples
AHEAD = 2  # calls per thread that may wait, run, or be done before their turn


def in_order(call: Callable[[Given], Got], inputs: Iterable[Given], samples: int) -> Iterator[Got]:
    """Results in the order of the inputs, so that sums do not depend on the number of threads.

    The calls run on numba's number of threads (NUMBA_NUM_THREADS) and have to release the
    interpreter lock. With fewer than WORTHWHILE samples in all, one thread is quicker. Unlike
    numba's own parallel loops this works in several threads at once and after a fork.
    """
    threads = numba.get_num_threads() if samples >= WORTHWHILE else 1
    if threads <= 1:
        yield from map(call, inputs)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Got]] = deque()
        try:
            for given in inputs:
                if len(waiting) == AHEAD * threads:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(call, given))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
