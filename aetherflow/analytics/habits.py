"""Habits of a payee, and payments that break them: another category or currency, a long silence, a first payment."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints
from aetherflow.analytics.evidence import Test

FIRM = 3.0  # rows' worth of the ledger's share of a kind in a department's
LEAST_OTHERS = 3  # fewer other payments are no habit
RARE = 0.25  # a mark that more than a quarter of like payments carry is none
LARGER_HALF = 0.5  # of a kind by size: what is not in it is no large payment
FIRST_DAYS, FIRST_PAYMENTS = 14, 4  # a payee that goes on being paid is a supplier, not a newcomer
OPENING_DAYS = 30
SILENCE_DAYS = 90  # a payee paid once a quarter is not dormant
SILENCES = 3.0  # times the payee's longest silence before


def single_payee(*, payee: Ints, kind: Ints, sizes: Floats, days: Days) -> Test:
    """The only payment to its payee, or one of a new payee's first payments, and among the largest quarter of its
    kind."""
    single = (payee >= 0) & (by_group.sizes(payee + 1) == 1)
    newcomer = first_payments(payee, days)
    tail = by_group.upper_tail(sizes, kind)
    share = np.where(newcomer, rare_among(single | newcomer, kind), rare_among(single, kind))
    return Test(fired=(single | newcomer) & (tail <= 0.25), probability=share * tail)


def first_payments(payee: Ints, days: Days) -> Bools:
    """The few payments of payees that got all of them within weeks, and none in the ledger's first month, in which
    everybody is new."""
    if not len(days):
        return np.zeros(0, dtype=bool)
    groups = int(payee.max()) + 2
    day = days.astype(np.int64)
    first, last = np.full(groups, day.max()), np.full(groups, day.min())
    np.minimum.at(first, payee + 1, day)
    np.maximum.at(last, payee + 1, day)
    payments = np.bincount(payee + 1, minlength=groups)
    brief = (payments > 1) & (payments <= FIRST_PAYMENTS) & (last - first <= FIRST_DAYS)
    brief &= first - day.min() >= OPENING_DAYS
    brief[0] = False
    return np.asarray(brief[payee + 1])


def stray(*, payee: Ints, of: Ints, within: Ints | None = None) -> Test:
    """The payee's only payment in this category (or currency, ...: `of`, -1 unknown), when its others hardly ever
    stray (at least three of them).

    The chance that a payee's next payment is of a new kind is the share of kinds it was seen in once (Good 1953,
    Biometrika 40), drawn towards the ledger's. With `within` (the department, -1 unknown) it is multiplied by the
    share of strays that go to a kind as rare in their department or rarer.
    """
    pair = by_group.codes(of + 1, payee)
    alone = (by_group.sizes(pair) == 1) & (of >= 0) & (payee >= 0)
    others = by_group.sizes(payee + 1) - 1
    strays = np.bincount(payee + 1, weights=alone)[payee + 1] - alone
    overall = (alone.sum() + 0.5) / (len(payee) + 1)
    chance = (strays + 2 * overall) / (others + 2)
    if within is not None:
        # Strays go to rare kinds more often than other payments do, so a place among the strays is the chance.
        rarity = _share_there(of, within)
        strangers = np.sort(rarity[alone])
        chance = chance * np.maximum(np.searchsorted(strangers, rarity, side="right"), 1) / max(len(strangers), 1)
    return Test(fired=alone & (others >= LEAST_OTHERS), probability=np.clip(chance, 1e-12, 1.0))


def _share_there(of: Ints, within: Ints) -> Floats:
    """Share of the row's kind among the other payments of its group, drawn towards the ledger's share."""
    there, others = by_group.company(of, within)
    everywhere = (by_group.sizes(of + 1) - 1) / max(len(of), 1)
    share: Floats = (there + FIRM * everywhere) / (others + FIRM)
    return share


def after_silence(*, payee: Ints, days: Days, kind: Ints, sizes: Floats) -> Test:
    """A payment to a payee that had got none for 90 days and three times its longest silence before (at least two
    payments before), large for its kind."""
    order = np.lexsort((days, payee))
    day, who = days[order].astype(np.int64), payee[order]
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (who[1:] == who[:-1]) & (who[1:] >= 0)
    gap = np.zeros(len(order))
    gap[1:] = np.where(same[1:], np.diff(day), 0)
    begin = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    place = np.arange(len(order)) - begin
    # The longest silence before: a running maximum that starts again with every payee. The groups are kept apart by
    # steps larger than any gap.
    group = np.cumsum(~same) - 1
    step = float(gap.max(initial=0.0)) + 1.0
    running = np.maximum.accumulate(gap + group * step) - group * step
    before = np.zeros(len(order))
    before[1:] = np.where(same[1:], running[:-1], 0.0)
    long = (place >= 2) & (gap >= SILENCE_DAYS) & (gap > SILENCES * before)
    dormant = np.zeros(len(order), dtype=bool)
    dormant[order] = long
    return Test(fired=dormant, probability=rare_among(dormant, kind) * by_group.upper_tail(sizes, kind))


def silence_before(payee: Ints, days: Days) -> Ints:
    """Days since the payee's payment before, 0 for its first."""
    order = np.lexsort((days, payee))
    gap = np.zeros(len(order), dtype=np.int64)
    same = payee[order][1:] == payee[order][:-1]
    gap[order[1:]] = np.where(same, np.diff(days[order].astype(np.int64)), 0)
    return gap


def flagged_and_high(flagged: Bools, *, kind: Ints, sizes: Floats) -> Test:
    """A rare mark (not approved, no payee) on a payment that is large for its kind."""
    share = rare_among(flagged, kind)
    return Test(fired=flagged & (share <= RARE), probability=share * by_group.upper_tail(sizes, kind))


def rare_among(flagged: Bools, kind: Ints, *narrower: Ints) -> Floats:
    """Share of flagged rows among the others of the last group, drawn towards that of the group before, and so on up
    to the ledger's. `narrower` groups may be -1, where they say nothing."""
    overall = (flagged.sum() - flagged + 0.5) / max(len(flagged), 1)
    share = by_group.others_share(flagged, kind, parent=overall, strength=20.0)
    for group in narrower:
        own = by_group.others_share(flagged, group + 1, parent=share, strength=5.0)
        share = np.where(group >= 0, own, share)
    return np.clip(share, 1e-12, 1.0)
