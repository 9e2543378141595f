"""What to expect of each item and what to order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aetherflow.analytics import inventory, stock_classes
from aetherflow.analytics.columns import Bools, Floats, Labels
from aetherflow.departments.supply_chain.insights.reading import Items

HORIZON_DAYS = 14
REVIEW_DAYS = 7.0  # an order also has to last until the next weekly review
AT_RISK = 1 / 3  # a missed stock-out costs about three times a needless check (cost-loss rule: act from cost / loss on)
CRITICAL = 0.8
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One array entry per item. `service` is the wanted service level, `dead_days` how long stock lies still to be
    dead. `spread_units`: how much of the safety stock the supplier's varying lead time asks for."""

    service: float
    dead_days: int
    cover: Floats
    probability: Floats
    at_risk: Bools
    safety: Floats
    spread_units: Floats
    reorder_point: Floats
    quantity: Floats
    severity: list[str]
    abc: Labels
    xyz: Labels
    dead: Bools


def plan(items: Items, *, service: float, dead_days: int) -> Plan:
    demand, daily, days = items.position.demand, items.daily, items.lead.days
    spread = np.nan_to_num(items.lead.spread)
    probability = inventory.stockout_probability(demand, stock=items.stock, days=HORIZON_DAYS)
    empty = (items.stock <= 0) & (daily > 0)
    at_risk = (probability >= AT_RISK) | empty
    safety = _whole(inventory.safety_stock(demand, level=service, lead=days, lead_spread=spread))
    reorder_point = _whole(daily * days + safety)
    due = at_risk | ((items.stock <= reorder_point) & (daily > 0))
    ordered = np.flatnonzero(due)
    target = np.zeros(len(due))
    target[ordered] = inventory.demand_quantile(
        demand.of(ordered),
        level=service,
        days=np.maximum(days + REVIEW_DAYS, HORIZON_DAYS)[ordered],
        lead_spread=spread[ordered],
    )
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        cover = np.where(daily > 0, np.maximum(items.stock, 0.0) / daily, np.nan)
        weekly_variation = np.sqrt(demand.weights @ (demand.dispersion * demand.daily) / 7) / daily
    words = np.select([(probability >= CRITICAL) | empty, at_risk, due], SEVERITIES[:3], SEVERITIES[3])
    return Plan(
        service=service,
        dead_days=dead_days,
        cover=cover,
        probability=probability,
        at_risk=at_risk,
        safety=safety,
        spread_units=_for_spread(items, safety, spread, service),
        reorder_point=reorder_point,
        quantity=inventory.order_quantity(needed=due, target=target, stock=items.stock, minimum=items.minimum),
        severity=words.tolist(),
        abc=stock_classes.abc(daily),
        xyz=stock_classes.xyz(weekly_variation),
        dead=(items.stock > 0) & (items.position.idle >= dead_days),
    )


def _whole(units: Floats) -> Floats:
    """Whole units that are enough. A thousandth of a unit too many is the rounding of the sums, not a unit more."""
    enough: Floats = np.ceil(np.round(units, 3))
    return enough


def _for_spread(items: Items, safety: Floats, spread: Floats, service: float) -> Floats:
    extra = np.zeros(len(safety))
    varying = np.flatnonzero(spread > 0)
    steady = inventory.safety_stock(items.position.demand.of(varying), level=service, lead=items.lead.days[varying])
    extra[varying] = np.maximum(safety[varying] - _whole(steady), 0.0)
    return extra


def ranking(items: Items, made: Plan) -> list[int]:
    """Worst first: severity, then probability, then cover, and what is no longer reported at the end; names last, so
    that ties keep one order."""
    rank = {word: place for place, word in enumerate(SEVERITIES)}
    cover = np.nan_to_num(made.cover, nan=np.inf, posinf=np.inf)
    return sorted(
        range(len(items.sku)),
        key=lambda place: (
            bool(items.ended[place]),
            rank[made.severity[place]],
            -made.probability[place],
            cover[place],
            items.warehouse[place],
            items.sku[place],
        ),
    )
