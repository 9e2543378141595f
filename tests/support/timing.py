"""What something costs on a machine that runs everything else at once: limits are many times what it takes alone."""

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds within which an answer comes that waits for nobody, however busy the machine is.
SOON = 20


@contextmanager
def at_most(*, seconds: float, megabytes: float | None = None) -> Iterator[None]:
    """`megabytes`: of this process' memory at once, beside what it held before."""
    if megabytes is not None:
        tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        took, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took < seconds, f"{took:.1f} s"
    assert megabytes is None or peak < megabytes * 1_000_000, f"{peak:,} bytes"
