"""What the supply chain is told: which items will run out, how much to order, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aetherflow.analytics import columns, inventory
from aetherflow.analytics.columns import Bools, Floats
from aetherflow.insight import Given, Insight, InsightResult, Item

KIND = "stockout_risk"
HORIZON_DAYS = 14
SERVICE_LEVEL = 0.95
REVIEW_DAYS = 7.0  # an order also has to last until the next weekly review
AT_RISK = 1 / 3  # a missed stock-out costs about three times a needless check (cost-loss rule: act from cost / loss on)
CRITICAL = 0.8
DEFAULT_LEAD_DAYS = 14.0
METHOD = (
    "Negative binomial demand; dispersion learnt from the snapshots' depletion and shrunk to the department's own "
    "power law, or a Taylor-law prior for a first snapshot; at risk from a probability of 1/3 or an empty shelf; "
    "safety stock and order quantity for 95 % service over lead time (plus 7 days of review)"
)


@dataclass(frozen=True, kw_only=True)
class _Items:
    """The newest snapshot of every warehouse and SKU, one array entry per item."""

    warehouse: list[str]
    sku: list[str]
    category: list[str | None]
    supplier: list[str | None]
    snapshot: list[str]
    stock: Floats
    daily: Floats
    dispersion: Floats
    intervals: columns.Ints
    lead: Floats
    lead_assumed: Bools
    minimum: Floats
    planned: Floats


@dataclass(frozen=True, kw_only=True)
class _Plan:
    cover: Floats
    probability: Floats
    at_risk: Bools
    safety: Floats
    reorder_point: Floats
    quantity: Floats
    severity: list[str]


def stockout_risk(rows: pd.DataFrame, _: Given) -> InsightResult:
    """Risk of running out within 14 days, safety stock and order quantity of every warehouse and SKU.

    The newest snapshot of an item is its position, the older ones teach its demand. Goods on their way are
    not in the file and so not counted.
    """
    items, left_out = _read(rows)
    if items is None:
        reason = "there are no snapshots" if not len(rows) else "no row has a date, a SKU and a stock figure"
        return _answer([], f"Not enough data for stock-out risks, because {reason}.")
    plan = _plan(items)
    entries = [_entry(items, plan, place) for place in _ranking(items, plan)]
    return _answer(entries, _summary(items, plan, left_out))


def _read(rows: pd.DataFrame) -> tuple[_Items | None, int]:
    days = columns.days(rows, "snapshot_date")
    stock = columns.numbers(rows, "current_stock")
    warehouses, warehouse_names = columns.labelled(rows, "warehouse_id")
    skus, sku_names = columns.labelled(rows, "sku")
    usable = np.flatnonzero(~np.isnat(days) & np.isfinite(stock) & (skus >= 0))
    left_out = len(rows) - len(usable)
    if not len(usable):
        return None, left_out
    key = (warehouses[usable] + 1) * len(sku_names) + skus[usable]
    _, codes = np.unique(key, return_inverse=True)
    position = inventory.positions(
        items=codes.astype(np.int64),
        days=days[usable],
        stock=stock[usable],
        daily=columns.numbers(rows, "daily_demand_avg")[usable],
    )
    newest = usable[position.row]
    latest = rows.iloc[newest]
    lead = columns.numbers(latest, "lead_time_days")
    given = np.isfinite(lead) & (lead >= 0)
    assumed = float(np.median(lead[given])) if given.any() else DEFAULT_LEAD_DAYS
    return _Items(
        warehouse=[str(warehouse_names[code]) if code >= 0 else "" for code in warehouses[newest]],
        sku=[str(sku_names[code]) for code in skus[newest]],
        category=_texts(latest, "product_category"),
        supplier=_texts(latest, "supplier_id"),
        snapshot=days[newest].astype(str).tolist(),
        stock=stock[newest],
        daily=np.nan_to_num(position.daily, nan=0.0),
        dispersion=position.dispersion,
        intervals=position.intervals,
        lead=np.where(given, lead, assumed),
        lead_assumed=~given,
        minimum=np.nan_to_num(columns.numbers(latest, "min_order_qty"), nan=0.0),
        planned=columns.numbers(latest, "reorder_point"),
    ), left_out


def _texts(rows: pd.DataFrame, name: str) -> list[str | None]:
    codes, names = columns.labelled(rows, name)
    return [str(names[code]) if code >= 0 else None for code in codes]


def _plan(items: _Items) -> _Plan:
    daily, dispersion = items.daily, items.dispersion
    probability = inventory.stockout_probability(
        stock=items.stock, daily=daily, dispersion=dispersion, days=HORIZON_DAYS
    )
    empty = (items.stock <= 0) & (daily > 0)
    at_risk = (probability >= AT_RISK) | empty
    safety = np.ceil(inventory.safety_stock(level=SERVICE_LEVEL, daily=daily, dispersion=dispersion, lead=items.lead))
    reorder_point = np.ceil(daily * items.lead + safety)
    due = at_risk | ((items.stock <= reorder_point) & (daily > 0))
    target = inventory.demand_quantile(
        level=SERVICE_LEVEL,
        daily=daily,
        dispersion=dispersion,
        days=np.maximum(items.lead + REVIEW_DAYS, HORIZON_DAYS),
    )
    quantity = inventory.order_quantity(needed=due, target=target, stock=items.stock, minimum=items.minimum)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        cover = np.where(daily > 0, np.maximum(items.stock, 0.0) / daily, np.nan)
    words = np.select([(probability >= CRITICAL) | empty, at_risk, due], ["critical", "high", "medium"], "low")
    return _Plan(
        cover=cover,
        probability=probability,
        at_risk=at_risk,
        safety=safety,
        reorder_point=reorder_point,
        quantity=quantity,
        severity=words.tolist(),
    )


def _ranking(items: _Items, plan: _Plan) -> list[int]:
    """Worst first: severity, then probability, then cover; names last, so that ties keep one order."""
    rank = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    cover = np.nan_to_num(plan.cover, nan=np.inf, posinf=np.inf)
    return sorted(
        range(len(items.sku)),
        key=lambda place: (
            rank[plan.severity[place]],
            -plan.probability[place],
            cover[place],
            items.warehouse[place],
            items.sku[place],
        ),
    )


def _entry(items: _Items, plan: _Plan, place: int) -> Item:
    return {
        "warehouse_id": items.warehouse[place],
        "sku": items.sku[place],
        "product_category": items.category[place],
        "supplier_id": items.supplier[place],
        "snapshot_date": items.snapshot[place],
        "current_stock": _units(items.stock[place]),
        "daily_demand": columns.number(items.daily[place], digits=3),
        "days_of_cover": columns.optional(plan.cover[place], digits=1),
        "stockout_probability": columns.number(plan.probability[place], digits=4),
        "at_risk": bool(plan.at_risk[place]),
        "safety_stock": int(plan.safety[place]),
        "reorder_point": int(plan.reorder_point[place]),
        "reorder_quantity": int(plan.quantity[place]),
        "severity": plan.severity[place],
        "reason": _reason(items, plan, place),
    }


def _reason(items: _Items, plan: _Plan, place: int) -> str:
    """The sentence a planner can check against the file: the figures, the lead time, the order."""
    stock, daily, lead = items.stock[place], items.daily[place], items.lead[place]
    if daily <= 0:
        return f"No demand is expected, so the {_figure(stock)} in stock will not run out."
    chance = f"{_percent(plan.probability[place])} chance that demand exceeds stock within {HORIZON_DAYS} days"
    if stock <= 0:
        parts = [f"Out of stock while {_figure(daily)} a day are expected ({chance})"]
    else:
        cover = "" if not np.isfinite(plan.cover[place]) else f" cover {_figure(plan.cover[place])} days"
        parts = [f"{_figure(stock)} in stock at {_figure(daily)} a day{cover}: {chance}"]
    if items.lead_assumed[place]:
        parts.append(f"no lead time is given, so {_figure(lead)} days are assumed")
    else:
        parts.append(f"delivery takes {_figure(lead)} days")
    quantity = plan.quantity[place]
    if quantity > 0:
        floor = " (the minimum order)" if quantity == np.ceil(items.minimum[place]) else ""
        parts.append(f"order {quantity:,.0f}{floor}")
        if items.planned[place] < plan.reorder_point[place]:
            parts.append(
                f"the planned reorder point of {_figure(items.planned[place])} is below the "
                f"{plan.reorder_point[place]:,.0f} that {SERVICE_LEVEL:.0%} service needs"
            )
    else:
        parts.append(f"above the reorder point of {plan.reorder_point[place]:,.0f}, nothing to order")
    return "; ".join(parts) + "."


def _units(value: float) -> int | float:
    """Whole units as a whole number, part units to two digits."""
    return int(value) if value == round(value) else columns.number(value)


def _percent(probability: float) -> str:
    """Certainty is never claimed: under 1 % and over 99 % are said so."""
    if probability < 0.01:
        return "under 1 %"
    return "over 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def _figure(value: float) -> str:
    """12, 3.4 or 0.05: as many digits as tell the value apart from zero."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.2g}"


def _summary(items: _Items, plan: _Plan, left_out: int) -> str:
    total, at_risk = len(items.sku), int(plan.at_risk.sum())
    critical = plan.severity.count("critical")
    due = int((plan.quantity > 0).sum())
    text = (
        f"{at_risk:,} of {total:,} items {'is' if at_risk == 1 else 'are'} at risk of running out within "
        f"{HORIZON_DAYS} days, {critical:,} critical; {due:,} should be ordered now, "
        f"{plan.quantity.sum():,.0f} units in all."
    )
    if items.lead_assumed.any():
        text += f" {int(items.lead_assumed.sum()):,} have no lead time; one is assumed and said in the reason."
    if left_out:
        text += f" {left_out:,} rows without a date, a SKU or a stock figure left out."
    return text


def _answer(entries: list[Item], summary: str) -> InsightResult:
    return InsightResult(
        kind=KIND,
        method=METHOD,
        quality=None,
        summary=summary,
        data={"horizon_days": HORIZON_DAYS},
        items=entries,
    )


INSIGHTS: tuple[Insight, ...] = (
    Insight(
        kind=KIND,
        label="Stock-out risk",
        version=1,
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
        subject=("warehouse_id", "sku"),
    ),
)
