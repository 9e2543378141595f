"""Which rows of a table of numbers are strange, without knowing what the numbers mean.

Four voices that fail for different reasons (rows that few cuts isolate; values that are rare by themselves; mixtures of
values that are rare; rows far from their neighbours) are each turned into ranks and combined, so that no voice's scale
counts for more than another's.

scikit-learn is imported where it is used: with its part of SciPy it takes 70 MB, and every process knows all insights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aetherflow.analytics.columns import Floats

_TREES = 300
_NEIGHBOURS = 20
# Neighbours are looked for among at most so many rows: a table of any length costs a constant for each row.
_REFERENCES = 2_000
_CHUNK = 100_000
_FARTHEST = 1e6


def strangeness(table: Floats, *, among: Floats | None = None, seed: int = 0) -> Floats:
    """How strange each row is among others: (rows, columns) -> (rows,), in [0, inf), larger is stranger.

    `among` are the rows that it is compared with, the table's own where they are not given: a sample of a table says
    what is usual in it. The mean over the voices of -ln(1 - p), p the share of them that are less strange to that
    voice: Fisher's way to combine tests (1932) with empirical p-values. 1 is what a row without any peculiarity has on
    average. What is not finite is taken for the column's median: nothing is known of it. Rows that are equal are
    equally strange, in any order of the rows. Zeros where no two of the rows compared with differ. ValueError where
    the table does not have two dimensions.
    """
    if table.ndim != 2:
        raise ValueError(f"A table has rows and columns; this has {table.ndim} dimensions.")
    usual = standardised(table if among is None else among)
    if usual.shape[1] == 0 or not len(table):
        return np.zeros(len(table))
    # The voices draw rows by their position: sorted, so that the order in which rows arrive changes nothing.
    order = np.lexsort(usual.T)
    usual = usual[order]
    judged = usual if among is None else np.vstack([usual, standardised(table, among=among)])
    voices = (
        by_isolation(judged, among=usual, seed=seed),
        by_histograms(judged, among=usual),
        by_histograms(components(judged, among=usual), among=components(usual)),
        by_neighbours(judged, among=usual, seed=seed),
    )
    combined = np.mean([_surprise(voice, among=voice[: len(usual)]) for voice in voices], axis=0)
    if among is not None:
        return np.asarray(combined[len(usual) :])
    in_place = np.empty(len(table))
    in_place[order] = combined
    return in_place


def by_isolation(table: Floats, *, seed: int, among: Floats | None = None) -> Floats:
    """The share of cuts that isolate a row, (rows,) in (0, 1): Isolation Forest, Liu, Ting & Zhou (2008)."""
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415

    forest = IsolationForest(n_estimators=_TREES, random_state=seed).fit(table if among is None else among)
    return _in_chunks(table, lambda part: -forest.score_samples(part))


def by_histograms(table: Floats, *, among: Floats | None = None) -> Floats:
    """The sum over columns of -ln of the density of a row's bin, (rows,): HBOS, Goldstein & Dengel (2012), with one
    more row in every bin, so that no density is zero. sqrt(rows) bins of equal width, 5 to 50; nothing lies outside."""
    usual = table if among is None else among
    bins = int(np.clip(np.sqrt(len(usual)), 5, 50))
    total = np.zeros(len(table))
    for column, known in zip(table.T, usual.T, strict=True):
        counts, edges = np.histogram(known, bins=bins)
        place = np.searchsorted(edges[1:-1], column, side="right")
        inside = (column >= edges[0]) & (column <= edges[-1])
        total -= np.log((counts[place] * inside + 1) / (len(usual) + bins))
    return total


def by_neighbours(table: Floats, *, seed: int, among: Floats | None = None) -> Floats:
    """The distance to the 20th nearest other row, (rows,): Ramaswamy, Rastogi & Shim (2000).

    In a long table the neighbours are looked for in a sample of it, which finds what stands apart as well or better:
    Sugiyama & Borgwardt (2013). In a table of few rows the neighbour is half-way through it at most.
    """
    from sklearn.neighbors import NearestNeighbors  # noqa: PLC0415

    usual = table if among is None else among
    sample = usual
    if len(usual) > _REFERENCES:
        chosen = np.random.default_rng(seed).choice(len(usual), size=_REFERENCES, replace=False)
        sample = usual[np.sort(chosen)]
    # A row that is its own nearest neighbour counts as one of them.
    nearest = min(_NEIGHBOURS + 1, max(2, len(sample) // 2), len(sample))
    search = NearestNeighbors(n_neighbors=nearest, algorithm="brute").fit(sample)
    return _in_chunks(table, lambda part: search.kneighbors(part)[0][:, -1])


def components(table: Floats, *, among: Floats | None = None) -> Floats:
    """The rows of a standardised table on its principal axes, each with deviation 1: (rows, columns) -> (rows, axes).

    Where columns go together, a row that breaks the rule stands out on an axis of little variance and on no column:
    Shyu, Chen, Sarinnapakorn & Chang (2003). Axes without variance are left out.
    """
    usual = table if among is None else among
    variances, axes = np.linalg.eigh(usual.T @ usual / len(usual))
    varying = variances > 1e-9 * variances[-1]
    # Rounded: equal rows may differ in the last bits of a product, and an edge of a bin would part them.
    return np.asarray(np.round(table @ axes[:, varying] / np.sqrt(variances[varying]), 9))


def standardised(table: Floats, *, among: Floats | None = None) -> Floats:
    """Columns in deviations from the mean of the rows they are compared with, at most a million; what is not finite at
    their median; columns without variation left out."""
    judged = np.asarray(table, dtype=np.float64)
    usual = judged if among is None else np.asarray(among, dtype=np.float64)
    columns = []
    for column, reference in zip(judged.T, usual.T, strict=True):
        known = reference[np.isfinite(reference)]
        if not len(known):
            continue
        # Divided first: the largest floats would overflow in the squares.
        largest = np.abs(known).max() or 1.0
        middle = np.median(known)
        ordered = np.sort(np.where(np.isfinite(reference), reference, middle) / largest)
        spread = ordered.std()
        if spread > 1e-12:
            filled = np.where(np.isfinite(column), column, middle)
            with np.errstate(over="ignore"):
                columns.append(np.clip((filled / largest - ordered.mean()) / spread, -_FARTHEST, _FARTHEST))
    return np.column_stack(columns) if columns else np.empty((len(judged), 0))


def _in_chunks(table: Floats, voice: Callable[[Floats], Floats]) -> Floats:
    return np.concatenate([voice(table[at : at + _CHUNK]) for at in range(0, len(table), _CHUNK)])


def _surprise(voice: Floats, *, among: Floats) -> Floats:
    """-ln(1 - p), p the middle of a row's place among the usual ones, ties sharing theirs; what is beyond them all has
    the place of the last."""
    # Rounded: the last bits hang on how a library's loops were blocked, and ranks would tell them apart.
    judged, ordered = np.round(voice, 9), np.sort(np.round(among, 9))
    place = (np.searchsorted(ordered, judged, side="left") + np.searchsorted(ordered, judged, side="right")) / 2
    return np.asarray(-np.log1p(-np.clip(place, 0.5, len(ordered) - 0.5) / len(ordered)))
