"""Which words of a ledger speak against a payment's approval, asked from outside."""

import pytest

from aetherflow.departments.finance.insights import INSIGHTS
from tests.aetherflow.analytics.rows import shops


def told(rows):
    """Sentences about approval, by transaction."""
    got = INSIGHTS[0].compute(rows, INSIGHTS[0].given())
    return {
        item["txn_id"]: reason["message"]
        for item in got.items
        for reason in item["reasons"]
        if reason["code"] == "not-approved"
    }


@pytest.mark.parametrize(
    "status",
    [
        *("pending", "On Hold", "in_review", "not_approved", "Not-Approved", "denied", "cancelled", "submitted", "no"),
        *("abgelehnt", "awaiting approval", "approval pending", "approval required", "zurückgestellt"),
    ],
)
def test_a_large_payment_whose_status_is_none_of_approval_is_listed_for_it(status):
    rows = shops()
    rows.loc[7, ["approval_status", "amount"]] = [status, 900.13]
    message = told(rows)["T00007"]
    assert status in message
    assert message.startswith("Not approved") == (status != "zurückgestellt")


@pytest.mark.parametrize("status", ["Approved", "auto-approved", "paid", "POSTED", "ok", "yes", "not required"])
def test_words_of_approval_are_no_reason(status):
    rows = shops()
    rows.loc[7, ["approval_status", "amount"]] = [status, 900.13]
    assert told(rows) == {}


def test_a_ledger_with_words_of_its_own_is_not_all_unapproved():
    rows = shops(approval_status=["grün" if place % 3 else "gelb" for place in range(1_200)])
    rows.loc[7, "amount"] = 900.13
    assert told(rows) == {}
