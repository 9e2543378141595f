"""What PostgreSQL itself takes for the same rows: plain COPY into an indexed table, on the same server."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

# The row's own types, taken from the clean table; key and indexes as any table of transactions has them.
CREATE = """
    CREATE TABLE bench_floor (LIKE clean_sales, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE INDEX ON bench_floor (dataset_no);
    CREATE INDEX ON bench_floor (date);
"""
NEWEST = "SELECT * FROM clean_sales WHERE bucket = 0 AND dataset_no = (SELECT max(dataset_no) FROM clean_sales)"


class Floor:
    """The table, kept for several rounds."""

    def __init__(self, connection: "psycopg2.extensions.connection", *, folder: Path) -> None:
        self._connection = connection
        self._file = folder / "floor.csv"

    def copy_newest(self) -> tuple[int, float]:
        """COPY the rows of the newest dataset into the table: how many, and the seconds until committed."""
        with self._connection.cursor() as cursor:
            with self._file.open("wb") as out:
                cursor.copy_expert(f"COPY ({NEWEST}) TO STDOUT (FORMAT csv)", out)
            self._connection.rollback()
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = 'clean_sales'::regclass AND attnum > 0 AND NOT attisdropped"
            )
            (columns,) = cursor.fetchone() or ("",)
            with self._file.open("rb") as rows:
                began = time.perf_counter()
                cursor.copy_expert(f"COPY bench_floor ({columns}) FROM STDIN (FORMAT csv)", rows, size=1 << 20)
                copied = cursor.rowcount
                self._connection.commit()
                took = time.perf_counter() - began
        self._file.unlink()
        return copied, took

    def empty(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("TRUNCATE bench_floor")
        self._connection.commit()


@contextmanager
def floor(url: str, *, folder: Path) -> Iterator[Floor]:
    """The floor on the server of `url`; needs the platform's tables to be there."""
    with closing(psycopg2.connect(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(CREATE)
        connection.commit()
        yield Floor(connection, folder=folder)
