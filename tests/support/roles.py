"""The roles of the platform's connection in a test, for what a test does to tables and not through the platform."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.postgresql.cursor import ScopedCursor, scoped_cursor


class _OwnersCursor(ScopedCursor):
    role = role_of_all = "none"  # PostgreSQL's word for whoever logged in


@contextmanager
def as_owner() -> Iterator[CursorWrapper]:
    """The tables' owner, on the test's own connection: what is done is seen by it, and undone with its transaction."""
    with _with(_OwnersCursor), connection.cursor() as cursor:
        yield cursor


@contextmanager
def as_the_loader() -> Iterator[None]:
    """For what is written into partitions and read in the same transaction."""
    with _with(scoped_cursor(settings.LOADER_ROLE)):
        yield


@contextmanager
def _with(cursors: type[ScopedCursor]) -> Iterator[None]:
    connection.ensure_connection()
    own = connection.connection
    before, own.cursor_factory = own.cursor_factory, cursors
    try:
        yield
    finally:
        own.cursor_factory = before
