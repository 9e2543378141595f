"""Finance from outside: what a ledger with something wrong in it says, and what an honest one does not."""

import json

import numpy as np
import pandas as pd
import pytest

from aetherflow.departments.finance.insights import INSIGHTS
from aetherflow.insight import Headline, Review
from tests.aetherflow.analytics.rows import ledger, shops

INSIGHT = INSIGHTS[0]


def ask(rows, *, reviews=()):
    got = INSIGHT.compute(rows, INSIGHT.given(reviews=reviews))
    json.dumps([got.data, got.items, dict(got.parameters), dict(got.headline.figures), got.summary], allow_nan=False)
    return got


def worth(got):
    return [item["txn_id"] for item in got.items if item["worth_review"]]


def usual_amounts(count):
    return [100.0 + 7.31 * (place % 9) for place in range(count)]


def test_a_huge_amount_in_a_small_ledger_leads_the_list_with_its_evidence():
    got = ask(ledger([*usual_amounts(39), 48_217.55]))
    item = got.items[0]
    assert item["txn_id"] == "T0039"
    assert item["worth_review"]
    assert item["status"] == "open"
    assert item["reasons"][0]["code"] == "amount-far-from-usual"
    assert "48,217.55 EUR" in item["reasons"][0]["message"]
    assert item["evidence"]["typical_high"] < 200
    assert item["evidence"]["n"] == 40
    assert "1 of 40 payments is worth a review, 48,217.55 EUR in all" in got.summary


def test_a_payment_made_twice_names_its_twin():
    notes = [f"invoice 9{place:04d}" for place in range(40)]
    amounts = [100 + 3.17 * place for place in range(40)]
    amounts[30], notes[30] = amounts[26], notes[26]
    vendors = [f"Vendor {place % 4}" for place in range(40)]
    vendors[30] = "VENDOR 2, Ltd."
    item = ask(ledger(amounts, notes=notes, vendor=vendors)).items[0]
    assert item["txn_id"] == "T0030"
    assert item["reasons"][0]["code"] == "repeated-payment"
    assert "with the same reference" in item["reasons"][0]["message"]
    assert item["evidence"]["matching_txn_ids"] == ["T0026"]


def test_an_amount_is_judged_in_its_own_currency():
    amounts = [*usual_amounts(40), *[value * 150 for value in usual_amounts(40)]]
    rows = ledger(amounts, currency=["EUR"] * 40 + ["JPY"] * 40)
    rows.loc[39, "amount"] = 15_023.17
    worth = [item for item in ask(rows).items if item["worth_review"]]
    assert [item["txn_id"] for item in worth] == ["T0039"]


def test_equal_amounts_of_many_vendors_are_nothing_to_review():
    rows = ledger([100.0] * 60, vendor=[f"Vendor {place % 20}" for place in range(60)])
    assert not [item for item in ask(rows).items if item["worth_review"]]


def test_the_end_of_a_month_is_told_with_the_share_of_the_ledger_that_is_booked_then():
    rows = shops()
    late = (rows.date + pd.offsets.MonthEnd(0) - rows.date).dt.days < 3
    told = [
        reason["message"] for item in ask(rows).items for reason in item["reasons"] if reason["code"] == "period-end"
    ]
    assert told
    assert all(f"as {late.mean():.1%} of the ledger are" in each for each in told)


def test_equal_amounts_are_given_no_rank_and_no_rarity():
    for vendors in (1, 20):
        rows = shops(amount=100.0, vendor=[f"Vendor {place % vendors}" for place in range(1_200)], notes=None)
        got = ask(rows)
        assert worth(got) == []
        told = [reason for item in got.items for reason in item["reasons"]]
        assert not any("by size of" in each["message"] or "the largest of" in each["message"] for each in told)
        assert not {"round-sum", "single-payment-vendor"} & {each["code"] for each in told}


def test_what_most_payments_carry_is_no_mark():
    got = ask(shops(vendor=None, approval_status="rejected"))
    codes = {reason["code"] for item in got.items for reason in item["reasons"]}
    assert not {"missing-vendor", "not-approved"} & codes


def test_a_booking_at_a_weekend_is_told_with_the_share_of_its_vendor():
    rows = shops()
    of_one = rows[rows.vendor == "Alder Trading House 0"]
    rows.loc[of_one.index[[4, 5]], "date"] = [pd.Timestamp("2026-03-07"), pd.Timestamp("2026-03-14")]
    _, item = reasons(ask(rows), of_one.txn_id.iloc[4])
    (message,) = (reason["message"] for reason in item["reasons"] if reason["code"] == "weekend")
    assert message == (
        "Booked on a Saturday, as 0.2% of the ledger are on a weekend, and 1 of the "
        f"{len(of_one) - 1} other payments to this vendor."
    )


def test_every_listed_payment_has_a_reason_and_the_list_is_ranked():
    rng = np.random.default_rng(11)
    rows = ledger(
        rng.lognormal(5, 1, 3_000).round(2).tolist(),
        vendor=[f"V{place}" for place in rng.integers(0, 300, 3_000)],
        category=[f"C{place}" for place in rng.integers(0, 12, 3_000)],
    )
    items = ask(rows).items
    assert len(items) >= 150
    assert all(item["reasons"] and item["reasons"][0]["message"] for item in items)
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)
    assert sum(item["worth_review"] for item in items) <= 30


def with_rows(rows, *added):
    return pd.concat([rows, pd.DataFrame(added)], ignore_index=True)


def reasons(got, txn_id):
    (item,) = (item for item in got.items if item["txn_id"] == txn_id)
    return [reason["code"] for reason in item["reasons"]], item


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_honest_ledger_is_left_alone(seed):
    assert len(worth(ask(shops(seed=seed)))) <= 3


def test_rents_salaries_and_subscriptions_are_no_news():
    months = pd.date_range("2026-01-01", periods=12, freq="MS")
    months = months + pd.to_timedelta((7 - months.day_of_week) % 7, unit="D")
    size = 12 * 12
    rows = pd.DataFrame(
        {
            "txn_id": [f"T{place:04d}" for place in range(size)],
            "date": np.repeat(months, 12),
            "category": ["Rent", "Salaries", "Software"] * (size // 3),
            "vendor": [f"Landlord {place % 12}" for place in range(size)],
            "amount": [1_000.0 * (1 + place % 12) for place in range(size)],
            "currency": "EUR",
            "approval_status": "approved",
            "notes": [f"customer 77{place % 12:03d}" for place in range(size)],
        }
    )
    assert worth(ask(rows)) == []


def test_two_currencies_are_two_worlds():
    rows = shops()
    rows["currency"] = np.where(rows.vendor.str[-1].isin(list("02468")), "EUR", "JPY")
    rows.loc[rows.currency == "JPY", "amount"] *= 160
    assert len(worth(ask(rows))) <= 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"txn_id": "X"}, "repeated-payment"),
        ({"txn_id": "X", "amount": 1_243.56}, "repeated-payment"),
        ({"txn_id": "X", "notes": "invoice 7204512"}, "repeated-payment"),
        ({"txn_id": "X", "vendor": "BRIDGEWATRE STATIONERS LTD"}, "repeated-payment"),
        ({"txn_id": "X", "vendor": "Alder Trading House 1"}, "repeated-payment"),
        ({"txn_id": "X", "currency": "USD"}, "repeated-payment"),
    ],
    ids=[
        *("again", "digits exchanged", "typo in the reference", "typo in the name", "under another vendor"),
        "in another currency",
    ],
)
def test_a_payment_made_twice_is_found_however_it_is_disguised(changes, code):
    rows = shops()
    first = {**rows.iloc[300].to_dict(), "vendor": "Bridgewater Stationers", "notes": "invoice 7204521"}
    first |= {"txn_id": "F", "amount": 1_234.56, "date": pd.Timestamp("2026-03-02")}
    again = first | {"date": pd.Timestamp("2026-03-10")} | changes
    others = [
        first | {"txn_id": f"B{place}", "amount": 411.19 + 97 * place, "notes": f"invoice 5{place:02d}3{place:02d}9"}
        for place in range(6)
    ]
    got = ask(with_rows(rows, first, again, *others))
    codes, item = reasons(got, "X")
    assert codes[0] == code
    assert item["evidence"]["matching_txn_ids"] == ["F"]
    assert item["worth_review"]


@pytest.mark.parametrize("notes", [None, "invoice 7204521"], ids=["without a reference", "with its reference"])
@pytest.mark.parametrize("apart", [0, 1], ids=["the same day", "day after day"])
def test_an_invoice_paid_three_or_four_times_is_no_less_suspicious_than_twice(notes, apart):
    words = ["low", "medium", "high", "critical"]
    least = 0
    for copies in (2, 3, 4):
        first = shops().iloc[300].to_dict() | {"notes": notes}
        first["amount"] += 0.01  # a usual sum of the vendor, which only its repeats speak against
        days = pd.Timestamp("2026-03-02") + pd.to_timedelta(apart * np.arange(copies), unit="D")
        got = ask(with_rows(shops(), *(first | {"txn_id": f"X{at}", "date": day} for at, day in enumerate(days))))
        for at in range(1, copies):
            codes, item = reasons(got, f"X{at}")
            assert "repeated-payment" in codes
            assert words.index(item["severity"]) >= least
        least = words.index(item["severity"])
        assert "X0" not in worth(got)


def test_two_large_payments_to_a_new_vendor_are_listed_and_a_new_supplier_is_not():
    rows = shops()
    usual = rows[rows.category == "K3"].amount
    new = rows.iloc[300].to_dict() | {"vendor": "Quillmere Advisory", "category": "K3", "notes": None}
    sums = (usual.quantile(0.97) + 3.17, usual.quantile(0.99) + 4.31)
    added = [
        new
        | {"txn_id": f"X{at}", "amount": round(amount, 2), "date": pd.Timestamp("2026-06-02") + pd.Timedelta(days=at)}
        for at, amount in enumerate(sums)
    ]
    got = ask(with_rows(rows, *added))
    for each in ("X0", "X1"):
        codes, item = reasons(got, each)
        assert codes[0] == "single-payment-vendor"
        assert "One of the first 2 payments to this new vendor, all within days" in item["reasons"][0]["message"]
    later = added[0] | {"txn_id": "X2", "date": pd.Timestamp("2026-04-02"), "amount": 41.17}
    told = ask(with_rows(rows, *added, later)).items
    assert not any(
        reason["code"] == "single-payment-vendor"
        for item in told
        if item["txn_id"] in ("X0", "X1", "X2")
        for reason in item["reasons"]
    )


def test_a_duplicate_that_was_taken_back_is_no_longer_worth_a_review():
    rows = shops()
    first = rows.iloc[300].to_dict() | {"amount": 48_211.17, "txn_id": "F", "date": pd.Timestamp("2026-03-02")}
    again = first | {"txn_id": "X", "date": pd.Timestamp("2026-03-10")}
    back = first | {"txn_id": "R", "date": pd.Timestamp("2026-03-12"), "amount": -48_211.17}
    assert "X" in worth(ask(with_rows(rows, first, again)))
    netted = ask(with_rows(rows, first, again, back))
    assert not {"X", "R"} & {item["txn_id"] for item in netted.items}
    assert netted.data["population"]["netted"] == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 5_537.00}, "decimal-shift"),
        ({"approval_status": "rejected", "amount": 900.13}, "not-approved"),
        ({"currency": "USD"}, "changed-currency"),
        ({"category": "K5"}, "unusual-category"),
        ({"date": pd.Timestamp("2026-03-07")}, "weekend"),
    ],
)
def test_planted_oddities_are_listed_for_what_they_are(changes, code):
    rows = shops()
    of_one = rows[rows.vendor == "Alder Trading House 0"]
    rows.loc[of_one.index[4], list(changes)] = list(changes.values())
    codes, _ = reasons(ask(rows), of_one.txn_id.iloc[4])
    assert code in codes


def test_what_no_single_test_sees_is_told_by_its_figures_together():
    rows = shops()
    of_one = rows[rows.vendor == "Alder Trading House 0"]
    # Twice, so that neither is the vendor's only one of its kind.
    rows.loc[of_one.index[[3, 4]], "payment_type"] = "card"
    # What people call their things is nothing to be filled in.
    rows["cost_center"] = rows["cost_center"].str.replace("C", "{C}")
    rows.loc[of_one.index[[3, 4]], "cost_center"] = "{C}7"
    codes, item = reasons(ask(rows), of_one.txn_id.iloc[4])
    assert codes[0] == "unusual-together"
    message = item["reasons"][0]["message"]
    assert f"1 of this vendor's {len(of_one) - 1} other payments is on cost centre {{C}}7" in message
    assert "other payments for K0 is by card" in message
    assert not item["worth_review"]


def test_the_voice_of_all_figures_adds_nothing_to_a_louder_one():
    rows = shops()
    of_one = rows[rows.vendor == "Alder Trading House 0"]
    rows.loc[of_one.index[4], ["approval_status", "amount"]] = ["rejected", 9_000.13]
    before = reasons(ask(rows), of_one.txn_id.iloc[4])
    rows.loc[of_one.index[[3, 4]], "cost_center"] = "C7"
    codes, item = reasons(ask(rows), of_one.txn_id.iloc[4])
    assert codes[0] == before[0][0] == "not-approved"
    assert item["score"] == pytest.approx(before[1]["score"], abs=1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"category": None, "cost_center": None, "department": None, "payment_type": None, "vendor": None},
        {"amount": 5.0, "vendor": "One", "date": pd.Timestamp("2026-03-03"), "notes": "1001", "category": "K"},
        {"currency": [("EUR", "USD", None, "JPY")[place % 4] for place in range(1_200)], "cost_center": None},
        {"amount": [(1e12, -1e12, 0.01, 0.0)[place % 4] for place in range(1_200)]},
    ],
    ids=["nothing but amounts", "all equal", "four currencies", "the largest and the smallest"],
)
def test_ledgers_without_usual_figures_are_answered_in_finite_numbers(changes):
    got = ask(shops(**changes))  # json.dumps refuses NaN
    assert all(item["reasons"] for item in got.items)


def test_a_ledger_of_one_row_is_answered():
    assert ask(shops(count=1)).items == []


def test_a_review_changes_status_and_like_cases():
    rows = shops()
    rows.loc[[100, 500, 900], "date"] = [
        pd.Timestamp("2026-02-07"),
        pd.Timestamp("2026-03-07"),
        pd.Timestamp("2026-05-02"),
    ]
    before = ask(rows)
    ids = rows.txn_id[[100, 500, 900]].tolist()
    shown = {item["txn_id"]: item for item in before.items}
    verdicts = [Review(subject=(each,), verdict="expected", item=shown[each]) for each in ids[:2]]
    after = {item["txn_id"]: item for item in ask(rows, reviews=verdicts).items}
    assert [after[each]["status"] for each in ids] == ["expected", "expected", "open"]
    assert not any(after[each]["worth_review"] for each in ids[:2])
    assert after[ids[2]]["score"] < shown[ids[2]]["score"]
    confirmed = [Review(subject=(ids[0],), verdict="confirmed", item=shown[ids[0]])]
    raised = {item["txn_id"]: item for item in ask(rows, reviews=confirmed).items}
    assert raised[ids[0]]["status"] == "confirmed"
    assert raised[ids[2]]["score"] > shown[ids[2]]["score"]


def test_a_verdict_ends_when_its_payment_changes():
    rows = ledger([*usual_amounts(39), 48_217.55])
    (item,) = (item for item in ask(rows).items if item["txn_id"] == "T0039")
    verdict = [Review(subject=("T0039",), verdict="expected", item=item)]
    assert ask(rows, reviews=verdict).headline.flagged == []
    rows.loc[39, "amount"] = 99_217.55
    assert ask(rows, reviews=verdict).items[0]["status"] == "open"


def test_a_new_reason_opens_a_payment_again_and_one_that_is_gone_does_not():
    rows = ledger([*usual_amounts(39), 48_217.55])
    (item,) = (item for item in ask(rows).items if item["txn_id"] == "T0039")
    (message,) = (each["message"] for each in item["reasons"] if each["code"] == "amount-far-from-usual")
    weekend = {"code": "weekend", "message": "Booked on a Saturday."}
    with_less, with_more = item | {"reasons": [weekend]}, item | {"reasons": [*item["reasons"], weekend]}
    expected = [Review(subject=("T0039",), verdict="expected", item=with_more)]
    assert ask(rows, reviews=expected).headline.flagged == []
    of_less = [Review(subject=("T0039",), verdict="expected", item=with_less)]
    (again,) = (item for item in ask(rows, reviews=of_less).items if item["txn_id"] == "T0039")
    assert (again["status"], again["worth_review"]) == ("open", True)
    assert message in INSIGHT.reopened(with_less, item)
    assert INSIGHT.reopened(with_more, item) == INSIGHT.reopened(item, item) == ""


def test_what_has_changed_of_a_payment_is_said_in_words():
    was = {"date": "2026-03-02", "category": None, "vendor": "Staples", "amount": 1_250.0, "currency": "EUR"}
    now = was | {"category": "Travel", "amount": 1_300.0}
    assert INSIGHT.reopened(was, now) == "The category was empty, the amount was 1,250.00."


def test_the_headline_counts_what_is_worth_a_review_and_since_says_what_is_new():
    got = ask(ledger([*usual_amounts(39), 48_217.55]))
    assert got.headline == Headline(figures={"worth_review": 1.0, "sum": 48_217.55}, flagged=[("T0039",)])
    assert INSIGHT.since(Headline(), got.headline) == "1 new payment worth a review"
    two = Headline(flagged=[("T1",), ("T2",)])
    assert INSIGHT.since(two, got.headline) == "1 new payment worth a review, 2 no longer worth one"
    assert INSIGHT.since(two, two) == ""


def test_the_headline_adds_no_currencies():
    amounts = [*usual_amounts(39), 48_217.55, *[value * 150 for value in usual_amounts(39)], 7_217_550.0]
    got = ask(ledger(amounts, currency=["EUR"] * 40 + ["JPY"] * 40))
    assert got.headline.figures == {"worth_review": 2.0}
    assert "48,217.55 EUR and 7,217,550.00 JPY in all" in got.summary


def test_benford_is_said_of_the_population_and_never_of_a_row():
    got = ask(shops())
    assert got.data["population"]["benford"]["conformity"] in ("close", "acceptable", "marginal", "nonconforming")
    assert ask(ledger(usual_amounts(40))).data["population"]["benford"] is None
    assert not any("benford" in reason["code"] for item in got.items for reason in item["reasons"])


def test_columns_that_are_not_there_count_as_empty():
    rows = shops().drop(columns=["department", "cost_center", "payment_type", "notes"])
    assert ask(rows).items
