"""What the supply chain is told: which items will run out, how much to order, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, demand, inventory, reporting, stock_classes
from aetherflow.departments.supply_chain.insights import tables, wording
from aetherflow.departments.supply_chain.insights.plan import (
    AT_RISK,
    CRITICAL,
    HORIZON_DAYS,
    REVIEW_DAYS,
    Plan,
    plan,
    ranking,
)
from aetherflow.departments.supply_chain.insights.reading import Items, read
from aetherflow.insight import Facet, Given, Headline, Insight, InsightResult, Item, Setting

KIND = "stockout_risk"
SERVICE_LEVEL = Setting(
    name="service_level",
    label="Service level",
    help="The share of replenishment cycles that should pass without a stock-out; more asks for more safety stock.",
    default=0.95,
    least=0.5,
    most=0.999,
)
DEAD_STOCK_DAYS = Setting(
    name="dead_stock_days",
    label="Dead stock after (days)",
    help="Stock that nobody has asked for in so many days is listed as dead.",
    default=90,
    least=14,
    most=730,
)
METHOD = (
    "Negative binomial demand seen with three memories, weighed by the department's own past; past demand from stock "
    "and reported averages together where they agree, else from falls of stock; dispersion shrunk to the department's "
    "own power law, or a Taylor-law prior for a first snapshot; at risk from a probability of 1/3 or an empty shelf"
)


def stockout_risk(rows: pd.DataFrame, given: Given) -> InsightResult:
    """Risk of running out within 14 days, safety stock and order quantity of every warehouse and SKU.

    The newest snapshot of an item is its position while it is reported, older ones teach its demand. Goods on their way
    are not in the file and so not counted.
    """
    service = given.settings.get(SERVICE_LEVEL.name, SERVICE_LEVEL.default)
    dead_days = int(given.settings.get(DEAD_STOCK_DAYS.name, DEAD_STOCK_DAYS.default))
    items = read(rows, horizon=HORIZON_DAYS, level=service)
    if items is None:
        reason = "there are no snapshots" if not len(rows) else "no row has a date, a SKU and a stock figure"
        return InsightResult(
            kind=KIND,
            method=METHOD,
            quality=None,
            summary=f"Not enough data for stock-out risks, because {reason}.",
            data={"horizon_days": HORIZON_DAYS},
            items=[],
        )
    made = plan(items, service=service, dead_days=dead_days)
    order = ranking(items, made)
    return InsightResult(
        kind=KIND,
        method=METHOD,
        quality=_quality(items),
        summary=wording.summary(items, made),
        data={
            "horizon_days": HORIZON_DAYS,
            "service_level": service,
            "suppliers": tables.suppliers(items, made),
            "abc_by": "units",
            "classes": tables.classes(items, made),
            "dead_stock": tables.dead_stock(items, made),
            "stray_dates": [end.shown() for end in items.strays.ends],
            "note": _note(items),
        },
        items=[_entry(items, made, place) for place in order],
        parameters=_parameters(items, made),
        headline=Headline(
            figures={
                "items": int((~items.ended).sum()),
                "no_longer_reported": int(items.ended.sum()),
                "at_risk": int(made.at_risk.sum()),
                "critical": made.severity.count("critical"),
                "to_order": int((made.quantity > 0).sum()),
                "order_units": float(made.quantity.sum()),
                "dead_stock": int(made.dead.sum()),
            },
            flagged=[(items.warehouse[at], items.sku[at]) for at in order if made.at_risk[at]],
        ),
    )


def _quality(items: Items) -> dict[str, object] | None:
    backtest = items.position.backtest
    if backtest is None:
        return None
    return {
        "metric": "brier",
        "model": columns.number(backtest.brier, digits=4),
        "baseline": columns.number(backtest.baseline, digits=4),
        "folds": backtest.folds,
        "items": backtest.items,
        "days": backtest.days,
        "service": columns.number(backtest.service, digits=4),
    }


def _note(items: Items) -> str | None:
    """Why there is no backtest."""
    if items.position.backtest is not None:
        return None
    if items.position.window_days:
        return "No backtest: the snapshots tell past demand, but too little of it to look back from."
    return (
        "No backtest: past demand is not known, because there are too few evenly spaced snapshots or their stock and "
        "reported averages do not fit together."
    )


def _parameters(items: Items, made: Plan) -> dict[str, object]:
    position = items.position
    return {
        "service_level": made.service,
        "dead_stock_days": made.dead_days,
        "horizon_days": HORIZON_DAYS,
        "review_days": REVIEW_DAYS,
        "at_risk_from": columns.number(AT_RISK, digits=6),
        "critical_from": CRITICAL,
        "mean_uncertainty_days": inventory.MEAN_UNCERTAINTY_DAYS,
        "reported_within_intervals": reporting.INTERVALS,
        "reported_within_days": reporting.LEAST_DAYS,
        "shrinkage_steps": demand.SHRINKAGE,
        "abc_shares": [stock_classes.A_SHARE, stock_classes.B_SHARE],
        "xyz_variation": [stock_classes.X_VARIATION, stock_classes.Y_VARIATION],
        "average_window_days": position.window_days or None,
        "half_lives_days": [days if np.isfinite(days) else None for days in demand.HALF_LIVES],
        "view_weights": [columns.number(weight, digits=6) for weight in position.demand.weights],
    }


def _entry(items: Items, made: Plan, place: int) -> Item:
    return {
        "warehouse_id": items.warehouse[place],
        "sku": items.sku[place],
        "product_category": items.category[place],
        "supplier_id": items.supplier[place],
        "snapshot_date": items.snapshot[place],
        "current_stock": _units(items.stock[place]),
        "daily_demand": columns.number(items.daily[place], digits=3),
        "days_of_cover": columns.optional(made.cover[place], digits=1),
        "stockout_probability": columns.number(made.probability[place], digits=4),
        "at_risk": bool(made.at_risk[place]),
        "safety_stock": int(made.safety[place]),
        "reorder_point": int(made.reorder_point[place]),
        "reorder_quantity": int(made.quantity[place]),
        "lead_time_days": columns.number(items.lead.days[place], digits=1),
        "lead_time_sd": columns.optional(items.lead.spread[place], digits=4),
        "min_order_qty": _units(items.minimum[place]),
        "demand_views": _views(items, place),
        "abc": made.abc[place],
        "xyz": made.xyz[place],
        "dead_stock": bool(made.dead[place]),
        "idle_days": int(items.position.idle[place]),
        "no_longer_reported": bool(items.ended[place]),
        "severity": made.severity[place],
        "reason": wording.reason(items, made, place),
    }


def _views(items: Items, place: int) -> list[list[float]]:
    """[units per day, variance to mean ratio] of each view in the order of `view_weights`: with them whoever holds the
    item can ask what another service level, lead time or demand would mean."""
    demand = items.position.demand
    pairs = zip(demand.daily[:, place], demand.dispersion[:, place], strict=True)
    return [[columns.number(daily, digits=6), columns.number(phi, digits=6)] for daily, phi in pairs]


def _units(value: float) -> int | float:
    """Whole units as a whole number, part units to two digits."""
    return int(value) if value == round(value) else columns.number(value)


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Stock-out risk",
        version=4,
        columns=(
            "snapshot_date",
            "warehouse_id",
            "sku",
            "product_category",
            "current_stock",
            "daily_demand_avg",
            "lead_time_days",
            "reorder_point",
            "min_order_qty",
            "supplier_id",
        ),
        compute=stockout_risk,
        settings=(SERVICE_LEVEL, DEAD_STOCK_DAYS),
        subject=("warehouse_id", "sku"),
        since=wording.since,
        worsened=wording.worsened,
        facets=(
            Facet(name="warehouse_id", label="Warehouse", field="warehouse_id"),
            Facet(name="product_category", label="Category", field="product_category"),
            Facet(name="supplier_id", label="Supplier", field="supplier_id"),
        ),
    ),
)
