"""What moved revenue, and how units answer to the price: as JSON and in words."""

from __future__ import annotations

import numpy as np

from aetherflow.analytics import columns
from aetherflow.analytics.columns import Bools
from aetherflow.analytics.drivers import Drivers, Lines, drivers
from aetherflow.analytics.elasticity import Elasticity, Unknown, elasticity
from aetherflow.analytics.forecasting import YEAR
from aetherflow.analytics.weeks import WeeklyTotals, monday_of
from aetherflow.departments.sales.insights.forecast import FULL
from aetherflow.departments.sales.insights.reading import Sales

WEEKS = 4
ELASTICITY_WEEKS = 104  # what customers did longer ago says little of what they do now
EFFECTS = ("price", "discount", "volume", "mix", "refunds")
WORDS = {
    "price": "list prices",
    "discount": "discounts",
    "volume": "number of units",
    "mix": "mix of products",
    "refunds": "refunds",
}


def add_moves(data: dict[str, object], listed: list[dict[str, object]], sales: Sales, totals: WeeklyTotals) -> str:
    """Put `drivers` and `elasticity` into `data`, and those of each category into its entry in `listed`; the answer is
    the sentence for the whole department, "" where there is nothing to compare with."""
    code = {name: place for place, name in enumerate(sales.names)}
    week = (monday_of(sales.days) - totals.weeks[0]).astype(np.int64) // 7
    lines = Lines(
        groups=sales.categories,
        products=sales.skus + 1,
        quantity=sales.quantity,
        price=sales.price,
        kept=sales.kept,
    )
    last, sentence = len(totals.weeks), ""
    moves: dict[str, object] = {"weeks": WEEKS}
    for name, back in (("previous", WEEKS), ("year_ago", YEAR)):
        if last - WEEKS - back < 0:
            moves[name] = None
            continue
        then = lines.where((week >= last - WEEKS - back) & (week < last - back))
        now = lines.where((week >= last - WEEKS) & (week < last))
        per_category = drivers(then, now, size=len(sales.names))
        for entry in listed:
            entry.setdefault("drivers", {})[name] = _shown(per_category, code[str(entry["category"])])  # type: ignore[attr-defined]
        whole = drivers(_as_one(then), _as_one(now), size=1)
        against = "the 4 weeks before" if name == "previous" else "the same 4 weeks of the year before"
        told = _told(whole, against)
        moves[name] = {**_shown(whole, 0), "summary": told}
        sentence = sentence or told
    data["drivers"] = moves
    data["elasticity"] = _elasticities(sales, week, last, np.ones(len(week), dtype=bool))
    for entry in listed[:FULL]:
        entry["elasticity"] = _elasticities(sales, week, last, sales.categories == code[str(entry["category"])])
    return sentence


def _as_one(lines: Lines) -> Lines:
    return Lines(
        groups=np.zeros_like(lines.groups),
        products=lines.products,
        quantity=lines.quantity,
        price=lines.price,
        kept=lines.kept,
    )


def _shown(moved: Drivers, place: int) -> dict[str, object]:
    """In cents; what rounding leaves over goes to the mix, so that the shown effects add up to the shown change."""
    before, now = columns.number(moved.before[place]), columns.number(moved.now[place])
    effects = {name: columns.number(getattr(moved, name)[place]) for name in EFFECTS}
    change = columns.number(now - before)
    effects["mix"] = columns.number(change - sum(value for name, value in effects.items() if name != "mix"))
    return {"before": before, "now": now, "change": change, **effects}


def _told(moved: Drivers, against: str) -> str:
    shown = _shown(moved, 0)
    change, before = float(str(shown["change"])), float(str(shown["before"]))
    parts = sorted(((float(str(shown[name])), WORDS[name]) for name in EFFECTS), key=lambda part: -abs(part[0]))
    told = ", ".join(f"{value:+,.0f} from {words}" for value, words in parts if round(value))
    share = f" ({change / before:+.0%})" if before > 0 else ""
    return f"Revenue of the last 4 weeks against {against}: {change:+,.0f}{share}" + (f", {told}." if told else ".")


def _elasticities(sales: Sales, week: columns.Ints, last: int, chosen: Bools) -> dict[str, object]:
    """`price`: units against the net price; `discount`: units against the share of the price that is paid."""
    usable = (
        chosen & (week >= max(0, last - ELASTICITY_WEEKS)) & (week < last) & (sales.quantity > 0) & (sales.skus >= 0)
    )
    key = sales.skus[usable] * (last + 1) + week[usable]
    order = np.lexsort((sales.kept[usable], sales.price[usable], sales.quantity[usable], key))
    found, place = np.unique(key[order], return_inverse=True)
    quantity, price, kept = sales.quantity[usable][order], sales.price[usable][order], sales.kept[usable][order]
    units = np.bincount(place, weights=quantity, minlength=len(found))
    gross = np.bincount(place, weights=quantity * price, minlength=len(found))
    paid = np.bincount(place, weights=quantity * price * kept, minlength=len(found))
    products, weeks = found // (last + 1), found % (last + 1)
    by_price = elasticity(products=products, weeks=weeks, units=units, price=paid / np.maximum(units, 1.0))
    share = np.where(gross > 0, paid / np.where(gross > 0, gross, 1.0), 0.0)
    by_discount = elasticity(products=products, weeks=weeks, units=units, price=share)
    return {"price": _answer(by_price, "price"), "discount": _answer(by_discount, "discount")}


def _answer(got: Elasticity | Unknown, of: str) -> dict[str, object]:
    if isinstance(got, Unknown):
        return {
            "value": None,
            "lower": None,
            "upper": None,
            "note": f"Not enough {of} variation, because {got.reason}.",
        }
    # 10 % off: the units' factor is 0.9 to the power of the slope.
    more, low, high = (100 * (0.9**slope - 1) for slope in (got.value, got.upper, got.lower))
    return {
        "value": columns.number(got.value, digits=3),
        "lower": columns.number(got.lower, digits=3),
        "upper": columns.number(got.upper, digits=3),
        "products": got.products,
        "observations": got.observations,
        "note": f"10 % {'cheaper' if of == 'price' else 'discount'}: {more:+.0f} % units ({low:+.0f} to {high:+.0f} %).",
    }
