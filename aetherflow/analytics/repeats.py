"""Payments that repeat: the same sum, or nearly the same, paid again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from aetherflow.analytics import groups as by_group
from aetherflow.analytics.columns import Bools, Days, Floats, Ints, Texts
from aetherflow.analytics.names import slips_apart

WINDOW_DAYS = 45  # a later repeat is next month's bill far more often than a second payment
OTHER_SPELLING, MONTHLY = 0.2, 3.0
MONTHLY_REFERENCE = 0.3  # chance at least that a payee's reference comes back with the bill of the next month
NEAR = 0.02  # sums within 2 % of each other are nearly the same
MOST_NEAR = 0.2  # however many lines the invoices of a ledger have
OWN = 2.0  # rows' worth of the ledger's share in a payee's own share
OCCASION_DAYS = 4  # payments no further apart belong together: even around a holiday the next week's bill comes later
FEW = 4  # equal sums within days; more of them are a batch of like things, unless they share a reference
SPELL_DAYS = 14  # what goes on like that for longer is a daily bill


class Pattern(IntEnum):
    """How a payment resembles the one it repeats."""

    SUM = 0
    SUM_AND_REFERENCE = 1
    REFERENCE_WITH_SUFFIX = 2
    REFERENCE_WITH_SLIP = 3
    NEAR_SUM = 4
    OTHER_PAYEE = 5
    OTHER_CURRENCY = 6


@dataclass(frozen=True, kw_only=True)
class Payments:
    """What two payments are compared by; arrays of one length, codes from 0, -1 where there is none.

    payee: the normalised name; kin: the same for names a slip apart; spelling: the name as it is written; scope:
    currency and sign; refund: the sign alone; reference: without its suffix; written: as it is written, an index into
    `references`; tie: orders the payments of one day.
    """

    payee: Ints
    kin: Ints
    spelling: Ints
    scope: Ints
    refund: Ints
    cents: Floats
    days: Days
    reference: Ints
    written: Ints
    references: Texts
    tie: Ints


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """Per row: fired, the chance that it is a coincidence, the earlier row it repeats (-1), the days in between, and
    the Pattern of the resemblance. `findings`: the share of a finding that it is, 1/2 where a payment is repeated twice
    within days."""

    fired: Bools
    probability: Floats
    twin: Ints
    gap: Ints
    pattern: Ints
    findings: Floats


def repeated_payments(told: Payments) -> Repeats:
    """Payments that resemble an earlier one more than coincidence explains, the likeliest explanation of each.

    Every chance is learnt from the ledger: how often the payee gets the same sum twice, times how often *unrelated*
    payments of the payee share a reference in the same way. So a payee whose reference is a customer number, or whose
    invoices are numbered one after the other, gives no evidence, and one whose references never recur gives a lot.
    Kinds of double payments: ACFE, Fraud Examiners Manual, billing schemes; Nigrini, Forensic Analytics (2nd ed.,
    2020), ch. 12.
    """
    same_sum = _same_sum(told)
    of_sums = _recurrence(told.kin >= 0, told.kin, told.scope, told.cents, told=told)
    share_of_sums = _share_of_equal_sums(told, same_sum, of_sums)
    best = _plain(told, same_sum, share_of_sums, of_sums)
    findings = 1 / np.maximum(of_sums.together - 1.0, 1.0)
    del of_sums
    # One after the other: a million rows of every candidate at once are half a gigabyte.
    for other in _all_others(told, same_sum, share_of_sums):
        better = other.probability < best.probability
        best = _Candidate(
            twin=np.where(better, other.twin, best.twin),
            probability=np.where(better, other.probability, best.probability),
            pattern=np.where(better, other.pattern, best.pattern),
        )
    mate = np.maximum(best.twin, 0)
    day = told.days.astype(np.int64)
    return Repeats(
        fired=best.twin >= 0,
        probability=best.probability,
        twin=best.twin,
        gap=np.where(best.twin >= 0, day - day[mate], 0),
        pattern=best.pattern,
        findings=findings,
    )


def _all_others(told: Payments, same_sum: Ints, share: Floats) -> Iterator[_Candidate]:
    yield from _same_reference(told, share)
    yield _slipped_reference(told, same_sum, share)
    yield _other_payee(told)
    if (told.scope != told.scope[:1]).any():
        yield _other_currency(told)


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    twin: Ints
    probability: Floats
    pattern: Ints


def _candidate(twin: Ints, probability: Floats, pattern: Pattern) -> _Candidate:
    chance = np.where(twin >= 0, np.clip(probability, 1e-12, 1.0), 1.0)
    return _Candidate(twin=twin, probability=chance, pattern=np.full(len(twin), int(pattern)))


def _previous(known: Bools, *keys: Ints | Floats, last: Ints, tie: Ints) -> Ints:
    """Per row the one before it, by `last` and `tie`, among the known rows equal to it in all the keys; -1 for none."""
    rows = np.flatnonzero(known)
    order = rows[np.lexsort((tie[rows], last[rows], *(key[rows] for key in reversed(keys))))]
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    twin = np.full(len(known), -1)
    twin[order[1:][same]] = order[:-1][same]
    return twin


def _same_sum(told: Payments) -> Ints:
    day = told.days.astype(np.int64)
    twin = _previous((told.kin >= 0) & (told.cents != 0), told.kin, told.scope, told.cents, last=day, tie=told.tie)
    return np.where((twin >= 0) & (day - day[np.maximum(twin, 0)] <= WINDOW_DAYS), twin, -1)


@dataclass(frozen=True, kw_only=True)
class _Recurrence:
    """Per row: `excuse`, how far its like comes again and again; `together`, the payments of its occasion, 1 where it
    opens one; `occasion` numbers those of several payments, from 1, and 0 is any other."""

    excuse: Floats
    together: npt.NDArray[np.int32]
    occasion: npt.NDArray[np.int32]

    @property
    def pairs(self) -> Floats:
        """The coincidences that an occasion takes: 1 of two payments, 3 of three, 6 of four; of a batch, or where the
        row opens the occasion, 1."""
        few = (self.together > 1) & (self.together <= FEW)
        return np.where(few, self.together * (self.together - 1) / 2, 1.0)


def _recurrence(known: Bools, *keys: Ints | Floats, told: Payments) -> _Recurrence:
    """How the payments that are equal in all the keys come over time.

    Those within days of each other are one occasion. What has three occasions or more is a standing order, and a
    payment that opens one of them is excused by the others. A further one of the same occasion is excused only by
    other occasions that had several too: an invoice paid three times in three days is no standing order, and neither
    is the second rent of a month.
    """
    size = len(known)
    excuse, together = np.zeros(size), np.ones(size, dtype=np.int32)
    occasion = np.zeros(size, dtype=np.int32)
    family = by_group.codes(*keys)
    rows = np.flatnonzero(known & (by_group.sizes(family) > 1))
    if not len(rows):
        return _Recurrence(excuse=excuse, together=together, occasion=occasion)
    rows = rows[np.lexsort((told.tie[rows], told.days[rows], family[rows]))]
    of, day = family[rows], told.days[rows].astype(np.int64)
    opens = np.ones(len(rows), dtype=bool)
    opens[1:] = (of[1:] != of[:-1]) | (np.diff(day) > OCCASION_DAYS)
    begin = np.flatnonzero(opens)
    lasts = np.append(day[begin[1:] - 1], day[-1]) - day[begin]
    daily = (lasts > SPELL_DAYS)[np.cumsum(opens) - 1]
    opens[1:] |= daily[1:] & (np.diff(day) > 0)
    begin = np.flatnonzero(opens)
    place = np.cumsum(opens) - 1
    payments = np.bincount(place)
    several = payments > 1
    _, of_occasion = np.unique(of[begin], return_inverse=True)
    occasions = np.bincount(of_occasion)[of_occasion]
    others = np.bincount(of_occasion, weights=several)[of_occasion] - several
    opening = np.maximum(occasions - 2, 0) / occasions
    excuse[rows] = np.where(opens, opening[place], (others / occasions)[place])
    together[rows] = np.where(opens, 1, payments[place])
    occasion[rows] = np.where(several, np.cumsum(several), 0)[place]
    return _Recurrence(excuse=excuse, together=together, occasion=occasion)


def _share_of_equal_sums(told: Payments, twin: Ints, recurrence: _Recurrence) -> Floats:
    """How often the payee's other payments repeat a sum, drawn towards the ledger's share of the same kind (same day
    or later, round sum or not), at least the share of this very sum that recurs. An occasion's other repeats are left
    out: they are part of what is judged."""
    size, fired = len(twin), twin >= 0
    day = told.days.astype(np.int64)
    later = fired & (day > day[np.maximum(twin, 0)])
    kind = 2 * later + (np.mod(told.cents, 1000) == 0)
    usual = np.zeros(size)
    for value in range(4):
        usual = np.where(kind == value, ((fired & (kind == value)).sum() + 0.5) / (size + 1), usual)
    of_occasion = np.bincount(recurrence.occasion, weights=fired)[recurrence.occasion]
    judged = np.where(recurrence.occasion > 0, of_occasion, fired)
    of_payee = np.bincount(told.payee + 1, weights=fired)[told.payee + 1]
    # A name and its misspelling are two payees of one occasion.
    others = np.maximum(by_group.sizes(told.payee + 1) - judged, 0.0)
    share = (np.maximum(of_payee - judged, 0.0) + OWN * usual) / (others + OWN)
    batch = (recurrence.together - FEW) / recurrence.together
    return np.maximum(share, np.maximum(recurrence.excuse, batch))


def _plain(told: Payments, twin: Ints, share: Floats, recurrence: _Recurrence) -> _Candidate:
    """The same sum, whatever the reference. A gap of a month speaks for a standing order, several within days
    against it."""
    mate, day = np.maximum(twin, 0), told.days.astype(np.int64)
    gap = day - day[mate]
    chance = share * np.where(told.spelling != told.spelling[mate], OTHER_SPELLING, 1.0)
    chance = chance * np.where((gap >= 28) & (gap <= 31), MONTHLY, 1.0)
    return _candidate(twin, np.maximum(chance / recurrence.pairs, recurrence.excuse), Pattern.SUM)


def _same_reference(told: Payments, share: Floats) -> Iterator[_Candidate]:
    """The same reference, with or without a suffix, and the same sum or nearly so, however long ago."""
    day = told.days.astype(np.int64)
    known = (told.kin >= 0) & (told.reference >= 0) & (told.cents != 0)
    equal = _previous(known, told.kin, told.scope, told.reference, told.cents, last=day, tie=told.tie)
    before = _previous(known, told.kin, told.scope, told.reference, last=day, tie=told.tie)
    earlier = np.maximum(before, 0)
    other_sum = (before >= 0) & (told.cents != told.cents[earlier])
    close = other_sum & _nearly(told.cents, told.cents[earlier])
    near_share = (close.sum() + 0.5) / (other_sum.sum() + 1.0)
    # What recurs a third time with its reference is a standing order under a customer number, and so is what comes back
    # after a month.
    recurrence = _recurrence(known, told.kin, told.scope, told.reference, told.cents, told=told)
    # Nearly equal sums on one invoice are its lines; their share says how usual that is.
    nearly = np.full(len(share), float(np.clip(near_share, NEAR, MOST_NEAR)))
    for altered in (False, True):
        for apart in (False, True):
            alike = other_sum & ~close & ((told.written != told.written[earlier]) == altered)
            alike &= (day > day[earlier]) == apart
            usual = (alike.sum() + 0.5) / (known.sum() + 1.0)
            unrelated = by_group.others_share(alike, told.payee + 1, parent=usual, strength=OWN)
            named = Pattern.REFERENCE_WITH_SUFFIX if altered else Pattern.SUM_AND_REFERENCE
            for twin, chance, pattern in (
                (equal, share, named),
                (np.where(close, before, -1), nearly, Pattern.NEAR_SUM),
            ):
                mate = np.maximum(twin, 0)
                of_kind = ((told.written != told.written[mate]) == altered) & ((day > day[mate]) == apart)
                gap = day - day[mate]
                alone = np.where((gap >= 28) & (gap <= 31), np.maximum(unrelated, MONTHLY_REFERENCE), unrelated)
                probability = chance * alone
                if pattern is not Pattern.NEAR_SUM:
                    probability = np.maximum(probability / recurrence.pairs, recurrence.excuse)
                yield _candidate(np.where(of_kind, twin, -1), probability, pattern)


def _slipped_reference(told: Payments, twin: Ints, share: Floats) -> _Candidate:
    """The same sum, and a reference that differs by one slip of the hand."""
    day = told.days.astype(np.int64)
    known = (told.payee >= 0) & (told.written >= 0)
    before = _previous(known, told.payee, told.scope, last=day, tie=told.tie)
    pairs = np.maximum(before, 0)
    compared = (before >= 0) & (told.cents != told.cents[pairs]) & (told.reference != told.reference[pairs])
    alike = _one_slip(told, np.where(compared, before, -1))
    usual = (alike.sum() + 0.5) / (compared.sum() + 1.0)
    unrelated = by_group.others_share(alike, told.payee + 1, parent=usual, strength=OWN)
    mate = np.maximum(twin, 0)
    both = (twin >= 0) & (told.written >= 0) & (told.reference[mate] >= 0) & (told.reference != told.reference[mate])
    found = _one_slip(told, np.where(both, twin, -1))
    return _candidate(np.where(found, twin, -1), share * unrelated, Pattern.REFERENCE_WITH_SLIP)


def _one_slip(told: Payments, twin: Ints) -> Bools:
    found = np.zeros(len(twin), dtype=bool)
    rows = np.flatnonzero(twin >= 0)
    found[rows] = slips_apart(told.references, told.written[rows], told.written[twin[rows]])
    return found


def _other_payee(told: Payments) -> _Candidate:
    """The same invoice under two payees: one reference, one sum. By chance as often as payees share a reference
    for different sums, times the share of payments of this very sum."""
    day = told.days.astype(np.int64)
    known = (told.payee >= 0) & (told.reference >= 0) & (told.cents != 0)
    equal = _previous(known, told.scope, told.reference, told.cents, last=day, tie=told.tie)
    before = _previous(known, told.scope, told.reference, last=day, tie=told.tie)
    mate, earlier = np.maximum(equal, 0), np.maximum(before, 0)
    shared = (before >= 0) & (told.payee != told.payee[earlier]) & (told.cents != told.cents[earlier])
    usual = (shared.sum() + 0.5) / (known.sum() + 1.0)
    of_this_sum = by_group.sizes(by_group.codes(told.scope, told.cents)) / max(len(day), 1)
    twin = np.where((equal >= 0) & (told.payee != told.payee[mate]), equal, -1)
    return _candidate(twin, usual * of_this_sum, Pattern.OTHER_PAYEE)


def _other_currency(told: Payments) -> _Candidate:
    """The same invoice in two currencies within weeks: one payee, one reference, one figure, which no exchange rate
    explains. By chance as often as the payee's references come back in another currency with another figure, times the
    share of payments of this very figure."""
    day = told.days.astype(np.int64)
    known = (told.kin >= 0) & (told.reference >= 0) & (told.cents != 0)
    equal = _previous(known, told.kin, told.refund, told.reference, told.cents, last=day, tie=told.tie)
    before = _previous(known, told.kin, told.refund, told.reference, last=day, tie=told.tie)
    mate, earlier = np.maximum(equal, 0), np.maximum(before, 0)
    changed = (before >= 0) & (told.scope != told.scope[earlier]) & (told.cents != told.cents[earlier])
    usual = (changed.sum() + 0.5) / (known.sum() + 1.0)
    unrelated = by_group.others_share(changed, told.payee + 1, parent=usual, strength=OWN)
    of_this_figure = by_group.sizes(by_group.codes(told.refund, told.cents)) / max(len(day), 1)
    soon = (equal >= 0) & (told.scope != told.scope[mate]) & (day - day[mate] <= WINDOW_DAYS)
    return _candidate(np.where(soon, equal, -1), unrelated * of_this_figure, Pattern.OTHER_CURRENCY)


def _nearly(one: Floats, other: Floats) -> Bools:
    """Within 2 %, two neighbouring digits exchanged, or the decimal point one or two places off."""
    near = np.abs(one - other) <= NEAR * np.maximum(one, other)
    for shift in (10.0, 100.0):
        near |= (one == other * shift) | (other == one * shift)
    for place in range(12):
        low, high = 10.0**place, 10.0 ** (place + 1)
        last, next_last = np.floor(one / low) % 10, np.floor(one / high) % 10
        near |= one + (next_last - last) * (low - high) == other
    return near & (one != other)
