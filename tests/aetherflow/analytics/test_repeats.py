"""Which payments repeat an earlier one, by which resemblance, and by what chance."""

import numpy as np
import pytest

from aetherflow.analytics import repeats
from tests.aetherflow.analytics.rows import floats, ints, texts


def repeated(**changes):
    size = 12
    told = {
        "payee": ints(*[0] * size),
        "kin": ints(*[0] * size),
        "spelling": ints(*[0] * size),
        "scope": ints(*[0] * size),
        "refund": ints(*[0] * size),
        "cents": floats(*[10_000 + 1_337 * place for place in range(size - 2)], 77_700, 77_700),
        "days": np.datetime64("2026-03-02") + np.arange(size),
        "reference": ints(*range(size)),
        "written": ints(*range(size)),
        "references": texts(*[f"R{7919 * place + 10**6}" for place in range(size)]),
        "tie": ints(*range(size)),
    } | changes
    return repeats.repeated_payments(repeats.Payments(**told))


def pattern_of(got, row=11):
    return repeats.Pattern(int(got.pattern[row]))


def test_the_later_of_two_equal_payments_is_the_repeat():
    got = repeated()
    assert np.flatnonzero(got.fired).tolist() == [11]
    assert (got.twin[11], got.gap[11], pattern_of(got)) == (10, 1, repeats.Pattern.SUM)


def test_the_same_reference_or_one_with_a_letter_added_makes_a_repeat_stranger():
    plain = repeated().probability[11]
    same = repeated(reference=ints(*range(11), 10), written=ints(*range(11), 10))
    altered = repeated(reference=ints(*range(11), 10))
    # No unrelated payments share a reference: half of one in the ledger's 13, and two rows' worth of that in 13.
    never = 2 * (0.5 / 13) / (11 + 2)
    assert same.probability[11] == pytest.approx(plain * never)
    assert altered.probability[11] == pytest.approx(plain * never)
    assert pattern_of(same) is repeats.Pattern.SUM_AND_REFERENCE
    assert pattern_of(altered) is repeats.Pattern.REFERENCE_WITH_SUFFIX


def test_a_reference_that_is_a_customer_number_proves_nothing():
    same = repeated(reference=ints(*[0] * 12), written=ints(*[0] * 12))
    rare = repeated(reference=ints(*range(11), 10), written=ints(*range(11), 10))
    assert same.probability[11] > 15 * rare.probability[11]


@pytest.mark.parametrize(("first", "last"), [(77_700, 77_790), (77_700, 777_000), (71_700, 17_700)])
def test_nearly_the_same_sum_with_the_same_reference_is_a_repeat(first, last):
    cents = floats(*[10_000 + 1_337 * place for place in range(10)], first, last)
    got = repeated(cents=cents, reference=ints(*range(11), 10), written=ints(*range(11), 10))
    assert np.flatnonzero(got.fired).tolist() == [11]
    assert pattern_of(got) is repeats.Pattern.NEAR_SUM


def test_a_slip_in_the_reference_and_a_slip_in_the_name_are_seen():
    got = repeated(references=texts(*[f"R{7919 * place + 10**6}" for place in range(10)], "R1079190", "R1079109"))
    assert pattern_of(got) is repeats.Pattern.REFERENCE_WITH_SLIP
    slip = repeated(payee=ints(*[0] * 11, 1), reference=ints(*range(11), 10), written=ints(*range(11), 10))
    assert slip.twin[11] == 10


def test_one_invoice_under_two_payees_is_seen():
    other = ints(*[0] * 11, 1)
    got = repeated(payee=other, kin=other, reference=ints(*range(11), 10), written=ints(*range(11), 10))
    assert (got.twin[11], pattern_of(got)) == (10, repeats.Pattern.OTHER_PAYEE)
    assert got.probability[11] == pytest.approx(0.5 / 13 * 2 / 12)
    assert not repeated(payee=other, kin=other).fired.any()


def test_a_standing_order_is_no_double_payment():
    got = repeated(cents=floats(*[50_000] * 12), days=np.datetime64("2026-01-01") + 30 * np.arange(12))
    assert got.fired.sum() == 11
    assert got.probability[got.fired].min() > 0.8


def test_one_invoice_in_two_currencies_is_seen_within_weeks():
    dollars = {"scope": ints(*[0] * 11, 1), "reference": ints(*range(11), 10), "written": ints(*range(11), 10)}
    got = repeated(**dollars)
    assert (got.twin[11], pattern_of(got)) == (10, repeats.Pattern.OTHER_CURRENCY)
    late = np.datetime64("2026-03-02") + np.append(np.arange(11), 60)
    refund = ints(*[0] * 11, 1)
    assert not repeated(**dollars, days=late).fired.any()
    assert not repeated(**dollars, refund=refund).fired.any()
    assert not repeated(**dollars | {"reference": ints(*range(12))}).fired.any()


@pytest.mark.parametrize("apart", [0, 1])
@pytest.mark.parametrize("shared", [False, True], ids=["no reference in common", "the same reference"])
def test_several_repeats_within_days_are_stranger_than_one(apart, shared):
    strangest = 1.0
    for copies in (2, 3, 4):
        first = 12 - copies
        days = np.datetime64("2026-03-02") + np.append(np.arange(first), first + apart * np.arange(copies))
        reference = ints(*range(first), *([first] * copies if shared else range(first, 12)))
        cents = floats(*[10_000 + 1_337 * place for place in range(first)], *[77_700] * copies)
        got = repeated(cents=cents, days=days, reference=reference, written=reference)
        assert np.flatnonzero(got.fired).tolist() == list(range(first + 1, 12))
        assert len(set(got.probability[got.fired])) == 1
        assert got.probability[11] < strangest
        strangest = got.probability[11]


def test_a_batch_of_equal_sums_is_no_repeat_but_one_of_equal_invoices_is():
    cents, days = floats(*[50_000] * 12), np.datetime64("2026-03-02") + np.zeros(12, dtype=np.int64)
    assert repeated(cents=cents, days=days).probability[11] > 0.6
    same = ints(*[0] * 12)
    assert repeated(cents=cents, days=days, reference=same, written=same).probability[11] < 0.1


def test_a_second_payment_within_days_is_not_excused_by_a_standing_order():
    days = np.datetime64("2026-01-01") + np.append(30 * np.arange(11), 302)
    got = repeated(cents=floats(*[50_000] * 12), days=days)
    assert got.gap[11] == 2
    assert got.probability[11] < got.probability[1:11].min() - 0.1


def test_a_standing_order_of_several_payments_a_time_is_no_double_payment():
    days = np.datetime64("2026-01-01") + np.repeat(30 * np.arange(4), 3)
    got = repeated(cents=floats(*[50_000] * 12), days=days)
    assert got.probability[got.fired].min() >= 0.5


def test_equal_sums_every_day_for_weeks_are_a_standing_order():
    got = repeated(cents=floats(*[50_000] * 12), days=np.datetime64("2026-01-05") + 2 * np.arange(12))
    assert got.probability[got.fired].min() > 0.8


def test_a_repeat_after_more_than_45_days_or_to_an_unknown_payee_is_none():
    late = np.datetime64("2026-03-02") + np.append(np.arange(11), 60)
    assert not repeated(days=late).fired.any()
    assert not repeated(payee=ints(*[-1] * 12), kin=ints(*[-1] * 12)).fired.any()
