"""Typed rows as COPY's binary format, which spares the server the reading of numbers and days.

A row is the number of its fields, then of each field its length in four bytes and its bytes; a length of -1 is a null.
All of it is in network order (PostgreSQL's documentation of COPY; a field holds what the receive function of its type
takes). To put rows together takes a time for each of their pieces, so neighbours become one piece first: fields of one
width are a record that numpy writes, and dictionary-encoded texts one look into the table of all of them together.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aetherflow.etl.casting import letters_of

_NULL = b"\xff\xff\xff\xff"
# PostgreSQL counts days from 2000-01-01, Arrow from 1970-01-01.
_EPOCH = 10_957
# A numeric's digits are of this base, each a number of 16 bits.
_BASE, _DIGITS = 10_000, 4
_NEGATIVE = 0x4000
# Rows that are put together at a time: the server has the first of a batch while the others are.
_ROWS_SENT = 1 << 14
# Dictionaries are multiplied with each other up to so many entries.
_MOST_TOGETHER = 4_096

Part = tuple[str, str, np.ndarray | int]


def in_order(rows: pa.Table) -> list[str]:
    """The columns such that neighbours can be put together, as far as these rows tell: texts last, and of them those
    that repeat most first."""

    def place(name: str) -> tuple[int, int]:
        cells = rows.column(name)
        if pa.types.is_dictionary(cells.type):
            cells = pa.chunked_array([cells.combine_chunks().indices])
        elif not pa.types.is_string(cells.type):
            return 0, cells.null_count
        return 1, pc.count_distinct(cells).as_py()

    return sorted(rows.column_names, key=place)


class BinaryRows:
    """Writes batches, whose columns are put into the order of `names`. `decimals` are the decimal places of every
    column of numbers, which have 15 digits at most."""

    def __init__(self, names: Sequence[str], *, decimals: Mapping[str, int]) -> None:
        self._names = names
        self._decimals = decimals

    def of(self, rows: pa.Table) -> Iterator[bytes]:
        """In pieces, without BINARY_HEAD and BINARY_END. Texts have no NUL, numbers are neither NaN nor infinite."""
        columns = [(name, rows.column(name).combine_chunks()) for name in self._names]
        pieces: list[pa.BinaryArray] = []
        parts: list[Part] = [("fields", ">i2", len(columns))]
        for way, group in groupby(columns, key=lambda column: _way(column[1])):
            neighbours = list(group)
            if way is _Way.EVEN:
                parts += [part for name, cells in neighbours for part in self._parts(name, cells)]
            if parts:
                pieces.append(_records(parts, rows=rows.num_rows))
                parts = []
            if way is _Way.UNEVEN:
                pieces += [self._uneven(name, cells) for name, cells in neighbours]
            if way is _Way.TEXT:
                pieces += [piece for _, cells in neighbours for piece in _text(cells)]
            if way is _Way.ENCODED:
                pieces += _encoded([cells for _, cells in neighbours])
        for at in range(0, rows.num_rows, _ROWS_SENT):
            yield letters_of(_joined([piece.slice(at, _ROWS_SENT) for piece in pieces])).tobytes()

    def _uneven(self, name: str, cells: pa.Array) -> pa.BinaryArray:
        return _records(self._parts(name, cells), rows=len(cells), valid=_valid(cells))

    def _parts(self, name: str, cells: pa.Array) -> list[Part]:
        """Of a column that is as wide in every row; of a null it is anything."""
        if pa.types.is_date32(cells.type):
            return [(f"{name} size", ">i4", 4), (name, ">i4", _values(cells.view(pa.int32())) - _EPOCH)]
        if pa.types.is_integer(cells.type):
            return [(f"{name} size", ">i4", 8), (name, ">i8", _values(cells))]
        return _numeric(name, _values(cells), places=self._decimals[name])


class _Way(Enum):
    """How a column of a batch is written."""

    EVEN = auto()
    UNEVEN = auto()
    TEXT = auto()
    ENCODED = auto()


def _way(cells: pa.Array) -> _Way:
    if pa.types.is_dictionary(cells.type):
        return _Way.ENCODED
    if pa.types.is_string(cells.type):
        return _Way.TEXT
    return _Way.UNEVEN if cells.null_count else _Way.EVEN


def _joined(pieces: list[pa.BinaryArray]) -> pa.BinaryArray:
    return pc.binary_join_element_wise(*pieces, b"", null_handling="replace", null_replacement=_NULL)


def _values(cells: pa.Array) -> np.ndarray:
    values: np.ndarray = (cells.fill_null(0) if cells.null_count else cells).to_numpy()
    return values


def _numeric(name: str, values: np.ndarray, *, places: int) -> list[Part]:
    """Sign, place of the first digit, and digits; the server drops zeros in front and behind."""
    behind = -(-places // _DIGITS)
    left = np.rint(np.abs(values) * 10.0**places).astype(np.int64) * 10 ** (behind * _DIGITS - places)
    digits: list[np.ndarray] = []
    most = int(left.max())
    while most or len(digits) <= behind:
        left, digit = np.divmod(left, _BASE)
        digits.append(digit)
        most //= _BASE
    parts: list[Part] = [
        (f"{name} size", ">i4", 8 + 2 * len(digits)),
        (f"{name} digits", ">i2", len(digits)),
        (f"{name} weight", ">i2", len(digits) - behind - 1),
        (f"{name} sign", ">u2", np.where(values < 0, np.uint16(_NEGATIVE), np.uint16(0))),
        (f"{name} places", ">i2", places),
    ]
    return parts + [(f"{name} {at}", ">i2", digit) for at, digit in enumerate(reversed(digits))]


def _records(parts: list[Part], *, rows: int, valid: pa.Buffer | None = None) -> pa.BinaryArray:
    written = np.empty(rows, [(name, kind) for name, kind, _ in parts])
    for name, _, values in parts:
        written[name] = values
    return _binary(written, valid=valid)


def _text(cells: pa.StringArray) -> list[pa.BinaryArray]:
    """Lengths, and what is so long."""
    valid = _valid(cells) if cells.null_count else None
    present = cells.fill_null("") if cells.null_count else cells
    bounds = np.frombuffer(present.buffers()[1], np.int32)[present.offset : present.offset + len(present) + 1]
    return [_binary(np.diff(bounds).astype(">i4"), valid=valid), present.cast(pa.binary())]


def _encoded(columns: list[pa.DictionaryArray]) -> list[pa.BinaryArray]:
    """One piece for as many neighbours as may be put together."""
    pieces: list[pa.BinaryArray] = []
    while columns:
        sizes = np.cumprod([len(cells.dictionary) + 1 for cells in columns], dtype=float)
        together = max(1, int((sizes <= _MOST_TOGETHER).sum()))
        pieces.append(_looked_up(columns[:together]))
        columns = columns[together:]
    return pieces


def _looked_up(columns: list[pa.DictionaryArray]) -> pa.BinaryArray:
    """Of each row the fields of all `columns`, from a table of all their entries with each other."""
    fields = [_joined(_text(pa.concat_arrays([cells.dictionary, pa.nulls(1, pa.string())]))) for cells in columns]
    shape = [len(each) for each in fields]
    codes = [pc.fill_null(cells.indices, size - 1).to_numpy() for cells, size in zip(columns, shape, strict=True)]
    places = np.unravel_index(np.arange(np.prod(shape)), shape)
    table = _joined([each.take(pa.array(at)) for each, at in zip(fields, places, strict=True)])
    return table.take(pa.array(np.ravel_multi_index(codes, shape)))


def _valid(cells: pa.Array) -> pa.Buffer:
    """As bits, beginning with the first cell: those of a slice need not."""
    return pa.py_buffer(np.packbits(cells.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))


def _binary(cells: np.ndarray, *, valid: pa.Buffer | None) -> pa.BinaryArray:
    """Of one width each, without a copy."""
    bounds = np.arange(len(cells) + 1, dtype=np.int32) * cells.dtype.itemsize
    return pa.BinaryArray.from_buffers(pa.binary(), len(cells), [valid, pa.py_buffer(bounds), pa.py_buffer(cells)])
