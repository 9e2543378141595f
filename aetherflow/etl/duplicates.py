"""Repeats of the natural key inside one file, over all its batches, in 20 bytes per row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

SEEDS = (0x5EED, 0xA1E7)
# Merging holds both runs twice over; runs of this size are left alone, and looked up one after the other.
LARGEST_RUN = 1 << 18


@dataclass(frozen=True, kw_only=True)
class _Run:
    """Keys sorted by their first 64 bits, each with its second 64 bits and the line it was first seen on."""

    keys: np.ndarray
    checks: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)


class SeenKeys:
    """The keys of the rows loaded so far.

    A key is 128 bits of hash, so two different keys are taken for one with a chance below 1e-24 in a file of ten
    million rows. Runs are merged by size, as in a log-structured merge tree: a look-up is a few binary searches.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    def repeats(self, keys: pa.Table, lines: np.ndarray) -> np.ndarray:
        """For each row the line where its key was first seen, 0 for a new key, which is remembered.

        `keys` are the key columns, none of them null; `lines` the rows' own lines, rising.
        """
        if not len(lines):
            return np.zeros(0, dtype=np.int64)
        firsts, checks = (_hashes(keys, seed=seed) for seed in SEEDS)
        order = np.argsort(firsts)
        if (firsts[order][1:] == firsts[order][:-1]).any():
            # Repeats, or keys that share half of their hash: which of them is the first is for the rest to say.
            order = np.lexsort((lines, checks, firsts))
        run = _Run(keys=firsts[order], checks=checks[order], lines=lines[order].astype(np.uint32))
        seen = np.zeros(len(run), dtype=np.int64)
        for earlier in self._runs:
            at = np.minimum(np.searchsorted(earlier.keys, run.keys), len(earlier) - 1)
            same = (earlier.keys[at] == run.keys) & (earlier.checks[at] == run.checks)
            seen[same] = earlier.lines[at[same]]
        starts = np.r_[True, (run.keys[1:] != run.keys[:-1]) | (run.checks[1:] != run.checks[:-1])]
        first_here = run.lines[np.maximum.accumulate(np.where(starts, np.arange(len(run)), 0))]
        seen = np.where((seen == 0) & ~starts, first_here, seen)
        new = seen == 0
        self._add(_Run(keys=run.keys[new], checks=run.checks[new], lines=run.lines[new]))
        answer = np.empty(len(run), dtype=np.int64)
        answer[order] = seen
        return answer

    def _add(self, run: _Run) -> None:
        while self._runs and len(self._runs[-1]) <= min(2 * len(run), LARGEST_RUN):
            run = _merged(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)


def _hashes(keys: pa.Table, *, seed: int) -> np.ndarray:
    return pl.DataFrame(keys).to_struct().hash(seed).to_numpy()


def _merged(one: _Run, other: _Run) -> _Run:
    keys = np.concatenate([one.keys, other.keys])
    order = np.argsort(keys, kind="stable")
    return _Run(
        keys=keys[order],
        checks=np.concatenate([one.checks, other.checks])[order],
        lines=np.concatenate([one.lines, other.lines])[order],
    )
