"""From the ETL line's batches to PostgreSQL: one COPY for the clean rows, one for what was rejected.

Everything here runs inside a transaction of the caller's, on the connection named `using`.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from django.db import connections, transaction

from aetherflow.etl import Batch, Counts, FaultKind, FileRefused, Profiler, ReadOtherwise, Reject, SeenKeys, SourceFile
from aetherflow.etl.rejects import counted_by_code, counted_by_column
from aetherflow.etl.survey import Survey
from aetherflow.registry import department as find_department
from apps.datasets import digests, partitions
from apps.datasets.clean import clean_table
from apps.datasets.copybinary import BinaryRows, in_order
from apps.datasets.copying import BINARY_END, BINARY_HEAD, copy_in, staged
from apps.datasets.models import Dataset
from apps.datasets.models import Reject as StoredReject

_SPOOL_IN_MEMORY = 4 * 1024 * 1024
# The columns that say where a row stands.
_PLACE = ("bucket", "dataset_no")
_REJECT_COLUMNS = ("dataset_id", "line", "column", "value", "code", "message", "hint", "cells")

Progress = Callable[[int, int], None]


class RejectSpool:
    """What is wrong with a file, kept on disk while the rows stream, since a connection takes one COPY at a time.

    `faults` counts all of them; those that `limit` leaves are kept in detail. `is_cut`: some lines were left out, so
    that nothing behind them may be listed.
    """

    def __init__(self, *, dataset: Dataset, limit: int) -> None:
        self.limit = limit
        self._dataset = dataset
        self._file = SpooledTemporaryFile(  # noqa: SIM115  (closed by __exit__)
            max_size=_SPOOL_IN_MEMORY, mode="w+", encoding="utf-8", newline=""
        )
        self.clear()

    def clear(self) -> None:
        self.faults: Counter[FaultKind] = Counter()
        self.is_cut = False
        self._lines = self._listed_lines = self._listed_faults = 0
        self._file.seek(0)
        self._file.truncate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def add(self, batch: Batch) -> None:
        self.faults += batch.faults
        self._lines += batch.counts.rejected + batch.counts.duplicate
        self._listed_lines += batch.rejects.listed_lines
        self._listed_faults += len(batch.rejects)
        self.is_cut |= batch.rejects.is_cut
        line = 0
        for reject in batch.rejects:
            self._file.write(self._record(reject, is_first=reject.line != line))
            line = reject.line

    @property
    def room(self) -> int:
        """How many faults may still be listed."""
        return 0 if self.is_cut else self.limit - self._listed_faults

    def dump(self) -> tuple[dict[str, Any], bytes]:
        """For `merge` elsewhere: the counts, JSON-ready, and the records of what is listed."""
        self._file.seek(0)
        counts = {
            "faults": [[*kind, count] for kind, count in self.faults.items()],
            "lines": self._lines,
            "listed_lines": self._listed_lines,
            "listed_faults": self._listed_faults,
            "is_cut": self.is_cut,
        }
        return counts, self._file.read().encode()

    def has_room_for(self, dumped: Mapping[str, Any]) -> bool:
        """Whether what another has dumped can be merged: all or nothing of what it has listed is to be listed here."""
        return not self.room or (not dumped["is_cut"] and dumped["listed_faults"] <= self.room)

    def merge(self, dumped: Mapping[str, Any], records: bytes) -> None:
        """Take what another has dumped of lines that come behind these."""
        self.faults += Counter({FaultKind(*kind): count for *kind, count in dumped["faults"]})
        self._lines += dumped["lines"]
        if self.room:
            self._listed_lines += dumped["listed_lines"]
            self._listed_faults += dumped["listed_faults"]
            self._file.write(records.decode())
        else:
            self.is_cut |= dumped["lines"] > 0

    @property
    def by_code(self) -> Counter[str]:
        return counted_by_code(self.faults)

    @property
    def by_column(self) -> list[dict[str, object]]:
        return counted_by_column(self.faults)

    def fields(self) -> dict[str, Any]:
        """What the dataset's row tells of its rejects."""
        return {
            "rejects_by_code": dict(self.by_code),
            "rejects_by_column": self.by_column,
            "rejected_lines": self._lines,
            "listed_lines": self._listed_lines,
            "listed_faults": self._listed_faults,
            "listing_limit": self.limit,
        }

    def replace_stored(self, *, using: str) -> None:
        """Make these the dataset's stored rejects."""
        StoredReject.objects.using(using).filter(dataset=self._dataset).delete()
        if not self._listed_faults:
            return
        self._file.seek(0)
        with (
            staged(StoredReject._meta.db_table, _REJECT_COLUMNS, using=using) as place,
            connections[using].cursor() as cursor,
        ):
            cursor.copy_expert(f"COPY {place} FROM STDIN (FORMAT csv)", self._file)

    def _record(self, reject: Reject, *, is_first: bool) -> str:
        """A line's cells go with its first reject alone: 20 faults in a line of 500 cells are not 10,000 cells."""
        texts = (
            reject.column,
            reject.value,
            reject.code,
            reject.message,
            reject.hint,
            _array(reject.cells if is_first else []),
        )
        cells = ",".join(["" if text is None else _quoted(text) for text in texts])
        return f"{self._dataset.pk},{reject.line},{cells}\n"


def _quoted(text: str) -> str:
    r"""COPY's CSV takes nothing for null but an unquoted empty field, so that a cell may hold \N, \. or nothing."""
    return '"' + text.replace('"', '""') + '"'


def _array(cells: list[str]) -> str:
    # Hardly a cell holds what must be escaped: to look at a line's cells together takes a fifth of the time.
    together = '","'.join(cells)
    if cells and "\\" not in together and together.count('"') == 2 * (len(cells) - 1):
        return '{"' + together + '"}'
    quoted = (cell.replace("\\", "\\\\").replace('"', '\\"') for cell in cells)
    return "{" + ",".join(f'"{cell}"' for cell in quoted) + "}"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How many rows there were, in which partition those to load stand now, and what they hold."""

    counts: Counts
    bucket: int
    profiler: Profiler


def replace_rows(
    *,
    dataset: Dataset,
    source: SourceFile,
    spool: RejectSpool,
    seen: SeenKeys,
    progress: Progress,
    at: datetime,
    using: str,
) -> Loaded:
    """Put the file's clean rows in the place of whatever the dataset had; rejects go to `spool`, and what tells the
    rows from others to `seen`, both of them empty at first.

    `progress(done, total)` is called after each batch, in bytes of the file. A partition of the dataset's own that the
    rows leave is retired. Raises FileRefused with an empty `spool`: what was found until then is not the whole truth.
    """
    partitions.retire(dataset, at=at, using=using)
    remove_shared_rows(dataset=dataset, using=using)
    try:
        try:
            loaded = _load(dataset, source, spool=spool, seen=seen, progress=progress, using=using)
        except ReadOtherwise:
            spool.clear()
            seen.clear()
            loaded = _load(dataset, source, spool=spool, seen=seen, progress=progress, using=using)
    except FileRefused:
        spool.clear()
        raise
    digests.replace_stored(seen, dataset_no=dataset.number, using=using)
    return loaded


def _load(
    dataset: Dataset, source: SourceFile, *, spool: RejectSpool, seen: SeenKeys, progress: Progress, using: str
) -> Loaded:
    """All of it or, whatever is raised, nothing."""
    passing = Passing(source)
    with transaction.atomic(using=using):
        is_large = source.rows_at_most >= partitions.LARGE
        bucket = (
            partitions.make(dataset.department, dataset_no=dataset.number, using=using)
            if is_large
            else partitions.SHARED
        )
        # Closed, it adds nothing more: what comes next may be to clear the spool.
        with closing(passing.batches(spool=spool, seen=seen, progress=progress)) as ready:
            if is_large:
                table = partitions.partition_name(dataset.department, bucket=bucket)
                copy_frozen(ready, dataset=dataset, table=table, using=using)
                partitions.attach(dataset.department, bucket=bucket, using=using)
            else:
                _copy_shared(ready, dataset=dataset, using=using)
    return Loaded(counts=passing.counts, bucket=bucket, profiler=passing.profiler)


class Passing:
    """A file's batches on their way to the database, and what is counted of them as they pass."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self.counts = Counts()
        self.profiler = Profiler(source.department)

    @property
    def survey(self) -> Survey:
        return self._source.survey

    def batches(self, *, spool: RejectSpool, seen: SeenKeys, progress: Progress) -> Generator[pa.Table]:
        for batch in self._source.batches(seen=seen):
            self.counts += batch.counts
            spool.add(batch)
            self.profiler.add(batch.rows)
            if batch.rows.num_rows:
                yield batch.rows
            progress(batch.bytes_read, self._source.bytes_total)


def copy_frozen(batches: Iterator[pa.Table], *, dataset: Dataset, table: str, using: str) -> None:
    """Into a table that was made in this (sub)transaction and knows what it is part of. Frozen rows are never written
    again for vacuum's sake."""
    _copy(batches, dataset=dataset, table=table, options="FORMAT binary, FREEZE", using=using)


def _copy_shared(batches: Iterator[pa.Table], *, dataset: Dataset, using: str) -> None:
    placed = (_placed(rows, dataset_no=dataset.number) for rows in batches)
    table = partitions.partition_name(dataset.department, bucket=partitions.SHARED)
    _copy(placed, dataset=dataset, table=table, options="FORMAT binary", using=using)


def _copy(batches: Iterator[pa.Table], *, dataset: Dataset, table: str, options: str, using: str) -> None:
    first = next(batches, None)
    if first is None:
        return
    batches = chain([first], batches)
    names = in_order(first)
    written = BinaryRows(names, decimals=find_department(dataset.department).decimals)
    pieces = chain([BINARY_HEAD], chain.from_iterable(map(written.of, batches)), [BINARY_END])
    quoted = ", ".join(f'"{name}"' for name in names)
    copy_in(f'COPY "{table}" ({quoted}) FROM STDIN ({options})', pieces, using=using)


def remove_shared_rows(*, dataset: Dataset, using: str) -> int:
    """Delete the dataset's rows from the shared partition; returns how many there were."""
    rows = clean_table(dataset.department)._default_manager.using(using)
    deleted, _ = rows.filter(bucket=partitions.SHARED, dataset_no=dataset.number).delete()
    return deleted


def _placed(rows: pa.Table, *, dataset_no: int) -> pa.Table:
    """With what a partition of a dataset's own knows by itself."""
    for name, value in zip(_PLACE, (partitions.SHARED, dataset_no), strict=True):
        rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.int64()), rows.num_rows))
    return rows
