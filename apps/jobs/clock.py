"""The one clock that all machines share: the database's.

Leases, signs of life and "older than" rules compare times that different processes wrote. By the clocks of their own
machines, one that runs ten minutes ahead would call living workers dead and take their work away.
"""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")  # now() would stand still within a transaction
        moment: datetime = cursor.fetchone()[0]
    return moment
