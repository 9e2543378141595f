"""Payments that were taken back: a sum and its exact negative cancel."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Days, Floats, Ints

WITHIN_DAYS = 60


def netted(*, payee: Ints, currency: Ints, cents: Floats, days: Days, tie: Ints) -> Ints:
    """Per row the row it cancels with, -1 for none: same payee (a code, -1 unknown) and currency, the exact negative
    sum, at most 60 days apart.

    A reversal takes back the newest payment that is still open, so of two equal payments it is the second, the
    mistaken one, that is gone. A credit booked before its payment cancels with the next one.
    """
    partner = np.full(len(cents), -1)
    family = by_group.codes(payee + 1, currency + 1, np.abs(cents))
    both = (payee >= 0) & (cents != 0)
    for sign in (cents > 0, cents < 0):
        both &= np.bincount(family, weights=sign)[family] > 0
    rows = np.flatnonzero(both)
    day = days.astype(np.int64)
    rows = rows[np.lexsort((tie[rows], cents[rows] < 0, day[rows], family[rows]))]
    open_rows: list[int] = []
    previous = -1
    for row in rows:
        if family[row] != previous:
            open_rows, previous = [], int(family[row])
        if open_rows and cents[open_rows[-1]] == -cents[row] and day[row] - day[open_rows[-1]] <= WITHIN_DAYS:
            other = open_rows.pop()
            partner[row], partner[other] = other, row
        else:
            open_rows.append(int(row))
    return partner
