"""COPY from pieces that are made as it asks for them, and to a function that takes them as they come."""

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg2
from django.db import connections
from django.db.models.expressions import RawSQL

# A piece goes as it is, whatever its size: to be asked for the next part of it would take a thread that sends its turn
# among those that work.
_BUFFER = 1 << 30
# Around the tuples of COPY's binary format: a signature, flags, no extension; -1 in the place of a tuple's fields.
BINARY_HEAD, BINARY_END = b"PGCOPY\n\xff\r\n\x00" + bytes(8), struct.pack(">h", -1)
# A tuple of one field: how many there are, and its size.
_ONE_FIELD = struct.Struct(">hi")


def copy_in(statement: str, pieces: Iterator[bytes], *, using: str) -> None:
    """Run a COPY … FROM STDIN. What `pieces` raises is raised as it is."""
    stream = _Readable(pieces)
    with connections[using].cursor() as cursor:
        try:
            cursor.copy_expert(statement, stream, _BUFFER)
        except psycopg2.Error:
            if stream.failure is not None:
                raise stream.failure from None
            raise


def copy_out(statement: str, take: Callable[[bytes], object], *, using: str) -> None:
    """Run a COPY … TO STDOUT; `take` gets the answer in pieces of any size."""
    with connections[using].cursor() as cursor:
        cursor.copy_expert(statement, _Writable(take))


@contextmanager
def staged(table: str, columns: Iterable[str], *, using: str) -> Iterator[str]:
    """What to COPY into, as `staged (columns)`, for a table with row-level security, which PostgreSQL refuses COPY for.
    Its rows go on from there, held to the table's policy. Inside a transaction."""
    names = ", ".join(f'"{column}"' for column in columns)
    with connections[using].cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE staged ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608
        yield f"staged ({names})"
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM staged")  # noqa: S608  (our own names)
        cursor.execute("DROP TABLE staged")


@contextmanager
def carried(value: bytes, *, using: str) -> Iterator[RawSQL]:
    """A large value for a statement of Django's, inside a transaction. Sent as it is: as a parameter it would be a
    hexadecimal literal of twice its size, which PostgreSQL reads letter by letter."""
    with connections[using].cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE carried (value bytea) ON COMMIT DROP")
        cursor.execute("ALTER TABLE carried ALTER value SET STORAGE EXTERNAL")
        pieces = iter((BINARY_HEAD, _ONE_FIELD.pack(1, len(value)), value, BINARY_END))
        copy_in("COPY carried FROM STDIN (FORMAT binary)", pieces, using=using)
        yield RawSQL("(SELECT value FROM carried)", ())
        cursor.execute("DROP TABLE carried")


def large_value(query: str, *, using: str) -> bytes:
    """The one value that `query` finds, of type bytea, got as it is. Empty where it is NULL. LookupError where there is
    no row."""
    pieces: list[bytes] = []
    copy_out(f"COPY ({query}) TO STDOUT (FORMAT binary)", lambda piece: pieces.append(bytes(piece)), using=using)
    told, begin = b"".join(pieces), len(BINARY_HEAD)
    if told[begin:] == BINARY_END:
        raise LookupError(query)
    _, size = _ONE_FIELD.unpack_from(told, begin)
    begin += _ONE_FIELD.size
    return told[begin : begin + max(size, 0)]


class _Writable:
    """The file object psycopg2 writes to."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.write = take


class _Readable(io.RawIOBase):
    """The file object psycopg2 reads from: pieces, made as COPY asks for them.

    psycopg2 turns whatever is raised here into a QueryCanceled; `failure` keeps the reason itself.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.failure: Exception | None = None
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def read(self, _size: int = -1) -> bytes:
        """The next piece, however many bytes were asked for; none at the end. psycopg2 takes what it gets."""
        try:
            return next(self._pieces, b"")
        except Exception as error:
            self.failure = error
            raise
