"""What the supply chain is told beside the risk: settings, classes, suppliers, dead stock, what has changed."""

import json

import numpy as np
import pandas as pd
import pytest

from aetherflow.analytics import inventory
from aetherflow.departments.supply_chain.insights import INSIGHTS
from aetherflow.insight import Headline

INSIGHT = INSIGHTS[0]


def ask(rows, **settings):
    return INSIGHT.compute(rows, INSIGHT.given(settings=settings))


def rows(count=1, *, weeks=1, **changes):
    """`count` items at `weeks` weekly snapshots, the item running slowest."""
    size = count * weeks
    frame = pd.DataFrame(
        {
            "snapshot_date": np.tile(np.datetime64("2026-01-05", "s") + 7 * 86_400 * np.arange(weeks), count),
            "warehouse_id": "W1",
            "sku": np.repeat([f"S{place:03d}" for place in range(count)], weeks),
            "product_category": "Tea",
            "current_stock": 10,
            "daily_demand_avg": 2.0,
            "lead_time_days": 7,
            "reorder_point": 5,
            "min_order_qty": 6,
            "supplier_id": "V1",
        }
    )
    assert len(frame) == size
    return frame.assign(**changes)


def test_a_higher_service_level_asks_for_more_safety_stock_and_says_so():
    usual, careful = ask(rows()), ask(rows(), service_level=0.99)
    assert careful.items[0]["safety_stock"] > usual.items[0]["safety_stock"]
    assert "99 % service" in careful.items[0]["reason"]
    assert careful.parameters["service_level"] == 0.99
    assert usual.data["service_level"] == 0.95


def test_an_item_carries_what_it_takes_to_work_it_out_again():
    got = ask(rows(3, weeks=6, lead_time_days=[5, 9, 5, 9, 5, 9] * 3, min_order_qty=[40] * 17 + [900]))
    for item in got.items:
        views = np.array(item["demand_views"])
        demand = inventory.Demand(
            weights=np.array(got.parameters["view_weights"]), daily=views[:, :1], dispersion=views[:, 1:]
        )
        spread, lead = item["lead_time_sd"], np.array([item["lead_time_days"]])
        probability = inventory.stockout_probability(demand, stock=np.array([item["current_stock"]]), days=14)
        safety = inventory.safety_stock(demand, level=0.95, lead=lead, lead_spread=spread)
        until = np.maximum(lead + got.parameters["review_days"], 14)
        target = inventory.demand_quantile(demand, level=0.95, days=until, lead_spread=spread)
        assert item["stockout_probability"] == pytest.approx(probability[0], abs=1e-4)
        assert item["safety_stock"] == np.ceil(safety[0])
        assert item["reorder_quantity"] == max(target[0] - item["current_stock"], item["min_order_qty"])
    assert sorted(item["min_order_qty"] for item in got.items) == [40, 40, 900]


def test_a_first_snapshot_has_no_backtest_and_says_why():
    got = ask(rows())
    assert got.quality is None
    assert got.data["note"].startswith("No backtest: past demand is not known")


def test_suppliers_show_what_their_varying_lead_time_costs():
    varying = rows(3, weeks=6, lead_time_days=[5, 9, 5, 9, 5, 9] * 3)
    steady = rows(2, weeks=6, supplier_id="V2", warehouse_id="W2")
    got = ask(pd.concat([varying, steady]))
    suppliers = {each["supplier_id"]: each for each in got.data["suppliers"]}
    assert suppliers["V1"]["lead_time_sd"] == pytest.approx(np.sqrt(3 * 6 * 4 / 15), abs=0.01)
    assert suppliers["V1"]["safety_stock_for_lead_time"] > 0
    assert (suppliers["V2"]["lead_time_sd"], suppliers["V2"]["safety_stock_for_lead_time"]) == (0.0, 0)
    assert (suppliers["V1"]["items"], suppliers["V1"]["lead_time_days"]) == (3, 9.0)
    item = next(each for each in got.items if each["supplier_id"] == "V1")
    assert "lead time varies by ±2.2 days" in item["reason"]


def test_stock_that_nobody_asks_for_is_dead_with_its_units():
    still = rows(2, weeks=20, daily_demand_avg=0.0, current_stock=[70] * 20 + [30] * 20)
    got = ask(pd.concat([still, rows(1, weeks=20, warehouse_id="W2")]))
    assert (got.data["dead_stock"]["items"], got.data["dead_stock"]["units"]) == (2, 100.0)
    assert got.data["dead_stock"]["largest"][0] == {
        "warehouse_id": "W1",
        "sku": "S000",
        "current_stock": 70.0,
        "idle_days": 133,
    }
    assert "2 have not moved for 90 days or more, 100 units." in got.summary
    assert ask(still, dead_stock_days=200).data["dead_stock"]["items"] == 0


def test_items_are_classed_by_units_and_steadiness():
    got = ask(rows(4, daily_demand_avg=[80.0, 12.0, 5.0, 3.0]))
    assert [(each["sku"], each["abc"]) for each in sorted(got.items, key=lambda each: each["sku"])] == [
        ("S000", "A"),
        ("S001", "B"),
        ("S002", "B"),
        ("S003", "C"),
    ]
    assert sum(each["items"] for each in got.data["classes"]) == 4
    assert {each["xyz"] for each in got.items} <= {"X", "Y", "Z"}


def test_an_item_that_is_no_longer_reported_is_neither_at_risk_nor_ordered():
    gone = rows(2, warehouse_id="W1", sku=["GONE", "LEFT"], current_stock=[0, 40], daily_demand_avg=[5.0, 0.0])
    kept = rows(3, weeks=26)
    got, without = ask(pd.concat([kept, gone])), ask(kept)
    assert [item["sku"] for item in got.items[-2:]] == ["GONE", "LEFT"]
    for item in got.items[-2:]:
        assert (item["no_longer_reported"], item["at_risk"], item["severity"]) == (True, False, "low")
        assert (item["reorder_quantity"], item["daily_demand"], item["idle_days"]) == (0, 0.0, 175)
        assert item["reason"].startswith("Not reported since 2026-01-05, 175 days before the newest snapshot")
    assert [item["dead_stock"] for item in got.items[-2:]] == [False, True]
    assert (got.data["suppliers"], got.data["classes"]) == (without.data["suppliers"], without.data["classes"])
    assert [item["reorder_quantity"] for item in got.items[:3]] == [i["reorder_quantity"] for i in without.items]
    assert "3 of 3 items are at risk" in got.summary
    assert "1 has not moved for 90 days or more, 40 units (1 of them no longer reported)." in got.summary
    assert "2 more are no longer reported, so nothing is ordered for them." in got.summary
    assert (got.headline.figures["items"], got.headline.figures["no_longer_reported"]) == (3, 2)


def test_without_any_demand_figure_no_risk_is_claimed():
    item = ask(rows(daily_demand_avg=np.nan)).items[0]
    assert not item["at_risk"]
    assert "no snapshot tells how many are asked for" in item["reason"]


def test_the_headline_tells_what_an_upload_has_changed():
    def at_risk(*skus, units):
        return Headline(figures={"order_units": units}, flagged=[("W1", sku) for sku in skus])

    before = at_risk("A", "B", "C", units=100.0)
    assert INSIGHT.since(before, at_risk("C", "D", units=150.0)) == (
        "1 item newly at risk, 2 no longer, 50 more units to order"
    )
    assert INSIGHT.since(before, at_risk("A", "B", units=100.0)) == "1 item no longer at risk"
    assert INSIGHT.since(before, before) == ""
    got = ask(rows(3, current_stock=[0, 1, 9_999]))
    assert got.headline.figures["at_risk"] == len(got.headline.flagged) == 2
    assert set(got.headline.flagged) == {INSIGHT.subject_of(item) for item in got.items if item["at_risk"]}


BAD = {
    "26 weeks of zeros": rows(3, weeks=26, current_stock=0, daily_demand_avg=0.0),
    "one steady item": rows(1, weeks=26, current_stock=5),
    "stock below zero": rows(2, weeks=12, current_stock=-7),
    "huge": rows(2, weeks=12, current_stock=9e12, daily_demand_avg=9e12),
    "huge and tiny": rows(2, weeks=12, daily_demand_avg=[1e-9] * 12 + [9e12] * 12),
    "twice a day": pd.concat([rows(2, weeks=12)] * 2, ignore_index=True),
    "no supplier": rows(3, weeks=8, supplier_id=None, lead_time_days=np.nan),
    "centuries apart": rows(2, snapshot_date=pd.to_datetime(["1700-01-01", "2026-01-01"]), sku="A"),
    "falling averages": rows(1, weeks=26, daily_demand_avg=np.arange(26, 0, -1.0)),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("service", [0.5, 0.999])
def test_odd_files_are_answered(case, service):
    got = ask(BAD[case], service_level=service)
    json.dumps([got.data, got.items, got.quality, got.parameters, dict(got.headline.figures)], allow_nan=False)
    for item in got.items:
        assert min(item["safety_stock"], item["reorder_point"], item["reorder_quantity"], item["idle_days"]) >= 0
        assert not item["at_risk"] or item["reorder_quantity"] >= max(1, 6)
