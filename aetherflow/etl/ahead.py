"""Steps of a line that work side by side."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T]) -> Generator[T]:
    """The items, each made in a thread of its own while the one before is being used. Closing it closes `items`."""
    with closing(items), ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as maker:
        upcoming = maker.submit(_next, items)
        while made := upcoming.result():
            upcoming = maker.submit(_next, items)
            yield made[0]


def _next(items: Generator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None
