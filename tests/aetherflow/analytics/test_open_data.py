"""On real open data the methods must beat the obvious rule; skipped where the data is not at hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from aetherflow.departments.finance.insights import INSIGHTS as FINANCE
from aetherflow.departments.sales.insights import INSIGHTS as SALES
from aetherflow.departments.supply_chain.insights import INSIGHTS as SUPPLY_CHAIN

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def ask(insights, rows):
    return insights[0].compute(rows, insights[0].given())


def table(name):
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"open data {path.name} is not at hand")
    return pd.read_csv(path, dtype={"notes": str, "cost_center": str})


@pytest.mark.parametrize("name", ["sales_iowa_marion", "sales_uci_online_retail"])
def test_the_forecast_beats_seasonal_naive_and_its_bands_hold(name):
    rows = table(name)
    rows["date"] = pd.to_datetime(rows["date"])
    rows["revenue"] = rows.quantity * rows.unit_price * (1 - rows.discount_pct.fillna(0) / 100)
    monday = rows["date"] - pd.to_timedelta(rows["date"].dt.day_of_week, unit="D")
    weekly = rows.groupby([monday.dt.strftime("%Y-%m-%d"), "product_category"]).revenue.sum()
    last = monday.max()
    missed, naive_missed, inside, count = 0.0, 0.0, 0, 0
    for weeks_back in (5, 9, 13):
        origin = last - pd.Timedelta(weeks=weeks_back)
        got = ask(SALES, rows[rows["date"] < origin])
        assert got.quality is not None
        assert got.quality["model"] < got.quality["baseline"]
        for category in got.data["categories"]:
            previous = category["history"][-1]["revenue"]
            for point in category["forecast"]:
                came = float(weekly.get((point["week_start"], category["category"]), 0.0))
                missed += abs(came - point["revenue"])
                naive_missed += abs(came - previous)
                inside += point["lower80"] <= came <= point["upper80"]
                count += 1
    assert missed < naive_missed
    assert 0.70 <= inside / count <= 0.95


@pytest.mark.parametrize("name", ["inventory_iowa_cedar_rapids", "inventory_uci"])
def test_the_risk_beats_the_days_of_cover_rule(name):
    rows, truth = table(name), table(f"{name}.truth")
    items = pd.DataFrame(ask(SUPPLY_CHAIN, rows).items).merge(
        truth[["warehouse_id", "sku", "stockout_14d", "demand_lead_time"]], on=["warehouse_id", "sku"]
    )
    newest = rows[rows.snapshot_date == rows.snapshot_date.max()]
    cover = items.merge(newest[["warehouse_id", "sku", "daily_demand_avg"]], on=["warehouse_id", "sku"])
    rule = np.where(cover.current_stock / cover.daily_demand_avg.clip(lower=1e-6) < 14, 0.99, 0.01)
    came = items.stockout_14d
    assert roc_auc_score(came, items.stockout_probability) > roc_auc_score(came, rule) + 0.05
    assert brier_score_loss(came, items.stockout_probability) < 0.7 * brier_score_loss(came, rule)
    served = (items.demand_lead_time <= items.reorder_point).mean()
    assert 0.80 <= served <= 0.99


@pytest.mark.parametrize("name", ["finance_manchester_2019", "finance_birmingham_pcard_2017h1"])
def test_the_ranking_beats_the_interquartile_rule(name):
    rows, labels = table(name), table(f"{name}.labels")
    strange = rows.txn_id.isin(labels.txn_id)
    got = ask(FINANCE, rows)
    scores = pd.Series({item["txn_id"]: item["score"] for item in got.items})
    ranking = rows.txn_id.map(scores).fillna(0.0)
    by_category = rows.groupby(rows.category.fillna("")).amount
    low, high = by_category.transform("quantile", 0.25), by_category.transform("quantile", 0.75)
    rule = np.maximum(rows.amount - high, low - rows.amount).clip(lower=0) / (high - low + 1)
    assert average_precision_score(strange, ranking) > 1.8 * average_precision_score(strange, rule)
    assert len(got.items) >= 0.049 * len(rows)
    worth = [item["txn_id"] for item in got.items if item["worth_review"]]
    assert len(worth) < 0.02 * len(rows)
    assert rows[strange].txn_id.isin(worth).sum() > 0.6 * len(worth)
