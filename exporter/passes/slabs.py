"""Reading a tensor slab by slab, in order, with the next slabs computed ahead by threads."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from exporter.row_tensor import RowTensor

# More threads than this wait for the one that hashes and writes.
_MOST_THREADS = 8


class SlabReader:
    """Computes slabs in threads: NumPy lets go of the interpreter's lock while it works on arrays."""

    def __init__(self, pool: ThreadPoolExecutor, ahead: int) -> None:
        self._pool, self._ahead = pool, ahead

    def read(self, tensor: RowTensor) -> Iterator[np.ndarray]:
        """The rows of `tensor` in order; at most `ahead` slabs beside the one at hand are in memory."""
        waiting: deque[Future[np.ndarray]] = deque()
        for span in tensor.spans():
            waiting.append(self._pool.submit(tensor.read, *span))
            if len(waiting) > self._ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def slab_reader(threads: int | None = None) -> Iterator[SlabReader]:
    """A reader with as many threads as there are processors; what is not begun when it ends is dropped."""
    count = threads or min(os.cpu_count() or 1, _MOST_THREADS)
    pool = ThreadPoolExecutor(count, thread_name_prefix="slabs")
    try:
        yield SlabReader(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)
