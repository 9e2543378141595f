"""A file that was made, and the part of making one that all departments share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """`bad` of the `rows` must be rejected, all others loaded."""

    path: Path
    rows: int
    bad: int

    @property
    def megabytes(self) -> float:
        return self.path.stat().st_size / 1e6


def spoilt(texts: pl.DataFrame, bad: np.ndarray, *, kinds: Mapping[str, str | None]) -> pl.DataFrame:
    """The bad rows with one cell each that cannot be loaded: column → cell, of each kind in turn."""
    turn = np.where(bad, np.cumsum(bad) % len(kinds), -1)
    return texts.with_columns(
        pl.when(pl.lit(pl.Series(turn == at))).then(pl.lit(cell)).otherwise(pl.col(name)).alias(name)
        for at, (name, cell) in enumerate(kinds.items())
    )


def some(rng: np.random.Generator, rows: int, *, share: float) -> np.ndarray:
    """Which rows: just this share of them."""
    chosen = np.zeros(rows, dtype=bool)
    chosen[rng.choice(rows, size=round(rows * share), replace=False)] = True
    return chosen


def money(cents: str) -> pl.Expr:
    """A column of whole cents as texts such as 12.05."""
    rest = (pl.col(cents) % 100).cast(pl.String).str.zfill(2)
    return pl.format("{}.{}", pl.col(cents) // 100, rest)
