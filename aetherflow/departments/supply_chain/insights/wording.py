"""The sentences: why an item is listed, what is so in all, and what has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aetherflow.departments.supply_chain.insights.plan import HORIZON_DAYS, Plan
from aetherflow.departments.supply_chain.insights.reading import Items
from aetherflow.insight import Headline, more_severe


def reason(items: Items, made: Plan, place: int) -> str:
    """The sentence a planner can check against the file: the figures, the lead time, the order."""
    stock, daily, lead = items.stock[place], items.daily[place], items.lead.days[place]
    if items.ended[place]:
        return (
            f"Not reported since {items.snapshot[place]}, {items.behind[place]:,} days before the newest snapshot, so "
            f"nothing is expected or ordered; {_figure(stock)} in stock then."
            + (f" No movement is known for {int(items.position.idle[place]):,} days." if made.dead[place] else "")
        )
    if not items.known[place]:
        return f"{_figure(stock)} in stock, but no snapshot tells how many are asked for, so no risk can be told."
    if daily <= 0:
        return f"No demand is expected, so the {_figure(stock)} in stock will not run out.{_dead(items, made, place)}"
    chance = f"{percent(made.probability[place])} chance that demand exceeds stock within {HORIZON_DAYS} days"
    if stock <= 0:
        parts = [f"Out of stock while {_figure(daily)} a day are expected ({chance})"]
    else:
        cover = "" if not np.isfinite(made.cover[place]) else f" cover {_figure(made.cover[place])} days"
        parts = [f"{_figure(stock)} in stock at {_figure(daily)} a day{cover}: {chance}"]
    if items.lead.assumed[place]:
        parts.append(f"no lead time is given, so {_figure(lead)} days are assumed")
    else:
        parts.append(f"delivery takes {_figure(lead)} days")
    if made.spread_units[place] > 0:
        parts.append(
            f"the supplier's lead time varies by ±{_figure(round(items.lead.spread[place], 1))} days, which asks for "
            f"{made.spread_units[place]:,.0f} of the {made.safety[place]:,.0f} safety stock"
        )
    quantity = made.quantity[place]
    if quantity > 0:
        floor = " (the minimum order)" if quantity == np.ceil(items.minimum[place]) else ""
        parts.append(f"order {quantity:,.0f}{floor}")
        if items.planned[place] < made.reorder_point[place]:
            parts.append(
                f"the planned reorder point of {_figure(items.planned[place])} is below the "
                f"{made.reorder_point[place]:,.0f} that {level(made.service)} service needs"
            )
    else:
        parts.append(f"above the reorder point of {made.reorder_point[place]:,.0f}, nothing to order")
    return "; ".join(parts) + "." + _dead(items, made, place)


def summary(items: Items, made: Plan) -> str:
    reported = ~items.ended
    total, at_risk = int(reported.sum()), int(made.at_risk.sum())
    due = int((made.quantity > 0).sum())
    text = (
        f"{at_risk:,} of {total:,} items {'is' if at_risk == 1 else 'are'} at risk of running out within "
        f"{HORIZON_DAYS} days, {made.severity.count('critical'):,} critical; {due:,} should be ordered now, "
        f"{made.quantity.sum():,.0f} units in all."
    )
    if made.dead.any():
        verb = "has" if made.dead.sum() == 1 else "have"
        text += (
            f" {int(made.dead.sum()):,} {verb} not moved for {made.dead_days} days or more, "
            f"{_figure(float(np.ceil(items.stock[made.dead].sum())))} units"
            + (f" ({count:,} of them no longer reported)." if (count := int((made.dead & ~reported).sum())) else ".")
        )
    if count := int((items.lead.assumed & reported).sum()):
        text += f" {count:,} have no lead time; one is assumed and said in the reason."
    if count := int((~items.known & reported).sum()):
        text += f" {count:,} have no demand figure, so no risk can be told."
    if count := int(items.ended.sum()):
        text += f" {count:,} more {'is' if count == 1 else 'are'} no longer reported, so nothing is ordered for "
        text += f"{'it' if count == 1 else 'them'}."
    if items.left_out:
        text += f" {items.left_out:,} rows without a date, a SKU or a stock figure left out."
    return text + items.strays.told()


def since(before: Headline, now: Headline) -> str:
    """What an upload has changed: items newly at risk, those no longer, and how much more or less to order."""
    were, are = set(before.flagged), set(now.flagged)
    fresh, gone = len(are - were), len(were - are)
    parts = []
    if fresh:
        parts.append(f"{fresh:,} item{'' if fresh == 1 else 's'} newly at risk")
    if gone:
        parts.append(f"{gone:,} no longer" if parts else f"{gone:,} item{'' if gone == 1 else 's'} no longer at risk")
    change = now.figures.get("order_units", 0.0) - before.figures.get("order_units", 0.0)
    if change:
        parts.append(f"{abs(change):,.0f} {'more' if change > 0 else 'fewer'} units to order")
    return ", ".join(parts)


def worsened(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Why an item cannot wait any more: it is more severe than when a planner let it wait, or its shelf is empty."""
    told = more_severe(before, now)
    stock = before.get("current_stock") or 0
    if stock > 0 and now.get("current_stock") == 0:
        told = f"{told} The shelf is empty; {_figure(stock)} were in stock.".strip()
    return told


def percent(probability: float) -> str:
    """Certainty is never claimed: under 1 % and over 99 % are said so."""
    if probability < 0.01:
        return "under 1 %"
    return "over 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def level(share: float) -> str:
    """95 % or 99.9 %."""
    return f"{100 * share:.4g} %"


def _dead(items: Items, made: Plan, place: int) -> str:
    if not made.dead[place]:
        return ""
    return f" It has not moved for {int(items.position.idle[place]):,} days."


def _figure(value: float) -> str:
    """12, 3.4 or 0.05: as many digits as tell the value apart from zero."""
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.2g}"
