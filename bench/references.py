"""What one would write without the platform, for the same file: timed by `bench.etl` in processes of their own.

`python -m bench.references naive|bulk FILE DEPARTMENT ROWS` prints the seconds; the database is DATABASE_URL's.
"""

import io
import os
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import pandas as pd  # noqa: E402  (models need the setup above)
import psycopg2  # noqa: E402

from aetherflow.registry import department as find_department  # noqa: E402
from apps.accounts.scope import enter_all_departments  # noqa: E402  (models need the setup above)
from apps.datasets.models import clean_table  # noqa: E402

enter_all_departments("bench")

CHUNK = 100_000
BATCH = 5_000
# Of the dataset that is loaded beside the platform's own.
NUMBER = 1_000_000_000


def _connected() -> "psycopg2.extensions.connection":
    return psycopg2.connect(os.environ["DATABASE_URL"], options="-c aetherflow.scope=*")


def naive(path: Path, *, department: str, rows: int) -> float:
    """pandas read_csv in chunks, the same pandera schema with coerce, to_csv, COPY into floor (c)'s table."""
    schema = find_department(department).rows.to_schema()
    schema.coerce, schema.strict = True, False
    names = [column.name for column in find_department(department).columns]
    columns = ", ".join(f'"{name}"' for name in names)
    began = time.perf_counter()
    line = 0
    with (
        _connected() as connection,
        connection.cursor() as cursor,
    ):
        for chunk in pd.read_csv(path, chunksize=CHUNK, nrows=rows, dtype=str):
            checked = schema.validate(_tidied(chunk, department=department))[names]
            checked.insert(0, "line", range(line, line + len(checked)))
            checked.insert(0, "dataset_no", NUMBER)
            checked.insert(0, "bucket", 0)
            line += len(checked)
            held = io.StringIO()
            checked.to_csv(held, index=False, header=False)
            held.seek(0)
            cursor.copy_expert(f"COPY bench_plain (bucket, dataset_no, line, {columns}) FROM STDIN (FORMAT csv)", held)
    took = time.perf_counter() - began
    _empty("TRUNCATE bench_plain")
    return took


def _tidied(chunk: pd.DataFrame, *, department: str) -> pd.DataFrame:
    """The least that makes the bench's files pass: what one writes after the first errors."""
    for column in find_department(department).columns:
        cells = chunk[column.name].str.strip()
        if column.unit == "money":
            negative = cells.str.startswith("(")
            cells = pd.to_numeric(cells.str.strip("()").str.replace("€", "").str.strip())
            cells = cells.where(~negative, -cells)
        elif column.kind == "integer":
            cells = pd.to_numeric(cells)
        elif column.kind == "date":
            cells = pd.to_datetime(cells, format="mixed").dt.date
        elif column.case == "lower":
            cells = cells.str.lower()
        chunk[column.name] = cells
    return chunk


def bulk(path: Path, *, department: str, rows: int) -> float:
    """Django's bulk_create of rows that are clean and typed already, into the clean table itself."""
    model = clean_table(department)
    names = [column.name for column in find_department(department).columns]
    ready: list[dict[str, Any]] = (
        _tidied(pd.read_csv(path, nrows=rows, dtype=str), department=department)[names]
        .astype(object)
        .where(lambda frame: frame.notna(), None)
        .to_dict("records")
    )
    began = time.perf_counter()
    made = (model(bucket=0, dataset_no=NUMBER, line=at, **row) for at, row in enumerate(ready))
    while batch := list(islice(made, BATCH)):
        model._default_manager.bulk_create(batch)
    took = time.perf_counter() - began
    model._default_manager.filter(bucket=0, dataset_no=NUMBER).delete()
    return took


def _empty(statement: str) -> None:
    with (
        _connected() as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


if __name__ == "__main__":
    which, file, slug, count = sys.argv[1:]
    print({"naive": naive, "bulk": bulk}[which](Path(file), department=slug, rows=int(count)))
