"""All tests on one ledger, and the ranking they give together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aetherflow.analytics import (
    amounts,
    evidence,
    feedback,
    groups,
    habits,
    repeats,
    reversals,
    spending,
    splits,
    together,
)
from aetherflow.analytics.columns import Floats, Ints
from aetherflow.analytics.evidence import Test, Voice
from aetherflow.departments.finance.insights.ledger import Ledger

TOGETHER = "unusual-together"
# What changes for good reasons more often than for bad ones: rare all the same, so it speaks with less weight.
HINTS = frozenset({"period-end", "dormant-vendor", "changed-payment-type", "credit-without-payment", TOGETHER})
HINT_HANDICAP = 0.5
FALSE_ALARMS = 0.3  # expected share of honest payments among those that are worth a review, at most


@dataclass(frozen=True, kw_only=True)
class Findings:
    """`voices`: the evidence of each test, by reason code; `total`: all of it; `bar`: from where it is worth a review;
    `partner`: the row that a netted one cancels with, -1 for none; `tail`: share of the kind that is as large."""

    amounts: amounts.Amounts
    usual: groups.Range
    tail: Floats
    silence: Ints
    repeated: repeats.Repeats
    split: splits.Splits
    joint: together.Together
    partner: Ints
    voices: Mapping[str, Voice]
    total: Floats
    bar: float


def examine(ledger: Ledger, learnt: feedback.Learnt) -> Findings:
    kind, payee, size, cents = ledger.kind, ledger.payee, ledger.size, ledger.cents
    partner = reversals.netted(
        payee=ledger.kin,
        currency=ledger.currency.codes,
        cents=np.copysign(cents, ledger.amount),
        days=ledger.days,
        tie=ledger.ids.codes,
    )
    alive = partner < 0
    usual = amounts.against_usual(sizes=size, currency=ledger.scope, kind=kind, payee=payee, place=ledger.place)
    repeated = repeats.repeated_payments(
        repeats.Payments(
            payee=np.where(alive, payee, -1),
            kin=np.where(alive, ledger.kin, -1),
            spelling=ledger.vendor.codes,
            scope=ledger.scope,
            refund=(ledger.amount < 0).astype(np.int64),
            cents=cents,
            days=ledger.days,
            reference=np.where(alive, ledger.reference, -1),
            written=ledger.written,
            references=ledger.references,
            tie=ledger.ids.codes,
        )
    )
    split = splits.split_payments(payee=ledger.buying(), amounts=size, days=ledger.days)
    joint = together.judged(score=usual.score, shares=_shares(ledger), tie=ledger.ids.codes)
    tests: dict[str, Callable[[], Test]] = {
        "amount-far-from-usual": lambda: amounts.far_from_usual(usual),
        "decimal-shift": lambda: amounts.shifted_decimal(usual, cents=cents, kind=kind),
        "repeated-payment": lambda: Test(
            fired=repeated.fired & (repeated.probability <= habits.RARE),
            probability=repeated.probability,
            findings=repeated.findings,
        ),
        "split-below-limit": lambda: Test(fired=split.fired, probability=split.probability),
        "round-sum": lambda: spending.round_sum(cents=cents, kind=kind, payee=payee),
        "weekend": lambda: spending.at_weekend(days=ledger.days, kind=kind, payee=payee, place=ledger.place),
        "period-end": lambda: spending.at_period_end(days=ledger.days, kind=kind, payee=payee, sizes=size),
        "single-payment-vendor": lambda: habits.single_payee(payee=payee, kind=kind, sizes=size, days=ledger.days),
        "dormant-vendor": lambda: habits.after_silence(payee=payee, days=ledger.days, kind=kind, sizes=size),
        "unusual-category": lambda: habits.stray(payee=payee, of=ledger.category.codes, within=ledger.department.codes),
        "changed-currency": lambda: habits.stray(payee=payee, of=ledger.currency.codes),
        "changed-payment-type": lambda: habits.stray(payee=payee, of=ledger.payment_type.codes),
        "not-approved": lambda: habits.flagged_and_high(ledger.unapproved, kind=kind, sizes=size),
        "missing-vendor": lambda: habits.flagged_and_high(payee < 0, kind=kind, sizes=size),
        "credit-without-payment": lambda: habits.flagged_and_high(
            (ledger.amount < 0) & alive, kind=ledger.category.codes + 1, sizes=size
        ),
        TOGETHER: joint.test,
    }
    voices = {}
    # One after the other: fifteen tests of a million rows at once are 135 MB, and as much again their voices.
    for code, ask in tests.items():
        test = ask()
        voice = evidence.calibrated(test.probability, test.fired & alive, test.findings)
        if code in HINTS:
            voice = np.maximum(voice - HINT_HANDICAP, 0.0)
        voices[code] = Voice.of(learnt.adjusted(code, voice, payee=payee))
    # It sees what the others see, so it is no second opinion of them: it counts where it is the strongest.
    alone = voices[TOGETHER].everywhere()
    total = evidence.combined(voice.everywhere() for code, voice in voices.items() if code != TOGETHER)
    total = np.maximum(total, alone)
    return Findings(
        amounts=usual,
        usual=groups.usual_range(size, kind),
        tail=groups.upper_tail(size, kind),
        silence=habits.silence_before(payee, ledger.days),
        repeated=repeated,
        split=split,
        joint=joint,
        partner=partner,
        voices=voices,
        total=total,
        bar=evidence.bar(total, tests=sum(len(voice.rows) > 0 for voice in voices.values()), false_share=FALSE_ALARMS),
    )


def _shares(ledger: Ledger) -> dict[str, together.Share]:
    """Who is paid by whom, for what, how and when, against what is usual there."""
    weekday = (ledger.days.astype(np.int64) + 3) % 7
    category, place, payee = ledger.category.codes, ledger.place, ledger.payee
    return {
        "place": together.share_of(place, payee),
        "category": together.share_of(category, place),
        "payment-type": together.share_of(ledger.payment_type.codes, category),
        "weekday": together.share_of(weekday, category),
        "third-of-month": together.share_of(spending.third_of_month(ledger.days), payee),
    }
