"""What PostgreSQL itself takes for the same clean rows, on the same server: COPY, and nothing else.

Two floors. (c) COPY into a plain table with an identity key and two indexes, as a table of transactions has them.
(d) COPY FREEZE into a new table, the clean tables' own key built afterwards, and ATTACH, all in one transaction.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

# The day a row is of, which any reader would filter by.
DAY = {"sales": "date", "supply_chain": "snapshot_date", "finance": "date"}
CREATE = """
    CREATE TABLE bench_plain (LIKE clean_{department}, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE INDEX ON bench_plain (dataset_no);
    CREATE INDEX ON bench_plain ("{day}");
    CREATE TABLE bench_parts (LIKE clean_{department}, PRIMARY KEY (bucket, dataset_no, line))
        PARTITION BY LIST (bucket);
"""
ATTACHED = """
    ALTER TABLE bench_part ADD PRIMARY KEY (bucket, dataset_no, line);
    ALTER TABLE bench_parts ATTACH PARTITION bench_part FOR VALUES IN (1);
"""


class Floor:
    """The tables, kept for several rounds, and a department's clean rows as a file, taken once."""

    def __init__(self, connection: "psycopg2.extensions.connection", *, department: str, folder: Path) -> None:
        self._connection = connection
        self._table = f"clean_{department}"
        self._file = folder / "floor.csv"
        self._columns = ""
        self.rows = 0

    def take_newest(self) -> None:
        """The rows of the newest dataset, to be copied from now on; all of them in bucket 1."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = "
                "%s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'bucket'",
                [self._table],
            )
            (self._columns,) = cursor.fetchone() or ("",)
            cursor.execute(
                "SELECT rows_bucket, number FROM datasets_dataset WHERE loaded_at IS NOT NULL ORDER BY number"
            )
            *_, (bucket, number) = cursor.fetchall()
            with self._file.open("wb") as out:
                rows = f"FROM {self._table} WHERE bucket = {bucket} AND dataset_no = {number} ORDER BY line"
                cursor.copy_expert(f"COPY (SELECT 1, {self._columns} {rows}) TO STDOUT (FORMAT csv)", out)
            self.rows = cursor.rowcount
        self._connection.rollback()

    def plain(self) -> float:
        """Seconds of floor (c), until committed. The table is empty again afterwards."""
        with self._connection.cursor() as cursor:
            began = time.perf_counter()
            self._copy(cursor, into="bench_plain", options="FORMAT csv")
            self._connection.commit()
            took = time.perf_counter() - began
            cursor.execute("TRUNCATE bench_plain")
        self._connection.commit()
        return took

    def attached(self) -> float:
        """Seconds of floor (d), until committed. The partition is dropped again afterwards."""
        with self._connection.cursor() as cursor:
            began = time.perf_counter()
            cursor.execute("CREATE TABLE bench_part (LIKE bench_parts, CHECK (bucket = 1))")
            self._copy(cursor, into="bench_part", options="FORMAT csv, FREEZE")
            cursor.execute(ATTACHED)
            self._connection.commit()
            took = time.perf_counter() - began
            cursor.execute("DROP TABLE bench_part")
        self._connection.commit()
        return took

    def _copy(self, cursor: "psycopg2.extensions.cursor", *, into: str, options: str) -> None:
        with self._file.open("rb") as rows:
            copy = f"COPY {into} (bucket, {self._columns}) FROM STDIN ({options})"
            cursor.copy_expert(copy, rows, size=1 << 20)
        assert cursor.rowcount == self.rows


@contextmanager
def floor(url: str, *, department: str, folder: Path) -> Iterator[Floor]:
    """The floors on the server of `url`; needs the platform's tables to be there."""
    with closing(psycopg2.connect(url, options="-c aetherflow.scope=*")) as connection:
        with connection.cursor() as cursor:
            cursor.execute(CREATE.format(department=department, day=DAY[department]))
        connection.commit()
        yield Floor(connection, department=department, folder=folder)
