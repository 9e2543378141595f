"""Findings in words: one item per listed payment, with its reasons and their evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics import columns, groups, spending
from aetherflow.analytics.columns import Bools, Ints
from aetherflow.analytics.evidence import Voice
from aetherflow.analytics.habits import LARGER_HALF
from aetherflow.analytics.repeats import Pattern
from aetherflow.departments.finance.insights.approval import said
from aetherflow.departments.finance.insights.findings import TOGETHER, Findings
from aetherflow.departments.finance.insights.ledger import Ledger
from aetherflow.insight import Item

REASON_LEAST = 0.75  # weaker voices add to the score but make no sentence
MATCHES_SHOWN = 10
FIGURES_TOLD = 3
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Reasons that tell what is also one of the figures together.
TOLD_BY = {
    "amount-far-from-usual": "amount",
    "decimal-shift": "amount",
    "weekend": "weekday",
    "changed-payment-type": "payment-type",
}

RESEMBLANCE = {
    Pattern.SUM: "the same vendor was already paid exactly {money} {when} ({twin})",
    Pattern.SUM_AND_REFERENCE: "the same vendor was already paid exactly {money} {when} ({twin}), with the same "
    "reference",
    Pattern.REFERENCE_WITH_SUFFIX: "the same vendor was already paid exactly {money} {when} ({twin}), with the same "
    "reference but for its ending",
    Pattern.REFERENCE_WITH_SLIP: "the same vendor was already paid exactly {money} {when} ({twin}), with a reference "
    "that differs by one slip of the hand",
    Pattern.NEAR_SUM: "the same vendor was already paid a similar sum, {other}, {when} ({twin}) with the same "
    "reference; this is {money}",
    Pattern.OTHER_PAYEE: "the same invoice, by reference and by its sum of {money}, was already paid to {vendor} "
    "{when} ({twin})",
    Pattern.OTHER_CURRENCY: "the same vendor was already paid the same figure with the same reference in another "
    "currency, {other}, {when} ({twin}); this is {money}",
}


@dataclass(frozen=True, kw_only=True)
class Marked:
    """The share of payments that carry a mark, and how many do by payee (0 is none) and by kind."""

    share: float
    of_payee: Ints
    of_kind: Ints

    @classmethod
    def of(cls, marked: Bools, ledger: Ledger) -> Marked:
        rows = np.flatnonzero(marked)
        return cls(
            share=len(rows) / max(len(marked), 1),
            of_payee=np.bincount(ledger.payee[rows] + 1, minlength=int(ledger.payee.max(initial=0)) + 2),
            of_kind=np.bincount(ledger.kind[rows], minlength=int(ledger.kind.max(initial=0)) + 1),
        )


class Words:
    """Of the listed rows: only they pay for their words."""

    def __init__(self, ledger: Ledger, found: Findings, listed: Ints) -> None:
        self.ledger, self.found = ledger, found
        self.voices = {code: dict(_heard(voice, listed)) for code, voice in found.voices.items()}
        self.by_cluster = np.lexsort((ledger.ids.codes, found.split.cluster))
        self.clusters = found.split.cluster[self.by_cluster]
        self.per_payee = groups.sizes(ledger.payee + 1)
        self.at_weekend = Marked.of(spending.on_weekend(ledger.days), ledger)
        self.at_period_end = Marked.of(spending.in_last_days(ledger.days), ledger)
        self.sentences: dict[str, Callable[[int], str]] = {
            "amount-far-from-usual": self._amount,
            "decimal-shift": self._decimal,
            "repeated-payment": self._repeated,
            "split-below-limit": self._split,
            "round-sum": self._round,
            "weekend": self._weekend,
            "period-end": self._period_end,
            "single-payment-vendor": self._single,
            "dormant-vendor": self._dormant,
            "unusual-category": self._category_stray,
            "changed-currency": self._currency_stray,
            "changed-payment-type": self._payment_type_stray,
            "not-approved": self._not_approved,
            "missing-vendor": self._missing_vendor,
            "credit-without-payment": self._credit,
            TOGETHER: self._together,
        }

    def item(self, row: int, *, worth_review: bool) -> Item:
        ledger, found = self.ledger, self.found
        total = float(found.total[row])
        codes = self._spoken(row)
        return {
            "txn_id": ledger.ids.of(row),
            "date": str(ledger.days[row]),
            "category": ledger.category.of(row),
            "vendor": ledger.vendor.of(row),
            "amount": columns.number(ledger.amount[row]),
            "currency": ledger.currency.of(row),
            "severity": _severity(total - found.bar),
            "score": columns.number(100 * (1 - np.exp(-total / 3)), digits=2),
            "reasons": [{"code": code, "message": self.sentences[code](row)} for code in codes],
            "evidence": self._evidence(row, codes),
            "worth_review": worth_review,
            "status": "open",
        }

    def _spoken(self, row: int) -> list[str]:
        """Strongest first; the strongest always, however faint, so that no item stands without a reason."""
        spoken = sorted((-voice[row], code) for code, voice in self.voices.items() if row in voice)
        kept = [code for place, (voice, code) in enumerate(spoken) if place == 0 or -voice >= REASON_LEAST]
        if "decimal-shift" in kept and "amount-far-from-usual" in kept:
            kept.remove("amount-far-from-usual")  # the same distance told twice
        if TOGETHER in kept[1:]:
            told = {TOLD_BY[code] for code in kept if code in TOLD_BY}
            if len(set(self.found.joint.figures_at(row)) - told) < 2:
                kept.remove(TOGETHER)
        return kept

    def _evidence(self, row: int, codes: Sequence[str]) -> dict[str, object]:
        usual, sign = self.found.usual, -1.0 if self.ledger.amount[row] < 0 else 1.0
        low, high = sorted((sign * float(usual.low[row]), sign * float(usual.high[row])))
        return {
            "typical_low": columns.number(low),
            "typical_high": columns.number(high),
            "median": columns.number(sign * float(usual.median[row])),
            "n": int(usual.size[row]),
            "matching_txn_ids": self._matches(row, codes),
        }

    def _matches(self, row: int, codes: Sequence[str]) -> list[str]:
        rows: list[int] = []
        if "repeated-payment" in codes:
            rows.append(int(self.found.repeated.twin[row]))
        if "split-below-limit" in codes:
            begin, end = np.searchsorted(self.clusters, self.found.split.cluster[row] + np.array([0, 1]))
            # One more than is shown, since the row itself may be among them; a cluster can have thousands.
            mates = self.by_cluster[begin : min(end, begin + MATCHES_SHOWN + 1)]
            rows.extend(int(other) for other in mates if other != row)
        return sorted({self._id(other) for other in rows})[:MATCHES_SHOWN]

    def _amount(self, row: int) -> str:
        usual = float(self.found.amounts.usual[row])
        ratio = float(self.ledger.size[row]) / max(usual, 0.01)
        compared = f"the usual {usual:,.2f} for {self._category(row)} and this vendor"
        if ratio >= 1:
            return f"The amount of {self._money(row)} is {_times(ratio)} {compared}."
        return f"The amount of {self._money(row)} is {ratio:.1%} of {compared}."

    def _decimal(self, row: int) -> str:
        distance, cents = float(self.found.amounts.distance[row]), float(self.ledger.cents[row])
        left = [zeros for zeros in (1, 2, 3) if cents % 10**zeros == 0]
        nearest = min(left, key=lambda zeros: abs(distance - zeros * np.log(10)))
        return (
            f"The amount of {self._money(row)} is {_times(float(np.exp(distance)))} the usual "
            f"{self.found.amounts.usual[row]:,.2f}; the decimal point may have slipped, and "
            f"{float(self.ledger.size[row]) / 10**nearest:,.2f} be meant."
        )

    def _repeated(self, row: int) -> str:
        repeated = self.found.repeated
        twin, gap = int(repeated.twin[row]), int(repeated.gap[row])
        told = RESEMBLANCE[Pattern(int(repeated.pattern[row]))].format(
            money=self._money(row),
            other=self._money(twin),
            when="the same day" if gap == 0 else f"{gap:,} {'day' if gap == 1 else 'days'} earlier",
            twin=self._id(twin),
            vendor=self.ledger.vendor.of(twin),
        )
        return f"Possible duplicate: {told}."

    def _split(self, row: int) -> str:
        split = self.found.split
        return (
            f"Possible split: {int(split.pieces[row])} different payments to this vendor within days, each just "
            f"below the limit of {split.limit[row]:,.0f}."
        )

    def _round(self, row: int) -> str:
        return f"A round sum of {self._money(row)}, rare for {self._category(row)} and this vendor."

    def _weekend(self, row: int) -> str:
        return (
            f"Booked on a {self._weekday(row)}, as {self.at_weekend.share:.1%} of the ledger are on a weekend"
            f"{self._of_others(row, self.at_weekend)}."
        )

    def _period_end(self, row: int) -> str:
        return (
            f"Booked in the last days of the month, as {self.at_period_end.share:.1%} of the ledger are"
            f"{self._of_others(row, self.at_period_end)}{self._rank(row)}."
        )

    def _of_others(self, row: int, marked: Marked) -> str:
        """', and 2 of the 40 other payments to this vendor', or of its kind where the vendor has no others."""
        vendor = self.ledger.payee[row] >= 0 and self.per_payee[row] > 1
        count = marked.of_payee[self.ledger.payee[row] + 1] if vendor else marked.of_kind[self.ledger.kind[row]]
        others = int(self.per_payee[row] if vendor else self.found.usual.size[row]) - 1
        if not others:
            return ""
        whose = "to this vendor" if vendor else f"for {self._category(row)}"
        return f", and {int(count) - 1:,} of the {others:,} other payments {whose}"

    def _single(self, row: int) -> str:
        if (payments := int(self.per_payee[row])) > 1:
            return f"One of the first {payments} payments to this new vendor, all within days{self._rank(row)}."
        return f"The only payment to this vendor (new vendor, or a one-off){self._rank(row)}."

    def _dormant(self, row: int) -> str:
        return (
            f"The first payment to this dormant vendor for {int(self.found.silence[row]):,} days, longer than ever "
            f"before{self._rank(row)}."
        )

    def _category_stray(self, row: int) -> str:
        return f"The vendor's only payment in category {self._category(row)}; {self._others(row)}."

    def _currency_stray(self, row: int) -> str:
        return f"The vendor's only payment in currency {self.ledger.currency.of(row)}; {self._others(row)}."

    def _payment_type_stray(self, row: int) -> str:
        return f"The vendor's only payment by {self.ledger.payment_type.of(row)}; {self._others(row)}."

    def _others(self, row: int) -> str:
        return f"its other {int(self.per_payee[row]) - 1:,} are in others"

    def _not_approved(self, row: int) -> str:
        status = str(self.ledger.status.of(row))
        told = "Not approved: its status is" if said(status) is False else "Perhaps not approved: a rare status,"
        return f"{told} {status}{self._rank(row)}."

    def _missing_vendor(self, row: int) -> str:
        return f"No vendor is named, which is rare here, on {self._money(row)} for {self._category(row)}."

    def _credit(self, row: int) -> str:
        return f"A credit of {self._money(row)} that takes back no payment of the last weeks, rare here."

    def _together(self, row: int) -> str:
        figures = [self._figure(row, name) for name in self.found.joint.figures_at(row)[:FIGURES_TOLD]]
        return f"Unusual together: {', '.join(figures[:-1])}, and {figures[-1]}."

    def _figure(self, row: int, name: str) -> str:
        ledger = self.ledger
        if name == "amount":
            usual = float(self.found.amounts.usual[row])
            ratio = float(ledger.size[row]) / max(usual, 0.01)
            times = _times(ratio) if ratio >= 1 else f"{ratio:.1%} of"
            return f"the amount of {self._money(row)} is {times} the usual {usual:,.2f}"
        centre = ledger.cost_center.of(row)
        there = f"on cost centre {centre}" if centre else f"in department {ledger.department.of(row)}"
        category = f"for {self._category(row)}"
        same, others = self.found.joint.counts_at(row, name)
        among, what = {
            "place": (f"this vendor's {others:,} other payments", there),
            "category": (f"the {others:,} other payments {there}", category),
            "payment-type": (f"the {others:,} other payments {category}", f"by {ledger.payment_type.of(row)}"),
            "weekday": (f"the {others:,} other payments {category}", f"on a {self._weekday(row)}"),
            "third-of-month": (f"this vendor's {others:,} other payments", f"in the {self._third(row)} of a month"),
        }[name]
        return f"{f'{same:,}' if same else 'none'} of {among} {'is' if same <= 1 else 'are'} {what}"

    def _weekday(self, row: int) -> str:
        return WEEKDAYS[(int(self.ledger.days[row].astype(np.int64)) + 3) % 7]

    def _third(self, row: int) -> str:
        (third,) = spending.third_of_month(self.ledger.days[row : row + 1])
        return f"{('first', 'second', 'last')[third]} third"

    def _rank(self, row: int) -> str:
        """', and it is number 3 by size of 50 in Travel'; nothing of a payment that is none of the larger ones."""
        if self.found.tail[row] > LARGER_HALF:
            return ""
        largest = max(round(float(self.found.tail[row] * self.found.usual.size[row])), 1)
        place = "the largest" if largest == 1 else f"number {largest:,} by size"
        return f", and it is {place} of {int(self.found.usual.size[row]):,} in {self._category(row)}"

    def _category(self, row: int) -> str:
        return self.ledger.category.of(row) or "payments without a category"

    def _money(self, row: int) -> str:
        currency = self.ledger.currency.of(row)
        return f"{self.ledger.amount[row]:,.2f}" + (f" {currency}" if currency else "")

    def _id(self, row: int) -> str:
        return str(self.ledger.ids.of(row))


def sums(ledger: Ledger, rows: Ints) -> list[tuple[str, float]]:
    """What the rows amount to, credits counted as their size, by currency."""
    codes = ledger.currency.codes[rows]
    labels = [*ledger.currency.labels, "(no currency)"]
    return [(str(labels[code]), float(ledger.size[rows[codes == code]].sum())) for code in np.unique(codes)]


def _heard(voice: Voice, listed: Ints) -> Iterable[tuple[int, float]]:
    """Listed rows on which the voice speaks, and its evidence."""
    spoken = np.isin(voice.rows, listed)
    return zip(voice.rows[spoken].tolist(), voice.strength[spoken].tolist(), strict=True)


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _severity(above: float) -> str:
    """By how far the evidence lies above the bar: each word is ten times as rare as the next."""
    if above >= 1:
        return "critical"
    if above >= 0:
        return "high"
    return "medium" if above >= -1 else "low"
