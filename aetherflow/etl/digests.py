"""Digests of clean rows: what tells, without the rows, which of two uploads are the same row and which have changed.

They are compared with those of uploads made months ago, on other machines and by other versions of every library, so
the hash is written out here: splitmix64's mixing of 8 bytes at a time, over all rows of a column at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# To be raised with every change of what a row's digest is: digests of different versions are never compared.
VERSION = 1

_WORD = 8
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(_WORD + 1)], dtype="<u8")
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_HALF = np.uint64(32)
Seeds = tuple[np.uint64, ...]
# Of dictionary-encoded columns: the hashes of their texts, by each seed.
Known = Mapping[str, list[np.ndarray]]
# Rows at a time: what is at work on them stays in the processor's cache, which is worth a third of the time.
_BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Digests:
    """One of each a row: `keys` (uint64) and `checks` (uint32) are 96 bits of hash of the natural key, `rows` (uint32)
    are 32 of the whole row.

    Two different keys among ten million rows are taken for one with a chance below 1e-15; of the rows of a file that
    did change, one in four thousand million is taken for unchanged.
    """

    keys: np.ndarray
    checks: np.ndarray
    rows: np.ndarray


def digests(rows: pa.Table, *, key: Sequence[str], decimals: Mapping[str, int]) -> Digests:
    """`key` names the columns of the natural key, `decimals` the decimal places of every column of numbers. Columns of
    texts may be dictionary-encoded.

    A null adds nothing, so that a column which a department gets later leaves the digests of rows without it as they
    are. A column's name is part of them, its place in the table is not.
    """
    seeds = {name: _seeds(name, both=name in key) for name in rows.column_names}
    known = {
        name: _of_texts(rows.column(name).combine_chunks().dictionary, seeds[name])
        for name in rows.column_names
        if pa.types.is_dictionary(rows.column(name).type)
    }
    blocks = [
        _digests(rows.slice(at, _BLOCK), key=key, decimals=decimals, seeds=seeds, known=known)
        for at in range(0, max(rows.num_rows, 1), _BLOCK)
    ]
    return Digests(
        keys=np.concatenate([block.keys for block in blocks]),
        checks=np.concatenate([block.checks for block in blocks]),
        rows=np.concatenate([block.rows for block in blocks]),
    )


def _digests(
    rows: pa.Table, *, key: Sequence[str], decimals: Mapping[str, int], seeds: Mapping[str, Seeds], known: Known
) -> Digests:
    hashes = {
        name: _hashes(rows.column(name), decimals=decimals.get(name), seeds=seeds[name], known=known.get(name))
        for name in rows.column_names
    }
    return Digests(
        keys=_sum([hashes[name][0] for name in key]),
        checks=(_sum([hashes[name][1] for name in key]) >> _HALF).astype(np.uint32),
        rows=(_sum([first for first, *_ in hashes.values()]) >> _HALF).astype(np.uint32),
    )


def _sum(hashes: list[np.ndarray]) -> np.ndarray:
    """Modulo 2**64."""
    total = hashes[0].copy()
    for each in hashes[1:]:
        total += each
    return total


@cache
def _seeds(name: str, *, both: bool) -> Seeds:
    purposes = ("row", "check") if both else ("row",)
    written = b"".join(blake2b(f"{purpose}:{name}".encode(), digest_size=_WORD).digest() for purpose in purposes)
    return tuple(np.frombuffer(written, dtype="<u8"))


def _hashes(
    column: pa.ChunkedArray, *, decimals: int | None, seeds: Seeds, known: list[np.ndarray] | None
) -> list[np.ndarray]:
    """The column's hashes by each seed."""
    cells = column.combine_chunks()
    if known is not None:
        at = pc.fill_null(cells.indices, 0).to_numpy()
        found = [of_texts[at] if len(of_texts) else np.zeros(len(at), np.uint64) for of_texts in known]
    elif pa.types.is_string(cells.type):
        found = _of_texts(cells, seeds)
    else:
        values = _whole(cells, decimals)
        found = [_mixed(values ^ seed) for seed in seeds]
    if cells.null_count:
        nulls = pc.is_null(cells).to_numpy(zero_copy_only=False)
        for hashes in found:
            hashes[nulls] = 0
    return found


def _whole(cells: pa.Array, decimals: int | None) -> np.ndarray:
    """Of decimal numbers the whole number of their last place: how float64 spells them is not theirs."""
    if pa.types.is_date32(cells.type):
        cells = cells.cast(pa.int32())
    values = pc.fill_null(cells, 0).to_numpy(zero_copy_only=False)
    if decimals is not None:
        values = np.rint(values * 10.0**decimals)
    return values.astype("<i8").view("<u8")


def _of_texts(cells: pa.StringArray, seeds: Seeds) -> list[np.ndarray]:
    """Word by word, each of 8 bytes; of texts that have ended nothing is read any more."""
    _, offsets, data = cells.buffers()
    bounds = np.frombuffer(offsets, np.int32)[cells.offset : cells.offset + len(cells) + 1].astype(np.int64)
    first, last = (int(bounds[0]), int(bounds[-1])) if len(bounds) else (0, 0)
    # With room for the last text's last word.
    written = np.zeros(last - first + _WORD, np.uint8)
    if last > first:
        written[:-_WORD] = np.frombuffer(data, np.uint8)[first:last]
    # The eight bytes from each byte on.
    words = np.ndarray((len(written) - _WORD + 1,), "<u8", buffer=written, strides=(1,))
    starts, left = bounds[:-1] - first, np.diff(bounds)
    word = _words_at(words, starts, left) ^ left.astype("<u8")
    found = [_mixed(word ^ seed) for seed in seeds]
    for done in range(_WORD, int(left.max(initial=0)), _WORD):
        going = left > done
        rows = slice(None) if going.all() else np.flatnonzero(going)
        word = _words_at(words, starts[rows] + done, left[rows] - done)
        for hashes in found:
            hashes[rows] = _mixed(hashes[rows] ^ word)
    return found


def _words_at(words: np.ndarray, starts: np.ndarray, left: np.ndarray) -> np.ndarray:
    found = words[starts]
    found &= _MASKS[np.minimum(left, _WORD)]
    return found


def _mixed(values: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser, in place: one-to-one, and each bit of the result hangs on each bit of the value."""
    shifted = values >> _30
    values ^= shifted
    values *= _FIRST
    np.right_shift(values, _27, out=shifted)
    values ^= shifted
    values *= _SECOND
    np.right_shift(values, _31, out=shifted)
    values ^= shifted
    return values
