"""The ledger tests one by one: what they fire on, and the chance they give it."""

import numpy as np
import pytest

from aetherflow.analytics import (
    amounts,
    benford,
    evidence,
    feedback,
    groups,
    habits,
    reversals,
    spending,
    splits,
)
from tests.aetherflow.analytics.rows import floats, ints


def on(*days):
    return np.array(days, dtype="datetime64[D]")


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
    assert got.tolist() == [4 + 0.15 * 3 + 0.05 * 2, 2.0]


def amounts_of(sizes, payee=None):
    size = len(sizes)
    zero = np.zeros(size, dtype=np.int64)
    return amounts.against_usual(
        sizes=floats(*sizes), currency=zero, kind=zero, payee=zero if payee is None else payee, place=zero - 1
    )


def test_an_amount_a_hundred_times_the_usual_stands_out_and_equal_amounts_do_not():
    got = amounts_of([100.0] * 20 + [10_000.0])
    assert got.usual[-1] == pytest.approx(100.0)
    assert got.distance[-1] == pytest.approx(np.log(100))
    test = amounts.far_from_usual(got)
    assert test.fired.tolist() == [False] * 20 + [True]
    assert test.probability[-1] < 1e-4


def test_what_a_payee_gets_every_month_is_normal_for_it():
    payee = ints(*[0] * 20, *[1] * 8)
    alone = amounts.far_from_usual(amounts_of([100.0] * 27 + [10_000.0], payee))
    usual = amounts.far_from_usual(amounts_of([100.0] * 20 + [10_000.0] * 8, payee))
    assert alone.probability[-1] < 1e-3
    assert not (usual.fired[-1] and usual.probability[-1] < 0.05)


def test_under_eight_payments_there_is_no_normal():
    assert not amounts.far_from_usual(amounts_of([100.0] * 6 + [1e6])).fired.any()


def test_a_slipped_decimal_point_leaves_zeros():
    sizes = [101.13, 99.57, 104.21, 98.33, 103.79, 97.11, 102.93, 100.49, 99.01, 10_123.00]
    cents = np.rint(floats(*sizes) * 100)
    got = amounts.shifted_decimal(amounts_of(sizes), cents=cents, kind=np.zeros(10, dtype=np.int64))
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
    got = spending.at_weekend(days=days, kind=zero, payee=zero, place=zero - 1)
    assert got.fired.tolist() == [False] * 30 + [True] * 31
    assert got.probability[60] < got.probability[30] / 10


def test_a_payee_that_never_strays_makes_the_first_stray_strange():
    got = habits.stray(payee=ints(*[0] * 20), of=ints(*[0] * 19, 1))
    assert got.fired.tolist() == [False] * 19 + [True]
    assert got.probability[-1] == pytest.approx((0 + 2 * 1.5 / 21) / 21)


def test_limits_are_round_and_just_below_is_the_last_tenth():
    got = splits.limit_above(floats(89, 95, 899, 900, 999.99, 1000, 2300, 4600, 8999, 9500))
    wanted = [np.nan, 100, np.nan, 1000, 1000, np.nan, 2500, 5000, np.nan, 10_000]
    assert np.array_equal(got, wanted, equal_nan=True)


def test_three_payments_just_below_a_limit_within_days_are_a_split():
    amounts = floats(*[120.0 + place for place in range(30)], 950, 980, 920)
    last = on("2026-06-01", "2026-06-02", "2026-06-02")
    days = np.append(np.datetime64("2026-01-05") + 3 * np.arange(30), last)
    got = splits.split_payments(payee=np.zeros(33, dtype=np.int64), amounts=amounts, days=days)
    assert np.flatnonzero(got.fired).tolist() == [30, 31, 32]
    assert got.pieces[30] == 3
    assert got.limit[30] == 1000
    assert got.probability[30] < 0.02


def test_the_same_bill_for_many_meters_is_no_split():
    amounts = floats(*[120.0] * 10, *[950.0] * 6)
    days = np.full(16, np.datetime64("2026-06-01"))
    assert not splits.split_payments(payee=np.zeros(16, dtype=np.int64), amounts=amounts, days=days).fired.any()


def test_a_crowd_of_payees_below_a_plain_sum_makes_it_a_limit():
    sizes = np.concatenate([np.linspace(100, 5_000, 500), np.linspace(2_701, 2_999, 200)])
    many, one = np.arange(700), np.append(np.arange(500), [500] * 200)
    assert 3_000 not in splits.learnt_limits(sizes[:500], many[:500])
    assert 3_000 in splits.learnt_limits(sizes, many)
    assert 3_000 not in splits.learnt_limits(sizes, one)


def taken_back(cents, days, payee=None):
    size = len(cents)
    return reversals.netted(
        payee=np.zeros(size, dtype=np.int64) if payee is None else payee,
        currency=np.zeros(size, dtype=np.int64),
        cents=floats(*cents),
        days=np.datetime64("2026-03-02") + np.array(days),
        tie=np.arange(size),
    ).tolist()


def test_a_reversal_takes_back_the_newest_open_payment():
    assert taken_back([500, 500, -500], [0, 3, 9]) == [-1, 2, 1]
    assert taken_back([500, 500, -500, -500], [0, 3, 9, 10]) == [3, 2, 1, 0]
    assert taken_back([-500, 500, 700], [0, 3, 4]) == [1, 0, -1]


def test_what_is_late_another_sum_or_another_payee_takes_nothing_back():
    assert taken_back([500, -500], [0, 61]) == [-1, -1]
    assert taken_back([500, -501], [0, 1]) == [-1, -1]
    assert taken_back([500, -500], [0, 1], ints(0, 1)) == [-1, -1]
    assert taken_back([500, -500], [0, 1], ints(-1, -1)) == [-1, -1]


def test_a_long_silence_and_a_large_payment_after_it():
    days = np.datetime64("2026-01-01") + np.array([0, 30, 60, 90, 200, 0, 30, 60, 90, 120])
    sizes = floats(*[100.0] * 4, 900.0, *[100.0] * 5)
    zero = np.zeros(10, dtype=np.int64)
    payee = ints(*[0] * 5, *[1] * 5)
    got = habits.after_silence(payee=payee, days=days, kind=zero, sizes=sizes)
    assert np.flatnonzero(got.fired).tolist() == [4]
    assert habits.silence_before(payee, days)[4] == 110


def test_a_quarterly_payment_is_no_end_of_a_silence():
    days = np.datetime64("2026-01-01") + 91 * np.arange(6)
    zero = np.zeros(6, dtype=np.int64)
    assert not habits.after_silence(payee=zero, days=days, kind=zero, sizes=np.ones(6)).fired.any()


def test_a_new_payees_first_payments_are_those_within_days_and_after_the_ledgers_first_month():
    old, new, opening, steady = [0, 40, 80], [70, 71], [3, 5], [50, 80]
    payee = ints(*[0] * 3, *[1] * 2, *[2] * 2, *[3] * 2, -1, -1)
    days = np.datetime64("2026-01-01") + np.array([*old, *new, *opening, *steady, 60, 61])
    assert np.flatnonzero(habits.first_payments(payee, days)).tolist() == [3, 4]
    many = ints(*[0] * 3, *[1] * 5)
    assert not habits.first_payments(many, np.datetime64("2026-01-01") + np.array([*old, *range(70, 75)])).any()


def test_the_last_days_of_a_month():
    assert spending.in_last_days(on("2026-02-25", "2026-02-26", "2026-02-28", "2026-03-01")).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_the_thirds_of_a_month():
    days = on("2026-02-01", "2026-02-10", "2026-02-11", "2026-02-20", "2026-02-21", "2026-03-31")
    assert spending.third_of_month(days).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_stray_into_a_kind_the_department_never_uses_is_stranger():
    payee = ints(*[0] * 20, *[1] * 20)
    of = ints(*[0] * 19, 1, *[0] * 19, 2)
    within = ints(*[0] * 19, 0, *[0] * 20)
    more = ints(*[2] * 10, *[0] * 10)
    got = habits.stray(
        payee=np.concatenate([payee, more + 2]),
        of=np.concatenate([of, np.full(20, 1)]),
        within=np.concatenate([within, np.zeros(20, dtype=np.int64)]),
    )
    assert got.probability[39] == pytest.approx(got.probability[19] / 2)


def test_benford_on_its_own_law_and_on_equal_sums():
    sizes = 10 ** (1 + np.arange(20_000) / 20_000 * 3)
    close = benford.first_two_digits(sizes)
    assert close.word == "close"
    assert close.deviation < 0.0002
    assert benford.first_two_digits(np.full(2_000, 55.0)).word == "nonconforming"
    assert benford.first_two_digits(sizes[:999]) is None


def test_the_bar_bounds_the_share_of_false_alarms():
    total = floats(6.0, 5.0, 3.4, *[0.0] * 997)
    # 1,000 rows and 3 tests: 0.003, 0.03 and 1.2 false alarms are expected at 6, 5 and 3.4; 0.9 of 3 are allowed.
    assert evidence.bar(floats(6.0, 5.0, 3.6, *[0.0] * 997), tests=3, false_share=0.3) == pytest.approx(3.5)
    assert evidence.bar(floats(6.0, 5.0, 3.4, *[3.3] * 5, *[0.0] * 992), tests=3, false_share=0.3) == 3.3
    # No more than the strangest row has whose model probability stands the bound: (log10 of 10,000 + 3) / 2.
    assert evidence.bar(total, tests=3, false_share=0.3) == pytest.approx(3.5)
    assert evidence.bar(np.zeros(1000), tests=3, false_share=0.3) == pytest.approx(3.5)


def verdicts(*said, payee=7):
    return [feedback.Verdict(codes=("weekend", "round-sum"), payee=payee, confirmed=each) for each in said]


def test_reviews_move_the_evidence_of_like_cases_within_bounds():
    one = feedback.learnt(verdicts(False))
    rate = (0 + 2 * 0.5) / 3
    assert one.by_code == {"weekend": pytest.approx(np.log10(rate / (1 - rate)))}
    own = (0 + 2 * rate) / 3
    assert one.by_payee == {("weekend", 7): pytest.approx(np.log10(own / (1 - own)))}
    assert feedback.learnt(verdicts(*[False] * 500)).by_code["weekend"] == -0.5
    assert feedback.learnt(verdicts(*[True] * 500)).by_payee["weekend", 7] == 1.0
    voice, payee = floats(3, 3, 0, 0.1), ints(7, 1, 7, 1)
    assert one.adjusted("weekend", voice, payee=payee).tolist() == pytest.approx(
        [3 + np.log10(own / (1 - own)), 3 + np.log10(rate / (1 - rate)), 0, 0]
    )
    assert one.adjusted("round-sum", voice, payee=payee).tolist() == voice.tolist()
