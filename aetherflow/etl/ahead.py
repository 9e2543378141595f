"""Steps of a line that work side by side."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T], *, most: int = 1) -> Generator[T]:
    """The items, made in a thread of their own while those before are being used, up to so many in advance. Closing it
    closes `items`."""
    with closing(items), ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as maker:
        upcoming = deque(maker.submit(_next, items) for _ in range(most))
        try:
            while made := upcoming.popleft().result():
                upcoming.append(maker.submit(_next, items))
                yield made[0]
        finally:
            maker.shutdown(wait=False, cancel_futures=True)


def _next(items: Generator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None
