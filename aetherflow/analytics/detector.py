"""Which rows of a table of numbers are strange, without knowing what the numbers mean.

Four voices that fail for different reasons (rows that few cuts isolate; values that are rare by themselves; mixtures of
values that are rare; rows far from their neighbours) are each turned into ranks and combined, so that no voice's scale
counts for more than another's.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import NearestNeighbors

from aetherflow.analytics.columns import Floats

_TREES = 300
_NEIGHBOURS = 20
# Neighbours are looked for among at most so many rows: a table of any length costs a constant for each row.
_REFERENCES = 2_000
_CHUNK = 100_000


def strangeness(table: Floats, *, seed: int = 0) -> Floats:
    """How strange each row is among the others: (rows, columns) -> (rows,), in [0, inf), larger is stranger.

    The mean over the voices of -ln(1 - p), p the share of rows that are less strange to that voice: Fisher's way to
    combine tests (1932) with empirical p-values. 1 is what a row without any peculiarity has on average. What is not
    finite is taken for the column's median: nothing is known of it. Rows that are equal are equally strange, in any
    order of the rows. Zeros where no two rows differ. ValueError where the table does not have two dimensions.
    """
    if table.ndim != 2:
        raise ValueError(f"A table has rows and columns; this has {table.ndim} dimensions.")
    known = standardised(np.asarray(table, dtype=np.float64))
    if known.shape[1] == 0:
        return np.zeros(len(table))
    # The voices draw rows by their position: sorted, so that the order in which rows arrive changes nothing.
    order = np.lexsort(known.T)
    ordered = known[order]
    voices = [
        by_isolation(ordered, seed=seed),
        by_histograms(ordered),
        by_histograms(components(ordered)),
        by_neighbours(ordered, seed=seed),
    ]
    combined = np.empty(len(table))
    combined[order] = np.mean([_surprise(voice) for voice in voices], axis=0)
    return combined


def by_isolation(table: Floats, *, seed: int) -> Floats:
    """The share of cuts that isolate a row, (rows,) in (0, 1): Isolation Forest, Liu, Ting & Zhou (2008)."""
    forest = IsolationForest(n_estimators=_TREES, random_state=seed).fit(table)
    return np.concatenate([-forest.score_samples(table[at : at + _CHUNK]) for at in range(0, len(table), _CHUNK)])


def by_histograms(table: Floats) -> Floats:
    """The sum over columns of -ln of the density of a row's bin, (rows,): HBOS, Goldstein & Dengel (2012), with one
    more row in every bin, so that no density is zero. sqrt(rows) bins of equal width, 5 to 50."""
    rows = len(table)
    bins = int(np.clip(np.sqrt(rows), 5, 50))
    total = np.zeros(rows)
    for column in table.T:
        counts, edges = np.histogram(column, bins=bins)
        place = np.searchsorted(edges[1:-1], column, side="right")
        total -= np.log((counts[place] + 1) / (rows + bins))
    return total


def by_neighbours(table: Floats, *, seed: int) -> Floats:
    """The distance to the 20th nearest other row, (rows,): Ramaswamy, Rastogi & Shim (2000).

    In a long table the neighbours are looked for in a sample of it, which finds what stands apart as well or better:
    Sugiyama & Borgwardt (2013). In a table of few rows the neighbour is half-way through it at most.
    """
    rows = len(table)
    sample = table
    if rows > _REFERENCES:
        chosen = np.random.default_rng(seed).choice(rows, size=_REFERENCES, replace=False)
        sample = table[np.sort(chosen)]
    # A row that is its own nearest neighbour counts as one of them.
    nearest = min(_NEIGHBOURS + 1, max(2, len(sample) // 2), len(sample))
    search = NearestNeighbors(n_neighbors=nearest, algorithm="brute").fit(sample)
    return np.concatenate([search.kneighbors(table[at : at + _CHUNK])[0][:, -1] for at in range(0, rows, _CHUNK)])


def components(table: Floats) -> Floats:
    """The rows of a standardised table on its principal axes, each with deviation 1: (rows, columns) -> (rows, axes).

    Where columns go together, a row that breaks the rule stands out on an axis of little variance and on no column:
    Shyu, Chen, Sarinnapakorn & Chang (2003). Axes without variance are left out.
    """
    variances, axes = np.linalg.eigh(table.T @ table / len(table))
    varying = variances > 1e-9 * variances[-1]
    # Rounded: equal rows may differ in the last bits of a product, and an edge of a bin would part them.
    return np.asarray(np.round(table @ axes[:, varying] / np.sqrt(variances[varying]), 9))


def standardised(table: Floats) -> Floats:
    """Columns with mean 0 and deviation 1, what is not finite at the median; columns without variation left out."""
    finite = np.isfinite(table)
    columns = []
    for column, known in zip(table.T, finite.T, strict=True):
        if not known.any():
            continue
        # Divided first: the largest floats would overflow in the squares.
        largest = np.abs(column[known]).max()
        filled = np.where(known, column, np.median(column[known])) / (largest or 1.0)
        spread = np.sort(filled).std()
        if spread > 1e-12:
            columns.append((filled - np.sort(filled).mean()) / spread)
    return np.column_stack(columns) if columns else np.empty((len(table), 0))


def _surprise(voice: Floats) -> Floats:
    """-ln(1 - p), p the middle of a row's place among all, ties sharing theirs."""
    # Rounded: the last bits hang on how a library's loops were blocked, and ranks would tell them apart.
    place = (rankdata(np.round(voice, 9)) - 0.5) / len(voice)
    return np.asarray(-np.log1p(-place))
