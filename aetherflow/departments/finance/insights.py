"""What finance is told: which payments are worth a look, why, and what they were compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, evidence, groups, names, repeats, spending
from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.insight import Given, Insight, InsightResult, Item

KIND = "spend_anomalies"
LISTED_SHARE, LISTED_LEAST = 0.05, 50
FAINT = 1.0  # below it an item is not worth a line even in a small ledger
REASON_LEAST = 0.75  # weaker voices add to the score but make no sentence
WORTH_REVIEW = 3.5  # of the rows that reach it on real ledgers, four in five were planted irregularities
LONE_ODDITY = 4.0  # -log10 probability that makes the one strangest row of a small ledger worth a review
MATCHES_SHOWN = 10
NOT_APPROVED = ("pend", "reject", "declin", "refus", "unapprov", "not approv", "draft", "await", "hold", "disput")
METHOD = (
    "One test per reason, each calibrated to the ledger itself (mean of -log10 model probability and -log10 share of "
    "rows as strange); combined as the strongest + 1/4 of the second + 1/10 of the third; amounts on a log scale "
    "against robust, shrunk medians of category, currency and vendor"
)


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """The usable payments; `ids`, `vendors` and so on are the labels of the codes."""

    id: Ints
    ids: columns.Labels
    days: columns.Days
    category: Ints
    categories: columns.Labels
    vendor: Ints
    vendors: columns.Labels
    payee: Ints
    currency: Ints
    currencies: columns.Labels
    amount: Floats
    unapproved: Bools
    status: Ints
    statuses: columns.Labels
    reference: Ints
    written: Ints
    left_out: int

    @cached_property
    def size(self) -> Floats:
        return np.abs(self.amount)

    @cached_property
    def currency_and_sign(self) -> Ints:
        return spending.pairs(self.currency + 1, (self.amount < 0).astype(np.int64))

    @cached_property
    def kind(self) -> Ints:
        """Category, currency and sign: refunds are compared with refunds, and no currency with another."""
        return spending.pairs(self.category + 1, self.currency_and_sign)


@dataclass(frozen=True, kw_only=True)
class _Findings:
    amounts: spending.Amounts
    usual: groups.Range
    tail: Floats
    weekend_share: float
    bar: float
    repeated: repeats.Repeats
    split: repeats.Splits
    voices: Mapping[str, Floats]
    total: Floats


def spend_anomalies(rows: pd.DataFrame, _: Given) -> InsightResult:
    """Payments far from the normal spending of their category and currency, or strange in another way, worst
    first.

    The list reaches down to 5 % of the rows (at least 50) as long as there is something to say;
    `worth_review` marks the head.
    """
    ledger = _read(rows)
    if not len(ledger.amount):
        reason = "the ledger has no rows" if not len(rows) else "no row has an id, a date and an amount"
        return _answer([], f"Not enough data to look for anomalies, because {reason}.")
    found = _examine(ledger)
    order = np.lexsort((ledger.id, -found.total))
    most = max(int(np.ceil(LISTED_SHARE * len(order))), LISTED_LEAST)
    head = int((found.total >= found.bar).sum())
    listed = order[: max(most, head)]
    listed = listed[found.total[listed] >= FAINT]
    say = _Sentences(ledger, found)
    return _answer([say.item(int(row)) for row in listed], _summary(ledger, found, len(listed)))


def _read(rows: pd.DataFrame) -> _Ledger:
    days = columns.days(rows, "date")
    amount = columns.numbers(rows, "amount")
    ids, id_names = columns.labelled(rows, "txn_id")
    usable = np.flatnonzero(~np.isnat(days) & np.isfinite(amount) & (ids >= 0))
    category, categories = columns.labelled(rows, "category")
    vendor, vendors = columns.labelled(rows, "vendor")
    currency, currencies = columns.labelled(rows, "currency")
    status, statuses = columns.labelled(rows, "approval_status")
    notes, texts = columns.labelled(rows, "notes")
    written = [names.reference_in(text) for text in texts]
    refused = np.array([*(str(text).casefold().startswith(NOT_APPROVED) for text in statuses), False])
    return _Ledger(
        id=ids[usable],
        ids=id_names,
        days=days[usable],
        category=category[usable],
        categories=categories,
        vendor=vendor[usable],
        vendors=vendors,
        payee=_recode([names.payee_key(name) for name in vendors])[vendor[usable]],
        currency=currency[usable],
        currencies=currencies,
        amount=amount[usable],
        unapproved=refused[status[usable]],
        status=status[usable],
        statuses=statuses,
        reference=_recode([names.reference_core(text) for text in written])[notes[usable]],
        written=_recode(written)[notes[usable]],
        left_out=len(rows) - len(usable),
    )


def _recode(keys: list[str]) -> Ints:
    """Codes of the keys by their order, -1 for '' and, at the end, for a missing text (code -1)."""
    place = {key: code for code, key in enumerate(sorted(set(keys) - {""}))}
    return np.array([*(place.get(key, -1) for key in keys), -1], dtype=np.int64)


def _examine(ledger: _Ledger) -> _Findings:
    kind, payee, size, cents = ledger.kind, ledger.payee, ledger.size, np.rint(ledger.size * 100)
    amounts = spending.against_usual(sizes=size, currency=ledger.currency_and_sign, kind=kind, payee=payee)
    repeated = repeats.repeated_payments(
        payee=_within(ledger),
        spelling=ledger.vendor,
        cents=cents,
        days=ledger.days,
        reference=ledger.reference,
        written=ledger.written,
        tie=ledger.id,
    )
    split = repeats.split_payments(payee=_within(ledger), amounts=size, days=ledger.days)
    tests: dict[str, spending.Test | repeats.Repeats | repeats.Splits] = {
        "amount-far-from-usual": spending.far_from_usual(amounts),
        "decimal-shift": spending.shifted_decimal(amounts, cents=cents, kind=kind),
        "repeated-payment": repeated,
        "split-below-limit": split,
        "round-sum": spending.round_sum(cents=cents, kind=kind, payee=payee),
        "weekend": spending.at_weekend(days=ledger.days, kind=kind, payee=payee),
        "single-payment-vendor": spending.single_payee(payee=payee, kind=kind, sizes=size),
        "unusual-category": spending.odd_category(payee=payee, category=ledger.category),
        "not-approved": spending.flagged_and_high(ledger.unapproved, kind=kind, sizes=size),
        "missing-vendor": spending.flagged_and_high(payee < 0, kind=kind, sizes=size),
    }
    voices = {code: evidence.calibrated(test.probability, test.fired) for code, test in tests.items()}
    return _Findings(
        amounts=amounts,
        usual=groups.usual_range(size, kind),
        tail=groups.upper_tail(size, kind),
        weekend_share=float(tests["weekend"].fired.mean()),
        bar=_bar(len(size)),
        repeated=repeated,
        split=split,
        voices=voices,
        total=evidence.combined(list(voices.values())),
    )


def _bar(rows: int) -> float:
    """Evidence from which a payment is worth a review: 3.5, less in ledgers of under 1,000 rows, where no
    rank can say "one in a thousand"."""
    return min(WORTH_REVIEW, (LONE_ODDITY + float(np.log10(rows))) / 2)


def _within(ledger: _Ledger) -> Ints:
    """Payee within currency and sign, -1 where the payee is not known: 100 EUR do not repeat 100 USD."""
    codes = spending.pairs(ledger.payee + 1, ledger.currency_and_sign)
    return np.where(ledger.payee >= 0, codes, -1)


class _Sentences:
    """Turns findings into items; only the listed rows pay for their words."""

    def __init__(self, ledger: _Ledger, found: _Findings) -> None:
        self.ledger, self.found = ledger, found
        self.by_cluster = np.argsort(found.split.cluster, kind="stable")
        self.clusters = found.split.cluster[self.by_cluster]
        self.per_payee = groups.sizes(ledger.payee + 1)
        self.sentences: dict[str, Callable[[int], str]] = {
            "amount-far-from-usual": self._amount,
            "decimal-shift": self._decimal,
            "repeated-payment": self._repeated,
            "split-below-limit": self._split,
            "round-sum": lambda row: (
                f"A round sum of {self._money(row)}, rare for {self._category(row)} and this vendor."
            ),
            "weekend": lambda row: (
                f"Booked on a {_weekday(ledger.days[row])}; weekend bookings are {found.weekend_share:.1%} of the "
                "ledger and rarer still for payments like this one."
            ),
            "single-payment-vendor": lambda row: (
                f"The only payment to this vendor (new vendor, or a one-off), {self._rank(row)}."
            ),
            "unusual-category": self._category_stray,
            "not-approved": lambda row: (
                f"Not approved: its status is {ledger.statuses[ledger.status[row]]}, and it is {self._rank(row)}."
            ),
            "missing-vendor": lambda row: (
                f"No vendor is named, which is rare here, on {self._money(row)} for {self._category(row)}."
            ),
        }

    def _rank(self, row: int) -> str:
        largest = max(round(float(self.found.tail[row] * self.found.usual.size[row])), 1)
        place = "the largest" if largest == 1 else f"number {largest:,} by size"
        return f"{place} of {int(self.found.usual.size[row]):,} in {self._category(row)}"

    def item(self, row: int) -> Item:
        ledger, found = self.ledger, self.found
        total = float(found.total[row])
        codes = self._codes(row)
        return {
            "txn_id": str(ledger.ids[ledger.id[row]]),
            "date": str(ledger.days[row]),
            "category": _label(ledger.categories, ledger.category[row]),
            "vendor": _label(ledger.vendors, ledger.vendor[row]),
            "amount": columns.number(ledger.amount[row]),
            "currency": _label(ledger.currencies, ledger.currency[row]),
            "severity": _severity(total - found.bar),
            "score": columns.number(100 * (1 - np.exp(-total / 3)), digits=2),
            "reasons": [{"code": code, "message": self.sentences[code](row)} for code in codes],
            "evidence": self._evidence(row, codes),
            "worth_review": total >= found.bar,
            "status": "open",
        }

    def _codes(self, row: int) -> list[str]:
        """Strongest first; the strongest always, however faint, so that no item stands without a reason."""
        spoken = sorted(
            ((float(voice[row]), code) for code, voice in self.found.voices.items()),
            key=lambda pair: (-pair[0], pair[1]),
        )
        kept = [code for place, (voice, code) in enumerate(spoken) if place == 0 or voice >= REASON_LEAST]
        if "decimal-shift" in kept and "amount-far-from-usual" in kept:
            kept.remove("amount-far-from-usual")  # the same distance told twice
        return kept

    def _evidence(self, row: int, codes: list[str]) -> dict[str, object]:
        usual, sign = self.found.usual, -1.0 if self.ledger.amount[row] < 0 else 1.0
        low, high = sorted((sign * float(usual.low[row]), sign * float(usual.high[row])))
        return {
            "typical_low": columns.number(low),
            "typical_high": columns.number(high),
            "median": columns.number(sign * float(usual.median[row])),
            "n": int(usual.size[row]),
            "matching_txn_ids": self._matches(row, codes),
        }

    def _matches(self, row: int, codes: list[str]) -> list[str]:
        rows: list[int] = []
        if "repeated-payment" in codes:
            rows.append(int(self.found.repeated.twin[row]))
        if "split-below-limit" in codes:
            begin, end = np.searchsorted(self.clusters, self.found.split.cluster[row] + np.array([0, 1]))
            rows.extend(int(other) for other in self.by_cluster[begin:end] if other != row)
        ids = sorted({str(self.ledger.ids[self.ledger.id[other]]) for other in rows})
        return ids[:MATCHES_SHOWN]

    def _amount(self, row: int) -> str:
        ratio = float(self.ledger.size[row] / max(self.found.amounts.usual[row], 0.01))
        usual = f"the usual {self.found.amounts.usual[row]:,.2f} for {self._category(row)} and this vendor"
        if ratio >= 1:
            return f"The amount of {self._money(row)} is {_times(ratio)} {usual}."
        return f"The amount of {self._money(row)} is {ratio:.1%} of {usual}."

    def _decimal(self, row: int) -> str:
        ratio = float(np.exp(self.found.amounts.distance[row]))
        return (
            f"The amount of {self._money(row)} is {_times(ratio)} the usual "
            f"{self.found.amounts.usual[row]:,.2f} and ends in zeros: the decimal point may have slipped."
        )

    def _repeated(self, row: int) -> str:
        repeated, ledger = self.found.repeated, self.ledger
        twin, gap = int(repeated.twin[row]), int(repeated.gap[row])
        when = "the same day" if gap == 0 else f"{gap} {'day' if gap == 1 else 'days'} earlier"
        same = {0: "", 1: ", with the same reference", 2: ", with the same reference but for its last letter"}
        return (
            f"Possible duplicate: the same vendor was already paid exactly {self._money(row)} {when} "
            f"({ledger.ids[ledger.id[twin]]}){same[int(repeated.reference[row])]}."
        )

    def _split(self, row: int) -> str:
        split = self.found.split
        return (
            f"Possible split: {int(split.pieces[row])} different payments to this vendor within days, each just "
            f"below the limit of {split.limit[row]:,.0f}."
        )

    def _category_stray(self, row: int) -> str:
        others = int(self.per_payee[row]) - 1
        return f"The vendor's only payment in category {self._category(row)}; its other {others:,} are in others."

    def _category(self, row: int) -> str:
        return _label(self.ledger.categories, self.ledger.category[row]) or "payments without a category"

    def _money(self, row: int) -> str:
        currency = _label(self.ledger.currencies, self.ledger.currency[row])
        return f"{self.ledger.amount[row]:,.2f}" + (f" {currency}" if currency else "")


def _label(labels: columns.Labels, code: int) -> str | None:
    return str(labels[code]) if code >= 0 else None


def _weekday(day: np.datetime64) -> str:
    return "Saturday" if (day.astype(np.int64) + 3) % 7 == 5 else "Sunday"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def _severity(above: float) -> str:
    """By how far the evidence lies above the bar: each word is ten times as rare as the next."""
    if above >= 1:
        return "critical"
    if above >= 0:
        return "high"
    return "medium" if above >= -1 else "low"


def _summary(ledger: _Ledger, found: _Findings, listed: int) -> str:
    count, head = len(ledger.amount), found.total >= found.bar
    payments = f"{count:,} {'payment' if count == 1 else 'payments'}"
    if count < spending.LEAST_ROWS:
        text = (
            f"Not enough data to know what is usual, because the ledger has {payments} and at least "
            f"{spending.LEAST_ROWS} are needed; {listed} listed for other reasons."
        )
    else:
        worth = int(head.sum())
        text = f"{worth:,} of {payments} {'is' if worth == 1 else 'are'} worth a review"
        if worth:
            sums = [
                f"{ledger.size[head & (ledger.currency == code)].sum():,.2f} "
                f"{_label(ledger.currencies, code) or '(no currency)'}"
                for code in np.unique(ledger.currency[head])[:3]
            ]
            text += f", {' and '.join(sums)} in all"
        text += f"; {listed:,} are listed in order of strangeness."
    if ledger.left_out:
        text += f" {ledger.left_out:,} rows without an id, a date or an amount left out."
    return text


def _answer(items: list[Item], summary: str) -> InsightResult:
    return InsightResult(kind=KIND, method=METHOD, quality=None, summary=summary, data={}, items=items)


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Spend anomalies",
        version=1,
        columns=("txn_id", "date", "category", "vendor", "amount", "currency", "approval_status", "notes"),
        compute=spend_anomalies,
        subject=("txn_id",),
    ),
)
