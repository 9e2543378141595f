"""Somebody else at the same time."""

import threading
from collections.abc import Callable

from django.db import connections

from tests.support.threads import in_scope


def in_another_connection(action: Callable[[], object]) -> threading.Thread:
    """Start the action as another process would run it."""

    def run() -> None:
        try:
            action()
        finally:
            connections.close_all()

    thread = threading.Thread(target=in_scope(run))
    thread.start()
    return thread
