"""What moved revenue, and how units answer to the price: as JSON and in words."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from aetherflow.analytics import columns
from aetherflow.analytics.columns import Floats, Ints
from aetherflow.analytics.drivers import Drivers, Lines, drivers
from aetherflow.analytics.elasticity import Elasticity, Unknown, elasticity
from aetherflow.analytics.forecasting import YEAR
from aetherflow.analytics.weeks import WeeklyTotals, monday_of
from aetherflow.departments.sales.insights.forecast import FULL
from aetherflow.departments.sales.insights.reading import Sales

WEEKS = 4
ELASTICITY_WEEKS = 104  # what customers did longer ago says little of what they do now
EFFECTS = ("price", "discount", "volume", "mix", "refunds")
BEYOND = f"Worked out for the {FULL} largest categories only."
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
    week = (monday_of(sales.first) - totals.weeks[0]).astype(np.int64) // 7
    lines = Lines(
        groups=sales.categories, products=sales.skus + 1, units=sales.units, gross=sales.gross, paid=sales.paid
    )
    last, sentence = len(totals.weeks), ""
    by_category: dict[str, dict[str, object]] = {str(entry["category"]): {} for entry in listed}
    moves: dict[str, object] = {"weeks": WEEKS}
    for name, back in (("previous", WEEKS), ("year_ago", YEAR)):
        if last - WEEKS - back < 0:
            moves[name] = None
            continue
        then = lines.where((week >= last - WEEKS - back) & (week < last - back))
        now = lines.where((week >= last - WEEKS) & (week < last))
        per_category = drivers(then, now, size=len(sales.names))
        for category, own in by_category.items():
            own[name] = _shown(per_category, code[category])
        whole = drivers(_as_one(then), _as_one(now), size=1)
        against = "the 4 weeks before" if name == "previous" else "the same 4 weeks of the year before"
        told = _told(whole, against)
        moves[name] = {**_shown(whole, 0), "summary": told}
        sentence = sentence or told
    data["drivers"] = moves
    for entry in listed:
        entry["drivers"] = by_category[str(entry["category"])]
    sold = _product_weeks(sales, week, last)
    data["elasticity"] = _elasticities(sold)
    for entry in listed[:FULL]:
        entry["elasticity"] = _elasticities(sold.of(code[str(entry["category"])]))
    for entry in listed[FULL:]:
        entry["elasticity"] = {of: _unknown(BEYOND) for of in ("price", "discount")}
    return sentence


def _as_one(lines: Lines) -> Lines:
    return Lines(
        groups=np.zeros_like(lines.groups),
        products=lines.products,
        units=lines.units,
        gross=lines.gross,
        paid=lines.paid,
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


@dataclass(frozen=True, kw_only=True)
class _ProductWeeks:
    """One entry per category, product and week: units, mean net price and paid share of the list price."""

    categories: Ints
    products: Ints
    weeks: Ints
    units: Floats
    price: Floats
    kept: Floats

    def of(self, category: int) -> _ProductWeeks:
        low, high = np.searchsorted(self.categories, [category, category + 1])
        return _ProductWeeks(**{part.name: getattr(self, part.name)[low:high] for part in fields(self)})


def _product_weeks(sales: Sales, week: Ints, last: int) -> _ProductWeeks:
    """Added up in a fixed order, so that the order the rows came in cannot change a bit."""
    usable = (week >= max(0, last - ELASTICITY_WEEKS)) & (week < last) & (sales.units > 0) & (sales.skus >= 0)
    product = sales.categories[usable] * max(sales.sku_count, 1) + sales.skus[usable]
    key = product * (last + 1) + week[usable]
    units, gross, paid = sales.units[usable], sales.gross[usable], sales.paid[usable]
    order = np.lexsort((paid, gross, units, key))
    found, place = np.unique(key[order], return_inverse=True)
    units, gross, paid = (
        np.asarray(np.bincount(place, weights=each[order], minlength=len(found)), dtype=np.float64)
        for each in (units, gross, paid)
    )
    products = found // (last + 1)
    return _ProductWeeks(
        categories=products // max(sales.sku_count, 1),
        products=products,
        weeks=found % (last + 1),
        units=units,
        price=paid / units,
        kept=np.where(gross > 0, paid / np.where(gross > 0, gross, 1.0), 0.0),
    )


def _elasticities(sold: _ProductWeeks) -> dict[str, object]:
    """`price`: units against the net price; `discount`: units against the share of the price that is paid."""

    def against(price: Floats) -> Elasticity | Unknown:
        return elasticity(products=sold.products, weeks=sold.weeks, units=sold.units, price=price)

    return {"price": _answer(against(sold.price), "price"), "discount": _answer(against(sold.kept), "discount")}


def _answer(got: Elasticity | Unknown, of: str) -> dict[str, object]:
    if isinstance(got, Unknown):
        return _unknown(f"Not enough {of} variation, because {got.reason}.")
    # 10 % off: the units' factor is 0.9 to the power of the slope.
    off = "cheaper" if of == "price" else "discount"
    more, low, high = (round(100 * (0.9**slope - 1)) + 0.0 for slope in (got.value, got.upper, got.lower))
    return {
        "value": columns.number(got.value, digits=3),
        "lower": columns.number(got.lower, digits=3),
        "upper": columns.number(got.upper, digits=3),
        "products": got.products,
        "observations": got.observations,
        "note": f"10 % {off}: {more:+.0f} % units (between {low:+.0f} and {high:+.0f} %).",
    }


def _unknown(note: str) -> dict[str, object]:
    return {"value": None, "lower": None, "upper": None, "note": note}
