"""Demand, safety stock and orders against figures worked by hand."""

import numpy as np
import pytest
from scipy.stats import nbinom

from aetherflow.analytics import inventory


def floats(*values):
    return np.array(values, dtype=float)


def snapshots(stock, daily, *, every=7):
    size = len(stock)
    return inventory.positions(
        items=np.zeros(size, dtype=np.int64),
        days=np.datetime64("2026-01-05") + every * np.arange(size),
        stock=floats(*stock),
        daily=floats(*daily),
    )


def test_a_single_snapshot_uses_the_prior():
    got = snapshots([10], [1.0])
    assert got.row.tolist() == [0]
    assert got.daily.tolist() == [1.0]
    assert got.dispersion[0] == pytest.approx(9.0)  # max(1.2, 9 * 1 ** 0.45)
    assert inventory.prior_dispersion(floats(0.0))[0] == 1.2


def test_the_newest_snapshot_is_the_position_in_any_row_order():
    got = inventory.positions(
        items=np.array([0, 1, 0]),
        days=np.array(["2026-02-02", "2026-02-02", "2026-01-05"], dtype="datetime64[D]"),
        stock=floats(3, 4, 50),
        daily=floats(1, 2, 9),
    )
    assert got.row.tolist() == [0, 1]
    assert got.daily.tolist() == [1.0, 2.0]


def test_steady_depletion_lowers_the_dispersion_and_receipts_are_left_out():
    steady = snapshots([100, 90, 80, 70, 60, 200, 190, 180], [10 / 7] * 8)
    assert steady.intervals.tolist() == [6]  # the rise from 60 to 200 is no demand
    weight = 6 / 14
    prior = 9 * (10 / 7) ** 0.45
    assert steady.dispersion[0] == pytest.approx(np.exp(weight * np.log(1.2) + (1 - weight) * np.log(prior)))
    wild = snapshots([200, 199, 150, 149, 100, 99, 40, 39], [10 / 7] * 8)
    assert wild.dispersion[0] > steady.dispersion[0]


def test_demand_is_half_the_newest_average_and_half_those_that_do_not_overlap():
    # ages 0..56 days: the slots of 28 days behind the newest hold ages 28..49 (newest of them 28) and 56
    daily = [9.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 3.0]
    got = snapshots([50] * 9, daily)
    assert got.daily[0] == pytest.approx(0.5 * 3.0 + 0.5 * (9.0 + 5.0) / 2)


def test_a_missing_average_falls_back_to_the_last_known_then_to_depletion():
    assert snapshots([50, 40], [2.0, np.nan]).daily.tolist() == [2.0]
    assert snapshots([50, 43, 36], [np.nan] * 3).daily.tolist() == [1.0]
    assert np.isnan(snapshots([50], [np.nan]).daily).all()


def test_stockout_probability_is_the_negative_binomial_tail():
    phi = 4.0 * (1 + 14 / 60)
    got = inventory.stockout_probability(stock=floats(20), daily=floats(1.5), dispersion=floats(4.0), days=14)
    assert got[0] == pytest.approx(nbinom.sf(20, 21 / (phi - 1), 1 / phi))
    # by hand: m = 2, phi = 2 (r = 2, p = 1/2) has P(0) = 1/4 and P(1) = 1/4, so P(more than 1) = 1/2
    base = 2.0 / (1 + 1 / 60)
    one_day = inventory.stockout_probability(stock=floats(1), daily=floats(2), dispersion=floats(base), days=1)
    assert one_day[0] == pytest.approx(0.5)


def test_no_demand_is_no_risk_and_a_backlog_is_certain():
    got = inventory.stockout_probability(stock=floats(0, -3), daily=floats(0, 2), dispersion=floats(1.2, 3), days=14)
    assert got.tolist() == [0.0, 1.0]


def test_safety_stock_is_the_quantile_above_the_expected_demand():
    lead = floats(10)
    quantile = inventory.demand_quantile(level=0.95, daily=floats(3), dispersion=floats(5), days=lead)
    phi = 5 * (1 + 10 / 60)
    assert quantile[0] == nbinom.ppf(0.95, 30 / (phi - 1), 1 / phi)
    safety = inventory.safety_stock(level=0.95, daily=floats(3), dispersion=floats(5), lead=lead)
    assert safety[0] == quantile[0] - 30


def test_safety_stock_approaches_the_textbook_normal_formula_for_large_demand():
    safety = inventory.safety_stock(level=0.95, daily=floats(5_000), dispersion=floats(5), lead=floats(10))
    assert safety[0] == pytest.approx(1.6449 * np.sqrt(5 * (1 + 10 / 60) * 50_000), rel=0.02)


def test_orders_are_whole_at_least_the_minimum_and_only_where_needed():
    got = inventory.order_quantity(
        needed=np.array([True, True, True, False]),
        target=floats(30.2, 12, 5, 100),
        stock=floats(10, 10, 10, 0),
        minimum=floats(6, 24, 0, 6),
    )
    assert got.tolist() == [21, 24, 1, 0]


@pytest.mark.parametrize("daily", [1e-12, 1e-3, 1.0, 1e6, 1e12])
def test_extreme_demand_stays_finite(daily):
    phi = inventory.prior_dispersion(floats(daily))
    got = inventory.demand_quantile(level=0.95, daily=floats(daily), dispersion=phi, days=floats(1e4))
    chance = inventory.stockout_probability(stock=floats(10), daily=floats(daily), dispersion=phi, days=14)
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    assert 0 <= chance[0] <= 1
