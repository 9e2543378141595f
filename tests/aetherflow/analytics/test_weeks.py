"""Which weeks count as whole, and what their totals are."""

import numpy as np
import pytest

from aetherflow.analytics.weeks import monday_of, weekly_totals, whole_weeks


def days(*texts):
    return np.array(texts, dtype="datetime64[D]")


def workdays(first, last):
    every = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    return every[(every.astype(np.int64) + 3) % 7 < 5]


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026-03-08", "2026-03-02"),
        ("2026-03-09", "2026-03-09"),
        ("1969-12-31", "1969-12-29"),
    ],
)
def test_a_week_begins_on_monday(day, monday):
    assert monday_of(days(day)) == days(monday)


def test_a_shop_closed_at_weekends_has_a_whole_week_on_friday():
    _, last = whole_weeks(days=workdays("2026-03-02", "2026-03-27"))
    assert last == np.datetime64("2026-03-23")


def test_the_week_under_way_is_left_out():
    _, last = whole_weeks(days=workdays("2026-03-02", "2026-03-26"))
    assert last == np.datetime64("2026-03-16")


def test_a_file_that_begins_mid_week_drops_its_first_week():
    first, _ = whole_weeks(days=workdays("2026-03-04", "2026-03-27"))
    assert first == np.datetime64("2026-03-09")


def test_totals_by_hand_with_a_week_without_trade_and_a_late_category():
    got = weekly_totals(
        days=days("2026-03-02", "2026-03-08", "2026-03-16", "2026-03-22", "2026-03-22"),
        groups=np.array([0, 0, 0, 0, 1]),
        values=np.array([10.0, 5.0, 7.0, 1.0, 3.0]),
        size=2,
    )
    assert got is not None
    assert got.totals.tolist() == [[15.0, 0.0], [0.0, 0.0], [8.0, 3.0]]
    assert got.rows.tolist() == [[2, 0], [0, 0], [2, 1]]
    assert got.start.tolist() == [0, 2]
    assert (str(got.first_forecast), got.lead) == ("2026-03-23", 1)


def test_a_cut_off_week_puts_the_forecast_two_weeks_after_the_last_whole_one():
    stamps = workdays("2026-03-02", "2026-03-25")
    got = weekly_totals(days=stamps, groups=np.zeros(len(stamps), dtype=np.int64), values=np.ones(len(stamps)), size=1)
    assert got is not None
    assert (str(got.weeks[-1]), str(got.first_forecast), got.lead) == ("2026-03-16", "2026-03-30", 2)


def test_the_order_of_rows_cannot_change_a_cent():
    rng = np.random.default_rng(3)
    stamps = np.datetime64("2026-01-05") + rng.integers(0, 70, 5_000)
    values = rng.normal(20, 400, 5_000).round(4)
    shuffle = rng.permutation(5_000)
    group = np.zeros(5_000, dtype=np.int64)
    one = weekly_totals(days=stamps, groups=group, values=values, size=1)
    two = weekly_totals(days=stamps[shuffle], groups=group, values=values[shuffle], size=1)
    assert one is not None
    assert two is not None
    assert one.totals.tolist() == two.totals.tolist()


def test_one_mistyped_year_does_not_cost_memory():
    got = weekly_totals(
        days=days("1900-01-01", "2026-03-02", "2026-03-08"),
        groups=np.zeros(3, dtype=np.int64),
        values=np.ones(3),
        size=1,
    )
    assert got is not None
    assert len(got.weeks) == 260
