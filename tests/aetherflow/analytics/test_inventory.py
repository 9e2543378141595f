"""Probabilities, safety stock, orders, classes and lead times against figures worked by hand."""

import numpy as np
import pytest
from scipy.stats import nbinom

from aetherflow.analytics import inventory, lead_times, stock_classes
from aetherflow.analytics.demand import PRIOR
from aetherflow.analytics.inventory import Demand


def floats(*values):
    return np.array(values, dtype=float)


def one_view(daily, dispersion):
    return Demand(weights=floats(1), daily=floats(daily), dispersion=floats(dispersion))


def test_stockout_probability_is_the_negative_binomial_tail():
    phi = 4.0 * (1 + 14 / 60)
    got = inventory.stockout_probability(one_view([1.5], [4.0]), stock=floats(20), days=14)
    assert got[0] == pytest.approx(nbinom.sf(20, 21 / (phi - 1), 1 / phi))
    # by hand: m = 2, phi = 2 (r = 2, p = 1/2) has P(0) = 1/4 and P(1) = 1/4, so P(more than 1) = 1/2
    base = 2.0 / (1 + 1 / 60)
    one_day = inventory.stockout_probability(one_view([2.0], [base]), stock=floats(1), days=1)
    assert one_day[0] == pytest.approx(0.5)


def test_views_are_pooled_by_their_weights():
    both = Demand(weights=floats(0.25, 0.75), daily=np.array([[1.0], [3.0]]), dispersion=np.array([[4.0], [2.0]]))
    alone = [
        inventory.stockout_probability(one_view([daily], [phi]), stock=floats(20), days=14)[0]
        for daily, phi in ((1.0, 4.0), (3.0, 2.0))
    ]
    pooled = inventory.stockout_probability(both, stock=floats(20), days=14)
    assert pooled[0] == pytest.approx(0.25 * alone[0] + 0.75 * alone[1])
    assert both.mean[0] == pytest.approx(2.5)
    quantile = inventory.demand_quantile(both, level=0.95, days=floats(14))[0]
    assert inventory.stockout_probability(both, stock=floats(quantile), days=14)[0] <= 0.05
    assert inventory.stockout_probability(both, stock=floats(quantile - 1), days=14)[0] > 0.05


def test_no_demand_is_no_risk_and_a_backlog_is_certain():
    got = inventory.stockout_probability(one_view([0, 2], [1.2, 3]), stock=floats(0, -3), days=14)
    assert got.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize(("daily", "dispersion"), [(0.01, 1.2), (0.3, 30.0), (3.0, 5.0), (40.0, 1.2), (80.0, 400.0)])
def test_the_quantile_is_that_of_the_negative_binomial(level, daily, dispersion):
    phi = dispersion * (1 + 10 / 60)
    got = inventory.demand_quantile(one_view([daily], [dispersion]), level=level, days=floats(10))
    assert got[0] == nbinom.ppf(level, 10 * daily / (phi - 1), 1 / phi)


def test_safety_stock_is_the_quantile_above_the_expected_demand():
    demand, lead = one_view([3.0], [5.0]), floats(10)
    quantile = inventory.demand_quantile(demand, level=0.95, days=lead)
    assert inventory.safety_stock(demand, level=0.95, lead=lead)[0] == quantile[0] - 30


def test_safety_stock_approaches_the_textbook_normal_formula_for_large_demand():
    demand, lead = one_view([5_000.0], [5.0]), floats(10)
    steady = 5 * (1 + 10 / 60) * 50_000
    safety = inventory.safety_stock(demand, level=0.95, lead=lead)
    assert safety[0] == pytest.approx(1.6449 * np.sqrt(steady), rel=0.02)
    varying = inventory.safety_stock(demand, level=0.95, lead=lead, lead_spread=floats(0.5))
    assert varying[0] == pytest.approx(1.6449 * np.sqrt(steady + (5_000 * 0.5) ** 2), rel=0.03)


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
    demand = Demand(weights=floats(1), daily=floats([daily]), dispersion=PRIOR.of(floats([daily])))
    got = inventory.demand_quantile(demand, level=0.95, days=floats(1e4))
    chance = inventory.stockout_probability(demand, stock=floats(10), days=14)
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    assert 0 <= chance[0] <= 1


def test_abc_takes_the_first_80_and_95_percent_and_equals_stay_together():
    # shares before each: 0, 50, 80, 90, 95 and 98 %
    assert stock_classes.abc(floats(50, 30, 10, 5, 3, 2)).tolist() == ["A", "A", "B", "B", "C", "C"]
    assert stock_classes.abc(floats(2, 0, 2, 2)).tolist() == ["A", "C", "A", "A"]
    assert stock_classes.abc(floats(0, 0)).tolist() == ["C", "C"]


def test_xyz_goes_by_the_variation_of_weekly_demand():
    assert stock_classes.xyz(floats(0.5, 0.51, 1.0, 1.01, np.nan)).tolist() == ["X", "Y", "Y", "Z", "Z"]


def leads(items, values, supplier):
    return lead_times.lead_times(
        items=np.array(items), order=np.arange(len(items)), leads=floats(*values), supplier=np.array(supplier)
    )


def test_a_missing_lead_time_is_the_last_known_then_the_suppliers_then_the_departments():
    got = leads([0, 0, 1, 2, 3, 4], [4, np.nan, 8, 20, np.nan, np.nan], [0, 0, 1, 0, 2])
    # supplier 0 has 4 and 8, supplier 2 nothing; the department's median is that of 4, 8 and 20
    assert got.days.tolist() == [4, 8, 20, 6, 8]
    assert got.assumed.tolist() == [False, False, False, True, True]
    assert leads([0], [np.nan], [-1]).days.tolist() == [14]


def test_the_spread_of_lead_times_is_pooled_within_the_items_of_a_supplier():
    # deviations from each item's own mean: 1, 1, 1, 1 and 2, 0, 2; 12 over 3 + 2 degrees of freedom
    got = leads([0, 0, 0, 0, 1, 1, 1, 2, 2], [9, 11, 9, 11, 18, 20, 22, 5, 9], [0, 0, 1])
    assert got.spread[:2] == pytest.approx(np.sqrt(12 / 5))
    assert np.isnan(got.spread[2])  # one degree of freedom is too little to believe
