"""What a dashboard draws of all items together: suppliers, classes, stock that lies still."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aetherflow.analytics import columns
from aetherflow.departments.supply_chain.insights.plan import Plan
from aetherflow.departments.supply_chain.insights.reading import Items

MOST_SUPPLIERS = 100
MOST_DEAD = 50


def suppliers(items: Items, made: Plan) -> list[dict[str, object]]:
    """Each supplier's items, lead times and risk, the most items at risk first; 100 at most. `lead_time_sd` is None
    where the snapshots do not show how a lead time varies. Items that are no longer reported do not count."""
    frame = pd.DataFrame(
        {
            "supplier": pd.Series(items.supplier, dtype=object),
            "at_risk": made.at_risk,
            "lead": np.where(items.lead.assumed, np.nan, items.lead.days),
            "spread": items.lead.spread,
            "safety": made.safety,
            "for_spread": made.spread_units,
        }
    )
    frame = frame[~items.ended].dropna(subset="supplier")
    found = frame.groupby("supplier").agg(
        items=("at_risk", "size"),
        at_risk=("at_risk", "sum"),
        lead=("lead", "median"),
        shortest=("lead", "min"),
        longest=("lead", "max"),
        given=("lead", "count"),
        spread=("spread", "first"),
        safety=("safety", "sum"),
        for_spread=("for_spread", "sum"),
    )
    found["share"] = found["at_risk"] / found["items"]
    worst = found.sort_values(["at_risk", "share"], ascending=False, kind="stable").head(MOST_SUPPLIERS)
    return [
        {
            "supplier_id": str(each["supplier"]),
            "items": int(each["items"]),
            "at_risk": int(each["at_risk"]),
            "at_risk_share": columns.number(each["share"], digits=4),
            "lead_time_days": columns.optional(each["lead"], digits=1),
            "lead_time_shortest": columns.optional(each["shortest"], digits=1),
            "lead_time_longest": columns.optional(each["longest"], digits=1),
            "lead_time_sd": columns.optional(each["spread"], digits=2),
            "without_lead_time": int(each["items"] - each["given"]),
            "safety_stock": int(each["safety"]),
            "safety_stock_for_lead_time": int(each["for_spread"]),
        }
        for each in worst.reset_index().to_dict("records")
    ]


def classes(items: Items, made: Plan) -> list[dict[str, object]]:
    """Items, expected units a day and items at risk of each pair of classes that occurs, AX first, among
    those that are still reported."""
    frame = pd.DataFrame({"abc": made.abc, "xyz": made.xyz, "daily": items.daily, "at_risk": made.at_risk})
    found = (
        frame[~items.ended]
        .groupby(["abc", "xyz"])
        .agg(items=("daily", "size"), daily=("daily", "sum"), at_risk=("at_risk", "sum"))
    )
    return [
        {
            "abc": str(each["abc"]),
            "xyz": str(each["xyz"]),
            "items": int(each["items"]),
            "daily_demand": columns.number(each["daily"], digits=3),
            "at_risk": int(each["at_risk"]),
        }
        for each in found.reset_index().to_dict("records")
    ]


def dead_stock(items: Items, made: Plan) -> dict[str, object]:
    """How many items have not moved for `days`, their units, and the 50 with the most."""
    dead = np.flatnonzero(made.dead)
    largest = sorted(dead.tolist(), key=lambda at: (-items.stock[at], items.warehouse[at], items.sku[at]))[:MOST_DEAD]
    return {
        "days": made.dead_days,
        "items": len(dead),
        "units": columns.number(items.stock[dead].sum()),
        "largest": [
            {
                "warehouse_id": items.warehouse[at],
                "sku": items.sku[at],
                "current_stock": columns.number(items.stock[at]),
                "idle_days": int(items.position.idle[at]),
            }
            for at in largest
        ],
    }
