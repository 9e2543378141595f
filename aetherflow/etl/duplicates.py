"""Repeats of the natural key inside one file, over all its batches, in 8 bytes of memory and 12 on disk a row."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from aetherflow.etl.digests import Digests

# A row as other uploads are compared with it: its key, the check of its key, and itself.
RECORD = np.dtype([("key", "<u8"), ("check", "<u4"), ("row", "<u4")])
# Merging holds both runs twice over; larger runs than this are left alone, and looked up one after the other.
LARGEST_RUN = 1 << 18
# So many runs are searched one after the other; of more it pays to know which keys are new before.
FILTERED_RUNS = 4
_FILTER_BITS = 27
# What is told of a key beside itself, as columns of uint32: its check, the line it was first seen on, the row's digest.
_CHECK, _LINE, _ROW = range(3)
_TOLD = 3
DUMPED = np.dtype([("key", "<u8"), ("told", "<u4", (_TOLD,))])
# Of a run on disk so many keys are read at once where one of them is asked for: 48 KB.
_WINDOW = 1 << 12


class _Told(Protocol):
    def at(self, places: np.ndarray) -> np.ndarray:
        """Keys by _TOLD; `places` are rising."""
        ...

    def between(self, start: int, end: int) -> np.ndarray: ...


@dataclass(frozen=True)
class _InMemory:
    cells: np.ndarray

    def at(self, places: np.ndarray) -> np.ndarray:
        return self.cells.take(places, axis=0)

    def between(self, start: int, end: int) -> np.ndarray:
        return self.cells[start:end]


@dataclass(frozen=True)
class _OnDisk:
    """What is told of one run, from `offset` bytes on in a file of several."""

    file: int
    offset: int

    def at(self, places: np.ndarray) -> np.ndarray:
        windows = places // _WINDOW
        firsts = np.flatnonzero(np.diff(windows, prepend=-1))
        found = np.empty((len(places), _TOLD), np.uint32)
        for first, after in zip(firsts.tolist(), [*firsts[1:].tolist(), len(places)], strict=True):
            here = places[first:after]
            read = self.between(int(here[0]), int(here[-1]) + 1)
            found[first:after] = read.take(here - here[0], axis=0)
        return found

    def between(self, start: int, end: int) -> np.ndarray:
        size = _TOLD * np.dtype(np.uint32).itemsize
        read = os.pread(self.file, (end - start) * size, self.offset + start * size)
        return np.frombuffer(read, np.uint32).reshape(-1, _TOLD)


@dataclass(frozen=True)
class _Run:
    """Keys sorted by their first 64 bits, and what is told of each."""

    keys: np.ndarray
    told: _Told

    def __len__(self) -> int:
        return len(self.keys)


def _apart(keys: np.ndarray) -> np.ndarray:
    """In memory of its own: among what is needed for a batch it would keep whole pages that are free otherwise."""
    kept = np.frombuffer(mmap.mmap(-1, keys.nbytes), keys.dtype)
    kept[:] = keys
    return kept


class _Filter:
    """Tells of most new keys that they are new, in 16 MB: a bit for each of equal ranges of keys, set where one was
    seen. Ten million keys set one bit in fourteen. A filter of Bloom's (1970) with one function, so that sorted keys
    are looked up in the order of memory."""

    def __init__(self) -> None:
        self._bits = np.zeros(1 << (_FILTER_BITS - 3), np.uint8)

    def may_hold(self, keys: np.ndarray) -> np.ndarray:
        place, bit = self._places(keys)
        return (self._bits[place] & bit) != 0

    def add(self, keys: np.ndarray) -> None:
        np.bitwise_or.at(self._bits, *self._places(keys))

    @staticmethod
    def _places(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = (keys >> np.uint64(64 - _FILTER_BITS)).astype(np.int64)
        return at >> 3, np.left_shift(1, at & 7).astype(np.uint8)


class SeenKeys:
    """The keys of the rows loaded so far, with the rows' digests.

    Runs are merged by size, as in a log-structured merge tree: a look-up is a few binary searches, of which a filter
    spares most keys once there are several runs. Of a run that is not merged any more only the keys stay in memory: the
    rest goes to a file, which has no name and so is gone with `clear`, or with its process. Adding keys raises OSError
    where the disk is full.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._filter: _Filter | None = None
        self._held = ExitStack()
        self._file = -1
        self._written = 0

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all keys, and let go of the file."""
        self._runs, self._filter = [], None
        self._held.close()
        self._file, self._written = -1, 0

    def repeats(self, digests: Digests, lines: np.ndarray) -> np.ndarray:
        """For each row the line where its key was first seen, 0 for a new key, which is remembered.

        `lines` are the rows' own lines, rising.
        """
        if not len(lines):
            return np.zeros(0, dtype=np.int64)
        firsts, checks = digests.keys, digests.checks
        order = np.argsort(firsts)
        if (firsts[order][1:] == firsts[order][:-1]).any():
            # Repeats, or keys that share half of their hash: which of them is the first is for the rest to say.
            order = np.lexsort((lines, checks, firsts))
        keys, told = firsts[order], np.column_stack([checks, lines.astype(np.uint32), digests.rows]).take(order, axis=0)
        seen = self._first_seen(keys, told[:, _CHECK])
        starts = np.r_[True, (keys[1:] != keys[:-1]) | (told[1:, _CHECK] != told[:-1, _CHECK])]
        first_here = told[np.maximum.accumulate(np.where(starts, np.arange(len(keys)), 0)), _LINE]
        seen = np.where((seen == 0) & ~starts, first_here, seen)
        new = seen == 0
        self._add(*((keys, told) if new.all() else (keys[new], told[new])))
        answer = np.empty(len(keys), dtype=np.int64)
        answer[order] = seen
        return answer

    def dump(self) -> np.ndarray:
        """All of it, for `merge` elsewhere: DUMPED by rising key."""
        keys = np.concatenate([np.zeros(0, np.uint64), *(run.keys for run in self._runs)])
        told = np.concatenate([np.zeros((0, _TOLD), np.uint32), *(run.told.between(0, len(run)) for run in self._runs)])
        order = np.argsort(keys, kind="stable")
        dumped = np.empty(len(keys), DUMPED)
        dumped["key"], dumped["told"] = keys[order], told[order]
        return dumped

    def merge(self, dumped: np.ndarray) -> bool:
        """Take what another has dumped whose lines all come behind those seen here. False, with nothing taken, where a
        key among them was seen before."""
        keys, told = np.ascontiguousarray(dumped["key"]), np.ascontiguousarray(dumped["told"])
        if self._first_seen(keys, told[:, _CHECK]).any():
            return False
        self._add(keys, told)
        return True

    def ranges(self, *, bits: int) -> Iterator[np.ndarray]:
        """The rows as RECORDs by rising key, those of one of 2**bits equal ranges of keys at a time."""
        inner = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits) if bits else np.zeros(0, np.uint64)
        bounds = [np.r_[0, np.searchsorted(run.keys, inner), len(run)].tolist() for run in self._runs]
        for at in range(1 << bits):
            pieces = [(run, ends[at], ends[at + 1]) for run, ends in zip(self._runs, bounds, strict=True)]
            keys = np.concatenate([np.zeros(0, np.uint64), *(run.keys[start:end] for run, start, end in pieces)])
            order = np.argsort(keys, kind="stable")
            records = np.empty(len(keys), RECORD)
            if pieces:
                told = np.concatenate([run.told.between(start, end) for run, start, end in pieces])
                records["key"] = keys[order]
                records["check"] = told[order, _CHECK]
                records["row"] = told[order, _ROW]
            yield records

    def _first_seen(self, keys: np.ndarray, checks: np.ndarray) -> np.ndarray:
        """For each of the sorted keys the line where it was first seen in an earlier batch, 0 where it was not."""
        seen = np.zeros(len(keys), dtype=np.int64)
        asked = np.arange(len(keys)) if self._filter is None else np.flatnonzero(self._filter.may_hold(keys))
        keys, checks = keys[asked], checks[asked]
        for earlier in self._runs if len(keys) else ():
            at = np.minimum(np.searchsorted(earlier.keys, keys), len(earlier) - 1)
            alike = np.flatnonzero(earlier.keys[at] == keys)
            if len(alike):
                found = earlier.told.at(at[alike])
                same = found[:, _CHECK] == checks[alike]
                seen[asked[alike[same]]] = found[same, _LINE]
        return seen

    def _add(self, keys: np.ndarray, told: np.ndarray) -> None:
        if self._filter is not None:
            self._filter.add(keys)
        while self._runs and len(self._runs[-1]) <= min(2 * len(keys), LARGEST_RUN):
            earlier = self._runs.pop()
            keys = np.concatenate([earlier.keys, keys])
            order = np.argsort(keys, kind="stable")
            keys = keys[order]
            told = np.concatenate([earlier.told.between(0, len(earlier)), told]).take(order, axis=0)
        if len(keys) > LARGEST_RUN:
            self._runs.append(_Run(_apart(keys), self._on_disk(told)))
        elif len(keys):
            self._runs.append(_Run(keys, _InMemory(told)))
        if self._filter is None and len(self._runs) >= FILTERED_RUNS:
            self._filter = _Filter()
            for run in self._runs:
                self._filter.add(run.keys)

    def _on_disk(self, told: np.ndarray) -> _OnDisk:
        if not self._written:
            file = TemporaryFile(buffering=0)  # noqa: SIM115  (closed by `clear`)
            self._file = self._held.enter_context(file).fileno()
        offset, left = self._written, memoryview(told.tobytes())
        while left:
            done = os.pwrite(self._file, left, self._written)
            self._written += done
            left = left[done:]
        return _OnDisk(self._file, offset)
