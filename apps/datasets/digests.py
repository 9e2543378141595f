"""The digests of loaded rows in PostgreSQL: written with the rows, looked up when another upload is compared with them.

A dataset's rows are spread by the first bits of their keys' hashes over parts of about a hundred. So a large upload is
read as a whole, one range of keys after the other, and of a large one only the parts are read in which the keys of a
small one would stand.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

import numpy as np

from aetherflow.etl.duplicates import RECORD, SeenKeys
from apps.datasets.copying import BINARY_END, BINARY_HEAD, copy_in, copy_out
from apps.datasets.models import RowDigests

# Rows of a part, at most, in the mean: 2 KB.
PART_ROWS = 128
# Rows worked at a time, at most, in the mean.
RANGE_ROWS = 1 << 17
# Parts asked for one by one where fewer than one in so many of a range are wanted.
_SPARSE = 4
_WANTED_AT_A_TIME = 10_000
_PIECE = 1 << 20

_TABLE = RowDigests._meta.db_table
# COPY's binary format: fields with their lengths, behind the number of them.
_STORED = struct.Struct(">hiqiii")
_FOUND = struct.Struct(">hiqi")

Take = Callable[[int, np.ndarray], None]


def part_bits(rows: int) -> int:
    """A dataset of so many rows has 2**bits parts."""
    return _bits(rows, each=PART_ROWS)


def range_bits(rows: int) -> int:
    return _bits(rows, each=RANGE_ROWS)


def _bits(rows: int, *, each: int) -> int:
    return (max(rows - 1, 0) // each).bit_length()


def replace_stored(seen: SeenKeys, *, dataset_no: int, using: str) -> None:
    """Make these the dataset's digests."""
    remove(dataset_no=dataset_no, using=using)
    statement = f"COPY {_TABLE} (dataset_no, part, digests) FROM STDIN (FORMAT binary)"
    copy_in(statement, chain([BINARY_HEAD], _tuples(seen, dataset_no=dataset_no), [BINARY_END]), using=using)


def remove(*, dataset_no: int, using: str) -> None:
    RowDigests.objects.using(using).filter(dataset_no=dataset_no).delete()


def _tuples(seen: SeenKeys, *, dataset_no: int) -> Iterator[bytes]:
    bits = part_bits(len(seen))
    for records in filter(len, seen.ranges(bits=range_bits(len(seen)))):
        parts = parts_of(records["key"], bits=bits)
        starts = np.flatnonzero(np.diff(parts, prepend=-1))
        ends = [*starts[1:].tolist(), len(records)]
        data, size = records.tobytes(), RECORD.itemsize
        tuples = []
        for part, start, end in zip(parts[starts].tolist(), starts.tolist(), ends, strict=True):
            tuples.append(_STORED.pack(3, 8, dataset_no, 4, part, (end - start) * size))
            tuples.append(data[start * size : end * size])
        yield b"".join(tuples)


def parts_of(keys: np.ndarray, *, bits: int) -> np.ndarray:
    """The number of the range, of 2**bits equal ones, in which each key stands."""
    return (keys >> np.uint64(64 - bits)).astype(np.int64) if bits else np.zeros(len(keys), np.int64)


def look_up(keys: np.ndarray, *, among: Mapping[int, int], take: Take, using: str) -> None:
    """Calls `take(dataset_no, records)` with RECORDs of each dataset, those that share a key with `keys` among them, in
    pieces of no particular order.

    `keys` are rising; `among` are the datasets' loaded rows by number.
    """
    wanted = np.concatenate([_wanted(keys, number, rows) for number, rows in among.items()])
    for at in range(0, len(wanted), _WANTED_AT_A_TIME):
        numbers, lows, highs = (_array(column) for column in wanted[at : at + _WANTED_AT_A_TIME].T)
        found = _Found(take)
        ranges = f"unnest({numbers}, {lows}, {highs}) AS wanted(number, low, high)"
        # OFFSET keeps the planner from joining: each range is one look into the key's index.
        here = "dataset_no = number AND part BETWEEN low AND high"
        parts = f"SELECT digests FROM {_TABLE} WHERE {here} OFFSET 0"  # noqa: S608  (all of it is ours)
        query = f"SELECT number, digests FROM {ranges} CROSS JOIN LATERAL ({parts}) found"  # noqa: S608  (numbers)
        copy_out(f"COPY ({query}) TO STDOUT (FORMAT binary)", found.add, using=using)
        found.flush()


def _wanted(keys: np.ndarray, number: int, rows: int) -> np.ndarray:
    """(number, first part, last part) of what is to be read of a dataset."""
    parts = parts_of(keys, bits=part_bits(rows))
    parts = parts[np.flatnonzero(np.diff(parts, prepend=-1))]
    if len(parts) * _SPARSE >= parts[-1] - parts[0] + 1:
        return np.array([(number, parts[0], parts[-1])], np.int64)
    return np.column_stack([np.full(len(parts), number), parts, parts])


def _array(numbers: np.ndarray) -> str:
    return f"ARRAY[{','.join(map(str, numbers.tolist()))}]::bigint[]"


class _Found:
    """Puts the answer's pieces together again, and those of one dataset that come one after the other into one."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._waiting = bytearray()
        self._skip = len(BINARY_HEAD)

    def add(self, data: bytes) -> None:
        self._waiting += data
        if len(self._waiting) >= _PIECE:
            self.flush()

    def flush(self) -> None:
        """Hand on all tuples that are there to their end."""
        at, held = self._skip, memoryview(bytes(self._waiting))
        number, pieces = 0, list[memoryview]()
        while at + _FOUND.size <= len(held):
            _, _, of, size = _FOUND.unpack_from(held, at)
            if at + _FOUND.size + size > len(held):
                break
            if of != number and pieces:
                self._take(number, np.frombuffer(b"".join(pieces), RECORD))
                pieces = []
            number = of
            at += _FOUND.size
            pieces.append(held[at : at + size])
            at += size
        if pieces:
            self._take(number, np.frombuffer(b"".join(pieces), RECORD))
        self._waiting = self._waiting[at:]
        self._skip = 0
