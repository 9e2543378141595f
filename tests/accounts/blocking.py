"""For tests of two at once: hold a row, start the others, and go on when all of them really wait for it."""

import time

import pytest
from django.db import connection


def wait_for_blocked_backends(count: int) -> None:
    """Returns when that many other connections to this database wait for a lock; fails after 10 s."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # A transaction would see its first look for ever.
            cursor.execute(waiting)
            if cursor.fetchone()[0] >= count:
                return
        time.sleep(0.02)
    pytest.fail(f"{count} connections never waited for the row")
