"""A department's current rows as insights are computed from: read by COPY, inside the caller's transaction, in no
particular order. Of rows with one natural key they are the newest upload's."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile

import pandas as pd
import pyarrow as pa
from django.db import connections
from pyarrow import csv as arrow_csv

from aetherflow.etl.digests import VERSION
from aetherflow.insight import Factor, Rollup
from aetherflow.registry import department as find_department
from apps.datasets.clean import clean_table
from apps.datasets.models import Dataset, Overlap
from apps.datasets.selectors import live_datasets

_SPOOL_IN_MEMORY = 16 * 1024 * 1024
# Texts repeat: as codes, ten million rows of six columns are 360 MB.
_ARROW_TYPES = {
    "text": pa.dictionary(pa.int32(), pa.string()),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
}
_HASHED = {"enable_sort": "off", "enable_bitmapscan": "off", "enable_indexscan": "off", "work_mem": "'64MB'"}
# A block has its texts to itself until all are read.
_BLOCK = 8 * 1024 * 1024


def current_rows(department: str, *, columns: tuple[str, ...], using: str = "default") -> pd.DataFrame:
    """The rows, Arrow-backed, texts as dictionaries. By COPY they come at four times the speed of row-wise reads."""
    types = _types(department)
    return _read(_current(department, columns=columns), {name: types[name] for name in columns}, using=using)


def rolled_up_rows(department: str, rollup: Rollup, *, using: str = "default") -> pd.DataFrame:
    """What `rollup` makes of the rows. A million of them take as long to be added up as to be handed over."""
    types = _types(department)
    day, number = _ARROW_TYPES["date"], _ARROW_TYPES["number"]
    kinds = {
        **{name: types[name] for name in rollup.by},
        "first": day,
        "last": day,
        "rows": _ARROW_TYPES["integer"],
        **dict.fromkeys(rollup.sums, number),
    }
    with _hashed(using=using):
        return _read(_rolled_up(department, rollup), kinds, using=using)


@contextmanager
def _hashed(*, using: str) -> Iterator[None]:
    """What has just been loaded has no statistics yet: PostgreSQL takes a million rows for 25, looks them up and sorts
    them, which takes twice as long. Inside a transaction; an order that is asked for is still made."""
    with connections[using].cursor() as cursor:
        for name, value in _HASHED.items():
            cursor.execute(f"SET LOCAL {name} = {value}")
        yield
        for name in _HASHED:
            cursor.execute(f"SET LOCAL {name} = DEFAULT")


def _types(department: str) -> dict[str, pa.DataType]:
    return {column.name: _ARROW_TYPES[column.kind] for column in find_department(department).columns}


def _read(query: str, types: Mapping[str, pa.DataType], *, using: str) -> pd.DataFrame:
    with SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY, mode="w+b") as spool:
        with connections[using].cursor() as cursor:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER true)", spool)
        spool.seek(0)
        table_read = arrow_csv.read_csv(
            pa.PythonFile(spool, mode="r"),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict(types),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    frame: pd.DataFrame = table_read.unify_dictionaries().to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _rolled_up(department: str, rollup: Rollup) -> str:
    """numeric adds exactly, so the order that rows come in, and how many processes add them, change nothing."""
    factors = [factor for product in rollup.sums.values() for factor in product]
    needed = [rollup.day, rollup.above_zero, *(factor.column for factor in factors if factor.missing is None)]
    columns = tuple(dict.fromkeys([*rollup.by, rollup.day, rollup.above_zero, *(each.column for each in factors)]))
    whole = " AND ".join(f'"{name}" IS NOT NULL' for name in dict.fromkeys(needed))
    by = ", ".join(f'"{name}"' for name in rollup.by)
    sums = "".join(
        f', CASE WHEN whole THEN sum({" * ".join(map(_factor, product))}) END AS "{name}"'
        for name, product in rollup.sums.items()
    )
    day, current = f'"{rollup.day}"', _current(department, columns=columns)
    return f"""
        SELECT {by}, CASE WHEN whole THEN min({day}) END AS first, CASE WHEN whole THEN max({day}) END AS last,
            count(*) AS rows{sums}
        FROM (SELECT *, {whole} AS whole FROM ({current}) AS current) AS told
        GROUP BY {by}, whole, date_trunc('week', {day}::timestamp), "{rollup.above_zero}" > 0
    """  # noqa: S608  (the names come from the department's declaration, never from a request)


def _factor(factor: Factor) -> str:
    value = f'"{factor.column}"' if factor.missing is None else f'coalesce("{factor.column}", {factor.missing:d})'
    return f"(1 - {value} / 100.0)" if factor.off_hundred else value


def _current(department: str, *, columns: tuple[str, ...]) -> str:
    """The query for current rows: rows are sorted to find the newest of each key only where uploads share keys."""
    table = clean_table(department)._meta.db_table
    # The names come from the department's declaration, never from a request.
    key = ", ".join(f'"{name}"' for name in find_department(department).natural_key)
    wanted = ", ".join(f'"{name}"' for name in columns)

    def rows(datasets: list[Dataset]) -> str:
        buckets = _array({each.rows_bucket for each in datasets})
        numbers = _array({each.number for each in datasets})
        return f'FROM "{table}" WHERE bucket = ANY ({buckets}) AND dataset_no = ANY ({numbers})'

    alone, mixed = _apart(
        list(live_datasets(department).only("number", "rows_bucket", "rows_loaded", "digest_version"))
    )
    newest = f"ORDER BY {key}, dataset_no DESC, line DESC"
    queries = [f"SELECT {wanted} {rows(alone)}"] if alone or not mixed else []
    if mixed:
        queries.append(f"(SELECT DISTINCT ON ({key}) {wanted} {rows(mixed)} {newest})")
    return " UNION ALL ".join(queries)


def _apart(live: list[Dataset]) -> tuple[list[Dataset], list[Dataset]]:
    """Those of which every row counts, and those among whose rows the newest of each key are to be found. An upload
    whose keys all are in one newer upload is in neither: none of its rows counts."""
    numbers = {each.pk: each.number for each in live}
    overlaps = Overlap.objects.filter(older__in=numbers, newer__in=numbers)
    pairs = {
        (numbers[older], numbers[newer]): rows for older, newer, rows in overlaps.values_list("older", "newer", "rows")
    }
    loaded = {each.number: each.rows_loaded for each in live}
    covered = {older for (older, _), rows in pairs.items() if rows == loaded[older]}
    left = [each for each in live if each.number not in covered]
    # A file cannot repeat a key inside itself.
    if len(left) < 2:
        return left, []
    # Of an upload without digests it is not known what it shares with others.
    if any(each.digest_version != VERSION for each in left):
        return [], left
    shares = {number for pair in pairs if not covered.intersection(pair) for number in pair}
    return [each for each in left if each.number not in shares], [each for each in left if each.number in shares]


def _array(numbers: Iterable[int]) -> str:
    return f"ARRAY[{', '.join(f'{number:d}' for number in sorted(numbers))}]::bigint[]"
