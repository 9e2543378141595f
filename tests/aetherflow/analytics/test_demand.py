"""Demand learnt from snapshots: told to the unit where stock and averages agree, calibrated on simulated shops."""

import numpy as np
import pytest

from aetherflow.analytics import demand, depletion, inventory

FIRST = np.datetime64("2026-01-05")


def floats(*values):
    return np.array(values, dtype=float)


def snapshots(stock, reported, *, every=7):
    size = len(stock)
    return demand.positions(
        items=np.zeros(size, dtype=np.int64),
        days=FIRST + every * np.arange(size),
        stock=floats(*stock),
        reported=floats(*reported),
    )


def shop(weekly, *, window=4, seed=0):
    """Weekly stock and reported averages, (n, snapshots) each, of items whose demand per week is known: shelves
    empty now and then, and what is ordered comes after two weeks."""
    items = len(weekly)
    sums = np.cumsum(np.hstack([np.zeros((items, 1)), weekly]), axis=1)
    average = (sums[:, window:] - sums[:, :-window]) / (7 * window)
    usual = weekly.mean(axis=1)
    stock = np.zeros_like(average)
    stock[:, 0] = np.ceil(2 * usual) + np.random.default_rng(seed).integers(0, 9, items)
    coming = np.zeros((items, 2))
    for week in range(1, average.shape[1]):
        left = np.maximum(stock[:, week - 1] - weekly[:, window - 1 + week], 0)
        stock[:, week] = left + coming[:, 0]
        coming = np.stack([coming[:, 1], np.where(left < 2 * usual, np.ceil(3 * usual), 0)], axis=1)
    return stock, average.round(3)


def flat(stock, average):
    items, count = stock.shape
    return {
        "items": np.repeat(np.arange(items), count),
        "days": np.tile(FIRST + 7 * np.arange(count), items),
        "stock": stock.ravel(),
        "reported": average.ravel(),
    }


def test_demand_is_told_to_the_unit_through_receipts_and_empty_shelves():
    weekly = np.random.default_rng(3).negative_binomial(0.8, 0.05, (40, 29)).astype(float)
    stock, average = shop(weekly)
    assert (stock == 0).mean() > 0.02
    rows = flat(stock, average)
    got = depletion.steps(**rows, last=np.arange(25, 26 * 40, 26))
    assert (got.window, got.step) == (4, 7)
    assert got.known.all()
    assert (got.units == weekly).mean() > 0.98


@pytest.mark.parametrize("window", [2, 3, 6])
def test_the_length_of_the_moving_average_is_found(window):
    weekly = np.random.default_rng(5).negative_binomial(1.5, 0.1, (40, 26 + window - 1)).astype(float)
    stock, average = shop(weekly, window=window)
    assert demand.positions(**flat(stock, average)).window_days == 7 * window


def test_averages_that_do_not_fit_the_stock_are_not_read_as_demand():
    rng = np.random.default_rng(6)
    got = demand.positions(**flat(rng.integers(0, 90, (30, 26)).astype(float), rng.gamma(2, 3, (30, 26))))
    assert got.window_days == 0
    assert got.backtest is None


@pytest.mark.parametrize("size", [0.5, 4.0])
def test_promises_hold_on_simulated_demand(size):
    rng = np.random.default_rng(8)
    usual = rng.gamma(1.0, 12.0, 400) + 1
    weekly = rng.negative_binomial(size, (size / (size + usual))[:, None], (400, 33)).astype(float)
    stock, average = shop(weekly[:, :29])
    got = demand.positions(**flat(stock, average))
    came = weekly[:, 29:31].sum(axis=1)
    for level in (0.8, 0.95):
        enough = inventory.demand_quantile(got.demand, level=level, days=np.full(400, 14.0))
        assert np.mean(came <= enough) == pytest.approx(level, abs=0.04)
    chance = inventory.stockout_probability(got.demand, stock=stock[:, -1], days=14)
    assert chance.mean() == pytest.approx(np.mean(came > stock[:, -1]), abs=0.05)
    assert got.backtest.brier < 0.9 * got.backtest.baseline
    assert got.backtest.service == pytest.approx(0.95, abs=0.03)


def test_a_single_snapshot_uses_the_prior():
    got = snapshots([10], [1.0])
    assert got.row.tolist() == [0]
    assert got.demand.mean.tolist() == [1.0]
    assert got.demand.dispersion[0, 0] == pytest.approx(9.0)  # max(1.2, 9 * 1 ** 0.45)
    assert demand.PRIOR.of(floats(0.0))[0] == 1.2


def test_the_newest_snapshot_is_the_position_in_any_row_order():
    got = demand.positions(
        items=np.array([0, 1, 0]),
        days=np.array(["2026-02-02", "2026-02-02", "2026-01-05"], dtype="datetime64[D]"),
        stock=floats(3, 4, 50),
        reported=floats(1, 2, 9),
    )
    assert got.row.tolist() == [0, 1]
    assert got.demand.mean.tolist() == [1.0, 2.0]


def test_steady_falls_lower_the_dispersion_and_receipts_are_left_out():
    # averages that grow for no reason fit no window, so the falls of stock are what there is
    averages = [1.0, 5.0, 1.0, 9.0, 2.0, 7.0, 1.0, 10 / 7]
    steady = snapshots([100, 90, 80, 70, 60, 200, 190, 180], averages)
    assert steady.window_days == 0
    assert steady.learnt.tolist() == [6]  # the rise from 60 to 200 is no demand
    weight, prior = 6 / 14, 9 * steady.demand.mean[0] ** 0.45
    assert steady.demand.dispersion[0, 0] == pytest.approx((1 - weight) * prior)
    wild = snapshots([200, 199, 150, 149, 100, 99, 40, 39], averages)
    assert wild.demand.dispersion[0, 0] > steady.demand.dispersion[0, 0]


def test_without_told_demand_it_is_half_the_newest_average_and_half_those_that_do_not_overlap():
    # ages 0..56 days: the slots of 28 days behind the newest hold ages 28..49 (newest of them 28) and 56
    got = snapshots([50] * 9, [9.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0, 1.0, 3.0])
    assert got.demand.mean[0] == pytest.approx(0.5 * 3.0 + 0.5 * (9.0 + 5.0) / 2)


def test_a_missing_average_falls_back_to_the_last_known_then_to_the_falls():
    assert snapshots([50, 40], [2.0, np.nan]).demand.mean.tolist() == [2.0]
    assert snapshots([50, 43, 36], [np.nan] * 3).demand.mean.tolist() == [1.0]
    unknown = snapshots([50], [np.nan])
    assert unknown.known.tolist() == [False]
    assert unknown.demand.mean.tolist() == [0.0]


def test_stock_is_idle_since_it_last_fell_or_demand_was_reported():
    assert snapshots([9, 9, 9], [0, 0, 0]).idle.tolist() == [14]
    assert snapshots([9, 8, 8], [0, 0, 0]).idle.tolist() == [7]
    assert snapshots([9, 9, 9], [0, 0, 0.1]).idle.tolist() == [0]
