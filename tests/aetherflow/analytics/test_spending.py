"""The ledger tests one by one: what they fire on, and the chance they give it."""

import numpy as np
import pytest

from aetherflow.analytics import evidence, groups, names, repeats, spending


def ints(*values):
    return np.array(values, dtype=np.int64)


def floats(*values):
    return np.array(values, dtype=float)


def on(*texts):
    return np.array(texts, dtype="datetime64[D]")


def test_the_median_of_the_others_leaves_the_row_out():
    got = groups.others_median(floats(1, 2, 3, 100, 7, 5), ints(0, 0, 0, 0, 1, 2))
    assert got[:4].tolist() == [3, 3, 2, 2]
    assert np.isnan(got[4:]).all()


@pytest.mark.parametrize("size", [2, 3, 6, 7])
def test_the_median_of_the_others_agrees_with_a_plain_loop(size):
    values = np.random.default_rng(size).integers(0, 9, size).astype(float)
    got = groups.others_median(values, np.zeros(size, dtype=np.int64))
    assert got.tolist() == [np.median(np.delete(values, place)) for place in range(size)]


def test_shares_tails_and_company_by_hand():
    group = ints(0, 0, 0, 0)
    flagged = np.array([True, True, False, False])
    assert groups.others_share(flagged, group, parent=0.5, strength=2.0).tolist() == [0.4, 0.4, 0.6, 0.6]
    assert groups.upper_tail(floats(1, 5, 5, 9), group).tolist() == [1.0, 0.75, 0.75, 0.25]
    assert groups.others_at_least(floats(1, 5, 5, 9), group, less=0.5).tolist() == [3, 2, 2, 0]
    middle = groups.usual_range(floats(0, 10, 20, 30, 40), ints(0, 0, 0, 0, 0))
    assert (middle.low[0], middle.median[0], middle.high[0]) == (4, 20, 36)


def test_evidence_is_the_mean_of_model_and_rank():
    probability = np.ones(1000)
    probability[0] = 1e-4
    fired = probability < 1
    got = evidence.calibrated(probability, fired)
    assert got[0] == pytest.approx((4 + 3) / 2)  # one in a thousand rows is as strange
    assert got[1:].tolist() == [0.0] * 999


def test_a_rule_that_fires_on_half_the_ledger_says_little():
    probability = np.where(np.arange(1000) < 500, 1e-4, 1.0)
    assert evidence.calibrated(probability, probability < 1)[0] == pytest.approx((4 + np.log10(2)) / 2)


def test_voices_are_added_with_falling_weight():
    got = evidence.combined([floats(1, 0), floats(4, 2), floats(2, 0), floats(3, 0)])
    assert got.tolist() == [4 + 0.25 * 3 + 0.1 * 2, 2.0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jacobs U.K. Limited", "JACOBS UK LTD"),
        ("Smith & Sons plc", "smith and sons"),
        ("A-B  Supplies", "a b supplies"),
    ],
)
def test_spellings_of_one_payee_meet(one, other):
    assert names.payee_key(one) == names.payee_key(other)


def test_a_name_of_legal_forms_only_keeps_itself():
    assert names.payee_key("The Limited Co") == "THE LIMITED CO"
    assert names.payee_key("Müller GmbH") == "MÜLLER"


def test_references_are_found_and_lose_a_last_letter():
    assert names.reference_in("ref 5101014252A, urgent") == "5101014252A"
    assert names.reference_in("thank you") == ""
    assert names.reference_core("5101014252A") == names.reference_core("5101014252") == "5101014252"


def amounts_of(sizes, payee=None):
    size = len(sizes)
    zero = np.zeros(size, dtype=np.int64)
    return spending.against_usual(
        sizes=floats(*sizes), currency=zero, kind=zero, payee=zero if payee is None else payee
    )


def test_an_amount_a_hundred_times_the_usual_stands_out_and_equal_amounts_do_not():
    got = amounts_of([100.0] * 20 + [10_000.0])
    assert got.usual[-1] == pytest.approx(100.0)
    assert got.distance[-1] == pytest.approx(np.log(100))
    test = spending.far_from_usual(got)
    assert test.fired.tolist() == [False] * 20 + [True]
    assert test.probability[-1] < 1e-4


def test_what_a_payee_gets_every_month_is_normal_for_it():
    payee = ints(*[0] * 20, *[1] * 8)
    alone = spending.far_from_usual(amounts_of([100.0] * 27 + [10_000.0], payee))
    usual = spending.far_from_usual(amounts_of([100.0] * 20 + [10_000.0] * 8, payee))
    assert alone.probability[-1] < 1e-3
    assert not (usual.fired[-1] and usual.probability[-1] < 0.05)


def test_under_eight_payments_there_is_no_normal():
    assert not spending.far_from_usual(amounts_of([100.0] * 6 + [1e6])).fired.any()


def test_a_slipped_decimal_point_leaves_zeros():
    sizes = [101.13, 99.57, 104.21, 98.33, 103.79, 97.11, 102.93, 100.49, 99.01, 10_123.00]
    cents = np.rint(floats(*sizes) * 100)
    got = spending.shifted_decimal(amounts_of(sizes), cents=cents, kind=np.zeros(10, dtype=np.int64))
    assert got.fired.tolist() == [False] * 9 + [True]


def test_round_sums_count_where_others_are_not_round():
    cents = floats(*[12_345.0] * 30, 500_000.0, 512_300.0)
    zero = np.zeros(32, dtype=np.int64)
    got = spending.round_sum(cents=cents, kind=zero, payee=zero)
    assert got.fired.tolist() == [False] * 30 + [True, False]
    assert got.probability[30] < 0.02


def test_a_weekend_on_which_everybody_booked_is_a_working_day():
    days = np.array(["2026-03-02"] * 30 + ["2026-03-07"] * 30 + ["2026-03-14"], dtype="datetime64[D]")
    zero = np.zeros(61, dtype=np.int64)
    got = spending.at_weekend(days=days, kind=zero, payee=zero)
    assert got.fired.tolist() == [False] * 30 + [True] * 31
    assert got.probability[60] < got.probability[30] / 10


def test_a_payee_that_never_strays_makes_the_first_stray_strange():
    got = spending.odd_category(payee=ints(*[0] * 20), category=ints(*[0] * 19, 1))
    assert got.fired.tolist() == [False] * 19 + [True]
    assert got.probability[-1] == pytest.approx((0 + 2 * 1.5 / 21) / 21)


def repeated(**changes):
    size = 12
    told = {
        "payee": ints(*[0] * size),
        "spelling": ints(*[0] * size),
        "cents": floats(*[10_000 + 37 * place for place in range(size - 2)], 77_700, 77_700),
        "days": np.datetime64("2026-03-02") + np.arange(size),
        "reference": ints(*range(size)),
        "written": ints(*range(size)),
        "tie": ints(*range(size)),
    }
    return repeats.repeated_payments(**(told | changes))


def test_the_later_of_two_equal_payments_is_the_repeat():
    got = repeated()
    assert np.flatnonzero(got.fired).tolist() == [11]
    assert (got.twin[11], got.gap[11], got.reference[11]) == (10, 1, 0)


def test_the_same_reference_or_one_with_a_letter_added_makes_a_repeat_stranger():
    plain = repeated().probability[11]
    same = repeated(reference=ints(*range(11), 10), written=ints(*range(11), 10))
    altered = repeated(reference=ints(*range(11), 10))
    assert same.probability[11] == pytest.approx(plain * 0.01)
    assert altered.probability[11] == pytest.approx(plain * 0.003)
    assert (same.reference[11], altered.reference[11]) == (1, 2)


def test_a_standing_order_is_no_double_payment():
    got = repeated(cents=floats(*[50_000] * 12), days=np.datetime64("2026-01-01") + 30 * np.arange(12))
    assert got.fired.sum() == 11
    assert got.probability[got.fired].min() > 0.8


def test_a_repeat_after_more_than_45_days_or_to_an_unknown_payee_is_none():
    late = np.datetime64("2026-03-02") + np.append(np.arange(11), 60)
    assert not repeated(days=late).fired.any()
    assert not repeated(payee=ints(*[-1] * 12)).fired.any()


def test_limits_are_round_and_just_below_is_the_last_tenth():
    got = repeats.limit_above(floats(89, 95, 899, 900, 999.99, 1000, 2300, 4600, 8999, 9500))
    wanted = [np.nan, 100, np.nan, 1000, 1000, np.nan, 2500, 5000, np.nan, 10_000]
    assert np.array_equal(got, wanted, equal_nan=True)


def test_three_payments_just_below_a_limit_within_days_are_a_split():
    amounts = floats(*[120.0 + place for place in range(30)], 950, 980, 920)
    last = on("2026-06-01", "2026-06-02", "2026-06-02")
    days = np.append(np.datetime64("2026-01-05") + 3 * np.arange(30), last)
    got = repeats.split_payments(payee=np.zeros(33, dtype=np.int64), amounts=amounts, days=days)
    assert np.flatnonzero(got.fired).tolist() == [30, 31, 32]
    assert got.pieces[30] == 3
    assert got.limit[30] == 1000
    assert got.probability[30] < 0.01


def test_the_same_bill_for_many_meters_is_no_split():
    amounts = floats(*[120.0] * 10, *[950.0] * 6)
    days = np.full(16, np.datetime64("2026-06-01"))
    assert not repeats.split_payments(payee=np.zeros(16, dtype=np.int64), amounts=amounts, days=days).fired.any()
