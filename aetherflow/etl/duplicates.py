"""Repeats of the natural key inside one file, over all its batches, in 20 bytes per row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aetherflow.etl.digests import Digests

# A row as other uploads are compared with it: its key, the check of its key, and itself.
RECORD = np.dtype([("key", "<u8"), ("check", "<u4"), ("row", "<u4")])
# Merging holds both runs twice over; runs of this size are left alone, and looked up one after the other.
LARGEST_RUN = 1 << 18


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Keys sorted by their first 64 bits, each with its check, the line it was first seen on and that row's digest."""

    keys: np.ndarray
    checks: np.ndarray
    lines: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    def only(self, which: np.ndarray | slice) -> _Run:
        return _Run(keys=self.keys[which], checks=self.checks[which], lines=self.lines[which], rows=self.rows[which])


class SeenKeys:
    """The keys of the rows loaded so far, with the rows' digests.

    Runs are merged by size, as in a log-structured merge tree: a look-up is a few binary searches.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

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
        run = _Run(
            keys=firsts[order],
            checks=checks[order],
            lines=lines[order].astype(np.uint32),
            rows=digests.rows[order],
        )
        seen = np.zeros(len(run), dtype=np.int64)
        for earlier in self._runs:
            at = np.minimum(np.searchsorted(earlier.keys, run.keys), len(earlier) - 1)
            same = (earlier.keys[at] == run.keys) & (earlier.checks[at] == run.checks)
            seen[same] = earlier.lines[at[same]]
        starts = np.r_[True, (run.keys[1:] != run.keys[:-1]) | (run.checks[1:] != run.checks[:-1])]
        first_here = run.lines[np.maximum.accumulate(np.where(starts, np.arange(len(run)), 0))]
        seen = np.where((seen == 0) & ~starts, first_here, seen)
        new = seen == 0
        self._add(run if new.all() else run.only(new))
        answer = np.empty(len(run), dtype=np.int64)
        answer[order] = seen
        return answer

    def ranges(self, *, bits: int) -> Iterator[np.ndarray]:
        """The rows as RECORDs by rising key, those of one of 2**bits equal ranges of keys at a time."""
        inner = np.arange(1, 1 << bits, dtype=np.uint64) << np.uint64(64 - bits) if bits else np.zeros(0, np.uint64)
        bounds = [np.r_[0, np.searchsorted(run.keys, inner), len(run)].tolist() for run in self._runs]
        for at in range(1 << bits):
            pieces = [run.only(slice(ends[at], ends[at + 1])) for run, ends in zip(self._runs, bounds, strict=True)]
            keys = np.concatenate([piece.keys for piece in pieces]) if pieces else np.zeros(0, np.uint64)
            order = np.argsort(keys, kind="stable")
            records = np.empty(len(keys), RECORD)
            if pieces:
                records["key"] = keys[order]
                records["check"] = np.concatenate([piece.checks for piece in pieces])[order]
                records["row"] = np.concatenate([piece.rows for piece in pieces])[order]
            yield records

    def _add(self, run: _Run) -> None:
        while self._runs and len(self._runs[-1]) <= min(2 * len(run), LARGEST_RUN):
            run = _merged(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)


def _merged(one: _Run, other: _Run) -> _Run:
    keys = np.concatenate([one.keys, other.keys])
    order = np.argsort(keys, kind="stable")
    return _Run(
        keys=keys[order],
        checks=np.concatenate([one.checks, other.checks])[order],
        lines=np.concatenate([one.lines, other.lines])[order],
        rows=np.concatenate([one.rows, other.rows])[order],
    )
