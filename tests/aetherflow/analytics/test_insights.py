"""The three insights from outside: shapes, plain answers, bad input, determinism."""

import itertools
import json

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

from aetherflow.departments.finance.insights import INSIGHTS as FINANCE
from aetherflow.departments.sales.insights import INSIGHTS as SALES
from aetherflow.departments.supply_chain.insights import INSIGHTS as SUPPLY_CHAIN
from tests.aetherflow.analytics.rows import ledger

ALL = {"sales": SALES[0], "supply_chain": SUPPLY_CHAIN[0], "finance": FINANCE[0]}


def ask(slug, rows):
    return ALL[slug].compute(rows, ALL[slug].given())


ARROW = {
    "date": "date32[pyarrow]",
    "snapshot_date": "date32[pyarrow]",
    "quantity": "int64[pyarrow]",
    "unit_price": "double[pyarrow]",
    "discount_pct": "double[pyarrow]",
    "amount": "double[pyarrow]",
    "current_stock": "int64[pyarrow]",
    "daily_demand_avg": "double[pyarrow]",
    "lead_time_days": "int64[pyarrow]",
    "reorder_point": "int64[pyarrow]",
    "min_order_qty": "int64[pyarrow]",
}


def arrow(frame):
    """The frame as the pipeline hands it over."""
    typed = frame.copy()
    for name in typed.columns:
        if name in ("date", "snapshot_date"):
            typed[name] = pd.to_datetime(typed[name]).dt.date
        typed[name] = typed[name].astype(ARROW[name]) if name in ARROW else dictionary(typed[name])
    return typed


def dictionary(texts):
    coded = pa.array([None if pd.isna(text) else text for text in texts], pa.string()).dictionary_encode()
    return pd.Series(pd.arrays.ArrowExtensionArray(coded), index=texts.index)


def sales(first="2026-01-05", weeks=12, per_day=10.0, category="Tea"):
    days = np.datetime64(first) + np.arange(7 * weeks)
    return pd.DataFrame(
        {
            "date": days.astype("datetime64[s]"),
            "product_category": category,
            "sku": "A1",
            "quantity": 2,
            "unit_price": per_day / 2,
            "discount_pct": np.nan,
        }
    )


def stock(**changes):
    row = {
        "snapshot_date": "2026-03-02",
        "warehouse_id": "W1",
        "sku": "A",
        "product_category": "Tea",
        "current_stock": 10,
        "daily_demand_avg": 2.0,
        "lead_time_days": 7,
        "reorder_point": 5,
        "min_order_qty": 6,
        "supplier_id": "S1",
    }
    return row | changes


def strict(result):
    """As it will be stored: refuses NaN and infinity."""
    return json.dumps([result.quality, result.data, result.items, result.parameters, result.summary], allow_nan=False)


def test_a_steady_category_is_forecast_at_its_level():
    got = ask("sales", arrow(sales(per_day=10.0)))
    category = got.data["categories"][0]
    assert [point["week_start"] for point in category["forecast"]] == [
        "2026-03-30",
        "2026-04-06",
        "2026-04-13",
        "2026-04-20",
    ]
    assert {point["revenue"] for point in category["forecast"]} == {70.0}
    assert category["history"][0] == {"week_start": "2026-01-05", "revenue": 70.0}
    assert got.quality == {"metric": "wape", "model": 0.0, "baseline": 0.0, "folds": 8}
    assert got.data["top_categories"] == [{"category": "Tea", "next_week_revenue": 70.0, "share": 1.0}]


def test_discounts_count_and_a_missing_one_is_none():
    rows = sales(weeks=5).assign(discount_pct=[50.0] * 7 + [np.nan] * 28)
    history = ask("sales", arrow(rows)).data["categories"][0]["history"]
    assert [point["revenue"] for point in history] == [35.0, 70.0, 70.0, 70.0, 70.0]


def test_bands_nest_around_the_forecast_and_revenue_never_goes_below_zero():
    rng = np.random.default_rng(5)
    parts = [sales(weeks=40, category=name) for name in "ABC"]
    rows = pd.concat(parts).assign(unit_price=rng.gamma(0.3, 30, 3 * 280).round(2))
    for category in ask("sales", rows).data["categories"]:
        for point in category["forecast"]:
            assert 0 <= point["lower95"] <= point["lower80"] <= point["revenue"]
            assert point["revenue"] <= point["upper80"] <= point["upper95"]


def test_the_top_five_lead_with_their_share():
    rows = pd.concat([sales(per_day=10.0 * (place + 1), category=f"C{place}") for place in range(6)])
    top = ask("sales", rows).data["top_categories"]
    assert [entry["category"] for entry in top] == ["C5", "C4", "C3", "C2", "C1"]
    assert top[0]["share"] == pytest.approx(6 / 21, abs=1e-4)


def test_a_young_category_is_listed_with_the_reason_and_no_forecast():
    rows = pd.concat([sales(), sales(first="2026-03-16", weeks=2, category="New")])
    got = {entry["category"]: entry for entry in ask("sales", rows).data["categories"]}
    assert got["New"]["forecast"] == []
    assert got["New"]["note"] == (
        "Not enough history: 2 whole weeks, at least 4 are needed. The total counts it with their mean, 70.00 a week."
    )
    assert len(got["Tea"]["forecast"]) == 4


def test_refunds_may_take_a_forecast_below_zero():
    got = ask("sales", sales().assign(quantity=-2))
    assert got.data["categories"][0]["forecast"][0]["revenue"] == -70.0


def test_years_without_a_row_are_missing_data_not_zero_sales():
    rows = pd.concat([sales(first="2021-01-04"), sales(first="2026-01-05", weeks=5)])
    got = ask("sales", rows).data["categories"][0]
    assert got["forecast"][0]["revenue"] == 70.0


def test_an_item_that_runs_out_is_critical_with_an_order_and_the_numbers():
    got = ask("supply_chain", arrow(pd.DataFrame([stock(current_stock=3, daily_demand_avg=10.0, min_order_qty=500)])))
    item = got.items[0]
    assert (item["at_risk"], item["severity"], item["days_of_cover"]) == (True, "critical", 0.3)
    assert item["reorder_quantity"] == 500
    assert item["stockout_probability"] > 0.9
    for part in ("3 in stock", "10 a day", "delivery takes 7 days", "order 500 (the minimum order)"):
        assert part in item["reason"]
    assert got.data["horizon_days"] == 14


def test_an_item_without_demand_has_no_cover_no_risk_and_no_order():
    item = ask("supply_chain", pd.DataFrame([stock(current_stock=0, daily_demand_avg=0.0)])).items[0]
    assert item["days_of_cover"] is None
    assert (item["at_risk"], item["severity"], item["reorder_quantity"]) == (False, "low", 0)


def test_an_empty_shelf_with_demand_is_at_risk_however_small_the_demand():
    item = ask("supply_chain", pd.DataFrame([stock(current_stock=0, daily_demand_avg=0.01)])).items[0]
    assert (item["at_risk"], item["severity"]) == (True, "critical")
    assert item["reorder_quantity"] >= 6


def test_only_the_newest_snapshot_is_the_position():
    rows = pd.DataFrame(
        [stock(snapshot_date="2026-02-23", current_stock=0), stock(current_stock=900, daily_demand_avg=1.0)]
    )
    items = ask("supply_chain", rows).items
    assert [(item["current_stock"], item["at_risk"]) for item in items] == [(900, False)]


def test_a_missing_lead_time_takes_the_departments_median_and_says_so():
    rows = pd.DataFrame(
        [stock(sku="A", lead_time_days=np.nan), stock(sku="B", lead_time_days=4), stock(sku="C", lead_time_days=8)]
    )
    reason = {item["sku"]: item["reason"] for item in ask("supply_chain", rows).items}
    assert "no lead time is given, so 6 days are assumed" in reason["A"]
    alone = ask("supply_chain", pd.DataFrame([stock(lead_time_days=np.nan)])).items[0]
    assert "so 14 days are assumed" in alone["reason"]


def test_orders_are_never_negative_or_below_the_minimum():
    rng = np.random.default_rng(2)
    rows = pd.DataFrame(
        [
            stock(
                sku=f"S{place}",
                current_stock=int(rng.integers(0, 200)),
                daily_demand_avg=float(rng.gamma(0.5, 8)),
                lead_time_days=int(rng.integers(0, 40)),
                min_order_qty=int(rng.integers(0, 100)),
            )
            for place in range(300)
        ]
    )
    minimum = dict(zip(rows.sku, rows.min_order_qty, strict=True))
    for item in ask("supply_chain", rows).items:
        assert item["reorder_quantity"] == 0 or item["reorder_quantity"] >= max(1, minimum[item["sku"]])
        assert not item["at_risk"] or item["reorder_quantity"] > 0
        assert item["safety_stock"] >= 0


def usual_amounts(count):
    return [100.0 + 7.31 * (place % 9) for place in range(count)]


@pytest.mark.parametrize("slug", ALL)
def test_without_rows_the_answer_says_so(slug):
    insight = ALL[slug]
    for rows in (pd.DataFrame(columns=list(insight.columns)), arrow(pd.DataFrame(columns=list(insight.columns)))):
        got = ask(slug, rows)
        assert got.summary.startswith("Not enough data")
        assert got.kind == insight.kind
        strict(got)


BAD = {
    "sales": {
        "one row": sales().head(1),
        "one day": pd.concat([sales().head(1)] * 50),
        "all zeros": sales(per_day=0.0),
        "only missing": sales().assign(quantity=None, unit_price=None, discount_pct=None),
        "no category": sales(category=None),
        "no dates": sales().assign(date=None),
        "huge prices": sales(per_day=1e300),
        "huge totals": sales(per_day=9e12),
        "three weeks": sales(weeks=3),
        "refunds only": sales().assign(quantity=-1),
        "five years of gaps": pd.concat([sales(first=f"{year}-03-02", weeks=5) for year in range(2021, 2027)]),
        "given away": sales(weeks=30).assign(discount_pct=100.0),
        "no products": sales(weeks=30).assign(sku=None),
    },
    "supply_chain": {
        "one row": pd.DataFrame([stock()]),
        "all zeros": pd.DataFrame([stock(current_stock=0, daily_demand_avg=0.0, lead_time_days=0)]),
        "only missing": pd.DataFrame([stock(**dict.fromkeys(stock(), None))]),
        "optional missing": pd.DataFrame(
            [stock(lead_time_days=None, reorder_point=None, min_order_qty=None, supplier_id=None)] * 2
        ),
        "no demand figure": pd.DataFrame([stock(daily_demand_avg=None)]),
        "backlog": pd.DataFrame([stock(current_stock=-40)]),
        "huge demand": pd.DataFrame([stock(daily_demand_avg=9e12, lead_time_days=4000)]),
        "tiny demand": pd.DataFrame([stock(daily_demand_avg=1e-300)]),
        "negative everything": pd.DataFrame(
            [stock(daily_demand_avg=-1.0, lead_time_days=-4, min_order_qty=-5, reorder_point=-1)]
        ),
    },
    "finance": {
        "one row": ledger([100.0]),
        "two equal rows": ledger([100.0, 100.0]),
        "all zeros": ledger([0.0] * 20),
        "refunds": ledger([-value for value in usual_amounts(40)]),
        "only missing": ledger([np.nan] * 5, category=None, vendor=None, currency=None, approval_status=None),
        "optional missing": ledger(usual_amounts(30), category=None, vendor=None, currency=None, approval_status=None),
        "huge": ledger([*usual_amounts(30), 9e12]),
        "cents and billions": ledger([10.0 ** (place % 14 - 2) for place in range(80)]),
    },
}


@pytest.mark.parametrize(("slug", "case"), [(slug, case) for slug, cases in BAD.items() for case in cases])
def test_bad_input_gives_an_answer_fit_for_json(slug, case):
    got = ask(slug, BAD[slug][case].reset_index(drop=True))
    assert got.summary
    strict(got)


def frames(**columns):
    names, cells = list(columns), list(columns.values())
    row = st.tuples(*cells)
    return st.lists(row, max_size=40).map(lambda rows: pd.DataFrame(rows, columns=names, dtype=object))


TEXT = st.one_of(st.none(), st.sampled_from(["A", "B", "a ltd", "A Limited", "ref 1234A", " ", "Ä\x00"]))
DAY = st.one_of(st.none(), st.dates())
NEAR = st.one_of(st.none(), st.dates(pd.Timestamp("2026-01-01").date(), pd.Timestamp("2026-04-01").date()))
NUMBER = st.one_of(
    st.none(),
    st.integers(-5, 500),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1e-300, 9e12, 99.99]),
)
ROWS = {
    "sales": frames(
        date=NEAR | DAY,
        product_category=TEXT,
        sku=TEXT,
        quantity=NUMBER,
        unit_price=NUMBER,
        discount_pct=NUMBER,
    ),
    "supply_chain": frames(
        snapshot_date=NEAR | DAY,
        warehouse_id=TEXT,
        sku=TEXT,
        product_category=TEXT,
        current_stock=NUMBER,
        daily_demand_avg=NUMBER,
        lead_time_days=NUMBER,
        reorder_point=NUMBER,
        min_order_qty=NUMBER,
        supplier_id=TEXT,
    ),
    "finance": frames(
        txn_id=st.one_of(st.none(), st.integers(0, 60).map(str)),
        date=NEAR | DAY,
        category=TEXT,
        vendor=TEXT,
        amount=NUMBER,
        currency=TEXT,
        approval_status=st.sampled_from([None, "approved", "Pending", "rejected"]),
        notes=TEXT,
    ),
}


def numbers_in(value):
    if isinstance(value, dict):
        return itertools.chain.from_iterable(map(numbers_in, value.values()))
    if isinstance(value, list):
        return itertools.chain.from_iterable(map(numbers_in, value))
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("slug", ALL)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_rows_whatever_crash_an_insight_or_put_a_nan_into_it(slug, data):
    rows = data.draw(ROWS[slug])
    got = ask(slug, rows)
    strict(got)
    assert all(np.isfinite(value) for value in numbers_in([got.data, got.items]))
    for item in got.items or []:
        assert item.get("reorder_quantity", 0) >= 0
        assert item.get("safety_stock", 0) >= 0
    assert strict(ask(slug, rows)) == strict(got)


@pytest.mark.parametrize("slug", ALL)
def test_the_order_of_rows_and_their_dtypes_do_not_change_the_answer(slug):
    rng = np.random.default_rng(4)
    rows = {
        "sales": pd.concat([sales(weeks=30, category=name) for name in "ABC"]).assign(
            unit_price=rng.gamma(2, 9, 630).round(2)
        ),
        "supply_chain": pd.DataFrame(
            [
                stock(sku=f"S{place % 30}", snapshot_date=f"2026-{1 + place // 30:02d}-05", current_stock=place % 37)
                for place in range(240)
            ]
        ),
        "finance": ledger(rng.lognormal(5, 1, 400).round(2).tolist()),
    }[slug]
    expected = strict(ask(slug, rows))
    assert strict(ask(slug, rows.sample(frac=1, random_state=1))) == expected
    assert strict(ask(slug, arrow(rows))) == expected
    texts = [name for name in rows.columns if name not in ARROW]
    more = pd.concat([rows.assign(**{name: f"another {name}" for name in texts}), rows], ignore_index=True)
    assert strict(ask(slug, arrow(more).iloc[len(rows) :])) == expected, "texts that no row has were counted"


def test_ten_thousand_categories_are_answered():
    days = (np.datetime64("2026-01-05") + np.arange(60_000) % 84).astype("datetime64[s]")
    rows = pd.DataFrame(
        {
            "date": days,
            "product_category": [f"C{place % 9_999}" for place in range(60_000)],
            "sku": [f"S{place % 500}" for place in range(60_000)],
            "quantity": 1,
            "unit_price": 5.0,
            "discount_pct": 0.0,
        }
    )
    got = ask("sales", rows)
    assert len(got.data["categories"]) == 9_999
    assert len(strict(got)) < 20_000_000
    for entry in got.data["categories"][300:]:
        for told in entry["elasticity"].values():
            assert (told["value"], told["lower"], told["upper"]) == (None, None, None)
            assert told["note"] == "Worked out for the 300 largest categories only."
