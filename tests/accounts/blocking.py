"""For tests of two at once: hold a row, start the others, and go on when all of them really wait for it."""

import time
from contextlib import closing

import psycopg2
import pytest
from django.db import connections

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def blocked_backends() -> int:
    """How many connections to this database wait for a lock. Asked as the owner, whose log-in all of them have: nobody
    else is told what another's waits for."""
    with closing(psycopg2.connect(**connections["owner"].get_connection_params())) as owner, owner.cursor() as cursor:
        cursor.execute(_WAITING)
        found: int = cursor.fetchone()[0]
        return found


def wait_for_blocked_backends(count: int) -> None:
    """Returns when that many connections to this database wait for a lock; fails after 10 s."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if blocked_backends() >= count:
            return
        time.sleep(0.02)
    pytest.fail(f"{count} connections never waited for the row")
