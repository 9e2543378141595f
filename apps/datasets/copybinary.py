"""Typed rows as COPY's binary format, which spares the server the reading of numbers and days.

A row is the number of its fields, then of each field its length in four bytes and its bytes; a length of -1 is a null.
All of it is in network order (PostgreSQL's documentation of COPY; a field holds what the receive function of its type
takes). Neighbouring fields that are as wide in every row are written by numpy, as one record a row.
"""

from collections.abc import Mapping, Sequence

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

Part = tuple[str, str, np.ndarray | int]


class BinaryRows:
    """Writes batches, whose columns are put into the order of `names`. `decimals` are the decimal places of every
    column of numbers, which have 15 digits at most."""

    def __init__(self, names: Sequence[str], *, decimals: Mapping[str, int]) -> None:
        self._names = names
        self._decimals = decimals

    def of(self, rows: pa.Table) -> bytes:
        """Without BINARY_HEAD and BINARY_END. Texts have no NUL, numbers are neither NaN nor infinite."""
        written: list[pa.BinaryArray] = []
        alike: list[Part] = [("fields", ">i2", len(self._names))]

        def close() -> None:
            nonlocal alike
            if alike:
                written.append(_records(alike, rows=rows.num_rows))
            alike = []

        for name in self._names:
            cells = rows.column(name).combine_chunks()
            if pa.types.is_string(cells.type):
                close()
                written += _text(cells)
            elif cells.null_count:
                close()
                written.append(_records(self._parts(name, cells), rows=rows.num_rows, valid=_valid(cells)))
            else:
                alike += self._parts(name, cells)
        close()
        joined = pc.binary_join_element_wise(*written, b"", null_handling="replace", null_replacement=_NULL)
        text: bytes = letters_of(joined).tobytes()
        return text

    def _parts(self, name: str, cells: pa.Array) -> list[Part]:
        """Of a column that is as wide in every row; of a null it is anything."""
        if pa.types.is_date32(cells.type):
            return [(f"{name} size", ">i4", 4), (name, ">i4", _values(cells.view(pa.int32())) - _EPOCH)]
        if pa.types.is_integer(cells.type):
            return [(f"{name} size", ">i4", 8), (name, ">i8", _values(cells))]
        return _numeric(name, _values(cells), places=self._decimals[name])


def _values(cells: pa.Array) -> np.ndarray:
    values: np.ndarray = (cells.fill_null(0) if cells.null_count else cells).to_numpy()
    return values


def _numeric(name: str, values: np.ndarray, *, places: int) -> list[Part]:
    """Sign, place of the first digit, and digits; the server drops zeros in front and behind."""
    behind = -(-places // _DIGITS)
    sizes = np.rint(np.abs(values) * 10.0**places).astype(np.int64) * 10 ** (behind * _DIGITS - places)
    digits: list[np.ndarray] = []
    left, most = sizes, int(sizes.max())
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


def _valid(cells: pa.Array) -> pa.Buffer:
    """As bits, beginning with the first cell: those of a slice need not."""
    return pa.py_buffer(np.packbits(cells.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))


def _binary(cells: np.ndarray, *, valid: pa.Buffer | None) -> pa.BinaryArray:
    """Of one width each, without a copy."""
    bounds = np.arange(len(cells) + 1, dtype=np.int32) * cells.dtype.itemsize
    return pa.BinaryArray.from_buffers(pa.binary(), len(cells), [valid, pa.py_buffer(bounds), pa.py_buffer(cells)])
