"""Threads of a test that stand for it: what they ask the database is in the test's scope, as a thread's is not."""

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any


def in_scope(act: Callable[..., Any]) -> Callable[..., Any]:
    """For one thread: a context runs in one at a time."""
    return partial(copy_context().run, act)
