"""What finance is told: which payments are worth a look, why, and what they were compared with.

A package, since reading, testing and wording a ledger are 400 lines and change for different reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from aetherflow.analytics import amounts, benford, columns, evidence, feedback, names, together
from aetherflow.analytics.columns import Bools, Ints
from aetherflow.departments.finance.insights.findings import FALSE_ALARMS, Findings, examine
from aetherflow.departments.finance.insights.ledger import COLUMNS, Ledger, read
from aetherflow.departments.finance.insights.wording import Words, sums
from aetherflow.insight import Facet, Given, Headline, Insight, InsightResult, Item, Review

KIND = "spend_anomalies"
LISTED_SHARE, LISTED_LEAST = 0.05, 50
FAINT = 1.0  # below it a payment that is not among the listed share is not worth a line
SHOWN = ("date", "category", "vendor", "amount", "currency")  # what of a payment makes it another one when it changes
CURRENCIES_NAMED = 3
METHOD = (
    "One test per reason, each calibrated to the ledger itself (mean of -log10 model probability and -log10 share of "
    "rows as strange) and moved by reviews of like cases; combined as the strongest + 15 % of the second + 5 % of the "
    "third, or what all figures say together (Isolation Forest, histograms, principal axes, nearest neighbours) where "
    "that is more; worth a review by a bounded share of false alarms (Benjamini-Hochberg)"
)
PARAMETERS: dict[str, object] = {
    "false_alarms_at_most": FALSE_ALARMS,
    "weights": [1.0, evidence.SECOND, evidence.THIRD],
    "evidence_at_most": evidence.STRONGEST,
    "listed_share": LISTED_SHARE,
    "listed_at_least": LISTED_LEAST,
    "together_judged_at_most": together.SCORED,
    "together_compared_with_at_most": together.REFERENCES,
}


def spend_anomalies(rows: pd.DataFrame, given: Given) -> InsightResult:
    """Payments far from the normal spending of their category and currency, or strange in another way, worst first.

    The list reaches down to 5 % of the rows (at least 50) as long as there is something to say; `worth_review` marks
    the head.
    """
    ledger = read(rows)
    if not len(ledger):
        return _nothing(rows)
    del rows  # of a million payments 150 MB that the tests need as much as their own arrays
    found = examine(ledger, _learnt(ledger, given.reviews))
    above = found.total >= found.bar
    listed = _listed(ledger, found, above)
    words = Words(ledger, found, listed)
    verdicts = {review.subject: review for review in given.reviews}
    items = [
        _judged(item, verdicts.get((item["txn_id"],)))
        for item in (words.item(row, worth_review=bool(above[row])) for row in listed.tolist())
    ]
    worth = listed[np.array([item["worth_review"] for item in items], dtype=bool)]
    return InsightResult(
        kind=KIND,
        method=METHOD,
        quality=None,
        summary=_summary(ledger, worth, len(items)),
        data={"population": _population(ledger, found)},
        items=items,
        parameters=PARAMETERS | {"bar": columns.number(found.bar, digits=4)},
        headline=Headline(
            figures={"worth_review": float(len(worth)), **_sum(ledger, worth)},
            flagged=[(item["txn_id"],) for item in items if item["worth_review"]],
        ),
    )


def since(before: Headline, now: Headline) -> str:
    """'5 new payments worth a review, 2 no longer worth one'."""
    seen = set(before.flagged)
    new, gone = len(set(now.flagged) - seen), len(seen - set(now.flagged))
    told = []
    if new:
        told.append(f"{new:,} new {'payment' if new == 1 else 'payments'} worth a review")
    if gone:
        told.append(f"{gone:,} no longer worth one")
    return ", ".join(told)


def reopened(reviewed: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """'The amount was 120.00.' or 'New since the review: …'. A reason that is gone does not open a payment again:
    reviews of like cases take reasons away, and what was settled with more against it stays settled."""
    was = [f"the {name} was {_said(name, reviewed)}" for name in SHOWN if reviewed.get(name) != now.get(name)]
    if was:
        sentence = ", ".join(was)
        return f"{sentence[0].upper()}{sentence[1:]}."
    known = {reason["code"] for reason in reviewed.get("reasons") or ()}
    new = [reason["message"] for reason in now.get("reasons") or () if reason["code"] not in known]
    return f"New since the review: {' '.join(new)}" if new else ""


def _said(name: str, item: Mapping[str, Any]) -> str:
    value = item.get(name)
    if value is None or value == "":
        return "empty"
    return f"{value:,.2f}" if isinstance(value, float | int) else str(value)


def _nothing(rows: pd.DataFrame) -> InsightResult:
    reason = "the ledger has no rows" if not len(rows) else "no row has an id, a date and an amount"
    return InsightResult(
        kind=KIND,
        method=METHOD,
        quality=None,
        summary=f"Not enough data to look for anomalies, because {reason}.",
        data={},
        items=[],
        parameters=PARAMETERS,
        headline=Headline(figures={"worth_review": 0.0, "sum": 0.0}),
    )


def _listed(ledger: Ledger, found: Findings, above: Bools) -> Ints:
    """The head and at least 5 % of the rows, worst first; up to 50 where there is more than a faint oddity."""
    order = np.lexsort((ledger.ids.codes, -found.total))
    share = max(int(np.ceil(LISTED_SHARE * len(ledger))), int(above.sum()))
    place = np.arange(len(order))
    evidence_of = found.total[order]
    kept = ((place < share) & (evidence_of > 0)) | ((place < LISTED_LEAST) & (evidence_of >= FAINT))
    return order[kept]


def _learnt(ledger: Ledger, reviews: Sequence[Review]) -> feedback.Learnt:
    verdicts = []
    for review in reviews:
        reasons = review.item.get("reasons") or []
        verdicts.append(
            feedback.Verdict(
                codes=[str(reason["code"]) for reason in reasons],
                payee=ledger.payees.get(names.payee_key(str(review.item.get("vendor") or "")), -1),
                confirmed=review.verdict == "confirmed",
            )
        )
    return feedback.learnt(verdicts)


def _judged(item: Item, review: Review | None) -> Item:
    """With the verdict of the person who looked at it, unless what speaks against the payment has changed since."""
    if review is None or reopened(review.item, item):
        return item
    return item | {
        "status": review.verdict,
        "worth_review": bool(item["worth_review"]) and review.verdict != "expected",
    }


def _population(ledger: Ledger, found: Findings) -> dict[str, object]:
    """What is said of the ledger as a whole, never of one payment."""
    conformity = benford.first_two_digits(ledger.size)
    return {
        "payments": len(ledger),
        "left_out": ledger.left_out,
        "netted": int((found.partner >= 0).sum()),
        "benford": None
        if conformity is None
        else {
            "amounts": conformity.amounts,
            "deviation": columns.number(conformity.deviation, digits=5),
            "conformity": conformity.word,
        },
    }


def _sum(ledger: Ledger, worth: Ints) -> dict[str, float]:
    """What the ones worth a review come to, where the ledger has one currency: euros and yen have no sum."""
    if len(np.unique(ledger.currency.codes)) > 1:
        return {}
    return {"sum": columns.number(ledger.size[worth].sum())}


def _summary(ledger: Ledger, worth: Ints, listed: int) -> str:
    count = len(ledger)
    payments = f"{count:,} {'payment' if count == 1 else 'payments'}"
    if count < amounts.LEAST_ROWS:
        text = (
            f"Not enough data to know what is usual, because the ledger has {payments} and at least "
            f"{amounts.LEAST_ROWS} are needed; {listed} listed for other reasons."
        )
    else:
        text = f"{len(worth):,} of {payments} {'is' if len(worth) == 1 else 'are'} worth a review"
        if len(worth):
            by_currency = sums(ledger, worth)[:CURRENCIES_NAMED]
            text += f", {' and '.join(f'{total:,.2f} {currency}' for currency, total in by_currency)} in all"
        text += f"; {listed:,} are listed in order of strangeness."
    if ledger.left_out:
        text += f" {ledger.left_out:,} rows without an id, a date or an amount left out."
    return text


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Spend anomalies",
        version=4,
        columns=COLUMNS,
        compute=spend_anomalies,
        subject=("txn_id",),
        since=since,
        reopened=reopened,
        facets=(
            Facet(name="category", label="Category", field="category"),
            Facet(name="vendor", label="Vendor", field="vendor"),
            Facet(name="currency", label="Currency", field="currency"),
            Facet(name="reason", label="Reason", field="reasons", each="code"),
        ),
    ),
)
